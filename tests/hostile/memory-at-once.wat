;; Asks for four gibibytes in one step and would go on without them.
;; calls: select
;; ends: memory
(func $select (result i32) (drop (memory.grow (i32.const 65000))) (call $answer))
