//! Plugins of both released versions of the contract take part in one plan: the older one is built and shipped, the
//! newer one joins customers with a table on the host's side.

use crate::support::{NOW, adds_up, approved, approved_bytes, copy_of, open, plan_of, populated, run, started};
use crate::wat_guest::{COMPOSE, REPORT, SCHEDULE, Wat, joining, manifest_json, plugin};
use care_domain::approval::Conditions;
use care_domain::key::Bucket;
use care_engine::{ActivitySummary, Engine, PlanSummary};
use care_tests::DATE;
use serde_json::json;
use std::fs;

/// The cities whose customers are chosen.
const PILOT: [&str; 2] = ["350200", "350500"];

/// Chooses the customers who live in a city of the table `pilot-cities`, and tells each of them the same.
fn pilot() -> Vec<u8> {
    plugin(&pilot_wat(), &manifest())
}

/// The same, whose fold always reports that seven customers were contacted.
pub(crate) fn pilot_that_counts_seven() -> Vec<u8> {
    let mut wat = pilot_wat();
    let name = wat.put(b"goal");
    // Name, slice, treated, count, sum and sum of squares, as the contract lays them out.
    let words: [u32; 12] = [name, 4, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0];
    let metric: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let list = wat.put(&metric);
    let answer = wat.ok(&[list, 1]);
    plugin(&wat.body(REPORT, answer), &manifest())
}

fn pilot_wat() -> Wat {
    let mut wat = joining("home-adcode", "pilot-cities", "key");
    let customers = wat.text("customers");
    let (moments, messages) = (wat.put(&[0; 20]), wat.put(&[0; 28]));
    let fresh = |at: u32, slot: u32, size: u32| {
        format!(
            "(i32.store offset={slot} (i32.const {at}) (call $alloc (i32.mul (local.get $n) (i32.const {size}))))
             (i32.store offset={} (i32.const {at}) (local.get $n))",
            slot + 4
        )
    };
    let each = |stores: String| {
        format!(
            "(block $done (loop $next (br_if $done (i32.ge_u (local.get $i) (local.get $n))) {stores}
                (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $next)))"
        )
    };
    let place = |at: u32, slot: u32, size: u32| {
        format!("(i32.add (i32.load offset={slot} (i32.const {at})) (i32.mul (local.get $i) (i32.const {size})))")
    };
    let begin = format!("(local $n i32) (local $i i32) (local.set $n (call $rows {customers}))");
    let schedule = format!(
        "{begin} {}{}{} (i32.const {moments})",
        fresh(moments, 4, 8),
        fresh(moments, 12, 8),
        each(format!(
            "(i64.store {} (call $now)) (i64.store {} (i64.add (call $now) (i64.const 172800000)))",
            place(moments, 4, 8),
            place(moments, 12, 8)
        ))
    );
    let compose = format!(
        "{begin} {}{}{} (i32.const {messages})",
        fresh(messages, 4, 4),
        fresh(messages, 12, 2),
        each(format!(
            "(i32.store {} (local.get $i)) (i32.store16 {} (i32.const 0))",
            place(messages, 4, 4),
            place(messages, 12, 2)
        ))
    );
    wat.body(SCHEDULE, schedule).body(COMPOSE, compose)
}

fn manifest() -> serde_json::Value {
    let mut manifest = manifest_json();
    manifest["name"] = json!("pilot-cities");
    manifest["wit"] = json!("1.1.0");
    manifest["fields"] = json!({
        "select": [{"name": "home-adcode", "type": "category"}], "schedule": [], "compose": [], "observe": [],
    });
    manifest["tables"] = json!({"pilot-cities": {"key": "text"}});
    manifest["slots"] = json!([]);
    manifest["reasons"].as_array_mut().expect("reasons").truncate(1);
    manifest["templates"] = json!([
        {"name": "remind", "addressee": "customer", "bodies": {"sms": {"zh": "您好", "en": "Hello"}}},
    ]);
    manifest
}

fn of<'a>(summary: &'a PlanSummary, activity: &str) -> &'a ActivitySummary {
    summary.activities.iter().find(|a| a.name == activity).expect("it takes part")
}

/// Customers who live in a pilot city, counted from the snapshot itself.
async fn living_there(engine: &Engine) -> u64 {
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot");
    let bucket = snapshot.bucket(Bucket { bits: 0, index: 0 }).expect("a bucket");
    let home = bucket.column("home-adcode").expect("where they live");
    (0..bucket.rows()).filter(|row| home.text(*row).is_some_and(|code| PILOT.contains(&code))).count() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plugins_of_both_contracts_take_part_in_one_plan_and_the_older_decides_as_it_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 5_000).await;
    let csv = folder.path().join("pilot.csv");
    fs::write(&csv, format!("key\n{}\n", PILOT.join("\n"))).expect("a file");
    engine.import_table("pilot-cities", &csv, "[fields]\nkey = \"text\"\n", "operator", NOW).await.expect("a table");
    approved(&engine, "points-expiry", &Conditions::default()).await;
    approved_bytes(&engine, &pilot(), &Conditions::default()).await;
    started(&engine, "points-expiry", json!({})).await;
    let apart = copy_of(folder.path());
    let alone = run(&open(apart.path()).await, &plan_of(DATE)).await;

    started(&engine, "pilot-cities", json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    adds_up(&engine, &summary).await;
    let joined = of(&summary, "pilot-cities");
    assert!(joined.selected > 0 && joined.faults.is_empty(), "{joined:?}");
    assert_eq!(joined.selected, living_there(&engine).await);
    assert_eq!(of(&summary, "points-expiry").verdicts, of(&alone, "points-expiry").verdicts);
    let replayed = engine.replay(&summary.plan, None, &|_| ()).await.expect("a replay");
    assert!(replayed.tasks.iter().all(|task| task.same), "{replayed:?}");
}
