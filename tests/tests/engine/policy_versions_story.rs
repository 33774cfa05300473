//! The province edits its policy: one person proposes, another puts it in force, and older versions stay readable.

use crate::support::{self, NOW, code, plan_of, populated};
use care_domain::canonical;
use care_domain::policy::{Hours, Policy};
use care_engine::{Engine, EngineError};
use care_tests::{DATE, tamper};
use std::path::Path;
use std::sync::Arc;

const PROVINCE: &str = "provincial-approver";
const SECOND: &str = "second-approver";

fn named(name: &str) -> Policy {
    Policy { name: name.into(), control_share: 500, ..Policy::default() }
}

async fn proposed(engine: &Engine, policy: &Policy, by: &str) -> i64 {
    engine.propose_policy(policy, "a trial", by, NOW).await.expect("a proposal").number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_comes_into_force_when_a_second_person_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 100).await;
    let (first, _) = engine.policy_in_force().await.expect("the first policy");
    let number = proposed(&engine, &named("fewer ghosts"), PROVINCE).await;
    assert_eq!(engine.policy_in_force().await.expect("a policy").0, first, "a proposal changes nothing");
    assert_eq!(code(engine.approve_policy(number, PROVINCE, NOW).await), "four-eyes");
    assert_eq!(code(engine.approve_policy(number, "operator", NOW).await), "not-allowed");
    assert_eq!(behind(folder.path(), &approve_sql(number)), "four-eyes", "the database says so too");
    engine.approve_policy(number, SECOND, NOW).await.expect("approved");
    let (second, policy) = engine.policy_in_force().await.expect("a policy");
    assert_ne!(first, second);
    assert_eq!(policy.name, "fewer ghosts");
    assert_eq!(code(engine.approve_policy(number, SECOND, NOW).await), "decided-once");
    assert_eq!(behind(folder.path(), "UPDATE policy_versions SET document = '{}'"), "decided-once");
    assert_eq!(behind(folder.path(), "DELETE FROM policy_versions"), "decided-once");
    assert_eq!(engine.policy_version(Some(1)).await.expect("the first").digest, first, "older versions stay");
    let changes = engine.policy_diff(1, number).await.expect("a difference");
    let places: Vec<&str> = changes.iter().map(|c| c.place.as_str()).collect();
    assert_eq!(places, ["control_share", "name"]);
    assert_eq!(code(engine.propose_policy(&policy, "", PROVINCE, NOW).await), "policy-unchanged");
    let audit = engine.verify_audit(None).await;
    assert!(audit.is_ok(), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_that_was_overtaken_or_refused_never_comes_into_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 100).await;
    let overtaken = proposed(&engine, &named("overtaken"), "operator").await;
    let newer = proposed(&engine, &named("newer"), "operator").await;
    engine.approve_policy(newer, PROVINCE, NOW).await.expect("approved");
    assert_eq!(code(engine.approve_policy(overtaken, PROVINCE, NOW).await), "policy-outdated");
    engine.reject_policy(overtaken, "overtaken", "operator", NOW).await.expect("taken back");
    assert_eq!(code(engine.approve_policy(overtaken, PROVINCE, NOW).await), "decided-once");
    let bad = Policy { control_share: 9_000, ..Policy::default() };
    assert!(matches!(engine.propose_policy(&bad, "", PROVINCE, NOW).await, Err(EngineError::Findings { .. })));
    let mute = Policy { quiet: Hours { from_minute: 0, to_minute: 1_440 }, ..Policy::default() };
    let warned = engine.propose_policy(&mute, "", PROVINCE, NOW).await.expect("a proposal");
    let codes: Vec<&str> = warned.warnings.iter().map(|w| w.code.as_str()).collect();
    assert_eq!(codes, ["policy-forbids"; 3], "service, care and offers reach nobody");
    let states: Vec<&str> = engine.policy_versions().await.expect("all").iter().map(|v| v.state.name()).collect();
    assert_eq!(states, ["proposed", "approved", "rejected", "approved"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_was_changed_behind_the_programs_back_plans_nothing() {
    let (folder, engine) = support::at_work(200, &["birthday"]).await;
    drop(engine);
    let other = named("nobody's");
    let digest = canonical::digest_of(&other).expect("a digest");
    let document = canonical::json(&other).expect("a document").replace('\'', "''");
    for (statement, expected) in [
        ("UPDATE policy_versions SET document = json_set(document, '$.control_share', 1)".to_owned(), None),
        (format!("UPDATE policy_versions SET document = '{document}', digest = '{digest}'"), Some("policy-unsound")),
    ] {
        let copy = support::copy_of(folder.path());
        tamper(copy.path(), &statement);
        let engine = support::open(copy.path()).await;
        let refused = engine.run_plan(&plan_of(DATE), "operator", NOW, Arc::new(|_| true)).await;
        match expected {
            Some(expected) => assert_eq!(code(refused), expected),
            None => assert!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}"),
        }
        assert!(engine.store().plans().await.expect("plans").is_empty());
    }
}

fn approve_sql(number: i64) -> String {
    format!("UPDATE policy_versions SET state = 'approved', decider = author WHERE number = {number}")
}

/// Writes into the database as somebody would who does not think of the triggers; the rule that refused it.
fn behind(folder: &Path, statement: &str) -> String {
    let script = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\n\
        try:\n c.execute(sys.argv[2])\n print('written')\nexcept sqlite3.Error as e:\n print(e)\n";
    let done = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(folder.join("care.db"))
        .arg(statement)
        .output()
        .expect("python3 runs");
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}
