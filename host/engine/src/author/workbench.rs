//! An activity ready to be tried: checked as the gate would, compiled, with its reference tables.

use crate::plugins::{Cache, Compiler};
use crate::reference::{self, LoadedTables};
use crate::wording::Wording;
use crate::{EngineError, keep_private, upload};
use care_domain::contact::Channel;
use care_domain::field::Dictionary;
use care_domain::manifest::{Manifest, Reason};
use care_domain::text::Finding;
use care_domain::time;
use care_population::reference::ReferenceTable;
use care_sandbox::{Frame, Grants, Message, Place, Plugin, RunFacts, Sandbox, SandboxConfig, Symbols, Worker};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where an author works.
#[derive(Debug, Clone)]
pub struct Workplace {
    /// A folder of the author's own in which machine code is kept under a seal; made when missing.
    pub cache: PathBuf,
    /// Compiles in a process of its own; in this process without one.
    pub worker: Option<Worker>,
}

/// A reference table of a project.
#[derive(Debug, Clone)]
pub struct TableFile {
    /// By which the activity reads it.
    pub name: String,
    /// CSV with a header line.
    pub csv: PathBuf,
    /// TOML: `[fields]` with a type for each column.
    pub schema: String,
}

/// An activity on its author's workbench.
pub struct Workbench {
    pub(super) manifest: Arc<Manifest>,
    /// SHA-256 of the component.
    pub(super) digest: String,
    pub(super) dictionary: Dictionary,
    pub(super) plugin: Plugin,
    tables: Vec<ReferenceTable>,
    symbols: Option<Symbols>,
    /// What the gate warns of.
    findings: Vec<Finding>,
}

