//! The golden batch: a compiled activity is tried on made-up customers before anybody reviews it. It must answer the
//! same of a customer whatever batch the customer lies in and whatever was asked before, and must not break on
//! plausible data. Whether its answers are right is for its author's tests and for the review.

mod data;

use crate::answer::Metric;
use crate::engine::Plugin;
use crate::fault::{Broken, Fault, FaultCode, MachineError};
use crate::guest::Guest;
use crate::host::{Grants, RunFacts};
use care_domain::canonical::hash64;
use care_domain::column::Table;
use care_domain::field::{Dictionary, Stage};
use care_domain::manifest::{Manifest, World, defaults};
use care_domain::text::Finding;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was said of each customer, by row of the golden batch.
type Answers<A> = BTreeMap<u32, A>;
/// Customers, sum and sum of squares of each metric, by name, slice and arm.
type Metrics = BTreeMap<(String, String, bool), (u64, f64, f64)>;

/// Sums of ratios may round differently when they are added in another order.
const TOLERANCE: f64 = 1e-9;

/// Tries an activity on a golden batch, whole, halved, permuted, warm and fresh. Findings are `batch-dependent`,
/// `state-leak`, `golden-fault`, `golden-limit`, and the warnings `golden-nobody` and `golden-everybody`.
/// Anything else that ends it is no fault of the plugin.
pub fn golden(plugin: &Plugin, manifest: &Manifest, dictionary: &Dictionary) -> Result<Vec<Finding>, MachineError> {
    // Without defaults there is nothing to run with; the manifest's own check says so.
    let Ok(params) = defaults(&manifest.params, &serde_json::Map::new()) else { return Ok(Vec::new()) };
    let today = data::today(&params);
    let facts = RunFacts { today, now: data::now(today), params: params.to_string().into() };
    let grants = Grants {
        manifest: Arc::new(manifest.clone()),
        limits: manifest.limits,
        tables: Arc::new(data::tables(manifest, today)),
        labels: Arc::new(data::labels(manifest)),
    };
    let batches = Stage::ALL.map(|stage| (stage, data::batch(manifest, dictionary, stage, today)));
    let mut trial = Trial { plugin, facts, grants, batches: batches.into(), findings: Vec::new() };
    if manifest.world == World::Model {
        let derived = trial.derivation();
        trial.note(derived)?;
        return Ok(trial.findings);
    }
    let contacts = trial.contacts();
    trial.note(contacts)?;
    let fold = trial.fold();
    trial.note(fold)?;
    Ok(trial.findings)
}

struct Trial<'a> {
    plugin: &'a Plugin,
    facts: RunFacts,
    grants: Grants,
    batches: BTreeMap<Stage, Table>,
    findings: Vec<Finding>,
}

/// How a stage broke.
type Stopped = (Stage, Broken);

