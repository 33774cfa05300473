//! What a plan needs of the world before it starts: due campaigns with their compiled plugins, the policy,
//! reference tables, the snapshot; and the pins over all of it.

use super::preflight;
use crate::reference::{self, LoadedTables};
use crate::standby;
use crate::wording::Wording;
use crate::{Engine, EngineError, PlanRequest};
use care_domain::approval::Approval;
use care_domain::decide::Terms;
use care_domain::field::{FieldType, LIST_PREFIX, Stage, is_supplied};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::manifest::{Manifest, Triggers};
use care_domain::plan::{Limits, PinnedCampaign, Pins};
use care_domain::policy::Policy;
use care_domain::sms::Frame;
use care_domain::switch::Scope;
use care_domain::text::{Finding, nearest_hint};
use care_domain::time;
use care_population::Snapshot;
use care_sandbox::{Grants, Plugin, RunFacts};
use care_store::{Campaign, History, StoredSubmission, Version};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Members of named lists among the customers of a bucket, by list.
pub(crate) type Lists = BTreeMap<String, HashSet<CustomerKey>>;

/// A campaign that is to take part: a version with what was granted it, and parameters.
#[derive(Clone)]
pub(crate) struct DueCampaign {
    /// Campaign id.
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) approval: Approval,
    /// The digest under which the campaign was started.
    pub(crate) approval_digest: String,
    /// Canonical JSON of the parameters.
    pub(crate) params: String,
    /// Areas for which it was activated on standby; none for everywhere.
    pub(crate) areas: Vec<String>,
    /// The oldest snapshot that it may run on, in days before the business date.
    pub(crate) max_snapshot_days: u16,
    /// The share of its customers to which its ramp confines it on the date, in parts of 10,000.
    pub(crate) share: Option<u16>,
}

/// What plans of a date stand on, whatever campaigns are due.
pub(crate) struct Ground {
    pub(crate) snapshot: Snapshot,
    pub(crate) policy: Policy,
    pub(crate) policy_digest: String,
    pub(crate) tables: LoadedTables,
    pub(crate) frame: Frame,
}

/// A campaign that takes part.
pub(crate) struct Due {
    pub(crate) campaign: String,
    /// The manifest as granted.
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) component: String,
    pub(crate) terms: Terms,
    /// Campaign ids of the whole plan, by index of their terms.
    pub(crate) rivals: Arc<[String]>,
    pub(crate) plugin: Plugin,
    pub(crate) facts: RunFacts,
    pub(crate) grants: Grants,
    /// By what its messages are priced, where a budget pays for them.
    pub(crate) wording: Option<Wording>,
}

/// Everything a task reads that is not the ledger.
pub(crate) struct World {
    pub(crate) pins: Pins,
    pub(crate) due: Vec<Due>,
    pub(crate) policy: Policy,
    pub(crate) snapshot: Snapshot,
    /// Codes of the areas in which a disaster is on at the business date.
    pub(crate) disaster_areas: Vec<String>,
    /// Named lists that some plugin reads.
    pub(crate) lists: Vec<String>,
    /// Why campaigns that are due were left out.
    pub(crate) blocked: Vec<Finding>,
    /// Budgets by digest of the approval: the version's component, and what it may cost in all, in fen.
    pub(crate) budgets: BTreeMap<String, (String, u64)>,
}

impl World {
    /// Whether anything is shared out among its candidates.
    pub(crate) fn is_limited(&self) -> bool {
        !self.policy.capacity.is_empty() || !self.budgets.is_empty()
    }
}

impl Engine {
    /// Gathers what the plan needs, and refuses what would make it fail halfway.
    pub(crate) async fn world(&self, request: &PlanRequest) -> Result<World, EngineError> {
        let ground = self.ground(request).await?;
        let (mut campaigns, mut blocked) = self.due_campaigns(request).await?;
        if let Some(scheduled) = &request.scheduled {
            campaigns.retain(|campaign| scheduled.campaigns.contains(&campaign.id));
        }
        let (campaigns, stale) = preflight::fresh_enough(campaigns, &ground.snapshot, request.date);
        blocked.extend(stale);
        if campaigns.is_empty() && !blocked.is_empty() {
            return Err(EngineError::Findings { what: "the plan".into(), findings: blocked });
        }
        if campaigns.is_empty() {
            let message = format!("no campaign is due on {}", time::write_date(request.date));
            let hint = "Start one with `care campaign start`; suspended and stopped ones take no part";
            return Err(EngineError::refused("nothing-due", message, hint));
        }
        let world = self.world_with(&campaigns, &ground, request).await?;
        self.keep_computed(&ground.tables)?;
        Ok(World { blocked, ..world })
    }

