//! Two processes at one data folder: what one does, the other neither repeats nor spoils.

use crate::support::{self, NOW, Traces, at_step, copy_of, elsewhere, open, plan_of, run, undisturbed};
use care_domain::contact::ContactState;
use care_engine::Progress;
use care_tests::DATE;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Enough to tell plans apart.
const DUE: [&str; 2] = ["balance-reminder", "points-expiry"];

/// So short that it has passed by the time that anybody looks.
const HASTY: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_lost_a_task_to_a_newer_attempt_commits_nothing_of_it_and_takes_it_up_again_when_the_other_dies() {
    let (folder, engine) = support::at_work(2_000, &DUE).await;
    let golden = undisturbed(folder.path(), &plan_of(DATE)).await;
    let path: PathBuf = folder.path().into();
    // While the first is about to write its log, a second takes the task over, and dies.
    let takes_over = move || {
        elsewhere(&path, |other| async move {
            let dies = Arc::new(|progress: &Progress| !matches!(progress, Progress::Decided(_)));
            support::stopped(&other, &plan_of(DATE), dies).await;
        });
    };
    let watch = at_step(|progress| matches!(progress, Progress::Decided(_)), takes_over);
    let engine = engine.with_lease(HASTY);
    let done = engine.run_plan(&plan_of(DATE), "operator", NOW, watch).await.expect("no failure");
    assert!(done.released && done.added > 0, "{done:?}");
    assert_eq!(Traces::of(&engine, &done.plan).await, golden);
    let attempts = engine.store().task_rows(&done.plan).await.expect("tasks")[0].epoch;
    assert_eq!(attempts, 3, "ours was fenced, the other one died, and ours again was committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_somebody_else_finished_meanwhile_is_released_once() {
    let (folder, engine) = support::at_work(2_000, &DUE).await;
    let golden = undisturbed(folder.path(), &plan_of(DATE)).await;
    for step in [Progress::Releasing, Progress::Began(care_domain::key::Bucket { bits: 0, index: 0 })] {
        let copy = copy_of(folder.path());
        let path: PathBuf = copy.path().into();
        let finishes = move || {
            elsewhere(&path, |other| async move { drop(run(&other, &plan_of(DATE)).await) });
        };
        let watch = at_step(move |progress| *progress == step, finishes);
        let engine = open(copy.path()).await.with_lease(HASTY);
        let summary = engine.run_plan(&plan_of(DATE), "operator", NOW, watch).await.expect("no failure");
        assert!(summary.released);
        assert_eq!(Traces::of(&engine, &summary.plan).await.contacts, golden.contacts);
        support::adds_up(&engine, &summary).await;
    }
    drop(engine);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_arrives_while_a_task_decides_is_heard_before_it_commits() {
    let (folder, engine) = support::at_work(2_000, &DUE).await;
    let path: PathBuf = folder.path().into();
    let who = support::customers(&engine).await;
    let csv: String = who.iter().map(|key| format!("{key},deceased,2026-07-29T08:00:00+08:00\n")).collect();
    let dies = move || {
        let csv = format!("customer,kind,at\n{csv}");
        elsewhere(&path, |other| async move {
            let done = other.import_outcomes(&csv, "operator", NOW).await.expect("outcomes");
            assert_eq!((done.added, done.cancelled), (2_000, 0));
        });
    };
    let watch = at_step(|progress| matches!(progress, Progress::Decided(_)), dies);
    let summary = engine.run_plan(&plan_of(DATE), "operator", NOW, watch).await.expect("a plan");
    for activity in &summary.activities {
        let verdicts: Vec<_> = activity.verdicts.keys().map(|v| v.name()).collect();
        assert_eq!(verdicts, ["suppressed"], "{}", activity.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_that_is_stopped_while_its_plan_runs_sends_nothing() {
    for step in ["Decided", "Releasing"] {
        let (folder, engine) = support::at_work(2_000, &DUE).await;
        let path: PathBuf = folder.path().into();
        let stops = move || {
            elsewhere(&path, |other| async move {
                other.stop_campaign("balance-reminder-1", "operator", NOW).await.expect("a running campaign");
            });
        };
        let watch = at_step(move |progress| format!("{progress:?}").starts_with(step), stops);
        let summary = engine.run_plan(&plan_of(DATE), "operator", NOW, watch).await.expect("a plan");
        support::adds_up(&engine, &summary).await;
        let states = engine.store().plan_states(&summary.plan).await.expect("states");
        let of_stopped: Vec<&String> = states["balance-reminder-1"].keys().collect();
        assert_eq!(of_stopped, [ContactState::Withdrawn.name()], "stopped at {step}");
        engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
        let lines = support::lines(&support::outbox(folder.path()));
        assert!(!lines.is_empty() && lines.iter().all(|line| line["campaign"] != "balance-reminder-1"));
    }
}
