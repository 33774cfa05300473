//! `care finding`, `care need`, `care knowledge`, `care brake`, `care notices`, `care report`, `care export`.

use super::outcome::rejected;
use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, BrakeCommand, FindingCommand, KnowledgeCommand, NeedCommand, ReportCommand};
use crate::clock::now_ms;
use crate::views;
use anyhow::Context;
use care_domain::brake::Brake;
use care_domain::need::{Need, State};
use care_domain::time::{today, write_date, write_instant};
use care_engine::{
    CareReport, Engine, EngineError, Form, KnowledgeQuery, Learnt, LiveScore, NewFinding, NewNeed, RecordImport,
};
use serde_json::{Value, json};
use std::path::Path;

/// `care finding`
pub(crate) async fn finding(args: &Args, command: &FindingCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let (by, at) = (args.user.as_str(), now_ms());
    match command {
        FindingCommand::Open { activity, version, what, owner, due, evaluation } => {
            let new = NewFinding {
                activity: activity.clone(),
                version: version.clone(),
                what: what.clone(),
                owner: owner.clone(),
                due: *due,
                evaluation: *evaluation,
            };
            let id = engine.open_finding(&new, by, at).await?;
            Ok(Answer::new(format!("finding {id} is open until {}", write_date(*due)), json!({"finding": id})))
        }
        FindingCommand::Close { id, version } => {
            engine.close_finding(*id, version, by, at).await?;
            Ok(Answer::new(format!("finding {id} is closed by version {version}"), json!({"finding": id})))
        }
        FindingCommand::Drop { id, reason } => {
            engine.drop_finding(*id, reason, by, at).await?;
            Ok(Answer::new(format!("finding {id} is dropped"), json!({"finding": id})))
        }
        FindingCommand::List => findings(&engine, at).await,
    }
}

async fn findings(engine: &Engine, at: i64) -> anyhow::Result<Answer> {
    let all = engine.store().findings().await.map_err(EngineError::from)?;
    let today = today(at);
    let state = |f: &care_domain::follow_up::FollowUp| if f.is_late(today) { "LATE" } else { f.state.name() };
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|(id, f)| {
            let version = format!("{} {}", f.activity, f.version);
            vec![id.to_string(), version, state(f).to_owned(), f.owner.clone(), write_date(f.due), f.what.clone()]
        })
        .collect();
    let json = all.iter().map(|(id, f)| views::finding(*id, f, today));
    let text = table(&["no.", "about", "state", "owner", "due", "finding"], &rows);
    Ok(Answer::new(text, json!({"findings": json.collect::<Vec<_>>()})))
}

/// `care need`
pub(crate) async fn need(args: &Args, command: &NeedCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let (by, at) = (args.user.as_str(), now_ms());
    match command {
        NeedCommand::Collect { file } => {
            let RecordImport { added, repeated, rejected: bad } = engine.collect_records(&read(file)?, by, at).await?;
            let text = format!(
                "{added} records collected, {repeated} known before, {} lines rejected\n{}",
                bad.len(),
                rejected(&bad)
            );
            Ok(Answer::new(text, json!({"added": added, "repeated": repeated, "rejected": bad})))
        }
        NeedCommand::Open { entry, title, from, until } => {
            let new = NewNeed { entry: entry.clone(), title: title.clone(), from: *from, until: *until };
            let id = engine.open_need(&new, by, at).await?;
            Ok(Answer::new(format!("need {id} is open. Next: care need analyse {id}"), json!({"need": id})))
        }
        NeedCommand::Analyse { id } => {
            let need = engine.analyse_need(*id, by, at).await?;
            Ok(Answer::new(told(*id, &need, &[]), views::need(*id, &need, &[])))
        }
        NeedCommand::Publish { id } => {
            engine.publish_need(*id, by, at).await?;
            Ok(Answer::new(format!("need {id} is published"), json!({"need": id})))
        }
        NeedCommand::Answer { id, activity } => {
            engine.answer_need(*id, activity, by, at).await?;
            Ok(Answer::new(format!("{activity} answers need {id}"), json!({"need": id, "activity": activity})))
        }
        NeedCommand::Show { id: Some(id) } => {
            let (need, answers) = engine.need(*id).await?;
            Ok(Answer::new(told(*id, &need, &answers), views::need(*id, &need, &answers)))
        }
        NeedCommand::Show { id: None } => {
            let all = engine.store().needs().await.map_err(EngineError::from)?;
            let rows: Vec<Vec<String>> = all
                .iter()
                .map(|(id, (n, a))| {
                    vec![id.to_string(), n.entry.clone(), n.state.name().to_owned(), n.title.clone(), a.join(", ")]
                })
                .collect();
            let json = all.iter().map(|(id, (need, answers))| views::need(*id, need, answers));
            let text = table(&["no.", "entry", "state", "title", "answered by"], &rows);
            Ok(Answer::new(text, json!({"needs": json.collect::<Vec<_>>()})))
        }
    }
}

