use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_domain::text::Bilingual;
use care_sdk::batch;
use care_sdk::testing::{Bench, Said, said};
use serde_json::{Value, json};

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<DisasterResponse>())
}

fn date(text: &str) -> Date {
    Date::parse(text).expect("a date")
}

fn params(given: &Value) -> Result<Params, serde_json::Error> {
    serde_json::from_value(manifest_test::params(&manifest(), given))
}

/// Wenchuan, with 阿坝 as the area.
fn on(today: &str) -> DisasterResponse {
    with(today, &json!({"onset": "2008-05-12"}), &["513200"])
}

fn with(today: &str, given: &Value, areas: &[&str]) -> DisasterResponse {
    let run = Run { today: date(today), now: date(today).at(9) };
    let areas = areas.iter().map(|key| Area { key: (*key).into() }).collect();
    DisasterResponse::prepare(params(given).expect("parameters"), areas, run).expect("an activity")
}

fn customer(place: &str) -> Customer {
    Customer {
        visited_adcode: place.into(),
        close_contacts: Some(3),
        is_rescuer: None,
        is_named: None,
        last_outcome: None,
        last_contact_at: None,
    }
}

fn after(outcome: Outcome, contacted: &str) -> Customer {
    Customer { last_outcome: Some(outcome), last_contact_at: Some(date(contacted).at(10)), ..customer("513221") }
}

fn phase(activity: &DisasterResponse, who: &Customer) -> Option<Phase> {
    activity.select(who).map(|selected| selected.reason)
}

