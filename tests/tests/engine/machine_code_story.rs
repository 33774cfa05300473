//! Machine code: compiled once, in a child with limits; kept under a seal; and nothing else is ever loaded.

use crate::support::{self, NOW, open, plan_of, run};
use care_engine::{Engine, EngineError, PlanRequest, Worker, WorkerLimits};
use care_tests::{DATE, plugin, program};
use std::fs;
use std::path::{Path, PathBuf};

const DUE: [&str; 2] = ["birthday", "points-expiry"];

/// The files of machine code with their bytes, sorted.
fn kept(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder.join("cwasm")).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).expect("a file"))).collect()
}

async fn opened(folder: &Path) -> Engine {
    open(folder).await.with_worker(Worker::new(program()))
}

/// The plan of one more wave, in an engine opened for it: what it decided, and how much it compiled.
async fn planned(folder: &Path, wave: u32) -> (u64, u64) {
    let engine = opened(folder).await;
    let summary = run(&engine, &PlanRequest { wave, ..plan_of(DATE) }).await;
    (summary.totals().candidates(), engine.compilations())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_approved_plugins_compiles_nothing() {
    let (folder, engine) = support::at_work(2_000, &DUE).await;
    assert_eq!(engine.compilations(), 2, "once each, at upload");
    assert_eq!(kept(folder.path()).len(), 2);
    let (candidates, compiled) = planned(folder.path(), 1).await;
    assert!(candidates > 0);
    assert_eq!(compiled, 0);
}

/// One activity for each entry of the catalogue (domain.md section 2): a start loads all of them as they were kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_33_approved_plugins_compiles_nothing() {
    const ALL: u64 = 33;
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 500).await;
    let names: Vec<String> = (1..=ALL).map(|n| format!("points-{n}")).collect();
    for name in &names {
        let bytes = crate::gate_story::rewritten("points-expiry", |manifest| manifest["name"] = name.as_str().into());
        support::approved_bytes(&engine, &bytes, &care_domain::approval::Conditions::default()).await;
    }
    for name in &names {
        support::started(&engine, name, serde_json::json!({})).await;
    }
    assert_eq!(engine.compilations(), ALL, "once each, at upload");
    drop(engine);
    let engine = opened(folder.path()).await;
    let plan = support::run(&engine, &support::plan_of(DATE)).await;
    assert_eq!((plan.activities.len() as u64, engine.compilations()), (ALL, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_hosts_own_is_built_again_and_never_loaded() {
    let (folder, _) = support::at_work(2_000, &DUE).await;
    let (candidates, _) = planned(folder.path(), 1).await;
    let own = kept(folder.path());
    let [(first, code), (second, other)] = own.as_slice() else { panic!("two files: {own:?}") };
    let flipped = |at: usize| {
        let mut bytes = code.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damage = [
        ("a flipped bit of code", flipped(code.len() / 2)),
        ("a flipped bit of the seal", flipped(20)),
        ("another plugin's, sealed by this host", other.clone()),
        ("half of it", code[..code.len() / 2].to_vec()),
        ("nothing", Vec::new()),
    ];
    for (wave, (what, bytes)) in (2..).zip(damage) {
        fs::write(first, bytes).expect("a write");
        assert_eq!(planned(folder.path(), wave).await, (candidates, 1), "{what}");
        assert_eq!(kept(folder.path()), own, "{what}: the same code again, under the same seal");
    }
    // Made for another engine: under its own name it is not looked for, under ours it does not open.
    let stale = first.with_file_name(first.file_name().expect("a name").to_string_lossy().replace('-', "-0"));
    fs::rename(second, &stale).expect("a rename");
    assert_eq!(planned(folder.path(), 8).await, (candidates, 1));
    fs::remove_file(&stale).expect("it was left alone");
    // With another key, everything is foreign.
    fs::remove_file(folder.path().join("keys/cwasm.key")).expect("a key");
    assert_eq!(planned(folder.path(), 9).await, (candidates, 2));
    assert_ne!(kept(folder.path()), own);
}

/// An upload within such bounds, on a new data folder: the findings that refuse it.
async fn refused(limits: WorkerLimits) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::init(folder.path(), care_tests::PSEUDONYM_KEY, NOW).await.expect("a data folder");
    let engine = engine.with_worker(Worker { program: program(), limits });
    let bytes = fs::read(plugin("birthday")).expect("a plugin");
    let Err(EngineError::Findings { findings, .. }) = engine.push(&bytes, "branch-author", NOW).await else {
        panic!("it was not refused");
    };
    assert!(engine.store().submissions().await.expect("submissions").is_empty());
    for part in ["blobs", "cwasm"] {
        assert_eq!(fs::read_dir(folder.path().join(part)).expect("a folder").count(), 0, "{part} is empty");
    }
    assert!(findings.iter().all(|f| !f.hint.is_empty()));
    findings.into_iter().map(|f| f.code).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_needs_more_than_it_may_is_a_finding_and_nothing_is_stored() {
    let usual = WorkerLimits::default();
    assert_eq!(refused(WorkerLimits { memory_mib: 12, ..usual }).await, ["compile-limit"]);
    assert_eq!(refused(WorkerLimits { wall: std::time::Duration::from_millis(1), ..usual }).await, ["compile-limit"]);
}
