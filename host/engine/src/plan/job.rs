//! One task from its descriptor to its manifest: the same whether this process took the task itself or was handed it.

use super::due::{Lists, World};
use super::task::{BucketOutcome, MachineFault, decide_bucket, decide_some};
use super::{Progress, Watch, go_on};
use crate::{Engine, EngineError};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::plan::{Late, TaskResult};
use care_domain::task::{Descriptor, TaskManifest};
use care_population::decision_log;
use care_store::{Attempt, Committed, History, Lease, TaskCommit};
use std::collections::HashMap;
use std::sync::Arc;

/// Attempts at a task under faults of the machine.
pub(crate) const MAX_ATTEMPTS: u32 = 3;
/// How often those are decided again about whom somebody else keeps writing.
const MAX_REDONE: u32 = 100;

/// A task in hand.
pub(super) struct Job {
    pub(super) engine: Engine,
    pub(super) world: Arc<World>,
    pub(super) task: Descriptor,
    /// Name of the process that has it.
    pub(super) holder: Arc<str>,
    pub(super) watch: Watch,
}

/// What is known of a bucket's customers.
#[derive(Default)]
pub(super) struct Past {
    pub(super) history: History,
    pub(super) lists: Lists,
    /// Whose history is of a later mark.
    pub(super) late: Late,
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
        for _ in 0..MAX_ATTEMPTS {
            match self.attempt().await? {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) => {
                    let message = format!("bucket {bucket} is written to faster than it can be planned");
                    return Err(EngineError::refused("busy-bucket", message, "Run the plan again at a quieter time"));
                }
                Err(MachineFault { activity, source }) => {
                    failed += 1;
                    tracing::warn!(%plan, bucket, %activity, "fault of the machine: {source}");
                    if failed == MAX_ATTEMPTS {
                        return Err(EngineError::Machine { activity, attempts: failed, source });
                    }
                }
            }
        }
        Err(EngineError::internal("a task without an attempt"))
    }

    /// Decides about everybody once, and about those whom somebody else writes about meanwhile again and again, which takes
    /// a moment only; `None` when that never ends.
    async fn attempt(&self) -> Result<Result<Option<Ended>, MachineFault>, EngineError> {
        let attempt = Attempt { epoch: self.task.epoch, mark: self.engine.store.mark().await? };
        self.go_on(Progress::Began(self.bucket()))?;
        let (history, lists) = self.engine.past(&self.world.lists, self.bucket(), attempt.mark).await?;
        let mut past = Past { history, lists, late: Late::default() };
        let mut outcome = match self.decide(&mut past).await? {
            Ok(outcome) => outcome,
            Err(fault) => return Ok(Err(fault)),
        };
        for _ in 0..MAX_REDONE {
            let (committed, result) = self.commit(attempt, &outcome, &past.late).await?;
            let stale = match committed {
                Committed::Done { inserted } => {
                    self.go_on(Progress::Committed(self.bucket()))?;
                    let manifest = Box::new(self.manifest(result)?);
                    return Ok(Ok(Some(Ended::Done { manifest, added: inserted })));
                }
                // Another delivery of the same descriptor may have been quicker.
                Committed::Fenced => return Ok(Ok(Some(self.standing().await?.unwrap_or(Ended::Fenced)))),
                Committed::GivenUp => return Err(EngineError::Stopped),
                Committed::Stale(stale) => stale,
            };
            tracing::info!(plan = %self.task.plan, bucket = self.task.bucket, "{} customers decided anew", stale.len());
            past.late.customers.extend(stale);
            past.late.mark = self.engine.store.mark().await?;
            self.engine.read_late(&mut past).await?;
            if let Err(fault) = self.decide_anew(&mut past, &mut outcome).await? {
                return Ok(Err(fault));
            }
        }
        Ok(Ok(None))
    }

    /// Decides about the whole bucket.
    async fn decide(&self, past: &mut Past) -> Result<Result<BucketOutcome, MachineFault>, EngineError> {
        let (world, watch, bucket) = (Arc::clone(&self.world), Arc::clone(&self.watch), self.bucket());
        let lent = std::mem::take(past);
        let decided = tokio::task::spawn_blocking(move || {
            let data = world.snapshot.bucket(bucket)?;
            let progress = |customers: usize| {
                watch(&Progress::Customers(customers as u64));
            };
            let decided = decide_bucket(&world, &data, &lent.history, &lent.lists, &progress);
            Ok::<_, EngineError>((decided, lent))
        });
        let (decided, lent) = decided.await.map_err(EngineError::internal)??;
        *past = lent;
        Ok(decided)
    }

    /// Decides again about those whose past was read later. Where a plugin broke, the whole bucket: which of its rows are
    /// given up depends on who else is in a batch.
    async fn decide_anew(
        &self,
        past: &mut Past,
        outcome: &mut BucketOutcome,
    ) -> Result<Result<(), MachineFault>, EngineError> {
        if outcome.faults.is_empty() {
            let (world, bucket) = (Arc::clone(&self.world), self.bucket());
            let lent = std::mem::take(past);
            let decided = tokio::task::spawn_blocking(move || {
                let data = Arc::new(world.snapshot.bucket(bucket)?);
                let decided = decide_some(&world, &data, &lent.late.customers, &lent.history, &lent.lists);
                Ok::<_, EngineError>((decided, lent))
            });
            let (decided, lent) = decided.await.map_err(EngineError::internal)??;
            *past = lent;
            match decided {
                Ok(anew) if anew.faults.is_empty() => {
                    let campaigns: Vec<&str> = self.world.due.iter().map(|due| due.campaign.as_str()).collect();
                    outcome.decide_anew(&past.late.customers, anew, &campaigns);
                    return Ok(Ok(()));
                }
                Ok(_) => {}
                Err(fault) => return Ok(Err(fault)),
            }
        }
        match self.decide(past).await? {
            Ok(whole) => *outcome = whole,
            Err(fault) => return Ok(Err(fault)),
        }
        Ok(Ok(()))
    }

    /// The decision log first, under its digest and on disk; then everything else in one transaction.
    async fn commit(
        &self,
        attempt: Attempt,
        outcome: &BucketOutcome,
        late: &Late,
    ) -> Result<(Committed, TaskResult), EngineError> {
        let bucket = self.bucket();
        self.go_on(Progress::Decided(bucket))?;
        let folder = self.engine.decisions();
        let decisions = outcome.decisions.clone();
        let log = tokio::task::spawn_blocking(move || decision_log::write(&folder, &decisions));
        let log = log.await.map_err(EngineError::internal)??;
        self.go_on(Progress::Logged(bucket))?;
        let files = &self.world.snapshot.manifest().files;
        let result = TaskResult {
            mark: attempt.mark,
            log: log.digest,
            customers: files.get(bucket.index as usize).map_or(0, |f| f.rows),
            tallies: outcome.tallies.clone(),
            contacts: outcome.contacts.len() as u64,
            faults: outcome.faults.clone(),
            carried: outcome.carried.iter().filter(|c| c.open).count() as u64,
            clashes: outcome.clashes.clone(),
            late: late.clone(),
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

impl Engine {
    /// Puts the history of those who are late in the place of what it was when the task began.
    pub(super) async fn read_late(&self, past: &mut Past) -> Result<(), EngineError> {
        let customers: Vec<CustomerKey> = past.late.customers.iter().copied().collect();
        if customers.is_empty() {
            return Ok(());
        }
        let mut newer = self.store.history_of(&customers, past.late.mark).await?;
        for who in &customers {
            replace(&mut past.history.contacts, &mut newer.contacts, who);
            replace(&mut past.history.wishes, &mut newer.wishes, who);
            replace(&mut past.history.carried, &mut newer.carried, who);
        }
        Ok(())
    }
}

fn replace<T>(old: &mut HashMap<CustomerKey, T>, newer: &mut HashMap<CustomerKey, T>, who: &CustomerKey) {
    old.remove(who);
    if let Some(known) = newer.remove(who) {
        old.insert(*who, known);
    }
}
