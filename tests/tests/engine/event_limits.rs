//! What events may use: places of a channel and fen of a budget are shared with plans, and a batch that was cut is
//! decided the same again.

use crate::event_story::{arrives, event, may_be_told, send, ten, without_control};
use crate::support::{self, NOW, plan_of, run};
use care_domain::approval::Conditions;
use care_domain::contact::Channel;
use care_domain::key::CustomerKey;
use care_domain::policy::Policy;
use care_domain::verdict::Verdict;
use care_engine::{Engine, Progress};
use care_tests::DATE;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One SMS of the roaming tariff.
const SEGMENT_FEN: u64 = 5;

async fn arriving(engine: &Engine, who: &[CustomerKey]) -> (u64, Vec<String>) {
    let events = who.iter().map(|key| arrives(&key.to_string(), *key, ten())).collect();
    let done = send(engine, &Value::Array(events), ten()).await;
    let shown = engine.event_batch(None).await.expect("a batch");
    let cut = shown.decisions.into_iter().filter(|d| d.verdict == Verdict::OverCapacity);
    (done.contacts.expect("a count"), cut.map(|d| d.rule).collect())
}

async fn replays(engine: &Engine) {
    let last = engine.event_batch(None).await.expect("a batch").number;
    for number in 1..=last {
        assert!(engine.replay_events(number).await.expect("a replay").same, "batch {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_the_nights_plan_share_the_places_of_a_channel() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 4_000).await;
    let places = BTreeMap::from([(Channel::Sms, 10)]);
    support::policy(&engine, &Policy { control_share: 0, capacity: places, ..Policy::default() }).await;
    for name in ["roaming-tariff", "points-expiry"] {
        support::approved(&engine, name, &Conditions::default()).await;
        support::started(&engine, name, json!({})).await;
    }
    let who = may_be_told(&engine).await;
    assert_eq!(arriving(&engine, &who[..4]).await, (4, Vec::new()));
    let night = run(&engine, &plan_of(DATE)).await;
    assert!(night.totals().of(Verdict::OverCapacity) > 0);
    let released: u64 =
        engine.store().plan_states(&night.plan).await.expect("states").values().flatten().map(|s| s.1).sum();
    assert_eq!(released, 6, "what events left of ten places");
    assert_eq!(arriving(&engine, &who[4..6]).await, (0, vec!["capacity".to_owned(); 2]));
    // Whoever was cut has no contact, so that a later event may tell them.
    support::policy(&engine, &Policy { control_share: 0, ..Policy::default() }).await;
    let again = send(&engine, &arrives("again", who[4], ten() + 1_000), ten() + 1_000).await;
    assert_eq!(again.contacts, Some(1));
    replays(&engine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_pays_for_so_many_contacts_of_events_and_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 2_000).await;
    without_control(&engine).await;
    let conditions = Conditions { budget_fen: Some(7 * SEGMENT_FEN), ..Conditions::default() };
    support::approved(&engine, "roaming-tariff", &conditions).await;
    support::started(&engine, "roaming-tariff", json!({})).await;
    let who = may_be_told(&engine).await;
    let (first, _) = arriving(&engine, &who[..3]).await;
    let each = cost_of(&engine, who[0]).await;
    let (second, cut) = arriving(&engine, &who[3..20]).await;
    assert_eq!(first + second, 7 * SEGMENT_FEN / each, "what the budget pays for");
    assert_eq!(cut, vec!["budget".to_owned(); 17 - second as usize]);
    // Another process sees the same budget.
    let other = support::open(folder.path()).await;
    assert_eq!(arriving(&other, &who[20..22]).await, (0, vec!["budget".to_owned(); 2]));
    replays(&engine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_events_take_while_a_release_ranks_is_not_given_away_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 4_000).await;
    let places = BTreeMap::from([(Channel::Sms, 10)]);
    support::policy(&engine, &Policy { control_share: 0, capacity: places, ..Policy::default() }).await;
    for name in ["roaming-tariff", "points-expiry"] {
        support::approved(&engine, name, &Conditions::default()).await;
        support::started(&engine, name, json!({})).await;
    }
    let who = may_be_told(&engine).await;
    let path: PathBuf = folder.path().into();
    let meanwhile = move || {
        let who = who[..4].to_vec();
        let taken = support::elsewhere(&path, |other| async move { arriving(&other, &who).await });
        assert_eq!(taken, (4, Vec::new()), "ten places are free until the release is decided");
    };
    let watch = support::at_step(|progress| matches!(progress, Progress::Ranked), meanwhile);
    let night = engine.run_plan(&plan_of(DATE), "operator", NOW, watch).await.expect("a plan");
    let released: u64 =
        engine.store().plan_states(&night.plan).await.expect("states").values().flatten().map(|s| s.1).sum();
    assert_eq!(released, 6, "what events left of ten places");
    support::adds_up(&engine, &night).await;
}

async fn cost_of(engine: &Engine, who: CustomerKey) -> u64 {
    let messages = support::messages(engine, who, "roaming-tariff").await;
    messages.iter().map(|m| m.planned.cost_fen).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_an_outcome_is_recorded_by_the_one_door_with_its_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 500).await;
    let who = support::customers(&engine).await;
    let events = json!([
        event("1", "topped-up", who[0], ten(), json!({"amount": 5_000})),
        event("2", "topped-up", who[1], ten(), json!({})),
        event("3", "redeemed", who[2], ten(), json!({"points": 300})),
        event("4", "complaint-opened", who[3], ten(), json!({})),
        event("5", "roaming-entered", who[4], ten(), json!({"visited-adcode": "110000"})),
    ]);
    assert_eq!(send(&engine, &events, ten()).await.accepted, 5);
    let told = async |kind: &str| {
        let lines = engine.store().outcomes_of(kind, ten(), ten() + 1).await.expect("outcomes");
        lines.into_iter().map(|line| (line.customer, line.value, line.source)).collect::<Vec<_>>()
    };
    let mut topped_up = told("topped-up").await;
    topped_up.sort_by_key(|(_, value, _)| std::cmp::Reverse(*value));
    assert_eq!(topped_up, [(who[0], Some(5_000), "api".into()), (who[1], None, "api".into())]);
    assert_eq!(told("redeemed").await, [(who[2], Some(300), "api".into())]);
    assert_eq!(told("complained").await, [(who[3], None, "api".into())]);
    assert_eq!(told("roaming-entered").await, []);
}
