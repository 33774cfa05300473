;; Answers with a fold state of forty megabytes.
;; calls: observe merge
;; ends: output-too-large
(func $much (result i32) (drop (memory.grow (i32.const 700))) (call $list (i32.const 0) (i32.const 0) (i32.const 40000000)) (call $answer))
(func $observe (param i32 i32) (result i32) (call $much))
(func $merge (param i32 i32 i32 i32) (result i32) (call $much))
