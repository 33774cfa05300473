;; Says what another reason would allow.
;; calls: compose
;; ends: invalid-output
;; says: does not allow
(func $compose (param i32 i32) (result i32) (call $say (i32.const 1) (i32.const 0x11000) (i32.const 0)))
