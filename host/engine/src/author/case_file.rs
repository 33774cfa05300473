//! The file in which an author writes what an activity must decide. Every mistake is told with its line.

use super::workbench::morning;
use crate::EngineError;
use care_domain::field::{Dictionary, FieldType, LIST_PREFIX, Stage};
use care_domain::manifest::Manifest;
use care_domain::text::{Finding, nearest_hint};
use care_domain::time;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// No file has more cases.
const MAX_CASES: usize = 10_000;
const TOP: [&str; 4] = ["today", "now", "params", "case"];
const IN_CASE: [&str; 6] = ["name", "today", "now", "params", "row", "customer"];
const IN_EXPECT: [&str; 6] = ["reason", "occasion", "score", "not_before", "not_after", "messages"];

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

type Node<'i> = Spanned<DeValue<'i>>;

struct Reader<'a> {
    text: &'a str,
    file: &'a str,
    manifest: &'a Manifest,
    dictionary: &'a Dictionary,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
}

/// What holds for a case unless it says otherwise.
#[derive(Clone)]
struct Defaults {
    today: Option<i32>,
    now: Option<i64>,
    params: Map<String, Value>,
}

impl Reader<'_> {
    fn line(&self, at: &Range<usize>) -> usize {
        self.text.get(..at.start).map_or(0, |before| before.matches('\n').count()) + 1
    }

    fn error(&mut self, at: &Range<usize>, code: &str, message: impl std::fmt::Display, hint: impl Into<String>) {
        let message = format!("{}, line {}: {message}", self.file, self.line(at));
        self.errors.push(Finding::error(code, message, hint));
    }

    fn known_keys(&mut self, table: &DeTable<'_>, known: &[&str], what: &str) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let hint = format!("Known are {}{}", known.join(", "), nearest_hint(key.get_ref(), known.iter().copied()));
            self.error(&key.span(), "case-key", format!("{:?} is no key of {what}", key.get_ref()), hint);
        }
    }

    fn file(&mut self, table: &DeTable<'_>) -> Vec<Case> {
        self.known_keys(table, &TOP, "the file");
        let none = Defaults { today: None, now: None, params: Map::new() };
        let defaults = self.facts(table, &none);
        let Some(cases) = table.get("case") else {
            self.error(&(0..0), "case-none", "the file has no case", "Write [[case]] with a name and rows");
            return Vec::new();
        };
        let cases = self.list(cases, "case");
        if cases.len() > MAX_CASES {
            self.error(
                &(0..0),
                "case-many",
                format!("more than {MAX_CASES} cases"),
                "Try many customers with simulate",
            );
            return Vec::new();
        }
        cases.into_iter().enumerate().filter_map(|(at, node)| self.case(at, node, &defaults)).collect()
    }

    /// The entries of an array; a single table stands for an array of one.
    fn list<'n, 'i>(&mut self, node: &'n Node<'i>, what: &str) -> Vec<&'n Node<'i>> {
        match node.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            DeValue::Table(_) => vec![node],
            _ => {
                let message = format!("{what} is {}, where tables are wanted", kind(node));
                self.error(&node.span(), "case-type", message, format!("Write [[{what}]]"));
                Vec::new()
            }
        }
    }

    fn facts(&mut self, table: &DeTable<'_>, otherwise: &Defaults) -> Defaults {
        let mut facts = otherwise.clone();
        if let Some(node) = table.get("today") {
            facts.today = self.day(node, "today");
            facts.now = None;
        }
        if let Some(node) = table.get("now") {
            facts.now = self.instant(node, "now");
        }
        if let Some(node) = table.get("params") {
            match node.get_ref() {
                DeValue::Table(given) => {
                    for (name, value) in given {
                        if let Some(value) = self.json(value) {
                            facts.params.insert(name.get_ref().to_string(), value);
                        }
                    }
                }
                _ => self.wrong(node, "params", "a table such as { send_hour = 9 }"),
            }
        }
        facts
    }

    fn case(&mut self, at: usize, node: &Node<'_>, defaults: &Defaults) -> Option<Case> {
        let DeValue::Table(table) = node.get_ref() else {
            self.wrong(node, "case", "a table");
            return None;
        };
        self.known_keys(table, &IN_CASE, "a case");
        let name = match table.get("name") {
            Some(node) => self.text(node, "name")?,
            None => format!("case {}", at + 1),
        };
        let facts = self.facts(table, defaults);
        let Some(today) = facts.today else {
            let message = format!("case {name:?} says no date");
            self.error(
                &node.span(),
                "case-date",
                message,
                "Write today = \"2026-07-29\" in the case, or above all cases",
            );
            return None;
        };
        let now = facts.now.or_else(|| morning(today).ok())?;
        let Some(rows) = table.get("row").or_else(|| table.get("customer")) else {
            let message = format!("case {name:?} has no customers");
            self.error(&node.span(), "case-rows", message, "Write row = [{ tenure-months = 24, expect = … }]");
            return None;
        };
        let rows = self.list(rows, "case.row").into_iter().filter_map(|row| self.row(row)).collect();
        Some(Case { name, today, now, params: facts.params, rows })
    }

    fn row(&mut self, node: &Node<'_>) -> Option<CaseRow> {
        let DeValue::Table(table) = node.get_ref() else {
            self.wrong(node, "a row", "a table of fields");
            return None;
        };
        let mut values = BTreeMap::new();
        let mut expected = None;
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("expect", _) => expected = Some(self.expected(value)?),
                // A dot in a key makes a table of it.
                (prefix @ ("own" | "list" | "event"), DeValue::Table(inner)) => {
                    for (name, value) in inner {
                        self.field(&key.span(), format!("{prefix}.{}", name.get_ref()), value, &mut values);
                    }
                }
                (name, _) => self.field(&key.span(), name.to_owned(), value, &mut values),
            }
        }
        let Some(expected) = expected else {
            let hint = "Write expect = \"nobody\", or expect = { reason = \"…\", messages = [\"…\"] }";
            self.error(&node.span(), "case-expectation", "the row says nothing of what must become of it", hint);
            return None;
        };
        Some(CaseRow { line: self.line(&node.span()), shown: shown(&values), values, expected })
    }

    fn field(&mut self, at: &Range<usize>, name: String, value: &Node<'_>, into: &mut BTreeMap<String, Cell>) {
        let mut read = Stage::ALL.into_iter().flat_map(|stage| self.manifest.fields_of(stage));
        let used = read.find(|field| field.name == name);
        let ty = if let Some(used) = used {
            used.ty
        } else if name.starts_with(LIST_PREFIX) {
            FieldType::Boolean
        } else {
            match self.dictionary.find(&name) {
                Ok(def) => def.ty,
                Err(near) => {
                    let message = format!("there is no field {name:?}");
                    return self.error(
                        at,
                        "unknown-field",
                        message,
                        format!("See `care plugin reference fields`{near}"),
                    );
                }
            }
        };
        if used.is_none() {
            let message = format!("{}, line {}: the activity does not read field {name:?}", self.file, self.line(at));
            self.warnings.push(Finding::warning("case-field-unread", message, "Remove it, or declare it in the code"));
        }
        match cell(ty, value).and_then(|cell| self.bounded(&name, cell)) {
            Ok(cell) => drop(into.insert(name, cell)),
            Err(why) => {
                let message = format!("field {name} is {}, and {why}", words_of(ty));
                self.error(&value.span(), "case-type", message, format!("Write {name} = {}", example_of(ty)));
            }
        }
    }

    /// A value that the dictionary allows.
    fn bounded(&self, name: &str, cell: Cell) -> Result<Cell, String> {
        let Some(def) = self.dictionary.fields.get(name) else { return Ok(cell) };
        let number = match &cell {
            Cell::Whole(whole) => Some(*whole as f64),
            Cell::Ratio(ratio) => Some(*ratio),
            Cell::Text(text) if !def.values.is_empty() && !def.values.contains(text) => {
                return Err(format!("{text:?} is none of {}", def.values.join(", ")));
            }
            Cell::Yes(_) | Cell::Text(_) => None,
        };
        match number {
            Some(n) if def.minimum.is_some_and(|least| n < least) || def.maximum.is_some_and(|most| n > most) => {
                let bound = |bound: Option<f64>| bound.map_or("anything".to_owned(), |b| b.to_string());
                Err(format!("{n} is outside of {} to {}", bound(def.minimum), bound(def.maximum)))
            }
            _ => Ok(cell),
        }
    }

    fn expected(&mut self, node: &Node<'_>) -> Option<Expected> {
        match node.get_ref() {
            DeValue::String(text) if text == "nobody" => return Some(Expected::Nobody),
            DeValue::Table(table) => {
                self.known_keys(table, &IN_EXPECT, "an expectation");
                let mut expected = Expectation::default();
                for (key, value) in table {
                    match key.get_ref().as_ref() {
                        "reason" => expected.reason = Some(self.reason(value)?),
                        "occasion" => expected.occasion = Some(self.occasion(value)?),
                        "score" => expected.score = Some(self.number(value, "score")?),
                        "not_before" => expected.not_before = Some(self.instant(value, "not_before")?),
                        "not_after" => expected.not_after = Some(self.instant(value, "not_after")?),
                        "messages" => expected.messages = Some(self.messages(value)?),
                        _ => {}
                    }
                }
                return Some(Expected::Chosen(Box::new(expected)));
            }
            _ => {}
        }
        self.wrong(node, "expect", "\"nobody\" or a table such as { reason = \"full-year\" }");
        None
    }

    fn reason(&mut self, node: &Node<'_>) -> Option<String> {
        let name = self.text(node, "reason")?;
        let known: Vec<&str> = self.manifest.reasons.iter().map(|r| r.name.as_str()).collect();
        if known.contains(&name.as_str()) {
            return Some(name);
        }
        let hint = format!("Its reasons are {}{}", known.join(", "), nearest_hint(&name, known.iter().copied()));
        self.error(&node.span(), "case-reason", format!("the activity has no reason {name:?}"), hint);
        None
    }

    fn messages(&mut self, node: &Node<'_>) -> Option<Vec<ExpectedMessage>> {
        let DeValue::Array(items) = node.get_ref() else {
            self.wrong(node, "messages", "an array, such as [\"…\"] or [{ template = \"thanks\", years = 2 }]");
            return None;
        };
        items.iter().map(|item| self.message(item)).collect()
    }

    fn message(&mut self, node: &Node<'_>) -> Option<ExpectedMessage> {
        let mut message = ExpectedMessage::default();
        match node.get_ref() {
            DeValue::String(text) => message.text = Some(text.to_string()),
            DeValue::Table(table) => {
                for (key, value) in table {
                    match key.get_ref().as_ref() {
                        "template" => message.template = Some(self.text(value, "template")?),
                        "zh" => message.zh = Some(self.text(value, "zh")?),
                        "en" => message.en = Some(self.text(value, "en")?),
                        slot => {
                            let value = self.slot(&key.span(), slot, value)?;
                            message.slots.insert(slot.to_owned(), value);
                        }
                    }
                }
            }
            _ => {
                self.wrong(node, "a message", "its words, or a table such as { template = \"thanks\", years = 2 }");
                return None;
            }
        }
        Some(message)
    }

    /// The canonical value of a slot.
    fn slot(&mut self, at: &Range<usize>, name: &str, value: &Node<'_>) -> Option<String> {
        let known: Vec<&str> = self.manifest.slots.iter().map(|s| s.name.as_str()).collect();
        if !known.contains(&name) {
            let hint = format!("Its slots are {}{}", known.join(", "), nearest_hint(name, known.iter().copied()));
            self.error(at, "case-slot", format!("the activity has no slot {name:?}"), hint);
            return None;
        }
        match value.get_ref() {
            DeValue::String(text) => Some(time::parse_date(text).map_or_else(|| text.to_string(), |d| d.to_string())),
            DeValue::Datetime(date) => time::parse_date(&date.to_string()).map(|days| days.to_string()),
            DeValue::Integer(_) => whole(value).map(|number| number.to_string()),
            _ => {
                self.wrong(value, name, "a whole number, a date or a key");
                None
            }
        }
    }

    fn occasion(&mut self, node: &Node<'_>) -> Option<i64> {
        let read = whole(node).or_else(|| date(node).map(i64::from));
        if read.is_none() {
            self.wrong(node, "occasion", "a whole number, or a date for its day number");
        }
        read
    }

    fn number(&mut self, node: &Node<'_>, what: &str) -> Option<f64> {
        let read = ratio(node);
        if read.is_none() {
            self.wrong(node, what, "a number");
        }
        read
    }

    fn text(&mut self, node: &Node<'_>, what: &str) -> Option<String> {
        let DeValue::String(text) = node.get_ref() else {
            self.wrong(node, what, "a text in quotes");
            return None;
        };
        Some(text.to_string())
    }

    fn day(&mut self, node: &Node<'_>, what: &str) -> Option<i32> {
        let read = date(node);
        if read.is_none() {
            self.wrong(node, what, "a date such as \"2026-07-29\"");
        }
        read
    }

    fn instant(&mut self, node: &Node<'_>, what: &str) -> Option<i64> {
        let read = instant(node);
        if read.is_none() {
            self.wrong(node, what, "an instant such as \"2026-07-29T09:00\", in the province's time");
        }
        read
    }

    fn json(&mut self, node: &Node<'_>) -> Option<Value> {
        let read = match node.get_ref() {
            DeValue::String(text) => Some(Value::from(text.to_string())),
            DeValue::Boolean(yes) => Some(Value::from(*yes)),
            DeValue::Integer(_) => whole(node).map(Value::from),
            DeValue::Float(_) => ratio(node).map(Value::from),
            DeValue::Datetime(date) => Some(Value::from(date.to_string())),
            DeValue::Array(items) => {
                items.iter().map(|item| self.json(item)).collect::<Option<Vec<_>>>().map(Value::from)
            }
            DeValue::Table(table) => {
                let entry = |(name, value): (&Spanned<_>, &Node<'_>)| {
                    let name: &std::borrow::Cow<'_, str> = name.get_ref();
                    Some((name.to_string(), self.json(value)?))
                };
                table.iter().map(entry).collect::<Option<Map<_, _>>>().map(Value::from)
            }
        };
        if read.is_none() {
            self.wrong(node, "a parameter", "a number that 64 bits hold");
        }
        read
    }

    fn wrong(&mut self, node: &Node<'_>, what: &str, wanted: &str) {
        self.error(&node.span(), "case-type", format!("{what} is {}", kind(node)), format!("Write {wanted}"));
    }
}

