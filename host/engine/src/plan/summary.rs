//! A plan in figures.

use super::release::merge;
use crate::{Engine, EngineError};
use care_domain::contact::ContactState;
use care_domain::plan::TaskResult;
use care_domain::text::Finding;
use care_domain::verdict::{Tally, Verdict, final_verdict};
use care_store::{Plan, PlanState};
use serde::Serialize;
use std::collections::BTreeMap;

/// A plan in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanSummary {
    /// Its id.
    pub plan: String,
    /// Business date in days.
    pub date: i32,
    /// Wave.
    pub wave: u32,
    /// `running`, `paused`, `releasing`, `released` or `cancelled`.
    pub state: &'static str,
    /// Whether all of it is visible to dispatch.
    pub released: bool,
    /// Whether this call found it complete.
    pub already_complete: bool,
    /// Contacts that this call added.
    pub added: u64,
    /// Other plans that were interrupted and wait to be resumed.
    pub unfinished: Vec<String>,
    /// Campaigns that were due and were left out, since what they run is not what was approved.
    pub blocked: Vec<Finding>,
    /// What somebody should look at: campaigns that claim the same occasions.
    pub notices: Vec<Finding>,
    /// Losers that are still useful, and wait for a later plan.
    pub carried: u64,
    /// Customers decided so far.
    pub customers: u64,
    /// Buckets done.
    pub tasks_done: u64,
    /// Buckets in all.
    pub tasks: u64,
    /// Its campaigns.
    pub activities: Vec<ActivitySummary>,
}

/// A campaign of a plan in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivitySummary {
    /// Activity name.
    pub name: String,
    /// Campaign id.
    pub campaign: String,
    /// Version.
    pub version: String,
    /// Digest of the component.
    pub digest: String,
    /// Candidates.
    pub selected: u64,
    /// Candidates by plan verdict; adds up to `selected`.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Candidates by final verdict: the plan's joined with what became of their contacts; adds up to `selected`.
    pub finals: BTreeMap<String, u64>,
    /// Messages by state.
    pub contacts: BTreeMap<String, u64>,
    /// Candidates on which the plugin broke, by code.
    pub faults: BTreeMap<String, u64>,
}

impl Engine {
    /// A plan in figures, by its id or the beginning of it; the newest when absent.
    pub async fn plan_summary(&self, id: &str) -> Result<PlanSummary, EngineError> {
        let plan = self.plan(Some(id)).await?;
        let tasks = self.store.tasks(&plan.id).await?;
        let done = tasks.values().flatten();
        let tallies = match &plan.state {
            PlanState::Releasing { tallies } | PlanState::Released { tallies } => tallies.clone(),
            PlanState::Running | PlanState::Paused(_) | PlanState::Cancelled(_) => merge(done.clone()),
        };
        let mut faults: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
        for (campaign, codes) in done.clone().flat_map(|result| &result.faults) {
            for (code, count) in codes {
                *faults.entry(campaign).or_default().entry(code.clone()).or_default() += count;
            }
        }
        let states = self.store.plan_states(&plan.id).await?;
        let cleared = self.store.cleared_finals(&plan.id).await?;
        let notices = notices(done.clone());
        let submissions = self.store.submissions().await?;
        let forgotten = self.store.forgotten_plans().await?.contains(&plan.id);
        let activities = plan.pins.campaigns.iter().map(|pinned| {
            let tally = tallies.get(&pinned.campaign).cloned().unwrap_or_default();
            let version = submissions.iter().find(|s| s.version.component == pinned.component);
            ActivitySummary {
                name: pinned.activity.clone(),
                campaign: pinned.campaign.clone(),
                version: version.map_or(String::new(), |s| s.version.manifest.version.to_string()),
                digest: pinned.component.clone(),
                selected: tally.candidates(),
                finals: finals(&tally, cleared.get(&pinned.campaign), forgotten),
                verdicts: tally.0,
                contacts: states.get(&pinned.campaign).cloned().unwrap_or_default(),
                faults: faults.get(pinned.campaign.as_str()).cloned().unwrap_or_default(),
            }
        });
        let plans = self.store.plans().await?.into_iter();
        let unfinished = plans.filter(|p| p.state.is_open() && p.id != plan.id).map(|p| p.id);
        Ok(PlanSummary {
            unfinished: unfinished.collect(),
            blocked: Vec::new(),
            notices,
            carried: done.clone().map(|r| r.carried).sum(),
            activities: activities.collect(),
            date: plan.pins.date,
            wave: plan.pins.wave,
            released: matches!(plan.state, PlanState::Released { .. }),
            state: plan.state.name(),
            already_complete: false,
            added: 0,
            customers: done.clone().map(|r| r.customers).sum(),
            tasks_done: done.count() as u64,
            tasks: tasks.len() as u64,
            plan: plan.id,
        })
    }

