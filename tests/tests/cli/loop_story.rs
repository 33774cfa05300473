//! The closed loop: branch author → province → operator → customer → outcome → effect, all five activities.

use crate::care::{Care, OPERATOR, activities, activity, sum, text};
use care_tests::{ACTIVITIES, DATE, EVENING};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn five_activities_go_from_the_branch_to_the_customer_and_back_as_numbers() {
    let care = Care::with_campaigns(20_000);
    let plan = care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    every_candidate_has_one_verdict(&plan);
    the_same_plan_adds_nothing(&care, &plan);
    let sent = care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    assert_eq!(sent["sent"], plan["added"], "{sent}");
    messages_are_fit_to_be_read(&care.outbox());
    what_was_sent_is_counted_once(&care);
    for (name, _) in ACTIVITIES {
        outcomes_are_recorded_once(&care, name);
        the_effect_is_measured(&care, name, activity(&plan, name));
    }
}

fn every_candidate_has_one_verdict(plan: &Value) {
    assert_eq!(plan["released"], true, "{plan}");
    assert_eq!((&plan["customers"], &plan["tasks_done"]), (&json!(20_000), &plan["tasks"]));
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    assert_eq!(activities(plan).len(), ACTIVITIES.len());
    for activity in activities(plan) {
        let selected = activity["selected"].as_u64().expect("a count");
        assert!(selected > 0, "nobody was selected: {activity}");
        assert_eq!(sum(&activity["verdicts"]), selected, "verdicts do not add up: {activity}");
        assert_eq!(activity["faults"], json!({}));
        for (verdict, count) in activity["verdicts"].as_object().expect("verdicts") {
            *totals.entry(verdict.clone()).or_default() += count.as_u64().expect("a count");
        }
    }
    assert_eq!(plan["totals"]["verdicts"], json!(totals));
    assert_eq!(plan["totals"]["candidates"], json!(totals.values().sum::<u64>()));
    assert!(["cleared", "control", "held", "lost"].iter().all(|v| totals.contains_key(*v)), "{totals:?}");
    let disaster = &activity(plan, "disaster-response")["verdicts"];
    assert_eq!(disaster.get("control"), None, "nobody in a disaster is held out for comparison");
    let messages: u64 = activities(plan).iter().map(|a| sum(&a["contacts"])).sum();
    assert_eq!(plan["added"], messages);
}

fn the_same_plan_adds_nothing(care: &Care, plan: &Value) {
    let mut again = care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    assert_eq!((&again["already_complete"], &again["added"]), (&json!(true), &json!(0)));
    again["already_complete"] = plan["already_complete"].clone();
    again["added"] = plan["added"].clone();
    assert_eq!(&again, plan);
}

fn messages_are_fit_to_be_read(lines: &[(String, Value)]) {
    let mut ids = BTreeSet::new();
    let mut channels = BTreeSet::new();
    for (folder, line) in lines {
        let said = line["text"].as_str().expect("a text");
        assert!(!said.trim().is_empty() && !said.contains('{'), "{line}");
        assert!(line["to"].as_str().is_some_and(|to| !to.is_empty()), "{line}");
        assert_eq!(line["channel"], *folder);
        assert!(ids.insert(line["contact"].to_string()), "contact {} stands twice", line["contact"]);
        channels.insert(folder.as_str());
        match line["campaign"].as_str() {
            Some("balance-reminder-1") => assert!(holds_an_amount(said), "no amount in {said}"),
            Some("points-expiry-1") => assert!(said.contains("2026"), "no day in {said}"),
            Some("disaster-response-1") => {
                assert!(["阿坝", "Aba"].iter().any(|a| said.contains(a)), "no area in {said}")
            }
            _ => {}
        }
        assert_eq!(line["action"].is_object(), folder == "action", "{line}");
    }
    assert_eq!(channels, BTreeSet::from(["action", "call-list", "sms", "touchpoint"]));
    let credit = |line: &Value| line["action"] == json!({"request": "credit-rating", "value": 9999});
    assert!(lines.iter().any(|(_, line)| credit(line)), "nobody's credit is raised");
}

/// Whether it holds yuan with two decimals.
fn holds_an_amount(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.windows(2).any(|pair| {
        let decimals = pair[1].chars().take_while(char::is_ascii_digit).count();
        pair[0].ends_with(|c: char| c.is_ascii_digit()) && decimals == 2
    })
}

