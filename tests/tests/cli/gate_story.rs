//! The gate as people meet it, by the program alone: an author, a city, the province, a duty officer and an operator take
//! an activity from its canary to its end, prepare for an emergency, and somebody tries to cheat.

use crate::care::{AUTHOR, CARE, Care, OPERATOR, PROVINCE, activity, text};
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_tests::{plugin, tamper};
use serde_json::Value;

const CITY_AUTHOR: &str = "city-author";
const DUTY: &str = "duty-officer";

/// Pushes the birthday activity in a version; the number of its submission.
fn push(care: &Care, version: &str) -> String {
    let component = std::fs::read(plugin("birthday")).expect("a plugin");
    let manifest = manifest_bytes(&component).expect("a component").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["version"] = version.into();
    let component = with_manifest(&component, &serde_json::to_vec(&manifest).expect("JSON")).expect("a component");
    let file = care.file(&format!("birthday-{version}.wasm"), component);
    care.ok(AUTHOR, &["plugin", "push", &file, "--key", &care.key()])["submission"].to_string()
}

fn approve(care: &Care, number: &str, conditions: &[&str]) {
    care.ok(PROVINCE, &[&["submission", "simulate", number], conditions].concat());
    care.ok(PROVINCE, &[&["submission", "approve", number, "--tick", CARE], conditions].concat());
}

/// Runs a wave of the day; how many contacts each campaign got.
fn wave(care: &Care, number: u32) -> Value {
    care.ok(OPERATOR, &["plan", "run", "--wave", &number.to_string()])
}

fn added(plan: &Value) -> u64 {
    plan["added"].as_u64().expect("a count")
}

#[test]
fn from_a_canary_to_a_withdrawal_with_a_variant_an_emergency_and_a_cheat() {
    let care = Care::with_customers(20_000);
    let first = push(&care, "1.0.0");
    approve(&care, &first, &["--share", "10%"]);
    care.ok(OPERATOR, &["campaign", "start", "birthday"]);
    let canary = added(&wave(&care, 1));
    // The second version is for everybody, and a rollback is a re-point.
    let second = push(&care, "1.1.0");
    let shown = care.ok(PROVINCE, &["submission", "show", &second]);
    assert_eq!(shown["changes"]["since"], "1.0.0");
    approve(&care, &second, &[]);
    care.ok(OPERATOR, &["campaign", "repoint", "birthday-1", "--version", "=1.1.0"]);
    let whole = added(&wave(&care, 2));
    assert!(canary > 0 && whole > 3 * canary, "{canary} then {whole}");
    let back = care.ok(OPERATOR, &["campaign", "repoint", "birthday-1", "--version", "=1.0.0"]);
    assert_eq!(back["version"], "1.0.0");
    a_city_says_it_in_its_own_words(&care);
    an_emergency_is_answered_in_minutes(&care);
    nothing_of_what_is_withdrawn_goes_out(&care, &first, &second);
    nobody_cheats(&care);
}

fn a_city_says_it_in_its_own_words(care: &Care) {
    let example = text(&care_tests::repository().join("examples/variant.toml"));
    let stranger = care.refused(OPERATOR, &["variant", "propose", &example]);
    assert_eq!(stranger["code"], "not-allowed");
    let typo = std::fs::read_to_string(&example).expect("the example").replace("send_hour", "sent_hour");
    let refused = care.refused(CITY_AUTHOR, &["variant", "propose", &care.file("typo.toml", typo)]);
    assert_eq!(refused["findings"][0]["code"], "variant-param");
    assert!(refused["findings"][0]["hint"].as_str().is_some_and(|hint| hint.contains("send_hour")), "{refused}");
    let proposed = care.ok(CITY_AUTHOR, &["variant", "propose", &example]);
    assert_eq!(proposed["version"], "1.0.0+xiamen");
    let number = proposed["submission"].to_string();
    care.ok("city-reviewer", &["submission", "review", &number, "--note", "warmer"]);
    let beyond = care.refused(PROVINCE, &["submission", "simulate", &number, "--share", "50%"]);
    assert_eq!(beyond["code"], "bad-condition", "its base is a canary");
    approve(care, &number, &[]);
    let started = care.ok(OPERATOR, &["campaign", "start", "birthday", "--variant", "xiamen"]);
    assert_eq!(started["version"], "1.0.0+xiamen");
    let plan = wave(care, 3);
    assert_eq!(added(&plan), 0, "whoever was wished well is not wished well again: {plan}");
}

