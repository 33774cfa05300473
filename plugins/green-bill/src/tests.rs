use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::testing::{Bench, said};
use care_sdk::{Instant, batch};
use serde_json::{Value, json};

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<GreenBill>())
}

fn on(today: &str, given: Value) -> GreenBill {
    let params = serde_json::from_value(manifest_test::params(&manifest(), &given)).expect("parameters");
    let today = Date::parse(today).expect("a date");
    GreenBill::prepare(params, (), Run { today, now: today.at(7) }).expect("an activity")
}

/// In stage B, of that level; no moment is now on 2026-07-29.
fn customer(level: Sensitivity) -> Customer {
    Customer {
        paperless_bill: false,
        life_stage: Some(LifeStage::Growth),
        bill_sensitivity: Some(level),
        bill_day: Some(10),
        bill_change: Some(0.1),
        last_bill_query_on: Date::parse("2026-07-20"),
        balance: Some(Fen(50_000)),
        spend_d1: Some(Fen(100)),
        spend_d2: Some(Fen(100)),
        spend_d3: Some(Fen(100)),
        stopped: Some(false),
    }
}

fn at(moment: Moment, who: Customer) -> Customer {
    match moment {
        Moment::BillDay => Customer { bill_day: Some(28), ..who },
        Moment::AfterQuery => Customer { last_bill_query_on: Date::parse("2026-07-28"), ..who },
        Moment::AbnormalChange => Customer { bill_change: Some(-0.3), ..who },
        Moment::LowBalance => Customer { balance: Some(Fen(300)), ..who },
    }
}

fn way(activity: &GreenBill, who: &Customer) -> Option<Way> {
    activity.select(who).map(|selected| selected.reason)
}

const MOMENTS: [Moment; 4] = [Moment::BillDay, Moment::LowBalance, Moment::AfterQuery, Moment::AbnormalChange];

#[test]
fn each_level_is_told_of_its_way_at_its_moments_and_no_others() {
    let activity = on("2026-07-29", json!({}));
    let table = [
        (Sensitivity::High, [Some(Way::Paperless), None, None, Some(Way::Paperless)]),
        (Sensitivity::Medium, [Some(Way::Paperless), None, None, Some(Way::Paperless)]),
        (Sensitivity::Low, [None, Some(Way::DialUp), None, None]),
        (Sensitivity::Initial, [None, None, Some(Way::Hotline), None]),
    ];
    for (level, expected) in table {
        assert_eq!(MOMENTS.map(|moment| way(&activity, &at(moment, customer(level)))), expected, "{level:?}");
        assert_eq!(way(&activity, &customer(level)), None, "{level:?} at no moment");
    }
}

#[test]
fn only_stages_a_and_b_without_a_paperless_bill_are_targets() {
    let activity = on("2026-07-29", json!({}));
    let who = || at(Moment::BillDay, customer(Sensitivity::High));
    assert!(way(&activity, &Customer { life_stage: Some(LifeStage::Acquisition), ..who() }).is_some());
    assert_eq!(way(&activity, &Customer { life_stage: Some(LifeStage::Later), ..who() }), None);
    assert_eq!(way(&activity, &Customer { life_stage: None, ..who() }), None);
    assert_eq!(way(&activity, &Customer { bill_sensitivity: None, ..who() }), None);
    assert_eq!(way(&activity, &Customer { paperless_bill: true, ..who() }), None);
}

#[test]
fn around_bill_day_goes_over_the_end_of_a_month_and_is_the_bills_own_occasion() {
    let occasion = |today, bill_day, given| {
        let who = Customer { bill_day: Some(bill_day), ..customer(Sensitivity::High) };
        on(today, given).select(&who).map(|s| s.occasion)
    };
    let (july, august) = (Some(2026 * 12 + 7), Some(2026 * 12 + 8));
    assert_eq!([27, 28, 29].map(|day| occasion("2026-07-28", day, json!({}))), [july; 3]);
    assert_eq!([26, 30].map(|day| occasion("2026-07-28", day, json!({}))), [None; 2]);
    assert_eq!(occasion("2026-07-31", 1, json!({})), august);
    assert_eq!(occasion("2026-08-01", 1, json!({})), august);
    assert_eq!(occasion("2026-08-02", 1, json!({})), august);
    assert_eq!(occasion("2026-12-31", 1, json!({})), Some(2027 * 12 + 1));
    assert_eq!(occasion("2026-07-28", 27, json!({"bill_day_window": 0})), None);
    assert_eq!(occasion("2026-07-28", 25, json!({"bill_day_window": 3})), july);
}