    /// A plan by its id or the beginning of it; the newest when absent.
    pub async fn plan(&self, id: Option<&str>) -> Result<Plan, EngineError> {
        let mut plans = self.store.plans().await?;
        let wanted = id.unwrap_or_default();
        let fits: Vec<usize> = (0..plans.len()).filter(|i| plans[*i].id.starts_with(wanted)).collect();
        match (fits.as_slice(), id) {
            ([first, ..], None) => Ok(plans.swap_remove(*first)),
            ([only], Some(_)) => Ok(plans.swap_remove(*only)),
            ([], None) => {
                Err(EngineError::refused("unknown-plan", "there is no plan yet", "Make one with `care plan run`"))
            }
            (found, _) => {
                let what = if found.is_empty() { "there is no plan" } else { "several plans begin with" };
                Err(EngineError::refused(
                    "unknown-plan",
                    format!("{what} {wanted:?}"),
                    "List them with `care plan show --all`",
                ))
            }
        }
    }
}

/// Candidates by final verdict: what was cleared is told by its contacts. Of an old plan they may be forgotten.
fn finals(tally: &Tally, cleared: Option<&BTreeMap<ContactState, u64>>, forgotten: bool) -> BTreeMap<String, u64> {
    let stopped = tally.0.iter().filter(|(verdict, _)| **verdict != Verdict::Cleared);
    let mut finals: BTreeMap<String, u64> = stopped.map(|(v, count)| (v.name().to_owned(), *count)).collect();
    for (state, count) in cleared.into_iter().flatten() {
        *finals.entry(final_verdict(Verdict::Cleared, &[*state]).to_owned()).or_default() += count;
    }
    let gone = tally.candidates().saturating_sub(finals.values().sum());
    if forgotten && gone > 0 {
        finals.insert("forgotten".to_owned(), gone);
    }
    finals
}

/// Campaigns of one activity that claimed the same occasions.
fn notices<'a>(done: impl Iterator<Item = &'a TaskResult>) -> Vec<Finding> {
    let mut clashes: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (loser, winners) in done.flat_map(|result| &result.clashes) {
        for (winner, count) in winners {
            *clashes.entry((loser, winner)).or_default() += count;
        }
    }
    let notice = |((loser, winner), count): ((&str, &str), u64)| {
        let message = format!("campaigns {loser} and {winner} claim the same occasions: {winner} has {count} of them");
        Finding::warning("same-occasion", message, "Stop one of them with `care campaign stop`, or part their regions")
    };
    clashes.into_iter().map(notice).collect()
}

impl PlanSummary {
    /// Whether every candidate has one final verdict.
    pub(super) fn check_finals(&self) -> Result<(), EngineError> {
        for activity in &self.activities {
            let found: u64 = activity.finals.values().sum();
            if found != activity.selected {
                let (campaign, selected) = (&activity.campaign, activity.selected);
                let message =
                    format!("campaign {campaign}: {selected} candidates, {found} of them with a final verdict");
                return Err(EngineError::internal(message));
            }
        }
        Ok(())
    }

    /// Candidates of all campaigns by verdict.
    pub fn totals(&self) -> Tally {
        let mut totals = Tally::default();
        for activity in &self.activities {
            totals.merge(&Tally(activity.verdicts.clone()));
        }
        totals
    }
}
