//! The plugin's own fold: run over the subjects that the host counts, merged in the order of buckets. Its counts per arm
//! must be the host's.

use crate::{Engine, EngineError};
use care_domain::column::{Column, Table};
use care_domain::field::Stage;
use care_domain::key::Bucket;
use care_domain::manifest::Manifest;
use care_domain::plan::Pins;
use care_domain::text::Finding;
use care_population::Snapshot;
use care_sandbox::{Broken, Grants, Guest, Metric, RunFacts};
use care_store::{Campaign, Subject, Version};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Runs the plugin's own fold over the subjects, merged in the order of buckets.
    pub(super) async fn fold(
        &self,
        campaign: &Campaign,
        version: &Version,
        subjects: Vec<Subject>,
    ) -> Result<Vec<PluginMetric>, EngineError> {
        let Some(pins) = self.newest_pins_of(&campaign.id).await? else { return Ok(Vec::new()) };
        let counts = [true, false].map(|arm| subjects.iter().filter(|s| s.treated == arm).count() as u64);
        let snapshot = self.snapshot(Some(&pins.snapshot), None).await?;
        let guest = self.observer(campaign, version, &pins).await?;
        let (activity, manifest) = (campaign.activity.clone(), version.manifest.clone());
        let job = tokio::task::spawn_blocking(move || observe(guest, &manifest, &snapshot, &subjects));
        let metrics = job.await.map_err(EngineError::internal)?.map_err(|e| broken(&activity, e))?;
        agree(&activity, &metrics, counts)?;
        let own = |m: Metric| PluginMetric {
            mean: if m.count == 0 { 0.0 } else { m.sum / m.count as f64 },
            name: m.name,
            slice: m.slice,
            treated: m.treated,
            count: m.count,
        };
        Ok(metrics.into_iter().map(own).collect())
    }

    /// What decided last about a campaign: the newest plan with it, else the newest world of events and touchpoints.
    async fn newest_pins_of(&self, campaign: &str) -> Result<Option<Pins>, EngineError> {
        if let Some(plan) = self.newest_plan_of(campaign).await? {
            return Ok(Some(plan.pins));
        }
        Ok(self.store.event_world_of(campaign).await?)
    }

    /// The plugin as it was granted: what was changed since its approval observes nothing either.
    async fn observer(&self, campaign: &Campaign, version: &Version, pins: &Pins) -> Result<Guest, EngineError> {
        let manifest = &version.manifest;
        let submissions = self.store.submissions().await?;
        let found = submissions.iter().rfind(|s| s.version.component == version.component && s.approval.is_some());
        let found = found.ok_or_else(|| {
            let message = format!("campaign {} runs a version that was never approved", campaign.id);
            EngineError::refused("not-approved", message, "Evaluate it without the plugin's own figures: --host-only")
        })?;
        let limits = self.sound(found).await?.limits;
        let plugin = self.load_plugin(&campaign.activity, &version.code).await?;
        let tables = self.tables_of(&pins.tables)?;
        let facts = RunFacts { today: pins.date, now: pins.instant, params: campaign.params.as_str().into() };
        let grants = Grants {
            manifest: Arc::new(manifest.clone()),
            limits,
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
                "Mend the plugin's `observe`; the host's own figures: `care evaluate --host-only`",
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
                ("reached".to_owned(), Column::boolean(part.iter().map(|s| Some(s.reached_after.is_some())))),
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

/// The plugin's counts must be the host's, for the whole of each arm and, where it splits an arm, in no part more.
/// Everything that differs is told.
fn agree(activity: &str, metrics: &[Metric], [treated, control]: [u64; 2]) -> Result<(), EngineError> {
    let mut findings = Vec::new();
    for metric in metrics {
        let (arm, host) = if metric.treated { ("treated", treated) } else { ("control", control) };
        let (whole, more) = (metric.slice.is_empty(), metric.count > host);
        if (whole && metric.count != host) || more {
            let of = if whole { String::new() } else { format!(" in {}", metric.slice) };
            let message = format!(
                "metric {:?} of {activity} counts {} {arm} customers{of}, the host {host}",
                metric.name, metric.count
            );
            let hint = "Mend the plugin's `observe` or `merge`; the host's own figures: `care evaluate --host-only`";
            findings.push(Finding::error("fold-disagrees", message, hint));
        }
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(EngineError::Refused(findings.remove(0))),
        _ => Err(EngineError::Findings { what: format!("the evaluation of {activity}"), findings }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(slice: &str, treated: bool, count: u64) -> Metric {
        Metric { name: "goal".into(), slice: slice.into(), treated, count, sum: 0.0, sum_of_squares: 0.0 }
    }

    #[test]
    fn a_fold_that_counts_otherwise_than_the_host_is_told_in_every_place() {
        let right = [metric("", true, 10), metric("region=350200", true, 4), metric("", false, 5)];
        assert!(agree("birthday", &right, [10, 5]).is_ok());
        let wrong = [metric("", true, 9), metric("region=350200", true, 11), metric("", false, 5)];
        let error = agree("birthday", &wrong, [10, 5]).expect_err("it disagrees");
        assert!(error.findings().iter().all(|f| f.code == "fold-disagrees"), "{error}");
        let told: Vec<&str> = error.findings().iter().map(|f| f.message.as_str()).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("counts 9 treated") && told[0].contains("the host 10"), "{told:?}");
        assert!(told[1].contains("in region=350200"), "{told:?}");
    }
}
