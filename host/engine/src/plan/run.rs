//! Runs a plan: attempts at tasks on all workers, commits, release. Whatever stops it, the same call goes on.

use super::due::World;
use super::release::release;
use super::task::{BucketOutcome, MachineFault, decide_bucket};
use super::{PlanRequest, PlanSummary, Progress, Watch};
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::key::Bucket;
use care_domain::person::{Act, Actor};
use care_domain::plan::TaskResult;
use care_domain::time;
use care_population::decision_log;
use care_store::{Attempt, Committed, Plan, PlanState, TaskCommit};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Attempts at a task under faults of the machine.
pub(crate) const MAX_ATTEMPTS: u32 = 3;
/// Attempts at a task whose customers somebody else keeps writing about.
const MAX_REDONE: u32 = 20;

impl Engine {
    /// Runs the plan of a request to its release, or goes on where it stopped. `at` is the wall clock.
    /// Where another process took tasks over, its release is left to that one.
    pub async fn run_plan(
        &self,
        request: &PlanRequest,
        by: &str,
        at: i64,
        watch: Watch,
    ) -> Result<PlanSummary, EngineError> {
        let actor = self.authorise(by, Act::RunPlans, None, at).await?;
        let world = Arc::new(self.world(request).await?);
        let id = world.pins.id().map_err(EngineError::internal)?;
        self.collect_orphans(at).await?;
        let detail = json!({"date": time::write_date(request.date), "wave": request.wave});
        let entry = Entry::of(&actor, "plan-opened", format!("plan {id}"), detail);
        let plan = self.store.open_plan(&id, &world.pins, &entry).await?;
        self.finish(&plan, world, request.workers, &actor, watch).await
    }

    /// Goes on with a plan that was interrupted, as it pinned the world: whatever was changed since, what it had
    /// committed is neither lost nor left waiting. `at` is the wall clock.
    pub async fn resume_plan(
        &self,
        plan: &str,
        workers: usize,
        (by, at): (&str, i64),
        watch: Watch,
    ) -> Result<PlanSummary, EngineError> {
        let actor = self.authorise(by, Act::RunPlans, None, at).await?;
        let plan = self.plan(Some(plan)).await?;
        let world = Arc::new(self.world_of(&plan).await?);
        self.finish(&plan, world, workers, &actor, watch).await
    }

    async fn finish(
        &self,
        plan: &Plan,
        world: Arc<World>,
        workers: usize,
        actor: &Actor,
        watch: Watch,
    ) -> Result<PlanSummary, EngineError> {
        let id = &plan.id;
        if plan.state != PlanState::Running {
            let mut summary = self.plan_summary(id).await?;
            summary.already_complete = true;
            summary.blocked.clone_from(&world.blocked);
            return Ok(summary);
        }
        let customers = world.snapshot.manifest().rows;
        go_on(&watch, Progress::Opened { plan: id.clone(), customers })?;
        let added = self.run_tasks(&world, id, workers, &watch).await?;
        // A task that we lost to a newer attempt is still somebody's: whoever finishes last releases.
        if self.store.tasks(id).await?.values().all(Option::is_some) {
            go_on(&watch, Progress::Releasing)?;
            release(self, &world, id, actor).await?;
            go_on(&watch, Progress::Released)?;
        }
        let mut summary = self.plan_summary(id).await?;
        summary.added = added;
        summary.blocked.clone_from(&world.blocked);
        Ok(summary)
    }

    async fn run_tasks(
        &self,
        world: &Arc<World>,
        plan: &str,
        workers: usize,
        watch: &Watch,
    ) -> Result<u64, EngineError> {
        let tasks = self.store.tasks(plan).await?;
        let mut waiting: VecDeque<u32> = tasks.into_iter().filter(|(_, r)| r.is_none()).map(|(b, _)| b).collect();
        let mut running = JoinSet::new();
        let mut added = 0;
        loop {
            while running.len() < workers.max(1)
                && let Some(index) = waiting.pop_front()
            {
                let bucket = Bucket { bits: world.pins.bucket_bits, index };
                let job = Job {
                    engine: self.clone(),
                    world: Arc::clone(world),
                    plan: plan.to_owned(),
                    bucket,
                    watch: Arc::clone(watch),
                };
                running.spawn(async move { job.run().await });
            }
            let Some(done) = running.join_next().await else { return Ok(added) };
            added += done.map_err(EngineError::internal)??;
        }
    }
}

