;; Reads outside of its memory.
;; calls: select
;; ends: trap
;; says: out of bounds
(func $select (result i32) (i32.load (i32.const -8)))
