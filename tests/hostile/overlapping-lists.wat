;; Answers with very many lists that all lie in the same place.
;; calls: compose
;; ends: output-too-large
(func $compose (param i32 i32) (result i32) (local $at i32)
  (drop (memory.grow (i32.const 100)))
  (local.set $at (i32.const 0x20000))
  (loop $next
    (i32.store offset=8 (local.get $at) (i32.const 0x20000))
    (i32.store offset=12 (local.get $at) (i32.const 0x100000))
    (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.const 0x30000))))
  (call $list (i32.const 2) (i32.const 0x20000) (i32.const 4096))
  (call $answer))
