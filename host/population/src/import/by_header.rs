//! The mapping of a file whose columns are named as the fields are: no mapping file is needed.

use super::cell::{Blank, Notation, Rule};
use super::mapping::{Encoding, Format, IdentityColumns, Key, Mapped, Mapping, Origin};
use crate::error::PopulationError;
use care_domain::field::{Dictionary, is_supplied};
use care_domain::text::Finding;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The column that holds the customer's id; without it the number of the row is the id.
const ID: &str = "customer";
/// No header line is longer.
const MAX_HEADER_BYTES: u64 = 1 << 20;

impl Mapping {
    /// The mapping of a CSV file (UTF-8, commas) by its header: each column is the field of its name, in the usual
    /// notation and money in fen; a blank cell has no value. Every column that is no field is told at once.
    pub fn by_header(path: &Path, dictionary: &Dictionary) -> Result<Self, PopulationError> {
        let mut key = Key::RowNumber;
        let mut fields = BTreeMap::new();
        let mut findings = Vec::new();
        for column in header(path)? {
            if column == ID {
                key = Key::Column(column);
                continue;
            }
            if is_supplied(&column) {
                let message = format!("column {column:?} is the host's own view, which no file holds");
                findings.push(Finding::error("own-field", message, "Leave it out; cases may say it"));
                continue;
            }
            match dictionary.find(&column) {
                Ok(field) => {
                    let rule = Rule::new(field, Notation { blank: Blank::Absent, ..Notation::default() });
                    fields.insert(column.clone(), Mapped { from: Origin::Column(column), rule });
                }
                Err(near) => {
                    let message = format!("column {column:?} is no field of the dictionary");
                    let hint = format!("Rename or remove it, or write a mapping and name it with --mapping{near}");
                    findings.push(Finding::error("unknown-field", message, hint));
                }
            }
        }
        if findings.is_empty() && fields.is_empty() {
            let hint = format!("Name columns as the fields are, and the id {ID:?}");
            findings.push(Finding::error("mapping-empty", "the file has no column that is a field", hint));
        }
        if !findings.is_empty() {
            return Err(PopulationError::Refused(findings));
        }
        let identity = IdentityColumns::default();
        Ok(Self { format: Format::Csv, encoding: Encoding::Utf8, delimiter: b',', key, fields, identity })
    }
}

/// The names in a CSV file's first line.
fn header(path: &Path) -> Result<Vec<String>, PopulationError> {
    let file = File::open(path).map_err(PopulationError::io("open", path))?;
    let mut line = Vec::new();
    BufReader::new(file.take(MAX_HEADER_BYTES))
        .read_until(b'\n', &mut line)
        .map_err(PopulationError::io("read", path))?;
    let line = String::from_utf8(line).map_err(|_| {
        let hint = "Save it as CSV in UTF-8, or write a mapping and name it with --mapping";
        PopulationError::refused("not-utf8", "the file's first line is no UTF-8 text", hint)
    })?;
    let names = crate::rows::of_text(&line).next().map(|(_, names)| names).unwrap_or_default();
    Ok(names.into_iter().filter(|name| !name.is_empty()).collect())
}
