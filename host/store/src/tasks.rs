//! Tasks: taken under a lease, fenced by epoch, and committed so that a bucket's contacts, its control group and its
//! done-mark appear together or not at all.
//!
//! A lease keeps two processes from doing the same work; that nothing is done twice is the epoch's alone. So a lease may
//! be wrong (a clock that jumps, a process that sleeps), and only time is lost.

use crate::Store;
use crate::carried::{Carried, insert_carried};
use crate::contacts::{NewContact, NewControl, insert_contacts, insert_controls};
use crate::error::{During, StoreError};
use crate::packed::{of_packed, pack};
use crate::reference::key_of;
use crate::registry::{from_json, to_json};
use care_domain::audit::Entry;
use care_domain::key::{Bucket, CustomerKey};
use care_domain::plan::TaskResult;
use care_domain::task::Descriptor;
use sqlx::{Sqlite, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

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
    /// Losers that wait for a later plan, and those that were answered.
    pub carried: &'a [Carried],
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Everything is in.
    Done {
        /// Contacts that were not known before.
        inserted: u64,
    },
    /// A newer attempt has the task, it is done, or its plan was called off; nothing was written.
    Fenced,
    /// Somebody wrote about these customers after their past was read; nothing was written, decide about them again.
    Stale(BTreeSet<CustomerKey>),
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

/// Who has a task, and for how long without a sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// Name of the process.
    pub holder: &'a str,
    /// Nobody else takes the task so long.
    pub length: Duration,
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Bucket.
    pub bucket: u32,
    /// Attempts so far.
    pub epoch: i64,
    /// Counts and digests, once it is done.
    pub result: Option<TaskResult>,
    /// When it was done, Unix milliseconds by the database's clock; unknown for tasks of older versions.
    pub done_at: Option<i64>,
    /// Who has it, if anybody has.
    pub held: Option<Held>,
}

/// A task in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Name of the process.
    pub holder: String,
    /// The last sign of life, Unix milliseconds by the database's clock.
    pub renewed_at: i64,
    /// Whether the lease has passed.
    pub is_over: bool,
}

type TaskColumns = (i64, i64, Option<String>, Option<i64>, String, i64, bool);

/// Now, by the database's clock.
const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
/// A lease that was renewed further in the future than this is one of before the clock was set back, and void.
const SKEW_MS: i64 = 5_000;

/// Whether a task can be taken, as SQL.
fn free() -> String {
    format!("(holder = '' OR renewed_at + lease <= {NOW} OR renewed_at > {NOW} + {SKEW_MS})")
}

impl Store {
    /// Results of a plan's tasks by bucket; `None` for a pending one.
    pub async fn tasks(&self, plan: &str) -> Result<BTreeMap<u32, Option<TaskResult>>, StoreError> {
        Ok(self.task_rows(plan).await?.into_iter().map(|row| (row.bucket, row.result)).collect())
    }

    /// A plan's tasks as they stand, by bucket.
    pub async fn task_rows(&self, plan: &str) -> Result<Vec<TaskRow>, StoreError> {
        let statement = format!(
            "SELECT bucket, epoch, result, done_at, holder, renewed_at, {} AS is_over FROM tasks WHERE plan = ? \
             ORDER BY bucket",
            free()
        );
        let rows: Vec<TaskColumns> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(plan)
            .fetch_all(&self.readers)
            .await
            .during("reading tasks")?;
        let task = |(bucket, epoch, result, done_at, holder, renewed_at, is_over): TaskColumns| {
            let bucket = u32::try_from(bucket).map_err(|_| StoreError::impossible("tasks", "bucket", bucket))?;
            let result: Option<TaskResult> = result.map(|r| from_json("tasks", bucket, &r)).transpose()?;
            let held = Some(Held { holder, renewed_at, is_over });
            let held = held.filter(|held| result.is_none() && !held.holder.is_empty());
            Ok(TaskRow { bucket, epoch, result, done_at, held })
        };
        rows.into_iter().map(task).collect()
    }

