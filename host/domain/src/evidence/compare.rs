//! Two simulations beside each other: every figure that differs.

use super::{Evidence, Pressure, Reach};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// A figure that differs between two simulations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which figure: words from the widest to the narrowest, such as `region 350200 cleared`.
    pub figure: String,
    /// In the first one; empty where it has no such figure.
    pub before: String,
    /// In the second one; empty where it has no such figure.
    pub after: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
        write!(f, "{}: {} → {}", self.figure, shown(&self.before), shown(&self.after))
    }
}

/// Everything in which two simulations differ, what they are about first; empty when they say the same.
pub fn compare(before: &Evidence, after: &Evidence) -> Vec<Difference> {
    let (mut old, mut new) = (Figures::of(before), Figures::of(after));
    let mut named: Vec<(usize, String)> = old.0.keys().chain(new.0.keys()).cloned().collect();
    named.sort();
    named.dedup();
    let differs = |key: (usize, String)| {
        let (before, after) = (old.0.remove(&key).unwrap_or_default(), new.0.remove(&key).unwrap_or_default());
        (before != after).then_some(Difference { figure: key.1, before, after })
    };
    named.into_iter().filter_map(differs).collect()
}

/// All figures of a simulation as words, by section and name.
#[derive(Default)]
struct Figures(BTreeMap<(usize, String), String>);

impl Figures {
    fn of(evidence: &Evidence) -> Self {
        let mut all = Self::default();
        all.subject(evidence);
        all.reach(evidence);
        all.messages(evidence);
        all.pressure("before", &evidence.pressure.before);
        all.pressure("after", &evidence.pressure.after);
        all.rivals(evidence);
        all.shadows(evidence);
        all.samples(evidence);
        all
    }

    fn put(&mut self, section: usize, figure: impl Into<String>, value: impl ToString) {
        self.0.insert((section, figure.into()), value.to_string());
    }

    /// What was simulated. The mark is left out: every contact moves it, and what it changes is seen below.
    fn subject(&mut self, evidence: &Evidence) {
        let subject = &evidence.subject;
        self.put(0, "activity", &subject.activity);
        self.put(0, "version", &subject.version);
        self.put(0, "component", &subject.component);
        self.put(0, "approval", &subject.approval);
        self.put(0, "parameters", &subject.params);
        self.put(0, "date", crate::time::write_date(subject.date));
        self.put(0, "instant", crate::time::write_instant(subject.instant));
        self.put(0, "snapshot", &subject.snapshot);
        self.put(0, "policy", &subject.policy);
        self.put(0, "price of an SMS segment in fen", subject.sms_price_fen);
        self.put(0, "goal is a sale", subject.sale);
    }

    fn reach(&mut self, evidence: &Evidence) {
        self.put(1, "customers", evidence.customers);
        self.put(1, "selected", evidence.selected());
        for (verdict, count) in &evidence.verdicts.0 {
            self.put(2, format!("verdict {}", verdict.name()), count);
        }
        let groups = [("region", &evidence.regions), ("tier", &evidence.tiers), ("reason", &evidence.reasons)];
        for (section, (kind, reaches)) in (3..).zip(groups) {
            for (name, Reach { selected, cleared }) in reaches {
                self.put(section, format!("{kind} {name} selected"), selected);
                self.put(section, format!("{kind} {name} cleared"), cleared);
            }
        }
        for (bin, count) in evidence.scores.iter().enumerate() {
            self.put(6, format!("score from 0.{bin}"), count);
        }
        for (code, count) in &evidence.faults {
            self.put(7, format!("fault {code}"), count);
        }
    }

    fn messages(&mut self, evidence: &Evidence) {
        for (channel, count) in &evidence.messages {
            self.put(8, format!("messages {}", channel.name()), count);
        }
        self.put(9, "SMS segments", evidence.sms.segments);
        self.put(9, "SMS cost in fen", evidence.sms.cost_fen);
    }

    fn pressure(&mut self, when: &str, pressure: &Pressure) {
        let Pressure { none, one_to_three, four_to_ten, over_ten } = pressure;
        let groups = [("no", none), ("1 to 3", one_to_three), ("4 to 10", four_to_ten), ("more than 10", over_ten)];
        for (contacts, customers) in groups {
            self.put(10, format!("customers with {contacts} contacts {when}"), customers);
        }
    }

    fn rivals(&mut self, evidence: &Evidence) {
        for (campaign, overlap) in &evidence.overlaps {
            self.put(11, format!("overlap with {campaign}"), overlap.both);
            self.put(11, format!("selected by {campaign}"), overlap.theirs);
            self.put(11, format!("entries shared with {campaign}"), overlap.entries.join(" "));
            self.put(11, format!("duplicate of {campaign}"), overlap.duplicate);
        }
        for (campaign, displaced) in &evidence.displaced {
            self.put(12, format!("lost by {campaign}"), displaced.lost);
            self.put(12, format!("gained by {campaign}"), displaced.gained);
        }
    }

    fn shadows(&mut self, evidence: &Evidence) {
        for (campaign, shadow) in &evidence.shadows {
            self.put(13, format!("shadow of {campaign} version"), &shadow.version);
            self.put(13, format!("shadow of {campaign} both"), shadow.both);
            for (how, count) in &shadow.differ {
                self.put(13, format!("shadow of {campaign} {}", how.name()), count);
            }
        }
    }

    fn samples(&mut self, evidence: &Evidence) {
        for (template, channels) in &evidence.samples.0 {
            for (channel, samples) in channels {
                let texts: Vec<String> = samples.iter().map(|s| format!("{} | {}", s.zh, s.en)).collect();
                self.put(14, format!("samples of {template} by {}", channel.name()), texts.join(" | "));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Candidate, tests::subject};
    use crate::verdict::Verdict;

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let base = Evidence::about(subject());
        assert_eq!(compare(&base, &base), []);
        let mut other = Evidence::about(crate::evidence::Subject { mark: 99, ..subject() });
        let cleared =
            Candidate { verdict: Verdict::Cleared, reason: "sms", score: 0.5, region: Some("350203"), tier: None };
        other.add_candidate(&cleared);
        let told: Vec<String> = compare(&base, &other).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "selected: 0 → 1",
                "verdict cleared: – → 1",
                "region 350200 cleared: – → 1",
                "region 350200 selected: – → 1",
                "tier unknown cleared: – → 1",
                "tier unknown selected: – → 1",
                "reason sms cleared: – → 1",
                "reason sms selected: – → 1",
                "score from 0.5: 0 → 1",
            ]
        );
    }
}
