//! Who is left alone, and who is not: the contact policy over several days and plans.

use crate::support::{
    self, NOW, adds_up, approved, decisions, evening, messages, of, plan_of, populated, run, started, with,
};
use care_domain::approval::Conditions;
use care_domain::contact::Channel;
use care_domain::key::{Bucket, CustomerKey};
use care_domain::verdict::{Decision, Verdict};
use care_engine::{EngineError, PlanRequest};
use care_tests::DATE;
use serde_json::json;
use std::collections::BTreeSet;

const CARE: [&str; 2] = ["birthday", "green-bill"];

/// Customers whom care disturbed.
fn disturbed(decided: &[Decision]) -> BTreeSet<CustomerKey> {
    let cleared = decided.iter().filter(|d| CARE.contains(&d.activity.as_str()) && d.verdict == Verdict::Cleared);
    cleared.filter(|d| d.channel.is_some_and(Channel::disturbs)).map(|d| d.customer).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_contacted_by_care_is_left_alone_for_a_week_but_by_service_and_disaster() {
    let (_folder, engine) = support::at_work(20_000, &support::ALL).await;
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot").id().to_owned();
    let on = |date| PlanRequest { snapshot: Some(snapshot.clone()), ..plan_of(date) };
    // The disaster of these tests begins on the 28th.
    let first = run(&engine, &on("2026-07-27")).await;
    let before = disturbed(&decisions(&engine, &first.plan).await);
    engine.dispatch("operator", evening() - 2 * 86_400_000, &|_| true).await.expect("dispatch");
    let second = run(&engine, &on(DATE)).await;
    adds_up(&engine, &second).await;
    let after = decisions(&engine, &second.plan).await;
    let again: Vec<&Decision> = after.iter().filter(|d| before.contains(&d.customer)).collect();
    let cleared = |d: &&&Decision| d.verdict == Verdict::Cleared;
    let disturbing = |d: &&&Decision| d.channel.is_some_and(Channel::disturbs);
    let by_care = again.iter().filter(|d| CARE.contains(&d.activity.as_str()));
    assert_eq!(by_care.clone().filter(cleared).filter(disturbing).count(), 0);
    let rules: BTreeSet<&str> = by_care.filter(|d| d.verdict == Verdict::Capped).map(|d| d.rule.as_str()).collect();
    assert!(rules.contains("global-cap"), "{rules:?}");
    for exempt in ["points-expiry", "disaster-response"] {
        let reached = again.iter().filter(|d| d.activity == exempt).filter(cleared).count();
        assert!(reached > 0, "{exempt} reached nobody whom care had contacted");
    }
    // A week later the contact is past, and holds nobody any more.
    let third = run(&engine, &on("2026-08-04")).await;
    let third = decisions(&engine, &third.plan).await;
    let by_care = third.iter().filter(|d| before.contains(&d.customer) && CARE.contains(&d.activity.as_str()));
    let rules: BTreeSet<&str> = by_care.map(|d| d.rule.as_str()).collect();
    assert!(!rules.is_empty() && !rules.contains("global-cap"), "{rules:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_occasion_is_contacted_once_however_many_plans_see_it() {
    let (_folder, engine) = support::at_work(4_000, &["balance-reminder", "green-bill"]).await;
    let first = run(&engine, &plan_of(DATE)).await;
    let known = engine.store().contact_states().await.expect("contacts");
    let wave = PlanRequest { wave: 2, ..plan_of(DATE) };
    let second = run(&engine, &wave).await;
    assert_ne!(first.plan, second.plan);
    assert_eq!(second.added, 0);
    assert_eq!(engine.store().contact_states().await.expect("contacts"), known);
    let decided = decisions(&engine, &second.plan).await;
    let repeated = decided.iter().filter(|d| d.verdict == Verdict::Capped && d.rule == "same-occasion").count();
    assert!(repeated > 0 && decided.iter().all(|d| d.verdict != Verdict::Cleared));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_occasion_that_only_asks_a_department_for_something_is_not_asked_for_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 4_000).await;
    approved(&engine, "disaster-response", &Conditions::default()).await;
    let credit = |from: i32, until: i32| json!({"from_day": from, "until_day": until, "actions": ["credit-rating"]});
    let phases = json!({"rescue": credit(0, 4), "assurance": credit(4, 20), "relief": credit(20, 142)});
    started(&engine, "disaster-response", json!({"onset": "2026-07-28", "phases": phases})).await;
    let first = run(&engine, &plan_of(DATE)).await;
    assert!(first.added > 0);
    let second = run(&engine, &plan_of("2026-07-30")).await;
    assert_eq!(second.added, 0);
    adds_up(&engine, &second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_customer_is_called_again_up_to_three_rounds() {
    let (_folder, engine) = support::at_work(4_000, &["disaster-response"]).await;
    let mut rounds = Vec::new();
    let mut who = None;
    for date in ["2026-07-28", DATE, "2026-07-30", "2026-07-31"] {
        let snapshot = engine.snapshot(None, None).await.expect("a snapshot").id().to_owned();
        let summary = run(&engine, &PlanRequest { snapshot: Some(snapshot), ..plan_of(date) }).await;
        let decided = decisions(&engine, &summary.plan).await;
        let called = *who.get_or_insert_with(|| with(&decided, "disaster-response", Verdict::Cleared)[0].customer);
        let decision = of(&decided, called)["disaster-response"];
        rounds.push((decision.verdict.name(), decision.rule.clone(), decision.round));
        let csv = format!("customer,kind,at,activity\n{called},unreachable,{date}T18:00:00+08:00,disaster-response\n");
        assert_eq!(engine.import_outcomes(&csv, "operator", NOW).await.expect("an outcome").added, 1);
    }
    let cleared = |round| ("cleared", "cleared".to_owned(), round);
    assert_eq!(rounds, [cleared(1), cleared(2), cleared(3), ("capped", "rounds".to_owned(), 3)]);
    let calls = messages(&engine, who.expect("a customer"), "disaster-response").await;
    let requests = calls.iter().filter(|c| c.planned.channel == Channel::Action).count();
    assert_eq!(requests, 1, "the credit rating is asked for once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_for_one_city_reaches_that_city_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 4_000).await;
    let xiamen = Conditions { regions: vec!["350200".into()], ..Conditions::default() };
    approved(&engine, "balance-reminder", &xiamen).await;
    started(&engine, "balance-reminder", json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    adds_up(&engine, &summary).await;
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot");
    let mut inside = 0;
    for decision in decisions(&engine, &summary.plan).await {
        let fields = snapshot.find(decision.customer).expect("a snapshot").expect("a customer");
        let home = fields.iter().find(|(name, _)| name == "home-adcode").expect("a home").1.clone();
        inside += usize::from(home == "350200");
        assert_eq!(home != "350200", decision.verdict == Verdict::OutOfRegion, "{decision:?}");
    }
    assert!(inside > 0 && inside < summary.totals().candidates() as usize);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_is_due_on_its_approved_dates_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 200).await;
    let until = Conditions { until: Some(support::day(DATE)), ..Conditions::default() };
    approved(&engine, "balance-reminder", &until).await;
    started(&engine, "balance-reminder", json!({})).await;
    assert_eq!(run(&engine, &plan_of(DATE)).await.activities.len(), 1);
    let late = engine.run_plan(&plan_of("2026-07-30"), "operator", NOW, std::sync::Arc::new(|_| true)).await;
    let Err(EngineError::Refused(finding)) = late else { panic!("{late:?}") };
    assert_eq!(finding.code, "nothing-due");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_numbers_becomes_a_list_of_customers() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 200).await;
    let all = support::customers(&engine).await;
    let identities = engine.store().identities(&all[..3]).await.expect("identities");
    let numbers: Vec<&str> = all[..3].iter().map(|key| identities[key].msisdn.as_str()).collect();
    let csv = format!("number\n{}\n{}\n13900000000\n{}\n{}\n", numbers[0], numbers[1], numbers[2], numbers[0]);
    let done = engine
        .import_list("key-accounts", &csv, "集团大客户部", support::day("2026-08-31"), ("key-accounts", NOW))
        .await;
    let done = done.expect("a list");
    assert_eq!((done.members, done.unmatched), (3, vec![4]));
    let kept = engine.store().lists().await.expect("lists");
    let shown: Vec<_> = kept.iter().map(|l| (l.name.as_str(), l.owner.as_str(), l.expires_on)).collect();
    assert_eq!(shown, [("key-accounts", "集团大客户部", support::day("2026-08-31"))]);
    let members = engine.store().list_members("key-accounts", Bucket { bits: 0, index: 0 }).await.expect("members");
    assert_eq!(members.into_iter().collect::<BTreeSet<_>>(), all[..3].iter().copied().collect());
    for (name, text) in [("Key Accounts", csv.as_str()), ("key-accounts", "number\n")] {
        let refused = engine.import_list(name, text, "集团大客户部", support::day(DATE), ("key-accounts", NOW)).await;
        assert!(matches!(refused, Err(EngineError::Refused(_))), "{refused:?}");
    }
    assert_eq!(engine.store().lists().await.expect("lists"), kept, "a refused list changes nothing");
}
