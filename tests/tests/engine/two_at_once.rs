//! Two processes at one data folder: what one does, the other neither repeats nor spoils.

use crate::support::{self, NOW, Traces, copy_of, open, plan_of, run};
use care_domain::contact::ContactState;
use care_engine::{Engine, PlanSummary, Progress, Watch};
use care_tests::DATE;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Enough to tell plans apart.
const DUE: [&str; 2] = ["balance-reminder", "points-expiry"];

/// Does something as another process would, with an engine and threads of its own, and waits for it.
fn elsewhere<F>(folder: &Path, act: impl FnOnce(Engine) -> F + Send)
where
    F: Future<Output = ()>,
{
    let work = || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { act(open(folder).await).await });
    };
    std::thread::scope(|scope| scope.spawn(work).join()).expect("the other process did its work");
}

/// Calls `act` once, when the wanted step comes.
fn at_step(
    wanted: impl Fn(&Progress) -> bool + Send + Sync + 'static,
    act: impl Fn() + Send + Sync + 'static,
) -> Watch {
    let done = AtomicBool::new(false);
    Arc::new(move |progress| {
        if wanted(progress) && !done.swap(true, Ordering::Relaxed) {
            act();
        }
        true
    })
}

async fn undisturbed(folder: &Path) -> Traces {
    let copy = copy_of(folder);
    let engine = open(copy.path()).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    Traces::of(&engine, &summary.plan).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_lost_a_task_to_a_newer_attempt_does_not_release_the_plan_without_it() {
    let (folder, engine) = support::at_work(2_000, &DUE).await;
    let golden = undisturbed(folder.path()).await;
    let path: PathBuf = folder.path().into();
    // While the first is about to write its log, a second takes the task over, and dies.
    let takes_over = move || {
        elsewhere(&path, |other| async move {
            let dies = Arc::new(|progress: &Progress| !matches!(progress, Progress::Decided(_)));
            support::stopped(&other, &plan_of(DATE), dies).await;
        });
    };
    let watch = at_step(|progress| matches!(progress, Progress::Decided(_)), takes_over);
    let lost: PlanSummary = engine.run_plan(&plan_of(DATE), "operator", NOW, watch).await.expect("no failure");
    assert_eq!((lost.released, lost.tasks_done, lost.added), (false, 0, 0), "{lost:?}");
    assert!(engine.store().contact_states().await.expect("contacts").is_empty());
    let done = run(&engine, &plan_of(DATE)).await;
    assert_eq!(Traces::of(&engine, &done.plan).await, golden);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_somebody_else_finished_meanwhile_is_released_once() {
    let (folder, engine) = support::at_work(2_000, &DUE).await;
    let golden = undisturbed(folder.path()).await;
    for step in [Progress::Releasing, Progress::Began(care_domain::key::Bucket { bits: 0, index: 0 })] {
        let copy = copy_of(folder.path());
        let path: PathBuf = copy.path().into();
        let finishes = move || {
            elsewhere(&path, |other| async move { drop(run(&other, &plan_of(DATE)).await) });
        };
        let watch = at_step(move |progress| *progress == step, finishes);
        let engine = open(copy.path()).await;
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
