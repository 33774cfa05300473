//! What the gate refuses, and what it says then.

use crate::support::{Wat, dictionary, embed, manifest_json, plugin};
use care_sandbox::{CONTRACTS, MAX_COMPONENT_BYTES, Report, inspect, package};
use serde_json::json;

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|f| f.code.as_str()).collect()
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's own text parses")
}

#[test]
fn a_good_plugin_is_accepted_and_its_report_is_plain_json() {
    let bytes = plugin(&Wat::new(), &manifest_json());
    let report = inspect(&bytes, &dictionary());
    assert_eq!(codes(&report), [""; 0], "{:?}", report.findings);
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["accepted"], true);
    assert_eq!(json["digest"].as_str().map(str::len), Some(64));
    assert_eq!(json["manifest"]["name"], "test-activity");
}

#[test]
fn every_failed_check_is_reported_at_once() {
    let mut manifest = manifest_json();
    manifest["weight"] = json!(5_000);
    manifest["wit"] = json!("1.9.0");
    manifest["fields"]["select"] = json!([{"name": "balanse", "type": "fen"}]);
    let report = inspect(&plugin(&Wat::new(), &manifest), &dictionary());
    assert!(!report.accepted);
    assert_eq!(codes(&report), ["unknown-wit-version", "manifest-unknown-field", "manifest-bounds"]);
    assert!(report.findings[0].hint.contains("1.0.0"));
    assert!(report.findings.iter().all(|f| !f.message.is_empty() && !f.hint.is_empty()));
}

#[test]
fn junk_is_invalid_wasm_at_the_byte_where_reading_stopped() {
    let report = inspect(b"hello, this is no WebAssembly at all", &dictionary());
    assert_eq!(codes(&report), ["invalid-wasm"]);
    assert!(report.findings[0].message.contains("byte 0"), "{}", report.findings[0]);

    let mut broken = plugin(&Wat::new(), &manifest_json());
    broken.truncate(200);
    assert_eq!(codes(&inspect(&broken, &dictionary())), ["invalid-wasm"]);
    assert_eq!(codes(&inspect(b"", &dictionary())), ["invalid-wasm"]);
    assert_eq!(codes(&inspect(b"(component)", &dictionary())), ["invalid-wasm"], "text is no upload");
}

#[test]
fn what_is_too_large_is_not_even_read() {
    let report = inspect(&vec![0; MAX_COMPONENT_BYTES + 1], &dictionary());
    assert_eq!(codes(&report), ["too-large"]);
}

#[test]
fn a_core_module_is_told_to_become_a_component() {
    assert_eq!(codes(&inspect(&component("(module)"), &dictionary())), ["core-module"]);
    assert_eq!(codes(&inspect(&Wat::new().core(), &dictionary())), ["core-module"]);
}

#[test]
fn an_empty_component_lacks_a_manifest_and_with_one_the_world() {
    let empty = component("(component)");
    assert_eq!(codes(&inspect(&empty, &dictionary())), ["empty-component", "no-manifest"]);
    let named = package::with_manifest(&empty, manifest_json().to_string().as_bytes()).expect("a component");
    assert_eq!(
        codes(&inspect(&named, &dictionary())),
        ["empty-component", "wrong-world", "wrong-world", "wrong-world", "wrong-world"]
    );
}

#[test]
fn a_second_manifest_is_refused_rather_than_chosen_between() {
    let once = plugin(&Wat::new(), &manifest_json());
    let section = &once[Wat::new().component().len()..];
    let twice = [once.as_slice(), section].concat();
    assert_eq!(codes(&inspect(&twice, &dictionary())), ["repeated-manifest"]);
}

#[test]
fn a_manifest_that_does_not_fit_its_schema_is_refused_with_the_place() {
    let bytes = package::with_manifest(&Wat::new().component(), b"{\"name\": 7}").expect("a component");
    let report = inspect(&bytes, &dictionary());
    assert_eq!(codes(&report), ["manifest-schema"]);
    assert!(report.findings[0].message.contains("line 1 column 10"), "{}", report.findings[0]);
}

