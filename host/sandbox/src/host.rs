//! What a guest may reach: the functions of `care:activity/{tables,run}` and the rules of access. What a function does
//! is written once; each version of the contract has an adapter that links the functions it has.

use crate::contract::interface;
use crate::fault::{Broken, Fault, FaultCode, MachineError};
use crate::join;
use crate::limiter::Limiter;
use crate::list::{List, TextsOut};
use crate::trace::{MAX_STEPS, Step};
use care_domain::column::{Column, Shared, Table, Values};
use care_domain::field::{FieldType, Stage, Wire};
use care_domain::manifest::{Limits, Manifest};
use care_domain::render::Labels;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance, Lower};

/// What a guest and the host may exchange through imports in one call, in bytes: 4,096 columns of a batch of
/// 8,192 money fields. Fuel pays for what the guest does, not for what the host copies for it.
const MAX_TRAFFIC: u64 = 256 << 20;
/// What one call of an import costs of it beside its bytes, so that a loop of empty calls ends too.
const CALL_COST: u64 = 64;
/// How much a guest may say to its author: lines, and characters of each.
pub(crate) const MAX_LOG_LINES: usize = 100;
const MAX_LOG_CHARS: usize = 500;

/// The only facts about the world that a guest sees beside its tables.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// The business date in the province's time zone, days since 1970-01-01.
    pub today: i32,
    /// The run's fixed instant, Unix milliseconds.
    pub now: i64,
    /// The campaign's parameters, JSON.
    pub params: Arc<str>,
}

/// What the approval lets a guest read, say and use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Grants {
    /// The approved manifest: names the fields of each stage, reference tables, reasons, templates and slots.
    pub manifest: Arc<Manifest>,
    /// Resources granted, at most those asked for.
    pub limits: Limits,
    /// The reference tables that the manifest names.
    pub tables: Arc<BTreeMap<String, Table>>,
    /// The labels of their entries, for slots of kind `entry`.
    pub labels: Arc<Labels>,
}

/// The host's side of a store.
pub(crate) struct State {
    pub(crate) stage: Stage,
    pub(crate) facts: RunFacts,
    pub(crate) grants: Grants,
    pub(crate) limiter: Limiter,
    /// The batch of the call at hand; `merge` and `report` have none.
    pub(crate) batch: Option<Table>,
    pub(crate) log: Vec<String>,
    /// What was asked, where somebody wants to know.
    pub(crate) steps: Option<Vec<Step>>,
    traffic_left: u64,
}

impl State {
    pub(crate) fn new(stage: Stage, facts: RunFacts, grants: Grants, log: Vec<String>, traces: bool) -> Self {
        let limiter = Limiter::new(grants.limits.memory_mib);
        Self {
            stage,
            facts,
            grants,
            limiter,
            batch: None,
            log,
            steps: traces.then(Vec::new),
            traffic_left: MAX_TRAFFIC,
        }
    }

    pub(crate) fn begin(&mut self, batch: Option<Table>) {
        self.batch = batch;
        self.traffic_left = MAX_TRAFFIC;
    }

    fn batch_name(&self) -> &'static str {
        if self.stage == Stage::Observe { "outcomes" } else { "customers" }
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Fault> {
        let cost = CALL_COST + bytes as u64;
        self.traffic_left = self.traffic_left.checked_sub(cost).ok_or_else(|| {
            let message =
                format!("the call exchanges more than {} MiB with the host; read each column once", MAX_TRAFFIC >> 20);
            Fault::new(FaultCode::TooMuchTraffic, message)
        })?;
        Ok(())
    }

    fn rows(&self, table: &str) -> Result<u32, Broken> {
        if table == self.batch_name() {
            let batch = self.batch.as_ref().ok_or_else(|| self.not_granted(table, None))?;
            return Ok(batch.rows);
        }
        if !self.grants.manifest.tables.contains_key(table) {
            return Err(self.not_granted(table, None).into());
        }
        let found = self.grants.tables.get(table).map(|t| t.rows);
        found.ok_or_else(|| MachineError::Misuse(format!("the engine supplied no table {table:?}")).into())
    }