#[test]
fn a_query_counts_on_its_day_and_the_next() {
    let activity = on("2026-07-29", json!({}));
    let asked = |day| {
        let who = Customer { last_bill_query_on: Date::parse(day), ..customer(Sensitivity::Initial) };
        way(&activity, &who).is_some()
    };
    assert_eq!(["2026-07-29", "2026-07-28", "2026-07-27", "2026-07-30"].map(asked), [true, true, false, false]);
}

#[test]
fn a_change_is_abnormal_from_the_threshold_up_or_down() {
    let change = |change, given| {
        let who = Customer { bill_change: change, ..customer(Sensitivity::Medium) };
        way(&on("2026-07-29", given), &who).is_some()
    };
    assert_eq!([Some(0.3), Some(-0.3), Some(0.29), None].map(|c| change(c, json!({}))), [true, true, false, false]);
    assert!(change(Some(0.29), json!({"abnormal_change": 0.2})));
}

#[test]
fn the_balance_runs_low_at_three_days_spend_or_when_the_service_is_stopped() {
    let activity = on("2026-07-29", json!({}));
    let low = |who: Customer| way(&activity, &who).is_some();
    let who = || customer(Sensitivity::Low);
    assert!(low(Customer { balance: Some(Fen(300)), ..who() }));
    assert!(!low(Customer { balance: Some(Fen(301)), ..who() }));
    assert!(!low(Customer { balance: Some(Fen(0)), spend_d2: None, ..who() }));
    assert!(low(Customer { balance: None, stopped: Some(true), ..who() }));
    let idle = Customer { spend_d1: Some(Fen(0)), spend_d2: Some(Fen(0)), spend_d3: Some(Fen(0)), ..who() };
    assert!(!low(Customer { balance: Some(Fen(0)), ..idle }));
}

#[test]
fn the_province_can_change_the_table() {
    let table = json!({"by_sensitivity": {"initial": {"way": "dial-up", "moments": ["bill-day", "after-query"]}}});
    let activity = on("2026-07-29", table);
    assert_eq!(way(&activity, &at(Moment::BillDay, customer(Sensitivity::Initial))), Some(Way::DialUp));
    assert_eq!(way(&activity, &at(Moment::BillDay, customer(Sensitivity::High))), None, "a level that is not in it");
}

#[test]
fn everyone_means_exactly_those_without_a_paperless_bill() {
    let params = manifest_test::params(&manifest(), &json!({"everyone": true}));
    let today = Date::parse("2026-07-29").expect("a date");
    let bench = Bench::new(Run { today, now: today.at(7) }, &params)
        .boolean("customers", "paperless-bill", [Some(true), Some(false), None, Some(false)])
        .category("customers", "life-stage", [None, Some("decline"), None, None])
        .category("customers", "bill-sensitivity", [Some("high"), Some("low"), Some("high"), None])
        .s32("customers", "bill-day", [None; 4])
        .f64("customers", "bill-change", [None; 4])
        .s32("customers", "last-bill-query-on", [None; 4])
        .s64("customers", "balance", [None; 4])
        .s64("customers", "spend-d1", [None; 4])
        .s64("customers", "spend-d2", [None; 4])
        .s64("customers", "spend-d3", [None; 4])
        .boolean("customers", "stopped", [None; 4]);
    let chosen = batch::select::<GreenBill>(&bench).expect("a selection");
    assert_eq!(chosen.rows, [1, 3]);
    assert_eq!(chosen.reasons, [Way::DialUp.index(), Way::Paperless.index()]);
    assert_eq!(chosen.occasions, [2026 * 12 + 7; 2]);
}

#[test]
fn the_more_a_customer_minds_the_bill_the_more_it_is_needed() {
    let levels = [None, Some(Sensitivity::Low), Some(Sensitivity::Medium), Some(Sensitivity::High)];
    assert!(levels.map(score).is_sorted_by(|a, b| a < b));
}

#[test]
fn a_contact_is_useful_today_and_tomorrow() {
    let activity = on("2026-07-29", json!({}));
    let today = activity.run.today;
    let expected = Moments { not_before: today.at(7), not_after: Instant(today.at(48).0 - 1) };
    assert_eq!(activity.schedule(&(), Way::Paperless), expected);
}

#[test]
fn each_way_says_what_the_manifest_allows_it_to_say() {
    let (activity, manifest) = (on("2026-07-29", json!({})), manifest());
    for (way, word) in [(Way::Paperless, "绿色账单"), (Way::DialUp, "拨号"), (Way::Hotline, "10086")] {
        let messages = said(&activity, &(), way);
        assert_eq!(manifest.reason(way.index()).expect("the reason").templates, [messages[0].template]);
        for read in manifest_test::read(&manifest, &messages[0], &Labels::new()) {
            assert!(read.zh.contains(word), "{read:?}");
        }
    }
}
