//! What the author of a model writes: one value for each customer, a column of the snapshots to come.

use crate::activity::Run;
use crate::batch::CUSTOMERS;
use crate::declaration::Declaration;
use crate::host::{Host, Imported};
use crate::model_bindings::exports::care::activity::derivation;
use crate::row::{Row, Tables};
use crate::units::{Date, Instant};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A model (world `model`): it adds one column to a snapshot. Every call prepares it afresh.
pub trait Model: Sized {
    /// Its parameters, as the manifest's schema describes them.
    type Params: DeserializeOwned;
    /// Reference tables.
    type Tables: Tables;
    /// What is known of a customer; a row that lacks a required value has no value.
    type Input: Row;

    /// Makes ready for one call. An error ends the call and is shown to the author.
    fn prepare(params: Self::Params, tables: Self::Tables, run: Run) -> Result<Self, String>;
    /// The customer's value: a number, or the place of a category among the dictionary's values, from 0.
    fn derive(&self, who: &Self::Input) -> Option<f64>;
}

/// A model as a component of the world `model`; `export_model!` makes it.
pub struct ModelComponent<M>(PhantomData<M>);

impl<M: Model> derivation::Guest for ModelComponent<M> {
    fn derive() -> Result<Vec<f64>, String> {
        derive::<M>(&Imported)
    }
}

/// `derivation.derive` over any host.
pub fn derive<M: Model>(host: &impl Host) -> Result<Vec<f64>, String> {
    let params =
        serde_json::from_str(&host.params()).map_err(|e| format!("the parameters do not fit the code: {e}"))?;
    let run = Run { today: Date(host.today()), now: Instant(host.now()) };
    let model = M::prepare(params, M::Tables::fetch(host)?, run)?;
    let columns = M::Input::fetch(host);
    let value = |row| M::Input::read(&columns, row as usize).and_then(|who| model.derive(&who)).unwrap_or(f64::NAN);
    Ok((0..host.rows(CUSTOMERS)).map(value).collect())
}

/// What the code of a model declares.
pub const fn model_declaration<M: Model>() -> Declaration {
    Declaration::of_model(M::Input::FIELDS, M::Tables::DECLARED)
}
