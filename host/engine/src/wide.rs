//! Outcomes and experiments out of other people's tables, by a mapping: one row a customer, a column for each thing that
//! is told about it.

use crate::outcome::{About, OutcomeImport, OutcomeReport, OutcomeSource, RejectedLine};
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::manifest::{Goal, MAX_DAYS};
use care_domain::person::Act;
use care_domain::text::{Bilingual, is_kebab};
use care_domain::time;
use care_population::import::{Encoding, Format};
use care_population::rows::{Row, Rows, Written};
use care_store::{Assignment, Experiment, ImportedCampaign, Registered};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The value of `key` for data without a customer id, as in mappings of populations.
const ROW_NUMBER: &str = "row-number";

/// When something happened.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum When {
    /// The same instant for every row.
    Always(String),
    /// A column holds it.
    Column { column: String },
}

/// What is the same in every mapping of a table.
struct Table<'a> {
    written: Written,
    key: &'a str,
    at: &'a When,
}

/// How a column becomes outcomes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    kind: String,
    column: String,
    /// Cells that tell it; any that is neither blank nor in `not` when empty, and the cell is the figure then.
    #[serde(default)]
    is: Vec<String>,
    /// Cells that tell nothing.
    #[serde(default)]
    not: Vec<String>,
    unit: Option<String>,
    activity: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomeMapping {
    format: Format,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default = "comma")]
    delimiter: char,
    key: String,
    at: When,
    outcomes: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExperimentMapping {
    format: Format,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default = "comma")]
    delimiter: char,
    key: String,
    at: When,
    name: String,
    title: Bilingual,
    /// The column of the arm.
    arm: String,
    /// The arm that was held out.
    control: String,
    goal: Goal,
    /// The arms that were contacted, by the id under which each is evaluated.
    campaigns: BTreeMap<String, String>,
}

fn comma() -> char {
    ','
}

impl OutcomeMapping {
    fn table(&self) -> Table<'_> {
        let written = Written { format: self.format, encoding: self.encoding, delimiter: self.delimiter };
        Table { written, key: &self.key, at: &self.at }
    }
}

/// A registered experiment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ExperimentImport {
    /// Its name.
    pub experiment: String,
    /// What can be evaluated.
    pub campaigns: Vec<String>,
    /// Customers that this call added.
    pub added: u64,
    /// Customers by arm.
    pub arms: BTreeMap<String, u64>,
    /// Lines left out, with the reason.
    pub rejected: Vec<RejectedLine>,
}

impl Engine {
    /// Imports outcomes from a table with one row a customer, by a mapping (`examples/hillstrom-outcomes.toml`).
    pub async fn import_outcome_table(
        &self,
        file: &Path,
        mapping: &str,
        by: &str,
        now: i64,
    ) -> Result<OutcomeImport, EngineError> {
        let mapping: OutcomeMapping = parse(mapping)?;
        let columns: Vec<&str> = mapping.outcomes.iter().map(|told| told.column.as_str()).collect();
        let mut table = TableRows::open(file, &mapping.table(), &columns)?;
        let mut recorder = self.recorder(OutcomeSource::File, by, now).await?;
        while let Some(Row { line, cells }) = table.next()? {
            let row = cells.and_then(|cells| table.read(&cells));
            let Read { key, at, rest } = match row {
                Ok(read) => read,
                Err(reason) => {
                    recorder.done.rejected.push(RejectedLine::new(line, "unreadable", reason));
                    continue;
                }
            };
            for (told, cell) in mapping.outcomes.iter().zip(&rest) {
                if told.tells(cell) {
                    recorder.take(self, told.report(line, &key, at, cell)).await?;
                }
            }
        }
        recorder.finish(self).await
    }

