//! What the gate asks beyond the state machine: the six principles, and the rules that an installation may set.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Reach above which a second person approves, where nothing else was set †.
pub const SECOND_ABOVE: u64 = 100_000;

/// A principle of the gate (S1; domain.md section 5), as an approver ticks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principle {
    /// 主动性: is it care?
    Proactive,
    /// 客户导向: is it care?
    CustomerOriented,
    /// 可行性: should it open?
    Feasible,
    /// 实用性: should it open?
    Useful,
    /// 重要性: should it open?
    Important,
    /// 创新性: should it open?
    Innovative,
}

/// Principles without which something is no care at all.
pub const IS_CARE: [Principle; 2] = [Principle::Proactive, Principle::CustomerOriented];

/// What an approver found to hold.
pub type Ticks = BTreeSet<Principle>;

impl Principle {
    /// All six, in the documents' order.
    pub const ALL: [Self; 6] =
        [Self::Proactive, Self::CustomerOriented, Self::Feasible, Self::Useful, Self::Important, Self::Innovative];

    /// As typed and stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proactive => "proactive",
            Self::CustomerOriented => "customer-oriented",
            Self::Feasible => "feasible",
            Self::Useful => "useful",
            Self::Important => "important",
            Self::Innovative => "innovative",
        }
    }

    /// The principle of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|principle| principle.name() == name)
    }
}

/// An approval of what its approver does not hold to be care.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the principle {} is not ticked: it asks whether this is care at all (S1)", .0.name())]
pub struct NotCare(pub Principle);

/// Whether something may be approved on these ticks: both principles of care must hold. The other four are on record.
pub fn is_care(ticks: &Ticks) -> Result<(), NotCare> {
    IS_CARE.into_iter().find(|principle| !ticks.contains(principle)).map_or(Ok(()), |missing| Err(NotCare(missing)))
}

/// What an installation asks of a submission beyond its state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateRules {
    /// Whether the customer-service centre tries out every activity before the province decides (S3: 前端预审).
    pub trial_review: bool,
    /// Customers selected in the evidence above which a second person must approve; never, when absent.
    pub second_above: Option<u64>,
    /// Whether an activity must answer a need that was collected, analysed and published. Otherwise the entry of the
    /// catalogue that its manifest names stands for it where no such need is published.
    #[serde(default)]
    pub published_need: bool,
}

impl Default for GateRules {
    fn default() -> Self {
        Self { trial_review: false, second_above: Some(SECOND_ABOVE), published_need: false }
    }
}

impl GateRules {
    /// Whether a reach, in customers selected on the day of the evidence, asks for a second person.
    pub fn needs_second(&self, reach: u64) -> bool {
        self.second_above.is_some_and(|bound| reach > bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_principles_of_care_are_asked_for_and_the_other_four_are_not() {
        let all: Ticks = Principle::ALL.into_iter().collect();
        assert_eq!(is_care(&all), Ok(()));
        assert_eq!(is_care(&IS_CARE.into_iter().collect()), Ok(()));
        for missing in IS_CARE {
            let ticks = all.iter().copied().filter(|p| *p != missing).collect();
            assert_eq!(is_care(&ticks), Err(NotCare(missing)));
        }
        for principle in Principle::ALL {
            assert_eq!(Principle::from_name(principle.name()), Some(principle));
        }
        assert_eq!(Principle::from_name("profitable"), None);
    }

    #[test]
    fn a_second_person_is_asked_for_above_the_bound_alone() {
        let rules = GateRules { second_above: Some(1_000), ..GateRules::default() };
        assert_eq!([999, 1_000, 1_001].map(|reach| rules.needs_second(reach)), [false, false, true]);
        assert!(!GateRules { second_above: None, ..rules }.needs_second(u64::MAX));
    }
}
