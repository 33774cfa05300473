;; Wants to contact customers only after it has become useless.
;; calls: schedule
;; ends: invalid-output
;; says: not-before 1 later than not-after 0
(func $schedule (param i32 i32) (result i32)
  (i64.store (i32.const 0x11000) (i64.const 1))
  (call $list (i32.const 0) (i32.const 0x11000) (i32.const 10))
  (call $list (i32.const 1) (i32.const 0x12000) (i32.const 10))
  (call $answer))
