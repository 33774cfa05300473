//! Answers about what happens now: events, the agent's desk, calls.

use super::learnt::Rejected;
use super::manifest::Action;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What became of a request's events.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct EventsTaken {
    /// New ones: committed.
    accepted: u64,
    /// Known before: nothing more follows from them.
    repeated: u64,
    /// Bad ones, each with what is wrong; the others were taken.
    refused: Vec<RefusedEvent>,
    /// Contacts that they caused; absent where they were decided together with other requests'.
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<u64>,
    /// Waiting contacts that they ended; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<u64>,
    /// The batches in which they are logged.
    batches: Vec<i64>,
}

/// An event that was not taken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RefusedEvent {
    /// Its place in the request, from 0.
    index: u64,
    /// What it is, for programs.
    code: String,
    /// error.
    severity: String,
    /// What is wrong.
    message: String,
    /// What to do.
    hint: String,
}

/// A batch of events as it was decided.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct EventBatch {
    /// Its number.
    number: i64,
    /// When it was decided, Unix milliseconds.
    instant: i64,
    /// Who sent its events.
    person: String,
    /// Its events in the order in which they happened.
    events: Vec<BatchEvent>,
    /// What was decided about them.
    decisions: Vec<Decision>,
}

/// An event of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct BatchEvent {
    /// Who reported it.
    source: String,
    /// The source's name for it.
    id: String,
    /// Its type.
    kind: String,
    /// Pseudonymous key of the customer.
    customer: String,
    /// When it happened, Unix milliseconds.
    time: i64,
    /// What came with it: numbers, texts, yes or no.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<BTreeMap<String, Value>>,
    /// When the stay that it belongs to began, Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    stay: Option<i64>,
    /// offered, late or overtaken.
    standing: String,
}

/// What was decided about a candidate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Decision {
    /// Pseudonymous key of the customer.
    customer: String,
    /// The campaign that proposed the customer.
    campaign: String,
    /// Its activity.
    activity: String,
    /// Why the customer was chosen.
    reason: String,
    /// What it is about.
    occasion: i64,
    /// Attempt, from 1.
    round: u8,
    /// How much the customer needs it, 0 to 1.
    score: f32,
    /// Earliest useful instant, Unix milliseconds; 0 when the activity gave none.
    not_before: i64,
    /// After this it is useless, Unix milliseconds.
    not_after: i64,
    /// When it is planned, Unix milliseconds.
    planned_at: Option<i64>,
    /// On which channel.
    channel: Option<String>,
    /// cleared, held, capped, lost, control, no-consent, suppressed …
    verdict: String,
    /// The rule that decided.
    rule: String,
    /// The figures that it saw.
    figures: String,
    /// The campaign that won instead.
    winner: Option<String>,
}

/// Words in both languages.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Words {
    /// Chinese.
    zh: String,
    /// English.
    en: String,
}

/// What a customer at the desk or on the line needs now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Prompts {
    /// Id of the call.
    call: String,
    /// Pseudonymous key of the customer.
    customer: String,
    /// Which call of the day it is, from 1.
    call_today: u64,
    /// When the last one was, RFC 3339.
    last_call_at: Option<String>,
    /// The repeat-call hint; none on a first call.
    hint: Option<Words>,
    /// At most three, the most important first.
    prompts: Vec<Prompt>,
}

/// Something to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Prompt {
    /// Its id, to answer with.
    id: String,
    /// The activity.
    activity: String,
    /// What the activity is called.
    title: Words,
    /// Why it is shown.
    reason: Words,
    /// How much the customer needs it, 0 to 1.
    score: f64,
    /// What the agent says.
    script: String,
    /// The message that may be sent after the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<String>,
    /// The task that may be opened for a department.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

/// What an answer to a prompt did.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PromptAnswered {
    /// The prompt.
    prompt: String,
    /// Waiting contacts of the activity that it stopped.
    stopped: u64,
    /// The contact that follows.
    follow_up: Option<String>,
}

/// Work that was handed out: as JSON, or as a list that spreadsheets open with how many lines it has.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(in crate::api) enum Taken {
    /// One by one.
    Work(WorkTaken),
    /// As a list.
    Csv(WorkListed),
}

/// Work, one by one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WorkTaken {
    /// What is to be done, the most urgent first.
    work: Vec<Work>,
}

/// Work as a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WorkListed {
    /// The list.
    csv: String,
    /// How many lines it has.
    work: u64,
}

/// A call to make, or a request to a department.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Work {
    /// The contact: what the result is reported under.
    contact: String,
    /// Its campaign.
    campaign: String,
    /// Its class.
    class: String,
    /// Round, from 1.
    round: u8,
    /// Whom it is about: the operator's customer id.
    customer: String,
    /// To whom it goes.
    addressee: String,
    /// Whom to ask for; empty when unknown.
    name: String,
    /// Number to call, or the department.
    to: String,
    /// What a department is asked to do.
    action: Option<Action>,
    /// What to say.
    text: String,
    /// No use after this instant, RFC 3339.
    not_after: String,
}

