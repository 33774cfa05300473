//! The engine: how guests are compiled and bounded. Compiling is outside wasmtime's security promise; callers that
//! take bytes from outside compile in a child process with limits of its own.
//!
//! Memory comes on demand, not from a pool. A store lives for a whole task, so the 0.1 ms that a pool could save is
//! lost in it; a pool would reserve memory for the largest guest in every slot, keep it between tasks, and could run
//! out, which would be one more fault of the machine.

use crate::contract::{self, CONTRACTS, Contract};
use crate::fault::MachineError;
use crate::guest::Guest;
use crate::host::{Grants, RunFacts, State};
use crate::machine_code::MachineCode;
use crate::sections::FEATURES;
use crate::trace;
use care_domain::field::Stage;
use care_domain::manifest::World;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::{Config, Engine, EngineWeak, WasmFeatures};

/// The wall clock's grain: deadlines are whole ticks.
pub const TICK: Duration = Duration::from_millis(10);

/// The engine and whatever of its configuration can change an answer; every plan pins it.
pub const ENGINE: &str = "wasmtime 48.0.8, fuel, NaN canonical, base features";

/// How guests are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SandboxConfig {
    /// Ticks of 10 ms after which a call is ended, as a fault of the machine. Fuel is what bounds a guest; this is
    /// for a machine so slow that a task's lease would run out first.
    pub deadline_ticks: u64,
    /// Whether a guest that breaks tells where it stood ([`Guest::trace`]). For authors: it changes no answer and no
    /// machine code.
    pub traces: bool,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { deadline_ticks: 3_000, traces: false }
    }
}

/// A sandbox that could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// This processor or operating system cannot run guests.
    #[error("guests cannot be run on this machine")]
    Engine(#[source] Box<dyn Error + Send + Sync>),
    /// The thread that counts time could not be started.
    #[error("the sandbox's clock thread could not be started")]
    Clock(#[source] std::io::Error),
}

/// Bytes that cannot be compiled. [`crate::inspect`] says why in words for their author.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// No component of the contract.
    #[error("the component cannot be compiled; inspect it first")]
    Compile(#[source] Box<dyn Error + Send + Sync>),
    /// Not built for exactly one released version of the contract.
    #[error(
        "the component is built for no one released version of care:activity: its imports and exports name {named}"
    )]
    NoContract {
        /// The versions that it names.
        named: String,
    },
    /// It imports what its version of the contract does not have.
    #[error("the component imports {import:?}, which no guest may")]
    ForbiddenImport {
        /// The name.
        import: String,
    },
    /// It does not implement the world.
    #[error("the component does not export {export:?}")]
    MissingExport {
        /// Interface and function.
        export: String,
    },
}

/// Compiles plugins. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    adapters: Arc<[Adapter]>,
    config: SandboxConfig,
}

/// The imports of one version of the contract.
struct Adapter {
    contract: &'static Contract,
    linker: Linker<State>,
}

/// A compiled activity or model: instantiated as often as needed, from any thread. Cheap to clone.
#[derive(Clone)]
pub struct Plugin(Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) pre: InstancePre<State>,
    pub(crate) exports: Exports,
    pub(crate) deadline_ticks: u64,
    pub(crate) traces: bool,
}

/// Where the functions of its world stand in a component.
pub(crate) enum Exports {
    Activity(ActivityExports),
    /// The one function of a model.
    Model(ComponentExportIndex),
}

/// Where the functions of world `activity` stand.
pub(crate) struct ActivityExports {
    pub(crate) select: ComponentExportIndex,
    pub(crate) schedule: ComponentExportIndex,
    pub(crate) compose: ComponentExportIndex,
    pub(crate) observe: ComponentExportIndex,
    pub(crate) merge: ComponentExportIndex,
    pub(crate) report: ComponentExportIndex,
}

