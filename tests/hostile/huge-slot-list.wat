;; Answers with more slot columns than there can be.
;; calls: compose
;; ends: output-too-large
(func $compose (param i32 i32) (result i32)
  (drop (memory.grow (i32.const 700)))
  (call $list (i32.const 2) (i32.const 0) (i32.const 2500000))
  (call $answer))