fn an_emergency_is_answered_in_minutes(care: &Care) {
    let number = care.push("disaster-response");
    let ahead = ["--standby-areas", "510000", "--standby-days", "30", "--requests", "credit-rating"];
    approve(care, &number, &ahead);
    let ordinary = care.refused(OPERATOR, &["campaign", "start", "disaster-response"]);
    assert_eq!(ordinary["code"], "on-standby");
    let areas = |areas: &'static str| {
        let dates = ["--from", "2026-07-29", "--until", "2026-08-10", "--param", "onset=2026-07-28"];
        let what = ["standby", "activate", "disaster-response", "--areas", areas, "--reason", "earthquake"];
        [&what[..], &dates[..]].concat()
    };
    assert_eq!(care.refused(DUTY, &areas("620000"))["code"], "out-of-bounds");
    let campaign = care.ok(DUTY, &areas("513200"))["campaign"].as_str().expect("a campaign").to_owned();
    let plan = wave(care, 4);
    assert!(added(&plan) > 0 && activity(&plan, "disaster-response")["campaign"] == campaign.as_str(), "{plan}");
    let listed = care.ok("auditor", &["standby", "list"]);
    assert_eq!(
        (&listed["activations"][0]["review"]["review"], &listed["activations"][0]["overdue"]),
        (&"due".into(), &false.into())
    );
    assert_eq!(care.refused(DUTY, &["standby", "review", &campaign, "--reason", "fine"])["code"], "not-allowed");
    care.ok(PROVINCE, &["standby", "review", &campaign, "--reason", "it was right"]);
}

fn nothing_of_what_is_withdrawn_goes_out(care: &Care, first: &str, second: &str) {
    for number in [first, second] {
        let ended = care.ok(PROVINCE, &["submission", "withdraw", number, "--reason", "the wish was misread"]);
        assert!(ended["withdrawn"].as_u64().is_some_and(|n| n > 0), "{ended}");
    }
    care.ok(OPERATOR, &["dispatch", "--at", "2026-07-29T20:30:00"]);
    let sent = care.outbox();
    assert!(!sent.is_empty() && sent.iter().all(|(_, line)| line["campaign"] == "disaster-response-1"));
    assert!(sent.iter().all(|(_, line)| line["action"]["request"] != "fee-waiver"), "it was not granted");
}

fn nobody_cheats(care: &Care) {
    let head = care.ok("auditor", &["audit", "verify"])["head"].as_str().expect("a head").to_owned();
    let cheated = care.copy("cheated");
    let more = "UPDATE submissions SET approval = json_set(approval, '$.cap.contacts', 99) WHERE approval IS NOT NULL";
    tamper(cheated.data(), more);
    let refused = cheated.refused(OPERATOR, &["plan", "run", "--wave", "5"]);
    assert_eq!(refused["findings"][0]["code"], "approval-unsound", "{refused}");
    let blamed = care.copy("blamed");
    tamper(blamed.data(), "UPDATE audit SET entry = json_set(entry, '$.person', 'city-author') WHERE number = 20");
    let refused = blamed.refused("auditor", &["audit", "verify", "--expect", &head]);
    assert!(refused["message"].as_str().is_some_and(|message| message.contains("20")), "{refused}");
    care.ok("auditor", &["audit", "verify", "--expect", &head]);
}
