;; Reports a sum that is NaN.
;; calls: report
;; ends: invalid-output
;; says: impossible numbers
(data (i32.const 0x11000) "goal")
(func $report (param i32 i32) (result i32) (call $metric (i32.const 0x11000) (i32.const 4) (f64.const nan)))
