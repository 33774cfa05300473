//! What a plan asked an activity about a batch, and what it answered, handed to the activity's author: another build is asked
//! the same on the author's machine. Of customers there is what the activity reads, under numbers of the record's own, and
//! nothing sensitive.

use super::ask::{Asked, Chosen, Crew, FaultTold};
use super::workbench::Workbench;
use crate::EngineError;
use care_domain::column::{Column, Table};
use care_domain::field::{FieldType, Stage, Wire};
use care_domain::manifest::{FieldUse, Limits, Manifest};
use care_domain::verdict::Verdict;
use care_population::reference::ReferenceTable;
use care_sandbox::{Frame, Grants, Place, Plugin, RunFacts};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Version of the layout; another one is not read.
const FORMAT: u32 = 1;
/// A table of the record's customers.
const CUSTOMERS: &str = "customers";

/// What a plan asked an activity about a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedBatch {
    pub(crate) format: u32,
    /// The plan.
    pub plan: String,
    /// Bucket of its snapshot.
    pub bucket: u32,
    /// Batch of the bucket, from 0.
    pub batch: u32,
    /// The campaign.
    pub campaign: String,
    /// The activity.
    pub activity: String,
    /// Its version.
    pub version: semver::Version,
    /// SHA-256 of the component.
    pub component: String,
    pub(crate) today: i32,
    pub(crate) now: i64,
    pub(crate) params: Map<String, Value>,
    pub(crate) limits: Limits,
    /// Fields that it reads and that nobody outside of the host sees.
    pub withheld: Vec<String>,
    /// What it read of the customers.
    pub(crate) customers: ReferenceTable,
    /// The reference tables that it read.
    pub(crate) tables: Vec<ReferenceTable>,
    /// What became of each customer, in the order of the table.
    pub who: Vec<Recalled>,
}

/// What became of a customer of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recalled {
    /// Bucket and row of the snapshot.
    pub customer: String,
    /// What the activity answered; nothing where it did not choose the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How the customer broke it: stage and code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broke: Option<String>,
    /// What the plan made of it, with the rule that said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<(Verdict, String)>,
}

/// What an activity answers about a customer that it chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Why.
    pub reason: String,
    /// What the contact is about.
    pub occasion: i64,
    /// How much it is needed.
    pub score: f32,
    /// From when it is useful, Unix milliseconds.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// What it says: templates with their slots' canonical values.
    pub messages: Vec<(String, BTreeMap<String, String>)>,
}

/// What another build answers about the same batch.
#[derive(Debug, Clone, Serialize)]
pub struct Reanswered {
    /// Customers.
    pub customers: usize,
    /// Those that the plan's build chose.
    pub recorded: usize,
    /// Those that are chosen now.
    pub decided: usize,
    /// Those about whom the two differ.
    pub changed: Vec<Otherwise>,
    /// How this build breaks, each kind of fault with its first customer.
    pub faults: Vec<(String, FaultTold)>,
}

/// A customer about whom two builds differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Otherwise {
    /// Bucket and row of the snapshot.
    pub customer: String,
    /// What was read of the customer.
    pub read: BTreeMap<String, Value>,
    /// What became of the customer in the plan.
    pub before: Recalled,
    /// What is answered now.
    pub now: Option<Answer>,
    /// How it breaks now.
    pub broke: Option<String>,
}

/// What an activity answers of each row of a batch, and how it broke, each time with the first row.
pub(crate) type Answers = (Vec<Recalled>, Vec<(u32, FaultTold)>);

/// Asks an activity about a batch and tells what it answered of each row.
pub(crate) fn answers(
    plugin: &Plugin,
    (facts, grants): (&RunFacts, &Grants),
    batch: &Table,
    locate: &dyn Fn(&Frame) -> Vec<Place>,
) -> Result<Answers, EngineError> {
    let clock = || Duration::ZERO;
    let mut crew = Crew::new(plugin, (facts, grants), &clock, locate);
    let lend = |fields: &[FieldUse], rows: Option<&[u32]>| lent(batch, fields, rows);
    let asked = crew.ask(batch.rows, grants, &lend).map_err(|source| {
        let activity = grants.manifest.name.clone();
        EngineError::Machine { activity, attempts: 1, source }
    })?;
    let told = (0..batch.rows).map(|row| recalled(row, &asked, &grants.manifest)).collect();
    let faults = asked.broke.into_iter().filter_map(|(rows, fault)| Some((*rows.first()?, fault)));
    Ok((told, faults.collect()))
}

fn recalled(row: u32, asked: &Asked, manifest: &Manifest) -> Recalled {
    let broke = asked.broke.iter().find(|(rows, _)| rows.contains(&row));
    Recalled {
        customer: String::new(),
        answer: asked.chosen.get(&row).map(|chosen| answer(chosen, manifest)),
        broke: broke.map(|(_, fault)| format!("{}: {}", fault.stage.name(), fault.code)),
        verdict: None,
    }
}

