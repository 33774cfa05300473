//! `care policy`, `care calendar`.

use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, CalendarCommand, PolicyCommand};
use crate::clock::now_ms;
use crate::commands::population::short;
use crate::views;
use care_domain::policy::Policy;
use care_domain::policy_version::PolicyChange;
use care_domain::time::write_instant;
use care_engine::{Engine, EngineError, PolicyVersion};
use serde_json::{Value, json};

/// `care policy`
pub(crate) async fn run(args: &Args, command: &PolicyCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        PolicyCommand::Show { number } => {
            let version = engine.policy_version(*number).await?;
            // With what an older document left to its default.
            let document = serde_json::to_value(&version.policy)?;
            Ok(Answer::new(serde_json::to_string_pretty(&document)?, document))
        }
        PolicyCommand::Propose { file, note } => {
            let policy: Policy = serde_json::from_str(&read(file)?).map_err(|error| {
                let hint = "Start from `care policy show`";
                EngineError::refused("bad-policy", format!("{}: {error}", file.display()), hint)
            })?;
            let done = engine.propose_policy(&policy, note, &args.user, now_ms()).await?;
            let mut text = format!("policy {} is proposed\n{}", done.number, told(&done.changes));
            done.warnings.iter().for_each(|warning| text += &format!("{warning}\n"));
            text += &format!("Next, somebody else: care policy approve {}", done.number);
            let json = json!({"policy": done.number, "changes": done.changes, "warnings": done.warnings});
            Ok(Answer::new(text, json))
        }
        PolicyCommand::Approve { number } => {
            let version = engine.approve_policy(*number, &args.user, now_ms()).await?;
            let text = format!("policy {number} {:?} is in force for new plans", version.policy.name);
            Ok(Answer::new(text, json!({"policy": number, "digest": version.digest})))
        }
        PolicyCommand::Reject { number, reason } => {
            engine.reject_policy(*number, reason, &args.user, now_ms()).await?;
            Ok(Answer::new(format!("policy {number} is rejected"), json!({"policy": number, "state": "rejected"})))
        }
        PolicyCommand::History => history(&engine).await,
        PolicyCommand::Diff { number, with } => {
            let with = match with {
                Some(with) => *with,
                None => base_of(&engine, *number).await?,
            };
            let changes = engine.policy_diff(with, *number).await?;
            Ok(Answer::new(told(&changes), json!({"before": with, "after": number, "changes": changes})))
        }
    }
}

/// The version on which another was written.
async fn base_of(engine: &Engine, number: i64) -> anyhow::Result<i64> {
    let version = engine.policy_version(Some(number)).await?;
    let all = engine.policy_versions().await?;
    let base = all.iter().find(|v| v.number < number && v.digest == version.base && v.state.name() == "approved");
    let base = base.ok_or_else(|| {
        let message = format!("policy {number} was written on no other");
        EngineError::refused("no-base", message, "Name another version with --with")
    })?;
    Ok(base.number)
}

fn told(changes: &[PolicyChange]) -> String {
    let written = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    changes.iter().map(|c| format!("  {}: {} → {}\n", c.place, written(&c.before), written(&c.after))).collect()
}

async fn history(engine: &Engine) -> anyhow::Result<Answer> {
    let all = engine.policy_versions().await?;
    let in_force = engine.policy_version(None).await?.number;
    let state = |v: &PolicyVersion| if v.number == in_force { "in force" } else { v.state.name() };
    let deed = |person: &str, at: i64| format!("{person} {}", write_instant(at));
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|v| {
            let decider = v.state.decider().map_or_else(String::new, |d| deed(&d.person, d.at));
            let author = v.state.author();
            vec![
                v.number.to_string(),
                v.policy.name.clone(),
                state(v).to_owned(),
                deed(&author.person, author.at),
                decider,
                short(&v.digest).to_owned(),
                v.note.clone(),
            ]
        })
        .collect();
    let json = all.iter().map(|v| views::policy(v, in_force));
    let text = table(&["policy", "name", "state", "written", "decided", "digest", "note"], &rows);
    Ok(Answer::new(text, json!({"policies": json.collect::<Vec<_>>()})))
}

/// `care calendar`
pub(crate) async fn calendar(args: &Args, command: &CalendarCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        CalendarCommand::Import { files } => {
            let texts = files.iter().map(|file| Ok((file.display().to_string(), read(file)?)));
            let texts = texts.collect::<anyhow::Result<Vec<_>>>()?;
            let rows = engine.import_calendars(&texts, &args.user, now_ms()).await?;
            let text =
                rows.iter().map(|r| format!("the calendar of {} lists {} days\n", r.year, r.days)).collect::<String>();
            let json = rows.iter().map(|r| json!({"year": r.year, "days": r.days, "digest": r.digest}));
            Ok(Answer::new(text, json!({"calendars": json.collect::<Vec<_>>()})))
        }
        CalendarCommand::Show => {
            let all = engine.calendars().await?;
            let rows: Vec<Vec<String>> = all
                .values()
                .map(|r| {
                    vec![r.year.to_string(), r.days.to_string(), short(&r.digest).to_owned(), r.imported_by.clone()]
                })
                .collect();
            let json = all.values().map(|r| json!({"year": r.year, "days": r.days, "digest": r.digest}));
            let json = json!({"calendars": json.collect::<Vec<_>>()});
            Ok(Answer::new(table(&["year", "days", "digest", "by"], &rows), json))
        }
    }
}
