//! Plans by the clock: all campaigns whose cron expression fired, and that no plan of the day took in yet, in one pass.

use super::{PlanRequest, PlanSummary, Scheduled, Watch};
use crate::{Engine, EngineError};
use care_domain::person::Act;
use care_domain::schedule;
use care_domain::time;
use care_store::{Plan, PlanState};
use std::collections::BTreeSet;

impl Engine {
    /// Goes on with what was interrupted of today's scheduled plans, then plans what is due by cron at `at`, which is also
    /// the plan's instant: nothing is planned for a moment that has passed. Asked again, it adds nothing until something
    /// else fires. A campaign that was held when it fired is taken in by the next call of the day.
    pub async fn plan_due(
        &self,
        workers: usize,
        by: &str,
        at: i64,
        watch: Watch,
    ) -> Result<Vec<PlanSummary>, EngineError> {
        self.authorise(by, Act::RunPlans, None, at).await?;
        let bad = || EngineError::refused("bad-date", "the clock is out of range", "Set the clock of this machine");
        let zone = time::zone(time::PROVINCE_ZONE).ok_or_else(bad)?;
        let (date, _) = time::local(at, &zone).ok_or_else(bad)?;
        let midnight = time::instant_of_minute(date, 0, &zone).ok_or_else(bad)?;
        let mut done = Vec::new();
        for plan in self.store.plans().await?.into_iter().filter(|p| p.pins.date == date && is_scheduled(p)) {
            if matches!(plan.state, PlanState::Running | PlanState::Releasing { .. }) {
                done.push(self.resume_plan(&plan.id, workers, (by, at), watch.clone()).await?);
            }
        }
        let plans = self.store.plans().await?;
        let today: Vec<&Plan> = plans.iter().filter(|p| p.pins.date == date).collect();
        let wave = today.iter().map(|p| p.pins.wave).max().unwrap_or(0) + 1;
        let mut request = PlanRequest { wave, instant: at, ..PlanRequest::of(date, workers).ok_or_else(bad)? };
        request.scheduled = self.due_by_cron(&today, &request, midnight).await?;
        if request.scheduled.is_none() {
            return Ok(done);
        }
        done.push(self.run_plan(&request, by, at, watch).await?);
        Ok(done)
    }

    /// The campaigns that fired since midnight, and that no scheduled plan of today took in since.
    async fn due_by_cron(
        &self,
        today: &[&Plan],
        request: &PlanRequest,
        midnight: i64,
    ) -> Result<Option<Scheduled>, EngineError> {
        let started = self.store.campaigns().await?;
        let mut due = Scheduled { at: i64::MIN, campaigns: BTreeSet::new() };
        for campaign in self.due_campaigns(request).await?.0 {
            let Some(cron) = campaign.version.manifest.triggers.cron.as_deref() else { continue };
            let since = started.iter().find(|c| c.id == campaign.id).map_or(midnight, |c| c.started_at.max(midnight));
            // Uploaded before the gate read expressions, perhaps.
            let fired = schedule::last_firing(cron, since - 1, request.instant).map_err(|fault| {
                let message = format!("campaign {}: {fault}", campaign.id);
                EngineError::refused("bad-cron", message, "Stop it, and upload a version with another expression")
            })?;
            let Some(fired) = fired else { continue };
            let taken_in = today.iter().any(|plan| {
                plan.pins.scheduled_for.is_some_and(|for_| for_ >= fired)
                    && plan.pins.campaigns.iter().any(|pinned| pinned.campaign == campaign.id)
            });
            if !taken_in {
                due.at = due.at.max(fired);
                due.campaigns.insert(campaign.id);
            }
        }
        Ok((!due.campaigns.is_empty()).then_some(due))
    }
}

fn is_scheduled(plan: &Plan) -> bool {
    plan.pins.scheduled_for.is_some()
}
