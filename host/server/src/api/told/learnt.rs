//! Answers about what customers did and whether it helped.

use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What became of outcomes that were told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct OutcomesRecorded {
    /// New ones.
    added: u64,
    /// Known before.
    repeated: u64,
    /// Waiting contacts that they made pointless.
    cancelled: u64,
    /// What was left out, with the reason.
    rejected: Vec<Rejected>,
}

/// Something that was left out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Rejected {
    /// Its place, from 1.
    line: u64,
    /// For programs.
    code: String,
    /// Why.
    reason: String,
}

/// How outcomes of a kind are distributed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Distribution {
    /// The kind.
    kind: String,
    /// Everything.
    all: Histogram,
    /// By the values of the field that was asked for.
    slices: BTreeMap<String, Histogram>,
}

/// Outcomes by their figure.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Histogram {
    /// Outcomes.
    count: u64,
    /// The mean of the figures; nothing where none has one.
    mean: Option<f64>,
    /// Outcomes by score, of kinds whose figures are scores.
    by_value: BTreeMap<String, u64>,
}

/// How a campaign was carried out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Execution {
    /// The campaign.
    campaign: String,
    /// Candidates by plan verdict, over all its released plans.
    verdicts: BTreeMap<String, u64>,
    /// Candidates that were cleared.
    cleared: u64,
    /// All messages.
    all: ExecutionCounts,
    /// By home region.
    by_region: BTreeMap<String, ExecutionCounts>,
    /// By VIP tier.
    by_tier: BTreeMap<String, ExecutionCounts>,
    /// By channel.
    by_channel: BTreeMap<String, ExecutionCounts>,
}

/// Messages by how far they came.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ExecutionCounts {
    /// Planned and not cut to capacity.
    planned: u64,
    /// Made visible to dispatch.
    released: u64,
    /// Handed to a gateway; unknown answers count as sent.
    sent: u64,
    /// A receipt says that they arrived.
    delivered: u64,
    /// Refused, or a receipt says that they did not arrive.
    failed: u64,
    /// Ended before they went out.
    ended: u64,
    /// Of those sent: not later than their not-after.
    in_time: u64,
}

/// What a campaign did to its goal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Evaluation {
    /// The campaign.
    campaign: String,
    /// Its activity.
    activity: String,
    /// Whether arms were decided elsewhere and imported.
    imported: bool,
    /// The outcome kind that was counted.
    metric: String,
    /// reached, value or answer.
    measure: String,
    /// rate, yuan, score or count.
    unit: String,
    /// Within so many days after the contact.
    window_days: u32,
    /// Customers contacted and what they did.
    treated: Arm,
    /// Customers held out and what they did.
    control: Arm,
    /// Mean of the treated.
    treated_mean: f64,
    /// Mean of control.
    control_mean: f64,
    /// The effect; nothing without a control group of two.
    effect: Option<Effect>,
    /// Interval and p-value that stay right when results are watched while they come.
    watched: Option<Watched>,
    /// What a sample of this size can tell.
    sample: Option<Sample>,
    /// Shares that had reached it by the end of each day.
    by_day: ByDay,
    /// The same by slice, where one was asked for.
    slices: BTreeMap<String, Compared>,
    /// What the difference is worth, in yuan, where a worth was given.
    worth: Option<f64>,
    /// What the plugin's own count reports.
    plugin: Vec<PluginMetric>,
    /// The number under which it was kept, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<i64>,
}

/// Two arms and what differs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Compared {
    /// Customers contacted and what they did.
    treated: Arm,
    /// Customers held out and what they did.
    control: Arm,
    /// Mean of the treated.
    treated_mean: f64,
    /// Mean of control.
    control_mean: f64,
    /// The effect.
    effect: Option<Effect>,
    /// While results come.
    watched: Option<Watched>,
    /// What a sample of this size can tell.
    sample: Option<Sample>,
}

/// One arm.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Arm {
    /// Customers.
    count: u64,
    /// Sum of their values, in the outcome's own unit.
    sum: f64,
    /// Sum of squares.
    sum_of_squares: f64,
}

/// An effect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Effect {
    /// Mean of the treated minus mean of control.
    difference: f64,
    /// 95 % interval.
    ci95: [f64; 2],
    /// Student's t with pooled variance.
    t: f64,
    /// Two-sided p-value.
    p: f64,
    /// The difference in parts of control's mean; nothing where that is 0.
    lift: Option<f64>,
    /// 95 % interval of the lift.
    lift_ci95: Option<[f64; 2]>,
}

/// An interval that may be watched while results come.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Watched {
    /// Covers the true difference at every look together, with 95 %.
    ci95: [f64; 2],
    /// p-value at any look.
    p: f64,
}

/// What a sample can tell.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Sample {
    /// The least difference that a comparison of this size finds in four of five cases.
    detects: f64,
    /// The difference for which a sample is asked.
    for_difference: f64,
    /// Customers to contact for it.
    treated: u64,
    /// Customers to hold out for it.
    control: u64,
    /// Whether there are so many.
    reached: bool,
}

/// Shares by day.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ByDay {
    /// Of the contacted.
    treated: Vec<f64>,
    /// Of the held out.
    control: Vec<f64>,
}

/// A number that a plugin reports.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PluginMetric {
    /// Its name.
    name: String,
    /// Of which slice.
    slice: String,
    /// Whether it is of the contacted.
    treated: bool,
    /// Customers.
    count: u64,
    /// Mean.
    mean: f64,
}

/// An evaluation as it was told when it was kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KeptEvaluation {
    /// Its number.
    evaluation: i64,
    /// The campaign.
    campaign: String,
    /// The outcome kind.
    metric: String,
    /// Who kept it.
    by: String,
    /// When, Unix milliseconds.
    at: i64,
    /// As it was told.
    told: Evaluation,
}

/// Customers by how many disturbing contacts they had. One occasion and round is one contact.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ContactPressure {
    /// Customers with none.
    none: u64,
    /// Customers with 1 to 3.
    one_to_three: u64,
    /// Customers with 4 to 10.
    four_to_ten: u64,
    /// Customers with more than 10.
    over_ten: u64,
}
