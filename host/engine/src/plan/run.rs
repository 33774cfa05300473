//! Runs a plan: takes tasks on all workers until none is left, then releases. Whatever stops it, the same call goes on;
//! several processes may run the same plan, and whoever finishes last releases it.

use super::due::World;
use super::job::{Ended, Job};
use super::release::release;
use super::{PlanRequest, PlanSummary, Progress, Watch};
use crate::presence::{self, Presence};
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::key::Bucket;
use care_domain::person::{Act, Actor};
use care_domain::plan::Pins;
use care_domain::task::{Descriptor, TaskManifest};
use care_domain::time;
use care_store::{Halt, Lease, Plan, PlanState};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often a process that has nothing to do looks what became of others' tasks.
const LOOK: Duration = Duration::from_millis(200);

impl Engine {
    /// Runs the plan of a request to its release, or goes on where it stopped. `at` is the wall clock.
    pub async fn run_plan(
        &self,
        request: &PlanRequest,
        by: &str,
        at: i64,
        watch: Watch,
    ) -> Result<PlanSummary, EngineError> {
        let actor = self.authorise(by, Act::RunPlans, None, at).await?;
        let (plan, world) = self.opened(request, &actor).await?;
        self.finish(&plan, world, request.workers, &actor, watch).await
    }

    /// Goes on with a plan that was interrupted or paused, as it pinned the world: whatever was changed since, what it
    /// had committed is neither lost nor left waiting. `at` is the wall clock.
    pub async fn resume_plan(
        &self,
        plan: &str,
        workers: usize,
        (by, at): (&str, i64),
        watch: Watch,
    ) -> Result<PlanSummary, EngineError> {
        let actor = self.authorise(by, Act::RunPlans, None, at).await?;
        let mut plan = self.plan(Some(plan)).await?;
        let world = Arc::new(self.world_of(&plan).await?);
        if let PlanState::Paused(halt) = &plan.state {
            let detail = json!({"paused-by": halt.person});
            let entry = Entry::of(&actor, "plan-resumed", format!("plan {}", plan.id), detail);
            self.store.unpause_plan(&plan.id, &entry).await?;
            plan = self.plan(Some(&plan.id)).await?;
        }
        self.finish(&plan, world, workers, &actor, watch).await
    }

    /// Does one task of a plan, as it was handed out. The same descriptor again gives the same manifest and does nothing.
    pub async fn run_task(
        &self,
        task: &Descriptor,
        (by, at): (&str, i64),
        watch: Watch,
    ) -> Result<TaskManifest, EngineError> {
        self.authorise(by, Act::RunPlans, None, at).await?;
        let plan = self.plan(Some(&task.plan)).await?;
        if plan.pins.bucket_bits != task.bits {
            let message = format!("plan {} has 2^{} buckets, not 2^{}", plan.id, plan.pins.bucket_bits, task.bits);
            return Err(EngineError::refused("unknown-task", message, "Take descriptors from `care plan hand-out`"));
        }
        if matches!(plan.state, PlanState::Paused(_) | PlanState::Cancelled(_)) {
            self.must_run(&plan).await?;
        }
        let presence = Presence::enter(&self.folder)?;
        let world = Arc::new(self.world_of(&plan).await?);
        let holder = presence.name().into();
        let job = Job { engine: self.clone(), world, task: task.clone(), holder, watch };
        let ended = job.run().await?;
        presence.leave();
        match ended {
            Ended::Done { manifest, .. } => Ok(*manifest),
            Ended::Fenced => {
                self.must_run(&self.plan(Some(&task.plan)).await?).await?;
                let message = format!("attempt {} at bucket {} of plan {} is over", task.epoch, task.bucket, task.plan);
                Err(EngineError::refused("fenced", message, "A newer attempt has the task; drop this descriptor"))
            }
        }
    }

    /// The world of a request, and its plan, which is opened unless it was before.
    pub(super) async fn opened(&self, request: &PlanRequest, actor: &Actor) -> Result<(Plan, Arc<World>), EngineError> {
        self.hold_ramps(actor.at).await?;
        let world = self.world(request).await?;
        let id = world.pins.id().map_err(EngineError::internal)?;
        self.collect_orphans(actor.at).await?;
        let detail = json!({"date": time::write_date(request.date), "wave": request.wave});
        let entry = Entry::of(actor, "plan-opened", format!("plan {id}"), detail);
        let plan = self.store.open_plan(&id, &world.pins, &entry).await?;
        let plan = plan.map_err(|other| wave_taken(&other, &world.pins))?;
        Ok((plan, Arc::new(world)))
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
        self.must_run(plan).await?;
        if matches!(plan.state, PlanState::Released { .. }) {
            let mut summary = self.plan_summary(id).await?;
            summary.already_complete = true;
            summary.blocked.clone_from(&world.blocked);
            return Ok(summary);
        }
        let customers = world.snapshot.manifest().rows;
        go_on(&watch, Progress::Opened { plan: id.clone(), customers })?;
        let presence = Presence::enter(&self.folder)?;
        let crew =
            Crew { engine: self, world: &world, plan: id, workers, holder: presence.name().into(), watch: &watch };
        let added = crew.run().await?;
        presence.leave();
        self.must_run(&self.plan(Some(id)).await?).await?;
        go_on(&watch, Progress::Releasing)?;
        release(self, &world, id, actor, &watch).await?;
        self.must_run(&self.plan(Some(id)).await?).await?;
        go_on(&watch, Progress::Released)?;
        let mut summary = self.plan_summary(id).await?;
        summary.check_finals()?;
        summary.added = added;
        summary.blocked.clone_from(&world.blocked);
        Ok(summary)
    }

