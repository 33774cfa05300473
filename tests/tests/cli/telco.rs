//! Real customers: the public Telco churn table through import, approval, plan and evaluation, as the example does it.

use crate::care::{json, sum};
use care_tests::{plugins, program, repository};
use serde_json::Value;
use std::process::Command;

#[test]
fn the_example_takes_seven_thousand_real_customers_through_the_loop() {
    let table = repository().join("../shared/data/telecom/Telco-Customer-Churn.csv");
    if !table.is_file() {
        eprintln!(
            "SKIPPED: {} is not there; it is a public data set that is not part of this repository",
            table.display()
        );
        return;
    }
    let script = repository().join("examples/telco-green-bill.sh");
    let mut run = Command::new("bash");
    run.arg(script).arg(&table).env("CARE_BIN", program()).env("CARE_PLUGINS", plugins());
    let output = run.output().expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let last = json(said.lines().last().expect("a last line"));
    assert_eq!((&last["imported"], &last["bad_cells"]), (&7_043.into(), &11.into()), "{last}");
    assert_eq!((&last["selected"], sum(&last["verdicts"])), (&2_872.into(), 2_872), "{last}");
    // Nobody was really contacted: the interval of an A/A check covers nothing happening.
    let bound = |at: usize| last["effect"]["ci95"][at].as_f64().expect("an interval");
    assert!(bound(0) <= 0.0 && 0.0 <= bound(1), "{last}");
    the_eleven_blank_cells_are_listed(&said, &std::fs::read_to_string(table).expect("the table"), &last);
}

/// The table itself says which: the lines whose TotalCharges is blank.
fn the_eleven_blank_cells_are_listed(said: &str, table: &str, last: &Value) {
    let blank = |(_, line): &(usize, &str)| line.split(',').nth(19).is_some_and(|cell| cell.trim().is_empty());
    let wanted: Vec<String> = (1..).zip(table.lines()).filter(blank).map(|(n, _)| n.to_string()).collect();
    assert_eq!(wanted.len().to_string(), last["bad_cells"].to_string());
    let listed = said.lines().filter(|line| line.contains("total-charges"));
    let lines: Vec<&str> = listed.filter_map(|line| line.split(',').next()).collect();
    assert_eq!(lines, wanted, "{said}");
}
