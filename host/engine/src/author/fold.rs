//! The outcomes of a case: folded whole and in parts, and what is reported of them.

use super::ask::{FaultTold, fault_told, places};
use super::case_file::{Cell, ExpectedMetric, Fold};
use super::cases::{RowResult, of_values};
use super::compare::{compare_metric, difference};
use super::workbench::Workbench;
use crate::EngineError;
use care_domain::column::Table;
use care_domain::field::Stage;
use care_sandbox::{Broken, Grants, Guest, Metric, RunFacts};
use std::collections::BTreeMap;

/// What folding some outcomes came to.
type Folded = Result<Vec<Metric>, FaultTold>;

impl Workbench {
    /// Folds a case's outcomes and compares what is reported: a result for each metric that is expected, and one for folding
    /// in parts.
    pub(super) fn run_fold(
        &self,
        case: &str,
        fold: &Fold,
        (facts, grants): (&RunFacts, &Grants),
    ) -> Result<Vec<RowResult>, EngineError> {
        let guest = || self.plugin.guest(Stage::Observe, facts.clone(), grants.clone());
        let rows: Vec<&BTreeMap<String, Cell>> = fold.outcomes.iter().collect();
        let table = |rows: &[&BTreeMap<String, Cell>]| of_values(rows, self.manifest.fields_of(Stage::Observe));
        let whole = self.folded(guest(), grants, |guest| guest.observe(table(&rows), &[]))?;
        let metrics = match whole {
            Ok(metrics) => metrics,
            Err(fault) => {
                let line = fold.metrics.first().map_or(1, |metric| metric.line);
                let decided = format!("broke in {}: {}", fault.stage.name(), fault.code);
                let told = Told { case, row: 1, line, what: "its outcomes".to_owned(), decided };
                return Ok(vec![told.result(Vec::new(), Some(fault))]);
            }
        };
        let judged = |(at, wanted): (usize, &ExpectedMetric)| judge(case, at + 1, wanted, &metrics);
        let mut results: Vec<RowResult> = fold.metrics.iter().enumerate().map(judged).collect();
        if rows.len() > 1 {
            let (left, right) = rows.split_at(rows.len() / 2);
            let halves = self.folded(guest(), grants, |guest| in_parts(guest, table(right), table(left)))?;
            if halves.as_ref() != Ok(&metrics) {
                let line = fold.metrics.first().map_or(1, |metric| metric.line);
                let decided = halves.as_ref().map_or_else(|fault| fault.message.clone(), |halves| listed(halves));
                let told =
                    Told { case, row: results.len() + 1, line, what: "its outcomes in two parts".to_owned(), decided };
                let decided = told.decided.clone();
                results.push(told.result(vec![difference("merged", listed(&metrics), decided)], halves.err()));
            }
        }
        Ok(results)
    }

    /// Folds with a guest of its own and reports.
    fn folded(
        &self,
        mut guest: Guest,
        grants: &Grants,
        fold: impl FnOnce(&mut Guest) -> Result<Vec<u8>, Broken>,
    ) -> Result<Folded, EngineError> {
        match fold(&mut guest).and_then(|state| guest.report(&state)) {
            Ok(metrics) => Ok(Ok(metrics)),
            Err(Broken::Fault(fault)) => {
                let locate = self.locate();
                let places = places(guest.trace(), &locate);
                Ok(Err(fault_told(Stage::Observe, fault, guest.take_log(), places, grants.limits)))
            }
            Err(Broken::Machine(source)) => {
                Err(EngineError::Machine { activity: self.manifest.name.clone(), attempts: 1, source })
            }
        }
    }
}

fn in_parts(guest: &mut Guest, first: Table, second: Table) -> Result<Vec<u8>, Broken> {
    let (first, second) = (guest.observe(first, &[])?, guest.observe(second, &[])?);
    guest.merge(&first, &second)
}

fn judge(case: &str, row: usize, wanted: &ExpectedMetric, metrics: &[Metric]) -> RowResult {
    let is = |metric: &&Metric| {
        metric.name == wanted.name && metric.slice == wanted.slice && metric.treated == wanted.treated
    };
    let found = metrics.iter().find(is);
    let what = format!("metric {}", named(&wanted.name, &wanted.slice, wanted.treated));
    let decided = found.map_or_else(|| "nothing".to_owned(), numbers);
    let differences = match found {
        Some(metric) => compare_metric(wanted, metric),
        None => vec![difference("metric", named(&wanted.name, &wanted.slice, wanted.treated), listed(metrics))],
    };
    Told { case, row, line: wanted.line, what, decided }.result(differences, None)
}

/// A line of what a fold came to.
struct Told<'a> {
    case: &'a str,
    row: usize,
    line: usize,
    what: String,
    decided: String,
}

impl Told<'_> {
    fn result(self, differences: Vec<super::cases::Difference>, fault: Option<FaultTold>) -> RowResult {
        let passed = differences.is_empty() && fault.is_none();
        let Self { case, row, line, what, decided } = self;
        RowResult { case: case.to_owned(), row, line, customer: what, passed, decided, differences, fault }
    }
}

fn named(name: &str, slice: &str, treated: bool) -> String {
    let of = if slice.is_empty() { String::new() } else { format!(" of {slice}") };
    format!("{name}{of}, {}", if treated { "contacted" } else { "control" })
}

fn numbers(metric: &Metric) -> String {
    format!("count {}, sum {}, sum of squares {}", metric.count, metric.sum, metric.sum_of_squares)
}

fn listed(metrics: &[Metric]) -> String {
    let one = |m: &Metric| format!("{}: {}", named(&m.name, &m.slice, m.treated), numbers(m));
    if metrics.is_empty() { "nothing".to_owned() } else { metrics.iter().map(one).collect::<Vec<_>>().join("; ") }
}
