//! What duty officers activated of approvals on standby, and how that was reviewed.

use crate::Store;
use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use care_domain::audit::Entry;
use care_domain::standby::{Bounds, Review};
use sqlx::{Sqlite, Transaction};
use std::collections::BTreeMap;

/// An activation: the campaign that it started, and its review.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Activation {
    /// The campaign.
    pub campaign: String,
    /// Where and when it runs.
    pub bounds: Bounds,
    /// Why it was activated.
    pub reason: String,
    /// Its review.
    pub review: Review,
}

impl Store {
    /// All activations, by campaign.
    pub async fn activations(&self) -> Result<BTreeMap<String, Activation>, StoreError> {
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as("SELECT campaign, bounds, reason, review FROM activations")
                .fetch_all(&self.readers)
                .await
                .during("reading activations")?;
        let one = |(campaign, bounds, reason, review): (String, String, String, String)| {
            let bounds = from_json("activations", &campaign, &bounds)?;
            let review = from_json("activations", &campaign, &review)?;
            Ok((campaign.clone(), Activation { campaign, bounds, reason, review }))
        };
        rows.into_iter().map(one).collect()
    }

    /// Closes a review; `false` when it was closed before. The database compares persons once more.
    pub async fn review_activation(&self, campaign: &str, review: &Review, entry: &Entry) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("UPDATE activations SET review = ?, reviewer = ? WHERE campaign = ? AND reviewer IS NULL")
                .bind(to_json("activations", campaign, review)?)
                .bind(&entry.person)
                .bind(campaign);
        self.change(statement, entry, "reviewing an activation").await
    }
}

/// Keeps an activation within the transaction that starts its campaign.
pub(crate) async fn insert(
    tx: &mut Transaction<'static, Sqlite>,
    campaign: &str,
    activation: &Activation,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO activations (campaign, bounds, reason, review) VALUES (?, ?, ?, ?)")
        .bind(campaign)
        .bind(to_json("activations", campaign, &activation.bounds)?)
        .bind(&activation.reason)
        .bind(to_json("activations", campaign, &activation.review)?)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .during("keeping an activation")
}
