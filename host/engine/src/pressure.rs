//! How often customers were contacted of late: for those who answer for all of it together.

use crate::{Engine, EngineError};
use care_domain::evidence::{PRESSURE_DAYS, Pressure};
use care_domain::time::DAY_MS;

impl Engine {
    /// Customers of the newest snapshot by how many disturbing contacts they had in the thirty days before an instant, Unix
    /// milliseconds. Reads all of those contacts.
    pub async fn contact_pressure(&self, at: i64) -> Result<Pressure, EngineError> {
        let since = at.saturating_sub(i64::from(PRESSURE_DAYS) * DAY_MS);
        let mut pressure = Pressure::default();
        for (contacts, customers) in self.store.pressing(since).await? {
            pressure.add(contacts, customers);
        }
        let all = self.snapshot(None, None).await?.manifest().rows;
        pressure.add(0, all.saturating_sub(pressure.customers()));
        Ok(pressure)
    }
}
