//! The ledger as people page through it: contacts, and the steps of one.

use crate::Store;
use crate::contacts::{StoredContact, contact_of};
use crate::error::{During, StoreError};
use care_domain::contact::ContactId;
use sqlx::{QueryBuilder, Sqlite};

/// Which contacts; what is absent is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactQuery {
    /// Of this campaign.
    pub campaign: Option<String>,
    /// Of this plan.
    pub plan: Option<String>,
    /// That stand there.
    pub state: Option<String>,
    /// On this channel.
    pub channel: Option<String>,
    /// After this sequence number.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
}

impl Store {
    /// Contacts with customers of a region (of all, when absent), in the order in which they came into the ledger.
    pub async fn contacts_page(
        &self,
        wanted: &ContactQuery,
        region: Option<&str>,
    ) -> Result<Vec<StoredContact>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("SELECT * FROM contacts WHERE seq > ");
        query.push_bind(wanted.after);
        let parts = [
            (" AND campaign = ", &wanted.campaign),
            (" AND plan = ", &wanted.plan),
            (" AND state = ", &wanted.state),
            (" AND coalesce(via, channel) = ", &wanted.channel),
        ];
        for (sql, value) in parts {
            if let Some(value) = value {
                query.push(sql).push_bind(value);
            }
        }
        if let Some(region) = region {
            let significant = region.strip_suffix("0000").or_else(|| region.strip_suffix("00")).unwrap_or(region);
            query.push(" AND region LIKE ").push_bind(format!("{significant}%"));
        }
        query.push(" ORDER BY seq LIMIT ").push_bind(wanted.limit);
        let rows = query.build().fetch_all(&self.readers).await.during("reading contacts")?;
        rows.iter().map(contact_of).collect()
    }

    /// The steps of a contact: when, to which state, and what is noted about it.
    pub async fn contact_steps(&self, contact: ContactId) -> Result<Vec<(i64, String, String)>, StoreError> {
        sqlx::query_as("SELECT at, state, note FROM contact_log WHERE contact = ? ORDER BY seq")
            .bind(contact.0.to_vec())
            .fetch_all(&self.readers)
            .await
            .during("reading the steps of a contact")
    }
}
