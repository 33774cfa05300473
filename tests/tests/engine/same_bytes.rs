//! Same inputs, same bytes: neither batches nor workers nor the order in which things came decide anything.

use crate::support::{self, ALL, NOW, TWO_BUCKETS, Traces, copy_of, evening, open, outbox, plan_of, run};
use care_domain::contact::{ContactId, ContactState};
use care_engine::{Engine, PlanRequest};
use care_tests::DATE;
use std::collections::BTreeMap;
use std::path::Path;

/// Two that compete for a place, and one that nobody competes with.
const RIVALS: [&str; 3] = ["birthday", "green-bill", "balance-reminder"];

/// What a plan decided and what went out: everything that must not depend on how it was computed.
#[derive(Debug, PartialEq)]
struct Bytes {
    logs: Vec<String>,
    contacts: Vec<(ContactId, ContactState)>,
    sent: BTreeMap<String, Vec<u8>>,
}

async fn bytes_of(folder: &Path, engine: &Engine, batch: u32, workers: usize) -> Bytes {
    let request = PlanRequest { batch, workers, ..plan_of(DATE) };
    let summary = run(engine, &request).await;
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let traces = Traces::of(engine, &summary.plan).await;
    let logs = traces.logs().into_iter().map(str::to_owned).collect();
    Bytes { logs, contacts: traces.contacts, sent: outbox(folder) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_and_workers_change_nothing() {
    let (folder, engine) = support::at_work(TWO_BUCKETS, &ALL).await;
    drop(engine);
    let mut golden = None;
    for (batch, workers) in [(8_192, 1), (512, 2), (4_096, 4), (65_536, 1)] {
        let copy = copy_of(folder.path());
        let bytes = bytes_of(copy.path(), &open(copy.path()).await, batch, workers).await;
        assert_eq!((bytes.logs.len(), bytes.contacts.len() > 1_000), (2, true));
        match &golden {
            None => golden = Some(bytes),
            Some(golden) => assert!(bytes == *golden, "batch {batch}, {workers} workers"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_uploads_and_campaigns_changes_nothing() {
    let (folder, engine) = support::at_work(20_000, &ALL).await;
    let golden = bytes_of(folder.path(), &engine, 8_192, 1).await;
    let mut reversed = ALL;
    reversed.reverse();
    let (other, engine) = support::at_work(20_000, &reversed).await;
    assert!(bytes_of(other.path(), &engine, 8_192, 1).await == golden);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_decided_alike_in_a_small_population_and_in_a_large_one() {
    // Made-up customer i depends on the seed and i alone, so the small population is a part of the large one.
    let (_small, engine) = support::at_work(4_000, &RIVALS).await;
    let few = support::customers(&engine).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let mut alone = support::decisions(&engine, &summary.plan).await;
    let (_large, engine) = support::at_work(20_000, &RIVALS).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let mut among = support::decisions(&engine, &summary.plan).await;
    among.retain(|decision| few.binary_search(&decision.customer).is_ok());
    let order = |d: &care_domain::verdict::Decision| (d.customer, d.campaign.clone());
    alone.sort_by_key(order);
    among.sort_by_key(order);
    assert!(alone.len() > 200 && alone == among);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_clock_decides_nothing() {
    let (folder, engine) = support::at_work(4_000, &RIVALS).await;
    let copy = copy_of(folder.path());
    let summary = run(&engine, &plan_of(DATE)).await;
    let golden = Traces::of(&engine, &summary.plan).await;
    let later = open(copy.path()).await;
    let years = 10 * 366 * 86_400_000;
    let again =
        later.run_plan(&plan_of(DATE), "operator", NOW + years, std::sync::Arc::new(|_| true)).await.expect("a plan");
    assert_eq!(again.plan, summary.plan);
    assert_eq!(Traces::of(&later, &again.plan).await, golden);
}
