//! The province edits its policy, imports calendars, and lets the clock plan; all through the program.

use crate::care::{Care, OPERATOR, PROVINCE, activities, text};
use care_tests::{DATE, repository};
use serde_json::json;

const SECOND: &str = "second-approver";

#[test]
fn a_policy_is_edited_proposed_approved_compared_and_kept() {
    let care = Care::with_customers(300);
    let mut policy = care.ok(PROVINCE, &["policy", "show"]);
    policy["name"] = "one call a week".into();
    policy["caps"] = json!([{
        "name": "one-call-a-week", "contacts": 1, "window": {"rolling-days": 7}, "channels": ["call-list"],
    }]);
    policy["account_manager"] = json!({"tiers": ["diamond", "gold"], "classes": ["care"]});
    let file = care.file("policy.json", policy.to_string());
    let proposed = care.ok(PROVINCE, &["policy", "propose", &file, "--note", "fewer calls"]);
    let places: Vec<&str> =
        proposed["changes"].as_array().expect("changes").iter().filter_map(|c| c["place"].as_str()).collect();
    assert_eq!(places, ["account_manager.classes", "account_manager.tiers", "caps", "name"]);
    assert_eq!(care.refused(PROVINCE, &["policy", "approve", "2"])["code"], "four-eyes");
    care.ok(SECOND, &["policy", "approve", "2"]);
    assert_eq!(care.ok(PROVINCE, &["policy", "show"]), policy);
    assert_eq!(care.ok(PROVINCE, &["policy", "show", "1"])["name"], "default");
    let diff = care.ok(PROVINCE, &["policy", "diff", "2"]);
    assert_eq!((&diff["before"], diff["changes"].as_array().map(Vec::len)), (&json!(1), Some(4)));
    let history = care.ok(PROVINCE, &["policy", "history"]);
    let told: Vec<_> = history["policies"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|v| {
            (v["policy"].clone(), v["in_force"].clone(), v["author"]["person"].clone(), v["decider"]["person"].clone())
        })
        .collect();
    let line = |number: i64, in_force: bool, author: &str, decider: &str| {
        (json!(number), json!(in_force), json!(author), json!(decider))
    };
    assert_eq!(told, [line(2, true, PROVINCE, SECOND), line(1, false, "host", "host")]);
    policy["caps"][0]["categories"] = json!(["bills"]);
    policy["zones"] = json!({"*": "Asia/Nowhere"});
    let bad = care.file("bad.json", policy.to_string());
    let refused = care.refused(PROVINCE, &["policy", "propose", &bad]);
    assert_eq!(refused["findings"].as_array().map(Vec::len), Some(2), "{refused}");
    assert_eq!(care.refused(PROVINCE, &["policy", "show", "9"])["code"], "unknown-policy");
}

#[test]
fn published_calendars_are_imported_and_the_unpublished_year_is_refused() {
    let folder = repository().join("../shared/data/calendar/holiday-cn");
    if !folder.exists() {
        eprintln!("SKIPPED: no {}", folder.display());
        return;
    }
    let care = Care::with_customers(300);
    let year = |number: u16| text(&folder.join(format!("{number}.json")));
    let refused = care.refused(OPERATOR, &["calendar", "import", &year(2026), &year(2027)]);
    assert_eq!(refused["findings"][0]["code"], "empty-calendar", "{refused}");
    assert_eq!(care.ok(OPERATOR, &["calendar", "show"])["calendars"], json!([]), "both or none");
    let done = care.ok(OPERATOR, &["calendar", "import", &year(2025), &year(2026)]);
    let days: Vec<_> = done["calendars"].as_array().expect("years").iter().map(|y| y["days"].clone()).collect();
    assert_eq!(days, [33, 39]);
    assert_eq!(care.refused("auditor", &["calendar", "import", &year(2026)])["code"], "not-allowed");
}

#[test]
fn the_clock_plans_what_is_due_and_totals_end_in_final_verdicts() {
    let care = Care::with_campaigns(3_000);
    // The stories play at eight on the day on which the campaigns were started: they fire again tomorrow.
    assert_eq!(care.ok(OPERATOR, &["plan", "due"])["plans"], json!([]));
    let mut tomorrow = care.command();
    tomorrow.env("CARE_CLOCK", "2026-07-30T07:30:00+08:00").args(["--json", "plan", "due"]);
    let output = tomorrow.output().expect("care runs");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let plans = told["plans"].as_array().expect("plans");
    assert_eq!(plans.len(), 1, "{told}");
    let names: Vec<&str> = activities(&plans[0]).iter().filter_map(|a| a["name"].as_str()).collect();
    assert_eq!(
        names,
        ["balance-reminder", "birthday", "green-bill", "points-expiry"],
        "all that have a cron expression"
    );
    for activity in activities(&plans[0]) {
        let finals: u64 = activity["finals"].as_object().expect("verdicts").values().filter_map(|n| n.as_u64()).sum();
        assert_eq!(Some(finals), activity["selected"].as_u64(), "{activity}");
    }
    // By hand, the date's first wave is taken.
    let refused = care.refused(OPERATOR, &["plan", "run", "--date", "2026-07-30"]);
    assert_eq!(refused["code"], "wave-planned", "{refused}");
    assert_eq!(care.ok(OPERATOR, &["plan", "run", "--date", DATE])["wave"], 1);
}
