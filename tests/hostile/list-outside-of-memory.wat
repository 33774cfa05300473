;; Answers with a list that lies outside of its memory.
;; calls: select
;; ends: trap
(func $select (result i32) (call $list (i32.const 0) (i32.const 0xffff0000) (i32.const 8)) (call $answer))
