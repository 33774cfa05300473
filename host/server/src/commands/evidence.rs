//! The evidence of a simulation, worded for whoever has to decide.

use crate::answer::{Answer, table};
use care_domain::evidence::{Evidence, Overlap, Pressure, Reach, Shadow};
use care_domain::time::write_date;
use care_engine::Simulation;
use serde_json::json;
use std::collections::BTreeMap;

/// Evidence as people read it, whatever it is evidence of.
pub(crate) fn read(evidence: &Evidence) -> String {
    numbers(evidence) + &samples(evidence)
}

/// A simulation as text and JSON.
pub(crate) fn answer(simulation: &Simulation, evidence: &Evidence) -> Answer {
    let subject = &evidence.subject;
    let mut text = format!(
        "simulation {} of submission {}: {} {} on {}, {} customers\n",
        simulation.id,
        simulation.submission,
        subject.activity,
        subject.version,
        write_date(subject.date),
        evidence.customers
    );
    text += &read(evidence);
    Answer::new(text, json!({"simulation": simulation, "evidence": evidence}))
}

/// Whom it reaches, what it costs, and what it does to others.
pub(crate) fn numbers(evidence: &Evidence) -> String {
    let mut text = totals(evidence);
    text += &reaches("region", &evidence.regions);
    text += &reaches("tier", &evidence.tiers);
    text += &reaches("reason", &evidence.reasons);
    let scores: Vec<String> = evidence.scores.iter().map(u64::to_string).collect();
    text += &format!("scores 0.0 to 1.0: {}\n", scores.join(" "));
    text += &pressure("before", &evidence.pressure.before);
    text += &pressure("after", &evidence.pressure.after);
    evidence.overlaps.iter().for_each(|(campaign, overlap)| text += &overlapping(campaign, overlap));
    evidence.shadows.iter().for_each(|(campaign, shadow)| text += &against(campaign, shadow));
    for (campaign, displaced) in evidence.displaced.iter().filter(|(_, d)| d.lost > 0) {
        text += &format!("takes {} of {} contacts from {campaign}\n", displaced.lost, displaced.cleared);
    }
    text
}

fn totals(evidence: &Evidence) -> String {
    let mut text = String::new();
    let verdicts: Vec<String> = evidence.verdicts.0.iter().map(|(v, n)| format!("{} {n}", v.name())).collect();
    text += &format!("selected {}: {}\n", evidence.selected(), verdicts.join(", "));
    let messages: Vec<String> = evidence.messages.iter().map(|(c, n)| format!("{} {n}", c.name())).collect();
    text += &format!("messages: {}\n", if messages.is_empty() { "none".to_owned() } else { messages.join(", ") });
    let sms = evidence.sms;
    let (yuan, fen) = (sms.cost_fen / 100, sms.cost_fen % 100);
    text += &format!("SMS: {} messages, {} segments, {yuan}.{fen:02} yuan\n", sms.messages, sms.segments);
    if evidence.subject.sale {
        text += "NOTE: its goal is a sale; care is not a sale (S1)\n";
    }
    if !evidence.faults.is_empty() {
        text += &format!("it broke: {:?}\n", evidence.faults);
    }
    text
}

fn reaches(what: &str, all: &BTreeMap<String, Reach>) -> String {
    if all.is_empty() {
        return String::new();
    }
    let row =
        |(name, reach): (&String, &Reach)| vec![name.clone(), reach.selected.to_string(), reach.cleared.to_string()];
    table(&[what, "selected", "cleared"], &all.iter().map(row).collect::<Vec<_>>()) + "\n"
}

fn pressure(when: &str, of: &Pressure) -> String {
    format!(
        "contacts in 30 days, {when}: {:.1} % have any, {:.1} % at most 3, {:.1} % more than 10\n",
        100.0 * of.coverage(),
        100.0 * of.at_most_three(),
        100.0 * of.more_than_ten()
    )
}

fn overlapping(campaign: &str, overlap: &Overlap) -> String {
    let flag = if overlap.duplicate { "  DUPLICATE: the same need, the same customers" } else { "" };
    format!(
        "overlap with {campaign}: {} customers, {:.1} % of ours, {:.1} % of theirs{flag}\n",
        overlap.both,
        100.0 * overlap.share_of_ours(),
        100.0 * overlap.share_of_theirs()
    )
}

fn against(campaign: &str, shadow: &Shadow) -> String {
    let differ: Vec<String> = shadow.differ.iter().map(|(how, n)| format!("{how:?} {n}")).collect();
    let differ = if differ.is_empty() { "no difference".to_owned() } else { differ.join(", ") };
    format!("against {campaign} ({}): {} selected by both; {differ}\n", shadow.version, shadow.both)
}

/// Messages as they are read.
pub(crate) fn samples(evidence: &Evidence) -> String {
    let mut text = String::from("as it is read:\n");
    for (template, channels) in &evidence.samples.0 {
        for (channel, samples) in channels {
            for sample in samples {
                text += &format!("  {template} by {}: {} / {}\n", channel.name(), sample.zh, sample.en);
            }
        }
    }
    text
}
