//! Valid files that are no activity of ours: each is told apart, and nothing of them is kept.

use crate::wat_guest::{Wat, base64, dictionary, embed, manifest_json};
use care_sandbox::{CONTRACTS, inspect, package};
use care_tests::{program, repository};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Every so many lines of the corpus one is uploaded by the program itself; the sandbox's tests read them all.
const EVERY: usize = 40;

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's own text parses")
}

/// The contract itself, as `wasm-tools component wit --wasm` writes it.
fn wit_package() -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("activity.wit", CONTRACTS[0].wit).expect("the contract parses");
    wit_component::encode(&resolve, package).expect("a package")
}

/// A guest of a world that somebody else published.
fn other_world() -> Vec<u8> {
    let mut core = component(r#"(module (func (export "shop:orders/intake@2.0.0#take") (result i32) (i32.const 0)))"#);
    let wit = "package shop:orders@2.0.0; interface intake { take: func() -> u32; } world shop { export intake; }";
    embed(&mut core, wit, "shop");
    package::component_from_core(&core).expect("a component")
}

fn foreign_files() -> [(&'static str, Vec<u8>, &'static str); 6] {
    let wasi = r#"(component
        (import "wasi:cli/environment@0.2.0" (instance))
        (import "wasi:sockets/tcp@0.2.0" (instance $tcp))
        (export "care:activity/targeting@1.0.0" (instance $tcp)))"#;
    [
        ("a core module", Wat::new().core(), "core-module"),
        ("an empty component", component("(component)"), "empty-component"),
        ("WASI imports", component(wasi), "forbidden-import"),
        ("another world", other_world(), "foreign-world"),
        ("a WIT package without code", wit_package(), "wit-package"),
        (
            "one that imports and exports nothing",
            component("(component (core module (func unreachable)))"),
            "no-exports",
        ),
    ]
}

#[test]
fn every_foreign_file_is_told_apart_with_a_manifest_and_without() {
    let mut codes = BTreeSet::new();
    for (name, bytes, code) in foreign_files() {
        let said = |bytes: &[u8]| {
            let report = inspect(bytes, &dictionary());
            assert!(!report.accepted, "{name}");
            report.findings.into_iter().map(|f| f.code).collect::<Vec<_>>()
        };
        assert!(said(&bytes).iter().any(|c| c == code), "{name}: {:?}", said(&bytes));
        if let Ok(named) = package::with_manifest(&bytes, manifest_json().to_string().as_bytes()) {
            assert!(said(&named).iter().any(|c| c == code), "{name} with a manifest: {:?}", said(&named));
        }
        assert!(codes.insert(code), "{code} is said of two of them");
    }
}

fn care(data: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(program());
    for variable in ["CARE_DATA", "CARE_USER", "CARE_LOG"] {
        command.env_remove(variable);
    }
    let output = command.arg("--data").arg(data).args(["--json", "--as", "branch-author"]).args(args).output();
    let output = output.expect("care runs");
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

/// Every file below a folder with its length.
fn files(folder: &Path) -> BTreeSet<(String, u64)> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert((path.display().to_string(), path.metadata().expect("a file").len()));
        }
    }
    found
}

#[test]
fn nothing_is_kept_of_what_is_uploaded_and_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, upload) = (folder.path().join("data"), folder.path().join("upload.wasm"));
    assert_eq!(care(&data, &["init", "--rehearsal"]).0, Some(0));
    let blobs = data.join("blobs");
    let before = files(&blobs);
    let mut uploads: Vec<(String, Vec<u8>, &str)> =
        foreign_files().into_iter().map(|(name, bytes, code)| (name.to_owned(), bytes, code)).collect();
    let corpus = repository().join("../shared/data/wasm/spec-invalid.jsonl");
    match std::fs::read_to_string(&corpus) {
        Ok(text) => uploads.extend(text.lines().take(1_018).step_by(EVERY).map(|line| {
            let case: Value = serde_json::from_str(line).expect("a line of the corpus");
            (case["name"].to_string(), base64(case["wasm_b64"].as_str().expect("bytes")), "invalid-wasm")
        })),
        Err(error) => eprintln!("SKIPPED: no corpus at {}: {error}", corpus.display()),
    }
    for (name, bytes, code) in uploads {
        std::fs::write(&upload, bytes).expect("a written file");
        let (exit, answer) = care(&data, &["plugin", "push", &upload.display().to_string()]);
        assert_eq!(exit, Some(1), "{name}: {answer}");
        let findings = answer["error"]["findings"].as_array().expect("findings").iter();
        let codes: Vec<&str> = findings.filter_map(|f| f["code"].as_str()).collect();
        assert!(codes.contains(&code), "{name}: {codes:?}");
        assert_eq!(files(&blobs), before, "{name} was kept");
    }
    let (_, listed) = care(&data, &["submission", "list"]);
    assert_eq!(listed.as_array().or(listed["submissions"].as_array()).map(Vec::len), Some(0), "{listed}");
}
