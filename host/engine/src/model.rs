//! Models: a plugin that adds a column to a snapshot. It passes the same gate as an activity, and its column is a field
//! like any other from then on: plans pin the derived snapshot, whose manifest says what it was derived from, and by what.

use crate::campaign::{NewCampaign, checked_params, newest_approved};
use crate::plan::{DEFAULT_BATCH, MAX_HALVINGS, halved};
use crate::{Engine, EngineError, PlanRequest};
use care_domain::approval::Approval;
use care_domain::audit::Entry;
use care_domain::column::{Column, Table};
use care_domain::field::{FieldDef, FieldType, Stage, Wire};
use care_domain::manifest::{Manifest, World};
use care_domain::person::Act;
use care_domain::text::Finding;
use care_population::{BucketData, Derived, DerivedColumn, Snapshot, derive};
use care_sandbox::{Grants, Guest, MachineError, Plugin, RunFacts};
use care_store::{SnapshotRow, StoredSubmission};
use semver::VersionReq;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What to run.
#[derive(Debug, Clone)]
pub struct NewModelRun {
    /// Name of the model.
    pub model: String,
    /// Which versions will do; the newest approved one of them runs.
    pub requirement: VersionReq,
    /// Parameters that differ from their defaults.
    pub params: Map<String, Value>,
    /// The snapshot to derive from, by the beginning of its id; the newest when absent.
    pub snapshot: Option<String>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelRun {
    /// The derived snapshot.
    pub snapshot: String,
    /// What it was derived from.
    pub base: String,
    /// Version of the model.
    pub version: semver::Version,
    /// The column that was added.
    pub column: String,
    /// Customers.
    pub customers: u64,
    /// Customers by value where the column is a category, by whether there is one otherwise.
    pub values: BTreeMap<String, u64>,
    /// Customers without a value because the model broke on them, or answered what the column cannot hold, by code.
    pub faults: BTreeMap<String, u64>,
}

/// A model's answer that its column cannot hold.
const OUT_OF_RANGE: &str = "out-of-range";

impl Engine {
    /// Adds a model's column to a snapshot, which stays as it is; plans of its date take the derived one.
    pub async fn run_model(&self, new: &NewModelRun, by: &str, at: i64) -> Result<ModelRun, EngineError> {
        let actor = self.authorise(by, Act::RunModels, None, at).await?;
        let submissions = self.store.submissions().await?;
        let wanted =
            NewCampaign { activity: new.model.clone(), requirement: new.requirement.clone(), ..NewCampaign::default() };
        let pinned = newest_approved(&submissions, &wanted)?;
        let manifest = &pinned.version.manifest;
        let Some(column) = manifest.column.clone().filter(|_| manifest.world == World::Model) else {
            let message = format!("{} is an activity, no model", new.model);
            return Err(EngineError::refused("not-a-model", message, "Start it with `care campaign start`"));
        };
        let approval = self.vouched(pinned).await?;
        let base = self.snapshot(new.snapshot.as_deref(), None).await?;
        let date = base.manifest().business_date;
        if !approval.holds_on(date) {
            let message = format!("the approval of {} does not hold on the date of the snapshot", new.model);
            return Err(EngineError::refused("approval-dates", message, "See `care submission show`"));
        }
        check_inputs(manifest, &base)?;
        let about = Derived {
            base: base.id().to_owned(),
            column: column.clone(),
            model: pinned.version.component.clone(),
            approval: approval.digest().map_err(EngineError::internal)?,
            params: checked_params(manifest, &new.params)?,
        };
        let job = self.job(pinned, &approval, &about, date).await?;
        let (engine, source) = (self.clone(), base.clone());
        let done = tokio::task::spawn_blocking(move || job.run(&engine, &source, about));
        let (derived, (values, faults)) = done.await.map_err(EngineError::internal)??;
        let customers = derived.manifest().rows;
        let row = SnapshotRow {
            id: derived.id().to_owned(),
            business_date: date,
            customers: customers as i64,
            imported_by: actor.person.clone(),
            imported_at: actor.at,
        };
        let detail = json!({"model": new.model, "version": manifest.version, "base": base.id(), "column": column});
        let entry = Entry::of(&actor, "population-derived", format!("snapshot {}", derived.id()), detail);
        self.store.add_snapshot(&row, &entry).await?;
        Ok(ModelRun {
            snapshot: derived.id().to_owned(),
            base: base.id().to_owned(),
            version: manifest.version.clone(),
            column,
            customers,
            values,
            faults,
        })
    }

