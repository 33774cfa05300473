;; Never comes back from its start code, before anybody asked anything.
;; calls: select
;; ends: fuel-exhausted
(func $endless (loop $again (br $again)))
(start $endless)
