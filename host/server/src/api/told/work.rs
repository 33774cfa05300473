//! Answers about campaigns, plans, contacts, and why.

use super::gateways::Frame;
use super::manifest::Limits;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is wrong, or should be looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Finding {
    /// What it is, for programs.
    code: String,
    /// error or warning.
    severity: String,
    /// What is wrong, and where.
    message: String,
    /// What to do.
    hint: String,
}

/// Who holds something up, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Thrown {
    /// everything, activity, version, region, channel or campaign.
    scope: String,
    /// Which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Who.
    person: String,
    /// When, Unix milliseconds.
    at: i64,
    /// Why.
    reason: String,
}

/// In which steps a campaign takes its customers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Ramp {
    /// Shares in parts of 10,000 of the customers that were granted, rising to all of them.
    #[schema(example = json!([100, 1000, 10000]))]
    shares: Vec<u16>,
    /// Business dates that each share is planned for before the next.
    days: u16,
}

/// A campaign: an approved version, pinned, with its parameters.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Campaign {
    /// Its id.
    #[schema(example = "birthday-1")]
    campaign: String,
    /// The activity.
    activity: String,
    /// Which versions it was started with.
    requirement: String,
    /// Digest of the pinned version.
    digest: String,
    /// Digest of the approval that it runs under.
    approval: String,
    /// Whether it takes part in plans.
    active: bool,
    /// Parameters.
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    /// The oldest population that it may run on, in days before the business date.
    max_snapshot_days: u16,
    /// In which steps it ramps up; nothing where it begins with everybody who was granted.
    ramp: Option<Ramp>,
    /// Who started it.
    started_by: String,
    /// When, Unix milliseconds.
    started_at: i64,
}

/// A campaign, and whether somebody paused it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CampaignShown {
    /// Its id.
    #[schema(example = "birthday-1")]
    campaign: String,
    /// The activity.
    activity: String,
    /// Which versions it was started with.
    requirement: String,
    /// Digest of the pinned version.
    digest: String,
    /// Digest of the approval that it runs under.
    approval: String,
    /// Whether it takes part in plans.
    active: bool,
    /// Parameters.
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    /// The oldest population that it may run on, in days before the business date.
    max_snapshot_days: u16,
    /// In which steps it ramps up; nothing where it begins with everybody who was granted.
    ramp: Option<Ramp>,
    /// Who started it.
    started_by: String,
    /// When, Unix milliseconds.
    started_at: i64,
    /// Who paused it; nothing while it goes on.
    paused: Option<Thrown>,
}

/// A campaign that was started, activated, or pointed at a version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Started {
    /// Its id.
    campaign: String,
    /// The version that is pinned.
    version: String,
    /// Its digest.
    digest: String,
}

/// A campaign that was stopped.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CampaignStopped {
    /// Its id.
    campaign: String,
    /// Waiting contacts that were withdrawn.
    withdrawn: u64,
}

/// A plan in a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Plan {
    /// Its id.
    plan: String,
    /// Business date.
    #[schema(format = Date)]
    date: String,
    /// Wave of that date.
    wave: u32,
    /// running, paused, releasing, released or cancelled.
    state: String,
    /// Everything that decides.
    pins: Pins,
}

/// Everything that decides what a plan does.
#[derive(Deserialize, ToSchema)]
#[schema(as = PlanPins)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Pins {
    /// Business date, in days since 1970.
    date: i32,
    /// Wave.
    wave: u32,
    /// What plugins see as now, Unix milliseconds.
    instant: i64,
    /// The population.
    snapshot: String,
    /// log2 of its buckets.
    bucket_bits: u8,
    /// The campaigns.
    campaigns: Vec<PinnedCampaign>,
    /// Digest of the contact policy.
    policy: String,
    /// Digests of the reference tables, by name.
    tables: BTreeMap<String, String>,
    /// Digests of the calendar's years, where a rule asks for days off.
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<BTreeMap<String, String>>,
    /// What stands around short messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<Frame>,
    /// When it was due, Unix milliseconds; absent when it was asked for by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_for: Option<i64>,
    /// Customers a batch.
    batch: u32,
    /// Version and configuration of the WebAssembly engine.
    engine: String,
}

/// A campaign as a plan pins it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PinnedCampaign {
    /// Its id.
    campaign: String,
    /// The activity.
    activity: String,
    /// Digest of the component.
    component: String,
    /// Digest of the approval.
    approval: String,
    /// The name under which the activity was first uploaded.
    origin: String,
    /// Parameters, as canonical JSON.
    params: String,
    /// Areas for which it was activated on standby.
    #[serde(skip_serializing_if = "Option::is_none")]
    areas: Option<Vec<String>>,
    /// The share of its customers to which its ramp confines it on this date, in parts of 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<u16>,
}

