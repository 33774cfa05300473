//! Forgetting what is old: what was said, contacts, calls, events, decision logs, and what other systems were told. What goes and
//! what stays is decided by `care_domain::retention`; here it goes, some at a time, so that nobody waits long for the
//! database. Asked not to, it counts only.

use crate::Store;
use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use care_domain::audit::Entry;
use care_domain::retention::Retention;
use serde_json::Value;
use sqlx::{Sqlite, Transaction};
use std::collections::{BTreeMap, BTreeSet};

const DOING: &str = "forgetting what is old";
/// So many at a time: a fraction of a second.
const AT_ONCE: i64 = 2_000;
/// Contacts about which nothing happens any more.
const OVER: &str = "state IN ('sent', 'failed', 'cancelled', 'expired', 'withdrawn', 'unknown', 'lost')";

/// Contacts of a campaign that are old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldContacts {
    /// How many.
    pub contacts: u64,
    /// Its last contact or held-out customer, old or not, Unix milliseconds.
    pub last: i64,
    /// When an evaluation of it was last kept, if one was.
    pub evaluated_at: Option<i64>,
}

/// A run as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RetentionRun {
    /// Number.
    pub run: i64,
    /// When, Unix milliseconds.
    pub at: i64,
    /// By whom; `host` for the daily one.
    pub by: String,
    /// What went and what stayed.
    pub report: Value,
}

impl Store {
    /// The periods in force; everything for ever where nobody set any.
    pub async fn retention(&self) -> Result<Retention, StoreError> {
        let document: Option<String> = sqlx::query_scalar("SELECT document FROM retention")
            .fetch_optional(&self.readers)
            .await
            .during("reading the retention periods")?;
        document.map_or(Ok(Retention::default()), |text| from_json("retention", 1, &text))
    }

