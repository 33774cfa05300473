;; Has the same column copied into the same place for ever: fuel pays for the guest's work, not for the host's.
;; calls: select-many
;; ends: too-much-traffic
(data (i32.const 0x11000) "customersbalance")
(func $realloc (param i32 i32 i32 i32) (result i32) (i32.const 0x20000))
(func $select (result i32)
  (drop (memory.grow (i32.const 4)))
  (loop $again
    (call $s64s (i32.const 0x11000) (i32.const 9) (i32.const 0x11009) (i32.const 7) (i32.const 0x12000))
    (br $again))
  unreachable)
