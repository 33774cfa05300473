//! Contacts go out once, whenever dispatch stops.

use crate::support::{self, copy_of, evening, lines, open, outbox, plan_of, run};
use care_domain::contact::ContactState;
use care_engine::{Engine, EngineError};
use care_tests::DATE;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stops at the `stop`-th batch, from 1: the intent is written, nothing is sent.
async fn stopped_at_batch(engine: &Engine, stop: usize) {
    let seen = AtomicUsize::new(0);
    let outcome = engine.dispatch("operator", evening(), &|_| seen.fetch_add(1, Ordering::Relaxed) + 1 != stop).await;
    assert!(matches!(outcome, Err(EngineError::Stopped)), "batch {stop}: {outcome:?}");
}

/// Every contact that counts as sent stands in the files once, and nothing else does.
async fn each_sent_once(engine: &Engine, files: &BTreeMap<String, Vec<u8>>) {
    let lines = lines(files);
    let ids: BTreeSet<&str> = lines.iter().filter_map(|line| line["contact"].as_str()).collect();
    assert_eq!(ids.len(), lines.len(), "a contact stands twice");
    let states = engine.store().contact_states().await.expect("contacts");
    let sent: BTreeSet<String> =
        states.into_iter().filter(|(_, state)| *state == ContactState::Sent).map(|(id, _)| id.to_string()).collect();
    assert_eq!(ids, sent.iter().map(String::as_str).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dispatch_stopped_at_any_batch_sends_each_contact_exactly_once() {
    // Enough for several batches of 10,000 contacts.
    let (folder, engine) = support::at_work(150_000, &["balance-reminder", "points-expiry"]).await;
    run(&engine, &plan_of(DATE)).await;
    drop(engine);
    let undisturbed = copy_of(folder.path());
    let engine = open(undisturbed.path()).await;
    let batches = AtomicUsize::new(0);
    let done = engine.dispatch("operator", evening(), &|_| batches.fetch_add(1, Ordering::Relaxed) < usize::MAX).await;
    let done = done.expect("dispatch");
    let batches = batches.into_inner();
    assert!(batches >= 2 && done.sent > 10_000 && done.resumed == 0, "{batches} batches, {done:?}");
    let golden = outbox(undisturbed.path());
    each_sent_once(&engine, &golden).await;
    for stop in 1..=batches {
        let copy = copy_of(folder.path());
        stopped_at_batch(&open(copy.path()).await, stop).await;
        let engine = open(copy.path()).await;
        let resumed = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
        assert_eq!(resumed.resumed, 1, "stopped at batch {stop}");
        each_sent_once(&engine, &outbox(copy.path())).await;
        assert_eq!(outbox(copy.path()), golden, "stopped at batch {stop}");
        let again = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
        assert_eq!((again.sent, again.resumed, again.expired), (0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_written_but_not_settled_is_written_again_and_not_beside() {
    let (folder, engine) = support::at_work(4_000, &["balance-reminder", "disaster-response"]).await;
    run(&engine, &plan_of(DATE)).await;
    stopped_at_batch(&engine, 1).await;
    drop(engine);
    // As if the process had died between the files and their settlement, and in the middle of a draft.
    let crashed = copy_of(folder.path());
    let engine = open(folder.path()).await;
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let golden = outbox(folder.path());
    leave_half(crashed.path(), &golden);
    let engine = open(crashed.path()).await;
    let done = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    assert_eq!(done.resumed, 1);
    assert_eq!(outbox(crashed.path()), golden);
    each_sent_once(&engine, &golden).await;
}

/// Puts the first file in its place, and half of every other as a draft.
fn leave_half(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (number, (name, bytes)) in files.iter().enumerate() {
        let path = folder.join("outbox").join(name);
        fs::create_dir_all(path.parent().expect("a channel")).expect("a folder");
        let (path, bytes) = match number {
            0 => (path, bytes.as_slice()),
            _ => (path.with_extension("jsonl.tmp"), &bytes[..bytes.len() / 2]),
        };
        fs::write(path, bytes).expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planned_for_later_waits_and_what_came_too_late_is_dropped() {
    let (folder, engine) = support::at_work(4_000, &["balance-reminder", "disaster-response"]).await;
    let request = plan_of(DATE);
    run(&engine, &request).await;
    let early = engine.dispatch("operator", request.instant - 1, &|_| true).await.expect("dispatch");
    let released = engine.store().contact_states().await.expect("contacts").len() as u64;
    assert_eq!((early.sent, early.failed, early.expired, early.later), (0, 0, 0, released));
    assert!(outbox(folder.path()).is_empty());
    // A year later every one of them is useless.
    let late = engine.dispatch("operator", request.instant + 366 * 86_400_000, &|_| true).await.expect("dispatch");
    assert_eq!((late.sent, late.failed, late.expired, late.later), (0, 0, released, 0));
    assert!(lines(&outbox(folder.path())).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_is_addressed_filled_in_and_still_useful() {
    let (folder, engine) = support::at_work(4_000, &support::ALL).await;
    run(&engine, &plan_of(DATE)).await;
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let lines = lines(&outbox(folder.path()));
    for line in &lines {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("to").is_empty() && !text("text").is_empty() && !text("text").contains('{'), "{line}");
        assert!(line["not_after"].as_i64().is_some_and(|at| at >= evening()), "{line}");
    }
    let of = |campaign: &str| lines.iter().filter(move |l| l["campaign"] == campaign).collect::<Vec<&Value>>();
    let amount = |line: &&Value| line["text"].as_str().is_some_and(|t| t.contains('.') || t.contains('元'));
    assert!(!of("balance-reminder-1").is_empty() && of("balance-reminder-1").iter().all(amount));
    let requests: Vec<_> = of("disaster-response-1").into_iter().filter(|l| l["channel"] == "action").collect();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|l| l["action"]["value"] == 9999 && l["to"] == "information-systems"), "{requests:?}");
}
