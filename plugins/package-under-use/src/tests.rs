use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::testing::said;
use serde_json::json;

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<PackageUnderUse>())
}

fn on(today: &str) -> PackageUnderUse {
    let today = Date::parse(today).expect("a date");
    let params = manifest_test::params(&manifest(), &json!({}));
    let run = Run { today, now: today.at(9) };
    PackageUnderUse::prepare(serde_json::from_value(params).expect("parameters"), (), run).expect("an activity")
}

fn left(minutes_left: i64, data_mb_left: i64) -> Target {
    Target { minutes_left, data_mb_left }
}

#[test]
fn two_hundred_and_eighty_six_minutes_on_the_29th_of_july_are_told() {
    let activity = on("2026-07-29");
    let chosen = activity.select(&left(286, 350)).expect("told");
    assert_eq!(chosen.occasion, 2026 * 12 + 6);
    let text = manifest_test::read(&manifest(), &said(&activity, &left(286, 350), Reason::LeftOver)[0], &Labels::new());
    assert!(text.iter().all(|body| body.zh.contains("286分钟") && body.zh.contains("350MB")), "{text:?}");
    assert!(text[0].zh.contains("2026年7月29日"), "{}", text[0].zh);
}

#[test]
fn only_the_last_three_days_of_a_month_count_in_months_of_any_length() {
    for (day, told) in [
        ("2026-07-27", false),
        ("2026-07-28", true),
        ("2026-07-31", true),
        ("2026-08-01", false),
        ("2026-02-24", false),
        ("2026-02-25", true),
        ("2028-02-25", false),
        ("2028-02-26", true),
        ("2026-12-31", true),
    ] {
        assert_eq!(on(day).select(&left(286, 350)).is_some(), told, "{day}");
    }
}

#[test]
fn too_little_of_both_is_not_worth_a_message_and_much_of_one_is() {
    let told = |minutes, megabytes| on("2026-07-29").select(&left(minutes, megabytes)).is_some();
    assert!(!told(59, 99) && !told(0, 0) && !told(-5, -5));
    assert!(told(60, 0) && told(0, 100));
}

#[test]
fn the_message_is_dropped_with_the_month() {
    let activity = on("2026-07-29");
    let end = Date::parse("2026-07-31").expect("a date").end();
    assert_eq!(activity.schedule(&(), Reason::LeftOver).not_after, end);
}
