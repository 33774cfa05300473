;; Refuses whatever it is asked.
;; calls: select schedule compose observe merge report
;; ends: refused
;; says: no
(data (i32.const 0x11000) "no")
(func $no (result i32) (call $refuse (i32.const 0x11000) (i32.const 2)))
(func $select (result i32) (call $no))
(func $schedule (param i32 i32) (result i32) (call $no))
(func $compose (param i32 i32) (result i32) (call $no))
(func $observe (param i32 i32) (result i32) (call $no))
(func $merge (param i32 i32 i32 i32) (result i32) (call $no))
(func $report (param i32 i32) (result i32) (call $no))
