//! Arbitration: the proposals that policy let through compete for the places that caps leave.
//! Order: class, weight, score, hash. Control is the last rule: a ghost wins or loses like everybody,
//! gets `control` if it wins, and uses no cap.

use crate::canonical::hash64;
use crate::control;
use crate::decide::{Customer, Past, Proposal, Ruling, Terms, Timed};
use crate::manifest::Cap;
use crate::policy::Policy;
use crate::time::DAY_MS;
use crate::verdict::Verdict;
use std::cmp::Ordering;

/// A place taken in this plan.
struct Winner {
    terms: usize,
    occasion: i64,
    planned_at: i64,
    disturbs: bool,
}

pub(crate) fn arbitrate(
    who: &Customer<'_>,
    proposals: &[Proposal],
    screened: Vec<Result<Timed, Ruling>>,
    terms: &[Terms],
    policy: &Policy,
) -> Vec<Ruling> {
    let mut order: Vec<(usize, Timed)> =
        screened.iter().enumerate().filter_map(|(i, s)| s.as_ref().ok().map(|timed| (i, timed.clone()))).collect();
    order.sort_by(|(a, _), (b, _)| precedence(who, &proposals[*a], &proposals[*b], terms));
    let mut rulings: Vec<Option<Ruling>> = screened.into_iter().map(Result::err).collect();
    let mut winners: Vec<Winner> = Vec::new();
    for (index, timed) in order {
        let proposal = &proposals[index];
        let ruling = compete(who, proposal, &timed, &winners, terms, policy);
        if ruling.verdict == Verdict::Cleared {
            winners.push(Winner {
                terms: proposal.terms,
                occasion: proposal.occasion,
                planned_at: timed.planned_at,
                disturbs: timed.disturbs(),
            });
        }
        rulings[index] = Some(ruling);
    }
    rulings.into_iter().flatten().collect()
}

/// Who goes first: a total order, so that the order of arrival never matters.
fn precedence(who: &Customer<'_>, a: &Proposal, b: &Proposal, terms: &[Terms]) -> Ordering {
    let (ta, tb) = (&terms[a.terms], &terms[b.terms]);
    let tie = |p: &Proposal, t: &Terms| {
        hash64(&[b"care-tie-1", t.campaign.as_bytes(), &who.key.0, &p.occasion.to_be_bytes()])
    };
    ta.class
        .cmp(&tb.class)
        .then(tb.weight.cmp(&ta.weight))
        .then(b.score.total_cmp(&a.score))
        .then_with(|| tie(a, ta).cmp(&tie(b, tb)))
        .then_with(|| ta.campaign.cmp(&tb.campaign))
}

fn compete(
    who: &Customer<'_>,
    proposal: &Proposal,
    timed: &Timed,
    winners: &[Winner],
    terms: &[Terms],
    policy: &Policy,
) -> Ruling {
    let mine = &terms[proposal.terms];
    let rules = policy.rules(mine.class);
    let at = timed.planned_at;
    let ruling = |verdict, rule, figures: String, winner| Ruling {
        verdict,
        rule,
        figures,
        round: timed.round,
        planned_at: Some(at),
        channels: timed.channels.clone(),
        winner,
    };
    let twin = winners.iter().find(|w| terms[w.terms].activity == mine.activity && w.occasion == proposal.occasion);
    if let Some(twin) = twin {
        return ruling(Verdict::Lost, "same-occasion", "another campaign has this occasion".into(), Some(twin.terms));
    }
    if rules.own_cap && timed.disturbs() {
        let before = who.past.iter().filter(|p| p.activity == mine.activity);
        let now = winners.iter().filter(|w| terms[w.terms].activity == mine.activity);
        if let Some((verdict, figures, winner)) = place(mine.cap, at, before, now) {
            return ruling(verdict, "own-cap", figures, winner);
        }
    }
    if rules.global_cap && timed.disturbs() {
        let before = who.past.iter().filter(|p| policy.rules(p.class).global_cap);
        let now = winners.iter().filter(|w| policy.rules(terms[w.terms].class).global_cap);
        if let Some((verdict, figures, winner)) = place(policy.global_cap, at, before, now) {
            return ruling(verdict, "global-cap", figures, winner);
        }
    }
    if rules.control && control::is_control(&policy.control_salt, &mine.origin, who.key, policy.control_share) {
        return ruling(Verdict::Control, "control-group", format!("{} of 10000", policy.control_share), None);
    }
    ruling(Verdict::Cleared, "cleared", String::new(), None)
}

/// Whether a cap leaves a place at `at`: `None`, or `capped` when the past alone fills it, or `lost` to a winner.
fn place<'a>(
    cap: Cap,
    at: i64,
    past: impl Iterator<Item = &'a Past>,
    winners: impl Iterator<Item = &'a Winner>,
) -> Option<(Verdict, String, Option<usize>)> {
    // One occasion and round is one contact, however many messages it took.
    let mut seen: Vec<(&str, i64, u8)> = Vec::new();
    let mut times: Vec<i64> = Vec::new();
    for contact in past.filter(|p| p.state.counts() && p.channel.disturbs()) {
        let identity = (contact.activity.as_str(), contact.occasion, contact.round);
        if !seen.contains(&identity) {
            seen.push(identity);
            times.push(contact.planned_at);
        }
    }
    let figures = |used: usize| format!("{used} of {} in {} days", cap.contacts, cap.days);
    let used = busiest(&times, at, cap.days);
    if used >= cap.contacts as usize {
        return Some((Verdict::Capped, figures(used), None));
    }
    for winner in winners.filter(|w| w.disturbs) {
        times.push(winner.planned_at);
        let used = busiest(&times, at, cap.days);
        if used >= cap.contacts as usize {
            return Some((Verdict::Lost, figures(used), Some(winner.terms)));
        }
    }
    None
}

/// The most contacts that any window of `days` days holds together with `at`: contacts planned for later count too.
fn busiest(times: &[i64], at: i64, days: u32) -> usize {
    let length = i64::from(days) * DAY_MS;
    let starts = times.iter().copied().chain([at]).filter(|s| *s <= at && at - s < length);
    starts.map(|start| times.iter().filter(|t| (start..start + length).contains(*t)).count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::busiest;
    use crate::time::DAY_MS;

    #[test]
    fn a_window_counts_what_lies_before_and_after() {
        let day = |d: i64| d * DAY_MS;
        assert_eq!(busiest(&[], day(10), 7), 0);
        assert_eq!(busiest(&[day(3)], day(10), 7), 0);
        assert_eq!(busiest(&[day(3) + 1], day(10), 7), 1);
        assert_eq!(busiest(&[day(16)], day(10), 7), 1);
        assert_eq!(busiest(&[day(17)], day(10), 7), 0);
        assert_eq!(busiest(&[day(5), day(13)], day(10), 7), 1);
        assert_eq!(busiest(&[day(7), day(12)], day(10), 7), 2);
    }
}
