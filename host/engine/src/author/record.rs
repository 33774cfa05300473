//! A recorded trial: customers, facts and what was decided, so that another build can be asked the same again.

use super::customers::{CustomerSource, Customers, written_csv};
use super::simulate::{Contacted, Trial};
use super::workbench::{Workbench, morning};
use crate::EngineError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// Version of the layout; another one is not read.
const FORMAT: u32 = 1;
/// Customers that a record may hold: it is kept beside the code.
const MAX_CUSTOMERS: u64 = 100_000;

/// What an activity decided about some customers on a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    format: u32,
    /// The activity.
    pub activity: String,
    /// Its version.
    pub version: semver::Version,
    /// SHA-256 of the component.
    pub component: String,
    /// Business date, in days.
    today: i32,
    now: i64,
    params: Map<String, Value>,
    /// The customers as CSV: the fields that it reads, and those that policy does.
    customers: String,
    who: Vec<Contacted>,
}

/// What another build decides about the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// Customers.
    pub customers: u64,
    /// Candidates of the record.
    pub recorded: usize,
    /// Candidates now.
    pub decided: usize,
    /// Those about whom the two differ, by customer.
    pub changed: Vec<Changed>,
}

/// A customer about whom two builds differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// What the file calls the customer.
    pub customer: String,
    /// What was recorded; nothing where it was not chosen.
    pub before: Option<Contacted>,
    /// What is decided now.
    pub now: Option<Contacted>,
}

impl Workbench {
    /// Tries the activity on customers and keeps them with what was decided.
    pub fn record(&self, customers: &Customers, trial: &Trial) -> Result<Recorded, EngineError> {
        if customers.count() > MAX_CUSTOMERS {
            let message = format!("{} customers are too many for a record", customers.count());
            return Err(EngineError::refused("record-too-large", message, format!("Record at most {MAX_CUSTOMERS}")));
        }
        let today = trial.date.unwrap_or_else(|| customers.date());
        let now = trial.now.map_or_else(|| morning(today), Ok)?;
        let mut recorded = Recorded {
            format: FORMAT,
            activity: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            component: self.digest.clone(),
            today,
            now,
            params: trial.params.clone(),
            customers: written_csv(customers)?,
            who: Vec::new(),
        };
        recorded.who = self.decided(&recorded)?.1;
        Ok(recorded)
    }

    /// Asks the same again.
    pub fn replay(&self, recorded: &Recorded) -> Result<Replayed, EngineError> {
        if recorded.format != FORMAT || recorded.activity != self.manifest.name {
            let message = format!("the record is of {} in layout {}", recorded.activity, recorded.format);
            let hint = format!("Record {} anew with `care plugin simulate --record`", self.manifest.name);
            return Err(EngineError::refused("bad-record", message, hint));
        }
        let (customers, now) = self.decided(recorded)?;
        let by_name = |who: &[Contacted]| -> BTreeMap<String, Contacted> {
            who.iter().map(|one| (one.customer.clone(), one.clone())).collect()
        };
        let (before, after) = (by_name(&recorded.who), by_name(&now));
        let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
        let changed = names.filter(|name| before.get(*name) != after.get(*name)).map(|name| Changed {
            customer: name.clone(),
            before: before.get(name).cloned(),
            now: after.get(name).cloned(),
        });
        Ok(Replayed { customers, recorded: before.len(), decided: after.len(), changed: changed.collect() })
    }

    fn decided(&self, recorded: &Recorded) -> Result<(u64, Vec<Contacted>), EngineError> {
        let mut file = tempfile::NamedTempFile::new().map_err(EngineError::internal)?;
        file.write_all(recorded.customers.as_bytes()).map_err(EngineError::file(file.path(), "writing"))?;
        let path = file.path().to_path_buf();
        let customers = Customers::open(&CustomerSource::File { path, mapping: None, date: recorded.today })?;
        let (date, now) = (Some(recorded.today), Some(recorded.now));
        let trial = Trial { date, now, params: recorded.params.clone(), show: usize::MAX };
        let who = self.simulate(&customers, &trial, &|| Duration::ZERO)?.who;
        Ok((customers.count(), who))
    }
}
