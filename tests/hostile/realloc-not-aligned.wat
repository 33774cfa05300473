;; Gives the host memory at an odd address.
;; calls: select
;; ends: trap
(data (i32.const 0x11000) "customersbalance")
(func $realloc (param i32 i32 i32 i32) (result i32) (i32.const 0x18001))
(func $select (result i32)
  (call $s64s (i32.const 0x11000) (i32.const 9) (i32.const 0x11009) (i32.const 7) (i32.const 0x12000))
  (call $answer))
