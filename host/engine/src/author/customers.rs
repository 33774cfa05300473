//! The customers on whom an author tries an activity: a CSV file, a snapshot, or a made-up sample.

use crate::EngineError;
use care_domain::field::Dictionary;
use care_domain::key::CustomerKey;
use care_population::generate::{GenerateOptions, write_csv};
use care_population::import::{Fault, ImportOptions, Mapping, import};
use care_population::{Keyer, Snapshot};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Keys on a workbench are nobody's pseudonyms: the same file gives the same order and control group every time.
const AUTHORS_SECRET: &[u8] = b"customers of an author's workbench";

/// Where the customers come from.
#[derive(Debug, Clone)]
pub enum CustomerSource {
    /// A CSV or Parquet file. Without a mapping its columns are named as the fields, and `customer` is the id.
    File {
        /// The file.
        path: PathBuf,
        /// A mapping as `care population import` reads it.
        mapping: Option<String>,
        /// The date its values speak of, in days.
        date: i32,
    },
    /// The folder of a snapshot; its customers are told by their keys.
    Snapshot(PathBuf),
}

/// Customers ready to be asked about.
pub struct Customers {
    pub(super) snapshot: Snapshot,
    /// What the file calls them.
    names: HashMap<CustomerKey, String>,
    /// Cells and rows of the file that could not be read: how many, and the first of them.
    bad: (u64, Vec<Fault>),
    /// Holds the snapshot of a file as long as it is needed.
    _folder: Option<TempDir>,
}

impl Customers {
    /// Opens a source. What cannot be read as a whole is refused; single bad cells have no value and are told.
    pub fn open(source: &CustomerSource) -> Result<Self, EngineError> {
        match source {
            CustomerSource::Snapshot(folder) => {
                let absolute = folder.canonicalize().map_err(EngineError::file(folder, "opening"))?;
                let snapshot = Snapshot::open(&absolute)?;
                Ok(Self { snapshot, names: HashMap::new(), bad: (0, Vec::new()), _folder: None })
            }
            CustomerSource::File { path, mapping, date } => {
                let dictionary = crate::parse_dictionary(crate::DEFAULT_FIELDS).map_err(EngineError::internal)?;
                let mapping = match mapping {
                    Some(mapping) => Mapping::parse(mapping, &dictionary)?,
                    None => Mapping::by_header(path, &dictionary)?,
                };
                Self::read(path, &mapping, *date)
            }
        }
    }

    fn read(path: &Path, mapping: &Mapping, date: i32) -> Result<Self, EngineError> {
        let folder = tempfile::tempdir().map_err(EngineError::file(Path::new("a temporary folder"), "creating"))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let options = ImportOptions {
            source: path,
            source_name: &name,
            mapping,
            keyer: &Keyer::new(AUTHORS_SECRET)?,
            out_root: folder.path(),
            business_date: date,
            max_bad: None,
        };
        let done = import(&options, &mut |_| ())?;
        let mut names = HashMap::new();
        for batch in done.identities {
            names.extend(batch?.into_iter().map(|who| (who.key, who.external_id)));
        }
        let bad = (done.counts.bad_cells + done.counts.rejected, done.first_faults);
        Ok(Self { snapshot: Snapshot::open(&done.folder)?, names, bad, _folder: Some(folder) })
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.snapshot.manifest().rows
    }

    /// The date their values speak of, in days.
    pub fn date(&self) -> i32 {
        self.snapshot.manifest().business_date
    }

    /// Cells and rows that could not be read, and the first of them.
    pub fn bad(&self) -> (u64, &[Fault]) {
        (self.bad.0, &self.bad.1)
    }

    /// What a customer is called: the file's id, else the key.
    pub(super) fn name(&self, key: CustomerKey) -> String {
        self.names.get(&key).cloned().unwrap_or_else(|| key.to_string())
    }
}

/// Customers as CSV that [`CustomerSource::File`] reads without a mapping.
pub(super) fn written_csv(customers: &Customers) -> Result<String, EngineError> {
    let mut csv = Vec::new();
    customers.snapshot.write_csv(&|key| customers.name(key), &mut csv)?;
    String::from_utf8(csv).map_err(EngineError::internal)
}

/// Writes a made-up population as CSV that [`CustomerSource::File`] reads without a mapping: no name, no number.
pub fn sample_csv(options: GenerateOptions, to: &mut dyn Write) -> Result<(), EngineError> {
    let dictionary: Dictionary = crate::parse_dictionary(crate::DEFAULT_FIELDS).map_err(EngineError::internal)?;
    Ok(write_csv(options, &dictionary, to)?)
}
