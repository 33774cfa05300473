//! Making plugins on their author's machine: `care plugin new`, `build` and `test`.
//! It runs the compiler and puts its output, `activity.toml` and the code's declaration together; what a plugin
//! must be is the gate's business (`care_sandbox::inspect`). No data folder is needed or made here.

mod build;
mod cargo;
mod command;
mod error;
mod manifest;
mod scaffold;
mod toolchain;

#[cfg(test)]
mod tests;

pub(crate) use build::{BuildOptions, Built, build};
pub(crate) use error::PluginError;
pub(crate) use scaffold::new;

use care_domain::text::Finding;
use std::path::Path;

/// Runs the plugin's own tests natively, then builds it (to the default place) and has the gate inspect it.
/// What the tests print goes to `say`.
pub(crate) fn test(folder: &Path, say: &dyn Fn(&str)) -> Result<Built, PluginError> {
    let folder = build::plugin_folder(folder)?;
    let package = cargo::Package::of(&folder)?;
    say(&format!("Running the tests of {}", package.name));
    say(package.test(&folder)?.trim_end());
    let built = build(&BuildOptions { folder, out: None }, say)?;
    say(&format!("{}: {} bytes, sha256 {}", built.path.display(), built.bytes, built.digest));
    Ok(built)
}

/// Findings as lines, for an error's message.
fn lines<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    findings.into_iter().map(|finding| format!("\n  {finding}")).collect()
}
