//! Plans and their tasks: attempts fenced by epoch, and commits in which a bucket's contacts, its control
//! group and its done-mark appear together or not at all.

use crate::contacts::{NewContact, NewControl, insert_contacts, insert_controls, log_states};
use crate::error::{During, StoreError};
use crate::reference::key_of;
use crate::registry::{from_json, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::contact::Channel;
use care_domain::key::{Bucket, CustomerKey};
use care_domain::plan::{Pins, Ranked, TaskResult};
use care_domain::verdict::Tally;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// A plan as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Hash of the pins.
    pub id: String,
    /// Everything that decides.
    pub pins: Pins,
    /// How far it is.
    pub state: PlanState,
    /// When it was first started, Unix milliseconds.
    pub created_at: i64,
}

/// How far a plan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanState {
    /// Some tasks are pending, or release is.
    Running,
    /// All done and visible to dispatch.
    Released {
        /// Candidates by verdict, by campaign, after release.
        tallies: BTreeMap<String, Tally>,
    },
}

/// A started attempt at a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Number of the attempt: a commit of an older one is refused.
    pub epoch: i64,
    /// The task reads the ledger up to here.
    pub mark: i64,
}

/// What a task wants to commit.
#[derive(Debug)]
pub struct TaskCommit<'a> {
    /// The plan.
    pub plan: &'a str,
    /// The bucket.
    pub bucket: Bucket,
    /// The attempt.
    pub attempt: Attempt,
    /// Counts and digests.
    pub result: &'a TaskResult,
    /// Planned messages.
    pub contacts: &'a [NewContact],
    /// Held-out winners.
    pub controls: &'a [NewControl],
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Everything is in.
    Done {
        /// Contacts that were not known before.
        inserted: u64,
    },
    /// A newer attempt has the task; nothing was written.
    Fenced,
    /// Somebody wrote to this bucket's ledger after the mark; nothing was written, do it again.
    Stale,
    /// The caller gave up in the middle; nothing was written.
    GivenUp,
}

/// Places inside a commit at which a caller may give up, as if the process had died there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitStep {
    /// The task is moved on from its epoch.
    Fenced,
    /// Nobody wrote to the bucket after the mark.
    Checked,
    /// Contacts and controls are inserted.
    Inserted,
}

/// A candidate of a plan that waits for release.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Its place in the queue.
    pub ranked: Ranked,
    /// What release cuts, if it must.
    pub cut: Cut,
}

/// A candidate that release cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Campaign.
    pub campaign: String,
    /// Who.
    pub customer: CustomerKey,
    /// What it was about.
    pub occasion: i64,
    /// Attempt.
    pub round: u8,
}

