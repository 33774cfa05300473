//! Work that people do from a list: handed out to a person for a while, taken back when nothing came of it, ended by a
//! result.

use crate::Store;
use crate::contacts::{StoredContact, contact_of, log_states};
use crate::due::due;
use crate::error::{During, StoreError};
use crate::sending::Leasing;
use care_domain::audit::Entry;
use care_domain::contact::{Addressee, Channel, ContactId};
use care_domain::desk::WorkResult;
use care_domain::policy::Class;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use std::collections::BTreeMap;

/// A calling window.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CallingWindow {
    /// Its number.
    pub id: i64,
    /// Who opened it.
    pub opened_by: String,
    /// From, Unix milliseconds.
    pub opened_at: i64,
    /// Until, Unix milliseconds.
    pub closes_at: i64,
    /// Agents.
    pub seats: u32,
    /// Calls that each makes in an hour.
    pub calls_an_hour: u32,
    /// Numbers handed out in it.
    pub handed_out: u64,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct HandingOut<'a> {
    /// Channel, versions, tiers and time as for a lease; `until` is when the work is taken back, `lease` the person.
    pub asked: Leasing<'a>,
    /// Only what goes to this addressee.
    pub addressee: Option<Addressee>,
    /// Only these classes.
    pub classes: &'a [Class],
    /// In this calling window.
    pub window: Option<i64>,
    /// At most so many.
    pub count: u64,
}

/// What a person reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResult {
    /// The contact.
    pub contact: ContactId,
    /// What came of it.
    pub result: WorkResult,
    /// In the person's words; no outcome is made of them.
    pub note: String,
}

/// What recording a result did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worked {
    /// It is kept.
    Recorded {
        /// Which attempt.
        attempt: u32,
    },
    /// The same result was kept before.
    Repeated {
        /// Which attempt.
        attempt: u32,
    },
    /// Another result was kept before.
    Contradicts(String),
    /// It was never handed out, or to somebody who gave it back without a word.
    NotHandedOut,
    /// No contact of that id on this channel.
    Unknown,
}

/// Figures of handed-out work between two instants.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct WorkFigures {
    /// Numbers or requests handed out.
    pub handed_out: u64,
    /// Customers that they were about.
    pub customers: u64,
    /// By result; what has none yet under `open`.
    pub results: BTreeMap<String, u64>,
}

impl Store {
    /// Opens a calling window; returns its number.
    pub async fn open_window(&self, window: &CallingWindow, entry: &Entry) -> Result<i64, StoreError> {
        let doing = "opening a calling window";
        let mut tx = self.write().await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO calling_windows (opened_by, opened_at, closes_at, seats, calls_an_hour) VALUES (?, ?, ?, ?, ?) \
             RETURNING id",
        )
        .bind(&window.opened_by)
        .bind(window.opened_at)
        .bind(window.closes_at)
        .bind(i64::from(window.seats))
        .bind(i64::from(window.calls_an_hour))
        .fetch_one(&mut *tx)
        .await
        .during(doing)?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// Closes the windows that are open at `at`; `false` when none is.
    pub async fn close_windows(&self, at: i64, entry: &Entry) -> Result<bool, StoreError> {
        let close =
            sqlx::query("UPDATE calling_windows SET closes_at = ?1 WHERE opened_at <= ?1 AND closes_at > ?1").bind(at);
        self.change(close, entry, "closing a calling window").await
    }

    /// The window that is open at an instant; the newest of several.
    pub async fn open_window_at(&self, at: i64) -> Result<Option<CallingWindow>, StoreError> {
        Ok(self.windows(1, at).await?.pop())
    }

    /// The newest windows, those that are open at `at` alone when `limit` is 1.
    pub async fn windows(&self, limit: u32, at: i64) -> Result<Vec<CallingWindow>, StoreError> {
        let rows: Vec<(i64, String, i64, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT id, opened_by, opened_at, closes_at, seats, calls_an_hour, \
               (SELECT COUNT(*) FROM handouts h WHERE h.window = w.id) FROM calling_windows w \
             WHERE ?1 <> 1 OR (opened_at <= ?2 AND closes_at > ?2) ORDER BY id DESC LIMIT ?1",
        )
        .bind(i64::from(limit))
        .bind(at)
        .fetch_all(&self.readers)
        .await
        .during("reading calling windows")?;
        let window =
            |(id, opened_by, opened_at, closes_at, seats, calls, handed): (_, _, _, _, i64, i64, i64)| CallingWindow {
                id,
                opened_by,
                opened_at,
                closes_at,
                seats: seats as u32,
                calls_an_hour: calls as u32,
                handed_out: handed as u64,
            };
        Ok(rows.into_iter().map(window).collect())
    }

