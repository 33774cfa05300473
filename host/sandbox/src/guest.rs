//! One guest: a store for one (task, plugin, stage), its calls, and what they may cost.

use crate::answer::{
    MAX_METRICS, MAX_STATE_BYTES, Metric, Moments, Selection, check_derived, check_metrics, check_state,
};
use crate::engine::{Compiled, TICK};
use crate::fault::{self, Broken, Fault, FaultCode, MachineError};
use crate::host::{Grants, RunFacts, State};
use crate::message::{Message, RawMessages};
use crate::trace::{self, Frame, Step};
use crate::usage::Usage;
use care_domain::column::Table;
use care_domain::field::Stage;
use care_domain::manifest::Limits;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower};

/// What any answer may weigh beside its rows, in bytes: a refusal's words, list headers.
const OUTPUT_BASE: usize = 64 << 10;
/// Bytes of the answers to `select` and `schedule` for one row.
const SELECTION_BYTES: usize = 4 + 2 + 8 + 4;
const MOMENTS_BYTES: usize = 8 + 8;
/// Bytes of a model's answer for one row.
const DERIVED_BYTES: usize = 8;
/// Bytes that one slot of one message may take: canonical values are numbers and short keys.
const SLOT_BYTES: usize = 4 + 64;
/// Bytes that one metric may take, its two names included.
const METRIC_BYTES: usize = 512;
/// A fold's work grows with its state: so many bytes of state get the fuel of one row.
const STATE_BYTES_PER_ROW: usize = 64;

/// An activity at work on one stage of one task, or a model on one bucket. Not for two threads at once: make two.
pub struct Guest {
    plugin: Arc<Compiled>,
    stage: Stage,
    facts: RunFacts,
    grants: Grants,
    /// Made by the first call, thrown away after a fault.
    live: Option<Live>,
    /// The lines of stores thrown away.
    log: Vec<String>,
    /// What the store thrown away last was asked for.
    steps: Vec<Step>,
    usage: Usage,
    /// Where the last call that broke stood, innermost first.
    trace: Vec<Frame>,
}

struct Live {
    store: Store<State>,
    instance: Instance,
}

/// What one call gets.
struct Call {
    batch: Option<Table>,
    /// How many rows' worth of fuel.
    rows: u64,
    /// Most bytes of the answer.
    output: usize,
}

impl Guest {
    pub(crate) fn new(plugin: Arc<Compiled>, stage: Stage, facts: RunFacts, grants: Grants) -> Self {
        Self {
            plugin,
            stage,
            facts,
            grants,
            live: None,
            log: Vec::new(),
            steps: Vec::new(),
            usage: Usage::default(),
            trace: Vec::new(),
        }
    }

    /// Tells it other facts of the run, from its next call on.
    pub fn tell(&mut self, facts: RunFacts) {
        if let Some(live) = &mut self.live {
            live.store.data_mut().facts = facts.clone();
        }
        self.facts = facts;
    }

    /// Chooses customers from a batch.
    pub fn select(&mut self, customers: Table) -> Result<Selection, Broken> {
        self.expect(Stage::Select)?;
        let rows = customers.rows;
        let output = OUTPUT_BASE + rows as usize * SELECTION_BYTES;
        let call = Call { batch: Some(customers), rows: rows.into(), output };
        let plugin = Arc::clone(&self.plugin);
        let selection: Selection = self.call(&plugin.activity()?.select, (), call)?;
        let checked = selection.check(rows, &self.grants.manifest);
        self.checked(checked.map(|()| selection))
    }

    /// When to contact the selected customers; `reasons` has one entry a row.
    pub fn schedule(&mut self, customers: Table, reasons: &[u16]) -> Result<Moments, Broken> {
        self.expect(Stage::Schedule)?;
        expect_reasons(&customers, reasons)?;
        let rows = customers.rows;
        let output = OUTPUT_BASE + rows as usize * MOMENTS_BYTES;
        let call = Call { batch: Some(customers), rows: rows.into(), output };
        let plugin = Arc::clone(&self.plugin);
        let moments: Moments = self.call(&plugin.activity()?.schedule, (reasons,), call)?;
        let checked = moments.check(rows);
        self.checked(checked.map(|()| moments))
    }

