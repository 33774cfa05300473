use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_domain::text::Bilingual;
use care_sdk::Date;
use care_sdk::testing::said;
use serde_json::json;

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<Recommendation>())
}

fn package(key: &str, fee: i64, minutes: i64, data_mb: i64) -> Package {
    let (over_minute, over_mb) = (Fen(20), Fen(5));
    Package { key: key.into(), fee: Fen(fee), minutes, data_mb, over_minute, over_mb, on_sale: true }
}

/// 18 yuan for 60 minutes and 200 MB, 58 for 350 and 300, 88 for 500 and 3,000; one that is sold no more.
fn activity() -> Recommendation {
    let mut old = package("old-5", 500, 10_000, 10_000);
    old.on_sale = false;
    let packages = vec![
        package("talk-58", 5_800, 350, 300),
        package("basic-18", 1_800, 60, 200),
        package("all-88", 8_800, 500, 3_000),
        old,
    ];
    let today = Date::parse("2026-07-29").expect("a date");
    let params = manifest_test::params(&manifest(), &json!({}));
    let run = Run { today, now: today.at(9) };
    Recommendation::prepare(serde_json::from_value(params).expect("parameters"), packages, run).expect("an activity")
}

/// So many minutes and megabytes in each of three months.
fn uses(package: &str, minutes: i64, megabytes: i64) -> Target {
    Target {
        life_stage: Some("maturity".into()),
        package: package.into(),
        voice_minutes_m1: minutes,
        voice_minutes_m2: minutes,
        voice_minutes_m3: minutes,
        data_mb_m1: megabytes,
        data_mb_m2: megabytes,
        data_mb_m3: megabytes,
        bill_m1: Fen(9_000),
        bill_m2: Fen(9_000),
        bill_m3: Fen(9_000),
        package_match: None,
        topic: None,
    }
}

fn best(who: &Target) -> Option<(String, i64)> {
    activity().best(who).map(|(package, saving)| (package.key.clone(), saving))
}

#[test]
fn a_month_is_rated_as_fee_and_what_is_over() {
    let basic = package("basic-18", 1_800, 60, 200);
    assert_eq!(basic.cost(&uses("basic-18", 60, 200).months()), 3 * 1_800);
    assert_eq!(basic.cost(&uses("basic-18", 160, 300).months()), 3 * (1_800 + 100 * 20 + 100 * 5));
    let mut uneven = uses("basic-18", 60, 200);
    uneven.voice_minutes_m2 = 160;
    assert_eq!(basic.cost(&uneven.months()), 3 * 1_800 + 2_000, "what is left over in one month does not help another");
}

#[test]
fn the_cheapest_package_on_sale_is_recommended_and_never_a_dearer_one() {
    // Pays 1,800 + 300 × 20 = 7,800 a month where 58 yuan would do.
    assert_eq!(best(&uses("basic-18", 360, 200)), Some(("talk-58".into(), 7_800 - 6_000)));
    // Talks 50 minutes on 88 yuan.
    assert_eq!(best(&uses("all-88", 50, 100)), Some(("basic-18".into(), 7_000)));
    // Fits already; the cheap one that is sold no more is not offered.
    assert_eq!(best(&uses("basic-18", 60, 200)), None);
    assert_eq!(best(&uses("talk-58", 350, 300)), None);
    // A package that the table does not know: the bills of 90 yuan stand for it.
    assert_eq!(best(&uses("unknown", 60, 200)), Some(("basic-18".into(), 7_200)));
}

#[test]
fn savings_below_the_least_are_not_worth_a_change() {
    // 60 + n minutes on the basic package against 58 yuan: 225 minutes over cost 6,300.
    assert_eq!(best(&uses("basic-18", 60 + 224, 200)), None);
    assert_eq!(best(&uses("basic-18", 60 + 225, 200)), Some(("talk-58".into(), 500)));
}

#[test]
fn at_night_only_the_mature_and_at_the_desk_whoever_asks_about_money() {
    let reason = |who: &Target| activity().select(who).map(|chosen| chosen.reason);
    let unfit = || uses("all-88", 50, 100);
    assert_eq!(reason(&unfit()), Some(Reason::Unfit));
    assert_eq!(reason(&Target { life_stage: Some("growth".into()), ..unfit() }), None);
    let desk = |topic| reason(&Target { life_stage: None, topic: Some(topic), ..unfit() });
    assert_eq!(desk(Topic::Package), Some(Reason::AtTheDesk));
    assert_eq!(desk(Topic::Cancel), Some(Reason::AtTheDesk));
    assert_eq!(desk(Topic::Other), None);
    let occasion = |who: &Target| activity().select(who).map(|chosen| chosen.occasion);
    assert_eq!(occasion(&unfit()), occasion(&Target { topic: Some(Topic::Bill), ..unfit() }), "said once a quarter");
}

#[test]
fn at_night_a_package_that_the_model_finds_to_fit_is_left_in_peace_and_at_the_desk_it_is_asked_all_the_same() {
    let reason = |who: &Target| activity().select(who).map(|chosen| chosen.reason);
    let matching = |package_match| Target { package_match, ..uses("all-88", 50, 100) };
    assert_eq!(reason(&matching(Some(0.2))), Some(Reason::Unfit));
    assert_eq!(reason(&matching(Some(0.95))), Some(Reason::Unfit), "up to the bound");
    assert_eq!(reason(&matching(Some(0.96))), None);
    assert_eq!(reason(&Target { topic: Some(Topic::Bill), ..matching(Some(1.0)) }), Some(Reason::AtTheDesk));
}

#[test]
fn the_message_names_the_package_and_the_saving_and_only_the_desk_opens_a_task() {
    let entry = Bilingual { zh: "畅聊18元套餐".into(), en: "Basic 18".into() };
    let labels = Labels::from([("packages".to_owned(), [("basic-18".to_owned(), entry)].into())]);
    let who = uses("all-88", 50, 100);
    let night = said(&activity(), &who, Reason::Unfit);
    assert_eq!(night.len(), 1);
    let text = manifest_test::read(&manifest(), &night[0], &labels).remove(0);
    assert!(text.zh.contains("畅聊18元套餐") && text.zh.contains("70.00元"), "{}", text.zh);
    let desk = said(&activity(), &who, Reason::AtTheDesk);
    let templates: Vec<&str> = desk.iter().map(|message| message.template).collect();
    assert_eq!(templates, ["offer", "lead"]);
}
