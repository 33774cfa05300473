//! What the engine refuses, and what fails beneath it.

use care_domain::text::Finding;
use care_population::PopulationError;
use care_sandbox::{CompileError, MachineError, SandboxError, WorkerError};
use care_store::StoreError;
use std::path::{Path, PathBuf};

/// A request that was refused, or a failure. Refusals say what to do; failures keep their cause in `source()`.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request breaks a rule; nothing was written.
    #[error("{0}")]
    Refused(Finding),
    /// Several things are wrong at once; nothing was written.
    #[error("{what} was refused: {} finding(s)", findings.len())]
    Findings {
        /// What was refused.
        what: String,
        /// Everything that is wrong.
        findings: Vec<Finding>,
    },
    /// The caller asked to stop. What was committed stays; the same call again goes on.
    #[error("stopped on request; what was committed stays, and the same command goes on from there")]
    Stopped,
    /// The machine failed while a plugin ran; nothing about the plugin is known.
    #[error("the machine failed under plugin {activity:?}, {attempts} times; run the plan again when it is well")]
    Machine {
        /// The activity.
        activity: String,
        /// How often the task was tried.
        attempts: u32,
        /// The cause.
        #[source]
        source: MachineError,
    },
    /// The sandbox could not be set up.
    #[error("the sandbox could not be set up")]
    Sandbox(#[source] SandboxError),
    /// A plugin that was accepted no longer compiles.
    #[error("plugin {activity:?} cannot be compiled")]
    Compile {
        /// The activity.
        activity: String,
        /// The cause.
        #[source]
        source: CompileError,
    },
    /// The process that compiles and tries plugins failed; nothing about the plugin is known.
    #[error("plugins could not be compiled or tried")]
    Worker(#[source] WorkerError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// A population could not be read or written.
    #[error("the population failed")]
    Population(#[source] PopulationError),
    /// A file could not be read or written.
    #[error("{path}: {doing} failed")]
    File {
        /// Which file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// Something that the engine itself guarantees does not hold.
    #[error("internal: {0}; please report this")]
    Internal(String),
}

impl EngineError {
    /// A refusal with one finding.
    pub fn refused(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused(Finding::error(code, message, hint))
    }

    /// Whether the request was refused (rather than something having failed).
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Refused(finding) => std::slice::from_ref(finding),
            Self::Findings { findings, .. } => findings,
            _ => &[],
        }
    }

    /// Whether the same request may succeed later without being changed: the machine failed, or somebody is in the way.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(finding) => PASSING.contains(&finding.code.as_str()),
            Self::Findings { .. } | Self::Compile { .. } | Self::Internal(_) => false,
            Self::Population(error) => !matches!(error, PopulationError::Refused(_)),
            Self::Stopped
            | Self::Machine { .. }
            | Self::Sandbox(_)
            | Self::Worker(_)
            | Self::Store(_)
            | Self::File { .. } => true,
        }
    }

    pub(crate) fn file<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| match is_full(&source) {
            true => no_space(format!("no space was left at {} while {doing}", path.display())),
            false => Self::File { path: path.to_path_buf(), doing, source },
        }
    }

    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Rule { rule: "four-eyes" } => Self::refused(
                "four-eyes",
                "whoever wrote, uploaded or submitted it cannot decide about it",
                "Ask somebody else of the province",
            ),
            StoreError::Rule { rule: "decided-once" } => Self::refused(
                "decided-once",
                "it was decided about meanwhile; a decision is taken once",
                "See `care submission show`; a change needs a new version",
            ),
            StoreError::Locked { .. } => Self::refused(
                STORE_LOCKED,
                error.to_string(),
                "See who is at work with `care plan status`, and run the same command again: it goes on where it stopped",
            ),
            StoreError::Newer { .. } => Self::refused(
                "newer-database",
                error.to_string(),
                "Use the program that it was last used with, or restore a backup of before",
            ),
            StoreError::Full { .. } => no_space(error.to_string()),
            StoreError::File { ref source, .. } if is_full(source) => no_space(format!("no space was left: {error}")),
            error => Self::Store(error),
        }
    }
}

impl From<care_channels::FileError> for EngineError {
    fn from(error: care_channels::FileError) -> Self {
        let care_channels::FileError { path, doing, source } = error;
        Self::File { path, doing, source }
    }
}

impl From<PopulationError> for EngineError {
    fn from(error: PopulationError) -> Self {
        match &error {
            PopulationError::Io { source, .. } if is_full(source) => no_space(format!("no space was left: {error}")),
            _ => Self::Population(error),
        }
    }
}

const STORE_LOCKED: &str = "store-locked";
const DISK_FULL: &str = "disk-full";
/// Refusals that pass by themselves, or when an operator has cleared the way.
const PASSING: [&str; 4] = [STORE_LOCKED, DISK_FULL, "plan-paused", "busy-bucket"];

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn no_space(message: String) -> EngineError {
    let hint = "Free space on the disk of the data folder, and run the same command again: it goes on where it stopped";
    EngineError::refused(DISK_FULL, message, hint)
}
