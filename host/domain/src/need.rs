//! Needs (需求分析): collected from complaints, enquiries and surveys, analysed (how many, where it is weak), published,
//! and answered by activities (S1: the first step of the closed loop).

use crate::governance::Deed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a record of a need comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// 投诉
    Complaint,
    /// 咨询
    Enquiry,
    /// 满意度调查, with a score of 1 to 10.
    Survey,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Complaint, Self::Enquiry, Self::Survey];

    /// As stored and written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Enquiry => "enquiry",
            Self::Survey => "survey",
        }
    }

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// One record: no person, no words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The sender's id: a repeat adds nothing.
    pub id: String,
    /// Where it comes from.
    pub source: Source,
    /// Entry of the catalogue that it concerns.
    pub entry: String,
    /// Administrative code; empty when unknown.
    pub region: String,
    /// When, Unix milliseconds.
    pub at: i64,
    /// Of a survey: 1 to 10.
    pub score: Option<i64>,
}

/// What records of a need amount to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Records by source.
    pub volume: BTreeMap<Source, u64>,
    /// The mean of the survey's scores; `None` without one.
    pub mean_score: Option<f64>,
    /// By region.
    pub regions: BTreeMap<String, Figures>,
    /// Regions where it is weak, the weakest first.
    pub weak: Vec<WeakSpot>,
}

/// Records of a region.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Complaints and enquiries.
    pub raised: u64,
    /// The same for a thousand customers; `None` where nobody knows how many there are.
    pub per_thousand: Option<f64>,
    /// Surveyed.
    pub surveyed: u64,
    /// The mean of their scores.
    pub mean_score: Option<f64>,
}

/// A region where a need is weak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeakSpot {
    /// Administrative code.
    pub region: String,
    /// Complaints and enquiries above everybody's, in parts: 0.5 is half as many again. 0 where they are not above.
    pub raised_above: f64,
    /// How far the mean score lies below everybody's; 0 where it does not.
    pub score_below: f64,
}

/// A region is weak from a quarter more complaints and enquiries than everybody, or half a point less satisfaction †.
const RAISED_ABOVE: f64 = 0.25;
const SCORE_BELOW: f64 = 0.5;

/// Analyses records. `customers` are those of each region, where known.
pub fn analyse(records: &[Record], customers: &BTreeMap<String, u64>) -> Analysis {
    let mut volume: BTreeMap<Source, u64> = BTreeMap::new();
    let mut sums: BTreeMap<&str, (u64, u64, i64)> = BTreeMap::new();
    for record in records {
        *volume.entry(record.source).or_default() += 1;
        let (raised, surveyed, score) = sums.entry(&record.region).or_default();
        match record.score.filter(|_| record.source == Source::Survey) {
            Some(told) => (*surveyed, *score) = (*surveyed + 1, *score + told),
            None => *raised += u64::from(record.source != Source::Survey),
        }
    }
    let mean = |sum: i64, count: u64| (count > 0).then(|| sum as f64 / count as f64);
    let known: u64 = sums.keys().filter_map(|region| customers.get(*region)).sum();
    let (raised, surveyed, score) =
        sums.values().fold((0, 0, 0), |all, one| (all.0 + one.0, all.1 + one.1, all.2 + one.2));
    // The rate of everybody looks at regions whose customers are known alone.
    let of_known: u64 = sums.iter().filter(|(region, _)| customers.contains_key(**region)).map(|(_, one)| one.0).sum();
    let everybody = (known > 0 && raised > 0).then(|| of_known as f64 / known as f64 * 1_000.0);
    let mean_score = mean(score, surveyed);
    let figures = |(region, (raised, surveyed, score)): (&&str, &(u64, u64, i64))| {
        let here = customers.get(*region).filter(|count| **count > 0);
        let per_thousand = here.map(|count| *raised as f64 / *count as f64 * 1_000.0);
        let mean_score = mean(*score, *surveyed);
        ((*region).to_owned(), Figures { raised: *raised, per_thousand, surveyed: *surveyed, mean_score })
    };
    let regions: BTreeMap<String, Figures> = sums.iter().map(figures).collect();
    let mut weak: Vec<WeakSpot> = regions.iter().filter_map(|(r, f)| weak_spot(r, f, everybody, mean_score)).collect();
    weak.sort_by(|a, b| {
        let weight = |spot: &WeakSpot| spot.raised_above + spot.score_below;
        weight(b).total_cmp(&weight(a)).then_with(|| a.region.cmp(&b.region))
    });
    Analysis { volume, mean_score, regions, weak }
}

fn weak_spot(region: &str, here: &Figures, everybody: Option<f64>, mean_score: Option<f64>) -> Option<WeakSpot> {
    let above = here.per_thousand.zip(everybody.filter(|all| *all > 0.0)).map_or(0.0, |(rate, all)| rate / all - 1.0);
    let below = mean_score.zip(here.mean_score).map_or(0.0, |(all, own)| all - own);
    let weak = !region.is_empty() && (above >= RAISED_ABOVE || below >= SCORE_BELOW);
    weak.then(|| WeakSpot { region: region.to_owned(), raised_above: above.max(0.0), score_below: below.max(0.0) })
}

