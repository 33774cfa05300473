//! Replays a plan: its tasks are decided again from what it pinned and from the ledger up to each task's mark,
//! and compared with the decision logs byte for byte.

use super::PlanRequest;
use super::due::budgets;
use super::due::{DueCampaign, World};
use super::job::Past;
use super::task::decide_bucket;
use crate::{Engine, EngineError};
use care_domain::approval::Approval;
use care_domain::field::LIST_PREFIX;
use care_domain::key::Bucket;
use care_domain::plan::{PinnedCampaign, Pins, TaskResult};
use care_domain::policy::Policy;
use care_population::decision_log;
use care_store::Plan;
use serde::Serialize;
use std::fs;
use std::sync::Arc;

/// A replayed plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// The plan.
    pub plan: String,
    /// Its tasks, or the one that was asked for.
    pub tasks: Vec<Replayed>,
}

/// A replayed task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Its bucket.
    pub bucket: u32,
    /// Decisions in it.
    pub decisions: u64,
    /// Whether the log on disk holds the very same bytes.
    pub same: bool,
    /// The first decision that differs, in words; empty when all are the same.
    pub difference: String,
}

impl Engine {
    /// Replays a plan, or one bucket of it. `progress` is told of every task replayed.
    pub async fn replay(&self, plan: &str, bucket: Option<u32>, progress: &dyn Fn(u32)) -> Result<Replay, EngineError> {
        let plan = self.plan(Some(plan)).await?;
        if self.store.forgotten_plans().await?.contains(&plan.id) {
            let message = format!("the decision logs of plan {} are not kept any more", plan.id);
            return Err(EngineError::refused("forgotten", message, "See `care retention show` for how long they are"));
        }
        let world = Arc::new(self.world_of(&plan).await?);
        let mut tasks = Vec::new();
        for (index, result) in self.store.tasks(&plan.id).await? {
            let (Some(result), true) = (result, bucket.is_none_or(|wanted| wanted == index)) else { continue };
            tasks.push(self.replay_task(&world, index, &result).await?);
            progress(index);
        }
        if tasks.is_empty() {
            let message = format!("plan {} has no finished task of that number", plan.id);
            return Err(EngineError::refused("no-task", message, "See `care plan show` for its tasks"));
        }
        Ok(Replay { plan: plan.id, tasks })
    }

    async fn replay_task(&self, world: &Arc<World>, index: u32, result: &TaskResult) -> Result<Replayed, EngineError> {
        let bucket = Bucket { bits: world.pins.bucket_bits, index };
        let (history, lists) = self.past(&world.lists, bucket, result.mark).await?;
        let mut past = Past { history, lists, late: result.late.clone() };
        self.read_late(&mut past).await?;
        let world = Arc::clone(world);
        let decided =
            tokio::task::spawn_blocking(move || {
                let data = world.snapshot.bucket(bucket)?;
                decide_bucket(&world, &data, &past.history, &past.lists, &|_| ()).map_err(|fault| {
                    EngineError::Machine { activity: fault.activity, attempts: 1, source: fault.source }
                })
            });
        let again = decided.await.map_err(EngineError::internal)??.decisions;
        let path = decision_log::path_of(&self.decisions(), &result.log);
        let kept = fs::read(&path).map_err(EngineError::file(&path, "reading the decision log"))?;
        let same = kept == decision_log::encode(&again)?;
        let mut difference = String::new();
        if !same {
            let before = decision_log::read(&path)?;
            let at = before.iter().zip(&again).position(|(a, b)| a != b).unwrap_or(before.len().min(again.len()));
            difference = format!("decision {at}: kept {:?}, now {:?}", before.get(at), again.get(at));
        }
        Ok(Replayed { bucket: index, decisions: again.len() as u64, same, difference })
    }

    /// The world as a plan pinned it.
    pub(super) async fn world_of(&self, plan: &Plan) -> Result<World, EngineError> {
        self.world_of_pins(&plan.id, &plan.pins).await
    }

    /// The world as these pins of `id` have it.
    pub(crate) async fn world_of_pins(&self, id: &str, pins: &Pins) -> Result<World, EngineError> {
        if pins.engine != care_sandbox::ENGINE {
            let message = format!("{id} ran on {:?}, this program has {:?}", pins.engine, care_sandbox::ENGINE);
            return Err(EngineError::refused("other-engine", message, "Replay it with the release that ran it"));
        }
        let tables = self.tables_of(&pins.tables)?;
        let version = self.store.policy(Some(&pins.policy)).await?.ok_or_else(|| gone("policy", &pins.policy))?;
        let policy = Policy { calendar: self.calendar_of(&pins.calendar)?, ..version.policy };
        let campaigns = self.pinned_campaigns(pins).await?;
        let request = PlanRequest {
            date: pins.date,
            wave: pins.wave,
            instant: pins.instant,
            snapshot: Some(pins.snapshot.clone()),
            batch: pins.batch,
            workers: 1,
            scheduled: None,
        };
        Ok(World {
            due: self.all_due(&campaigns, &pins.frame, &request, &tables).await?,
            budgets: budgets(&campaigns),
            policy,
            snapshot: self.snapshot(Some(&pins.snapshot), None).await?,
            disaster_areas: tables.active_areas(pins.date),
            lists: self.pinned_lists(pins).await?,
            pins: pins.clone(),
            blocked: Vec::new(),
        })
    }

    async fn pinned_campaigns(&self, pins: &Pins) -> Result<Vec<DueCampaign>, EngineError> {
        let submissions = self.store.submissions().await?;
        let campaigns = self.store.campaigns().await?;
        let pinned = async |pinned: &PinnedCampaign| -> Result<DueCampaign, EngineError> {
            let campaign = campaigns.iter().find(|c| c.id == pinned.campaign).cloned();
            let campaign = campaign.ok_or_else(|| gone("campaign", &pinned.campaign))?;
            let is_pinned = |approval: &Approval| approval.digest().is_ok_and(|digest| digest == pinned.approval);
            let found = submissions
                .iter()
                .find(|s| s.version.component == pinned.component && s.approval.as_ref().is_some_and(is_pinned));
            let found = found.cloned().ok_or_else(|| gone("approved version", &pinned.component))?;
            let approval = self.sound(&found).await?;
            Ok(DueCampaign {
                id: campaign.id,
                version: found.version,
                approval,
                approval_digest: pinned.approval.clone(),
                params: pinned.params.clone(),
                areas: pinned.areas.clone(),
                max_snapshot_days: campaign.max_snapshot_days,
                share: pinned.share,
            })
        };
        let mut all = Vec::with_capacity(pins.campaigns.len());
        for campaign in &pins.campaigns {
            all.push(pinned(campaign).await?);
        }
        Ok(all)
    }

    /// The named lists that the plan read; one that was imported anew since cannot be replayed.
    async fn pinned_lists(&self, pins: &Pins) -> Result<Vec<String>, EngineError> {
        let known = self.store.lists().await?;
        let read = pins.tables.iter().filter_map(|(name, digest)| Some((name.strip_prefix(LIST_PREFIX)?, digest)));
        read.map(|(name, digest)| {
            let same = known.iter().any(|list| list.name == name && list.digest == *digest);
            if same { Ok(name.to_owned()) } else { Err(gone("named list", name)) }
        })
        .collect()
    }
}

fn gone(what: &str, which: &str) -> EngineError {
    let message = format!("the {what} {which} that the plan pinned is not there any more");
    EngineError::refused("not-replayable", message, "Restore it from a backup; nothing was changed")
}
