//! Writing a snapshot: rows in any order in, a folder named by its content out, or nothing at all.

use super::columns::{ColumnPlan, build};
use super::partition::{Entry, Interner, Origin, PARTS, Partition};
use super::{
    BUCKET_ROWS, BucketFile, Cell, Counts, FORMAT, MANIFEST, MAX_BITS, Snapshot, SnapshotManifest, bucket_file_name,
};
use crate::arrow_file;
use crate::durable;
use crate::error::PopulationError;
use crate::identity::IdentitySpool;
use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use care_domain::canonical;
use care_domain::field::{FieldType, Wire};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Takes rows until they are complete.
pub(crate) struct SnapshotWriter {
    folder: TempDir,
    fields: BTreeMap<String, FieldType>,
    categories: Vec<Option<Interner>>,
    partition: Partition,
    rows: u64,
}

/// A row that was left out because an earlier one has its key.
pub(crate) struct Duplicate {
    pub(crate) line: u64,
    /// Whether it also had bad cells.
    pub(crate) bad: bool,
}

/// What the manifest says beside what the rows say.
pub(crate) struct About<'a> {
    pub(crate) source: &'a str,
    pub(crate) business_date: i32,
    pub(crate) counts: Counts,
}

/// All buckets written, not yet named.
pub(crate) struct Draft {
    folder: TempDir,
    fields: BTreeMap<String, FieldType>,
    bits: u8,
    files: Vec<BucketFile>,
}

impl SnapshotWriter {
    /// Begins in a temporary folder beside the snapshots of `root`.
    pub(crate) fn new(root: &Path, fields: BTreeMap<String, FieldType>) -> Result<Self, PopulationError> {
        durable::create_folder(root)?;
        let folder = tempfile::Builder::new()
            .prefix(".partial-")
            .tempdir_in(root)
            .map_err(PopulationError::io("create a folder in", root))?;
        let category = |(name, ty): (&String, &FieldType)| (ty.wire() == Wire::Codes).then(|| Interner::new(name));
        let categories = fields.iter().map(category).collect();
        let partition = Partition::new(folder.path());
        Ok(Self { folder, fields, categories, partition, rows: 0 })
    }

    /// Adds a row: its cells in alphabetical order of the fields, and its identity as JSON.
    pub(crate) fn push(
        &mut self,
        origin: Origin,
        cells: &[Option<Cell<'_>>],
        identity: &[u8],
    ) -> Result<(), PopulationError> {
        self.rows += 1;
        self.partition.push(origin, cells, &mut self.categories, identity)
    }

    /// Sorts the rows into buckets. Of rows with one key the first line stays; the others are told to `duplicate`.
    pub(crate) fn finish(
        mut self,
        spool: &mut IdentitySpool,
        mut duplicate: impl FnMut(Duplicate) -> Result<(), PopulationError>,
    ) -> Result<Draft, PopulationError> {
        let bits = bits_for(self.rows);
        let plans = plans(&self.fields, std::mem::take(&mut self.categories));
        let step = (PARTS >> bits).max(1);
        let mut files = Vec::new();
        for first in (0..PARTS).step_by(step) {
            let (bytes, mut entries) = self.partition.take(first..first + step)?;
            let mut unique: Vec<Entry> = Vec::with_capacity(entries.len());
            for entry in entries.drain(..) {
                if unique.last().is_some_and(|kept| kept.origin.key == entry.origin.key) {
                    duplicate(Duplicate { line: entry.origin.line, bad: entry.origin.bad })?;
                } else {
                    unique.push(entry);
                }
            }
            let mut rest = unique.as_slice();
            let next_bucket = ((first + step) << bits) / PARTS;
            while files.len() < next_bucket {
                let index = files.len() as u32;
                let here = rest.partition_point(|e| e.origin.key.bucket(bits).index <= index);
                let (rows, later) = rest.split_at(here);
                files.push(self.write_bucket(index, &plans, rows, &bytes, spool)?);
                rest = later;
            }
        }
        Ok(Draft { folder: self.folder, fields: self.fields, bits, files })
    }

    fn write_bucket(
        &self,
        index: u32,
        plans: &[ColumnPlan],
        rows: &[Entry],
        bytes: &[u8],
        spool: &mut IdentitySpool,
    ) -> Result<BucketFile, PopulationError> {
        let path = self.folder.path().join(bucket_file_name(index));
        let payloads = rows.iter().map(|e| (e.origin.key, &bytes[e.start..e.end]));
        let batch: RecordBatch =
            build(plans, payloads, |json| spool.push(json).map_err(Fault::Spool)).map_err(|fault| fault.at(&path))?;
        let file = arrow_file::encode(&batch).map_err(PopulationError::columns("write", &path))?;
        durable::write_synced(&path, &file)?;
        Ok(BucketFile { bytes: file.len() as u64, rows: rows.len() as u64, sha256: canonical::digest(&file) })
    }
}

/// Either half of building a bucket may fail.
enum Fault {
    Spool(PopulationError),
    Columns(ArrowError),
}

impl Fault {
    fn at(self, path: &Path) -> PopulationError {
        match self {
            Self::Spool(error) => error,
            Self::Columns(error) => PopulationError::columns("build", path)(error),
        }
    }
}

impl From<ArrowError> for Fault {
    fn from(error: ArrowError) -> Self {
        Self::Columns(error)
    }
}

impl Draft {
    /// Customers in it.
    pub(crate) fn rows(&self) -> u64 {
        self.files.iter().map(|f| f.rows).sum()
    }

