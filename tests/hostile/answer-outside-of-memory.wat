;; Says that its answer lies outside of its memory.
;; calls: select schedule compose observe merge report
;; ends: trap
(func $select (result i32) (i32.const 0x7ffffff0))
(func $schedule (param i32 i32) (result i32) (i32.const 0x7ffffff0))
(func $compose (param i32 i32) (result i32) (i32.const 0x7ffffff0))
(func $observe (param i32 i32) (result i32) (i32.const 0x7ffffff0))
(func $merge (param i32 i32 i32 i32) (result i32) (i32.const 0x7ffffff0))
(func $report (param i32 i32) (result i32) (i32.const 0x7ffffff0))