    /// Snapshot, policy and tables for a request. Nothing is written.
    pub(crate) async fn ground(&self, request: &PlanRequest) -> Result<Ground, EngineError> {
        let snapshot = self.snapshot(request.snapshot.as_deref(), Some(request.date)).await?;
        let (policy_digest, policy) = self.policy_in_force().await?;
        let tables = self.load_tables(request.date).await?;
        Ok(Ground { snapshot, policy, policy_digest, tables, frame: self.gateways()?.wording })
    }

    /// The world in which these campaigns, of which there may be none, run on that ground. Nothing is written.
    pub(crate) async fn world_with(
        &self,
        campaigns: &[DueCampaign],
        ground: &Ground,
        request: &PlanRequest,
    ) -> Result<World, EngineError> {
        let Ground { snapshot, policy, policy_digest, tables, .. } = ground;
        let classes = campaigns.iter().map(|c| c.approval.class);
        let calendar = self.calendar_pins(policy, classes, request.date).await?;
        let policy = Policy { calendar: self.calendar_of(&calendar)?, ..policy.clone() };
        preflight::leaves_room(campaigns, &policy, request.instant)?;
        let (all, rules) = (snapshot.clone(), policy.clone());
        let zones = tokio::task::spawn_blocking(move || preflight::zones_known(&all, &rules));
        zones.await.map_err(EngineError::internal)??;
        let lists = self.lists_read(campaigns, request.date).await?;
        check_fields(campaigns, snapshot)?;
        check_tables(campaigns, tables)?;
        let mut pinned_tables = tables.digests.clone();
        pinned_tables.extend(lists.iter().map(|(name, digest)| (format!("{LIST_PREFIX}{name}"), digest.clone())));
        let pins = Pins {
            date: request.date,
            wave: request.wave,
            instant: request.instant,
            snapshot: snapshot.id().to_owned(),
            bucket_bits: snapshot.manifest().bits,
            campaigns: campaigns.iter().map(pinned).collect(),
            policy: policy_digest.clone(),
            tables: pinned_tables,
            calendar,
            frame: ground.frame.clone(),
            scheduled_for: request.scheduled.as_ref().map(|scheduled| scheduled.at),
            batch: request.batch,
            engine: care_sandbox::ENGINE.to_owned(),
        };
        Ok(World {
            due: self.all_due(campaigns, &ground.frame, request, tables).await?,
            budgets: budgets(campaigns),
            policy,
            disaster_areas: tables.active_areas(request.date),
            lists: lists.into_keys().collect(),
            snapshot: snapshot.clone(),
            pins,
            blocked: Vec::new(),
        })
    }

    /// The campaigns that take part on a date; and why others that would are left out: what runs must be what was
    /// approved, and one that was tampered with does not keep the rest from their customers.
    pub(crate) async fn due_campaigns(
        &self,
        request: &PlanRequest,
    ) -> Result<(Vec<DueCampaign>, Vec<Finding>), EngineError> {
        let (mut due, blocked) = self.sound_campaigns(request).await?;
        due.retain(|campaign| is_planned(&campaign.version.manifest.triggers));
        Ok((due, blocked))
    }

    /// The same with those that only events or touchpoints start.
    pub(crate) async fn sound_campaigns(
        &self,
        request: &PlanRequest,
    ) -> Result<(Vec<DueCampaign>, Vec<Finding>), EngineError> {
        let submissions = self.store.submissions().await?;
        let switches: Vec<Scope> = self.store.switches().await?.into_iter().map(|thrown| thrown.scope).collect();
        let activations = self.store.activations().await?;
        let day = (request.date, request.instant);
        let campaigns = self.store.campaigns().await?;
        let planned = self.dates_planned(&campaigns, request.date).await?;
        let (mut due, mut blocked) = (Vec::new(), Vec::new());
        for campaign in campaigns.into_iter().filter(|c| c.active) {
            let refused = match self.runnable(&campaign, &submissions).await {
                Ok((found, _)) if !found.submission.may_run() || is_stopped(&campaign, &switches) => continue,
                Ok((_, approval)) if !approval.holds_on(request.date) => continue,
                Ok((found, approval)) => match standby::areas_on(&campaign, &approval, &activations, day) {
                    Ok(None) => continue,
                    Ok(Some(areas)) => {
                        due.push(due_campaign(campaign, found.version, approval, areas, &planned));
                        continue;
                    }
                    Err(finding) => finding,
                },
                Err(EngineError::Refused(finding)) => finding,
                Err(error) => return Err(error),
            };
            tracing::error!(campaign = %campaign.id, "left out of the plan: {refused}");
            blocked.push(refused);
        }
        Ok((due, blocked))
    }

