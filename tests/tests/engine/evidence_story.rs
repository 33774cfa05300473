//! The evidence before an approval: it foretells the plan that follows, and leaves no trace.

use crate::support::{
    self, NOW, TWO_BUCKETS, approved, approved_bytes, at_work, decisions, plan_of, run, started, with,
};
use care_domain::approval::{Approval, Conditions};
use care_domain::contact::Channel;
use care_domain::control::is_control;
use care_domain::evidence::{Differs, EXAMPLES, Evidence, compare};
use care_domain::manifest::Cap;
use care_domain::policy::Policy;
use care_domain::verdict::Verdict;
use care_engine::{Engine, EngineError, PlanRequest, Watch};
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_store::Version;
use care_tests::{DATE, plugin};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

const PRICE_FEN: u32 = 5;
const CUSTOMERS: u64 = 20_000;

/// An uploaded version of a built activity, with its manifest changed.
async fn uploaded(engine: &Engine, name: &str, edit: impl FnOnce(&mut Value)) -> Version {
    let built = std::fs::read(plugin(name)).expect("a built plugin");
    let mut manifest: Value =
        serde_json::from_slice(&manifest_bytes(&built).expect("a component").expect("a manifest")).expect("JSON");
    let original = manifest.clone();
    edit(&mut manifest);
    let bytes = if manifest == original {
        built
    } else {
        with_manifest(&built, manifest.to_string().as_bytes()).expect("a component")
    };
    let pushed = engine
        .push(&support::signed(engine, "branch-author", &bytes), "branch-author", NOW)
        .await
        .expect("an accepted upload");
    engine.submission(pushed.submission).await.expect("a submission").version
}

/// What would be granted under conditions; it is stored nowhere.
fn proposed(version: &Version, conditions: &Conditions) -> Approval {
    Approval::grant(&version.component, &version.manifest, conditions, "provincial-approver", NOW).expect("an approval")
}

async fn simulated(
    engine: &Engine,
    version: &Version,
    conditions: &Conditions,
    request: &PlanRequest,
) -> Result<Evidence, EngineError> {
    let watch: Watch = Arc::new(|_| true);
    engine.gather_evidence(version, &proposed(version, conditions), &Map::new(), request, watch).await
}

async fn evidence(engine: &Engine, version: &Version) -> Evidence {
    simulated(engine, version, &Conditions::default(), &plan_of(DATE)).await.expect("evidence")
}

/// Every file of a data folder with its length, but for the journals, which readers move too.
fn files(folder: &Path) -> BTreeSet<(String, u64)> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !name.ends_with("-wal") && !name.ends_with("-shm") {
            found.insert((name, path.metadata().expect("a file").len()));
        }
    }
    found
}

