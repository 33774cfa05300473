//! Verdicts: the one answer that every candidate gets, and the line of the decision log that keeps it.

use crate::contact::{Channel, ContactState};
use crate::key::CustomerKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the plan decided about a candidate (architecture section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A contact is planned.
    Cleared,
    /// The customer is in trouble: an open complaint, an active disaster area.
    Held,
    /// A cap is used up by earlier contacts, or the occasion was contacted before.
    Capped,
    /// Another activity of this plan won the place.
    Lost,
    /// Won, but held out for comparison.
    Control,
    /// The class needs consent that is not there, or a refusal covers it.
    NoConsent,
    /// On a list that forbids it, or suppressed by an outcome.
    Suppressed,
    /// Lives outside the approved regions.
    OutOfRegion,
    /// Cut by a limit that crosses customers, at release.
    OverCapacity,
    /// No permitted moment is left before the contact becomes useless.
    TooLate,
    /// The plugin had no message for the customer.
    NothingToSay,
    /// The plugin broke on this customer.
    PluginFault,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Cleared,
        Self::Held,
        Self::Capped,
        Self::Lost,
        Self::Control,
        Self::NoConsent,
        Self::Suppressed,
        Self::OutOfRegion,
        Self::OverCapacity,
        Self::TooLate,
        Self::NothingToSay,
        Self::PluginFault,
    ];

    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cleared => "cleared",
            Self::Held => "held",
            Self::Capped => "capped",
            Self::Lost => "lost",
            Self::Control => "control",
            Self::NoConsent => "no-consent",
            Self::Suppressed => "suppressed",
            Self::OutOfRegion => "out-of-region",
            Self::OverCapacity => "over-capacity",
            Self::TooLate => "too-late",
            Self::NothingToSay => "nothing-to-say",
            Self::PluginFault => "plugin-fault",
        }
    }

    /// The verdict of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }
}

/// One line of the decision log: a candidate, its verdict, and the rule with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Whom it is about.
    pub customer: CustomerKey,
    /// The campaign that proposed the customer.
    pub campaign: String,
    /// Its activity.
    pub activity: String,
    /// Name of the reason; empty when the plugin broke before giving one.
    pub reason: String,
    /// What it is about.
    pub occasion: i64,
    /// Attempt at an unreachable customer, from 1.
    pub round: u8,
    /// How much the customer needs it, 0 to 1.
    pub score: f32,
    /// Earliest useful instant, Unix milliseconds; 0 when the plugin gave none.
    pub not_before: i64,
    /// After this instant it is useless.
    pub not_after: i64,
    /// When it is planned.
    pub planned_at: Option<i64>,
    /// On which channel.
    pub channel: Option<Channel>,
    /// The answer.
    pub verdict: Verdict,
    /// Stable code of the rule that decided (`global-cap`, `quiet-hours`, `fuel-exhausted` …).
    pub rule: String,
    /// The figures that the rule saw, for people.
    pub figures: String,
    /// The campaign that won instead; only with `lost`.
    pub winner: Option<String>,
}

/// Counts of candidates by verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(pub BTreeMap<Verdict, u64>);

impl Tally {
    /// Counts one candidate.
    pub fn add(&mut self, verdict: Verdict) {
        *self.0.entry(verdict).or_default() += 1;
    }

    /// Takes one candidate back.
    pub fn remove(&mut self, verdict: Verdict) {
        if let Some(count) = self.0.get_mut(&verdict) {
            *count = count.saturating_sub(1);
        }
        self.0.retain(|_, count| *count > 0);
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        for (verdict, count) in &other.0 {
            *self.0.entry(*verdict).or_default() += count;
        }
    }

    /// All candidates.
    pub fn candidates(&self) -> u64 {
        self.0.values().sum()
    }

    /// Candidates with one verdict.
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.0.get(&verdict).copied().unwrap_or(0)
    }

    /// Moves what release cut from `cleared` to `over-capacity`; `None` when more was cut than cleared.
    pub fn cut(&mut self, candidates: u64) -> Option<()> {
        if candidates == 0 {
            return Some(());
        }
        let cleared = self.0.get_mut(&Verdict::Cleared)?;
        *cleared = cleared.checked_sub(candidates)?;
        *self.0.entry(Verdict::OverCapacity).or_default() += candidates;
        Some(())
    }
}

/// What tells the end of a candidate with several messages: the first of these states that one of them is in.
pub const FINAL_ORDER: [ContactState; 10] = [
    ContactState::Sent,
    ContactState::Unknown,
    ContactState::Sending,
    ContactState::Released,
    ContactState::Planned,
    ContactState::Failed,
    ContactState::Expired,
    ContactState::Cancelled,
    ContactState::Withdrawn,
    ContactState::Lost,
];

/// The final verdict of a candidate: the plan's, or for a cleared one what became of its contacts.
/// A candidate with several messages is `sent` as soon as one was.
pub fn final_verdict(verdict: Verdict, contacts: &[ContactState]) -> &'static str {
    if verdict != Verdict::Cleared {
        return verdict.name();
    }
    FINAL_ORDER.into_iter().find(|s| contacts.contains(s)).map_or("lost-contact", ContactState::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_moves_candidates_and_never_invents_them() {
        let mut tally = Tally::default();
        for verdict in [Verdict::Cleared, Verdict::Cleared, Verdict::Lost] {
            tally.add(verdict);
        }
        assert_eq!(tally.cut(1), Some(()));
        assert_eq!((tally.of(Verdict::Cleared), tally.of(Verdict::OverCapacity), tally.candidates()), (1, 1, 3));
        assert_eq!(tally.cut(2), None);
    }

    #[test]
    fn a_cleared_candidate_ends_as_its_contacts_did() {
        assert_eq!(final_verdict(Verdict::Lost, &[]), "lost");
        assert_eq!(final_verdict(Verdict::Cleared, &[ContactState::Failed, ContactState::Sent]), "sent");
        assert_eq!(final_verdict(Verdict::Cleared, &[ContactState::Expired]), "expired");
    }
}
