;; Refuses with a text of forty megabytes.
;; calls: select schedule compose observe merge report
;; ends: output-too-large
(func $long (result i32) (drop (memory.grow (i32.const 700))) (call $refuse (i32.const 0) (i32.const 40000000)))
(func $select (result i32) (call $long))
(func $schedule (param i32 i32) (result i32) (call $long))
(func $compose (param i32 i32) (result i32) (call $long))
(func $observe (param i32 i32) (result i32) (call $long))
(func $merge (param i32 i32 i32 i32) (result i32) (call $long))
(func $report (param i32 i32) (result i32) (call $long))
