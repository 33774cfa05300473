//! What a token's holder may see: what belongs to the region of its role, and the activities of the region above. Whoever works at the data
//! folder itself sees everything.

use crate::{Engine, EngineError};
use care_domain::key::CustomerKey;
use care_domain::person::Appointment;
use care_domain::region;
use care_store::{Campaign, StoredSubmission};

/// The field of a snapshot that says where a customer belongs.
const HOME: &str = "home-adcode";

impl Engine {
    /// Whether activities of `region` are the caller's to see: those of its own region, and of the one above, whose
    /// activities concern its customers too. What belongs to no region is everybody's.
    pub fn sees(&self, region: &str) -> bool {
        let covered = |p: &Appointment| region::covers(&p.region, region) || region::covers(region, &p.region);
        region.is_empty() || self.principal.as_ref().is_none_or(covered)
    }

    /// The submissions that the caller sees, by number.
    pub async fn submissions(&self) -> Result<Vec<StoredSubmission>, EngineError> {
        let mut all = self.store.submissions().await?;
        all.retain(|found| self.sees(&found.version.manifest.owner_region));
        Ok(all)
    }

    /// The campaigns that the caller sees, by id: those of versions that it sees.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>, EngineError> {
        let mut all = self.store.campaigns().await?;
        if self.principal.is_some() {
            let seen = self.submissions().await?;
            all.retain(|campaign| seen.iter().any(|s| s.version.component == campaign.component));
        }
        Ok(all)
    }

    /// Whether a customer is the caller's to see: by the home region that the newest population has. A customer of whom
    /// no region is known is the province's alone.
    pub(crate) async fn sees_customer(&self, key: CustomerKey) -> Result<bool, EngineError> {
        let Some(principal) = &self.principal else { return Ok(true) };
        if region::is_province(&principal.region) && self.store.snapshots().await?.is_empty() {
            return Ok(true);
        }
        let fields = self.snapshot(None, None).await?.find(key)?.unwrap_or_default();
        let home = fields.into_iter().find(|(name, _)| name == HOME).map(|(_, value)| value);
        Ok(match home.filter(|home| !home.is_empty()) {
            Some(home) => region::covers(&principal.region, &home),
            None => region::is_province(&principal.region),
        })
    }
}