#[test]
fn wasi_and_every_other_import_is_forbidden_by_name() {
    let text = r#"(component
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance))
        (import "care:activity/tables@1.1.0" (instance))
        (import "care:activity/secrets@1.0.0" (instance))
        (import "care:activity/run@1.0.0" (instance)))"#;
    let bytes = package::with_manifest(&component(text), manifest_json().to_string().as_bytes()).expect("a component");
    let report = inspect(&bytes, &dictionary());
    let forbidden: Vec<_> = report.findings.iter().filter(|f| f.code == "forbidden-import").collect();
    assert_eq!(forbidden.len(), 3);
    assert!(forbidden[0].message.contains("wasi:clocks/monotonic-clock@0.2.0"));
    assert!(forbidden[0].hint.contains("--stub-wasi"));
    assert!(forbidden[1].message.contains("tables@1.1.0"), "another minor version is another import");
}

#[test]
fn a_function_of_another_type_is_a_wrong_signature() {
    let wit = CONTRACTS[0].wit.replace("select: func() ->", "select: func(hurry: bool) ->");
    assert_ne!(wit, CONTRACTS[0].wit);
    let mut core = component(
        r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "care:activity/targeting@1.0.0#select") (param i32) (result i32) unreachable)
        (func (export "care:activity/timing@1.0.0#schedule") (param i32 i32) (result i32) unreachable)
        (func (export "care:activity/content@1.0.0#compose") (param i32 i32) (result i32) unreachable)
        (func (export "care:activity/evaluation@1.0.0#observe") (param i32 i32) (result i32) unreachable)
        (func (export "care:activity/evaluation@1.0.0#merge") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "care:activity/evaluation@1.0.0#report") (param i32 i32) (result i32) unreachable))"#,
    );
    embed(&mut core, &wit, "activity");
    let bytes = package::component_from_core(&core).expect("a component");
    let bytes = package::with_manifest(&bytes, manifest_json().to_string().as_bytes()).expect("a component");
    let report = inspect(&bytes, &dictionary());
    assert_eq!(codes(&report), ["wrong-signature"], "{:?}", report.findings);
}

#[test]
fn a_declaration_inside_the_module_must_agree_with_the_manifest() {
    let mut guest = Wat::new();
    let declare = |reasons: serde_json::Value| {
        let fields = json!({
            "select": manifest_json()["fields"]["select"].as_array().map(|all| all.iter().map(|f| {
                json!({"name": f["name"], "type": f["type"], "optional": false})
            }).collect::<Vec<_>>()),
            "observe": [{"name": "treated", "type": "boolean", "optional": false}],
        });
        let slots = ["balance", "tariff", "way", "day"];
        json!({"fields": fields, "reasons": reasons, "templates": ["remind", "advise"], "slots": slots}).to_string()
    };
    let section = |json: &str| format!("(@custom \"care-declaration\" {:?})", json);

    guest.fields = section(&declare(json!(["low", "urgent"])));
    let report = inspect(&plugin(&guest, &manifest_json()), &dictionary());
    assert!(report.accepted, "{:?}", report.findings);

    let swapped = declare(json!(["urgent", "low"]));
    guest.fields = section(&swapped);
    let bytes = plugin(&guest, &manifest_json());
    assert_eq!(codes(&inspect(&bytes, &dictionary())), ["manifest-code-mismatch"]);
    assert_eq!(package::declaration(&bytes).expect("a component"), Some(swapped.clone().into_bytes()));
    assert_eq!(package::declaration(&guest.core()).expect("a module"), Some(swapped.into_bytes()));

    guest.fields = section("{}");
    assert_eq!(codes(&inspect(&plugin(&guest, &manifest_json()), &dictionary())), ["declaration-schema"]);
}

#[test]
fn a_new_manifest_replaces_the_old_one_and_touches_nothing_else() {
    let bare = Wat::new().component();
    let first = package::with_manifest(&bare, b"first").expect("a component");
    let second = package::with_manifest(&first, b"second").expect("a component");
    assert_eq!(package::manifest_bytes(&second).expect("a component"), Some(b"second".to_vec()));
    assert_eq!(second, package::with_manifest(&bare, b"second").expect("a component"));
    assert!(second.starts_with(&bare));
    assert!(package::with_manifest(&Wat::new().core(), b"x").is_err(), "a core module has no manifest");
    assert!(package::manifest_bytes(b"junk").is_err());
}

#[test]
fn a_module_that_imports_something_else_does_not_become_a_component() {
    let mut core = component(r#"(module (import "env" "system" (func (param i32) (result i32))))"#);
    embed(&mut core, CONTRACTS[0].wit, "activity");
    let error = package::component_from_core(&core).expect_err("env is nobody's world");
    assert!(
        std::error::Error::source(&error)
            .is_some_and(|cause| cause.to_string().contains("env") || format!("{cause:?}").contains("env"))
    );
}
