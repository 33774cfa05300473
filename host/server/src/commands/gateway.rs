//! `care gateway`, and what `care dispatch` is asked for beside sending.

use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, DispatchCommand, GatewayCommand};
use crate::clock::now_ms;
use crate::progress::bar;
use care_domain::time::write_instant;
use care_engine::{DispatchStatus, Dispatched, Engine};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// `care gateway`
pub(crate) async fn run(args: &Args, command: &GatewayCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        GatewayCommand::Set { file } => {
            let digest = engine.set_gateways(&read(file)?, &args.user, now_ms()).await?;
            Ok(Answer::new("the gateways are in force; try them with: care gateway check", json!({"gateways": digest})))
        }
        GatewayCommand::Show => {
            let config = engine.gateways_in_force()?;
            let text = toml::to_string(&config).unwrap_or_default();
            Ok(Answer::new(text, serde_json::to_value(&config)?))
        }
        GatewayCommand::Check => {
            let states = engine.check_gateways().await?;
            let row = |state: &care_engine::GatewayState| {
                let (up, error) = match &state.health {
                    None => ("-".to_owned(), String::new()),
                    Some(health) => (format!("{} of {}", health.up, health.of), health.last_error.clone()),
                };
                vec![state.channel.name().to_owned(), state.gateway.to_owned(), up, error]
            };
            let rows: Vec<Vec<String>> = states.iter().map(row).collect();
            let json = json!({"gateways": states});
            Ok(Answer::new(table(&["channel", "gateway", "up", "last error"], &rows), json))
        }
    }
}

/// `care dispatch`
pub(crate) async fn dispatch(
    args: &Args,
    at: Option<i64>,
    watch: bool,
    command: Option<&DispatchCommand>,
) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        None => send(args, &engine, at.unwrap_or_else(now_ms), watch).await,
        Some(DispatchCommand::Status) => {
            let status = engine.dispatch_status().await?;
            Ok(Answer::new(told_status(&status), serde_json::to_value(&status)?))
        }
        Some(DispatchCommand::Dead) => {
            let letters = engine.dead_letters().await?;
            let row = |l: &care_engine::DeadLetter| {
                vec![l.contact.clone(), l.campaign.clone(), l.channel.clone(), write_instant(l.at), l.why.clone()]
            };
            let rows: Vec<Vec<String>> = letters.iter().map(row).collect();
            let text = table(&["contact", "campaign", "channel", "given up", "why"], &rows);
            Ok(Answer::new(text, json!({"dead_letters": letters})))
        }
        Some(DispatchCommand::Replay { campaign }) => {
            let at = at.unwrap_or_else(now_ms);
            let replayed = engine.replay_dead_letters(campaign.as_deref(), &args.user, at).await?;
            Ok(Answer::new(format!("{replayed} contacts wait again"), json!({"replayed": replayed})))
        }
    }
}

async fn send(args: &Args, engine: &Engine, at: i64, watch: bool) -> anyhow::Result<Answer> {
    static ASKED_TO_STOP: AtomicBool = AtomicBool::new(false);
    let sent = bar(args, None, "sending");
    let progress = |done| {
        sent.set_position(done);
        !ASKED_TO_STOP.load(Ordering::Relaxed)
    };
    tokio::spawn(async {
        crate::serve::stopped().await;
        ASKED_TO_STOP.store(true, Ordering::Relaxed);
    });
    let done = match watch {
        true => engine.dispatch_on(&args.user, at, &progress).await?,
        false => engine.dispatch(&args.user, at, &progress).await?,
    };
    Ok(Answer::new(told(&done), serde_json::to_value(done)?))
}

fn told(done: &Dispatched) -> String {
    let mut text =
        format!("{} sent, {} failed, {} expired, {} later", done.sent, done.failed, done.expired, done.later);
    for (count, what) in [
        (done.unknown, "unknown: nobody can tell whether the gateway has them"),
        (done.again, "failed for a passing reason and wait to go out again"),
        (done.cancelled, "cancelled, since the customer did or wished something"),
        (done.held, "held (see care switch list, care submission list)"),
    ] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    if done.resumed > 0 {
        text += &format!("; {} batches or intents of an earlier run settled", done.resumed);
    }
    text
}

fn told_status(status: &DispatchStatus) -> String {
    let cells = status.channels.iter().flat_map(|(channel, states)| {
        states.iter().map(move |(state, count)| vec![channel.clone(), state.clone(), count.to_string()])
    });
    let r = &status.receipts;
    format!(
        "{}\nreceipts: {} delivered, {} undelivered, {} awaited, {} of unknown messages, {} repeated\n\
         dead letters: {}",
        table(&["channel", "state", "contacts"], &cells.collect::<Vec<_>>()),
        r.delivered,
        r.undelivered,
        r.awaited,
        r.unmatched,
        r.repeated,
        status.dead_letters
    )
}
