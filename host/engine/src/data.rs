//! Populations: imports, made-up ones, named lists, and the look-up of a snapshot or customer.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::key::CustomerKey;
use care_domain::person::{Act, Actor};
use care_domain::text::is_kebab;
use care_domain::time;
use care_population::generate::{GenerateOptions, generate};
use care_population::import::{Fault, ImportOptions, Mapping, import};
use care_population::{Identities, Snapshot};
use care_store::{NamedList, SnapshotRow};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A finished import or a made-up population.
#[derive(Debug)]
pub struct Imported {
    /// The snapshot's id.
    pub snapshot: String,
    /// Customers in it.
    pub customers: u64,
    /// Cells without a value because they could not be read.
    pub bad_cells: u64,
    /// Rows kept aside.
    pub rejected: u64,
    /// Where every bad cell and rejected row is listed.
    pub rejects: Option<PathBuf>,
    /// The first of them.
    pub first_faults: Vec<Fault>,
}

/// What an import or a generation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Populating {
    /// So many rows are read or made up.
    Rows(u64),
    /// The identities of so many customers are kept.
    Identities(u64),
}

/// An imported list of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListImported {
    /// Customers on it.
    pub members: u64,
    /// Lines that match nobody, by line number: numbers are not repeated here.
    pub unmatched: Vec<u64>,
}

impl Engine {
    /// Imports a file as a snapshot. `progress` is told how far it is.
    pub async fn import_population(
        &self,
        source: &Path,
        mapping: &str,
        business_date: i32,
        max_bad: Option<f64>,
        (by, at): (&str, i64),
        progress: impl FnMut(Populating) + Send + 'static,
    ) -> Result<Imported, EngineError> {
        let actor = self.authorise(by, Act::ImportPopulation, None, at).await?;
        let (engine, source, mapping) = (self.clone(), source.to_path_buf(), mapping.to_owned());
        let mut progress = progress;
        let job = tokio::task::spawn_blocking(move || {
            let mapping = Mapping::parse(&mapping, &engine.dictionary)?;
            let name = source.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let options = ImportOptions {
                source: &source,
                source_name: &name,
                mapping: &mapping,
                keyer: &engine.keyer,
                out_root: &engine.snapshots(),
                business_date,
                max_bad,
            };
            let done = import(&options, &mut |rows| progress(Populating::Rows(rows)))?;
            Ok::<_, EngineError>((done, progress))
        });
        let (done, mut progress) = job.await.map_err(EngineError::internal)??;
        self.keep(&done.id, business_date, done.rows, done.identities, &actor, &mut progress).await?;
        Ok(Imported {
            snapshot: done.id,
            customers: done.rows,
            bad_cells: done.counts.bad_cells,
            rejected: done.counts.rejected,
            rejects: done.rejects,
            first_faults: done.first_faults,
        })
    }

    /// Makes up a population. `progress` is told how far it is.
    pub async fn generate_population(
        &self,
        options: GenerateOptions,
        (by, at): (&str, i64),
        progress: impl FnMut(Populating) + Send + 'static,
    ) -> Result<Imported, EngineError> {
        let actor = self.authorise(by, Act::ImportPopulation, None, at).await?;
        let engine = self.clone();
        let mut progress = progress;
        let business_date = options.business_date;
        let job = tokio::task::spawn_blocking(move || {
            let mut made = |rows| progress(Populating::Rows(rows));
            let done = generate(options, &engine.keyer, &engine.dictionary, &engine.snapshots(), &mut made)?;
            Ok::<_, EngineError>((done, progress))
        });
        let (done, mut progress) = job.await.map_err(EngineError::internal)??;
        self.keep(&done.id, business_date, done.rows, done.identities, &actor, &mut progress).await?;
        Ok(Imported {
            snapshot: done.id,
            customers: done.rows,
            bad_cells: 0,
            rejected: 0,
            rejects: None,
            first_faults: Vec::new(),
        })
    }

