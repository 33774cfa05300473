;; Answers with a result that is neither of the two there are.
;; calls: select schedule compose observe merge report
;; ends: trap
(func $neither (result i32) (i32.store8 (i32.const 512) (i32.const 7)) (call $answer))
(func $select (result i32) (call $neither))
(func $schedule (param i32 i32) (result i32) (call $neither))
(func $compose (param i32 i32) (result i32) (call $neither))
(func $observe (param i32 i32) (result i32) (call $neither))
(func $merge (param i32 i32 i32 i32) (result i32) (call $neither))
(func $report (param i32 i32) (result i32) (call $neither))
