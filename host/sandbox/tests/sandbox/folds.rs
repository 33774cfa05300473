//! Evaluation as a fold: states in, states out, metrics at the end.

use crate::support::{MERGE, OBSERVE, REPORT, Wat};
use care_domain::column::{Column, Table};
use care_domain::field::Stage;
use care_sandbox::{Broken, FaultCode, MAX_STATE_BYTES, Metric};

fn outcomes(rows: u32) -> Table {
    Table { rows, columns: [("treated".to_owned(), Column::boolean((0..rows).map(|_| Some(true))))].into() }
}

fn fault<T: std::fmt::Debug>(answer: Result<T, Broken>) -> (FaultCode, String) {
    match answer {
        Err(Broken::Fault(fault)) => (fault.code, fault.message),
        other => panic!("no fault of the guest: {other:?}"),
    }
}

/// Answers with the state it was given, and checks that it can read the batch of outcomes.
fn echo() -> Wat {
    let mut wat = Wat::new();
    let (table, field) = (wat.text("outcomes"), wat.text("treated"));
    let column = wat.put(&[0; 8]);
    let answer = wat.put(&[0; 12]);
    let back = format!(
        "(i32.store offset=4 (i32.const {answer}) (local.get 0))
        (i32.store offset=8 (i32.const {answer}) (local.get 1))
        (i32.const {answer})"
    );
    wat.body(OBSERVE, format!("(call $booleans {table} {field} (i32.const {column})) {back}"))
        .body(MERGE, back)
        .body(REPORT, format!("(drop (call $rows {table})) (i32.const 1024)"))
}

#[test]
fn a_state_goes_in_and_comes_out() {
    let mut guest = echo().guest(Stage::Observe);
    assert_eq!(guest.observe(outcomes(5), b"state").expect("a state"), b"state");
    assert_eq!(guest.observe(outcomes(5), b"").expect("a state"), b"");
    assert_eq!(guest.merge(b"left", b"right").expect("a state"), b"left");
}

#[test]
fn only_observe_has_a_batch() {
    let (code, message) = fault(echo().guest(Stage::Observe).report(b""));
    assert_eq!(code, FaultCode::FieldNotGranted);
    assert!(message.contains("outcomes"), "{message}");
}

#[test]
fn a_state_over_a_mebibyte_is_refused() {
    let mut wat = Wat::new();
    wat.extra_pages = 40;
    let answer = wat.ok(&[0, MAX_STATE_BYTES as u32 + 1]);
    let (code, message) = fault(wat.body(MERGE, answer).guest(Stage::Observe).merge(b"", b""));
    assert_eq!(code, FaultCode::OutputTooLarge);
    assert!(message.contains("1048577"), "{message}");
}

fn report(metrics: &[Metric]) -> Result<Vec<Metric>, Broken> {
    let mut wat = Wat::new();
    let mut bytes: Vec<u8> = Vec::new();
    for metric in metrics {
        for text in [&metric.name, &metric.slice] {
            let at = wat.put(text.as_bytes());
            bytes.extend([at, text.len() as u32].iter().flat_map(|w| w.to_le_bytes()));
        }
        bytes.extend(u64::from(metric.treated).to_le_bytes());
        bytes.extend(metric.count.to_le_bytes());
        bytes.extend(metric.sum.to_le_bytes());
        bytes.extend(metric.sum_of_squares.to_le_bytes());
    }
    let list = wat.put(&bytes);
    let answer = wat.ok(&[list, metrics.len() as u32]);
    wat.body(REPORT, answer).guest(Stage::Observe).report(b"")
}

#[test]
fn metrics_are_those_of_the_manifest_with_possible_numbers() {
    let goal = Metric {
        name: "goal".into(),
        slice: "region=350200".into(),
        treated: true,
        count: 3,
        sum: -1.5,
        sum_of_squares: 2.0,
    };
    let control = Metric { treated: false, ..goal.clone() };
    let both = [goal.clone(), control];
    assert_eq!(report(&both).expect("a report"), both);
    for (bad, words) in [
        (Metric { name: "profit".into(), ..goal.clone() }, "\"profit\" is not in the manifest"),
        (Metric { sum: f64::NAN, ..goal.clone() }, "impossible numbers"),
        (Metric { sum_of_squares: -1.0, ..goal.clone() }, "impossible numbers"),
        (Metric { slice: "x".repeat(65), ..goal.clone() }, "more than 64 characters"),
    ] {
        let (code, message) = fault(report(&[bad]));
        assert_eq!(code, FaultCode::InvalidOutput);
        assert!(message.contains(words), "{message}");
    }
    let (_, message) = fault(report(&[goal.clone(), goal]));
    assert!(message.contains("stands twice"), "{message}");
}
