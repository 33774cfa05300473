//! Did it help? The host computes the goal metric from ledger and outcomes, for campaigns and for experiments of
//! elsewhere alike; a plugin's fold adds its own numbers.

mod execution;
mod fold;
mod slices;

pub use execution::{Execution, Progress as ExecutionCounts};
pub use fold::PluginMetric;
pub use slices::{Distribution, Histogram};

use crate::{Engine, EngineError};
use care_domain::manifest::{Goal, MAX_DAYS};
use care_domain::outcome::Unit;
use care_domain::stats::{Arm, Effect, Sample, Watched, by_day, compare, compare_watched, minimum_sample, worth};
use care_domain::text::nearest_hint;
use care_domain::time::DAY_MS;
use care_store::{Campaign, Plan, Subject, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What of a customer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Whether an outcome of the kind followed: a rate over everybody.
    Reached,
    /// The sum of its figures; 0 where none followed: a mean over everybody.
    Value,
    /// Its last figure, of those alone who answered: a mean score.
    Answer,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reached, Self::Value, Self::Answer];

    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Value => "value",
            Self::Answer => "answer",
        }
    }

    /// What a customer adds, if anything.
    fn of(self, subject: &Subject) -> Option<i64> {
        match self {
            Self::Reached => Some(i64::from(subject.reached_after.is_some())),
            Self::Value => Some(subject.value),
            Self::Answer => subject.reached_after.map(|_| subject.last),
        }
    }
}

/// What to evaluate, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EvaluationRequest {
    /// The campaign, or an imported one.
    pub campaign: String,
    /// Another outcome kind than its goal.
    pub outcome: Option<String>,
    /// What is compared: the rate for a goal; for another kind what its unit suggests.
    pub measure: Option<Measure>,
    /// Another window than its goal's, in days.
    pub window_days: Option<u32>,
    /// Split by a field of the snapshot that may be observed.
    pub by: Option<String>,
    /// The difference for which a minimum sample is told; the observed one when absent.
    pub detect: Option<f64>,
    /// What one customer who reached the goal is worth, in yuan.
    pub each: Option<f64>,
    /// Leave the plugin's fold away.
    pub host_only: bool,
}

/// What a campaign did to its goal, or to another outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The campaign.
    pub campaign: String,
    /// Its activity; the experiment of an imported one.
    pub activity: String,
    /// Whether arms were decided elsewhere and imported.
    pub imported: bool,
    /// The outcome kind that was counted.
    pub metric: String,
    /// What of it was compared.
    pub measure: Measure,
    /// In which unit means and differences are: `rate`, `yuan`, `score`, `count`.
    pub unit: &'static str,
    /// Within so many days after the planned contact.
    pub window_days: u32,
    /// Both arms and what differs.
    #[serde(flatten)]
    pub compared: Compared,
    /// Shares of each arm that had reached it by the end of each day after the contact; empty for other measures.
    pub by_day: ByDay,
    /// The same by slice, where one was asked for.
    pub slices: BTreeMap<String, Compared>,
    /// What the difference is worth, in yuan, where a worth was given.
    pub worth: Option<f64>,
    /// What the plugin's own fold reports; empty when another metric than its goal was asked for.
    pub plugin: Vec<PluginMetric>,
}

/// Two arms and what differs. Sums are in the outcome's own unit (fen), means and differences in the evaluation's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// Customers contacted (or meant to be) and what they did.
    pub treated: Arm,
    /// Customers held out and what they did.
    pub control: Arm,
    /// Mean of the treated.
    pub treated_mean: f64,
    /// Mean of control.
    pub control_mean: f64,
    /// The effect; `None` without a control group of at least two.
    pub effect: Option<Effect>,
    /// Interval and p-value that stay right when results are watched while they come; `None` with fewer than a hundred
    /// customers in an arm.
    pub watched: Option<Watched>,
    /// What a sample of this size can tell; `None` where nothing differs.
    pub sample: Option<Sample>,
}