    /// The column, if the manifest names the field for the running stage.
    fn column(&self, table: &str, field: &str) -> Result<(FieldType, &Column), Broken> {
        let manifest = &self.grants.manifest;
        let not_granted = || self.not_granted(table, Some(field));
        let (ty, supplied) = if table == self.batch_name() {
            let batch = self.batch.as_ref().ok_or_else(not_granted)?;
            let named = manifest.fields_of(self.stage).iter().find(|f| f.name == field);
            (named.ok_or_else(not_granted)?.ty, Some(batch))
        } else {
            let named = manifest.tables.get(table).and_then(|fields| fields.get(field));
            (*named.ok_or_else(not_granted)?, self.grants.tables.get(table))
        };
        let column = supplied.and_then(|t| t.columns.get(field)).filter(|c| wire_of(&c.values) == ty.wire());
        let missing = || MachineError::NotSupplied { table: table.into(), field: field.into() };
        Ok((ty, column.ok_or_else(missing)?))
    }

    fn not_granted(&self, table: &str, field: Option<&str>) -> Fault {
        let what = match field {
            Some(field) => format!("field {field:?} of table {table:?}"),
            None => format!("table {table:?}"),
        };
        let stage = self.stage.name();
        Fault::new(
            FaultCode::FieldNotGranted,
            format!("it reads {what} in {stage}, where the approval does not name it"),
        )
    }
}

fn wire_of(values: &Values) -> Wire {
    match values {
        Values::S64(_) => Wire::S64,
        Values::S32(_) => Wire::S32,
        Values::F64(_) => Wire::F64,
        Values::Boolean(_) => Wire::Boolean,
        Values::Codes { .. } => Wire::Codes,
        Values::Texts { .. } => Wire::Texts,
    }
}

type Asked = (String, String);

/// Notes what a guest asks, where somebody wants to know. `parts` are the function and what it asks for.
fn note(store: &mut StoreContextMut<'_, State>, parts: &[&str]) {
    if !matches!(&store.data().steps, Some(steps) if steps.len() < MAX_STEPS) {
        return;
    }
    // Fuel is on, or the store could not have been made.
    let fuel_left = store.get_fuel().unwrap_or(0);
    if let Some(steps) = &mut store.data_mut().steps {
        steps.push(Step { asked: parts.join(" "), fuel_left });
    }
}

/// Everything a guest of 1.0.0 can link to. No WASI, on purpose.
pub(crate) fn link_1_0(linker: &mut Linker<State>, version: &str) -> wasmtime::Result<()> {
    link_run(&mut linker.instance(&interface("run", version))?)?;
    link_tables(&mut linker.instance(&interface("tables", version))?)
}

/// 1.1.0 has one function more, `rows-of`.
pub(crate) fn link_1_1(linker: &mut Linker<State>, version: &str) -> wasmtime::Result<()> {
    link_run(&mut linker.instance(&interface("run", version))?)?;
    let mut tables = linker.instance(&interface("tables", version))?;
    link_tables(&mut tables)?;
    tables.func_wrap("rows-of", |mut store: StoreContextMut<'_, State>, asked: (String, String, String)| {
        note(&mut store, &["rows-of", &asked.0, &asked.1]);
        Ok((rows_of(store.data_mut(), &asked).map_err(stop)?,))
    })
}

fn link_tables(tables: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    tables.func_wrap("rows", |mut store: StoreContextMut<'_, State>, (table,): (String,)| {
        note(&mut store, &["rows", &table]);
        let state = store.data_mut();
        state.charge(table.len()).map_err(stop)?;
        Ok((state.rows(&table).map_err(stop)?,))
    })?;
    list(tables, "s64s", |values| if let Values::S64(v) = values { Some(v.clone()) } else { None })?;
    list(tables, "s32s", |values| if let Values::S32(v) = values { Some(v.clone()) } else { None })?;
    list(tables, "f64s", |values| if let Values::F64(v) = values { Some(v.clone()) } else { None })?;
    list(tables, "booleans", |values| if let Values::Boolean(v) = values { Some(v.clone()) } else { None })?;
    list(tables, "codes", |values| if let Values::Codes { codes, .. } = values { Some(codes.clone()) } else { None })?;
    tables.func_wrap("categories", |mut store: StoreContextMut<'_, State>, asked: Asked| {
        note(&mut store, &["categories", &asked.0, &asked.1]);
        let pick = |c: &Column| {
            if let Values::Codes { categories, .. } = &c.values { Some(Arc::clone(categories)) } else { None }
        };
        let size = |found: &Arc<[String]>| found.iter().map(|c| c.len() + 8).sum();
        Ok((hand_over(store.data_mut(), &asked, "categories", pick, size)?,))
    })?;
    tables.func_wrap("texts-of", |mut store: StoreContextMut<'_, State>, asked: Asked| {
        note(&mut store, &["texts-of", &asked.0, &asked.1]);
        let pick = |c: &Column| {
            let Values::Texts { offsets, bytes } = &c.values else { return None };
            Some(TextsOut { offsets: List(offsets.clone()), bytes: List(bytes.clone()) })
        };
        let size = |found: &TextsOut| found.offsets.0.len() * 4 + found.bytes.0.len();
        Ok((hand_over(store.data_mut(), &asked, "texts-of", pick, size)?,))
    })?;
    tables.func_wrap("present", |mut store: StoreContextMut<'_, State>, asked: Asked| {
        note(&mut store, &["present", &asked.0, &asked.1]);
        let pick = |c: &Column| Some(List(c.present.clone().unwrap_or_else(|| Vec::new().into())));
        Ok((hand_over(store.data_mut(), &asked, "present", pick, |found| found.0.len())?,))
    })
}

