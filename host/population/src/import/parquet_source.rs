//! Rows of a Parquet file, as texts: typed columns are written canonically (ISO dates, plain decimals), and the
//! same rules then read them as read a CSV cell.

use super::source::{Step, find_columns, place};
use crate::error::PopulationError;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Rows decoded at once.
const BATCH_ROWS: usize = 4_096;

/// A Parquet file that is being read.
pub(crate) struct ParquetSource {
    reader: ParquetRecordBatchReader,
    path: PathBuf,
    /// For each wanted column its place in a batch.
    places: Vec<usize>,
    /// The texts of the current batch, row by row.
    texts: Vec<String>,
    row: usize,
    rows: usize,
    /// Rows before the current batch.
    before: u64,
}

impl ParquetSource {
    /// Reads the schema and finds the wanted columns.
    pub(crate) fn open(path: &Path, wanted: &[&str]) -> Result<Self, PopulationError> {
        let file = File::open(path).map_err(PopulationError::io("open", path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unreadable(path, &e))?;
        let schema = builder.schema().clone();
        let header: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let found = find_columns(path, &header, wanted)?;
        // A projected batch has its columns in the order of the file.
        let mut in_file = found.clone();
        in_file.sort_unstable();
        let places = found.iter().filter_map(|at| in_file.binary_search(at).ok()).collect();
        let projection = ProjectionMask::roots(builder.parquet_schema(), in_file);
        let reader = builder
            .with_projection(projection)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|e| unreadable(path, &e))?;
        Ok(Self { reader, path: path.to_owned(), places, texts: Vec::new(), row: 0, rows: 0, before: 0 })
    }

    /// Moves to the next row.
    pub(crate) fn step(&mut self) -> Result<Step, PopulationError> {
        self.row += 1;
        while self.row >= self.rows {
            let Some(batch) = self.reader.next() else { return Ok(Step::End) };
            let batch = batch.map_err(|e| unreadable(&self.path, &e))?;
            self.before += self.rows as u64;
            self.load(&batch).map_err(|e| unreadable(&self.path, &e))?;
        }
        Ok(Step::Row { line: self.before + self.row as u64 + 1 })
    }

    /// A cell of the current row; blank where the file has no value.
    pub(crate) fn cell(&self, wanted: usize) -> &str {
        self.texts.get(self.row * self.places.len() + wanted).map_or("", String::as_str)
    }

    fn load(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let columns =
            self.places.iter().map(|at| plain(batch.column(*at))).collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = FormatOptions::new().with_display_error(false);
        let formatters = columns
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, ArrowError>>()?;
        (self.row, self.rows) = (0, batch.num_rows());
        self.texts.clear();
        for row in 0..self.rows {
            for (column, formatter) in columns.iter().zip(&formatters) {
                self.texts.push(if column.is_null(row) {
                    String::new()
                } else {
                    formatter.value(row).try_to_string()?
                });
            }
        }
        Ok(())
    }
}

/// Instants with a named zone are the same instants at offset zero, which needs no zone table to be written.
fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => cast(column, &DataType::Timestamp(*unit, Some("+00:00".into()))),
        _ => Ok(ArrayRef::clone(column)),
    }
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> PopulationError {
    PopulationError::refused(
        "parquet",
        format!("{} cannot be read: {error}", place(path)),
        "Offer a sound Parquet file",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float64Array, Int32Array, TimestampMicrosecondArray};
    use std::sync::Arc;

    #[test]
    fn typed_columns_are_written_as_a_csv_would_write_them() {
        let columns: [(&str, ArrayRef); 4] = [
            (
                "at",
                Arc::new(TimestampMicrosecondArray::from(vec![Some(1_000_000), None]).with_timezone("Asia/Shanghai")),
            ),
            ("float", Arc::new(Float64Array::from(vec![20.25, 29.0]))),
            (
                "exact",
                Arc::new(Decimal128Array::from(vec![2_985, -10]).with_precision_and_scale(9, 2).expect("a scale")),
            ),
            ("number", Arc::new(Int32Array::from(vec![7, 8]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let file = tempfile::NamedTempFile::new().expect("a file");
        let handle = file.reopen().expect("a handle");
        let mut writer = parquet::arrow::ArrowWriter::try_new(handle, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("a batch");
        writer.close().expect("a file");
        let mut source = ParquetSource::open(file.path(), &["number", "exact", "at", "float"]).expect("a source");
        let mut rows = Vec::new();
        while let Step::Row { line } = source.step().expect("a step") {
            rows.push((line, [0, 1, 2, 3].map(|at| source.cell(at).to_owned())));
        }
        let expected = [(1, ["7", "29.85", "1970-01-01T00:00:01Z", "20.25"]), (2, ["8", "-0.10", "", "29.0"])];
        assert_eq!(rows, expected.map(|(line, cells)| (line, cells.map(str::to_owned))));
    }
}
