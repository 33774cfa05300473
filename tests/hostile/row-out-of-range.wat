;; Chooses a customer who is not in the batch.
;; calls: select
;; ends: invalid-output
;; says: row 10 was chosen from a batch of 10 rows
(func $select (result i32) (call $choose (i32.const 10) (i32.const 0) (f32.const 0.5)))
