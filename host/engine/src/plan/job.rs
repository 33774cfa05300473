//! One task from its descriptor to its manifest: the same whether this process took the task itself or was handed it.

use super::due::World;
use super::task::{BucketOutcome, MachineFault, decide_bucket};
use super::{Progress, Watch, go_on};
use crate::{Engine, EngineError};
use care_domain::key::Bucket;
use care_domain::plan::TaskResult;
use care_domain::task::{Descriptor, TaskManifest};
use care_population::decision_log;
use care_store::{Attempt, Committed, Lease, TaskCommit};
use std::sync::Arc;

/// Attempts at a task under faults of the machine.
pub(crate) const MAX_ATTEMPTS: u32 = 3;
/// Attempts at a task whose customers somebody else keeps writing about.
const MAX_REDONE: u32 = 20;

/// A task in hand.
pub(super) struct Job {
    pub(super) engine: Engine,
    pub(super) world: Arc<World>,
    pub(super) task: Descriptor,
    /// Name of the process that has it.
    pub(super) holder: Arc<str>,
    pub(super) watch: Watch,
}

/// How it ended.
pub(super) enum Ended {
    /// Committed, now or by an earlier delivery of the same descriptor.
    Done {
        /// Counts and digests.
        manifest: Box<TaskManifest>,
        /// Contacts that were not known before.
        added: u64,
    },
    /// A newer attempt has it, or its plan was called off.
    Fenced,
}

impl Job {
    /// Works until the task is committed, by us or somebody newer, and gives signs of life meanwhile.
    pub(super) async fn run(self) -> Result<Ended, EngineError> {
        if let Some(ended) = self.standing().await? {
            return Ok(ended);
        }
        tokio::select! {
            biased;
            ended = self.work() => ended,
            lost = self.beat() => lost,
        }
    }

    /// How the task ended, if it did.
    async fn standing(&self) -> Result<Option<Ended>, EngineError> {
        let (epoch, result) = self.engine.store.task(&self.task.plan, self.bucket()).await?.ok_or_else(|| {
            let message = format!("plan {} has no bucket {}", self.task.plan, self.task.bucket);
            EngineError::refused("unknown-task", message, "Take descriptors from `care plan hand-out`")
        })?;
        match result {
            _ if epoch != self.task.epoch => Ok(Some(Ended::Fenced)),
            Some(result) => Ok(Some(Ended::Done { manifest: Box::new(self.manifest(result)?), added: 0 })),
            None => Ok(None),
        }
    }

    /// Renews the lease again and again; ends when the task is surely lost. A sign of life that cannot be given is no
    /// reason to stop: whether the work counts is decided by the commit.
    async fn beat(&self) -> Result<Ended, EngineError> {
        let lease = Lease { holder: &self.holder, length: self.engine.lease };
        loop {
            match self.engine.store.renew(&self.task, lease).await {
                Ok(true) => {}
                Ok(false) => {
                    if let Some(Ended::Fenced) = self.standing().await? {
                        return Ok(Ended::Fenced);
                    }
                }
                Err(error) => {
                    tracing::warn!(plan = %self.task.plan, bucket = self.task.bucket, "no sign of life: {error}")
                }
            }
            tokio::time::sleep(self.engine.lease / 3).await;
        }
    }

    async fn work(&self) -> Result<Ended, EngineError> {
        let (plan, bucket) = (&self.task.plan, self.task.bucket);
        let mut failed = 0;
        for _ in 0..MAX_REDONE {
            let attempt = Attempt { epoch: self.task.epoch, mark: self.engine.store.mark().await? };
            self.go_on(Progress::Began(self.bucket()))?;
            let outcome = match self.decide(attempt.mark).await? {
                Ok(outcome) => outcome,
                Err(MachineFault { activity, source }) => {
                    failed += 1;
                    tracing::warn!(%plan, bucket, %activity, "fault of the machine: {source}");
                    if failed == MAX_ATTEMPTS {
                        return Err(EngineError::Machine { activity, attempts: failed, source });
                    }
                    continue;
                }
            };
            let (committed, result) = self.commit(attempt, outcome).await?;
            match committed {
                Committed::Done { inserted } => {
                    self.go_on(Progress::Committed(self.bucket()))?;
                    return Ok(Ended::Done { manifest: Box::new(self.manifest(result)?), added: inserted });
                }
                // Another delivery of the same descriptor may have been quicker.
                Committed::Fenced => return Ok(self.standing().await?.unwrap_or(Ended::Fenced)),
                Committed::GivenUp => return Err(EngineError::Stopped),
                Committed::Stale => tracing::info!(%plan, bucket, "the ledger moved on; task redone"),
            }
        }
        let message = format!("bucket {bucket} is written to faster than it can be planned");
        Err(EngineError::refused("busy-bucket", message, "Run the plan again at a quieter time"))
    }

    async fn decide(&self, mark: i64) -> Result<Result<BucketOutcome, MachineFault>, EngineError> {
        let bucket = self.bucket();
        let (history, lists) = self.engine.past(&self.world.lists, bucket, mark).await?;
        let (world, watch) = (Arc::clone(&self.world), Arc::clone(&self.watch));
        let decided = tokio::task::spawn_blocking(move || {
            let data = world.snapshot.bucket(bucket)?;
            let progress = |customers: usize| {
                watch(&Progress::Customers(customers as u64));
            };
            Ok(decide_bucket(&world, &data, &history, &lists, &progress))
        });
        decided.await.map_err(EngineError::internal)?
    }

    /// The decision log first, under its digest and on disk; then everything else in one transaction.
    async fn commit(&self, attempt: Attempt, outcome: BucketOutcome) -> Result<(Committed, TaskResult), EngineError> {
        let bucket = self.bucket();
        self.go_on(Progress::Decided(bucket))?;
        let folder = self.engine.decisions();
        let decisions = outcome.decisions;
        let log = tokio::task::spawn_blocking(move || decision_log::write(&folder, &decisions));
        let log = log.await.map_err(EngineError::internal)??;
        self.go_on(Progress::Logged(bucket))?;
        let files = &self.world.snapshot.manifest().files;
        let result = TaskResult {
            mark: attempt.mark,
            log: log.digest,
            customers: files.get(bucket.index as usize).map_or(0, |f| f.rows),
            tallies: outcome.tallies,
            contacts: outcome.contacts.len() as u64,
            faults: outcome.faults,
            carried: outcome.carried.iter().filter(|c| c.open).count() as u64,
            clashes: outcome.clashes,
        };
        let task = TaskCommit {
            plan: &self.task.plan,
            bucket,
            attempt,
            result: &result,
            contacts: &outcome.contacts,
            controls: &outcome.controls,
            carried: &outcome.carried,
        };
        let step = |step| (self.watch)(&Progress::Committing(bucket, step));
        Ok((self.engine.store.commit_task(&task, &step).await?, result))
    }

    fn bucket(&self) -> Bucket {
        self.task.bucket()
    }

    fn manifest(&self, result: TaskResult) -> Result<TaskManifest, EngineError> {
        TaskManifest::of(self.task.clone(), result).map_err(EngineError::internal)
    }

    fn go_on(&self, progress: Progress) -> Result<(), EngineError> {
        go_on(&self.watch, progress)
    }
}
