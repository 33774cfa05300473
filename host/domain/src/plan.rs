//! A plan's pins and its tasks. The plan's id is the hash of everything that decides, so the same plan again
//! is the same plan: it resumes, or has nothing left to do.

use crate::canonical;
use crate::contact::Channel;
use crate::key::{Bucket, CustomerKey};
use crate::sms::Frame;
use crate::verdict::Tally;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A campaign as a plan pins it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedCampaign {
    /// Campaign id.
    pub campaign: String,
    /// Activity name.
    pub activity: String,
    /// Digest of the component.
    pub component: String,
    /// Digest of the approval.
    pub approval: String,
    /// The name under which the activity was first uploaded.
    pub origin: String,
    /// Canonical JSON of the parameters.
    pub params: String,
    /// Areas for which it was activated on standby.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<String>,
    /// The share of its customers to which its ramp confines it on this date, in parts of 10,000; none without a ramp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<u16>,
}

/// Everything that decides what a plan does, beside the ledger up to each task's mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// Business date in days.
    pub date: i32,
    /// Wave of that date, from 1.
    pub wave: u32,
    /// The plan's instant, Unix milliseconds: what guests see as now.
    pub instant: i64,
    /// Snapshot id.
    pub snapshot: String,
    /// log2 of the snapshot's buckets.
    pub bucket_bits: u8,
    /// The campaigns, by id.
    pub campaigns: Vec<PinnedCampaign>,
    /// Digest of the contact policy.
    pub policy: String,
    /// Digests of the reference tables, by name.
    pub tables: BTreeMap<String, String>,
    /// Digests of the calendar's years, where a rule asks for days off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calendar: BTreeMap<i16, String>,
    /// What stands around short messages: budgets pay for it.
    #[serde(default, skip_serializing_if = "Frame::is_bare")]
    pub frame: Frame,
    /// The cron instant that it was made for, Unix milliseconds; absent when it was asked for by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<i64>,
    /// Customers a batch.
    pub batch: u32,
    /// Version and configuration of the WebAssembly engine.
    pub engine: String,
}

impl Pins {
    /// The plan's id: the first 32 digits of the digest of its canonical JSON.
    pub fn id(&self) -> Result<String, serde_json::Error> {
        let mut id = canonical::digest_of(self)?;
        id.truncate(32);
        Ok(id)
    }

    /// In what it differs from another plan of its date and wave, in words.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let same = [
            ("instant", self.instant == other.instant),
            ("snapshot", self.snapshot == other.snapshot),
            ("campaigns", self.campaigns == other.campaigns),
            ("policy", self.policy == other.policy),
            ("reference tables", self.tables == other.tables),
            ("calendar", self.calendar == other.calendar),
            ("words around short messages", self.frame == other.frame),
            ("batch size", self.batch == other.batch),
            ("engine", self.engine == other.engine),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect()
    }

    /// Its tasks, one a bucket.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        Bucket::all(self.bucket_bits)
    }
}

/// What a task left behind: counts and digests, no rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskResult {
    /// Ledger sequence that the task read up to.
    pub mark: i64,
    /// Digest of the decision log.
    pub log: String,
    /// Customers read.
    pub customers: u64,
    /// Candidates by verdict, by campaign.
    pub tallies: BTreeMap<String, Tally>,
    /// Messages planned.
    pub contacts: u64,
    /// Faults of plugins by campaign and code.
    pub faults: BTreeMap<String, BTreeMap<String, u64>>,
    /// Losers that are still useful, and wait for a later plan.
    #[serde(default)]
    pub carried: u64,
    /// Candidates that lost their occasion to another campaign of their activity: by campaign and winner.
    #[serde(default)]
    pub clashes: BTreeMap<String, BTreeMap<String, u64>>,
    /// Customers who were decided again, since somebody wrote about them meanwhile.
    #[serde(default, skip_serializing_if = "Late::is_empty")]
    pub late: Late,
}

/// Customers of a task whose past was read later than the others'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// Ledger sequence that their past was read up to.
    pub mark: i64,
    /// Who.
    pub customers: BTreeSet<CustomerKey>,
}