impl Trial<'_> {
    /// Selection, and for those selected, moments and messages.
    fn contacts(&mut self) -> Result<(), Stopped> {
        let rows: Vec<u32> = (0..data::ROWS).collect();
        let chosen = self.vary(Stage::Select, &rows, |guest, rows, batch| {
            let chosen = guest.select(batch)?;
            let whys = chosen.reasons.iter().zip(&chosen.occasions).zip(&chosen.scores);
            let whys = whys.map(|((reason, occasion), score)| (*reason, *occasion, score.to_bits()));
            Ok(chosen.rows.iter().map(|row| rows[*row as usize]).zip(whys).collect())
        })?;
        let hint = "Read the simulation with care before you approve it";
        if chosen.is_empty() {
            let message = format!("it chooses none of {} golden customers; only `select` could be tried", rows.len());
            self.findings.push(Finding::warning("golden-nobody", message, hint));
            return Ok(());
        }
        if chosen.len() == rows.len() {
            let message = format!("it chooses all of {} golden customers, whoever they are", rows.len());
            self.findings.push(Finding::warning("golden-everybody", message, hint));
        }
        let rows: Vec<u32> = chosen.keys().copied().collect();
        let reasons = |rows: &[u32]| -> Vec<u16> { rows.iter().map(|row| chosen[row].0).collect() };
        self.vary(Stage::Schedule, &rows, |guest, rows, batch| {
            let moments = guest.schedule(batch, &reasons(rows))?;
            let moments = moments.not_before.into_iter().zip(moments.not_after);
            Ok(rows.iter().copied().zip(moments).collect())
        })?;
        self.vary(Stage::Compose, &rows, |guest, rows, batch| {
            let mut said: Answers<Vec<_>> = Answers::new();
            for message in guest.compose(batch, &reasons(rows))? {
                said.entry(rows[message.row as usize]).or_default().push((message.template, message.slots));
            }
            Ok(said)
        })?;
        Ok(())
    }

    /// The column of a model.
    fn derivation(&mut self) -> Result<(), Stopped> {
        let rows: Vec<u32> = (0..data::ROWS).collect();
        let derived = self.vary(Stage::Select, &rows, |guest, rows, batch| {
            let values = guest.derive(batch)?;
            Ok(rows.iter().copied().zip(values.into_iter().map(f64::to_bits)).collect())
        })?;
        if derived.values().all(|bits| f64::from_bits(*bits).is_nan()) {
            let message = format!("it has no value for any of {} golden customers", rows.len());
            let hint = "Try it on a population with `care model run` before you rely on it";
            self.findings.push(Finding::warning("golden-nobody", message, hint));
        }
        Ok(())
    }

    /// Asks a stage about the same customers in several ways, and compares.
    fn vary<A: PartialEq>(
        &mut self,
        stage: Stage,
        rows: &[u32],
        ask: impl Fn(&mut Guest, &[u32], Table) -> Result<Answers<A>, Broken>,
    ) -> Result<Answers<A>, Stopped> {
        let table = &self.batches[&stage];
        let ask = |guest: &mut Guest, rows: &[u32]| {
            ask(guest, rows, data::gather(table, rows)).map_err(|broken| (stage, broken))
        };
        let fresh = || self.plugin.guest(stage, self.facts.clone(), self.grants.clone());
        let whole = ask(&mut fresh(), rows)?;
        let (first, second) = rows.split_at(rows.len() / 2);

        let mut halves = ask(&mut fresh(), first)?;
        halves.extend(ask(&mut fresh(), second)?);
        let permuted = ask(&mut fresh(), &shuffled(rows))?;
        let mut warm = fresh();
        ask(&mut warm, first)?;
        let again = [ask(&mut warm, rows)?, ask(&mut warm, rows)?];

        let other = [("halves of the batch", &halves), ("the batch in another order", &permuted)]
            .into_iter()
            .find_map(|(how, answers)| Some((how, differing(&whole, answers)?)));
        if let Some((how, row)) = other {
            self.findings.push(batch_dependent(stage, &format!("of customer {row} of the golden batch"), how));
        }
        if let Some(row) = again.iter().find_map(|answers| differing(&whole, answers)) {
            self.findings.push(state_leak(stage, &format!("of customer {row} of the golden batch")));
        }
        Ok(whole)
    }

    /// Evaluation: a fold whose states join in any order.
    fn fold(&mut self) -> Result<(), Stopped> {
        let stage = Stage::Observe;
        let stopped = |broken| (stage, broken);
        let table = &self.batches[&stage];
        let rows: Vec<u32> = (0..table.rows).collect();
        let (first, second) = rows.split_at(rows.len() / 2);
        let fresh = || self.plugin.guest(stage, self.facts.clone(), self.grants.clone());
        let observe = |guest: &mut Guest, rows: &[u32]| guest.observe(data::gather(table, rows), &[]);
        let whole = |guest: &mut Guest, rows: &[u32]| {
            let state = observe(guest, rows)?;
            guest.report(&state).map(keyed)
        };
        let joined = |left: &[u32], right: &[u32]| {
            let mut guest = fresh();
            let (left, right) = (observe(&mut guest, left)?, observe(&mut guest, right)?);
            let state = guest.merge(&left, &right)?;
            guest.report(&state).map(keyed)
        };
        let mut warm = fresh();
        let expected = whole(&mut warm, &rows).map_err(stopped)?;
        let again = whole(&mut warm, &rows).map_err(stopped)?;
        let others = [
            ("two halves, merged", joined(first, second).map_err(stopped)?),
            ("two halves, merged the other way round", joined(second, first).map_err(stopped)?),
            ("the batch in another order", whole(&mut fresh(), &shuffled(&rows)).map_err(stopped)?),
        ];
        if let Some((how, _)) = others.iter().find(|(_, metrics)| !agree(&expected, metrics)) {
            self.findings.push(batch_dependent(stage, "in its report", how));
        }
        if !agree(&expected, &again) {
            self.findings.push(state_leak(stage, "in its report"));
        }
        Ok(())
    }

    /// Turns what stopped a trial into a finding, unless it is the machine's.
    fn note(&mut self, result: Result<(), Stopped>) -> Result<(), MachineError> {
        let finding = match result {
            Ok(()) => return Ok(()),
            Err((stage, Broken::Fault(fault))) => faulted(stage, &fault),
            Err((stage, Broken::Machine(error @ (MachineError::Deadline { .. } | MachineError::NoMemory(_))))) => {
                let hint = "Ask for less fuel and memory in activity.toml, and do less for each customer";
                Finding::error("golden-limit", format!("{} on the golden batch: {error}", stage.name()), hint)
            }
            Err((_, Broken::Machine(error))) => return Err(error),
        };
        self.findings.push(finding);
        Ok(())
    }
}

fn faulted(stage: Stage, fault: &Fault) -> Finding {
    let message = format!("{} breaks on plausible data: {fault}", stage.name());
    if fault.code == FaultCode::Refused {
        let hint = "It refuses in its own words; with real tables and parameters it may not";
        return Finding::warning("golden-fault", message, hint);
    }
    let hint =
        "Any field may lack a value in some rows, and money may be negative; for each such customer it would fail";
    Finding::error("golden-fault", message, hint)
}

fn batch_dependent(stage: Stage, place: &str, how: &str) -> Finding {
    let message = format!("{} answers differently {place} when it is asked about {how}", stage.name());
    let hint = "Decide each customer by the customer's own fields: which others share the batch is chance";
    Finding::error("batch-dependent", message, hint)
}

fn state_leak(stage: Stage, place: &str) -> Finding {
    let message = format!("{} answers differently {place} when it was asked before", stage.name());
    let hint = "Keep nothing between calls; the past is in the fields own.last-contact-at, own.contacts and own.round";
    Finding::error("state-leak", message, hint)
}

/// The first customer of whom two answers differ.
fn differing<A: PartialEq>(one: &Answers<A>, other: &Answers<A>) -> Option<u32> {
    one.keys().chain(other.keys()).copied().filter(|row| one.get(row) != other.get(row)).min()
}

fn shuffled(rows: &[u32]) -> Vec<u32> {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| hash64(&[b"golden order", &row.to_be_bytes()]));
    rows
}

fn keyed(metrics: Vec<Metric>) -> Metrics {
    metrics.into_iter().map(|m| ((m.name, m.slice, m.treated), (m.count, m.sum, m.sum_of_squares))).collect()
}

fn agree(one: &Metrics, other: &Metrics) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1.0);
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((key, a), (other_key, b))| key == other_key && a.0 == b.0 && close(a.1, b.1) && close(a.2, b.2))
}
