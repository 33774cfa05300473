//! Reading a case file: cases, customers, outcomes. What is expected of them is read by `expect`.

use super::super::workbench::morning;
use super::value::{cell, date, example_of, instant, kind, ratio, shown, whole, words_of};
use super::{Case, CaseRow, Cell, Fold, Node};
use care_domain::field::{Dictionary, FieldType, LIST_PREFIX, Stage};
use care_domain::manifest::Manifest;
use care_domain::text::{Finding, nearest_hint};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// No file has more cases.
const MAX_CASES: usize = 10_000;
const TOP: [&str; 4] = ["today", "now", "params", "case"];
const IN_CASE: [&str; 8] = ["name", "today", "now", "params", "row", "customer", "outcome", "observed"];

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a str,
    pub(super) manifest: &'a Manifest,
    pub(super) dictionary: &'a Dictionary,
    pub(super) errors: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

/// What holds for a case unless it says otherwise.
#[derive(Clone)]
struct Defaults {
    today: Option<i32>,
    now: Option<i64>,
    params: Map<String, Value>,
}

impl Reader<'_> {
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.text.get(..at.start).map_or(0, |before| before.matches('\n').count()) + 1
    }

    pub(super) fn error(
        &mut self,
        at: &Range<usize>,
        code: &str,
        message: impl std::fmt::Display,
        hint: impl Into<String>,
    ) {
        let message = format!("{}, line {}: {message}", self.file, self.line(at));
        self.errors.push(Finding::error(code, message, hint));
    }

    pub(super) fn known_keys(&mut self, table: &DeTable<'_>, known: &[&str], what: &str) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let hint = format!("Known are {}{}", known.join(", "), nearest_hint(key.get_ref(), known.iter().copied()));
            self.error(&key.span(), "case-key", format!("{:?} is no key of {what}", key.get_ref()), hint);
        }
    }

    pub(super) fn file(&mut self, table: &DeTable<'_>) -> Vec<Case> {
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
        let rows = table.get("row").or_else(|| table.get("customer"));
        let fold = self.fold(node, table)?;
        if rows.is_none() && fold.is_none() {
            let message = format!("case {name:?} has no customers");
            self.error(&node.span(), "case-rows", message, "Write row = [{ tenure-months = 24, expect = … }]");
            return None;
        }
        let rows = rows.map_or_else(Vec::new, |rows| self.list(rows, "case.row"));
        let rows = rows.into_iter().filter_map(|row| self.row(row)).collect();
        Some(Case { name, today, now, params: facts.params, rows, fold })
    }

    /// Outcomes, and what they must come to.
    fn fold(&mut self, case: &Node<'_>, table: &DeTable<'_>) -> Option<Option<Fold>> {
        let (outcomes, observed) = (table.get("outcome"), table.get("observed"));
        let (Some(outcomes), Some(observed)) = (outcomes, observed) else {
            if outcomes.is_some() || observed.is_some() {
                let hint = "Write outcome = [{ treated = true, reached = true }] and observed = [{ name = \"goal\", count = 1 }]";
                self.error(&case.span(), "case-expectation", "outcomes and what is observed of them go together", hint);
                return None;
            }
            return Some(None);
        };
        let outcomes = self.list(outcomes, "case.outcome").into_iter().filter_map(|node| self.outcome(node)).collect();
        let metrics = self.list(observed, "case.observed").into_iter().filter_map(|node| self.metric(node)).collect();
        Some(Some(Fold { outcomes, metrics }))
    }

    /// One outcome: the fields that are read in observe.
    fn outcome(&mut self, node: &Node<'_>) -> Option<BTreeMap<String, Cell>> {
        let DeValue::Table(table) = node.get_ref() else {
            self.wrong(node, "an outcome", "a table such as { treated = true, reached = false }");
            return None;
        };
        let fields = self.manifest.fields_of(Stage::Observe).to_vec();
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                let known = || fields.iter().map(|field| field.name.as_str());
                let hint =
                    format!("They are {}{}", known().collect::<Vec<_>>().join(", "), nearest_hint(name, known()));
                self.error(&key.span(), "unknown-field", format!("outcomes have no field {name:?} here"), hint);
                continue;
            };
            self.value(field.ty, name, value, &mut values);
        }
        for field in fields.iter().filter(|field| !field.optional && !table.contains_key(field.name.as_str())) {
            let message = format!("the outcome says nothing of {}", field.name);
            self.error(
                &node.span(),
                "case-outcome",
                message,
                format!("Write {} = {}", field.name, example_of(field.ty)),
            );
        }
        Some(values)
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
        self.value(ty, &name, value, into);
    }

    fn value(&mut self, ty: FieldType, name: &str, value: &Node<'_>, into: &mut BTreeMap<String, Cell>) {
        match cell(ty, value).and_then(|cell| self.bounded(name, cell)) {
            Ok(cell) => drop(into.insert(name.to_owned(), cell)),
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

    pub(super) fn number(&mut self, node: &Node<'_>, what: &str) -> Option<f64> {
        let read = ratio(node);
        if read.is_none() {
            self.wrong(node, what, "a number");
        }
        read
    }

    pub(super) fn text(&mut self, node: &Node<'_>, what: &str) -> Option<String> {
        let DeValue::String(text) = node.get_ref() else {
            self.wrong(node, what, "a text in quotes");
            return None;
        };
        Some(text.to_string())
    }

    pub(super) fn day(&mut self, node: &Node<'_>, what: &str) -> Option<i32> {
        let read = date(node);
        if read.is_none() {
            self.wrong(node, what, "a date such as \"2026-07-29\"");
        }
        read
    }

    pub(super) fn instant(&mut self, node: &Node<'_>, what: &str) -> Option<i64> {
        let read = instant(node);
        if read.is_none() {
            self.wrong(node, what, "an instant such as \"2026-07-29T09:00\", in the province's time");
        }
        read
    }

    pub(super) fn json(&mut self, node: &Node<'_>) -> Option<Value> {
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

    pub(super) fn wrong(&mut self, node: &Node<'_>, what: &str, wanted: &str) {
        self.error(&node.span(), "case-type", format!("{what} is {}", kind(node)), format!("Write {wanted}"));
    }
}
