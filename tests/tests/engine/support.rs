//! What these stories share: installations at work, plans that stop, and the traces that a plan leaves.

use care_domain::approval::Conditions;
use care_domain::contact::{ContactId, ContactState};
use care_domain::gate::{IS_CARE, Ticks};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::plan::TaskResult;
use care_domain::policy::Policy;
use care_domain::time;
use care_domain::verdict::{Decision, Verdict};
use care_engine::{
    ActivitySummary, Engine, EngineError, GenerateOptions, NewCampaign, PlanRequest, PlanSummary, Progress,
    SimulationRequest, Watch,
};
use care_population::decision_log;
use care_store::StoredContact;
use care_tests::{ACTIVITIES, DATE, EVENING, PSEUDONYM_KEY, plugin, repository};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::TempDir;

/// The wall clock of these tests.
pub(crate) const NOW: i64 = 1_785_200_000_000;
/// Enough customers for a snapshot of two buckets.
pub(crate) const TWO_BUCKETS: u64 = 66_000;

pub(crate) fn day(text: &str) -> i32 {
    time::parse_date(text).expect("a date")
}

pub(crate) fn evening() -> i64 {
    time::parse_instant(EVENING).expect("an instant")
}

/// All five activities.
pub(crate) const ALL: [&str; 5] = ["birthday", "balance-reminder", "green-bill", "disaster-response", "points-expiry"];

/// A new installation with so many customers, in which these activities were uploaded, approved and started in
/// this order, with the demonstration's parameters.
pub(crate) async fn at_work(customers: u64, activities: &[&str]) -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), customers).await;
    for name in activities {
        approved(&engine, name, &Conditions::default()).await;
        started(&engine, name, params_of(name)).await;
    }
    (folder, engine)
}

/// An engine on a new folder with customers and reference tables, and no activity.
pub(crate) async fn populated(folder: &Path, customers: u64) -> Engine {
    let engine = Engine::init(folder, PSEUDONYM_KEY, NOW).await.expect("a data folder");
    engine.found_rehearsal(NOW).await.expect("people");
    let options = GenerateOptions { customers, seed: 1, business_date: day(DATE) };
    engine.generate_population(options, ("operator", NOW), |_| ()).await.expect("a population");
    let examples = repository().join("examples");
    let schema = fs::read_to_string(examples.join("disaster-areas.toml")).expect("a schema");
    let csv = examples.join("disaster-areas.csv");
    engine.import_table("disaster-areas", &csv, &schema, "operator", NOW).await.expect("a table");
    engine
}

/// The code with which something was refused.
pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, EngineError>) -> String {
    let error = outcome.expect_err("it was not refused");
    error.findings().first().map_or_else(|| error.to_string(), |finding| finding.code.clone())
}

/// Puts a policy in force: the operator proposes, the province approves.
pub(crate) async fn policy(engine: &Engine, policy: &Policy) {
    let proposed = engine.propose_policy(policy, "", "operator", NOW).await.expect("a proposal");
    engine.approve_policy(proposed.number, "provincial-approver", NOW).await.expect("a policy");
}

/// Uploads an activity as the branch and approves it as the province.
pub(crate) async fn approved(engine: &Engine, name: &str, conditions: &Conditions) {
    approved_bytes(engine, &fs::read(plugin(name)).expect("a plugin"), conditions).await;
}

/// The same with the bytes of any component.
pub(crate) async fn approved_bytes(engine: &Engine, bytes: &[u8], conditions: &Conditions) {
    let signed = signed(engine, "branch-author", bytes);
    let pushed = engine.push(&signed, "branch-author", NOW).await.expect("an accepted upload");
    simulated(engine, pushed.submission, conditions).await;
    engine.approve(pushed.submission, conditions, &care(), "provincial-approver", NOW).await.expect("an approval");
}

/// The principles without which nothing is approved.
pub(crate) fn care() -> Ticks {
    IS_CARE.into_iter().collect()
}

/// A component signed with the key that the rehearsal gave to an author.
pub(crate) fn signed(engine: &Engine, author: &str, bytes: &[u8]) -> Vec<u8> {
    let key = fs::read_to_string(engine.folder().join("keys").join(format!("{author}.key"))).expect("a key");
    care_engine::sign_component(bytes, &key).expect("a signed component")
}

/// The simulation that an approval on these conditions stands on; its number.
pub(crate) async fn simulated(engine: &Engine, submission: i64, conditions: &Conditions) -> i64 {
    let what = SimulationRequest { conditions: conditions.clone(), params: Map::new(), request: plan_of(DATE) };
    let kept = engine.simulate(submission, &what, ("provincial-approver", NOW), Arc::new(|_| true)).await;
    kept.expect("a simulation").0.id
}

