//! Where an activity's fuel goes: what it did between the questions that it asked its host. It says the same of a run every
//! time, in every language.

use super::ask::{Crew, Lend};
use super::customers::Customers;
use super::simulate::Trial;
use super::workbench::{Workbench, morning};
use crate::EngineError;
use crate::plan::{BatchView, DEFAULT_BATCH, Lists};
use care_domain::approval::CEILING;
use care_domain::field::Stage;
use care_domain::key::Bucket;
use care_domain::manifest::FieldUse;
use care_sandbox::{Grants, RunFacts, Step};
use care_store::History;
use serde::Serialize;
use std::time::Duration;

/// How a stage's call on one batch used its fuel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageProfile {
    /// The stage.
    pub stage: Stage,
    /// Rows of the batch.
    pub rows: u64,
    /// Fuel of the call.
    pub fuel: u64,
    /// What it was used for, in the order of the call.
    pub work: Vec<Work>,
}

/// A part of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Work {
    /// What for.
    pub what: String,
    /// Fuel.
    pub fuel: u64,
}

/// The customers' first rows, and the terms on which an activity is asked about them.
pub(super) struct FirstBatch<'a> {
    pub(super) rows: u32,
    pub(super) facts: &'a RunFacts,
    pub(super) grants: &'a Grants,
    pub(super) lend: &'a Lend<'a>,
}

impl Workbench {
    /// Profiles each stage on the customers' first batch.
    pub fn profile(&self, customers: &Customers, trial: &Trial) -> Result<Vec<StageProfile>, EngineError> {
        self.on_first_batch(customers, trial, DEFAULT_BATCH as usize, &|batch| {
            let clock = || Duration::ZERO;
            let locate = self.locate();
            let mut crew = Crew::new(&self.plugin, (batch.facts, batch.grants), &clock, &locate);
            let activity = self.manifest.name.clone();
            crew.ask(batch.rows, batch.grants, batch.lend).map_err(|source| EngineError::Machine {
                activity,
                attempts: 1,
                source,
            })?;
            let stages = crew.steps().into_iter().filter_map(|(stage, rows, granted, left, steps)| {
                let work = work(granted, left, steps);
                (!work.is_empty()).then(|| StageProfile { stage, rows, fuel: granted.saturating_sub(left), work })
            });
            Ok(stages.collect())
        })
    }

    /// Does something with the first rows, at most so many, of the customers' first bucket.
    pub(super) fn on_first_batch<T>(
        &self,
        customers: &Customers,
        trial: &Trial,
        most: usize,
        work: &dyn Fn(&FirstBatch<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let today = trial.date.unwrap_or_else(|| customers.date());
        let now = trial.now.map_or_else(|| morning(today), Ok)?;
        let tables = self.tables(today)?;
        let (facts, mut grants) = self.terms((today, now), self.params(&trial.params)?, &tables)?;
        // What exceeds the limits that it asks for is what its author wants to see.
        grants.limits = CEILING;
        let data = customers.snapshot.bucket(Bucket { index: 0, bits: customers.snapshot.manifest().bits })?;
        let (history, lists) = (History::default(), Lists::new());
        let view = BatchView::new(&data, 0..data.rows().min(most), &history, &lists);
        let lend = |fields: &[FieldUse], rows: Option<&[u32]>| view.table(&self.manifest.name, fields, rows);
        work(&FirstBatch { rows: view.len() as u32, facts: &facts, grants: &grants, lend: &lend })
    }
}

/// What lies between two questions is told by the question before it; what lies after the last one are the rules.
fn work(granted: u64, left: u64, steps: &[Step]) -> Vec<Work> {
    let mut work: Vec<Work> = Vec::new();
    let mut add = |what: String, fuel: u64| match work.iter_mut().find(|known| known.what == what) {
        Some(known) => known.fuel += fuel,
        None => work.push(Work { what, fuel }),
    };
    let Some(first) = steps.first() else { return Vec::new() };
    add("before it asks for anything".to_owned(), granted.saturating_sub(first.fuel_left));
    for pair in steps.windows(2) {
        add(named(&pair[0].asked), pair[0].fuel_left.saturating_sub(pair[1].fuel_left));
    }
    if let Some(last) = steps.last() {
        add("the rules, and returning their answers".to_owned(), last.fuel_left.saturating_sub(left));
    }
    work
}

/// A field is read by its values, its categories and its gaps: for its author one thing.
fn named(asked: &str) -> String {
    match asked.split(' ').collect::<Vec<_>>().as_slice() {
        ["rows", table] => format!("after the count of {table}"),
        ["log", ..] => "writing into its log".to_owned(),
        ["params" | "today" | "now"] => "the parameters and the facts of the run".to_owned(),
        ["rows-of", field, table] => format!("joining {field} with {table}"),
        [_, "customers", field] => format!("reading {field}"),
        [_, table, field] => format!("reading {field} of {table}"),
        _ => asked.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuel_is_told_by_what_it_was_used_for_and_adds_up() {
        let step = |asked: &str, fuel_left| Step { asked: asked.into(), fuel_left };
        let steps = [
            step("params", 990),
            step("codes customers brand", 900),
            step("present customers brand", 850),
            step("rows customers", 800),
        ];
        let told = work(1_000, 100, &steps);
        let parts: Vec<(&str, u64)> = told.iter().map(|w| (w.what.as_str(), w.fuel)).collect();
        assert_eq!(
            parts,
            [
                ("before it asks for anything", 10),
                ("the parameters and the facts of the run", 90),
                ("reading brand", 100),
                ("the rules, and returning their answers", 700),
            ]
        );
        assert_eq!(told.iter().map(|w| w.fuel).sum::<u64>(), 900);
        assert!(work(1_000, 100, &[]).is_empty());
    }
}
