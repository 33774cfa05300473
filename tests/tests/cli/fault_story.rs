//! What machines do to processes: a disk without space, a limit on file sizes, a database that somebody else holds, a
//! process that sleeps past its lease. Each is told clearly, and after the repair the plan ends as if undisturbed.

use crate::care::{Care, OPERATOR, json};
use crate::crash_loop::traces;
use care_engine::{CommitStep, Engine, PlanRequest, Progress};
use care_store::Store;
use care_tests::{DATE, program};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

/// Two buckets.
const CUSTOMERS: u32 = 70_000;
const PLAN: [&str; 4] = ["plan", "run", "--workers", "1"];

type Traces = (BTreeMap<String, String>, BTreeMap<u32, String>);

/// An installation at work, and what an undisturbed plan leaves in a copy of it.
async fn installation() -> (Care, Traces) {
    let care = Care::with_customers(CUSTOMERS);
    for name in ["birthday", "green-bill"] {
        care.approve(name);
        care.ok(OPERATOR, &["campaign", "start", name]);
    }
    let undisturbed = care.copy("undisturbed");
    undisturbed.ok(OPERATOR, &PLAN);
    let golden = traces(undisturbed.data()).await;
    assert!(golden.0.len() > 1_000 && golden.1.len() == 2, "{} contacts", golden.0.len());
    (care, golden)
}

fn error_of(output: &Output) -> Value {
    let stdout = String::from_utf8_lossy(&output.stdout);
    json(stdout.lines().last().unwrap_or("no answer"))["error"].take()
}

/// `care plan run` as a shell would run it, with `$CARE` and `$DATA`.
fn shell(care: &Care, wrapper: &[&str], script: &str) -> Output {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).args(["sh", "-c", script]);
    command.env("CARE", program()).env("DATA", care.data()).env("CARE_CLOCK", "2026-07-29T08:00:00+08:00");
    command.output().expect("a shell")
}

fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| if path.is_dir() { size_of(&path) } else { path.metadata().expect("a file").len() + 4_096 })
        .sum()
}

#[tokio::test]
async fn a_disk_without_space_stops_the_plan_and_the_same_command_goes_on_when_there_is_some() {
    let (care, golden) = installation().await;
    let own_mounts = ["unshare", "--map-root-user", "--mount"];
    let disk = care.path("disk");
    std::fs::create_dir(&disk).expect("a folder");
    if !shell(&care, &own_mounts, &format!("mount -t tmpfs -o size=1m tmpfs {}", disk.display())).status.success() {
        eprintln!("SKIPPED: no disk can be mounted here, so none can be full; see `unshare --map-root-user --mount`");
        return;
    }
    // The whole story in one shell: what it mounts goes with it.
    let script = format!(
        "mount -t tmpfs -o size={size} tmpfs {disk} && cp -a $DATA {disk}/data || exit 9
         $CARE --json --data {disk}/data plan run --workers 1; first=$?
         mount -o remount,size=1g {disk}
         $CARE --json --data {disk}/data plan run --workers 1 > {disk}/second; second=$?
         cp -a {disk}/data {after} && exit $((first * 10 + second))",
        size = size_of(care.data()) + (3 << 19),
        disk = disk.display(),
        after = care.path("after").display(),
    );
    let output = shell(&care, &own_mounts, &script);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(10),
        "refused, then done: {} {stderr}",
        String::from_utf8_lossy(&output.stdout)
    );
    let error = error_of(&output);
    assert_eq!(error["code"], "disk-full", "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("it goes on where it stopped")), "{error}");
    assert_eq!(traces(&care.path("after")).await, golden);
}

#[tokio::test]
async fn a_file_that_may_not_grow_stops_the_plan_and_leaves_it_whole() {
    let (care, golden) = installation().await;
    // In blocks of 512 bytes; the signal would end the process before it can say anything.
    let script = "trap '' XFSZ; ulimit -f 1600; exec $CARE --json --data $DATA plan run --workers 1";
    let output = shell(&care, &["env"], script);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let error = error_of(&output).to_string();
    assert!(error.contains("check the disk") || error.contains("disk-full"), "{error}");
    care.ok(OPERATOR, &PLAN);
    assert_eq!(traces(care.data()).await, golden);
}

