//! The public Telco table: real data that nobody here wrote.

use super::files::{Desk, keyer};
use crate::Snapshot;
use crate::import::FaultClass;
use care_domain::key::Bucket;
use std::path::Path;

const MAPPING: &str = include_str!("../../../../examples/telco-churn.toml");
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/telecom/Telco-Customer-Churn.csv");

/// The lines with a blank `TotalCharges`: the customers with tenure 0.
const BLANKS: [u64; 11] = [490, 755, 938, 1_084, 1_342, 3_333, 3_828, 4_382, 5_220, 6_672, 6_756];

#[test]
fn the_telco_table_gives_the_figures_counted_by_hand() {
    let source = Path::new(TABLE);
    if !source.is_file() {
        eprintln!("SKIPPED: the Telco table is not at ../shared/data/telecom beside the checkout");
        return;
    }
    let desk = Desk { max_bad: Some(0.01), ..Desk::new() };
    let imported = desk.import(source, MAPPING).expect("an import");
    assert_eq!((imported.rows, imported.counts.bad_cells, imported.counts.rejected), (7_043, 11, 0));
    let faults: Vec<(u64, FaultClass, &str)> =
        imported.first_faults.iter().map(|f| (f.line, f.class, f.field.as_str())).collect();
    assert_eq!(faults, BLANKS.map(|line| (line, FaultClass::Blank, "total-charges")));

    let snapshot = Snapshot::open(&imported.folder).expect("a snapshot");
    let data = snapshot.bucket(Bucket { bits: 0, index: 0 }).expect("a bucket");
    let column = |name| data.column(name).expect("a column");
    let (paperless, churned, tenure) = (column("paperless-bill"), column("churned"), column("tenure-months"));
    let (monthly, total) = (column("monthly-charges"), column("total-charges"));
    let count = |test: &dyn Fn(usize) -> bool| (0..data.rows()).filter(|row| test(*row)).count();
    assert_eq!(count(&|row| paperless.yes(row) == Some(false)), 2_872);
    assert_eq!(count(&|row| paperless.yes(row) == Some(false) && churned.yes(row) == Some(false)), 2_403);
    assert_eq!(count(&|row| churned.yes(row) == Some(true)), 1_869);
    assert_eq!(count(&|row| total.integer(row).is_none()), 11);
    assert_eq!(count(&|row| total.integer(row).is_none() && tenure.integer(row) == Some(0)), 11);
    // Mean 64.7617 in the table.
    let fen: i64 = (0..data.rows()).filter_map(|row| monthly.integer(row)).sum();
    assert_eq!(fen * 100 / 7_043, 647_616);

    let found = snapshot.find(keyer().key_of("7590-VHVEG")).expect("a look-up").expect("the first customer");
    assert!(found.contains(&("total-charges".to_owned(), "29.85".to_owned())), "{found:?}");
    let people: usize = imported.identities.map(|batch| batch.expect("a batch").len()).sum();
    assert_eq!(people, 7_043);
}
