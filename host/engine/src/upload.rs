//! Upload: a component is checked as a whole, kept under its digest, and submitted.

use crate::plugins::Compiler;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::diff;
use care_domain::field::Dictionary;
use care_domain::governance::{Deed, Submission};
use care_domain::manifest::{Manifest, World};
use care_domain::need::Need;
use care_domain::person::Act;
use care_domain::region;
use care_domain::text::Finding;
use care_sandbox::{MachineCode, Report, package};
use care_store::Version;
use serde_json::json;

/// What an upload led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Pushed {
    /// Number of the submission.
    pub submission: i64,
    /// Digest of the component.
    pub digest: String,
    /// Activity name.
    pub activity: String,
    /// Version.
    pub version: semver::Version,
    /// What the checks found; none of it refuses.
    pub findings: Vec<Finding>,
    /// The published need that it answers; where none asks for it, the catalogue entry of its manifest stands for one.
    pub need: Option<i64>,
}

impl Engine {
    /// Uploads a component that a branch signed: checked, kept, submitted, all or nothing. The same one again changes nothing.
    pub async fn push(&self, component: &[u8], by: &str, at: i64) -> Result<Pushed, EngineError> {
        self.push_for(component, None, by, at).await
    }

    /// The same, as the answer to a published need; the newest one of an entry of its manifest when absent.
    pub async fn push_for(
        &self,
        component: &[u8],
        need: Option<i64>,
        by: &str,
        at: i64,
    ) -> Result<Pushed, EngineError> {
        let (component, signature) = package::split_signature(component);
        let (engine, bytes) = (self.clone(), component.clone());
        let job = tokio::task::spawn_blocking(move || check(&engine.compiler, &engine.dictionary, &bytes));
        let (report, code) = job.await.map_err(EngineError::internal)??;
        let refused = |findings| EngineError::Findings { what: "the plugin".into(), findings };
        let (Some(manifest), Some(code)) = (report.manifest, code) else { return Err(refused(report.findings)) };
        let actor = self.authorise(by, Act::Upload, Some(&manifest.owner_region), at).await?;
        self.is_newest(&manifest, &report.digest).await?;
        let key = self.signer_of(&report.digest, signature.as_deref(), &manifest).await?;
        let need = self.need_of(&manifest, need).await?;
        let digest = self.store.blobs().put(&component)?;
        self.cache.put(&digest, &code)?;
        let version = Version {
            component: digest.clone(),
            code: digest.clone(),
            manifest: manifest.clone(),
            uploaded_by: by.to_owned(),
            uploaded_at: at,
            origin: manifest.name.clone(),
            key: key.id,
            signed_by: key.owner,
            findings: report.findings.clone(),
            variant: None,
        };
        let rules = self.store.gate_rules().await?;
        let author = Deed { person: by.to_owned(), at };
        let submission = Submission::submit(author, !region::is_province(&manifest.owner_region), rules.trial_review);
        let detail = json!({
            "component": digest, "activity": manifest.name, "version": manifest.version, "state": submission.state(),
        });
        let entry = Entry::of(&actor, "version-submitted", "", detail);
        let number = self.store.submit(&version, &submission, entry).await?;
        if let Some(need) = need {
            let detail = json!({"activity": manifest.name});
            let entry = Entry::of(&actor, "need-answered", format!("need {need}"), detail);
            // That it answers it already is no news.
            self.store.answer_need(need, &manifest.name, &entry).await?;
        }
        Ok(Pushed {
            submission: number,
            digest,
            activity: manifest.name,
            version: manifest.version,
            findings: report.findings,
            need,
        })
    }

