//! Two versions of the contract at once: what 1.1.0 adds, what keeps them apart, and that what is released stays.

use crate::support::{SANDBOX, SELECT, Wat, customers, dictionary, facts, grants, joining, manifest_json, plugin};
use care_domain::column::{Column, Table};
use care_domain::field::Stage;
use care_sandbox::{Broken, CONTRACTS, CompileError, Fault, FaultCode, MachineError, Report, inspect, package};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// Customers with a brand, a town and a balance, some of which are keys or prices of the tariffs `basic` and `family`.
fn asked() -> Table {
    let words = [Some("family"), None, Some("gone"), Some("basic"), Some("family")];
    let columns = [
        ("brand", Column::categories(words)),
        ("town", Column::texts(words)),
        ("balance", Column::s64([Some(8_800), None, Some(0), Some(1_900), Some(-1)])),
        ("tenure", Column::s32([Some(1), Some(0), Some(7), None, Some(2)])),
        ("points", Column::s64([Some(1); 5])),
    ];
    Table { rows: 5, columns: columns.map(|(name, column)| (name.to_owned(), column)).into() }
}

fn joined(field: &str, table: &str, key: &str) -> Result<Vec<(u32, i64)>, Broken> {
    let chosen = joining(field, table, key).guest(Stage::Select).select(asked())?;
    Ok(chosen.rows.into_iter().zip(chosen.occasions).collect())
}

fn fault_of<T: std::fmt::Debug>(answer: Result<T, Broken>) -> Fault {
    match answer {
        Err(Broken::Fault(fault)) => fault,
        other => panic!("no fault of the guest: {other:?}"),
    }
}

#[test]
fn a_join_finds_the_row_of_the_table_and_nothing_for_misses_and_gaps() {
    for field in ["brand", "town"] {
        assert_eq!(joined(field, "tariffs", "key").expect("an answer"), [(0, 1), (3, 0), (4, 1)], "{field}");
    }
    assert_eq!(joined("balance", "tariffs", "price").expect("an answer"), [(0, 1), (3, 0)]);
}

#[test]
fn a_join_answers_the_same_of_a_part_of_the_batch_warm_and_fresh() {
    let wat = joining("brand", "tariffs", "key");
    let mut warm = wat.guest(Stage::Select);
    let part = |rows: &[u32]| {
        let columns = asked().columns.into_iter().map(|(name, column)| (name, column.gather(rows))).collect();
        Table { rows: rows.len() as u32, columns }
    };
    assert_eq!(warm.select(part(&[])).expect("an answer").rows, [0u32; 0]);
    assert_eq!(warm.select(part(&[4, 3])).expect("an answer").occasions, [1, 0]);
    assert_eq!(warm.select(asked()).expect("an answer"), wat.guest(Stage::Select).select(asked()).expect("an answer"));
}

#[test]
fn a_join_needs_both_fields_granted() {
    for (field, table, key) in [
        ("points", "tariffs", "key"),
        ("phone", "tariffs", "key"),
        ("brand", "tariffs", "margin"),
        ("brand", "staff", "key"),
        ("town", "customers", "town"),
        ("town", "outcomes", "town"),
    ] {
        let fault = fault_of(joined(field, table, key));
        assert_eq!(fault.code, FaultCode::FieldNotGranted, "{field} {table} {key}: {fault}");
    }
    // In `schedule` no field of the customer is granted, the tables still are.
    let fault = fault_of(joining("brand", "tariffs", "key").guest(Stage::Schedule).schedule(asked(), &[0; 5]));
    assert_eq!(fault.code, FaultCode::FieldNotGranted);
    assert!(["brand", "customers", "schedule"].iter().all(|word| fault.message.contains(word)), "{fault}");
}

#[test]
fn a_join_compares_values_of_one_kind() {
    for (field, key) in [("balance", "key"), ("brand", "price"), ("tenure", "price")] {
        let fault = fault_of(joined(field, "tariffs", key));
        assert_eq!(fault.code, FaultCode::WrongType);
        assert!([field, key, "rows-of"].iter().all(|word| fault.message.contains(word)), "{fault}");
    }
}

#[test]
fn a_join_without_its_columns_blames_the_engine() {
    let mut batch = asked();
    batch.columns.remove("brand");
    let broken = joining("brand", "tariffs", "key").guest(Stage::Select).select(batch);
    assert!(matches!(&broken, Err(Broken::Machine(MachineError::NotSupplied { field, .. })) if field == "brand"));
}

