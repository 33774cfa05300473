//! `care plan record` and `care plugin replay`: what was decided about some customers, kept, and asked again of another build.

use super::author::{fault_lines, open, project_of, who};
use super::read;
use crate::answer::Answer;
use crate::args::{Args, CacheArgs, RecordArgs};
use crate::clock::now_ms;
use crate::commands::population::short;
use care_domain::time::write_instant;
use care_engine::author::{self, Contacted, Otherwise, PlannedBatch, Reanswered, Recorded, Replayed, Workbench};
use care_engine::{Engine, EngineError, WantedBatch};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;

/// `care plan record`
pub(super) async fn record(args: &Args, engine: &Engine, wanted: &RecordArgs) -> anyhow::Result<Answer> {
    let RecordArgs { plan, activity, bucket, batch, out } = wanted;
    let wanted = WantedBatch { plan, campaign: activity, bucket: *bucket, batch: *batch };
    let record = engine.record_batch(wanted, &args.user, now_ms()).await?;
    keep(out, &record)?;
    let chosen = record.who.iter().filter(|one| one.answer.is_some()).count();
    let mut text = format!(
        "{} customers of bucket {} batch {} of plan {}, {chosen} of them chosen by {} {}: {}\n",
        record.who.len(),
        record.bucket,
        record.batch,
        short(&record.plan),
        record.activity,
        record.version,
        out.display()
    );
    text += &withheld(&record);
    let json = json!({
        "plan": record.plan, "activity": record.activity, "bucket": record.bucket, "batch": record.batch,
        "customers": record.who.len(), "chosen": chosen, "withheld": record.withheld, "file": out,
    });
    Ok(Answer::new(text, json))
}

/// Writes a record.
pub(super) fn keep(path: &Path, record: &impl serde::Serialize) -> anyhow::Result<()> {
    let record = serde_json::to_vec_pretty(record)?;
    Ok(std::fs::write(path, record).map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        EngineError::refused("no-file", message, "Check the path and the space left")
    })?)
}

/// `care plugin replay`
pub(crate) fn replay(
    args: &Args,
    (record, plugin): (&Path, &Path),
    cache: &CacheArgs,
    say: &dyn Fn(&str),
) -> anyhow::Result<Answer> {
    let kept: Value = parsed(record, serde_json::from_str(&read(record)?))?;
    let (answer, same) = if kept.get("plan").is_some() {
        let batch: PlannedBatch = of_value(record, kept)?;
        let subject = open(plugin, project_of(plugin)?, cache, say)?;
        of_plan(&subject.workbench, &batch)?
    } else {
        let recorded: Recorded = of_value(record, kept)?;
        let subject = open(plugin, project_of(plugin)?, cache, say)?;
        of_trial(&subject.workbench, &recorded)?
    };
    if same {
        return Ok(answer);
    }
    answer.print(args.json);
    std::process::exit(i32::from(crate::REFUSED));
}

fn of_value<T: DeserializeOwned>(file: &Path, kept: Value) -> Result<T, EngineError> {
    parsed(file, serde_json::from_value(kept))
}

fn parsed<T>(file: &Path, read: serde_json::Result<T>) -> Result<T, EngineError> {
    read.map_err(|error| {
        let message = format!("{}: {error}", file.display());
        let hint = "Record anew with `care plugin simulate --record` or `care plan record`";
        EngineError::refused("bad-record", message, hint)
    })
}

fn of_trial(workbench: &Workbench, recorded: &Recorded) -> anyhow::Result<(Answer, bool)> {
    let replayed = workbench.replay(recorded)?;
    let told =
        |one: &Option<Contacted>| one.as_ref().map_or_else(|| "nobody".to_owned(), |one| who(one)[1..].join("  "));
    let mut text = String::new();
    for changed in &replayed.changed {
        text += &format!("{}\n  was {}\n  is  {}\n", changed.customer, told(&changed.before), told(&changed.now));
    }
    let Replayed { customers, recorded: before, decided, changed } = &replayed;
    let name = format!("{} {}", recorded.activity, recorded.version);
    text += &summary(*customers, (*before, *decided), &name, changed.len());
    Ok((Answer::new(text, serde_json::to_value(&replayed)?), changed.is_empty()))
}

fn of_plan(workbench: &Workbench, batch: &PlannedBatch) -> anyhow::Result<(Answer, bool)> {
    let again = workbench.answer_again(batch)?;
    let Reanswered { customers, recorded, decided, changed, faults } = &again;
    let mut text: String = changed.iter().map(otherwise).collect();
    for (first, fault) in faults {
        text += &format!("\nfirst on {first}:\n{}", fault_lines(fault));
    }
    let name = format!("{} {} in plan {}", batch.activity, batch.version, short(&batch.plan));
    text += &summary(*customers as u64, (*recorded, *decided), &name, changed.len());
    text += &withheld(batch);
    Ok((Answer::new(text, json!({"replayed": again, "withheld": batch.withheld})), changed.is_empty()))
}

fn summary(customers: u64, (before, now): (usize, usize), name: &str, changed: usize) -> String {
    format!("{customers} customers, {before} chosen as {name} was, {now} now: {changed} decided otherwise\n")
}

fn withheld(batch: &PlannedBatch) -> String {
    if batch.withheld.is_empty() {
        return String::new();
    }
    let fields = batch.withheld.join(", ");
    format!("Not in the record, since it is sensitive: {fields}. What depends on it comes out otherwise.\n")
}

fn otherwise(of: &Otherwise) -> String {
    let told = |answer: Option<&author::Answer>, broke: Option<&String>| match (answer, broke) {
        (_, Some(broke)) => format!("broke in {broke}"),
        (None, None) => "nobody".to_owned(),
        (Some(answer), None) => {
            let said: Vec<String> =
                answer.messages.iter().map(|(template, slots)| format!("{template} {slots:?}")).collect();
            let (from, until) = (write_instant(answer.not_before), write_instant(answer.not_after));
            format!("{} {} {} {from} to {until}: {}", answer.reason, answer.occasion, answer.score, said.join(" | "))
        }
    };
    let read: Vec<String> = of.read.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let verdict =
        of.before.verdict.as_ref().map_or_else(String::new, |(verdict, rule)| format!(" ({} {rule})", verdict.name()));
    format!(
        "{} {{ {} }}\n  was {}{verdict}\n  is  {}\n",
        of.customer,
        read.join(", "),
        told(of.before.answer.as_ref(), of.before.broke.as_ref()),
        told(of.now.as_ref(), of.broke.as_ref())
    )
}
