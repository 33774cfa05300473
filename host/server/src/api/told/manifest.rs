//! What an activity asks for and what it was granted, as answers hold them.

use super::live::Words;
use super::reference::Deed;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Everything an activity asks for and may ever say: the document that `activity.toml` becomes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Manifest {
    /// Its name.
    #[schema(example = "birthday")]
    name: String,
    /// Its version.
    version: String,
    /// The version of the contract that it was built for.
    wit: String,
    /// activity, or model.
    world: String,
    /// What people call it.
    title: Words,
    /// What it does, in a sentence.
    summary: Words,
    /// Entries of the catalogue that it answers.
    catalogue: Vec<String>,
    /// acquisition, growth, maturity and decline; all when empty.
    life_stages: Vec<String>,
    /// Whose it is, by administrative code.
    owner_region: String,
    /// When it is asked.
    triggers: Triggers,
    /// Fields that it reads, by stage: select, schedule, compose and observe.
    fields: BTreeMap<String, Vec<FieldUse>>,
    /// Columns of reference tables that it reads, each with its type.
    tables: BTreeMap<String, BTreeMap<String, String>>,
    /// What may be set when a campaign is started: a JSON Schema.
    #[schema(value_type = Object)]
    params: Value,
    /// The field that a model fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// Why a customer may be chosen.
    reasons: Vec<Reason>,
    /// What may be said.
    templates: Vec<Template>,
    /// What templates leave open.
    slots: Vec<Slot>,
    /// Outcomes that end a waiting contact.
    cancel_on: Vec<String>,
    /// disaster, safety, service, care or commercial.
    class: String,
    /// Its weight in arbitration.
    weight: u16,
    /// Its own cap.
    cap: Cap,
    /// Attempts at an unreachable customer.
    rounds: u8,
    /// What it is for.
    goal: Goal,
    /// What its own count reports.
    metrics: Vec<String>,
    /// Its word on each principle of the gate.
    principles: Principles,
    /// What it may use up.
    limits: Limits,
}

/// When an activity is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Triggers {
    /// When plans are due.
    cron: Option<String>,
    /// Types of events.
    events: Vec<String>,
    /// Whether at the desk and on the line.
    touchpoint: bool,
    /// Whether plans are asked for by hand alone.
    by_hand: bool,
}

/// A field that is read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FieldUse {
    /// Its name.
    name: String,
    /// Its type with its unit, as `/v1/fields` has it.
    r#type: String,
    /// Whether it may have no value.
    optional: bool,
}

/// Why a customer may be chosen.
#[derive(Deserialize, ToSchema)]
#[schema(as = ContactReason)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Reason {
    /// Its name.
    name: String,
    /// What people call it.
    title: Words,
    /// Templates that it may use.
    templates: Vec<String>,
    /// Channels in order of preference.
    channels: Vec<String>,
    /// The most messages of a contact.
    max_messages: u8,
}

/// Something that may be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Template {
    /// Its name.
    name: String,
    /// customer, close-contacts, information-systems, key-accounts or customer-service.
    addressee: String,
    /// What a department is asked to do, where it goes to one.
    action: Option<Action>,
    /// The words, by channel.
    bodies: BTreeMap<String, Words>,
}

/// What a department is asked to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Action {
    /// credit-rating, fee-waiver, escalation or business-opportunity.
    request: String,
    /// The rating, of credit-rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u32>,
}

/// What templates leave open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Slot {
    /// Its name.
    name: String,
    /// What it may hold.
    kind: SlotKind,
}

/// What a slot may hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SlotKind {
    /// money, date, number, choice or entry.
    r#type: String,
    /// Least value, of money (in fen) and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<i64>,
    /// Greatest value, of money (in fen) and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
    /// The words of each value, of choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<BTreeMap<String, Words>>,
    /// The reference table, of entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
}

/// So many contacts in so many days.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Cap {
    /// Contacts.
    #[schema(minimum = 1)]
    contacts: u32,
    /// Days.
    #[schema(minimum = 1, maximum = 400)]
    days: u32,
}

/// What an activity is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Goal {
    /// The outcome kind that counts.
    outcome: String,
    /// Within so many days after a contact.
    window_days: u32,
    /// more, or fewer.
    better: String,
    /// Whether it is a sale.
    sale: bool,
}

/// An author's word on each principle of the gate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Principles {
    /// 主动性.
    proactive: Words,
    /// 客户导向.
    customer_oriented: Words,
    /// 可行性.
    feasible: Words,
    /// 实用性.
    useful: Words,
    /// 重要性.
    important: Words,
    /// 创新性.
    innovative: Words,
}

/// What a plugin may use up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Limits {
    /// Fuel of a call.
    fuel_base: u64,
    /// Fuel of a customer on top.
    fuel_per_row: u64,
    /// Memory, in MiB.
    memory_mib: u32,
}

/// What the province granted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Approval {
    /// Digest of the component.
    component: String,
    /// Digest of the manifest.
    manifest: String,
    /// The activity.
    activity: String,
    /// Its version.
    version: String,
    /// disaster, safety, service, care or commercial.
    class: String,
    /// Weight in arbitration.
    weight: u16,
    /// Its cap.
    cap: Cap,
    /// Regions, by administrative code; everywhere when empty.
    regions: Vec<String>,
    /// To whom it may go.
    addressees: Vec<String>,
    /// Share of customers, in parts of 10,000.
    share: u16,
    /// What it may use up.
    limits: Limits,
    /// What may be set when a campaign is started: a JSON Schema.
    #[schema(value_type = Object)]
    params: Value,
    /// First business date, in days since 1970.
    from: Option<i32>,
    /// Last business date, in days since 1970.
    until: Option<i32>,
    /// Requests to departments that it may make.
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<String>>,
    /// What its contacts may cost in all, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_fen: Option<u64>,
    /// Where and how long a duty officer may activate it.
    #[serde(skip_serializing_if = "Option::is_none")]
    standby: Option<Standby>,
    /// Digest of the approval that a variant rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// Principles that its approver ticked.
    #[serde(skip_serializing_if = "Option::is_none")]
    principles: Option<Vec<String>>,
    /// Digest of the evidence.
    evidence: String,
    /// Who granted it; empty in what is proposed.
    approved_by: String,
    /// When, Unix milliseconds.
    approved_at: i64,
    /// The second person, where its reach asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Deed>,
}

/// Bounds of an activation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Standby {
    /// Administrative codes in which an area may lie.
    areas: Vec<String>,
    /// The longest activation, in days.
    #[schema(minimum = 1, maximum = 366)]
    days: u16,
}

/// Other parameters, words, dates or another region of an approved activity; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Variant {
    /// The approved activity.
    activity: String,
    /// Its version.
    version: String,
    /// Its own name, which becomes the version's build metadata: `1.0.0+xiamen`.
    name: String,
    /// Whose it is, by administrative code; its customers come from there alone.
    owner_region: String,
    /// Another title.
    title: Option<Words>,
    /// Another summary.
    summary: Option<Words>,
    /// Other defaults of parameters, by name.
    #[schema(value_type = Option<Object>)]
    params: Option<Value>,
    /// Other words, by template and channel.
    wording: Option<BTreeMap<String, BTreeMap<String, Words>>>,
    /// First business date.
    #[schema(format = Date)]
    from: Option<String>,
    /// Last business date.
    #[schema(format = Date)]
    until: Option<String>,
}
