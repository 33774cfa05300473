//! `care completions` and `care man`: what shells and manuals know of the commands.

use crate::answer::Answer;
use crate::args::Args;
use care_engine::EngineError;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use serde_json::json;
use std::fs;
use std::path::Path;

/// The script that teaches a shell the commands.
pub(crate) fn completions(shell: Shell) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "care", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::new(script.clone(), json!({"script": script}))
}

/// Writes a page for each command, such as `care-plugin-test.1`.
pub(crate) fn man(folder: &Path) -> anyhow::Result<Answer> {
    let failed = |error: std::io::Error| {
        let message = format!("{} cannot be written: {error}", folder.display());
        EngineError::refused("no-file", message, "Check the path and the space left")
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let mut command = Args::command();
    command.build();
    let mut pages = Vec::new();
    page(&command, folder, &mut pages).map_err(failed)?;
    Ok(Answer::new(format!("{} pages in {}", pages.len(), folder.display()), json!({"folder": folder, "pages": pages})))
}

fn page(command: &Command, folder: &Path, pages: &mut Vec<String>) -> std::io::Result<()> {
    // Built, a command knows its whole name: care-plugin-test.
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let file = format!("{name}.1");
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    fs::write(folder.join(&file), text)?;
    pages.push(file);
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        page(sub, folder, pages)?;
    }
    Ok(())
}