    /// What to say to the selected customers; `reasons` has one entry a row. Messages come in the order of rows.
    pub fn compose(&mut self, customers: Table, reasons: &[u16]) -> Result<Vec<Message>, Broken> {
        self.expect(Stage::Compose)?;
        expect_reasons(&customers, reasons)?;
        let manifest = Arc::clone(&self.grants.manifest);
        let most = |reason: &u16| manifest.reason(*reason).map_or(0, |r| usize::from(r.max_messages));
        let messages: usize = reasons.iter().map(most).sum();
        let output = OUTPUT_BASE + messages * (4 + 2 + manifest.slots.len() * SLOT_BYTES);
        let call = Call { rows: customers.rows.into(), batch: Some(customers), output };
        let plugin = Arc::clone(&self.plugin);
        let raw: RawMessages = self.call(&plugin.activity()?.compose, (reasons,), call)?;
        let checked = raw.check(reasons, &manifest, &self.grants.labels);
        self.checked(checked)
    }

    /// The column that a model adds, one value a row; NaN is no value.
    pub fn derive(&mut self, customers: Table) -> Result<Vec<f64>, Broken> {
        self.expect(Stage::Select)?;
        let rows = customers.rows;
        let call =
            Call { rows: rows.into(), output: OUTPUT_BASE + rows as usize * DERIVED_BYTES, batch: Some(customers) };
        let plugin = Arc::clone(&self.plugin);
        let derived: Vec<f64> = self.call(plugin.model()?, (), call)?;
        let checked = check_derived(&derived, rows);
        self.checked(checked.map(|()| derived))
    }

    /// Folds a batch of outcomes into a state; an empty one begins.
    pub fn observe(&mut self, outcomes: Table, state: &[u8]) -> Result<Vec<u8>, Broken> {
        self.expect(Stage::Observe)?;
        let rows = u64::from(outcomes.rows) + state_rows(state);
        let plugin = Arc::clone(&self.plugin);
        self.fold(&plugin.activity()?.observe, (state,), Some(outcomes), rows)
    }

    /// Joins two states.
    pub fn merge(&mut self, left: &[u8], right: &[u8]) -> Result<Vec<u8>, Broken> {
        self.expect(Stage::Observe)?;
        let plugin = Arc::clone(&self.plugin);
        self.fold(&plugin.activity()?.merge, (left, right), None, state_rows(left) + state_rows(right))
    }

    /// Reads the metrics off a state.
    pub fn report(&mut self, state: &[u8]) -> Result<Vec<Metric>, Broken> {
        self.expect(Stage::Observe)?;
        let call = Call { batch: None, rows: state_rows(state), output: OUTPUT_BASE + MAX_METRICS * METRIC_BYTES };
        let plugin = Arc::clone(&self.plugin);
        let metrics: Vec<Metric> = self.call(&plugin.activity()?.report, (state,), call)?;
        let checked = check_metrics(&metrics, &self.grants.manifest);
        self.checked(checked.map(|()| metrics))
    }

    /// What the guest said to its author, over all its stores: at most 100 lines of 500 characters.
    pub fn log(&self) -> &[String] {
        self.live.as_ref().map_or(&self.log, |live| &live.store.data().log)
    }

