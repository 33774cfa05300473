//! Rows of other files than populations: outcomes, assignments, collected records. What their cells mean does not live
//! here.

use crate::error::PopulationError;
use crate::import::{Encoding, Format, Source, Step};
use std::io::Read;
use std::path::Path;

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// CSV or Parquet.
    pub format: Format,
    /// Of a CSV file.
    pub encoding: Encoding,
    /// Between the cells of a CSV file.
    pub delimiter: char,
}

/// A row: its line (of a Parquet file its number), and the wanted cells or why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line of the file in which it begins, from 1; of a Parquet file the number of the row.
    pub line: u64,
    /// The wanted cells, trimmed, in the order in which they were asked for.
    pub cells: Result<Vec<String>, String>,
}

/// A file that is read row by row.
pub struct Rows {
    source: Source,
    wanted: usize,
}

impl Rows {
    /// Opens a file and finds the wanted columns in it; every one that is missing is told.
    pub fn open(path: &Path, written: Written, wanted: &[&str]) -> Result<Self, PopulationError> {
        let delimiter = u8::try_from(written.delimiter).map_err(|_| {
            let message = format!("{:?} cannot be a delimiter", written.delimiter);
            PopulationError::refused("delimiter", message, "Use one of , ; | or a tab")
        })?;
        let source = Source::open_as(path, written.format, written.encoding, delimiter, wanted)?;
        Ok(Self { source, wanted: wanted.len() })
    }

    /// The next row.
    pub fn step(&mut self) -> Result<Option<Row>, PopulationError> {
        Ok(match self.source.step()? {
            Step::End => None,
            Step::Broken { line, reason } => Some(Row { line, cells: Err(reason) }),
            Step::Row { line } => {
                let cells = (0..self.wanted).map(|at| self.source.cell(at).trim().to_owned()).collect();
                Some(Row { line, cells: Ok(cells) })
            }
        })
    }
}

/// Rows of CSV text, the header's first, each with the line in which it begins; cells are trimmed.
pub fn of_text(text: &str) -> impl Iterator<Item = (u64, Vec<String>)> + '_ {
    // A last line without an end would not be counted as one.
    let bytes = text.trim_start_matches('\u{feff}').as_bytes().chain(&b"\n"[..]);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    std::iter::from_fn(move || {
        // Text cannot fail to be read; what is left after a failure could not be told apart from rows anyway.
        reader.read_record(&mut record).ok().filter(|more| *more)?;
        let inside = record.iter().flat_map(str::bytes).filter(|b| *b == b'\n').count() as u64;
        let begins = reader.position().line().saturating_sub(inside + 1);
        Some((begins, record.iter().map(|cell| cell.trim().to_owned()).collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_and_blank_lines_keep_their_lines() {
        let text = "\u{feff}a,b\n\"1, 2\", x\n\n3,\"4\n5\"\n6\n";
        let rows: Vec<(u64, Vec<String>)> = of_text(text).collect();
        let cells = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            rows,
            [(1, cells(&["a", "b"])), (2, cells(&["1, 2", "x"])), (4, cells(&["3", "4\n5"])), (6, cells(&["6"]))]
        );
    }

    #[test]
    fn a_file_gives_the_wanted_columns_in_the_wanted_order() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "x,y,z\n1,2,3\n4,5\n").expect("written");
        let written = Written { format: Format::Csv, encoding: Encoding::Utf8, delimiter: ',' };
        let mut rows = Rows::open(file.path(), written, &["z", "x"]).expect("rows");
        assert_eq!(rows.step().expect("a row").map(|r| r.cells), Some(Ok(vec!["3".into(), "1".into()])));
        assert!(rows.step().expect("a row").is_some_and(|r| r.line == 3 && r.cells.is_err()));
        assert_eq!(rows.step().expect("the end"), None);
        assert!(Rows::open(file.path(), written, &["w"]).is_err());
    }
}
