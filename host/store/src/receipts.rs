//! What gateways report later: receipts, as they come, and whether a contact arrived.

use crate::contacts::{id_of, name_of};
use crate::error::{During, StoreError};
use crate::reference::key_of;
use crate::{MAX_BINDS, Store};
use care_domain::contact::{Channel, ContactId};
use care_domain::dispatch::{Delivery, MessageState, Receipt, delivery_of, newer};
use care_domain::key::CustomerKey;
use care_domain::policy::Class;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use std::collections::BTreeMap;

/// A receipt, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What it says.
    pub receipt: Receipt,
    /// When it came, Unix milliseconds.
    pub at: i64,
}

/// A contact whose fate its receipts settled, and of which no outcome was recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The contact.
    pub contact: ContactId,
    /// Whom it was about.
    pub customer: CustomerKey,
    /// Its activity.
    pub activity: String,
    /// `delivered` or `undelivered`.
    pub delivery: Delivery,
    /// When the last receipt came, Unix milliseconds.
    pub at: i64,
}

/// Receipts by what is known of their messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ReceiptsNoted {
    /// Contacts of which everything arrived.
    pub delivered: u64,
    /// Contacts of which something never will.
    pub undelivered: u64,
    /// Contacts that a gateway with receipts accepted, and of which it has not said the last.
    pub awaited: u64,
    /// Messages of which a receipt came that no answer names: the answer was lost, or they are not ours.
    pub unmatched: u64,
    /// Receipts that came more than once.
    pub repeated: u64,
}

/// The last message that went to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSent {
    /// Its contact.
    pub contact: ContactId,
    /// Its activity.
    pub activity: String,
    /// Its class.
    pub class: Class,
}

impl Store {
    /// Keeps receipts, each state of a message once, and settles what they and the ids known by now say.
    pub async fn hear(&self, gateway: &str, heard: &[Heard]) -> Result<(), StoreError> {
        let doing = "keeping receipts";
        let mut tx = self.write().await?;
        for chunk in heard.chunks(MAX_BINDS / 6) {
            let mut insert = QueryBuilder::new("INSERT INTO receipts (gateway, message, state, error, at, times) ");
            insert.push_values(chunk, |mut row, Heard { receipt, at }| {
                row.push_bind(gateway.to_owned())
                    .push_bind(&receipt.id)
                    .push_bind(receipt.state.name())
                    .push_bind(&receipt.error)
                    .push_bind(*at)
                    .push_bind(1_i64);
            });
            insert.push(" ON CONFLICT DO UPDATE SET times = times + 1");
            insert.build().execute(&mut *tx).await.during(doing)?;
        }
        settle(&mut tx, gateway, heard.iter().map(|h| h.receipt.id.clone()).collect()).await?;
        tx.commit().await.during(doing)
    }

    /// Contacts whose fate is settled and of which no outcome was recorded.
    pub async fn deliveries_to_record(&self) -> Result<Vec<Delivered>, StoreError> {
        let rows: Vec<SettledRow> = sqlx::query_as(
            "SELECT d.contact, d.customer, c.activity, d.delivery, d.at FROM deliveries d \
             JOIN contacts c ON c.id = d.contact WHERE d.recorded = 0 ORDER BY d.contact",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading deliveries")?;
        let delivered = |(id, customer, activity, delivery, at): SettledRow| {
            Ok(Delivered {
                contact: id_of(&id)?,
                customer: key_of("deliveries", &customer)?,
                activity,
                delivery: name_of("deliveries", "delivery", &delivery)?,
                at,
            })
        };
        rows.into_iter().map(delivered).collect()
    }

    /// Notes that the outcomes of these contacts were recorded.
    pub async fn deliveries_recorded(&self, recorded: &[Delivered]) -> Result<(), StoreError> {
        let doing = "noting recorded deliveries";
        let mut tx = self.write().await?;
        for one in recorded {
            sqlx::query("UPDATE deliveries SET recorded = 1 WHERE contact = ? AND delivery = ?")
                .bind(one.contact.0.to_vec())
                .bind(one.delivery.name())
                .execute(&mut *tx)
                .await
                .during(doing)?;
        }
        tx.commit().await.during(doing)
    }

    /// How receipts add up.
    pub async fn receipts_noted(&self) -> Result<ReceiptsNoted, StoreError> {
        let (delivered, undelivered, awaited, unmatched, repeated): (i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM deliveries WHERE delivery = 'delivered'), \
               (SELECT COUNT(*) FROM deliveries WHERE delivery = 'undelivered'), \
               (SELECT COUNT(DISTINCT contact) FROM parts WHERE contact NOT IN (SELECT contact FROM deliveries)), \
               (SELECT COUNT(DISTINCT gateway || ' ' || message) FROM receipts r WHERE NOT EXISTS \
                  (SELECT 1 FROM parts p WHERE p.gateway = r.gateway AND p.message = r.message)), \
               (SELECT coalesce(SUM(times - 1), 0) FROM receipts)",
        )
        .fetch_one(&self.readers)
        .await
        .during("counting receipts")?;
        Ok(ReceiptsNoted {
            delivered: delivered as u64,
            undelivered: undelivered as u64,
            awaited: awaited as u64,
            unmatched: unmatched as u64,
            repeated: repeated as u64,
        })
    }

