;; Chooses a customer twice.
;; calls: select
;; ends: invalid-output
;; says: row 3 follows row 3
(data (i32.const 0x11000) "\03\00\00\00\03\00\00\00")
(func $select (result i32)
  (call $list (i32.const 0) (i32.const 0x11000) (i32.const 2))
  (call $list (i32.const 1) (i32.const 0x12000) (i32.const 2))
  (call $list (i32.const 2) (i32.const 0x12000) (i32.const 2))
  (call $list (i32.const 3) (i32.const 0x12000) (i32.const 2))
  (call $answer))