    /// Puts periods in force.
    pub async fn set_retention(&self, periods: &Retention, entry: &Entry) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO retention (id, document) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
        );
        let document = to_json("retention", 1, periods)?;
        self.change(statement.bind(document), entry, "setting retention periods").await.map(|_| ())
    }

    /// The last runs, the newest first.
    pub async fn retention_runs(&self, limit: u32) -> Result<Vec<RetentionRun>, StoreError> {
        let rows: Vec<(i64, i64, String, String)> =
            sqlx::query_as("SELECT id, at, person, report FROM retention_runs ORDER BY id DESC LIMIT ?")
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await
                .during("reading retention runs")?;
        let run = |(run, at, by, report): (i64, i64, String, String)| {
            Ok(RetentionRun { run, at, by, report: from_json("retention_runs", run, &report)? })
        };
        rows.into_iter().map(run).collect()
    }

    /// Keeps the report of a run; `entry` tells the audit log the same.
    pub async fn keep_retention_run(&self, report: &Value, entry: &Entry) -> Result<(), StoreError> {
        let statement = sqlx::query("INSERT INTO retention_runs (at, person, report) VALUES (?, ?, ?)")
            .bind(entry.at)
            .bind(&entry.person)
            .bind(to_json("retention_runs", entry.at, report)?);
        self.change(statement, entry, DOING).await.map(|_| ())
    }

    /// Forgets what was said in contacts of before an instant; how many.
    pub async fn forget_messages(&self, before: i64, at: i64, dry: bool) -> Result<u64, StoreError> {
        let old = format!("planned_at < ? AND forgotten_at IS NULL AND {OVER}");
        if dry {
            return self.count(&format!("SELECT COUNT(*) FROM contacts WHERE {old}"), before).await;
        }
        let sql = format!(
            "UPDATE contacts SET slots = '{{}}', forgotten_at = {at} WHERE id IN \
             (SELECT id FROM contacts WHERE {old} LIMIT {AT_ONCE})"
        );
        self.repeat(&sql, before).await
    }

    /// Forgets what was said in prompts of before an instant; how many. What was declined is remembered as such; other prompts
    /// are needed for nothing, since an acceptance is a contact of its own.
    pub async fn forget_prompts(&self, before: i64, at: i64, dry: bool) -> Result<u64, StoreError> {
        let old = "p.forgotten_at IS NULL AND c.at < ?";
        let of = "FROM prompts p JOIN calls c ON c.id = p.call WHERE";
        if dry {
            return self.count(&format!("SELECT COUNT(*) {of} {old}"), before).await;
        }
        let delete = format!(
            "DELETE FROM prompts WHERE id IN (SELECT p.id {of} {old} AND p.state <> 'declined' LIMIT {AT_ONCE})"
        );
        let blank = format!(
            "UPDATE prompts SET forgotten_at = {at}, document = json_replace(document, '$.prompt.slots', json('{{}}'), \
               '$.sms.slots', json('{{}}'), '$.task.slots', json('{{}}')) \
             WHERE id IN (SELECT p.id {of} {old} AND p.state = 'declined' LIMIT {AT_ONCE})"
        );
        let mut gone = 0;
        for sql in [delete, blank] {
            loop {
                let mut tx = self.forgetting().await?;
                let changed = sqlx::query(sqlx::AssertSqlSafe(sql.as_str())).bind(before).execute(&mut *tx).await;
                let some = changed.during(DOING)?.rows_affected();
                remembering(tx).await?;
                gone += some;
                if some == 0 {
                    break;
                }
            }
        }
        Ok(gone)
    }

    /// Deletes calls of before an instant with the prompts that were shown in them; how many went, and how many old ones
    /// stay: what was declined of a running activity would be shown again.
    pub async fn forget_calls(
        &self,
        before: i64,
        running: &BTreeSet<String>,
        dry: bool,
    ) -> Result<(u64, u64), StoreError> {
        let running = to_json("calls", "running activities", running)?;
        let needed = "EXISTS (SELECT 1 FROM prompts p WHERE p.call = calls.id AND p.state = 'declined' \
                      AND p.activity IN (SELECT value FROM json_each(?2)))";
        let (free, needing): (i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT coalesce(SUM(NOT {needed}), 0), coalesce(SUM({needed}), 0) FROM calls WHERE at < ?1"
        )))
        .bind(before)
        .bind(&running)
        .fetch_one(&self.readers)
        .await
        .during(DOING)?;
        if dry {
            return Ok((free as u64, needing as u64));
        }
        let some = format!("(SELECT id FROM calls WHERE at < ?1 AND NOT {needed} ORDER BY at, id LIMIT {AT_ONCE})");
        let mut gone = 0;
        loop {
            let mut tx = self.forgetting().await?;
            let mut went = 0;
            // The calls last: the same ones are chosen again, whose prompts went.
            for sql in
                [format!("DELETE FROM prompts WHERE call IN {some}"), format!("DELETE FROM calls WHERE id IN {some}")]
            {
                let delete = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(before).bind(&running);
                went = delete.execute(&mut *tx).await.during(DOING)?.rows_affected();
            }
            remembering(tx).await?;
            gone += went;
            if went == 0 {
                return Ok((gone, needing as u64));
            }
        }
    }

    /// Campaigns with contacts of before an instant that could go, if nothing needs them.
    pub async fn old_contacts(&self, before: i64) -> Result<BTreeMap<String, OldContacts>, StoreError> {
        let sql = format!(
            "SELECT c.campaign, COUNT(*), \
               max((SELECT MAX(planned_at) FROM contacts l WHERE l.campaign = c.campaign), \
                   coalesce((SELECT MAX(planned_at) FROM controls h WHERE h.campaign = c.campaign), 0)), \
               (SELECT MAX(at) FROM evaluations e WHERE e.campaign = c.campaign) \
             FROM contacts c WHERE c.planned_at < ? AND {} GROUP BY c.campaign",
            forgettable("c.")
        );
        let rows: Vec<(String, i64, i64, Option<i64>)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(before).fetch_all(&self.readers).await.during(DOING)?;
        let one = |(campaign, contacts, last, evaluated_at): (String, i64, i64, Option<i64>)| {
            (campaign, OldContacts { contacts: contacts as u64, last, evaluated_at })
        };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Deletes contacts of these campaigns of before an instant, with everything that became of them, and who was held out
    /// of them; how many of both.
    pub async fn forget_contacts(&self, campaigns: &[String], before: i64) -> Result<(u64, u64), StoreError> {
        let campaigns = to_json("contacts", "campaigns", &campaigns)?;
        let pick = format!(
            "INSERT INTO forgetting_contacts SELECT id FROM contacts WHERE planned_at < ? AND {} \
             AND campaign IN (SELECT value FROM json_each(?)) LIMIT {AT_ONCE}",
            forgettable("")
        );
        let mut contacts = 0;
        loop {
            let mut tx = self.forgetting().await?;
            let picked = sqlx::query(sqlx::AssertSqlSafe(pick.as_str())).bind(before).bind(&campaigns);
            let picked = picked.execute(&mut *tx).await.during(DOING)?.rows_affected();
            sqlx::raw_sql(GO).execute(&mut *tx).await.during(DOING)?;
            remembering(tx).await?;
            contacts += picked;
            if picked < AT_ONCE as u64 {
                break;
            }
        }
        let held_out = "DELETE FROM controls WHERE (campaign, customer, occasion) IN (SELECT campaign, customer, occasion \
            FROM controls WHERE planned_at < ? AND campaign IN (SELECT value FROM json_each(?)) LIMIT 2000)";
        let mut controls = 0;
        loop {
            let mut tx = self.write().await?;
            let gone = sqlx::query(held_out).bind(before).bind(&campaigns).execute(&mut *tx).await.during(DOING)?;
            tx.commit().await.during(DOING)?;
            controls += gone.rows_affected();
            if gone.rows_affected() < AT_ONCE as u64 {
                return Ok((contacts, controls));
            }
        }
    }

    /// Deletes batches of events of before an instant; how many.
    pub async fn forget_events(&self, before: i64, dry: bool) -> Result<u64, StoreError> {
        if dry {
            return self.count("SELECT COUNT(*) FROM event_batches WHERE instant < ?", before).await;
        }
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM event_batches WHERE instant < ?")
            .bind(before)
            .fetch_one(&self.readers)
            .await
            .during(DOING)?;
        let Some(last) = last else { return Ok(0) };
        let mut gone = 0;
        loop {
            let mut tx = self.forgetting().await?;
            let first =
                "(SELECT number FROM event_batches WHERE number <= ?1 AND instant < ?2 ORDER BY number LIMIT 200)";
            for table in ["event_names", "event_candidates"] {
                let sql = format!("DELETE FROM {table} WHERE batch IN {first}");
                let delete = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(last).bind(before);
                delete.execute(&mut *tx).await.during(DOING)?;
            }
            let sql = format!("DELETE FROM event_batches WHERE number IN {first}");
            let delete = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(last).bind(before);
            let some = delete.execute(&mut *tx).await.during(DOING)?.rows_affected();
            remembering(tx).await?;
            gone += some;
            if some == 0 {
                return Ok(gone);
            }
        }
    }

    /// Lets the decision logs of plans that are over and of before a date go; how many plans. Their files are orphans.
    pub async fn forget_decisions(&self, before: i32, at: i64, dry: bool) -> Result<u64, StoreError> {
        let old = "date < ? AND forgotten_at IS NULL AND (state = 'released' OR halt = 'cancelled')";
        if dry {
            return self.count(&format!("SELECT COUNT(*) FROM plans WHERE {old}"), i64::from(before)).await;
        }
        let mut tx = self.forgetting().await?;
        let sql = format!("UPDATE plans SET forgotten_at = {at} WHERE {old}");
        let gone = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(before)).execute(&mut *tx).await;
        let gone = gone.during(DOING)?.rows_affected();
        remembering(tx).await?;
        Ok(gone)
    }

    /// Plans whose decision logs are gone.
    pub async fn forgotten_plans(&self) -> Result<BTreeSet<String>, StoreError> {
        let plans: Vec<String> = sqlx::query_scalar("SELECT id FROM plans WHERE forgotten_at IS NOT NULL")
            .fetch_all(&self.readers)
            .await
            .during("reading plans")?;
        Ok(plans.into_iter().collect())
    }

    /// Deletes what other systems were told before an instant, and does not wait any more; how many.
    pub async fn forget_told(&self, before: i64, dry: bool) -> Result<u64, StoreError> {
        let old = "told_at < ? AND state <> 'waiting'";
        if dry {
            return self.count(&format!("SELECT COUNT(*) FROM hook_deliveries WHERE {old}"), before).await;
        }
        let some = format!("SELECT id FROM hook_deliveries WHERE {old} LIMIT {AT_ONCE}");
        self.repeat(&format!("DELETE FROM hook_deliveries WHERE id IN ({some})"), before).await
    }

    /// Batches that were written to files and must stay: something of them is on its way, or is of `before` or later.
    pub async fn young_batches(&self, before: i64) -> Result<BTreeSet<String>, StoreError> {
        let batches: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT batch FROM contacts WHERE batch IS NOT NULL AND (planned_at >= ? OR state = 'sending')",
        )
        .bind(before)
        .fetch_all(&self.readers)
        .await
        .during(DOING)?;
        Ok(batches.into_iter().collect())
    }

    async fn count(&self, sql: &str, before: i64) -> Result<u64, StoreError> {
        let counting = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(before);
        let count: i64 = counting.fetch_one(&self.readers).await.during(DOING)?;
        Ok(count as u64)
    }

    /// Runs a statement that changes some at a time until it changes nothing.
    async fn repeat(&self, sql: &str, before: i64) -> Result<u64, StoreError> {
        let mut changed = 0;
        loop {
            let mut tx = self.write().await?;
            let some = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(before).execute(&mut *tx).await.during(DOING)?;
            tx.commit().await.during(DOING)?;
            changed += some.rows_affected();
            if some.rows_affected() == 0 {
                return Ok(changed);
            }
        }
    }

    /// A transaction in which the ledger may be deleted from.
    async fn forgetting(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO forgetting (id) VALUES (1)").execute(&mut *tx).await.during(DOING)?;
        Ok(tx)
    }
}

