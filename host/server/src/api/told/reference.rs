//! Answers about what plans stand on: populations, tables, lists, policies.

use serde::Deserialize;
use serde_json::{Map, Value};
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
    #[schema(value_type = Option<Object>)]
    document: Option<Map<String, Value>>,
}