fn kind(node: &Node<'_>) -> String {
    match node.get_ref() {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the whole number {}", number.as_str()),
        DeValue::Float(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(yes) => format!("the boolean {yes}"),
        DeValue::Datetime(date) => format!("the date {date}"),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn whole(node: &Node<'_>) -> Option<i64> {
    let DeValue::Integer(number) = node.get_ref() else { return None };
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn ratio(node: &Node<'_>) -> Option<f64> {
    let read: f64 = match node.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok()?,
        DeValue::Integer(number) => number.as_str().parse().ok()?,
        _ => return None,
    };
    read.is_finite().then_some(read)
}

fn date(node: &Node<'_>) -> Option<i32> {
    match node.get_ref() {
        DeValue::String(text) => time::parse_date(text),
        DeValue::Datetime(date) => time::parse_date(&date.to_string()),
        _ => None,
    }
}

fn instant(node: &Node<'_>) -> Option<i64> {
    match node.get_ref() {
        DeValue::String(text) => time::parse_instant(text),
        DeValue::Datetime(date) => time::parse_instant(&date.to_string()),
        _ => None,
    }
}

fn cell(ty: FieldType, node: &Node<'_>) -> Result<Cell, String> {
    let read = match ty {
        FieldType::Fen | FieldType::Count => whole(node).map(Cell::Whole),
        FieldType::Small => whole(node).filter(|n| i32::try_from(*n).is_ok()).map(Cell::Whole),
        FieldType::Date => date(node).map(|days| Cell::Whole(days.into())),
        FieldType::Instant => instant(node).map(Cell::Whole),
        FieldType::Ratio => ratio(node).map(Cell::Ratio),
        FieldType::Boolean => match node.get_ref() {
            DeValue::Boolean(yes) => Some(Cell::Yes(*yes)),
            _ => None,
        },
        FieldType::Category | FieldType::Text => match node.get_ref() {
            DeValue::String(text) => Some(Cell::Text(text.to_string())),
            _ => None,
        },
    };
    read.ok_or_else(|| format!("{} does not fit", kind(node)))
}

fn words_of(ty: FieldType) -> &'static str {
    match ty {
        FieldType::Fen => "money in whole fen",
        FieldType::Instant => "an instant",
        FieldType::Count => "a whole number",
        FieldType::Small => "a small whole number",
        FieldType::Date => "a date",
        FieldType::Ratio => "a number",
        FieldType::Boolean => "true or false",
        FieldType::Category => "a category",
        FieldType::Text => "a text",
    }
}

fn example_of(ty: FieldType) -> &'static str {
    match ty {
        FieldType::Fen => "1205 for 12.05 yuan",
        FieldType::Instant => "\"2026-07-29T09:00\"",
        FieldType::Count | FieldType::Small => "24",
        FieldType::Date => "\"2026-07-29\"",
        FieldType::Ratio => "0.25",
        FieldType::Boolean => "true",
        FieldType::Category | FieldType::Text => "\"…\", a value that the dictionary allows",
    }
}

/// A customer on one line.
fn shown(values: &BTreeMap<String, Cell>) -> String {
    let value = |cell: &Cell| match cell {
        Cell::Whole(whole) => whole.to_string(),
        Cell::Ratio(ratio) => ratio.to_string(),
        Cell::Yes(yes) => yes.to_string(),
        Cell::Text(text) => format!("{text:?}"),
    };
    let values: Vec<String> = values.iter().map(|(name, cell)| format!("{name} = {}", value(cell))).collect();
    format!("{{ {} }}", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
