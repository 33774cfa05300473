//! The evidence on which the province approves: what a version would do on a day if it ran, with every rule on and
//! nothing sent. It is gathered bucket by bucket; merging the parts in any order gives the same whole.

mod compare;
mod pressure;
mod rivals;
mod samples;
mod shadow;

pub use compare::{Difference, compare};
pub use pressure::{PRESSURE_DAYS, Pressure, PressureChange};
pub use rivals::{Displaced, Overlap};
pub use samples::{SAMPLES, Sample, Samples, made_up, rank};
pub use shadow::{Answer, Differs, EXAMPLES, Said, Shadow};

use crate::contact::Channel;
use crate::sms::Segments;
use crate::verdict::{Tally, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a customer's region or tier is not known.
pub const UNKNOWN: &str = "unknown";
/// Bins of the score histogram.
pub const SCORE_BINS: usize = 10;

/// What was simulated, and on what: the same subject gives the same evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Activity name.
    pub activity: String,
    /// The simulated version.
    pub version: semver::Version,
    /// SHA-256 of the component.
    pub component: String,
    /// Digest of the approval that was simulated, not necessarily granted.
    pub approval: String,
    /// Canonical JSON of the parameters.
    pub params: String,
    /// Business date, in days.
    pub date: i32,
    /// What guests and policy saw as now, Unix milliseconds.
    pub instant: i64,
    /// Snapshot id.
    pub snapshot: String,
    /// Digest of the contact policy.
    pub policy: String,
    /// The ledger was read up to this sequence number.
    pub mark: i64,
    /// Price of an SMS segment, in fen.
    pub sms_price_fen: u32,
    /// Whether the goal is a sale; the gate flags it (S1: care is not a sale).
    pub sale: bool,
}

/// Candidates of one region, tier or reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Selected by the plugin.
    pub selected: u64,
    /// Of those, cleared by every rule.
    pub cleared: u64,
}

/// Short messages as they are paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsUse {
    /// Messages.
    pub messages: u64,
    /// Segments of them. A real surname of another length may move a message over a bound.
    pub segments: u64,
    /// What they cost, in fen.
    pub cost_fen: u64,
}

/// What a simulation came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What was simulated.
    pub subject: Subject,
    /// Customers of the snapshot.
    pub customers: u64,
    /// Candidates by verdict.
    pub verdicts: Tally,
    /// Messages of cleared candidates by channel.
    pub messages: BTreeMap<Channel, u64>,
    /// By prefecture: the first four digits of the home region, and `00`.
    pub regions: BTreeMap<String, Reach>,
    /// By VIP tier.
    pub tiers: BTreeMap<String, Reach>,
    /// By name of the reason. What broke the plugin in `select` has none and is not here.
    pub reasons: BTreeMap<String, Reach>,
    /// Candidates by score, in ten bins of 0.1 from 0; the last one holds 1 as well.
    pub scores: [u64; SCORE_BINS],
    /// Short messages and their cost.
    pub sms: SmsUse,
    /// Faults of the plugin by code.
    pub faults: BTreeMap<String, u64>,
    /// Contacts that customers have, before and after.
    pub pressure: PressureChange,
    /// The same customers in other active campaigns, by campaign.
    pub overlaps: BTreeMap<String, Overlap>,
    /// What is decided otherwise than by running campaigns of the same activity, by campaign.
    pub shadows: BTreeMap<String, Shadow>,
    /// What it takes from other active campaigns, by campaign.
    pub displaced: BTreeMap<String, Displaced>,
    /// Messages as they are read.
    pub samples: Samples,
}

/// A candidate of the simulated version.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// What was decided.
    pub verdict: Verdict,
    /// Name of the reason; empty when the plugin broke before giving one.
    pub reason: &'a str,
    /// 0 to 1.
    pub score: f32,
    /// Home region of the customer, six digits.
    pub region: Option<&'a str>,
    /// VIP tier of the customer.
    pub tier: Option<&'a str>,
}

