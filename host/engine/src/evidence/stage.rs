//! The two worlds of a simulation and what both are compared by.

use crate::campaign::checked_params;
use crate::plan::{Due, DueCampaign, Ground, World};
use crate::wording::Wording;
use crate::{Engine, EngineError, PlanRequest};
use care_domain::approval::Approval;
use care_domain::contact::Channel;
use care_domain::evidence::{Displaced, Evidence, Overlap, PRESSURE_DAYS, Shadow, Subject};
use care_domain::manifest::Manifest;
use care_domain::plan::Limits;
use care_domain::render::Labels;
use care_domain::time::{self, DAY_MS};
use care_store::Version;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The campaign id of the simulated version.
pub(crate) const SIMULATED: &str = "simulated";

/// What a simulation is played on.
pub(crate) struct Stage {
    pub(super) subject: Subject,
    /// The active campaigns as they are.
    pub(super) before: World,
    /// The same without those of the activity, and with the simulated version.
    pub(super) after: World,
    /// Named lists that some campaign reads in either world.
    pub(super) lists: Vec<String>,
    pub(super) wording: Wording,
    /// What release shares out in either world.
    pub(super) limits: Limits,
    /// Contacts planned before this instant press nobody any more, Unix milliseconds.
    pub(super) pressing_since: i64,
    empty: Evidence,
}

impl Stage {
    /// Evidence of no customers, with every campaign that is compared.
    pub(crate) fn empty(&self) -> Evidence {
        self.empty.clone()
    }

    /// The other campaigns: those that take part in both worlds.
    pub(super) fn others(&self) -> impl Iterator<Item = &Due> {
        self.before.due.iter().filter(|due| due.terms.activity != self.subject.activity)
    }

    /// The running campaigns of the activity.
    pub(super) fn running(&self) -> impl Iterator<Item = &Due> {
        self.before.due.iter().filter(|due| due.terms.activity == self.subject.activity)
    }
}

impl Stage {
    /// One activity by itself, which is the only campaign of `world`: compared with nothing at all.
    pub(super) fn alone(world: &World, manifest: &Manifest, labels: Labels) -> Result<Self, EngineError> {
        let World { pins, policy, .. } = world;
        let Some(campaign) = pins.campaigns.first() else {
            return Err(EngineError::internal("a world without a campaign is simulated"));
        };
        let subject = Subject {
            activity: manifest.name.clone(),
            version: manifest.version.clone(),
            component: campaign.component.clone(),
            approval: campaign.approval.clone(),
            params: campaign.params.clone(),
            date: pins.date,
            instant: pins.instant,
            snapshot: pins.snapshot.clone(),
            policy: pins.policy.clone(),
            mark: 0,
            sms_price_fen: policy.prices_fen.get(&Channel::Sms).copied().unwrap_or(0),
            sale: manifest.goal.sale,
        };
        Ok(Self {
            empty: empty(&subject, manifest, &[]),
            wording: Wording::new(manifest, labels, pins.frame.clone())?,
            pressing_since: pressing_since(pins.date)?,
            subject,
            before: without_campaigns(world),
            after: without_campaigns(world),
            lists: Vec::new(),
            limits: Limits::default(),
        })
    }
}

fn without_campaigns(world: &World) -> World {
    World {
        pins: world.pins.clone(),
        due: Vec::new(),
        policy: world.policy.clone(),
        snapshot: world.snapshot.clone(),
        disaster_areas: world.disaster_areas.clone(),
        lists: Vec::new(),
        blocked: Vec::new(),
        budgets: BTreeMap::new(),
    }
}