/// A need and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// Entry of the catalogue.
    pub entry: String,
    /// What people call it.
    pub title: String,
    /// Records from this instant on, Unix milliseconds.
    pub from: i64,
    /// Records before this instant.
    pub until: i64,
    /// Who opened it.
    pub opened: Deed,
    /// Where it stands.
    pub state: State,
}

/// Where a need stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Records are collected.
    Collected,
    /// They were counted and weak spots found.
    Analysed {
        /// What was found.
        analysis: Analysis,
        /// Who analysed.
        by: Deed,
    },
    /// The province published it: activities may answer it.
    Published {
        /// What was found.
        analysis: Analysis,
        /// Who analysed.
        analysed: Deed,
        /// Who published.
        by: Deed,
    },
}

/// A step that is not possible from where a need stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is {state}, and cannot be {wanted}")]
pub struct NotYet {
    /// Where it stands.
    pub state: &'static str,
    /// What was tried.
    pub wanted: &'static str,
}

impl State {
    /// As stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Analysed { .. } => "analysed",
            Self::Published { .. } => "published",
        }
    }
}

impl Need {
    /// `collected | analysed → analysed`: more may have been collected since.
    pub fn analysed(self, analysis: Analysis, by: Deed) -> Result<Self, NotYet> {
        match self.state {
            State::Collected | State::Analysed { .. } => Ok(Self { state: State::Analysed { analysis, by }, ..self }),
            State::Published { .. } => Err(NotYet { state: "published", wanted: "analysed again" }),
        }
    }

    /// `analysed → published`.
    pub fn published(self, by: Deed) -> Result<Self, NotYet> {
        match self.state {
            State::Analysed { analysis, by: analysed } => {
                Ok(Self { state: State::Published { analysis, analysed, by }, ..self })
            }
            other => Err(NotYet { state: other.name(), wanted: "published" }),
        }
    }

    /// Whether activities may be named as its answer.
    pub fn may_be_answered(&self) -> Result<(), NotYet> {
        match self.state {
            State::Published { .. } => Ok(()),
            ref other => Err(NotYet { state: other.name(), wanted: "answered" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(source: Source, region: &str, score: Option<i64>) -> Record {
        Record { id: String::new(), source, entry: "green-bill".into(), region: region.into(), at: 0, score }
    }

    #[test]
    fn volume_and_weak_spots_follow_from_the_records() {
        let mut records = vec![record(Source::Complaint, "350100", None); 10];
        records.extend(vec![record(Source::Enquiry, "350200", None); 40]);
        records.extend(vec![record(Source::Survey, "350100", Some(8)); 5]);
        records.extend(vec![record(Source::Survey, "350300", Some(4)); 5]);
        records.push(record(Source::Complaint, "", None));
        let customers = BTreeMap::from([("350100".to_owned(), 10_000), ("350200".to_owned(), 10_000)]);
        let found = analyse(&records, &customers);
        let volume = [(Source::Complaint, 11), (Source::Enquiry, 40), (Source::Survey, 10)];
        assert_eq!(found.volume, BTreeMap::from(volume));
        assert_eq!(found.mean_score, Some(6.0));
        assert_eq!(found.regions["350200"].per_thousand, Some(4.0));
        assert_eq!((found.regions["350300"].per_thousand, found.regions["350300"].mean_score), (None, Some(4.0)));
        // 2.5 a thousand in all: 350200 has 60 % more; 350300 is two points less satisfied, and weaker by that.
        let weak: Vec<(&str, f64, f64)> =
            found.weak.iter().map(|w| (w.region.as_str(), w.raised_above, w.score_below)).collect();
        assert_eq!(weak.len(), 2);
        assert_eq!(weak[0], ("350300", 0.0, 2.0));
        assert!(weak[1].0 == "350200" && (weak[1].1 - 0.6).abs() < 1e-9, "{weak:?}");
        assert_eq!(analyse(&[], &customers).weak, []);
    }

    #[test]
    fn a_need_is_analysed_before_it_is_published_and_published_before_it_is_answered() {
        let deed = || Deed { person: "x".into(), at: 1 };
        let analysis = || analyse(&[], &BTreeMap::new());
        let need = Need {
            entry: "green-bill".into(),
            title: "t".into(),
            from: 0,
            until: 1,
            opened: deed(),
            state: State::Collected,
        };
        assert!(need.clone().published(deed()).is_err() && need.may_be_answered().is_err());
        let analysed =
            need.analysed(analysis(), deed()).and_then(|n| n.analysed(analysis(), deed())).expect("analysed");
        assert!(analysed.may_be_answered().is_err());
        let published = analysed.published(deed()).expect("published");
        assert_eq!((published.state.name(), published.may_be_answered()), ("published", Ok(())));
        assert!(published.clone().analysed(analysis(), deed()).is_err() && published.published(deed()).is_err());
    }
}
