;; Grows its memory until it is stopped.
;; calls: select
;; ends: memory
(func $select (result i32)
  (loop $again (br_if $again (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
  (call $answer))
