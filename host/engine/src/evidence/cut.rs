//! Release in a simulation: limits that cross customers are decided once, over all buckets, as a plan decides them.

use super::Decided;
use super::stage::Stage;
use crate::plan::{BucketOutcome, World};
use care_domain::plan::{Limits, Needs, Ranked, release};
use care_domain::verdict::Verdict;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Candidates that wait for release, without the version and with it.
#[derive(Default)]
pub(super) struct Waiting {
    before: Vec<Ranked>,
    after: Vec<Ranked>,
}

/// Candidates that release cuts, without the version and with it.
#[derive(Default)]
pub(super) struct Cuts {
    before: HashSet<u64>,
    after: HashSet<u64>,
}

impl Waiting {
    pub(super) fn of(stage: &Stage, decided: &Decided) -> Self {
        Self { before: ranked(&stage.before, &decided.before), after: ranked(&stage.after, &decided.after) }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.before.extend(other.before);
        self.after.extend(other.after);
    }

    pub(super) fn release(self, limits: &Limits) -> Cuts {
        let cut = |waiting: Vec<Ranked>| {
            let cuts = release(&waiting, limits);
            waiting.into_iter().zip(cuts).filter(|(_, cut)| cut.is_some()).map(|(ranked, _)| ranked.tie).collect()
        };
        Cuts { before: cut(self.before), after: cut(self.after) }
    }
}

impl Cuts {
    /// Turns what is cut from cleared into over capacity, and drops its messages.
    pub(super) fn apply(&self, stage: &Stage, decided: &mut Decided) {
        apply(&self.before, &stage.before, &mut decided.before);
        apply(&self.after, &stage.after, &mut decided.after);
    }
}

fn apply(cuts: &HashSet<u64>, world: &World, outcome: &mut BucketOutcome) {
    if cuts.is_empty() {
        return;
    }
    let ids = ids(world);
    let is_cut = |campaign: &str, customer, occasion, round| {
        cuts.contains(&Ranked::tie(ids.get(campaign).copied().unwrap_or(campaign), customer, occasion, round))
    };
    outcome.contacts.retain(|c| !is_cut(&c.campaign, c.customer, c.occasion, c.round));
    for decision in outcome.decisions.iter_mut().filter(|d| d.verdict == Verdict::Cleared) {
        if is_cut(&decision.campaign, decision.customer, decision.occasion, decision.round) {
            decision.verdict = Verdict::OverCapacity;
        }
    }
}

/// The candidates of a bucket in the queue for capacity. The messages of one stand together.
fn ranked(world: &World, outcome: &BucketOutcome) -> Vec<Ranked> {
    let ids = ids(world);
    let pinned = world.pins.campaigns.iter();
    let approvals: HashMap<&str, Arc<str>> =
        pinned.map(|c| (c.campaign.as_str(), Arc::from(c.approval.as_str()))).collect();
    let mut waiting: Vec<Ranked> = Vec::new();
    for contact in &outcome.contacts {
        let campaign = ids.get(contact.campaign.as_str()).copied().unwrap_or(&contact.campaign);
        let tie = Ranked::tie(campaign, contact.customer, contact.occasion, contact.round);
        if let Some(last) = waiting.last_mut().filter(|last| last.tie == tie) {
            last.needs.add(contact.channel, 1);
            last.cost_fen += contact.cost_fen;
            continue;
        }
        let mut needs = Needs::default();
        needs.add(contact.channel, 1);
        waiting.push(Ranked {
            class: contact.class,
            tier: contact.tier,
            weight: contact.weight,
            score: contact.score,
            tie,
            needs,
            approval: approvals.get(contact.campaign.as_str()).cloned().unwrap_or_default(),
            cost_fen: contact.cost_fen,
        });
    }
    waiting
}

/// The ids by which ties between campaigns are broken: the simulated one's is that which it would be given.
fn ids(world: &World) -> HashMap<&str, &str> {
    world.due.iter().map(|due| (due.campaign.as_str(), due.terms.campaign.as_str())).collect()
}
