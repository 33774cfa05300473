//! `care plan record`: a batch of a plan for the author of one of its activities, who may see what the activity reads of
//! customers of the own region, and nothing that tells who they are.

use super::batch::BatchView;
use super::due::{Due, World};
use super::job::Past;
use crate::author::{PlannedBatch, answers, kept, read_while_deciding};
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::column::Table;
use care_domain::field::{Dictionary, FieldType, Sensitivity};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::manifest::FieldUse;
use care_domain::person::{Act, Actor};
use care_domain::region;
use care_domain::verdict::{Decision, Verdict};
use care_population::decision_log;
use care_population::reference::ReferenceTable;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Where customers are at home.
const HOME: &str = "home-adcode";

/// Which batch of a plan.
#[derive(Debug, Clone, Copy)]
pub struct WantedBatch<'a> {
    /// The plan, by the beginning of its id.
    pub plan: &'a str,
    /// The campaign, or its activity where it has one campaign in the plan.
    pub campaign: &'a str,
    /// Bucket of the snapshot.
    pub bucket: u32,
    /// Batch of the bucket, from 0.
    pub batch: u32,
}

impl Engine {
    /// A batch of a plan as one of its activities was asked about it, for whoever wrote or signed that activity: customers of
    /// the own region, without what is sensitive. Audited.
    pub async fn record_batch(&self, wanted: WantedBatch<'_>, by: &str, at: i64) -> Result<PlannedBatch, EngineError> {
        let plan = self.plan(Some(wanted.plan)).await?;
        let world = Arc::new(self.world_of(&plan).await?);
        let index = campaign(&world, wanted.campaign, &|due| self.sees(&due.manifest.owner_region))?;
        let due = &world.due[index];
        let actor = self.author_of(due, by, at).await?;
        let done = self.store.tasks(&plan.id).await?.into_iter().find(|(bucket, _)| *bucket == wanted.bucket);
        let Some((_, Some(result))) = done else {
            let message = format!("plan {} has no finished bucket {}", plan.id, wanted.bucket);
            return Err(EngineError::refused("no-task", message, "See `care plan show` for its tasks"));
        };
        let tables = self.tables_of(&world.pins.tables)?;
        let tables = due.manifest.tables.keys().filter_map(|name| tables.source(name)).cloned().collect();
        let bucket = Bucket { bits: world.pins.bucket_bits, index: wanted.bucket };
        let (history, lists) = self.past(&world.lists, bucket, result.mark).await?;
        let mut past = Past { history, lists, late: result.late.clone() };
        self.read_late(&mut past).await?;
        let log = decision_log::path_of(&self.decisions(), &result.log);
        let dictionary = self.dictionary().clone();
        let recorded = Recording { index, batch: wanted.batch, region: actor.region.clone(), dictionary, tables };
        let kept = Arc::clone(&world);
        let record = tokio::task::spawn_blocking(move || {
            let decisions = decision_log::read(&log)?;
            recorded.of(&kept, bucket, &past, decisions)
        });
        let record = PlannedBatch { plan: plan.id, ..record.await.map_err(EngineError::internal)?? };
        let detail = json!({
            "activity": record.activity, "bucket": record.bucket, "batch": record.batch, "customers": record.who.len(),
        });
        self.store.note(&Entry::of(&actor, "batch-recorded", format!("plan {}", record.plan), detail)).await?;
        Ok(record)
    }

    /// Whether it is somebody's own activity, in a region where they write activities.
    async fn author_of(&self, due: &Due, by: &str, at: i64) -> Result<Actor, EngineError> {
        let region = &due.manifest.owner_region;
        let actor = self.authorise(by, Act::RecordBatch, Some(region), at).await?;
        let mut versions = self.store.submissions().await?.into_iter().map(|s| s.version);
        let name = &due.manifest.name;
        if versions.any(|v| v.manifest.name == *name && (v.uploaded_by == by || v.signed_by == by)) {
            return Ok(actor);
        }
        let message = format!("{by} neither uploaded nor signed a version of {name}");
        Err(EngineError::refused("not-yours", message, "Ask its author to record the batch"))
    }
}