    /// What release shares out among a world's candidates; what other plans spent of a budget is gone.
    pub(crate) async fn limits(&self, world: &World, plan: &str) -> Result<Limits, EngineError> {
        let capacity = self.capacity_left(&world.policy, world.pins.date, plan).await?;
        let mut limits = Limits { capacity, ..Limits::default() };
        for (approval, (component, fen)) in &world.budgets {
            let spent = self.store.spent(component, plan).await?;
            limits.budgets.insert(approval.clone(), fen.saturating_sub(spent));
        }
        Ok(limits)
    }

    /// What a campaign runs, if its approval vouches for it and its parameters lie within it.
    pub(super) async fn runnable(
        &self,
        campaign: &Campaign,
        submissions: &[StoredSubmission],
    ) -> Result<(StoredSubmission, Approval), EngineError> {
        // The newest, where a withdrawn version was submitted anew.
        let found = submissions.iter().rfind(|s| s.version.component == campaign.component).ok_or_else(|| {
            let message = format!("campaign {} runs an unapproved version", campaign.id);
            EngineError::refused("not-approved", message, "Stop it with `care campaign stop`")
        })?;
        let approval = self.vouched(found).await?;
        if approval.digest().map_err(EngineError::internal)? != campaign.approval {
            let message = format!("campaign {} names another approval than its version has", campaign.id);
            return Err(EngineError::refused("approval-unsound", message, "Stop it and start it anew"));
        }
        crate::campaign::check_kept_params(campaign, &found.version.manifest)?;
        Ok((found.clone(), approval))
    }

    /// What the ledger and the named lists hold about a bucket's customers, as of a mark.
    pub(crate) async fn past(
        &self,
        lists: &[String],
        bucket: Bucket,
        mark: i64,
    ) -> Result<(History, Lists), EngineError> {
        let history = self.store.history(bucket, mark).await?;
        let mut members = Lists::new();
        for name in lists {
            members.insert(name.clone(), self.store.list_members(name, bucket).await?);
        }
        Ok((history, members))
    }

    /// The campaigns of a plan, each with its plugin loaded.
    pub(super) async fn all_due(
        &self,
        campaigns: &[DueCampaign],
        frame: &Frame,
        request: &PlanRequest,
        tables: &LoadedTables,
    ) -> Result<Vec<Due>, EngineError> {
        let rivals: Arc<[String]> = campaigns.iter().map(|c| c.id.clone()).collect();
        let mut all = Vec::new();
        for entry in campaigns {
            let mut due = self.due(entry, &rivals, frame, request, tables).await?;
            due.terms.except = entry.approval.yields_to(campaigns.iter().map(|c| &c.approval));
            due.terms.areas.clone_from(&entry.areas);
            due.terms.share = entry.share.map_or(due.terms.share, |share| share.min(due.terms.share));
            all.push(due);
        }
        Ok(all)
    }

    async fn due(
        &self,
        campaign: &DueCampaign,
        rivals: &Arc<[String]>,
        frame: &Frame,
        request: &PlanRequest,
        tables: &LoadedTables,
    ) -> Result<Due, EngineError> {
        let DueCampaign { version, approval, .. } = campaign;
        let asked = &version.manifest;
        let plugin = self.load_plugin(&asked.name, &version.code).await?;
        let manifest = Arc::new(approval.effective(asked));
        let facts = RunFacts { today: request.date, now: request.instant, params: campaign.params.as_str().into() };
        // A guest answers as it was written; what of it was not granted is left unsaid when its messages become contacts.
        let grants = Grants {
            manifest: Arc::new(asked.clone()),
            limits: approval.limits,
            tables: Arc::new(tables.named(manifest.tables.keys())),
            labels: Arc::new(tables.labels()),
        };
        let priced = approval.budget_fen.is_some().then(|| Wording::new(&manifest, tables.labels(), frame.clone()));
        Ok(Due {
            wording: priced.transpose()?,
            campaign: campaign.id.clone(),
            component: version.component.clone(),
            terms: approval.terms(&campaign.id, &version.origin, &manifest),
            rivals: Arc::clone(rivals),
            manifest,
            plugin,
            facts,
            grants,
        })
    }