    /// The last message that went to a customer on a channel.
    pub async fn last_sent(&self, customer: CustomerKey, channel: Channel) -> Result<Option<LastSent>, StoreError> {
        let row: Option<(Vec<u8>, String, String)> = sqlx::query_as(
            "SELECT c.id, c.activity, c.class FROM sends s JOIN contacts c ON c.id = s.contact \
             WHERE s.customer = ? AND s.channel = ? ORDER BY s.started_at DESC LIMIT 1",
        )
        .bind(customer.0.to_vec())
        .bind(channel.name())
        .fetch_optional(&self.readers)
        .await
        .during("reading the last message")?;
        let last = |(id, activity, class): (Vec<u8>, String, String)| {
            Ok(LastSent { contact: id_of(&id)?, activity, class: name_of("contacts", "class", &class)? })
        };
        row.map(last).transpose()
    }
}

/// Contact, customer, activity, delivery, and when the last receipt came.
type SettledRow = (Vec<u8>, Vec<u8>, String, String, i64);

/// Brings the deliveries of the contacts behind these messages up to what their receipts say.
pub(crate) async fn settle(
    tx: &mut Transaction<'static, Sqlite>,
    gateway: &str,
    messages: Vec<String>,
) -> Result<(), StoreError> {
    let doing = "settling receipts";
    for chunk in messages.chunks(MAX_BINDS - 1) {
        let mut select = QueryBuilder::new(
            "SELECT p.contact, s.customer, p.message, r.state, r.at FROM parts q \
             JOIN parts p ON p.contact = q.contact AND p.attempt = q.attempt \
             JOIN sends s ON s.contact = p.contact AND s.attempt = p.attempt \
             LEFT JOIN receipts r ON r.gateway = p.gateway AND r.message = p.message WHERE q.gateway = ",
        );
        select.push_bind(gateway.to_owned()).push(" AND q.message IN (");
        let mut list = select.separated(", ");
        for message in chunk {
            list.push_bind(message);
        }
        list.push_unseparated(")");
        let rows: Vec<PartRow> = select.build_query_as().fetch_all(&mut **tx).await.during(doing)?;
        for ((contact, customer), (parts, at)) in by_contact(rows)? {
            let parts: Vec<Option<MessageState>> = parts.into_values().collect();
            let delivery = delivery_of(&parts);
            if delivery == Delivery::Awaited {
                continue;
            }
            sqlx::query(
                "INSERT INTO deliveries (contact, customer, delivery, at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (contact) DO UPDATE SET delivery = ?3, at = ?4, recorded = 0 WHERE delivery <> ?3",
            )
            .bind(contact)
            .bind(customer)
            .bind(delivery.name())
            .bind(at)
            .execute(&mut **tx)
            .await
            .during(doing)?;
        }
    }
    Ok(())
}

/// Contact, customer, the gateway's id, and a receipt's state and time.
type PartRow = (Vec<u8>, Vec<u8>, String, Option<String>, Option<i64>);
type Parts = BTreeMap<(Vec<u8>, Vec<u8>), (BTreeMap<String, Option<MessageState>>, i64)>;

fn by_contact(rows: Vec<PartRow>) -> Result<Parts, StoreError> {
    let mut contacts = Parts::new();
    for (contact, customer, message, state, at) in rows {
        let state = match state {
            Some(name) => {
                Some(MessageState::from_name(&name).ok_or_else(|| StoreError::impossible("receipts", "state", &name))?)
            }
            None => None,
        };
        let (parts, last) = contacts.entry((contact, customer)).or_default();
        let known = parts.entry(message).or_default();
        if let Some(came) = state {
            *known = Some(newer(*known, came));
        }
        *last = (*last).max(at.unwrap_or(0));
    }
    Ok(contacts)
}
