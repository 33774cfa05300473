//! Running an author's cases, and telling where the activity decides otherwise.

use super::ask::{Asked, Crew, FaultTold};
use super::case_file::{Case, CaseFile, CaseRow, Cell, Expected};
use super::compare::{compare, difference};
use super::workbench::Workbench;
use crate::EngineError;
use crate::wording::Wording;
use care_domain::column::{Column, Table};
use care_domain::field::{FieldType, Wire};
use care_domain::manifest::FieldUse;
use care_domain::sms::Frame;
use care_domain::text::Finding;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a case file came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseRun {
    /// Row by row, in the order of the file.
    pub rows: Vec<RowResult>,
    /// What is odd, but no mistake.
    pub warnings: Vec<Finding>,
}

/// What became of one customer of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowResult {
    /// The case.
    pub case: String,
    /// Its row, from 1.
    pub row: usize,
    /// Line of the file.
    pub line: usize,
    /// The customer as the author wrote it.
    pub customer: String,
    /// Whether it became what was expected.
    pub passed: bool,
    /// What was decided, in a line.
    pub decided: String,
    /// Where that differs from what was expected.
    pub differences: Vec<Difference>,
    /// How the activity broke.
    pub fault: Option<FaultTold>,
}

/// Something that is otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub what: String,
    /// What the case says.
    pub expected: String,
    /// What the activity decided.
    pub decided: String,
}

impl CaseRun {
    /// Whether every row became what was expected.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.passed)
    }
}

impl Workbench {
    /// Reads a case file of this activity, which people call `file`.
    pub fn cases(&self, text: &str, file: &str) -> Result<CaseFile, EngineError> {
        CaseFile::parse(text, file, &self.manifest, &self.dictionary)
    }

    /// Runs all cases in the sandbox.
    pub fn test(&self, file: &CaseFile) -> Result<CaseRun, EngineError> {
        let mut rows = Vec::new();
        for case in &file.cases {
            rows.extend(self.run_case(case)?);
        }
        Ok(CaseRun { rows, warnings: file.warnings.clone() })
    }

    fn run_case(&self, case: &Case) -> Result<Vec<RowResult>, EngineError> {
        let tables = self.tables(case.today)?;
        let in_case = |error: EngineError| match error {
            EngineError::Findings { findings, .. } => {
                EngineError::Findings { what: format!("case {:?}", case.name), findings }
            }
            error => error,
        };
        let params = self.params(&case.params).map_err(in_case)?;
        let (facts, grants) = self.terms((case.today, case.now), params, &tables)?;
        let clock = || Duration::ZERO;
        let locate = self.locate();
        let mut crew = Crew::new(&self.plugin, (&facts, &grants), &clock, &locate);
        let lend = |fields: &[FieldUse], rows: Option<&[u32]>| table(&case.rows, fields, rows);
        let asked = crew.ask(case.rows.len() as u32, &grants, &lend).map_err(|source| {
            let activity = self.manifest.name.clone();
            EngineError::Machine { activity, attempts: 1, source }
        })?;
        let wording = Wording::new(&self.manifest, tables.labels(), Frame::default())?;
        let results = (0..case.rows.len()).map(|at| self.judge(case, at, &asked, &wording));
        let mut results: Vec<RowResult> = results.collect::<Result<_, _>>()?;
        if let Some(fold) = &case.fold {
            results.extend(self.run_fold(&case.name, fold, (&facts, &grants))?);
        }
        Ok(results)
    }

    fn judge(&self, case: &Case, at: usize, asked: &Asked, wording: &Wording) -> Result<RowResult, EngineError> {
        let row = &case.rows[at];
        let number = at as u32;
        let fault = asked.broke.iter().find(|(rows, _)| rows.contains(&number)).map(|(_, fault)| fault.clone());
        let chosen = asked.chosen.get(&number);
        let messages = chosen.map_or(Ok(Vec::new()), |c| self.told(wording, c.reason, &c.messages))?;
        let reason = chosen.and_then(|c| self.manifest.reason(c.reason)).map_or("", |r| r.name.as_str());
        let decided = match (&fault, chosen) {
            (Some(fault), _) => format!("broke in {}: {}", fault.stage.name(), fault.code),
            (None, None) => "nobody".to_owned(),
            (None, Some(_)) => {
                let words: Vec<&str> = messages.iter().map(|m| m.zh.as_str()).collect();
                format!("{reason}: {}", if words.is_empty() { "nothing to say".to_owned() } else { words.join(" | ") })
            }
        };
        let differences = match (&row.expected, chosen) {
            _ if fault.is_some() => Vec::new(),
            (Expected::Nobody, None) => Vec::new(),
            (Expected::Nobody, Some(_)) => vec![difference("selection", "nobody", reason)],
            (Expected::Chosen(expected), None) => {
                vec![difference("selection", expected.reason.as_deref().unwrap_or("chosen"), "nobody")]
            }
            (Expected::Chosen(expected), Some(chosen)) => compare(expected, chosen, reason, &messages),
        };
        let passed = fault.is_none() && differences.is_empty();
        let (case, row_number) = (case.name.clone(), at + 1);
        let (line, customer) = (row.line, row.shown.clone());
        Ok(RowResult { case, row: row_number, line, customer, passed, decided, differences, fault })
    }
}

/// Columns of some fields for some of a case's rows, or for all.
fn table(rows: &[CaseRow], fields: &[FieldUse], of: Option<&[u32]>) -> Table {
    let picked: Vec<&CaseRow> = match of {
        Some(of) => of.iter().filter_map(|row| rows.get(*row as usize)).collect(),
        None => rows.iter().collect(),
    };
    let values: Vec<&BTreeMap<String, Cell>> = picked.into_iter().map(|row| &row.values).collect();
    of_values(&values, fields)
}

/// Columns of some fields for customers or outcomes as their author wrote them.
pub(super) fn of_values(rows: &[&BTreeMap<String, Cell>], fields: &[FieldUse]) -> Table {
    let columns = fields.iter().map(|field| (field.name.clone(), column(rows, &field.name, field.ty)));
    Table { rows: rows.len() as u32, columns: columns.collect() }
}

fn column(rows: &[&BTreeMap<String, Cell>], name: &str, ty: FieldType) -> Column {
    let cells = || rows.iter().map(|row| row.get(name));
    let whole = |cell: Option<&Cell>| if let Some(Cell::Whole(whole)) = cell { Some(*whole) } else { None };
    match ty.wire() {
        Wire::S64 => Column::s64(cells().map(whole)),
        Wire::S32 => Column::s32(cells().map(|cell| whole(cell).and_then(|w| i32::try_from(w).ok()))),
        Wire::F64 => Column::f64(cells().map(|cell| if let Some(Cell::Ratio(r)) = cell { Some(*r) } else { None })),
        Wire::Boolean => Column::boolean(cells().map(|c| if let Some(Cell::Yes(yes)) = c { Some(*yes) } else { None })),
        Wire::Codes => Column::categories(cells().map(text)),
        Wire::Texts => Column::texts(cells().map(text)),
    }
}

fn text(cell: Option<&Cell>) -> Option<&str> {
    if let Some(Cell::Text(text)) = cell { Some(text) } else { None }
}
