//! What customers do and say between plan and dispatch, and ever after.

use crate::support::{self, NOW, decisions, evening, lines, of, outbox, plan_of, run, states, with};
use care_domain::key::CustomerKey;
use care_domain::verdict::{Decision, Verdict};
use care_engine::{Engine, OutcomeImport};
use care_tests::DATE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Records what a customer did on the afternoon of the demonstration's day.
async fn happened(engine: &Engine, who: CustomerKey, kind: &str, activity: &str) -> OutcomeImport {
    let csv = format!("customer,kind,at,activity\n{who},{kind},{DATE}T15:00:00+08:00,{activity}\n");
    let done = engine.import_outcomes(&csv, "operator", NOW).await.expect("an outcome");
    assert_eq!((done.added, done.repeated, done.rejected.len()), (1, 0, 0));
    let again = engine.import_outcomes(&csv, "operator", NOW).await.expect("the same outcome");
    assert_eq!((again.added, again.repeated, again.cancelled), (0, 1, 0));
    done
}

/// Dispatches the evening; the campaigns that wrote to a customer.
async fn written_to(engine: &Engine, folder: &Path, who: CustomerKey) -> BTreeSet<String> {
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let identities = engine.store().identities(&[who]).await.expect("identities");
    let id = Value::from(identities[&who].external_id.as_str());
    let mine = lines(&outbox(folder)).into_iter().filter(|line| line["customer"] == id);
    mine.filter_map(|line| Some(line["campaign"].as_str()?.to_owned())).collect()
}

/// A customer for whom all these activities were cleared.
fn cleared_by(decided: &[Decision], activities: &[&str]) -> CustomerKey {
    let who = with(decided, activities[0], Verdict::Cleared).into_iter().map(|d| d.customer);
    let all = |who: &CustomerKey| {
        let mine = of(decided, *who);
        activities.iter().all(|a| mine.get(a).is_some_and(|d| d.verdict == Verdict::Cleared))
    };
    who.into_iter().find(all).unwrap_or_else(|| panic!("nobody was cleared by all of {activities:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_top_up_cancels_the_waiting_reminder_and_nothing_else() {
    let (folder, engine) = support::at_work(20_000, &["balance-reminder", "points-expiry"]).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let decided = decisions(&engine, &summary.plan).await;
    let who = cleared_by(&decided, &["balance-reminder", "points-expiry"]);
    let waiting = states(&engine, who, "balance-reminder").await.len() as u64;
    assert_eq!(happened(&engine, who, "topped-up", "").await.cancelled, waiting);
    let written = written_to(&engine, folder.path(), who).await;
    assert_eq!(written, BTreeSet::from(["points-expiry-1".to_owned()]));
    let why = engine.why(&who.to_string(), None).await.expect("an explanation");
    let told = why.plans[0].activities.iter().find(|a| a.activity == "balance-reminder").expect("the activity");
    assert_eq!((told.verdict.as_str(), told.finally.as_str()), ("cleared", "cancelled"));
    // What was cancelled gives its place back, but its occasion was contacted: only a new one may come.
    let next = run(&engine, &plan_of("2026-07-30")).await;
    let next = decisions(&engine, &next.plan).await;
    assert_ne!(of(&next, who).get("balance-reminder").map(|d| d.verdict), Some(Verdict::Cleared));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_everything_stops_what_waits_and_what_would_come_but_not_service() {
    let (folder, engine) = support::at_work(20_000, &["green-bill", "points-expiry"]).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let decided = decisions(&engine, &summary.plan).await;
    let who = cleared_by(&decided, &["green-bill", "points-expiry"]);
    assert_eq!(happened(&engine, who, "refused", "").await.cancelled, 1);
    let written = written_to(&engine, folder.path(), who).await;
    assert_eq!(written, BTreeSet::from(["points-expiry-1".to_owned()]));
    let next = run(&engine, &plan_of("2026-07-30")).await;
    let next = decisions(&engine, &next.plan).await;
    let ruling = of(&next, who)["green-bill"];
    assert_eq!((ruling.verdict, ruling.rule.as_str()), (Verdict::NoConsent, "refusal"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_one_activity_stops_that_one() {
    let (folder, engine) = support::at_work(20_000, &["green-bill", "points-expiry"]).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let decided = decisions(&engine, &summary.plan).await;
    let who = cleared_by(&decided, &["points-expiry", "green-bill"]);
    assert_eq!(happened(&engine, who, "refused", "points-expiry").await.cancelled, 1);
    assert_eq!(states(&engine, who, "points-expiry").await, ["cancelled"]);
    let written = written_to(&engine, folder.path(), who).await;
    assert_eq!(written, BTreeSet::from(["green-bill-1".to_owned()]));
    // Six days before the date is another of the days on which points are spoken of.
    let next = run(&engine, &plan_of("2026-07-30")).await;
    let next = decisions(&engine, &next.plan).await;
    let refused = next.iter().filter(|d| d.customer == who && d.activity == "points-expiry");
    assert!(refused.clone().all(|d| d.verdict == Verdict::NoConsent), "{:?}", refused.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_the_deceased_everything_stops_and_for_the_missing_everything_but_disaster_response() {
    let (folder, engine) = support::at_work(66_000, &["balance-reminder", "disaster-response", "points-expiry"]).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let decided = decisions(&engine, &summary.plan).await;
    let deceased = cleared_by(&decided, &["balance-reminder", "points-expiry"]);
    assert!(happened(&engine, deceased, "deceased", "").await.cancelled >= 2);
    let missing = with(&decided, "disaster-response", Verdict::Cleared)
        .into_iter()
        .map(|d| d.customer)
        .find(|who| {
            *who != deceased && of(&decided, *who).values().filter(|d| d.verdict == Verdict::Cleared).count() > 1
        })
        .expect("somebody in the area with a service contact");
    assert!(happened(&engine, missing, "possibly-missing", "disaster-response").await.cancelled >= 1);
    assert!(!written_to(&engine, folder.path(), deceased).await.iter().any(|c| c != "disaster-response-1"));
    let written = written_to(&engine, folder.path(), missing).await;
    assert_eq!(written, BTreeSet::from(["disaster-response-1".to_owned()]));
    let next = run(&engine, &plan_of("2026-07-30")).await;
    let next = decisions(&engine, &next.plan).await;
    for who in [deceased, missing] {
        let ordinary = next.iter().filter(|d| d.customer == who && d.activity != "disaster-response");
        assert!(ordinary.clone().all(|d| d.verdict == Verdict::Suppressed), "{:?}", ordinary.collect::<Vec<_>>());
    }
    assert!(next.iter().any(|d| d.customer == deceased), "somebody whom the plugins still select");
}
