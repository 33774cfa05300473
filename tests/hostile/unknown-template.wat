;; Says what is in no template.
;; calls: compose
;; ends: invalid-output
;; says: template 2
(func $compose (param i32 i32) (result i32) (call $say (i32.const 2) (i32.const 0x11000) (i32.const 0)))
