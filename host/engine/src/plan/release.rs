//! Release: limits that cross customers, capacity and budgets, are decided once, after the last bucket.

use super::due::World;
use super::{Progress, Watch, go_on};
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::contact::Channel;
use care_domain::person::Actor;
use care_domain::plan::{self, Limits, TaskResult};
use care_domain::policy::Policy;
use care_domain::time;
use care_domain::verdict::{Tally, Verdict};
use care_store::{Known, PlanState};
use serde_json::json;
use std::collections::BTreeMap;

/// Decides a plan's release for good, and makes its contacts visible to dispatch. Whoever did a part of it before, in
/// another process or before a crash, is taken up where they stopped; a plan that is held up is left as it is.
pub(super) async fn release(
    engine: &Engine,
    world: &World,
    id: &str,
    actor: &Actor,
    watch: &Watch,
) -> Result<(), EngineError> {
    if engine.plan(Some(id)).await?.state == PlanState::Running {
        decide(engine, world, id, watch).await?;
    }
    let PlanState::Releasing { tallies } = engine.plan(Some(id)).await?.state else { return Ok(()) };
    let mut visible = 0;
    loop {
        let more = engine.store.release_some(id, actor.at).await?;
        if more == 0 {
            break;
        }
        visible += more;
        go_on(watch, Progress::Visible(visible))?;
    }
    let totals = tallies.values().fold(Tally::default(), |mut all, one| {
        all.merge(one);
        all
    });
    let entry = Entry::of(actor, "plan-released", format!("plan {id}"), json!({"verdicts": totals}));
    engine.store.close_release(id, &entry).await?;
    Ok(())
}

/// How often a release whose capacity or budgets events take of meanwhile is decided again, before it is left at that:
/// what they took is little, and each time they leave less.
const OVERTAKEN: u32 = 20;

/// Checks the plan's totals, and cuts it to capacity and budgets; again when another plan or events took of them
/// meanwhile.
async fn decide(engine: &Engine, world: &World, id: &str, watch: &Watch) -> Result<(), EngineError> {
    for attempt in 0.. {
        let limited = world.is_limited() && attempt < OVERTAKEN;
        let since = if limited { Some(engine.store.mark().await?) } else { None };
        let known = Known { releases: engine.store.releases().await?, since };
        let decided = decide_on(engine, world, id, known, watch).await?;
        let overtaken = limited || engine.store.releases().await? != known.releases;
        if decided || !overtaken || engine.plan(Some(id)).await?.state != PlanState::Running {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether it is decided: not when the limits were taken of meanwhile.
async fn decide_on(engine: &Engine, world: &World, id: &str, known: Known, watch: &Watch) -> Result<bool, EngineError> {
    let tasks = engine.store.tasks(id).await?;
    let mut tallies = merge(tasks.values().flatten());
    if let Err(broken) = check_totals(engine, id, &tallies).await {
        // What somebody else released meanwhile may have been cut, and no longer fits what the tasks say.
        let plan = engine.store.plan(id).await?;
        return if plan.is_some_and(|p| p.state != PlanState::Running) { Ok(true) } else { Err(broken) };
    }
    let limits = engine.limits(world, id).await?;
    let cuts =
        if fits(engine, world, id, &limits).await? { Vec::new() } else { cuts(engine, world, id, &limits).await? };
    for (cut, _) in &cuts {
        let tally = tallies.get_mut(&*cut.campaign).and_then(|t| t.cut(1));
        tally.ok_or_else(|| {
            EngineError::internal(format!("campaign {} was cut below what was cleared", cut.campaign))
        })?;
    }
    go_on(watch, Progress::Ranked)?;
    Ok(engine.store.decide_release(id, &cuts, &tallies, known).await?)
}

/// Whether everything that a plan wants to release has room: then nobody need be ranked.
async fn fits(engine: &Engine, world: &World, id: &str, limits: &Limits) -> Result<bool, EngineError> {
    if limits.is_empty() {
        return Ok(true);
    }
    let pinned = world.pins.campaigns.iter();
    let approvals: BTreeMap<&str, &str> = pinned.map(|c| (c.campaign.as_str(), c.approval.as_str())).collect();
    let (mut messages, mut fen) = (BTreeMap::new(), BTreeMap::new());
    for (campaign, channel, count, cost) in engine.store.waiting_in_all(id).await? {
        *messages.entry(channel).or_default() += count;
        let approval = approvals.get(campaign.as_str()).copied().unwrap_or_default();
        *fen.entry(approval.to_owned()).or_default() += cost;
    }
    Ok(limits.hold(&messages, &fen))
}

/// Whom the limits cut, and by which rule. Every candidate stands in memory meanwhile, in about a hundred bytes.
async fn cuts(
    engine: &Engine,
    world: &World,
    id: &str,
    limits: &Limits,
) -> Result<Vec<(care_store::Cut, &'static str)>, EngineError> {
    let pinned = world.pins.campaigns.iter();
    let approvals = pinned.map(|c| (c.campaign.clone(), c.approval.clone())).collect();
    let waiting = engine.store.waiting_for_release(id, &approvals).await?;
    let cut = plan::release(waiting.iter().map(|w| &w.ranked), limits);
    Ok(waiting.into_iter().zip(cut).filter_map(|(w, cut)| Some((w.cut, cut?.rule()))).collect())
}

impl Engine {
    /// What the plans of a date left of its capacity to another one: waves of a date share it.
    pub(crate) async fn capacity_left(
        &self,
        policy: &Policy,
        date: i32,
        plan: &str,
    ) -> Result<BTreeMap<Channel, u64>, EngineError> {
        let mut left = policy.capacity.clone();
        if left.is_empty() {
            return Ok(left);
        }
        let begins = |day| time::day_begins(day).unwrap_or_default();
        let day = (begins(date), begins(date.saturating_add(1)));
        for (channel, used) in self.store.used_capacity(date, plan, day).await? {
            left.entry(channel).and_modify(|places| *places = places.saturating_sub(used));
        }
        Ok(left)
    }
}

/// Candidates by verdict, by campaign, over all tasks.
pub(super) fn merge<'a>(results: impl Iterator<Item = &'a TaskResult>) -> BTreeMap<String, Tally> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for result in results {
        for (campaign, tally) in &result.tallies {
            tallies.entry(campaign.clone()).or_default().merge(tally);
        }
    }
    tallies
}

/// Every cleared candidate has its contacts, and every contact its cleared candidate.
async fn check_totals(engine: &Engine, id: &str, tallies: &BTreeMap<String, Tally>) -> Result<(), EngineError> {
    let planned = engine.store.plan_candidates(id).await?;
    for (campaign, tally) in tallies {
        let (cleared, found) = (tally.of(Verdict::Cleared), planned.get(campaign).copied().unwrap_or(0));
        if cleared != found {
            let message = format!("campaign {campaign}: {cleared} candidates cleared, {found} have contacts");
            return Err(EngineError::internal(message));
        }
    }
    Ok(())
}
