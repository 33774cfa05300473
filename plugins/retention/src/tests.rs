use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::Date;
use care_sdk::testing::said;
use serde_json::json;

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<Retention>())
}

fn run() -> Run {
    let today = Date::parse("2026-07-29").expect("a date");
    Run { today, now: today.at(10) }
}

fn activity() -> Retention {
    let params = manifest_test::params(&manifest(), &json!({}));
    Retention::prepare(serde_json::from_value(params).expect("parameters"), (), run()).expect("an activity")
}

fn quiet() -> Target {
    Target { arpu: Fen(4_999), tenure_months: 30, life_stage: Some(LifeStage::Decline), event: None, topic: None }
}

fn reason(who: &Target) -> Option<Reason> {
    activity().select(who).map(|chosen| chosen.reason)
}

#[test]
fn in_decline_and_below_fifty_yuan_a_customer_is_called() {
    assert_eq!(reason(&quiet()), Some(Reason::AboutToGo));
    assert_eq!(reason(&Target { arpu: Fen(5_000), ..quiet() }), None);
    assert_eq!(reason(&Target { life_stage: Some(LifeStage::Other), ..quiet() }), None);
    assert_eq!(reason(&Target { life_stage: None, ..quiet() }), None);
    assert_eq!(reason(&Target { tenure_months: 5, ..quiet() }), None);
}

#[test]
fn whoever_wants_to_leave_is_spoken_to_whatever_they_bring_in() {
    let rich = Target { arpu: Fen(90_000), life_stage: None, ..quiet() };
    assert_eq!(reason(&Target { topic: Some(Topic::Cancel), ..rich }), Some(Reason::WantsToLeave));
    assert_eq!(reason(&Target { topic: Some(Topic::Other), ..quiet() }), None, "another topic at the desk");
}

#[test]
fn a_closed_complaint_is_followed_by_a_call_and_all_three_ways_share_the_quarter() {
    let closed = Target { event: Some(Event::ComplaintClosed), ..quiet() };
    assert_eq!(reason(&closed), Some(Reason::AfterComplaint));
    assert_eq!(reason(&Target { event: Some(Event::Other), ..quiet() }), None);
    let occasion = |who: &Target| activity().select(who).map(|chosen| chosen.occasion);
    let leaves = Target { topic: Some(Topic::Cancel), ..quiet() };
    assert_eq!([occasion(&closed), occasion(&leaves), occasion(&quiet())], [Some(2026 * 4 + 2); 3]);
}

#[test]
fn what_is_offered_takes_cost_off_and_the_desk_may_open_a_task() {
    let content = |arpu, surfs| Content { arpu: Fen(arpu), tenure_months: 30, data_mb_m1: surfs };
    let words = |who: &Content, reason| -> Vec<String> {
        let messages = said(&activity(), who, reason);
        messages.iter().map(|m| manifest_test::read(&manifest(), m, &Labels::new()).remove(0).zh).collect()
    };
    assert!(words(&content(9_000, Some(500)), Reason::AboutToGo)[0].contains("1GB"));
    assert!(words(&content(2_000, None), Reason::AfterComplaint)[0].contains("更低月费"));
    let desk = words(&content(9_000, Some(10)), Reason::WantsToLeave);
    assert!(desk.len() == 2 && desk.iter().all(|text| text.contains("八折")), "{desk:?}");
}
