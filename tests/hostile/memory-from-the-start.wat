;; Declares a second memory that is larger than what was granted.
;; calls: select
;; ends: memory
(memory $second 2000)
