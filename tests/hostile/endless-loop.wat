;; Never comes back, whatever it is asked.
;; calls: select schedule compose observe merge report
;; ends: fuel-exhausted
(func $endless (result i32) (loop $again (br $again)) unreachable)
(func $select (result i32) (call $endless))
(func $schedule (param i32 i32) (result i32) (call $endless))
(func $compose (param i32 i32) (result i32) (call $endless))
(func $observe (param i32 i32) (result i32) (call $endless))
(func $merge (param i32 i32 i32 i32) (result i32) (call $endless))
(func $report (param i32 i32) (result i32) (call $endless))
