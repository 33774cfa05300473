//! Pausing a plan, calling it off, and handing its tasks out to somebody who moves descriptors and never rows.

use super::PlanRequest;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::key::Bucket;
use care_domain::person::Act;
use care_domain::task::Descriptor;
use care_store::{CalledOff, Halt, Lease, Plan};
use serde_json::json;
use std::time::Duration;

/// Who has the tasks that were handed out; no process of this name is ever at work.
const OUTSIDE: &str = "outside";

impl Engine {
    /// Holds a plan up, whoever runs it: tasks under way are finished, none begins, nothing is released. Returns its id.
    pub async fn pause_plan(&self, plan: &str, reason: &str, (by, at): (&str, i64)) -> Result<String, EngineError> {
        let actor = self.authorise(by, Act::HaltPlans, None, at).await?;
        let plan = self.plan(Some(plan)).await?;
        let halt = Halt { person: by.to_owned(), at, reason: reason.to_owned() };
        let entry = Entry::of(&actor, "plan-paused", format!("plan {}", plan.id), json!({})).because(reason);
        if self.store.pause_plan(&plan.id, &halt, &entry).await? {
            Ok(plan.id)
        } else {
            Err(self.too_late(&plan).await?)
        }
    }

    /// Calls a plan off for good, whoever runs it, before its release: nothing of it is sent, and what it had planned may
    /// be planned by another plan. Returns its id and what it had planned.
    pub async fn cancel_plan(
        &self,
        plan: &str,
        reason: &str,
        (by, at): (&str, i64),
    ) -> Result<(String, CalledOff), EngineError> {
        let actor = self.authorise(by, Act::HaltPlans, None, at).await?;
        let plan = self.plan(Some(plan)).await?;
        let halt = Halt { person: by.to_owned(), at, reason: reason.to_owned() };
        let entry = Entry::of(&actor, "plan-cancelled", format!("plan {}", plan.id), json!({})).because(reason);
        match self.store.cancel_plan(&plan.id, &halt, &entry).await? {
            Some(called_off) => Ok((plan.id, called_off)),
            None => Err(self.too_late(&plan).await?),
        }
    }

    /// Opens a plan if need be, and takes all of its free tasks for somebody outside of this program, who has each done by
    /// `care worker task` within `lease`. What is not done by then is free again.
    pub async fn hand_out(
        &self,
        request: &PlanRequest,
        lease: Duration,
        (by, at): (&str, i64),
    ) -> Result<Vec<Descriptor>, EngineError> {
        let actor = self.authorise(by, Act::RunPlans, None, at).await?;
        let (plan, _) = self.opened(request, &actor).await?;
        self.must_run(&plan).await?;
        let detail = json!({"seconds": lease.as_secs()});
        let entry = Entry::of(&actor, "tasks-handed-out", format!("plan {}", plan.id), detail);
        let taken = self.store.hand_out(&plan.id, Lease { holder: OUTSIDE, length: lease }, &entry).await?;
        let bucket = |index| Bucket { bits: plan.pins.bucket_bits, index };
        Ok(taken.into_iter().map(|(index, epoch)| Descriptor::of(&plan.id, bucket(index), epoch)).collect())
    }

    /// Why a plan cannot be held up or called off any more.
    async fn too_late(&self, plan: &Plan) -> Result<EngineError, EngineError> {
        let now = self.plan(Some(&plan.id)).await?;
        let hint = "What was released is held with `care switch on`, and withdrawn with `care campaign stop`";
        Ok(EngineError::refused("plan-not-running", format!("plan {} is {}", now.id, now.state.name()), hint))
    }
}
