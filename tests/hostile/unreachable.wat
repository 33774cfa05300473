;; Stops itself.
;; calls: select schedule compose observe merge report
;; ends: trap
(func $select (result i32) unreachable)
(func $schedule (param i32 i32) (result i32) unreachable)
(func $compose (param i32 i32) (result i32) unreachable)
(func $observe (param i32 i32) (result i32) unreachable)
(func $merge (param i32 i32 i32 i32) (result i32) unreachable)
(func $report (param i32 i32) (result i32) unreachable)
