//! Answers and refusals, for people and for programs.

use care_domain::text::Finding;
use care_engine::EngineError;
use serde_json::{Value, json};
use std::io::Write;

/// What a command answers.
pub(crate) struct Answer {
    /// For people.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json }
    }

    /// Prints it in the form that was asked for. A reader that has gone away is no error of ours.
    pub(crate) fn print(&self, as_json: bool) {
        let text = if as_json { self.json.to_string() } else { self.text.trim_end().to_owned() };
        if !text.is_empty() {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }
}

/// Prints a refusal: what, where and what to do; all findings at once.
pub(crate) fn report(error: &anyhow::Error, as_json: bool) {
    let own = findings_of(error);
    if as_json {
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        let code = own.first().map_or("failed", |f| f.code.as_str());
        let hint = own.first().map_or("", |f| f.hint.as_str());
        let message = own.first().filter(|_| own.len() == 1).map_or(error.to_string(), |f| f.message.clone());
        let error = json!({"code": code, "message": message, "hint": hint, "findings": own, "causes": causes});
        let _ = writeln!(std::io::stdout(), "{}", json!({"error": error}));
        return;
    }
    if own.is_empty() {
        eprintln!("error: {error}");
        error.chain().skip(1).for_each(|cause| eprintln!("  because: {cause}"));
        return;
    }
    if own.len() > 1 {
        eprintln!("refused for {} reasons; nothing was written", own.len());
    }
    print_findings(&own);
}

/// Prints findings to standard error.
fn print_findings(findings: &[Finding]) {
    for finding in findings {
        let kind = if finding.refuses() { "error" } else { "warning" };
        eprintln!("{kind}[{}]: {}\n  hint: {}", finding.code, finding.message, finding.hint);
    }
}

fn findings_of(error: &anyhow::Error) -> Vec<Finding> {
    if let Some(refused) = error.downcast_ref::<crate::plugin::PluginError>() {
        return vec![Finding::error(refused.code, refused.message.as_str(), refused.hint.as_str())];
    }
    match error.downcast_ref::<EngineError>() {
        Some(EngineError::Population(care_engine::PopulationError::Refused(findings))) => findings.clone(),
        Some(error) => error.findings().to_vec(),
        None => Vec::new(),
    }
}

/// Findings as lines of text.
pub(crate) fn finding_lines(findings: &[Finding]) -> String {
    let line = |f: &Finding| {
        let kind = if f.refuses() { "error" } else { "warning" };
        format!("{kind}[{}]: {}\n  hint: {}\n", f.code, f.message, f.hint)
    };
    findings.iter().map(line).collect()
}

/// A table for people: columns as wide as their widest cell, numbers to the right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at));
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(i, name)| cells(i).map(|c| width(c)).chain([width(name)]).max().unwrap_or(0))
        .collect();
    let numeric: Vec<bool> = (0..header.len())
        .map(|i| cells(i).all(|c| c.chars().all(|c| c.is_ascii_digit() || " .,+-%[]–".contains(c))))
        .collect();
    let line = |row: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (i, cell) in row.enumerate() {
            let pad = " ".repeat(widths.get(i).copied().unwrap_or(0).saturating_sub(width(cell)));
            let (left, right) = if numeric.get(i) == Some(&true) { (pad.as_str(), "") } else { ("", pad.as_str()) };
            text.push_str(&format!("{left}{cell}{right}  "));
        }
        text.trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut header.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}
