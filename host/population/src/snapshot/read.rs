//! Reading a snapshot: its manifest, a bucket at a time, one customer.

use super::columns::column;
use super::{FORMAT, KEY_COLUMN, MANIFEST, MAX_BITS, SnapshotManifest, bucket_file_name};
use crate::arrow_file;
use crate::error::PopulationError;
use arrow::array::{Array, AsArray, FixedSizeBinaryArray, RecordBatch};
use care_domain::canonical;
use care_domain::column::{Column, Table};
use care_domain::field::FieldType;
use care_domain::key::{Bucket, CustomerKey};
use care_domain::time;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A snapshot on disk. Buckets are mapped when asked for and unmapped with the last column of theirs.
#[derive(Debug, Clone)]
pub struct Snapshot {
    folder: PathBuf,
    id: String,
    manifest: SnapshotManifest,
}

impl Snapshot {
    /// Opens the folder `<id>`; the manifest must have the digest that the folder is named by.
    pub fn open(folder: &Path) -> Result<Self, PopulationError> {
        let path = folder.join(MANIFEST);
        let json = std::fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                PopulationError::damaged(&path, "is gone. Import the population again, or restore it from a copy")
            }
            _ => PopulationError::io("read", &path)(e),
        })?;
        let id = canonical::digest(&json);
        if folder.file_name().and_then(|n| n.to_str()) != Some(id.as_str()) {
            return Err(PopulationError::damaged(
                &path,
                "was changed: its SHA-256 is not the snapshot's id. Restore it from a copy",
            ));
        }
        let manifest: SnapshotManifest =
            serde_json::from_slice(&json).map_err(|e| PopulationError::io("read", &path)(e.into()))?;
        let sound =
            manifest.format == FORMAT && manifest.bits <= MAX_BITS && manifest.files.len() == 1 << manifest.bits;
        if !sound {
            return Err(PopulationError::damaged(
                &path,
                format!("has layout {} or bucket counts that this version cannot read", manifest.format),
            ));
        }
        Ok(Self { folder: folder.to_owned(), id, manifest })
    }

    /// SHA-256 of the manifest in hexadecimal.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is.
    pub fn manifest(&self) -> &SnapshotManifest {
        &self.manifest
    }

    /// One bucket, checked against its digest.
    pub fn bucket(&self, bucket: Bucket) -> Result<BucketData, PopulationError> {
        let path = self.folder.join(bucket_file_name(bucket.index));
        let file = self.manifest.files.get(bucket.index as usize).filter(|_| bucket.bits == self.manifest.bits);
        let Some(file) = file else {
            let message = format!("snapshot {} has no bucket {} of 2^{}", self.id, bucket.index, bucket.bits);
            return Err(PopulationError::refused(
                "unknown-bucket",
                message,
                "Take the bits from the snapshot's manifest",
            ));
        };
        let batch = arrow_file::open(&path, &file.sha256)?;
        let keys = batch.column_by_name(KEY_COLUMN).and_then(|a| a.as_fixed_size_binary_opt()).cloned();
        match keys {
            Some(keys) if keys.value_length() == 16 => Ok(BucketData { bucket, keys, batch }),
            _ => Err(PopulationError::damaged(&path, "has no key column. Import the population again")),
        }
    }

    /// Checks the digest of every file.
    pub fn verify(&self) -> Result<(), PopulationError> {
        Bucket::all(self.manifest.bits).try_for_each(|bucket| self.bucket(bucket).map(drop))
    }

    /// Writes all customers as CSV in the notation that an import without a mapping reads; `name` says what a customer is
    /// called.
    pub fn write_csv(&self, name: &dyn Fn(CustomerKey) -> String, to: &mut dyn Write) -> Result<(), PopulationError> {
        let failed = |e: csv::Error| PopulationError::io("write", Path::new("the customers"))(e.into());
        let mut file = csv::Writer::from_writer(to);
        file.write_record(["customer"].into_iter().chain(self.manifest.fields.keys().map(String::as_str)))
            .map_err(failed)?;
        for bucket in Bucket::all(self.manifest.bits) {
            let data = self.bucket(bucket)?;
            let columns: Vec<(FieldType, Option<Column>)> =
                self.manifest.fields.iter().map(|(name, ty)| (*ty, data.column(name))).collect();
            for (row, key) in data.keys().enumerate() {
                let cell = |(ty, column): &(FieldType, Option<Column>)| {
                    column.as_ref().and_then(|column| plain(*ty, column, row)).unwrap_or_default()
                };
                file.write_record([name(key)].into_iter().chain(columns.iter().map(cell))).map_err(failed)?;
            }
        }
        file.flush().map_err(PopulationError::io("write", Path::new("the customers")))
    }

    /// What is known of one customer: field names with readable values (money in yuan, ISO dates), for those fields
    /// that have one. `None` when the snapshot does not hold the customer.
    pub fn find(&self, key: CustomerKey) -> Result<Option<Vec<(String, String)>>, PopulationError> {
        let data = self.bucket(key.bucket(self.manifest.bits))?;
        let Some(row) = data.find(key) else { return Ok(None) };
        let shown = self.manifest.fields.iter().filter_map(|(name, ty)| {
            let column = data.column(name)?;
            Some((name.clone(), display(*ty, &column, row)?))
        });
        Ok(Some(shown.collect()))
    }
}

