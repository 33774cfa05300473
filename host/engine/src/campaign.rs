//! Campaigns: an approved version with parameters, pinned.

use crate::plan::is_planned;
use crate::{Engine, EngineError, Watch};
use care_domain::approval::Approval;
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::evidence::Evidence;
use care_domain::manifest::{Manifest, World};
use care_domain::person::{Act, Actor};
use care_domain::ramp::Ramp;
use care_domain::switch::Scope;
use care_domain::text::{Finding, nearest_hint};
use care_store::{Campaign, StoredSubmission, Thrown};
use semver::VersionReq;
use serde_json::{Map, Value, json};

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct NewCampaign {
    /// Activity name.
    pub activity: String,
    /// Which versions will do: the newest approved one that fits is pinned.
    pub requirement: VersionReq,
    /// The variant of that name rather than the activity as it was uploaded.
    pub variant: Option<String>,
    /// Parameters that differ from their defaults.
    pub params: Map<String, Value>,
    /// The oldest snapshot that it may run on, in days before the business date; a week when absent.
    pub max_snapshot_days: Option<u16>,
    /// In which steps it ramps up; with everybody who was granted when absent.
    pub ramp: Option<Ramp>,
}

/// A week-old snapshot is the oldest that anybody is contacted on, unless a campaign says otherwise †.
pub(crate) const MAX_SNAPSHOT_DAYS: u16 = 7;

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
        self.authorise(by, Act::RunCampaigns, None, at).await?;
        let submissions = self.submissions().await?;
        let pinned = newest_approved(&submissions, new)?;
        let region = &pinned.version.manifest.owner_region;
        let actor = self.authorise(by, Act::RunCampaigns, Some(region), at).await?;
        let approval = self.vouched(pinned).await?;
        not_on_standby(&approval)?;
        not_a_model(&pinned.version.manifest)?;
        let campaign = pin(pinned, &approval, new, &actor)?;
        self.not_twice(&campaign).await?;
        self.make_active(pinned, &actor).await?;
        let entry = Entry::of(&actor, "campaign-started", "", pinning(&campaign));
        let id = self.store.start_campaign(&campaign, None, entry).await?;
        let version = pinned.version.manifest.version.clone();
        Ok(Started { campaign: id, version, digest: campaign.component })
    }

    /// What starting a campaign would do on the day of the newest snapshot: the evidence that an approver reads, of the
    /// approved version with these parameters. Nothing is kept, and a ramp is not asked: it shows whom all steps reach.
    pub async fn estimate_campaign(
        &self,
        new: &NewCampaign,
        workers: usize,
        (by, at): (&str, i64),
        watch: Watch,
    ) -> Result<Evidence, EngineError> {
        self.authorise(by, Act::RunCampaigns, None, at).await?;
        let submissions = self.submissions().await?;
        let pinned = newest_approved(&submissions, new)?;
        not_a_model(&pinned.version.manifest)?;
        let region = &pinned.version.manifest.owner_region;
        let actor = self.authorise(by, Act::RunCampaigns, Some(region), at).await?;
        let approval = self.vouched(pinned).await?;
        not_on_standby(&approval)?;
        self.not_twice(&pin(pinned, &approval, new, &actor)?).await?;
        let request = self.trial_request(workers).await?;
        self.gather_evidence(&pinned.version, &approval, &new.params, &request, watch).await
    }

    /// Points a running campaign at another approved version, for plans to come: a newer one, or back to an older one.
    /// The same customers stay in its control group, and nobody is contacted twice about an occasion.
    pub async fn repoint_campaign(
        &self,
        id: &str,
        requirement: &VersionReq,
        params: &Map<String, Value>,
        by: &str,
        at: i64,
    ) -> Result<Started, EngineError> {
        let (before, actor) = self.campaign_to_change(id, by, at).await?;
        let activity = before.activity.clone();
        let submissions = self.store.submissions().await?;
        // A campaign of a variant stays with that variant, whichever version it rests on.
        let running = submissions.iter().find(|s| s.version.component == before.component);
        let variant = running.and_then(|s| s.version.variant.as_ref()).map(|(variant, _)| variant.name.clone());
        let new = NewCampaign {
            activity,
            requirement: requirement.clone(),
            variant,
            params: params.clone(),
            max_snapshot_days: Some(before.max_snapshot_days),
            ramp: before.ramp.clone(),
        };
        let pinned = newest_approved(&submissions, &new)?;
        let approval = self.vouched(pinned).await?;
        not_on_standby(&approval)?;
        let campaign = Campaign { id: before.id, ..pin(pinned, &approval, &new, &actor)? };
        self.make_active(pinned, &actor).await?;
        let entry = Entry::of(&actor, "campaign-repointed", format!("campaign {id}"), pinning(&campaign));
        if !self.store.repoint_campaign(&campaign, &entry).await? {
            return Err(stopped(id));
        }
        Ok(Started {
            campaign: campaign.id,
            version: pinned.version.manifest.version.clone(),
            digest: campaign.component,
        })
    }

    /// Two campaigns of an activity with the same parameters would claim every occasion twice.
    async fn not_twice(&self, new: &Campaign) -> Result<(), EngineError> {
        let all = self.store.campaigns().await?;
        let twin = all.iter().find(|c| c.active && c.component == new.component && c.params == new.params);
        let Some(twin) = twin else { return Ok(()) };
        let message = format!(
            "campaign {} runs {} with the same parameters: both would claim the same occasions",
            twin.id, new.activity
        );
        let hint = "Stop it first, point it at another version with `care campaign repoint`, or give other parameters";
        Err(EngineError::refused("same-campaign", message, hint))
    }

    /// The first campaign makes an approved version an active one.
    pub(crate) async fn make_active(&self, pinned: &StoredSubmission, actor: &Actor) -> Result<(), EngineError> {
        if pinned.submission.may_run() {
            return Ok(());
        }
        let before = pinned.submission.state();
        let after = pinned.submission.clone().activate().map_err(EngineError::internal)?;
        let entry = Entry::of(actor, "version-activated", "", json!({}));
        self.store.transition(pinned.id, before, &after, None, &entry).await?;
        Ok(())
    }

    /// A campaign by its id.
    pub async fn campaign(&self, id: &str) -> Result<Campaign, EngineError> {
        let all = self.campaigns().await?;
        let known: Vec<&str> = all.iter().map(|c| c.id.as_str()).collect();
        let hint = format!("Campaigns: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") });
        all.iter()
            .find(|c| c.id == id)
            .cloned()
            .ok_or_else(|| EngineError::refused("unknown-campaign", format!("there is no campaign {id:?}"), hint))
    }

    /// A campaign with somebody who may change it: a city's operator none of the province's.
    pub(crate) async fn campaign_to_change(
        &self,
        id: &str,
        by: &str,
        at: i64,
    ) -> Result<(Campaign, Actor), EngineError> {
        self.authorise(by, Act::RunCampaigns, None, at).await?;
        let campaign = self.campaign(id).await?;
        let submissions = self.store.submissions().await?;
        let running = submissions.iter().find(|s| s.version.component == campaign.component);
        let region = running.map(|s| s.version.manifest.owner_region.as_str());
        let actor = self.authorise(by, Act::RunCampaigns, region, at).await?;
        Ok((campaign, actor))
    }

    /// Pauses a campaign: nothing of it is planned or handed to a gateway until it goes on, and what waits goes on waiting.
    pub async fn pause_campaign(&self, id: &str, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let (campaign, actor) = self.campaign_to_change(id, by, at).await?;
        if !campaign.active {
            return Err(stopped(id));
        }
        let reason = reason.trim();
        let entry = Entry::of(&actor, "campaign-paused", format!("campaign {id}"), json!({})).because(reason);
        let scope = Scope::Campaign(campaign.id);
        let thrown = Thrown { scope, person: by.to_owned(), at, reason: reason.to_owned() };
        if self.store.throw_switch(&thrown, &entry).await? {
            return Ok(());
        }
        Err(EngineError::refused("already-paused", format!("campaign {id} is paused already"), "Nothing to do"))
    }

    /// Lets a paused campaign go on.
    pub async fn resume_campaign(&self, id: &str, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let (campaign, actor) = self.campaign_to_change(id, by, at).await?;
        let entry = Entry::of(&actor, "campaign-resumed", format!("campaign {id}"), json!({})).because(reason.trim());
        if self.store.lift_switch(&Scope::Campaign(campaign.id), &entry).await? {
            return Ok(());
        }
        Err(EngineError::refused("not-paused", format!("campaign {id} is not paused"), "Nothing to do"))
    }

    /// Who paused a campaign, if somebody did.
    pub async fn pause_of(&self, id: &str) -> Result<Option<Thrown>, EngineError> {
        let is_it = |thrown: &Thrown| matches!(&thrown.scope, Scope::Campaign(paused) if paused == id);
        Ok(self.store.switches().await?.into_iter().find(is_it))
    }

    /// Stops a campaign; what waits of it is withdrawn. Returns how many contacts that were.
    pub async fn stop_campaign(&self, id: &str, by: &str, at: i64) -> Result<u64, EngineError> {
        let (_, actor) = self.campaign_to_change(id, by, at).await?;
        let entry = Entry::of(&actor, "campaign-stopped", format!("campaign {id}"), json!({}));
        self.store.stop_campaign(id, &entry).await?.ok_or_else(|| stopped(id))
    }
}