/// The templates said to a customer; several messages of one template are counted.
fn actions(activity: &DisasterResponse, who: &Customer) -> Vec<(&'static str, usize)> {
    let said = said(activity, who, Phase::Rescue);
    let templates: Vec<_> = said.iter().map(|s| s.template).collect();
    templates.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

#[test]
fn phases_are_half_open() {
    let who = customer("513221");
    let days = [
        "2008-05-11",
        "2008-05-12",
        "2008-05-15",
        "2008-05-16",
        "2008-05-31",
        "2008-06-01",
        "2008-09-30",
        "2008-10-01",
    ];
    let phases = days.map(|day| phase(&on(day), &who));
    let (rescue, assurance, relief) = (Some(Phase::Rescue), Some(Phase::Assurance), Some(Phase::Relief));
    assert_eq!(phases, [None, rescue, rescue, assurance, assurance, relief, relief, None]);
}

#[test]
fn the_occasion_is_the_first_day_of_the_phase() {
    let occasion = |day| on(day).select(&customer("513221")).map(|s| s.occasion);
    let first_day = |text| Some(i64::from(date(text).0));
    assert_eq!(occasion("2008-05-15"), first_day("2008-05-12"));
    assert_eq!(occasion("2008-05-16"), first_day("2008-05-16"));
    assert_eq!(occasion("2008-07-29"), first_day("2008-06-01"));
}

#[test]
fn targets_are_in_the_area_and_an_areas_code_covers_what_lies_in_it() {
    let covers = |area, place| phase(&with("2008-05-13", &json!({}), &[area]), &customer(place)).is_some();
    assert!(["513200", "513221", "513222"].iter().all(|place| covers("513200", place)));
    assert!(["513300", "510100", "350200", "51"].iter().all(|place| !covers("513200", place)));
    assert!(["510000", "513221", "510100"].iter().all(|place| covers("510000", place)));
    assert!(!covers("510000", "350200"));
    assert!(covers("513221", "513221") && !covers("513221", "513222"));
    assert!(!covers("513221", "513200"), "somewhere in the prefecture is not known to be in the county");
    assert!(!covers("", "513221") && !covers("0000", "513221"), "a broken code covers nobody");
    assert!(!covers("610000", "513221"));
}

#[test]
fn of_several_areas_the_smallest_is_named() {
    let activity = with("2008-05-13", &json!({}), &["510000", "513221", "513200"]);
    let area = |place| activity.area_around(place).map(|area| area.key.as_str());
    assert_eq!([area("513221"), area("513222"), area("510100")], [Some("513221"), Some("513200"), Some("510000")]);
}

#[test]
fn each_phase_does_what_the_table_says() {
    let who = customer("513221");
    assert_eq!(
        actions(&on("2008-05-12"), &who),
        [("call-customer", 1), ("call-close-contacts", 3), ("credit-rating", 1)]
    );
    assert_eq!(actions(&on("2008-05-16"), &who), [("message-customer", 1), ("credit-rating", 1)]);
    assert_eq!(actions(&on("2008-06-01"), &who), [("message-customer", 1), ("credit-rating", 1), ("fee-waiver", 1)]);
}

#[test]
fn at_most_five_close_contacts_are_called() {
    let calls = |close_contacts| {
        let who = Customer { close_contacts, ..customer("513221") };
        actions(&on("2008-05-12"), &who).into_iter().find(|(name, _)| *name == "call-close-contacts").map(|(_, n)| n)
    };
    assert_eq!([Some(9), Some(5), Some(1), Some(0), None].map(calls), [Some(5), Some(5), Some(1), None, None]);
}

#[test]
fn only_the_calls_are_repeated_while_a_customer_is_unreachable() {
    let activity = on("2008-05-14");
    let again = after(Outcome::Unreachable, "2008-05-13");
    assert_eq!(phase(&activity, &again), Some(Phase::Rescue));
    assert_eq!(actions(&activity, &again), [("call-customer", 1), ("call-close-contacts", 3)]);
    let unanswered = Customer { last_outcome: None, ..again };
    assert_eq!(phase(&activity, &unanswered), Some(Phase::Rescue));
}

#[test]
fn whose_fate_is_known_is_not_called_again() {
    for outcome in [Outcome::Safe, Outcome::PossiblyMissing, Outcome::Deceased] {
        assert_eq!(phase(&on("2008-05-14"), &after(outcome, "2008-05-13")), None, "{outcome:?}");
    }
}

#[test]
fn a_later_phase_does_once_for_the_safe_and_the_missing_what_helps_them() {
    let relief = on("2008-06-02");
    let of = |outcome| actions(&relief, &after(outcome, "2008-05-13"));
    assert_eq!(of(Outcome::Safe), [("message-customer", 1), ("credit-rating", 1), ("fee-waiver", 1)]);
    assert_eq!(of(Outcome::PossiblyMissing), [("credit-rating", 1), ("fee-waiver", 1)]);
    assert_eq!(of(Outcome::Deceased), []);
    assert_eq!(phase(&relief, &after(Outcome::Deceased, "2008-05-13")), None);
    assert_eq!(phase(&relief, &after(Outcome::Safe, "2008-06-01")), None, "done in this phase");
}

#[test]
fn an_earlier_disaster_says_nothing_about_this_one_unless_it_was_fatal() {
    let activity = on("2008-05-13");
    assert_eq!(actions(&activity, &after(Outcome::Safe, "2008-02-01")).first(), Some(&("call-customer", 1)));
    assert_eq!(phase(&activity, &after(Outcome::Deceased, "2008-02-01")), None);
}

#[test]
fn the_province_can_change_the_table() {
    let phases = json!({"phases": {
        "rescue": {"from_day": 0, "until_day": 1, "actions": ["fee-waiver"]},
        "assurance": {"from_day": 1, "until_day": 2, "actions": []},
        "relief": {"from_day": 5, "until_day": 6, "actions": ["call-customer"]},
    }});
    let at = |day| with(day, &phases, &["513200"]);
    assert_eq!(actions(&at("2008-05-12"), &customer("513221")), [("fee-waiver", 1)]);
    assert_eq!(phase(&at("2008-05-13"), &customer("513221")), None, "a phase in which nothing is done");
    assert_eq!(phase(&at("2008-05-15"), &customer("513221")), None, "between two phases");
    assert_eq!(phase(&at("2008-05-17"), &customer("513221")), Some(Phase::Relief));
}

#[test]
fn a_phase_that_never_is_and_a_date_that_is_none_are_refused() {
    let mut given = manifest_test::params(&manifest(), &json!({}));
    given["phases"]["relief"]["until_day"] = json!(20);
    let run = Run { today: date("2008-05-12"), now: Instant(0) };
    let refused = DisasterResponse::prepare(params(&given).expect("parameters"), vec![], run);
    assert!(refused.is_err_and(|e| e.contains("\"relief\"")));
    assert!(params(&json!({"onset": "2008-02-30"})).is_err_and(|e| e.to_string().contains("2008-02-30")));
}

#[test]
fn a_contact_is_useful_until_the_phase_ends() {
    let expected = Moments { not_before: date("2008-05-13").at(9), not_after: date("2008-05-15").end() };
    assert_eq!(on("2008-05-13").schedule(&(), Phase::Rescue), expected);
}

#[test]
fn every_action_reads_well_and_every_phase_allows_all_of_them() {
    let manifest = manifest();
    let wenchuan = Bilingual { zh: "汶川县".into(), en: "Wenchuan".into() };
    let labels = Labels::from([("disaster-areas".into(), [("513221".into(), wenchuan)].into())]);
    for action in Action::NAMES {
        let message = Said { template: action, slots: vec![("area", "513221".into())] };
        for read in manifest_test::read(&manifest, &message, &labels) {
            assert!(read.zh.contains("汶川县") && read.en.contains("Wenchuan"), "{read:?}");
        }
    }
    for reason in &manifest.reasons {
        assert_eq!(reason.templates, Action::NAMES);
        let most = Action::NAMES.len() - 1 + CLOSE_CONTACTS as usize;
        assert_eq!(usize::from(reason.max_messages), most);
    }
}

#[test]
fn a_batch_is_chosen_by_where_customers_are() {
    let today = date("2008-05-13");
    let params = manifest_test::params(&manifest(), &json!({}));
    let bench = Bench::new(Run { today, now: today.at(9) }, &params)
        .text("disaster-areas", "key", [Some("513200")])
        .category("customers", "visited-adcode", [Some("513221"), Some("350200"), None, Some("513200")])
        .s32("customers", "close-contacts", [Some(2), Some(2), Some(2), None])
        .boolean("customers", "list.rescuers", [Some(false); 4])
        .boolean("customers", "list.disaster-customers", [None; 4])
        .category("customers", "own.last-outcome", [Some("unreachable"), None, None, Some("safe")])
        .s64("customers", "own.last-contact-at", [Some(today.at(8).0), None, None, Some(today.at(8).0)]);
    let chosen = batch::select::<DisasterResponse>(&bench).expect("a selection");
    assert_eq!((chosen.rows, chosen.reasons), (vec![0], vec![Phase::Rescue.index()]));
}

#[test]
fn rescuers_and_named_customers_are_meant_wherever_they_were_seen_last() {
    let elsewhere = || customer("350200");
    let rescuer = Customer { is_rescuer: Some(true), ..elsewhere() };
    let named = Customer { is_named: Some(true), ..elsewhere() };
    let off = Customer { is_rescuer: Some(false), is_named: Some(false), ..elsewhere() };
    let activity = with("2008-05-12", &json!({"onset": "2008-05-12", "area": "513200"}), &["513200"]);
    let meant = [&rescuer, &named, &off, &elsewhere()].map(|who| phase(&activity, who).is_some());
    assert_eq!(meant, [true, true, false, false]);
    assert_eq!(actions(&activity, &rescuer), actions(&activity, &customer("513221")), "they are cared for alike");
    assert_eq!(phase(&on("2008-05-12"), &rescuer), None, "nobody could say where the disaster is");
    let over = with("2008-05-12", &json!({"onset": "2008-05-12", "area": "513200"}), &["510700"]);
    assert_eq!(phase(&over, &rescuer), None, "an update drew the area otherwise");
}
