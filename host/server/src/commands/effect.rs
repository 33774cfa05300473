//! `care evaluate`, `care execution`, `care experiment`.

use super::outcome::rejected;
use super::{open, read};
use crate::answer::{Answer, table};
use crate::args::{Args, EvaluateArgs, ExperimentCommand};
use crate::clock::now_ms;
use care_engine::{Compared, EngineError, Evaluation, EvaluationRequest, Execution, ExecutionCounts, Measure};
use serde_json::json;

/// `care evaluate`
pub(crate) async fn evaluate(args: &Args, wanted: &EvaluateArgs) -> anyhow::Result<Answer> {
    let request = EvaluationRequest {
        campaign: wanted.campaign.clone(),
        outcome: wanted.outcome.clone(),
        measure: wanted.measure,
        window_days: wanted.window,
        by: wanted.by.clone(),
        detect: wanted.detect,
        each: wanted.each,
        host_only: wanted.host_only,
    };
    let engine = open(args).await?;
    let found = engine.evaluate(&request).await?;
    let mut json = serde_json::to_value(&found)?;
    let mut text = told(&found, wanted.watching);
    if wanted.keep {
        let number = engine.keep_evaluation(&found, &args.user, now_ms()).await?;
        json["kept"] = number.into();
        text += &format!("kept as evaluation {number}\n");
    }
    Ok(Answer::new(text, json))
}

/// A mean as people read it.
fn figure(found: &Evaluation, value: f64) -> String {
    match found.measure {
        Measure::Reached => format!("{:.2} %", value * 100.0),
        Measure::Value | Measure::Answer => format!("{value:.4} {}", found.unit),
    }
}

fn told(found: &Evaluation, watching: bool) -> String {
    let source = if found.imported { " (an experiment of elsewhere)" } else { "" };
    let mut text = format!("{}{source}: {} within {} days\n", found.campaign, found.metric, found.window_days);
    text += &told_of(found, &found.compared, watching);
    if let Some(worth) = found.worth {
        text += &format!("  worth {worth:.2} yuan by the difference alone\n");
    }
    for (name, part) in &found.slices {
        text += &format!("{name}\n{}", told_of(found, part, watching));
    }
    for metric in found.plugin.iter().filter(|m| !m.slice.is_empty()) {
        let arm = if metric.treated { "treated" } else { "control" };
        text +=
            &format!("  the plugin's {} {} {arm}: {:.4} of {}\n", metric.name, metric.slice, metric.mean, metric.count);
    }
    text
}

fn told_of(found: &Evaluation, part: &Compared, watching: bool) -> String {
    let value = |x: f64| figure(found, x);
    let mut text = format!(
        "  treated {} of {} customers\n  control {} of {} customers\n",
        value(part.treated_mean),
        part.treated.count,
        value(part.control_mean),
        part.control.count,
    );
    let Some(effect) = &part.effect else {
        return text + "  no effect can be told: an arm has fewer than two customers\n";
    };
    let [low, high] = effect.ci95;
    text +=
        &format!("  difference {} [{}, {}], p = {:.4}", value(effect.difference), value(low), value(high), effect.p);
    if let Some(lift) = effect.lift {
        text += &format!(", {:+.1} % of control", lift * 100.0);
    }
    text += "\n";
    match (watching, &part.watched) {
        (false, _) => {}
        (true, None) => text += "  watched: too few customers yet, a hundred in each arm are needed\n",
        (true, Some(watched)) => {
            let [low, high] = watched.ci95;
            text +=
                &format!("  watched, right at every look: [{}, {}], p = {:.4}\n", value(low), value(high), watched.p);
        }
    }
    if let Some(sample) = &part.sample {
        let enough = if sample.reached { "enough" } else { "NOT ENOUGH" };
        text += &format!(
            "  {enough}: to find {} it takes {} treated and {} held out; this many find {} or more\n",
            value(sample.for_difference.abs()),
            sample.treated,
            sample.control,
            value(sample.detects)
        );
    }
    text
}

/// `care execution`
pub(crate) async fn execution(args: &Args, campaign: &str) -> anyhow::Result<Answer> {
    let found = open(args).await?.execution(campaign).await?;
    Ok(Answer::new(carried_out(&found), serde_json::to_value(&found)?))
}

fn carried_out(found: &Execution) -> String {
    let header = ["", "planned", "released", "sent", "delivered", "failed", "ended", "in time"];
    let row = |name: String, p: &ExecutionCounts| {
        let counts = [p.planned, p.released, p.sent, p.delivered, p.failed, p.ended, p.in_time];
        [name].into_iter().chain(counts.map(|count| count.to_string())).collect::<Vec<String>>()
    };
    let mut rows = vec![row("all".into(), &found.all)];
    for (what, parts) in [("region", &found.by_region), ("tier", &found.by_tier), ("channel", &found.by_channel)] {
        rows.extend(parts.iter().map(|(name, part)| row(format!("{what} {name}"), part)));
    }
    format!("{}: {} candidates cleared\n{}", found.campaign, found.cleared, table(&header, &rows))
}

/// `care experiment`
pub(crate) async fn experiment(args: &Args, command: &ExperimentCommand) -> anyhow::Result<Answer> {
    let engine = open(args).await?;
    match command {
        ExperimentCommand::Import { file, mapping } => {
            let done = engine.import_experiment(file, &read(mapping)?, &args.user, now_ms()).await?;
            let arms: Vec<String> = done.arms.iter().map(|(arm, count)| format!("{arm}: {count}")).collect();
            let mut text =
                format!("experiment {}: {} customers added; {}\n", done.experiment, done.added, arms.join(", "));
            if !done.rejected.is_empty() {
                text += &format!("{} lines rejected\n{}", done.rejected.len(), rejected(&done.rejected));
            }
            text += &format!("Next: care evaluate {}", done.campaigns.join(" | "));
            Ok(Answer::new(text, serde_json::to_value(&done)?))
        }
        ExperimentCommand::Show => {
            let all = engine.store().imported_campaigns().await.map_err(EngineError::from)?;
            let cells = all.iter().map(|(c, title)| {
                vec![
                    c.id.clone(),
                    c.experiment.clone(),
                    title.en.clone(),
                    c.treated.clone(),
                    c.control.clone(),
                    c.goal.outcome.clone(),
                ]
            });
            let rows: Vec<Vec<String>> = cells.collect();
            let text = table(&["campaign", "experiment", "title", "treated", "control", "goal"], &rows);
            let json = all.iter().map(|(c, title)| {
                json!({"campaign": c.id, "experiment": c.experiment, "title": title, "treated": c.treated,
                    "control": c.control, "goal": c.goal})
            });
            Ok(Answer::new(text, json!({"campaigns": json.collect::<Vec<_>>()})))
        }
    }
}