impl Engine {
    /// Gathers both worlds, with the checks of a plan.
    pub(super) async fn stage(
        &self,
        version: &Version,
        approval: &Approval,
        params: &Map<String, Value>,
        request: &PlanRequest,
    ) -> Result<Stage, EngineError> {
        let simulated = simulated(version, approval, params)?;
        let ground = self.ground(request).await?;
        let (active, _) = self.due_campaigns(request).await?;
        let mark = self.store.mark().await?;
        // A variant runs beside its base, which yields to it; another version takes the place of those before.
        let name = variant_of(version);
        let ours = |campaign: &DueCampaign| {
            let theirs = &campaign.version;
            theirs.manifest.name == version.manifest.name && (name.is_none() || variant_of(theirs) == name)
        };
        let mut entrants: Vec<DueCampaign> = active.iter().filter(|c| !ours(c)).cloned().collect();
        entrants.push(simulated.clone());
        let before = self.world_with(&active, &ground, request).await?;
        let mut after = self.world_with(&entrants, &ground, request).await?;
        // Ties are broken by the campaign's id: the one that it would be given decides as it will.
        let id = self.next_campaign(&version.manifest.name).await?;
        after.due.iter_mut().filter(|d| d.campaign == SIMULATED).for_each(|d| d.terms.campaign.clone_from(&id));
        let subject = subject(&simulated, &ground, request, mark);
        let lists = before.lists.iter().chain(&after.lists).cloned().collect();
        let mut limits = self.limits(&before, "").await?;
        limits.budgets.extend(self.limits(&after, "").await?.budgets);
        Ok(Stage {
            limits,
            empty: empty(&subject, &version.manifest, &active),
            wording: Wording::new(&version.manifest, ground.tables.labels(), ground.frame)?,
            pressing_since: pressing_since(request.date)?,
            subject,
            before,
            after,
            lists,
        })
    }

    /// The id that the next campaign of an activity gets.
    async fn next_campaign(&self, activity: &str) -> Result<String, EngineError> {
        let campaigns = self.store.campaigns().await?;
        Ok(format!("{activity}-{}", campaigns.iter().filter(|c| c.activity == activity).count() + 1))
    }
}

fn variant_of(version: &Version) -> Option<&str> {
    version.variant.as_ref().map(|(variant, _)| variant.name.as_str())
}

fn simulated(version: &Version, approval: &Approval, params: &Map<String, Value>) -> Result<DueCampaign, EngineError> {
    let bounded = Manifest { params: approval.params.clone(), ..version.manifest.clone() };
    Ok(DueCampaign {
        id: SIMULATED.to_owned(),
        version: version.clone(),
        approval: approval.clone(),
        approval_digest: approval.digest().map_err(EngineError::internal)?,
        params: checked_params(&bounded, params)?,
        areas: approval.standby.as_ref().map_or_else(Vec::new, |standby| standby.areas.clone()),
        max_snapshot_days: u16::MAX,
        share: None,
    })
}

fn subject(simulated: &DueCampaign, ground: &Ground, request: &PlanRequest, mark: i64) -> Subject {
    let manifest = &simulated.version.manifest;
    Subject {
        activity: manifest.name.clone(),
        version: manifest.version.clone(),
        component: simulated.version.component.clone(),
        approval: simulated.approval_digest.clone(),
        params: simulated.params.clone(),
        date: request.date,
        instant: request.instant,
        snapshot: ground.snapshot.id().to_owned(),
        policy: ground.policy_digest.clone(),
        mark,
        sms_price_fen: ground.policy.prices_fen.get(&Channel::Sms).copied().unwrap_or(0),
        sale: manifest.goal.sale,
    }
}

fn empty(subject: &Subject, manifest: &Manifest, active: &[DueCampaign]) -> Evidence {
    let mut evidence = Evidence::about(subject.clone());
    for DueCampaign { id, version, .. } in active {
        let theirs = &version.manifest;
        if theirs.name == manifest.name {
            evidence.shadows.insert(id.clone(), Shadow::of(theirs.version.clone()));
            continue;
        }
        let overlap = Overlap {
            activity: theirs.name.clone(),
            entries: common(&manifest.catalogue, &theirs.catalogue),
            ..Overlap::default()
        };
        evidence.overlaps.insert(id.clone(), overlap);
        evidence.displaced.insert(id.clone(), Displaced::default());
    }
    evidence
}

fn common(ours: &[String], theirs: &[String]) -> Vec<String> {
    let mut entries: Vec<String> = ours.iter().filter(|entry| theirs.contains(entry)).cloned().collect();
    entries.sort();
    entries.dedup();
    entries
}

/// Pressure is counted from so many days before the end of the business date on; its horizon is the last contact
/// that this pass plans, so what is planned for later counts too.
fn pressing_since(date: i32) -> Result<i64, EngineError> {
    let end = time::day_begins(date.saturating_add(1));
    let end = end.ok_or_else(|| EngineError::internal(format!("day {date} has no end")))?;
    Ok(end - i64::from(PRESSURE_DAYS) * DAY_MS)
}
