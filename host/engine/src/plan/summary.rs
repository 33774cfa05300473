//! A plan in figures.

use super::release::merge;
use crate::{Engine, EngineError};
use care_domain::text::Finding;
use care_domain::verdict::{Tally, Verdict};
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
        let submissions = self.store.submissions().await?;
        let activities = plan.pins.campaigns.iter().map(|pinned| {
            let tally = tallies.get(&pinned.campaign).cloned().unwrap_or_default();
            let version = submissions.iter().find(|s| s.version.component == pinned.component);
            ActivitySummary {
                name: pinned.activity.clone(),
                campaign: pinned.campaign.clone(),
                version: version.map_or(String::new(), |s| s.version.manifest.version.to_string()),
                digest: pinned.component.clone(),
                selected: tally.candidates(),
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

impl PlanSummary {
    /// Candidates of all campaigns by verdict.
    pub fn totals(&self) -> Tally {
        let mut totals = Tally::default();
        for activity in &self.activities {
            totals.merge(&Tally(activity.verdicts.clone()));
        }
        totals
    }
}
