//! `care plugin`.

use super::{author, open, read, read_bytes, recorded, reference, watch};
use crate::answer::{Answer, finding_lines, table};
use crate::args::{Args, PluginCommand};
use crate::clock::now_ms;
use crate::commands::population::short;
use crate::plugin::{self, Beginning, Project, Tools};
use crate::views;
use care_domain::time;
use care_engine::EngineError;
use serde_json::json;
use std::path::Path;

/// `care plugin`. Those for authors need no data folder and make none.
pub(crate) async fn run(args: &Args, command: &PluginCommand) -> anyhow::Result<Answer> {
    let say = |line: &str| eprintln!("{line}");
    match command {
        PluginCommand::New { name, into, lang } => {
            let today = time::today(now_ms());
            let folder = plugin::new(&Beginning { name, parent: into, language: *lang, today })?;
            let text = format!("{0} is written. Next: care plugin test {0}", folder.display());
            Ok(Answer::new(text, json!({"folder": folder})))
        }
        PluginCommand::Build { folder, out, cache } => {
            let tools = Tools::new(&author::cache_folder(cache)?);
            let built = plugin::build(&Project::open(folder)?, out.as_deref(), &tools, &say)?;
            let text = format!("{} ({} bytes, sha256 {})", built.path.display(), built.bytes, built.digest);
            let json =
                json!({"path": built.path, "digest": built.digest, "bytes": built.bytes, "manifest": built.manifest});
            Ok(Answer::new(text, json))
        }
        PluginCommand::Check { file } => check(args, file),
        PluginCommand::Test(test) => author::test(args, test, &say),
        PluginCommand::Simulate(trial) => author::simulate(trial, &say),
        PluginCommand::Replay { record, plugin, cache } => recorded::replay(args, (record, plugin), cache, &say),
        PluginCommand::Watch(test) => watch::run(test, &say).map(|never| match never {}),
        PluginCommand::Reference { topic } => reference::run(*topic),
        PluginCommand::Sign { file, key, out } => sign(file, key, out.as_deref().unwrap_or(file)),
        PluginCommand::Push { file, key, need } => push(args, file, key.as_deref(), *need).await,
        PluginCommand::List => list(args).await,
    }
}

/// The report goes to standard output whatever it says; the exit code tells programs.
fn check(args: &Args, file: &Path) -> anyhow::Result<Answer> {
    let report = care_engine::check_component(&read_bytes(file)?, Some(super::worker()?))?;
    let text = match &report.manifest {
        Some(m) => format!("{} {} ({})\n", m.name, m.version, report.digest),
        None => format!("{}\n", report.digest),
    };
    let verdict = if report.accepted { "the gate would accept it" } else { "the gate refuses it" };
    let answer =
        Answer::new(format!("{text}{}{verdict}", finding_lines(&report.findings)), serde_json::to_value(&report)?);
    if report.accepted {
        return Ok(answer);
    }
    answer.print(args.json);
    std::process::exit(i32::from(crate::REFUSED));
}

fn sign(file: &Path, key: &Path, out: &Path) -> anyhow::Result<Answer> {
    let signed = care_engine::sign_component(&read_bytes(file)?, &read(key)?)?;
    let draft = out.with_extension("part");
    std::fs::write(&draft, signed).and_then(|()| std::fs::rename(&draft, out)).map_err(|error| {
        let message = format!("{} cannot be written: {error}", out.display());
        EngineError::refused("no-file", message, "Check the path and the space left")
    })?;
    let text = format!("{} is signed. Next: care plugin push {}", out.display(), out.display());
    Ok(Answer::new(text, json!({"path": out})))
}

async fn push(args: &Args, file: &Path, key: Option<&Path>, need: Option<i64>) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let component = read_bytes(file)?;
    let component = match key {
        Some(key) => care_engine::sign_component(&component, &read(key)?)?,
        None => component,
    };
    let pushed = engine.push_for(&component, need, &args.user, now_ms()).await?;
    let text = format!(
        "{}{} {} is submission {}. Next, by somebody else: care submission show {}, simulate, approve",
        finding_lines(&pushed.findings),
        pushed.activity,
        pushed.version,
        pushed.submission,
        pushed.submission
    );
    Ok(Answer::new(text, views::pushed(&pushed)))
}

async fn list(args: &Args) -> anyhow::Result<Answer> {
    let all = open(args).await?.submissions().await?;
    let row = |s: &care_engine::StoredSubmission| {
        let manifest = &s.version.manifest;
        let state = s.submission.state().to_owned();
        vec![
            manifest.name.clone(),
            manifest.version.to_string(),
            state,
            short(&s.version.component).to_owned(),
            manifest.title.zh.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let json = all.iter().map(views::version);
    Ok(Answer::new(
        table(&["activity", "version", "state", "digest", "title"], &rows),
        json!({"plugins": json.collect::<Vec<_>>()}),
    ))
}