impl Sandbox {
    /// Sets the engine up and starts its clock, a thread that ends with the last plugin.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let failed = |e: wasmtime::Error| SandboxError::Engine(e.into());
        let engine = Engine::new(&engine_config(config.traces)).map_err(failed)?;
        let adapters: Result<Arc<[Adapter]>, _> = CONTRACTS.iter().map(|c| Adapter::new(&engine, c)).collect();
        let adapters = adapters.map_err(failed)?;
        let weak = engine.weak();
        std::thread::Builder::new()
            .name("care-epoch".into())
            .spawn(move || tick(&weak))
            .map_err(SandboxError::Clock)?;
        Ok(Self { engine, adapters, config })
    }

    /// Compiles a component of either world that [`crate::inspect`] accepted, and loads it; in this process, so
    /// for guests that one wrote oneself.
    pub fn compile(&self, component: &[u8]) -> Result<Plugin, CompileError> {
        self.load(&self.precompile(component)?)
    }

    /// Makes machine code of a component, in this process. Bytes from outside belong into a [`crate::Worker`].
    pub fn precompile(&self, component: &[u8]) -> Result<MachineCode, CompileError> {
        let code = self.engine.precompile_component(component).map_err(|e| CompileError::Compile(e.into()))?;
        Ok(MachineCode(code))
    }

    /// Loads machine code of a component of either world. Compiles nothing.
    #[allow(unsafe_code, reason = "loading machine code is what the seal is for")]
    pub fn load(&self, code: &MachineCode) -> Result<Plugin, CompileError> {
        let failed = |e: wasmtime::Error| CompileError::Compile(e.into());
        // SAFETY: a `MachineCode` is what `precompile_component` wrote: here, in a child of this program, or earlier
        // and kept under the seal of this installation since. That the engine is the same is checked by wasmtime.
        let component = unsafe { Component::deserialize(&self.engine, &code.0) }.map_err(failed)?;
        let (adapter, world) = self.adapter_of(&component)?;
        let exports = Exports::find(&component, adapter.contract, world)?;
        let pre = adapter.linker.instantiate_pre(&component).map_err(failed)?;
        Ok(Plugin(Arc::new(Compiled {
            pre,
            exports,
            deadline_ticks: self.config.deadline_ticks,
            traces: self.config.traces,
        })))
    }

    /// The adapter for the version that a component was built for, by its names alone: wasmtime would link any 1.x
    /// to another, and find the exports of any 1.x under the names of another.
    fn adapter_of(&self, component: &Component) -> Result<(&Adapter, World), CompileError> {
        let ty = component.component_type();
        let imports: Vec<&str> = ty.imports(&self.engine).map(|(name, _)| name).collect();
        let exports = ty.exports(&self.engine).map(|(name, _)| name);
        let names: Vec<&str> = imports.iter().copied().chain(exports).collect();
        let built_for = contract::of(names.iter().copied());
        let adapter = built_for.and_then(|c| self.adapters.iter().find(|a| a.contract.version == c.version));
        let adapter =
            adapter.ok_or_else(|| CompileError::NoContract { named: contract::list(names.iter().copied()) })?;
        let derives = adapter.contract.interface("derivation");
        let world = if names.contains(&derives.as_str()) { World::Model } else { World::Activity };
        let target = adapter.contract.target(world);
        if let Some(missing) = target.exports.iter().find(|export| !names.contains(&export.as_str())) {
            return Err(CompileError::MissingExport { export: missing.clone() });
        }
        match imports.into_iter().find(|import| !target.imports.iter().any(|known| known == import)) {
            Some(import) => Err(CompileError::ForbiddenImport { import: import.to_owned() }),
            None => Ok((adapter, world)),
        }
    }

    /// What machine code must have been made by and for to be loaded here: a hash of the engine's version and
    /// configuration, the target and the processor's features. 64 hexadecimal digits.
    pub fn code_id(&self) -> String {
        let mut hasher = Sha(Sha256::new());
        ENGINE.hash(&mut hasher);
        self.engine.precompile_compatibility_hash().hash(&mut hasher);
        hex::encode(hasher.0.finalize())
    }
}

/// A hash that is the same in every build of this program, which the standard library's need not be.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
    }
}

impl Compiled {
    /// The functions of an activity.
    pub(crate) fn activity(&self) -> Result<&ActivityExports, MachineError> {
        match &self.exports {
            Exports::Activity(exports) => Ok(exports),
            Exports::Model(_) => Err(MachineError::Misuse("a model was asked what activities are asked".into())),
        }
    }

    /// The function of a model.
    pub(crate) fn model(&self) -> Result<&ComponentExportIndex, MachineError> {
        match &self.exports {
            Exports::Model(derive) => Ok(derive),
            Exports::Activity(_) => Err(MachineError::Misuse("an activity was asked to derive a column".into())),
        }
    }
}

impl Plugin {
    /// Whether its guests keep where they stood and what they asked for.
    pub fn keeps_traces(&self) -> bool {
        self.0.traces
    }

    /// A guest for one stage of one task. Its store is made by the first call.
    pub fn guest(&self, stage: Stage, facts: RunFacts, grants: Grants) -> Guest {
        Guest::new(Arc::clone(&self.0), stage, facts, grants)
    }
}

impl Adapter {
    fn new(engine: &Engine, contract: &'static Contract) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        (contract.link)(&mut linker, contract.version)?;
        Ok(Self { contract, linker })
    }
}

impl Exports {
    fn find(component: &Component, contract: &Contract, world: World) -> Result<Self, CompileError> {
        let find = |interface: &str, function: &str| {
            let interface = contract.interface(interface);
            let instance = component.get_export_index(None, interface.as_str());
            let index = instance.and_then(|instance| component.get_export_index(Some(&instance), function));
            index.ok_or_else(|| CompileError::MissingExport { export: format!("{interface}#{function}") })
        };
        if world == World::Model {
            return Ok(Self::Model(find("derivation", "derive")?));
        }
        Ok(Self::Activity(ActivityExports {
            select: find("targeting", "select")?,
            schedule: find("timing", "schedule")?,
            compose: find("content", "compose")?,
            observe: find("evaluation", "observe")?,
            merge: find("evaluation", "merge")?,
            report: find("evaluation", "report")?,
        }))
    }
}

/// Whatever could make two runs differ is off; whatever bounds a guest is on.
fn engine_config(traces: bool) -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        // A trap's text is stored in verdicts: it says what happened, not where in which build.
        .wasm_backtrace_max_frames(NonZeroUsize::new(if traces { trace::MAX_FRAMES } else { 0 }));
    config
}

fn tick(engine: &EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        std::thread::sleep(TICK);
    }
}
