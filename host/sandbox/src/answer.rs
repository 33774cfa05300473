//! What guests answer, and the checks that every answer passes before anybody acts on it.
//! Messages have a module of their own.

use crate::fault::Fault;
use care_domain::manifest::Manifest;
use std::collections::BTreeSet;
use wasmtime::component::{ComponentType, Lift};

/// No fold state is larger, in bytes (architecture section 8).
pub const MAX_STATE_BYTES: usize = 1 << 20;
/// No report has more metrics: some metrics by region, twice.
pub const MAX_METRICS: usize = 4_096;
const MAX_SLICE_CHARS: usize = 64;

/// The customers chosen from a batch; all lists have one entry a choice.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift)]
#[component(record)]
pub struct Selection {
    /// Rows of the batch, strictly ascending.
    pub rows: Vec<u32>,
    /// Why: an index into the manifest's reasons.
    pub reasons: Vec<u16>,
    /// What the contact is about: the same occasion is contacted once.
    pub occasions: Vec<i64>,
    /// How much each needs it, 0 to 1.
    pub scores: Vec<f32>,
}

/// When each row of a batch is best contacted.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift)]
#[component(record)]
pub struct Moments {
    /// Earliest useful instant, Unix milliseconds.
    #[component(name = "not-before")]
    pub not_before: Vec<i64>,
    /// After this instant the contact is useless.
    #[component(name = "not-after")]
    pub not_after: Vec<i64>,
}

/// One number of an activity's own evaluation.
#[derive(Debug, Clone, PartialEq, ComponentType, Lift)]
#[component(record)]
pub struct Metric {
    /// An entry of the manifest's metrics.
    pub name: String,
    /// What it is split by (`region=350200`); empty for the whole.
    pub slice: String,
    /// Whether it counts contacted customers, or the control group.
    pub treated: bool,
    /// How many customers.
    pub count: u64,
    /// Sum of their values.
    pub sum: f64,
    /// Sum of the squares of their values.
    #[component(name = "sum-of-squares")]
    pub sum_of_squares: f64,
}

/// Lists that must have the same length, by name.
pub(crate) fn same_length(expected: (&str, usize), others: &[(&str, usize)]) -> Result<(), Fault> {
    match others.iter().find(|(_, len)| *len != expected.1) {
        Some((name, len)) => {
            Err(Fault::invalid(format!("{name} has {len} entries, {} has {}", expected.0, expected.1)))
        }
        None => Ok(()),
    }
}

impl Selection {
    pub(crate) fn check(&self, rows: u32, manifest: &Manifest) -> Result<(), Fault> {
        let lengths =
            [("reasons", self.reasons.len()), ("occasions", self.occasions.len()), ("scores", self.scores.len())];
        same_length(("rows", self.rows.len()), &lengths)?;
        if let Some(pair) = self.rows.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(Fault::invalid(format!("row {} follows row {}; rows must ascend strictly", pair[1], pair[0])));
        }
        // Ascending: the last is the greatest.
        if let Some(row) = self.rows.last().filter(|row| **row >= rows) {
            return Err(Fault::invalid(format!("row {row} was chosen from a batch of {rows} rows")));
        }
        for (row, reason) in self.rows.iter().zip(&self.reasons) {
            if manifest.reason(*reason).is_none() {
                let known = manifest.reasons.len();
                return Err(Fault::invalid(format!(
                    "row {row} has reason {reason}; the manifest has {known} reasons, from 0"
                )));
            }
        }
        for (row, score) in self.rows.iter().zip(&self.scores) {
            // Not so for NaN either.
            if !(0.0..=1.0).contains(score) {
                return Err(Fault::invalid(format!("row {row} has score {score}, which is not within 0 to 1")));
            }
        }
        Ok(())
    }
}

impl Moments {
    pub(crate) fn check(&self, rows: u32) -> Result<(), Fault> {
        let lengths = [("not-before", self.not_before.len()), ("not-after", self.not_after.len())];
        same_length(("customers", rows as usize), &lengths)?;
        for (row, (from, to)) in self.not_before.iter().zip(&self.not_after).enumerate() {
            if from > to {
                return Err(Fault::invalid(format!("row {row} has not-before {from} later than not-after {to}")));
            }
        }
        Ok(())
    }
}

/// A column of as many values as there are rows, each a number or none.
pub(crate) fn check_derived(derived: &[f64], rows: u32) -> Result<(), Fault> {
    same_length(("customers", rows as usize), &[("values", derived.len())])?;
    match derived.iter().position(|value| value.is_infinite()) {
        Some(row) => Err(Fault::invalid(format!("row {row} has an infinite value; NaN is no value"))),
        None => Ok(()),
    }
}

/// A fold state within its size.
pub(crate) fn check_state(state: &[u8]) -> Result<(), Fault> {
    if state.len() > MAX_STATE_BYTES {
        let message = format!("the state has {} bytes, more than {MAX_STATE_BYTES}", state.len());
        return Err(Fault::new(crate::fault::FaultCode::OutputTooLarge, message));
    }
    Ok(())
}

/// Metrics that the manifest names, each once, with possible numbers.
pub(crate) fn check_metrics(metrics: &[Metric], manifest: &Manifest) -> Result<(), Fault> {
    if metrics.len() > MAX_METRICS {
        let message = format!("the report has {} metrics, more than {MAX_METRICS}", metrics.len());
        return Err(Fault::new(crate::fault::FaultCode::OutputTooLarge, message));
    }
    let mut seen = BTreeSet::new();
    for metric in metrics {
        let Metric { name, slice, treated, count, sum, sum_of_squares } = metric;
        if !manifest.metrics.contains(name) {
            return Err(Fault::invalid(format!("metric {name:?} is not in the manifest")));
        }
        if slice.chars().count() > MAX_SLICE_CHARS {
            return Err(Fault::invalid(format!(
                "a slice of metric {name:?} has more than {MAX_SLICE_CHARS} characters"
            )));
        }
        if !sum.is_finite() || !sum_of_squares.is_finite() || *sum_of_squares < 0.0 {
            let numbers = format!("count {count}, sum {sum}, sum of squares {sum_of_squares}");
            return Err(Fault::invalid(format!(
                "metric {name:?} of slice {slice:?} has impossible numbers: {numbers}"
            )));
        }
        if !seen.insert((name, slice, treated)) {
            return Err(Fault::invalid(format!("metric {name:?} of slice {slice:?}, treated {treated}, stands twice")));
        }
    }
    Ok(())
}
