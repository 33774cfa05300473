//! What the simulated version means for the other active campaigns: the same customers, and contacts taken away.

use serde::{Deserialize, Serialize};

/// Customers whom another active campaign selects too (S1: cities duplicated each other's activities).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// The other campaign's activity.
    pub activity: String,
    /// Catalogue entries that both answer, ascending.
    pub entries: Vec<String>,
    /// Customers selected by the simulated version.
    pub ours: u64,
    /// Customers selected by the other campaign.
    pub theirs: u64,
    /// Customers selected by both.
    pub both: u64,
    /// Whether it is a duplicate †: a catalogue entry in common, and at least half of the smaller selection.
    pub duplicate: bool,
}

impl Overlap {
    /// Counts customers: `both` of `ours` and `theirs`.
    pub fn add(&mut self, ours: u64, theirs: u64, both: u64) {
        self.ours += ours;
        self.theirs += theirs;
        self.both += both;
        let smaller = self.ours.min(self.theirs);
        self.duplicate = !self.entries.is_empty() && smaller > 0 && 2 * self.both >= smaller;
    }

    /// Adds the customers of another part.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.ours, other.theirs, other.both);
    }

    /// The share of our selection that they select too, 0 to 1.
    pub fn share_of_ours(&self) -> f64 {
        super::share(self.both, self.ours)
    }

    /// The share of their selection that we select too, 0 to 1.
    pub fn share_of_theirs(&self) -> f64 {
        super::share(self.both, self.theirs)
    }
}

/// What becomes of another campaign's cleared candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Displaced {
    /// Candidates of it that are cleared without the simulated version.
    pub cleared: u64,
    /// Those that are not cleared any more because of it.
    pub lost: u64,
    /// Candidates that are cleared only now: a running version that it replaces had taken their place.
    pub gained: u64,
}

impl Displaced {
    /// Counts a candidate by whether it is cleared without the simulated version, and with it.
    pub fn see(&mut self, before: bool, after: bool) {
        self.cleared += u64::from(before);
        self.lost += u64::from(before && !after);
        self.gained += u64::from(after && !before);
    }

    /// Adds the candidates of another part.
    pub fn merge(&mut self, other: &Self) {
        self.cleared += other.cleared;
        self.lost += other.lost;
        self.gained += other.gained;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(entries: &[&str], counts: (u64, u64, u64)) -> Overlap {
        let mut overlap = Overlap { entries: entries.iter().map(|e| (*e).to_owned()).collect(), ..Overlap::default() };
        overlap.add(counts.0, counts.1, counts.2);
        overlap
    }

    #[test]
    fn a_duplicate_answers_the_same_need_of_half_of_the_smaller_selection() {
        for (entries, counts, duplicate) in [
            (&["birthday"][..], (10, 100, 5), true),
            (&["birthday"][..], (10, 100, 4), false),
            (&["birthday"][..], (100, 9, 5), true),
            (&["birthday"][..], (100, 11, 5), false),
            (&[][..], (10, 10, 10), false),
            (&["birthday"][..], (0, 10, 0), false),
        ] {
            assert_eq!(overlap(entries, counts).duplicate, duplicate, "{entries:?} {counts:?}");
        }
        let whole = overlap(&["birthday"], (10, 100, 5));
        assert_eq!((whole.share_of_ours(), whole.share_of_theirs()), (0.5, 0.05));
    }

    #[test]
    fn whether_it_is_a_duplicate_is_seen_of_the_whole_not_of_a_part() {
        let mut whole = overlap(&["birthday"], (10, 10, 10));
        assert!(whole.duplicate);
        whole.merge(&overlap(&["birthday"], (90, 90, 0)));
        assert!(!whole.duplicate);
    }

    #[test]
    fn only_what_was_cleared_before_can_be_lost() {
        let mut displaced = Displaced::default();
        for (before, after) in [(true, true), (true, false), (false, false), (false, true)] {
            displaced.see(before, after);
        }
        assert_eq!(displaced, Displaced { cleared: 2, lost: 1, gained: 1 });
    }
}
