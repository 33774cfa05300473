//! Models told as stories: through the same gate, a column more, and activities that use it.

use crate::support::{self, NOW, campaign, code, plan_of, run};
use care_domain::approval::Conditions;
use care_engine::{Engine, ModelRun, NewModelRun, SimulationRequest};
use care_tests::{DATE, PSEUDONYM_KEY};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use tempfile::TempDir;

const CUSTOMERS: usize = 400;

fn of(model: &str) -> NewModelRun {
    let requirement = "*".parse().expect("a requirement");
    NewModelRun { model: model.into(), requirement, params: Map::new(), snapshot: None }
}

async fn ran(engine: &Engine, model: &str) -> ModelRun {
    engine.run_model(&of(model), "operator", NOW + 1).await.expect("a derived snapshot")
}

/// A model passes the gate without a simulation: it contacts nobody.
async fn approved(engine: &Engine, model: &str) -> i64 {
    let bytes = std::fs::read(care_tests::plugin(model)).expect("a plugin");
    let signed = support::signed(engine, "branch-author", &bytes);
    let pushed = engine.push(&signed, "branch-author", NOW).await.expect("an upload");
    let by = ("provincial-approver", NOW);
    let granted = engine.approve(pushed.submission, &Conditions::default(), &support::care(), by.0, by.1).await;
    granted.expect("an approval");
    pushed.submission
}