impl Late {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }
}

/// Messages by channel that a candidate needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs([u16; Channel::ALL.len()]);

impl Needs {
    /// So many messages more on a channel.
    pub fn add(&mut self, channel: Channel, messages: u16) {
        for (known, needed) in Channel::ALL.iter().zip(&mut self.0) {
            if *known == channel {
                *needed = needed.saturating_add(messages);
            }
        }
    }

    /// How many on each channel of which any is needed.
    pub fn iter(&self) -> impl Iterator<Item = (Channel, u64)> {
        let needed = Channel::ALL.into_iter().zip(self.0);
        needed.filter(|(_, messages)| *messages > 0).map(|(channel, messages)| (channel, u64::from(messages)))
    }
}

/// A candidate's place in the queue for capacity at release: class, tier, weight, score, hash (architecture section 7).
/// Small, since all of a plan's stand in memory where limits cut it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Class of its approval.
    pub class: crate::policy::Class,
    /// Rank of the customer's tier, 0 the first: VIPs go first (S0).
    pub tier: u8,
    /// Weight of its approval.
    pub weight: u16,
    /// The candidate's score.
    pub score: f32,
    /// What orders ties: see [`Ranked::tie`].
    pub tie: u64,
    /// Messages that it needs.
    pub needs: Needs,
    /// Digest of the approval whose budget pays for it.
    pub approval: Arc<str>,
    /// What its messages cost, in fen.
    pub cost_fen: u64,
}

impl Ranked {
    /// What orders a candidate among those of the same standing: a hash, so that no campaign and no customer always comes
    /// first.
    pub fn tie(campaign: &str, customer: CustomerKey, occasion: i64, round: u8) -> u64 {
        canonical::hash64(&[b"care-release-1", format!("{campaign} {customer} {occasion} {round}").as_bytes()])
    }
}

/// What release shares out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Messages by channel; a channel that is not named is not limited.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity: BTreeMap<Channel, u64>,
    /// What is left of budgets, in fen, by digest of the approval; one that is not named is not limited.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub budgets: BTreeMap<String, u64>,
}

impl Limits {
    /// Whether there is nothing to share out.
    pub fn is_empty(&self) -> bool {
        self.capacity.is_empty() && self.budgets.is_empty()
    }

    /// Whether there is room for all of so many messages by channel, and fen by digest of the approval.
    pub fn hold(&self, messages: &BTreeMap<Channel, u64>, fen: &BTreeMap<String, u64>) -> bool {
        messages.iter().all(|(channel, needed)| self.capacity.get(channel).is_none_or(|places| needed <= places))
            && fen.iter().all(|(approval, cost)| self.budgets.get(approval).is_none_or(|left| cost <= left))
    }
}

/// Why release cuts a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A channel has no place left for it.
    Capacity,
    /// Its approval's budget does not pay for it.
    Budget,
}

impl Cut {
    /// Code of the rule.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::Budget => "budget",
        }
    }
}

/// Which candidates limits cut, and why: `None` stays. A candidate is released whole or not at all.
pub fn release<'a>(candidates: impl IntoIterator<Item = &'a Ranked>, limits: &Limits) -> Vec<Option<Cut>> {
    let candidates: Vec<&Ranked> = candidates.into_iter().collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (candidates[*a], candidates[*b]);
        a.class
            .cmp(&b.class)
            .then(a.tier.cmp(&b.tier))
            .then(b.weight.cmp(&a.weight))
            .then(b.score.total_cmp(&a.score))
            .then(a.tie.cmp(&b.tie))
    });
    let mut left = limits.clone();
    let mut cuts = vec![None; candidates.len()];
    for index in order {
        cuts[index] = left.take(candidates[index]).err();
    }
    cuts
}

