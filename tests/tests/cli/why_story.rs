//! "Why was this customer contacted, or not?" has an answer for everybody.

use crate::care::{Care, OPERATOR, entries};
use care_domain::verdict::{Decision, Verdict};
use care_population::decision_log;
use care_tests::EVENING;
use serde_json::Value;

#[test]
fn every_verdict_is_explained_with_its_rule() {
    let care = Care::with_campaigns(20_000);
    care.ok(OPERATOR, &["plan", "run"]);
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let decisions = decisions(&care);
    for verdict in [Verdict::Cleared, Verdict::Control, Verdict::Lost, Verdict::Held] {
        let decision = decisions.iter().find(|d| d.verdict == verdict).expect("a customer with that verdict");
        let told = why(&care, decision, 1);
        assert_eq!((&told["verdict"], &told["rule"]), (&verdict.name().into(), &decision.rule.as_str().into()));
        assert_eq!(
            (&told["reason"], &told["figures"]),
            (&decision.reason.as_str().into(), &decision.figures.as_str().into())
        );
        assert_eq!(told["winner"].as_str(), decision.winner.as_deref());
        assert_eq!(told["winner"].is_string(), verdict == Verdict::Lost, "{told}");
        let messages = told["messages"].as_array().expect("messages");
        assert_eq!(messages.is_empty(), verdict != Verdict::Cleared, "{told}");
        assert_eq!(told["finally"], if verdict == Verdict::Cleared { "sent" } else { verdict.name() });
    }
    what_went_out_is_told_as_it_was_read(&care);
}

fn what_went_out_is_told_as_it_was_read(care: &Care) {
    for (channel, line) in care.outbox().iter().step_by(100) {
        let customer = line["customer"].as_str().expect("an id");
        let told = care.ok(OPERATOR, &["why", customer, "--date", "2026-07-29"]);
        let activities = told["plans"][0]["activities"].as_array().expect("activities");
        assert_eq!(activities.len(), 5, "every campaign of the plan has its answer: {told}");
        let mut messages = activities.iter().flat_map(|a| a["messages"].as_array().expect("messages"));
        let message = messages.find(|m| m["contact"] == line["contact"]).expect("the message");
        assert_eq!((&message["text"], message["channel"].as_str()), (&line["text"], Some(channel.as_str())));
        assert_eq!(message["state"], "sent");
    }
}

#[test]
fn who_was_contacted_is_capped_in_the_next_wave() {
    let care = Care::with_campaigns(4_000);
    care.ok(OPERATOR, &["plan", "run"]);
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let before = care.outbox().len();
    let contacted = decisions(&care).into_iter().find(|d| d.verdict == Verdict::Cleared && d.activity == "green-bill");
    let contacted = contacted.expect("a customer of green-bill");
    let second = care.ok(OPERATOR, &["plan", "run", "--wave", "2"]);
    assert_eq!((second["wave"].as_u64(), second["released"].as_bool()), (Some(2), Some(true)));
    let told = why(&care, &contacted, 2);
    assert_eq!((&told["verdict"], &told["finally"]), (&"capped".into(), &"capped".into()), "{told}");
    assert_ne!(told["rule"], "", "{told}");
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let again: Vec<String> = care.outbox().iter().map(|(_, line)| line["contact"].to_string()).collect();
    let once: std::collections::BTreeSet<&String> = again.iter().collect();
    assert_eq!(once.len(), again.len(), "nothing is sent twice");
    assert!(again.len() >= before);
}

#[test]
fn who_was_not_chosen_is_told_so_and_who_is_unknown_is_refused() {
    let care = Care::with_campaigns(2_000);
    assert_eq!(care.refused(OPERATOR, &["why", "FJ000000001"])["code"], "unknown-customer", "before any plan");
    care.ok(OPERATOR, &["plan", "run"]);
    let not_chosen = (1..50).map(|n| care.ok(OPERATOR, &["why", &format!("FJ{n:09}")])).find(|told| {
        let activities = told["plans"][0]["activities"].as_array().expect("activities");
        activities.len() == 5 && activities.iter().all(|a| a["verdict"] == "not-selected" && a["rule"] == "select")
    });
    assert!(not_chosen.is_some(), "most customers are chosen by nobody");
    assert_eq!(care.refused(OPERATOR, &["why", "nobody"])["code"], "unknown-customer");
    assert_eq!(care.refused(OPERATOR, &["why", "FJ000000001", "--date", "2026-07-28"])["code"], "unknown-customer");
}

/// The one plan's decisions.
fn decisions(care: &Care) -> Vec<Decision> {
    let logs = entries(&care.data().join("decisions"));
    logs.iter().flat_map(|log| decision_log::read(log).expect("a decision log")).collect()
}

/// What is told of the decision's customer and campaign in a wave.
fn why(care: &Care, decision: &Decision, wave: u64) -> Value {
    let told = care.ok(OPERATOR, &["why", &decision.customer.to_string()]);
    let plans = told["plans"].as_array().expect("plans");
    let plan = plans.iter().find(|p| p["wave"] == wave).expect("the plan of that wave");
    let activities = plan["activities"].as_array().expect("activities");
    activities.iter().find(|a| a["campaign"] == decision.campaign.as_str()).expect("the campaign").clone()
}
