//! Many senders at once: while one batch is committed the next is decided beside it, and nobody can tell.

use crate::event_story::{arrives, may_be_told, ten, without_control};
use crate::support;
use care_domain::approval::Conditions;
use care_domain::key::CustomerKey;
use care_engine::EventDesk;
use serde_json::{Value, json};

const REQUESTS: usize = 40;
/// Events of a request that no other has, and as many that all of them have.
const OWN: usize = 25;
/// So few that every two batches are about the same people.
const CUSTOMERS: usize = 60;

fn request(number: usize, who: &[CustomerKey]) -> Value {
    let someone = |i: usize| who[(number * 7 + i) % CUSTOMERS];
    let own = (0..OWN).map(|i| arrives(&format!("{number} {i}"), someone(i), ten() - 60_000 + number as i64));
    let common = (0..OWN).map(|i| arrives(&format!("common {i}"), who[i], ten() - 60_000));
    Value::Array(own.chain(common).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_at_once_is_taken_once_and_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 2_000).await;
    without_control(&engine).await;
    support::approved(&engine, "roaming-tariff", &Conditions::default()).await;
    support::started(&engine, "roaming-tariff", json!({})).await;
    let who = may_be_told(&engine).await;
    let desk = EventDesk::new(engine.clone());
    let senders: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let (desk, engine, events) = (desk.clone(), engine.clone(), request(number, &who));
            tokio::spawn(async move { desk.send(&engine, &events, "event-source", ten()).await.expect("an answer") })
        })
        .collect();
    let (mut accepted, mut repeated, mut refused) = (0, 0, 0);
    for sender in senders {
        let answer = sender.await.expect("a sender");
        accepted += answer.accepted;
        repeated += answer.repeated;
        refused += answer.refused.len();
    }
    assert_eq!(accepted as usize, REQUESTS * OWN + OWN, "each of its own, and the common ones once");
    assert_eq!((repeated as usize, refused), (REQUESTS * OWN - OWN, 0));
    // Everybody arrived again and again within one stay.
    for key in &who[..CUSTOMERS] {
        assert_eq!(support::messages(&engine, *key, "roaming-tariff").await.len(), 1, "{key}");
    }
    let last = engine.event_batch(None).await.expect("a batch").number;
    let mut events = 0;
    for number in 1..=last {
        let replayed = engine.replay_events(number).await.expect("a replay");
        assert!(replayed.same, "batch {number} of {last}");
        events += replayed.events;
    }
    assert_eq!((events, last > 1), (accepted, true), "in the batches, each once");
}
