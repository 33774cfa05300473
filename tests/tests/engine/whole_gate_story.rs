//! What the gate asks beyond one approver: principles, a trial, a second person, a budget, requests granted apart; and the
//! end of a duplicate.

use crate::gate_story::{code, rewritten};
use crate::support::{self, NOW, care, evening, plan_of, populated, run, started, with};
use care_domain::approval::Conditions;
use care_domain::gate::{GateRules, Principle, Ticks};
use care_domain::governance::Submission;
use care_domain::verdict::Verdict;
use care_engine::{Decided, Engine, PlanRequest};
use care_tests::{DATE, plugin};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;

async fn pushed(engine: &Engine, author: &str, bytes: &[u8]) -> i64 {
    engine.push(&support::signed(engine, author, bytes), author, NOW).await.expect("an accepted upload").submission
}

fn built(name: &str) -> Vec<u8> {
    fs::read(plugin(name)).expect("a plugin")
}

/// The points activity as the city of Xiamen would write it.
fn of_xiamen() -> Vec<u8> {
    rewritten("points-expiry", |manifest| {
        manifest["name"] = "xiamen-points".into();
        manifest["owner_region"] = "350200".into();
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_is_asked_for_where_the_administrator_says_so_and_three_persons_look_in_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 1_000).await;
    let rules = GateRules { trial_review: true, ..GateRules::default() };
    let own = engine.set_gate_rules(&rules, "", "provincial-approver", NOW).await;
    assert_eq!(code(&own.expect_err("whoever approves does not set the gate")), "not-allowed");
    engine.set_gate_rules(&rules, "S3: 前端预审", "administrator", NOW).await.expect("set");
    let id = pushed(&engine, "city-author", &of_xiamen()).await;
    engine.pass_city(id, "", "city-reviewer", NOW).await.expect("the city");
    let early = engine.approve(id, &Conditions::default(), &care(), "provincial-approver", NOW).await;
    assert_eq!(code(&early.expect_err("before its trial")), "decided-once");
    let foreign = engine.pass_trial(id, "", "provincial-approver", NOW).await;
    assert_eq!(code(&foreign.expect_err("not the province's")), "not-allowed");
    engine.pass_trial(id, "agents can read it out", "customer-service", NOW).await.expect("the trial");
    support::simulated(&engine, id, &Conditions::default()).await;
    engine.approve(id, &Conditions::default(), &care(), "provincial-approver", NOW).await.expect("approved");
    let provincial = pushed(&engine, "branch-author", &built("birthday")).await;
    let state = engine.submission(provincial).await.expect("the submission").submission.state();
    assert_eq!(state, "trial-review", "a province's begins with its trial");
    let refused =
        engine.reject(provincial, care_domain::governance::Ground::Other, "too stiff", "customer-service", NOW);
    refused.await.expect("whoever tries it out may refuse it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_held_to_be_care_is_not_approved_and_the_ticks_are_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 1_000).await;
    let id = pushed(&engine, "branch-author", &built("birthday")).await;
    support::simulated(&engine, id, &Conditions::default()).await;
    for ticks in [vec![], vec![Principle::Proactive], vec![Principle::CustomerOriented, Principle::Useful]] {
        let ticks: Ticks = ticks.into_iter().collect();
        let refused = engine.approve(id, &Conditions::default(), &ticks, "provincial-approver", NOW).await;
        assert_eq!(code(&refused.expect_err("no care")), "not-care");
    }
    let ticks: Ticks = care().into_iter().chain([Principle::Feasible]).collect();
    let decided =
        engine.approve(id, &Conditions::default(), &ticks, "provincial-approver", NOW).await.expect("approved");
    let Decided::Approved(approval) = decided else { panic!("one person is enough for so few") };
    assert_eq!(approval.principles, ticks);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_a_reach_a_second_person_confirms_what_the_first_proposed() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 4_000).await;
    let rules = GateRules { second_above: Some(10), ..GateRules::default() };
    engine.set_gate_rules(&rules, "for the test", "administrator", NOW).await.expect("set");
    let id = pushed(&engine, "branch-author", &built("balance-reminder")).await;
    let tenth = Conditions { share: Some(9_000), ..Conditions::default() };
    support::simulated(&engine, id, &tenth).await;
    let decided = engine.approve(id, &tenth, &care(), "provincial-approver", NOW).await.expect("proposed");
    let Decided::WaitsForSecond { proposed, reach } = decided else { panic!("so many ask for a second person") };
    assert!(reach > 10);
    let waiting = engine.submission(id).await.expect("the submission");
    assert_eq!((waiting.submission.state(), waiting.approval), ("second-review", None), "nothing vouches for it yet");
    let new = support::campaign("balance-reminder", None, json!({}));
    let early = engine.start_campaign(&new, "operator", NOW).await;
    assert_eq!(code(&early.expect_err("not approved yet")), "not-approved");
    let own = engine.confirm(id, &care(), "provincial-approver", NOW).await;
    assert_eq!(code(&own.expect_err("the same person")), "four-eyes");
    let unticked = engine.confirm(id, &Ticks::new(), "second-approver", NOW).await;
    assert_eq!(code(&unticked.expect_err("the second ticks too")), "not-care");
    let approval = engine.confirm(id, &care(), "second-approver", NOW).await.expect("confirmed");
    assert_eq!(approval.second.as_ref().map(|deed| deed.person.as_str()), Some("second-approver"));
    assert_eq!((approval.share, approval.approved_by.as_str()), (proposed.share, "provincial-approver"));
    let Submission::Approved(granted) = engine.submission(id).await.expect("the submission").submission else {
        panic!("approved")
    };
    assert_eq!(granted.second.map(|deed| deed.person), Some("second-approver".to_owned()));
    started(&engine, "balance-reminder", json!({})).await;
}

/// S1: cities duplicated each other's activities. What runs of a duplicate stops, and nothing of it goes out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_is_folded_into_the_activity_of_the_province() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    let id = pushed(&engine, "city-author", &of_xiamen()).await;
    engine.pass_city(id, "", "city-reviewer", NOW).await.expect("the city");
    let none = engine.merge(id, "points-expiry", "the same need", "provincial-approver", NOW).await;
    assert_eq!(code(&none.expect_err("there is none yet")), "no-such-activity");
    support::simulated(&engine, id, &Conditions::default()).await;
    engine.approve(id, &Conditions::default(), &care(), "provincial-approver", NOW).await.expect("approved");
    let campaign = started(&engine, "xiamen-points", json!({})).await;
    let added = run(&engine, &plan_of(DATE)).await.added;
    support::approved(&engine, "birthday", &Conditions::default()).await;
    let other = engine.merge(id, "birthday", "the same need", "provincial-approver", NOW).await;
    assert_eq!(code(&other.expect_err("another need")), "no-such-activity");
    support::approved(&engine, "points-expiry", &Conditions::default()).await;
    let own = engine.merge(id, "points-expiry", " ", "provincial-approver", NOW).await;
    assert_eq!(code(&own.expect_err("without a word")), "no-reason");
    let withdrawn = engine.merge(id, "points-expiry", "the province has it", "provincial-approver", NOW).await;
    assert_eq!(withdrawn.expect("folded"), added);
    assert!(added > 0 && !engine.campaign(&campaign).await.expect("the campaign").active);
    let done = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    assert_eq!(done.sent, 0);
    let folded = engine.submission(id).await.expect("the submission").submission;
    assert!(matches!(folded, Submission::Merged { into, .. } if into == "points-expiry"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_is_never_overspent_whatever_waves_there_are() {
    const FEN: u64 = 1_000;
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    let poor = Conditions { budget_fen: Some(FEN), ..Conditions::default() };
    let id = pushed(&engine, "branch-author", &built("balance-reminder")).await;
    let simulation = support::simulated(&engine, id, &poor).await;
    engine.approve(id, &poor, &care(), "provincial-approver", NOW).await.expect("approved");
    started(&engine, "balance-reminder", json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    support::adds_up(&engine, &summary).await;
    let totals = summary.totals();
    assert!(totals.of(Verdict::OverCapacity) > 0 && totals.of(Verdict::Cleared) > 0, "{totals:?}");
    let cost = async || {
        let mut fen = 0;
        for customer in support::customers(&engine).await {
            let messages = support::messages(&engine, customer, "balance-reminder").await;
            fen += messages.iter().map(|m| m.planned.cost_fen).sum::<u64>();
        }
        fen
    };
    let spent = cost().await;
    assert!(spent <= FEN && spent > FEN / 2, "{spent} fen");
    // What was foretold is what came.
    let (_, evidence) = engine.simulation(simulation).await.expect("the evidence");
    assert_eq!(evidence.verdicts, totals);
    // The reason why somebody got nothing is told.
    let decided = support::decisions(&engine, &summary.plan).await;
    let mut cut = None;
    for decision in with(&decided, "balance-reminder", Verdict::Cleared) {
        if support::messages(&engine, decision.customer, "balance-reminder").await.is_empty() {
            cut = Some(decision.customer);
        }
    }
    let why = engine.why(&cut.expect("somebody whom the budget does not pay for").to_string(), None).await;
    let told = &why.expect("an explanation").plans[0].activities[0];
    assert_eq!((told.verdict.as_str(), told.rule.as_str()), ("over-capacity", "budget"));
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let second = run(&engine, &PlanRequest { wave: 2, ..plan_of(DATE) }).await;
    support::adds_up(&engine, &second).await;
    assert!(cost().await <= FEN, "another wave has what is left");
}

/// Credit ratings and fee waivers are granted one by one, whatever the addressee may be asked otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_not_granted_is_never_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    let granting = |names: &[&str]| Conditions {
        actions: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..Conditions::default()
    };
    let id = pushed(&engine, "branch-author", &built("disaster-response")).await;
    let odd = granting(&["free-phone"]);
    let refused = engine.approve(id, &odd, &care(), "provincial-approver", NOW).await;
    assert_eq!(code(&refused.expect_err("never asked for")), "bad-condition");
    let no_credit = granting(&["fee-waiver"]);
    support::simulated(&engine, id, &no_credit).await;
    engine.approve(id, &no_credit, &care(), "provincial-approver", NOW).await.expect("approved");
    started(&engine, "disaster-response", json!({"onset": "2026-07-28"})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    support::adds_up(&engine, &summary).await;
    assert_eq!(summary.totals().of(Verdict::PluginFault), 0, "what is not granted is left unsaid");
    let mut said = BTreeSet::new();
    for customer in support::customers(&engine).await {
        let messages = support::messages(&engine, customer, "disaster-response").await;
        said.extend(messages.into_iter().map(|m| m.planned.template));
    }
    assert!(said.contains("call-customer") && !said.contains("credit-rating"), "{said:?}");
}