/// A message as it is read, and what the activity put into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTold {
    /// Its template.
    pub template: String,
    /// The channel in whose words it is told.
    pub channel: Channel,
    /// Canonical values by slot.
    pub slots: BTreeMap<String, String>,
    /// In Chinese, to a person who does not exist.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Workbench {
    /// Checks a component as the gate would, short of the golden batch, and compiles it or takes its machine code from
    /// the cache. What the gate refuses is refused in the same words. `kept` is what its build kept beside the component.
    pub fn open(
        component: &[u8],
        kept: Option<Vec<u8>>,
        tables: &[TableFile],
        place: &Workplace,
    ) -> Result<Self, EngineError> {
        let dictionary = crate::parse_dictionary(crate::DEFAULT_FIELDS).map_err(EngineError::internal)?;
        let (component, _) = care_sandbox::package::split_signature(component);
        let mut report = care_sandbox::inspect(&component, &dictionary);
        report.findings.extend(report.manifest.iter().flat_map(upload::check_params).collect::<Vec<_>>());
        let refuses = report.findings.iter().any(Finding::refuses);
        let Some(manifest) = report.manifest.filter(|_| !refuses) else {
            return Err(EngineError::Findings { what: "the plugin".into(), findings: report.findings });
        };
        let sandbox = Sandbox::new(SandboxConfig { traces: true, ..SandboxConfig::default() });
        let sandbox = sandbox.map_err(EngineError::Sandbox)?;
        let plugin = load(&sandbox, &report.digest, &component, &manifest.name, place)?;
        let tables = tables.iter().map(|t| Ok(ReferenceTable::read_csv(&t.name, &t.csv, &t.schema)?));
        let tables: Vec<ReferenceTable> = tables.collect::<Result<_, EngineError>>()?;
        Ok(Self {
            manifest: Arc::new(manifest),
            digest: report.digest,
            dictionary,
            plugin,
            tables,
            symbols: kept.and_then(|kept| Symbols::of(kept, &component)),
            findings: report.findings,
        })
    }

    /// What the activity asks for.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What the gate warns of.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Tells where its author's lines are; nowhere where the build kept no line tables.
    pub(super) fn locate(&self) -> impl Fn(&Frame) -> Vec<Place> + '_ {
        let lines = self.symbols.as_ref().and_then(Symbols::lines);
        move |frame| lines.as_ref().map_or_else(Vec::new, |lines| lines.places(frame))
    }

    /// The project's tables and those that the host computes, for a date. What the activity reads and nobody supplies is
    /// refused.
    pub(super) fn tables(&self, today: i32) -> Result<LoadedTables, EngineError> {
        let loaded = reference::loaded(&self.tables, today)?;
        let mut findings = Vec::new();
        for (table, fields) in &self.manifest.tables {
            for (field, ty) in fields {
                if let Err(problem) = reference::has(&loaded, table, field, *ty) {
                    let message = format!("the activity reads {field:?} of table {table:?}: {problem}");
                    let hint = format!("Put tables/{table}.csv and its schema tables/{table}.toml into the project");
                    findings.push(Finding::error("table-missing", message, hint));
                }
            }
        }
        if findings.is_empty() { Ok(loaded) } else { Err(EngineError::Findings { what: "the trial".into(), findings }) }
    }

    /// The parameters of a run: the given ones, and defaults for the rest; checked as a campaign's are.
    pub(super) fn params(&self, given: &Map<String, Value>) -> Result<String, EngineError> {
        crate::campaign::checked_params(&self.manifest, given)
    }

    /// What a guest sees of a run, and may use: what it asks for, at most the ceiling.
    pub(super) fn terms(
        &self,
        (today, now): (i32, i64),
        params: String,
        tables: &LoadedTables,
    ) -> Result<(RunFacts, Grants), EngineError> {
        let asked = care_domain::approval::Approval::grant(&self.digest, &self.manifest, &Default::default(), "", 0);
        let asked = asked.map_err(|e| EngineError::refused("bad-condition", e.to_string(), "Mend activity.toml"))?;
        let facts = RunFacts { today, now, params: params.into() };
        let grants = Grants {
            limits: asked.limits,
            tables: Arc::new(tables.named(self.manifest.tables.keys())),
            labels: Arc::new(tables.labels()),
            manifest: Arc::clone(&self.manifest),
        };
        Ok((facts, grants))
    }

    /// What is said in a customer's messages, each in the words of the first channel of the reason that has any.
    pub(super) fn told(
        &self,
        wording: &Wording,
        reason: u16,
        said: &[Message],
    ) -> Result<Vec<MessageTold>, EngineError> {
        let channels = self.manifest.reason(reason).map_or(&[][..], |r: &Reason| &r.channels);
        let told = |message: &Message| {
            let template = self.manifest.template(message.template)?;
            let channel = channels.iter().copied().find(|c| template.body(*c).is_some())?;
            Some((template.name.clone(), channel, message.slots.clone()))
        };
        let told = said.iter().filter_map(told).map(|(template, channel, slots)| {
            let text = wording.words((&template, channel, self.manifest.class), &slots)?;
            Ok(MessageTold { template, channel, slots, zh: text.zh, en: text.en })
        });
        told.collect()
    }
}

/// The hour at which a run stands unless told otherwise, as a plan does.
pub(super) fn morning(today: i32) -> Result<i64, EngineError> {
    let request = crate::PlanRequest::of(today, 1);
    request.map(|r| r.instant).ok_or_else(|| {
        let message = format!("{} is no day on which anything can run", time::write_date(today));
        EngineError::refused("bad-date", message, "Choose a date of this century")
    })
}

fn load(
    sandbox: &Sandbox,
    digest: &str,
    component: &[u8],
    activity: &str,
    place: &Workplace,
) -> Result<Plugin, EngineError> {
    let cache = cache(&place.cache, sandbox)?;
    let code = match cache.get(digest) {
        Some(code) => code,
        None => {
            let code = Compiler::new(sandbox.clone(), place.worker.clone()).compile(component)?;
            cache.put(digest, &code)?;
            code
        }
    };
    sandbox.load(&code).map_err(|source| EngineError::Compile { activity: activity.to_owned(), source })
}

/// An author's cache is a folder like a data folder's: the seal keeps others from putting machine code into it.
fn cache(folder: &Path, sandbox: &Sandbox) -> Result<Cache, EngineError> {
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).map_err(EngineError::file(&keys, "creating the folder"))?;
    keep_private(&folder.join("CACHEDIR.TAG"), b"Signature: 8a477f597d28d172789f06886806bc55\n")?;
    Cache::open(folder, sandbox)
}
