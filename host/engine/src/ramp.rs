//! Ramp-up: counts the dates of campaigns that take their customers in steps, and holds one that does harm before its next
//! plan. The steps and what harm is stand in `domain/src/ramp.rs`.

use crate::people::host_entry;
use crate::{Engine, EngineError};
use care_domain::brake::Brake;
use care_domain::ramp::{Tried, harm};
use care_domain::time::DAY_MS;
use care_store::Campaign;
use serde_json::json;
use std::collections::BTreeMap;

const RESUMED: &str = "campaign-resumed";

impl Engine {
    /// On how many business dates before one campaigns were planned; empty where none of them ramps up.
    pub(crate) async fn dates_planned(
        &self,
        campaigns: &[Campaign],
        before: i32,
    ) -> Result<BTreeMap<String, u32>, EngineError> {
        if campaigns.iter().all(|campaign| !campaign.active || campaign.ramp.is_none()) {
            return Ok(BTreeMap::new());
        }
        Ok(self.store.dates_planned(before).await?)
    }

    /// The share, in parts of 10,000, that a campaign's ramp gives it on a date; none without a ramp.
    pub async fn ramp_share(&self, campaign: &Campaign, date: i32) -> Result<Option<u16>, EngineError> {
        let Some(ramp) = &campaign.ramp else { return Ok(None) };
        let planned = self.store.dates_planned(date).await?;
        Ok(Some(ramp.share(planned.get(&campaign.id).copied().unwrap_or(0))))
    }

    /// Pauses every campaign on a ramp that did harm since it was started or resumed, in the host's own name, and tells
    /// whoever started it.
    pub(crate) async fn hold_ramps(&self, at: i64) -> Result<(), EngineError> {
        let campaigns = self.store.campaigns().await?;
        let brake = self.store.brake().await?;
        for campaign in campaigns.iter().filter(|campaign| campaign.active && campaign.ramp.is_some()) {
            let Some(reason) = self.harm_of(campaign, &brake).await? else { continue };
            let subject = format!("campaign {}", campaign.id);
            let entry = host_entry(at, "campaign-paused", subject, json!({"ramp": campaign.ramp})).because(&reason);
            let text = format!(
                "Campaign {} was taking more customers step by step and is held by the host: {reason}. Find out why, then \
                 resume it, or stop it.",
                campaign.id
            );
            self.store.hold_campaign((&campaign.id, &campaign.started_by), &entry, &text).await?;
        }
        Ok(())
    }

    async fn harm_of(&self, campaign: &Campaign, brake: &Brake) -> Result<Option<String>, EngineError> {
        let lines = self.store.audit_lines(Some(&format!("campaign {}", campaign.id))).await?;
        // What was known when somebody let it go on does not hold it again.
        let since = lines.iter().rev().find(|line| line.entry.deed == RESUMED).map_or(0, |line| line.entry.at);
        let (handed, failed) = self.store.tried_since(&campaign.id, since).await?;
        let window_ms = i64::from(brake.days) * DAY_MS;
        let reaction = self.store.reaction(&campaign.component, &self.outcomes.braking(), window_ms, since).await?;
        Ok(harm(&Tried { handed, failed, reaction }, brake))
    }
}
