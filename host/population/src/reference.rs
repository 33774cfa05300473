//! Reference tables: tariffs, disaster areas, calendars. Small, the same for every customer, read whole.

use crate::error::PopulationError;
use crate::import::{CellFault, CsvSource, Encoding, Rule, Step, shorten};
use crate::snapshot::Cell;
use care_domain::column::{Column, Table};
use care_domain::field::{FieldType, Wire};
use care_domain::text::{Finding, is_kebab};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// No reference table has more rows.
pub const MAX_ROWS: usize = 100_000;
/// Bad cells told at once.
const MAX_FINDINGS: usize = 20;

/// A reference table. A cell is a whole number (fen, counts, days, milliseconds), a ratio, a text, a boolean or null,
/// by the type of its field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceTable {
    /// Kebab-case name by which activities read it.
    pub name: String,
    /// Its fields with their types.
    pub fields: BTreeMap<String, FieldType>,
    /// Row by row, the cells in the order of `fields`.
    pub rows: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    fields: BTreeMap<String, FieldType>,
}

impl ReferenceTable {
    /// Reads a CSV file (UTF-8, with a header line) by a schema in TOML: `[fields]` with a type for each column to read.
    /// Blank cells have no value; other columns are left out. A refusal names lines and fields.
    pub fn read_csv(name: &str, source: &Path, schema: &str) -> Result<Self, PopulationError> {
        if !is_kebab(name) {
            let message = format!("{:?} is no name of a reference table", shorten(name));
            return Err(PopulationError::refused("table-name", message, "Use lower-case words joined by hyphens"));
        }
        let schema: Schema = toml::from_str(schema).map_err(|e| {
            let hint = "Write [fields] and one line such as adcode = \"text\" for each column";
            PopulationError::refused("table-schema", format!("the schema cannot be read: {e}"), hint)
        })?;
        let wanted: Vec<&str> = schema.fields.keys().map(String::as_str).collect();
        if wanted.is_empty() {
            return Err(PopulationError::refused(
                "table-schema",
                "the schema has no fields",
                "Name at least one column",
            ));
        }
        let rules: Vec<(&str, Rule)> =
            schema.fields.iter().map(|(name, ty)| (name.as_str(), Rule::plain(*ty))).collect();
        let mut source = CsvSource::open(source, Encoding::Utf8, b',', &wanted)?;
        let rows = read_rows(&mut source, &rules)?;
        Ok(Self { name: name.to_owned(), fields: schema.fields, rows })
    }

    /// Its columns. A cell of another type than its field's has no value.
    pub fn to_table(&self) -> Table {
        let column = |(at, (name, ty)): (usize, (&String, &FieldType))| (name.clone(), self.column(at, *ty));
        Table { rows: self.rows.len() as u32, columns: self.fields.iter().enumerate().map(column).collect() }
    }

    fn column(&self, at: usize, ty: FieldType) -> Column {
        let cells = self.rows.iter().map(|row| row.get(at));
        let whole = |cell: Option<&Value>| cell.and_then(Value::as_i64);
        match ty.wire() {
            Wire::S64 => Column::s64(cells.map(whole)),
            Wire::S32 => Column::s32(cells.map(|cell| whole(cell).and_then(|v| i32::try_from(v).ok()))),
            Wire::F64 => Column::f64(cells.map(|cell| cell.and_then(Value::as_f64))),
            Wire::Boolean => Column::boolean(cells.map(|cell| cell.and_then(Value::as_bool))),
            Wire::Codes => Column::categories(cells.map(|cell| cell.and_then(Value::as_str))),
            Wire::Texts => Column::texts(cells.map(|cell| cell.and_then(Value::as_str))),
        }
    }
}

fn read_rows(source: &mut CsvSource, rules: &[(&str, Rule)]) -> Result<Vec<Vec<Value>>, PopulationError> {
    let mut rows = Vec::new();
    let mut findings = Vec::new();
    loop {
        match source.step()? {
            Step::End => break,
            Step::Broken { line, reason } => {
                findings.push(Finding::error("table-row", format!("line {line}: {reason}"), "Correct the line"))
            }
            Step::Row { line } => {
                let cells = rules.iter().enumerate().map(|(at, (field, rule))| {
                    value(source.cell(at), rule).unwrap_or_else(|fault| {
                        let message =
                            format!("line {line}, field {field}: {} ({:?})", fault.reason, shorten(source.cell(at)));
                        findings.push(Finding::error(
                            "table-cell",
                            message,
                            "Correct the cell or the type in the schema",
                        ));
                        Value::Null
                    })
                });
                rows.push(cells.collect());
            }
        }
        if rows.len() > MAX_ROWS {
            let message = format!("a reference table has at most {MAX_ROWS} rows");
            return Err(PopulationError::refused("table-too-long", message, "Import customers as a snapshot instead"));
        }
        if findings.len() >= MAX_FINDINGS {
            break;
        }
    }
    if findings.is_empty() { Ok(rows) } else { Err(PopulationError::Refused(findings)) }
}

fn value(text: &str, rule: &Rule) -> Result<Value, CellFault> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    Ok(match rule.read(text)? {
        Some(Cell::Whole(value)) if rule.ty() == FieldType::Boolean => Value::Bool(value == 1),
        Some(Cell::Whole(value)) => Value::from(value),
        Some(Cell::Ratio(value)) => Value::from(value),
        Some(Cell::Text(text)) => Value::from(text),
        None => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "[fields]\nadcode = \"text\"\nfrom = \"date\"\nwaive = \"boolean\"\nradius = \"ratio\"\n";

    fn read(csv: &str) -> Result<ReferenceTable, PopulationError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("areas.csv");
        std::fs::write(&path, csv).expect("a file");
        ReferenceTable::read_csv("disaster-areas", &path, SCHEMA)
    }

    #[test]
    fn a_table_survives_json_and_becomes_columns() {
        let table = read("from,adcode,note,radius,waive\n2008-05-12,513221,x,100.5,yes\n2008-05-12,513200,y,,no\n")
            .expect("a table");
        let json = care_domain::canonical::json(&table).expect("json");
        assert!(json.starts_with(r#"{"fields":{"adcode":"text","from":"date""#), "{json}");
        let back: ReferenceTable = serde_json::from_str(&json).expect("a table");
        assert_eq!(back, table);
        let columns = back.to_table();
        assert_eq!((columns.rows, columns.columns.len()), (2, 4));
        assert_eq!(columns.columns["adcode"].text(1), Some("513200"));
        assert_eq!(columns.columns["from"].integer(0), care_domain::time::parse_date("2008-05-12").map(i64::from));
        assert_eq!([columns.columns["radius"].ratio(0), columns.columns["radius"].ratio(1)], [Some(100.5), None]);
        assert_eq!([columns.columns["waive"].yes(0), columns.columns["waive"].yes(1)], [Some(true), Some(false)]);
    }

    #[test]
    fn mistakes_are_told_with_line_and_field() {
        let text = read("from,adcode,radius,waive\n2008-05-32,513221,x,maybe\n2008-05-12,513221\n")
            .expect_err("refused")
            .to_string();
        for part in ["line 2, field from", "line 2, field radius", "line 2, field waive", "line 3: the row has 2 cells"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(read("from,adcod,radius,waive\n").expect_err("refused").to_string().contains("Did you mean adcod?"));
    }
}