/// A campaign to be started; `params` are JSON, such as `{"onset": "2026-07-28"}`.
pub(crate) fn campaign(activity: &str, variant: Option<&str>, params: Value) -> NewCampaign {
    NewCampaign {
        activity: activity.into(),
        requirement: "*".parse().expect("a requirement"),
        variant: variant.map(Into::into),
        params: serde_json::from_value(params).expect("parameters"),
        ..NewCampaign::default()
    }
}

/// Starts a campaign of an activity. Returns its id.
pub(crate) async fn started(engine: &Engine, activity: &str, params: Value) -> String {
    engine.start_campaign(&campaign(activity, None, params), "operator", NOW).await.expect("a campaign").campaign
}

fn params_of(activity: &str) -> Value {
    let named = ACTIVITIES.iter().find(|(name, _)| *name == activity).expect("an activity of the demonstration");
    let pairs = named.1.iter().filter_map(|param| param.split_once('='));
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    pairs.map(|(name, text)| (name.to_owned(), value(text))).collect()
}

pub(crate) async fn open(folder: &Path) -> Engine {
    Engine::open(folder).await.expect("a data folder")
}

/// Copies a data folder, also one whose last connection is still being closed: the journals first, so that what
/// a checkpoint moves meanwhile is in one of the two; shared memory is never copied, since it is rebuilt.
pub(crate) fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for journal in ["care.db-wal", "identities.db-wal"] {
        match fs::copy(folder.join(journal), copy.path().join(journal)) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{journal}"),
        }
    }
    for entry in fs::read_dir(folder).expect("a folder") {
        let (name, path) = entry.map(|e| (e.file_name(), e.path())).expect("an entry");
        let target = copy.path().join(&name);
        match path.extension().and_then(OsStr::to_str) {
            Some("db-wal" | "db-shm") => {}
            _ if path.is_dir() => care_tests::copy_tree(&path, &target),
            _ => drop(fs::copy(&path, &target).expect("a copy")),
        }
    }
    copy
}

/// The plan of a date, one task at a time.
pub(crate) fn plan_of(date: &str) -> PlanRequest {
    PlanRequest::of(day(date), 1).expect("a plan")
}

/// Runs the demonstration's plan undisturbed.
pub(crate) async fn run(engine: &Engine, request: &PlanRequest) -> PlanSummary {
    engine.run_plan(request, "operator", NOW, Arc::new(|_| true)).await.expect("a plan")
}

/// Says stop at the `stop`-th step, from 1; what only tells how far others are is none.
pub(crate) fn stopping_at(stop: usize) -> Watch {
    let seen = AtomicUsize::new(0);
    Arc::new(move |progress| is_between(progress) || seen.fetch_add(1, Ordering::Relaxed) + 1 != stop)
}

pub(crate) fn is_between(progress: &Progress) -> bool {
    matches!(progress, Progress::Customers(_) | Progress::Standing(_) | Progress::Waiting { .. })
}

/// Runs until `watch` says stop.
pub(crate) async fn stopped(engine: &Engine, request: &PlanRequest, watch: Watch) {
    let outcome = engine.run_plan(request, "operator", NOW, watch).await;
    assert!(matches!(outcome, Err(EngineError::Stopped)), "{outcome:?}");
}

/// Does something as another process would, with an engine and threads of its own, and waits for it.
pub(crate) fn elsewhere<F>(folder: &Path, act: impl FnOnce(Engine) -> F + Send) -> F::Output
where
    F: Future<Output: Send>,
{
    let work = || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { act(open(folder).await).await })
    };
    std::thread::scope(|scope| scope.spawn(work).join()).expect("the other process did its work")
}

/// Calls `act` once, when the wanted step comes.
pub(crate) fn at_step(
    wanted: impl Fn(&Progress) -> bool + Send + Sync + 'static,
    act: impl Fn() + Send + Sync + 'static,
) -> Watch {
    let done = AtomicBool::new(false);
    Arc::new(move |progress| {
        if wanted(progress) && !done.swap(true, Ordering::Relaxed) {
            act();
        }
        true
    })
}

/// What an undisturbed run leaves in a copy of the folder.
pub(crate) async fn undisturbed(folder: &Path, request: &PlanRequest) -> Traces {
    let copy = copy_of(folder);
    let engine = open(copy.path()).await;
    let summary = run(&engine, request).await;
    Traces::of(&engine, &summary.plan).await
}

