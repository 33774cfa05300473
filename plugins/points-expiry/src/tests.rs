use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::testing::said;
use serde_json::{Value, json};

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<PointsExpiry>())
}

fn today() -> Date {
    Date::parse("2026-07-29").expect("a date")
}

fn with(given: Value) -> PointsExpiry {
    let params = serde_json::from_value(manifest_test::params(&manifest(), &given)).expect("parameters");
    PointsExpiry::prepare(params, (), Run { today: today(), now: today().at(7) }).expect("an activity")
}

fn target(left: i32) -> Target {
    Target { points_expiring: 1_280, points_expire_on: today().plus(left), points_redeemed_on: None }
}

/// Which reminder is chosen with so many days left.
fn reminder(activity: &PointsExpiry, left: i32) -> Option<i64> {
    let selected = activity.select(&target(left))?;
    Some(selected.occasion - i64::from(today().plus(left).0) * 1_000)
}

#[test]
fn reminders_are_due_60_30_and_7_days_before_the_expiry() {
    let activity = with(json!({}));
    assert_eq!([60, 30, 7].map(|left| reminder(&activity, left)), [Some(60), Some(30), Some(7)]);
    assert_eq!([61, 365, -1, -30].map(|left| reminder(&activity, left)), [None; 4]);
}

#[test]
fn a_missed_day_is_caught_up_until_the_next_reminder_is_due() {
    let activity = with(json!({}));
    assert_eq!([59, 31, 29, 8, 6, 0].map(|left| reminder(&activity, left)), [60, 60, 30, 30, 7, 7].map(Some));
}

#[test]
fn each_reminder_of_each_expiry_is_one_occasion() {
    let activity = with(json!({}));
    let tomorrow = PointsExpiry { run: Run { today: today().plus(1), now: today().at(30) }, ..with(json!({})) };
    let occasion = |activity: &PointsExpiry, left| activity.select(&target(left)).map(|s| s.occasion);
    assert_eq!(occasion(&activity, 20), occasion(&tomorrow, 20), "the same reminder on the next day");
    let mut all: Vec<_> = (0..=60).map(|left| activity.select(&target(left)).map(|s| s.occasion)).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 61, "another day of expiry is another occasion");
}

#[test]
fn the_days_of_the_reminders_are_a_parameter_in_any_order() {
    let activity = with(json!({"reminders": [3, 14]}));
    assert_eq!([15, 14, 4, 3].map(|left| reminder(&activity, left)), [None, Some(14), Some(14), Some(3)]);
    let none = Params { reminders: vec![], floor: 0, redeem_at: "hotline".into() };
    assert!(PointsExpiry::prepare(none, (), with(json!({})).run).is_err_and(|e| e.contains("reminders")));
}

#[test]
fn after_a_redemption_nobody_is_reminded() {
    let activity = with(json!({}));
    let redeemed = |before_expiry: i32| {
        let who = target(7);
        let on = who.points_expire_on.plus(-before_expiry);
        activity.select(&Target { points_redeemed_on: Some(on), ..who }).is_some()
    };
    assert!(!redeemed(8));
    assert!(!redeemed(60), "on the day of the first reminder");
    assert!(redeemed(61), "before it, for other points");
}

#[test]
fn below_the_floor_it_is_not_worth_a_message() {
    let points = |points, given| with(given).select(&Target { points_expiring: points, ..target(7) }).is_some();
    assert!(points(500, json!({})));
    assert!(!points(499, json!({})));
    assert!(points(1, json!({"floor": 1})));
}

#[test]
fn a_reminder_is_dropped_when_the_next_is_due_and_the_last_after_the_expiry() {
    let activity = with(json!({}));
    let dropped_after =
        |left| activity.schedule(&Timing { points_expire_on: today().plus(left) }, Reason::Expiring).not_after;
    assert_eq!(dropped_after(60), today().plus(60 - 31).end());
    assert_eq!(dropped_after(30), today().plus(30 - 8).end());
    assert_eq!(dropped_after(7), today().plus(7).end());
    assert_eq!(dropped_after(0), today().end());
}

#[test]
fn the_nearer_the_expiry_the_more_urgent() {
    let activity = with(json!({}));
    let scores: Vec<f32> = (0..=60).rev().filter_map(|left| activity.select(&target(left))).map(|s| s.score).collect();
    assert!(scores.is_sorted() && scores.iter().all(|s| (0.0..=1.0).contains(s)));
    assert_eq!((scores.len(), scores.last()), (61, Some(&1.0)));
}

#[test]
fn the_message_tells_how_many_points_lapse_when_and_how_to_redeem_them() {
    let manifest = manifest();
    let who = Content { points_expiring: 1_280, points_expire_on: today().plus(30) };
    for way in ["online", "hotline", "store"] {
        let messages = said(&with(json!({"redeem_at": way})), &who, Reason::Expiring);
        let read = &manifest_test::read(&manifest, &messages[0], &Labels::new())[0];
        assert!(read.zh.contains("1280分") && read.zh.contains("2026年8月28日"), "{read:?}");
        assert!(read.en.contains("1280 points") && read.en.contains("28 August 2026"), "{read:?}");
    }
}
