//! Why a plugin was not made.

use std::error::Error;
use std::io;
use std::path::Path;

/// A plugin that was not made, tested or begun; nothing was written.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct PluginError {
    /// Stable, kebab-case: programs may match on it.
    pub(crate) code: &'static str,
    /// What is wrong, and where. Several lines where a compiler or the gate has more to say.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl PluginError {
    pub(super) fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into(), cause: None }
    }

    pub(super) fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// For a file or folder that cannot be read or written; `doing` such as "reading".
    pub(super) fn file<'a>(path: &'a Path, doing: &'a str) -> impl FnOnce(io::Error) -> Self + 'a {
        move |error| {
            let message = format!("{doing} {} failed: {error}", path.display());
            Self::new("plugin-file", message, "Check the path, its permissions and the space left").because(error)
        }
    }
}
