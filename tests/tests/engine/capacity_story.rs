//! Limits that cross customers: decided once, at release, and the totals still add up.

use crate::support::{self, NOW, adds_up, decisions, of, plan_of, run, stopped, stopping_at, with};
use care_domain::contact::Channel;
use care_domain::policy::Policy;
use care_domain::verdict::Verdict;
use care_engine::PlanRequest;
use care_tests::DATE;
use std::collections::BTreeMap;

const PLACES: u64 = 150;
const DUE: [&str; 2] = ["balance-reminder", "points-expiry"];

fn scarce() -> Policy {
    Policy { name: "scarce".into(), capacity: BTreeMap::from([(Channel::Sms, PLACES)]), ..Policy::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_capacity_waits_for_a_later_plan_and_the_totals_add_up() {
    let (_folder, engine) = support::at_work(4_000, &DUE).await;
    support::policy(&engine, &scarce()).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    adds_up(&engine, &summary).await;
    let totals = summary.totals();
    assert!(totals.of(Verdict::OverCapacity) > 0 && totals.of(Verdict::Cleared) > 0);
    let decided = decisions(&engine, &summary.plan).await;
    let mut texts = 0;
    let mut kept = BTreeMap::new();
    for decision in decided.iter().filter(|d| d.verdict == Verdict::Cleared) {
        let messages = support::messages(&engine, decision.customer, &decision.activity).await;
        texts += messages.iter().filter(|m| m.planned.channel == Channel::Sms).count() as u64;
        *kept.entry(decision.activity.clone()).or_insert(0_u64) += u64::from(!messages.is_empty());
    }
    assert_eq!(texts, PLACES, "every place is used");
    for activity in &summary.activities {
        let cleared = activity.verdicts.get(&Verdict::Cleared).copied().unwrap_or(0);
        assert_eq!(cleared, kept.get(&activity.name).copied().unwrap_or(0), "{}", activity.name);
    }
    // The log keeps what was decided before the cut; the explanation tells what came of it.
    let mut cut = None;
    for decision in with(&decided, "points-expiry", Verdict::Cleared) {
        if support::messages(&engine, decision.customer, "points-expiry").await.is_empty() {
            cut = Some(decision);
        }
    }
    let cut = cut.expect("somebody over capacity").customer;
    let why = engine.why(&cut.to_string(), None).await.expect("an explanation");
    let told = why.plans[0].activities.iter().find(|a| a.activity == "points-expiry").expect("the activity");
    assert_eq!((told.verdict.as_str(), told.rule.as_str()), ("over-capacity", "capacity"));
    // With places again, the next wave takes up those who were cut, and nobody else.
    support::policy(&engine, &Policy::default()).await;
    let wave = run(&engine, &PlanRequest { wave: 2, ..plan_of(DATE) }).await;
    adds_up(&engine, &wave).await;
    let later = decisions(&engine, &wave.plan).await;
    assert_eq!(of(&later, cut)["points-expiry"].verdict, Verdict::Cleared);
    assert_eq!(wave.totals().of(Verdict::Cleared), totals.of(Verdict::OverCapacity));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_stopped_before_its_release_is_cut_alike() {
    let (folder, engine) = support::at_work(4_000, &DUE).await;
    support::policy(&engine, &scarce()).await;
    let copy = support::copy_of(folder.path());
    let summary = run(&engine, &plan_of(DATE)).await;
    let golden = support::Traces::of(&engine, &summary.plan).await;
    let engine = support::open(copy.path()).await;
    // Opened, seven steps of the only bucket, Releasing.
    stopped(&engine, &plan_of(DATE), stopping_at(9)).await;
    let states = engine.store().plan_states(&summary.plan).await.expect("states");
    assert!(states.values().all(|counts| counts.keys().eq(["planned"])), "{states:?}");
    assert_eq!(engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch").sent, 0);
    // A decision that knew of other releases than there are would share out places that somebody else has.
    let releases = engine.store().releases().await.expect("a count") + 1;
    let known = care_store::Known { releases, since: None };
    let stale = engine.store().decide_release(&summary.plan, &[], &BTreeMap::new(), known).await;
    assert!(!stale.expect("an answer"), "it is decided anew");
    let resumed =
        engine.run_plan(&plan_of(DATE), "operator", NOW, std::sync::Arc::new(|_| true)).await.expect("a plan");
    assert!(resumed.released);
    assert_eq!(support::Traces::of(&engine, &resumed.plan).await, golden);
}
