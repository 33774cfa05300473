//! Simulations that are kept: run on request, compared, and asked for when somebody approves.

use crate::{Engine, EngineError, PlanRequest, Watch};
use care_domain::approval::{Approval, Conditions};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::evidence::{Difference, Evidence, compare};
use care_domain::manifest::World;
use care_domain::person::Act;
use care_domain::time;
use care_store::{Simulation, StoredSubmission};
use serde_json::{Map, Value, json};

/// An approval stands on a simulation of customers as they were at most so many days ago (architecture section 5).
pub const EVIDENCE_DAYS: i32 = 7;

impl Engine {
    /// On what a submission is tried: the day of the newest snapshot, as a plan of that day would run.
    pub async fn trial_request(&self, workers: usize) -> Result<PlanRequest, EngineError> {
        let date = self.snapshot(None, None).await?.manifest().business_date;
        PlanRequest::of(date, workers)
            .ok_or_else(|| EngineError::refused("bad-date", "the snapshot's date is out of range", "Import it anew"))
    }

    /// Simulates a submission on these conditions, every rule on and nothing sent, and keeps the evidence.
    pub async fn simulate(
        &self,
        id: i64,
        what: &SimulationRequest,
        (by, at): (&str, i64),
        watch: Watch,
    ) -> Result<(Simulation, Evidence), EngineError> {
        let found = self.submission(id).await?;
        if found.version.manifest.world == World::Model {
            let message = format!("submission {id} is a model: it contacts nobody, so there is nothing to simulate");
            return Err(EngineError::refused("is-a-model", message, "Decide on it as it is"));
        }
        let actor = self.authorise(by, Act::Simulate, Some(&found.version.manifest.owner_region), at).await?;
        let terms = self.terms_of(&found, &what.conditions, "Nothing was simulated", ("", 0)).await?;
        let evidence = self.gather_evidence(&found.version, &terms, &what.params, &what.request, watch).await?;
        let document = canonical::json(&evidence).map_err(EngineError::internal)?;
        let digest = self.store.blobs().put(document.as_bytes())?;
        let snapshot = self.snapshot(Some(&evidence.subject.snapshot), None).await?;
        let mut simulation = Simulation {
            id: 0,
            submission: id,
            terms: terms.digest().map_err(EngineError::internal)?,
            business_date: snapshot.manifest().business_date,
            evidence: digest.clone(),
            person: by.to_owned(),
            at,
        };
        let entry = Entry::of(&actor, "submission-simulated", format!("submission {id}"), json!({"evidence": digest}));
        simulation.id = self.store.add_simulation(&simulation, &entry).await?;
        Ok((simulation, evidence))
    }

    /// The simulations of a submission, newest first.
    pub async fn simulations(&self, submission: i64) -> Result<Vec<Simulation>, EngineError> {
        Ok(self.store.simulations(Some(submission)).await?)
    }

    /// A kept simulation with its evidence.
    pub async fn simulation(&self, id: i64) -> Result<(Simulation, Evidence), EngineError> {
        let found = self.store.simulations(None).await?.into_iter().find(|s| s.id == id);
        let found = found.ok_or_else(|| {
            let hint = "See `care submission evidence` for the simulations of a submission";
            EngineError::refused("unknown-simulation", format!("there is no simulation {id}"), hint)
        })?;
        let bytes = self.store.blobs().get(&found.evidence)?;
        let evidence = serde_json::from_slice(&bytes).map_err(EngineError::internal)?;
        Ok((found, evidence))
    }

    /// In what two simulations differ.
    pub async fn compare_simulations(&self, before: i64, after: i64) -> Result<Vec<Difference>, EngineError> {
        let ((_, before), (_, after)) = (self.simulation(before).await?, self.simulation(after).await?);
        Ok(compare(&before, &after))
    }

    /// The newest evidence of exactly these terms that is fresh enough to approve on, and its reach: customers selected.
    pub(crate) async fn evidence_for(
        &self,
        found: &StoredSubmission,
        granted: &Approval,
        at: i64,
    ) -> Result<(String, u64), EngineError> {
        if found.version.manifest.world == World::Model {
            return Ok((NO_EVIDENCE.to_owned(), 0));
        }
        let terms = granted.terms_alone().digest().map_err(EngineError::internal)?;
        let all = self.store.simulations(Some(found.id)).await?;
        let hint = format!("Run `care submission simulate {}` with the same conditions, and read it", found.id);
        let Some(newest) = all.iter().filter(|s| s.terms == terms).max_by_key(|s| (s.business_date, s.id)) else {
            let message = format!("submission {} was never simulated on exactly these conditions", found.id);
            return Err(EngineError::refused("no-evidence", message, hint));
        };
        let today = time::date_at(at).unwrap_or(i32::MAX);
        if newest.business_date < today - EVIDENCE_DAYS {
            let date = time::write_date(newest.business_date);
            let message = format!("simulation {} speaks of {date}, more than {EVIDENCE_DAYS} days ago", newest.id);
            return Err(EngineError::refused("old-evidence", message, hint));
        }
        // Evidence that was changed on disk is none.
        let bytes = self.store.blobs().get(&newest.evidence)?;
        let evidence: Evidence = serde_json::from_slice(&bytes).map_err(EngineError::internal)?;
        Ok((newest.evidence.clone(), evidence.selected()))
    }
}

/// What the approval of a model stands on: it contacts nobody, and the activities that use it are simulated with it.
const NO_EVIDENCE: &str = "model";

/// What to simulate.
#[derive(Debug, Clone)]
pub struct SimulationRequest {
    /// On which conditions.
    pub conditions: Conditions,
    /// With which parameters, beside the defaults.
    pub params: Map<String, Value>,
    /// On which day and snapshot.
    pub request: PlanRequest,
}