impl Store {
    /// Keeps a plan with its pending tasks; one that exists already is left as it is.
    pub async fn open_plan(&self, id: &str, pins: &Pins, entry: &Entry) -> Result<Plan, StoreError> {
        let doing = "opening a plan";
        let mut tx = self.write().await?;
        let opened = sqlx::query(
            "INSERT INTO plans (id, date, wave, pins, state, created_at) VALUES (?, ?, ?, ?, 'running', ?) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(pins.date)
        .bind(i64::from(pins.wave))
        .bind(to_json("plans", id, pins)?)
        .bind(entry.at)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if opened.rows_affected() == 1 {
            let buckets: Vec<Bucket> = pins.buckets().collect();
            for chunk in buckets.chunks(MAX_BINDS / 4) {
                let mut insert = QueryBuilder::new("INSERT INTO tasks (plan, bucket, epoch, state) ");
                insert.push_values(chunk, |mut row, bucket| {
                    row.push_bind(id.to_owned())
                        .push_bind(i64::from(bucket.index))
                        .push_bind(0_i64)
                        .push_bind("pending");
                });
                insert.build().execute(&mut *tx).await.during(doing)?;
            }
            self.audit(&mut tx, entry).await?;
        }
        tx.commit().await.during(doing)?;
        self.plan(id).await?.ok_or_else(|| StoreError::impossible("plans", "id", id))
    }

    /// A plan by its id.
    pub async fn plan(&self, id: &str) -> Result<Option<Plan>, StoreError> {
        Ok(self.plans().await?.into_iter().find(|p| p.id == id))
    }

    /// All plans, newest first.
    pub async fn plans(&self) -> Result<Vec<Plan>, StoreError> {
        let rows: Vec<(String, String, Option<String>, i64)> =
            sqlx::query_as("SELECT id, pins, tallies, created_at FROM plans ORDER BY created_at DESC, id")
                .fetch_all(&self.readers)
                .await
                .during("reading plans")?;
        let plan = |(id, pins, tallies, created_at): (String, String, Option<String>, i64)| {
            let tallies = tallies.map(|t| from_json("plans", &id, &t)).transpose()?;
            let state = tallies.map_or(PlanState::Running, |tallies| PlanState::Released { tallies });
            Ok(Plan { pins: from_json("plans", &id, &pins)?, id, state, created_at })
        };
        rows.into_iter().map(plan).collect()
    }

    /// Results of a plan's tasks by bucket; `None` for a pending one.
    pub async fn tasks(&self, plan: &str) -> Result<BTreeMap<u32, Option<TaskResult>>, StoreError> {
        let rows: Vec<(i64, Option<String>)> =
            sqlx::query_as("SELECT bucket, result FROM tasks WHERE plan = ? ORDER BY bucket")
                .bind(plan)
                .fetch_all(&self.readers)
                .await
                .during("reading tasks")?;
        let task = |(bucket, result): (i64, Option<String>)| {
            let bucket = u32::try_from(bucket).map_err(|_| StoreError::impossible("tasks", "bucket", bucket))?;
            Ok((bucket, result.map(|r| from_json("tasks", bucket, &r)).transpose()?))
        };
        rows.into_iter().map(task).collect()
    }

    /// Digests of all decision logs that some task stands on.
    pub async fn decision_logs(&self) -> Result<BTreeSet<String>, StoreError> {
        let logs: Vec<String> =
            sqlx::query_scalar("SELECT json_extract(result, '$.log') FROM tasks WHERE result IS NOT NULL")
                .fetch_all(&self.readers)
                .await
                .during("reading decision logs")?;
        Ok(logs.into_iter().collect())
    }

    /// Starts an attempt at a task: a new epoch and the high-water mark, together. `None` when it is done.
    pub async fn attempt(&self, plan: &str, bucket: Bucket) -> Result<Option<Attempt>, StoreError> {
        let doing = "starting a task";
        let mut tx = self.write().await?;
        let epoch: Option<i64> = sqlx::query_scalar(
            "UPDATE tasks SET epoch = epoch + 1 WHERE plan = ? AND bucket = ? AND state = 'pending' RETURNING epoch",
        )
        .bind(plan)
        .bind(i64::from(bucket.index))
        .fetch_optional(&mut *tx)
        .await
        .during(doing)?;
        let mark = sqlx::query_scalar("SELECT last FROM sequence").fetch_one(&mut *tx).await.during(doing)?;
        tx.commit().await.during(doing)?;
        Ok(epoch.map(|epoch| Attempt { epoch, mark }))
    }

    /// Commits a task. `go_on` is asked at every step; a `false` rolls everything back.
    pub async fn commit_task(
        &self,
        task: &TaskCommit<'_>,
        go_on: &(dyn Fn(CommitStep) -> bool + Sync),
    ) -> Result<Committed, StoreError> {
        let doing = "committing a task";
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE tasks SET state = 'done', result = ? WHERE plan = ? AND bucket = ? AND epoch = ? \
             AND state = 'pending'",
        )
        .bind(to_json("tasks", task.plan, task.result)?)
        .bind(task.plan)
        .bind(i64::from(task.bucket.index))
        .bind(task.attempt.epoch)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if moved.rows_affected() == 0 {
            return Ok(Committed::Fenced);
        }
        if !go_on(CommitStep::Fenced) {
            return Ok(Committed::GivenUp);
        }
        if written_after(&mut tx, task.bucket, task.attempt.mark).await? {
            return Ok(Committed::Stale);
        }
        if !go_on(CommitStep::Checked) {
            return Ok(Committed::GivenUp);
        }
        let inserted = insert_contacts(&mut tx, task.plan, task.contacts).await?;
        insert_controls(&mut tx, task.plan, task.controls).await?;
        if !go_on(CommitStep::Inserted) {
            return Ok(Committed::GivenUp);
        }
        tx.commit().await.during(doing)?;
        Ok(Committed::Done { inserted })
    }

    /// The candidates of a plan that wait for release, in a stable order.
    pub async fn waiting_for_release(&self, plan: &str) -> Result<Vec<Release>, StoreError> {
        let doing = "reading planned contacts";
        let rows = sqlx::query(
            "SELECT campaign, customer, occasion, round, class, MAX(weight) AS weight, MAX(score) AS score, channel, \
             COUNT(*) AS messages FROM contacts WHERE plan = ? AND state = 'planned' \
             GROUP BY campaign, customer, occasion, round, channel ORDER BY campaign, customer, occasion, round",
        )
        .bind(plan)
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        let mut waiting: Vec<Release> = Vec::new();
        for row in &rows {
            let name = |column: &str| row.try_get::<String, _>(column).during(doing);
            let number = |column: &str| row.try_get::<i64, _>(column).during(doing);
            let channel: Channel = serde_json::from_value(name("channel")?.into())
                .map_err(|_| StoreError::impossible("contacts", "channel", plan))?;
            let cut = Cut {
                campaign: name("campaign")?,
                customer: key_of("contacts", row.try_get("customer").during(doing)?)?,
                occasion: number("occasion")?,
                round: number("round")? as u8,
            };
            let messages = number("messages")? as u64;
            if let Some(last) = waiting.last_mut().filter(|w| w.cut == cut) {
                last.ranked.needs.insert(channel, messages);
                continue;
            }
            let ranked = Ranked {
                class: serde_json::from_value(name("class")?.into())
                    .map_err(|_| StoreError::impossible("contacts", "class", plan))?,
                weight: number("weight")? as u16,
                score: row.try_get::<f64, _>("score").during(doing)? as f32,
                candidate: format!("{} {} {} {}", cut.campaign, cut.customer, cut.occasion, cut.round),
                needs: BTreeMap::from([(channel, messages)]),
            };
            waiting.push(Release { ranked, cut });
        }
        Ok(waiting)
    }

