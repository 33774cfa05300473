;; Schedules nobody of those selected.
;; calls: schedule
;; ends: invalid-output
;; says: not-before has 0 entries

