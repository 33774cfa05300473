//! The evidence on which an officer approves: the day's pass twice, as it is and with the version in it, every rule on,
//! release included. Nothing is written, neither to the store nor to disk, and no identity is read.

pub(crate) mod alone;
mod bucket;
mod cut;
mod keep;
pub(crate) mod stage;

pub use keep::{EVIDENCE_DAYS, SimulationRequest};

use crate::plan::{BucketOutcome, Lists, MAX_ATTEMPTS, MachineFault, World, decide_bucket, go_on};
use crate::{Engine, EngineError, PlanRequest, Progress, Watch};
use care_domain::approval::Approval;
use care_domain::evidence::Evidence;
use care_domain::key::Bucket;
use care_population::BucketData;
use care_store::{History, Version};
use cut::{Cuts, Waiting};
use serde_json::{Map, Value};
use stage::Stage;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A bucket decided without the version and with it.
struct Decided {
    data: BucketData,
    history: History,
    before: BucketOutcome,
    after: BucketOutcome,
}

impl Engine {
    /// Simulates a version, approved or not, on the day of `request`, on the terms of `approval`, granted or not, and
    /// with these parameters, which are checked as a campaign's are. Its dates are not asked: a version is tried on
    /// today's customers before it may start.
    ///
    /// Compared are the active campaigns as they are, and the same without those of this activity but with this version.
    /// The ledger is read up to where it stands now. What a plan would refuse is refused in the same words. `watch` is
    /// told of customers and buckets, twice where a capacity or a budget has to be shared out first; a `false` stops it.
    pub async fn gather_evidence(
        &self,
        version: &Version,
        approval: &Approval,
        params: &Map<String, Value>,
        request: &PlanRequest,
        watch: Watch,
    ) -> Result<Evidence, EngineError> {
        let stage = Arc::new(self.stage(version, approval, params, request).await?);
        let limited = !stage.limits.is_empty();
        let customers = stage.after.snapshot.manifest().rows * if limited { 2 } else { 1 };
        let plan = stage.after.pins.id().map_err(EngineError::internal)?;
        go_on(&watch, Progress::Opened { plan, customers })?;
        let runner = Runner { engine: self, stage: &stage, workers: request.workers, watch: &watch };
        let cuts = Arc::new(if limited { runner.cuts().await? } else { Cuts::default() });
        runner.evidence(&cuts).await
    }
}

/// Walks through all buckets, so many at once.
struct Runner<'a> {
    engine: &'a Engine,
    stage: &'a Arc<Stage>,
    workers: usize,
    watch: &'a Watch,
}

impl Runner<'_> {
    /// First pass, where a capacity or a budget is limited: what release would cut, with and without the version.
    async fn cuts(&self) -> Result<Cuts, EngineError> {
        let mut waiting = Waiting::default();
        let look = |stage: &Stage, decided: Decided| Ok(Waiting::of(stage, &decided));
        self.buckets(look, |part| waiting.extend(part)).await?;
        Ok(waiting.release(&self.stage.limits))
    }

    /// The pass that is counted. Rows are dropped with their bucket.
    async fn evidence(&self, cuts: &Arc<Cuts>) -> Result<Evidence, EngineError> {
        let mut whole = self.stage.empty();
        let cuts = Arc::clone(cuts);
        let look = move |stage: &Stage, mut decided: Decided| {
            cuts.apply(stage, &mut decided);
            bucket::gather(stage, &decided)
        };
        self.buckets(look, |part| whole.merge(&part)).await?;
        Ok(whole)
    }

    /// Decides every bucket, looks at it while its rows are there, and takes what came of it, in any order.
    async fn buckets<T: Send + 'static>(
        &self,
        look: impl Fn(&Stage, Decided) -> Result<T, EngineError> + Send + Sync + 'static,
        mut take: impl FnMut(T),
    ) -> Result<(), EngineError> {
        let look = Arc::new(look);
        let mut waiting = self.stage.after.pins.buckets();
        let mut running = JoinSet::new();
        loop {
            while running.len() < self.workers.max(1)
                && let Some(bucket) = waiting.next()
            {
                let (engine, stage, watch) = (self.engine.clone(), Arc::clone(self.stage), Arc::clone(self.watch));
                let look = Arc::clone(&look);
                running.spawn(async move {
                    let (history, lists) = engine.past(&stage.lists, bucket, stage.subject.mark).await?;
                    let job = tokio::task::spawn_blocking(move || {
                        let decided = decide(&stage, bucket, history, &lists, &watch)?;
                        let looked = look(&stage, decided)?;
                        go_on(&watch, Progress::Decided(bucket))?;
                        Ok::<T, EngineError>(looked)
                    });
                    job.await.map_err(EngineError::internal)?
                });
            }
            let Some(done) = running.join_next().await else { return Ok(()) };
            take(done.map_err(EngineError::internal)??);
        }
    }
}

fn decide(
    stage: &Stage,
    bucket: Bucket,
    history: History,
    lists: &Lists,
    watch: &Watch,
) -> Result<Decided, EngineError> {
    let data = stage.after.snapshot.bucket(bucket)?;
    let before = attempt(&stage.before, &data, &history, lists, &|_| ())?;
    let progress = |customers: usize| {
        watch(&Progress::Customers(customers as u64));
    };
    let after = attempt(&stage.after, &data, &history, lists, &progress)?;
    Ok(Decided { data, history, before, after })
}

/// A fault of the machine is tried again, as a plan tries it.
fn attempt(
    world: &World,
    data: &BucketData,
    history: &History,
    lists: &Lists,
    progress: &dyn Fn(usize),
) -> Result<BucketOutcome, EngineError> {
    let mut failed = 0;
    loop {
        let MachineFault { activity, source } = match decide_bucket(world, data, history, lists, progress) {
            Ok(outcome) => return Ok(outcome),
            Err(fault) => fault,
        };
        failed += 1;
        tracing::warn!(bucket = data.bucket().index, %activity, "fault of the machine in a simulation: {source}");
        if failed == MAX_ATTEMPTS {
            return Err(EngineError::Machine { activity, attempts: failed, source });
        }
    }
}
