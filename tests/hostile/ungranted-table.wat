;; Reads a reference table that the approval does not name.
;; calls: select
;; ends: field-not-granted
;; says: "salaries"
(data (i32.const 0x11000) "salariesamount")
(func $select (result i32)
  (call $s64s (i32.const 0x11000) (i32.const 8) (i32.const 0x11008) (i32.const 6) (i32.const 0x12000))
  (call $answer))
