;; Chooses the first customer of a batch, whoever that is.
;; calls: golden
;; ends: batch-dependent
(data (i32.const 0x11000) "customers")
(func $select (result i32)
  (if (i32.eqz (call $rows (i32.const 0x11000) (i32.const 9))) (then (return (call $answer))))
  (call $choose (i32.const 0) (i32.const 0) (f32.const 0.5)))
