//! Running other people's code: the gate for uploaded components, the engine and its limits, one adapter per
//! released version of the contract, the children in which plugins are compiled and tried, and the making of components.
//! Behind this crate nobody sees wasmtime. No storage, no network, no clock but deadlines, and no rule of customer care
//! lives here.

mod answer;
mod contract;
mod engine;
mod fault;
mod golden;
mod guest;
mod host;
mod inspect;
mod join;
mod limiter;
mod list;
mod machine_code;
mod message;
pub mod package;
mod sections;
mod symbols;
mod trace;
mod usage;
pub mod worker;

pub use answer::{MAX_METRICS, MAX_STATE_BYTES, Metric, Moments, Selection};
pub use contract::{CONTRACTS, Contract};
pub use engine::{CompileError, ENGINE, Plugin, Sandbox, SandboxConfig, SandboxError, TICK};
pub use fault::{Broken, Fault, FaultCode, MAX_MESSAGE_CHARS, MachineError};
pub use golden::golden;
pub use guest::Guest;
pub use host::{Grants, RunFacts};
pub use inspect::{MAX_COMPONENT_BYTES, Report, inspect};
pub use machine_code::{MachineCode, Seal};
pub use message::Message;
pub use symbols::{Lines, Place, Symbols};
pub use trace::{Frame, Step};
pub use usage::Usage;
pub use worker::{Worker, WorkerError, WorkerLimits};
