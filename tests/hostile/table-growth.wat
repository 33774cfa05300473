;; Grows a table instead of its memory.
;; calls: select
;; ends: memory
(table $table 1 funcref)
(func $select (result i32)
  (loop $again (br_if $again (i32.ne (i32.const -1) (table.grow $table (ref.null func) (i32.const 100000)))))
  (call $answer))
