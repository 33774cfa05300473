//! `care outcome`, `care evaluate`.

use super::{open, read};
use crate::answer::Answer;
use crate::args::{Args, OutcomeCommand};
use crate::clock::now_ms;
use anyhow::Context;
use care_engine::Evaluation;
use serde_json::json;

/// Rejected lines shown to people; programs get all.
const SHOWN: usize = 20;

/// `care outcome`
pub(crate) async fn run(args: &Args, command: &OutcomeCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        OutcomeCommand::Import { file } => {
            let done = engine.import_outcomes(&read(file)?, &args.user, now_ms()).await?;
            let mut text = format!(
                "{} outcomes added, {} known before, {} waiting contacts cancelled, {} lines rejected\n",
                done.added,
                done.repeated,
                done.cancelled,
                done.rejected.len()
            );
            for line in done.rejected.iter().take(SHOWN) {
                text += &format!("  line {}: {}\n", line.line, line.reason);
            }
            Ok(Answer::new(text, serde_json::to_value(&done)?))
        }
        OutcomeCommand::Simulate { campaign, seed, from, out } => {
            let (csv, lines) = engine.simulate_outcomes(campaign, *seed, *from).await?;
            std::fs::write(out, csv).with_context(|| format!("{} cannot be written", out.display()))?;
            let text = format!("{lines} made-up outcomes written to {}", out.display());
            Ok(Answer::new(text, json!({"lines": lines, "out": out})))
        }
    }
}

/// `care evaluate`
pub(crate) async fn evaluate(args: &Args, campaign: &str, outcome: Option<&str>) -> anyhow::Result<Answer> {
    let found = open(args).await?.evaluate(campaign, outcome).await?;
    let mut json = serde_json::to_value(&found)?;
    json["treated_mean"] = found.treated.mean().into();
    json["control_mean"] = found.control.mean().into();
    Ok(Answer::new(told(&found), json))
}

fn told(found: &Evaluation) -> String {
    let percent = |x: f64| format!("{:.2} %", x * 100.0);
    let mut text = format!(
        "{}: {} within {} days\n  treated {} of {} ({})\n  control {} of {} ({})\n",
        found.campaign,
        found.metric,
        found.window_days,
        found.treated.sum,
        found.treated.count,
        percent(found.treated.mean()),
        found.control.sum,
        found.control.count,
        percent(found.control.mean()),
    );
    match &found.effect {
        None => text += "  no effect can be told: the control group has fewer than two customers\n",
        Some(effect) => {
            let [low, high] = effect.ci95;
            text += &format!(
                "  difference {} [{}, {}], p = {:.4}\n",
                percent(effect.difference),
                percent(low),
                percent(high),
                effect.p
            );
        }
    }
    for metric in found.plugin.iter().filter(|m| !m.slice.is_empty()) {
        let arm = if metric.treated { "treated" } else { "control" };
        text += &format!("  {} {} {arm}: {} of {}\n", metric.name, metric.slice, percent(metric.mean), metric.count);
    }
    text
}
