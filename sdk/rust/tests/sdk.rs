//! A whole activity over the in-memory bench: every field type, gaps, tables, messages, declaration.

use care_sdk::testing::{Bench, Said, said};
use care_sdk::{
    Activity, Category, Choice, Date, Fen, Host, Instant, Label, Messages, Moments, Row, Run, Selected, Tables, batch,
};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Brand {
    MZone,
    #[category(other)]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Stage {
    Growth,
}

#[derive(Debug, PartialEq, Row)]
struct Everything {
    balance: Fen,
    own_last_contact: Option<Instant>,
    #[row(name = "own.contacts")]
    contacts: i64,
    tenure_months: i32,
    expire_on: Date,
    change: f64,
    stopped: bool,
    brand: Brand,
    stage: Stage,
    region: Label,
    note: String,
}

#[derive(Row)]
#[row(table = "tariffs")]
struct Tariff {
    price: Fen,
}

#[derive(Row)]
struct Balance {
    balance: Fen,
}

#[derive(serde::Deserialize)]
struct Params {
    floor: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    Cheap,
    VeryCheap,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    Hello,
    GoodBye,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Amount,
    HowMany,
}

struct Cheapest {
    price: Fen,
    run: Run,
}

impl Activity for Cheapest {
    type Params = Params;
    type Tables = Vec<Tariff>;
    type Target = Balance;
    type Timing = ();
    type Content = Balance;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, tariffs: Vec<Tariff>, run: Run) -> Result<Self, String> {
        let above = tariffs.iter().map(|t| t.price).filter(|price| price.0 >= params.floor);
        Ok(Self { price: above.min().ok_or("no tariff is above the floor")?, run })
    }

    fn select(&self, who: &Balance) -> Option<Selected<Reason>> {
        let reason = if who.balance.0 == 0 { Reason::VeryCheap } else { Reason::Cheap };
        (who.balance < self.price).then_some(Selected { reason, occasion: 7, score: 0.5 })
    }

    fn schedule(&self, (): &(), _: Reason) -> Moments {
        Moments { not_before: self.run.now, not_after: self.run.today.end() }
    }

    fn compose(&self, who: &Balance, reason: Reason, say: &mut Messages<Template, Slot>) {
        say.message(Template::Hello).money(Slot::Amount, Fen(1)).money(Slot::Amount, who.balance);
        if reason == Reason::VeryCheap {
            say.message(Template::GoodBye).number(Slot::HowMany, 2);
        }
    }
}

care_sdk::export!(Cheapest);

fn bench() -> Bench {
    let today = Date(20_000);
    Bench::new(Run { today, now: today.at(9) }, &json!({"floor": 100})).s64(
        "tariffs",
        "price",
        [Some(300), Some(200), Some(50)],
    )
}

fn everything() -> Bench {
    bench()
        .s64("customers", "balance", [Some(-5), Some(9)])
        .s64("customers", "own-last-contact", [None, Some(1)])
        .s64("customers", "own.contacts", [Some(2), Some(3)])
        .s32("customers", "tenure-months", [Some(4), Some(5)])
        .s32("customers", "expire-on", [Some(20_664), Some(1)])
        .f64("customers", "change", [Some(0.25), Some(f64::NAN)])
        .boolean("customers", "stopped", [Some(true), Some(false)])
        .category("customers", "brand", [Some("m-zone"), Some("世界风")])
        .category("customers", "stage", [Some("growth"), Some("decline")])
        .category("customers", "region", [Some("350200"), Some("350100")])
        .text("customers", "note", [Some("短信"), Some("")])
}

#[test]
fn a_struct_reads_every_type_from_its_column() {
    let bench = everything();
    let columns = Everything::fetch(&bench);
    let expected = Everything {
        balance: Fen(-5),
        own_last_contact: None,
        contacts: 2,
        tenure_months: 4,
        expire_on: Date(20_664),
        change: 0.25,
        stopped: true,
        brand: Brand::MZone,
        stage: Stage::Growth,
        region: "350200".into(),
        note: "短信".into(),
    };
    assert_eq!(Everything::read(&columns, 0), Some(expected));
    assert_eq!(Everything::read(&columns, 1), None, "NaN, and a stage that the code does not know, are no values");
    assert_eq!(Everything::read(&columns, 2), None);
}

#[test]
fn an_other_category_is_kept_where_the_code_has_a_place_for_it() {
    let bench = everything();
    #[derive(Row)]
    struct OnlyBrand {
        brand: Brand,
    }
    let columns = OnlyBrand::fetch(&bench);
    assert_eq!(OnlyBrand::read(&columns, 1).map(|r| r.brand), Some(Brand::Other));
}

#[test]
fn rows_without_a_required_value_are_never_selected() {
    let gappy = (0..20).map(|row| (row % 3 != 0).then_some(row * 20));
    let bench = bench().s64("customers", "balance", gappy);
    let chosen = batch::select::<Cheapest>(&bench).expect("a selection");
    assert_eq!(chosen.rows, [1, 2, 4, 5, 7, 8]);
    assert_eq!(chosen.occasions, [7; 6]);
}

