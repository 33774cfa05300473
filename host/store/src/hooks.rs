//! Webhooks: who is told of what, and the outbox. An event is put there by the line of the audit log that it tells of, in
//! the same transaction, once for everybody who wants it.

use crate::Store;
use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use care_domain::audit::{Entry, Line};
use care_domain::hook::{self, Told};
use sqlx::{Sqlite, Transaction};
use std::collections::BTreeMap;

/// So long nobody else takes an event that is on its way, in milliseconds: longer than an answer is waited for.
const ON_ITS_WAY_MS: i64 = 60_000;
/// Events on their way at once, and of one endpoint: one that is slow does not hold up the others.
const AT_ONCE: i64 = 32;
const EACH: i64 = 8;

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// How people speak of it.
    pub id: String,
    /// Where events go.
    pub url: String,
    /// Kinds or families of events that are wanted; all when empty.
    pub kinds: Vec<String>,
    /// Whose it is and what for, in a few words.
    pub note: String,
    /// What its secret is made of, with a key outside of the database.
    pub salt: Vec<u8>,
    /// Who registered it.
    pub registered_by: String,
    /// When, Unix milliseconds.
    pub registered_at: i64,
    /// From when on nothing is told, and why.
    pub closed: Option<(i64, String)>,
}

/// An event on its way to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number.
    pub id: i64,
    /// To whom.
    pub hook: String,
    /// The event's own id.
    pub event: String,
    /// What happened.
    pub kind: String,
    /// The body.
    pub body: String,
    /// When it happened, Unix milliseconds.
    pub told_at: i64,
    /// `waiting`, `delivered`, `given-up` or `dropped`.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried again, Unix milliseconds.
    pub next_at: i64,
    /// The last attempt, Unix milliseconds.
    pub last_at: Option<i64>,
    /// Status of the last answer; none when nothing came back.
    pub status: Option<u16>,
    /// The last answer in words.
    pub answer: Option<String>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// When, Unix milliseconds.
    pub at: i64,
    /// HTTP status, if something came back.
    pub status: Option<u16>,
    /// In words.
    pub answer: &'a str,
    /// What follows.
    pub next: hook::Next,
}

const HOOKS: &str =
    "SELECT id, url, kinds, note, salt, registered_by, registered_at, closed_at, closed_because FROM hooks";
const DELIVERIES: &str = "SELECT id, hook, event, kind, body, told_at, state, attempts, next_at, last_at, status, answer FROM hook_deliveries";

type HookRow = (String, String, String, String, Vec<u8>, String, i64, Option<i64>, Option<String>);
type Row = (i64, String, String, String, String, i64, String, i64, i64, Option<i64>, Option<i64>, Option<String>);