    /// Registers an experiment that was run elsewhere: who was contacted and who was held out stands in the file, one row
    /// a customer. Its arms are evaluated like campaigns. The same again adds nothing.
    pub async fn import_experiment(
        &self,
        file: &Path,
        mapping: &str,
        by: &str,
        now: i64,
    ) -> Result<ExperimentImport, EngineError> {
        let actor = self.authorise(by, Act::ImportExperiment, None, now).await?;
        let mapping: ExperimentMapping = parse(mapping)?;
        mapping.check(self)?;
        let (assignments, rejected) = self.assignments(file, &mapping).await?;
        let mut arms: BTreeMap<String, u64> = BTreeMap::new();
        for one in &assignments {
            *arms.entry(one.arm.clone()).or_default() += 1;
        }
        let imported = |(id, treated): (&String, &String)| ImportedCampaign {
            id: id.clone(),
            experiment: mapping.name.clone(),
            treated: treated.clone(),
            control: mapping.control.clone(),
            goal: mapping.goal.clone(),
        };
        let campaigns: Vec<ImportedCampaign> = mapping.campaigns.iter().map(imported).collect();
        let told: Vec<_> = assignments.iter().map(|a| (a.customer, &a.arm, a.at)).collect();
        let digest = canonical::digest_of(&(&mapping.campaigns, &mapping.control, &mapping.goal, told));
        let experiment = Experiment {
            name: mapping.name.clone(),
            title: mapping.title.clone(),
            digest: digest.map_err(EngineError::internal)?,
        };
        let detail = json!({"arms": arms, "digest": experiment.digest});
        let entry = Entry::of(&actor, "experiment-imported", format!("experiment {}", mapping.name), detail);
        let added = match self.store.register_experiment(&experiment, &campaigns, &assignments, &entry).await? {
            Registered::New => assignments.len() as u64,
            Registered::Known => 0,
            Registered::Taken => {
                let message =
                    format!("experiment {:?} or one of its campaigns exists already, otherwise", mapping.name);
                return Err(EngineError::refused("experiment-exists", message, "Give it another name in the mapping"));
            }
        };
        let campaigns = mapping.campaigns.into_keys().collect();
        Ok(ExperimentImport { experiment: mapping.name, campaigns, added, arms, rejected })
    }

    async fn assignments(
        &self,
        file: &Path,
        mapping: &ExperimentMapping,
    ) -> Result<(Vec<Assignment>, Vec<RejectedLine>), EngineError> {
        let mut table = TableRows::open(file, &mapping.table(), &[&mapping.arm])?;
        let arms: BTreeSet<&str> = mapping.campaigns.values().chain([&mapping.control]).map(String::as_str).collect();
        let (mut found, mut rejected) = (Vec::new(), Vec::new());
        while let Some(Row { line, cells }) = table.next()? {
            let Read { key, at, rest } = match cells.and_then(|cells| table.read(&cells)) {
                Ok(read) => read,
                Err(reason) => {
                    rejected.push(RejectedLine::new(line, "unreadable", reason));
                    continue;
                }
            };
            let arm = rest.into_iter().next().unwrap_or_default();
            if !arms.contains(arm.as_str()) {
                rejected.push(RejectedLine::new(line, "unknown-arm", format!("the mapping has no arm {arm:?}")));
                continue;
            }
            found.push((line, Assignment { customer: self.key_of(&key), arm, at }));
        }
        let mut keys: Vec<_> = found.iter().map(|(_, one)| one.customer).collect();
        keys.sort_unstable();
        keys.dedup();
        let known = self.store.known_customers(&keys).await?;
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for (line, one) in found {
            if !known.contains(&one.customer) {
                rejected.push(RejectedLine::new(line, "unknown-customer", "no population ever held this customer"));
            } else if seen.insert(one.customer) {
                kept.push(one);
            } else {
                rejected.push(RejectedLine::new(line, "repeated-customer", "an earlier line assigns this customer"));
            }
        }
        if kept.is_empty() {
            let hint = "Import the population first, and use the same key in both mappings";
            return Err(EngineError::refused("nobody-assigned", "no line assigns a known customer", hint));
        }
        kept.sort_unstable_by_key(|one| one.customer);
        rejected.sort_by_key(|one| one.line);
        Ok((kept, rejected))
    }
}

