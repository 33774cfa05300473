//! The use cases, one public function a verb: upload, review, start, plan, dispatch, record, evaluate, explain.
//! They read through the store, the population and the sandbox, ask `care-domain`, and carry out its answer.
//! No rule of the domain and no printing lives here; the clock comes in as an argument.

mod audit;
mod audit_export;
pub mod author;
mod backup;
mod brake;
mod campaign;
mod data;
mod desk;
mod disaster;
mod dispatch;
mod doctor;
mod erasure;
mod error;
mod evaluate;
mod event;
mod event_desk;
mod event_turn;
mod evidence;
mod export;
mod gate;
mod hook;
mod keys;
mod knowledge;
mod learnt;
mod ledger;
mod live;
mod login;
mod model;
mod orphans;
mod outcome;
mod people;
mod plan;
mod plugins;
mod policy;
mod presence;
mod pressure;
mod ramp;
mod reference;
mod render;
mod report;
mod requests;
mod retention;
mod review;
mod scope;
mod signing;
mod simulate;
mod staff;
mod standby;
mod switch;
mod token;
mod touchpoint;
mod upload;
mod variant;
mod why;
mod wide;
mod wording;
mod work_list;

pub use audit_export::{AuditExport, check_audit_export};
pub use backup::{BackupList, restore};
pub use brake::LiveScore;
pub use campaign::{NewCampaign, Started};
pub use data::{Imported, ListImported, Populating};
pub use desk::{Work, WorkRecorded, WorkReport, work_csv};
pub use disaster::{AlertTaken, DisasterReport};
pub use dispatch::{DispatchStatus, Dispatched, GatewayState};
pub use doctor::{Looked, Wellness};
pub use erasure::ErasureReport;
pub use error::EngineError;
pub use evaluate::{
    ByDay, Compared, Distribution, Evaluation, EvaluationRequest, Execution, ExecutionCounts, Histogram, Measure,
    PluginMetric,
};
pub use event::{EventAnswer, EventBatchShown, EventReplay, RefusedEvent};
pub use event_desk::EventDesk;
pub use evidence::{EVIDENCE_DAYS, SimulationRequest};
pub use hook::{DeliveryShown, HookSecret, HookShown, NewHook};
pub use keys::{new_branch_key, sign_component};
pub use knowledge::{KnowledgeQuery, Learnt};
pub use learnt::{NewFinding, NewNeed, RecordImport};
pub use login::Login;
pub use model::{ModelRun, NewModelRun};
pub use outcome::{About, OutcomeImport, OutcomeReport, OutcomeSource, RejectedLine};
pub use people::REHEARSAL_MARK;
pub use plan::{
    ActivitySummary, AtWork, PlanRequest, PlanStatus, PlanSummary, Progress, Replay, Replayed, WantedBatch, Watch,
};
pub use policy::Proposed;
pub use report::{Report as CareReport, Section};
pub use retention::{KeptContacts, RetentionReport};
pub use review::Decided;
pub use staff::{SentMessage, TestSend, TestSent};
pub use token::{NewToken, secret_hash};
pub use touchpoint::{Answered, Call, FollowUp, Prompt, Prompts, ShownCall};
pub use upload::Pushed;
pub use why::{Explanation, WhyActivity, WhyMessage, WhyPlan};
pub use wide::ExperimentImport;
pub use work_list::{ListedWork, WorkListQuery, work_list_csv};

pub use care_channels::{Collector, GatewaysConfig, Health, HookSender};
pub use care_population::PopulationError;
pub use care_population::export::Form;
pub use care_population::generate::GenerateOptions;
pub use care_population::import::Fault;
pub use care_sandbox::{Report, Worker, WorkerLimits};
pub use care_store::{
    Activation, Aside, Begun, BranchKey, CalendarRow, CalledOff, CallingWindow, Campaign, CommitStep, ContactQuery,
    ContactsOf, DeadLetter, Disaster, Figures, Halt, KeptAnswer, KeptEvaluation, Keyed, NamedList, Notice, PATIENCE,
    Plan, PlanState, PolicyVersion, RetentionRun, Simulation, SnapshotRow, Staff, StoredContact, StoredSubmission,
    Thrown, Token, WorkFigures,
};