/// Shares that had reached the goal by the end of each day after the contact.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ByDay {
    /// Of the contacted.
    pub treated: Vec<f64>,
    /// Of the held out.
    pub control: Vec<f64>,
}

/// What is evaluated: a campaign of this host, or one of elsewhere.
struct Target {
    id: String,
    activity: String,
    goal: Goal,
    own: Option<(Campaign, Box<Version>)>,
}

impl Engine {
    /// Evaluates a campaign, or an imported one.
    pub async fn evaluate(&self, request: &EvaluationRequest) -> Result<Evaluation, EngineError> {
        let target = self.target(&request.campaign).await?;
        let metric = request.outcome.as_deref().unwrap_or(&target.goal.outcome).to_owned();
        let is_goal = metric == target.goal.outcome;
        let unit = self.unit_of(&metric, is_goal)?;
        let measure = request.measure.unwrap_or(match unit {
            _ if is_goal => Measure::Reached,
            Unit::Score => Measure::Answer,
            Unit::Fen => Measure::Value,
            Unit::None | Unit::Count => Measure::Reached,
        });
        let window_days = window(request.window_days.unwrap_or(target.goal.window_days))?;
        let subjects = self.store.subjects(&target.id, &metric, i64::from(window_days) * DAY_MS).await?;
        let per = if unit == Unit::Fen && measure != Measure::Reached { 100.0 } else { 1.0 };
        let look = Look { measure, per, detect: request.detect };
        let compared = look.compare(subjects.iter());
        let slices = match &request.by {
            None => BTreeMap::new(),
            Some(field) => {
                let keys: Vec<_> = subjects.iter().map(|s| s.customer).collect();
                let labels = self.labels_of(self.snapshot_of(&target.id).await?, field, &keys).await?;
                look.by_slice(&subjects, &labels)
            }
        };
        let worth_of = |each| compared.effect.map(|e| worth(compared.treated.count, e.difference, each));
        let (by_day, worth) = (days(&subjects, measure, window_days), request.each.and_then(worth_of));
        let plugin = match target.own {
            Some((campaign, version)) if is_goal && !request.host_only && !subjects.is_empty() => {
                self.fold(&campaign, &version, subjects).await?
            }
            _ => Vec::new(),
        };
        let unit = if measure == Measure::Reached { "rate" } else { shown(unit) };
        let imported = self.is_imported(&target.id).await?;
        let (campaign, activity) = (target.id, target.activity);
        Ok(Evaluation {
            campaign,
            activity,
            imported,
            metric,
            measure,
            unit,
            window_days,
            compared,
            by_day,
            slices,
            worth,
            plugin,
        })
    }

    async fn target(&self, id: &str) -> Result<Target, EngineError> {
        let imported = self.store.imported_campaigns().await?;
        if let Some((found, _)) = imported.into_iter().find(|(campaign, _)| campaign.id == id) {
            return Ok(Target { id: found.id, activity: found.experiment, goal: found.goal, own: None });
        }
        let campaign = self.campaign(id).await?;
        let submissions = self.store.submissions().await?.into_iter();
        let version = submissions.map(|s| s.version).find(|v| v.component == campaign.component);
        let version = version.ok_or_else(|| EngineError::internal("a campaign without version"))?;
        let (id, activity, goal) = (campaign.id.clone(), campaign.activity.clone(), version.manifest.goal.clone());
        Ok(Target { id, activity, goal, own: Some((campaign, Box::new(version))) })
    }

    async fn is_imported(&self, id: &str) -> Result<bool, EngineError> {
        Ok(self.store.imported_campaigns().await?.iter().any(|(campaign, _)| campaign.id == id))
    }

    /// The unit of a kind's figures. A goal needs no entry in the dictionary.
    fn unit_of(&self, kind: &str, is_goal: bool) -> Result<Unit, EngineError> {
        self.outcomes.find(kind, |_| is_goal).map(|found| found.unit).map_err(|_| {
            let near = nearest_hint(kind, self.outcomes.kinds.keys().map(String::as_str));
            let hint = format!("It is neither the activity's goal nor a kind of outcomes.toml{near}");
            EngineError::refused("unknown-outcome", format!("{kind:?} is no outcome that is counted here"), hint)
        })
    }

