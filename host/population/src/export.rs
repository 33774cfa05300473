//! Tables as files for business analysis: Parquet, or CSV that spreadsheet programs open as it is.

use crate::error::PopulationError;
use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use care_domain::export::{Cell, CellType, Table};
use care_domain::time;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Apache Parquet, compressed.
    Parquet,
    /// CSV with a byte order mark.
    Csv,
}

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Parquet, Self::Csv];

    /// As typed, and the end of a file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// A table that is being written. Under its name there is a whole file or none.
pub struct TableFile {
    table: Table,
    path: PathBuf,
    draft: NamedTempFile,
    writer: Writer,
    rows: u64,
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Csv(Box<csv::Writer<BufWriter<File>>>),
}

impl TableFile {
    /// Begins `<folder>/<table>.<form>`.
    pub fn create(folder: &Path, table: Table, form: Form) -> Result<Self, PopulationError> {
        let path = folder.join(format!("{}.{}", table.name, form.name()));
        let draft = tempfile::Builder::new()
            .prefix(".partial-")
            .tempfile_in(folder)
            .map_err(PopulationError::io("create a file in", folder))?;
        let handle = draft.reopen().map_err(PopulationError::io("open", &path))?;
        let writer = match form {
            Form::Parquet => {
                let level = ZstdLevel::try_new(3).map_err(|e| columns(&path)(e.into()))?;
                let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                let writer = ArrowWriter::try_new(handle, Arc::new(schema(&table)), Some(properties));
                Writer::Parquet(Box::new(writer.map_err(|e| columns(&path)(e.into()))?))
            }
            Form::Csv => {
                let mut out = BufWriter::new(handle);
                // Without the mark Excel takes UTF-8 for the code page of its country.
                out.write_all("\u{feff}".as_bytes()).map_err(PopulationError::io("write", &path))?;
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(table.columns.iter().map(|(name, _)| name)).map_err(broken(&path))?;
                Writer::Csv(Box::new(writer))
            }
        };
        Ok(Self { table, path, draft, writer, rows: 0 })
    }

    /// Appends rows, their cells in the order of the table's columns.
    pub fn write(&mut self, rows: &[Vec<Cell>]) -> Result<(), PopulationError> {
        match &mut self.writer {
            Writer::Parquet(writer) => {
                let batch = batch(&self.table, rows).map_err(columns(&self.path))?;
                writer.write(&batch).map_err(|e| columns(&self.path)(e.into()))?;
            }
            Writer::Csv(writer) => {
                for row in rows {
                    let cells = row.iter().zip(self.table.columns).map(|(cell, (_, ty))| written(cell, *ty));
                    writer.write_record(cells).map_err(broken(&self.path))?;
                }
            }
        }
        self.rows += rows.len() as u64;
        Ok(())
    }

    /// Ends the file and gives it its name; returns its rows.
    pub fn finish(self) -> Result<u64, PopulationError> {
        let Self { path, draft, writer, rows, .. } = self;
        match writer {
            Writer::Parquet(writer) => {
                writer.close().map_err(|e| columns(&path)(e.into()))?;
            }
            Writer::Csv(mut writer) => writer.flush().map_err(PopulationError::io("write", &path))?,
        }
        draft.as_file().sync_all().map_err(PopulationError::io("sync", &path))?;
        draft.persist(&path).map_err(|e| PopulationError::io("name", &path)(e.error))?;
        Ok(rows)
    }
}

fn columns(path: &Path) -> impl FnOnce(ArrowError) -> PopulationError + '_ {
    PopulationError::columns("write", path)
}

fn broken(path: &Path) -> impl FnOnce(csv::Error) -> PopulationError + '_ {
    move |error| PopulationError::io("write", path)(std::io::Error::other(error))
}

fn schema(table: &Table) -> Schema {
    let field = |(name, ty): &(&str, CellType)| {
        let ty = match ty {
            CellType::Text => DataType::Utf8,
            CellType::Whole => DataType::Int64,
            CellType::Real => DataType::Float64,
            CellType::Instant => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            CellType::Date => DataType::Date32,
        };
        Field::new(*name, ty, true)
    };
    Schema::new(table.columns.iter().map(field).collect::<Vec<_>>())
}

