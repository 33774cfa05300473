;; Reads a field in observe that was granted for select.
;; calls: observe
;; ends: field-not-granted
;; says: in observe
(data (i32.const 0x11000) "outcomesbalance")
(func $observe (param i32 i32) (result i32)
  (call $s64s (i32.const 0x11000) (i32.const 8) (i32.const 0x11008) (i32.const 7) (i32.const 0x12000))
  (call $answer))
