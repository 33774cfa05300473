;; Chooses a customer for a reason that nobody approved.
;; calls: select
;; ends: invalid-output
;; says: reason 2
(func $select (result i32) (call $choose (i32.const 0) (i32.const 2) (f32.const 0.5)))
