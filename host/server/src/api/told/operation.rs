//! Answers about operating an installation: webhooks and retention.

use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A new endpoint, or a new secret: shown this one time.
#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookSecret)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct HookSecret {
    /// How people speak of the endpoint.
    #[schema(example = "wh_3fa92b17c0de")]
    webhook: String,
    /// What its events are signed with (HMAC-SHA256): `whsec_` and base64.
    secret: String,
}

/// An endpoint that is told.
#[derive(Deserialize, ToSchema)]
#[schema(as = Webhook)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Hook {
    /// How people speak of it.
    webhook: String,
    /// Where events go.
    url: String,
    /// What is wanted; everything when empty.
    kinds: Vec<String>,
    /// Whose it is and what for.
    note: String,
    /// Who registered it.
    registered_by: String,
    /// When, Unix milliseconds.
    registered_at: i64,
    /// open or closed.
    state: String,
    /// Why it is told nothing any more; empty while it is.
    closed_because: String,
    /// How many events there are by where they stand: waiting, delivered, given-up, dropped.
    events: BTreeMap<String, u64>,
    /// The event that was tried last.
    last: Option<Delivery>,
}

/// An event on its way to an endpoint.
#[derive(Deserialize, ToSchema)]
#[schema(as = WebhookDelivery)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Delivery {
    /// Number.
    delivery: i64,
    /// `webhook-id`: the event's own id, the same in every attempt.
    event: String,
    /// What happened.
    #[schema(example = "campaign.started")]
    r#type: String,
    /// When it happened, Unix milliseconds.
    happened_at: i64,
    /// waiting, delivered, given-up or dropped.
    state: String,
    /// Attempts so far.
    attempts: u32,
    /// When it is tried again, Unix milliseconds; nothing when it is not.
    next_at: Option<i64>,
    /// The last attempt, Unix milliseconds.
    last_at: Option<i64>,
    /// HTTP status of the last answer; nothing when none came.
    status: Option<u16>,
    /// The last answer in words.
    answer: Option<String>,
}

/// How long each kind of record is kept, in days; for ever where it says nothing.
#[derive(Deserialize, ToSchema)]
#[schema(as = RetentionPeriods)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::api) struct Periods {
    /// What was said in a contact or a prompt.
    messages: Option<u32>,
    /// Contacts with what became of them.
    contacts: Option<u32>,
    /// Calls and visits with the prompts that were shown.
    calls: Option<u32>,
    /// Events as they came.
    events: Option<u32>,
    /// Why somebody was contacted, or not.
    decision_logs: Option<u32>,
    /// Files of the outbox.
    outbox: Option<u32>,
    /// What other systems were told.
    webhooks: Option<u32>,
}

/// What a run deleted, or would delete.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RetentionReport {
    /// Whether it only looked.
    dry_run: bool,
    /// The periods it went by.
    periods: Periods,
    /// Contacts of which it is not known any more what was said.
    messages: u64,
    /// Contacts that are gone.
    contacts: u64,
    /// Held-out customers that are gone.
    held_out: u64,
    /// Batches of events that are gone.
    event_batches: u64,
    /// Plans that cannot be explained or replayed any more.
    plans: u64,
    /// Files of the outbox that are gone.
    outbox_files: u64,
    /// What other systems were told, gone.
    webhook_events: u64,
    /// Prompts of which it is not known any more what was said; absent in runs of before they were counted, as are calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<u64>,
    /// Calls that are gone, with the prompts that were shown in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<u64>,
    /// Old calls in which something was declined that would be shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    calls_kept: Option<u64>,
    /// What is old and stays, and why.
    kept: Vec<KeptContacts>,
}

/// Old contacts that stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KeptContacts {
    /// Whose.
    campaign: String,
    /// How many.
    contacts: u64,
    /// open-occasions, replay, budget, goal-window or evaluation.
    because: String,
}

/// A run as it was kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RetentionRun {
    /// Number.
    run: i64,
    /// When, Unix milliseconds.
    at: i64,
    /// By whom; `host` for the daily one.
    by: String,
    /// What went and what stayed.
    report: RetentionReport,
}