use care_domain::field::Dictionary;
use care_domain::outcome::Outcomes;
use care_domain::person::Appointment;
use care_population::Keyer;
use care_sandbox::{Sandbox, SandboxConfig};
use care_store::Store;
use plugins::{Cache, Compiler};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The field dictionary that a new installation starts with.
pub const DEFAULT_FIELDS: &str = include_str!("../../../examples/fields.toml");
/// The kinds of outcomes that a new installation starts with.
pub const DEFAULT_OUTCOMES: &str = include_str!("../../../examples/outcomes.toml");

/// The types of events that a new installation understands.
pub const DEFAULT_EVENTS: &str = include_str!("../../../examples/events.toml");

/// An open data folder. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    folder: PathBuf,
    store: Store,
    compiler: Compiler,
    cache: Cache,
    dictionary: std::sync::Arc<Dictionary>,
    outcomes: std::sync::Arc<Outcomes>,
    keyer: Keyer,
    host_key: signing::SigningPair,
    lease: Duration,
    events: std::sync::Arc<live::Live>,
    /// With whose one role it may be used; everybody's when absent.
    principal: Option<Appointment>,
}

/// The folders of an installation, also of one that has nothing in them yet.
fn make_parts(folder: &Path) -> Result<(), EngineError> {
    for part in ["keys", "blobs", "snapshots", "decisions", "outbox", "cwasm"] {
        let path = folder.join(part);
        fs::create_dir_all(&path).map_err(EngineError::file(&path, "creating the folder"))?;
    }
    Ok(())
}

/// How long a silent process keeps its tasks unless told otherwise.
pub const DEFAULT_LEASE: Duration = Duration::from_secs(30);

impl Engine {
    /// Makes a data folder, or completes one: dictionary, pseudonym key, database, default policy.
    /// What exists is kept. `secret` becomes the key that pseudonyms are made with, if there is none yet.
    /// `at` is the wall clock, Unix milliseconds.
    pub async fn init(folder: &Path, secret: [u8; 32], at: i64) -> Result<Self, EngineError> {
        make_private(folder)?;
        make_parts(folder)?;
        keep_private(&folder.join("keys").join(KEY_FILE), hex::encode(secret).as_bytes())?;
        for (name, content) in
            [(FIELDS_FILE, DEFAULT_FIELDS), (OUTCOMES_FILE, DEFAULT_OUTCOMES), (EVENTS_FILE, DEFAULT_EVENTS)]
        {
            let path = folder.join(name);
            if !path.exists() {
                fs::write(&path, content).map_err(EngineError::file(&path, "writing"))?;
            }
        }
        let engine = Self::open(folder).await?;
        engine.found_policy(at).await?;
        Ok(engine)
    }

    /// Opens a data folder that `init` made.
    pub async fn open(folder: &Path) -> Result<Self, EngineError> {
        Self::open_patiently(folder, PATIENCE).await
    }