    /// Hands work out: higher classes first, then tiers, then by time. From here on it is `sending`.
    pub async fn hand_work_out(&self, what: HandingOut<'_>) -> Result<Vec<StoredContact>, StoreError> {
        let doing = "handing work out";
        let asked = what.asked;
        if asked.versions.is_empty() || what.classes.is_empty() || what.count == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        take_back(&mut tx, asked.channel, asked.now).await?;
        let mut update = QueryBuilder::new("UPDATE contacts SET state = 'sending', lease = NULL, lease_until = ");
        update.push_bind(asked.until).push(" WHERE id IN (SELECT id");
        due(&mut update, asked);
        if let Some(addressee) = what.addressee {
            update.push(" AND addressee = ").push_bind(addressee.name());
        }
        update.push(" AND class IN (");
        let mut list = update.separated(", ");
        for class in what.classes {
            list.push_bind(class.name());
        }
        list.push_unseparated(") ORDER BY CASE class");
        for (rank, class) in (0_i64..).zip(Class::ALL) {
            update.push(" WHEN ").push_bind(class.name()).push(" THEN ").push_bind(rank);
        }
        update.push(" END, tier, planned_at, id LIMIT ").push_bind(what.count as i64).push(") RETURNING *");
        let rows = update.build().fetch_all(&mut *tx).await.during(doing)?;
        let mut contacts: Vec<StoredContact> = rows.iter().map(contact_of).collect::<Result<_, _>>()?;
        contacts.sort_by_cached_key(|c| (c.planned.class, c.planned.tier, c.planned.planned_at, c.planned.id));
        note_handouts(&mut tx, what, &contacts).await?;
        tx.commit().await.during(doing)?;
        Ok(contacts)
    }

    /// Takes work back whose time is over without a result; returns how much.
    pub async fn take_work_back(&self, channel: Channel, now: i64) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let back = take_back(&mut tx, channel, now).await?;
        tx.commit().await.during("taking work back")?;
        Ok(back)
    }

    /// Keeps results, each once, and ends their contacts; answers each in its place.
    pub async fn work_done(
        &self,
        channel: Channel,
        results: &[NewResult],
        at: i64,
        entry: &Entry,
    ) -> Result<Vec<Worked>, StoreError> {
        let mut tx = self.write().await?;
        let mut worked = Vec::with_capacity(results.len());
        for result in results {
            worked.push(keep_result(&mut tx, channel, result, at).await?);
        }
        let recorded = worked.iter().filter(|w| matches!(w, Worked::Recorded { .. })).count();
        if recorded > 0 {
            let detail = serde_json::json!({"channel": channel, "results": recorded});
            self.audit(&mut tx, &Entry { detail, ..entry.clone() }).await?;
        }
        tx.commit().await.during("keeping results")?;
        Ok(worked)
    }

    /// Figures of the work on a channel that was handed out from one instant until before another, by campaign.
    pub async fn work_figures(
        &self,
        channel: Channel,
        from: i64,
        to: i64,
    ) -> Result<BTreeMap<String, WorkFigures>, StoreError> {
        let doing = "counting work";
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT campaign, coalesce(result, 'open'), COUNT(*) FROM handouts \
             WHERE channel = ? AND at >= ? AND at < ? GROUP BY 1, 2",
        )
        .bind(channel.name())
        .bind(from)
        .bind(to)
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        let mut figures: BTreeMap<String, WorkFigures> = BTreeMap::new();
        for (campaign, result, count) in rows {
            let own = figures.entry(campaign).or_default();
            own.handed_out += count as u64;
            own.results.insert(result, count as u64);
        }
        let customers: Vec<(String, i64)> = sqlx::query_as(
            "SELECT campaign, COUNT(DISTINCT customer) FROM handouts WHERE channel = ? AND at >= ? AND at < ? GROUP BY 1",
        )
        .bind(channel.name())
        .bind(from)
        .bind(to)
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        for (campaign, count) in customers {
            figures.entry(campaign).or_default().customers = count as u64;
        }
        Ok(figures)
    }
}