fn told(id: i64, need: &Need, answers: &[String]) -> String {
    let mut text = format!("need {id}: {} ({}), {}\n", need.title, need.entry, need.state.name());
    if let State::Analysed { analysis, .. } | State::Published { analysis, .. } = &need.state {
        for (source, count) in &analysis.volume {
            text += &format!("  {}: {count}\n", source.name());
        }
        if let Some(mean) = analysis.mean_score {
            text += &format!("  mean score {mean:.2}\n");
        }
        for spot in &analysis.weak {
            text += &format!(
                "  weak in {}: {:+.0} % complaints and enquiries, {:.2} points less satisfied\n",
                spot.region,
                spot.raised_above * 100.0,
                spot.score_below
            );
        }
    }
    if !answers.is_empty() {
        text += &format!("  answered by {}\n", answers.join(", "));
    }
    text
}

/// `care knowledge`
pub(crate) async fn knowledge(args: &Args, command: &KnowledgeCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        KnowledgeCommand::Search { need, category, stage, text } => {
            let query = KnowledgeQuery { need: *need, category: category.clone(), stage: *stage, text: text.clone() };
            let found = engine.knowledge(&query).await?;
            let experiments = engine.known_experiments().await?;
            Ok(Answer::new(compared(&found), json!({"versions": found, "experiments": experiments})))
        }
        KnowledgeCommand::Show { activity, version } => {
            let mut found = engine.knowledge(&KnowledgeQuery::default()).await?;
            found.retain(|one| one.activity == *activity);
            found.retain(|one| version.as_ref().is_none_or(|version| one.version == version.to_string()));
            if found.is_empty() {
                let message = format!("nothing is known of {activity}");
                let hint = "See `care knowledge search`";
                return Err(EngineError::refused("unknown-activity", message, hint).into());
            }
            let text = found.iter().map(described).collect::<String>() + &compared(&found);
            Ok(Answer::new(text, json!({"versions": found})))
        }
    }
}

