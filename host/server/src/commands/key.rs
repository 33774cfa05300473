//! `care key`.

use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, KeyCommand};
use crate::clock::now_ms;
use care_domain::time::write_instant;
use care_engine::{BranchKey, EngineError};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// `care key`. `new` needs no data folder and makes none.
pub(crate) async fn run(args: &Args, command: &KeyCommand) -> anyhow::Result<Answer> {
    match command {
        KeyCommand::New { file } => new(file),
        KeyCommand::Add { file, owner, region } => {
            let engine = open(args).await?;
            let id = engine.add_key(&read(file)?, owner, region, &args.user, now_ms()).await?;
            let text = format!("key {id} of {owner} vouches for {region}");
            Ok(Answer::new(text, json!({"key": id, "owner": owner, "region": region})))
        }
        KeyCommand::Revoke { id, reason } => {
            let signed = open(args).await?.revoke_key(id, reason, &args.user, now_ms()).await?;
            let flagged =
                if signed.is_empty() { "it signed nothing".into() } else { format!("look at {}", signed.join(", ")) };
            Ok(Answer::new(format!("key {id} is revoked; {flagged}"), json!({"key": id, "signed": signed})))
        }
        KeyCommand::List => {
            let keys = open(args).await?.keys().await?;
            let row = |key: &BranchKey| {
                let revoked = key.revoked_at.map_or(String::new(), write_instant);
                let why = key.revoked_because.clone().unwrap_or_default();
                vec![key.id.clone(), key.owner.clone(), key.region.clone(), revoked, why]
            };
            let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
            Ok(Answer::new(table(&["key", "owner", "region", "revoked", "why"], &rows), json!({"keys": keys})))
        }
    }
}

fn new(file: &Path) -> anyhow::Result<Answer> {
    let (secret, public) = care_engine::new_branch_key()?;
    let public_file = PathBuf::from(format!("{}.pub", file.display()));
    write(file, &secret, 0o600)?;
    write(&public_file, &public, 0o644)?;
    let (file, public_file) = (file.display().to_string(), public_file.display().to_string());
    let text = format!(
        "{file} is yours alone. Next, by an administrator: care key add {public_file} --owner YOU --region ADCODE"
    );
    Ok(Answer::new(text, json!({"key": file, "public": public_file})))
}

/// Writes a new file; a key that exists is never overwritten.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), EngineError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        EngineError::refused("no-file", message, "Name a file that does not exist yet, in a folder that does")
    })
}
