//! Short messages against two short-message centres that others wrote, and what happens when they misbehave.

use crate::channels::{
    begins, configure, counts, did, holds, in_state, left, numbers, planned, smpp, smpp_at, taken, watching,
    watching_to_the_end,
};
use crate::peers::{free_port, smsc, smsc_of, smsc34};
use crate::support::{evening, open, plan_of, states};
use care_domain::contact::ContactState;
use care_domain::sms::{Encoding, decode};
use care_engine::{EngineError, EvaluationRequest};
use care_tests::DATE;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const SIGNED: &str = "[wording]\nsignature = { zh = \"【福建移动】\", en = \"[Fujian Mobile] \" }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_reaches_the_centre_once_as_it_reads_and_its_receipt_becomes_an_outcome() {
    let Some(peer) = smsc(&json!({}), &json!({"mode": "normal", "undelivered_every": 10})) else { return };
    let (folder, engine) = planned(4_000, &["balance-reminder"], &(smpp(&peer, "prefix = \"86\"") + SIGNED)).await;
    let waiting = counts(&engine, "sms").await["released"];
    assert!(waiting > 50, "{waiting}");
    let done = watching_to_the_end(&engine, "sms").await;
    assert_eq!((done.sent, done.failed, done.unknown, done.again), (waiting, 0, 0, 0));
    let log = peer.log();
    let accepted = did(&log, &["accepted"]);
    assert_eq!(accepted.iter().filter(|line| begins(line)).count() as u64, waiting);
    assert_eq!(numbers(&accepted).len() as u64, waiting);
    assert!(taken(&accepted).values().all(|times| *times == 1));
    for line in &accepted {
        let text = line["text"].as_str().expect("a text");
        let signed = text.starts_with("【福建移动】") || text.starts_with("[Fujian Mobile] ");
        assert_eq!(signed, begins(line), "{line}");
        assert!(line["to"].as_str().is_some_and(|to| to.starts_with("861")) && line["from"] == "10086", "{line}");
        assert!(line["validity"].as_str().is_some(), "{line}");
        let segmented = line["udh"].as_str().is_some_and(|header| !header.is_empty());
        assert_eq!(line["esm"], if segmented { 0x40 } else { 0 }, "{line}");
        assert_eq!(line["coding"], if text.is_ascii() { 0 } else { 8 }, "{line}");
    }
    assert_eq!(log.iter().find(|line| line["bind"] == "care").expect("a bind")["version"], 0x34);
    let receipts = engine.dispatch_status().await.expect("figures").receipts;
    let tenth =
        |line: &&&Value| line["id"].as_str().and_then(|id| id.rsplit('-').next()).is_some_and(|n| n.ends_with('0'));
    let failed = numbers(&accepted.iter().filter(tenth).copied().collect::<Vec<_>>()).len() as u64;
    assert_eq!((receipts.delivered, receipts.undelivered), (waiting - failed, failed), "one lost segment is enough");
    assert_eq!((receipts.unmatched, receipts.awaited), (0, 0));
    let campaign = "balance-reminder-1".to_owned();
    let outcome = Some("delivered".to_owned());
    let asked = EvaluationRequest { campaign, outcome, host_only: true, ..EvaluationRequest::default() };
    let found = engine.evaluate(&asked).await.expect("an evaluation");
    assert_eq!(found.compared.treated.sum as u64, receipts.delivered, "receipts are outcomes");
    // Nothing but the identity store knows a number.
    let number = accepted[0]["to"].as_str().and_then(|to| to.strip_prefix("86")).expect("a number").to_owned();
    drop(engine);
    assert!(!holds(folder.path(), &number));
}

