//! Made-up populations: plausible, repeatable, and with targets for every activity.

use super::files::{Desk, business_date, dictionary, keyer};
use crate::generate::{GenerateOptions, Generated, generate};
use crate::{BucketData, PopulationError, Snapshot};
use care_domain::column::Column;
use care_domain::field::{Dictionary, Wire};
use care_domain::identity::Identity;
use care_domain::key::Bucket;

fn made_up(desk: &Desk, customers: u64, seed: u64) -> Result<Generated, PopulationError> {
    let options = GenerateOptions { customers, seed, business_date: business_date() };
    generate(options, &keyer(), &dictionary(), &desk.root(), &mut |_| {})
}

/// The rows for which a test holds, among those of a population of one bucket.
struct Population(BucketData);

impl Population {
    fn of(desk: &Desk, customers: u64, seed: u64) -> Self {
        let generated = made_up(desk, customers, seed).expect("a population");
        Self(
            Snapshot::open(&generated.folder)
                .expect("a snapshot")
                .bucket(Bucket { bits: 0, index: 0 })
                .expect("a bucket"),
        )
    }

    fn column(&self, name: &str) -> Column {
        self.0.column(name).expect("a column")
    }

    fn count(&self, test: impl Fn(usize) -> bool) -> usize {
        (0..self.0.rows()).filter(|row| test(*row)).count()
    }

    fn share(&self, test: impl Fn(usize) -> bool) -> f64 {
        self.count(test) as f64 / self.0.rows() as f64
    }
}

#[test]
fn every_activity_has_targets_in_any_small_population() {
    let today = i64::from(business_date());
    for seed in 1..=5 {
        let desk = Desk::new();
        let people = Population::of(&desk, 2_000, seed);
        let [month, day, calendar] = ["birth-month", "birth-day", "birth-calendar"].map(|n| people.column(n));
        let birthdays = people
            .count(|r| calendar.text(r) == Some("solar") && (month.integer(r), day.integer(r)) == (Some(7), Some(29)));
        assert!(birthdays >= 2, "{birthdays}");

        let expire = people.column("points-expire-on");
        for days in [7, 30, 60] {
            assert!(people.count(|r| expire.integer(r) == Some(today + days)) > 10);
        }
        let [stage, sensitivity, paperless, bill_day] =
            ["life-stage", "bill-sensitivity", "paperless-bill", "bill-day"].map(|n| people.column(n));
        let green = people.count(|r| {
            matches!(stage.text(r), Some("acquisition" | "growth"))
                && matches!(sensitivity.text(r), Some("high" | "medium"))
                && paperless.yes(r) == Some(false)
                && bill_day.integer(r) == Some(28)
        });
        assert!(green > 10, "{green}");
        let visited = people.column("visited-adcode");
        let aba = people.count(|r| visited.text(r).is_some_and(|code| care_domain::region::covers("513200", code)));
        assert!((2..40).contains(&aba), "{aba}");
    }
}

#[test]
fn low_balances_fit_the_spend_and_the_day_they_fell() {
    let desk = Desk::new();
    let people = Population::of(&desk, 20_000, 3);
    let [balance, since, stopped] = ["balance", "low-balance-since", "stopped"].map(|n| people.column(n));
    let spend = ["spend-d1", "spend-d2", "spend-d3"].map(|n| people.column(n));
    let line = |row| spend.iter().map(|day| day.integer(row)).sum::<Option<i64>>().filter(|line| *line > 0);
    let low = |row| line(row).is_some_and(|line| balance.integer(row) <= Some(line));
    let share = people.share(low);
    assert!((0.04..0.06).contains(&share), "{share}");
    let today = i64::from(business_date());
    assert!((0..20_000).all(|r| low(r) == since.has(r)));
    assert!((0..20_000).filter_map(|r| since.integer(r)).all(|day| (today - 10..=today).contains(&day)));
    let unrecorded = people.share(|r| spend.iter().any(|day| !day.has(r)));
    assert!((0.02..0.04).contains(&unrecorded), "{unrecorded}");
    let stopped = people.share(|r| stopped.yes(r) == Some(true));
    assert!((0.001..0.01).contains(&stopped), "{stopped}");
}