fn what_was_sent_is_counted_once(care: &Care) {
    let again = care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    assert_eq!(
        again,
        json!({"again": 0, "cancelled": 0, "unknown": 0, "sent": 0, "failed": 0, "expired": 0, "resumed": 0, "later": 0, "held": 0})
    );
    let plan = care.ok(OPERATOR, &["plan", "show"]);
    let lines = care.outbox();
    for activity in activities(&plan) {
        let of_it = lines.iter().filter(|(_, line)| line["campaign"] == activity["campaign"]).count();
        assert_eq!(activity["contacts"], json!({"sent": of_it}), "{activity}");
    }
}

fn outcomes_are_recorded_once(care: &Care, name: &str) {
    let csv = text(&care.path(&format!("{name}.csv")));
    let campaign = format!("{name}-1");
    let made_up = care.ok(OPERATOR, &["outcome", "simulate", &campaign, "--from", EVENING, "--out", &csv]);
    let first = care.ok(OPERATOR, &["outcome", "import", &csv]);
    assert_eq!(first, json!({"added": made_up["lines"], "repeated": 0, "cancelled": 0, "rejected": []}));
    let second = care.ok(OPERATOR, &["outcome", "import", &csv]);
    assert_eq!(second, json!({"added": 0, "repeated": made_up["lines"], "cancelled": 0, "rejected": []}));
}

fn the_effect_is_measured(care: &Care, name: &str, activity: &Value) {
    let found = care.ok(OPERATOR, &["evaluate", &format!("{name}-1")]);
    let (treated, control) = (&found["treated"], &found["control"]);
    assert_eq!(treated["count"], activity["verdicts"]["cleared"], "{found}");
    assert_eq!(control["count"], activity["verdicts"].get("control").cloned().unwrap_or(json!(0)), "{found}");
    let arms = [(true, treated), (false, control)];
    for (is_treated, arm) in arms.into_iter().filter(|(_, arm)| arm["count"] != json!(0)) {
        let whole = |m: &&Value| m["name"] == "goal" && m["slice"] == "" && m["treated"] == is_treated;
        let metrics = found["plugin"].as_array().expect("the plugin's own numbers");
        let own = metrics.iter().find(whole).unwrap_or_else(|| panic!("the fold of {name} tells nothing: {found}"));
        assert_eq!(own["count"], arm["count"], "the plugin's own count differs: {found}");
        let mean = arm["sum"].as_f64().expect("a sum") / arm["count"].as_f64().expect("a count");
        assert!((own["mean"].as_f64().expect("a mean") - mean).abs() < 1e-9, "{found}");
    }
    let effect = &found["effect"];
    assert_eq!(effect.is_object(), control["count"].as_u64() >= Some(2), "{found}");
    if effect.is_object() {
        let figure = |value: &Value| value.as_f64().expect("a figure");
        let (low, high) = (figure(&effect["ci95"][0]), figure(&effect["ci95"][1]));
        assert!(low <= figure(&effect["difference"]) && figure(&effect["difference"]) <= high, "{effect}");
    }
}

#[test]
fn a_stopped_campaign_withdraws_what_waits_and_never_sends_it() {
    let care = Care::with_campaigns(20_000);
    let plan = care.ok(OPERATOR, &["plan", "run"]);
    let waiting = activity(&plan, "points-expiry")["contacts"]["released"].clone();
    let stopped = care.ok(OPERATOR, &["campaign", "stop", "points-expiry-1"]);
    assert_eq!(stopped, json!({"campaign": "points-expiry-1", "withdrawn": waiting}));
    for at in [EVENING, "2026-08-05T10:00:00+08:00"] {
        care.ok(OPERATOR, &["dispatch", "--at", at]);
    }
    let lines = care.outbox();
    assert!(!lines.is_empty(), "the other campaigns go on");
    assert!(lines.iter().all(|(_, line)| line["campaign"] != "points-expiry-1"));
    let plan = care.ok(OPERATOR, &["plan", "show"]);
    assert_eq!(activity(&plan, "points-expiry")["contacts"], json!({"withdrawn": waiting}));
    let next = care.ok(OPERATOR, &["plan", "run", "--wave", "2"]);
    assert!(activities(&next).iter().all(|a| a["name"] != "points-expiry"), "it takes part in no later plan");
    assert_eq!(care.refused(OPERATOR, &["campaign", "stop", "points-expiry-1"])["code"], "already-stopped");
}
