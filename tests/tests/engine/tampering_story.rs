//! Somebody who can write the database, but has not the host's key: each change is found, blocks what it concerns, and
//! leaves the rest alone.

use crate::gate_story::code;
use crate::support::{self, NOW, copy_of, evening, lines, open, outbox, plan_of, run};
use care_domain::audit::Head;
use care_engine::Engine;
use care_tests::{DATE, tamper};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A plan of the tampered folder leaves points-expiry out, says why, and serves birthday; nothing of it is sent.
async fn is_left_out(folder: &Path, what: &str) {
    let engine = open(folder).await;
    let mut request = plan_of(DATE);
    request.wave = 2;
    let plan = run(&engine, &request).await;
    assert_eq!(plan.blocked.len(), 1, "{what}: {:?}", plan.blocked);
    assert_eq!(plan.blocked[0].code, "approval-unsound", "{what}");
    assert!(plan.activities.iter().all(|a| a.name == "birthday"), "{what}");
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let sent = lines(&outbox(folder));
    let of_it = sent.iter().filter(|line| line["campaign"] == "points-expiry-1").count();
    assert!(!sent.is_empty(), "{what}");
    if what != "other parameters" {
        assert_eq!(of_it, 0, "{what}: it was sent all the same");
    }
}

async fn at_work() -> (tempfile::TempDir, Engine) {
    let (folder, engine) = support::at_work(5_000, &["birthday", "points-expiry"]).await;
    run(&engine, &plan_of(DATE)).await;
    (folder, engine)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_row_blocks_the_plugin_concerned_and_no_other() {
    let (folder, engine) = at_work().await;
    drop(engine);
    let mine = "WHERE component = (SELECT component FROM versions WHERE activity = 'points-expiry')";
    for (what, statement) in [
        ("more weight", format!("UPDATE submissions SET approval = json_set(approval, '$.weight', 999) {mine}")),
        (
            "weight and digest",
            format!(
                "UPDATE submissions SET approval = json_set(approval, '$.weight', 999), approval_digest = 'x' {mine}"
            ),
        ),
        ("no signature", format!("UPDATE submissions SET envelope = NULL {mine}")),
        ("no approval", format!("UPDATE submissions SET approval = '{{}}' {mine}")),
        (
            "other words",
            format!("UPDATE versions SET manifest = json_set(manifest, '$.templates[0].bodies.sms.zh', '转账') {mine}"),
        ),
        ("other parameters", "UPDATE campaigns SET params = '{}' WHERE activity = 'points-expiry'".to_owned()),
    ] {
        let copy = copy_of(folder.path());
        tamper(copy.path(), &statement);
        is_left_out(copy.path(), what).await;
    }
}

/// The signature still holds when somebody lifts a withdrawal in the table; the audit log tells otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_that_was_lifted_in_the_database_stays_withdrawn() {
    let (folder, engine) = at_work().await;
    let all = engine.store().submissions().await.expect("submissions");
    let found = all.iter().find(|s| s.version.manifest.name == "points-expiry").expect("a submission");
    let before = serde_json::to_string(&found.submission).expect("JSON");
    engine.withdraw(found.id, "wrong tariff", "provincial-approver", NOW).await.expect("withdrawn");
    drop(engine);
    tamper(
        folder.path(),
        &format!(
            "UPDATE submissions SET state = 'active', document = '{before}' WHERE id = {}; \
             UPDATE campaigns SET state = 'active'; UPDATE contacts SET state = 'released' WHERE state = 'withdrawn'",
            found.id
        ),
    );
    is_left_out(folder.path(), "a lifted withdrawal").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_blob_is_never_run() {
    let (folder, engine) = at_work().await;
    let campaigns = engine.store().campaigns().await.expect("campaigns");
    let component = &campaigns.iter().find(|c| c.activity == "points-expiry").expect("a campaign").component;
    let blob = find(&folder.path().join("blobs"), component);
    drop(engine);
    let mut bytes = fs::read(&blob).expect("a blob");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let _ = fs::remove_file(&blob);
    fs::write(&blob, bytes).expect("a changed blob");
    let engine = open(folder.path()).await;
    let mut request = plan_of(DATE);
    request.wave = 2;
    let outcome = engine.run_plan(&request, "operator", NOW, Arc::new(|_| true)).await.expect("the others go on");
    assert_eq!(outcome.blocked.len(), 1, "{outcome:?}");
    assert!(outcome.activities.iter().all(|a| a.name == "birthday"));
}

/// The file of a blob, however the store shards its folder.
fn find(folder: &Path, digest: &str) -> std::path::PathBuf {
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().replace('/', "").ends_with(digest) {
                return path;
            }
        }
    }
    panic!("no blob {digest}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_names_its_first_broken_line_and_a_kept_head_finds_a_cut() {
    let (folder, engine) = at_work().await;
    let head = engine.verify_audit(None).await.expect("a sound log");
    assert!(head.number > 20, "every step so far has its line: {head:?}");
    drop(engine);
    let cut = "DELETE FROM audit WHERE number > 15";
    for (statement, told) in [
        (
            "UPDATE audit SET entry = json_set(entry, '$.person', 'nobody') WHERE number = 7".to_owned(),
            "line 7 was changed",
        ),
        ("DELETE FROM audit WHERE number = 9".to_owned(), "line 9 is missing"),
        (cut.to_owned(), "lines after 15 are missing"),
        (
            format!("{cut}; UPDATE audit_head SET number = 15, hash = (SELECT hash FROM audit WHERE number = 15)"),
            "not signed",
        ),
    ] {
        let copy = copy_of(folder.path());
        tamper(copy.path(), &statement);
        let engine = open(copy.path()).await;
        let error = engine.verify_audit(None).await.expect_err("a broken log");
        assert_eq!(code(&error), "audit-broken");
        assert!(error.to_string().contains(told), "{error}");
    }
    // A whole folder set back to an earlier day is sound by itself; the head that was kept elsewhere tells.
    let engine = open(folder.path()).await;
    let later = Head { number: head.number + 3, hash: head.hash.clone() };
    assert_eq!(code(&engine.verify_audit(Some(&later)).await.expect_err("too short")), "audit-broken");
    assert_eq!(engine.verify_audit(Some(&head)).await.expect("the same"), head);
}

