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

    pub(crate) fn file<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::File { path: path.to_path_buf(), doing, source }
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
                "whoever uploaded or submitted cannot decide about it",
                "Ask somebody else of the province",
            ),
            StoreError::Rule { rule: "decided-once" } => Self::refused(
                "decided-once",
                "it was decided about meanwhile; a decision is taken once",
                "See `care submission show`; a change needs a new version",
            ),
            error => Self::Store(error),
        }
    }
}

impl From<PopulationError> for EngineError {
    fn from(error: PopulationError) -> Self {
        Self::Population(error)
    }
}