    /// Names the snapshot by its content and moves it into place. Returns its id and folder.
    pub(crate) fn seal(self, root: &Path, about: &About<'_>) -> Result<(String, PathBuf), PopulationError> {
        let manifest = SnapshotManifest {
            bits: self.bits,
            business_date: about.business_date,
            counts: about.counts,
            rows: self.rows(),
            fields: self.fields,
            files: self.files,
            format: FORMAT,
            source: about.source.to_owned(),
            derived: None,
        };
        seal(self.folder, root, &manifest)
    }
}

/// Names a snapshot whose buckets are written by its content, and moves it into place. Returns its id and folder.
pub(super) fn seal(
    folder: TempDir,
    root: &Path,
    manifest: &SnapshotManifest,
) -> Result<(String, PathBuf), PopulationError> {
    let path = folder.path().join(MANIFEST);
    let json = canonical::json(manifest).map_err(|e| PopulationError::io("write", &path)(e.into()))?;
    let id = canonical::digest(json.as_bytes());
    let target = root.join(&id);
    if target.exists() {
        // Same content, same name: it is there already, and must still be what it was.
        Snapshot::open(&target)?.verify()?;
        return Ok((id, target));
    }
    durable::write_synced(&path, json.as_bytes())?;
    durable::sync_folder(folder.path())?;
    let folder = folder.keep();
    if let Err(error) = std::fs::rename(&folder, &target) {
        // Nobody will look for it under its temporary name.
        let _ = std::fs::remove_dir_all(&folder);
        if !target.exists() {
            return Err(PopulationError::io("rename the snapshot to", &target)(error));
        }
        // Somebody else has made the same snapshot meanwhile.
        Snapshot::open(&target)?.verify()?;
    }
    durable::sync_folder(root)?;
    Ok((id, target))
}

fn bits_for(rows: u64) -> u8 {
    let buckets = rows.div_ceil(BUCKET_ROWS).max(1).next_power_of_two();
    (buckets.trailing_zeros() as u8).min(MAX_BITS)
}

fn plans(fields: &BTreeMap<String, FieldType>, categories: Vec<Option<Interner>>) -> Vec<ColumnPlan> {
    fields
        .iter()
        .zip(categories)
        .map(|((name, ty), interner)| {
            let (categories, place) = interner.map(Interner::sorted).unwrap_or_default();
            ColumnPlan { name: name.clone(), ty: *ty, categories, place }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_about_65536_customers() {
        let cases =
            [(0, 0), (65_536, 0), (65_537, 1), (200_000, 2), (10_000_000, 8), (100_000_000, 11), (u64::MAX >> 1, 16)];
        for (rows, bits) in cases {
            assert_eq!(bits_for(rows), bits, "{rows}");
        }
    }
}