    async fn lists_read(&self, campaigns: &[DueCampaign], date: i32) -> Result<BTreeMap<String, String>, EngineError> {
        let known = self.store.lists().await?;
        let mut read = BTreeMap::new();
        for campaign in campaigns {
            let fields = Stage::ALL.into_iter().flat_map(|stage| campaign.version.manifest.fields_of(stage));
            for (field, name) in fields.filter_map(|f| Some((f, f.name.strip_prefix(LIST_PREFIX)?))) {
                match known.iter().find(|l| l.name == name && l.expires_on >= date) {
                    Some(list) => drop(read.insert(name.to_owned(), list.digest.clone())),
                    // Nobody is on a list that an activity can do without.
                    None if field.optional => {}
                    None => {
                        let message =
                            format!("campaign {} reads list {name:?}, which is missing or expired", campaign.id);
                        return Err(EngineError::refused("no-list", message, "Import it with `care list import`"));
                    }
                }
            }
        }
        Ok(read)
    }
}

fn due_campaign(
    campaign: Campaign,
    version: Version,
    approval: Approval,
    areas: Vec<String>,
    planned: &BTreeMap<String, u32>,
) -> DueCampaign {
    let dates = planned.get(&campaign.id).copied().unwrap_or(0);
    DueCampaign {
        share: campaign.ramp.as_ref().map(|ramp| ramp.share(dates)),
        id: campaign.id,
        version,
        approval,
        approval_digest: campaign.approval,
        params: campaign.params,
        areas,
        max_snapshot_days: campaign.max_snapshot_days,
    }
}

/// Whether plans run it: what only events or a touchpoint start is no part of them.
pub(crate) fn is_planned(triggers: &Triggers) -> bool {
    triggers.by_hand || triggers.cron.is_some() || (triggers.events.is_empty() && !triggers.touchpoint)
}

/// Whether a kill switch keeps a campaign as a whole from planning; those of regions and channels hold at dispatch.
fn is_stopped(campaign: &Campaign, switches: &[Scope]) -> bool {
    switches.iter().any(|switch| match switch {
        Scope::Activity(name) => *name == campaign.activity,
        Scope::Campaign(id) => *id == campaign.id,
        Scope::Version(component) => *component == campaign.component,
        Scope::Everything | Scope::Region(_) | Scope::Channel(_) => false,
    })
}

pub(super) fn budgets(campaigns: &[DueCampaign]) -> BTreeMap<String, (String, u64)> {
    let limited =
        |c: &DueCampaign| Some((c.approval_digest.clone(), (c.version.component.clone(), c.approval.budget_fen?)));
    campaigns.iter().filter_map(limited).collect()
}

fn pinned(campaign: &DueCampaign) -> PinnedCampaign {
    let version = &campaign.version;
    PinnedCampaign {
        campaign: campaign.id.clone(),
        activity: version.manifest.name.clone(),
        component: version.component.clone(),
        approval: campaign.approval_digest.clone(),
        origin: version.origin.clone(),
        params: campaign.params.clone(),
        areas: campaign.areas.clone(),
        share: campaign.share,
    }
}

/// Every granted field that is not optional must be in the snapshot, in the same type.
fn check_fields(campaigns: &[DueCampaign], snapshot: &Snapshot) -> Result<(), EngineError> {
    let stored = &snapshot.manifest().fields;
    let mut findings = Vec::new();
    for campaign in campaigns {
        for stage in [Stage::Select, Stage::Schedule, Stage::Compose] {
            for field in campaign.version.manifest.fields_of(stage).iter().filter(|f| !is_supplied(&f.name)) {
                let place = format!("campaign {} reads {:?} in {}", campaign.id, field.name, stage.name());
                match stored.get(&field.name) {
                    None if field.optional => {}
                    None => {
                        let near = nearest_hint(&field.name, stored.keys().map(String::as_str));
                        let hint = format!("Map it when importing the population{near}");
                        findings.push(Finding::error("field-missing", format!("{place}; the snapshot lacks it"), hint));
                    }
                    Some(ty) if *ty != field.ty => findings.push(type_differs(&place, field.ty, *ty)),
                    Some(_) => {}
                }
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(EngineError::Findings { what: "the plan".into(), findings }) }
}

fn type_differs(place: &str, asked: FieldType, stored: FieldType) -> Finding {
    let message = format!("{place} as {}; the snapshot holds {}", asked.name(), stored.name());
    Finding::error("field-type", message, "Import the population with the dictionary in force")
}

fn check_tables(campaigns: &[DueCampaign], tables: &LoadedTables) -> Result<(), EngineError> {
    let mut findings = Vec::new();
    for campaign in campaigns {
        for (table, fields) in &campaign.version.manifest.tables {
            for (field, ty) in fields {
                if let Err(problem) = reference::has(tables, table, field, *ty) {
                    let message = format!("campaign {} reads {field:?} of table {table:?}: {problem}", campaign.id);
                    let hint = "Import it with `care table import`";
                    findings.push(Finding::error("table-missing", message, hint));
                }
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(EngineError::Findings { what: "the plan".into(), findings }) }
}
