//! `care disaster`.

use super::{open, read_bytes};
use crate::answer::{Answer, table};
use crate::args::{Args, DisasterCommand};
use crate::clock::now_ms;
use care_domain::disaster::Shape;
use care_domain::time::{write_date, write_instant};
use care_engine::{Disaster, DisasterReport, EngineError};
use serde_json::json;

/// `care disaster`
pub(crate) async fn run(args: &Args, command: &DisasterCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let now = now_ms();
    match command {
        DisasterCommand::Alert { file } => {
            let taken = engine.take_alert(&read_bytes(file)?, &args.user, now).await?;
            let text = format!(
                "{} {:?} {}\n{} places; {} waiting contacts stopped. Nothing is sent before a duty officer activates it",
                taken.follows,
                taken.disasters,
                taken.because,
                taken.areas.len(),
                taken.stopped
            );
            Ok(Answer::new(text, serde_json::to_value(&taken)?))
        }
        DisasterCommand::Draft { name, onset, around, km, areas } => {
            let mut shapes: Vec<Shape> = areas.iter().cloned().map(Shape::Code).collect();
            shapes.extend(around.map(|center| Shape::Circle { center, radius_km: *km }));
            if shapes.is_empty() {
                let hint = "Give --around LAT,LON with --km, or --areas";
                return Err(EngineError::refused("no-area", "the draft names no area", hint).into());
            }
            let drafted = engine.draft_disaster(name, *onset, &shapes, &args.user, now).await?;
            Ok(Answer::new(told(&drafted), serde_json::to_value(&drafted)?))
        }
        DisasterCommand::Activate { id, activity, until, reason } => {
            let active = engine.activate_disaster(*id, activity, (*until, reason), &args.user, now).await?;
            Ok(Answer::new(told(&active), serde_json::to_value(&active)?))
        }
        DisasterCommand::End { id } => {
            let stopped = engine.end_disaster(*id, &args.user, now).await?;
            let text = format!("disaster {id} has ended; {stopped} waiting contacts withdrawn");
            Ok(Answer::new(text, json!({"disaster": id, "stopped": stopped})))
        }
        DisasterCommand::List => {
            let all = engine.disasters().await?;
            let row = |d: &Disaster| {
                let campaign = d.campaign.clone().unwrap_or_default();
                vec![d.id.to_string(), d.name.clone(), write_date(d.onset), format!("{:?}", d.state), campaign]
            };
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            Ok(Answer::new(table(&["id", "what", "onset", "state", "campaign"], &rows), json!({"disasters": all})))
        }
        DisasterCommand::Report { id, date } => {
            let today = write_instant(now);
            let day = date.or_else(|| care_domain::time::parse_date(today.get(..10)?));
            let day = day.ok_or_else(|| EngineError::refused("bad-date", "no date", "Give --date"))?;
            let report = engine.disaster_report(*id, day).await?;
            Ok(Answer::new(words(&report), serde_json::to_value(&report)?))
        }
    }
}

fn told(disaster: &Disaster) -> String {
    let next = match &disaster.campaign {
        Some(campaign) => format!("campaign {campaign} takes part in the next plan"),
        None => format!("next: a duty officer's `care disaster activate {}`", disaster.id),
    };
    format!(
        "disaster {} {:?}: {} places from {}; {next}",
        disaster.id,
        disaster.state,
        disaster.areas.len(),
        write_date(disaster.onset)
    )
}

fn words(report: &DisasterReport) -> String {
    let mut text = format!(
        "{} on {} (day {}): {} customers in the area\n",
        report.disaster.name, report.date, report.day, report.customers
    );
    for (kind, count) in &report.outcomes {
        text += &format!("  {}: {count}\n", if kind.is_empty() { "nothing known yet" } else { kind });
    }
    for (template, states) in &report.contacts {
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        text += &format!("  {template}: {}\n", states.join(", "));
    }
    text
}