#[tokio::test]
async fn a_database_that_somebody_else_holds_is_waited_for_and_then_said() {
    let (care, golden) = installation().await;
    // Another process in the middle of a commit, for as long as we like.
    let ((locked, is_locked), (go, may_go)) = (mpsc::channel(), mpsc::channel::<()>());
    let may_go = Mutex::new(may_go);
    let folder = care.data().to_owned();
    let holder = std::thread::spawn(move || {
        let watch = Arc::new(move |progress: &Progress| {
            if matches!(progress, Progress::Committing(bucket, CommitStep::Inserted) if bucket.index == 0) {
                locked.send(()).expect("a listener");
                may_go.lock().expect("a lock").recv().expect("a word");
            }
            true
        });
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let engine = Engine::open(&folder).await.expect("a data folder");
            let date = care_domain::time::parse_date(DATE).expect("a date");
            let request = PlanRequest::of(date, 1).expect("a plan");
            engine.run_plan(&request, OPERATOR, 1_785_283_200_000, watch).await.expect("a plan")
        })
    });
    is_locked.recv().expect("the database is held");
    for args in [&PLAN[..], &["dispatch"], &["plan", "pause", ""]] {
        let args: Vec<&str> = ["--patience", "1"].into_iter().chain(args.iter().copied()).collect();
        let error = care.refused(OPERATOR, &args);
        assert_eq!(error["code"], "store-locked", "{args:?}: {error}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("care plan status")), "{error}");
    }
    assert_eq!(care.ok("auditor", &["plan", "status"])["state"], "running", "who only reads is not kept out");
    go.send(()).expect("it waits for us");
    assert!(holder.join().expect("the other process").released);
    assert_eq!(traces(care.data()).await, golden);
}

/// A process in the middle of a task.
struct Asleep {
    child: Child,
    bucket: u32,
}

/// Starts a plan and stops its process while it has a task in hand; `None` when it was too quick.
async fn asleep(care: &Care) -> Option<Asleep> {
    let mut command = care.command();
    command.args(["--json", "--as", OPERATOR, "plan", "run", "--workers", "1", "--lease", "1"]);
    let child = command.stdout(Stdio::piped()).spawn().expect("care runs");
    let store = Store::open(care.data()).await.expect("the store");
    let begun = in_hand(&store).await;
    // Into the middle of it: deciding takes far longer than this.
    sleep(Duration::from_millis(20));
    signal("STOP", &child);
    if begun.is_some() && in_hand(&store).await == begun {
        return begun.map(|bucket| Asleep { child, bucket });
    }
    awake(child);
    None
}

/// The task that somebody has in hand, as soon as somebody has one; `None` when all are done.
async fn in_hand(store: &Store) -> Option<u32> {
    loop {
        let plans = store.plans().await.expect("plans");
        let Some(plan) = plans.first() else { continue };
        let rows = store.task_rows(&plan.id).await.expect("tasks");
        let held = rows.iter().find(|row| row.held.is_some());
        if held.is_some() || rows.iter().all(|row| row.result.is_some()) {
            return held.map(|row| row.bucket);
        }
    }
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.expect("the command kill").success());
}

fn awake(child: Child) -> Output {
    signal("CONT", &child);
    child.wait_with_output().expect("its end")
}

#[tokio::test]
async fn a_process_that_sleeps_past_its_lease_is_fenced_when_it_wakes() {
    let (care, golden) = installation().await;
    for attempt in 0..10 {
        let copy = care.copy(&format!("attempt-{attempt}"));
        let Some(sleeper) = asleep(&copy).await else { continue };
        let args = ["--json", "--as", OPERATOR, "--patience", "3", "plan", "run", "--workers", "1"];
        let other = copy.command().args(args).output().expect("care runs");
        if other.status.code() == Some(1) && error_of(&other)["code"] == "store-locked" {
            // It fell asleep inside a transaction, which keeps everybody out; that is the story above.
            awake(sleeper.child);
            continue;
        }
        let summary = json(&String::from_utf8_lossy(&other.stdout));
        assert_eq!((&summary["released"], other.status.code()), (&true.into(), Some(0)), "{summary}");
        assert_eq!(traces(copy.data()).await, golden);
        let bucket = sleeper.bucket;
        let woken = awake(sleeper.child);
        let told = json(&String::from_utf8_lossy(&woken.stdout));
        assert_eq!((woken.status.code(), &told["released"]), (Some(0), &true.into()), "it finds the plan done: {told}");
        assert!(told["added"].as_u64() < Some(golden.0.len() as u64), "not all of it was its own: {told}");
        assert_eq!(traces(copy.data()).await, golden, "what it had in hand is not committed a second time");
        let store = Store::open(copy.data()).await.expect("the store");
        let plan = store.plans().await.expect("plans").swap_remove(0).id;
        let rows = store.task_rows(&plan).await.expect("tasks");
        assert!(rows.iter().any(|row| row.bucket == bucket && row.epoch > 1), "its task was taken over: {rows:?}");
        return;
    }
    panic!("in ten attempts it never fell asleep with a task in hand and the database free");
}