/// What a plan asked an activity about a batch, and what became of it: for `care plugin replay`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlannedBatch {
    /// Version of this layout.
    format: u32,
    /// The plan.
    plan: String,
    /// Bucket of its population.
    bucket: u32,
    /// Batch of the bucket, from 0.
    batch: u32,
    /// The campaign.
    campaign: String,
    /// The activity.
    activity: String,
    /// Its version.
    version: String,
    /// Digest of the component.
    component: String,
    /// Business date, in days since 1970.
    today: i32,
    /// What it saw as now, Unix milliseconds.
    now: i64,
    /// Parameters.
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    /// What it might use up.
    limits: Limits,
    /// Fields that it reads and that nobody outside of the host sees.
    withheld: Vec<String>,
    /// What it read of the customers.
    customers: RecordedTable,
    /// The reference tables that it read.
    tables: Vec<RecordedTable>,
    /// What became of each customer, in the order of the table.
    who: Vec<Recalled>,
}

/// A table as an activity read it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RecordedTable {
    /// Its name.
    name: String,
    /// Its columns, each with its type.
    fields: BTreeMap<String, String>,
    /// Row by row, the cells in the order of `fields`: whole numbers, ratios, texts, yes or no, or null.
    rows: Vec<Vec<Value>>,
}

/// What became of a customer of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Recalled {
    /// Bucket and row.
    customer: String,
    /// What the activity answered; absent where it did not choose the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<ActivityAnswer>,
    /// How the customer broke it: stage and code.
    #[serde(skip_serializing_if = "Option::is_none")]
    broke: Option<String>,
    /// What the plan made of it, and the rule that said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<(String, String)>,
}

/// What an activity answers about a customer that it chooses.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ActivityAnswer {
    /// Why.
    reason: String,
    /// What the contact is about.
    occasion: i64,
    /// How much it is needed, 0 to 1.
    score: f32,
    /// From when it is useful, Unix milliseconds.
    not_before: i64,
    /// Until when.
    not_after: i64,
    /// What it says: templates with the values of their slots.
    messages: Vec<(String, BTreeMap<String, String>)>,
}

/// A plan that was asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanBegun {
    /// Its id.
    plan: String,
}

/// A plan that was held up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanPaused {
    /// Its id.
    plan: String,
    /// paused.
    state: String,
    /// When, RFC 3339.
    at: String,
}

/// A plan that was called off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanCancelled {
    /// Its id.
    plan: String,
    /// cancelled.
    state: String,
    /// Planned contacts that are none any more.
    contacts: u64,
    /// Held-out customers who are none any more.
    controls: u64,
}

/// A plan in figures.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanSummary {
    /// Its id.
    plan: String,
    /// Business date.
    #[schema(format = Date)]
    date: String,
    /// Wave.
    wave: u32,
    /// running, paused, releasing, released or cancelled.
    state: String,
    /// Whether all of it is visible to dispatch.
    released: bool,
    /// Whether this call found it complete.
    already_complete: bool,
    /// Contacts that this call added.
    added: u64,
    /// Other plans that were interrupted and wait to be resumed.
    unfinished: Vec<String>,
    /// Campaigns that were due and left out.
    blocked: Vec<Finding>,
    /// What somebody should look at.
    notices: Vec<Finding>,
    /// Losers that are still useful, and wait for a later plan.
    carried: u64,
    /// Customers decided so far.
    customers: u64,
    /// Tasks (buckets of customers) done.
    tasks_done: u64,
    /// Tasks in all.
    tasks: u64,
    /// Its campaigns.
    activities: Vec<PlanActivity>,
    /// Candidates of all campaigns.
    totals: PlanTotals,
}

/// A campaign of a plan in figures.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanActivity {
    /// Activity.
    name: String,
    /// Campaign.
    campaign: String,
    /// Version.
    version: String,
    /// Its digest.
    digest: String,
    /// Candidates.
    selected: u64,
    /// Candidates by the plan's verdict: cleared, held, capped, lost, control, no-consent, suppressed … They add up to
    /// `selected`.
    verdicts: BTreeMap<String, u64>,
    /// Candidates by final verdict: the plan's joined with what became of their contacts. They add up to `selected`.
    finals: BTreeMap<String, u64>,
    /// Messages by state.
    contacts: BTreeMap<String, u64>,
    /// Candidates on which the plugin broke, by code.
    faults: BTreeMap<String, u64>,
}

/// Candidates of all campaigns of a plan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanTotals {
    /// All of them.
    candidates: u64,
    /// By the plan's verdict.
    verdicts: BTreeMap<String, u64>,
}

