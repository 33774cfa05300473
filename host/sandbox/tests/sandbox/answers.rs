//! Answers that break the contract: each is a fault that names the row, what, and the value.

use crate::support::{COMPOSE, SCHEDULE, SELECT, Wat, customers};
use care_domain::field::Stage;
use care_sandbox::{Broken, FaultCode, Message};
use std::fmt::Debug;

fn fault_code<T: Debug>(answer: Result<T, Broken>) -> (FaultCode, String) {
    match answer {
        Err(Broken::Fault(fault)) => (fault.code, fault.message),
        other => panic!("no fault of the guest: {other:?}"),
    }
}

fn refused<T: Debug>(answer: Result<T, Broken>, words: &str) {
    let (code, message) = fault_code(answer);
    assert_eq!(code, FaultCode::InvalidOutput, "{message}");
    assert!(message.contains(words), "{message:?} does not say {words:?}");
}

/// A list in the guest's memory: its pointer and length.
macro_rules! list {
    ($wat:expr, $values:expr) => {{
        let bytes: Vec<u8> = $values.iter().flat_map(|v| v.to_le_bytes()).collect();
        [$wat.put(&bytes), $values.len() as u32]
    }};
}

fn selecting(rows: &[u32], reasons: &[u16], occasions: &[i64], scores: &[f32]) -> Wat {
    let mut wat = Wat::new();
    let lists = [list!(wat, rows), list!(wat, reasons), list!(wat, occasions), list!(wat, scores)];
    let answer = wat.ok(lists.as_flattened());
    wat.body(SELECT, answer)
}

#[test]
fn a_good_selection_passes_and_a_bad_one_says_what_is_wrong() {
    let select = |rows: &[u32], reasons: &[u16], occasions: &[i64], scores: &[f32]| {
        selecting(rows, reasons, occasions, scores).guest(Stage::Select).select(customers(10))
    };
    let good = select(&[0, 4, 9], &[0, 1, 0], &[i64::MIN, 0, i64::MAX], &[0.0, 0.25, 1.0]).expect("an answer");
    assert_eq!((good.rows, good.scores), (vec![0, 4, 9], vec![0.0, 0.25, 1.0]));
    assert!(select(&[], &[], &[], &[]).expect("nobody is an answer").rows.is_empty());

    refused(select(&[10], &[0], &[0], &[0.5]), "row 10 was chosen from a batch of 10 rows");
    refused(select(&[u32::MAX], &[0], &[0], &[0.5]), "row 4294967295");
    refused(select(&[3, 3], &[0, 0], &[0, 0], &[0.5, 0.5]), "row 3 follows row 3");
    refused(select(&[5, 2], &[0, 0], &[0, 0], &[0.5, 0.5]), "row 2 follows row 5");
    refused(select(&[1, 2], &[0], &[0, 0], &[0.5, 0.5]), "reasons has 1 entries, rows has 2");
    refused(select(&[1, 2], &[0, 0], &[0, 0, 0], &[0.5, 0.5]), "occasions has 3");
    refused(select(&[1, 2], &[0, 0], &[0, 0], &[]), "scores has 0");
    refused(select(&[7], &[2], &[0], &[0.5]), "row 7 has reason 2; the manifest has 2 reasons");
    for (score, words) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (-0.1, "-0.1"), (1.000_001, "1.000001")] {
        refused(select(&[7], &[0], &[0], &[score]), &format!("row 7 has score {words}"));
    }
}

#[test]
fn an_answer_far_larger_than_its_rows_is_not_taken_in() {
    let mut wat = Wat::new();
    wat.extra_pages = 800;
    let huge = wat.ok(&[0, 10_000_000, 0, 0, 0, 0, 0, 0]);
    let (code, message) = fault_code(wat.body(SELECT, huge).guest(Stage::Select).select(customers(10)));
    assert_eq!(code, FaultCode::OutputTooLarge, "{message}");
}

#[test]
fn moments_are_one_a_row_and_in_order() {
    let schedule = |from: &[i64], to: &[i64]| {
        let mut wat = Wat::new();
        let lists = [list!(wat, from), list!(wat, to)];
        let answer = wat.ok(lists.as_flattened());
        wat.body(SCHEDULE, answer).guest(Stage::Schedule).schedule(customers(2), &[0, 1])
    };
    assert_eq!(schedule(&[1, 5], &[1, 9]).expect("an answer").not_after, [1, 9]);
    refused(schedule(&[1, 5], &[1, 4]), "row 1 has not-before 5 later than not-after 4");
    refused(schedule(&[1], &[1, 4]), "not-before has 1 entries, customers has 2");
    refused(schedule(&[1, 1], &[1, 4, 5]), "not-after has 3");
}

/// A message as a guest writes it: row, template, and the four slots.
type Said<'a> = (u32, u16, [&'a str; 4]);

