//! Disasters with the alerts that drew them, and what a daily report counts.

use crate::contacts::log_states;
use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::contact::ContactId;
use care_domain::disaster::{Alert, AlertKey, DisasterState};
use care_domain::key::CustomerKey;
use serde::{Deserialize, Serialize};
use sqlx::QueryBuilder;
use std::collections::BTreeMap;

/// A disaster: what was drawn, and what runs because of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disaster {
    /// Its number; 0 before it is kept.
    pub id: i64,
    /// What happened.
    pub name: String,
    /// Its first day.
    pub onset: i32,
    /// The last day on which its area is on; known from its activation on.
    pub until: Option<i32>,
    /// How far it is.
    pub state: DisasterState,
    /// Codes of the places in its area.
    pub areas: Vec<String>,
    /// The alerts that drew it; none when a person did.
    pub alerts: Vec<AlertKey>,
    /// The campaign that runs because of it.
    pub campaign: Option<String>,
    /// Who activated it.
    pub activated_by: Option<String>,
}

/// How many contacts of a campaign have come how far, by template and state.
pub(crate) type Progress = BTreeMap<(String, String), u64>;

impl Store {
    /// Keeps a disaster, new or changed; returns its number.
    pub async fn keep_disaster(&self, disaster: &Disaster, entry: Entry) -> Result<i64, StoreError> {
        let doing = "keeping a disaster";
        let mut tx = self.write().await?;
        let document = to_json("disasters", disaster.id, disaster)?;
        let id: i64 = if disaster.id == 0 {
            sqlx::query_scalar("INSERT INTO disasters (document) VALUES (?) RETURNING id")
                .bind(&document)
                .fetch_one(&mut *tx)
                .await
                .during(doing)?
        } else {
            sqlx::query("UPDATE disasters SET document = ? WHERE id = ?")
                .bind(&document)
                .bind(disaster.id)
                .execute(&mut *tx)
                .await
                .during(doing)?;
            disaster.id
        };
        self.audit(&mut tx, &Entry { subject: format!("disaster {id}"), ..entry }).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// All disasters, the oldest first.
    pub async fn disasters(&self) -> Result<Vec<Disaster>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, document FROM disasters ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .during("reading disasters")?;
        let one = |(id, document): (i64, String)| {
            let disaster: Disaster = from_json("disasters", id, &document)?;
            Ok(Disaster { id, ..disaster })
        };
        rows.into_iter().map(one).collect()
    }

    /// Keeps an alert once; `false` when it came before.
    pub async fn keep_alert(&self, alert: &Alert, entry: &Entry) -> Result<bool, StoreError> {
        let AlertKey { sender, identifier, sent } = &alert.key;
        let document = to_json("alerts", identifier, alert)?;
        let statement = sqlx::query(
            "INSERT INTO alerts (sender, identifier, sent, document, taken_at) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(sender)
        .bind(identifier)
        .bind(sent)
        .bind(document)
        .bind(entry.at);
        self.change(statement, entry, "keeping an alert").await
    }

    /// Contacts of a campaign that wait and are not claimed.
    pub async fn waiting_of(&self, campaign: &str) -> Result<Vec<(ContactId, CustomerKey)>, StoreError> {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT id, customer FROM contacts WHERE campaign = ? AND state IN ('planned', 'released') ORDER BY id",
        )
        .bind(campaign)
        .fetch_all(&self.readers)
        .await
        .during("reading waiting contacts")?;
        rows.iter()
            .map(|(id, customer)| Ok((crate::contacts::id_of(id)?, crate::reference::key_of("contacts", customer)?)))
            .collect()
    }

    /// Cancels waiting contacts; one that was claimed meanwhile stays. Returns how many.
    pub async fn cancel_contacts(&self, contacts: &[ContactId], at: i64, note: &str) -> Result<u64, StoreError> {
        let doing = "cancelling contacts";
        let mut tx = self.write().await?;
        let mut ended = 0;
        for chunk in contacts.chunks(MAX_BINDS) {
            let mut update = QueryBuilder::new(
                "UPDATE contacts SET state = 'cancelled' WHERE state IN ('planned', 'released') AND id IN (",
            );
            let mut list = update.separated(", ");
            for contact in chunk {
                list.push_bind(contact.0.to_vec());
            }
            list.push_unseparated(") RETURNING id, customer");
            let gone: Vec<(Vec<u8>, Vec<u8>)> = update.build_query_as().fetch_all(&mut *tx).await.during(doing)?;
            ended += gone.len() as u64;
            log_states(&mut tx, &gone, "cancelled", at, note).await?;
        }
        tx.commit().await.during(doing)?;
        Ok(ended)
    }

    /// A campaign's contacts by template and state.
    pub async fn campaign_progress(&self, campaign: &str) -> Result<Progress, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT template, state, COUNT(*) FROM contacts WHERE campaign = ? GROUP BY template, state",
        )
        .bind(campaign)
        .fetch_all(&self.readers)
        .await
        .during("counting contacts")?;
        Ok(rows.into_iter().map(|(template, state, count)| ((template, state), count as u64)).collect())
    }

    /// Customers of a campaign by the last outcome that was recorded of them up to an instant; those without any under
    /// an empty name.
    pub async fn last_outcomes(&self, campaign: &str, until: i64) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT coalesce((SELECT o.kind FROM outcomes o WHERE o.customer = c.customer AND o.activity = c.activity \
               AND o.at <= ?2 ORDER BY o.at DESC, o.seq DESC LIMIT 1), '') AS kind, COUNT(*) \
             FROM (SELECT DISTINCT customer, activity FROM contacts WHERE campaign = ?1) c GROUP BY kind",
        )
        .bind(campaign)
        .bind(until)
        .fetch_all(&self.readers)
        .await
        .during("counting outcomes")?;
        Ok(rows.into_iter().map(|(kind, count)| (kind, count as u64)).collect())
    }
}
