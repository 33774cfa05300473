//! Snapshots: named by their content, sorted, searched, and not to be tampered with.

use super::files::{BALANCE, Desk, keyer};
use crate::Snapshot;
use care_domain::key::{Bucket, CustomerKey};
use std::fmt::Write;

fn many(customers: u32) -> String {
    (0..customers).fold("id,balance\n".to_owned(), |mut csv, i| {
        let _ = writeln!(csv, "C{i},{}.{:02}", i / 100, i % 100);
        csv
    })
}

#[test]
fn the_same_input_has_the_same_id_byte_for_byte() {
    let (one, two) = (Desk::new(), Desk::new());
    let first = one.csv(many(3_000), BALANCE).expect("an import");
    let second = two.csv(many(3_000), BALANCE).expect("an import");
    assert_eq!(first.id, second.id);
    for name in ["manifest.json", "bucket-00000.arrow"] {
        let read = |folder: &std::path::Path| std::fs::read(folder.join(name)).expect("a file");
        assert_eq!(read(&first.folder), read(&second.folder), "{name}");
    }
    assert_eq!(one.csv(many(3_000), BALANCE).expect("again").id, first.id);
    assert_eq!(one.kept(), [first.id.as_str()]);
    assert_ne!(two.csv(many(2_999), BALANCE).expect("fewer").id, first.id);
}

#[test]
fn every_customer_is_found_in_its_bucket_and_nobody_else() {
    let desk = Desk::new();
    let imported = desk.csv(many(140_000), BALANCE).expect("an import");
    let snapshot = Snapshot::open(&imported.folder).expect("a snapshot");
    assert_eq!((snapshot.manifest().bits, snapshot.manifest().rows), (2, 140_000));
    let mut rows = 0;
    let mut last: Option<CustomerKey> = None;
    for bucket in Bucket::all(2) {
        let data = snapshot.bucket(bucket).expect("a bucket");
        for key in data.keys() {
            assert!(last < Some(key) && key.bucket(2) == bucket);
            last = Some(key);
        }
        rows += data.rows();
    }
    assert_eq!(rows, 140_000);
    for i in (0..140_000u32).step_by(997) {
        let key = keyer().key_of(&format!("C{i}"));
        let data = snapshot.bucket(key.bucket(2)).expect("a bucket");
        let row = data.find(key).expect("the customer");
        assert_eq!(
            (data.key(row), data.column("balance").expect("a column").integer(row)),
            (Some(key), Some(i64::from(i)))
        );
    }
    let stranger = keyer().key_of("nobody");
    assert_eq!(snapshot.find(stranger).expect("a look-up"), None);
    let error = snapshot.bucket(Bucket { bits: 3, index: 0 }).expect_err("other bits").to_string();
    assert!(error.contains("no bucket"), "{error}");
}

#[test]
fn columns_are_sliced_where_they_lie() {
    let desk = Desk::new();
    let mapping =
        format!("{BALANCE}blank = \"absent\"\n[fields.brand]\ncolumn = \"brand\"\n[fields.tier]\nvalue = \"none\"\n");
    let csv = (0..40).fold("id,balance,brand\n".to_owned(), |csv, i| match i % 3 {
        0 => format!("{csv}{i},,m-zone\n"),
        _ => format!("{csv}{i},{i},easyown\n"),
    });
    let imported = desk.csv(csv, &mapping).expect("an import");
    let data =
        Snapshot::open(&imported.folder).expect("a snapshot").bucket(Bucket { bits: 0, index: 0 }).expect("a bucket");
    let table = data.table(["balance", "brand", "absent"]);
    assert_eq!((table.rows, table.columns.len()), (40, 2));
    for name in ["balance", "brand", "tier"] {
        let column = data.column(name).expect("a column");
        let tail = column.slice(16..40);
        for row in 0..24 {
            assert_eq!(
                (tail.has(row), tail.integer(row), tail.text(row)),
                (column.has(row + 16), column.integer(row + 16), column.text(row + 16))
            );
        }
    }
    let (balance, brand) = (data.column("balance").expect("a column"), data.column("brand").expect("a column"));
    assert!((0..40).all(|row| balance.has(row) == (brand.text(row) == Some("easyown"))));
    assert!(data.column("tier").expect("a column").present.is_none(), "no gaps, no bits");
    assert!(data.column("points").is_none() && data.column("_key").is_none());
}

#[test]
fn a_tampered_or_vanished_file_is_named() {
    let desk = Desk::new();
    let imported = desk.csv(many(10), BALANCE).expect("an import");
    let snapshot = Snapshot::open(&imported.folder).expect("a snapshot");
    let path = imported.folder.join("bucket-00000.arrow");
    let mut bytes = std::fs::read(&path).expect("bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("tampered");
    let error = snapshot.find(keyer().key_of("C1")).expect_err("tampered").to_string();
    assert!(error.contains("bucket-00000.arrow was changed"), "{error}");
    let error = desk.csv(many(10), BALANCE).expect_err("the same import").to_string();
    assert!(error.contains("bucket-00000.arrow was changed"), "{error}");
    std::fs::remove_file(&path).expect("removed");
    assert!(snapshot.verify().expect_err("gone").to_string().contains("bucket-00000.arrow is gone"));

    let manifest = imported.folder.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("text").replace("\"rows\":10", "\"rows\":11");
    std::fs::write(&manifest, text).expect("tampered");
    assert!(Snapshot::open(&imported.folder).expect_err("tampered").to_string().contains("manifest.json was changed"));
}
