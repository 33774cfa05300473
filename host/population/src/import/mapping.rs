//! The mapping file: which column of a source fills which field, and how it is written there.

use super::cell::{Blank, Notation, Rule, Unit};
use crate::error::PopulationError;
use care_domain::field::{Dictionary, FieldDef, FieldType, is_supplied};
use care_domain::text::Finding;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The value of `key` for data without a customer id: the number of the row is the id.
const ROW_NUMBER: &str = "row-number";

/// What may stand between the cells of a CSV file.
pub(crate) const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The kind of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Comma-separated or otherwise delimited text with a header line.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// How a CSV file writes characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030, and so GBK and GB2312.
    #[serde(rename = "gb18030")]
    Gb18030,
}

/// A mapping, checked against a dictionary.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(crate) format: Format,
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: u8,
    pub(crate) key: Key,
    pub(crate) fields: BTreeMap<String, Mapped>,
    pub(crate) identity: IdentityColumns,
}

/// Where a row's customer id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    RowNumber,
    Column(String),
}

/// How one field is filled.
#[derive(Debug, Clone)]
pub(crate) struct Mapped {
    pub(crate) from: Origin,
    pub(crate) rule: Rule,
}

/// Where a field's cells come from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    Column(String),
    /// The same for every customer.
    Constant(String),
}

/// The columns that tell who a customer is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct IdentityColumns {
    pub(crate) surname: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) msisdn: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) close_contacts: Vec<CloseContactColumns>,
}

/// The columns of one close contact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseContactColumns {
    pub(crate) name: String,
    pub(crate) msisdn: String,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    format: Format,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default = "comma")]
    delimiter: char,
    key: String,
    fields: BTreeMap<String, FieldEntry>,
    #[serde(default)]
    identity: IdentityColumns,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEntry {
    column: Option<String>,
    value: Option<String>,
    unit: Option<Unit>,
    format: Option<String>,
    #[serde(default)]
    yes: Vec<String>,
    #[serde(default)]
    no: Vec<String>,
    #[serde(default)]
    map: BTreeMap<String, String>,
    #[serde(default)]
    blank: Blank,
}

fn comma() -> char {
    ','
}

impl Mapping {
    /// Reads and checks a mapping. A refusal lists everything that is wrong with it.
    pub fn parse(text: &str, dictionary: &Dictionary) -> Result<Self, PopulationError> {
        let file: MappingFile = toml::from_str(text).map_err(|e| {
            let hint = "See the mappings in examples/ for what may be written";
            PopulationError::refused("mapping-schema", format!("the mapping cannot be read: {e}"), hint)
        })?;
        let mut findings = Vec::new();
        if !DELIMITERS.contains(&file.delimiter) {
            let hint = "Use one of , ; | or a tab, written \\t";
            findings.push(Finding::error("delimiter", format!("{:?} cannot be a delimiter", file.delimiter), hint));
        }
        let mut fields = BTreeMap::new();
        for (name, entry) in file.fields {
            match check(&name, entry, dictionary) {
                Ok(mapped) => {
                    fields.insert(name, mapped);
                }
                Err(finding) => findings.push(finding),
            }
        }
        if fields.is_empty() && findings.is_empty() {
            findings.push(Finding::error(
                "mapping-empty",
                "the mapping fills no field",
                "Add a [fields.<name>] for each field",
            ));
        }
        if !findings.is_empty() {
            return Err(PopulationError::Refused(findings));
        }
        let key = if file.key == ROW_NUMBER { Key::RowNumber } else { Key::Column(file.key) };
        let delimiter = file.delimiter as u8;
        Ok(Self { format: file.format, encoding: file.encoding, delimiter, key, fields, identity: file.identity })
    }

    /// The fields it fills, with their types.
    pub fn field_types(&self) -> BTreeMap<String, FieldType> {
        self.fields.iter().map(|(name, mapped)| (name.clone(), mapped.rule.ty())).collect()
    }

    /// The column of the key and those of identities: their cells are never repeated in a message.
    pub(crate) fn personal_columns(&self) -> Vec<&str> {
        let identity = &self.identity;
        let mut columns: Vec<&str> = [&identity.surname, &identity.name, &identity.msisdn, &identity.email]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        columns.extend(identity.close_contacts.iter().flat_map(|c| [c.name.as_str(), c.msisdn.as_str()]));
        if let Key::Column(key) = &self.key {
            columns.push(key);
        }
        columns
    }

