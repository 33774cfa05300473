;; Talks to its author a million times, a little.
;; calls: select
;; ends: fuel-exhausted
(func $select (result i32) (local $i i32)
  (loop $next
    (call $log (i32.const 0x11000) (i32.const 400))
    (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
  (call $answer))
