;; Refuses with bytes that are no UTF-8.
;; calls: select schedule compose observe merge report
;; ends: trap
;; says: utf-8
(data (i32.const 0x11000) "\ff\fe\c0")
(func $noise (result i32) (call $refuse (i32.const 0x11000) (i32.const 3)))
(func $select (result i32) (call $noise))
(func $schedule (param i32 i32) (result i32) (call $noise))
(func $compose (param i32 i32) (result i32) (call $noise))
(func $observe (param i32 i32) (result i32) (call $noise))
(func $merge (param i32 i32 i32 i32) (result i32) (call $noise))
(func $report (param i32 i32) (result i32) (call $noise))