/// What cannot even be read any more runs nothing, and holds up nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_is_garbage_blocks_its_own_activity_alone() {
    let (folder, engine) = at_work().await;
    drop(engine);
    tamper(folder.path(), "UPDATE versions SET manifest = '{}' WHERE activity = 'points-expiry'");
    let engine = open(folder.path()).await;
    let plan = run(&engine, &care_engine::PlanRequest { wave: 2, ..plan_of(DATE) }).await;
    assert_eq!(plan.blocked.len(), 1, "{:?}", plan.blocked);
    assert!(plan.activities.iter().all(|a| a.name == "birthday"));
    assert!(engine.submission(2).await.is_err(), "whoever asks for it is told that it was changed");
}

/// An evaluation runs the plugin's own fold: of what was approved, and of nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_whose_approval_was_changed_observes_nothing() {
    let (folder, engine) = at_work().await;
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let request = care_engine::EvaluationRequest { campaign: "points-expiry-1".into(), ..Default::default() };
    engine.evaluate(&request).await.expect("as approved");
    drop(engine);
    tamper(folder.path(), "UPDATE submissions SET approval = json_set(approval, '$.limits.fuel_base', 9) WHERE id = 2");
    let refused = open(folder.path()).await.evaluate(&request).await;
    assert_eq!(code(&refused.expect_err("changed")), "approval-unsound");
}

/// A variant is its base's code with its own manifest: neither may be exchanged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variant_whose_code_or_base_was_exchanged_runs_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 2_000).await;
    support::approved(&engine, "birthday", &care_domain::approval::Conditions::default()).await;
    support::approved(&engine, "points-expiry", &care_domain::approval::Conditions::default()).await;
    crate::variant_story::approved(&engine).await;
    crate::variant_story::variant_started(&engine).await;
    drop(engine);
    let other = "(SELECT component FROM versions WHERE activity = 'points-expiry')";
    for statement in [
        format!("UPDATE versions SET code = {other} WHERE variant IS NOT NULL"),
        format!("UPDATE versions SET base = {other} WHERE variant IS NOT NULL"),
        "UPDATE versions SET variant = NULL WHERE variant IS NOT NULL".to_owned(),
        "UPDATE versions SET manifest = json_set(manifest, '$.owner_region', '350000') WHERE variant IS NOT NULL"
            .to_owned(),
    ] {
        let copy = copy_of(folder.path());
        tamper(copy.path(), &statement);
        let engine = open(copy.path()).await;
        let refused = engine.run_plan(&plan_of(DATE), "operator", NOW, Arc::new(|_| true)).await;
        let code = code(&refused.expect_err("nothing runs"));
        assert!(["approval-unsound", "unknown-version"].contains(&code.as_str()), "{statement}: {code}");
    }
}
