//! Rows of a CSV file with a header line.

use super::mapping::{DELIMITERS, Encoding};
use super::source::{Step, place};
use super::text_reader::{END_MARK, NotText, TextReader};
use crate::error::PopulationError;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A row over more lines is a quote that was never closed.
const MAX_LINES_OF_A_ROW: u64 = 1_000;

/// A CSV file that is being read; cells are those of the wanted columns, in the order in which they were asked for.
pub(crate) struct CsvSource {
    reader: csv::Reader<TextReader<File>>,
    path: PathBuf,
    record: csv::StringRecord,
    width: usize,
    places: Vec<usize>,
}

impl CsvSource {
    /// Reads the header and finds the wanted columns.
    pub(crate) fn open(
        path: &Path,
        encoding: Encoding,
        delimiter: u8,
        wanted: &[&str],
    ) -> Result<Self, PopulationError> {
        let file = File::open(path).map_err(PopulationError::io("open", path))?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(TextReader::new(file, encoding));
        let record = csv::StringRecord::new();
        let mut source = Self { reader, path: path.to_owned(), record, width: 0, places: Vec::new() };
        if source.advance()?.is_none() {
            return Err(PopulationError::refused(
                "empty",
                format!("{} is empty", place(path)),
                "Offer a file with a header line",
            ));
        }
        source.width = source.record.len();
        // GB18030 has a byte order mark, too, which decodes to this character.
        let header: Vec<&str> = source.record.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
        source.places = find_columns(path, &header, wanted, delimiter)?;
        Ok(source)
    }

    /// Moves to the next row.
    pub(crate) fn step(&mut self) -> Result<Step, PopulationError> {
        let Some(line) = self.advance()? else { return Ok(Step::End) };
        if self.record.len() != self.width {
            let reason = format!("the row has {} cells, the header {}", self.record.len(), self.width);
            return Ok(Step::Broken { line, reason });
        }
        Ok(Step::Row { line })
    }

    /// A cell of the current row.
    pub(crate) fn cell(&self, wanted: usize) -> &str {
        self.places.get(wanted).and_then(|at| self.record.get(*at)).unwrap_or("")
    }

    /// Reads a record and returns the line in which it begins. The reader's own position before a record is
    /// that of the blank lines before it, hence the counting backwards from its end.
    fn advance(&mut self) -> Result<Option<u64>, PopulationError> {
        let more = self.reader.read_record(&mut self.record).map_err(|e| refused(&self.path, e))?;
        let last = self.record.iter().next_back();
        if !more || (self.record.len() == 1 && last == Some(END_MARK)) {
            return Ok(None);
        }
        let swallowed_the_end = last.is_some_and(|cell| cell.contains(END_MARK));
        let inside = self.record.iter().flat_map(str::bytes).filter(|b| *b == b'\n').count() as u64;
        let begins = self.reader.position().line().saturating_sub(inside + u64::from(!swallowed_the_end));
        if swallowed_the_end || inside > MAX_LINES_OF_A_ROW {
            let message =
                format!("{}: a quote that opens in the row at line {begins} is never closed", place(&self.path));
            let hint = "Close the quote, or double it where it is meant literally";
            return Err(PopulationError::refused("open-quote", message, hint));
        }
        Ok(Some(begins))
    }
}

fn refused(path: &Path, error: csv::Error) -> PopulationError {
    match error.into_kind() {
        csv::ErrorKind::Io(e) if e.get_ref().is_some_and(|inner| inner.is::<NotText>()) => PopulationError::refused(
            "encoding",
            format!("{}: {e}", place(path)),
            "Set encoding in the mapping to \"utf-8\" or \"gb18030\", whichever the file is in",
        ),
        csv::ErrorKind::Io(e) => PopulationError::io("read", path)(e),
        other => PopulationError::refused("csv", format!("{}: {other:?}", place(path)), "Write the file as plain CSV"),
    }
}

fn find_columns(path: &Path, header: &[&str], wanted: &[&str], delimiter: u8) -> Result<Vec<usize>, PopulationError> {
    let other = DELIMITERS.into_iter().find(|d| *d as u8 != delimiter && header.iter().any(|name| name.contains(*d)));
    if let ([only], Some(other)) = (header, other)
        && wanted.iter().any(|name| name != only)
    {
        let used = delimiter as char;
        let message =
            format!("{}: with {used:?} as delimiter the header is one column, but it contains {other:?}", place(path));
        return Err(PopulationError::refused(
            "delimiter",
            message,
            format!("Set delimiter = {other:?} in the mapping"),
        ));
    }
    super::source::find_columns(path, header, wanted)
}
