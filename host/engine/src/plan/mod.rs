//! Plans: one pass over one snapshot with all due campaigns, task by task, then release.

mod batch;
mod carry;
mod control;
mod cron;
mod desk;
mod due;
mod events;
mod facts;
pub(crate) mod halve;
mod job;
mod preflight;
mod record;
mod release;
mod replay;
mod run;
mod status;
mod summary;
mod task;

pub use record::WantedBatch;
pub use replay::{Replay, Replayed};
pub use status::{AtWork, PlanStatus};
pub use summary::{ActivitySummary, PlanSummary};

pub(crate) use batch::BatchView;
pub(crate) use desk::{Asked, Offer, PROMPTS, ask};
pub(crate) use due::{Due, DueCampaign, Ground, Lists, World, is_planned};
pub(crate) use events::{EventInput, EventOutcome, decide_events};
pub(crate) use halve::{MAX_HALVINGS, halved};
pub(crate) use job::MAX_ATTEMPTS;
pub(crate) use preflight::fresh_enough;
pub(crate) use run::go_on;
pub(crate) use task::{BucketOutcome, Guests, MachineFault, decide_bucket};

use care_domain::key::Bucket;
use care_domain::time;
use care_store::CommitStep;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What to plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRequest {
    /// Business date in days.
    pub date: i32,
    /// Wave of that date, from 1.
    pub wave: u32,
    /// The plan's instant: what guests and policy see as now, Unix milliseconds.
    pub instant: i64,
    /// Snapshot id or its beginning; the newest of the date or before when absent.
    pub snapshot: Option<String>,
    /// Customers a batch, a multiple of 8.
    pub batch: u32,
    /// Tasks at once.
    pub workers: usize,
    /// Only these campaigns, with the cron instant for which they are due; all when absent.
    pub scheduled: Option<Scheduled>,
}

/// What cron says is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The last instant at which one of them fired, Unix milliseconds.
    pub at: i64,
    /// Campaign ids.
    pub campaigns: BTreeSet<String>,
}

/// The hour of the province's day at which a plan stands unless told otherwise.
const PLAN_MINUTE: u16 = 9 * 60;
/// Measured best between 2,048 and 16,384 (architecture section 3).
pub(crate) const DEFAULT_BATCH: u32 = 8_192;

impl PlanRequest {
    /// The plan of a date: first wave, 09:00 in the province, newest snapshot, all cores.
    pub fn of(date: i32, workers: usize) -> Option<Self> {
        let instant = time::instant_of_minute(date, PLAN_MINUTE, &time::zone(time::PROVINCE_ZONE)?)?;
        Some(Self { date, wave: 1, instant, snapshot: None, batch: DEFAULT_BATCH, workers, scheduled: None })
    }
}

/// What a plan is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The plan is open.
    Opened {
        /// Its id.
        plan: String,
        /// Customers in all.
        customers: u64,
    },
    /// So many more customers are decided.
    Customers(u64),
    /// So many customers in all are decided and committed, by whomever.
    Standing(u64),
    /// Nothing is left to take; others have so many tasks.
    Waiting {
        /// Tasks in other hands.
        tasks: u64,
    },
    /// A task has its attempt.
    Began(Bucket),
    /// All customers of a bucket are decided.
    Decided(Bucket),
    /// The bucket's decision log is on disk.
    Logged(Bucket),
    /// Inside the commit.
    Committing(Bucket, CommitStep),
    /// The commit is durable.
    Committed(Bucket),
    /// All tasks are done; release is to be decided.
    Releasing,
    /// It is known whom release cuts; not decided yet.
    Ranked,
    /// Release is decided, and so many contacts are visible to dispatch.
    Visible(u64),
    /// All of it is visible to dispatch.
    Released,
}

/// Told of progress; answers whether to go on. A `false` stops the plan there, as if the process had died.
pub type Watch = Arc<dyn Fn(&Progress) -> bool + Send + Sync>;
