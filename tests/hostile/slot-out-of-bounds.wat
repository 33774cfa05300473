;; Names an amount above the approved bound.
;; calls: compose
;; ends: invalid-output
;; says: outside 0 to 100000
(data (i32.const 0x11000) "100001")
(func $compose (param i32 i32) (result i32) (call $say (i32.const 0) (i32.const 0x11000) (i32.const 6)))
