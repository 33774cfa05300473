;; Scores a customer with infinity, to win against every other activity.
;; calls: select
;; ends: invalid-output
;; says: score inf
(func $select (result i32) (call $choose (i32.const 0) (i32.const 0) (f32.const inf)))
