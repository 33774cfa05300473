//! Whose turn it is: a fair share of what may go out, and rates as token buckets.

use crate::policy::Class;
use std::collections::BTreeMap;

/// Shares `room` among those who wait, as evenly as they can use it: nobody gets more than waits, and whoever gets less
/// than another has nothing left that waits. What cannot be halved goes to the earlier ones.
pub fn fair(room: u64, waiting: &[u64]) -> Vec<u64> {
    let mut shares = vec![0; waiting.len()];
    let mut left = room;
    let mut open: Vec<usize> = (0..waiting.len()).filter(|i| waiting[*i] > 0).collect();
    while left > 0 && !open.is_empty() {
        let each = left / open.len() as u64;
        if each == 0 {
            open.iter().take(left as usize).for_each(|i| shares[*i] += 1);
            break;
        }
        for i in &open {
            let more = each.min(waiting[*i] - shares[*i]);
            shares[*i] += more;
            left -= more;
        }
        open.retain(|i| shares[*i] < waiting[*i]);
    }
    shares
}

/// What waits on a channel of one class, tier and campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its class.
    pub class: Class,
    /// Rank of the customers' VIP tier, 0 the first.
    pub tier: u8,
    /// Its campaign.
    pub campaign: String,
    /// How many contacts.
    pub waiting: u64,
}

/// Shares `room` among lines: higher classes first, within a class higher tiers,
/// within a tier all campaigns fairly. `limits` is the most of some campaigns; who is not in it has no limit.
pub fn allot(room: u64, lines: &[Line], limits: &BTreeMap<String, u64>) -> Vec<u64> {
    let mut levels: BTreeMap<(Class, u8), Vec<usize>> = BTreeMap::new();
    for (i, line) in lines.iter().enumerate() {
        levels.entry((line.class, line.tier)).or_default().push(i);
    }
    let (mut left, mut limits, mut shares) = (room, limits.clone(), vec![0; lines.len()]);
    for level in levels.into_values() {
        // A tier that no one ranks may be several lines of a campaign: they share its limit in their order.
        let mut allowed = Vec::with_capacity(level.len());
        let mut spent: BTreeMap<&str, u64> = BTreeMap::new();
        for i in &level {
            let line = &lines[*i];
            let used = spent.entry(&line.campaign).or_default();
            let most = limits.get(&line.campaign).map_or(u64::MAX, |limit| limit.saturating_sub(*used));
            allowed.push(line.waiting.min(most));
            *used += line.waiting.min(most);
        }
        for (i, share) in level.iter().zip(fair(left, &allowed)) {
            shares[*i] = share;
            left -= share;
            if let Some(limit) = limits.get_mut(&lines[*i].campaign) {
                *limit -= share.min(*limit);
            }
        }
    }
    shares
}

/// A token bucket: so many messages a second, saved up for at most a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Thousandths of a message that are saved.
    pub thousandths: i64,
    /// As of this instant, Unix milliseconds.
    pub at: i64,
}

impl Bucket {
    /// A full one.
    pub fn full(rate: u32, now: i64) -> Self {
        Self { thousandths: i64::from(rate) * 1_000, at: now }
    }

    /// Takes up to `wanted` messages; returns how many it gave. A clock that went back saves nothing up.
    #[must_use]
    pub fn take(self, rate: u32, wanted: u64, now: i64) -> (Self, u64) {
        let rate = i64::from(rate);
        let passed = (now - self.at).clamp(0, 1_000);
        let saved = (self.thousandths + passed * rate).min(rate * 1_000);
        let given = wanted.min((saved / 1_000).max(0) as u64);
        (Self { thousandths: saved - given as i64 * 1_000, at: now.max(self.at) }, given)
    }

    /// Puts back what was taken and not used.
    #[must_use]
    pub fn put_back(self, unused: u64) -> Self {
        Self { thousandths: self.thousandths + unused as i64 * 1_000, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_small_campaign_is_not_kept_waiting_by_a_large_one() {
        assert_eq!(fair(100, &[1_000_000, 10]), [90, 10]);
        assert_eq!(fair(100, &[1_000_000, 70, 5]), [48, 47, 5]);
        assert_eq!(fair(2, &[5, 5, 5]), [1, 1, 0]);
        assert_eq!(fair(0, &[5]), [0]);
        assert_eq!(fair(9, &[]), Vec::<u64>::new());
    }

    #[test]
    fn classes_go_first_then_tiers_and_campaigns_share_what_is_left() {
        let line = |class, tier: u8, campaign: &str, waiting| Line { class, tier, campaign: campaign.into(), waiting };
        let lines = [
            line(Class::Care, 5, "birthday", 1_000),
            line(Class::Care, 1, "birthday", 5),
            line(Class::Care, 0, "festival", 7),
            line(Class::Service, 9, "points", 10),
            line(Class::Care, 5, "festival", 1_000),
        ];
        assert_eq!(allot(8, &lines, &BTreeMap::new()), [0, 0, 0, 8, 0]);
        assert_eq!(allot(42, &lines, &BTreeMap::new()), [10, 5, 7, 10, 10]);
        let limits = BTreeMap::from([("birthday".to_owned(), 6)]);
        assert_eq!(allot(42, &lines, &limits), [1, 5, 7, 10, 19]);
        let limits = BTreeMap::from([("birthday".to_owned(), 0), ("festival".to_owned(), 0)]);
        assert_eq!(allot(42, &lines, &limits), [0, 0, 0, 10, 0]);
    }

    #[test]
    fn a_bucket_gives_its_rate_and_no_more() {
        let bucket = Bucket::full(10, 0);
        let (bucket, given) = bucket.take(10, 100, 0);
        assert_eq!(given, 10);
        let (bucket, given) = bucket.take(10, 100, 99);
        assert_eq!(given, 0);
        let (bucket, given) = bucket.take(10, 100, 350);
        assert_eq!(given, 3);
        assert_eq!(bucket.put_back(2).take(10, 100, 350).1, 2);
        assert_eq!(bucket.take(10, 100, 3_600_000).1, 10, "an hour saves up one second");
        assert_eq!(bucket.take(10, 100, -1_000).1, 0);
    }

    proptest! {
        #[test]
        fn shares_are_fair(room in 0_u64..1_000, waiting in prop::collection::vec(0_u64..300, 0..12)) {
            let shares = fair(room, &waiting);
            prop_assert_eq!(shares.iter().sum::<u64>(), room.min(waiting.iter().sum()));
            for (i, share) in shares.iter().enumerate() {
                prop_assert!(*share <= waiting[i]);
                let most = shares.iter().max().copied().unwrap_or(0);
                prop_assert!(*share == waiting[i] || *share + 1 >= most, "{:?} of {:?}", shares, waiting);
            }
        }
    }
}
