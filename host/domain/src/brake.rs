//! Complaints as a brake: complaints and enquiries soon after a contact count against the version that made it, and above
//! a threshold it is held (S3: fewest complaints; every live activity is scored 中端测评).

use crate::text::Finding;
use serde::{Deserialize, Serialize};

/// When a version is held. The numbers are ours †; the province sets its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brake {
    /// A complaint counts against a contact of at most so many days before.
    pub days: u32,
    /// More than this share of messages, 0 to 1, holds the version.
    pub share: f64,
    /// How much an enquiry weighs against a complaint, 0 to 1.
    pub enquiry: f64,
    /// With fewer messages nothing is held: one complaint of ten says little.
    pub least: u64,
}

impl Default for Brake {
    fn default() -> Self {
        Self { days: 7, share: 0.01, enquiry: 0.2, least: 200 }
    }
}

impl Brake {
    /// What is wrong with it.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut bad = |what: &str, hint: &str| findings.push(Finding::error("bad-brake", what, hint));
        if !(1..=90).contains(&self.days) {
            bad("days is not within 1 to 90", "Complaints come within days");
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            bad("share is not above 0 and at most 1", "Write 0.01 for one message of a hundred");
        }
        if !(0.0..=1.0).contains(&self.enquiry) {
            bad("enquiry is not within 0 to 1", "An enquiry weighs at most as much as a complaint");
        }
        findings
    }
}

/// What came back about a version's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Reaction {
    /// Messages to customers that went out.
    pub messages: u64,
    /// Complaints soon after one.
    pub complaints: u64,
    /// Enquiries and the like soon after one.
    pub enquiries: u64,
}

/// The score of a live version.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// 100 when nobody complained, 0 at the threshold and beyond; `None` while too few messages went out.
    pub score: Option<f64>,
    /// Weighted complaints in parts of the messages.
    pub share: f64,
    /// Whether it is to be held.
    pub holds: bool,
}

impl Brake {
    /// Scores a version by what came back.
    pub fn score(&self, reaction: &Reaction) -> Score {
        let weighted = reaction.complaints as f64 + self.enquiry * reaction.enquiries as f64;
        let share = if reaction.messages == 0 { 0.0 } else { weighted / reaction.messages as f64 };
        let enough = reaction.messages >= self.least;
        let score = enough.then(|| (100.0 * (1.0 - share / self.share)).clamp(0.0, 100.0));
        Score { score, share, holds: enough && share > self.share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_held_above_the_threshold_and_not_before_enough_went_out() {
        let brake = Brake::default();
        let of = |messages, complaints, enquiries| brake.score(&Reaction { messages, complaints, enquiries });
        assert_eq!(of(1_000, 0, 0), Score { score: Some(100.0), share: 0.0, holds: false });
        assert!(!of(1_000, 10, 0).holds, "the threshold itself is allowed");
        assert!(of(1_000, 11, 0).holds && of(1_000, 10, 1).holds);
        assert!(!of(1_000, 0, 50).holds && of(1_000, 0, 51).holds, "five enquiries weigh like a complaint");
        assert_eq!((of(199, 100, 0).score, of(199, 100, 0).holds), (None, false));
        assert_eq!(of(1_000, 500, 0).score, Some(0.0));
        assert_eq!(of(0, 0, 0).share, 0.0);
        let half = of(1_000, 5, 0).score.expect("a score");
        assert!((half - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_brake_that_never_or_always_holds_is_refused() {
        assert!(Brake::default().check().is_empty());
        for bad in [
            Brake { days: 0, ..Brake::default() },
            Brake { share: 0.0, ..Brake::default() },
            Brake { share: f64::NAN, ..Brake::default() },
            Brake { enquiry: 1.5, ..Brake::default() },
        ] {
            assert_eq!(bad.check().len(), 1, "{bad:?}");
        }
    }
}
