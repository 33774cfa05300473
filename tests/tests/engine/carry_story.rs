//! A loser of arbitration that is still useful is a candidate of the next plan, whether its plugin chooses it again or not.

use crate::support::{self, NOW, adds_up, decisions, plan_of, run};
use care_domain::key::CustomerKey;
use care_domain::manifest::Cap;
use care_domain::policy::Policy;
use care_domain::verdict::{Decision, Verdict};
use care_engine::{Engine, PlanRequest};
use care_tests::DATE;
use std::collections::BTreeSet;

const RIVALS: [&str; 2] = ["birthday", "green-bill"];
const NEXT: &str = "2026-07-30";

/// Losers that are useful beyond the date.
fn losers(decided: &[Decision]) -> BTreeSet<CustomerKey> {
    let tomorrow = care_domain::time::parse_instant("2026-07-30T00:00").expect("an instant");
    let lost = decided.iter().filter(|d| d.verdict == Verdict::Lost && d.not_after > tomorrow);
    lost.map(|d| d.customer).collect()
}

/// The decisions about what was carried over.
fn carried(decided: &[Decision]) -> Vec<&Decision> {
    decided.iter().filter(|d| d.figures.contains("carried over from 2026-07-29")).collect()
}

async fn next_day(engine: &Engine) -> (care_engine::PlanSummary, Vec<Decision>) {
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot").id().to_owned();
    let plan = run(engine, &PlanRequest { snapshot: Some(snapshot), ..plan_of(NEXT) }).await;
    adds_up(engine, &plan).await;
    let decided = decisions(engine, &plan.plan).await;
    (plan, decided)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loser_that_is_still_useful_is_contacted_by_the_next_plan_about_the_same_occasion() {
    let (_folder, engine) = support::at_work(20_000, &RIVALS).await;
    let first = run(&engine, &plan_of(DATE)).await;
    let before = decisions(&engine, &first.plan).await;
    let waiting = losers(&before);
    assert!(!waiting.is_empty() && first.carried >= waiting.len() as u64, "{} of {}", first.carried, waiting.len());
    // With room for another contact, they get theirs a day later.
    let roomy = Policy { name: "two a week".into(), global_cap: Cap { contacts: 2, days: 7 }, ..Policy::default() };
    support::policy(&engine, &roomy).await;
    let (second, after) = next_day(&engine).await;
    let again = carried(&after);
    assert!(!again.is_empty(), "somebody is not chosen again by the plugin itself");
    for decision in &again {
        assert!(waiting.contains(&decision.customer));
        let lost = before.iter().find(|d| d.customer == decision.customer && d.campaign == decision.campaign);
        let lost = lost.expect("the decision by which it lost");
        assert_eq!(
            (lost.occasion, lost.not_after, &lost.reason),
            (decision.occasion, decision.not_after, &decision.reason)
        );
    }
    let cleared: Vec<_> = again.iter().filter(|d| d.verdict == Verdict::Cleared).collect();
    assert!(!cleared.is_empty());
    for decision in &cleared {
        let messages = support::messages(&engine, decision.customer, &decision.activity).await;
        assert!(messages.iter().any(|m| m.plan == second.plan && m.planned.occasion == decision.occasion));
    }
    // Who was answered is not carried on.
    let third = run(&engine, &PlanRequest { wave: 2, ..plan_of(NEXT) }).await;
    assert_eq!(third.added, 0);
    let third = decisions(&engine, &third.plan).await;
    let still: BTreeSet<CustomerKey> = carried(&third).iter().map(|d| d.customer).collect();
    assert!(cleared.iter().all(|d| !still.contains(&d.customer)));
    let replay = engine.replay(&second.plan, None, &|_| ()).await.expect("a replay");
    assert!(replay.tasks.iter().all(|t| t.same), "a replay finds those that its plan found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_makes_it_pointless_ends_what_was_carried_over() {
    let (_folder, engine) = support::at_work(20_000, &RIVALS).await;
    run(&engine, &plan_of(DATE)).await;
    let copy = support::copy_of(engine.folder());
    let untouched = support::open(copy.path()).await;
    let (_, expected) = next_day(&untouched).await;
    let waiting = carried(&expected);
    let bills: Vec<CustomerKey> = waiting.iter().filter(|d| d.activity == "green-bill").map(|d| d.customer).collect();
    let one = *bills.first().expect("a loser of green-bill");
    let csv = format!("customer,kind,at\n{one},paperless-opened,2026-07-29T18:00:00+08:00\n");
    engine.import_outcomes(&csv, "operator", NOW).await.expect("an outcome");
    let (_, decided) = next_day(&engine).await;
    let left: Vec<CustomerKey> = carried(&decided).iter().map(|d| d.customer).collect();
    assert!(!left.contains(&one) && left.len() + 1 == waiting.len(), "{} of {}", left.len(), waiting.len());
}
