//! Setting up: the data folder and the contact policy.

use super::{open, read};
use crate::answer::Answer;
use crate::args::{Args, PolicyCommand};
use care_domain::policy::Policy;
use care_engine::{Engine, EngineError};
use serde_json::json;
use std::path::Path;

/// `care init`
pub(crate) async fn init(args: &Args, key: Option<&Path>) -> anyhow::Result<Answer> {
    let secret = match key {
        Some(path) => parse_key(path, &read(path)?)?,
        None => Engine::new_secret()?,
    };
    Engine::init(&args.data, secret).await?;
    let folder = args.data.display().to_string();
    let text = format!("{folder} is ready. Next: care population generate, care plugin push, care submission approve");
    Ok(Answer::new(text, json!({"data": folder})))
}

fn parse_key(path: &Path, text: &str) -> Result<[u8; 32], EngineError> {
    let digits = text.trim().as_bytes();
    let nibble = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let mut key = [0u8; 32];
    let pairs: Vec<Option<u8>> =
        digits.chunks(2).map(|p| Some(nibble(*p.first()?)? << 4 | nibble(*p.get(1)?)?)).collect();
    if pairs.len() != key.len() || pairs.iter().any(Option::is_none) {
        let message = format!("{} holds no key", path.display());
        return Err(EngineError::refused("bad-key", message, "A key is 64 hexadecimal digits"));
    }
    for (byte, pair) in key.iter_mut().zip(pairs) {
        *byte = pair.unwrap_or_default();
    }
    Ok(key)
}

/// `care policy`
pub(crate) async fn policy(args: &Args, command: &PolicyCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        PolicyCommand::Show => {
            let (_, policy) = engine.policy_in_force().await?;
            Ok(Answer::new(serde_json::to_string_pretty(&policy)?, serde_json::to_value(&policy)?))
        }
        PolicyCommand::Set { file } => {
            let policy: Policy = serde_json::from_str(&read(file)?).map_err(|error| {
                let hint = "Start from `care policy show`";
                EngineError::refused("bad-policy", format!("{}: {error}", file.display()), hint)
            })?;
            let digest = engine.set_policy(&policy).await?;
            Ok(Answer::new(format!("policy {:?} is in force for new plans", policy.name), json!({"policy": digest})))
        }
    }
}
