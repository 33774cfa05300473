//! Answers about what plans stand on: populations, tables, lists, policies.

use super::live::Words;
use super::policy::PolicyDocument;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A snapshot of the population in a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Population {
    /// Its digest.
    population: String,
    /// Business date.
    #[schema(format = Date)]
    date: String,
    /// Customers.
    customers: u64,
    /// Who imported it.
    by: String,
}

/// A snapshot of the population.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PopulationShown {
    /// Its digest.
    population: String,
    /// Business date.
    #[schema(format = Date)]
    date: String,
    /// Customers.
    customers: u64,
    /// Its fields, each with its type; `/v1/fields` describes them.
    fields: BTreeMap<String, String>,
    /// Where it comes from.
    source: String,
}

/// A population that was imported or made up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Imported {
    /// The snapshot's digest.
    snapshot: String,
    /// Customers.
    imported: u64,
    /// Cells that have no value.
    bad_cells: u64,
    /// Rows that were kept aside.
    rejected: u64,
    /// Where they are listed; nothing over HTTP.
    rejects: Option<String>,
    /// The first things that were wrong.
    first_faults: Vec<Fault>,
}

/// Something that was wrong in a file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Fault {
    /// Line.
    line: u64,
    /// Field.
    field: String,
    /// As it stood there; empty where it could identify somebody.
    value: String,
    /// What is wrong with it.
    reason: String,
}

/// A reference table.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Table {
    /// Its name.
    table: String,
    /// Digest of its content.
    digest: String,
}

/// A reference table that was set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TableSet {
    /// Its name.
    table: String,
    /// Its rows.
    rows: u64,
}

/// What somebody did.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Deed {
    /// Who.
    person: String,
    /// When, Unix milliseconds.
    at: i64,
}

/// A version of the contact policy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Policy {
    /// Its number.
    policy: i64,
    /// What it is called.
    name: String,
    /// Its digest.
    digest: String,
    /// What was in force when it was written.
    base: String,
    /// What is changed, and why.
    note: String,
    /// Whether it is in force.
    in_force: bool,
    /// Where it stands.
    state: String,
    /// Who proposed it, and when.
    author: Deed,
    /// Who decided, and when.
    decider: Option<Deed>,
    /// Why it was refused.
    reason: String,
    /// The whole document, where one version is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<PolicyDocument>,
}

/// The field dictionary.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FieldDictionary {
    /// Every field by its name.
    fields: BTreeMap<String, FieldDefinition>,
}

/// What is known of a field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FieldDefinition {
    /// Type with unit: fen, instant, count, small, date, ratio, boolean, category or text.
    r#type: String,
    /// public, internal, personal or sensitive.
    sensitivity: String,
    /// Stages in which an activity may ask for it: select, schedule, compose, observe.
    stages: Vec<String>,
    /// A short name.
    title: Words,
    /// What it means exactly.
    description: Words,
    /// The values of a category; any when empty.
    values: Vec<String>,
    /// Least value of a number.
    minimum: Option<f64>,
    /// Greatest value of a number.
    maximum: Option<f64>,
}

/// A named list of customers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NamedList {
    /// Its name.
    list: String,
    /// Who answers for it.
    owner: String,
    /// Last business date on which it may be used.
    #[schema(format = Date)]
    expires: String,
}

/// A named list that was set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ListSet {
    /// Its name.
    list: String,
    /// Customers on it.
    members: u64,
    /// Numbers that match nobody, by their place from 1.
    unmatched: Vec<u64>,
}

/// Which days are off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Calendars {
    /// By year.
    items: Vec<CalendarKnown>,
}

/// The calendar of a year.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CalendarKnown {
    /// The year.
    year: i16,
    /// Its digest.
    digest: String,
    /// Days that it lists.
    days: i64,
    /// Who imported it.
    by: String,
    /// When, Unix milliseconds.
    at: i64,
}

/// Calendars that were imported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CalendarsImported {
    /// Of which years.
    years: Vec<i16>,
}
