;; Has data for a place outside of its memory.
;; calls: select
;; ends: trap
(data (i32.const 0x7fffffff) "here?")