/// Ends it: from now on the ledger is append-only again.
async fn remembering(mut tx: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM forgetting").execute(&mut *tx).await.during(DOING)?;
    tx.commit().await.during(DOING)
}

/// Contacts of plans that cannot be replayed any more, or of no plan, about which nothing happens any more.
fn forgettable(prefix: &str) -> String {
    format!(
        "{prefix}{OVER} AND NOT EXISTS (SELECT 1 FROM plans p WHERE p.id = {prefix}plan AND p.forgotten_at IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM sends s WHERE s.contact = {prefix}id AND s.answered_at IS NULL)"
    )
}

/// Deletes the contacts that were picked, and what became of them.
const GO: &str = "
    DELETE FROM receipts WHERE (gateway, message) IN
        (SELECT gateway, message FROM parts WHERE contact IN (SELECT id FROM forgetting_contacts));
    DELETE FROM parts WHERE contact IN (SELECT id FROM forgetting_contacts);
    DELETE FROM sends WHERE contact IN (SELECT id FROM forgetting_contacts);
    DELETE FROM deliveries WHERE contact IN (SELECT id FROM forgetting_contacts);
    DELETE FROM dead_letters WHERE contact IN (SELECT id FROM forgetting_contacts);
    DELETE FROM handouts WHERE contact IN (SELECT id FROM forgetting_contacts);
    DELETE FROM contact_log WHERE contact IN (SELECT id FROM forgetting_contacts);
    DELETE FROM contacts WHERE id IN (SELECT id FROM forgetting_contacts);
    DELETE FROM forgetting_contacts;
";
