//! A source of rows, whatever its format: which columns it has, and one row after the other as texts.

use super::csv_source::CsvSource;
use super::mapping::{Encoding, Format, Mapping};
use super::parquet_source::ParquetSource;
use crate::error::PopulationError;
use care_domain::text::{Finding, nearest};
use std::path::Path;

/// What reading on gives.
pub(crate) enum Step {
    /// A row, which begins in a line.
    Row { line: u64 },
    /// A row that cannot be read.
    Broken { line: u64, reason: String },
    /// No more rows.
    End,
}

/// A source that is being read.
pub(crate) enum Source {
    Csv(Box<CsvSource>),
    Parquet(Box<ParquetSource>),
}

impl Source {
    /// Opens a file and finds the wanted columns in it.
    pub(crate) fn open(path: &Path, mapping: &Mapping, wanted: &[&str]) -> Result<Self, PopulationError> {
        Self::open_as(path, mapping.format, mapping.encoding, mapping.delimiter, wanted)
    }

    /// The same without a mapping.
    pub(crate) fn open_as(
        path: &Path,
        format: Format,
        encoding: Encoding,
        delimiter: u8,
        wanted: &[&str],
    ) -> Result<Self, PopulationError> {
        if !path.is_file() {
            let message = format!("there is no file {}", path.display());
            return Err(PopulationError::refused("missing", message, "Check the name of the file to import"));
        }
        match format {
            Format::Csv => CsvSource::open(path, encoding, delimiter, wanted).map(|s| Self::Csv(Box::new(s))),
            Format::Parquet => ParquetSource::open(path, wanted).map(|s| Self::Parquet(Box::new(s))),
        }
    }

    /// Moves to the next row.
    pub(crate) fn step(&mut self) -> Result<Step, PopulationError> {
        match self {
            Self::Csv(source) => source.step(),
            Self::Parquet(source) => source.step(),
        }
    }

    /// A cell of the current row, by the place of its column among the wanted ones.
    pub(crate) fn cell(&self, wanted: usize) -> &str {
        match self {
            Self::Csv(source) => source.cell(wanted),
            Self::Parquet(source) => source.cell(wanted),
        }
    }
}

/// How messages name a file: without the folders, which are nobody's business.
pub(crate) fn place(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// Finds the wanted columns in a header; every one that is missing or there twice is told.
pub(crate) fn find_columns(path: &Path, header: &[&str], wanted: &[&str]) -> Result<Vec<usize>, PopulationError> {
    let mut findings = Vec::new();
    let mut places = Vec::new();
    for name in wanted {
        let mut found = header.iter().enumerate().filter(|(_, h)| *h == name).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => places.push(at),
            (Some(_), Some(_)) => {
                let message = format!("{} has more than one column {name:?}", place(path));
                findings.push(Finding::error("repeated-column", message, "Rename one of them in the file"));
            }
            (None, _) => {
                let near = nearest(name, header.iter().copied());
                let hint = match near.is_empty() {
                    true => "Check the mapping against the file's header".to_owned(),
                    false => format!("Did you mean {}?", near.join(", ")),
                };
                findings.push(Finding::error(
                    "unknown-column",
                    format!("{} has no column {name:?}", place(path)),
                    hint,
                ));
            }
        }
    }
    if findings.is_empty() { Ok(places) } else { Err(PopulationError::Refused(findings)) }
}