    /// Refuses to go on with a plan that somebody holds up or called off.
    pub(super) async fn must_run(&self, plan: &Plan) -> Result<(), EngineError> {
        let told = |what: &str, Halt { person, at, reason }: &Halt| {
            let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            format!("plan {} was {what} by {person} at {}{because}", plan.id, time::write_instant(*at))
        };
        match &plan.state {
            PlanState::Paused(halt) => {
                let (done, _) = self.store.tasks_done(&plan.id).await?;
                let message = format!(
                    "{}; {done} of its {} tasks are done",
                    told("paused", halt),
                    1_u32 << plan.pins.bucket_bits
                );
                Err(EngineError::refused("plan-paused", message, format!("Go on with `care plan resume {}`", plan.id)))
            }
            PlanState::Cancelled(halt) => {
                let hint = "Nothing of it is sent. Plan anew as another wave: `care plan run --wave 2`";
                Err(EngineError::refused("plan-cancelled", told("cancelled", halt), hint))
            }
            PlanState::Running | PlanState::Releasing { .. } | PlanState::Released { .. } => Ok(()),
        }
    }
}

/// The workers of this process on a plan.
struct Crew<'a> {
    engine: &'a Engine,
    world: &'a Arc<World>,
    plan: &'a str,
    workers: usize,
    holder: Arc<str>,
    watch: &'a Watch,
}

impl Crew<'_> {
    /// Takes tasks until all are done, by us or others, or somebody holds the plan up. Returns the contacts we added.
    async fn run(&self) -> Result<u64, EngineError> {
        let mut running = JoinSet::new();
        let mut added = 0;
        self.free_tasks_of_the_dead().await?;
        loop {
            let (_, decided) = self.engine.store.tasks_done(self.plan).await?;
            go_on(self.watch, Progress::Standing(decided))?;
            while running.len() < self.workers.max(1)
                && let Some(job) = self.take().await?
            {
                running.spawn(job.run());
            }
            match running.join_next().await {
                Some(ended) => {
                    if let Ended::Done { added: more, .. } = ended.map_err(EngineError::internal)?? {
                        added += more;
                    }
                }
                None if self.is_over().await? => return Ok(added),
                None => self.wait().await?,
            }
        }
    }

    async fn take(&self) -> Result<Option<Job>, EngineError> {
        let lease = Lease { holder: &self.holder, length: self.engine.lease };
        let Some((index, epoch)) = self.engine.store.take_task(self.plan, lease).await? else { return Ok(None) };
        let bucket = Bucket { bits: self.world.pins.bucket_bits, index };
        Ok(Some(Job {
            engine: self.engine.clone(),
            world: Arc::clone(self.world),
            task: Descriptor::of(self.plan, bucket, epoch),
            holder: Arc::clone(&self.holder),
            watch: Arc::clone(self.watch),
        }))
    }

    async fn is_over(&self) -> Result<bool, EngineError> {
        let (done, _) = self.engine.store.tasks_done(self.plan).await?;
        let plan = self.engine.plan(Some(self.plan)).await?;
        Ok(plan.state != PlanState::Running || done == 1 << self.world.pins.bucket_bits)
    }

    /// Others have the last tasks. Those of the dead are free at once, those of the silent when their lease has passed.
    async fn wait(&self) -> Result<(), EngineError> {
        let holders = self.engine.store.task_holders(self.plan).await?;
        go_on(self.watch, Progress::Waiting { tasks: holders.values().sum() })?;
        if !self.free_tasks_of_the_dead().await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Whether there were any.
    async fn free_tasks_of_the_dead(&self) -> Result<bool, EngineError> {
        let holders = self.engine.store.task_holders(self.plan).await?;
        let mut freed = 0;
        for holder in holders.keys().filter(|holder| presence::is_gone(&self.engine.folder, holder)) {
            freed += self.engine.store.free_tasks_of(self.plan, holder).await?;
        }
        Ok(freed > 0)
    }
}

/// A wave is planned once: what was decided by it stands.
fn wave_taken(other: &Plan, pins: &Pins) -> EngineError {
    let (date, wave) = (time::write_date(pins.date), pins.wave);
    let differ = other.pins.differences(pins).join(", ");
    let message =
        format!("wave {wave} of {date} is plan {}, with another {differ}", &other.id[..12.min(other.id.len())]);
    if matches!(other.state, PlanState::Running | PlanState::Releasing { .. } | PlanState::Paused(_)) {
        let hint = format!("It was interrupted: go on with `care plan resume {}`, or plan another wave", other.id);
        return EngineError::refused("wave-interrupted", message, hint);
    }
    EngineError::refused("wave-planned", message, format!("Plan what changed since as `--wave {}`", wave + 1))
}

pub(crate) fn go_on(watch: &Watch, progress: Progress) -> Result<(), EngineError> {
    if watch(&progress) { Ok(()) } else { Err(EngineError::Stopped) }
}
