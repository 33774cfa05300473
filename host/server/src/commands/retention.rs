//! `care retention`.

use super::open;
use crate::answer::{Answer, table};
use crate::args::{Args, RetentionCommand};
use crate::clock::now_ms;
use care_domain::retention::Retention;
use care_domain::time::write_instant;
use care_engine::RetentionReport;
use serde_json::json;

/// `care retention`
pub(crate) async fn run(args: &Args, command: &RetentionCommand) -> anyhow::Result<Answer> {
    let (engine, by, now) = (open(args).await?, &args.user, now_ms());
    match command {
        RetentionCommand::Show => {
            let (periods, runs) = (engine.retention().await?, engine.retention_runs(20).await?);
            let told = |run: &care_engine::RetentionRun| {
                let count = |name: &str| run.report[name].to_string();
                vec![write_instant(run.at), run.by.clone(), count("messages"), count("contacts"), count("plans")]
            };
            let rows: Vec<Vec<String>> = runs.iter().map(told).collect();
            let text = lines(&periods) + &table(&["run", "by", "messages", "contacts", "plans"], &rows);
            Ok(Answer::new(text, json!({"periods": periods, "runs": runs})))
        }
        RetentionCommand::Set { messages, contacts, calls, events, decision_logs, outbox, webhooks, reason } => {
            let periods = Retention {
                messages: *messages,
                contacts: *contacts,
                calls: *calls,
                events: *events,
                decision_logs: *decision_logs,
                outbox: *outbox,
                webhooks: *webhooks,
            };
            engine.set_retention(&periods, reason, by, now).await?;
            Ok(Answer::new(lines(&periods), json!(periods)))
        }
        RetentionCommand::Run { dry_run } => {
            let report = engine.retain(*dry_run, by, now).await?;
            Ok(Answer::new(told(&report), json!(report)))
        }
    }
}

fn lines(periods: &Retention) -> String {
    let row = |what: &str, days: Option<u32>| {
        vec![what.to_owned(), days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"))]
    };
    let Retention { messages, contacts, calls, events, decision_logs, outbox, webhooks } = *periods;
    let rows = [
        row("what was said", messages),
        row("contacts", contacts),
        row("calls", calls),
        row("events", events),
        row("decision logs", decision_logs),
        row("files of the outbox", outbox),
        row("webhook events", webhooks),
    ];
    table(&["what", "kept"], &rows)
}

fn told(report: &RetentionReport) -> String {
    let verb = if report.dry_run { "would go" } else { "went" };
    let counts = [
        ("contacts' words", report.messages),
        ("prompts' words", report.prompts),
        ("contacts", report.contacts),
        ("held-out customers", report.held_out),
        ("batches of events", report.event_batches),
        ("plans' decision logs", report.plans),
        ("files of the outbox", report.outbox_files),
        ("webhook events", report.webhook_events),
        ("calls", report.calls),
    ];
    let mut text: String = counts.iter().map(|(what, count)| format!("{count} {what} {verb}\n")).collect();
    if report.calls_kept > 0 {
        text += &format!("{} old calls stay: what was declined in them would be shown again\n", report.calls_kept);
    }
    for kept in &report.kept {
        let because = serde_json::to_value(kept.because).unwrap_or_default();
        let because = because.as_str().unwrap_or_default();
        text += &format!("{} old contacts of {} stay: {because}\n", kept.contacts, kept.campaign);
    }
    text
}
