//! Slices: customers by a field of a snapshot that may be observed, and how figures are distributed over them.

use crate::{Engine, EngineError};
use care_domain::column::Column;
use care_domain::field::{FieldDef, FieldType, Stage};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::outcome::Unit;
use care_domain::text::{is_kebab, nearest_hint};
use care_population::Snapshot;
use serde::Serialize;
use std::collections::BTreeMap;

/// Customers of whom a snapshot says nothing.
pub(crate) const UNKNOWN: &str = "unknown";

/// How the figures of a kind of outcome are distributed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// The kind.
    pub kind: String,
    /// Everything.
    pub all: Histogram,
    /// By the values of the field that was asked for.
    pub slices: BTreeMap<String, Histogram>,
}

/// Outcomes by their figure.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Histogram {
    /// Outcomes.
    pub count: u64,
    /// The mean of the figures; `None` where no outcome has one.
    pub mean: Option<f64>,
    /// Outcomes by figure, of kinds whose figures are scores; empty for others.
    pub by_value: BTreeMap<i64, u64>,
}

impl Engine {
    /// How outcomes of a kind that happened in `[from, until)` are distributed: of each customer the last one. A survey's
    /// scores (1 to 10) are counted one by one.
    pub async fn distribution(
        &self,
        kind: &str,
        by: Option<&str>,
        (from, until): (i64, i64),
    ) -> Result<Distribution, EngineError> {
        let unit = self.outcomes.find(kind, is_kebab).map(|found| found.unit);
        let unit = unit.map_err(|wrong| {
            EngineError::refused("unknown-outcome", wrong.to_string(), "See outcomes.toml in the data folder")
        })?;
        let mut last: BTreeMap<CustomerKey, Option<i64>> = BTreeMap::new();
        for line in self.store.outcomes_of(kind, from, until).await? {
            last.insert(line.customer, line.value);
        }
        let mut all = Tallied::default();
        last.values().for_each(|value| all.add(*value));
        let mut slices: BTreeMap<String, Tallied> = BTreeMap::new();
        if let Some(field) = by {
            let keys: Vec<CustomerKey> = last.keys().copied().collect();
            let labels = self.labels_of(self.snapshot(None, None).await?, field, &keys).await?;
            for (label, value) in labels.into_iter().zip(last.values()) {
                slices.entry(label).or_default().add(*value);
            }
        }
        let slices = slices.into_iter().map(|(label, tallied)| (label, tallied.histogram(unit))).collect();
        Ok(Distribution { kind: kind.to_owned(), all: all.histogram(unit), slices })
    }

    /// The fields by which figures may be split: those that may be observed, and have few values.
    pub fn slices(&self) -> impl Iterator<Item = (&str, &FieldDef)> {
        let fields = self.dictionary.fields.iter().map(|(name, def)| (name.as_str(), def));
        fields.filter(|(_, def)| def.stages.contains(&Stage::Observe) && sliceable(def.ty))
    }

    /// What a snapshot says of customers in a field that may be observed, in the order of `keys`. `region` stands for the
    /// home region.
    pub(crate) async fn labels_of(
        &self,
        snapshot: Snapshot,
        field: &str,
        keys: &[CustomerKey],
    ) -> Result<Vec<String>, EngineError> {
        let field = if field == "region" { "home-adcode" } else { field };
        let known: Vec<&str> = self.slices().map(|(name, _)| name).collect();
        if !known.contains(&field) {
            let near = nearest_hint(field, known.iter().copied());
            let hint = format!("Slices are fields whose stages hold observe: {}{near}", known.join(", "));
            return Err(EngineError::refused("bad-slice", format!("{field:?} is no slice"), hint));
        }
        let Some(ty) = snapshot.manifest().fields.get(field).copied() else {
            let message = format!("the snapshot of {} lacks field {field}", snapshot.manifest().source);
            return Err(EngineError::refused("bad-slice", message, "Map it when importing the population"));
        };
        let (field, keys) = (field.to_owned(), keys.to_vec());
        let job = tokio::task::spawn_blocking(move || labels(&snapshot, &field, ty, &keys));
        job.await.map_err(EngineError::internal)?
    }
}

fn sliceable(ty: FieldType) -> bool {
    matches!(ty, FieldType::Category | FieldType::Boolean | FieldType::Small)
}

fn labels(snapshot: &Snapshot, field: &str, ty: FieldType, keys: &[CustomerKey]) -> Result<Vec<String>, EngineError> {
    let bits = snapshot.manifest().bits;
    let mut by_bucket: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, key) in keys.iter().enumerate() {
        by_bucket.entry(key.bucket(bits).index).or_default().push(at);
    }
    let mut labels = vec![UNKNOWN.to_owned(); keys.len()];
    for (index, places) in by_bucket {
        let data = snapshot.bucket(Bucket { bits, index })?;
        let Some(column) = data.column(field) else { continue };
        for at in places {
            if let Some(label) = data.find(keys[at]).and_then(|row| label(&column, ty, row)) {
                labels[at] = label;
            }
        }
    }
    Ok(labels)
}

fn label(column: &Column, ty: FieldType, row: usize) -> Option<String> {
    match ty {
        FieldType::Boolean => column.yes(row).map(|yes| if yes { "yes".into() } else { "no".into() }),
        FieldType::Small => column.integer(row).map(|value| value.to_string()),
        _ => column.text(row).map(str::to_owned),
    }
}

#[derive(Default)]
struct Tallied {
    count: u64,
    valued: u64,
    sum: i128,
    by_value: BTreeMap<i64, u64>,
}

impl Tallied {
    fn add(&mut self, value: Option<i64>) {
        self.count += 1;
        if let Some(value) = value {
            self.valued += 1;
            self.sum += i128::from(value);
            *self.by_value.entry(value).or_default() += 1;
        }
    }

    fn histogram(self, unit: Unit) -> Histogram {
        let mean = (self.valued > 0).then(|| self.sum as f64 / self.valued as f64);
        let mean = if unit == Unit::Fen { mean.map(|fen| fen / 100.0) } else { mean };
        let by_value = if unit == Unit::Score { self.by_value } else { BTreeMap::new() };
        Histogram { count: self.count, mean, by_value }
    }
}