fn batch(table: &Table, rows: &[Vec<Cell>]) -> Result<RecordBatch, ArrowError> {
    let whole = |at: usize| {
        rows.iter().map(move |row| match row.get(at) {
            Some(Cell::Whole(value)) => Some(*value),
            _ => None,
        })
    };
    let column = |(at, (_, ty)): (usize, &(&str, CellType))| -> ArrayRef {
        match ty {
            CellType::Text => Arc::new(StringArray::from_iter(rows.iter().map(|row| match row.get(at) {
                Some(Cell::Text(text)) => Some(text.as_str()),
                _ => None,
            }))),
            CellType::Real => Arc::new(Float64Array::from_iter(rows.iter().map(|row| match row.get(at) {
                Some(Cell::Real(value)) => Some(*value),
                _ => None,
            }))),
            CellType::Whole => Arc::new(Int64Array::from_iter(whole(at))),
            CellType::Instant => Arc::new(TimestampMillisecondArray::from_iter(whole(at)).with_timezone("UTC")),
            CellType::Date => Arc::new(Date32Array::from_iter(whole(at).map(|days| days.map(|days| days as i32)))),
        }
    };
    let columns = table.columns.iter().enumerate().map(column).collect();
    RecordBatch::try_new(Arc::new(schema(table)), columns)
}

fn written(cell: &Cell, ty: CellType) -> String {
    match (cell, ty) {
        (Cell::None, _) => String::new(),
        (Cell::Whole(ms), CellType::Instant) => time::write_instant(*ms),
        (Cell::Whole(days), CellType::Date) => i32::try_from(*days).map_or(String::new(), time::write_date),
        (Cell::Whole(value), _) => value.to_string(),
        (Cell::Real(value), _) => value.to_string(),
        // A spreadsheet would take it for a formula.
        (Cell::Text(text), _) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
        (Cell::Text(text), _) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;
    use care_domain::export::TABLES;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    fn table() -> Table {
        Table {
            name: "trial",
            columns: &[
                ("who", CellType::Text),
                ("many", CellType::Whole),
                ("share", CellType::Real),
                ("at", CellType::Instant),
                ("on", CellType::Date),
            ],
        }
    }

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            vec![Cell::Text("绿色, 账单".into()), Cell::Whole(7), Cell::Real(0.25), Cell::Whole(0), Cell::Whole(1)],
            vec![Cell::Text("=1+1".into()), Cell::None, Cell::None, Cell::None, Cell::None],
        ]
    }

    #[test]
    fn a_csv_opens_in_a_spreadsheet_and_holds_no_formula() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = TableFile::create(folder.path(), table(), Form::Csv).expect("a file");
        file.write(&rows()).expect("rows");
        assert_eq!(file.finish().expect("an end"), 2);
        let text = std::fs::read_to_string(folder.path().join("trial.csv")).expect("text");
        let wanted =
            "\u{feff}who,many,share,at,on\n\"绿色, 账单\",7,0.25,1970-01-01T08:00:00+08:00,1970-01-02\n'=1+1,,,,\n";
        assert_eq!(text, wanted);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no draft is left");
    }

    #[test]
    fn a_parquet_file_has_types_and_gaps() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = TableFile::create(folder.path(), table(), Form::Parquet).expect("a file");
        file.write(&rows()).expect("rows");
        file.write(&rows()).expect("more rows");
        assert_eq!(file.finish().expect("an end"), 4);
        let opened = File::open(folder.path().join("trial.parquet")).expect("a file");
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened).expect("parquet").build().expect("a reader");
        let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("a batch")).collect();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 4);
        let many = batches[0].column(1).as_primitive::<Int64Type>();
        assert!(many.value(0) == 7 && many.is_null(1));
        assert_eq!(batches[0].column(0).as_string::<i32>().value(1), "=1+1");
        assert_eq!(batches[0].column(3).data_type(), &DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())));
    }

    #[test]
    fn every_table_that_leaves_can_be_written_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        for table in TABLES {
            for form in Form::ALL {
                assert_eq!(
                    TableFile::create(folder.path(), table, form).and_then(TableFile::finish).expect("a file"),
                    0
                );
            }
        }
    }
}
