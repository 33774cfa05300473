//! `care backup`, `care restore`, `care doctor`, `care erase`.

use super::open;
use crate::answer::{Answer, table};
use crate::args::{Args, BackupArgs, EraseArgs, RestoreArgs};
use crate::clock::now_ms;
use care_engine::{BackupList, EngineError, Looked, Wellness};
use serde_json::json;

/// `care backup`
pub(crate) async fn backup(args: &Args, wanted: &BackupArgs) -> anyhow::Result<Answer> {
    let list = open(args).await?.back_up(&wanted.folder, &args.user, now_ms()).await?;
    let text = format!("{} holds {}. Try it: care --data NEW restore", wanted.folder.display(), said(&list));
    Ok(Answer::new(text, json!({"backup": wanted.folder, "files": list.files.len(), "bytes": list.bytes})))
}

/// `care restore`
pub(crate) async fn restore(args: &Args, wanted: &RestoreArgs) -> anyhow::Result<Answer> {
    let list = care_engine::restore(&wanted.backup, &args.data)?;
    // Opening it brings its tables up to date and says at once if something is amiss.
    let engine = open(args).await?;
    let head = engine.verify_audit(None).await?;
    let text = format!("{} holds {}, as of {}", args.data.display(), said(&list), list.made_at);
    let json = json!({"data": args.data, "files": list.files.len(), "bytes": list.bytes, "made_at": list.made_at,
        "audit": head.written()});
    Ok(Answer::new(text, json))
}

fn said(list: &BackupList) -> String {
    format!("{} files of {} bytes", list.files.len(), list.bytes)
}

/// `care doctor`. Something ill is a refusal: a program that asks must not mistake it for health.
pub(crate) async fn doctor(args: &Args) -> anyhow::Result<Answer> {
    let found = open(args).await?.look_over(now_ms()).await?;
    let row = |one: &Looked| {
        let health = match one.health {
            Wellness::Well => "well",
            Wellness::Look => "look",
            Wellness::Ill => "ILL",
        };
        vec![one.what.to_owned(), health.to_owned(), one.found.clone(), one.hint.to_owned()]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let answer = Answer::new(table(&["what", "", "found", "to do"], &rows), json!({"looked": found}));
    let Some(ill) = found.iter().find(|one| one.health == Wellness::Ill) else { return Ok(answer) };
    if !args.json {
        answer.print(false);
    }
    Err(EngineError::refused("ill", format!("{}: {}", ill.what, ill.found), ill.hint).into())
}

/// `care erase`
pub(crate) async fn erase(args: &Args, wanted: &EraseArgs) -> anyhow::Result<Answer> {
    let report = open(args).await?.erase(&wanted.customer, &wanted.reason, &args.user, now_ms()).await?;
    let text = format!(
        "{} is nobody any more: {} identity, {} list entries, {} waiting contacts went; {} contacts stay under the key.\n\
         What stays: {}",
        report.customer,
        report.erased.identities,
        report.erased.list_entries,
        report.erased.cancelled,
        report.contacts_kept,
        report.stays
    );
    Ok(Answer::new(text, serde_json::to_value(&report)?))
}
