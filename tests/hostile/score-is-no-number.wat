;; Scores a customer with NaN.
;; calls: select
;; ends: invalid-output
;; says: score NaN
(func $select (result i32) (call $choose (i32.const 0) (i32.const 0) (f32.const nan)))
