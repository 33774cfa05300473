//! Handing contacts over: the intent is written before anything is sent, and settled after.

use crate::contacts::{StoredContact, contact_of, log_states};
use crate::due::{FREE, lines, of_line};
use crate::error::{During, StoreError};
use crate::sending::Leasing;
use crate::{MAX_BINDS, Store};
use care_domain::canonical;
use care_domain::contact::{ContactId, ContactState};
use care_domain::dispatch::allot;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::{BTreeMap, BTreeSet};

/// Contacts that are on their way together. The id is the digest of theirs, so a repeat writes the same file.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Names the batch at the gateway.
    pub id: String,
    /// By tier, the first one first: so they stand on call lists (S0). Within a tier by contact id.
    pub contacts: Vec<StoredContact>,
}

/// What became of a contact at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The contact.
    pub contact: ContactId,
    /// `sent`, `failed` or `unknown`.
    pub state: ContactState,
    /// Why, for people; empty where there is nothing to say.
    pub note: String,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Planned for now or earlier, and held by a suspension, a kill switch or an approval that does not hold.
    pub due: u64,
    /// Planned for later.
    pub later: u64,
}

impl Store {
    /// Drops what waited past its not-after; returns how many.
    pub async fn expire(&self, now: i64) -> Result<u64, StoreError> {
        let doing = "dropping expired contacts";
        let mut tx = self.write().await?;
        let gone: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "UPDATE contacts SET state = 'expired', lease = NULL WHERE state = 'released' AND not_after < ?1 \
             AND (lease IS NULL OR lease_until < ?1) RETURNING id, customer",
        )
        .bind(now)
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        log_states(&mut tx, &gone, "expired", now, "waited past its not-after").await?;
        tx.commit().await.during(doing)?;
        Ok(gone.len() as u64)
    }

    /// Writes the intent of `holder` to send up to `limit` due contacts as one batch, asked for by channel; `None` when
    /// none is due and free to go. Higher classes go first, in a class higher tiers, within a tier campaigns share.
    pub async fn claim(
        &self,
        holder: &str,
        asked: &[Leasing<'_>],
        limit: u32,
        now: i64,
    ) -> Result<Option<Batch>, StoreError> {
        let doing = "claiming contacts";
        let limit = u64::from(limit.min(MAX_BINDS as u32 - 1));
        let mut tx = self.write().await?;
        let (mut of, mut waiting) = (Vec::new(), Vec::new());
        for asked in asked.iter().filter(|asked| !asked.versions.is_empty()) {
            let found = lines(&mut tx, *asked, limit).await?;
            of.resize(of.len() + found.len(), *asked);
            waiting.extend(found);
        }
        let mut due: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let shares = allot(limit, &waiting, &BTreeMap::new());
        for ((asked, line), share) in of.into_iter().zip(&waiting).zip(shares).filter(|(_, share)| *share > 0) {
            let mut select = QueryBuilder::new("SELECT id, customer");
            crate::due::due(&mut select, asked);
            of_line(&mut select, line);
            select.push(" ORDER BY planned_at LIMIT ").push_bind(share as i64);
            due.extend(select.build_query_as().fetch_all(&mut *tx).await.during(doing)?);
        }
        if due.is_empty() {
            return Ok(None);
        }
        // Those of the same moment come in the order in which workers planned them, which says nothing.
        due.sort_unstable();
        let ids: Vec<&[u8]> = due.iter().map(|(id, _)| id.as_slice()).collect();
        let batch = canonical::digest(&ids.concat());
        let mut update = QueryBuilder::new("UPDATE contacts SET state = 'sending', batch = ");
        update.push_bind(&batch).push(", lease = ").push_bind(holder);
        update.push(" WHERE state = 'released' AND id IN (");
        let mut list = update.separated(", ");
        for id in ids {
            list.push_bind(id.to_vec());
        }
        list.push_unseparated(")");
        update.build().execute(&mut *tx).await.during(doing)?;
        log_states(&mut tx, &due, "sending", now, &batch).await?;
        tx.commit().await.during(doing)?;
        Ok(Some(self.batch(&batch).await?))
    }

    /// Batches whose answer was never written, with whose they are: a process is at work on them, or died between intent
    /// and settlement.
    pub async fn unsettled(&self) -> Result<Vec<(String, Option<String>)>, StoreError> {
        sqlx::query_as(
            "SELECT DISTINCT batch, lease FROM contacts WHERE state = 'sending' AND batch IS NOT NULL ORDER BY batch",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading unsettled batches")
    }

    /// Takes the batch of a dead process over; `None` when another one was faster.
    pub async fn adopt(&self, batch: &str, from: Option<&str>, to: &str) -> Result<Option<Batch>, StoreError> {
        let doing = "taking a batch over";
        let mut tx = self.write().await?;
        let update = "UPDATE contacts SET lease = ? WHERE state = 'sending' AND batch = ? AND lease IS ?";
        let done = sqlx::query(update).bind(to).bind(batch).bind(from).execute(&mut *tx).await.during(doing)?;
        tx.commit().await.during(doing)?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        Ok(Some(self.batch(batch).await?))
    }

    /// Which contacts of a batch may not go out now.
    pub async fn held_in(&self, batch: &str) -> Result<BTreeSet<ContactId>, StoreError> {
        let mut select: QueryBuilder<Sqlite> =
            QueryBuilder::new("SELECT id FROM contacts WHERE state = 'sending' AND batch = ");
        select.push_bind(batch).push(" AND NOT (1").push(FREE).push(")");
        let ids: Vec<Vec<u8>> =
            select.build_query_scalar().fetch_all(&self.readers).await.during("reading what is held")?;
        ids.iter().map(|id| crate::contacts::id_of(id)).collect()
    }

    /// Takes an intent back that surely reached no gateway: the contacts wait again, or are withdrawn where their
    /// campaign or approval has ended.
    pub async fn take_back(&self, contacts: &[ContactId], at: i64) -> Result<(), StoreError> {
        let doing = "taking an intent back";
        let mut tx = self.write().await?;
        for chunk in contacts.chunks(MAX_BINDS - 1) {
            let mut update = QueryBuilder::new(
                "UPDATE contacts SET batch = NULL, lease = NULL, state = CASE \
                 WHEN campaign IN (SELECT id FROM campaigns WHERE state = 'stopped') THEN 'withdrawn' \
                 ELSE 'released' END WHERE state = 'sending' AND id IN (",
            );
            let mut list = update.separated(", ");
            for contact in chunk {
                list.push_bind(contact.0.to_vec());
            }
            list.push_unseparated(") RETURNING id, customer, state");
            let moved: Vec<(Vec<u8>, Vec<u8>, String)> =
                update.build_query_as().fetch_all(&mut *tx).await.during(doing)?;
            for state in ["withdrawn", "released"] {
                let alike = moved.iter().filter(|(_, _, now)| now == state);
                let alike: Vec<_> = alike.map(|(id, customer, _)| (id.clone(), customer.clone())).collect();
                log_states(&mut tx, &alike, state, at, "held before it reached a gateway").await?;
            }
        }
        tx.commit().await.during(doing)
    }

    /// Writes what became of a batch, all of it together. A contact settled before stays as it is.
    pub async fn settle(&self, settled: &[Settled], at: i64) -> Result<(), StoreError> {
        let doing = "settling a batch";
        let mut alike: BTreeMap<(&str, &str), Vec<ContactId>> = BTreeMap::new();
        for one in settled {
            alike.entry((one.state.name(), &one.note)).or_default().push(one.contact);
        }
        let mut tx = self.write().await?;
        for ((state, note), contacts) in alike {
            for chunk in contacts.chunks(MAX_BINDS - 1) {
                let mut update = QueryBuilder::new("UPDATE contacts SET lease = NULL, state = ");
                update.push_bind(state.to_owned()).push(" WHERE state = 'sending' AND id IN (");
                let mut list = update.separated(", ");
                for contact in chunk {
                    list.push_bind(contact.0.to_vec());
                }
                list.push_unseparated(") RETURNING id, customer");
                let moved: Vec<(Vec<u8>, Vec<u8>)> = update.build_query_as().fetch_all(&mut *tx).await.during(doing)?;
                log_states(&mut tx, &moved, state, at, note).await?;
            }
        }
        tx.commit().await.during(doing)
    }

    /// How much waits for dispatch.
    pub async fn waiting(&self, now: i64) -> Result<Waiting, StoreError> {
        let (due, later): (i64, i64) = sqlx::query_as(
            "SELECT coalesce(SUM(planned_at <= ?1), 0), coalesce(SUM(planned_at > ?1), 0) FROM contacts \
             WHERE state = 'released'",
        )
        .bind(now)
        .fetch_one(&self.readers)
        .await
        .during("counting waiting contacts")?;
        Ok(Waiting { due: due as u64, later: later as u64 })
    }

    async fn batch(&self, id: &str) -> Result<Batch, StoreError> {
        let rows = sqlx::query("SELECT * FROM contacts WHERE batch = ? AND state = 'sending' ORDER BY tier, id")
            .bind(id)
            .fetch_all(&self.readers)
            .await
            .during("reading a batch")?;
        let contacts: Vec<StoredContact> = rows.iter().map(contact_of).collect::<Result<_, _>>()?;
        Ok(Batch { id: id.to_owned(), contacts })
    }
}