    /// The same lines, which are forgotten here so that what follows stands alone.
    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(self.live.as_mut().map_or(&mut self.log, |live| &mut live.store.data_mut().log))
    }

    /// What its calls used, those that broke included.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Where the last call that broke stood, innermost first; empty unless the sandbox keeps traces.
    pub fn trace(&self) -> &[Frame] {
        &self.trace
    }

    /// Fuel that its last call had left; 0 where it has no store.
    pub fn fuel_left(&self) -> u64 {
        self.live.as_ref().map_or(0, |live| live.store.get_fuel().unwrap_or(0))
    }

    /// What its last store was asked for, call after call; empty unless the sandbox keeps traces.
    pub fn steps(&self) -> &[Step] {
        self.live.as_ref().map_or(&self.steps, |live| live.store.data().steps.as_deref().unwrap_or_default())
    }

    fn expect(&self, stage: Stage) -> Result<(), MachineError> {
        if self.stage == stage {
            return Ok(());
        }
        Err(MachineError::Misuse(format!("a guest for {} was asked to {}", self.stage.name(), stage.name())))
    }

    fn fold<P>(
        &mut self,
        export: &ComponentExportIndex,
        params: P,
        batch: Option<Table>,
        rows: u64,
    ) -> Result<Vec<u8>, Broken>
    where
        P: ComponentNamedList + Lower,
    {
        let call = Call { batch, rows, output: OUTPUT_BASE + MAX_STATE_BYTES };
        let state: Vec<u8> = self.call(export, params, call)?;
        self.checked(check_state(&state).map(|()| state))
    }

    /// Calls an export with fresh fuel, deadline and caps. A store in which anything went wrong is not used again.
    fn call<P, R>(&mut self, export: &ComponentExportIndex, params: P, call: Call) -> Result<R, Broken>
    where
        P: ComponentNamedList + Lower,
        R: Lift + Send + Sync + 'static,
    {
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.start()?,
        };
        let rows = call.rows;
        let fuel = fuel_of(self.grants.limits, rows);
        let answer = live.call(export, params, call, fuel, self.plugin.deadline_ticks);
        self.usage.add(Usage { calls: 1, rows, ..live.used(fuel) });
        self.live = Some(live);
        answer.map_err(|(broken, trace)| {
            self.trace = trace;
            self.discard();
            broken
        })
    }

    fn start(&mut self) -> Result<Live, Broken> {
        let seconds = deadline_seconds(self.plugin.deadline_ticks);
        let failed = |e| fault::of_start(e, seconds);
        let state = State::new(
            self.stage,
            self.facts.clone(),
            self.grants.clone(),
            std::mem::take(&mut self.log),
            self.plugin.traces,
        );
        let mut store = Store::new(self.plugin.pre.engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.set_fuel(self.grants.limits.fuel_base).map_err(failed)?;
        store.set_epoch_deadline(self.plugin.deadline_ticks);
        store.set_hostcall_fuel(OUTPUT_BASE);
        match self.plugin.pre.instantiate(&mut store) {
            Ok(instance) => {
                let live = Live { store, instance };
                self.usage.add(live.used(self.grants.limits.fuel_base));
                Ok(live)
            }
            Err(error) => {
                self.trace = trace::of(&error);
                self.log = store.into_data().log;
                Err(failed(error))
            }
        }
    }

    fn checked<T>(&mut self, answer: Result<T, Fault>) -> Result<T, Broken> {
        if answer.is_err() {
            self.discard();
        }
        Ok(answer?)
    }

    fn discard(&mut self) {
        if let Some(live) = self.live.take() {
            let state = live.store.into_data();
            (self.log, self.steps) = (state.log, state.steps.unwrap_or_default());
        }
    }
}

impl Live {
    fn call<P, R>(
        &mut self,
        export: &ComponentExportIndex,
        params: P,
        call: Call,
        fuel: u64,
        deadline_ticks: u64,
    ) -> Result<R, (Broken, Vec<Frame>)>
    where
        P: ComponentNamedList + Lower,
        R: Lift + Send + Sync + 'static,
    {
        let seconds = deadline_seconds(deadline_ticks);
        let untraced = |e: wasmtime::Error| (MachineError::Instantiate(e.into()).into(), Vec::new());
        let store = &mut self.store;
        store.data_mut().begin(call.batch);
        store.set_fuel(fuel).map_err(untraced)?;
        store.set_epoch_deadline(deadline_ticks);
        store.set_hostcall_fuel(call.output);
        let function = self.instance.get_typed_func::<P, (Result<R, String>,)>(&mut *store, export);
        let function = function.map_err(untraced)?;
        let (answer,) = function.call(&mut *store, params).map_err(|e| {
            let trace = trace::of(&e);
            (fault::of_call(e, seconds), trace)
        })?;
        store.data_mut().begin(None);
        answer.map_err(|words| (Fault::new(FaultCode::Refused, words).into(), Vec::new()))
    }

    /// What it used of `granted` fuel, and the memory that it has by now.
    fn used(&self, granted: u64) -> Usage {
        // Fuel is on, or the store could not have been made.
        let fuel = granted.saturating_sub(self.store.get_fuel().unwrap_or(0));
        Usage { calls: 0, rows: 0, fuel, memory_bytes: self.store.data().limiter.memory_bytes() as u64 }
    }
}

/// The fuel of a call over so many rows.
fn fuel_of(limits: Limits, rows: u64) -> u64 {
    limits.fuel_base.saturating_add(rows.saturating_mul(limits.fuel_per_row))
}

fn expect_reasons(customers: &Table, reasons: &[u16]) -> Result<(), MachineError> {
    if reasons.len() == customers.rows as usize {
        return Ok(());
    }
    Err(MachineError::Misuse(format!("{} reasons were given for {} rows", reasons.len(), customers.rows)))
}

fn state_rows(state: &[u8]) -> u64 {
    state.len().div_ceil(STATE_BYTES_PER_ROW) as u64
}

fn deadline_seconds(ticks: u64) -> f64 {
    ticks as f64 * TICK.as_secs_f64()
}