impl Store {
    /// Keeps somebody who is told from now on.
    pub async fn add_hook(&self, new: &Hook, entry: &Entry) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO hooks (id, url, kinds, note, salt, registered_by, registered_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&new.id)
        .bind(&new.url)
        .bind(to_json("hooks", &new.id, &new.kinds)?)
        .bind(&new.note)
        .bind(&new.salt)
        .bind(&new.registered_by)
        .bind(new.registered_at);
        self.change(statement, entry, "registering a webhook").await.map(|_| ())
    }

    /// Everybody who is or was told, the oldest first.
    pub async fn hooks(&self) -> Result<Vec<Hook>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{HOOKS} ORDER BY registered_at, id"));
        let rows: Vec<HookRow> = sqlx::query_as(sql).fetch_all(&self.readers).await.during("reading webhooks")?;
        rows.into_iter().map(hook_of).collect()
    }

    /// Gives it another secret; `false` when there is none of that id that is open.
    pub async fn resalt_hook(&self, id: &str, salt: &[u8], entry: &Entry) -> Result<bool, StoreError> {
        let statement = sqlx::query("UPDATE hooks SET salt = ? WHERE id = ? AND closed_at IS NULL");
        self.change(statement.bind(salt.to_vec()).bind(id), entry, "renewing a secret").await
    }

    /// Tells it nothing any more, and drops what waits for it; `false` when there is none of that id that is open.
    pub async fn close_hook(&self, id: &str, entry: &Entry) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        if !close(&mut tx, id, entry.at, &entry.reason).await? {
            return Ok(false);
        }
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during("closing a webhook")?;
        Ok(true)
    }

    /// Has something said to one endpoint alone.
    pub async fn ping_hook(&self, id: &str, entry: &Entry) -> Result<(), StoreError> {
        let doing = "trying a webhook";
        let mut tx = self.write().await?;
        let line = self.audit(&mut tx, entry).await?;
        put(&mut tx, id, &hook::ping(&line, id), line.entry.at).await?;
        tx.commit().await.during(doing)
    }

    /// How many events of each state there are, by endpoint.
    pub async fn delivery_counts(&self) -> Result<BTreeMap<String, BTreeMap<String, u64>>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT hook, state, COUNT(*) FROM hook_deliveries GROUP BY hook, state")
                .fetch_all(&self.readers)
                .await
                .during("counting deliveries")?;
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (hook, state, count) in rows {
            counts.entry(hook).or_default().insert(state, count as u64);
        }
        Ok(counts)
    }

    /// The event of an endpoint that was tried last.
    pub async fn last_delivery(&self, hook: &str) -> Result<Option<Delivery>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{DELIVERIES} WHERE hook = ? AND last_at IS NOT NULL ORDER BY last_at DESC, id DESC LIMIT 1"
        ));
        let row: Option<Row> =
            sqlx::query_as(sql).bind(hook).fetch_optional(&self.readers).await.during("reading deliveries")?;
        row.map(delivery_of).transpose()
    }

    /// Events of an endpoint, the newest first, from before `before`; only those of a state, when one is given.
    pub async fn deliveries(
        &self,
        hook: &str,
        state: Option<&str>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{DELIVERIES} WHERE hook = ? AND state = coalesce(?, state) AND id < ? ORDER BY id DESC LIMIT ?"
        ));
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(hook)
            .bind(state)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .during("reading deliveries")?;
        rows.into_iter().map(delivery_of).collect()
    }

    /// Lets an event that was given up, or that got lost on the other side, go out again; `false` when there is none.
    pub async fn replay_delivery(&self, hook: &str, id: i64, entry: &Entry) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE hook_deliveries SET state = 'waiting', attempts = 0, next_at = 0 WHERE hook = ? AND id = ? \
             AND state IN ('given-up', 'delivered') AND hook IN (SELECT id FROM hooks WHERE closed_at IS NULL)",
        );
        self.change(statement.bind(hook).bind(id), entry, "sending an event again").await
    }

    /// Takes what is due at `now`, each event counted as tried: whoever dies over it leaves it to be tried again.
    pub async fn take_deliveries(&self, now: i64) -> Result<Vec<Delivery>, StoreError> {
        let doing = "taking events";
        let due: Option<i64> =
            sqlx::query_scalar("SELECT id FROM hook_deliveries WHERE state = 'waiting' AND next_at <= ? LIMIT 1")
                .bind(now)
                .fetch_optional(&self.readers)
                .await
                .during(doing)?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "UPDATE hook_deliveries SET attempts = attempts + 1, next_at = ?1 + ?2 WHERE id IN (SELECT id FROM \
               (SELECT id, row_number() OVER (PARTITION BY hook ORDER BY id) AS place FROM hook_deliveries \
                WHERE state = 'waiting' AND next_at <= ?1) WHERE place <= ?3 ORDER BY id LIMIT ?4) \
             RETURNING id, hook, event, kind, body, told_at, state, attempts, next_at, last_at, status, answer",
        )
        .bind(now)
        .bind(ON_ITS_WAY_MS)
        .bind(EACH)
        .bind(AT_ONCE)
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        tx.commit().await.during(doing)?;
        rows.into_iter().map(delivery_of).collect()
    }

    /// Settles an attempt, unless the event was taken anew since: then that attempt settles it. An endpoint that is gone is
    /// closed with the line `closing`.
    pub async fn settle_delivery(&self, taken: &Delivery, tried: Tried<'_>, closing: &Entry) -> Result<(), StoreError> {
        let doing = "settling an event";
        let (state, next_at) = match tried.next {
            hook::Next::Delivered => ("delivered", tried.at),
            hook::Next::Again(at) => ("waiting", at),
            hook::Next::GivenUp => ("given-up", tried.at),
            hook::Next::Gone => ("dropped", tried.at),
        };
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE hook_deliveries SET state = ?, next_at = ?, last_at = ?, status = ?, answer = ? \
             WHERE id = ? AND attempts = ? AND state = 'waiting'",
        )
        .bind(state)
        .bind(next_at)
        .bind(tried.at)
        .bind(tried.status.map(i64::from))
        .bind(tried.answer)
        .bind(taken.id)
        .bind(i64::from(taken.attempts))
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if tried.next == hook::Next::Gone && close(&mut tx, &taken.hook, tried.at, &closing.reason).await? {
            self.audit(&mut tx, closing).await?;
        }
        tx.commit().await.during(doing)
    }
}

