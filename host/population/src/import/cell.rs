//! From the text of a cell to a checked value of its field's type, exactly: money never passes through a float.

use super::faults::FaultClass;
use crate::snapshot::Cell;
use care_domain::field::{FieldDef, FieldType};
use care_domain::time;
use jiff::civil;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Longer texts are bad cells: the most bytes of a text in a snapshot.
const MAX_TEXT_BYTES: usize = 4_096;

/// The unit in which a source writes money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Whole fen.
    #[default]
    Fen,
    /// Yuan with at most two decimals.
    Yuan,
}

/// What a blank cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Blank {
    /// A value is missing that should be there.
    #[default]
    Bad,
    /// There is nothing to say.
    Absent,
}

/// How a source writes a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notation {
    pub(crate) unit: Unit,
    /// A strptime format of dates and instants; ISO 8601 without one.
    pub(crate) format: Option<String>,
    /// Words for yes; the usual ones when empty.
    pub(crate) yes: Vec<String>,
    /// Words for no; the usual ones when empty.
    pub(crate) no: Vec<String>,
    /// From the source's words to the dictionary's values.
    pub(crate) map: BTreeMap<String, String>,
    pub(crate) blank: Blank,
}

/// How to read the cells of one field.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    ty: FieldType,
    minimum: Option<f64>,
    maximum: Option<f64>,
    values: Vec<String>,
    notation: Notation,
}

/// Why a cell has no value. The reason never repeats the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellFault {
    pub(crate) class: FaultClass,
    pub(crate) reason: String,
}

fn fault(class: FaultClass, reason: impl Into<String>) -> CellFault {
    CellFault { class, reason: reason.into() }
}

const YES: [&str; 6] = ["yes", "true", "y", "t", "1", "是"];
const NO: [&str; 6] = ["no", "false", "n", "f", "0", "否"];

impl Rule {
    pub(crate) fn new(field: &FieldDef, notation: Notation) -> Self {
        Self { ty: field.ty, minimum: field.minimum, maximum: field.maximum, values: field.values.clone(), notation }
    }

    /// Any value of a type, in the usual notation.
    pub(crate) fn plain(ty: FieldType) -> Self {
        Self { ty, minimum: None, maximum: None, values: Vec::new(), notation: Notation::default() }
    }

    pub(crate) fn ty(&self) -> FieldType {
        self.ty
    }

    /// The value of a cell; `None` for a blank one that means nothing.
    pub(crate) fn read<'a>(&'a self, text: &'a str) -> Result<Option<Cell<'a>>, CellFault> {
        let text = text.trim();
        if text.is_empty() {
            return match self.notation.blank {
                Blank::Absent => Ok(None),
                Blank::Bad => Err(fault(FaultClass::Blank, "the cell is blank")),
            };
        }
        let cell = match self.ty {
            FieldType::Fen => Cell::Whole(self.money(text)?),
            FieldType::Count => Cell::Whole(decimal(text, 0)?),
            FieldType::Small => Cell::Whole(within_32_bits(decimal(text, 0)?)?),
            FieldType::Instant => Cell::Whole(self.instant(text)?),
            FieldType::Date => Cell::Whole(i64::from(self.date(text)?)),
            FieldType::Ratio => Cell::Ratio(ratio(text)?),
            FieldType::Boolean => Cell::Whole(i64::from(self.boolean(text)?)),
            FieldType::Category => Cell::Text(self.category(text)?),
            FieldType::Text => Cell::Text(bounded(text)?),
        };
        self.check_bounds(cell)?;
        Ok(Some(cell))
    }

    fn money(&self, text: &str) -> Result<i64, CellFault> {
        match self.notation.unit {
            Unit::Fen => decimal(text, 0),
            Unit::Yuan => decimal(text, 2),
        }
    }

    fn date(&self, text: &str) -> Result<i32, CellFault> {
        let read = match &self.notation.format {
            Some(format) => civil::Date::strptime(format, text).ok().map(time::days_of),
            None => time::parse_date(text),
        };
        read.ok_or_else(|| not_a_date(text, "a date"))
    }

    fn instant(&self, text: &str) -> Result<i64, CellFault> {
        let read = match &self.notation.format {
            Some(format) => {
                civil::DateTime::strptime(format, text).ok().and_then(|at| time::parse_instant(&at.to_string()))
            }
            None => time::parse_instant(text),
        };
        read.ok_or_else(|| not_a_date(text, "an instant"))
    }

