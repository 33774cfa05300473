use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::testing::{Bench, Said, said};
use care_sdk::{Instant, batch};
use serde_json::{Value, json};

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<Birthday>())
}

fn run(today: &str) -> Run {
    let today = Date::parse(today).expect("a date");
    Run { today, now: today.at(6) }
}

fn on(today: &str, given: Value, lunar: Option<(i32, i32, bool, bool)>) -> Birthday {
    let run = run(today);
    let row = lunar.map(|(month, day, leap, last)| LunarDay { date: run.today, month, day, leap, last });
    let yesterday = LunarDay { date: run.today.plus(-1), month: 1, day: 1, leap: false, last: false };
    let params = serde_json::from_value(manifest_test::params(&manifest(), &given)).expect("parameters");
    Birthday::prepare(params, [yesterday].into_iter().chain(row).collect(), run).expect("an activity")
}

fn solar(month: i32, day: i32) -> Customer {
    Customer { birth_month: month, birth_day: day, birth_calendar: Some(Calendar::Solar), brand: None, tier: None }
}

fn lunar(month: i32, day: i32) -> Customer {
    Customer { birth_calendar: Some(Calendar::Lunar), ..solar(month, day) }
}

fn year(activity: &Birthday, who: &Customer) -> Option<i64> {
    activity.select(who).map(|selected| selected.occasion)
}

#[test]
fn a_birthday_is_kept_on_its_day_and_no_other() {
    let activity = on("2026-07-29", json!({}), None);
    assert_eq!(year(&activity, &solar(7, 29)), Some(2026));
    assert_eq!(year(&activity, &Customer { birth_calendar: None, ..solar(7, 29) }), Some(2026));
    for (month, day) in [(7, 28), (7, 30), (8, 29), (6, 29)] {
        assert_eq!(year(&activity, &solar(month, day)), None, "{month}-{day}");
    }
}

#[test]
fn the_29th_of_february_is_kept_on_the_28th_in_common_years_only() {
    let common = on("2026-02-28", json!({}), None);
    assert_eq!(year(&common, &solar(2, 29)), Some(2026));
    assert_eq!(year(&common, &solar(2, 28)), Some(2026));
    assert_eq!(year(&on("2026-03-01", json!({}), None), &solar(2, 29)), None);
    assert_eq!(year(&on("2028-02-28", json!({}), None), &solar(2, 29)), None);
    assert_eq!(year(&on("2028-02-29", json!({}), None), &solar(2, 29)), Some(2028));
    assert_eq!(year(&on("2100-02-28", json!({}), None), &solar(2, 29)), Some(2100));
}

#[test]
fn days_that_no_month_has_are_nobodys_birthday() {
    let activity = on("2026-02-28", json!({}), None);
    for (month, day) in [(2, 30), (2, 31), (0, 28), (13, 28), (2, 0)] {
        assert_eq!(year(&activity, &solar(month, day)), None, "{month}-{day}");
    }
}

#[test]
fn a_lunar_birthday_follows_the_lunar_calendar() {
    // 2026-06-19 is the Dragon Boat Festival, the fifth of the fifth month.
    let activity = on("2026-06-19", json!({}), Some((5, 5, false, false)));
    assert_eq!(year(&activity, &lunar(5, 5)), Some(2026));
    assert_eq!(year(&activity, &lunar(6, 19)), None);
    assert_eq!(year(&activity, &solar(5, 5)), None);
}

#[test]
fn a_leap_month_has_no_birthdays() {
    let activity = on("2025-07-29", json!({}), Some((6, 5, true, false)));
    assert_eq!(year(&activity, &lunar(6, 5)), None);
}

#[test]
fn the_lunar_30th_is_kept_on_the_29th_of_a_short_month() {
    let short = on("2026-08-12", json!({}), Some((6, 29, false, true)));
    assert_eq!(year(&short, &lunar(6, 30)), Some(2026));
    assert_eq!(year(&short, &lunar(6, 29)), Some(2026));
    let long = on("2026-08-12", json!({}), Some((6, 29, false, false)));
    assert_eq!(year(&long, &lunar(6, 30)), None);
}