    /// Releases a plan: what is cut goes, what a campaign stopped meanwhile planned is withdrawn, the rest becomes
    /// visible to dispatch, the totals are kept; together. Changes nothing while a task is pending, or when the plan
    /// was released before.
    pub async fn release(
        &self,
        plan: &str,
        cuts: &[Cut],
        tallies: &BTreeMap<String, Tally>,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        let doing = "releasing a plan";
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE plans SET state = 'released', tallies = ?1 WHERE id = ?2 AND state = 'running' \
             AND NOT EXISTS (SELECT 1 FROM tasks WHERE plan = ?2 AND state = 'pending')",
        )
        .bind(to_json("plans", plan, tallies)?)
        .bind(plan)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if moved.rows_affected() == 0 {
            return Ok(());
        }
        for cut in cuts {
            cut_candidate(&mut tx, plan, cut).await?;
        }
        let withdrawn: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "UPDATE contacts SET state = 'withdrawn' WHERE plan = ? AND state = 'planned' \
             AND campaign IN (SELECT id FROM campaigns WHERE state = 'stopped') RETURNING id, customer",
        )
        .bind(plan)
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        log_states(&mut tx, &withdrawn, "withdrawn", entry.at, "campaign stopped").await?;
        let released: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "UPDATE contacts SET state = 'released' WHERE plan = ? AND state = 'planned' RETURNING id, customer",
        )
        .bind(plan)
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        log_states(&mut tx, &released, "released", entry.at, "").await?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)
    }

    /// Whether release cut a candidate.
    pub async fn was_cut(&self, plan: &str, cut: &Cut) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM release_cuts WHERE plan = ? AND campaign = ? AND customer = ? \
             AND occasion = ? AND round = ?)",
        )
        .bind(plan)
        .bind(&cut.campaign)
        .bind(cut.customer.0.to_vec())
        .bind(cut.occasion)
        .bind(i64::from(cut.round))
        .fetch_one(&self.readers)
        .await
        .during("reading release cuts")
    }
}

async fn cut_candidate(tx: &mut Transaction<'static, Sqlite>, plan: &str, cut: &Cut) -> Result<(), StoreError> {
    let statements = [
        "DELETE FROM contacts WHERE plan = ? AND campaign = ? AND customer = ? AND occasion = ? AND round = ? \
         AND state = 'planned'",
        "INSERT INTO release_cuts (plan, campaign, customer, occasion, round) VALUES (?, ?, ?, ?, ?)",
    ];
    for statement in statements {
        sqlx::query(statement)
            .bind(plan)
            .bind(&cut.campaign)
            .bind(cut.customer.0.to_vec())
            .bind(cut.occasion)
            .bind(i64::from(cut.round))
            .execute(&mut **tx)
            .await
            .during("cutting to capacity")?;
    }
    Ok(())
}

/// Whether anything that decides about the bucket's customers was written after the mark.
/// Steps of dispatch do not: a contact that goes out counts the same as one that waits.
async fn written_after(tx: &mut Transaction<'static, Sqlite>, bucket: Bucket, mark: i64) -> Result<bool, StoreError> {
    let (low, high) = bucket.bounds();
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM contacts WHERE seq > ?1 AND customer BETWEEN ?2 AND ?3) \
         OR EXISTS (SELECT 1 FROM contact_log WHERE seq > ?1 AND customer BETWEEN ?2 AND ?3 \
                      AND state IN ('cancelled', 'withdrawn', 'expired', 'failed')) \
         OR EXISTS (SELECT 1 FROM wishes WHERE seq > ?1 AND customer BETWEEN ?2 AND ?3) \
         OR EXISTS (SELECT 1 FROM outcomes WHERE seq > ?1 AND customer BETWEEN ?2 AND ?3)",
    )
    .bind(mark)
    .bind(low.0.to_vec())
    .bind(high.0.to_vec())
    .fetch_one(&mut **tx)
    .await
    .during("looking for newer ledger lines")
}