#[test]
fn reasons_and_slots_cross_by_index_and_the_last_value_of_a_slot_counts() {
    let bench = bench().s64("customers", "balance", [Some(0), Some(1_234), Some(8)]);
    let chosen = batch::select::<Cheapest>(&bench).expect("a selection");
    assert_eq!((&chosen.rows[..], &chosen.reasons[..]), (&[0u32, 2][..], &[1u16, 0][..]));
    let composed = batch::compose::<Cheapest>(&bench, &[1, 0, 0]).expect("messages");
    assert_eq!((composed.rows, composed.templates), (vec![0, 0, 1, 2], vec![0, 1, 0, 0]));
    assert_eq!(composed.slots[0].offsets, [0, 1, 1, 5, 6]);
    assert_eq!(composed.slots[0].bytes, b"012348");
    assert_eq!(composed.slots[1].offsets, [0, 0, 1, 1, 1]);
    let moments = batch::schedule::<Cheapest>(&bench, &[1]).expect("moments");
    assert_eq!(moments.not_before, [bench.now()]);
}

#[test]
fn a_plan_made_after_the_last_useful_instant_is_too_late_and_no_fault() {
    let (today, next_day) = (Date(20_000), Date(20_001).at(3));
    let bench = Bench::new(Run { today, now: next_day }, &json!({"floor": 0})).s64("tariffs", "price", [Some(1)]);
    let moments = batch::schedule::<Cheapest>(&bench, &[0]).expect("moments");
    assert_eq!((moments.not_before, moments.not_after), (vec![today.end().0], vec![today.end().0]));
}

#[test]
fn an_activity_may_read_two_reference_tables() {
    #[derive(Row)]
    #[row(table = "areas")]
    struct Area {
        key: String,
    }
    type Both = (Vec<Tariff>, Vec<Area>);
    assert_eq!(Both::DECLARED.iter().map(|table| table.name).collect::<Vec<_>>(), ["tariffs", "areas"]);
    let bench = bench().text("areas", "key", [Some("350200")]);
    let (tariffs, areas) = Both::fetch(&bench).expect("both tables");
    assert_eq!((tariffs.len(), areas[0].key.as_str()), (3, "350200"));
}

#[test]
fn said_names_templates_and_slots() {
    let run = Run { today: Date(0), now: Instant(0) };
    let activity = Cheapest::prepare(Params { floor: 0 }, vec![Tariff { price: Fen(9) }], run).expect("an activity");
    let hello = Said { template: "hello", slots: vec![("amount", "5".into())] };
    assert_eq!(said(&activity, &Balance { balance: Fen(5) }, Reason::Cheap), [hello]);
}

#[test]
fn faults_are_told_and_not_panicked() {
    let bench = bench().s64("customers", "balance", [Some(0)]);
    let unknown = batch::compose::<Cheapest>(&bench, &[9]);
    assert!(unknown.is_err_and(|e| e.contains("reason 9")));
    let run = Run { today: Date(0), now: Instant(0) };
    let bare = Bench::new(run, &json!({})).s64("tariffs", "price", [Some(1)]);
    assert!(batch::select::<Cheapest>(&bare).is_err_and(|e| e.contains("floor")));
    let gappy = Bench::new(run, &json!({"floor": 1})).s64("tariffs", "price", [Some(1), None]);
    assert!(batch::select::<Cheapest>(&gappy).is_err_and(|e| e.contains("row 1 of reference table \"tariffs\"")));
}

#[test]
fn outcomes_are_folded_over_batches() {
    let outcomes = |reached: [bool; 2]| {
        bench()
            .boolean("outcomes", "treated", [Some(true), Some(false)])
            .boolean("outcomes", "reached", reached.map(Some))
            .s64("outcomes", "value", [None, Some(3)])
            .category("outcomes", "home-adcode", [Some("350200"), None])
    };
    let first = batch::observe::<Cheapest>(&outcomes([true, false]), &[]).expect("a state");
    let both = batch::observe::<Cheapest>(&outcomes([true, true]), &first).expect("a state");
    let second = batch::observe::<Cheapest>(&outcomes([true, true]), &[]).expect("a state");
    assert_eq!(batch::merge(&second, &first).expect("a state"), both);
    let told = batch::report(&both).expect("metrics");
    let told: Vec<_> = told.iter().map(|m| (m.name.as_str(), m.slice.as_str(), m.treated, m.count, m.sum)).collect();
    assert_eq!(
        told,
        [("goal", "", false, 2, 1.0), ("goal", "", true, 2, 2.0), ("goal", "region=350200", true, 2, 2.0)]
    );
}

#[test]
fn the_declaration_is_json_of_what_the_code_uses() {
    let declared: Value = serde_json::from_str(&care_sdk::declaration::<Cheapest>().text()).expect("JSON");
    let balance = json!([{"name": "balance", "type": "fen", "optional": false}]);
    assert_eq!(declared["fields"]["select"], balance);
    assert_eq!(declared["fields"]["schedule"], json!([]));
    assert_eq!(declared["tables"], json!({"tariffs": [{"name": "price", "type": "fen", "optional": false}]}));
    assert_eq!(declared["reasons"], json!(["cheap", "very-cheap"]));
    assert_eq!(declared["templates"], json!(["hello", "good-bye"]));
    assert_eq!(declared["slots"], json!(["amount", "how-many"]));
    assert_eq!(declared["fields"]["observe"][0], json!({"name": "treated", "type": "boolean", "optional": false}));
}
