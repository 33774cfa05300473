;; Reads an amount as if it were a text.
;; calls: select
;; ends: wrong-type
;; says: "texts-of" does not read
(data (i32.const 0x11000) "customersbalance")
(func $select (result i32)
  (call $texts-of (i32.const 0x11000) (i32.const 9) (i32.const 0x11009) (i32.const 7) (i32.const 0x12000))
  (call $answer))