fn stopped(id: &str) -> EngineError {
    EngineError::refused("already-stopped", format!("campaign {id} is stopped already"), "Nothing to do")
}

/// A campaign of a version, on the approval that vouches for it, with these parameters; not kept yet.
pub(crate) fn pin(
    pinned: &StoredSubmission,
    approval: &Approval,
    new: &NewCampaign,
    actor: &Actor,
) -> Result<Campaign, EngineError> {
    let manifest = &pinned.version.manifest;
    may_ramp(new, manifest)?;
    Ok(Campaign {
        id: String::new(),
        activity: manifest.name.clone(),
        requirement: new.requirement.to_string(),
        component: pinned.version.component.clone(),
        approval: approval.digest().map_err(EngineError::internal)?,
        params: checked_params(manifest, &new.params)?,
        max_snapshot_days: new.max_snapshot_days.unwrap_or(MAX_SNAPSHOT_DAYS),
        ramp: new.ramp.clone(),
        active: true,
        started_by: actor.person.clone(),
        started_at: actor.at,
    })
}

/// Steps are counted in dates of plans.
fn may_ramp(new: &NewCampaign, manifest: &Manifest) -> Result<(), EngineError> {
    let Some(ramp) = &new.ramp else { return Ok(()) };
    ramp.check().map_err(EngineError::Refused)?;
    if is_planned(&manifest.triggers) {
        return Ok(());
    }
    let message = format!("{} is started by events or at a touchpoint, and no plan counts its days", manifest.name);
    Err(EngineError::refused("bad-ramp", message, "Start it without a ramp; an approval may confine it to a share"))
}

