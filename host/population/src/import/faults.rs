//! What was wrong with rows and cells: counted, listed in a file, the first few kept for messages.

use super::cell::{CellFault, shorten};
use crate::error::PopulationError;
use crate::snapshot::Counts;
use care_domain::text::Finding;
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Faults kept in memory for messages; all are in the file.
const FIRST: usize = 20;

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultClass {
    /// Row: the key cell is blank.
    NoKey,
    /// Row: an earlier row has its key.
    RepeatedKey,
    /// Row: more or fewer cells than the header.
    RowWidth,
    /// Cell: blank.
    Blank,
    /// Cell: not of the field's type.
    Type,
    /// Cell: a date that does not exist.
    ImpossibleDate,
    /// Cell: below zero where only zero and more make sense.
    Negative,
    /// Cell: outside the dictionary's bounds or too large to hold.
    OutOfRange,
    /// Cell: not among the dictionary's values.
    UnknownValue,
}

/// One rejected row or bad cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Line of the file in which the row begins, from 1; of a Parquet file the number of the row.
    pub line: u64,
    /// Kind.
    pub class: FaultClass,
    /// The field of a bad cell; empty for a rejected row.
    pub field: String,
    /// The cell, at most 40 characters; empty where it could identify a person, and for a rejected row.
    pub value: String,
    /// In words.
    pub reason: String,
}

impl Fault {
    fn finding(&self) -> Finding {
        let place = if self.field.is_empty() { String::new() } else { format!(", field {}", self.field) };
        Finding::warning("bad-data", format!("line {}{place}: {}", self.line, self.reason), "Correct it")
    }
}

/// Collects faults while a source is read.
pub(crate) struct Faults {
    file: csv::Writer<NamedTempFile>,
    folder: PathBuf,
    listed: u64,
    first: Vec<Fault>,
    pub(crate) counts: Counts,
}

impl Faults {
    pub(crate) fn new(folder: &Path) -> Result<Self, PopulationError> {
        let file = NamedTempFile::with_prefix_in(".partial-", folder)
            .map_err(PopulationError::io("create a file in", folder))?;
        let counts = Counts::default();
        Ok(Self {
            file: csv::Writer::from_writer(file),
            folder: folder.to_owned(),
            listed: 0,
            first: Vec::new(),
            counts,
        })
    }

    pub(crate) fn bad_cell(
        &mut self,
        line: u64,
        field: &str,
        value: Option<&str>,
        fault: CellFault,
    ) -> Result<(), PopulationError> {
        self.counts.bad_cells += 1;
        let value = value.map(|v| shorten(v.trim())).unwrap_or_default();
        self.list(Fault { line, class: fault.class, field: field.to_owned(), value, reason: fault.reason })
    }

    pub(crate) fn rejected(
        &mut self,
        line: u64,
        class: FaultClass,
        reason: impl Into<String>,
    ) -> Result<(), PopulationError> {
        self.counts.rejected += 1;
        self.list(Fault { line, class, field: String::new(), value: String::new(), reason: reason.into() })
    }

    fn list(&mut self, fault: Fault) -> Result<(), PopulationError> {
        let written = self.file.serialize(&fault);
        written.map_err(|e| PopulationError::io("list a fault in", &self.folder)(e.into()))?;
        self.listed += 1;
        if self.first.len() < FIRST {
            self.first.push(fault);
        }
        Ok(())
    }

    /// Refuses when more than the given share of the rows is bad. All of it is decided on whole rows.
    pub(crate) fn check_share(&self, max_bad: Option<f64>) -> Result<(), PopulationError> {
        let Some(max_bad) = max_bad else { return Ok(()) };
        let Counts { bad_rows, read, .. } = self.counts;
        if bad_rows as f64 / read as f64 <= max_bad {
            return Ok(());
        }
        let message = format!("{bad_rows} of {read} rows are bad, more than {} %", max_bad * 100.0);
        let decisive =
            Finding::error("too-many-bad-rows", message, "Correct the file or the mapping; nothing was kept");
        Err(PopulationError::Refused(std::iter::once(decisive).chain(self.first.iter().map(Fault::finding)).collect()))
    }

    /// Moves the list to `target`, if there is anything to list, and hands over the first faults.
    pub(crate) fn keep(self, target: &Path) -> Result<(Option<PathBuf>, Vec<Fault>), PopulationError> {
        if self.listed == 0 {
            return Ok((None, self.first));
        }
        let error = PopulationError::io("write", target);
        let kept: io::Result<()> =
            self.file.into_inner().map_err(|e| io::Error::other(e.to_string())).and_then(|file| {
                file.as_file().sync_all()?;
                file.persist(target)?;
                Ok(())
            });
        kept.map_err(error)?;
        Ok((Some(target.to_owned()), self.first))
    }
}
