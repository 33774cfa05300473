;; Says that its answer lies at an odd address.
;; calls: select schedule compose observe merge report
;; ends: trap
(func $select (result i32) (i32.const 513))
(func $schedule (param i32 i32) (result i32) (i32.const 513))
(func $compose (param i32 i32) (result i32) (i32.const 513))
(func $observe (param i32 i32) (result i32) (i32.const 513))
(func $merge (param i32 i32 i32 i32) (result i32) (i32.const 513))
(func $report (param i32 i32) (result i32) (i32.const 513))