fn answer(chosen: &Chosen, manifest: &Manifest) -> Answer {
    let said = chosen.messages.iter().map(|message| {
        let template = manifest.template(message.template).map_or_else(String::new, |t| t.name.clone());
        (template, message.slots.clone())
    });
    Answer {
        reason: manifest.reason(chosen.reason).map_or_else(String::new, |r| r.name.clone()),
        occasion: chosen.occasion,
        score: chosen.score,
        not_before: chosen.not_before,
        not_after: chosen.not_after,
        messages: said.collect(),
    }
}

/// Columns of a table for some of its rows; what it lacks has no value.
fn lent(from: &Table, fields: &[FieldUse], rows: Option<&[u32]>) -> Table {
    let count = rows.map_or(from.rows as usize, <[u32]>::len);
    let column = |field: &FieldUse| match (from.columns.get(&field.name), rows) {
        (Some(column), Some(rows)) => column.gather(rows),
        (Some(column), None) => column.clone(),
        (None, _) => Column::absent(field.ty, count),
    };
    Table { rows: count as u32, columns: fields.iter().map(|f| (f.name.clone(), column(f))).collect() }
}

/// Every field that an activity reads of customers while it decides, with its type.
pub(crate) fn read_while_deciding(manifest: &Manifest) -> BTreeMap<String, FieldType> {
    let stages = [Stage::Select, Stage::Schedule, Stage::Compose];
    stages.into_iter().flat_map(|stage| manifest.fields_of(stage)).map(|f| (f.name.clone(), f.ty)).collect()
}

/// Customers as a record keeps them.
pub(crate) fn kept(batch: &Table, fields: &BTreeMap<String, FieldType>) -> ReferenceTable {
    let cell = |row: usize, name: &str, ty: FieldType| {
        let Some(column) = batch.columns.get(name) else { return Value::Null };
        match ty.wire() {
            Wire::S64 | Wire::S32 => column.integer(row).into(),
            Wire::F64 => column.ratio(row).into(),
            Wire::Boolean => column.yes(row).into(),
            Wire::Codes | Wire::Texts => column.text(row).into(),
        }
    };
    let row = |row: usize| fields.iter().map(|(name, ty)| cell(row, name, *ty)).collect();
    ReferenceTable { name: CUSTOMERS.into(), fields: fields.clone(), rows: (0..batch.rows as usize).map(row).collect() }
}

impl Workbench {
    /// Asks this build about a batch of a plan as the plan asked, within what had been granted.
    pub fn answer_again(&self, record: &PlannedBatch) -> Result<Reanswered, EngineError> {
        if record.format != FORMAT || record.activity != self.manifest.name {
            let message = format!("the record is of {} in layout {}", record.activity, record.format);
            let hint = "Record the activity of this project with `care plan record`, by the same release";
            return Err(EngineError::refused("bad-record", message, hint));
        }
        let tables = record.tables.iter().map(|table| (table.name.clone(), table.to_table()));
        let facts = RunFacts { today: record.today, now: record.now, params: self.params(&record.params)?.into() };
        let grants = Grants {
            limits: record.limits,
            tables: Arc::new(tables.collect()),
            labels: Arc::new(crate::reference::labels_of(&record.tables)),
            manifest: Arc::clone(&self.manifest),
        };
        self.check_tables(record)?;
        let batch = record.customers.to_table();
        let locate = self.locate();
        let (now, faults) = answers(&self.plugin, (&facts, &grants), &batch, &locate)?;
        let chosen = |who: &[Recalled]| who.iter().filter(|one| one.answer.is_some()).count();
        let differ = |(_, (before, now)): &(usize, (&Recalled, &Recalled))| {
            before.answer != now.answer || before.broke != now.broke
        };
        let pairs = record.who.iter().zip(&now).enumerate().filter(differ);
        let changed = pairs.map(|(row, (before, now))| Otherwise {
            customer: before.customer.clone(),
            read: record.read(row),
            before: before.clone(),
            now: now.answer.clone(),
            broke: now.broke.clone(),
        });
        Ok(Reanswered {
            customers: now.len(),
            recorded: chosen(&record.who),
            decided: chosen(&now),
            changed: changed.collect(),
            faults: faults.into_iter().map(|(row, fault)| (record.name(row), fault)).collect(),
        })
    }

    /// A table that this build reads and the plan's did not is not in the record.
    fn check_tables(&self, record: &PlannedBatch) -> Result<(), EngineError> {
        let known = |name: &String| record.tables.iter().any(|table| table.name == *name);
        match self.manifest.tables.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("this build reads table {name:?}, which the plan's did not: the record lacks it");
                Err(EngineError::refused("table-missing", message, "Try it with `care plugin simulate`"))
            }
        }
    }
}

impl PlannedBatch {
    /// The layout that this release writes.
    pub(crate) const FORMAT: u32 = FORMAT;

    fn name(&self, row: u32) -> String {
        self.who.get(row as usize).map_or_else(String::new, |who| who.customer.clone())
    }

    /// What was read of a customer.
    fn read(&self, row: usize) -> BTreeMap<String, Value> {
        let cells = self.customers.rows.get(row).into_iter().flatten();
        let named = self.customers.fields.keys().cloned().zip(cells.cloned());
        named.filter(|(_, cell)| !cell.is_null()).collect()
    }
}
