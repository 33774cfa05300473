;; Reports a metric whose name has forty megabytes.
;; calls: report
;; ends: output-too-large
(func $report (param i32 i32) (result i32)
  (drop (memory.grow (i32.const 700)))
  (call $metric (i32.const 0) (i32.const 40000000) (f64.const 0)))
