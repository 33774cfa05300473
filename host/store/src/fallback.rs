//! Contacts that did not arrive, and their next channel. A contact that falls back is the same contact: it waits again
//! under its own id, and what the ledger counts by, its planned channel, stays.

use crate::Store;
use crate::contacts::{StoredContact, contact_of, log_states};
use crate::error::{During, StoreError};
use care_domain::contact::{Channel, ContactId};
use care_domain::dispatch::{Delivery, Standing};
use sqlx::{QueryBuilder, Row, Sqlite};

impl Store {
    /// Contacts that go by a channel and may have to go on: failed, reported undelivered, called in vain, or without word
    /// for longer than `patience_ms`. Each with how it stands.
    pub async fn stuck(
        &self,
        channel: Channel,
        patience_ms: Option<i64>,
        now: i64,
        limit: u32,
    ) -> Result<Vec<(StoredContact, Standing)>, StoreError> {
        let doing = "reading contacts that did not arrive";
        let mut select: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT c.*, CASE WHEN u.contact IS NULL THEN d.delivery ELSE 'undelivered' END AS delivered, \
               EXISTS (SELECT 1 FROM parts p JOIN sends s ON s.contact = p.contact AND s.attempt = p.attempt \
                 WHERE p.contact = c.id AND s.channel = coalesce(c.via, c.channel)) AS receipts, \
               coalesce((SELECT MAX(l.at) FROM contact_log l WHERE l.contact = c.id), c.planned_at) AS stands_since \
             FROM contacts c LEFT JOIN deliveries d ON d.contact = c.id AND EXISTS (SELECT 1 FROM sends s \
               WHERE s.contact = c.id AND s.channel = coalesce(c.via, c.channel)) \
             LEFT JOIN handouts u ON u.contact = c.id AND u.channel = coalesce(c.via, c.channel) \
               AND u.result = 'unreachable' \
             WHERE coalesce(c.via, c.channel) = ",
        );
        select.push_bind(channel.name()).push(" AND c.not_after >= ").push_bind(now).push(" AND c.planned_at <= ");
        select.push_bind(now).push(
            " AND (c.state = 'failed' OR (c.state = 'sent' AND (d.delivery = 'undelivered' OR u.contact IS NOT NULL))",
        );
        if let Some(patience) = patience_ms {
            select.push(" OR (c.state IN ('sent', 'released') AND d.delivery IS NULL AND c.planned_at <= ");
            select.push_bind(now - patience).push(")");
        }
        select.push(") ORDER BY c.id LIMIT ").push_bind(i64::from(limit));
        let rows = select.build().fetch_all(&self.readers).await.during(doing)?;
        let mut stuck = Vec::with_capacity(rows.len());
        for row in &rows {
            let contact = contact_of(row)?;
            let delivery: Option<String> = row.try_get("delivered").during(doing)?;
            let standing = Standing {
                via: contact.via,
                state: contact.state,
                delivery: match delivery {
                    Some(name) => crate::contacts::name_of("deliveries", "delivery", &name)?,
                    None => Delivery::Awaited,
                },
                receipts: row.try_get("receipts").during(doing)?,
                since: row.try_get("stands_since").during(doing)?,
                not_after: contact.planned.not_after,
            };
            stuck.push((contact, standing));
        }
        Ok(stuck)
    }

    /// Lets contacts wait on their next channels, unless they moved meanwhile; returns how many.
    pub async fn move_on(&self, from: Channel, steps: &[(ContactId, Channel)], at: i64) -> Result<u64, StoreError> {
        let doing = "falling back";
        if steps.is_empty() {
            return Ok(0);
        }
        let (mut tx, mut moved) = (self.write().await?, 0);
        for (contact, next) in steps {
            let gone: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
                "UPDATE contacts SET state = 'released', via = ?, due_at = ?, batch = NULL, lease = NULL, \
                   lease_until = NULL WHERE id = ? AND coalesce(via, channel) = ? \
                   AND state IN ('sent', 'failed', 'released') RETURNING id, customer",
            )
            .bind(next.name())
            .bind(at)
            .bind(contact.0.to_vec())
            .bind(from.name())
            .fetch_all(&mut *tx)
            .await
            .during(doing)?;
            moved += gone.len() as u64;
            let note = format!("did not arrive by {}, goes on by {}", from.name(), next.name());
            log_states(&mut tx, &gone, "released", at, &note).await?;
            sqlx::query("UPDATE dead_letters SET replayed_at = ? WHERE contact = ? AND replayed_at IS NULL")
                .bind(at)
                .bind(contact.0.to_vec())
                .execute(&mut *tx)
                .await
                .during(doing)?;
        }
        tx.commit().await.during(doing)?;
        Ok(moved)
    }
}
