//! Review: what becomes of a submission, each step by somebody whose role and region allow it, signed where it grants.

use crate::{Engine, EngineError};
use care_domain::approval::{Approval, Conditions};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::diff::{self, Change};
use care_domain::dsse;
use care_domain::gate::{self, Ticks};
use care_domain::governance::{Deed, Forbidden, Ground, Submission};
use care_domain::person::{Act, Actor};
use care_domain::region;
use care_domain::variant;
use care_store::{Grant, StoredSubmission};
use serde_json::{Value, json};

/// Why an approval does not vouch for what is to be run.
const UNSOUND: &str = "approval-unsound";

impl Engine {
    /// A submission by its number.
    pub async fn submission(&self, id: i64) -> Result<StoredSubmission, EngineError> {
        let found = self.store.submission(id).await?.filter(|s| self.sees(&s.version.manifest.owner_region));
        found.ok_or_else(|| {
            let hint = "List them with `care submission list`";
            EngineError::refused("unknown-submission", format!("there is no submission {id}"), hint)
        })
    }

    /// What a submission changes against the newest approved version before it, or a variant against its base; that
    /// version and the changes, or nothing when it is the first.
    pub async fn changes(
        &self,
        found: &StoredSubmission,
    ) -> Result<Option<(semver::Version, Vec<Change>)>, EngineError> {
        let manifest = &found.version.manifest;
        let all = self.store.submissions().await?;
        if let Some((_, base)) = &found.version.variant {
            let base = all.iter().map(|s| &s.version).find(|v| v.component == *base).map(|v| &v.manifest);
            return Ok(base.map(|base| (base.version.clone(), diff::changes(base, manifest))));
        }
        let before = all
            .iter()
            .filter(|s| s.approval.is_some() && s.version.manifest.name == manifest.name)
            .map(|s| &s.version.manifest)
            .filter(|m| m.version < manifest.version && !variant::is_variant(&m.version))
            .max_by_key(|m| &m.version);
        Ok(before.map(|before| (before.version.clone(), diff::changes(before, manifest))))
    }

    /// The city passes its activity on: to whoever tries it out, where the gate asks for a trial, or to the province.
    pub async fn pass_city(&self, id: i64, note: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let trial = self.store.gate_rules().await?.trial_review;
        let step = Step { id, act: Act::ReviewForCity, deed: "city-review-passed", by, at };
        self.step(step, note, json!({}), |s, deed| s.pass_city(deed, trial)).await.map(|_| ())
    }

    /// The customer-service centre passes what it tried out on to the province.
    pub async fn pass_trial(&self, id: i64, note: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let step = Step { id, act: Act::ReviewForTrial, deed: "trial-passed", by, at };
        self.step(step, note, json!({}), |s, deed| s.pass_trial(deed)).await.map(|_| ())
    }

    /// Grants a submission under conditions, on the evidence of a simulation of exactly these; signed by the host. Where
    /// the reach asks for it, a second person has to confirm what is then only proposed.
    pub async fn approve(
        &self,
        id: i64,
        conditions: &Conditions,
        ticks: &Ticks,
        by: &str,
        at: i64,
    ) -> Result<Decided, EngineError> {
        let found = self.submission(id).await?;
        let actor = self.authorise(by, Act::Decide, Some(&found.version.manifest.owner_region), at).await?;
        let granted = self.terms_of(&found, conditions, "Nothing was approved", (by, at)).await?;
        // Whoever may not decide anyway is told so first, and not sent to simulate.
        let may = found.submission.clone().approve(deed_of(&actor), String::new());
        may.map_err(|e| forbidden(id, &e))?;
        check_care(id, ticks)?;
        let (evidence, reach) = self.evidence_for(&found, &granted, at).await?;
        let approval = Approval { evidence, principles: ticks.clone(), ..granted };
        if !self.store.gate_rules().await?.needs_second(reach) {
            return self
                .grant(found, approval, &actor, |s, deed, digest| s.approve(deed, digest))
                .await
                .map(Decided::Approved);
        }
        let before = found.submission.state();
        let proposed = found.submission.propose(deed_of(&actor), approval.clone()).map_err(|e| forbidden(id, &e))?;
        let entry = Entry::of(&actor, "approval-proposed", "", json!({"reach": reach, "evidence": approval.evidence}));
        self.store.transition(id, before, &proposed, None, &entry).await?;
        Ok(Decided::WaitsForSecond { proposed: approval, reach })
    }

