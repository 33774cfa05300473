//! Events told as stories: taken once, decided at once against what waits, and replayed to the very same bytes.

use crate::support::{self, plan_of, run};
use care_domain::approval::Conditions;
use care_domain::contact::ContactState;
use care_domain::key::CustomerKey;
use care_domain::manifest::Cap;
use care_domain::policy::{Class, Policy};
use care_domain::time::{self, DAY_MS};
use care_domain::verdict::Verdict;
use care_engine::{Engine, EventAnswer};
use care_tests::DATE;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Ten in the morning of the stories' day.
pub(crate) fn ten() -> i64 {
    time::parse_instant("2026-07-29T10:00:00").expect("an instant")
}

const HOUR_MS: i64 = 3_600_000;

pub(crate) fn event(id: &str, kind: &str, who: CustomerKey, at: i64, data: Value) -> Value {
    json!({"specversion": "1.0", "source": "signalling", "id": id, "type": kind, "subject": who.to_string(),
           "time": time::write_instant(at), "data": data})
}

pub(crate) fn arrives(id: &str, who: CustomerKey, at: i64) -> Value {
    event(id, "roaming-entered", who, at, json!({"visited-adcode": "110000"}))
}

pub(crate) async fn send(engine: &Engine, events: &Value, at: i64) -> EventAnswer {
    engine.send_events(events, "event-source", at).await.expect("an answer")
}

/// Nobody is held out, so that every verdict is the rules' own.
pub(crate) async fn without_control(engine: &Engine) {
    let policy = Policy { control_share: 0, ..Policy::default() };
    support::policy(engine, &policy).await;
}

/// An installation in which the roaming tariff is told.
async fn told() -> (TempDir, Engine, Vec<CustomerKey>) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 2_000).await;
    without_control(&engine).await;
    support::approved(&engine, "roaming-tariff", &Conditions::default()).await;
    support::started(&engine, "roaming-tariff", json!({})).await;
    let who = may_be_told(&engine).await;
    (folder, engine, who)
}

