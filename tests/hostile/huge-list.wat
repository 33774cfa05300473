;; Chooses ten million customers of ten.
;; calls: select
;; ends: output-too-large
(func $select (result i32)
  (drop (memory.grow (i32.const 700)))
  (call $list (i32.const 0) (i32.const 0) (i32.const 10000000))
  (call $answer))