fn compose_raw(
    rows: &[u32],
    templates: &[u16],
    slots: &[(Vec<u32>, Vec<u8>)],
    reasons: &[u16],
) -> Result<Vec<Message>, Broken> {
    let mut wat = Wat::new();
    let mut texts = Vec::new();
    for (offsets, bytes) in slots {
        texts.extend(list!(wat, offsets));
        texts.extend([wat.put(bytes), bytes.len() as u32]);
    }
    let texts: Vec<u8> = texts.iter().flat_map(|w| w.to_le_bytes()).collect();
    let lists = [list!(wat, rows), list!(wat, templates), [wat.put(&texts), slots.len() as u32]];
    let answer = wat.ok(lists.as_flattened());
    wat.body(COMPOSE, answer).guest(Stage::Compose).compose(customers(reasons.len() as u32), reasons)
}

fn compose(said: &[Said<'_>], reasons: &[u16]) -> Result<Vec<Message>, Broken> {
    let column = |slot: usize| {
        let mut offsets = vec![0];
        let mut bytes = Vec::new();
        for (_, _, slots) in said {
            bytes.extend_from_slice(slots[slot].as_bytes());
            offsets.push(bytes.len() as u32);
        }
        (offsets, bytes)
    };
    let rows: Vec<u32> = said.iter().map(|s| s.0).collect();
    let templates: Vec<u16> = said.iter().map(|s| s.1).collect();
    compose_raw(&rows, &templates, &[column(0), column(1), column(2), column(3)], reasons)
}

#[test]
fn approved_templates_with_approved_values_are_said() {
    let said = [(0, 0, ["1205", "", "", ""]), (2, 0, ["0", "", "", ""]), (2, 1, ["", "basic", "app", "20780"])];
    let messages = compose(&said, &[0, 0, 1]).expect("an answer");
    assert_eq!(messages.len(), 3);
    assert_eq!((messages[0].row, messages[0].slots["balance"].as_str(), messages[0].slots.len()), (0, "1205", 1));
    assert_eq!(messages[2].slots.keys().collect::<Vec<_>>(), ["day", "tariff", "way"]);
    assert!(compose(&[], &[0, 1]).expect("silence is an answer").is_empty());
}

#[test]
fn a_guest_cannot_say_what_was_not_approved() {
    let one = |template: u16, slots: [&str; 4], reason: u16| compose(&[(0, template, slots)], &[reason]);
    let advice = |tariff, way, day| one(1, ["", tariff, way, day], 1);
    refused(one(1, ["", "basic", "app", "20780"], 0), "which its reason \"low\" does not allow");
    refused(one(2, [""; 4], 1), "row 0 has template 2; the manifest has 2 templates");
    refused(one(0, ["请拨打13800000000", "", "", ""], 0), "amount in fen");
    refused(one(0, ["100001", "", "", ""], 0), "outside 0 to 100000");
    refused(one(0, [""; 4], 0), "needs slot \"balance\", which is empty");
    refused(one(0, ["1", "basic", "", ""], 0), "does not use it");
    refused(advice("gold", "app", "20780"), "\"gold\", which was not approved");
    refused(advice("basic", "phone", "20780"), "\"phone\", which was not approved");
    refused(advice("basic", "app", "tomorrow"), "date in days");
}

#[test]
fn messages_belong_to_rows_that_exist_and_no_row_has_more_than_its_reason_may_cause() {
    let remind = |row: u32| (row, 0, ["1", "", "", ""]);
    refused(compose(&[remind(2)], &[0, 0]), "row 2 has a message; the batch has 2 rows");
    refused(compose(&[remind(1), remind(0)], &[0, 0]), "row 0 follows row 1");
    refused(compose(&[remind(0), remind(0)], &[0]), "row 0 has 2 messages; its reason may cause 1");
    assert_eq!(compose(&[remind(0), remind(0)], &[1]).expect("two are allowed").len(), 2);
}

#[test]
fn slot_columns_must_be_well_formed() {
    let none = || (vec![0, 0], Vec::new());
    let with = |offsets: Vec<u32>, bytes: &[u8]| {
        compose_raw(&[0], &[0], &[(offsets, bytes.to_vec()), none(), none(), none()], &[0])
    };
    assert!(with(vec![0, 1], b"7").is_ok());
    refused(with(vec![0, 2], b"7"), "no UTF-8 within its bytes");
    refused(with(vec![1, 0], b"7"), "no UTF-8 within its bytes");
    refused(with(vec![0, u32::MAX], b"7"), "no UTF-8 within its bytes");
    refused(with(vec![0, 1], b"\xff"), "no UTF-8 within its bytes");
    refused(with(vec![0], b"7"), "offsets of slot \"balance\" has 1 entries, rows + 1 has 2");
    refused(compose_raw(&[0], &[0], &[none()], &[0]), "slots has 1 entries, the manifest's slots has 4");
    refused(compose_raw(&[0], &[0, 0], &[none(), none(), none(), none()], &[0]), "templates has 2");
}
