//! What can go wrong with a population, each with the place and the cause.

use arrow::error::ArrowError;
use care_domain::text::Finding;
use std::io;
use std::path::{Path, PathBuf};

/// Why a population could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PopulationError {
    /// What was offered is not acceptable; nothing was written. Every failed check, first the decisive one.
    #[error("{}", listed(.0))]
    Refused(Vec<Finding>),
    /// The machine could not do it.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file that must never change is gone or changed.
    #[error("{} {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// Columns could not be turned into a file or back.
    #[error("cannot {action} the columns of {}", path.display())]
    Columns {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ArrowError,
    },
}

impl PopulationError {
    /// A refusal for one reason.
    pub(crate) fn refused(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused(vec![Finding::error(code, message, hint)])
    }

    /// For `map_err` of file operations.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// For `map_err` of column operations.
    pub(crate) fn columns(action: &'static str, path: &Path) -> impl FnOnce(ArrowError) -> Self {
        move |source| Self::Columns { action, path: path.to_owned(), source }
    }

    /// A file that is gone or changed.
    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}

fn listed(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
