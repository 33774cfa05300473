//! Setting up the data folder.

use super::read;
use crate::answer::{Answer, table};
use crate::args::Args;
use crate::clock::now_ms;
use crate::settings::Settings;
use care_engine::{Engine, EngineError};
use serde_json::json;
use std::path::Path;

/// Who is registered in a new data folder.
pub(crate) struct First<'a> {
    /// Name of the first administrator.
    pub(crate) administrator: &'a str,
    /// The province's administrative code.
    pub(crate) province: &'a str,
    /// One person of every role instead.
    pub(crate) rehearsal: bool,
}

/// `care init`
pub(crate) async fn init(args: &Args, key: Option<&Path>, first: First<'_>) -> anyhow::Result<Answer> {
    let secret = match key {
        Some(path) => parse_key(path, &read(path)?)?,
        None => Engine::new_secret()?,
    };
    let now = now_ms();
    let engine = Engine::init(&args.data, secret, now).await?;
    match first.rehearsal {
        true => engine.found_rehearsal(now).await?,
        false => engine.found(first.administrator, first.province, now).await?,
    }
    let folder = args.data.display().to_string();
    let next = if first.rehearsal { "care user list, care population generate" } else { "care user add" };
    let mut text = format!("{folder} is ready. Next: {next}");
    let once = if first.rehearsal { None } else { engine.found_password(first.administrator, now).await? };
    if let Some(password) = &once {
        text +=
            &format!("\n{} logs in with the one-time password {password}, shown this one time", first.administrator);
    }
    Ok(Answer::new(text, json!({"data": folder, "one_time_password": once})))
}

/// `care config show`
pub(crate) fn show(settings: &Settings) -> anyhow::Result<Answer> {
    let text = table(&["setting", "value", "from"], &settings.lines());
    Ok(Answer::new(text, serde_json::to_value(settings)?))
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
