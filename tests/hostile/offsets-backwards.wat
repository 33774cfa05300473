;; Has a slot end before it begins.
;; calls: compose
;; ends: invalid-output
;; says: no UTF-8 within its bytes
(func $compose (param i32 i32) (result i32) (local $answer i32)
  (local.set $answer (call $say (i32.const 0) (i32.const 0x11000) (i32.const 1)))
  (i32.store (i32.const 0x10020) (i32.const 1))
  (i32.store offset=4 (i32.const 0x10020) (i32.const 0))
  (local.get $answer))
