//! A campaign is estimated before it starts, begins with few of its customers, takes more by and by, and is held by the host
//! where customers complain.

use crate::care::{Care, OPERATOR, PROVINCE, activity};
use care_tests::{DATE, EVENING};
use serde_json::{Value, json};

const NIGHT: &str = "2026-07-29T21:00:00+08:00";
const NEXT: &str = "2026-07-30";
const ACTIVITY: &str = "points-expiry";

/// Candidates of a date's plan, and those whom the ramp leaves out of it.
fn planned(care: &Care, date: &str, wave: &str) -> (u64, u64) {
    let plan = care.ok(OPERATOR, &["plan", "run", "--date", date, "--wave", wave]);
    let told = activity(&plan, ACTIVITY);
    let selected = told["selected"].as_u64().expect("a count");
    (selected, told["verdicts"]["out-of-region"].as_u64().unwrap_or(0))
}

fn start(care: &Care, ramp: &[&str]) -> Value {
    let start: Vec<&str> = ["campaign", "start", ACTIVITY].into_iter().chain(ramp.iter().copied()).collect();
    care.ok(OPERATOR, &start)
}

#[test]
fn a_ramp_takes_more_of_the_same_customers_with_every_date_that_was_planned() {
    let care = Care::with_customers(6_000);
    care.approve(ACTIVITY);
    let estimate = care.ok(OPERATOR, &["campaign", "estimate", ACTIVITY])["estimate"].clone();
    assert_eq!(estimate["customers"], 6_000);
    assert_eq!(care.ok(OPERATOR, &["campaign", "show"])["campaigns"], json!([]), "nothing was started");
    for (bad, days) in [("10%,1%,100%", "1"), ("10%,50%", "1"), ("ten", "1"), ("10%,100%", "0")] {
        let args = ["campaign", "start", ACTIVITY, "--ramp", bad, "--ramp-days", days];
        let code = care.refused(OPERATOR, &args)["code"].clone();
        assert!(code == "bad-ramp" || code == "bad-ramp_days", "{bad}: {code}");
    }
    start(&care, &["--ramp", "10%,50%,100%"]);
    let ramp = json!({"shares": [1_000, 5_000, 10_000], "days": 1});
    assert_eq!(care.ok(OPERATOR, &["campaign", "show", "points-expiry-1"])["ramp"], ramp);

    let (selected, out) = planned(&care, DATE, "1");
    let first = care.ok(OPERATOR, &["plan", "show"])["plan"].as_str().expect("an id").to_owned();
    assert!(selected > 100 && out * 100 > selected * 80 && out < selected, "a tenth: {out} of {selected} left out");
    let verdicts: u64 = estimate["verdicts"].as_object().expect("verdicts").values().filter_map(Value::as_u64).sum();
    assert_eq!(verdicts, selected, "the estimate shows whom all steps reach");
    assert_eq!(planned(&care, DATE, "2"), (selected, out), "another wave of the date is the same step");
    let (selected, out) = planned(&care, NEXT, "1");
    assert!(out * 100 > selected * 35 && out * 100 < selected * 65, "half: {out} of {selected} left out");
    let (selected, out) = planned(&care, "2026-07-31", "1");
    assert!(selected > 0 && out == 0, "everybody: {out} of {selected} left out");
    // What was decided on a smaller share is decided so again.
    let replayed = care.ok("auditor", &["replay", &first]);
    assert!(replayed["tasks"].as_array().is_some_and(|tasks| tasks.iter().all(|task| task["same"] == true)));
}

#[test]
fn complaints_hold_a_ramp_before_its_next_step_until_somebody_lets_it_go_on() {
    let care = Care::with_customers(6_000);
    care.approve(ACTIVITY);
    start(&care, &["--ramp", "50%,100%"]);
    // The brake itself would hold it later.
    care.ok(PROVINCE, &["brake", "set", "--least", "100000"]);
    planned(&care, DATE, "1");
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let sent = care.outbox().into_iter().filter(|(_, line)| line["addressee"] == "customer");
    let sent: Vec<String> = sent.map(|(_, line)| line["customer"].as_str().expect("an id").to_owned()).collect();
    assert!(sent.len() >= 50, "{} messages", sent.len());
    let complain = |from: usize, to: usize| {
        let lines: String = sent[from..to].iter().map(|who| format!("{who},complained,{NIGHT}\n")).collect();
        let file = care.file(&format!("{from}.csv"), format!("customer,kind,at\n{lines}"));
        care.ok("customer-service", &["outcome", "import", &file]);
    };
    complain(0, sent.len() / 50);
    assert_eq!(care.refused(OPERATOR, &["plan", "run", "--date", NEXT])["code"], "nothing-due", "it is held");
    let held = care.ok("auditor", &["switch", "list"])["switches"][0].clone();
    assert_eq!((&held["target"], &held["person"]), (&json!("points-expiry-1"), &json!("host")), "{held}");
    let letter = care.ok(OPERATOR, &["notices"])["notices"][0].clone();
    assert!(letter["text"].as_str().is_some_and(|text| text.contains("complaints")), "{letter}");
    let again = care.refused(OPERATOR, &["plan", "run", "--date", NEXT]);
    assert_eq!(again["code"], "nothing-due");
    assert_eq!(care.ok(OPERATOR, &["notices"])["notices"].as_array().map(Vec::len), Some(1), "told once");

    let resume = ["--clock", "2026-07-30T10:00:00", "campaign", "resume", "points-expiry-1", "--reason", "asked them"];
    care.ok(OPERATOR, &resume);
    let (selected, out) = planned(&care, NEXT, "1");
    assert!(selected > 0 && out == 0, "what was known by then does not hold it again: {out} of {selected} left out");
    care.ok("auditor", &["audit", "verify"]);
}