/// Customers who do not use 12593 and are on no list.
pub(crate) async fn may_be_told(engine: &Engine) -> Vec<CustomerKey> {
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot");
    let keys = support::customers(engine).await;
    let fits = |key: &CustomerKey| {
        let known = snapshot.find(*key).expect("a snapshot").expect("a customer");
        let is = |name: &str, value: &str| known.iter().any(|(n, v)| n == name && v == value);
        is("uses-12593", "false") && is("list-mark", "ordinary") && !known.iter().any(|(n, _)| n == "time-zone")
    };
    keys.into_iter().filter(fits).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arrival_is_told_at_once_and_again_neither_when_repeated_nor_when_it_flaps() {
    let (_folder, engine, who) = told().await;
    let first = send(&engine, &arrives("1", who[0], ten()), ten()).await;
    assert_eq!((first.accepted, first.repeated, first.contacts), (1, 0, Some(1)));
    let messages = support::messages(&engine, who[0], "roaming-tariff").await;
    assert_eq!((messages.len(), messages[0].state), (1, ContactState::Released));
    let why = engine.why(&who[0].to_string(), None).await.expect("an explanation");
    let told = &why.plans[0].activities[0];
    assert_eq!((why.plans[0].plan.as_str(), told.verdict.as_str()), ("event-1", "cleared"));
    assert!(told.reason == "other-province" && told.messages[0].text.contains("12593"), "{told:?}");
    // A thousand times the same.
    let again = Value::Array((0..1_000).map(|_| arrives("1", who[0], ten())).collect());
    let repeated = send(&engine, &again, ten()).await;
    assert_eq!((repeated.accepted, repeated.repeated, repeated.contacts), (0, 1_000, Some(0)));
    // To and fro at the border for three hours: one stay, one contact.
    for minute in (10..180).step_by(10) {
        let at = ten() + minute * 60_000;
        let kind = if minute % 20 == 0 { "roaming-entered" } else { "roaming-left" };
        let data = if minute % 20 == 0 { json!({"visited-adcode": "110000"}) } else { json!({}) };
        send(&engine, &event(&format!("flap {minute}"), kind, who[0], at, data), at).await;
    }
    assert_eq!(support::messages(&engine, who[0], "roaming-tariff").await.len(), 1);
    // Another journey, two days later.
    let later = ten() + 2 * DAY_MS;
    let next = send(&engine, &arrives("another", who[0], later), later).await;
    assert_eq!(next.contacts, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_batch_that_is_half_bad_the_good_half_is_taken() {
    let (_folder, engine, who) = told().await;
    let mut unknown = arrives("4", who[1], ten());
    unknown["type"] = json!("teleported");
    let mut nobody = arrives("5", who[1], ten());
    nobody["subject"] = json!("a customer whom nobody knows");
    let mut silent = arrives("6", who[1], ten());
    silent.as_object_mut().expect("an object").remove("subject");
    let number = json!({"specversion": "1.0", "source": "s", "id": "7", "type": "topped-up", "subject": "tel:000",
                        "time": time::write_instant(ten())});
    let batch = json!([
        arrives("1", who[0], ten()),
        unknown,
        nobody,
        silent,
        number,
        arrives("2", who[1], ten() + DAY_MS),
        arrives("3", who[2], ten() - 400 * DAY_MS),
        "no event",
        arrives("8", who[3], ten()),
    ]);
    let done = send(&engine, &batch, ten()).await;
    assert_eq!((done.accepted, done.contacts), (2, Some(2)));
    let told: Vec<(usize, &str)> = done.refused.iter().map(|r| (r.index, r.finding.code.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "unknown-event-type"),
            (2, "unknown-customer"),
            (3, "no-customer"),
            (4, "unknown-customer"),
            (5, "event-from-the-future"),
            (6, "event-too-old"),
            (7, "event-attribute")
        ]
    );
    let nothing = engine.send_events(&json!([]), "event-source", ten()).await.expect("an answer");
    assert_eq!(nothing, EventAnswer { contacts: Some(0), cancelled: Some(0), ..EventAnswer::default() });
    let refused = engine.send_events(&batch, "auditor", ten()).await.expect_err("an auditor sends nothing");
    assert_eq!(refused.findings()[0].code, "not-allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_events_are_recorded_and_those_out_of_order_change_nothing() {
    let (_folder, engine, who) = told().await;
    let late = send(&engine, &arrives("late", who[0], ten() - DAY_MS), ten()).await;
    assert_eq!((late.accepted, late.contacts), (1, Some(0)));
    // Home again is reported before the arrival that it ends.
    send(&engine, &event("left", "roaming-left", who[1], ten(), json!({})), ten()).await;
    let overtaken = send(&engine, &arrives("entered", who[1], ten() - HOUR_MS), ten()).await;
    assert_eq!((overtaken.accepted, overtaken.contacts), (1, Some(0)));
    // In one batch, whatever their order in it, the last word counts.
    let both = json!([
        event("left 2", "roaming-left", who[2], ten() - 60_000, json!({})),
        arrives("entered 2", who[2], ten() - 120_000),
        arrives("entered 3", who[3], ten() - 60_000),
        event("left 3", "roaming-left", who[3], ten() - 120_000, json!({})),
    ]);
    let done = send(&engine, &both, ten()).await;
    assert_eq!((done.accepted, done.contacts), (4, Some(1)));
    assert_eq!(support::messages(&engine, who[2], "roaming-tariff").await.len(), 0);
    assert_eq!(support::messages(&engine, who[3], "roaming-tariff").await.len(), 1);
    let shown = engine.event_batch(None).await.expect("a batch");
    let rules: Vec<&str> = shown.decisions.iter().map(|d| d.rule.as_str()).collect();
    assert!(rules.contains(&"ended-by-event") && rules.contains(&"cleared"), "{rules:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_named_in_cancel_on_ends_what_waits_at_once() {
    let (folder, engine, who) = told().await;
    support::approved(&engine, "balance-reminder", &Conditions::default()).await;
    support::started(&engine, "balance-reminder", json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let waiting = support::decisions(&engine, &summary.plan).await;
    let reminded: Vec<CustomerKey> =
        support::with(&waiting, "balance-reminder", Verdict::Cleared).iter().map(|d| d.customer).collect();
    assert!(reminded.len() > 20, "{}", reminded.len());
    let pay = |key: &CustomerKey| event(&key.to_string(), "topped-up", *key, ten(), json!({"amount": 5_000}));
    let done = send(&engine, &Value::Array(reminded.iter().take(10).map(pay).collect()), ten()).await;
    assert_eq!((done.accepted, done.cancelled), (10, Some(10)));
    assert_eq!(support::states(&engine, reminded[0], "balance-reminder").await, ["cancelled"]);
    // A balance event that the top-up overtook within one batch is told to nobody.
    let low = json!([
        event("low", "balance-low", who[0], ten() - 2_000, json!({"balance": 1})),
        event("paid", "topped-up", who[0], ten() - 1_000, json!({"amount": 100})),
    ]);
    assert_eq!(send(&engine, &low, ten()).await.contacts, Some(0));
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    let sent = support::lines(&support::outbox(folder.path()));
    let mut cancelled = Vec::new();
    for key in reminded.iter().take(10) {
        let all = support::messages(&engine, *key, "balance-reminder").await;
        cancelled.extend(all.iter().map(|contact| contact.planned.id.to_string()));
    }
    let went_out = |id: &String| sent.iter().any(|line| line["contact"] == id.as_str());
    assert!(!sent.is_empty() && !cancelled.iter().any(went_out), "a cancelled reminder went out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_holds_care_and_commercial_contacts_until_it_is_closed() {
    let (_folder, engine) = support::at_work(2_000, &["green-bill"]).await;
    without_control(&engine).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let decided = support::decisions(&engine, &summary.plan).await;
    let who = support::with(&decided, "green-bill", Verdict::Cleared)[0].customer;
    let opened = send(&engine, &event("c1", "complaint-opened", who, ten(), json!({})), ten()).await;
    assert_eq!(opened.cancelled, Some(1), "what waits goes at once");
    // Another wave of the day: held, whatever the snapshot of the night says.
    let mut wave = plan_of(DATE);
    wave.wave = 2;
    let held = run(&engine, &wave).await;
    let again = support::decisions(&engine, &held.plan).await;
    let ruling = support::of(&again, who)["green-bill"];
    assert_eq!((ruling.verdict, ruling.rule.as_str()), (Verdict::Held, "open-complaint"));
    send(&engine, &event("c2", "complaint-closed", who, ten() + HOUR_MS, json!({})), ten() + HOUR_MS).await;
    wave.wave = 3;
    let free = run(&engine, &wave).await;
    let again = support::decisions(&engine, &free.plan).await;
    assert_ne!(support::of(&again, who)["green-bill"].rule, "open-complaint");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_higher_class_takes_the_place_of_what_waits_and_an_equal_one_loses() {
    for (granted, waits_on, verdict) in
        [(Class::Care, "lost", Verdict::Cleared), (Class::Commercial, "released", Verdict::Lost)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = support::populated(folder.path(), 2_000).await;
        without_control(&engine).await;
        let commercial = Conditions { class: Some(Class::Commercial), ..Conditions::default() };
        support::approved(&engine, "green-bill", &commercial).await;
        support::started(&engine, "green-bill", json!({})).await;
        let cap = Some(Cap { contacts: 4, days: 30 });
        let event_terms = Conditions { class: Some(granted), cap, ..Conditions::default() };
        support::approved(&engine, "roaming-tariff", &event_terms).await;
        support::started(&engine, "roaming-tariff", json!({})).await;
        let summary = run(&engine, &plan_of(DATE)).await;
        let decided = support::decisions(&engine, &summary.plan).await;
        let may = may_be_told(&engine).await;
        let waiting = support::with(&decided, "green-bill", Verdict::Cleared);
        let who = waiting.iter().map(|d| d.customer).find(|key| may.contains(key)).expect("somebody who waits");
        let done = send(&engine, &arrives("1", who, ten()), ten()).await;
        assert_eq!(done.accepted, 1);
        let shown = engine.event_batch(None).await.expect("a batch");
        assert_eq!(shown.decisions[0].verdict, verdict, "{:?}", shown.decisions);
        assert_eq!(support::states(&engine, who, "green-bill").await, [waits_on]);
        if verdict == Verdict::Lost {
            assert_eq!(shown.decisions[0].winner.as_deref(), Some("green-bill-1"));
        }
        let replayed = engine.replay_events(shown.number).await.expect("a replay");
        assert!(replayed.same && replayed.decisions == 1, "{replayed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_batch_replays_to_the_same_bytes_after_all_that_came_later() {
    let (_folder, engine, who) = told().await;
    for (round, chunk) in who.chunks(60).take(5).enumerate() {
        let at = ten() + round as i64 * HOUR_MS;
        let batch = chunk.iter().enumerate().map(|(i, key)| arrives(&format!("{round} {i}"), *key, at - i as i64));
        send(&engine, &Value::Array(batch.collect()), at).await;
        // The same people once more, in the next hour: their past decides.
        let again = chunk.iter().map(|key| arrives(&format!("{round} again {key}"), *key, at + 1_000));
        send(&engine, &Value::Array(again.collect()), at + 2_000).await;
    }
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    support::policy(&engine, &Policy::default()).await;
    let last = engine.event_batch(None).await.expect("a batch").number;
    assert_eq!(last, 10);
    for number in 1..=last {
        let replayed = engine.replay_events(number).await.expect("a replay");
        assert!(replayed.same && replayed.decisions >= 50, "{replayed:?}");
    }
    let missing = engine.replay_events(last + 1).await.expect_err("no such batch");
    assert_eq!(missing.findings()[0].code, "unknown-batch");
}
