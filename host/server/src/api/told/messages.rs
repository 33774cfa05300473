//! Answers about staff and what is said, and about models and experiments.

use super::learnt::Rejected;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A member of staff.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Staff {
    /// What the member is called here.
    name: String,
    /// Mobile number, masked.
    msisdn: String,
    /// E-mail address, masked.
    email: String,
    /// Whether a copy of whatever campaigns send goes to them.
    seed: bool,
}

/// A member of staff who was registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct StaffRegistered {
    /// What the member is called here.
    name: String,
    /// Whether copies go to them.
    seed: bool,
}

/// What a submission would say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Previews {
    /// Its number.
    submission: i64,
    /// Every template on every channel in both languages.
    previews: Vec<Preview>,
}

/// A template on a channel in a language.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Preview {
    /// The template.
    template: String,
    /// To whom it goes.
    addressee: String,
    /// The channel.
    channel: String,
    /// The language.
    language: String,
    /// As it is read, with example values.
    text: String,
    /// The same with the values that read longest.
    longest: String,
    /// What it comes to as a short message, with the example values and at its longest; null on other channels.
    sms: Option<(Segments, Segments)>,
}

/// What a text comes to as a short message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Segments {
    /// The narrower encoding that holds every character.
    encoding: String,
    /// Characters of that encoding.
    units: u32,
    /// Segments that are sent and paid for.
    segments: u32,
}

/// A message to a member of staff.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Aside {
    /// test or seed.
    kind: String,
    /// The submission, or the campaign.
    subject: String,
    /// The template.
    template: String,
    /// The channel.
    channel: String,
    /// The language.
    language: String,
    /// To whom.
    staff: String,
    /// Who asked for it.
    person: String,
    /// When, Unix milliseconds.
    at: i64,
    /// What the gateway answered; empty when nobody knows.
    answer: String,
    /// Why.
    note: String,
}

/// Test messages that were sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TestsSent {
    /// The submission.
    submission: i64,
    /// Each of them.
    sent: Vec<TestSent>,
}

/// A test message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TestSent {
    /// Template.
    template: String,
    /// Language.
    language: String,
    /// To whom.
    staff: String,
    /// accepted, or why not.
    answer: String,
    /// More about it; empty when it was accepted.
    note: String,
}

/// What a model added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ModelRun {
    /// The population with the column.
    snapshot: String,
    /// What it was derived from.
    base: String,
    /// The model's version.
    version: String,
    /// The column.
    column: String,
    /// Customers.
    customers: u64,
    /// Customers by value, where values are named.
    values: BTreeMap<String, u64>,
    /// Customers without a value, by why.
    faults: BTreeMap<String, u64>,
}

/// An experiment that was registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ExperimentImported {
    /// Its name.
    experiment: String,
    /// What can be evaluated.
    campaigns: Vec<String>,
    /// Customers that this call added.
    added: u64,
    /// Customers by arm.
    arms: BTreeMap<String, u64>,
    /// Lines left out, with the reason.
    rejected: Vec<Rejected>,
}