#[test]
fn a_large_table_cannot_be_joined_without_end() {
    let mut wat = Wat::v1_1();
    let asked = ["brand", "tariffs", "key"].map(|text| wat.text(text)).join(" ");
    let at = wat.put(&[0; 8]);
    let body = format!(
        "(local $heap i32) (local.set $heap (global.get $heap))
        (loop $again (global.set $heap (local.get $heap)) (call $rows-of {asked} (i32.const {at})) (br $again)) unreachable"
    );
    let keys: Vec<String> = (0..100_000).map(|key| format!("a key as long as this one, number {key}")).collect();
    let mut grants = grants();
    let column = Column::texts(keys.iter().map(|key| Some(key.as_str())));
    let tariffs = Table { rows: 100_000, columns: [("key".to_owned(), column)].into() };
    grants.tables = std::sync::Arc::new([("tariffs".to_owned(), tariffs)].into());
    // Each call pays for the table too: it is over after some sixty, though the batch has one row.
    let fault = fault_of(wat.body(SELECT, body).guest_with(Stage::Select, grants).select(customers(1)));
    assert_eq!(fault.code, FaultCode::TooMuchTraffic);
}

#[test]
fn guests_of_both_versions_answer_in_one_sandbox() {
    let old =
        Wat::new().body(SELECT, "(if (i32.ne (call $today) (i32.const 20780)) (then unreachable)) (i32.const 1024)");
    let mut old = SANDBOX.compile(&old.component()).expect("1.0.0").guest(Stage::Select, facts(), grants());
    let new = SANDBOX.compile(&joining("brand", "tariffs", "key").component()).expect("1.1.0");
    let mut new = new.guest(Stage::Select, facts(), grants());
    for _ in 0..2 {
        assert_eq!(old.select(asked()).expect("an answer").rows, [0u32; 0]);
        assert_eq!(new.select(asked()).expect("an answer").rows, [0, 3, 4]);
    }
}

/// The bytes with a text replaced by another of the same length.
fn patched(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty(), "{from}");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

fn inspected(component: &[u8], wit: &str) -> Report {
    let mut manifest = manifest_json();
    manifest["wit"] = wit.into();
    let bytes = package::with_manifest(component, manifest.to_string().as_bytes()).expect("a component");
    inspect(&bytes, &dictionary())
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|f| f.code.as_str()).collect()
}

#[test]
fn each_version_is_accepted_with_its_own_manifest_and_told_apart_from_the_other() {
    let (old, new) = (Wat::new().component(), Wat::v1_1().component());
    for (component, version) in [(&old, "1.0.0"), (&new, "1.1.0")] {
        let report = inspected(component, version);
        assert!(report.accepted, "{:?}", report.findings);
        assert_eq!(package::contract_version(component).expect("a version").to_string(), version);
        assert_eq!(codes(&inspect(component, &dictionary())), ["no-manifest"], "nothing else is wrong with it");
    }
    for (component, wit, built_for) in [(&new, "1.0.0", "1.1.0"), (&old, "1.1.0", "1.0.0")] {
        let report = inspected(component, wit);
        assert_eq!(codes(&report), ["wit-version-mismatch"], "{:?}", report.findings);
        let finding = &report.findings[0];
        assert!([wit, built_for].iter().all(|v| finding.message.contains(v) && finding.hint.contains(v)), "{finding}");
    }
}

#[test]
fn a_component_of_mixed_versions_is_refused_and_never_linked() {
    let mixed = patched(&Wat::v1_1().component(), "care:activity/tables@1.1.0", "care:activity/tables@1.0.0");
    for wit in ["1.0.0", "1.1.0"] {
        let report = inspected(&mixed, wit);
        let finding = report.findings.iter().find(|f| f.code == "mixed-wit-versions").expect("it is found");
        assert!(!report.accepted && finding.message.contains("1.0.0 and 1.1.0"), "{finding}");
        assert!(finding.hint.contains(&format!("wit/care-activity-{wit}")), "{finding}");
    }
    let forbidden = inspected(&mixed, "1.1.0");
    let forbidden = forbidden.findings.iter().find(|f| f.code == "forbidden-import").expect("which one it is");
    assert!(forbidden.message.contains("tables@1.0.0") && forbidden.hint.contains("tables@1.1.0"), "{forbidden}");
    assert!(matches!(SANDBOX.compile(&mixed), Err(CompileError::NoContract { named }) if named == "1.0.0 and 1.1.0"));
    assert!(package::contract_version(&mixed).is_err_and(|e| e.to_string().contains("1.0.0 and 1.1.0")));
}

