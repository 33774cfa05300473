//! Answers about what customers did and whether it helped.

use super::live::Words;
use super::manifest::Goal;
use super::reference::Deed;
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

/// Experiments that were run elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Experiments {
    /// The newest evaluation that was kept of each of their campaigns and metrics.
    items: Vec<Evaluation>,
}

/// A need.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Need {
    /// Its number.
    need: i64,
    /// Entry of the catalogue.
    entry: String,
    /// What people call it.
    title: String,
    /// Records from this instant on, RFC 3339.
    from: String,
    /// Records before this instant, RFC 3339.
    until: String,
    /// Who opened it.
    opened: Deed,
    /// Where it stands.
    state: NeedState,
    /// Activities that answer it.
    answers: Vec<String>,
}

/// Where a need stands. What its state has no use for is absent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NeedState {
    /// collected, analysed or published.
    state: String,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    analysis: Option<NeedAnalysis>,
    /// Who analysed what is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    analysed: Option<Deed>,
    /// Who analysed, or published, it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Deed>,
}

/// What records of a need amount to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NeedAnalysis {
    /// Records by source: complaint, enquiry, survey.
    volume: BTreeMap<String, u64>,
    /// The mean of the survey's scores.
    mean_score: Option<f64>,
    /// By region.
    regions: BTreeMap<String, NeedFigures>,
    /// Regions where it is weak, the weakest first.
    weak: Vec<WeakSpot>,
}

/// Records of a region.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NeedFigures {
    /// Complaints and enquiries.
    raised: u64,
    /// The same for a thousand customers, where it is known how many there are.
    per_thousand: Option<f64>,
    /// Surveyed.
    surveyed: u64,
    /// The mean of their scores.
    mean_score: Option<f64>,
}

/// A region where a need is weak.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WeakSpot {
    /// Administrative code.
    region: String,
    /// Complaints and enquiries above everybody's, in parts.
    raised_above: f64,
    /// How far the mean score lies below everybody's.
    score_below: f64,
}

/// A need that was opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NeedOpened {
    /// Its number.
    need: i64,
}

/// What became of records.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RecordsCollected {
    /// New ones.
    added: u64,
    /// Known before.
    repeated: u64,
    /// Lines left out, with the reason.
    rejected: Vec<Rejected>,
}

/// A need that was published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NeedPublished {
    /// Its number.
    need: i64,
    /// published.
    state: String,
}

/// A need that is answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NeedAnswered {
    /// Its number.
    need: i64,
    /// By which activity.
    activity: String,
}

/// What was found about a version, to be followed up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FollowUp {
    /// Its number.
    finding: i64,
    /// The activity.
    activity: String,
    /// The version.
    version: String,
    /// What was found.
    what: String,
    /// Number of the kept evaluation that shows it.
    evaluation: Option<i64>,
    /// Who answers for it.
    owner: String,
    /// Last date on which it is in time.
    #[schema(format = Date)]
    due: String,
    /// Whether it is late.
    late: bool,
    /// Who opened it.
    opened: Deed,
    /// Where it stands.
    state: FollowUpState,
}

/// Where following up stands. What its state has no use for is absent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FollowUpState {
    /// open, closed or dropped.
    state: String,
    /// The version that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_version: Option<String>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Deed>,
    /// Why it was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A finding that was opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FindingOpened {
    /// Its number.
    finding: i64,
}

/// A finding that was decided about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FindingDecided {
    /// Its number.
    finding: i64,
    /// closed or dropped.
    state: String,
}

/// Versions beside each other.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Knowledge {
    /// Those that fit.
    versions: Vec<KnownVersion>,
}

