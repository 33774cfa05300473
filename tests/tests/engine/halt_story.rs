//! A plan that runs in several processes, is paused, gone on with, called off: whoever does it, from wherever.

use crate::support::{self, NOW, TWO_BUCKETS, Traces, at_step, elsewhere, open, plan_of, run, undisturbed};
use care_engine::{Engine, EngineError, PlanRequest, Progress};
use care_tests::DATE;
use serde_json::json;
use std::path::PathBuf;
use std::sync::{Arc, Barrier};

const RIVALS: [&str; 2] = ["birthday", "green-bill"];

fn request() -> PlanRequest {
    plan_of(DATE)
}

fn code<T: std::fmt::Debug>(refused: Result<T, EngineError>) -> (String, String) {
    match refused {
        Err(EngineError::Refused(finding)) => (finding.code, finding.message),
        other => panic!("not refused: {other:?}"),
    }
}

async fn last_deed(engine: &Engine) -> care_domain::audit::Entry {
    engine.store().audit_lines(None).await.expect("the log").pop().expect("a line").entry
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_buckets_and_release_once() {
    let (folder, engine) = support::at_work(TWO_BUCKETS, &RIVALS).await;
    let golden = undisturbed(folder.path(), &request()).await;
    // Each waits for the other to have a bucket in hand, so neither does both.
    let both = Arc::new(Barrier::new(2));
    let meets = |both: &Arc<Barrier>| {
        let both = Arc::clone(both);
        at_step(
            |progress| matches!(progress, Progress::Began(_)),
            move || {
                both.wait();
            },
        )
    };
    let path: PathBuf = folder.path().into();
    let watch = meets(&both);
    let other = std::thread::spawn(move || {
        elsewhere(&path, |engine| async move {
            let summary = engine.run_plan(&request(), "operator", NOW, watch).await.expect("a plan");
            assert!(summary.released);
            summary.added
        })
    });
    let ours = engine.run_plan(&request(), "operator", NOW, meets(&both)).await.expect("a plan");
    let theirs = other.join().expect("the other process");
    assert!(ours.released && ours.added > 0 && theirs > 0, "both did their part: {} and {theirs}", ours.added);
    let traces = Traces::of(&engine, &ours.plan).await;
    assert_eq!((traces.logs(), &traces.contacts), (golden.logs(), &golden.contacts));
    assert_eq!(ours.added + theirs, golden.contacts.len() as u64);
    let lines = engine.store().audit_lines(Some(&format!("plan {}", ours.plan))).await.expect("the log");
    let deeds: Vec<&str> = lines.iter().map(|line| line.entry.deed.as_str()).collect();
    assert_eq!(deeds, ["plan-opened", "plan-released"], "opened once, released once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_paused_from_elsewhere_while_it_runs_and_goes_on_when_it_is_told_to() {
    let (folder, engine) = support::at_work(TWO_BUCKETS, &RIVALS).await;
    let golden = undisturbed(folder.path(), &request()).await;
    let path: PathBuf = folder.path().into();
    let pauses = move || {
        elsewhere(&path, |other| async move {
            let plan = other.plan(None).await.expect("the plan that runs").id;
            other.pause_plan(&plan, "the new tariff is wrong", ("duty-officer", NOW)).await.expect("paused");
        });
    };
    let watch = at_step(|progress| matches!(progress, Progress::Decided(_)), pauses);
    let (told, message) = code(engine.run_plan(&request(), "operator", NOW, watch).await);
    assert_eq!(told, "plan-paused");
    assert!(message.contains("duty-officer") && message.contains("the new tariff is wrong"), "{message}");
    assert!(message.contains("1 of its 2 tasks"), "what was under way was finished: {message}");
    assert_eq!(last_deed(&engine).await.deed, "plan-paused");

    let again = engine.run_plan(&request(), "operator", NOW, Arc::new(|_| true)).await;
    assert_eq!(code(again).0, "plan-paused", "the same command does not go on by itself");
    let status = engine.plan_status(None).await.expect("a status");
    assert_eq!((status.state, status.tasks_done, status.tasks), ("paused", 1, 2));
    assert!(status.at_work.is_empty() && status.halt.is_some_and(|halt| halt.person == "duty-officer"));
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    assert!(support::outbox(folder.path()).is_empty(), "nothing of it goes out");

    let resumed = engine.resume_plan(&status.plan, 1, ("operator", NOW), Arc::new(|_| true)).await.expect("resumed");
    assert!(resumed.released);
    let traces = Traces::of(&engine, &resumed.plan).await;
    assert_eq!((traces.logs(), &traces.contacts), (golden.logs(), &golden.contacts));
    let pause = engine.pause_plan(&status.plan, "", ("operator", NOW)).await;
    assert_eq!(code(pause), ("plan-not-running".into(), format!("plan {} is released", status.plan)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_is_called_off_while_it_runs_sends_nothing_and_another_wave_plans_the_same() {
    let (folder, engine) = support::at_work(TWO_BUCKETS, &RIVALS).await;
    let golden = undisturbed(folder.path(), &request()).await;
    let path: PathBuf = folder.path().into();
    let cancels = move || {
        elsewhere(&path, |other| async move {
            let plan = other.plan(None).await.expect("the plan that runs").id;
            let by_auditor = other.cancel_plan(&plan, "", ("auditor", NOW)).await;
            assert_eq!(code(by_auditor).0, "not-allowed");
            let (_, gone) = other.cancel_plan(&plan, "wrong snapshot", ("operator", NOW)).await.expect("called off");
            assert!(gone.contacts > 0 && gone.controls > 0, "{gone:?}");
            let line = last_deed(&other).await;
            assert_eq!((line.deed.as_str(), line.reason.as_str()), ("plan-cancelled", "wrong snapshot"));
            assert_eq!(line.detail, json!({"contacts": gone.contacts, "controls": gone.controls}));
        });
    };
    // The second bucket is decided, and not committed.
    let second = |progress: &Progress| matches!(progress, Progress::Decided(bucket) if bucket.index == 1);
    let (told, message) = code(engine.run_plan(&request(), "operator", NOW, at_step(second, cancels)).await);
    assert_eq!(told, "plan-cancelled");
    assert!(message.contains("wrong snapshot"), "{message}");
    assert!(engine.store().contact_states().await.expect("contacts").is_empty(), "planned contacts are gone");
    let plan = engine.plan(None).await.expect("the plan").id;
    for refused in [
        engine.run_plan(&request(), "operator", NOW, Arc::new(|_| true)).await,
        engine.resume_plan(&plan, 1, ("operator", NOW), Arc::new(|_| true)).await,
    ] {
        assert_eq!(code(refused).0, "plan-cancelled", "it stays called off");
    }
    let bucket = care_domain::key::Bucket { bits: 1, index: 0 };
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot").bucket(bucket).expect("a bucket");
    let customers: Vec<String> = snapshot.keys().take(200).map(|key| key.to_string()).collect();
    let why = explained(&engine, &customers).await;
    assert!(why.contains(&"plan-cancelled".to_owned()), "{why:?}");

    let second_wave = run(&engine, &PlanRequest { wave: 2, ..request() }).await;
    assert!(second_wave.unfinished.is_empty(), "a plan that was called off waits for nobody");
    assert_eq!(engine.store().contact_states().await.expect("contacts"), golden.contacts);
    let late = engine.cancel_plan(&second_wave.plan, "", ("operator", NOW)).await;
    assert_eq!(code(late).0, "plan-not-running", "what is visible to dispatch cannot be called off");
    drop(open(folder.path()).await);
}

/// What became of the first candidates among these customers.
async fn explained(engine: &Engine, customers: &[String]) -> Vec<String> {
    for customer in customers {
        let why = engine.why(customer, None).await.expect("an explanation");
        let all: Vec<String> = why.plans.into_iter().flat_map(|p| p.activities).map(|a| a.finally).collect();
        if all.iter().any(|finally| finally != "not-selected") {
            return all;
        }
    }
    panic!("nobody was a candidate")
}
