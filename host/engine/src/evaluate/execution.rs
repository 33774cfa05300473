//! Execution: was it done? What became of the messages that a campaign planned, by region, tier and channel.

use super::slices::UNKNOWN;
use crate::{Engine, EngineError};
use care_domain::contact::ContactState;
use care_domain::verdict::{Tally, Verdict};
use care_store::{ContactProgress, PlanState};
use serde::Serialize;
use std::collections::BTreeMap;

/// Messages read at once.
const PAGE: u32 = 20_000;

/// How a campaign was carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Execution {
    /// The campaign.
    pub campaign: String,
    /// Candidates by plan verdict, over all its released plans.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Candidates that were cleared.
    pub cleared: u64,
    /// All messages.
    pub all: Progress,
    /// By home region of the customer.
    pub by_region: BTreeMap<String, Progress>,
    /// By VIP tier; empty where the snapshot has none.
    pub by_tier: BTreeMap<String, Progress>,
    /// By channel.
    pub by_channel: BTreeMap<String, Progress>,
}

/// Messages by how far they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Progress {
    /// Planned and not cut to capacity.
    pub planned: u64,
    /// Made visible to dispatch.
    pub released: u64,
    /// Handed to a gateway; unknown answers count as sent.
    pub sent: u64,
    /// A receipt says that they arrived.
    pub delivered: u64,
    /// A gateway refused them, or a receipt says that they did not arrive.
    pub failed: u64,
    /// Ended before they went out: cancelled, withdrawn, expired.
    pub ended: u64,
    /// Of those sent: not later than their not-after.
    pub in_time: u64,
}

impl Progress {
    fn add(&mut self, contact: &ContactProgress) {
        use ContactState::{Cancelled, Expired, Failed, Lost, Sent, Unknown, Withdrawn};
        let sent = matches!(contact.state, Sent | Unknown);
        self.planned += 1;
        self.released += u64::from(contact.released);
        self.sent += u64::from(sent);
        self.delivered += u64::from(contact.delivered);
        self.failed += u64::from(contact.state == Failed || contact.undelivered);
        self.ended += u64::from(matches!(contact.state, Cancelled | Withdrawn | Expired | Lost));
        self.in_time += u64::from(sent && contact.settled_at.is_some_and(|at| at <= contact.not_after));
    }
}

impl Engine {
    /// How a campaign was carried out so far.
    pub async fn execution(&self, campaign: &str) -> Result<Execution, EngineError> {
        let campaign = self.campaign(campaign).await?.id;
        let mut tally = Tally::default();
        for plan in self.store.plans().await? {
            if let PlanState::Released { tallies } = plan.state
                && let Some(own) = tallies.get(&campaign)
            {
                tally.merge(own);
            }
        }
        let (mut all, mut by_region, mut by_tier, mut by_channel) =
            (Progress::default(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let tiers = self.snapshot_of(&campaign).await.ok().filter(|s| s.manifest().fields.contains_key("tier"));
        let mut after = None;
        loop {
            let page = self.store.contact_progress(&campaign, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.contact);
            let tier_of = match &tiers {
                None => Vec::new(),
                Some(snapshot) => {
                    let keys: Vec<_> = page.iter().map(|c| c.customer).collect();
                    self.labels_of(snapshot.clone(), "tier", &keys).await?
                }
            };
            for (at, contact) in page.iter().enumerate() {
                all.add(contact);
                let region = if contact.region.is_empty() { UNKNOWN } else { &contact.region };
                part(&mut by_region, region).add(contact);
                part(&mut by_channel, contact.channel.name()).add(contact);
                if let Some(tier) = tier_of.get(at) {
                    part(&mut by_tier, tier).add(contact);
                }
            }
        }
        let cleared = tally.of(Verdict::Cleared);
        Ok(Execution { campaign, verdicts: tally.0, cleared, all, by_region, by_tier, by_channel })
    }
}

fn part<'a>(parts: &'a mut BTreeMap<String, Progress>, name: &str) -> &'a mut Progress {
    parts.entry(name.to_owned()).or_default()
}
