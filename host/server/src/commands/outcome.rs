//! `care outcome`.

use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, OutcomeCommand};
use crate::clock::now_ms;
use anyhow::Context;
use care_engine::{Distribution, Histogram, RejectedLine};
use serde_json::json;

/// Rejected lines shown to people; programs get all.
const SHOWN: usize = 20;

/// `care outcome`
pub(crate) async fn run(args: &Args, command: &OutcomeCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        OutcomeCommand::Import { file, mapping, source } => {
            let done = match mapping {
                None => engine.import_outcomes_from(&read(file)?, *source, &args.user, now_ms()).await?,
                Some(mapping) => engine.import_outcome_table(file, &read(mapping)?, &args.user, now_ms()).await?,
            };
            let mut text = format!(
                "{} outcomes added, {} known before, {} waiting contacts cancelled, {} lines rejected\n",
                done.added,
                done.repeated,
                done.cancelled,
                done.rejected.len()
            );
            text += &rejected(&done.rejected);
            Ok(Answer::new(text, serde_json::to_value(&done)?))
        }
        OutcomeCommand::Show { kind, by, from, until } => {
            let span = (from.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX));
            let found = engine.distribution(kind, by.as_deref(), span).await?;
            Ok(Answer::new(distributed(&found), serde_json::to_value(&found)?))
        }
        OutcomeCommand::Simulate { campaign, seed, from, out } => {
            let (csv, lines) = engine.simulate_outcomes(campaign, *seed, *from).await?;
            std::fs::write(out, csv).with_context(|| format!("{} cannot be written", out.display()))?;
            let text = format!("{lines} made-up outcomes written to {}", out.display());
            Ok(Answer::new(text, json!({"lines": lines, "out": out})))
        }
    }
}

/// Rejected lines as people read them.
pub(super) fn rejected(lines: &[RejectedLine]) -> String {
    let shown = lines.iter().take(SHOWN);
    let mut text: String =
        shown.map(|line| format!("  line {}: {} ({})\n", line.line, line.reason, line.code)).collect();
    if lines.len() > SHOWN {
        text += &format!("  and {} more; --json tells all\n", lines.len() - SHOWN);
    }
    text
}

fn distributed(found: &Distribution) -> String {
    let figures: std::collections::BTreeSet<i64> = found.all.by_value.keys().copied().collect();
    let names: Vec<String> = figures.iter().map(ToString::to_string).collect();
    let header: Vec<&str> =
        ["slice", "customers", "mean"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let row = |name: &str, part: &Histogram| {
        let mean = part.mean.map_or(String::new(), |mean| format!("{mean:.4}"));
        let counts = figures.iter().map(|figure| part.by_value.get(figure).copied().unwrap_or(0).to_string());
        [name.to_owned(), part.count.to_string(), mean].into_iter().chain(counts).collect::<Vec<String>>()
    };
    let mut rows: Vec<Vec<String>> = found.slices.iter().map(|(name, part)| row(name, part)).collect();
    rows.push(row("all", &found.all));
    format!("{}\n{}", found.kind, table(&header, &rows))
}