/// Customers of the growth stage on their bill day, of whom nobody knows how they mind their bill.
async fn without_levels() -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::init(folder.path(), PSEUDONYM_KEY, NOW).await.expect("a data folder");
    engine.found_rehearsal(NOW).await.expect("people");
    let mut csv = String::from("id,brand,queries,m1,m2,m3\n");
    for i in 0..CUSTOMERS {
        let (brand, queries) = (["easyown", "m-zone"][i % 2], i / 2 % 4);
        let m3 = if i / 8 % 2 == 0 { "50.00" } else { "90.00" };
        let _ = writeln!(csv, "M{i:05},{brand},{queries},50.00,50.00,{m3}");
    }
    let file = folder.path().join("customers.csv");
    std::fs::write(&file, csv).expect("a file");
    let mapping = "format = \"csv\"\nkey = \"id\"\n\
        [fields.brand]\ncolumn = \"brand\"\n[fields.bill-queries]\ncolumn = \"queries\"\n\
        [fields.bill-m1]\ncolumn = \"m1\"\nunit = \"yuan\"\n[fields.bill-m2]\ncolumn = \"m2\"\nunit = \"yuan\"\n\
        [fields.bill-m3]\ncolumn = \"m3\"\nunit = \"yuan\"\n\
        [fields.home-adcode]\nvalue = \"350200\"\n[fields.life-stage]\nvalue = \"growth\"\n\
        [fields.paperless-bill]\nvalue = \"no\"\nyes = [\"yes\"]\nno = [\"no\"]\n[fields.bill-day]\nvalue = \"28\"\n";
    let imported = engine.import_population(&file, mapping, support::day(DATE), None, ("operator", NOW), |_| ()).await;
    assert_eq!(imported.expect("a population").customers, CUSTOMERS as u64);
    (folder, engine)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_sorts_customers_into_levels_by_which_the_green_bill_chooses_its_way() {
    let (_folder, engine) = without_levels().await;
    support::approved(&engine, "green-bill", &Conditions::default()).await;
    support::started(&engine, "green-bill", json!({})).await;
    approved(&engine, "bill-sensitivity").await;
    let before = engine.snapshot(None, None).await.expect("a snapshot").id().to_owned();
    let done = ran(&engine, "bill-sensitivity").await;
    assert_eq!((done.base.as_str(), done.customers, done.column.as_str()), (before.as_str(), 400, "bill-sensitivity"));
    assert_eq!(done.faults, BTreeMap::new());
    // Every sixteen customers: brand, queries and a changing bill in every combination.
    let level = |name: &str| done.values.get(name).copied().unwrap_or(0);
    assert_eq!([level("initial"), level("low"), level("medium"), level("high"), level("none")], [25, 100, 150, 125, 0]);
    let again = NewModelRun { snapshot: Some(before.clone()), ..of("bill-sensitivity") };
    let again = engine.run_model(&again, "operator", NOW + 2).await.expect("the same again");
    assert_eq!(again.snapshot, done.snapshot, "the same base, the same column");

    let derived = engine.snapshot(None, Some(support::day(DATE))).await.expect("a snapshot");
    assert_eq!(derived.id(), done.snapshot, "the newest of its date is the derived one");
    let about = derived.manifest().derived.clone().expect("what it was derived from");
    assert_eq!((about.base, about.column.as_str()), (before, "bill-sensitivity"));
    derived.verify().expect("sound files");
    let known = derived.find(engine.key_of("M00001")).expect("a snapshot").expect("a customer");
    assert!(known.contains(&("bill-sensitivity".into(), "low".into())), "m-zone alone: {known:?}");
    assert!(known.contains(&("bill-m1".into(), "50.00".into())), "what the base holds stays");

    let summary = run(&engine, &plan_of(DATE)).await;
    let decisions = support::decisions(&engine, &summary.plan).await;
    let told = |reason: &str| decisions.iter().filter(|d| d.reason == reason).count();
    assert_eq!(told("paperless"), 275, "medium and high are told of the paperless bill around bill day");
    assert_eq!(decisions.len(), 275);
    let replayed = engine.replay(&summary.plan, None, &|_| ()).await.expect("a replay");
    assert!(replayed.tasks.iter().all(|task| task.same));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_package_matches_is_not_recommended_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 3_000).await;
    let examples = care_tests::repository().join("examples");
    let schema = std::fs::read_to_string(examples.join("packages.toml")).expect("a schema");
    engine.import_table("packages", &examples.join("packages.csv"), &schema, "operator", NOW).await.expect("a table");
    // Whatever would save anybody a fen, so that the model alone makes the difference.
    support::approved(&engine, "package-recommendation", &Conditions::default()).await;
    support::started(&engine, "package-recommendation", json!({"min_saving": 1})).await;
    let first = run(&engine, &plan_of(DATE)).await;
    approved(&engine, "package-match").await;
    let done = ran(&engine, "package-match").await;
    assert!(done.values["some"] > 2_000, "{done:?}");
    let second = run(&engine, &care_engine::PlanRequest { wave: 2, ..plan_of(DATE) }).await;
    let [before, after] = [&first, &second].map(|plan| plan.totals().candidates());
    assert!(after > 0 && after < before, "{before} without the model, {after} with it");
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot");
    for decision in support::decisions(&engine, &second.plan).await {
        let known = snapshot.find(decision.customer).expect("a snapshot").expect("a customer");
        let matches = known.iter().find(|(name, _)| name == "package-match").and_then(|(_, v)| v.parse::<f64>().ok());
        assert!(matches.is_none_or(|matches| matches <= 0.95), "{known:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_may_not_do_is_told() {
    let (_folder, engine) = without_levels().await;
    support::approved(&engine, "green-bill", &Conditions::default()).await;
    let refused = async |model: &str, by: &str| code(engine.run_model(&of(model), by, NOW).await);
    assert_eq!(refused("bill-sensitivity", "operator").await, "unknown-activity");
    let submission = approved(&engine, "bill-sensitivity").await;
    assert_eq!(refused("bill-sensitivity", "auditor").await, "not-allowed");
    assert_eq!(refused("green-bill", "operator").await, "not-a-model");
    let started = engine.start_campaign(&campaign("bill-sensitivity", None, json!({})), "operator", NOW).await;
    assert_eq!(code(started), "is-a-model");
    let what = SimulationRequest { conditions: Conditions::default(), params: Map::new(), request: plan_of(DATE) };
    let simulated = engine.simulate(submission, &what, ("provincial-approver", NOW), Arc::new(|_| true)).await;
    assert_eq!(code(simulated), "is-a-model");
    approved(&engine, "package-match").await;
    assert_eq!(refused("package-match", "operator").await, "snapshot-lacks-field");
    ran(&engine, "bill-sensitivity").await;
    let twice = engine.run_model(&of("bill-sensitivity"), "operator", NOW + 2).await;
    let twice = format!("{:?}", twice.expect_err("there already"));
    assert!(twice.contains("column-exists"), "a column is added once: {twice}");
    let planned = engine.run_plan(&plan_of(DATE), "operator", NOW, Arc::new(|_| true)).await;
    assert_eq!(code(planned), "nothing-due", "an approved model is no campaign");
}