/// The row of a reference table for each row of the batch.
fn rows_of(state: &mut State, (field, table, key): &(String, String, String)) -> Result<Vec<u32>, Broken> {
    let batch = state.batch_name();
    if table == batch {
        // Who else is in the batch is chance: nobody is matched with them.
        return Err(state.not_granted(table, Some(key)).into());
    }
    let (field_type, of) = state.column(batch, field)?;
    let (key_type, within) = state.column(table, key)?;
    if !join::comparable(field_type, key_type) {
        let (field_type, key_type) = (field_type.name(), key_type.name());
        let message = format!(
            "field {field:?} of table {batch:?} is {field_type} and field {key:?} of table {table:?} is {key_type}, \
             which \"rows-of\" does not compare"
        );
        return Err(Fault::new(FaultCode::WrongType, message).into());
    }
    // A clone of a column is a few pointers; paid for before it is done.
    let (of, within) = (of.clone(), within.clone());
    let names = field.len() + table.len() + key.len();
    state.charge(names + size_of::<u32>() * of.rows() + join::size(&of) + join::size(&within))?;
    Ok(join::rows_of(&of, &within))
}

/// A function that hands a plain column over.
fn list<T>(
    tables: &mut LinkerInstance<'_, State>,
    name: &'static str,
    pick: fn(&Values) -> Option<Shared<T>>,
) -> wasmtime::Result<()>
where
    T: Lower + 'static,
{
    tables.func_wrap(name, move |mut store: StoreContextMut<'_, State>, asked: Asked| {
        note(&mut store, &[name, &asked.0, &asked.1]);
        let found = hand_over(store.data_mut(), &asked, name, |c| pick(&c.values), |found| size_of_val::<[T]>(found))?;
        Ok((List(found),))
    })
}

/// Finds what was asked for, or why the guest may not have it, and charges for it.
fn hand_over<R>(
    state: &mut State,
    (table, field): &Asked,
    function: &str,
    pick: impl Fn(&Column) -> Option<R>,
    size: impl Fn(&R) -> usize,
) -> wasmtime::Result<R> {
    let (ty, column) = state.column(table, field).map_err(stop)?;
    let found = pick(column).ok_or_else(|| {
        let message = format!("field {field:?} of table {table:?} is {}, which {function:?} does not read", ty.name());
        stop(Fault::new(FaultCode::WrongType, message))
    })?;
    state.charge(table.len() + field.len() + size(&found)).map_err(stop)?;
    Ok(found)
}

fn link_run(run: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    run.func_wrap("today", |mut store: StoreContextMut<'_, State>, (): ()| {
        note(&mut store, &["today"]);
        store.data_mut().charge(0).map_err(stop)?;
        Ok((store.data().facts.today,))
    })?;
    run.func_wrap("now", |mut store: StoreContextMut<'_, State>, (): ()| {
        note(&mut store, &["now"]);
        store.data_mut().charge(0).map_err(stop)?;
        Ok((store.data().facts.now,))
    })?;
    run.func_wrap("params", |mut store: StoreContextMut<'_, State>, (): ()| {
        note(&mut store, &["params"]);
        let params = Arc::clone(&store.data().facts.params);
        store.data_mut().charge(params.len()).map_err(stop)?;
        Ok((params,))
    })?;
    run.func_wrap("log", |mut store: StoreContextMut<'_, State>, (line,): (String,)| {
        note(&mut store, &["log", &line]);
        let state = store.data_mut();
        state.charge(line.len()).map_err(stop)?;
        if state.log.len() < MAX_LOG_LINES {
            state.log.push(line.chars().take(MAX_LOG_CHARS).collect());
        }
        Ok(())
    })
}

/// An error that ends the call and is found again by `fault::of_call`.
fn stop(broken: impl Into<Broken>) -> wasmtime::Error {
    wasmtime::Error::new(broken.into())
}
