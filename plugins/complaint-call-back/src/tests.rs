use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::Date;
use care_sdk::testing::said;
use serde_json::json;

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<ComplaintCallBack>())
}

fn run() -> Run {
    let today = Date::parse("2026-07-29").expect("a date");
    Run { today, now: today.at(10) }
}

fn activity() -> ComplaintCallBack {
    let params = manifest_test::params(&manifest(), &json!({}));
    ComplaintCallBack::prepare(serde_json::from_value(params).expect("parameters"), (), run()).expect("an activity")
}

fn ago(hours: i64) -> Option<Instant> {
    Some(Instant(run().now.0 - hours * HOUR_MS))
}

#[test]
fn a_closed_complaint_is_called_back_once_within_two_days() {
    let closed = Target { event: Some(Event::ComplaintClosed), closed_at: ago(1), planned_at: None, outcome: None };
    let chosen = activity().select(&closed).expect("a call");
    assert_eq!((chosen.reason, Some(Instant(chosen.occasion))), (Reason::Closed, ago(1)));
    let moments = activity().schedule(&Moment { closed_at: ago(1) }, Reason::Closed);
    assert_eq!(moments, Moments { not_before: run().now, not_after: Instant(run().now.0 + 47 * HOUR_MS) });
    assert_eq!(activity().select(&Target { event: Some(Event::Other), ..closed }), None);
}

#[test]
fn a_call_without_an_outcome_is_escalated_after_the_deadline_and_one_with_it_is_not() {
    let night = |hours, outcome: Option<&str>| {
        let who = Target { event: None, closed_at: None, planned_at: ago(hours), outcome: outcome.map(Into::into) };
        activity().select(&who).map(|chosen| chosen.reason)
    };
    assert_eq!(night(48, None), None);
    assert_eq!(night(49, None), Some(Reason::Late));
    assert_eq!(night(49, Some("satisfied")), None);
    assert_eq!(night(400, None), Some(Reason::Late));
    let never = Target { event: None, closed_at: None, planned_at: None, outcome: None };
    assert_eq!(activity().select(&never), None);
}

#[test]
fn the_agent_reads_what_it_was_about_and_the_supervisor_when_it_was_planned() {
    let read = |who: &Content, reason| {
        manifest_test::read(&manifest(), &said(&activity(), who, reason)[0], &Labels::new()).remove(0)
    };
    let about = |kind: Option<&str>| Content { kind: kind.map(Into::into), planned_at: ago(60) };
    assert!(read(&about(Some("bill")), Reason::Closed).zh.contains("话费问题"));
    assert!(read(&about(Some("something new")), Reason::Closed).zh.contains("相关问题"));
    assert!(read(&about(None), Reason::Late).zh.contains("2026年7月26日"));
}