/// The customers of one bucket in the order of their keys.
#[derive(Debug, Clone)]
pub struct BucketData {
    bucket: Bucket,
    keys: FixedSizeBinaryArray,
    batch: RecordBatch,
}

impl BucketData {
    /// Which bucket it is.
    pub fn bucket(&self) -> Bucket {
        self.bucket
    }

    pub(super) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Number of customers.
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// The key of a row.
    pub fn key(&self, row: usize) -> Option<CustomerKey> {
        (row < self.rows()).then(|| key_at(&self.keys, row))
    }

    /// All keys, ascending.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = CustomerKey> + '_ {
        (0..self.rows()).map(|row| key_at(&self.keys, row))
    }

    /// The row of a customer.
    pub fn find(&self, key: CustomerKey) -> Option<usize> {
        let (mut low, mut high) = (0, self.rows());
        while low < high {
            let middle = low.midpoint(high);
            match key_at(&self.keys, middle).cmp(&key) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// A field's column, without a copy; `None` when the snapshot lacks the field.
    pub fn column(&self, name: &str) -> Option<Column> {
        if name == KEY_COLUMN {
            return None;
        }
        let (index, field) = self.batch.schema_ref().column_with_name(name)?;
        column(field, self.batch.column(index))
    }

    /// The columns of those of the named fields that the snapshot has, without a copy.
    pub fn table<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Table {
        let columns: BTreeMap<String, Column> =
            names.into_iter().filter_map(|name| Some((name.to_owned(), self.column(name)?))).collect();
        Table { rows: self.rows() as u32, columns }
    }
}

fn key_at(keys: &FixedSizeBinaryArray, row: usize) -> CustomerKey {
    let mut key = [0u8; 16];
    key.copy_from_slice(keys.value(row));
    CustomerKey(key)
}

/// As a file without a mapping writes it: money in fen, the rest as people read it.
fn plain(ty: FieldType, column: &Column, row: usize) -> Option<String> {
    if ty == FieldType::Fen { column.integer(row).map(|fen| fen.to_string()) } else { display(ty, column, row) }
}

fn display(ty: FieldType, column: &Column, row: usize) -> Option<String> {
    Some(match ty {
        FieldType::Fen => {
            let fen = column.integer(row)?;
            let sign = if fen < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
        }
        FieldType::Instant => time::write_instant(column.integer(row)?),
        FieldType::Count | FieldType::Small => column.integer(row)?.to_string(),
        FieldType::Date => time::write_date(column.integer(row)? as i32),
        FieldType::Ratio => column.ratio(row)?.to_string(),
        FieldType::Boolean => column.yes(row)?.to_string(),
        FieldType::Category | FieldType::Text => column.text(row)?.to_owned(),
    })
}