    /// Every column that an import reads, each once.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let mut columns = self.personal_columns();
        columns.extend(
            self.fields.values().filter_map(|m| if let Origin::Column(c) = &m.from { Some(c.as_str()) } else { None }),
        );
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

fn check(name: &str, entry: FieldEntry, dictionary: &Dictionary) -> Result<Mapped, Finding> {
    if is_supplied(name) {
        let message = format!("field {name} is the host's own view of the past");
        return Err(Finding::error("own-field", message, "Leave it out: the host computes it for every batch"));
    }
    let field = dictionary.find(name).map_err(|near| {
        let hint = format!("Add it to the dictionary, or correct the name{near}");
        Finding::error("unknown-field", format!("the dictionary has no field {name}"), hint)
    })?;
    let from = match (entry.column, entry.value) {
        (Some(column), None) => Origin::Column(column),
        (None, Some(value)) => Origin::Constant(value),
        _ => {
            let message = format!("field {name} must have either a column or a value");
            return Err(Finding::error("mapping-field", message, "Write column = \"…\" or value = \"…\", not both"));
        }
    };
    let notation = Notation {
        unit: entry.unit.unwrap_or_default(),
        format: entry.format,
        yes: entry.yes,
        no: entry.no,
        map: entry.map,
        blank: entry.blank,
    };
    check_notation(name, field, entry.unit, &notation)?;
    let rule = Rule::new(field, notation);
    if let Origin::Constant(value) = &from {
        let read = rule.read(value);
        read.map_err(|f| {
            Finding::error("mapping-value", format!("field {name}: {}", f.reason), "Correct the value in the mapping")
        })?;
    }
    Ok(Mapped { from, rule })
}

fn check_notation(name: &str, field: &FieldDef, unit: Option<Unit>, notation: &Notation) -> Result<(), Finding> {
    let ty = field.ty;
    let misplaced = [
        ("unit", unit.is_some(), ty == FieldType::Fen),
        ("format", notation.format.is_some(), matches!(ty, FieldType::Date | FieldType::Instant)),
        ("yes", !notation.yes.is_empty(), ty == FieldType::Boolean),
        ("no", !notation.no.is_empty(), ty == FieldType::Boolean),
        ("map", !notation.map.is_empty(), ty == FieldType::Category),
    ];
    if let Some((key, ..)) = misplaced.into_iter().find(|(_, written, fits)| *written && !fits) {
        let message = format!("field {name} is of type {}, to which {key} does not apply", ty.name());
        return Err(Finding::error("mapping-field", message, format!("Remove {key}")));
    }
    if notation.yes.is_empty() != notation.no.is_empty() {
        let message = format!("field {name} has words for one of yes and no only");
        return Err(Finding::error("mapping-field", message, "Write both yes = [\"…\"] and no = [\"…\"]"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::dictionary;

    fn refusal(text: &str) -> String {
        Mapping::parse(text, &dictionary()).expect_err("a refusal").to_string()
    }

    #[test]
    fn every_mistake_is_told_at_once_with_a_hint() {
        let text = refusal(
            r#"
            format = "csv"
            key = "id"
            [fields.balanse]
            column = "a"
            [fields.balance]
            column = "b"
            value = "1"
            [fields.points]
            column = "c"
            unit = "yuan"
            [fields.bill-day]
            value = "29"
            [fields."own.round"]
            column = "d"
            "#,
        );
        for part in [
            "Nearest: balance",
            "either a column or a value",
            "unit does not apply",
            "maximum 28",
            "own view of the past",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let text = refusal("format = \"csv\"\nkey = \"id\"\nencodnig = \"gb18030\"\n[fields.points]\ncolumn = \"p\"\n");
        assert!(text.contains("encodnig") && text.contains("line 3"), "{text}");
        assert!(refusal("format = \"csv\"\nkey = \"id\"\n[fields]\n").contains("fills no field"));
        assert!(
            refusal("format = \"csv\"\nkey = \"id\"\ndelimiter = \"；\"\n[fields.points]\ncolumn = \"p\"\n")
                .contains("delimiter")
        );
        assert!(
            refusal("format = \"csv\"\nkey = \"id\"\n[fields.stopped]\ncolumn = \"p\"\nyes = [\"J\"]\n")
                .contains("one of yes and no")
        );
    }
}
