;; Talks to its author a million times, at length.
;; calls: select
;; ends: too-much-traffic
(func $select (result i32) (local $i i32)
  (loop $next
    (call $log (i32.const 0) (i32.const 65000))
    (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
  (call $answer))
