;; Chooses nobody the first time, and somebody ever after.
;; calls: golden
;; ends: state-leak
(global $asked (mut i32) (i32.const 0))
(func $select (result i32)
  (global.set $asked (i32.add (global.get $asked) (i32.const 1)))
  (if (i32.gt_u (global.get $asked) (i32.const 1)) (then (return (call $choose (i32.const 0) (i32.const 0) (f32.const 0.5)))))
  (call $answer))
