;; Has its fold state grow by a sixteenth of a mebibyte with every batch.
;; calls: observe-on-and-on
;; ends: output-too-large
;; says: 1048576
(func $observe (param $state i32) (param $bytes i32) (result i32)
  (call $list (i32.const 0) (i32.const 0) (i32.add (local.get $bytes) (i32.const 65536)))
  (drop (memory.grow (i32.const 1)))
  (call $answer))
