//! Running the tools that a build needs.

use super::error::PluginError;
use std::process::Command;

/// What a tool that succeeded wrote.
pub(super) struct Written {
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs a tool to its end. When it fails, the error has `code` and `hint`, and its message is all that the tool said.
pub(super) fn run(command: &mut Command, code: &'static str, hint: &str) -> Result<Written, PluginError> {
    let name = name(command);
    let output = command.output().map_err(|error| {
        let message = format!("`{name}` cannot be started: {error}");
        PluginError::new("tool-missing", message, how_to_get(&command.get_program().to_string_lossy())).because(error)
    })?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        let said = [stdout.trim_end(), stderr.trim_end()].join("\n");
        return Err(PluginError::new(code, format!("`{name}` failed ({}):\n{}", output.status, said.trim()), hint));
    }
    Ok(Written { stdout, stderr })
}

/// How to get a tool that is not there.
fn how_to_get(program: &str) -> &'static str {
    match program {
        "node" | "npm" => super::tools::NODE_HINT,
        "python3" => super::tools::PYTHON_HINT,
        _ => "Install Rust from https://rustup.rs, and apt-get where it is used",
    }
}

/// As people call it: `cargo build`.
fn name(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    match command.get_args().next() {
        Some(first) => format!("{program} {}", first.to_string_lossy()),
        None => program.into_owned(),
    }
}