#[test]
fn shares_are_those_of_the_province() {
    let desk = Desk::new();
    let people = Population::of(&desk, 20_000, 4);
    let cases = [
        ("brand", "easyown", 0.55),
        ("brand", "m-zone", 0.25),
        ("brand", "gotone", 0.20),
        ("home-adcode", "350500", 0.21),
        ("list-mark", "red", 0.01),
        ("list-mark", "black", 0.005),
        ("birth-calendar", "lunar", 0.14),
    ];
    for (field, value, expected) in cases {
        let column = people.column(field);
        let share = people.share(|r| column.text(r) == Some(value));
        assert!((share - expected).abs() < 0.01, "{field} {value}: {share}");
    }
    let (home, visited) = (people.column("home-adcode"), people.column("visited-adcode"));
    let at_home = people.share(|r| home.text(r) == visited.text(r));
    assert!((0.92..0.95).contains(&at_home), "{at_home}");
    let (brand, sensitivity) = (people.column("brand"), people.column("bill-sensitivity"));
    let high = |wanted| {
        people.share(|r| brand.text(r) == Some(wanted) && sensitivity.text(r) == Some("high"))
            / people.share(|r| brand.text(r) == Some(wanted))
    };
    assert!(high("m-zone") > high("easyown") && high("easyown") > high("gotone"));
}

#[test]
fn made_up_values_are_those_that_the_dictionary_allows() {
    let desk = Desk::new();
    let people = Population::of(&desk, 5_000, 5);
    let generated = made_up(&desk, 5_000, 5).expect("a population");
    let snapshot = Snapshot::open(&generated.folder).expect("a snapshot");
    assert!(snapshot.manifest().fields.keys().is_sorted() && snapshot.manifest().fields.len() == 48);
    for name in snapshot.manifest().fields.keys() {
        let field = &dictionary().fields[name];
        let column = people.column(name);
        for row in (0..5_000).filter(|row| column.has(*row)) {
            if let Some(text) = column.text(row) {
                assert!(field.values.is_empty() || field.values.iter().any(|v| v == text), "{name}: {text}");
            }
            let number =
                if field.ty.wire() == Wire::F64 { column.ratio(row) } else { column.integer(row).map(|v| v as f64) };
            if let Some(number) = number {
                assert!(
                    field.minimum.is_none_or(|m| number >= m) && field.maximum.is_none_or(|m| number <= m),
                    "{name}: {number}"
                );
            }
        }
        assert!(people.count(|row| column.has(row)) > 0, "{name} has no value at all");
    }
}

#[test]
fn a_seed_is_a_population_and_a_customer_does_not_depend_on_the_others() {
    let (one, two) = (Desk::new(), Desk::new());
    let first = made_up(&one, 1_500, 9).expect("a population");
    assert_eq!(first.id, made_up(&two, 1_500, 9).expect("a population").id);
    assert_ne!(first.id, made_up(&two, 1_500, 10).expect("a population").id);
    let more = made_up(&two, 2_500, 9).expect("a population");
    let (small, large) =
        (Snapshot::open(&first.folder).expect("a snapshot"), Snapshot::open(&more.folder).expect("a snapshot"));
    for i in (0..1_500).step_by(101) {
        let key = keyer().key_of(&format!("FJ{i:09}"));
        assert_eq!(small.find(key).expect("a look-up"), large.find(key).expect("a look-up"));
    }
    let mut people: Vec<Identity> = first.identities.flat_map(|batch| batch.expect("a batch")).collect();
    assert!(people.is_sorted_by_key(|p| p.key) && people.iter().all(|p| !p.surname.is_empty() && p.msisdn.len() == 11));
    people.sort_by(|a, b| a.msisdn.cmp(&b.msisdn));
    people.dedup_by(|a, b| a.msisdn == b.msisdn);
    assert_eq!(people.len(), 1_500);
}

#[test]
fn a_dictionary_that_lacks_a_field_or_a_silly_size_is_refused() {
    let desk = Desk::new();
    assert!(made_up(&desk, 0, 1).expect_err("none").to_string().contains("cannot make up 0"));
    let options = GenerateOptions { customers: 1, seed: 1, business_date: business_date() };
    let error = generate(options, &keyer(), &Dictionary::default(), &desk.root(), &mut |_| {}).expect_err("no fields");
    assert!(error.to_string().contains("arpu of type fen"), "{error}");
    assert_eq!(desk.kept(), Vec::<String>::new());
}