    /// The second person grants what the first proposed, on the newest evidence of exactly those terms, which must still be
    /// fresh.
    pub async fn confirm(&self, id: i64, ticks: &Ticks, by: &str, at: i64) -> Result<Approval, EngineError> {
        let found = self.submission(id).await?;
        let actor = self.authorise(by, Act::Decide, Some(&found.version.manifest.owner_region), at).await?;
        let may = found.submission.clone().confirm(deed_of(&actor), String::new());
        may.map_err(|e| forbidden(id, &e))?;
        check_care(id, ticks)?;
        let Submission::SecondReview { proposed, .. } = &found.submission else {
            return Err(EngineError::internal("a confirmation of nothing"));
        };
        self.rests_on_its_base(&found, proposed).await?;
        let (evidence, _) = self.evidence_for(&found, proposed, at).await?;
        let approval = Approval { evidence, second: Some(deed_of(&actor)), ..Approval::clone(proposed) };
        self.grant(found, approval, &actor, |s, deed, digest| s.confirm(deed, digest)).await
    }

    /// Signs an approval and keeps it with the transition that it makes.
    async fn grant(
        &self,
        found: StoredSubmission,
        approval: Approval,
        actor: &Actor,
        transition: impl FnOnce(Submission, Deed, String) -> Result<Submission, Forbidden>,
    ) -> Result<Approval, EngineError> {
        let (id, before) = (found.id, found.submission.state());
        let digest = approval.digest().map_err(EngineError::internal)?;
        let decided = transition(found.submission, deed_of(actor), digest.clone()).map_err(|e| forbidden(id, &e))?;
        let document = canonical::json(&approval).map_err(EngineError::internal)?;
        let envelope = self.host_key.sign(dsse::APPROVAL, document.as_bytes());
        let grant = Grant { approval: &approval, envelope: &envelope };
        let ticks: Vec<&str> = approval.principles.iter().map(|principle| principle.name()).collect();
        let entry = Entry::of(actor, "submission-approved", "", json!({"approval": digest, "principles": ticks}));
        self.store.transition(id, before, &decided, Some(grant), &entry).await?;
        Ok(approval)
    }

    /// The terms that these conditions would grant a submission.
    pub(crate) async fn terms_of(
        &self,
        found: &StoredSubmission,
        conditions: &Conditions,
        otherwise: &str,
        (by, at): (&str, i64),
    ) -> Result<Approval, EngineError> {
        let (component, manifest) = (&found.version.component, &found.version.manifest);
        let granted = match &found.version.variant {
            None => Approval::grant(component, manifest, conditions, by, at),
            Some((variant, base)) => {
                let (_, base) = self.base(&variant.activity, &variant.version, Some(base)).await?;
                Approval::grant_variant(component, manifest, &variant.conditions(conditions), &base, (by, at))
            }
        };
        granted.map_err(|e| EngineError::refused("bad-condition", e.to_string(), otherwise))
    }

    /// Folds a submission, decided or not, into a provincial activity that answers the same need. What ran of it stops.
    /// Returns how many waiting contacts that withdrew.
    pub async fn merge(&self, id: i64, into: &str, reason: &str, by: &str, at: i64) -> Result<u64, EngineError> {
        let found = self.submission(id).await?;
        let all = self.store.submissions().await?;
        let takes_over = |s: &&StoredSubmission| {
            let manifest = &s.version.manifest;
            let ours = |entry: &String| found.version.manifest.catalogue.contains(entry);
            manifest.name == into
                && manifest.name != found.version.manifest.name
                && region::is_province(&manifest.owner_region)
                && s.submission.may_start()
                && manifest.catalogue.iter().any(ours)
        };
        if !all.iter().any(|s| takes_over(&s)) {
            let message = format!("{into:?} cannot take the place of {}", found.version.manifest.name);
            let hint =
                "Name another activity of the province that is approved and answers the same entry of the catalogue";
            return Err(EngineError::refused("no-such-activity", message, hint));
        }
        let step = Step { id, act: Act::Decide, deed: "submission-merged", by, at };
        self.step(step, reason, json!({"into": into}), |s, deed| s.merge(deed, into, reason)).await
    }

