;; Calls itself until its stack ends.
;; calls: select schedule compose observe merge report
;; ends: trap
;; says: stack
(func $deeper (param $n i64) (result i32) (i32.add (i32.const 1) (call $deeper (i64.add (local.get $n) (i64.const 1)))))
(func $select (result i32) (call $deeper (i64.const 0)))
(func $schedule (param i32 i32) (result i32) (call $deeper (i64.const 0)))
(func $compose (param i32 i32) (result i32) (call $deeper (i64.const 0)))
(func $observe (param i32 i32) (result i32) (call $deeper (i64.const 0)))
(func $merge (param i32 i32 i32 i32) (result i32) (call $deeper (i64.const 0)))
(func $report (param i32 i32) (result i32) (call $deeper (i64.const 0)))
