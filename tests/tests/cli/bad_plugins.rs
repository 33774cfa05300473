//! What the gate keeps out: bytes that are no plugin, manifests that do not fit, and people who decide about their own.

use crate::bad_input::refused_without_a_trace;
use crate::care::{AUTHOR, CARE, Care, OPERATOR, PROVINCE, text};
use care_domain::approval::{Approval, Conditions};
use care_domain::audit::Entry;
use care_domain::dsse::{APPROVAL, Envelope, Signature};
use care_domain::governance::{Deed, Granted, Reviewed, Submission};
use care_domain::person::{Actor, Role};
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_store::{Grant, Store, StoreError};
use care_tests::plugin;
use serde_json::{Value, json};

/// A component with nothing in it.
const EMPTY: &[u8] = b"\0asm\x0d\x00\x01\x00";
/// A core module with nothing in it.
const CORE: &[u8] = b"\0asm\x01\x00\x00\x00";

fn component(name: &str) -> Vec<u8> {
    std::fs::read(plugin(name)).expect("a built plugin")
}

fn manifest(name: &str) -> Value {
    let bytes = manifest_bytes(&component(name)).expect("a component").expect("a manifest");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// A built plugin with its manifest changed.
fn edited(name: &str, edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut manifest = manifest(name);
    edit(&mut manifest);
    with_manifest(&component(name), manifest.to_string().as_bytes()).expect("a component")
}

#[test]
fn what_is_no_plugin_is_refused_and_told_why() {
    let care = Care::new();
    let real = component("birthday");
    let mut torn = real.clone();
    torn.truncate(real.len() / 2);
    let named_only = with_manifest(EMPTY, manifest("birthday").to_string().as_bytes()).expect("a component");
    let cases: [(&str, Vec<u8>, &str); 12] = [
        ("nothing", Vec::new(), "invalid-wasm"),
        ("junk", b"this is no WebAssembly".to_vec(), "invalid-wasm"),
        ("torn", torn, "invalid-wasm"),
        ("core", CORE.to_vec(), "core-module"),
        ("empty", EMPTY.to_vec(), "no-manifest"),
        ("named-only", named_only, "wrong-world"),
        ("model", edited("birthday", |m| m["world"] = json!("model")), "wrong-world"),
        ("future", edited("birthday", |m| m["wit"] = json!("1.9.0")), "unknown-wit-version"),
        ("schema", edited("birthday", |m| m["weight"] = json!("much")), "manifest-schema"),
        ("unknown", edited("birthday", |m| m["colour"] = json!("red")), "manifest-schema"),
        ("bounds", edited("birthday", |m| m["weight"] = json!(1_001)), "manifest-bounds"),
        ("code", edited("birthday", |m| m["reasons"][0]["name"] = json!("other")), "manifest-code-mismatch"),
    ];
    for (name, bytes, code) in cases {
        let file = care.file(&format!("{name}.wasm"), bytes);
        refused_without_a_trace(&care, AUTHOR, &["plugin", "push", &file], code);
        let checked = care.run(AUTHOR, &["plugin", "check", &file]);
        assert_eq!(checked.code, Some(1), "{name}: {}", checked.stdout);
        let report = crate::care::json(&checked.stdout);
        assert_eq!(report["accepted"], false);
        let codes: Vec<&str> =
            report["findings"].as_array().expect("findings").iter().filter_map(|f| f["code"].as_str()).collect();
        assert!(codes.contains(&code), "{name}: {codes:?}");
    }
}

#[test]
fn more_than_was_declared_cannot_be_asked_for() {
    let care = Care::new();
    let field = json!({"name": "arpu", "type": "fen", "optional": true});
    let nosy = edited("birthday", |m| m["fields"]["select"].as_array_mut().expect("fields").push(field));
    let unknown = edited("birthday", |m| m["fields"]["select"][0]["name"] = json!("bank-account"));
    let wordy = edited("birthday", |m| m["templates"][1]["bodies"]["sms"]["zh"] = json!("{anything}"));
    for (name, bytes, code) in [
        ("nosy", nosy, "manifest-code-mismatch"),
        ("unknown", unknown, "manifest-unknown-field"),
        ("wordy", wordy, "manifest-unknown-slot"),
    ] {
        refused_without_a_trace(&care, AUTHOR, &["plugin", "push", &care.file(name, bytes)], code);
    }
}

#[test]
fn an_upload_is_kept_once_and_a_change_needs_a_new_version() {
    let care = Care::new();
    assert_eq!(care.push("birthday"), "1");
    assert_eq!(care.push("birthday"), "1", "the same bytes again are the same submission");
    let reworded = edited("birthday", |m| m["title"]["zh"] = json!("祝您生日快乐"));
    refused_without_a_trace(&care, AUTHOR, &["plugin", "push", &care.file("same.wasm", reworded)], "version-not-newer");
    let newer = edited("birthday", |m| m["version"] = json!("1.1.0"));
    let pushed = care.ok(AUTHOR, &["plugin", "push", &care.file("newer.wasm", newer), "--key", &care.key()]);
    assert_eq!((&pushed["submission"], &pushed["version"]), (&json!(2), &json!("1.1.0")));
    let heavier = edited("birthday", |m| (m["version"], m["weight"]) = (json!("1.1.1"), json!(900)));
    let told = care.file("heavier.wasm", heavier);
    refused_without_a_trace(&care, AUTHOR, &["plugin", "push", &told], "bump-too-small");
    let error = care.refused(AUTHOR, &["plugin", "push", &told]);
    assert!(error["message"].as_str().is_some_and(|m| m.contains("weight")), "it names what changed: {error}");
}

#[test]
fn a_reviewer_reads_what_changed_since_the_approved_version() {
    let care = Care::with_customers(2_000);
    care.approve("birthday");
    let newer = edited("birthday", |m| (m["version"], m["weight"]) = (json!("1.1.0"), json!(900)));
    care.ok(AUTHOR, &["plugin", "push", &care.file("newer.wasm", newer), "--key", &care.key()]);
    let shown = care.ok(PROVINCE, &["submission", "show", "2"]);
    assert_eq!(shown["changes"]["since"], json!("1.0.0"));
    let what = shown["changes"]["changes"][0]["what"].as_str().expect("a change");
    assert!(what.starts_with("weight: ") && what.ends_with(" became 900"), "{what}");
}

#[test]
fn nobody_decides_about_their_own_and_a_decision_is_taken_once() {
    let care = Care::with_customers(2_000);
    let number = care.push("birthday");
    refused_without_a_trace(&care, AUTHOR, &["submission", "approve", &number], "not-allowed");
    // With the role, too, the author stays the author.
    care.ok("administrator", &["user", "add", AUTHOR, "--role", "provincial-approver", "--region", "350000"]);
    for decision in [vec!["approve"], vec!["reject", "--reason", "I changed my mind"]] {
        let args: Vec<&str> =
            ["submission", decision[0], &number].into_iter().chain(decision[1..].iter().copied()).collect();
        refused_without_a_trace(&care, AUTHOR, &args, "four-eyes");
    }
    refused_without_a_trace(&care, PROVINCE, &["submission", "reject", &number, "--reason", " "], "no-reason");
    refused_without_a_trace(&care, PROVINCE, &["submission", "approve", "99"], "unknown-submission");
    refused_without_a_trace(
        &care,
        PROVINCE,
        &["submission", "approve", &number, "--regions", "Xiamen"],
        "bad-condition",
    );
    refused_without_a_trace(&care, PROVINCE, &["submission", "approve", &number, "--tick", CARE], "no-evidence");
    care.ok(PROVINCE, &["submission", "simulate", &number]);
    refused_without_a_trace(&care, PROVINCE, &["submission", "approve", &number, "--tick", "proactive"], "not-care");
    care.ok(PROVINCE, &["submission", "approve", &number, "--tick", CARE]);
    refused_without_a_trace(&care, "second-approver", &["submission", "approve", &number], "decided-once");
}

#[test]
fn what_a_revoked_key_signed_is_flagged_and_a_key_is_never_overwritten() {
    let care = Care::new();
    let number = care.push("birthday");
    let id = care.ok(AUTHOR, &["submission", "show", &number])["key"]["id"].as_str().expect("a key").to_owned();
    let revoked = care.ok("administrator", &["key", "revoke", &id, "--reason", "lost laptop"]);
    assert_eq!(revoked["signed"], json!(["birthday 1.0.0"]));
    let shown = care.ok(AUTHOR, &["submission", "show", &number]);
    assert_eq!(shown["key"]["revoked_because"], "lost laptop");
    let again = ["plugin", "push", &text(&plugin("green-bill")), "--key", &care.key()];
    refused_without_a_trace(&care, AUTHOR, &again, "revoked-key");
    let file = text(&care.path("new.key"));
    care.ok(AUTHOR, &["key", "new", &file]);
    let before = std::fs::read(&file).expect("a key");
    assert_eq!(care.refused(AUTHOR, &["key", "new", &file])["code"], "no-file");
    assert_eq!(std::fs::read(&file).expect("the same key"), before);
}

/// The rule is the database's own: a program that forgets to ask is refused, too.
#[tokio::test]
async fn the_database_itself_refuses_an_author_as_decider() {
    let care = Care::new();
    let number: i64 = care.push("birthday").parse().expect("a number");
    let store = Store::open(care.data()).await.expect("the store");
    let found = store.submission(number).await.expect("it is read").expect("the submission");
    let version = &found.version;
    let by = |person: &str| Deed { person: person.to_owned(), at: 1 };
    let key = Envelope { payload_type: APPROVAL.into(), payload: String::new(), signatures: [unsigned()] };
    for (decider, rule) in [(AUTHOR, Some("four-eyes")), (PROVINCE, None), ("another", Some("decided-once"))] {
        let granted = Approval::grant(&version.component, &version.manifest, &Conditions::default(), decider, 1);
        let approval = granted.expect("an approval");
        let digest = approval.digest().expect("a digest");
        let granted = Granted {
            reviewed: Reviewed { author: by("somebody"), city: None, trial: None },
            approver: by(decider),
            second: None,
            approval: digest,
        };
        let entry = Entry::of(&actor(decider), "submission-approved", "", json!({}));
        let grant = Some(Grant { approval: &approval, envelope: &key });
        let written = store
            .transition(number, "provincial-review", &Submission::Approved(granted), grant, &entry)
            .await
            .map(|_| ());
        match rule {
            None => written.expect("somebody else decides"),
            Some(wanted) => match written.expect_err("refused") {
                StoreError::Rule { rule } => assert_eq!(rule, wanted),
                other => panic!("not {wanted} but {other}"),
            },
        }
    }
}

/// Whoever tried it out cannot approve, and whoever approved first cannot confirm, whatever the program believes.
#[tokio::test]
async fn the_database_itself_compares_every_part_that_a_person_had() {
    let care = Care::new();
    let number: i64 = care.push("birthday").parse().expect("a number");
    let store = Store::open(care.data()).await.expect("the store");
    let found = store.submission(number).await.expect("it is read").expect("the submission");
    let by = |person: &str| Deed { person: person.to_owned(), at: 1 };
    let granted =
        Approval::grant(&found.version.component, &found.version.manifest, &Conditions::default(), "first", 1);
    let approval = granted.expect("an approval");
    let key = Envelope { payload_type: APPROVAL.into(), payload: String::new(), signatures: [unsigned()] };
    let reviewed = Reviewed { author: by("somebody"), city: None, trial: Some(by("trial")) };
    let waits = |first: &str| Submission::SecondReview {
        reviewed: reviewed.clone(),
        approver: by(first),
        proposed: Box::new(approval.clone()),
    };
    let approved = |second: Option<&str>| {
        let digest = approval.digest().expect("a digest");
        let second = second.map(by);
        Submission::Approved(Granted { reviewed: reviewed.clone(), approver: by("first"), second, approval: digest })
    };
    let moved = async |before: &str, after: &Submission| {
        let grant = matches!(after, Submission::Approved(_)).then_some(Grant { approval: &approval, envelope: &key });
        let entry = Entry::of(&actor("first"), "moved", "", json!({}));
        store.transition(number, before, after, grant, &entry).await.map(|_| ()).map_err(|error| match error {
            StoreError::Rule { rule } => rule,
            other => panic!("no rule but {other}"),
        })
    };
    let trial = Submission::ProvincialReview(reviewed.clone());
    assert_eq!(moved("provincial-review", &trial).await, Err("decided-once"), "no step from a state to itself");
    for cheat in [AUTHOR, "trial"] {
        assert_eq!(moved("provincial-review", &waits(cheat)).await, Err("four-eyes"), "{cheat}");
    }
    assert_eq!(moved("provincial-review", &waits("first")).await, Ok(()));
    for cheat in [None, Some(AUTHOR), Some("trial"), Some("first")] {
        assert_eq!(moved("second-review", &approved(cheat)).await, Err("four-eyes"), "{cheat:?}");
    }
    assert_eq!(moved("second-review", &approved(Some("second"))).await, Ok(()));
}

fn unsigned() -> Signature {
    Signature { keyid: "none".into(), sig: String::new() }
}

fn actor(person: &str) -> Actor {
    Actor { person: person.into(), role: Role::ProvincialApprover, region: "350000".into(), at: 1 }
}

#[test]
fn a_campaign_needs_an_approved_version_and_parameters_that_fit() {
    let care = Care::with_customers(2_000);
    refused_without_a_trace(&care, OPERATOR, &["campaign", "start", "brithday"], "unknown-activity");
    let number = care.push("birthday");
    refused_without_a_trace(&care, OPERATOR, &["campaign", "start", "brithday"], "unknown-activity");
    let hint = care.refused(OPERATOR, &["campaign", "start", "brithday"])["hint"].to_string();
    assert!(hint.contains("birthday"), "the nearest name is told: {hint}");
    refused_without_a_trace(&care, OPERATOR, &["campaign", "start", "birthday"], "not-approved");
    care.ok(PROVINCE, &["submission", "simulate", &number]);
    refused_without_a_trace(&care, PROVINCE, &["submission", "approve", &number, "--tick", "proactive"], "not-care");
    care.ok(PROVINCE, &["submission", "approve", &number, "--tick", CARE]);
    refused_without_a_trace(&care, OPERATOR, &["campaign", "start", "birthday", "--version", ">=2"], "not-approved");
    for param in ["send_hour=25", "send_hour=soon", "call_vip=perhaps", "discount=5", "desk_brands=[1]"] {
        refused_without_a_trace(&care, OPERATOR, &["campaign", "start", "birthday", "--param", param], "bad-parameter");
    }
    let list = care.file("params.json", "[1]");
    refused_without_a_trace(&care, OPERATOR, &["campaign", "start", "birthday", "--params", &list], "bad-parameter");
    refused_without_a_trace(&care, OPERATOR, &["campaign", "stop", "birthday-1"], "unknown-campaign");
    refused_without_a_trace(&care, OPERATOR, &["evaluate", "birthday-1"], "unknown-campaign");
}

#[test]
fn a_rejected_activity_tells_its_author_why_and_starts_nothing() {
    let care = Care::new();
    let number = care.push("birthday");
    care.ok(PROVINCE, &["submission", "reject", &number, "--reason", "who is called twice?"]);
    let shown = care.ok(AUTHOR, &["submission", "show", &number]);
    assert_eq!((&shown["state"], &shown["history"]["reason"]), (&json!("rejected"), &json!("who is called twice?")));
    refused_without_a_trace(&care, OPERATOR, &["campaign", "start", "birthday"], "not-approved");
}