/// The campaign of that name, or the one of that activity, among those that the caller sees.
fn campaign(world: &World, wanted: &str, sees: &dyn Fn(&Due) -> bool) -> Result<usize, EngineError> {
    let of = |is: &dyn Fn(&Due) -> bool| -> Vec<usize> {
        (0..world.due.len()).filter(|index| sees(&world.due[*index]) && is(&world.due[*index])).collect()
    };
    let found = of(&|due| due.campaign == wanted);
    let found = if found.is_empty() { of(&|due| due.manifest.name == wanted) } else { found };
    match found[..] {
        [index] => Ok(index),
        [] => {
            let seen = world.due.iter().filter(|due| sees(due));
            let all: Vec<&str> = seen.map(|due| due.manifest.name.as_str()).collect();
            let near = care_domain::text::nearest_hint(wanted, all.iter().copied());
            let message = format!("no campaign of the plan is {wanted:?} or of an activity of that name");
            Err(EngineError::refused("unknown-campaign", message, format!("It ran {}{near}", all.join(", "))))
        }
        _ => {
            let all: Vec<&str> = found.iter().map(|index| world.due[*index].campaign.as_str()).collect();
            let message = format!("{wanted:?} has {} campaigns in the plan", all.len());
            Err(EngineError::refused("several-campaigns", message, format!("Name one of {}", all.join(", "))))
        }
    }
}

/// What a record is made of beside the world and the past.
struct Recording {
    index: usize,
    batch: u32,
    /// Whose customers are handed out.
    region: String,
    dictionary: Dictionary,
    tables: Vec<ReferenceTable>,
}

impl Recording {
    fn of(
        self,
        world: &World,
        bucket: Bucket,
        past: &Past,
        decisions: Vec<Decision>,
    ) -> Result<PlannedBatch, EngineError> {
        let due = &world.due[self.index];
        let data = world.snapshot.bucket(bucket)?;
        let size = (world.pins.batch as usize).max(8);
        let start = size.saturating_mul(self.batch as usize);
        if start >= data.rows() {
            let message = format!("bucket {} has {} batches", bucket.index, data.rows().div_ceil(size));
            return Err(EngineError::refused("unknown-batch", message, "Batches are counted from 0"));
        }
        let view = BatchView::new(&data, start..(start + size).min(data.rows()), &past.history, &past.lists);
        let rows = self.of_region(&view);
        let (fields, withheld) = self.fields(due);
        let read: Vec<FieldUse> =
            fields.iter().map(|(name, ty)| FieldUse { name: name.clone(), ty: *ty, optional: true }).collect();
        let customers = view.table(&due.manifest.name, &read, Some(&rows));
        let all: Vec<FieldUse> = read_while_deciding(&due.manifest)
            .into_iter()
            .map(|(name, ty)| FieldUse { name, ty, optional: true })
            .collect();
        let asked: Table = view.table(&due.manifest.name, &all, Some(&rows));
        let (mut who, _) = answers(&due.plugin, (&due.facts, &due.grants), &asked, &|_| Vec::new())?;
        let mut verdicts: HashMap<CustomerKey, (Verdict, String)> = decisions
            .into_iter()
            .filter(|decision| decision.campaign == due.campaign)
            .map(|decision| (decision.customer, (decision.verdict, decision.rule)))
            .collect();
        for (one, row) in who.iter_mut().zip(&rows) {
            one.customer = format!("{}/{}", bucket.index, start + *row as usize + 1);
            one.verdict = verdicts.remove(&view.keys[*row as usize]);
        }
        let params = serde_json::from_str(&due.facts.params).map_err(EngineError::internal)?;
        Ok(PlannedBatch {
            format: PlannedBatch::FORMAT,
            plan: String::new(),
            bucket: bucket.index,
            batch: self.batch,
            campaign: due.campaign.clone(),
            activity: due.manifest.name.clone(),
            version: due.manifest.version.clone(),
            component: due.component.clone(),
            today: due.facts.today,
            now: due.facts.now,
            params,
            limits: due.grants.limits,
            withheld,
            customers: kept(&customers, &fields),
            tables: self.tables,
            who,
        })
    }

    /// Rows of customers at home in the region; who is at home nowhere known is the province's.
    fn of_region(&self, view: &BatchView<'_>) -> Vec<u32> {
        let homes = view.stored(HOME);
        let home = |row: usize| homes.as_ref().and_then(|column| column.text(row));
        let is_ours = |row: &u32| match home(*row as usize) {
            Some(home) => region::covers(&self.region, home),
            None => region::is_province(&self.region),
        };
        (0..view.len() as u32).filter(is_ours).collect()
    }

    /// What the activity reads and its author may see, and what is withheld.
    fn fields(&self, due: &Due) -> (BTreeMap<String, FieldType>, Vec<String>) {
        let sensitive = |name: &str| {
            let known = self.dictionary.fields.get(name);
            known.is_some_and(|field| field.sensitivity == Sensitivity::Sensitive)
        };
        let (withheld, shown): (BTreeMap<_, _>, BTreeMap<_, _>) =
            read_while_deciding(&due.manifest).into_iter().partition(|(name, _)| sensitive(name));
        (shown, withheld.into_keys().collect())
    }
}
