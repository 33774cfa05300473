//! A derived snapshot: every column of its base and one more, bucket by bucket.

use super::write::seal;
use super::{BucketData, BucketFile, CATEGORIES, Derived, Snapshot, SnapshotManifest, bucket_file_name};
use crate::arrow_file;
use crate::durable;
use crate::error::PopulationError;
use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, UInt8Array, UInt32Array};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use care_domain::canonical;
use care_domain::field::{FieldType, Wire};
use care_domain::key::Bucket;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The column that a model adds.
#[derive(Debug, Clone)]
pub struct DerivedColumn<'a> {
    /// Its type.
    pub ty: FieldType,
    /// The values of a category; its cells hold places in it.
    pub categories: &'a [String],
    /// What it is derived from, and by what.
    pub about: Derived,
}

/// Adds a column to a snapshot; `values_of` has one value for each row of a bucket, a whole number where the type is one.
/// Returns the new snapshot; the same base, model and values give the same one.
pub fn derive<E: From<PopulationError>>(
    base: &Snapshot,
    root: &Path,
    column: &DerivedColumn<'_>,
    mut values_of: impl FnMut(&BucketData) -> Result<Vec<Option<f64>>, E>,
) -> Result<Snapshot, E> {
    let manifest = base.manifest();
    let name = &column.about.column;
    if manifest.fields.contains_key(name) {
        let message = format!("snapshot {} has a column {name:?} already", base.id());
        let hint = "Derive from the snapshot that was imported, or import it without that column";
        return Err(PopulationError::refused("column-exists", message, hint).into());
    }
    let partial = tempfile::Builder::new().prefix(".partial-").tempdir_in(root);
    let partial = partial.map_err(PopulationError::io("create a folder in", root))?;
    let mut files = Vec::with_capacity(manifest.files.len());
    for bucket in Bucket::all(manifest.bits) {
        let data = base.bucket(bucket)?;
        let values = values_of(&data)?;
        let path = partial.path().join(bucket_file_name(bucket.index));
        let bytes = data.with_column(column, &values).and_then(|batch| arrow_file::encode(&batch));
        let bytes = bytes.map_err(PopulationError::columns("write", &path))?;
        durable::write_synced(&path, &bytes)?;
        files.push(BucketFile {
            bytes: bytes.len() as u64,
            rows: data.rows() as u64,
            sha256: canonical::digest(&bytes),
        });
    }
    let mut fields = manifest.fields.clone();
    fields.insert(name.clone(), column.ty);
    let derived = SnapshotManifest { fields, files, derived: Some(column.about.clone()), ..manifest.clone() };
    let (_, folder) = seal(partial, root, &derived)?;
    Ok(Snapshot::open(&folder)?)
}

impl BucketData {
    /// Its columns and one more.
    fn with_column(&self, column: &DerivedColumn<'_>, values: &[Option<f64>]) -> Result<RecordBatch, ArrowError> {
        let array: ArrayRef = match column.ty.wire() {
            Wire::S64 => Arc::new(values.iter().map(|v| v.map(|v| v as i64)).collect::<Int64Array>()),
            Wire::S32 => Arc::new(values.iter().map(|v| v.map(|v| v as i32)).collect::<Int32Array>()),
            Wire::F64 => Arc::new(values.iter().copied().collect::<Float64Array>()),
            Wire::Boolean => Arc::new(values.iter().map(|v| v.map(|v| v as u8)).collect::<UInt8Array>()),
            Wire::Codes => return self.with_codes(column, values),
            Wire::Texts => return Err(ArrowError::NotYetImplemented("a derived text".into())),
        };
        let field = Field::new(&column.about.column, array.data_type().clone(), true);
        self.extended(field, array)
    }

    /// Categories stand in alphabetical order, as in every snapshot.
    fn with_codes(&self, column: &DerivedColumn<'_>, values: &[Option<f64>]) -> Result<RecordBatch, ArrowError> {
        let mut sorted: Vec<&String> = column.categories.iter().collect();
        sorted.sort_unstable();
        let place = |value: f64| {
            let category = column.categories.get(value as usize)?;
            sorted.iter().position(|known| *known == category).map(|at| at as u32)
        };
        let array: ArrayRef = Arc::new(values.iter().map(|v| v.and_then(place)).collect::<UInt32Array>());
        let categories = serde_json::Value::from(sorted.into_iter().cloned().collect::<Vec<_>>()).to_string();
        let field = Field::new(&column.about.column, array.data_type().clone(), true);
        self.extended(field.with_metadata(HashMap::from([(CATEGORIES.to_owned(), categories)])), array)
    }

    fn extended(&self, field: Field, array: ArrayRef) -> Result<RecordBatch, ArrowError> {
        let mut fields: Vec<Arc<Field>> = self.batch().schema().fields().iter().cloned().collect();
        fields.push(Arc::new(field));
        let mut arrays = self.batch().columns().to_vec();
        arrays.push(array);
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
    }
}
