;; Reports a metric that the manifest does not name.
;; calls: report
;; ends: invalid-output
;; says: "profit"
(data (i32.const 0x11000) "profit")
(func $report (param i32 i32) (result i32) (call $metric (i32.const 0x11000) (i32.const 6) (f64.const 1)))
