use super::*;
use care_domain::manifest::Manifest;
use care_sdk::testing::Bench;
use care_sdk::{Date, derive};
use serde_json::json;

#[path = "../../manifest_test.rs"]
#[allow(dead_code, reason = "a model says nothing, so nothing is read")]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::model_declaration::<BillSensitivity>())
}

fn model() -> BillSensitivity {
    let params = manifest_test::params(&manifest(), &json!({}));
    BillSensitivity { params: serde_json::from_value(params).expect("parameters") }
}

fn level(brand: Option<Brand>, bill_queries: i64, bills: [i64; 3]) -> f64 {
    let [bill_m1, bill_m2, bill_m3] = bills.map(Fen);
    model().derive(&Input { brand, bill_queries, bill_m1, bill_m2, bill_m3 }).expect("a level")
}

const STEADY: [i64; 3] = [5_000, 5_100, 4_900];
const VARYING: [i64; 3] = [9_000, 3_000, 5_000];

#[test]
fn the_more_shows_that_somebody_watches_the_bill_the_higher_the_level() {
    assert_eq!(level(Some(Brand::Other), 0, STEADY), 0.0);
    assert_eq!(level(None, 1, STEADY), 1.0);
    assert_eq!(level(Some(Brand::Other), 0, VARYING), 1.0);
    assert_eq!(level(Some(Brand::MZone), 2, STEADY), 2.0);
    assert_eq!(level(None, 3, STEADY), 2.0);
    assert_eq!(level(Some(Brand::MZone), 3, VARYING), 3.0, "four points are the highest level too");
    assert_eq!(level(None, 0, [0, 0, 0]), 0.0, "no bill does not vary");
}

#[test]
fn the_four_levels_are_the_places_of_the_dictionarys_values() {
    let fields: toml::Value = toml::from_str(include_str!("../../../examples/fields.toml")).expect("the dictionary");
    let values = &fields["fields"]["bill-sensitivity"]["values"];
    assert_eq!(values.as_array().map(Vec::len), Some(4));
    assert_eq!(values[0].as_str(), Some("initial"));
}

#[test]
fn whoever_lacks_a_bill_has_no_level() {
    let today = Date::parse("2026-07-29").expect("a date");
    let params = manifest_test::params(&manifest(), &json!({}));
    let bench = Bench::new(Run { today, now: today.at(9) }, &params)
        .category("customers", "brand", [Some("m-zone"), None])
        .s64("customers", "bill-queries", [Some(1), Some(1)])
        .s64("customers", "bill-m1", [Some(5_000), None])
        .s64("customers", "bill-m2", [Some(5_000), Some(1)])
        .s64("customers", "bill-m3", [Some(5_000), Some(1)]);
    let derived = derive::<BillSensitivity>(&bench).expect("a column");
    assert_eq!(derived[0], 2.0);
    assert!(derived[1].is_nan() && derived.len() == 2);
}
