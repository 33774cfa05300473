//! Values of a case file: what is written there, in words, and as what it is read.

use super::{Cell, Node};
use care_domain::field::FieldType;
use care_domain::time;
use std::collections::BTreeMap;
use toml::de::DeValue;

pub(super) fn kind(node: &Node<'_>) -> String {
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

pub(super) fn whole(node: &Node<'_>) -> Option<i64> {
    let DeValue::Integer(number) = node.get_ref() else { return None };
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

pub(super) fn ratio(node: &Node<'_>) -> Option<f64> {
    let read: f64 = match node.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok()?,
        DeValue::Integer(number) => number.as_str().parse().ok()?,
        _ => return None,
    };
    read.is_finite().then_some(read)
}

pub(super) fn date(node: &Node<'_>) -> Option<i32> {
    match node.get_ref() {
        DeValue::String(text) => time::parse_date(text),
        DeValue::Datetime(date) => time::parse_date(&date.to_string()),
        _ => None,
    }
}

pub(super) fn instant(node: &Node<'_>) -> Option<i64> {
    match node.get_ref() {
        DeValue::String(text) => time::parse_instant(text),
        DeValue::Datetime(date) => time::parse_instant(&date.to_string()),
        _ => None,
    }
}

pub(super) fn cell(ty: FieldType, node: &Node<'_>) -> Result<Cell, String> {
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

pub(super) fn words_of(ty: FieldType) -> &'static str {
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

pub(super) fn example_of(ty: FieldType) -> &'static str {
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
pub(super) fn shown(values: &BTreeMap<String, Cell>) -> String {
    let value = |cell: &Cell| match cell {
        Cell::Whole(whole) => whole.to_string(),
        Cell::Ratio(ratio) => ratio.to_string(),
        Cell::Yes(yes) => yes.to_string(),
        Cell::Text(text) => format!("{text:?}"),
    };
    let values: Vec<String> = values.iter().map(|(name, cell)| format!("{name} = {}", value(cell))).collect();
    format!("{{ {} }}", values.join(", "))
}