    /// The same; a database that another process writes to is waited for so long.
    pub async fn open_patiently(folder: &Path, patience: Duration) -> Result<Self, EngineError> {
        let key = folder.join("keys").join(KEY_FILE);
        if !key.exists() {
            return Err(EngineError::refused(
                "no-data-folder",
                format!("{} is no data folder", folder.display()),
                "Run `care init` first, or name the folder with --data or CARE_DATA",
            ));
        }
        let secret = fs::read_to_string(&key).map_err(EngineError::file(&key, "reading"))?;
        let secret = hex::decode(secret.trim()).map_err(|_| {
            let hint = "Restore it from a backup: without it no customer can be found again";
            EngineError::refused("bad-key", format!("{} holds no key", key.display()), hint)
        })?;
        let host_key = signing::host_key(folder)?;
        let store = Store::open_patiently(folder, patience).await?.signing_heads(audit::signer(&host_key));
        let sandbox = Sandbox::new(SandboxConfig::default()).map_err(EngineError::Sandbox)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            store,
            cache: Cache::open(folder, &sandbox)?,
            compiler: Compiler::new(sandbox, None),
            dictionary: std::sync::Arc::new(read_dictionary(&folder.join(FIELDS_FILE))?),
            outcomes: std::sync::Arc::new(read_outcomes(&folder.join(OUTCOMES_FILE))?),
            keyer: Keyer::new(&secret)?,
            events: std::sync::Arc::new(live::Live::open(&folder.join(EVENTS_FILE))?),
            host_key,
            lease: DEFAULT_LEASE,
            principal: None,
        })
    }

    /// From now on others may take this process's tasks over when it gave no sign of life for so long.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// A fresh secret for a new data folder.
    pub fn new_secret() -> Result<[u8; 32], EngineError> {
        let mut secret = [0u8; 32];
        getrandom::fill(&mut secret).map_err(EngineError::internal)?;
        Ok(secret)
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The field dictionary in force.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Where it keeps everything.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

const KEY_FILE: &str = "pseudonym.key";
const FIELDS_FILE: &str = "fields.toml";
const OUTCOMES_FILE: &str = "outcomes.toml";
const EVENTS_FILE: &str = "events.toml";

/// Checks a component as the gate would, by the default dictionary, without a data folder, hence without knowing whose
/// signature it needs. Without a worker it is
/// compiled and tried in this process.
pub fn check_component(component: &[u8], worker: Option<Worker>) -> Result<Report, EngineError> {
    let dictionary = parse_dictionary(DEFAULT_FIELDS).map_err(EngineError::internal)?;
    let sandbox = Sandbox::new(SandboxConfig::default()).map_err(EngineError::Sandbox)?;
    let (bare, _) = care_sandbox::package::split_signature(component);
    Ok(upload::check(&Compiler::new(sandbox, worker), &dictionary, &bare)?.0)
}

/// Reads a field dictionary.
fn read_dictionary(path: &Path) -> Result<Dictionary, EngineError> {
    let text = fs::read_to_string(path).map_err(EngineError::file(path, "reading"))?;
    parse_dictionary(&text).map_err(|e| {
        EngineError::refused(
            "bad-dictionary",
            format!("{}: {e}", path.display()),
            "Compare it with examples/fields.toml",
        )
    })
}

/// Reads the kinds of outcomes; a folder of before there was such a file has the usual ones.
fn read_outcomes(path: &Path) -> Result<Outcomes, EngineError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => DEFAULT_OUTCOMES.to_owned(),
        Err(error) => return Err(EngineError::file(path, "reading")(error)),
    };
    toml::from_str(&text).map_err(|error| {
        let message = format!("{}: {error}", path.display());
        EngineError::refused("bad-dictionary", message, "Compare it with examples/outcomes.toml")
    })
}

/// Parses kinds of outcomes.
pub fn parse_outcomes(text: &str) -> Result<Outcomes, toml::de::Error> {
    toml::from_str(text)
}

/// Parses a field dictionary.
pub fn parse_dictionary(text: &str) -> Result<Dictionary, toml::de::Error> {
    toml::from_str(text)
}

/// Makes a folder that only its owner may enter: names and numbers of customers are kept in it.
fn make_private(folder: &Path) -> Result<(), EngineError> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(folder).map_err(EngineError::file(folder, "creating the folder"))?;
    let owner_only = fs::Permissions::from_mode(0o700);
    fs::set_permissions(folder, owner_only).map_err(EngineError::file(folder, "closing the folder to others"))
}

/// Writes a file that only its owner may read, unless it exists.
fn keep_private(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(bytes).and_then(|()| file.sync_all()).map_err(EngineError::file(path, "writing"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(EngineError::file(path, "writing")(error)),
    }
}
