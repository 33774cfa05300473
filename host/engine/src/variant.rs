//! Variants without code: proposed by a branch, reviewed by their difference, bounded by what they rest on.

use crate::upload::check_params;
use crate::{Engine, EngineError, Pushed};
use care_domain::approval::Approval;
use care_domain::audit::Entry;
use care_domain::governance::{Deed, Submission};
use care_domain::manifest::Manifest;
use care_domain::person::Act;
use care_domain::region;
use care_domain::text::{Finding, nearest_hint};
use care_domain::variant::{self, Variant};
use care_store::{StoredSubmission, Version};
use semver::BuildMetadata;
use serde_json::json;

impl Engine {
    /// Proposes a variant of an approved version: checked as a whole, kept, submitted to the same reviews as code.
    pub async fn propose_variant(&self, wish: &Variant, by: &str, at: i64) -> Result<Pushed, EngineError> {
        let actor = self.authorise(by, Act::Upload, Some(&wish.owner_region), at).await?;
        let (base, granted) = self.base(&wish.activity, &wish.version, None).await?;
        let refused = |findings| EngineError::Findings { what: "the variant".into(), findings };
        let manifest = wish.manifest(&base.version.manifest, &granted).map_err(refused)?;
        let findings = self.check_variant(&manifest);
        if findings.iter().any(Finding::refuses) {
            return Err(refused(findings));
        }
        let component = variant::digest(&base.version.code, &manifest).map_err(EngineError::internal)?;
        self.is_new(&manifest, &component).await?;
        let version = Version {
            component: component.clone(),
            manifest: manifest.clone(),
            uploaded_by: by.to_owned(),
            uploaded_at: at,
            findings: findings.clone(),
            variant: Some((wish.clone(), base.version.component.clone())),
            ..base.version
        };
        let rules = self.store.gate_rules().await?;
        let of_a_city = !region::is_province(&wish.owner_region);
        let submission = Submission::submit(Deed { person: by.to_owned(), at }, of_a_city, rules.trial_review);
        let detail = json!({
            "component": component, "activity": manifest.name, "version": manifest.version,
            "state": submission.state(), "base": version.variant.as_ref().map(|(_, base)| base),
        });
        let entry = Entry::of(&actor, "variant-submitted", "", detail);
        let number = self.store.submit(&version, &submission, entry).await?;
        Ok(Pushed {
            submission: number,
            digest: component,
            activity: manifest.name,
            version: manifest.version,
            findings,
            // What its base answers, it answers.
            need: None,
        })
    }

    /// The version on which a variant rests, and its approval, which must hold.
    pub(crate) async fn base(
        &self,
        activity: &str,
        version: &semver::Version,
        component: Option<&str>,
    ) -> Result<(StoredSubmission, Approval), EngineError> {
        let all = self.submissions().await?;
        let named = |s: &&StoredSubmission| s.version.manifest.name == activity;
        if !all.iter().any(|s| named(&s)) {
            let near = nearest_hint(activity, all.iter().map(|s| s.version.manifest.name.as_str()));
            let hint = format!("A variant is one of an approved activity{near}");
            return Err(EngineError::refused("unknown-activity", format!("there is no activity {activity:?}"), hint));
        }
        let is_base = |s: &&StoredSubmission| {
            named(s)
                && s.version.manifest.version == *version
                && s.version.variant.is_none()
                && component.is_none_or(|component| s.version.component == component)
        };
        let found = all.iter().rfind(is_base).ok_or_else(|| {
            let known: Vec<String> = all.iter().filter(named).map(|s| s.version.manifest.version.to_string()).collect();
            let message = format!("there is no version {version} of {activity}");
            EngineError::refused("unknown-version", message, format!("Versions: {}", known.join(", ")))
        })?;
        if !found.submission.may_start() {
            let message = format!("{activity} {version}, on which it rests, is {}", found.submission.state());
            let hint = "A variant runs no longer than its base; see `care submission show`";
            return Err(EngineError::refused("base-not-running", message, hint));
        }
        let approval = self.sound(found).await?;
        Ok((found.clone(), approval))
    }

    /// Whether what a variant rests on still holds; nothing to ask where there is no base.
    pub(crate) async fn rests_on_its_base(
        &self,
        found: &StoredSubmission,
        approval: &Approval,
    ) -> Result<(), EngineError> {
        let Some((variant, base)) = &found.version.variant else { return Ok(()) };
        let (_, base) = self.base(&variant.activity, &variant.version, Some(base)).await?;
        let digest = base.digest().map_err(EngineError::internal)?;
        if approval.base.as_deref() == Some(digest.as_str()) {
            return Ok(());
        }
        let message = format!("{} {} rests on an approval that was replaced", approval.activity, approval.version);
        Err(EngineError::refused("base-replaced", message, "Withdraw it and propose it anew on the approval of now"))
    }

    /// What the gate asks of a manifest, but for the name of a variant in its version.
    fn check_variant(&self, manifest: &Manifest) -> Vec<Finding> {
        let version = semver::Version { build: BuildMetadata::EMPTY, ..manifest.version.clone() };
        let plain = Manifest { version, ..manifest.clone() };
        let mut findings = plain.check(&self.dictionary);
        findings.extend(check_params(&plain));
        findings
    }

    /// Whether no other variant of that name was ever proposed for the version.
    async fn is_new(&self, manifest: &Manifest, component: &str) -> Result<(), EngineError> {
        let all = self.submissions().await?;
        let taken = |s: &&StoredSubmission| {
            let version = &s.version;
            version.manifest.name == manifest.name
                && version.manifest.version == manifest.version
                && version.component != component
        };
        match all.iter().find(taken) {
            None => Ok(()),
            Some(other) => {
                let message = format!("{} {} is submission {} already", manifest.name, manifest.version, other.id);
                let hint = format!("Choose another name, such as {}-2", manifest.version.build);
                Err(EngineError::refused("variant-exists", message, hint))
            }
        }
    }
}
