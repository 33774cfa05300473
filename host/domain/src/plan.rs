//! A plan's pins and its tasks. The plan's id is the hash of everything that decides, so the same plan again
//! is the same plan: it resumes, or has nothing left to do.

use crate::canonical;
use crate::key::Bucket;
use crate::verdict::Tally;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
}

/// A campaign's place in the queue for capacity at release: class, weight, score, hash (architecture section 7).
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Class of its approval.
    pub class: crate::policy::Class,
    /// Weight of its approval.
    pub weight: u16,
    /// The candidate's score.
    pub score: f32,
    /// The candidate: campaign, customer, occasion and round as one text that orders ties.
    pub candidate: String,
    /// Messages by channel that it needs.
    pub needs: BTreeMap<crate::contact::Channel, u64>,
}

/// Which candidates a limited capacity cuts: `true` stays. A candidate is released whole or not at all.
pub fn release(candidates: &[Ranked], capacity: &BTreeMap<crate::contact::Channel, u64>) -> Vec<bool> {
    let hash = |r: &Ranked| canonical::hash64(&[b"care-release-1", r.candidate.as_bytes()]);
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&candidates[*a], &candidates[*b]);
        a.class
            .cmp(&b.class)
            .then(b.weight.cmp(&a.weight))
            .then(b.score.total_cmp(&a.score))
            .then_with(|| hash(a).cmp(&hash(b)))
            .then_with(|| a.candidate.cmp(&b.candidate))
    });
    let mut left = capacity.clone();
    let mut released = vec![false; candidates.len()];
    for index in order {
        let needs = &candidates[index].needs;
        let fits = needs.iter().all(|(channel, n)| left.get(channel).is_none_or(|places| n <= places));
        if fits {
            for (channel, n) in needs {
                if let Some(places) = left.get_mut(channel) {
                    *places -= n;
                }
            }
            released[index] = true;
        }
    }
    released
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Channel;
    use crate::policy::Class;

    fn candidate(class: Class, score: f32, name: &str, sms: u64) -> Ranked {
        Ranked { class, weight: 100, score, candidate: name.into(), needs: BTreeMap::from([(Channel::Sms, sms)]) }
    }

    #[test]
    fn capacity_goes_to_the_higher_class_then_to_the_greater_need() {
        let waiting = [
            candidate(Class::Care, 0.9, "a", 1),
            candidate(Class::Service, 0.1, "b", 1),
            candidate(Class::Care, 0.95, "c", 1),
        ];
        let capacity = BTreeMap::from([(Channel::Sms, 2)]);
        assert_eq!(release(&waiting, &capacity), [false, true, true]);
        assert_eq!(release(&waiting, &BTreeMap::new()), [true, true, true]);
    }

    #[test]
    fn a_candidate_goes_out_whole_or_not_at_all() {
        let waiting = [candidate(Class::Care, 0.9, "a", 3), candidate(Class::Care, 0.5, "b", 1)];
        assert_eq!(release(&waiting, &BTreeMap::from([(Channel::Sms, 2)])), [false, true]);
    }
}