/// A simulation foretells a plan: verdicts and reasons of every candidate, messages by channel, what others lose.
async fn foretells(engine: &Engine, told: &Evidence, plan: &str) {
    let activity = &told.subject.activity;
    let decided = decisions(engine, plan).await;
    let ours: Vec<_> = decided.iter().filter(|d| d.activity == *activity).collect();
    assert_eq!(told.selected(), ours.len() as u64);
    let summary = engine.plan_summary(plan).await.expect("a summary");
    let summed = summary.activities.iter().find(|a| a.name == *activity).expect("the activity");
    assert_eq!(told.verdicts.0, summed.verdicts);
    for (reason, reach) in &told.reasons {
        assert_eq!(reach.selected, ours.iter().filter(|d| d.reason == *reason).count() as u64, "{reason}");
    }
    assert_eq!(told.scores.iter().sum::<u64>(), told.selected() - told.verdicts.of(Verdict::PluginFault));
    for reaches in [&told.regions, &told.tiers] {
        assert_eq!(reaches.values().map(|r| r.selected).sum::<u64>(), told.selected());
        assert_eq!(reaches.values().map(|r| r.cleared).sum::<u64>(), told.cleared());
    }
    let mut messages: BTreeMap<Channel, u64> = BTreeMap::new();
    for decision in with(&decided, activity, Verdict::Cleared) {
        for message in support::messages(engine, decision.customer, activity).await {
            *messages.entry(message.planned.channel).or_default() += 1;
        }
    }
    assert_eq!(told.messages, messages);
    for (campaign, displaced) in &told.displaced {
        let theirs = summary.activities.iter().find(|a| a.campaign == *campaign).expect("the campaign");
        let cleared = theirs.verdicts.get(&Verdict::Cleared).copied().unwrap_or(0);
        assert_eq!(displaced.cleared - displaced.lost + displaced.gained, cleared, "{campaign}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulation_foretells_the_plan_and_leaves_no_trace() {
    let (folder, engine) = at_work(CUSTOMERS, &["birthday"]).await;
    let version = uploaded(&engine, "green-bill", |_| ()).await;
    let before = (files(folder.path()), engine.store().mark().await.expect("a mark"));
    let told = evidence(&engine, &version).await;
    assert_eq!((files(folder.path()), engine.store().mark().await.expect("a mark")), before);
    assert!(engine.store().contact_states().await.expect("contacts").is_empty());
    assert!(engine.store().plans().await.expect("plans").is_empty());
    assert_eq!(compare(&told, &evidence(&engine, &version).await), []);

    assert_eq!((told.customers, told.subject.sale), (CUSTOMERS, false));
    assert!(told.cleared() > 100, "{:?}", told.verdicts);
    assert_eq!(told.sms.messages, told.messages[&Channel::Sms]);
    assert!(told.sms.segments >= told.sms.messages);
    assert_eq!(told.sms.cost_fen, told.sms.segments * u64::from(PRICE_FEN));
    let (was, is) = (told.pressure.before, told.pressure.after);
    assert_eq!((was.customers(), is.customers()), (CUSTOMERS, CUSTOMERS));
    assert!(is.coverage() > was.coverage() && is.at_most_three() > 0.99 && is.more_than_ten() < 0.01);
    let overlap = &told.overlaps["birthday-1"];
    assert!(overlap.ours == told.selected() && overlap.theirs > 0 && !overlap.duplicate && overlap.entries.is_empty());
    assert!(told.shadows.is_empty() && told.faults.is_empty());
    for samples in told.samples.0.values().flat_map(BTreeMap::values) {
        assert!(
            samples.iter().all(|s| s.zh.contains("客户") && s.en.to_lowercase().contains("customer")),
            "{samples:?}"
        );
    }

    approved(&engine, "green-bill", &Conditions::default()).await;
    started(&engine, "green-bill", json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    foretells(&engine, &told, &summary.plan).await;
    // Having run, it has nothing new to say to the same people: history counts in the next simulation.
    let again = evidence(&engine, &version).await;
    assert_eq!((again.selected(), again.cleared()), (told.selected(), 0));
    assert_eq!((again.pressure.before, again.pressure.after), (is, is));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulation_is_cut_to_capacity_as_the_plan_is() {
    let (_folder, engine) = at_work(CUSTOMERS, &["birthday"]).await;
    let capacity = BTreeMap::from([(Channel::Sms, 60)]);
    support::policy(&engine, &Policy { name: "scarce".into(), capacity, ..Policy::default() }).await;
    let version = uploaded(&engine, "green-bill", |_| ()).await;
    let told = evidence(&engine, &version).await;
    assert!(told.verdicts.of(Verdict::OverCapacity) > 0);
    approved(&engine, "green-bill", &Conditions::default()).await;
    started(&engine, "green-bill", json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    foretells(&engine, &told, &summary.plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_takes_from_others_is_what_they_lose_in_the_plan() {
    let (_folder, engine) = at_work(CUSTOMERS, &["birthday"]).await;
    let global_cap = Cap { contacts: 1, days: 30 };
    support::policy(&engine, &Policy { name: "one".into(), global_cap, ..Policy::default() }).await;
    let version = uploaded(&engine, "green-bill", |_| ()).await;
    let first = Conditions { weight: Some(900), ..Conditions::default() };
    let everyone = json!({ "everyone": true });
    let params: Map<String, Value> = serde_json::from_value(everyone.clone()).expect("parameters");
    let (approval, watch): (_, Watch) = (proposed(&version, &first), Arc::new(|_| true));
    let told = engine.gather_evidence(&version, &approval, &params, &plan_of(DATE), watch).await;
    let told = told.expect("evidence");
    let displaced = told.displaced["birthday-1"];
    assert!(displaced.lost > 0 && displaced.lost <= displaced.cleared && displaced.gained == 0, "{displaced:?}");
    assert_eq!((told.pressure.after.four_to_ten, told.pressure.after.over_ten), (0, 0));
    approved(&engine, "green-bill", &first).await;
    started(&engine, "green-bill", everyone).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    foretells(&engine, &told, &summary.plan).await;
    // Whoever is held out for comparison loses in the plan too, but would not have been contacted anyway.
    let decided = decisions(&engine, &summary.plan).await;
    let all = with(&decided, "birthday", Verdict::Lost);
    let (_, policy) = engine.policy_in_force().await.expect("the policy");
    let held_out = |who| is_control(&policy.control_salt, "birthday", who, policy.control_share);
    let lost = all.iter().filter(|d| !held_out(d.customer)).count() as u64;
    assert_eq!(displaced.lost, lost, "{displaced:?}, {} lost", all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_is_seen_beside_the_running_one() {
    let (_folder, engine) = at_work(CUSTOMERS, &["green-bill"]).await;
    let same = uploaded(&engine, "green-bill", |m| m["version"] = json!("1.0.1")).await;
    let told = evidence(&engine, &same).await;
    let shadow = &told.shadows["green-bill-1"];
    assert!(shadow.both > 100 && shadow.both == told.selected() && shadow.differ.is_empty(), "{shadow:?}");
    assert!(told.overlaps.is_empty());
    assert_eq!(told.pressure.before, told.pressure.after);

    let wider = uploaded(&engine, "green-bill", |m| {
        m["version"] = json!("2.0.0");
        m["params"]["properties"]["bill_day_window"]["default"] = json!(3);
    })
    .await;
    let half = Conditions { share: Some(5_000), ..Conditions::default() };
    let told = simulated(&engine, &wider, &half, &plan_of(DATE)).await.expect("evidence");
    let wider = &told.shadows["green-bill-1"];
    assert_eq!((wider.both, wider.count(Differs::OnlyRunning)), (shadow.both, 0));
    assert!(wider.count(Differs::OnlyNew) > 0 && wider.count(Differs::Verdict) > 0, "{wider:?}");
    assert_eq!(wider.count(Differs::OnlyNew) + wider.both, told.selected());
    assert_eq!(wider.examples[&Differs::OnlyNew].len(), EXAMPLES);
    assert!(told.verdicts.of(Verdict::OutOfRegion) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_activity_under_another_name_is_a_duplicate() {
    let (_folder, engine) = at_work(CUSTOMERS, &["birthday", "green-bill"]).await;
    let global_cap = Cap { contacts: 1, days: 30 };
    support::policy(&engine, &Policy { name: "one".into(), global_cap, ..Policy::default() }).await;
    let copy = uploaded(&engine, "green-bill", |m| m["name"] = json!("paperless-bill")).await;
    let told = evidence(&engine, &copy).await;
    let duplicates: Vec<&str> = told.duplicates().map(|(campaign, _)| campaign).collect();
    assert_eq!(duplicates, ["green-bill-1"]);
    let overlap = &told.overlaps["green-bill-1"];
    assert_eq!((overlap.share_of_ours(), overlap.share_of_theirs()), (1.0, 1.0));
    assert_eq!(overlap.entries, ["green-bill"]);
    assert!(told.overlaps["birthday-1"].theirs > 0);
    assert!(told.shadows.is_empty());
    // Class, weight and score are the same: who wins whom stands on the campaigns' ids alone, and is foretold too.
    assert!(told.displaced["green-bill-1"].lost > 0 && told.verdicts.of(Verdict::Lost) > 0);
    let bytes = engine.store().blobs().get(&copy.component).expect("the component");
    approved_bytes(&engine, &bytes, &Conditions::default()).await;
    started(&engine, "paperless-bill", json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    foretells(&engine, &told, &summary.plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_and_batches_change_nothing_and_nothing_need_be_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), TWO_BUCKETS).await;
    let version = uploaded(&engine, "green-bill", |_| ()).await;
    let alone = evidence(&engine, &version).await;
    assert!(alone.cleared() > 0 && alone.overlaps.is_empty() && alone.pressure.before.coverage() == 0.0);
    let request = PlanRequest { workers: 2, batch: 1_024, ..plan_of(DATE) };
    let at_once = simulated(&engine, &version, &Conditions::default(), &request).await.expect("evidence");
    assert_eq!(at_once, alone);
    let stop: Watch = Arc::new(|_| false);
    let approval = proposed(&version, &Conditions::default());
    let stopped = engine.gather_evidence(&version, &approval, &Map::new(), &request, stop).await;
    assert!(matches!(stopped, Err(EngineError::Stopped)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_plan_would_lack_a_simulation_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 500).await;
    let version = uploaded(&engine, "green-bill", |_| ()).await;
    let codes = |result: Result<Evidence, EngineError>| -> Vec<String> {
        result.expect_err("a refusal").findings().iter().map(|f| f.code.clone()).collect()
    };
    let mut lacking = version.clone();
    for field in lacking.manifest.fields.values_mut().flatten() {
        field.name = format!("{}-of-old", field.name);
        field.optional = false;
    }
    let refused = codes(simulated(&engine, &lacking, &Conditions::default(), &plan_of(DATE)).await);
    assert!(!refused.is_empty() && refused.iter().all(|code| code == "field-missing"), "{refused:?}");
    let approval = proposed(&version, &Conditions::default());
    let odd = Map::from_iter([("bill_day_window".to_owned(), json!(99))]);
    let watch: Watch = Arc::new(|_| true);
    let refused = engine.gather_evidence(&version, &approval, &odd, &plan_of(DATE), watch).await;
    assert_eq!(codes(refused), ["bad-parameter"]);
}