    /// Refuses a submission with a reason for its author: whoever reviews it at the time.
    pub async fn reject(&self, id: i64, ground: Ground, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let found = self.submission(id).await?;
        let act = match found.submission {
            Submission::CityReview(_) => Act::ReviewForCity,
            Submission::TrialReview(_) => Act::ReviewForTrial,
            _ => Act::Decide,
        };
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

    /// The approval of a submission, if all of it still stands as it was granted, and what a variant rests on holds too.
    /// Whatever runs a plugin asks here first.
    pub(crate) async fn vouched(&self, found: &StoredSubmission) -> Result<Approval, EngineError> {
        let approval = self.sound(found).await?;
        self.rests_on_its_base(found, &approval).await?;
        Ok(approval)
    }

    /// The approval of a submission, if it is signed by this host, of exactly this component and manifest, in the state in
    /// which the audit log left it. What was decided long ago is replayed on this alone.
    pub(crate) async fn sound(&self, found: &StoredSubmission) -> Result<Approval, EngineError> {
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
        if !is_itself(found) {
            return Err(unsound("the code that it runs is not the one that was approved"));
        }
        if let Err(error) = self.store.blobs().get(&found.version.code) {
            return Err(unsound(&error.to_string()));
        }
        if self.audited_state(found.id).await?.as_deref() != Some(found.submission.state()) {
            return Err(unsound("it stands in another state than the audit log tells"));
        }
        Ok(approval.clone())
    }
}

/// Whether the digest under which a version is known is that of what it runs.
fn is_itself(found: &StoredSubmission) -> bool {
    let version = &found.version;
    match &version.variant {
        None => version.component == version.code,
        Some(_) => variant::digest(&version.code, &version.manifest).is_ok_and(|digest| digest == version.component),
    }
}

/// What an approver's decision led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// It is approved.
    Approved(Approval),
    /// Its reach asks for a second person, who has to confirm it.
    WaitsForSecond {
        /// What is proposed.
        proposed: Approval,
        /// Customers selected in the evidence.
        reach: u64,
    },
}

fn check_care(id: i64, ticks: &Ticks) -> Result<(), EngineError> {
    gate::is_care(ticks).map_err(|error| {
        let hint = "Tick it with --tick where it holds, or reject the submission with --not-care";
        EngineError::refused("not-care", format!("submission {id}: {error}"), hint)
    })
}

/// What is to be done to which submission, by whom.
struct Step<'a> {
    id: i64,
    act: Act,
    deed: &'static str,
    by: &'a str,
    at: i64,
}

pub(crate) fn deed_of(actor: &Actor) -> Deed {
    Deed { person: actor.person.clone(), at: actor.at }
}

fn forbidden(id: i64, error: &Forbidden) -> EngineError {
    forbidden_of(&format!("submission {id}"), error)
}

pub(crate) fn forbidden_of(what: &str, error: &Forbidden) -> EngineError {
    let (code, hint) = match error {
        Forbidden::FourEyes { .. } => ("four-eyes", "Ask somebody else who may decide"),
        Forbidden::State { .. } => ("decided-once", "See `care submission show`; a change needs a new version"),
        Forbidden::NoReason => ("no-reason", "Say why with --reason"),
        Forbidden::NotAuthor { .. } => ("not-author", "Others reject it, with a reason for its author"),
    };
    EngineError::refused(code, format!("{what}: {error}"), hint)
}
