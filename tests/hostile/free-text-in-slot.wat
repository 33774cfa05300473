;; Puts a text of its own where an amount belongs.
;; calls: compose
;; ends: invalid-output
;; says: amount in fen
(data (i32.const 0x11000) "call 13800000000")
(func $compose (param i32 i32) (result i32) (call $say (i32.const 0) (i32.const 0x11000) (i32.const 16)))
