//! The demonstration's report: for programs as JSON, for people as a table.

use serde_json::{Value, json};
use std::fmt::Write;

/// `report.json`.
pub(crate) fn build(customers: u64, plan: &Value, evaluations: &[Value], elapsed_s: f64, peak_rss_mb: u64) -> Value {
    let empty = Vec::new();
    let activities = plan["activities"].as_array().unwrap_or(&empty).iter().map(|activity| {
        let evaluation = evaluations.iter().find(|e| e["campaign"] == activity["campaign"]);
        json!({
            "name": activity["name"],
            "version": activity["version"],
            "digest": activity["digest"],
            "selected": activity["selected"],
            "verdicts": activity["verdicts"],
            "sent": activity["contacts"]["sent"].as_u64().unwrap_or(0),
            "effect": evaluation.map_or(Value::Null, effect),
        })
    });
    json!({
        "customers": customers,
        "activities": activities.collect::<Vec<_>>(),
        "totals": plan["totals"],
        "elapsed_s": (elapsed_s * 10.0).round() / 10.0,
        "peak_rss_mb": peak_rss_mb,
    })
}

fn effect(evaluation: &Value) -> Value {
    let effect = &evaluation["effect"];
    if effect.is_null() {
        return Value::Null;
    }
    json!({
        "metric": evaluation["metric"],
        "treated": evaluation["treated"]["count"],
        "control": evaluation["control"]["count"],
        "difference": effect["difference"],
        "ci95": effect["ci95"],
        "p": effect["p"],
    })
}

/// The report as a person reads it.
pub(crate) fn told(report: &Value) -> String {
    let mut text = format!(
        "\n{} customers, one plan, {} s, {} MB at most\n\n",
        report["customers"], report["elapsed_s"], report["peak_rss_mb"]
    );
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let _ = writeln!(
        text,
        "{:<18} {:>9} {:>8} {:>8} {:>7} {:>7} {:>7} {:>9}  effect on the goal (made-up outcomes)",
        "activity", "selected", "cleared", "control", "capped", "lost", "other", "messages"
    );
    let empty = Vec::new();
    for activity in report["activities"].as_array().unwrap_or(&empty) {
        let verdict = |name: &str| number(&activity["verdicts"][name]);
        let selected = number(&activity["selected"]);
        let named = verdict("cleared") + verdict("control") + verdict("capped") + verdict("lost");
        let _ = writeln!(
            text,
            "{:<18} {:>9} {:>8} {:>8} {:>7} {:>7} {:>7} {:>9}  {}",
            activity["name"].as_str().unwrap_or_default(),
            selected,
            verdict("cleared"),
            verdict("control"),
            verdict("capped"),
            verdict("lost"),
            selected.saturating_sub(named),
            number(&activity["sent"]),
            effect_told(&activity["effect"]),
        );
    }
    text
}

fn effect_told(effect: &Value) -> String {
    if effect.is_null() {
        return "none measured: no control group in this class".into();
    }
    let points = |value: &Value| value.as_f64().unwrap_or(0.0) * 100.0;
    format!(
        "{}: {:+.2} points [{:+.2}, {:+.2}], p {:.3}",
        effect["metric"].as_str().unwrap_or_default(),
        points(&effect["difference"]),
        points(&effect["ci95"][0]),
        points(&effect["ci95"][1]),
        effect["p"].as_f64().unwrap_or(1.0)
    )
}