#[test]
fn a_version_that_does_not_exist_is_told_which_do() {
    for unknown in ["1.2.0", "1.0.1", "2.0.0"] {
        let component = patched(&Wat::v1_1().component(), "@1.1.0", &format!("@{unknown}"));
        for wit in [unknown, "1.1.0"] {
            let report = inspected(&component, wit);
            let finding = report.findings.iter().find(|f| f.code == "unknown-wit-version").expect("it is found");
            assert!(finding.message.contains(unknown) && finding.hint.contains("1.0.0, 1.1.0"), "{finding}");
        }
        // The linker itself would take 1.2.0 for ours.
        assert!(matches!(SANDBOX.compile(&component), Err(CompileError::NoContract { named }) if named == unknown));
    }
    let report = inspected(&Wat::new().component(), "1.2.0");
    assert_eq!(codes(&report), ["unknown-wit-version"]);
}

#[test]
fn a_guest_of_1_0_0_does_not_get_the_join() {
    let claims = patched(&Wat::v1_1().component(), "@1.1.0", "@1.0.0");
    let report = inspected(&claims, "1.0.0");
    assert_eq!(codes(&report), ["wrong-signature"], "{:?}", report.findings);
    assert!(report.findings[0].message.contains("rows-of"), "{}", report.findings[0]);
    assert!(report.findings[0].hint.contains("1.1.0"), "{}", report.findings[0]);
    assert!(matches!(SANDBOX.compile(&claims), Err(CompileError::Compile(_))));
}

#[test]
fn what_is_no_part_of_the_contract_is_not_loaded() {
    let secrets = r#"(component
        (import "care:activity/secrets@1.1.0" (instance $e))
        (export "care:activity/targeting@1.1.0" (instance $e)) (export "care:activity/timing@1.1.0" (instance $e))
        (export "care:activity/content@1.1.0" (instance $e)) (export "care:activity/evaluation@1.1.0" (instance $e)))"#;
    let compiled = SANDBOX.compile(&wat::parse_str(secrets).expect("the test's own text parses"));
    assert!(matches!(compiled, Err(CompileError::ForbiddenImport { import }) if import.contains("secrets")));
    let compiled = SANDBOX.compile(&wat::parse_str("(component)").expect("the test's own text parses"));
    assert!(matches!(compiled, Err(CompileError::NoContract { named }) if named == "none"));
    let whole = plugin(&Wat::v1_1(), &manifest_json());
    assert!(SANDBOX.compile(&whole).is_ok());
}

/// The published contracts.
fn wit() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

#[test]
fn a_released_contract_never_changes() {
    let list = std::fs::read_to_string(wit().join("RELEASED.sha256")).expect("the list of what is released");
    let released: Vec<(&str, &str)> = list.lines().filter_map(|line| line.split_once("  ")).collect();
    for (digest, file) in &released {
        let text = std::fs::read(wit().join(file)).unwrap_or_else(|e| panic!("{file} was released and is gone: {e}"));
        assert_eq!(
            &hex::encode(Sha256::digest(text)),
            digest,
            "wit/{file} is released, and plugins were built for it: put it back as it was. A change is a new version: \
             a new folder wit/care-activity-<version>, an entry of CONTRACTS, and a line in wit/RELEASED.sha256"
        );
    }
    let files = |version: &str| format!("care-activity-{version}/activity.wit");
    let ours: Vec<String> = CONTRACTS.iter().map(|c| files(c.version)).collect();
    let listed: Vec<&str> = released.iter().map(|(_, file)| *file).collect();
    assert_eq!(listed, ours, "wit/RELEASED.sha256 lists the versions of CONTRACTS, in their order");
    let folders =
        std::fs::read_dir(wit()).expect("the contracts").filter(|e| e.as_ref().is_ok_and(|e| e.path().is_dir()));
    assert_eq!(folders.count(), ours.len(), "every folder of wit/ is a version of CONTRACTS");
}
