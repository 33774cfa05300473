//! A plan that was interrupted, and a world that moved on: it ends as it pinned the world; and a plan can be
//! decided again to the very same bytes.

use crate::support::{self, NOW, TWO_BUCKETS, Traces, copy_of, open, plan_of, run, started, stopped, stopping_at};
use care_domain::policy::Policy;
use care_engine::EngineError;
use care_tests::DATE;
use serde_json::json;
use std::fs;
use std::sync::Arc;

const RIVALS: [&str; 2] = ["birthday", "green-bill"];
/// In the middle: the first bucket is committed, the second is not.
const MIDDLE: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_plan_is_resumed_as_it_was_pinned_whatever_was_changed_since() {
    let (folder, engine) = support::at_work(TWO_BUCKETS, &RIVALS).await;
    drop(engine);
    let undisturbed = copy_of(folder.path());
    let engine = open(undisturbed.path()).await;
    let golden = Traces::of(&engine, &run(&engine, &plan_of(DATE)).await.plan).await;

    let engine = open(folder.path()).await;
    stopped(&engine, &plan_of(DATE), stopping_at(MIDDLE)).await;
    let interrupted = engine.plan(None).await.expect("a plan").id;
    support::policy(&engine, &Policy { control_salt: "another".into(), ..Policy::default() }).await;
    started(&engine, "birthday", json!({})).await;
    let other = run(&engine, &plan_of("2026-07-30")).await;
    assert_eq!(other.unfinished, vec![interrupted.clone()], "whoever plans is told of it");

    let summary =
        engine.resume_plan(&interrupted, 1, ("operator", NOW), Arc::new(|_| true)).await.expect("a resumed plan");
    assert!(summary.released && summary.unfinished.is_empty(), "{summary:?}");
    let tasks = engine.store().tasks(&interrupted).await.expect("tasks");
    let first = tasks.values().flatten().next().expect("a task");
    assert_eq!(first.log, golden.logs()[0], "what was committed before the interruption stays");
    let again = engine.resume_plan(&interrupted, 1, ("operator", NOW), Arc::new(|_| true)).await.expect("the plan");
    assert!(again.already_complete && again.added == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_replays_to_the_same_bytes_after_all_that_came_later_and_tampering_is_told() {
    let (_folder, engine) = support::at_work(4_000, &RIVALS).await;
    let plan = run(&engine, &plan_of(DATE)).await.plan;
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatched");
    run(&engine, &plan_of("2026-07-31")).await;
    let replay = engine.replay(&plan, None, &|_| ()).await.expect("a replay");
    assert!(replay.tasks.iter().all(|t| t.same && t.decisions > 0), "{replay:?}");

    let log = engine.store().tasks(&plan).await.expect("tasks")[&0].clone().expect("a finished task").log;
    let path = engine.folder().join("decisions").join(format!("{log}.arrow"));
    let mut bytes = fs::read(&path).expect("a log");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("a tampered log");
    let told = engine.replay(&plan, None, &|_| ()).await;
    assert!(matches!(told, Err(EngineError::Population(_))), "{told:?}");
}
