;; Reads a field that the batch has and the approval does not name.
;; calls: select
;; ends: field-not-granted
;; says: "points"
(data (i32.const 0x11000) "customerspoints")
(func $select (result i32)
  (call $s64s (i32.const 0x11000) (i32.const 9) (i32.const 0x11009) (i32.const 6) (i32.const 0x12000))
  (call $answer))