    fn boolean(&self, text: &str) -> Result<bool, CellFault> {
        let says = |words: &[String], usual: &[&str]| {
            if words.is_empty() {
                usual.iter().any(|w| w.eq_ignore_ascii_case(text))
            } else {
                words.iter().any(|w| w == text)
            }
        };
        match (says(&self.notation.yes, &YES), says(&self.notation.no, &NO)) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            _ => Err(fault(FaultClass::Type, "the cell is neither yes nor no")),
        }
    }

    fn category<'a>(&'a self, text: &'a str) -> Result<&'a str, CellFault> {
        let value = self.notation.map.get(text).map_or(text, String::as_str);
        if self.values.is_empty() || self.values.iter().any(|v| v == value) {
            return bounded(value);
        }
        Err(fault(FaultClass::UnknownValue, format!("the dictionary knows only {}", self.values.join(", "))))
    }

    fn check_bounds(&self, cell: Cell<'_>) -> Result<(), CellFault> {
        let value = match cell {
            Cell::Whole(value) => value as f64,
            Cell::Ratio(value) => value,
            Cell::Text(_) => return Ok(()),
        };
        if let Some(minimum) = self.minimum.filter(|m| value < *m) {
            let class = if minimum == 0.0 { FaultClass::Negative } else { FaultClass::OutOfRange };
            return Err(fault(class, format!("the value is below the dictionary's minimum {minimum}")));
        }
        if let Some(maximum) = self.maximum.filter(|m| value > *m) {
            return Err(fault(
                FaultClass::OutOfRange,
                format!("the value is above the dictionary's maximum {maximum}"),
            ));
        }
        Ok(())
    }
}

/// A decimal number times 10^places, exactly; digits after those places must be zeros.
pub(crate) fn decimal(text: &str, places: usize) -> Result<i64, CellFault> {
    let no_number = || fault(FaultClass::Type, "the cell is no number");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(no_number());
    }
    let (kept, beyond) = fraction.split_at(places.min(fraction.len()));
    if beyond.bytes().any(|b| b != b'0') {
        let message =
            if places == 0 { "the cell is no whole number".into() } else { format!("more than {places} decimals") };
        return Err(fault(FaultClass::Type, message));
    }
    let padding = std::iter::repeat_n(b'0', places - kept.len());
    let magnitude = whole.bytes().chain(kept.bytes()).chain(padding).try_fold(0i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        number.checked_mul(10)?.checked_add(digit)
    });
    let magnitude = magnitude.ok_or_else(|| fault(FaultClass::OutOfRange, "the number is too large"))?;
    Ok(if negative { -magnitude } else { magnitude })
}

fn within_32_bits(value: i64) -> Result<i64, CellFault> {
    i32::try_from(value).map(i64::from).map_err(|_| fault(FaultClass::OutOfRange, "the number is too large"))
}

fn ratio(text: &str) -> Result<f64, CellFault> {
    let value: Option<f64> = text.parse().ok();
    value.filter(|v| v.is_finite()).ok_or_else(|| fault(FaultClass::Type, "the cell is no number"))
}

fn bounded(text: &str) -> Result<&str, CellFault> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(fault(FaultClass::OutOfRange, format!("the text is longer than {MAX_TEXT_BYTES} bytes")));
    }
    Ok(text)
}

/// Digits and separators are a date that does not exist; anything else is no date.
fn not_a_date(text: &str, wanted: &str) -> CellFault {
    if text.chars().all(|c| c.is_ascii_digit() || "-/.: T年月日".contains(c)) {
        return fault(
            FaultClass::ImpossibleDate,
            format!("the cell is not {wanted} that exists in the mapping's format"),
        );
    }
    fault(FaultClass::Type, format!("the cell is not {wanted}"))
}

