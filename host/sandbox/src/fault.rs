//! How a call can break: faults of the guest, which are the same every time and become verdicts,
//! and faults of the machine, which are not and do not.

use std::error::Error;
use wasmtime::Trap;

/// No fault's message is longer, in characters: it is stored and shown, and the guest may have written it.
pub const MAX_MESSAGE_CHARS: usize = 500;

/// What a guest did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultCode {
    /// Its code stopped itself: unreachable, division by zero, an access out of bounds.
    Trap,
    /// It used more fuel than the approval grants.
    FuelExhausted,
    /// It asked for more memory or table entries than the approval grants.
    Memory,
    /// It returned more bytes than its rows can need.
    OutputTooLarge,
    /// It exchanged more bytes with the host than one call may.
    TooMuchTraffic,
    /// It read a table or field that the manifest does not name for the stage.
    FieldNotGranted,
    /// It read a field with the function of another type.
    WrongType,
    /// What it returned breaks the contract.
    InvalidOutput,
    /// It returned an error of its own.
    Refused,
}

impl FaultCode {
    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::FuelExhausted => "fuel-exhausted",
            Self::Memory => "memory",
            Self::OutputTooLarge => "output-too-large",
            Self::TooMuchTraffic => "too-much-traffic",
            Self::FieldNotGranted => "field-not-granted",
            Self::WrongType => "wrong-type",
            Self::InvalidOutput => "invalid-output",
            Self::Refused => "refused",
        }
    }
}

/// A fault of the guest: with the same inputs it happens again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct Fault {
    /// What kind.
    pub code: FaultCode,
    /// What and where, at most [`MAX_MESSAGE_CHARS`] characters.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(code: FaultCode, message: impl AsRef<str>) -> Self {
        Self { code, message: message.as_ref().chars().take(MAX_MESSAGE_CHARS).collect() }
    }

    pub(crate) fn invalid(message: impl AsRef<str>) -> Self {
        Self::new(FaultCode::InvalidOutput, message)
    }
}

/// A fault of the machine or of the caller: says nothing about the guest, and ends the attempt.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The wall clock ran out before the fuel did.
    #[error(
        "the call took longer than {seconds} s of wall clock; the machine is overloaded, or the fuel granted is far too high"
    )]
    Deadline {
        /// The deadline.
        seconds: f64,
    },
    /// The guest could not be set up.
    #[error("the plugin could not be instantiated")]
    Instantiate(#[source] Box<dyn Error + Send + Sync>),
    /// The operating system had no memory for a growth that the approval grants.
    #[error("there was no memory for a guest")]
    NoMemory(#[source] Box<dyn Error + Send + Sync>),
    /// The caller left out a column that the approval grants.
    #[error("the engine supplied no column {field:?} of table {table:?} in the type of the manifest")]
    NotSupplied {
        /// The table.
        table: String,
        /// The field.
        field: String,
    },
    /// The caller called it wrongly.
    #[error("{0}")]
    Misuse(String),
}

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The guest is to blame: deterministic, becomes a verdict.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The guest is not to blame: try again.
    #[error(transparent)]
    Machine(#[from] MachineError),
}

/// Turns the error of a call into what broke. What is not known to be the machine's is the guest's:
/// the remaining errors are those of the canonical ABI (a list outside of memory, bytes that are no UTF-8).
pub(crate) fn of_call(error: wasmtime::Error, deadline_seconds: f64) -> Broken {
    let error = match error.downcast::<Broken>() {
        Ok(ours) => return ours,
        Err(error) => error,
    };
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => MachineError::Deadline { seconds: deadline_seconds }.into(),
        Some(Trap::OutOfFuel) => {
            Fault::new(FaultCode::FuelExhausted, "the call used all the fuel that its limits grant").into()
        }
        Some(trap) => Fault::new(FaultCode::Trap, trap.to_string()).into(),
        None => {
            let cause = error.root_cause().to_string();
            // The engine's own type for this is private, so only its words tell it; a test watches them.
            if cause.contains("fuel allocated for hostcalls has been exhausted") {
                Fault::new(FaultCode::OutputTooLarge, "it returned more bytes than its rows can need").into()
            } else {
                Fault::new(FaultCode::Trap, cause).into()
            }
        }
    }
}

/// Turns the error of setting a guest up into what broke. Its start code may be to blame; else the machine is.
pub(crate) fn of_start(error: wasmtime::Error, deadline_seconds: f64) -> Broken {
    if error.is::<Broken>() || error.is::<Trap>() {
        of_call(error, deadline_seconds)
    } else if error.root_cause().to_string().contains("resource limit exceeded") {
        // Again only the engine's words tell it, and a test watches them.
        Fault::new(FaultCode::Memory, "it is made of more memories, tables or instances than a guest may have").into()
    } else {
        MachineError::Instantiate(error.into()).into()
    }
}
