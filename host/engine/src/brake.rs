//! Complaints as a brake: every live version is scored, and one that draws too many complaints is held by the host
//! itself; its owner is told.

use crate::people::host_entry;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::brake::{Brake, Reaction, Score};
use care_domain::governance::Deed;
use care_domain::person::Act;
use care_domain::time::DAY_MS;
use care_store::{Notice, StoreError, StoredSubmission};
use serde::Serialize;
use serde_json::json;

/// What was done when a version was held, as the audit log says it.
const HELD: &str = "version-suspended";
const RESUMED: &str = "version-resumed";

/// The score of a live version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiveScore {
    /// Number of its submission.
    pub submission: i64,
    /// Activity.
    pub activity: String,
    /// Version.
    pub version: String,
    /// Where it stands.
    pub state: &'static str,
    /// What came back about its messages, since it was last resumed.
    #[serde(flatten)]
    pub reaction: Reaction,
    /// What that amounts to.
    #[serde(flatten)]
    pub score: Score,
}

impl Engine {
    /// The brake in force.
    pub async fn brake(&self) -> Result<Brake, EngineError> {
        Ok(self.store.brake().await?)
    }

    /// Puts a brake in force, and holds what is above it now.
    pub async fn set_brake(&self, brake: &Brake, by: &str, at: i64) -> Result<Vec<LiveScore>, EngineError> {
        let actor = self.authorise(by, Act::SetBrake, None, at).await?;
        let mut findings = brake.check();
        if !findings.is_empty() {
            return Err(EngineError::Refused(findings.remove(0)));
        }
        self.store.set_brake(brake, &Entry::of(&actor, "brake-set", "brake", json!(brake))).await?;
        self.apply_brake(at).await
    }

    /// The scores of all live and held versions.
    pub async fn scores(&self) -> Result<Vec<LiveScore>, EngineError> {
        let brake = self.store.brake().await?;
        let mut scores = Vec::new();
        for found in
            self.store.submissions().await?.iter().filter(|s| matches!(s.submission.state(), "active" | "suspended"))
        {
            scores.push(self.score(found, &brake).await?);
        }
        Ok(scores)
    }

    async fn score(&self, found: &StoredSubmission, brake: &Brake) -> Result<LiveScore, EngineError> {
        let manifest = &found.version.manifest;
        let since = self.resumed_at(found.id).await?;
        let window_ms = i64::from(brake.days) * DAY_MS;
        let reaction =
            self.store.reaction(&found.version.component, &self.outcomes.braking(), window_ms, since).await?;
        Ok(LiveScore {
            submission: found.id,
            activity: manifest.name.clone(),
            version: manifest.version.to_string(),
            state: found.submission.state(),
            reaction,
            score: brake.score(&reaction),
        })
    }

    /// When the province let it go on last: what was complained about before was known then.
    async fn resumed_at(&self, submission: i64) -> Result<i64, EngineError> {
        let lines = self.store.audit_lines(Some(&format!("submission {submission}"))).await?;
        Ok(lines.iter().rev().find(|line| line.entry.deed == RESUMED).map_or(0, |line| line.entry.at))
    }

    /// Holds every live version that draws too many complaints; returns those that were held. The host does it by itself,
    /// whenever complaints come in.
    pub(crate) async fn apply_brake(&self, at: i64) -> Result<Vec<LiveScore>, EngineError> {
        let brake = self.store.brake().await?;
        let mut held = Vec::new();
        for found in self.store.submissions().await?.into_iter().filter(|s| s.submission.may_run()) {
            let live = self.score(&found, &brake).await?;
            if live.score.holds {
                self.hold(found, &live, at).await?;
                held.push(live);
            }
        }
        Ok(held)
    }

    async fn hold(&self, found: StoredSubmission, live: &LiveScore, at: i64) -> Result<(), EngineError> {
        let Reaction { messages, complaints, enquiries } = live.reaction;
        let reason = format!("{complaints} complaints and {enquiries} enquiries about {messages} messages");
        let before = found.submission.state();
        let host = Deed { person: "host".into(), at };
        let after = found.submission.clone().suspend(host, &reason).map_err(EngineError::internal)?;
        let detail = json!({"share": live.score.share, "messages": messages, "complaints": complaints});
        let entry = host_entry(at, HELD, "", detail).because(&reason);
        let text = format!(
            "{} {} is held by the host: {reason}. Mend it and submit a new version, or ask the province to let it go on.",
            live.activity, live.version
        );
        match self.store.hold(found.id, before, &after, &entry, &text).await {
            // Somebody held or ended it meanwhile.
            Err(StoreError::Rule { .. }) => Ok(()),
            other => Ok(other?),
        }
    }

    /// What somebody was told, newest first.
    pub async fn notices(&self, person: &str) -> Result<Vec<Notice>, EngineError> {
        Ok(self.store.notices(person).await?)
    }
}
