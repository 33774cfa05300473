//! Plausible outcomes for demonstrations and training: made up, deterministic, and said to be so.

use crate::{Engine, EngineError};
use care_domain::canonical::hash64;
use care_domain::key::CustomerKey;
use care_domain::manifest::Better;
use care_domain::time::{self, DAY_MS};
use std::fmt::Write;

/// Share of customers who reach the goal by themselves, in parts of 1,000.
const BASE: u64 = 100;
/// How many more (or fewer) do so after a contact.
const EFFECT: u64 = 50;

impl Engine {
    /// Made-up outcomes of a campaign's subjects as CSV for `import_outcomes`: 10 % reach the goal by themselves,
    /// 15 % (or 5 %, where fewer is better) after a contact; a day after `from`. Returns the CSV and its lines.
    pub async fn simulate_outcomes(&self, campaign: &str, seed: u64, from: i64) -> Result<(String, u64), EngineError> {
        let campaign = self.campaign(campaign).await?;
        let submissions = self.store.submissions().await?;
        let goal = submissions
            .iter()
            .find(|s| s.version.component == campaign.component)
            .map(|s| s.version.manifest.goal.clone());
        let goal = goal.ok_or_else(|| EngineError::internal("a campaign without version"))?;
        let subjects = self.store.subjects(&campaign.id, &goal.outcome, DAY_MS).await?;
        let chance = |treated: bool| match (treated, goal.better) {
            (false, _) => BASE,
            (true, Better::More) => BASE + EFFECT,
            (true, Better::Fewer) => BASE - EFFECT,
        };
        let drawn = |customer: CustomerKey| {
            hash64(&[b"care-simulate-1", &seed.to_be_bytes(), campaign.id.as_bytes(), &customer.0]) % 1_000
        };
        let at = time::write_instant(from + DAY_MS);
        let mut csv = String::from("customer,kind,at,activity\n");
        let mut lines = 0;
        for subject in subjects.iter().filter(|s| drawn(s.customer) < chance(s.treated)) {
            writeln!(csv, "{},{},{at},{}", subject.customer, goal.outcome, campaign.activity)
                .map_err(EngineError::internal)?;
            lines += 1;
        }
        Ok((csv, lines))
    }
}
