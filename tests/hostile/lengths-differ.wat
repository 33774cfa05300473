;; Chooses three customers for two reasons.
;; calls: select
;; ends: invalid-output
;; says: reasons has 2 entries, rows has 3
(data (i32.const 0x11000) "\00\00\00\00\01\00\00\00\02\00\00\00")
(func $select (result i32)
  (call $list (i32.const 0) (i32.const 0x11000) (i32.const 3))
  (call $list (i32.const 1) (i32.const 0x12000) (i32.const 2))
  (call $list (i32.const 2) (i32.const 0x12000) (i32.const 3))
  (call $list (i32.const 3) (i32.const 0x12000) (i32.const 3))
  (call $answer))
