//! `care calls`, `care requests`: work that people do from a list.

use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, CallsCommand, ListArgs, RequestsCommand, TakeArgs};
use crate::clock::now_ms;
use anyhow::Context;
use care_domain::contact::Channel;
use care_domain::time::write_instant;
use care_engine::{CallingWindow, Engine, ListedWork, Work, WorkListQuery, WorkRecorded, work_csv, work_list_csv};
use serde_json::json;
use std::path::Path;

/// Rejected lines shown to people; programs get all.
const SHOWN: usize = 20;
/// Pieces of work read at once.
const PAGE: u32 = 1_000;

/// `care calls`
pub(crate) async fn calls(args: &Args, command: &CallsCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        CallsCommand::Open { seats, calls_an_hour, until } => {
            let (id, holds) = engine.open_calling_window(*seats, *calls_an_hour, *until, &args.user, now_ms()).await?;
            let text = format!("window {id} is open until {} and holds {holds} calls", write_instant(*until));
            Ok(Answer::new(text, json!({"window": id, "holds": holds})))
        }
        CallsCommand::Close => {
            engine.close_calling_window(&args.user, now_ms()).await?;
            Ok(Answer::new("closed; no more numbers are handed out", json!({"closed": true})))
        }
        CallsCommand::List => {
            let windows = engine.calling_windows().await?;
            let row = |w: &CallingWindow| {
                let (from, to) = (write_instant(w.opened_at), write_instant(w.closes_at));
                vec![w.id.to_string(), w.opened_by.clone(), from, to, w.seats.to_string(), w.handed_out.to_string()]
            };
            let rows: Vec<Vec<String>> = windows.iter().map(row).collect();
            let text = table(&["window", "by", "from", "to", "seats", "handed out"], &rows);
            Ok(Answer::new(text, json!({"windows": windows})))
        }
        CallsCommand::Queue(which) => list(args, &engine, Channel::CallList, which).await,
        CallsCommand::Take(take) => take_work(args, &engine, Channel::CallList, take).await,
        CallsCommand::Record { file } => record(args, &engine, Channel::CallList, file).await,
        CallsCommand::Report { date } => report(&engine, *date).await,
    }
}

/// `care requests`
pub(crate) async fn requests(args: &Args, command: &RequestsCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        RequestsCommand::List(which) => list(args, &engine, Channel::Action, which).await,
        RequestsCommand::Take(take) => take_work(args, &engine, Channel::Action, take).await,
        RequestsCommand::Record { file } => record(args, &engine, Channel::Action, file).await,
    }
}

async fn list(args: &Args, engine: &Engine, channel: Channel, which: &ListArgs) -> anyhow::Result<Answer> {
    let mut query = WorkListQuery {
        standing: which.standing.clone(),
        campaign: which.campaign.clone(),
        after: 0,
        limit: which.count.min(PAGE),
    };
    let mut listed: Vec<ListedWork> = Vec::new();
    while query.limit > 0 {
        let page = engine.work_list(channel, &query, &args.user, now_ms()).await?;
        let full = page.len() == query.limit as usize;
        query.after = page.last().map_or(query.after, |work| work.place);
        listed.extend(page);
        query.limit = if full { (which.count - listed.len() as u32).min(PAGE) } else { 0 };
    }
    if let Some(out) = &which.out {
        std::fs::write(out, work_list_csv(&listed)).with_context(|| format!("{} cannot be written", out.display()))?;
        let text = format!("{} written to {}", listed.len(), out.display());
        return Ok(Answer::new(text, json!({"listed": listed.len(), "out": out})));
    }
    let row = |w: &ListedWork| {
        let what = w.action.as_ref().map_or_else(|| w.addressee.name().to_owned(), |action| action.told());
        let person = w.person.clone().unwrap_or_default();
        vec![w.contact.clone(), w.customer.clone(), what, w.round.to_string(), w.standing.clone(), person]
    };
    let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
    let text = table(&["contact", "customer", "what", "round", "stands", "who"], &rows);
    Ok(Answer::new(text, json!({"work": listed})))
}

async fn take_work(args: &Args, engine: &Engine, channel: Channel, take: &TakeArgs) -> anyhow::Result<Answer> {
    let work = engine.hand_work_out(channel, take.count, &args.user, now_ms()).await?;
    if let Some(out) = &take.out {
        std::fs::write(out, work_csv(&work)).with_context(|| format!("{} cannot be written", out.display()))?;
        let text = format!("{} written to {}; fill in result and note and give it back", work.len(), out.display());
        return Ok(Answer::new(text, json!({"handed_out": work.len(), "out": out})));
    }
    let row = |w: &Work| vec![w.contact.clone(), w.round.to_string(), w.name.clone(), w.to.clone(), w.text.clone()];
    let rows: Vec<Vec<String>> = work.iter().map(row).collect();
    Ok(Answer::new(table(&["contact", "round", "name", "to", "text"], &rows), json!({"work": work})))
}

async fn record(args: &Args, engine: &Engine, channel: Channel, file: &Path) -> anyhow::Result<Answer> {
    let done = engine.record_work(channel, &read(file)?, &args.user, now_ms()).await?;
    Ok(Answer::new(told(&done), serde_json::to_value(&done)?))
}

fn told(done: &WorkRecorded) -> String {
    let mut text = format!(
        "{} results recorded, {} known before, {} lines rejected\n",
        done.recorded,
        done.repeated,
        done.rejected.len()
    );
    for line in done.rejected.iter().take(SHOWN) {
        text += &format!("  line {}: {}\n", line.line, line.reason);
    }
    text
}

async fn report(engine: &Engine, date: i32) -> anyhow::Result<Answer> {
    let report = engine.work_report(date).await?;
    let mut rows = Vec::new();
    for (kind, all) in [("calls", &report.calls), ("requests", &report.requests)] {
        for (campaign, figures) in all {
            let results: Vec<String> = figures.results.iter().map(|(result, n)| format!("{result} {n}")).collect();
            let counts = [figures.customers.to_string(), figures.handed_out.to_string(), results.join(", ")];
            rows.push([kind.to_owned(), campaign.clone()].into_iter().chain(counts).collect());
        }
    }
    let text = format!("{}\n{}", report.date, table(&["", "campaign", "customers", "handed out", "results"], &rows));
    Ok(Answer::new(text, serde_json::to_value(&report)?))
}
