//! How far a plan is, as anybody sees it who looks from outside: what is done, at which pace, and who is at work.

use crate::presence;
use crate::{Engine, EngineError};
use care_domain::task::pace;
use care_store::{Halt, PlanState};
use serde::Serialize;

/// The pace is that of the last two minutes.
const WINDOW_MS: i64 = 120_000;

/// How far a plan is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanStatus {
    /// Its id.
    pub plan: String,
    /// Business date in days.
    pub date: i32,
    /// Wave.
    pub wave: u32,
    /// `running`, `paused`, `releasing`, `released` or `cancelled`.
    pub state: &'static str,
    /// Who holds it up or called it off.
    pub halt: Option<Halt>,
    /// Buckets in all.
    pub tasks: u64,
    /// Buckets done.
    pub tasks_done: u64,
    /// Customers of the snapshot; absent when the store does not know it any more.
    pub customers: Option<u64>,
    /// Customers decided and committed.
    pub decided: u64,
    /// Customers a second, by all processes together; absent while it cannot be told.
    pub pace: Option<f64>,
    /// Seconds until the last task is done, at that pace.
    pub seconds_left: Option<u64>,
    /// Tasks in hand.
    pub at_work: Vec<AtWork>,
}

/// A task in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtWork {
    /// Bucket.
    pub bucket: u32,
    /// Number of the attempt.
    pub epoch: i64,
    /// Name of the process: process id and a random part; `outside` when it was handed out and has not begun.
    pub holder: String,
    /// Seconds since its last sign of life.
    pub silent: i64,
    /// Whether the process is dead or its lease has passed, so that the next one who looks takes the task over.
    pub is_lost: bool,
}

impl Engine {
    /// How far a plan is, by its id or the beginning of it; the newest when absent.
    pub async fn plan_status(&self, plan: Option<&str>) -> Result<PlanStatus, EngineError> {
        let plan = self.plan(plan).await?;
        let rows = self.store.task_rows(&plan.id).await?;
        let now = self.store.now().await?;
        let snapshots = self.store.snapshots().await?;
        let snapshot = snapshots.iter().find(|s| s.id == plan.pins.snapshot);
        let customers = snapshot.and_then(|s| u64::try_from(s.customers).ok());
        let done = || rows.iter().filter_map(|row| Some((row.done_at, row.result.as_ref()?.customers)));
        let timed: Vec<(i64, u64)> = done().filter_map(|(at, customers)| Some((at?, customers))).collect();
        let decided = done().map(|(_, customers)| customers).sum();
        let pace = pace(&timed, now, WINDOW_MS).filter(|_| plan.state == PlanState::Running);
        let left = customers.map(|all| all.saturating_sub(decided));
        let at_work = rows.iter().filter_map(|row| {
            let held = row.held.as_ref()?;
            Some(AtWork {
                bucket: row.bucket,
                epoch: row.epoch,
                holder: held.holder.clone(),
                silent: (now - held.renewed_at).max(0) / 1_000,
                is_lost: held.is_over || presence::is_gone(&self.folder, &held.holder),
            })
        });
        Ok(PlanStatus {
            at_work: at_work.collect(),
            date: plan.pins.date,
            wave: plan.pins.wave,
            state: plan.state.name(),
            tasks: rows.len() as u64,
            tasks_done: done().count() as u64,
            customers,
            decided,
            pace,
            seconds_left: left.zip(pace).map(|(left, pace)| (left as f64 / pace).ceil() as u64),
            halt: match plan.state {
                PlanState::Paused(halt) | PlanState::Cancelled(halt) => Some(halt),
                PlanState::Running | PlanState::Releasing { .. } | PlanState::Released { .. } => None,
            },
            plan: plan.id,
        })
    }
}
