//! The shadow of a running version: the same customers on the same day, decided by both.

use crate::key::CustomerKey;
use crate::verdict::Verdict;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Example customers that are kept of each kind of difference.
pub const EXAMPLES: usize = 3;

/// How a customer fares differently under the new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Differs {
    /// Selected by the running version only.
    OnlyRunning,
    /// Selected by the new version only.
    OnlyNew,
    /// Selected by both, for another reason.
    Reason,
    /// Selected by both, with another verdict.
    Verdict,
    /// Cleared by both, and another template or other slot values are said.
    Message,
}

impl Differs {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::OnlyRunning, Self::OnlyNew, Self::Reason, Self::Verdict, Self::Message];

    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnlyRunning => "only-running",
            Self::OnlyNew => "only-new",
            Self::Reason => "reason",
            Self::Verdict => "verdict",
            Self::Message => "message",
        }
    }
}

/// One version's answer about a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Name of the reason.
    pub reason: &'a str,
    /// What was decided.
    pub verdict: Verdict,
    /// What is said, in order: template and slot values.
    pub said: &'a [Said<'a>],
}

/// A template with its slot values.
pub type Said<'a> = (&'a str, &'a BTreeMap<String, String>);

/// What the new version decides otherwise than a running campaign of the same activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// The running version.
    pub version: Version,
    /// Customers selected by both.
    pub both: u64,
    /// Customers by how they fare differently; one may count under `reason`, and `verdict` or `message`, at once.
    pub differ: BTreeMap<Differs, u64>,
    /// A few of them by pseudonymous key: the least keys, so that any order of parts keeps the same.
    pub examples: BTreeMap<Differs, BTreeSet<CustomerKey>>,
}

impl Shadow {
    /// An empty one beside a running version.
    pub fn of(version: Version) -> Self {
        Self { version, both: 0, differ: BTreeMap::new(), examples: BTreeMap::new() }
    }

    /// Customers who fare differently in one way.
    pub fn count(&self, differs: Differs) -> u64 {
        self.differ.get(&differs).copied().unwrap_or(0)
    }

    /// Compares the answers about a customer; `None` where a version did not select it.
    pub fn see(&mut self, customer: CustomerKey, running: Option<Answer<'_>>, new: Option<Answer<'_>>) {
        match (running, new) {
            (None, None) => {}
            (Some(_), None) => self.differs(Differs::OnlyRunning, customer),
            (None, Some(_)) => self.differs(Differs::OnlyNew, customer),
            (Some(running), Some(new)) => self.both(customer, running, new),
        }
    }

    fn both(&mut self, customer: CustomerKey, running: Answer<'_>, new: Answer<'_>) {
        self.both += 1;
        if running.reason != new.reason {
            self.differs(Differs::Reason, customer);
        }
        if running.verdict != new.verdict {
            self.differs(Differs::Verdict, customer);
        } else if running.said != new.said {
            self.differs(Differs::Message, customer);
        }
    }

    fn differs(&mut self, how: Differs, customer: CustomerKey) {
        *self.differ.entry(how).or_default() += 1;
        self.keep(how, customer);
    }

    fn keep(&mut self, how: Differs, customer: CustomerKey) {
        let kept = self.examples.entry(how).or_default();
        kept.insert(customer);
        if kept.len() > EXAMPLES {
            kept.pop_last();
        }
    }

    /// Adds the customers of another part.
    pub fn merge(&mut self, other: &Self) {
        self.both += other.both;
        super::merge_counts(&mut self.differ, &other.differ);
        for (how, customers) in &other.examples {
            customers.iter().for_each(|customer| self.keep(*how, *customer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> CustomerKey {
        CustomerKey([byte; 16])
    }

    fn seen() -> Shadow {
        let slots = |points: &str| BTreeMap::from([("points".to_owned(), points.to_owned())]);
        let (few, many) = (slots("1"), slots("1000"));
        let (few, many) = ([("remind", &few)], [("remind", &many)]);
        let cleared = |reason, said| Some(Answer { reason, verdict: Verdict::Cleared, said });
        let capped = |reason| Some(Answer { reason, verdict: Verdict::Capped, said: &[] });
        let mut shadow = Shadow::of(Version::new(1, 0, 0));
        shadow.see(key(9), None, None);
        shadow.see(key(8), cleared("a", &few), None);
        shadow.see(key(7), None, capped("a"));
        shadow.see(key(6), cleared("a", &few), cleared("a", &few));
        shadow.see(key(5), cleared("a", &few), cleared("b", &many));
        shadow.see(key(4), cleared("a", &few), capped("b"));
        shadow.see(key(3), capped("a"), capped("b"));
        shadow
    }

    #[test]
    fn each_customer_is_counted_by_what_differs() {
        let shadow = seen();
        let counts = Differs::ALL.map(|how| shadow.count(how));
        assert_eq!((shadow.both, counts), (4, [1, 1, 3, 1, 1]));
        assert_eq!(shadow.examples[&Differs::Verdict], BTreeSet::from([key(4)]));
    }

    #[test]
    fn few_examples_are_kept_and_always_the_same() {
        let mut ends = Vec::new();
        for order in [[1u8, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 5, 1, 4, 2]] {
            let mut whole = Shadow::of(Version::new(1, 0, 0));
            for byte in order {
                let mut part = Shadow::of(Version::new(1, 0, 0));
                part.see(key(byte), None, Some(Answer { reason: "a", verdict: Verdict::Lost, said: &[] }));
                whole.merge(&part);
            }
            ends.push(whole);
        }
        assert_eq!(ends[0].examples[&Differs::OnlyNew], BTreeSet::from([key(1), key(2), key(3)]));
        assert!(ends.iter().all(|end| *end == ends[0]));
    }
}