/// A cell shortened for a message.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(ty: FieldType, notation: Notation) -> Rule {
        Rule { notation, ..Rule::plain(ty) }
    }

    fn class(result: Result<Option<Cell<'_>>, CellFault>) -> FaultClass {
        result.expect_err("a bad cell").class
    }

    #[test]
    fn yuan_become_fen_exactly() {
        for (text, fen) in [
            ("29.85", 2_985),
            ("0.1", 10),
            ("1.15", 115),
            ("-0.05", -5),
            ("+7", 700),
            (".5", 50),
            ("5.", 500),
            ("90071992547409.93", 9_007_199_254_740_993),
            ("12.3400", 1_234),
            (" 8 ", 800),
        ] {
            assert_eq!(
                rule(FieldType::Fen, Notation { unit: Unit::Yuan, ..Notation::default() }).read(text),
                Ok(Some(Cell::Whole(fen))),
                "{text}"
            );
        }
        for (text, wrong) in [
            ("1.005", FaultClass::Type),
            ("1,234.50", FaultClass::Type),
            ("1e3", FaultClass::Type),
            (".", FaultClass::Type),
            ("--1", FaultClass::Type),
            ("99999999999999999999", FaultClass::OutOfRange),
            ("１２", FaultClass::Type),
            ("", FaultClass::Blank),
        ] {
            assert_eq!(
                class(rule(FieldType::Fen, Notation { unit: Unit::Yuan, ..Notation::default() }).read(text)),
                wrong,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_being_written_in_yuan(fen in -1_000_000_000_000_000i64..1_000_000_000_000_000) {
            let sign = if fen < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100);
            prop_assert_eq!(decimal(&text, 2), Ok(fen));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,30}") {
            for ty in [FieldType::Fen, FieldType::Instant, FieldType::Small, FieldType::Date, FieldType::Ratio, FieldType::Boolean] {
                let _ = Rule::plain(ty).read(&text);
            }
        }
    }

    #[test]
    fn whole_numbers_may_be_written_as_a_frame_library_writes_them() {
        assert_eq!(Rule::plain(FieldType::Small).read("29.0"), Ok(Some(Cell::Whole(29))));
        assert_eq!(class(Rule::plain(FieldType::Small).read("29.5")), FaultClass::Type);
        assert_eq!(class(Rule::plain(FieldType::Small).read("2147483648")), FaultClass::OutOfRange);
        assert_eq!(class(Rule::plain(FieldType::Ratio).read("NaN")), FaultClass::Type);
    }

    #[test]
    fn dates_are_read_in_the_given_format_and_must_exist() {
        let dotted = rule(FieldType::Date, Notation { format: Some("%d.%m.%Y".into()), ..Notation::default() });
        assert_eq!(dotted.read("29.07.2026"), Rule::plain(FieldType::Date).read("2026-07-29"));
        assert_eq!(class(dotted.read("31.06.2026")), FaultClass::ImpossibleDate);
        assert_eq!(class(Rule::plain(FieldType::Date).read("2026-02-30")), FaultClass::ImpossibleDate);
        assert_eq!(class(Rule::plain(FieldType::Date).read("soon")), FaultClass::Type);
        let slashed =
            rule(FieldType::Instant, Notation { format: Some("%Y/%m/%d %H:%M".into()), ..Notation::default() });
        assert_eq!(slashed.read("2026/07/29 09:00"), Rule::plain(FieldType::Instant).read("2026-07-29T09:00:00+08:00"));
    }

    #[test]
    fn words_become_booleans_and_categories() {
        let words = Notation { yes: vec!["开通".into()], no: vec!["未开通".into()], ..Notation::default() };
        let own = rule(FieldType::Boolean, words);
        assert_eq!(own.read("开通"), Ok(Some(Cell::Whole(1))));
        assert_eq!(class(own.read("yes")), FaultClass::Type);
        assert_eq!(Rule::plain(FieldType::Boolean).read("FALSE"), Ok(Some(Cell::Whole(0))));
        let map = BTreeMap::from([("全球通".to_owned(), "gotone".to_owned())]);
        let brand = Rule {
            values: vec!["gotone".into(), "easyown".into()],
            ..rule(FieldType::Category, Notation { map, ..Notation::default() })
        };
        assert_eq!(brand.read("全球通"), Ok(Some(Cell::Text("gotone"))));
        assert_eq!(brand.read("easyown"), Ok(Some(Cell::Text("easyown"))));
        assert_eq!(class(brand.read("动感地带")), FaultClass::UnknownValue);
    }

    #[test]
    fn bounds_of_the_dictionary_hold() {
        let money = Rule { minimum: Some(0.0), maximum: Some(1_000.0), ..Rule::plain(FieldType::Fen) };
        assert_eq!(class(money.read("-1")), FaultClass::Negative);
        assert_eq!(class(money.read("1001")), FaultClass::OutOfRange);
        assert_eq!(money.read("1000"), Ok(Some(Cell::Whole(1_000))));
    }
}
