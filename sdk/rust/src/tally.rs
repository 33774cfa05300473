//! Evaluation as a fold over outcomes. States are whole numbers, so that merging in any order gives the same
//! bytes; the host does the statistics.

use crate::bindings::exports::care::activity::evaluation::Metric;
use crate::value::Label;
use care_sdk_derive::Row;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One customer's outcome, after the goal's window.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(table = "outcomes")]
pub struct Outcome {
    /// Contacted, or held out as control.
    pub treated: bool,
    /// Whether the goal was reached.
    pub reached: bool,
    /// The outcome's value, in the unit of its kind.
    pub value: Option<i64>,
    /// Home region.
    pub home_adcode: Option<Label>,
}

/// Sums by metric, arm (control, treated) and region; the region of the whole is empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally(BTreeMap<String, [BTreeMap<String, Sums>; 2]>);

/// Count, sum and sum of squares.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Sums(u64, i128, i128);

impl Tally {
    /// Adds an amount for a customer: to the whole and to the customer's region.
    pub fn add(&mut self, outcome: &Outcome, metric: &str, amount: i64) {
        let amount = i128::from(amount);
        let sums = Sums(1, amount, amount * amount);
        self.add_sums(metric, outcome.treated, "", sums);
        if let Some(region) = &outcome.home_adcode {
            self.add_sums(metric, outcome.treated, region.as_str(), sums);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (metric, arms) in &other.0 {
            for (arm, treated) in arms.iter().zip([false, true]) {
                for (region, sums) in arm {
                    self.add_sums(metric, treated, region, *sums);
                }
            }
        }
    }

    /// The state of a fold that has begun; an empty one has seen nothing.
    pub(crate) fn from_state(state: &[u8]) -> Result<Self, String> {
        if state.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(state).map_err(|e| format!("this is no state of this fold: {e}"))
    }

    pub(crate) fn to_state(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|e| format!("the fold's state cannot be written: {e}"))
    }

    pub(crate) fn report(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for (name, arms) in &self.0 {
            for (arm, treated) in arms.iter().zip([false, true]) {
                metrics.extend(arm.iter().map(|(region, Sums(count, sum, squares))| Metric {
                    name: name.clone(),
                    slice: if region.is_empty() { String::new() } else { format!("region={region}") },
                    treated,
                    count: *count,
                    sum: *sum as f64,
                    sum_of_squares: *squares as f64,
                }));
            }
        }
        metrics
    }

    fn add_sums(&mut self, metric: &str, treated: bool, region: &str, sums: Sums) {
        let [control, contacted] = self.0.entry(metric.to_owned()).or_default();
        let arm = if treated { contacted } else { control };
        let Sums(count, sum, squares) = arm.entry(region.to_owned()).or_default();
        *count = count.saturating_add(sums.0);
        *sum = sum.saturating_add(sums.1);
        *squares = squares.saturating_add(sums.2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcome(treated: bool, reached: bool, region: Option<&str>) -> Outcome {
        Outcome { treated, reached, value: None, home_adcode: region.map(Label::from) }
    }

    fn tally(outcomes: &[(bool, i64, u8)]) -> Tally {
        let mut tally = Tally::default();
        for (treated, amount, region) in outcomes {
            tally.add(&outcome(*treated, false, Some(&format!("3502{region:02}"))), "spend", *amount);
        }
        tally
    }

    #[test]
    fn a_report_has_the_whole_and_each_region_for_both_arms() {
        let mut tally = Tally::default();
        for (treated, reached, region) in
            [(true, true, Some("350200")), (true, false, None), (false, true, Some("350200"))]
        {
            let outcome = outcome(treated, reached, region);
            tally.add(&outcome, "goal", i64::from(outcome.reached));
        }
        let told: Vec<_> =
            tally.report().into_iter().map(|m| (m.slice, m.treated, m.count, m.sum, m.sum_of_squares)).collect();
        let region = "region=350200".to_owned();
        let whole = String::new();
        assert_eq!(
            told,
            [
                (whole.clone(), false, 1, 1.0, 1.0),
                (region.clone(), false, 1, 1.0, 1.0),
                (whole, true, 2, 1.0, 1.0),
                (region, true, 1, 1.0, 1.0),
            ]
        );
    }

    #[test]
    fn a_foreign_state_is_refused() {
        assert!(Tally::from_state(b"\xff").is_err_and(|e| e.contains("no state of this fold")));
    }

    proptest! {
        #[test]
        fn states_merge_in_any_order_to_the_same_bytes(
            left in prop::collection::vec((any::<bool>(), any::<i64>(), 0u8..4), 0..20),
            right in prop::collection::vec((any::<bool>(), any::<i64>(), 0u8..4), 0..20),
        ) {
            let whole = tally(&[left.as_slice(), right.as_slice()].concat()).to_state();
            let (mut a, mut b) = (tally(&left), tally(&right));
            a.merge(tally(&right));
            b.merge(tally(&left));
            prop_assert_eq!(a.to_state(), whole.clone());
            prop_assert_eq!(b.to_state(), whole.clone());
            let read = whole.and_then(|state| Tally::from_state(&state));
            prop_assert_eq!(read, Ok(a));
        }
    }
}