/// Everything at once: what is asked to wait, refused, left without an answer, cut, answered twice, answered with
/// garbage; receipts out of order, twice and late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_every_fault_at_once_nothing_is_sent_twice_and_everything_adds_up() {
    let faults = json!({"throttle_every": 7, "busy_every": 11, "refuse_every": 23, "nack_every": 31, "never_every": 41,
        "cut_every": 53, "garbage_every": 71, "twice_every": 5});
    let Some(peer) = smsc(&faults, &json!({"mode": "chaos", "undelivered_every": 6})) else { return };
    let (_folder, engine) = planned(
        8_000,
        &["balance-reminder"],
        &smpp(&peer, "window = 4\nbinds = 2").replace("response_ms = 20000", "response_ms = 4000"),
    )
    .await;
    let all = counts(&engine, "sms").await["released"];
    assert!(all > 100, "{all}");
    // Receipts of messages whose answers were lost have no message to belong to, and never will.
    let done =
        watching(&engine, evening(), async |status| left(&status, "sms") == 0 && status.receipts.awaited == 0).await;
    let counts = counts(&engine, "sms").await;
    let of = |state: &str| counts.get(state).copied().unwrap_or(0);
    assert_eq!(of("sent") + of("failed") + of("unknown"), all, "{counts:?}");
    assert_eq!((done.sent, done.failed, done.unknown), (of("sent"), of("failed"), of("unknown")));
    let log = peer.log();
    let has = did(&log, &["accepted", "unanswered", "cut", "garbage"]);
    assert!(taken(&has).values().all(|times| *times == 1), "a message was taken twice");
    // Each that was taken counts as sent or unknown; each unknown one may have been taken.
    assert!(numbers(&did(&log, &["accepted"])).len() as u64 >= of("sent"));
    assert!(numbers(&has).len() as u64 <= all);
    for (what, at_least) in
        [("throttled", 1), ("busy", 1), ("refused", 1), ("unanswered", 1), ("cut", 1), ("garbage", 1)]
    {
        assert!(did(&log, &[what]).len() >= at_least, "{what} never happened");
    }
    let status = engine.dispatch_status().await.expect("figures");
    let receipts = status.receipts;
    assert_eq!(receipts.delivered + receipts.undelivered + receipts.awaited, of("sent"), "{receipts:?}");
    assert_eq!(receipts.awaited, 0);
    assert!(receipts.repeated > 0 && receipts.undelivered > 0, "{receipts:?}");
    assert_eq!(status.dead_letters, engine.dead_letters().await.expect("letters").len() as u64);
    assert!(did(&log, &["refused", "nacked"]).len() as u64 + status.dead_letters >= of("failed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_centre_takes_long_messages_in_segments_that_join_again() {
    let Some(peer) = smsc34() else { return };
    let long =
        format!("[wording]\nsignature = {{ zh = \"【{}】\", en = \"[{}] \" }}\n", "福".repeat(80), "F".repeat(200));
    let (_folder, engine) = planned(2_000, &["balance-reminder"], &(smpp(&peer, "") + &long)).await;
    let waiting = counts(&engine, "sms").await["released"];
    let done = watching_to_the_end(&engine, "sms").await;
    assert_eq!((done.sent, done.failed, done.unknown), (waiting, 0, 0));
    let receipts = engine.dispatch_status().await.expect("figures").receipts;
    assert_eq!(
        (receipts.delivered, receipts.undelivered, receipts.awaited),
        (waiting, 0, 0),
        "by receipted_message_id"
    );
    let log = peer.log();
    assert!(log.len() as u64 >= waiting * 2, "every message has several segments");
    let mut messages: BTreeMap<(String, u8), BTreeMap<u8, String>> = BTreeMap::new();
    for line in &log {
        let octets = hex::decode(line["hex"].as_str().expect("octets")).expect("hexadecimal");
        assert_eq!((line["esm"].as_u64(), &octets[..3]), (Some(0x40), &[5, 0, 3][..]), "{line}");
        let encoding = if line["coding"] == 8 { Encoding::Ucs2 } else { Encoding::Gsm7 };
        let number = line["to"].as_str().expect("a number").to_owned();
        let parts = messages.entry((number, octets[3])).or_default();
        assert!(octets[5] <= octets[4] && parts.insert(octets[5], decode(encoding, &octets[6..])).is_none());
    }
    assert_eq!(messages.len() as u64, waiting);
    for parts in messages.values() {
        let text: String = parts.values().map(String::as_str).collect();
        assert!(text.starts_with("【福福") || text.starts_with("[FF"), "{text}");
        assert!(text.ends_with(['。', '.', '！', '!']), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_late_still_counts() {
    let Some(peer) = smsc(&json!({"late_every": 3, "late_ms": 900}), &json!({})) else { return };
    let config = smpp(&peer, "").replace("response_ms = 20000", "response_ms = 500");
    let (_folder, engine) = planned(2_000, &["birthday"], &config).await;
    let all = counts(&engine, "sms").await["released"];
    let done = watching(&engine, evening(), async |status| {
        let unknown = status.channels["sms"].get("unknown").copied().unwrap_or(0);
        left(&status, "sms") == 0 && unknown == 0
    })
    .await;
    assert!(done.unknown > 0, "{done:?}");
    assert_eq!(counts(&engine, "sms").await, BTreeMap::from([("sent".to_owned(), all)]));
    assert!(taken(&did(&peer.log(), &["accepted", "late"])).values().all(|times| *times == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_centre_that_cannot_be_used_gets_nothing_and_everything_goes_on_waiting() {
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = deaf.local_addr().expect("an address").to_string();
    let Some(closing) = smsc(&json!({"close_after_bind": true}), &json!({})) else { return };
    let Some(strict) = smsc_of(json!({})) else { return };
    let nobody = format!("127.0.0.1:{}", free_port());
    let (_folder, engine) = planned(1_000, &["balance-reminder"], "").await;
    let all = counts(&engine, "sms").await["released"];
    let mut lost = 0;
    let wrong = smpp(&strict, "").replace("system_id = \"care\"", "system_id = \"somebody\"");
    for (what, config, told) in [
        ("unreachable", smpp_at(&nobody, ""), "cannot connect"),
        ("silent", smpp_at(&silent, ""), "no answer to the bind"),
        ("strangers", wrong, "0x0000000E"),
        ("closing", smpp(&closing, ""), "closed the connection"),
    ] {
        let config = config
            .replace("connect_ms = 20000", "connect_ms = 400")
            .replace("response_ms = 20000", "response_ms = 200");
        configure(&engine, &config).await;
        let done = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
        assert_eq!((done.sent, done.failed), (0, 0), "{what}: {done:?}");
        // What was written to a link that closed at that moment may have been read.
        assert!(done.unknown == 0 || what == "closing", "{what}: {done:?}");
        assert!(done.again + done.unknown > 0, "{what}: {done:?}");
        let counts = counts(&engine, "sms").await;
        lost = done.unknown;
        assert_eq!(counts["released"] + lost, all, "{what}: {counts:?}");
        let health = engine.check_gateways().await.expect("gateways")[0].health.clone().expect("a health");
        // One that closes after every bind may be caught while it is bound.
        assert!(health.last_error.contains(told) || (what == "closing" && health.up == 1), "{what}: {health:?}");
    }
    // When it works again, all of it goes out.
    configure(&engine, &smpp(&strict, "")).await;
    let done = watching(&engine, evening(), async |status| left(&status, "sms") == 0).await;
    assert_eq!((done.sent + lost, done.failed, done.unknown), (all, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_by_short_message_stops_what_waits_at_once_and_another_reply_is_an_outcome() {
    let Some(mut peer) = smsc(&json!({}), &json!({})) else { return };
    let replies = "[replies]\noutcomes = { \"1\" = \"safe\" }\nsurveys = { green-bill = \"satisfied\" }\n";
    let config = smpp(&peer, "prefix = \"86\"") + replies;
    let (_folder, engine) = planned(4_000, &["birthday", "green-bill", "balance-reminder"], &config).await;
    let states_of = engine.store().contact_states().await.expect("contacts");
    let ids: Vec<_> = states_of.into_iter().map(|(id, _)| id).collect();
    let contacts = engine.store().contacts_by_id(&ids).await.expect("contacts");
    let waits = |activity: &str| {
        contacts
            .iter()
            .find(|c| c.planned.activity == activity && c.via.name() == "sms")
            .expect("a contact")
            .planned
            .customer
    };
    let (refuses, thanks, reminded) = (waits("birthday"), waits("green-bill"), waits("balance-reminder"));
    let identities = engine.store().identities(&[refuses, thanks, reminded]).await.expect("identities");
    let mut writes = |who, text: &str| {
        let from = format!("86{}", identities[who].msisdn);
        peer.tell(&json!({"write": {"from": from, "to": "10086", "text": text}}));
    };
    writes(&refuses, "退订");
    writes(&thanks, "1");
    writes(&reminded, "td");
    peer.tell(&json!({"write": {"from": "8600000000000", "to": "10086", "text": "who is this"}}));
    // In the morning, before anything is due.
    let morning = plan_of(DATE).instant - 3_600_000;
    watching(&engine, morning, async |_| {
        states(&engine, refuses, "birthday").await == ["cancelled"] && peer.log().len() >= 5
    })
    .await;
    assert_eq!(states(&engine, refuses, "birthday").await, ["cancelled"]);
    // A reply before anything was sent answers nothing in particular, yet it is recorded; a refusal does not stop what
    // may only be refused by itself.
    assert_eq!(states(&engine, thanks, "green-bill").await, ["released"]);
    assert_eq!(states(&engine, reminded, "balance-reminder").await, ["released"]);
    let answers: Vec<Value> = peer.log().into_iter().filter(|line| line["deliver_answer"].is_number()).collect();
    assert!(answers.len() == 4 && answers.iter().all(|line| line["deliver_answer"] == 0), "{answers:?}");
    let since = engine.store().since(&[thanks]).await.expect("outcomes");
    assert_eq!(since[&thanks].outcomes.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>(), ["safe"]);
    // The reminder goes out in the evening; a refusal that answers it ends its activity too.
    watching(&engine, evening(), async |status| left(&status, "sms") == 0).await;
    assert_eq!(states(&engine, reminded, "balance-reminder").await, ["sent"]);
    peer.tell(&json!({"write": {"from": format!("86{}", identities[&reminded].msisdn), "to": "10086", "text": "TD"}}));
    // So does a score that answers a survey: it belongs to the message that asked.
    peer.tell(&json!({"write": {"from": format!("86{}", identities[&thanks].msisdn), "to": "10086", "text": "９分"}}));
    watching(&engine, evening() + 600_000, async |_| {
        let since = engine.store().since(&[reminded]).await.expect("wishes");
        let scores = engine.distribution("satisfied", None, (0, i64::MAX)).await.expect("scores");
        scores.all.count == 1
            && since.get(&reminded).is_some_and(|s| s.wishes.refused_activities == ["balance-reminder"])
    })
    .await;
    let scores = engine.distribution("satisfied", None, (0, i64::MAX)).await.expect("scores");
    assert_eq!(scores.all.by_value.into_iter().collect::<Vec<_>>(), [(9, 1)]);
    let since = engine.store().since(&[reminded]).await.expect("wishes");
    assert_eq!(since[&reminded].wishes.refused_activities, ["balance-reminder"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_dispatchers_at_once_share_the_work_and_a_dead_ones_intents_are_never_sent_again() {
    let Some(peer) = smsc_of(json!({"latency_ms": 30})) else { return };
    let (folder, engine) = planned(6_000, &["balance-reminder"], &smpp(&peer, "window = 2")).await;
    let all = counts(&engine, "sms").await["released"];
    // One dies in the middle: its future is dropped with messages on their way.
    let dying = open(folder.path()).await;
    let died = tokio::time::timeout(Duration::from_millis(400), dying.dispatch("operator", evening(), &|_| true)).await;
    assert!(died.is_err(), "it was to be interrupted: {died:?}");
    drop(dying);
    // What it had told the database to commit may still be committed.
    let mut on_the_wire = in_state(&engine, ContactState::Sending).await;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let still = in_state(&engine, ContactState::Sending).await;
        if still == on_the_wire {
            break;
        }
        on_the_wire = still;
    }
    let (one, other) = (open(folder.path()).await, open(folder.path()).await);
    // Half an hour later the dead one's leases are over.
    let later = evening() + 1_800_000;
    let both = tokio::join!(one.dispatch("operator", later, &|_| true), other.dispatch("operator", later, &|_| true));
    let (one, other) = (both.0.expect("dispatch"), both.1.expect("dispatch"));
    assert_eq!(one.resumed + other.resumed, on_the_wire, "each is taken over once");
    let counts = counts(&engine, "sms").await;
    let of = |state: &str| counts.get(state).copied().unwrap_or(0);
    assert_eq!((of("sent") + of("unknown"), of("unknown")), (all, on_the_wire), "{counts:?}");
    assert!(one.sent > 0 && other.sent > 0, "{one:?} {other:?}");
    let log = peer.log();
    let has = did(&log, &["accepted"]);
    assert!(taken(&has).values().all(|times| *times == 1), "a message was taken twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_switch_thrown_in_the_middle_stops_what_is_not_on_its_way_and_dead_letters_are_replayed() {
    let Some(mut peer) = smsc_of(json!({"latency_ms": 20, "faults": {"busy_every": 1}})) else { return };
    let (_folder, engine) = planned(700, &["balance-reminder"], &smpp(&peer, "window = 4")).await;
    let all = counts(&engine, "sms").await["released"];
    // A centre that is busy for ever: after so many attempts each contact is given up.
    watching(&engine, evening(), async |status| left(&status, "sms") == 0).await;
    let letters = engine.dead_letters().await.expect("letters");
    assert_eq!(letters.len() as u64, all);
    assert!(letters.iter().all(|letter| letter.why.contains("given up after 4 attempts")), "{:?}", letters[0]);
    peer.tell(&json!({"faults": {"busy_every": 0}}));
    let replayed =
        engine.replay_dead_letters(Some("balance-reminder-1"), "operator", evening()).await.expect("replayed");
    assert_eq!(replayed, all);
    let none = engine.replay_dead_letters(None, "operator", evening()).await;
    assert!(matches!(none, Err(EngineError::Refused(_))));
    let scope = || care_domain::switch::Scope::parse("channel", "sms").expect("a scope");
    let thrown = async {
        while did(&peer.log(), &["accepted"]).len() < 10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        engine.throw_switch(scope(), "wrong text", "duty-officer", evening()).await.expect("a switch");
    };
    let (done, ()) = tokio::join!(engine.dispatch("operator", evening(), &|_| true), thrown);
    let done = done.expect("dispatch");
    assert!(done.sent < all && done.held > 0 && done.sent + done.held == all, "{done:?}");
    assert_eq!(numbers(&did(&peer.log(), &["accepted"])).len() as u64, done.sent);
    engine.lift_switch(&scope(), "put right", "provincial-approver", evening()).await.expect("lifted");
    let rest = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    assert_eq!(rest.sent + done.sent, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rates_hold_for_the_channel_and_for_each_campaign() {
    let Some(peer) = smsc_of(json!({})) else { return };
    let rates = "[sms]\nrate = 60\ncampaign_rates = { \"points-expiry-1\" = 10 }\n";
    let (_folder, engine) =
        planned(8_000, &["balance-reminder", "points-expiry"], &(rates.to_owned() + &smpp(&peer, ""))).await;
    let all = counts(&engine, "sms").await["released"];
    assert!(all > 200, "{all}");
    let started = tokio::time::Instant::now();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let ended = async {
        tokio::time::sleep(Duration::from_millis(2_000)).await;
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let go_on = |_| !stop.load(std::sync::atomic::Ordering::Relaxed);
    let (done, ()) = tokio::join!(engine.dispatch_on("operator", evening(), &go_on), ended);
    let done = done.expect("dispatch");
    // A second's worth is saved up at the start; however slow the machine is, no more than the rate goes out.
    let most = |rate: f64| (rate * (started.elapsed().as_secs_f64() + 1.0)) as u64 + 1;
    assert!(done.sent > 0 && done.sent <= most(60.0), "{done:?}");
    let log = peer.log();
    let log = did(&log, &["accepted"]);
    let is_points = |l: &&&Value| l["text"].as_str().is_some_and(|t| t.contains("积分") || t.contains("points"));
    let points = numbers(&log.iter().filter(is_points).copied().collect::<Vec<_>>()).len();
    assert!(points as u64 <= most(10.0), "{points} of points-expiry");
}
