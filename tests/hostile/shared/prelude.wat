;; What hostile guests share: an answer is written at 512, its lists from 0x10000 on. Fresh memory is zero, so what
;; nobody writes is an empty list, row 0, reason 0 and score 0.

;; The pointer and length of a list of the answer, by its index in the record.
(func $list (param $index i32) (param $pointer i32) (param $length i32)
  (i32.store offset=516 (i32.mul (local.get $index) (i32.const 8)) (local.get $pointer))
  (i32.store offset=520 (i32.mul (local.get $index) (i32.const 8)) (local.get $length)))

(func $answer (result i32) (i32.const 512))

(func $refuse (param $pointer i32) (param $length i32) (result i32)
  (i32.store8 (i32.const 512) (i32.const 1))
  (call $list (i32.const 0) (local.get $pointer) (local.get $length))
  (call $answer))

;; Answers `select` with one customer.
(func $choose (param $row i32) (param $reason i32) (param $score f32) (result i32)
  (i32.store (i32.const 0x10000) (local.get $row))
  (i32.store16 (i32.const 0x10010) (local.get $reason))
  (f32.store (i32.const 0x10030) (local.get $score))
  (call $list (i32.const 0) (i32.const 0x10000) (i32.const 1))
  (call $list (i32.const 1) (i32.const 0x10010) (i32.const 1))
  (call $list (i32.const 2) (i32.const 0x10020) (i32.const 1))
  (call $list (i32.const 3) (i32.const 0x10030) (i32.const 1))
  (call $answer))

;; Answers `compose` with one message to the row at 0x10000: a value for the first of four slots, none for the others.
(func $say (param $template i32) (param $pointer i32) (param $length i32) (result i32) (local $slot i32)
  (i32.store16 (i32.const 0x10010) (local.get $template))
  (i32.store offset=4 (i32.const 0x10020) (local.get $length))
  (loop $next
    (i32.store offset=0x10040 (local.get $slot) (i32.const 0x10030))
    (i32.store offset=0x10044 (local.get $slot) (i32.const 2))
    (br_if $next (i32.lt_u (local.tee $slot (i32.add (local.get $slot) (i32.const 16))) (i32.const 64))))
  (i32.store (i32.const 0x10040) (i32.const 0x10020))
  (i32.store (i32.const 0x10048) (local.get $pointer))
  (i32.store (i32.const 0x1004c) (local.get $length))
  (call $list (i32.const 0) (i32.const 0x10000) (i32.const 1))
  (call $list (i32.const 1) (i32.const 0x10010) (i32.const 1))
  (call $list (i32.const 2) (i32.const 0x10040) (i32.const 4))
  (call $answer))

;; Answers `report` with one metric.
(func $metric (param $pointer i32) (param $length i32) (param $sum f64) (result i32)
  (i32.store (i32.const 0x10000) (local.get $pointer))
  (i32.store (i32.const 0x10004) (local.get $length))
  (f64.store (i32.const 0x10020) (local.get $sum))
  (call $list (i32.const 0) (i32.const 0x10000) (i32.const 1))
  (call $answer))
