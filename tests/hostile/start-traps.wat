;; Stops itself in its start code.
;; calls: select
;; ends: trap
(func $stop unreachable)
(start $stop)
