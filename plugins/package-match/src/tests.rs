use super::*;
use care_domain::manifest::Manifest;
use care_sdk::Date;
use care_sdk::testing::Bench;
use serde_json::json;

#[path = "../../manifest_test.rs"]
#[allow(dead_code, reason = "a model says nothing, so nothing is read")]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::model_declaration::<PackageMatch>())
}

/// The packages of `examples/packages.csv`, and one that is not sold any more.
fn match_of(customers: &[(&'static str, i64, i64)]) -> Vec<f64> {
    let today = Date::parse("2026-07-29").expect("a date");
    let params = manifest_test::params(&manifest(), &json!({}));
    let minutes = || customers.iter().map(|c| Some(c.1));
    let megabytes = || customers.iter().map(|c| Some(c.2));
    let bench = Bench::new(Run { today, now: today.at(9) }, &params)
        .text("packages", "key", ["basic-18", "talk-58", "old-98"].map(Some))
        .s64("packages", "fee", [1_800, 5_800, 9_800].map(Some))
        .s64("packages", "minutes", [60, 350, 350].map(Some))
        .s64("packages", "data-mb", [200, 300, 300].map(Some))
        .s64("packages", "over-minute", [20, 20, 20].map(Some))
        .s64("packages", "over-mb", [5, 5, 5].map(Some))
        .boolean("packages", "on-sale", [true, true, false].map(Some))
        .category("customers", "package", customers.iter().map(|c| Some(c.0)))
        .s64("customers", "voice-minutes-m1", minutes())
        .s64("customers", "voice-minutes-m2", minutes())
        .s64("customers", "voice-minutes-m3", minutes())
        .s64("customers", "data-mb-m1", megabytes())
        .s64("customers", "data-mb-m2", megabytes())
        .s64("customers", "data-mb-m3", megabytes());
    care_sdk::derive::<PackageMatch>(&bench).expect("a column")
}

#[test]
fn a_package_that_nothing_beats_matches_and_one_twice_too_dear_does_half() {
    // 60 minutes and 200 MB: 18 yuan on basic-18, 58 on talk-58, 98 on the old one.
    let matches = match_of(&[("basic-18", 60, 200), ("talk-58", 60, 200), ("old-98", 60, 200)]);
    assert_eq!(matches[0], 1.0);
    assert!((matches[1] - 18.0 / 58.0).abs() < 1e-12 && (matches[2] - 18.0 / 98.0).abs() < 1e-12, "{matches:?}");
    // 300 minutes and 300 MB: 18 + 48 + 5 = 71 yuan on basic-18, 58 on talk-58.
    let matches = match_of(&[("basic-18", 300, 300), ("talk-58", 300, 300)]);
    assert!((matches[0] - 58.0 / 71.0).abs() < 1e-12, "{matches:?}");
    assert_eq!(matches[1], 1.0);
}

#[test]
fn a_package_that_the_table_does_not_know_has_no_match() {
    assert!(match_of(&[("unheard-of", 60, 200)])[0].is_nan());
}
