//! An activity that the province approved in good faith, and that breaks on every customer it is asked about.

use crate::installation::{adds_up, approved, approved_bytes, copy_of, open, plan_of, populated, run, started};
use crate::wat_guest::{SELECT, Wat, manifest_json, plugin};
use care_domain::approval::Conditions;
use care_domain::verdict::Verdict;
use care_engine::{ActivitySummary, PlanSummary};
use care_tests::DATE;
use serde_json::json;
use std::collections::BTreeMap;

const CUSTOMERS: u64 = 4_000;

/// Behaves as long as its parameters say so, that is until somebody has approved it.
fn sleeper() -> Vec<u8> {
    let calm = r#"{"calm":true}"#.len();
    let body = format!(
        "(call $params (i32.const 512))
        (if (i32.ne (i32.load (i32.const 516)) (i32.const {calm})) (then unreachable))
        (i32.const 1024)"
    );
    let mut manifest = manifest_json();
    manifest["name"] = json!("sleeper");
    manifest["fields"] = json!({"select": [], "schedule": [], "compose": [], "observe": []});
    manifest["tables"] = json!({});
    manifest["reasons"].as_array_mut().expect("reasons").truncate(1);
    manifest["templates"].as_array_mut().expect("templates").truncate(1);
    manifest["slots"].as_array_mut().expect("slots").truncate(1);
    manifest["params"] = json!({"type": "object", "properties": {"calm": {"type": "boolean", "default": true}}});
    plugin(&Wat::new().body(SELECT, body), &manifest)
}

fn of<'a>(summary: &'a PlanSummary, activity: &str) -> &'a ActivitySummary {
    summary.activities.iter().find(|a| a.name == activity).expect("it takes part")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_that_breaks_on_every_customer_harms_no_other_and_every_customer_has_a_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), CUSTOMERS).await;
    approved(&engine, "birthday", &Conditions::default()).await;
    approved_bytes(&engine, &sleeper(), &Conditions::default()).await;
    started(&engine, "birthday", json!({})).await;
    let calm_folder = copy_of(folder.path());
    let alone = run(&open(calm_folder.path()).await, &plan_of(DATE)).await;

    started(&engine, "sleeper", json!({"calm": false})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    adds_up(&engine, &summary).await;
    let (birthday, undisturbed) = (of(&summary, "birthday"), of(&alone, "birthday"));
    assert_eq!(birthday.verdicts, undisturbed.verdicts, "the other activity is not affected");
    assert!(undisturbed.selected > 0 && birthday.contacts == undisturbed.contacts);
    let broken = of(&summary, "sleeper");
    assert_eq!(broken.verdicts, BTreeMap::from([(Verdict::PluginFault, CUSTOMERS)]));
    assert_eq!(broken.faults, BTreeMap::from([("trap".to_owned(), CUSTOMERS)]));
    assert!(broken.contacts.values().all(|count| *count == 0));
}