    /// The published need that a version answers: the named one, else the newest of an entry of its catalogue.
    async fn need_of(&self, manifest: &Manifest, named: Option<i64>) -> Result<Option<i64>, EngineError> {
        let entries = manifest.catalogue.join(", ");
        let asks = |need: &Need| manifest.catalogue.contains(&need.entry) && need.may_be_answered().is_ok();
        if let Some(id) = named {
            let (need, _) = self.need(id).await?;
            if asks(&need) {
                return Ok(Some(id));
            }
            let message =
                format!("need {id} asks for {} and is {}; this is for {entries}", need.entry, need.state.name());
            let hint = "Name a published need of an entry of its catalogue: see `care need list`";
            return Err(EngineError::refused("other-need", message, hint));
        }
        let newest = self.store.needs().await?.into_iter().rfind(|(_, (need, _))| asks(need)).map(|(id, _)| id);
        let asked = self.store.gate_rules().await?.published_need && manifest.world != World::Model;
        match newest {
            None if asked => {
                let message = format!("no published need asks for {entries}, and this installation asks for one");
                let hint = "Have a need published (`care need open`, `analyse`, `publish`) and name it with --need; \
                            an administrator may allow others with `care gate set --published-need false`";
                Err(EngineError::refused("no-need", message, hint))
            }
            newest => Ok(newest),
        }
    }

    /// A version is newer than every other of its activity, and its number says what changed since the newest.
    async fn is_newest(&self, manifest: &Manifest, digest: &str) -> Result<(), EngineError> {
        let known = self.store.submissions().await?;
        let same = known.iter().map(|s| &s.version).filter(|v| v.manifest.name == manifest.name && v.variant.is_none());
        let Some(newest) = same.clone().max_by_key(|v| &v.manifest.version).map(|v| &v.manifest) else {
            return Ok(());
        };
        if same.clone().any(|v| v.component == digest) {
            return Ok(());
        }
        if newest.version >= manifest.version {
            return Err(EngineError::refused(
                "version-not-newer",
                format!("{} {} is uploaded already, and this is {}", manifest.name, newest.version, manifest.version),
                "Raise `version` in activity.toml: major when the answer to old parameters changes, minor for more",
            ));
        }
        diff::check_bump(newest, manifest).map_or(Ok(()), |finding| Err(EngineError::Refused(finding)))
    }
}

/// Checks a component without keeping anything; what is accepted comes with its machine code. An error says nothing
/// about the component.
pub(crate) fn check(
    compiler: &Compiler,
    dictionary: &Dictionary,
    component: &[u8],
) -> Result<(Report, Option<MachineCode>), EngineError> {
    let mut report = care_sandbox::inspect(component, dictionary);
    let mut code = None;
    if let Some(manifest) = &report.manifest {
        report.findings.extend(check_params(manifest));
        if !report.findings.iter().any(Finding::refuses) {
            match try_out(compiler, manifest, dictionary, component, &mut report.findings) {
                Ok(made) => code = Some(made),
                Err(EngineError::Refused(finding)) => report.findings.push(finding),
                Err(error) => return Err(error),
            }
        }
    }
    report.accepted = !report.findings.iter().any(Finding::refuses);
    let code = code.filter(|_| report.accepted);
    Ok((report, code))
}

/// Compiles a component and runs it on the golden batch.
fn try_out(
    compiler: &Compiler,
    manifest: &Manifest,
    dictionary: &Dictionary,
    component: &[u8],
    findings: &mut Vec<Finding>,
) -> Result<MachineCode, EngineError> {
    let code = compiler.compile(component)?;
    findings.extend(compiler.smoke(&code, manifest, dictionary)?);
    Ok(code)
}

/// Whether the parameter schema is one, and its defaults fit it.
pub(crate) fn check_params(manifest: &Manifest) -> Vec<Finding> {
    let hint = "Write params as a JSON Schema of an object whose defaults are valid";
    let defaults = match care_domain::manifest::defaults(&manifest.params, &serde_json::Map::new()) {
        Ok(defaults) => defaults,
        Err(_) => return Vec::new(),
    };
    match jsonschema::validator_for(&manifest.params) {
        Err(error) => vec![Finding::error("manifest-params", format!("params is no JSON Schema: {error}"), hint)],
        Ok(validator) => validator
            .iter_errors(&defaults)
            .map(|e| {
                Finding::error(
                    "manifest-params",
                    format!("the default at {:?}: {e}", e.instance_path().to_string()),
                    hint,
                )
            })
            .collect(),
    }
}
