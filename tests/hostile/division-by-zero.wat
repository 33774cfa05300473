;; Divides by zero.
;; calls: select
;; ends: trap
;; says: divide by zero
(func $select (result i32) (i32.div_u (i32.const 1) (i32.load (i32.const 0x11000))))
