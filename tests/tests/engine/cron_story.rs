//! Plans by the clock: what fired is planned in one pass, once.

use crate::support::{self, Traces, code, copy_of, open, plan_of, stopping_at};
use care_domain::time;
use care_engine::{Engine, EngineError, PlanSummary};
use care_tests::DATE;
use std::sync::Arc;

/// Birthday fires at six, the others at seven, in the province's zone.
const DUE: [&str; 3] = ["birthday", "balance-reminder", "green-bill"];

async fn tick(engine: &Engine, at: &str) -> Vec<PlanSummary> {
    let at = time::parse_instant(at).expect("an instant");
    engine.plan_due(1, "operator", at, Arc::new(|_| true)).await.expect("plans")
}

fn names(plan: &PlanSummary) -> Vec<&str> {
    plan.activities.iter().map(|a| a.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fires_is_planned_once_and_what_was_missed_is_made_up_for_in_one_pass() {
    let (folder, engine) = support::at_work(3_000, &DUE).await;
    assert!(tick(&engine, "2026-07-28T09:00").await.is_empty(), "they were started after they had fired");
    drop(engine);
    let late = copy_of(folder.path());
    let engine = open(folder.path()).await;
    assert!(tick(&engine, "2026-07-29T05:59").await.is_empty());
    let six = tick(&engine, "2026-07-29T06:00").await;
    assert_eq!((six.len(), names(&six[0]), six[0].wave), (1, vec!["birthday"], 1));
    assert!(tick(&engine, "2026-07-29T06:30").await.is_empty(), "asked again, it adds nothing");
    let seven = tick(&engine, "2026-07-29T07:01").await;
    assert_eq!((seven.len(), names(&seven[0]), seven[0].wave), (1, vec!["balance-reminder", "green-bill"], 2));
    assert!(tick(&engine, "2026-07-29T23:59").await.is_empty());
    let by_hand = engine.run_plan(&plan_of(DATE), "operator", support::NOW, Arc::new(|_| true)).await;
    assert_eq!(code(by_hand), "wave-planned");

    let engine = open(late.path()).await;
    let all = tick(&engine, "2026-07-29T08:15").await;
    assert_eq!((all.len(), names(&all[0])), (1, vec!["balance-reminder", "birthday", "green-bill"]));
    let pins = engine.plan(None).await.expect("the plan").pins;
    assert_eq!(pins.scheduled_for, time::parse_instant("2026-07-29T07:00"));
    assert_eq!(Some(pins.instant), time::parse_instant("2026-07-29T08:15"), "nothing is planned for the past");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_plan_that_was_interrupted_is_gone_on_with() {
    let (folder, engine) = support::at_work(3_000, &DUE).await;
    let at = time::parse_instant("2026-07-29T07:30").expect("an instant");
    let undisturbed = copy_of(folder.path());
    let golden = open(undisturbed.path()).await;
    let whole = golden.plan_due(1, "operator", at, Arc::new(|_| true)).await.expect("a plan");
    let golden = Traces::of(&golden, &whole[0].plan).await;
    // Opened, the bucket began, was decided.
    let stopped = engine.plan_due(1, "operator", at, stopping_at(3)).await;
    assert!(matches!(stopped, Err(EngineError::Stopped)), "{stopped:?}");
    let resumed = tick(&engine, "2026-07-29T07:45").await;
    assert_eq!((resumed.len(), resumed[0].released), (1, true));
    assert_eq!(Traces::of(&engine, &resumed[0].plan).await, golden, "as the first tick pinned it");
}