impl ExperimentMapping {
    fn table(&self) -> Table<'_> {
        let written = Written { format: self.format, encoding: self.encoding, delimiter: self.delimiter };
        Table { written, key: &self.key, at: &self.at }
    }

    fn check(&self, engine: &Engine) -> Result<(), EngineError> {
        let refused = |message: String, hint: &str| Err(EngineError::refused("bad-experiment", message, hint));
        if let Some(bad) = self.campaigns.keys().chain([&self.name]).find(|name| !is_kebab(name)) {
            return refused(format!("{bad:?} is no kebab-case name"), "Use names such as mens-email");
        }
        if self.campaigns.is_empty() || self.campaigns.values().any(|arm| *arm == self.control) {
            return refused("every campaign needs an arm other than the control arm".into(), "See examples/");
        }
        if !(1..=MAX_DAYS).contains(&self.goal.window_days) {
            return refused(format!("a goal's window is 1 to {MAX_DAYS} days"), "Correct window_days");
        }
        let known = engine.outcomes.find(&self.goal.outcome, |_| false);
        known.map(|_| ()).map_err(|wrong| {
            EngineError::refused("bad-experiment", format!("the goal: {wrong}"), "Add the kind to outcomes.toml")
        })
    }
}

impl Told {
    fn tells(&self, cell: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|one| one == cell);
        !cell.is_empty() && !listed(&self.not) && (self.is.is_empty() || listed(&self.is))
    }

    fn report(&self, line: u64, key: &str, at: i64, cell: &str) -> OutcomeReport {
        OutcomeReport {
            line,
            about: About::Customer(key.to_owned()),
            kind: self.kind.clone(),
            at,
            value: self.is.is_empty().then(|| cell.to_owned()),
            unit: self.unit.clone().filter(|_| self.is.is_empty()),
            activity: self.activity.clone(),
            contact: None,
            id: None,
        }
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, EngineError> {
    toml::from_str(text).map_err(|error| {
        let message = format!("the mapping cannot be read: {error}");
        EngineError::refused("mapping-schema", message, "See the mappings in examples/ for what may be written")
    })
}

/// A table's rows with what every row has.
struct TableRows {
    rows: Rows,
    number: u64,
    keyed: bool,
    always: Option<i64>,
}

/// What a row tells.
struct Read {
    key: String,
    at: i64,
    /// The cells of the columns that were asked for.
    rest: Vec<String>,
}

impl TableRows {
    fn open(file: &Path, table: &Table<'_>, columns: &[&str]) -> Result<Self, EngineError> {
        let keyed = table.key != ROW_NUMBER;
        let mut wanted: Vec<&str> = Vec::new();
        if keyed {
            wanted.push(table.key);
        }
        let always = match table.at {
            When::Column { column } => {
                wanted.push(column);
                None
            }
            When::Always(text) => Some(time::parse_instant(text).ok_or_else(|| {
                let message = format!("at = {text:?} is no instant");
                EngineError::refused("mapping-schema", message, "Write at = \"2026-07-30T10:00:00+08:00\"")
            })?),
        };
        wanted.extend(columns);
        Ok(Self { rows: Rows::open(file, table.written, &wanted)?, number: 0, keyed, always })
    }

    fn next(&mut self) -> Result<Option<Row>, EngineError> {
        let row = self.rows.step()?;
        // Counted like the rows of a population, the unreadable ones too.
        self.number += u64::from(row.is_some());
        Ok(row)
    }

    fn read(&self, cells: &[String]) -> Result<Read, String> {
        let mut cells = cells.iter();
        let key = if self.keyed { cells.next().cloned().unwrap_or_default() } else { self.number.to_string() };
        if key.is_empty() {
            return Err("the key cell is blank".into());
        }
        let at = match self.always {
            Some(at) => at,
            None => {
                let told = cells.next().and_then(|text| time::parse_instant(text));
                told.ok_or("the cell of the instant is none, such as 2026-07-30T10:00:00+08:00")?
            }
        };
        Ok(Read { key, at, rest: cells.cloned().collect() })
    }
}
