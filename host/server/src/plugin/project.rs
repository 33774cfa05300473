//! An author's project: a folder with an activity in some language.

use super::cargo::Package;
use super::error::PluginError;
use super::{Language, Tools, build, js, python};
use std::path::{Path, PathBuf};

/// A project.
pub(crate) struct Project {
    /// Absolute.
    folder: PathBuf,
    language: Language,
}

impl Project {
    /// The project in a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, PluginError> {
        let folder = build::plugin_folder(folder)?;
        let language = Language::of(&folder)?;
        Ok(Self { folder, language })
    }

    /// Its absolute path.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// In which language it is written.
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// Runs the tests that it has in its own language. What they print goes to `say`.
    pub(crate) fn native_tests(&self, tools: &Tools, say: &dyn Fn(&str)) -> Result<(), PluginError> {
        say("Running the project's own tests");
        match self.language {
            Language::Rust => {
                say(Package::of(&self.folder)?.test(&self.folder)?.trim_end());
                Ok(())
            }
            Language::JavaScript => js::test(&self.folder, say),
            Language::Python => python::test(&self.folder, tools, say),
        }
    }
}