/// A model contacts nobody.
fn not_a_model(manifest: &Manifest) -> Result<(), EngineError> {
    if manifest.world != World::Model {
        return Ok(());
    }
    let message = format!("{} is a model: it adds a column to snapshots, and is no campaign", manifest.name);
    Err(EngineError::refused("is-a-model", message, format!("Run it with `care model run {}`", manifest.name)))
}

/// What waits for an emergency is not started like any other campaign.
fn not_on_standby(approval: &Approval) -> Result<(), EngineError> {
    if approval.standby.is_none() {
        return Ok(());
    }
    let message = format!("{} {} is approved on standby", approval.activity, approval.version);
    Err(EngineError::refused("on-standby", message, "A duty officer activates it with `care standby activate`"))
}

fn pinning(campaign: &Campaign) -> Value {
    let mut pinned = json!({"component": campaign.component, "approval": campaign.approval, "params": campaign.params});
    if let Some(ramp) = &campaign.ramp {
        pinned["ramp"] = json!(ramp);
    }
    pinned
}

pub(crate) fn newest_approved<'a>(
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
    let wanted = |s: &&&StoredSubmission| {
        let variant = s.version.variant.as_ref().map(|(variant, _)| variant.name.as_str());
        variant == new.variant.as_deref() && new.requirement.matches(&s.version.manifest.version)
    };
    let fits = named.iter().filter(wanted);
    if let Some(best) = fits.clone().filter(|s| s.submission.may_start()).max_by_key(|s| &s.version.manifest.version) {
        return Ok(best);
    }
    let states: Vec<String> =
        named.iter().map(|s| format!("{} is {}", s.version.manifest.version, s.submission.state())).collect();
    Err(EngineError::refused(
        "not-approved",
        format!("no approved {} fits {}: {}", named_variant(new), new.requirement, states.join(", ")),
        "Have it approved with `care submission approve`, or ask for another version",
    ))
}

fn named_variant(new: &NewCampaign) -> String {
    match &new.variant {
        Some(variant) => format!("variant {variant} of {}", new.activity),
        None => format!("version of {}", new.activity),
    }
}

/// Whether the parameters that a campaign keeps still lie within what was approved.
pub(crate) fn check_kept_params(campaign: &Campaign, manifest: &Manifest) -> Result<(), EngineError> {
    let bad = |what: String| {
        let message = format!("campaign {}: its parameters were changed: {what}", campaign.id);
        EngineError::refused("approval-unsound", message, "Stop it and start it anew")
    };
    let kept: Map<String, Value> = serde_json::from_str(&campaign.params).map_err(|e| bad(e.to_string()))?;
    match checked_params(manifest, &kept) {
        Ok(same) if same == campaign.params => Ok(()),
        Ok(_) => Err(bad("they are not as this program writes them".into())),
        Err(error) => Err(bad(error.findings().iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join("; "))),
    }
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
