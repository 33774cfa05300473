//! Where an activity decides otherwise than a case says.

use super::ask::Chosen;
use super::case_file::{Expectation, ExpectedMessage, ExpectedMetric};
use super::cases::Difference;
use super::workbench::MessageTold;
use care_domain::time;
use care_sandbox::Metric;

/// Scores cross as 32-bit numbers.
const SCORE_TOLERANCE: f64 = 1e-6;
/// Sums are told as floating-point numbers: so much of them may be lost.
const SUM_TOLERANCE: f64 = 1e-9;

pub(super) fn difference(
    what: impl Into<String>,
    expected: impl Into<String>,
    decided: impl Into<String>,
) -> Difference {
    Difference { what: what.into(), expected: expected.into(), decided: decided.into() }
}

pub(super) fn compare(
    expected: &Expectation,
    chosen: &Chosen,
    reason: &str,
    messages: &[MessageTold],
) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Some(wanted) = expected.reason.as_deref().filter(|wanted| *wanted != reason) {
        differences.push(difference("reason", wanted, reason));
    }
    if let Some(wanted) = expected.occasion.filter(|wanted| *wanted != chosen.occasion) {
        differences.push(difference("occasion", wanted.to_string(), chosen.occasion.to_string()));
    }
    let score = f64::from(chosen.score);
    if let Some(wanted) = expected.score.filter(|wanted| (wanted - score).abs() > SCORE_TOLERANCE) {
        differences.push(difference("score", wanted.to_string(), chosen.score.to_string()));
    }
    for (what, wanted, is) in
        [("not_before", expected.not_before, chosen.not_before), ("not_after", expected.not_after, chosen.not_after)]
    {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
            differences.push(difference(what, time::write_instant(wanted), time::write_instant(is)));
        }
    }
    if let Some(wanted) = &expected.messages {
        if wanted.len() != messages.len() {
            let said: Vec<&str> = messages.iter().map(|m| m.zh.as_str()).collect();
            let said = format!("{}: {}", messages.len(), said.join(" | "));
            differences.push(difference("messages", wanted.len().to_string(), said));
        }
        let pairs = wanted.iter().zip(messages).enumerate();
        pairs.for_each(|(at, (wanted, said))| compare_message(at + 1, wanted, said, &mut differences));
    }
    differences
}

fn compare_message(number: usize, wanted: &ExpectedMessage, said: &MessageTold, differences: &mut Vec<Difference>) {
    let what = |part: &str| format!("message {number}{part}");
    if let Some(template) = wanted.template.as_ref().filter(|t| **t != said.template) {
        differences.push(difference(what(", template"), template, &said.template));
    }
    if let Some(text) = wanted.text.as_ref().filter(|text| **text != said.zh && **text != said.en) {
        // The language that the author wrote in is the one to compare with.
        let is = if text.is_ascii() { &said.en } else { &said.zh };
        differences.push(difference(what(""), text, is));
    }
    for (language, wanted, is) in [("zh", &wanted.zh, &said.zh), ("en", &wanted.en, &said.en)] {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != is) {
            differences.push(difference(what(&format!(", {language}")), wanted, is));
        }
    }
    for (slot, wanted) in &wanted.slots {
        let is = said.slots.get(slot).map_or("", String::as_str);
        if wanted != is {
            differences.push(difference(what(&format!(", slot {slot}")), wanted, is));
        }
    }
}

/// Where a metric is otherwise.
pub(super) fn compare_metric(wanted: &ExpectedMetric, is: &Metric) -> Vec<Difference> {
    let numbers = [
        ("count", wanted.count, is.count as f64),
        ("sum", wanted.sum, is.sum),
        ("sum_of_squares", wanted.sum_of_squares, is.sum_of_squares),
    ];
    let differ = |wanted: f64, is: f64| (wanted - is).abs() > SUM_TOLERANCE * wanted.abs().max(1.0);
    let told = numbers.into_iter().filter_map(|(what, wanted, is)| {
        wanted.filter(|wanted| differ(*wanted, is)).map(|wanted| difference(what, wanted.to_string(), is.to_string()))
    });
    told.collect()
}