    /// The newest plan that a campaign took part in.
    pub(crate) async fn newest_plan_of(&self, campaign: &str) -> Result<Option<Plan>, EngineError> {
        let mut plans = self.store.plans().await?.into_iter();
        Ok(plans.find(|plan| plan.pins.campaigns.iter().any(|c| c.campaign == campaign)))
    }

    /// The snapshot that tells about a campaign's customers: that of its newest plan, else the newest.
    pub(crate) async fn snapshot_of(&self, campaign: &str) -> Result<care_population::Snapshot, EngineError> {
        let plan = self.newest_plan_of(campaign).await?;
        self.snapshot(plan.as_ref().map(|plan| plan.pins.snapshot.as_str()), None).await
    }
}

fn window(days: u32) -> Result<u32, EngineError> {
    if (1..=MAX_DAYS).contains(&days) {
        return Ok(days);
    }
    let message = format!("a window of {days} days");
    Err(EngineError::refused("bad-window", message, format!("Use 1 to {MAX_DAYS} days")))
}

fn shown(unit: Unit) -> &'static str {
    match unit {
        Unit::Fen => "yuan",
        Unit::Score => "score",
        Unit::None | Unit::Count => "count",
    }
}

/// How arms are looked at.
#[derive(Clone, Copy)]
struct Look {
    measure: Measure,
    /// So many of the outcome's unit are one of the evaluation's.
    per: f64,
    detect: Option<f64>,
}

impl Look {
    fn compare<'a>(self, subjects: impl Iterator<Item = &'a Subject>) -> Compared {
        let (mut treated, mut control) = (Arm::default(), Arm::default());
        for subject in subjects {
            let arm = if subject.treated { &mut treated } else { &mut control };
            if let Some(value) = self.measure.of(subject) {
                arm.add(value);
            }
        }
        let per = self.per;
        let effect = compare(&treated, &control).map(|effect| effect.in_unit_of(per));
        let watched =
            compare_watched(&treated, &control).map(|w| Watched { ci95: [w.ci95[0] / per, w.ci95[1] / per], ..w });
        let difference = self.detect.or(effect.map(|e| e.difference));
        let sample = difference.and_then(|d| minimum_sample(&treated, &control, d * per)).map(|s| Sample {
            detects: s.detects / per,
            for_difference: s.for_difference / per,
            ..s
        });
        let (treated_mean, control_mean) = (treated.mean() / per, control.mean() / per);
        Compared { treated, control, treated_mean, control_mean, effect, watched, sample }
    }

    fn by_slice(self, subjects: &[Subject], labels: &[String]) -> BTreeMap<String, Compared> {
        let mut parts: BTreeMap<&str, Vec<&Subject>> = BTreeMap::new();
        for (subject, label) in subjects.iter().zip(labels) {
            parts.entry(label).or_default().push(subject);
        }
        parts.into_iter().map(|(label, part)| (label.to_owned(), self.compare(part.into_iter()))).collect()
    }
}

/// How soon the goal was reached. Days are counted from the contact, not by the calendar.
fn days(subjects: &[Subject], measure: Measure, window_days: u32) -> ByDay {
    if measure != Measure::Reached {
        return ByDay::default();
    }
    let arm = |treated: bool| {
        let mut counts = vec![0_u64; window_days as usize];
        let mut all = 0;
        for subject in subjects.iter().filter(|s| s.treated == treated) {
            all += 1;
            let day = subject.reached_after.and_then(|after| usize::try_from(after / DAY_MS).ok());
            if let Some(count) = day.and_then(|day| counts.get_mut(day)) {
                *count += 1;
            }
        }
        by_day(&counts, all)
    };
    ByDay { treated: arm(true), control: arm(false) }
}
