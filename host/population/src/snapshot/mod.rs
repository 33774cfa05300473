//! Snapshots: an immutable population of one business date, named by the digest of its manifest.
//!
//! `<id>/manifest.json` records everything about it, `<id>/bucket-00000.arrow` and so on hold the customers:
//! bucket i of 2^bits by the leading bits of the key, sorted by key, one Arrow record batch each, so that a
//! column goes from the page cache to a guest in one copy and one customer is a binary search.

mod columns;
mod derive;
mod partition;
mod read;
mod write;

pub use derive::{DerivedColumn, derive};
pub(crate) use partition::Origin;
pub use read::{BucketData, Snapshot};
pub(crate) use write::{About, SnapshotWriter};

use care_domain::field::FieldType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Customers in a bucket, about: what a task holds in memory at once.
pub const BUCKET_ROWS: u64 = 65_536;
/// The most bits of a bucket number.
pub(crate) const MAX_BITS: u8 = 16;
/// Version of the layout; another one is not read.
pub(crate) const FORMAT: u32 = 1;
/// Name of the manifest in a snapshot's folder.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Name of the key column. No field of the dictionary is called so, since it is no kebab name.
pub(crate) const KEY_COLUMN: &str = "_key";
/// Key in a column's metadata under which a category column lists its values as a JSON array.
pub(crate) const CATEGORIES: &str = "categories";

/// One value of one customer on its way into a snapshot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Money, instants, counts, small numbers, dates; booleans as 0 or 1.
    Whole(i64),
    /// Ratios.
    Ratio(f64),
    /// Categories and texts.
    Text(&'a str),
}

/// What a snapshot is. The id is the digest of its canonical JSON, which is what `manifest.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotManifest {
    /// log2 of the number of buckets.
    pub bits: u8,
    /// The date its values speak of, days since 1970-01-01.
    pub business_date: i32,
    /// What became of the source's rows.
    pub counts: Counts,
    /// Its fields with their types.
    pub fields: BTreeMap<String, FieldType>,
    /// One entry for each bucket, in order.
    pub files: Vec<BucketFile>,
    /// Version of the layout.
    pub format: u32,
    /// Customers.
    pub rows: u64,
    /// What people call the source; not a path.
    pub source: String,
    /// What it was derived from, where a model added a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<Derived>,
}

/// A base and one column more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// The snapshot that it was derived from.
    pub base: String,
    /// The column that was added.
    pub column: String,
    /// Digest of the model's component.
    pub model: String,
    /// Digest of the approval on which it ran.
    pub approval: String,
    /// Its parameters as JSON.
    pub params: String,
}

/// What became of the rows of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Cells that could not be read and have no value.
    pub bad_cells: u64,
    /// Rows that were rejected or have at least one bad cell.
    pub bad_rows: u64,
    /// Rows of the source.
    pub read: u64,
    /// Rows left out: without a key, with a repeated one, or of another width than the header.
    pub rejected: u64,
}

/// The file of one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketFile {
    /// Length in bytes.
    pub bytes: u64,
    /// Customers.
    pub rows: u64,
    /// Digest in hexadecimal.
    pub sha256: String,
}

/// Name of a bucket's file.
pub(crate) fn bucket_file_name(index: u32) -> String {
    format!("bucket-{index:05}.arrow")
}
