//! Carrying losers over: who lost a place to another activity, and is still useful later, is a candidate of the next plan
//! with the same occasion, whether or not its plugin chooses it again.

use super::batch::BatchView;
use super::due::World;
use super::task::{Answer, Candidate};
use care_domain::decide::{Proposal, ROUNDS, SAME_OCCASION};
use care_domain::plan::Pins;
use care_domain::time;
use care_domain::verdict::{Decision, Verdict};
use care_store::{Carried, History};
use std::collections::HashSet;

/// Adds what was carried over to the candidates of a batch. What a plugin itself proposes about a customer goes before
/// what was carried over of the same campaign.
pub(super) fn add(world: &World, view: &BatchView<'_>, candidates: &mut Vec<Candidate>) {
    if view.history.carried.is_empty() {
        return;
    }
    let proposed: HashSet<(u32, usize)> = candidates.iter().map(|c| (c.row, c.proposal.terms)).collect();
    for (row, key) in (0u32..).zip(&view.keys) {
        let Some(waiting) = view.history.carried.get(key) else { continue };
        for (terms, due) in world.due.iter().enumerate().filter(|(terms, _)| !proposed.contains(&(row, *terms))) {
            let useful = waiting.iter().filter(|c| {
                let ended = c.outcomes.iter().any(|kind| due.manifest.cancel_on.contains(kind));
                c.campaign == due.campaign && c.not_after >= world.pins.instant && !ended
            });
            // A campaign speaks with a customer about one thing at a time: what is useless first goes first.
            let Some(next) = useful.min_by_key(|c| (c.not_after, c.occasion)) else { continue };
            let Some(reason) = due.manifest.reasons.iter().position(|r| r.name == next.reason) else { continue };
            let proposal = Proposal {
                terms,
                reason: reason as u16,
                occasion: next.occasion,
                score: next.score,
                not_before: next.not_before,
                not_after: next.not_after,
            };
            candidates.push(Candidate { row, proposal, answer: Answer::Proposed, carried: Some(next.date) });
        }
    }
}

/// Says in the decision where it came from.
pub(super) fn tell(date: i32, decision: &mut Decision) {
    let from = format!("carried over from {}", time::write_date(date));
    decision.figures = if decision.figures.is_empty() { from } else { format!("{}; {from}", decision.figures) };
}

/// What a decision changes of what is carried: it begins to wait, or it was answered for good.
pub(super) fn over(pins: &Pins, history: &History, decision: &Decision) -> Option<Carried> {
    let waits = history.carried.get(&decision.customer).into_iter().flatten();
    let before = waits.into_iter().find(|c| c.campaign == decision.campaign && c.occasion == decision.occasion);
    let now = Carried {
        campaign: decision.campaign.clone(),
        customer: decision.customer,
        occasion: decision.occasion,
        reason: decision.reason.clone(),
        score: decision.score,
        not_before: decision.not_before,
        not_after: decision.not_after,
        date: pins.date,
        open: true,
        outcomes: Vec::new(),
    };
    let used_up = [SAME_OCCASION, ROUNDS].contains(&decision.rule.as_str());
    match decision.verdict {
        Verdict::Lost if !used_up && decision.not_after > pins.instant => {
            // What waits already, just like this, goes on waiting.
            let same = |c: &Carried| {
                (c.score, c.not_before, c.not_after, &c.reason)
                    == (now.score, now.not_before, now.not_after, &now.reason)
            };
            (!before.is_some_and(same)).then_some(now)
        }
        Verdict::Cleared | Verdict::Control | Verdict::NothingToSay | Verdict::PluginFault => {
            before.map(|_| Carried { open: false, ..now })
        }
        _ if used_up => before.map(|_| Carried { open: false, ..now }),
        // Whatever keeps it back today may be gone tomorrow.
        _ => None,
    }
}