    async fn job(
        &self,
        pinned: &StoredSubmission,
        approval: &Approval,
        about: &Derived,
        today: i32,
    ) -> Result<Job, EngineError> {
        let manifest = Arc::new(pinned.version.manifest.clone());
        let tables = self.load_tables(today).await?;
        let known = self.dictionary.find(&about.column).map_err(|near| {
            let message = format!("column {:?} is not in the dictionary any more{near}", about.column);
            EngineError::refused("unknown-column", message, "Put it back into fields.toml")
        })?;
        // The date's own instant, whenever it is run: the same base gives the same column.
        let now = PlanRequest::of(today, 1).map(|request| request.instant).unwrap_or_default();
        Ok(Job {
            plugin: self.load_plugin(&manifest.name, &pinned.version.code).await?,
            facts: RunFacts { today, now, params: about.params.as_str().into() },
            grants: Grants {
                limits: approval.limits,
                tables: Arc::new(tables.named(manifest.tables.keys())),
                labels: Arc::new(tables.labels()),
                manifest,
            },
            column: known.clone(),
        })
    }
}

/// The snapshot has what the model needs, of the type that it expects.
fn check_inputs(manifest: &Manifest, base: &Snapshot) -> Result<(), EngineError> {
    let mut findings = Vec::new();
    for field in manifest.fields_of(Stage::Select) {
        match base.manifest().fields.get(&field.name) {
            None if field.optional => {}
            Some(ty) if *ty == field.ty => {}
            found => {
                let is = found.map_or("does not hold it".to_owned(), |ty| format!("holds it as {}", ty.name()));
                let message = format!("the model reads {:?} as {}, and the snapshot {is}", field.name, field.ty.name());
                findings.push(Finding::error("snapshot-lacks-field", message, "Import it with the population"));
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(EngineError::Findings { what: "the model".into(), findings }) }
}

/// A model at work on a snapshot.
struct Job {
    plugin: Plugin,
    facts: RunFacts,
    grants: Grants,
    column: FieldDef,
}

/// Customers by value, and by fault.
type Counted = (BTreeMap<String, u64>, BTreeMap<String, u64>);

impl Job {
    fn run(&self, engine: &Engine, base: &Snapshot, about: Derived) -> Result<(Snapshot, Counted), EngineError> {
        let mut counted = Counted::default();
        let column = DerivedColumn { ty: self.column.ty, categories: &self.column.values, about };
        let derived = derive(base, &engine.snapshots(), &column, |data| {
            self.bucket(data, &mut counted).map_err(|source| {
                let activity = self.grants.manifest.name.clone();
                EngineError::Machine { activity, attempts: 1, source }
            })
        })?;
        Ok((derived, counted))
    }

    /// The values of a bucket. What breaks the model has no value.
    fn bucket(&self, data: &BucketData, (values, faults): &mut Counted) -> Result<Vec<Option<f64>>, MachineError> {
        let mut guest = self.plugin.guest(Stage::Select, self.facts.clone(), self.grants.clone());
        let mut halvings = MAX_HALVINGS;
        let mut column = vec![None; data.rows()];
        for start in (0..data.rows()).step_by(DEFAULT_BATCH as usize) {
            let rows = start..(start + DEFAULT_BATCH as usize).min(data.rows());
            let table = self.table(data, rows.clone());
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            let answers = halved(&all, &mut halvings, &mut |part| derived(&mut guest, &table, part))?;
            for (part, answer) in answers.good {
                for (row, value) in part.into_iter().zip(answer) {
                    match self.fits(value) {
                        Ok(value) => column[start + row as usize] = value,
                        Err(code) => *faults.entry(code.to_owned()).or_default() += 1,
                    }
                }
            }
            for (part, fault) in answers.bad {
                *faults.entry(fault.code.name().to_owned()).or_default() += part.len() as u64;
            }
        }
        for value in &column {
            *values.entry(self.shown(*value)).or_default() += 1;
        }
        Ok(column)
    }

    fn table(&self, data: &BucketData, rows: std::ops::Range<usize>) -> Table {
        let column = |field: &care_domain::manifest::FieldUse| {
            let stored = data.column(&field.name).map(|column| column.slice(rows.clone()));
            (field.name.clone(), stored.unwrap_or_else(|| Column::absent(field.ty, rows.len())))
        };
        let columns = self.grants.manifest.fields_of(Stage::Select).iter().map(column).collect();
        Table { rows: rows.len() as u32, columns }
    }

    /// The value as the column holds it; an error where it cannot.
    fn fits(&self, value: f64) -> Result<Option<f64>, &'static str> {
        let def = &self.column;
        let is_within = def.minimum.is_none_or(|least| least <= value) && def.maximum.is_none_or(|most| value <= most);
        let is_whole = value.fract() == 0.0 && value.abs() < 9e15;
        match def.ty {
            _ if value.is_nan() => Ok(None),
            FieldType::Ratio if is_within => Ok(Some(value)),
            FieldType::Boolean if value == 0.0 || value == 1.0 => Ok(Some(value)),
            FieldType::Category if is_whole && (0.0..def.values.len() as f64).contains(&value) => Ok(Some(value)),
            FieldType::Fen | FieldType::Count | FieldType::Instant if is_whole && is_within => Ok(Some(value)),
            FieldType::Small | FieldType::Date if is_whole && is_within && value.abs() < f64::from(i32::MAX) => {
                Ok(Some(value))
            }
            _ => Err(OUT_OF_RANGE),
        }
    }

    fn shown(&self, value: Option<f64>) -> String {
        match value {
            None => "none".to_owned(),
            Some(place) if self.column.ty.wire() == Wire::Codes => {
                self.column.values.get(place as usize).cloned().unwrap_or_default()
            }
            Some(_) => "some".to_owned(),
        }
    }
}

fn derived(guest: &mut Guest, table: &Table, rows: &[u32]) -> Result<Vec<f64>, care_sandbox::Broken> {
    // The whole batch is lent without a copy; only parts of it are gathered.
    if rows.len() == table.rows as usize {
        return guest.derive(table.clone());
    }
    let columns = table.columns.iter().map(|(name, column)| (name.clone(), column.gather(rows))).collect();
    guest.derive(Table { rows: rows.len() as u32, columns })
}
