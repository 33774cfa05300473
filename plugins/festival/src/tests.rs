use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::testing::said;
use serde_json::json;

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<Greetings>())
}

const ALL: [&str; 7] = ["spring", "lantern", "dragon-boat", "mid-autumn", "new-year", "national-day", "labour-day"];

fn on(today: &str, lunar: Option<(i32, i32, bool)>) -> Greetings {
    with_days_off(today, lunar, &[])
}

fn with_days_off(today: &str, lunar: Option<(i32, i32, bool)>, off: &[(&str, &str)]) -> Greetings {
    let today = Date::parse(today).expect("a date");
    let params = manifest_test::params(&manifest(), &json!({"festivals": ALL}));
    let days = lunar.map(|(month, day, leap)| LunarDay { date: today, month, day, leap });
    let run = Run { today, now: today.at(7) };
    let day_off =
        |(date, name): &(&str, &str)| DayOff { date: Date::parse(date).expect("a date"), name: (*name).into() };
    let tables = (days.into_iter().collect(), off.iter().map(day_off).collect());
    Greetings::prepare(serde_json::from_value(params).expect("parameters"), tables, run).expect("an activity")
}

fn gold() -> Customer {
    Customer { tier: "gold".into() }
}

#[test]
fn every_festival_is_kept_on_its_day_and_a_leap_month_repeats_none() {
    for (day, lunar, expected) in [
        ("2026-02-17", Some((1, 1, false)), Some(Festival::Spring)),
        ("2026-03-03", Some((1, 15, false)), Some(Festival::Lantern)),
        ("2026-06-19", Some((5, 5, false)), Some(Festival::DragonBoat)),
        ("2026-09-25", Some((8, 15, false)), Some(Festival::MidAutumn)),
        ("2020-10-01", Some((8, 15, false)), Some(Festival::MidAutumn)),
        ("2026-10-01", Some((8, 21, false)), Some(Festival::NationalDay)),
        ("2026-01-01", None, Some(Festival::NewYear)),
        ("2009-07-07", Some((5, 5, true)), None),
        ("2026-07-29", Some((6, 16, false)), None),
    ] {
        assert_eq!(on(day, lunar).festival, expected, "{day}");
    }
}

#[test]
fn the_lunar_dates_are_those_of_the_published_calendar() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/calendar/lunar-festivals-2007-2030.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED: no {path}");
        return;
    };
    let published: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let text = published.to_string();
    for day in ["2026-02-17", "2026-06-19", "2026-09-25"] {
        assert!(text.contains(day), "{day} is a festival of the published calendar");
    }
}

#[test]
fn labour_day_is_the_first_day_off_that_the_published_calendar_gives_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/calendar/holiday-cn");
    let Ok(text) = std::fs::read_to_string(format!("{folder}/2026.json")) else {
        eprintln!("SKIPPED: no {folder}");
        return;
    };
    let year: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let off: Vec<(&str, &str)> = (year["days"].as_array().expect("days").iter())
        .filter(|day| day["isOffDay"] == true)
        .map(|day| (day["date"].as_str().expect("a date"), day["name"].as_str().expect("a name")))
        .collect();
    let festival = |today| with_days_off(today, None, &off).festival;
    assert_eq!(festival("2026-05-01"), Some(Festival::LabourDay));
    assert_eq!(festival("2026-05-02"), None, "once, not on every day off");
    assert_eq!(on("2026-05-01", None).festival, None, "no notice, no holiday");
}

#[test]
fn only_vip_customers_are_greeted_once_a_year() {
    let activity = on("2026-09-25", Some((8, 15, false)));
    let chosen = activity.select(&gold()).expect("a greeting");
    assert_eq!(chosen.occasion, 20_263);
    assert_eq!(activity.select(&Customer { tier: "none".into() }), None);
    assert_eq!(on("2026-09-26", Some((8, 16, false))).select(&gold()), None);
}

#[test]
fn a_greeting_is_a_wish_and_nothing_else() {
    let activity = on("2026-06-19", Some((5, 5, false)));
    let text = manifest_test::read(&manifest(), &said(&activity, &(), Reason::OnTheDay)[0], &Labels::new());
    assert!(text[0].zh.contains("端午安康") && text[0].zh.contains("陈先生"), "{}", text[0].zh);
    let end = Date::parse("2026-06-19").expect("a date");
    assert_eq!(activity.schedule(&(), Reason::OnTheDay), Moments { not_before: end.at(9), not_after: end.end() });
}
