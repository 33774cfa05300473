//! The engine: how guests are compiled and bounded. Compiling is outside wasmtime's security promise; callers that
//! take bytes from outside compile in a child process with limits of its own.
//!
//! Memory comes on demand, not from a pool. A store lives for a whole task, so the 0.1 ms that a pool could save is
//! lost in it; a pool would reserve memory for the largest guest in every slot, keep it between tasks, and could run
//! out, which would be one more fault of the machine.

use crate::guest::Guest;
use crate::host::{self, Grants, RunFacts, State};
use crate::machine_code::MachineCode;
use crate::sections::FEATURES;
use care_domain::field::Stage;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::hash::{Hash, Hasher};
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
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { deadline_ticks: 3_000 }
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
    linker: Arc<Linker<State>>,
    config: SandboxConfig,
}

/// A compiled activity: instantiated as often as needed, from any thread. Cheap to clone.
#[derive(Clone)]
pub struct Plugin(Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) pre: InstancePre<State>,
    pub(crate) exports: Exports,
    pub(crate) deadline_ticks: u64,
}

/// Where the functions of the world stand in a component.
pub(crate) struct Exports {
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
        let engine = Engine::new(&engine_config()).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        host::link(&mut linker).map_err(failed)?;
        let weak = engine.weak();
        std::thread::Builder::new()
            .name("care-epoch".into())
            .spawn(move || tick(&weak))
            .map_err(SandboxError::Clock)?;
        Ok(Self { engine, linker: Arc::new(linker), config })
    }

    /// Compiles a component of world `activity` that [`crate::inspect`] accepted, and loads it; in this process, so
    /// for guests that one wrote oneself.
    pub fn compile(&self, component: &[u8]) -> Result<Plugin, CompileError> {
        self.load(&self.precompile(component)?)
    }

    /// Makes machine code of a component, in this process. Bytes from outside belong into a [`crate::Worker`].
    pub fn precompile(&self, component: &[u8]) -> Result<MachineCode, CompileError> {
        let code = self.engine.precompile_component(component).map_err(|e| CompileError::Compile(e.into()))?;
        Ok(MachineCode(code))
    }

    /// Loads machine code of a component of world `activity`. Compiles nothing.
    #[allow(unsafe_code, reason = "loading machine code is what the seal is for")]
    pub fn load(&self, code: &MachineCode) -> Result<Plugin, CompileError> {
        let failed = |e: wasmtime::Error| CompileError::Compile(e.into());
        // SAFETY: a `MachineCode` is what `precompile_component` wrote: here, in a child of this program, or earlier
        // and kept under the seal of this installation since. That the engine is the same is checked by wasmtime.
        let component = unsafe { Component::deserialize(&self.engine, &code.0) }.map_err(failed)?;
        let exports = Exports::find(&component)?;
        let pre = self.linker.instantiate_pre(&component).map_err(failed)?;
        Ok(Plugin(Arc::new(Compiled { pre, exports, deadline_ticks: self.config.deadline_ticks })))
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

impl Plugin {
    /// A guest for one stage of one task. Its store is made by the first call.
    pub fn guest(&self, stage: Stage, facts: RunFacts, grants: Grants) -> Guest {
        Guest::new(Arc::clone(&self.0), stage, facts, grants)
    }
}

impl Exports {
    fn find(component: &Component) -> Result<Self, CompileError> {
        let find = |interface: &str, function: &str| {
            let instance = component.get_export_index(None, interface);
            let index = instance.and_then(|instance| component.get_export_index(Some(&instance), function));
            index.ok_or_else(|| CompileError::MissingExport { export: format!("{interface}#{function}") })
        };
        Ok(Self {
            select: find("care:activity/targeting@1.0.0", "select")?,
            schedule: find("care:activity/timing@1.0.0", "schedule")?,
            compose: find("care:activity/content@1.0.0", "compose")?,
            observe: find("care:activity/evaluation@1.0.0", "observe")?,
            merge: find("care:activity/evaluation@1.0.0", "merge")?,
            report: find("care:activity/evaluation@1.0.0", "report")?,
        })
    }
}

/// Whatever could make two runs differ is off; whatever bounds a guest is on.
fn engine_config() -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        // A trap's text is stored in verdicts: it says what happened, not where in which build.
        .wasm_backtrace_max_frames(None);
    config
}

fn tick(engine: &EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        std::thread::sleep(TICK);
    }
}