#[test]
fn two_lunar_birthdays_in_one_civil_year_are_two_occasions() {
    let january = on("2026-01-08", json!({}), Some((11, 20, false, false)));
    let december = on("2026-12-28", json!({}), Some((11, 20, false, false)));
    assert_eq!(year(&january, &lunar(11, 20)), Some(2025));
    assert_eq!(year(&december, &lunar(11, 20)), Some(2026));
    assert_eq!(year(&on("2027-01-27", json!({}), Some((12, 20, false, false))), &lunar(12, 20)), Some(2026));
    assert_eq!(year(&on("2026-02-17", json!({}), Some((1, 1, false, false))), &lunar(1, 1)), Some(2026));
}

#[test]
fn without_todays_lunar_date_only_solar_birthdays_are_kept() {
    let activity = on("2026-07-29", json!({}), None);
    assert_eq!(year(&activity, &lunar(1, 1)), None);
    assert_eq!(year(&activity, &solar(7, 29)), Some(2026));
}

#[test]
fn the_way_depends_on_brand_and_tier() {
    let of = |brand: &str, tier: &str| Customer { brand: Some(brand.into()), tier: Some(tier.into()), ..solar(7, 29) };
    let reason = |given, who| on("2026-07-29", given, None).select(&who).map(|s| s.reason);
    assert_eq!(reason(json!({}), of("gotone", "diamond")), Some(Reason::DeskPrompt));
    assert_eq!(reason(json!({}), of("m-zone", "gold")), Some(Reason::Sms));
    assert_eq!(reason(json!({}), solar(7, 29)), Some(Reason::Sms));
    let calls = json!({"call_vip": true});
    assert_eq!(reason(calls.clone(), of("gotone", "diamond")), Some(Reason::VipCall));
    assert_eq!(reason(calls.clone(), of("easyown", "gold")), Some(Reason::VipCall));
    assert_eq!(reason(calls.clone(), of("gotone", "silver")), Some(Reason::DeskPrompt));
    assert_eq!(reason(calls, of("easyown", "none")), Some(Reason::Sms));
    assert_eq!(reason(json!({"desk_brands": ["世界风"]}), of("世界风", "none")), Some(Reason::DeskPrompt));
}

#[test]
fn a_wish_is_useful_from_the_sending_hour_to_the_end_of_the_day_and_at_the_desk_all_day() {
    let activity = on("2026-07-29", json!({"send_hour": 10}), None);
    let day = activity.today;
    let sms = activity.schedule(&(), Reason::Sms);
    assert_eq!((sms.not_before, sms.not_after), (day.at(10), Instant(day.at(24).0 - 1)));
    assert_eq!(activity.schedule(&(), Reason::VipCall), sms);
    assert_eq!(activity.schedule(&(), Reason::DeskPrompt), Moments { not_before: day.at(0), ..sms });
}

#[test]
fn each_reason_says_what_the_manifest_allows_it_to_say() {
    let (activity, manifest) = (on("2026-07-29", json!({}), None), manifest());
    for reason in [Reason::DeskPrompt, Reason::Sms, Reason::VipCall] {
        let messages = said(&activity, &(), reason);
        let [Said { template, .. }] = messages.as_slice() else { panic!("one message") };
        let allowed = &manifest.reason(reason.index()).expect("the reason").templates;
        assert!(allowed.iter().any(|t| t == template), "{reason:?}");
        for wish in manifest_test::read(&manifest, &messages[0], &Labels::new()) {
            assert!(wish.zh.contains("生日"), "{wish:?}");
        }
    }
}

#[test]
fn a_batch_is_chosen_row_by_row() {
    let params = manifest_test::params(&manifest(), &json!({}));
    let bench = Bench::new(run("2026-07-29"), &params)
        .s32("lunar-days", "date", [Some(run("2026-07-29").today.0)])
        .s32("lunar-days", "month", [Some(6)])
        .s32("lunar-days", "day", [Some(16)])
        .boolean("lunar-days", "leap", [Some(false)])
        .boolean("lunar-days", "last", [Some(false)])
        .s32("customers", "birth-month", [Some(7), Some(6), None, Some(7), Some(7)])
        .s32("customers", "birth-day", [Some(29), Some(16), Some(29), Some(29), Some(28)])
        .category("customers", "birth-calendar", [Some("solar"), Some("lunar"), Some("solar"), None, Some("solar")])
        .category("customers", "brand", [Some("gotone"), Some("easyown"), None, None, None])
        .category("customers", "tier", [None; 5]);
    let chosen = batch::select::<Birthday>(&bench).expect("a selection");
    assert_eq!((chosen.rows, chosen.reasons), (vec![0, 1, 3], vec![0, 1, 1]));
    assert_eq!(chosen.occasions, [2026; 3]);
}