/// Versions beside each other.
fn compared(found: &[Learnt]) -> String {
    let points = |x: f64| format!("{:+.2}", x * 100.0);
    let row = |one: &Learnt| {
        let effect = one.effect().map_or_else(
            || "not kept".to_owned(),
            |(difference, [low, high])| format!("{} [{}, {}]", points(difference), points(low), points(high)),
        );
        let open = one.findings.values().filter(|f| f.state.name() == "open").count();
        vec![
            format!("{} {}", one.activity, one.version),
            one.state.to_owned(),
            one.reaction.messages.to_string(),
            one.goal.outcome.clone(),
            effect,
            one.reaction.complaints.to_string(),
            open.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    table(&["version", "state", "messages", "goal", "effect in points", "complaints", "open findings"], &rows)
}

fn described(one: &Learnt) -> String {
    let mut text =
        format!("{} {} ({}): {}\n  {}\n", one.activity, one.version, one.state, one.title.zh, one.summary.en);
    for (category, entries) in &one.categories {
        text += &format!("  {category}: {}\n", entries.join(", "));
    }
    for kept in &one.evaluations {
        text += &format!("  evaluation {}: {} of {}\n", kept.id, kept.metric, kept.campaign);
    }
    for (id, finding) in &one.findings {
        text += &format!("  finding {id} ({}): {}\n", finding.state.name(), finding.what);
    }
    text
}

/// `care brake`
pub(crate) async fn brake(args: &Args, command: &BrakeCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        BrakeCommand::Show => {
            let (brake, scores) = (engine.brake().await?, engine.scores().await?);
            let text = format!(
                "held above {:.2} % within {} days, from {} messages on\n{}",
                brake.share * 100.0,
                brake.days,
                brake.least,
                scored(&scores)
            );
            Ok(Answer::new(text, views::brake(&brake, &scores)))
        }
        BrakeCommand::Set { days, share, enquiry, least } => {
            let now = engine.brake().await?;
            let brake = Brake {
                days: days.unwrap_or(now.days),
                share: share.unwrap_or(now.share),
                enquiry: enquiry.unwrap_or(now.enquiry),
                least: least.unwrap_or(now.least),
            };
            let held = engine.set_brake(&brake, &args.user, now_ms()).await?;
            let text = format!("the brake is set; {} versions are held by it now\n{}", held.len(), scored(&held));
            Ok(Answer::new(text, json!({"brake": brake, "held": held})))
        }
    }
}

fn scored(scores: &[LiveScore]) -> String {
    let row = |one: &LiveScore| {
        let score = one.score.score.map_or_else(|| "too few".to_owned(), |score| format!("{score:.1}"));
        vec![
            format!("{} {}", one.activity, one.version),
            one.state.to_owned(),
            one.reaction.messages.to_string(),
            one.reaction.complaints.to_string(),
            one.reaction.enquiries.to_string(),
            score,
        ]
    };
    let rows: Vec<Vec<String>> = scores.iter().map(row).collect();
    table(&["version", "state", "messages", "complaints", "enquiries", "score"], &rows)
}

/// `care notices`
pub(crate) async fn notices(args: &Args) -> anyhow::Result<Answer> {
    let found = open(args).await?.notices(&args.user).await?;
    let lines = found.iter().map(|n| format!("{} {}: {}\n", write_instant(n.at), n.subject, n.text));
    let text: String = lines.collect();
    let text = if text.is_empty() { format!("nothing to tell {}", args.user) } else { text };
    Ok(Answer::new(text, json!({"notices": found})))
}

/// `care report`
pub(crate) async fn report(args: &Args, command: &ReportCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let (found, page) = match command {
        ReportCommand::Daily { date, activity, page } => {
            (engine.daily_report(*date, activity.as_deref(), now_ms()).await?, page)
        }
        ReportCommand::Monthly { date, page } => (engine.monthly_report(*date, now_ms()).await?, page),
    };
    let mut text = as_text(&found);
    if let Some(path) = page {
        std::fs::write(path, found.page()).with_context(|| format!("{} cannot be written", path.display()))?;
        text += &format!("as a page: {}\n", path.display());
    }
    Ok(Answer::new(text, serde_json::to_value(&found)?))
}

fn as_text(report: &CareReport) -> String {
    let mut text = format!("{}  {}\n", report.title, report.period);
    for section in &report.sections {
        let header: Vec<&str> = section.columns.iter().map(String::as_str).collect();
        text += &format!("\n{}\n{}", section.title, table(&header, &section.rows));
    }
    text
}

/// `care export`
pub(crate) async fn export(args: &Args, folder: &Path, forms: &[Form]) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    let mut json = serde_json::Map::new();
    let mut text = String::new();
    for form in forms {
        let written = engine.export(folder, *form).await?;
        for (name, rows) in &written {
            text += &format!("{}: {rows} rows\n", folder.join(format!("{name}.{}", form.name())).display());
        }
        json.insert(form.name().to_owned(), json!(written));
    }
    Ok(Answer::new(text, Value::Object(json)))
}
