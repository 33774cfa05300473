//! The host's join through the SDK, over the in-memory bench.
#![cfg(feature = "wit-1-1")]

use care_sdk::testing::Bench;
use care_sdk::{
    Activity, Choice, Date, Fen, Field, Joined, Messages, Moments, NoSlots, Row, Run, Selected, batch, declaration,
};
use serde_json::{Value, json};

#[derive(Row)]
#[row(table = "tariffs", key = "key")]
struct Tariff {
    price: Fen,
}

#[derive(Row)]
struct Customer {
    tariff: Joined<Tariff>,
    wish: Option<Joined<Tariff, String>>,
}

#[derive(Debug, Clone, Copy, Choice)]
enum Only {
    One,
}

#[derive(serde::Deserialize)]
struct NoParams {}

/// Customers whose tariff costs more than the one they wish for.
struct Dear(Vec<Tariff>);

impl Activity for Dear {
    type Params = NoParams;
    type Tables = Vec<Tariff>;
    type Target = Customer;
    type Timing = ();
    type Content = ();
    type Reason = Only;
    type Template = Only;
    type Slot = NoSlots;

    fn prepare(_: NoParams, tariffs: Vec<Tariff>, _: Run) -> Result<Self, String> {
        Ok(Self(tariffs))
    }

    fn select(&self, who: &Customer) -> Option<Selected<Only>> {
        let now = who.tariff.of(&self.0)?.price;
        let wish = who.wish.and_then(|wish| wish.of(&self.0)).map_or(Fen(0), |tariff| tariff.price);
        (now > wish).then_some(Selected { reason: Only::One, occasion: who.tariff.row().into(), score: 0.5 })
    }

    fn schedule(&self, (): &(), _: Only) -> Moments {
        let at = Date(0).at(9);
        Moments { not_before: at, not_after: at }
    }

    fn compose(&self, (): &(), _: Only, say: &mut Messages<Only, NoSlots>) {
        say.message(Only::One);
    }
}

care_sdk::export!(Dear);

fn bench() -> Bench {
    let today = Date(20_000);
    Bench::new(Run { today, now: today.at(9) }, &json!({}))
        .text("tariffs", "key", [Some("basic"), Some("family"), Some("basic")])
        .s64("tariffs", "price", [Some(1_900), Some(8_800), Some(1)])
        .category("customers", "tariff", [Some("family"), Some("basic"), Some("gone"), None, Some("basic")])
        .text("customers", "wish", [Some("basic"), Some("family"), None, None, Some("gone")])
}

#[test]
fn customers_are_joined_with_their_rows_of_the_table() {
    let chosen = batch::select::<Dear>(&bench()).expect("a selection");
    assert_eq!(chosen.rows, [0, 4], "no match is no value; an optional one may be missing");
    assert_eq!(chosen.occasions, [1, 0], "the first row of a repeated key");
}

#[test]
fn the_declaration_names_the_field_the_table_and_its_key() {
    let declared: Value = serde_json::from_str(&declaration::<Dear>().text()).expect("JSON");
    assert_eq!(
        declared["fields"]["select"],
        json!([
            {"name": "tariff", "type": "category", "optional": false},
            {"name": "wish", "type": "text", "optional": true},
        ])
    );
    assert_eq!(
        declared["tables"]["tariffs"],
        json!([{"name": "price", "type": "fen", "optional": false}, {"name": "key", "type": "text", "optional": false}])
    );
}

#[test]
fn a_key_that_the_struct_reads_is_declared_once_with_its_type() {
    #[derive(Row)]
    #[row(table = "steps", key = "months")]
    struct Step {
        months: i32,
    }
    let months = Field::of::<i32>("months");
    assert_eq!(Step::FIELDS, [months.keyed()]);
    assert_eq!(Field::of::<Joined<Step, i32>>("tenure-months").ty, "small");
    let bench = bench().s32("steps", "months", [Some(12), Some(24)]).s32("customers", "tenure-months", [Some(24); 5]);
    assert_eq!(<Joined<Step, i32> as care_sdk::Value>::fetch(&bench, "customers", "tenure-months"), [1; 5]);
    assert_eq!(Step { months: 12 }.months, 12);
}

#[test]
#[should_panic(expected = "another type")]
fn values_of_another_kind_are_not_compared() {
    let bench = bench().s64("customers", "tariff", [Some(1); 5]);
    let _ = batch::select::<Dear>(&bench);
}

#[test]
fn rows_are_made_by_hand_in_tests_of_rules() {
    let tariff = |price| Tariff { price: Fen(price) };
    let activity = Dear(vec![tariff(5), tariff(7)]);
    let who = Customer { tariff: Joined::with(1), wish: Some(Joined::with(0)) };
    assert_eq!(activity.select(&who).map(|s| s.occasion), Some(1));
    assert!(activity.select(&Customer { tariff: Joined::with(9), wish: None }).is_none());
}
