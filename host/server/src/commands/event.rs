//! `care event`, and `care replay` of a batch of events.

use super::open;
use crate::answer::{Answer, table};
use crate::args::{Args, EventCommand};
use crate::clock::now_ms;
use anyhow::Context;
use care_domain::time::write_instant;
use care_engine::EngineError;
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;

/// Bad events shown to people; programs get all.
const SHOWN: usize = 20;

/// `care event`
pub(crate) async fn run(args: &Args, command: &EventCommand) -> anyhow::Result<Answer> {
    match command {
        EventCommand::Send { file } => {
            let events = parse(&text_of(file)?)?;
            let done = open(args).await?.send_events(&events, &args.user, now_ms()).await?;
            let mut text = format!(
                "{} events accepted, {} known before, {} refused; {} contacts, {} waiting ones cancelled\n",
                done.accepted,
                done.repeated,
                done.refused.len(),
                done.contacts.unwrap_or_default(),
                done.cancelled.unwrap_or_default()
            );
            for bad in done.refused.iter().take(SHOWN) {
                text += &format!("  event {}: {}\n", bad.index, bad.finding);
            }
            Ok(Answer::new(text, serde_json::to_value(&done)?))
        }
        EventCommand::Show { batch } => show(args, *batch).await,
    }
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    if file != Path::new("-") {
        return super::read(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input is no UTF-8 text")?;
    Ok(text)
}

/// One JSON value, or one a line.
fn parse(text: &str) -> Result<Value, EngineError> {
    let whole = serde_json::from_str::<Value>(text);
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str::<Value>(line).map_err(|error| {
            let hint = "Write one CloudEvent, an array of them, or one a line";
            EngineError::refused("bad-json", format!("line {}: {error}", number + 1), hint)
        })
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    whole.or_else(|_| lines.map(line).collect::<Result<_, _>>().map(Value::Array))
}

async fn show(args: &Args, batch: Option<i64>) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let shown = engine.event_batch(batch).await?;
    let rows: Vec<Vec<String>> = shown
        .events
        .iter()
        .map(|e| vec![write_instant(e.time), e.kind.clone(), e.customer.to_string(), format!("{:?}", e.standing)])
        .collect();
    let mut text = format!("batch {} of {}, sent by {}\n", shown.number, write_instant(shown.instant), shown.person);
    text += &table(&["at", "type", "customer", "standing"], &rows);
    for decision in &shown.decisions {
        let lost = decision.winner.as_ref().map_or(String::new(), |winner| format!(", lost to {winner}"));
        text += &format!(
            "{} {}: {} by {} {}{lost}\n",
            decision.customer,
            decision.campaign,
            decision.verdict.name(),
            decision.rule,
            decision.figures
        );
    }
    Ok(Answer::new(text, serde_json::to_value(&shown)?))
}

/// `care replay event-N`. A difference is a refusal.
pub(crate) async fn replay(args: &Args, batch: &str) -> anyhow::Result<Answer> {
    let number = batch.parse().map_err(|_| {
        EngineError::refused("unknown-batch", format!("event-{batch} is no batch of events"), "Write event-7")
    })?;
    let done = open(args).await?.replay_events(number).await?;
    if !done.same {
        let message = format!("batch {number} comes out otherwise");
        let hint = "Its snapshot or the ledger was changed, or the program decides otherwise than it did";
        return Err(EngineError::refused("replay-differs", message, hint).into());
    }
    let text = format!("{} events, {} decisions: the very same bytes", done.events, done.decisions);
    Ok(Answer::new(text, json!(done)))
}