/// What became of results that were reported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WorkRecorded {
    /// Kept.
    recorded: u64,
    /// Known before.
    repeated: u64,
    /// Lines left out, with the reason.
    rejected: Vec<Rejected>,
}

/// A calling window that was opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WindowOpened {
    /// Its number.
    window: i64,
    /// Calls that it holds.
    holds: u64,
}

/// A calling window.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Window {
    /// Its number.
    id: i64,
    /// Who opened it.
    opened_by: String,
    /// When, Unix milliseconds.
    opened_at: i64,
    /// When it closes or closed.
    closes_at: i64,
    /// Agents.
    seats: u32,
    /// Calls that each makes in an hour.
    calls_an_hour: u32,
    /// Numbers that were handed out.
    handed_out: u64,
}

/// What a dispatch did.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Dispatched {
    /// Taken by their gateways.
    sent: u64,
    /// Could not be addressed, or were refused for good.
    failed: u64,
    /// Had waited past their not-after.
    expired: u64,
    /// Nobody can tell whether the gateway has them; they count as sent.
    unknown: u64,
    /// Failed for a passing reason, and wait to go out again.
    again: u64,
    /// Ended because of what the customer did or wished since.
    cancelled: u64,
    /// Of an earlier run, settled.
    resumed: u64,
    /// Planned for later, or waiting to be tried again.
    later: u64,
    /// Held by a suspension, a kill switch, or an approval that does not vouch for it.
    held: u64,
}

/// A contact that was given up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct DeadLetter {
    /// Its id.
    contact: String,
    /// Campaign.
    campaign: String,
    /// Channel.
    channel: String,
    /// When, Unix milliseconds.
    at: i64,
    /// By which gateway.
    gateway: String,
    /// Why.
    why: String,
    /// After this it is useless, Unix milliseconds.
    not_after: i64,
}

/// A piece of work and where it stands. Name and number are shown to whoever takes it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ListedWork {
    /// The contact: what the result is reported under.
    contact: String,
    /// Its campaign.
    campaign: String,
    /// Its class.
    class: String,
    /// Round, from 1.
    round: u8,
    /// Whom it is about: the operator's customer id; empty when it was erased.
    customer: String,
    /// To whom it goes.
    addressee: String,
    /// What a department is asked to do.
    action: Option<Action>,
    /// planned, waiting, handed-out, a result, or how it ended without one.
    standing: String,
    /// From when on, RFC 3339.
    planned_at: String,
    /// No use after this instant, RFC 3339.
    not_after: String,
    /// Who had it last.
    person: Option<String>,
    /// When it was handed out last, RFC 3339.
    handed_out_at: Option<String>,
    /// When its result came, RFC 3339.
    result_at: Option<String>,
    /// What was said about it.
    note: String,
}

/// The report of a day: calls and requests, and what came of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WorkReport {
    /// The day.
    #[schema(format = Date)]
    date: String,
    /// Calls by campaign.
    calls: BTreeMap<String, WorkFigures>,
    /// Requests to departments by campaign.
    requests: BTreeMap<String, WorkFigures>,
}

/// Calls and requests of a day by campaign.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WorkFigures {
    /// Handed out.
    handed_out: u64,
    /// Customers.
    customers: u64,
    /// By result.
    results: BTreeMap<String, u64>,
}

/// A disaster, drafted, active or ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Disaster {
    /// Its number.
    id: i64,
    /// What happened.
    name: String,
    /// Its first day, in days since 1970.
    onset: i32,
    /// Last day on which its area is on, in days since 1970.
    until: Option<i32>,
    /// draft, active or ended.
    state: String,
    /// Places in its area, by administrative code.
    areas: Vec<String>,
    /// The alerts that drew it; none when a person did.
    alerts: Vec<AlertKey>,
    /// The campaign that was started.
    campaign: Option<String>,
    /// The duty officer who activated it.
    activated_by: Option<String>,
}

/// By what an alert is known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AlertKey {
    /// Who sent it.
    sender: String,
    /// The sender's name for it.
    identifier: String,
    /// When, Unix milliseconds.
    sent: i64,
}

/// What became of an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AlertTaken {
    /// draft, replaced, ended, known or nothing.
    follows: String,
    /// Why nothing follows; empty otherwise.
    because: String,
    /// The disasters concerned.
    disasters: Vec<i64>,
    /// Places in the area, by administrative code.
    areas: Vec<String>,
    /// Waiting contacts that it stopped.
    stopped: u64,
}

/// A disaster that was ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct DisasterEnded {
    /// Its number.
    disaster: i64,
    /// Waiting contacts that were withdrawn.
    withdrawn: u64,
}

/// What a day of a disaster came to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct DisasterReport {
    /// The disaster.
    disaster: Disaster,
    /// The day.
    #[schema(format = Date)]
    date: String,
    /// Day after its first one, from 0.
    day: i32,
    /// Customers whom the newest population sees in the area.
    customers: u64,
    /// Contacts by template and state.
    contacts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Customers who were contacted by the last outcome; under an empty name those of whom nothing is known yet.
    outcomes: BTreeMap<String, u64>,
}
