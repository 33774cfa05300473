;; Calls a function through an empty table entry.
;; calls: select
;; ends: trap
(table 4 funcref) (type $f (func (result i32)))
(func $select (result i32) (call_indirect (type $f) (i32.const 2)))