async fn note_handouts(
    tx: &mut Transaction<'static, Sqlite>,
    what: HandingOut<'_>,
    contacts: &[StoredContact],
) -> Result<(), StoreError> {
    let asked = what.asked;
    for contact in contacts {
        let planned = &contact.planned;
        sqlx::query(
            "INSERT INTO handouts (contact, attempt, customer, campaign, channel, person, at, back_at, window) \
             VALUES (?1, (SELECT coalesce(MAX(attempt), 0) + 1 FROM handouts WHERE contact = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(planned.id.0.to_vec())
        .bind(planned.customer.0.to_vec())
        .bind(&planned.campaign)
        .bind(asked.channel.name())
        .bind(asked.lease)
        .bind(asked.now)
        .bind(asked.until)
        .bind(what.window)
        .execute(&mut **tx)
        .await
        .during("noting handed-out work")?;
    }
    let moved: Vec<_> = contacts.iter().map(|c| (c.planned.id.0.to_vec(), c.planned.customer.0.to_vec())).collect();
    log_states(tx, &moved, "sending", asked.now, "handed out").await
}

async fn take_back(tx: &mut Transaction<'static, Sqlite>, channel: Channel, now: i64) -> Result<u64, StoreError> {
    let back: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "UPDATE contacts SET state = 'released', lease_until = NULL WHERE state = 'sending' AND batch IS NULL \
         AND lease_until < ? AND coalesce(via, channel) = ? \
         AND EXISTS (SELECT 1 FROM handouts h WHERE h.contact = contacts.id AND h.result IS NULL) RETURNING id, customer",
    )
    .bind(now)
    .bind(channel.name())
    .fetch_all(&mut **tx)
    .await
    .during("taking work back")?;
    log_states(tx, &back, "released", now, "handed out, and nothing came of it in time").await?;
    Ok(back.len() as u64)
}

async fn keep_result(
    tx: &mut Transaction<'static, Sqlite>,
    channel: Channel,
    result: &NewResult,
    at: i64,
) -> Result<Worked, StoreError> {
    let doing = "keeping a result";
    let id = result.contact.0.to_vec();
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM contacts WHERE id = ? AND coalesce(via, channel) = ?")
        .bind(&id)
        .bind(channel.name())
        .fetch_optional(&mut **tx)
        .await
        .during(doing)?;
    if found.is_none() {
        return Ok(Worked::Unknown);
    }
    let last: Option<(i64, Option<String>)> =
        sqlx::query_as("SELECT attempt, result FROM handouts WHERE contact = ? ORDER BY attempt DESC LIMIT 1")
            .bind(&id)
            .fetch_optional(&mut **tx)
            .await
            .during(doing)?;
    let attempt = match last {
        None => return Ok(Worked::NotHandedOut),
        Some((attempt, Some(known))) if known == result.result.name() => {
            return Ok(Worked::Repeated { attempt: attempt as u32 });
        }
        Some((_, Some(known))) => return Ok(Worked::Contradicts(known)),
        Some((attempt, None)) => attempt,
    };
    // A result that comes after its time, while nobody else has the work, is as good as one in time.
    let moved: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "UPDATE contacts SET state = ?, lease_until = NULL WHERE id = ? AND state IN ('sending', 'released') \
         RETURNING id, customer",
    )
    .bind(result.result.state().name())
    .bind(&id)
    .fetch_all(&mut **tx)
    .await
    .during(doing)?;
    log_states(tx, &moved, result.result.state().name(), at, result.result.name()).await?;
    sqlx::query("UPDATE handouts SET result = ?, result_at = ?, note = ? WHERE contact = ? AND attempt = ?")
        .bind(result.result.name())
        .bind(at)
        .bind(&result.note)
        .bind(&id)
        .bind(attempt)
        .execute(&mut **tx)
        .await
        .during(doing)?;
    Ok(Worked::Recorded { attempt: attempt as u32 })
}
