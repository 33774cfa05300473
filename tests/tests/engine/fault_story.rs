//! What goes wrong around a plan between two of its tasks: a file of the snapshot that is gone or cut short, a clock that
//! jumps. It says so clearly, and after the repair ends as if undisturbed.

use crate::support::{self, NOW, TWO_BUCKETS, Traces, at_step, copy_of, open, plan_of, run, stopping_at, undisturbed};
use care_engine::{Engine, EngineError, Progress};
use care_tests::DATE;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const RIVALS: [&str; 2] = ["birthday", "green-bill"];
const DAY_MS: i64 = 86_400_000;
/// The first bucket is committed, the second is not.
const MIDDLE: usize = 10;

fn last_bucket(folder: &Path) -> PathBuf {
    let mut snapshots = fs::read_dir(folder.join("snapshots")).expect("snapshots");
    let snapshot = snapshots.next().expect("one").expect("an entry").path();
    snapshot.join("bucket-00001.arrow")
}

/// A refusal or failure in all its words.
fn words(error: &EngineError) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(because) = cause {
        words += &format!(": {because}");
        cause = because.source();
    }
    words
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_vanishes_or_is_cut_between_two_tasks_stops_the_plan_until_it_is_restored() {
    let (folder, _) = support::at_work(TWO_BUCKETS, &RIVALS).await;
    let golden = undisturbed(folder.path(), &plan_of(DATE)).await;
    type Harm = fn(&Path);
    let harms: [(Harm, &str); 2] = [
        (|file| fs::remove_file(file).expect("removed"), "is gone. Restore it from a copy"),
        (
            |file| {
                // As a torn copy would leave it; the whole one is aside, since it may still be mapped.
                let bytes = fs::read(file).expect("a file");
                fs::remove_file(file).expect("removed");
                fs::write(file, &bytes[..bytes.len() / 2]).expect("written");
            },
            "was changed: its SHA-256 is not the recorded one. Restore it from a copy",
        ),
    ];
    for (harm, told) in harms {
        let copy = copy_of(folder.path());
        let file = last_bucket(copy.path());
        let aside = copy.path().join("aside");
        fs::copy(&file, &aside).expect("a copy");
        let harmed = file.clone();
        let watch = at_step(|progress| matches!(progress, Progress::Committed(_)), move || harm(&harmed));
        let engine = open(copy.path()).await;
        let failed = engine.run_plan(&plan_of(DATE), "operator", NOW, watch).await.expect_err(told);
        let words = words(&failed);
        assert!(words.contains(told) && words.contains("bucket-00001.arrow"), "{words}");
        assert!(failed.is_passing(), "the same command succeeds after the repair");
        let status = engine.plan_status(None).await.expect("a status");
        assert_eq!((status.state, status.tasks_done, status.tasks), ("running", 1, 2), "what was committed stays");
        fs::rename(&aside, &file).expect("restored");
        let summary = run(&engine, &plan_of(DATE)).await;
        assert_eq!(Traces::of(&engine, &summary.plan).await, golden);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_while_a_plan_is_interrupted_changes_nothing_of_it() {
    let (folder, _) = support::at_work(TWO_BUCKETS, &RIVALS).await;
    let golden = undisturbed(folder.path(), &plan_of(DATE)).await;
    for jump in [-400 * DAY_MS, -1, DAY_MS, 3_650 * DAY_MS] {
        let copy = copy_of(folder.path());
        support::stopped(&open(copy.path()).await, &plan_of(DATE), stopping_at(MIDDLE)).await;
        let engine = open(copy.path()).await;
        let later = std::sync::Arc::new(|_: &Progress| true);
        let summary = engine.run_plan(&plan_of(DATE), "operator", NOW + jump, later).await.expect("a plan");
        assert_eq!(Traces::of(&engine, &summary.plan).await, golden, "by {jump} ms");
        sends_everything_once(&engine, copy.path(), &golden).await;
        let verified = engine.verify_audit(None).await;
        assert!(verified.is_ok(), "the log is ordered by its numbers, not by the clock: {verified:?}");
    }
}

async fn sends_everything_once(engine: &Engine, folder: &Path, golden: &Traces) {
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    // Once more with the clock set back: what went out is not sent again.
    engine.dispatch("operator", support::evening() - DAY_MS, &|_| true).await.expect("dispatch");
    let lines = support::lines(&support::outbox(folder));
    let mut sent: Vec<&str> = lines.iter().map(|line| line["contact"].as_str().expect("an id")).collect();
    sent.sort_unstable();
    let planned: Vec<String> = golden.contacts.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(sent, planned);
}
