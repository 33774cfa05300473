//! Effect: the host computes the goal metric from ledger and outcomes; the plugin's fold adds its own numbers,
//! and its counts per arm must agree.

use crate::{Engine, EngineError};
use care_domain::column::{Column, Table};
use care_domain::field::Stage;
use care_domain::key::Bucket;
use care_domain::manifest::Manifest;
use care_domain::stats::{Arm, Effect, compare};
use care_domain::text::is_kebab;
use care_domain::time::DAY_MS;
use care_population::Snapshot;
use care_sandbox::{Broken, Grants, Guest, Metric, RunFacts};
use care_store::{Campaign, Plan, Subject, Version};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a campaign did to its goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The campaign.
    pub campaign: String,
    /// Its activity.
    pub activity: String,
    /// The outcome kind that was counted.
    pub metric: String,
    /// Within so many days after the planned contact.
    pub window_days: u32,
    /// Customers contacted (or meant to be) and how many reached the goal.
    pub treated: Arm,
    /// Customers held out and how many reached it.
    pub control: Arm,
    /// The effect; `None` without a control group of at least two.
    pub effect: Option<Effect>,
    /// What the plugin's own fold reports; empty when another metric than its goal was asked for.
    pub plugin: Vec<PluginMetric>,
}

/// A number of the plugin's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PluginMetric {
    /// Its name.
    pub name: String,
    /// What it is split by; empty for the whole.
    pub slice: String,
    /// Contacted or held out.
    pub treated: bool,
    /// Customers.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
}

impl Engine {
    /// Evaluates a campaign by its goal, or by another outcome kind.
    pub async fn evaluate(&self, campaign: &str, outcome: Option<&str>) -> Result<Evaluation, EngineError> {
        let campaign = self.campaign(campaign).await?;
        let submissions = self.store.submissions().await?;
        let version = submissions.iter().map(|s| &s.version).find(|v| v.component == campaign.component);
        let version = version.ok_or_else(|| EngineError::internal("a campaign without version"))?;
        let manifest = &version.manifest;
        let metric = outcome.unwrap_or(&manifest.goal.outcome).to_owned();
        if !is_kebab(&metric) {
            let message = format!("{metric:?} is no outcome kind");
            return Err(EngineError::refused("unknown-outcome", message, "Use a kebab-case kind, such as topped-up"));
        }
        let window_ms = i64::from(manifest.goal.window_days) * DAY_MS;
        let subjects = self.store.subjects(&campaign.id, &metric, window_ms).await?;
        let (mut treated, mut control) = (Arm::default(), Arm::default());
        for subject in &subjects {
            let arm = if subject.treated { &mut treated } else { &mut control };
            arm.add(f64::from(u8::from(subject.reached)));
        }
        let own = outcome.is_none_or(|o| o == manifest.goal.outcome) && !subjects.is_empty();
        let plugin =
            if own { self.fold(&campaign, version, subjects, [&treated, &control]).await? } else { Vec::new() };
        Ok(Evaluation {
            campaign: campaign.id,
            activity: campaign.activity,
            metric,
            window_days: manifest.goal.window_days,
            effect: compare(&treated, &control),
            treated,
            control,
            plugin,
        })
    }

    /// Runs the plugin's own fold over the subjects, merged in the order of buckets.
    async fn fold(
        &self,
        campaign: &Campaign,
        version: &Version,
        subjects: Vec<Subject>,
        arms: [&Arm; 2],
    ) -> Result<Vec<PluginMetric>, EngineError> {
        let mut plans = self.store.plans().await?.into_iter();
        let Some(plan) = plans.find(|p| p.pins.campaigns.iter().any(|c| c.campaign == campaign.id)) else {
            return Ok(Vec::new());
        };
        let snapshot = self.snapshot(Some(&plan.pins.snapshot), None).await?;
        let guest = self.observer(campaign, version, &plan).await?;
        let (activity, manifest) = (campaign.activity.clone(), version.manifest.clone());
        let job = tokio::task::spawn_blocking(move || observe(guest, &manifest, &snapshot, &subjects));
        let metrics = job.await.map_err(EngineError::internal)?.map_err(|e| broken(&activity, e))?;
        agree(&activity, &metrics, arms)?;
        let own = |m: Metric| PluginMetric {
            mean: if m.count == 0 { 0.0 } else { m.sum / m.count as f64 },
            name: m.name,
            slice: m.slice,
            treated: m.treated,
            count: m.count,
        };
        Ok(metrics.into_iter().map(own).collect())
    }

