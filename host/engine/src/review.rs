//! Review: somebody else than the author grants or refuses.

use crate::{Engine, EngineError};
use care_domain::approval::{Approval, Conditions};
use care_domain::diff::{self, Change};
use care_domain::governance::Deed;
use care_store::StoredSubmission;

impl Engine {
    /// A submission by its number.
    pub async fn submission(&self, id: i64) -> Result<StoredSubmission, EngineError> {
        self.store.submission(id).await?.ok_or_else(|| {
            let hint = "List them with `care submission list`";
            EngineError::refused("unknown-submission", format!("there is no submission {id}"), hint)
        })
    }

    /// What a submission changes against the newest approved version before it; that version and the changes,
    /// or nothing when it is the first.
    pub async fn changes(
        &self,
        found: &StoredSubmission,
    ) -> Result<Option<(semver::Version, Vec<Change>)>, EngineError> {
        let manifest = &found.version.manifest;
        let all = self.store.submissions().await?;
        let before = all
            .iter()
            .filter(|s| s.approval.is_some() && s.version.manifest.name == manifest.name)
            .map(|s| &s.version.manifest)
            .filter(|m| m.version < manifest.version)
            .max_by_key(|m| &m.version);
        Ok(before.map(|before| (before.version.clone(), diff::changes(before, manifest))))
    }

    /// Grants a submission under conditions; returns the approval.
    pub async fn approve(&self, id: i64, conditions: &Conditions, by: &str, at: i64) -> Result<Approval, EngineError> {
        let found = self.submission(id).await?;
        let approval = Approval::grant(&found.version.component, &found.version.manifest, conditions, by, at)
            .map_err(|e| EngineError::refused("bad-condition", e.to_string(), "Nothing was approved"))?;
        let digest = approval.digest().map_err(EngineError::internal)?;
        let decider = Deed { person: by.to_owned(), at };
        let decided = found.submission.approve(decider, digest).map_err(|e| forbidden(id, &e))?;
        self.store.decide(id, &decided, by, Some(&approval)).await?;
        Ok(approval)
    }

    /// Refuses a submission with a reason for its author.
    pub async fn reject(&self, id: i64, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let found = self.submission(id).await?;
        let reviewer = Deed { person: by.to_owned(), at };
        let decided = found.submission.reject(reviewer, reason).map_err(|e| forbidden(id, &e))?;
        self.store.decide(id, &decided, by, None).await?;
        Ok(())
    }
}

fn forbidden(id: i64, error: &care_domain::governance::Forbidden) -> EngineError {
    use care_domain::governance::Forbidden;
    let (code, hint) = match error {
        Forbidden::FourEyes { .. } => ("four-eyes", "Ask somebody else of the province to decide"),
        Forbidden::Decided { .. } => ("decided-once", "See `care submission show`; a change needs a new version"),
        Forbidden::NoReason => ("no-reason", "Say with --reason what the author should change"),
    };
    EngineError::refused(code, format!("submission {id}: {error}"), hint)
}