/// Puts what a line tells of into the outbox of everybody who wants it.
pub(crate) async fn tell(tx: &mut Transaction<'static, Sqlite>, line: &Line) -> Result<(), StoreError> {
    let Some(told) = hook::told(line) else { return Ok(()) };
    let listening: Vec<(String, String)> = sqlx::query_as("SELECT id, kinds FROM hooks WHERE closed_at IS NULL")
        .fetch_all(&mut **tx)
        .await
        .during("reading webhooks")?;
    for (id, kinds) in listening {
        let kinds: Vec<String> = from_json("hooks", &id, &kinds)?;
        if hook::wants(&kinds, told.kind) {
            put(tx, &id, &told, line.entry.at).await?;
        }
    }
    Ok(())
}

async fn put(tx: &mut Transaction<'static, Sqlite>, hook: &str, told: &Told, at: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO hook_deliveries (hook, event, kind, body, told_at, state, attempts, next_at) \
         VALUES (?, ?, ?, ?, ?, 'waiting', 0, 0)",
    )
    .bind(hook)
    .bind(&told.id)
    .bind(told.kind)
    .bind(&told.body)
    .bind(at)
    .execute(&mut **tx)
    .await
    .map(|_| ())
    .during("putting an event into the outbox")
}

async fn close(tx: &mut Transaction<'static, Sqlite>, id: &str, at: i64, because: &str) -> Result<bool, StoreError> {
    let doing = "closing a webhook";
    let closed = sqlx::query("UPDATE hooks SET closed_at = ?, closed_because = ? WHERE id = ? AND closed_at IS NULL")
        .bind(at)
        .bind(because)
        .bind(id)
        .execute(&mut **tx)
        .await
        .during(doing)?;
    sqlx::query("UPDATE hook_deliveries SET state = 'dropped' WHERE hook = ? AND state = 'waiting'")
        .bind(id)
        .execute(&mut **tx)
        .await
        .during(doing)?;
    Ok(closed.rows_affected() == 1)
}

fn hook_of(row: HookRow) -> Result<Hook, StoreError> {
    let (id, url, kinds, note, salt, registered_by, registered_at, closed_at, because) = row;
    let kinds = from_json("hooks", &id, &kinds)?;
    let closed = closed_at.map(|at| (at, because.unwrap_or_default()));
    Ok(Hook { id, url, kinds, note, salt, registered_by, registered_at, closed })
}

fn delivery_of(row: Row) -> Result<Delivery, StoreError> {
    let (id, hook, event, kind, body, told_at, state, attempts, next_at, last_at, status, answer) = row;
    let impossible = |what| StoreError::impossible("hook_deliveries", what, id);
    Ok(Delivery {
        id,
        hook,
        event,
        kind,
        body,
        told_at,
        state,
        attempts: u32::try_from(attempts).map_err(|_| impossible("attempts"))?,
        next_at,
        last_at,
        status: status.map(u16::try_from).transpose().map_err(|_| impossible("status"))?,
        answer,
    })
}
