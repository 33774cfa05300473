//! A plan done from outside: descriptors are handed out, `care worker task` does each, `care plan resume` releases.

use crate::care::{Care, Ended, OPERATOR, json};
use care_store::Store;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

const CUSTOMERS: u32 = 100_000;
const TRY_AGAIN: Option<i32> = Some(75);
const NEVER: Option<i32> = Some(65);

/// `care worker task` with these descriptors on standard input.
fn worker(care: &Care, who: &str, descriptors: &[Value]) -> Ended {
    let lines: String = descriptors.iter().map(|line| format!("{line}\n")).collect();
    fed(care, who, &lines)
}

fn fed(care: &Care, who: &str, input: &str) -> Ended {
    let mut command = care.command();
    command.args(["--as", who, "worker", "task"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("care runs");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("its end");
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), stdout: lossy(&output.stdout), stderr: lossy(&output.stderr) }
}

fn manifests(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(json).collect()
}

fn told(ended: &Ended) -> String {
    let last = ended.stdout.lines().last().expect("an answer");
    json(last)["error"]["code"].as_str().expect("a code").to_owned()
}

async fn ids_and_logs(care: &Care) -> (Vec<String>, BTreeMap<u32, String>) {
    let store = Store::open(care.data()).await.expect("the store");
    let plan = store.plans().await.expect("plans").swap_remove(0).id;
    let ids = store.contact_states().await.expect("contacts").into_iter().map(|(id, _)| id.to_string()).collect();
    let tasks = store.tasks(&plan).await.expect("tasks");
    (ids, tasks.into_iter().map(|(bucket, done)| (bucket, done.expect("a finished task").log)).collect())
}

#[tokio::test]
async fn a_plan_whose_tasks_others_do_ends_as_one_that_the_program_ran_itself() {
    let care = Care::with_campaigns(CUSTOMERS);
    let itself = care.copy("itself");
    itself.ok(OPERATOR, &["plan", "run"]);
    let golden = ids_and_logs(&itself).await;

    let tasks = care.ok(OPERATOR, &["plan", "hand-out", "--lease", "600"])["tasks"].take();
    let tasks = tasks.as_array().expect("descriptors").clone();
    assert_eq!(tasks.len(), 2, "100,000 customers lie in two buckets");
    let text = value!(tasks).to_string();
    let folder = care.data().display().to_string();
    assert!(!text.contains('/') && !text.contains(&folder), "no path in a descriptor: {text}");
    assert_eq!(care.ok(OPERATOR, &["plan", "hand-out"])["tasks"], value!([]), "what is out is not handed out again");
    let status = care.ok(OPERATOR, &["plan", "status"]);
    assert_eq!((&status["state"], &status["at_work"][1]["holder"]), (&value!("running"), &value!("outside")));

    let first = worker(&care, OPERATOR, &tasks[..1]);
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    let manifest = &manifests(&first)[0];
    assert_eq!((&manifest["task"], &manifest["result"]["log"]), (&tasks[0], &value!(golden.1[&0])));
    assert!(!first.stdout.contains("FJ0"), "no row of a customer in a manifest");
    // A delivery that is repeated, and one that goes on: the same answer, and nothing done twice.
    let both = worker(&care, OPERATOR, &tasks);
    assert_eq!((both.code, &manifests(&both)[0]), (Some(0), manifest));
    assert_eq!(care.ok(OPERATOR, &["plan", "status"])["tasks_done"], 2);

    let plan = tasks[0]["plan"].as_str().expect("an id");
    let released = care.ok(OPERATOR, &["plan", "resume", plan]);
    assert_eq!((&released["released"], &released["added"]), (&value!(true), &value!(0)), "it had only to release");
    assert_eq!(ids_and_logs(&care).await, golden);
}

#[test]
fn exit_codes_say_whether_the_same_descriptor_may_succeed_later() {
    let care = Care::with_customers(2_000);
    care.approve("birthday");
    care.ok(OPERATOR, &["campaign", "start", "birthday"]);
    let tasks = care.ok(OPERATOR, &["plan", "hand-out", "--lease", "1"])["tasks"].take();
    let task = tasks[0].clone();
    let plan = task["plan"].as_str().expect("an id").to_owned();

    let with = |field: &str, new: Value| {
        let mut other = task.clone();
        other[field] = new;
        other
    };
    for (bad, code) in [
        (fed(&care, OPERATOR, "no JSON\n"), "bad-descriptor"),
        (worker(&care, OPERATOR, &[with("snapshot", "/tmp/rows".into())]), "bad-descriptor"),
        (worker(&care, OPERATOR, &[with("format", 2.into())]), "bad-descriptor"),
        (worker(&care, OPERATOR, &[with("plan", "0".repeat(32).into())]), "unknown-plan"),
        (worker(&care, OPERATOR, &[with("bits", 3.into())]), "unknown-task"),
        (worker(&care, OPERATOR, &[with("epoch", 7.into())]), "fenced"),
        (worker(&care, "auditor", std::slice::from_ref(&task)), "not-allowed"),
    ] {
        assert_eq!((bad.code, told(&bad).as_str()), (NEVER, code), "{}{}", bad.stdout, bad.stderr);
    }
    assert_eq!(fed(&care, OPERATOR, "\n").code, Some(0), "nothing asked, nothing done");

    care.ok("duty-officer", &["plan", "pause", &plan, "--reason", "a storm"]);
    let paused = worker(&care, OPERATOR, std::slice::from_ref(&task));
    assert_eq!((paused.code, told(&paused).as_str()), (TRY_AGAIN, "plan-paused"));
    care.refused(OPERATOR, &["plan", "run"]);
    // The snapshot's file vanishes and comes back.
    let files = care.data().join("snapshots");
    let snapshot = std::fs::read_dir(&files).expect("snapshots").next().expect("one").expect("an entry").path();
    let bucket = snapshot.join("bucket-00000.arrow");
    assert!(bucket.is_file(), "{:?}", std::fs::read_dir(&snapshot).expect("files").collect::<Vec<_>>());
    std::fs::rename(&bucket, care.path("aside")).expect("moved");
    let resume = care.run(OPERATOR, &["plan", "resume", &plan]);
    assert_eq!(resume.code, Some(1));
    assert!(resume.stdout.contains("is gone. Restore it from a copy"), "{}", resume.stdout);
    std::fs::rename(care.path("aside"), &bucket).expect("restored");
    let fenced = worker(&care, OPERATOR, std::slice::from_ref(&task));
    assert_eq!((fenced.code, told(&fenced).as_str()), (NEVER, "fenced"), "resume took the task over");

    let gone = care.ok(OPERATOR, &["plan", "cancel", &plan]);
    assert_eq!((&gone["state"], &gone["contacts"]), (&value!("cancelled"), &value!(0)));
    let cancelled = worker(&care, OPERATOR, &[task]);
    assert_eq!((cancelled.code, told(&cancelled).as_str()), (NEVER, "plan-cancelled"));
}