/// One task of a plan.
struct Job {
    engine: Engine,
    world: Arc<World>,
    plan: String,
    bucket: Bucket,
    watch: Watch,
}

impl Job {
    /// Attempts until the task is committed, by us or somebody newer. Returns the contacts it added.
    async fn run(self) -> Result<u64, EngineError> {
        let mut failed = 0;
        for _ in 0..MAX_REDONE {
            let Some(attempt) = self.engine.store.attempt(&self.plan, self.bucket).await? else { return Ok(0) };
            self.go_on(Progress::Began(self.bucket))?;
            let outcome = match self.decide(attempt).await? {
                Ok(outcome) => outcome,
                Err(MachineFault { activity, source }) => {
                    failed += 1;
                    tracing::warn!(plan = %self.plan, bucket = self.bucket.index, %activity, "fault of the machine: {source}");
                    if failed == MAX_ATTEMPTS {
                        return Err(EngineError::Machine { activity, attempts: failed, source });
                    }
                    continue;
                }
            };
            match self.commit(attempt, outcome).await? {
                Committed::Done { inserted } => {
                    self.go_on(Progress::Committed(self.bucket))?;
                    return Ok(inserted);
                }
                Committed::Fenced => return Ok(0),
                Committed::GivenUp => return Err(EngineError::Stopped),
                Committed::Stale => {
                    tracing::info!(plan = %self.plan, bucket = self.bucket.index, "the ledger moved on; task redone");
                }
            }
        }
        let message = format!("bucket {} is written to faster than it can be planned", self.bucket.index);
        Err(EngineError::refused("busy-bucket", message, "Run the plan again at a quieter time"))
    }

    async fn decide(&self, attempt: Attempt) -> Result<Result<BucketOutcome, MachineFault>, EngineError> {
        let (history, lists) = self.engine.past(&self.world.lists, self.bucket, attempt.mark).await?;
        let (world, bucket, watch) = (Arc::clone(&self.world), self.bucket, Arc::clone(&self.watch));
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
    async fn commit(&self, attempt: Attempt, outcome: BucketOutcome) -> Result<Committed, EngineError> {
        self.go_on(Progress::Decided(self.bucket))?;
        let folder = self.engine.decisions();
        let decisions = outcome.decisions;
        let log = tokio::task::spawn_blocking(move || decision_log::write(&folder, &decisions));
        let log = log.await.map_err(EngineError::internal)??;
        self.go_on(Progress::Logged(self.bucket))?;
        let files = &self.world.snapshot.manifest().files;
        let result = TaskResult {
            mark: attempt.mark,
            log: log.digest,
            customers: files.get(self.bucket.index as usize).map_or(0, |f| f.rows),
            tallies: outcome.tallies,
            contacts: outcome.contacts.len() as u64,
            faults: outcome.faults,
        };
        let task = TaskCommit {
            plan: &self.plan,
            bucket: self.bucket,
            attempt,
            result: &result,
            contacts: &outcome.contacts,
            controls: &outcome.controls,
        };
        let step = |step| (self.watch)(&Progress::Committing(self.bucket, step));
        Ok(self.engine.store.commit_task(&task, &step).await?)
    }

    fn go_on(&self, progress: Progress) -> Result<(), EngineError> {
        go_on(&self.watch, progress)
    }
}

pub(crate) fn go_on(watch: &Watch, progress: Progress) -> Result<(), EngineError> {
    if watch(&progress) { Ok(()) } else { Err(EngineError::Stopped) }
}
