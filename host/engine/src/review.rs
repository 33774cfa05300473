//! Review: what becomes of a submission, each step by somebody whose role and region allow it, signed where it grants.

use crate::{Engine, EngineError};
use care_domain::approval::{Approval, Conditions};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::diff::{self, Change};
use care_domain::dsse;
use care_domain::governance::{Deed, Forbidden, Ground, Submission};
use care_domain::person::{Act, Actor};
use care_store::{Grant, StoredSubmission};
use serde_json::{Value, json};

/// Why an approval does not vouch for what is to be run.
const UNSOUND: &str = "approval-unsound";

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

    /// The city passes its activity on to the province.
    pub async fn pass_city(&self, id: i64, note: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let step = Step { id, act: Act::ReviewForCity, deed: "city-review-passed", by, at };
        self.step(step, note, json!({}), |s, deed| s.pass_city(deed)).await.map(|_| ())
    }

    /// Grants a submission under conditions, on the evidence of a simulation of exactly these; returns the approval,
    /// signed by the host.
    pub async fn approve(&self, id: i64, conditions: &Conditions, by: &str, at: i64) -> Result<Approval, EngineError> {
        let found = self.submission(id).await?;
        let actor = self.authorise(by, Act::Decide, Some(&found.version.manifest.owner_region), at).await?;
        let granted = Approval::grant(&found.version.component, &found.version.manifest, conditions, by, at)
            .map_err(|e| EngineError::refused("bad-condition", e.to_string(), "Nothing was approved"))?;
        // Whoever may not decide anyway is told so first, and not sent to simulate.
        let may = found.submission.clone().approve(deed_of(&actor), String::new());
        may.map_err(|e| forbidden(id, &e))?;
        let approval = Approval { evidence: self.evidence_for(&found, &granted, at).await?, ..granted };
        let digest = approval.digest().map_err(EngineError::internal)?;
        let before = found.submission.state();
        let decided = found.submission.approve(deed_of(&actor), digest.clone()).map_err(|e| forbidden(id, &e))?;
        let document = canonical::json(&approval).map_err(EngineError::internal)?;
        let envelope = self.host_key.sign(dsse::APPROVAL, document.as_bytes());
        let grant = Grant { approval: &approval, envelope: &envelope };
        let entry = Entry::of(&actor, "submission-approved", "", json!({"approval": digest}));
        self.store.transition(id, before, &decided, Some(grant), &entry).await?;
        Ok(approval)
    }

    /// Refuses a submission with a reason for its author: a city's before or after its city looked at it.
    pub async fn reject(&self, id: i64, ground: Ground, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let found = self.submission(id).await?;
        let act = if found.submission.state() == "city-review" { Act::ReviewForCity } else { Act::Decide };
        let step = Step { id, act, deed: "submission-rejected", by, at };
        let detail = json!({"ground": ground});
        self.step(step, reason, detail, |s, deed| s.reject(deed, ground, reason)).await.map(|_| ())
    }

    /// The author takes an undecided submission back.
    pub async fn take_back(&self, id: i64, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let step = Step { id, act: Act::TakeBack, deed: "submission-taken-back", by, at };
        self.step(step, reason, json!({}), |s, deed| s.take_back(deed, reason)).await.map(|_| ())
    }

    /// Holds a version: until it is resumed nothing of it is planned or sent, and what waits goes on waiting.
    pub async fn suspend(&self, id: i64, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let step = Step { id, act: Act::Suspend, deed: "version-suspended", by, at };
        self.step(step, reason, json!({}), |s, deed| s.suspend(deed, reason)).await.map(|_| ())
    }

    /// Lets a suspended version go on.
    pub async fn resume(&self, id: i64, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let step = Step { id, act: Act::Decide, deed: "version-resumed", by, at };
        self.step(step, reason, json!({}), |s, _| s.resume()).await.map(|_| ())
    }

    /// Ends a version in good order: its campaigns stop, what waits of it is withdrawn. Returns how many contacts
    /// that were.
    pub async fn retire(&self, id: i64, reason: &str, by: &str, at: i64) -> Result<u64, EngineError> {
        let step = Step { id, act: Act::Retire, deed: "version-retired", by, at };
        self.step(step, reason, json!({}), |s, deed| s.retire(deed)).await
    }

    /// Ends an approval: its campaigns stop at once, what waits of it is withdrawn. Returns how many contacts that were.
    pub async fn withdraw(&self, id: i64, reason: &str, by: &str, at: i64) -> Result<u64, EngineError> {
        let step = Step { id, act: Act::WithdrawApproval, deed: "approval-withdrawn", by, at };
        self.step(step, reason, json!({}), |s, deed| s.withdraw(deed, reason)).await
    }

    /// One transition: who may, where it leads, and its line in the audit log.
    async fn step(
        &self,
        step: Step<'_>,
        reason: &str,
        detail: Value,
        transition: impl FnOnce(Submission, Deed) -> Result<Submission, Forbidden>,
    ) -> Result<u64, EngineError> {
        let found = self.submission(step.id).await?;
        let region = &found.version.manifest.owner_region;
        let actor = self.authorise(step.by, step.act, Some(region), step.at).await?;
        let before = found.submission.state();
        let after = transition(found.submission, deed_of(&actor)).map_err(|e| forbidden(step.id, &e))?;
        let entry = Entry::of(&actor, step.deed, "", detail).because(reason.trim());
        Ok(self.store.transition(step.id, before, &after, None, &entry).await?)
    }

    /// The approval of a submission, if all of it still stands as it was granted: signed by this host, of exactly this
    /// component and manifest, in the state in which the audit log left it. Whatever runs a plugin asks here first.
    pub(crate) async fn vouched(&self, found: &StoredSubmission) -> Result<Approval, EngineError> {
        let (name, version) = (&found.version.manifest.name, &found.version.manifest.version);
        let unsound = |what: &str| {
            let hint =
                "Somebody changed the database: see `care audit verify`; withdraw the version and submit it anew";
            EngineError::refused(UNSOUND, format!("submission {} ({name} {version}): {what}", found.id), hint)
        };
        let (Some(approval), Some(envelope)) = (&found.approval, &found.envelope) else {
            if found.submission.may_start() {
                return Err(unsound("its approval or the signature on it cannot be read"));
            }
            return Err(EngineError::refused(
                "not-approved",
                format!("{name} {version} is {}", found.submission.state()),
                "Have it approved with `care submission approve`",
            ));
        };
        let signed = self.host_key.open_envelope(envelope, dsse::APPROVAL);
        let document = canonical::json(approval).map_err(EngineError::internal)?;
        if signed.as_deref() != Some(document.as_bytes()) {
            return Err(unsound("its approval is not the one that this host signed"));
        }
        if !approval.covers(&found.version.component, &found.version.manifest) {
            return Err(unsound("its manifest is not the one that was approved"));
        }
        if let Err(error) = self.store.blobs().get(&approval.component) {
            return Err(unsound(&error.to_string()));
        }
        if self.audited_state(found.id).await?.as_deref() != Some(found.submission.state()) {
            return Err(unsound("it stands in another state than the audit log tells"));
        }
        Ok(approval.clone())
    }
}

/// What is to be done to which submission, by whom.
struct Step<'a> {
    id: i64,
    act: Act,
    deed: &'static str,
    by: &'a str,
    at: i64,
}

fn deed_of(actor: &Actor) -> Deed {
    Deed { person: actor.person.clone(), at: actor.at }
}

fn forbidden(id: i64, error: &Forbidden) -> EngineError {
    let (code, hint) = match error {
        Forbidden::FourEyes { .. } => ("four-eyes", "Ask somebody else who may decide"),
        Forbidden::State { .. } => ("decided-once", "See `care submission show`; a change needs a new version"),
        Forbidden::NoReason => ("no-reason", "Say why with --reason"),
        Forbidden::NotAuthor { .. } => ("not-author", "Others reject it, with a reason for its author"),
    };
    EngineError::refused(code, format!("submission {id}: {error}"), hint)
}