    async fn keep(
        &self,
        id: &str,
        business_date: i32,
        rows: u64,
        identities: Identities,
        actor: &Actor,
        progress: &mut impl FnMut(Populating),
    ) -> Result<(), EngineError> {
        self.store.begin_identities(rows).await?;
        let mut kept = 0;
        for batch in identities {
            let batch = batch?;
            self.store.put_identities(&batch).await?;
            kept += batch.len() as u64;
            progress(Populating::Identities(kept));
        }
        self.store.end_identities().await?;
        let row = SnapshotRow {
            id: id.to_owned(),
            business_date,
            customers: rows as i64,
            imported_by: actor.person.clone(),
            imported_at: actor.at,
        };
        let detail = json!({"customers": rows, "date": time::write_date(business_date)});
        let entry = Entry::of(actor, "population-imported", format!("snapshot {id}"), detail);
        Ok(self.store.add_snapshot(&row, &entry).await?)
    }

    /// Matches a CSV of numbers (one a line, first column; a header is skipped) to customers and keeps them as a list.
    pub async fn import_list(
        &self,
        name: &str,
        numbers: &str,
        owner: &str,
        expires_on: i32,
        (by, at): (&str, i64),
    ) -> Result<ListImported, EngineError> {
        let actor = self.authorise(by, Act::ImportList, None, at).await?;
        if !is_kebab(name) || owner.trim().is_empty() {
            let message = format!("list {name:?} of {owner:?} has no proper name or owner");
            return Err(EngineError::refused("list-name", message, "Use a kebab-case name and name an owner"));
        }
        let digits = |line: &str| line.split(',').next().unwrap_or_default().trim().trim_matches('"').to_owned();
        let lines: Vec<(u64, String)> = (1..).zip(numbers.trim_start_matches('\u{feff}').lines().map(digits)).collect();
        let is_header = |n: u64, text: &str| n == 1 && !text.is_empty() && !text.chars().any(|c| c.is_ascii_digit());
        let wanted: Vec<(u64, String)> =
            lines.into_iter().filter(|(n, text)| !text.is_empty() && !is_header(*n, text)).collect();
        if wanted.is_empty() {
            return Err(EngineError::refused("list-empty", "the list holds no number", "Write one number a line"));
        }
        let texts: Vec<String> = wanted.iter().map(|(_, text)| text.clone()).collect();
        let found = self.store.customers_by_number(&texts).await?;
        let members: BTreeSet<CustomerKey> = found.values().copied().collect();
        let unmatched = wanted.iter().filter(|(_, text)| !found.contains_key(text)).map(|(n, _)| *n).collect();
        let keys: Vec<CustomerKey> = members.into_iter().collect();
        let list = NamedList {
            name: name.to_owned(),
            owner: owner.to_owned(),
            expires_on,
            digest: canonical::digest_of(&keys).map_err(EngineError::internal)?,
        };
        let detail = json!({"members": keys.len(), "owner": owner, "digest": list.digest});
        let entry = Entry::of(&actor, "list-imported", format!("list {name}"), detail);
        self.store.set_list(&list, &keys, &entry).await?;
        Ok(ListImported { members: keys.len() as u64, unmatched })
    }

    /// A snapshot by its id or the beginning of it; when absent the newest of `date` or before.
    pub async fn snapshot(&self, id: Option<&str>, date: Option<i32>) -> Result<Snapshot, EngineError> {
        let rows = self.store.snapshots().await?;
        let known =
            rows.iter().map(|r| format!("{} of {}", &r.id[..12.min(r.id.len())], time::write_date(r.business_date)));
        let hint = format!("Import or generate one. Snapshots: {}", known.collect::<Vec<_>>().join(", "));
        let fits: Vec<&SnapshotRow> = match id {
            Some(id) => rows.iter().filter(|r| r.id.starts_with(id)).collect(),
            None => rows.iter().filter(|r| date.is_none_or(|date| r.business_date <= date)).take(1).collect(),
        };
        let [row] = fits.as_slice() else {
            let none = fits.is_empty();
            let message =
                if none { "there is no such population snapshot" } else { "several snapshots begin like that" };
            return Err(EngineError::refused("no-snapshot", message, hint));
        };
        Ok(Snapshot::open(&self.snapshots().join(&row.id))?)
    }

    /// The pseudonym of a customer id; a key written as 32 hexadecimal digits is taken as it is.
    pub fn key_of(&self, customer: &str) -> CustomerKey {
        customer.parse().unwrap_or_else(|_| self.keyer.key_of(customer))
    }

    pub(crate) fn snapshots(&self) -> PathBuf {
        self.folder.join("snapshots")
    }

    pub(crate) fn decisions(&self) -> PathBuf {
        self.folder.join("decisions")
    }
}
