//! The file in which an author writes what an activity must decide. Every mistake is told with its line.

mod expect;
mod reader;
mod value;

use crate::EngineError;
use care_domain::field::Dictionary;
use care_domain::manifest::Manifest;
use care_domain::text::Finding;
use reader::Reader;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

type Node<'i> = Spanned<DeValue<'i>>;

/// What an activity must decide, case by case.
#[derive(Debug, Clone)]
pub struct CaseFile {
    pub(super) cases: Vec<Case>,
    /// What is odd, but no mistake.
    pub(super) warnings: Vec<Finding>,
}

/// A run over a few customers.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) today: i32,
    pub(super) now: i64,
    pub(super) params: Map<String, Value>,
    pub(super) rows: Vec<CaseRow>,
    pub(super) fold: Option<Fold>,
}

/// Outcomes, and what they must come to.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    pub(super) outcomes: Vec<BTreeMap<String, Cell>>,
    pub(super) metrics: Vec<ExpectedMetric>,
}

/// A metric that must be reported; what is not said may be anything.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ExpectedMetric {
    pub(super) line: usize,
    pub(super) name: String,
    /// Empty for the whole.
    pub(super) slice: String,
    pub(super) treated: bool,
    pub(super) count: Option<f64>,
    pub(super) sum: Option<f64>,
    pub(super) sum_of_squares: Option<f64>,
}

/// A customer, and what must become of it.
#[derive(Debug, Clone)]
pub(super) struct CaseRow {
    pub(super) line: usize,
    /// As the author wrote it, on one line.
    pub(super) shown: String,
    pub(super) values: BTreeMap<String, Cell>,
    pub(super) expected: Expected,
}

/// A value of a customer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Whole(i64),
    Ratio(f64),
    Yes(bool),
    Text(String),
}

