;; Logs bytes that are no UTF-8.
;; calls: select
;; ends: trap
;; says: utf-8
(data (i32.const 0x11000) "\ff\fe\c0")
(func $select (result i32) (call $log (i32.const 0x11000) (i32.const 3)) (call $answer))
