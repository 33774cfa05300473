//! The languages in which an activity may be written, told apart by the file that each of them has.

use super::error::PluginError;
use clap::ValueEnum;
use std::path::Path;

/// A language with an SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust: the smallest and quickest.
    Rust,
    /// JavaScript.
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    /// Python.
    #[value(alias = "py")]
    Python,
}

impl Language {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// The file by which a project of it is known.
    pub(super) fn marker(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "package.json",
            Self::Python => "pyproject.toml",
        }
    }

    /// The language of a project.
    pub(super) fn of(folder: &Path) -> Result<Self, PluginError> {
        let found = Self::ALL.into_iter().find(|language| folder.join(language.marker()).is_file());
        found.ok_or_else(|| {
            let markers = Self::ALL.map(Self::marker).join(", ");
            let message = format!("{} is no plugin: it has none of {markers}", folder.display());
            PluginError::new("not-a-plugin", message, "Begin one with `care plugin new <name>`")
        })
    }
}
