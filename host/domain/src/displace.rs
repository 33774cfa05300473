//! Arbitration of an event's proposals against contacts that already wait: one of a higher class takes the places that
//! it needs, of an equal or lower one it loses. Everything else is decided as in a plan (`decide`).

use crate::decide::{Customer, Past, Proposal, Ruling, Terms, decide};
use crate::policy::{Class, Policy};
use crate::verdict::Verdict;
use std::collections::BTreeSet;

/// A candidate of a plan or of an earlier event whose contacts nobody has claimed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Its campaign.
    pub campaign: String,
    /// Its class.
    pub class: Class,
    /// Its weight.
    pub weight: u16,
    /// Its score.
    pub score: f32,
    /// Which entries of the customer's past are its contacts.
    pub past: Vec<usize>,
}

/// A waiting candidate that gives its place up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Displaced {
    /// Index of the waiting candidate.
    pub waiting: usize,
    /// Index of the proposal that takes its place.
    pub by: usize,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// One ruling a proposal, in their order.
    pub rulings: Vec<Ruling>,
    /// For each proposal the waiting candidate that it lost to, if it did.
    pub lost_to: Vec<Option<usize>>,
    /// What waits no longer.
    pub displaced: Vec<Displaced>,
}

/// Decides the proposals of events about one customer, at the instant `now`.
pub fn decide_event(
    customer: &Customer<'_>,
    waiting: &[Waiting],
    proposals: &[Proposal],
    terms: &[Terms],
    policy: &Policy,
    now: i64,
) -> Outcome {
    let without = |gone: &BTreeSet<usize>| {
        let past = remaining(customer.past, waiting, gone);
        decide(&Customer { past: &past, ..customer.clone() }, proposals, terms, policy, now)
    };
    let mut gone = BTreeSet::new();
    let mut displaced = Vec::new();
    let mut rulings = decide(customer, proposals, terms, policy, now);
    let mut given_up = BTreeSet::new();
    while let Some(by) = next_capped(&rulings, &given_up, proposals, terms) {
        let class = terms[proposals[by].terms].class;
        let weaker = ranked(waiting, |w| w.class > class && !gone.contains(&index_of(waiting, w)));
        match places(&without, by, &gone, &weaker) {
            Some((taken, after)) => {
                displaced.extend(taken.iter().map(|waiting| Displaced { waiting: *waiting, by }));
                gone.extend(taken);
                rulings = after;
            }
            None => {
                given_up.insert(by);
            }
        }
    }
    let mut lost_to = vec![None; proposals.len()];
    for by in given_up {
        let class = terms[proposals[by].terms].class;
        // What would have let it pass is what it lost to; where nothing would, the past alone caps it.
        let all = ranked(waiting, |w| !gone.contains(&index_of(waiting, w)));
        let winner = places(&without, by, &gone, &all).and_then(|(taken, _)| {
            taken.into_iter().filter(|w| waiting[*w].class <= class).min_by_key(|w| waiting[*w].class)
        });
        if let Some(winner) = winner {
            rulings[by].verdict = Verdict::Lost;
            lost_to[by] = Some(winner);
        }
    }
    Outcome { rulings, lost_to, displaced }
}

fn index_of(waiting: &[Waiting], one: &Waiting) -> usize {
    waiting.iter().position(|w| std::ptr::eq(w, one)).unwrap_or(usize::MAX)
}

fn remaining(past: &[Past], waiting: &[Waiting], gone: &BTreeSet<usize>) -> Vec<Past> {
    let left: BTreeSet<usize> = gone.iter().flat_map(|w| waiting[*w].past.iter().copied()).collect();
    past.iter().enumerate().filter(|(i, _)| !left.contains(i)).map(|(_, p)| p.clone()).collect()
}

/// Only a cap can be made room under; an occasion that was used stays used.
fn is_capped(ruling: &Ruling) -> bool {
    ruling.verdict == Verdict::Capped && !matches!(ruling.rule, "same-occasion" | "rounds")
}

/// The capped proposal of the highest class that was not given up on.
fn next_capped(
    rulings: &[Ruling],
    given_up: &BTreeSet<usize>,
    proposals: &[Proposal],
    terms: &[Terms],
) -> Option<usize> {
    let open = (0..rulings.len()).filter(|i| is_capped(&rulings[*i]) && !given_up.contains(i));
    open.min_by_key(|i| (terms[proposals[*i].terms].class, *i))
}

/// Waiting candidates, the least important first.
fn ranked(waiting: &[Waiting], which: impl Fn(&Waiting) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..waiting.len()).filter(|i| which(&waiting[*i])).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&waiting[*a], &waiting[*b]);
        b.class
            .cmp(&a.class)
            .then(a.weight.cmp(&b.weight))
            .then(a.score.total_cmp(&b.score))
            .then_with(|| a.campaign.cmp(&b.campaign))
    });
    order
}

/// The fewest of `order`, least important first, without which the proposal passes; none for a ghost, which takes no
/// place. `None` when it does not pass without all of them.
fn places(
    without: &dyn Fn(&BTreeSet<usize>) -> Vec<Ruling>,
    by: usize,
    gone: &BTreeSet<usize>,
    order: &[usize],
) -> Option<(Vec<usize>, Vec<Ruling>)> {
    let passes = |taken: &[usize]| {
        let all = gone.iter().chain(taken).copied().collect();
        let rulings = without(&all);
        matches!(rulings[by].verdict, Verdict::Cleared | Verdict::Control).then_some(rulings)
    };
    let mut taken = Vec::new();
    let mut after = None;
    for one in order {
        taken.push(*one);
        after = passes(&taken);
        if after.is_some() {
            break;
        }
    }
    let mut after = after?;
    // One that was taken before the decisive one may not have been needed.
    for one in taken.clone() {
        let fewer: Vec<usize> = taken.iter().copied().filter(|t| *t != one).collect();
        if let Some(rulings) = passes(&fewer) {
            (taken, after) = (fewer, rulings);
        }
    }
    if after[by].verdict == Verdict::Control {
        let mut kept = without(gone);
        kept[by] = after.swap_remove(by);
        return Some((Vec::new(), kept));
    }
    Some((taken, after))
}
