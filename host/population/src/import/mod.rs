//! Import: a CSV or Parquet file and a mapping in, a snapshot and its identities out.
//!
//! Errors by level: the file is refused and nothing is written; a row is kept aside with its line and reason;
//! a cell has no value, is counted and listed. What is listed names lines, fields and reasons, never a person.

mod by_header;
mod cell;
mod csv_source;
mod faults;
mod mapping;
mod parquet_source;
mod run;
mod source;
mod text_reader;

pub use faults::{Fault, FaultClass};
pub use mapping::{Encoding, Format, Mapping};
pub use run::{ImportOptions, Imported, import};

pub(crate) use cell::{CellFault, Rule, shorten};
pub(crate) use csv_source::CsvSource;
pub(crate) use source::{Source, Step};
