;; Puts bytes into a slot that are no UTF-8.
;; calls: compose
;; ends: invalid-output
;; says: no UTF-8
(data (i32.const 0x11000) "\ff")
(func $compose (param i32 i32) (result i32) (call $say (i32.const 0) (i32.const 0x11000) (i32.const 1)))
