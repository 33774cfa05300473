;; Writes to a customer who is not in the batch.
;; calls: compose
;; ends: invalid-output
;; says: row 10 has a message
(func $compose (param i32 i32) (result i32)
  (i32.store (i32.const 0x10000) (i32.const 10))
  (call $say (i32.const 0) (i32.const 0x11000) (i32.const 0)))
