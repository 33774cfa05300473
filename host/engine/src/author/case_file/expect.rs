//! What a case file expects: of a customer, and of a fold.

use super::reader::Reader;
use super::value::{date, whole};
use super::{Expectation, Expected, ExpectedMessage, ExpectedMetric, Node};
use care_domain::text::nearest_hint;
use care_domain::time;
use std::ops::Range;
use toml::de::DeValue;

const IN_EXPECT: [&str; 6] = ["reason", "occasion", "score", "not_before", "not_after", "messages"];
const IN_METRIC: [&str; 6] = ["name", "slice", "treated", "count", "sum", "sum_of_squares"];

impl Reader<'_> {
    pub(super) fn expected(&mut self, node: &Node<'_>) -> Option<Expected> {
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

    /// A metric that a fold must report.
    pub(super) fn metric(&mut self, node: &Node<'_>) -> Option<ExpectedMetric> {
        let DeValue::Table(table) = node.get_ref() else {
            self.wrong(node, "a metric", "a table such as { name = \"goal\", treated = true, count = 2, sum = 1 }");
            return None;
        };
        self.known_keys(table, &IN_METRIC, "a metric");
        let name = self.metric_name(node, table.get("name"))?;
        let slice = table.get("slice").map_or(Some(String::new()), |slice| self.text(slice, "slice"))?;
        let treated = match table.get("treated").map(|node| (node, node.get_ref())) {
            None => true,
            Some((_, DeValue::Boolean(yes))) => *yes,
            Some((node, _)) => {
                self.wrong(node, "treated", "true for who was contacted, false for the control group");
                return None;
            }
        };
        let mut number = |what: &str| match table.get(what) {
            None => Some(None),
            Some(node) => self.number(node, what).map(Some),
        };
        let (count, sum, sum_of_squares) = (number("count")?, number("sum")?, number("sum_of_squares")?);
        Some(ExpectedMetric { line: self.line(&node.span()), name, slice, treated, count, sum, sum_of_squares })
    }

    fn metric_name(&mut self, metric: &Node<'_>, name: Option<&Node<'_>>) -> Option<String> {
        let known: Vec<&str> = self.manifest.metrics.iter().map(String::as_str).collect();
        let Some(node) = name else {
            let hint = format!("Its metrics are {}", known.join(", "));
            self.error(&metric.span(), "case-metric", "the metric has no name", hint);
            return None;
        };
        let name = self.text(node, "name")?;
        if known.contains(&name.as_str()) {
            return Some(name);
        }
        let hint = format!("Its metrics are {}{}", known.join(", "), nearest_hint(&name, known.iter().copied()));
        self.error(&node.span(), "case-metric", format!("activity.toml has no metric {name:?}"), hint);
        None
    }
}