/// What must become of a customer; what is not said may be anything.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    /// Not chosen.
    Nobody,
    Chosen(Box<Expectation>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Expectation {
    pub(super) reason: Option<String>,
    pub(super) occasion: Option<i64>,
    pub(super) score: Option<f64>,
    pub(super) not_before: Option<i64>,
    pub(super) not_after: Option<i64>,
    pub(super) messages: Option<Vec<ExpectedMessage>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct ExpectedMessage {
    pub(super) template: Option<String>,
    /// As it is read in either language.
    pub(super) text: Option<String>,
    pub(super) zh: Option<String>,
    pub(super) en: Option<String>,
    /// Canonical values.
    pub(super) slots: BTreeMap<String, String>,
}

impl CaseFile {
    /// Reads a case file, which people call `file`, for an activity. Every mistake is told at once.
    pub fn parse(text: &str, file: &str, manifest: &Manifest, dictionary: &Dictionary) -> Result<Self, EngineError> {
        let mut reader = Reader { text, file, manifest, dictionary, errors: Vec::new(), warnings: Vec::new() };
        let cases = match DeTable::parse(text) {
            Ok(table) => reader.file(table.get_ref()),
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                reader.error(
                    &at,
                    "case-syntax",
                    error.message(),
                    "Compare it with the cases.toml of `care plugin new`",
                );
                Vec::new()
            }
        };
        if reader.errors.is_empty() {
            return Ok(Self { cases, warnings: reader.warnings });
        }
        Err(EngineError::Findings { what: file.to_owned(), findings: reader.errors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_domain::time;

    fn manifest() -> Manifest {
        let toml = include_str!("test_activity.toml");
        toml::from_str(toml).expect("a manifest")
    }

    fn parse(text: &str) -> Result<CaseFile, EngineError> {
        let dictionary = crate::parse_dictionary(crate::DEFAULT_FIELDS).expect("a dictionary");
        CaseFile::parse(text, "cases.toml", &manifest(), &dictionary)
    }

    fn refusals(text: &str) -> Vec<String> {
        match parse(text) {
            Err(EngineError::Findings { findings, .. }) => findings.iter().map(ToString::to_string).collect(),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_case_is_read_with_dates_parameters_and_expectations() {
        let file = parse(
            "today = \"2026-07-01\"\n[[case]]\nname = \"a full year\"\nparams = { send_hour = 10 }\nrow = [\n  { \
             tenure-months = 24, own.contacts = 1, expect = { reason = \"full-year\", occasion = 24, not_before = \
             2026-07-01T10:00:00, messages = [{ template = \"thanks\", years = 2 }] } },\n  { tenure-months = 13, \
             expect = \"nobody\" },\n]\n",
        )
        .expect("cases");
        let case = &file.cases[0];
        assert_eq!((case.today, case.rows.len(), case.rows[1].line), (20_635, 2, 7));
        assert_eq!(case.rows[1].expected, Expected::Nobody);
        assert_eq!(case.rows[0].shown, "{ own.contacts = 1, tenure-months = 24 }");
        let Expected::Chosen(expected) = &case.rows[0].expected else { panic!("chosen") };
        assert_eq!(expected.not_before, time::parse_instant("2026-07-01T10:00:00+08:00"));
        assert_eq!(expected.messages.as_ref().map(|m| m[0].slots["years"].clone()), Some("2".to_owned()));
        assert!(file.warnings[0].message.contains("own.contacts"), "{:?}", file.warnings);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let told = refusals(
            "today = \"2026-07-01\"\n[[case]]\nrow = [\n  { tenure-months = \"24\", expect = \"nobody\" },\n  { \
             tenure-moths = 24, expect = \"nobody\" },\n  { tenure-months = 24 },\n  { tenure-months = 12, expect = { \
             reason = \"ful-year\" } },\n  { tenure-months = -1, expect = { raeson = \"x\" } },\n]\n",
        );
        for (line, part) in [
            (4, "field tenure-months is a small whole number, and the text \"24\" does not fit"),
            (5, "there is no field \"tenure-moths\""),
            (6, "says nothing of what must become of it"),
            (7, "the activity has no reason \"ful-year\""),
            (8, "-1 is outside of 0 to anything"),
        ] {
            let found = told.iter().any(|t| t.contains(&format!("line {line}: ")) && t.contains(part));
            assert!(found, "{line} {part}: {told:#?}");
        }
        assert!(told.iter().any(|t| t.contains("Nearest: tenure-months")), "{told:#?}");
        assert!(told.iter().any(|t| t.contains("\"raeson\" is no key") && t.contains("Nearest: reason")), "{told:#?}");
    }

    #[test]
    fn a_file_that_is_no_toml_has_no_cases_or_no_date_is_refused() {
        assert!(refusals("today = = 1")[0].contains("line 1"));
        assert!(refusals("today = \"2026-07-01\"")[0].contains("no case"));
        assert!(refusals("[[case]]\nname = \"x\"\nrow = []\n")[0].contains("says no date"));
        assert!(refusals("today = 20260701\n[[case]]\nrow = []")[0].contains("today is the whole number 20260701"));
    }

    #[test]
    fn outcomes_are_read_with_what_must_be_observed_of_them() {
        let file = parse(
            "today = \"2026-07-01\"\n[[case]]\noutcome = [{ treated = true, reached = true, value = 5 }, { treated = \
             false, reached = false }]\nobserved = [{ name = \"goal\", count = 1, sum = 1 }, { name = \"goal\", treated \
             = false, slice = \"region=350200\", sum = 0.5 }]\n",
        )
        .expect("cases");
        let fold = file.cases[0].fold.as_ref().expect("a fold");
        assert_eq!((fold.outcomes.len(), &fold.outcomes[0]["value"]), (2, &Cell::Whole(5)));
        let metric = &fold.metrics[1];
        assert_eq!((metric.line, metric.treated, metric.count, metric.sum), (4, false, None, Some(0.5)));
        let told = refusals(
            "today = \"2026-07-01\"\n[[case]]\noutcome = [\n { treated = 1, reached = true },\n { treated = true, reched = \
             true },\n]\nobserved = [\n { name = \"gaol\" },\n { name = \"goal\", sums = 1 },\n]\n",
        );
        for (line, part) in [
            (4, "field treated is true or false, and the whole number 1 does not fit"),
            (5, "outcomes have no field \"reched\" here"),
            (5, "the outcome says nothing of reached"),
            (8, "activity.toml has no metric \"gaol\""),
            (9, "\"sums\" is no key of a metric"),
        ] {
            let found = told.iter().any(|t| t.contains(&format!("line {line}: ")) && t.contains(part));
            assert!(found, "{line} {part}: {told:#?}");
        }
        assert!(told.iter().any(|t| t.contains("Nearest: reached")), "{told:#?}");
        let half = refusals("today = \"2026-07-01\"\n[[case]]\noutcome = [{ treated = true, reached = true }]\n");
        assert!(half[0].contains("go together"), "{half:#?}");
    }
}
