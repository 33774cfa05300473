use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::Date;
use care_sdk::testing::said;
use serde_json::json;

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<RoamingTariff>())
}

fn run() -> Run {
    let today = Date::parse("2026-07-29").expect("a date");
    Run { today, now: today.at(10) }
}

fn activity() -> RoamingTariff {
    let params = manifest_test::params(&manifest(), &json!({}));
    RoamingTariff::prepare(serde_json::from_value(params).expect("parameters"), (), run()).expect("an activity")
}

/// At home in 厦门, asked at night: no event.
fn at_home() -> Target {
    Target {
        home_adcode: "350200".into(),
        uses_12593: Some(false),
        roaming_minutes: Some(0),
        event: None,
        event_at: None,
        stay: None,
        visited: None,
        told_at: None,
    }
}

fn arrives(adcode: &str, stay: Instant) -> Target {
    Target {
        event: Some(Event::RoamingEntered),
        event_at: Some(run().now),
        stay: Some(stay),
        visited: Some(adcode.into()),
        ..at_home()
    }
}

#[test]
fn who_roams_under_ten_minutes_and_never_used_it_is_held_back_by_the_price() {
    let told = |minutes, uses| {
        activity().select(&Target { roaming_minutes: minutes, uses_12593: uses, ..at_home() }).map(|s| s.reason)
    };
    assert_eq!(told(Some(9), Some(false)), Some(Reason::Suppressed));
    assert_eq!(told(Some(1), Some(false)), Some(Reason::Suppressed));
    for (minutes, uses) in
        [(Some(10), Some(false)), (Some(0), Some(false)), (None, Some(false)), (Some(9), Some(true)), (Some(9), None)]
    {
        assert_eq!(told(minutes, uses), None, "{minutes:?} {uses:?}");
    }
}

#[test]
fn an_arrival_is_told_once_a_stay_and_knows_province_from_city() {
    let stay = Instant(run().now.0 - 3 * HOUR_MS);
    let chosen = |adcode| activity().select(&arrives(adcode, stay)).map(|s| (s.reason, s.occasion));
    assert_eq!(chosen("110000"), Some((Reason::OtherProvince, stay.0)));
    assert_eq!(chosen("350100"), Some((Reason::OtherCity, stay.0)));
    assert_eq!(chosen("350203"), None, "a county of the home city");
    assert_eq!(activity().select(&Target { uses_12593: Some(true), ..arrives("110000", stay) }), None);
    assert_eq!(activity().select(&Target { stay: None, ..arrives("110000", stay) }), None);
}

#[test]
fn dialling_is_told_once_in_ninety_days() {
    let dials = |told_days_ago: Option<i64>| Target {
        event: Some(Event::LongDistanceDialled),
        event_at: Some(run().now),
        told_at: told_days_ago.map(|days| Instant(run().now.0 - days * DAY_MS)),
        ..at_home()
    };
    let told = |days| activity().select(&dials(days)).map(|s| s.reason);
    assert_eq!(told(None), Some(Reason::Dialled));
    assert_eq!(told(Some(89)), None);
    assert_eq!(told(Some(90)), Some(Reason::Dialled));
}

#[test]
fn an_event_is_worth_six_hours_and_the_static_message_a_week() {
    let at = Instant(run().now.0 - HOUR_MS);
    let moments = activity().schedule(&Moment { event_at: Some(at) }, Reason::OtherCity);
    assert_eq!(moments, Moments { not_before: at, not_after: Instant(at.0 + 6 * HOUR_MS) });
    let week = activity().schedule(&Moment { event_at: None }, Reason::Suppressed);
    assert_eq!(week, Moments { not_before: run().now, not_after: run().today.plus(7).end() });
}

#[test]
fn the_message_names_the_price_of_a_minute() {
    let read = |reason| {
        let messages = said(&activity(), &(), reason);
        manifest_test::read(&manifest(), &messages[0], &Labels::new()).remove(0)
    };
    for reason in [Reason::OtherProvince, Reason::OtherCity, Reason::Dialled, Reason::Suppressed] {
        let text = read(reason);
        assert!(text.zh.contains("12593") && text.zh.contains("0.30元"), "{}", text.zh);
        assert!(text.en.contains("0.30 yuan"), "{}", text.en);
    }
}
