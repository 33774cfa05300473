//! Sample messages as they are read, addressed to a person who does not exist.

use crate::canonical::hash64;
use crate::contact::Channel;
use crate::render::Person;
use crate::text::{Bilingual, Language};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Samples that are kept of each template on each channel.
pub const SAMPLES: usize = 3;

/// The made-up addressee of every sample: no real identity is read for a simulation.
pub fn made_up(language: Language) -> Person {
    let (surname, name) = match language {
        Language::Zh => ("王", "王小明"),
        Language::En => ("Wang", "Wang Xiaoming"),
    };
    Person { surname: surname.into(), name: name.into() }
}

/// Where a message stands among its like: a hash of its slot values, so that samples are spread over them and any
/// order of parts keeps the same ones.
pub fn rank(slots: &BTreeMap<String, String>) -> u32 {
    let parts: Vec<&[u8]> = slots.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).collect();
    (hash64(&parts) >> 32) as u32
}

/// A message as it is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Where it stands (`rank`).
    pub rank: u32,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Samples by template and channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Samples(pub BTreeMap<String, BTreeMap<Channel, BTreeSet<Sample>>>);

impl Samples {
    /// Whether a message of that rank would be kept: what would not need not be rendered.
    pub fn wants(&self, template: &str, channel: Channel, rank: u32) -> bool {
        let kept = self.0.get(template).and_then(|channels| channels.get(&channel));
        kept.is_none_or(|kept| {
            let known = kept.iter().any(|sample| sample.rank == rank);
            !known && (kept.len() < SAMPLES || kept.last().is_some_and(|last| rank < last.rank))
        })
    }

    /// Keeps a message, if it is among the first of its template and channel.
    pub fn add(&mut self, template: &str, channel: Channel, rank: u32, text: Bilingual) {
        self.keep(template, channel, Sample { rank, zh: text.zh, en: text.en });
    }

    fn keep(&mut self, template: &str, channel: Channel, sample: Sample) {
        let kept = self.0.entry(template.to_owned()).or_default().entry(channel).or_default();
        kept.insert(sample);
        if kept.len() > SAMPLES {
            kept.pop_last();
        }
    }

    /// Adds the samples of another part.
    pub fn merge(&mut self, other: &Self) {
        for (template, channels) in &other.0 {
            for (channel, samples) in channels {
                samples.iter().for_each(|sample| self.keep(template, *channel, sample.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_by_rank_are_kept_and_the_rest_is_not_wanted() {
        let mut samples = Samples::default();
        for (rank, wanted) in [(50, true), (20, true), (40, true), (10, true), (45, false), (20, false), (30, true)] {
            assert_eq!(samples.wants("remind", Channel::Sms, rank), wanted, "{rank}");
            let text = Bilingual { zh: format!("您有{rank}分"), en: format!("{rank} points") };
            samples.add("remind", Channel::Sms, rank, text);
        }
        let kept: Vec<u32> = samples.0["remind"][&Channel::Sms].iter().map(|s| s.rank).collect();
        assert_eq!(kept, [10, 20, 30]);
    }
}