impl Evidence {
    /// Evidence of nothing yet.
    pub fn about(subject: Subject) -> Self {
        Self {
            subject,
            customers: 0,
            verdicts: Tally::default(),
            messages: BTreeMap::new(),
            regions: BTreeMap::new(),
            tiers: BTreeMap::new(),
            reasons: BTreeMap::new(),
            scores: [0; SCORE_BINS],
            sms: SmsUse::default(),
            faults: BTreeMap::new(),
            pressure: PressureChange::default(),
            overlaps: BTreeMap::new(),
            shadows: BTreeMap::new(),
            displaced: BTreeMap::new(),
            samples: Samples::default(),
        }
    }

    /// Candidates: customers selected by the plugin, whatever the rules say.
    pub fn selected(&self) -> u64 {
        self.verdicts.candidates()
    }

    /// Candidates cleared by every rule.
    pub fn cleared(&self) -> u64 {
        self.verdicts.of(Verdict::Cleared)
    }

    /// The campaigns of which it is a duplicate.
    pub fn duplicates(&self) -> impl Iterator<Item = (&str, &Overlap)> {
        self.overlaps.iter().filter(|(_, overlap)| overlap.duplicate).map(|(name, overlap)| (name.as_str(), overlap))
    }

    /// Counts a candidate.
    pub fn add_candidate(&mut self, candidate: &Candidate<'_>) {
        self.verdicts.add(candidate.verdict);
        let cleared = candidate.verdict == Verdict::Cleared;
        count(&mut self.regions, &prefecture(candidate.region), cleared);
        count(&mut self.tiers, candidate.tier.unwrap_or(UNKNOWN), cleared);
        if !candidate.reason.is_empty() {
            count(&mut self.reasons, candidate.reason, cleared);
            self.scores[bin(candidate.score)] += 1;
        }
    }

    /// Counts a message of a cleared candidate; short messages come with their segments.
    pub fn add_message(&mut self, channel: Channel, sms: Option<Segments>) {
        *self.messages.entry(channel).or_default() += 1;
        if let Some(sms) = sms {
            let segments = u64::from(sms.segments);
            self.sms.messages += 1;
            self.sms.segments += segments;
            self.sms.cost_fen += segments * u64::from(self.subject.sms_price_fen);
        }
    }

    /// Adds the evidence of another part of the same subject's customers.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.subject, other.subject);
        self.customers += other.customers;
        self.verdicts.merge(&other.verdicts);
        merge_counts(&mut self.messages, &other.messages);
        for (mine, theirs) in
            [(&mut self.regions, &other.regions), (&mut self.tiers, &other.tiers), (&mut self.reasons, &other.reasons)]
        {
            merge_maps(mine, theirs, Reach::merge);
        }
        self.scores.iter_mut().zip(other.scores).for_each(|(mine, theirs)| *mine += theirs);
        self.sms.merge(&other.sms);
        merge_counts(&mut self.faults, &other.faults);
        self.pressure.before.merge(&other.pressure.before);
        self.pressure.after.merge(&other.pressure.after);
        merge_maps(&mut self.overlaps, &other.overlaps, Overlap::merge);
        merge_maps(&mut self.shadows, &other.shadows, Shadow::merge);
        merge_maps(&mut self.displaced, &other.displaced, Displaced::merge);
        self.samples.merge(&other.samples);
    }
}

impl Reach {
    fn merge(&mut self, other: &Self) {
        self.selected += other.selected;
        self.cleared += other.cleared;
    }
}

impl SmsUse {
    fn merge(&mut self, other: &Self) {
        self.messages += other.messages;
        self.segments += other.segments;
        self.cost_fen += other.cost_fen;
    }
}

fn count(reaches: &mut BTreeMap<String, Reach>, name: &str, cleared: bool) {
    let reach = Reach { selected: 1, cleared: u64::from(cleared) };
    match reaches.get_mut(name) {
        Some(known) => known.merge(&reach),
        None => drop(reaches.insert(name.to_owned(), reach)),
    }
}