/// How far a plan is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanStatus {
    /// Its id.
    plan: String,
    /// Business date.
    #[schema(format = Date)]
    date: String,
    /// Wave.
    wave: u32,
    /// running, paused, releasing, released or cancelled.
    state: String,
    /// Who holds it up or called it off.
    halt: Option<Halt>,
    /// Tasks in all.
    tasks: u64,
    /// Tasks done.
    tasks_done: u64,
    /// Customers of the population; nothing when it is not known any more.
    customers: Option<u64>,
    /// Customers decided and committed.
    decided: u64,
    /// Customers a second, by all processes together; nothing while it cannot be told.
    pace: Option<f64>,
    /// Seconds until the last task is done, at that pace.
    seconds_left: Option<u64>,
    /// Tasks in hand.
    at_work: Vec<AtWork>,
}

/// Who held a plan up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Halt {
    /// Who.
    person: String,
    /// When, Unix milliseconds.
    at: i64,
    /// Why.
    reason: String,
}

/// A task in somebody's hands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AtWork {
    /// Bucket of customers.
    bucket: u32,
    /// Number of the attempt.
    epoch: i64,
    /// Name of the process.
    holder: String,
    /// Seconds since its last sign of life.
    silent: i64,
    /// Whether the next one who looks takes the task over.
    is_lost: bool,
}

/// A contact without what was said and without who somebody is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Contact {
    /// Its id.
    contact: String,
    /// Campaign.
    campaign: String,
    /// Activity.
    activity: String,
    /// Digest of the version.
    digest: String,
    /// The plan, or the world in which an event was decided.
    plan: String,
    /// Pseudonymous key of the customer.
    customer: String,
    /// Home region of the customer.
    region: String,
    /// disaster, safety, service, care or commercial.
    class: String,
    /// Why the customer was chosen.
    reason: String,
    /// What it is about.
    occasion: i64,
    /// Attempt, from 1.
    round: u8,
    /// To whom it goes.
    addressee: String,
    /// What is said.
    template: String,
    /// The channel that it goes by.
    channel: String,
    /// In which language.
    language: String,
    /// planned, released, sending, sent, failed, unknown, cancelled, withdrawn, expired or lost.
    state: String,
    /// RFC 3339.
    planned_at: String,
    /// After this it is useless, RFC 3339.
    not_after: String,
    /// Every step that it took, where one contact is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<Step>>,
}

/// A step of a contact.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Step {
    /// RFC 3339.
    at: String,
    /// Where it stood from then on.
    state: String,
    /// Why.
    note: String,
}

/// A contact as its customer got it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Message {
    /// Its id.
    contact: String,
    /// Campaign.
    campaign: String,
    /// The channel that it went by.
    channel: String,
    /// To whom.
    addressee: String,
    /// Number or address, masked.
    to: String,
    /// Where it stands.
    state: String,
    /// When it last went on its way, RFC 3339; nothing when it never did.
    sent_at: Option<String>,
    /// As read.
    text: String,
}

/// What the newest population knows of a customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Customer {
    /// Pseudonymous key.
    customer: String,
    /// The population.
    population: String,
    /// Its fields, as `/v1/fields` describes them.
    fields: BTreeMap<String, String>,
}

/// What a customer wishes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Wishes {
    /// Whether commercial contacts were consented to; null where nobody asked.
    commercial: Option<bool>,
    /// Whether nothing is wanted at all.
    refuses_all: bool,
    /// Classes that are refused.
    refused_classes: Vec<String>,
    /// Activities that are refused.
    refused_activities: Vec<String>,
    /// Why nothing but disaster response may go to this customer; null when something may.
    suppressed: Option<String>,
}

/// Everything that was decided about a customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Explanation {
    /// Pseudonymous key.
    customer: String,
    /// Plans, and batches of events, that looked at the customer, the newest first.
    plans: Vec<WhyPlan>,
}

/// What a plan decided about a customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WhyPlan {
    /// The plan, or `event-7`.
    plan: String,
    /// Business date.
    #[schema(format = Date)]
    date: String,
    /// Wave.
    wave: u32,
    /// One entry for each of its campaigns.
    activities: Vec<WhyActivity>,
}

/// What was decided for one campaign.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WhyActivity {
    /// Campaign.
    campaign: String,
    /// Activity.
    activity: String,
    /// The plan's verdict; `not-selected` when the activity did not choose the customer.
    verdict: String,
    /// What became of it.
    finally: String,
    /// The rule that decided.
    rule: String,
    /// The figures that it saw.
    figures: String,
    /// Why the customer was chosen.
    reason: String,
    /// The campaign that won instead.
    winner: Option<String>,
    /// What was said.
    messages: Vec<WhyMessage>,
}

/// A message about a customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WhyMessage {
    /// Contact.
    contact: String,
    /// Channel.
    channel: String,
    /// To whom.
    addressee: String,
    /// RFC 3339.
    planned_at: String,
    /// Where it stands.
    state: String,
    /// As read; empty for whom it is not to read.
    text: String,
}