    /// One task as it stands: its epoch, and its result once it is done. `None` when the plan has no such bucket.
    pub async fn task(&self, plan: &str, bucket: Bucket) -> Result<Option<(i64, Option<TaskResult>)>, StoreError> {
        let row: Option<(i64, Option<String>)> =
            sqlx::query_as("SELECT epoch, result FROM tasks WHERE plan = ? AND bucket = ?")
                .bind(plan)
                .bind(i64::from(bucket.index))
                .fetch_optional(&self.readers)
                .await
                .during("reading a task")?;
        let Some((epoch, result)) = row else { return Ok(None) };
        Ok(Some((epoch, result.map(|r| from_json("tasks", bucket.index, &r)).transpose()?)))
    }

    /// Tasks of a plan that are done, and customers in them.
    pub async fn tasks_done(&self, plan: &str) -> Result<(u64, u64), StoreError> {
        let (tasks, customers): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), coalesce(SUM(json_extract(result, '$.customers')), 0) FROM tasks \
             WHERE plan = ? AND state = 'done'",
        )
        .bind(plan)
        .fetch_one(&self.readers)
        .await
        .during("counting tasks")?;
        Ok((tasks as u64, customers as u64))
    }

    /// Who has pending tasks of a plan, with how many.
    pub async fn task_holders(&self, plan: &str) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT holder, COUNT(*) FROM tasks WHERE plan = ? AND state = 'pending' AND holder <> '' GROUP BY holder",
        )
        .bind(plan)
        .fetch_all(&self.readers)
        .await
        .during("reading who is at work")?;
        Ok(rows.into_iter().map(|(holder, tasks)| (holder, tasks as u64)).collect())
    }

    /// Now, by the database's clock, Unix milliseconds: what leases are reckoned by.
    pub async fn now(&self) -> Result<i64, StoreError> {
        let statement = format!("SELECT {NOW}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&self.readers).await.during("asking for the time")
    }

    /// Digests of all decision logs that some task stands on, but for plans of which they were let go.
    pub async fn decision_logs(&self) -> Result<BTreeSet<String>, StoreError> {
        let logs: Vec<String> = sqlx::query_scalar(
            "SELECT json_extract(t.result, '$.log') FROM tasks t JOIN plans p ON p.id = t.plan \
                 WHERE t.result IS NOT NULL AND p.forgotten_at IS NULL",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading decision logs")?;
        Ok(logs.into_iter().collect())
    }

    /// Takes the first free task of a plan: a new epoch under a lease. `None` when none is free, or the plan does not
    /// run.
    pub async fn take_task(&self, plan: &str, lease: Lease<'_>) -> Result<Option<(u32, i64)>, StoreError> {
        let mut tx = self.write().await?;
        let taken = take(&mut tx, plan, lease, 1).await?;
        tx.commit().await.during(TAKING)?;
        Ok(taken.into_iter().next())
    }

    /// Takes all free tasks of a plan, for somebody outside of this program to do; their buckets and epochs.
    pub async fn hand_out(&self, plan: &str, lease: Lease<'_>, entry: &Entry) -> Result<Vec<(u32, i64)>, StoreError> {
        let mut tx = self.write().await?;
        let taken = take(&mut tx, plan, lease, i64::MAX).await?;
        if taken.is_empty() {
            return Ok(taken);
        }
        let mut entry = entry.clone();
        entry.detail["tasks"] = taken.len().into();
        self.audit(&mut tx, &entry).await?;
        tx.commit().await.during(TAKING)?;
        Ok(taken)
    }

    /// A sign of life about a task, which also names its holder; `false` when a newer attempt has it, or it is done.
    pub async fn renew(&self, task: &Descriptor, lease: Lease<'_>) -> Result<bool, StoreError> {
        let statement = format!(
            "UPDATE tasks SET holder = ?, lease = ?, renewed_at = {NOW} \
             WHERE plan = ? AND bucket = ? AND epoch = ? AND state = 'pending'"
        );
        // One statement, not a transaction: a caller that is not polled for a while would keep everybody out in its middle.
        let renewed = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(lease.holder)
            .bind(milliseconds(lease.length))
            .bind(&task.plan)
            .bind(i64::from(task.bucket))
            .bind(task.epoch)
            .execute(&self.writer)
            .await
            .during("renewing a lease")?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Gives the pending tasks of a process back that is known to be dead; returns how many those were.
    pub async fn free_tasks_of(&self, plan: &str, holder: &str) -> Result<u64, StoreError> {
        let doing = "freeing the tasks of a dead process";
        let mut tx = self.write().await?;
        let freed = sqlx::query("UPDATE tasks SET holder = '' WHERE plan = ? AND holder = ? AND state = 'pending'")
            .bind(plan)
            .bind(holder)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        tx.commit().await.during(doing)?;
        Ok(freed.rows_affected())
    }

    /// Commits a task. `go_on` is asked at every step; a `false` rolls everything back.
    pub async fn commit_task(
        &self,
        task: &TaskCommit<'_>,
        go_on: &(dyn Fn(CommitStep) -> bool + Sync),
    ) -> Result<Committed, StoreError> {
        let doing = "committing a task";
        let mut tx = self.write().await?;
        let statement = format!(
            "UPDATE tasks SET state = 'done', result = ?, done_at = {NOW} WHERE plan = ? AND bucket = ? AND epoch = ? \
             AND state = 'pending' AND EXISTS (SELECT 1 FROM plans WHERE id = tasks.plan AND halt IS NOT 'cancelled')"
        );
        let moved = sqlx::query(sqlx::AssertSqlSafe(statement))
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
        // Whoever neither gets anything nor is held out was decided rightly as of the mark, whatever came after.
        let stale = stale(&mut tx, task).await?;
        if !stale.is_empty() {
            return Ok(Committed::Stale(stale));
        }
        if !go_on(CommitStep::Checked) {
            return Ok(Committed::GivenUp);
        }
        let inserted = insert_contacts(&mut tx, task.plan, task.contacts).await?;
        insert_controls(&mut tx, task.plan, task.controls).await?;
        insert_carried(&mut tx, task.plan, task.carried).await?;
        if !go_on(CommitStep::Inserted) {
            return Ok(Committed::GivenUp);
        }
        tx.commit().await.during(doing)?;
        Ok(Committed::Done { inserted })
    }
}

const TAKING: &str = "taking a task";

async fn take(
    tx: &mut Transaction<'static, Sqlite>,
    plan: &str,
    lease: Lease<'_>,
    most: i64,
) -> Result<Vec<(u32, i64)>, StoreError> {
    let statement = format!(
        "UPDATE tasks SET epoch = epoch + 1, holder = ?1, lease = ?2, renewed_at = {NOW} WHERE plan = ?3 AND bucket IN \
         (SELECT bucket FROM tasks WHERE plan = ?3 AND state = 'pending' AND {} ORDER BY bucket LIMIT ?4) \
         AND EXISTS (SELECT 1 FROM plans WHERE id = ?3 AND state = 'running' AND halt IS NULL) RETURNING bucket, epoch",
        free()
    );
    let taken: Vec<(i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(lease.holder)
        .bind(milliseconds(lease.length))
        .bind(plan)
        .bind(most)
        .fetch_all(&mut **tx)
        .await
        .during(TAKING)?;
    let bucket = |(bucket, epoch)| {
        let bucket = u32::try_from(bucket).map_err(|_| StoreError::impossible("tasks", "bucket", bucket))?;
        Ok((bucket, epoch))
    };
    taken.into_iter().map(bucket).collect()
}

fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// Who gets something from a task or is held out, and was written about since their past was read for it.
async fn stale(
    tx: &mut Transaction<'static, Sqlite>,
    task: &TaskCommit<'_>,
) -> Result<BTreeSet<CustomerKey>, StoreError> {
    let late = &task.result.late;
    let touched = touched_after(tx, task.bucket, task.attempt.mark).await?;
    if touched.is_empty() {
        return Ok(BTreeSet::new());
    }
    let since = if late.is_empty() { HashSet::new() } else { touched_after(tx, task.bucket, late.mark).await? };
    let carried = task.carried.iter().map(|one| one.customer);
    let controls = task.controls.iter().map(|control| control.customer);
    let concerned = task.contacts.iter().map(|contact| contact.customer).chain(controls).chain(carried);
    let is_stale = |who: &CustomerKey| match late.customers.contains(who) {
        true => since.contains(who),
        false => touched.contains(who),
    };
    Ok(concerned.filter(is_stale).collect())
}

/// Customers of a bucket about whom something that decides was written after the mark.
/// Steps of dispatch and receipts do not decide: a contact that goes out, or arrives, counts the same as one that waits.
async fn touched_after(
    tx: &mut Transaction<'static, Sqlite>,
    bucket: Bucket,
    mark: i64,
) -> Result<HashSet<CustomerKey>, StoreError> {
    let (low, high) = bucket.bounds();
    // Each part walks its newest lines alone: `+customer` keeps the planner from walking the bucket instead.
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT customer FROM contacts WHERE seq > ?1 AND +customer BETWEEN ?2 AND ?3 \
         UNION SELECT customer FROM contact_log WHERE seq > ?1 AND customer BETWEEN ?2 AND ?3 \
                      AND state IN ('cancelled', 'withdrawn', 'expired', 'failed', 'lost') \
         UNION SELECT customer FROM wishes WHERE seq > ?1 AND +customer BETWEEN ?2 AND ?3 \
         UNION SELECT customer FROM outcomes WHERE seq > ?1 AND +customer BETWEEN ?2 AND ?3 \
                      AND kind NOT IN ('delivered', 'undelivered') \
         UNION SELECT customer FROM carried WHERE seq > ?1 AND +customer BETWEEN ?2 AND ?3",
    )
    .bind(mark)
    .bind(low.0.to_vec())
    .bind(high.0.to_vec())
    .fetch_all(&mut **tx)
    .await
    .during("looking for newer ledger lines")?;
    rows.iter().map(|bytes| key_of("contacts", bytes)).collect()
}

/// Whether the same was written about one of these customers.
pub(crate) async fn any_touched_after(
    tx: &mut Transaction<'static, Sqlite>,
    customers: &[CustomerKey],
    mark: i64,
) -> Result<bool, StoreError> {
    if customers.is_empty() {
        return Ok(false);
    }
    sqlx::query_scalar(of_packed!(
        "SELECT EXISTS (SELECT 1 FROM contacts WHERE seq > ?2 AND +customer IN (SELECT key FROM packed)) \
           OR EXISTS (SELECT 1 FROM contact_log WHERE seq > ?2 AND customer IN (SELECT key FROM packed) \
                      AND state IN ('cancelled', 'withdrawn', 'expired', 'failed', 'lost')) \
           OR EXISTS (SELECT 1 FROM wishes WHERE seq > ?2 AND +customer IN (SELECT key FROM packed)) \
           OR EXISTS (SELECT 1 FROM outcomes WHERE seq > ?2 AND +customer IN (SELECT key FROM packed) \
                      AND kind NOT IN ('delivered', 'undelivered')) \
           OR EXISTS (SELECT 1 FROM carried WHERE seq > ?2 AND +customer IN (SELECT key FROM packed))"
    ))
    .bind(pack(customers.iter().map(|key| &key.0)))
    .bind(mark)
    .fetch_one(&mut **tx)
    .await
    .during("looking for newer ledger lines")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::Halt;
    use care_domain::plan::Pins;
    use serde_json::json;
    use tempfile::TempDir;

    const HOUR: i64 = 3_600_000;
    const MINUTE: Duration = Duration::from_secs(60);

    fn pins() -> Pins {
        serde_json::from_value(json!({
            "date": 0, "wave": 1, "instant": 0, "snapshot": "s", "bucket_bits": 1, "campaigns": [], "policy": "p",
            "tables": {}, "batch": 8, "engine": "e"
        }))
        .expect("pins")
    }

    fn entry() -> Entry {
        serde_json::from_value(json!({
            "at": 1, "person": "p", "role": "operator", "region": "350000", "deed": "d", "subject": "s", "reason": "",
            "detail": {}
        }))
        .expect("an entry")
    }

    async fn open_plan() -> (TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).await.expect("a store");
        store.open_plan("plan", &pins(), &entry()).await.expect("a plan").expect("a free wave");
        (folder, store)
    }

    fn lease(holder: &str) -> Lease<'_> {
        Lease { holder, length: MINUTE }
    }

    async fn take_one(store: &Store, holder: &str) -> Option<(u32, i64)> {
        store.take_task("plan", lease(holder)).await.expect("an answer")
    }

    /// As if the clock had jumped by so much since a lease was renewed.
    async fn clock_jumps(store: &Store, by: i64) {
        let moved = sqlx::query("UPDATE tasks SET renewed_at = renewed_at - ?").bind(by).execute(&store.writer).await;
        moved.expect("moved leases");
    }

    #[tokio::test]
    async fn each_task_is_taken_once_until_its_lease_has_passed() {
        let (_folder, store) = open_plan().await;
        assert_eq!(take_one(&store, "a").await, Some((0, 1)));
        assert_eq!(take_one(&store, "b").await, Some((1, 1)));
        assert_eq!(take_one(&store, "b").await, None);
        clock_jumps(&store, 59_000).await;
        assert_eq!(take_one(&store, "b").await, None, "a lease lasts its minute");
        let first = Descriptor::of("plan", Bucket { bits: 1, index: 0 }, 1);
        assert!(store.renew(&first, lease("a")).await.expect("an answer"), "a sign of life prolongs it");
        clock_jumps(&store, 2_000).await;
        assert_eq!(take_one(&store, "c").await, Some((1, 2)), "b gave none");
        assert_eq!(take_one(&store, "c").await, None);
        let lost = Descriptor::of("plan", Bucket { bits: 1, index: 1 }, 1);
        assert!(!store.renew(&lost, lease("b")).await.expect("an answer"), "what was lost is not renewed");
    }

    #[tokio::test]
    async fn a_clock_that_jumps_frees_tasks_and_never_locks_them_up() {
        let (_folder, store) = open_plan().await;
        assert_eq!(take_one(&store, "a").await, Some((0, 1)));
        clock_jumps(&store, HOUR).await;
        assert_eq!(take_one(&store, "b").await, Some((0, 2)), "forwards: the lease has passed");
        clock_jumps(&store, -1_000).await;
        assert_eq!(take_one(&store, "c").await, Some((1, 1)), "a second back is no jump");
        assert_eq!(take_one(&store, "c").await, None);
        clock_jumps(&store, -24 * HOUR).await;
        assert_eq!(take_one(&store, "c").await, Some((0, 3)), "backwards: a lease out of the future is void");
    }

    #[tokio::test]
    async fn a_paused_plan_gives_no_task_out_and_a_cancelled_one_takes_no_commit() {
        let (_folder, store) = open_plan().await;
        let halt = Halt { person: "p".into(), at: 1, reason: "why".into() };
        assert_eq!(take_one(&store, "a").await, Some((0, 1)));
        assert!(store.pause_plan("plan", &halt, &entry()).await.expect("an answer"));
        assert!(!store.pause_plan("plan", &halt, &entry()).await.expect("an answer"), "it is paused already");
        assert_eq!(take_one(&store, "b").await, None);
        assert!(store.unpause_plan("plan", &entry()).await.expect("an answer"));
        assert!(store.cancel_plan("plan", &halt, &entry()).await.expect("an answer").is_some());
        assert!(!store.unpause_plan("plan", &entry()).await.expect("an answer"), "what was called off stays so");
        let result: TaskResult = serde_json::from_value(json!({
            "mark": 9, "log": "l", "customers": 0, "tallies": {}, "contacts": 0, "faults": {}
        }))
        .expect("a result");
        let commit = TaskCommit {
            plan: "plan",
            bucket: Bucket { bits: 1, index: 0 },
            attempt: Attempt { epoch: 1, mark: 9 },
            result: &result,
            contacts: &[],
            controls: &[],
            carried: &[],
        };
        assert_eq!(store.commit_task(&commit, &|_| true).await.expect("an answer"), Committed::Fenced);
        let tampered = sqlx::query("UPDATE plans SET halt = NULL").execute(&store.writer).await;
        assert!(tampered.is_err(), "the database keeps it so");
    }

    #[tokio::test]
    async fn tasks_of_a_dead_process_are_free_at_once_and_those_handed_out_are_counted() {
        let (_folder, store) = open_plan().await;
        assert_eq!(take_one(&store, "a").await, Some((0, 1)));
        let rest = store.hand_out("plan", lease("out"), &entry()).await.expect("tasks");
        assert_eq!(rest, [(1, 1)]);
        let lines = store.audit_lines(None).await.expect("lines");
        assert_eq!(lines.last().expect("a line").entry.detail, json!({"tasks": 1}));
        assert_eq!(store.free_tasks_of("plan", "a").await.expect("a count"), 1);
        assert_eq!(take_one(&store, "b").await, Some((0, 2)));
        let held: Vec<_> = store.task_rows("plan").await.expect("rows").into_iter().map(|t| t.held).collect();
        assert!(held.iter().all(|h| h.as_ref().is_some_and(|h| !h.is_over)), "{held:?}");
        assert_eq!(held[1].as_ref().map(|h| h.holder.as_str()), Some("out"));
    }
}
