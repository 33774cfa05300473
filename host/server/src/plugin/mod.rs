//! Making plugins on their author's machine: `care plugin new` and `build`, and the tests of a project's own language.
//! It runs the compiler or builder of the language and puts its output, `activity.toml` and the code's declaration together; what a plugin
//! must be is the gate's business (`care_sandbox::inspect`). No data folder is needed or made here.

mod build;
mod cargo;
mod command;
mod error;
mod js;
mod language;
mod manifest;
mod project;
mod python;
mod reuse;
mod scaffold;
mod sdk;
mod toolchain;
mod tools;

#[cfg(test)]
mod tests;

pub(crate) use build::{build, build_apart, kept_beside};
pub(crate) use error::PluginError;
pub(crate) use language::Language;
pub(crate) use project::Project;
pub(crate) use scaffold::{Beginning, new};
pub(crate) use tools::Tools;

use care_domain::text::Finding;

/// Findings as lines, for an error's message.
fn lines<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    findings.into_iter().map(|finding| format!("\n  {finding}")).collect()
}
