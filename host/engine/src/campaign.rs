//! Campaigns: an approved version with parameters, pinned.

use crate::{Engine, EngineError};
use care_domain::canonical;
use care_domain::manifest::Manifest;
use care_domain::text::{Finding, nearest_hint};
use care_store::{Campaign, StoredSubmission};
use semver::VersionReq;
use serde_json::{Map, Value};

/// What to start.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    /// Activity name.
    pub activity: String,
    /// Which versions will do: the newest approved one that fits is pinned.
    pub requirement: VersionReq,
    /// Parameters that differ from their defaults.
    pub params: Map<String, Value>,
}

/// A started campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub campaign: String,
    /// The version that was pinned.
    pub version: semver::Version,
    /// Its digest.
    pub digest: String,
}

impl Engine {
    /// Starts a campaign with the newest approved version that fits the requirement.
    pub async fn start_campaign(&self, new: &NewCampaign, by: &str, at: i64) -> Result<Started, EngineError> {
        let submissions = self.store.submissions().await?;
        let pinned = newest_approved(&submissions, new)?;
        let manifest = &pinned.version.manifest;
        let params = checked_params(manifest, &new.params)?;
        let approval = pinned.approval.as_ref().map(care_domain::approval::Approval::digest);
        let approval = approval.transpose().map_err(EngineError::internal)?.unwrap_or_default();
        let campaign = Campaign {
            id: String::new(),
            activity: manifest.name.clone(),
            requirement: new.requirement.to_string(),
            component: pinned.version.component.clone(),
            approval,
            params,
            active: true,
            started_by: by.to_owned(),
            started_at: at,
        };
        let id = self.store.start_campaign(&campaign).await?;
        Ok(Started { campaign: id, version: manifest.version.clone(), digest: campaign.component })
    }

    /// A campaign by its id.
    pub async fn campaign(&self, id: &str) -> Result<Campaign, EngineError> {
        let all = self.store.campaigns().await?;
        let known: Vec<&str> = all.iter().map(|c| c.id.as_str()).collect();
        let hint = format!("Campaigns: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") });
        all.iter()
            .find(|c| c.id == id)
            .cloned()
            .ok_or_else(|| EngineError::refused("unknown-campaign", format!("there is no campaign {id:?}"), hint))
    }

    /// Stops a campaign; what waits of it is withdrawn. Returns how many contacts that were.
    pub async fn stop_campaign(&self, id: &str, at: i64) -> Result<u64, EngineError> {
        self.campaign(id).await?;
        self.store.stop_campaign(id, at).await?.ok_or_else(|| {
            EngineError::refused("already-stopped", format!("campaign {id} is stopped already"), "Nothing to do")
        })
    }
}

fn newest_approved<'a>(
    submissions: &'a [StoredSubmission],
    new: &NewCampaign,
) -> Result<&'a StoredSubmission, EngineError> {
    let named: Vec<&StoredSubmission> =
        submissions.iter().filter(|s| s.version.manifest.name == new.activity).collect();
    if named.is_empty() {
        let near = nearest_hint(&new.activity, submissions.iter().map(|s| s.version.manifest.name.as_str()));
        let hint = format!("Upload it with `care plugin push` first{near}");
        return Err(EngineError::refused("unknown-activity", format!("there is no activity {:?}", new.activity), hint));
    }
    let fits = named.iter().filter(|s| new.requirement.matches(&s.version.manifest.version));
    if let Some(best) = fits.clone().filter(|s| s.approval.is_some()).max_by_key(|s| &s.version.manifest.version) {
        return Ok(best);
    }
    let states: Vec<String> =
        named.iter().map(|s| format!("{} is {}", s.version.manifest.version, s.submission.state())).collect();
    Err(EngineError::refused(
        "not-approved",
        format!("no approved version of {} fits {}: {}", new.activity, new.requirement, states.join(", ")),
        "Have it approved with `care submission approve`, or ask for another version",
    ))
}

/// The parameters as canonical JSON: defaults overlaid with what was given, valid by the approved schema.
pub(crate) fn checked_params(manifest: &Manifest, given: &Map<String, Value>) -> Result<String, EngineError> {
    let values = care_domain::manifest::defaults(&manifest.params, given).map_err(EngineError::internal)?;
    let validator = jsonschema::validator_for(&manifest.params).map_err(EngineError::internal)?;
    let findings: Vec<Finding> = validator
        .iter_errors(&values)
        .map(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the parameters".to_owned() } else { format!("parameter {place}") };
            let known: Vec<&str> = values.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let known: Vec<&str> =
                known.into_iter().filter(|name| manifest.params["properties"].get(name).is_some()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let hint = format!("Parameters of {} {}: {known}", manifest.name, manifest.version);
            Finding::error("bad-parameter", format!("{place}: {error}"), hint)
        })
        .collect();
    if !findings.is_empty() {
        return Err(EngineError::Findings { what: "the campaign".into(), findings });
    }
    canonical::json(&values).map_err(EngineError::internal)
}