    async fn observer(&self, campaign: &Campaign, version: &Version, plan: &Plan) -> Result<Guest, EngineError> {
        let manifest = &version.manifest;
        let plugin = self.load_plugin(&campaign.activity, &version.code).await?;
        let tables = self.tables_of(&plan.pins.tables)?;
        let facts = RunFacts { today: plan.pins.date, now: plan.pins.instant, params: campaign.params.as_str().into() };
        let grants = Grants {
            manifest: Arc::new(manifest.clone()),
            limits: manifest.limits,
            tables: Arc::new(tables.named(manifest.tables.keys())),
            labels: Arc::new(tables.labels()),
        };
        Ok(plugin.guest(Stage::Observe, facts, grants))
    }
}

/// How the fold failed.
enum FoldError {
    Broken(Broken),
    Population(care_population::PopulationError),
}

fn broken(activity: &str, error: FoldError) -> EngineError {
    match error {
        FoldError::Population(error) => error.into(),
        FoldError::Broken(Broken::Machine(source)) => {
            EngineError::Machine { activity: activity.to_owned(), attempts: 1, source }
        }
        FoldError::Broken(Broken::Fault(fault)) => {
            let message = format!("the evaluation of {activity} broke: {fault}");
            EngineError::refused(
                "evaluation-fault",
                message,
                "The host's own figures are right; mend the plugin's `observe`",
            )
        }
    }
}

fn observe(
    mut guest: Guest,
    manifest: &Manifest,
    snapshot: &Snapshot,
    subjects: &[Subject],
) -> Result<Vec<Metric>, FoldError> {
    let bits = snapshot.manifest().bits;
    let mut by_bucket: BTreeMap<u32, Vec<&Subject>> = BTreeMap::new();
    for subject in subjects {
        by_bucket.entry(subject.customer.bucket(bits).index).or_default().push(subject);
    }
    let mut state = Vec::new();
    for (index, subjects) in by_bucket {
        let data = snapshot.bucket(Bucket { bits, index }).map_err(FoldError::Population)?;
        for part in subjects.chunks(crate::plan::DEFAULT_BATCH as usize) {
            // Customers that a later snapshot lacks have no slice, but count.
            let rows: Vec<u32> = part.iter().map(|s| data.find(s.customer).map_or(u32::MAX, |r| r as u32)).collect();
            let mut columns = BTreeMap::from([
                ("treated".to_owned(), Column::boolean(part.iter().map(|s| Some(s.treated)))),
                ("reached".to_owned(), Column::boolean(part.iter().map(|s| Some(s.reached)))),
                ("value".to_owned(), Column::s64(part.iter().map(|s| Some(s.value)))),
            ]);
            for field in manifest.fields_of(Stage::Observe) {
                if !columns.contains_key(&field.name) {
                    let column = data.column(&field.name).map(|c| c.gather(&rows));
                    let column = column.unwrap_or_else(|| Column::absent(field.ty, rows.len()));
                    columns.insert(field.name.clone(), column);
                }
            }
            let table = Table { rows: rows.len() as u32, columns };
            let next = guest.observe(table, &[]).map_err(FoldError::Broken)?;
            state = if state.is_empty() { next } else { guest.merge(&state, &next).map_err(FoldError::Broken)? };
        }
    }
    guest.report(&state).map_err(FoldError::Broken)
}

/// The plugin's counts of the whole must be the host's.
fn agree(activity: &str, metrics: &[Metric], [treated, control]: [&Arm; 2]) -> Result<(), EngineError> {
    for metric in metrics.iter().filter(|m| m.slice.is_empty()) {
        let arm = if metric.treated { treated } else { control };
        if metric.count != arm.count {
            let message = format!(
                "metric {:?} of {activity} counts {} customers, the host {}",
                metric.name, metric.count, arm.count
            );
            return Err(EngineError::refused("fold-disagrees", message, "Mend the plugin's `observe` or `merge`"));
        }
    }
    Ok(())
}