impl Limits {
    /// Takes what a candidate needs, all of it or nothing.
    pub fn take(&mut self, candidate: &Ranked) -> Result<(), Cut> {
        let needs = &candidate.needs;
        if !needs.iter().all(|(channel, n)| self.capacity.get(&channel).is_none_or(|places| n <= *places)) {
            return Err(Cut::Capacity);
        }
        if let Some(left) = self.budgets.get_mut(&*candidate.approval) {
            *left = left.checked_sub(candidate.cost_fen).ok_or(Cut::Budget)?;
        }
        for (channel, n) in needs.iter() {
            if let Some(places) = self.capacity.get_mut(&channel) {
                *places -= n;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Class;

    fn candidate(class: Class, score: f32, name: &str, sms: u16) -> Ranked {
        let mut needs = Needs::default();
        needs.add(Channel::Sms, sms);
        Ranked {
            class,
            tier: u8::MAX,
            weight: 100,
            score,
            tie: Ranked::tie(name, CustomerKey([0; 16]), 0, 1),
            needs,
            approval: "approval".into(),
            cost_fen: u64::from(5 * sms),
        }
    }

    fn places(sms: u64) -> Limits {
        Limits { capacity: BTreeMap::from([(Channel::Sms, sms)]), ..Limits::default() }
    }

    const FULL: Option<Cut> = Some(Cut::Capacity);

    #[test]
    fn what_fits_is_seen_without_ranking_anybody() {
        let fen = |fen| BTreeMap::from([("approval".to_owned(), fen)]);
        let limits = Limits { budgets: fen(100), ..places(20) };
        let sms = |n| BTreeMap::from([(Channel::Sms, n), (Channel::Email, 1_000)]);
        assert!(limits.hold(&sms(20), &fen(100)));
        assert!(!limits.hold(&sms(21), &fen(100)) && !limits.hold(&sms(20), &fen(101)));
        assert!(Limits::default().hold(&sms(u64::MAX), &fen(u64::MAX)));
    }

    #[test]
    fn capacity_goes_to_the_higher_class_then_to_the_greater_need() {
        let waiting = [
            candidate(Class::Care, 0.9, "a", 1),
            candidate(Class::Service, 0.1, "b", 1),
            candidate(Class::Care, 0.95, "c", 1),
        ];
        assert_eq!(release(&waiting, &places(2)), [FULL, None, None]);
        assert_eq!(release(&waiting, &Limits::default()), [None, None, None]);
    }

    #[test]
    fn within_a_class_the_higher_tier_goes_first() {
        let mut waiting = [candidate(Class::Care, 0.9, "a", 1), candidate(Class::Care, 0.1, "b", 1)];
        waiting[1].tier = 0;
        assert_eq!(release(&waiting, &places(1)), [FULL, None]);
        waiting[0].class = Class::Service;
        assert_eq!(release(&waiting, &places(1)), [None, FULL]);
    }

    #[test]
    fn a_candidate_goes_out_whole_or_not_at_all() {
        let waiting = [candidate(Class::Care, 0.9, "a", 3), candidate(Class::Care, 0.5, "b", 1)];
        assert_eq!(release(&waiting, &places(2)), [FULL, None]);
    }

    #[test]
    fn a_budget_pays_for_the_greatest_need_and_for_no_other_approval() {
        let other = Ranked { approval: "another".into(), ..candidate(Class::Commercial, 0.1, "d", 9) };
        let waiting = [
            candidate(Class::Care, 0.5, "a", 1),
            candidate(Class::Care, 0.9, "b", 2),
            candidate(Class::Care, 0.7, "c", 1),
            other,
        ];
        let limits = |fen| Limits { budgets: BTreeMap::from([("approval".to_owned(), fen)]), ..Limits::default() };
        let broke = Some(Cut::Budget);
        assert_eq!(release(&waiting, &limits(19)), [broke, None, None, None]);
        assert_eq!(release(&waiting, &limits(20)), [None; 4]);
        assert_eq!(release(&waiting, &limits(9)), [broke, broke, None, None], "what is left may pay for a smaller one");
        // A candidate that capacity cuts costs nothing.
        let both = Limits { capacity: BTreeMap::from([(Channel::Sms, 1)]), ..limits(5) };
        assert_eq!(release(&waiting[..3], &both), [FULL, FULL, None]);
    }
}
