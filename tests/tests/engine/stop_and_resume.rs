//! Whatever stops a plan, at whatever step: the next run ends as an undisturbed one does.

use crate::support::{self, TWO_BUCKETS, Traces, copy_of, is_between, open, plan_of, run, stopped, stopping_at};
use care_engine::{PlanRequest, Progress};
use care_tests::DATE;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const BATCH: u32 = 512;
/// Two that compete for a place; more would cost time to compile, twice for every step.
const RIVALS: [&str; 2] = ["birthday", "green-bill"];

fn request(workers: usize) -> PlanRequest {
    PlanRequest { batch: BATCH, workers, ..plan_of(DATE) }
}

/// A folder at work, what an undisturbed run leaves in a copy of it, and the steps of that run.
async fn golden() -> (TempDir, Traces, Vec<Progress>) {
    let (folder, engine) = support::at_work(TWO_BUCKETS, &RIVALS).await;
    drop(engine);
    let copy = copy_of(folder.path());
    let engine = open(copy.path()).await;
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    let note = move |progress: &Progress| {
        if !is_between(progress) {
            seen.lock().expect("a lock").push(progress.clone());
        }
        true
    };
    let summary = engine.run_plan(&request(1), "operator", support::NOW, Arc::new(note)).await.expect("a plan");
    let traces = Traces::of(&engine, &summary.plan).await;
    assert!(summary.released && summary.added > 1_000, "{summary:?}");
    let steps = steps.lock().expect("a lock").clone();
    (folder, traces, steps)
}

/// Runs to the end with a fresh engine, as after a crash, and compares with the undisturbed run.
async fn resumes(folder: &Path, golden: &Traces, after: &str) {
    let engine = open(folder).await;
    let summary = run(&engine, &request(1)).await;
    assert!(summary.released, "{after}");
    assert_eq!(Traces::of(&engine, &summary.plan).await, *golden, "{after}");
    let logs = fs::read_dir(folder.join("decisions")).expect("logs").count();
    assert_eq!(logs, golden.logs().len(), "{after}: a log too many, or a half one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_stopped_at_any_step_resumes_to_the_same_contacts_and_decisions() {
    let (folder, golden, steps) = golden().await;
    // Opened, seven steps for each of two buckets, Releasing, Ranked, Visible, Released.
    assert_eq!(steps.len(), 19, "{steps:?}");
    for (at, step) in (1..).zip(&steps) {
        let copy = copy_of(folder.path());
        stopped(&open(copy.path()).await, &request(1), stopping_at(at)).await;
        resumes(copy.path(), &golden, &format!("stopped at {step:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_stopped_again_and_again_resumes_all_the_same() {
    let (folder, golden, steps) = golden().await;
    let copy = copy_of(folder.path());
    // In the second run the first bucket is committed, and its steps are fewer.
    for at in [4, 7, 5, 2] {
        stopped(&open(copy.path()).await, &request(1), stopping_at(at)).await;
    }
    resumes(copy.path(), &golden, "stopped four times").await;
    let copy = copy_of(folder.path());
    stopped(&open(copy.path()).await, &request(2), stopping_at(steps.len() / 2)).await;
    let engine = open(copy.path()).await;
    let summary = run(&engine, &request(2)).await;
    let traces = Traces::of(&engine, &summary.plan).await;
    // Marks differ with the order of commits; what was decided does not.
    assert_eq!((traces.logs(), &traces.contacts), (golden.logs(), &golden.contacts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complete_plan_adds_nothing_and_says_so() {
    let (_folder, engine) = support::at_work(2_000, &RIVALS).await;
    let first = run(&engine, &request(1)).await;
    let before = Traces::of(&engine, &first.plan).await;
    let again = run(&engine, &request(2)).await;
    assert_eq!((again.plan.as_str(), again.added, again.already_complete), (first.plan.as_str(), 0, true));
    assert_eq!(Traces::of(&engine, &first.plan).await, before);
    assert!(!first.already_complete && first.added > 0);
    support::adds_up(&engine, &first).await;
}
