;; Never comes back when the host asks for memory to put a column into.
;; calls: select
;; ends: fuel-exhausted
(data (i32.const 0x11000) "customersbalance")
(func $realloc (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) unreachable)
(func $select (result i32)
  (call $s64s (i32.const 0x11000) (i32.const 9) (i32.const 0x11009) (i32.const 7) (i32.const 0x12000))
  (call $answer))