fn prefecture(region: Option<&str>) -> String {
    let code = region.filter(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()));
    code.map_or_else(|| UNKNOWN.to_owned(), |code| format!("{}00", &code[..4]))
}

fn bin(score: f32) -> usize {
    // A cast takes what is below 0 or no number for 0.
    ((score * SCORE_BINS as f32) as usize).min(SCORE_BINS - 1)
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn merge_counts<K: Ord + Clone>(mine: &mut BTreeMap<K, u64>, theirs: &BTreeMap<K, u64>) {
    merge_maps(mine, theirs, |mine, theirs| *mine += theirs);
}

fn merge_maps<K: Ord + Clone, V: Clone>(
    mine: &mut BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
    merge: impl Fn(&mut V, &V),
) {
    for (key, theirs) in theirs {
        match mine.get_mut(key) {
            Some(mine) => merge(mine, theirs),
            None => drop(mine.insert(key.clone(), theirs.clone())),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::sms;

    pub(crate) fn subject() -> Subject {
        Subject {
            activity: "birthday".into(),
            version: semver::Version::new(1, 0, 0),
            component: "c".into(),
            approval: "a".into(),
            params: "{}".into(),
            date: 20_663,
            instant: 0,
            snapshot: "s".into(),
            policy: "p".into(),
            mark: 7,
            sms_price_fen: 5,
            sale: false,
        }
    }

    #[test]
    fn candidates_are_counted_by_place_tier_reason_and_score() {
        let mut evidence = Evidence::about(subject());
        let base =
            Candidate { verdict: Verdict::Cleared, reason: "sms", score: 0.3, region: Some("350203"), tier: None };
        for candidate in [
            base,
            Candidate { verdict: Verdict::Lost, region: Some("350200"), tier: Some("gold"), ..base },
            Candidate { score: 1.0, region: Some("elsewhere"), ..base },
            Candidate { verdict: Verdict::PluginFault, reason: "", score: 0.0, region: None, tier: None },
        ] {
            evidence.add_candidate(&candidate);
        }
        let reach = |selected, cleared| Reach { selected, cleared };
        assert_eq!((evidence.selected(), evidence.cleared()), (4, 2));
        assert_eq!(evidence.regions["350200"], reach(2, 1));
        assert_eq!(evidence.regions[UNKNOWN], reach(2, 1));
        assert_eq!(evidence.tiers["gold"], reach(1, 0));
        assert_eq!(evidence.reasons["sms"], reach(3, 2));
        assert_eq!(evidence.scores, [0, 0, 0, 2, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn short_messages_cost_by_segment() {
        let mut evidence = Evidence::about(subject());
        evidence.add_message(Channel::Touchpoint, None);
        evidence.add_message(Channel::Sms, Some(sms::segments("您好")));
        evidence.add_message(Channel::Sms, Some(sms::segments(&"好".repeat(71))));
        assert_eq!(evidence.sms, SmsUse { messages: 2, segments: 3, cost_fen: 15 });
        assert_eq!(evidence.messages[&Channel::Touchpoint], 1);
    }

    #[test]
    fn scores_out_of_bounds_fall_into_the_outer_bins() {
        assert_eq!([f32::NAN, -1.0, 0.0, 0.05, 0.1, 0.99, 1.0, 7.0].map(bin), [0, 0, 0, 0, 1, 9, 9, 9]);
    }

    #[test]
    fn evidence_goes_through_json_and_back() {
        let mut evidence = Evidence::about(subject());
        evidence.add_message(Channel::CallList, None);
        evidence.shadows.insert("birthday-1".into(), Shadow::of(semver::Version::new(1, 0, 0)));
        let json = serde_json::to_string(&evidence).expect("JSON");
        assert_eq!(serde_json::from_str::<Evidence>(&json).expect("evidence"), evidence);
    }
}