/// Everything by which two runs of the same plan are compared.
#[derive(Debug, PartialEq)]
pub(crate) struct Traces {
    pub(crate) contacts: Vec<(ContactId, ContactState)>,
    pub(crate) tasks: BTreeMap<u32, Option<TaskResult>>,
    pub(crate) activities: Vec<ActivitySummary>,
}

impl Traces {
    pub(crate) async fn of(engine: &Engine, plan: &str) -> Self {
        Self {
            contacts: engine.store().contact_states().await.expect("contacts"),
            tasks: engine.store().tasks(plan).await.expect("tasks"),
            activities: engine.plan_summary(plan).await.expect("a summary").activities,
        }
    }

    /// Digests of the decision logs, by bucket.
    pub(crate) fn logs(&self) -> Vec<&str> {
        self.tasks.values().map(|result| result.as_ref().expect("a finished task").log.as_str()).collect()
    }
}

/// Every candidate of a plan with its verdict.
pub(crate) async fn decisions(engine: &Engine, plan: &str) -> Vec<Decision> {
    let folder = engine.folder().join("decisions");
    let tasks = engine.store().tasks(plan).await.expect("tasks");
    let logs = tasks.into_values().map(|result| result.expect("a finished task").log);
    logs.flat_map(|log| decision_log::read(&decision_log::path_of(&folder, &log)).expect("a log")).collect()
}

/// The decisions about an activity's candidates that got a verdict.
pub(crate) fn with<'a>(all: &'a [Decision], activity: &str, verdict: Verdict) -> Vec<&'a Decision> {
    all.iter().filter(|d| d.activity == activity && d.verdict == verdict).collect()
}

/// A customer's decisions by activity.
pub(crate) fn of(all: &[Decision], who: CustomerKey) -> HashMap<&str, &Decision> {
    all.iter().filter(|d| d.customer == who).map(|d| (d.activity.as_str(), d)).collect()
}

/// A customer's messages of an activity.
pub(crate) async fn messages(engine: &Engine, who: CustomerKey, activity: &str) -> Vec<StoredContact> {
    let all = engine.store().contacts_of(who).await.expect("contacts");
    all.into_iter().filter(|c| c.planned.activity == activity).collect()
}

/// Where a customer's messages of an activity stand.
pub(crate) async fn states(engine: &Engine, who: CustomerKey, activity: &str) -> Vec<&'static str> {
    messages(engine, who, activity).await.iter().map(|c| c.state.name()).collect()
}

/// Every candidate has exactly one verdict, and every cleared one its contacts.
pub(crate) async fn adds_up(engine: &Engine, summary: &PlanSummary) {
    let decided = decisions(engine, &summary.plan).await;
    for activity in &summary.activities {
        let logged = decided.iter().filter(|d| d.campaign == activity.campaign).count() as u64;
        assert_eq!(activity.selected, logged, "{}", activity.name);
        assert_eq!(activity.selected, activity.verdicts.values().sum::<u64>(), "{}", activity.name);
    }
    assert_eq!(summary.totals().candidates(), decided.len() as u64);
}

/// The gateways' files by name, `<channel>/<batch>.jsonl`.
pub(crate) fn outbox(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for channel in fs::read_dir(folder.join("outbox")).expect("the outbox") {
        let channel = channel.expect("a channel").path();
        for file in fs::read_dir(&channel).expect("a channel's folder") {
            let path = file.expect("a file").path();
            let parts = [&channel, &path].map(|p| p.file_name().expect("a name").to_string_lossy().into_owned());
            files.insert(parts.join("/"), fs::read(&path).expect("a file"));
        }
    }
    files
}

/// The lines of the gateways' finished files.
pub(crate) fn lines(files: &BTreeMap<String, Vec<u8>>) -> Vec<Value> {
    let finished = files.iter().filter(|(name, _)| name.ends_with(".jsonl"));
    let texts = finished.map(|(_, bytes)| std::str::from_utf8(bytes).expect("UTF-8"));
    texts.flat_map(str::lines).map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The keys of the newest snapshot, in their order.
pub(crate) async fn customers_of_all(engine: &Engine) -> Vec<CustomerKey> {
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot");
    let keys = |bucket| snapshot.bucket(bucket).expect("a bucket").keys().collect::<Vec<_>>();
    Bucket::all(snapshot.manifest().bits).flat_map(keys).collect()
}

/// The keys of a snapshot of one bucket, in their order.
pub(crate) async fn customers(engine: &Engine) -> Vec<CustomerKey> {
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot");
    snapshot.bucket(Bucket { bits: 0, index: 0 }).expect("a bucket").keys().collect()
}