/// A version and what is known of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KnownVersion {
    /// The activity.
    activity: String,
    /// The version.
    version: String,
    /// Digest of its component.
    component: String,
    /// Where it stands.
    state: String,
    /// What people call it.
    title: Words,
    /// What it does, in a sentence.
    summary: Words,
    /// Categories of the catalogue, and entries in them.
    categories: BTreeMap<String, Vec<String>>,
    /// Life-cycle stages; all when empty.
    life_stages: Vec<String>,
    /// The class it was granted, or asks for.
    class: String,
    /// Regions that it was granted; everywhere when empty.
    regions: Vec<String>,
    /// Its goal.
    goal: Goal,
    /// Campaigns that run it.
    campaigns: Vec<String>,
    /// Messages to customers that went out.
    messages: u64,
    /// Complaints soon after one.
    complaints: u64,
    /// Enquiries and the like soon after one.
    enquiries: u64,
    /// What was kept of its evaluations: the newest of each campaign and metric.
    evaluations: Vec<KnownEvaluation>,
    /// Findings about it, by number.
    findings: BTreeMap<String, KnownFinding>,
    /// Numbers of the needs that its activity answers.
    needs: Vec<i64>,
}

/// An evaluation as the knowledge base has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KnownEvaluation {
    /// Its number.
    id: i64,
    /// The campaign.
    campaign: String,
    /// Its activity.
    activity: String,
    /// Digest of the version.
    component: String,
    /// What was counted.
    metric: String,
    /// As it was told.
    document: Evaluation,
    /// Who kept it.
    person: String,
    /// When, Unix milliseconds.
    at: i64,
}

/// A finding as the knowledge base has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KnownFinding {
    /// The activity.
    activity: String,
    /// The version.
    version: String,
    /// What was found.
    what: String,
    /// Number of the kept evaluation that shows it.
    evaluation: Option<i64>,
    /// Who answers for it.
    owner: String,
    /// Last date on which it is in time, in days since 1970.
    due: i32,
    /// Who opened it.
    opened: Deed,
    /// Where it stands.
    state: FollowUpState,
}

/// When complaints hold a version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Brake {
    /// A complaint counts against a contact of at most so many days before.
    #[schema(minimum = 1, maximum = 90)]
    days: u32,
    /// More than this share of messages holds the version.
    share: f64,
    /// How much an enquiry weighs against a complaint, 0 to 1.
    enquiry: f64,
    /// With fewer messages nothing is held.
    least: u64,
}

/// The brake in force, and how the live versions stand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct BrakeShown {
    /// The brake.
    brake: Brake,
    /// The live versions.
    versions: Vec<LiveScore>,
}

/// A brake that was put in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct BrakeSet {
    /// The brake.
    brake: Brake,
    /// Versions that it holds from now on.
    held: Vec<LiveScore>,
}

/// How a live version stands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct LiveScore {
    /// Number of its submission.
    submission: i64,
    /// The activity.
    activity: String,
    /// The version.
    version: String,
    /// active or suspended.
    state: String,
    /// Messages to customers that went out since it was last resumed.
    messages: u64,
    /// Complaints soon after one.
    complaints: u64,
    /// Enquiries and the like soon after one.
    enquiries: u64,
    /// 100 when nobody complained, 0 at the threshold; null while too few messages went out.
    score: Option<f64>,
    /// Weighted complaints in parts of the messages.
    share: f64,
    /// Whether it is to be held.
    holds: bool,
}

/// What the host has to tell somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Notice {
    /// Its number.
    id: i64,
    /// Whom.
    person: String,
    /// When, Unix milliseconds.
    at: i64,
    /// About what: `submission 7`.
    subject: String,
    /// In words.
    text: String,
}

/// A report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Report {
    /// daily or monthly.
    kind: String,
    /// What it is about, in both languages.
    title: String,
    /// The time it speaks of.
    period: String,
    /// Its parts, in their order.
    sections: Vec<ReportSection>,
}

/// A part of a report: a table.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ReportSection {
    /// What it shows, in both languages.
    title: String,
    /// Names of the columns.
    columns: Vec<String>,
    /// Rows of cells.
    rows: Vec<Vec<String>>,
}
