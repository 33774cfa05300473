//! What a message says: template bodies, typed slot values, and how they are read in each language.
//! A guest fills slots with canonical values; only this module turns them into words.

use crate::manifest::{Slot, SlotKind};
use crate::text::{Bilingual, Language};
use crate::time;
use std::collections::BTreeMap;

/// A piece of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Said as it is.
    Words(String),
    /// `{name}`: the guest's value for a slot of the manifest.
    Slot(String),
    /// `{host.name}`: filled by the host when it renders.
    Host(HostSlot),
}

/// What only the host may fill in; no guest ever sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostSlot {
    /// `{host.surname}`: the customer's surname.
    Surname,
    /// `{host.name}`: the customer's whole name; for agents and departments.
    Name,
}

/// A template body, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(Vec<Part>);

/// A body that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// A brace that is never closed, or closed without being opened.
    #[error("a brace at character {0} has no partner")]
    Brace(usize),
    /// No host slot of that name.
    #[error("there is no host slot {0:?}")]
    HostSlot(String),
}

impl Body {
    /// Reads `{slot}`, `{host.surname}`, `{{` and `}}`.
    pub fn parse(text: &str) -> Result<Self, BodyError> {
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut chars = text.chars().enumerate().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '{' | '}' if chars.next_if(|(_, n)| *n == c).is_some() => words.push(c),
                '}' => return Err(BodyError::Brace(at)),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some((_, '}')) => break,
                            Some((_, n)) if n != '{' => name.push(n),
                            _ => return Err(BodyError::Brace(at)),
                        }
                    }
                    if !words.is_empty() {
                        parts.push(Part::Words(std::mem::take(&mut words)));
                    }
                    parts.push(match name.strip_prefix("host.") {
                        Some("surname") => Part::Host(HostSlot::Surname),
                        Some("name") => Part::Host(HostSlot::Name),
                        Some(_) => return Err(BodyError::HostSlot(name)),
                        None => Part::Slot(name),
                    });
                }
                c => words.push(c),
            }
        }
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
        Ok(Self(parts))
    }

    /// The pieces in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The names of the slots it uses.
    pub fn slots(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|p| if let Part::Slot(name) = p { Some(name.as_str()) } else { None })
    }
}

/// A checked slot value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotValue {
    /// In fen.
    Money(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// A whole number.
    Number(i64),
    /// What is read for a choice or table entry.
    Label(Bilingual),
}

/// Why a canonical value does not fit its slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotFault {
    /// Not of the slot's type.
    #[error("slot {slot:?} holds {value:?}, which is no {wanted}")]
    Type {
        /// The slot.
        slot: String,
        /// What the guest gave.
        value: String,
        /// What fits.
        wanted: &'static str,
    },
    /// Outside the slot's bounds.
    #[error("slot {slot:?} holds {value}, outside {min} to {max}")]
    Bounds {
        /// The slot.
        slot: String,
        /// What the guest gave.
        value: i64,
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// Not among the approved values.
    #[error("slot {slot:?} holds {value:?}, which was not approved")]
    NotApproved {
        /// The slot.
        slot: String,
        /// What the guest gave.
        value: String,
    },
}

/// The labels of reference tables: table → key → what is read.
pub type Labels = BTreeMap<String, BTreeMap<String, Bilingual>>;

/// Checks a canonical value against its slot. `labels` holds the entries of the reference tables.
pub fn check_slot(slot: &Slot, value: &str, labels: &Labels) -> Result<SlotValue, SlotFault> {
    let wrong = |wanted| SlotFault::Type { slot: slot.name.clone(), value: shorten(value), wanted };
    let unknown = || SlotFault::NotApproved { slot: slot.name.clone(), value: shorten(value) };
    let within = |value: i64, min: i64, max: i64| {
        if (min..=max).contains(&value) {
            Ok(value)
        } else {
            Err(SlotFault::Bounds { slot: slot.name.clone(), value, min, max })
        }
    };
    match &slot.kind {
        SlotKind::Money { min, max } => {
            let fen = value.parse().map_err(|_| wrong("amount in fen"))?;
            within(fen, *min, *max).map(SlotValue::Money)
        }
        SlotKind::Number { min, max } => {
            let number = value.parse().map_err(|_| wrong("whole number"))?;
            within(number, *min, *max).map(SlotValue::Number)
        }
        SlotKind::Date => {
            let days = value.parse().map_err(|_| wrong("date in days"))?;
            time::date_of(days).map(|_| SlotValue::Date(days)).ok_or_else(|| wrong("date in days"))
        }
        SlotKind::Choice { values } => values.get(value).cloned().map(SlotValue::Label).ok_or_else(unknown),
        SlotKind::Entry { table } => {
            labels.get(table).and_then(|entries| entries.get(value)).cloned().map(SlotValue::Label).ok_or_else(unknown)
        }
    }
}

/// A guest's text shortened for an error message.
fn shorten(value: &str) -> String {
    value.chars().take(40).collect()
}

/// What the host knows of the addressee; lives only while a message is rendered.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// Surname; empty when unknown.
    pub surname: String,
    /// Whole name; empty when unknown.
    pub name: String,
}

/// A slot that a body uses and the guest left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("slot {0:?} was not filled")]
pub struct Unfilled(pub String);

/// The message as it is read.
pub fn render(
    body: &Body,
    values: &BTreeMap<String, SlotValue>,
    person: &Person,
    language: Language,
) -> Result<String, Unfilled> {
    let mut text = String::new();
    for part in body.parts() {
        match part {
            Part::Words(words) => text.push_str(words),
            Part::Host(HostSlot::Surname) => text.push_str(&person.surname),
            Part::Host(HostSlot::Name) => text.push_str(&person.name),
            Part::Slot(name) => {
                let value = values.get(name).ok_or_else(|| Unfilled(name.clone()))?;
                text.push_str(&read(value, language));
            }
        }
    }
    Ok(text)
}

/// A value as it is read.
pub(crate) fn read(value: &SlotValue, language: Language) -> String {
    match (value, language) {
        (SlotValue::Money(fen), Language::Zh) => format!("{}元", yuan(*fen)),
        (SlotValue::Money(fen), Language::En) => format!("{} yuan", yuan(*fen)),
        (SlotValue::Number(number), _) => number.to_string(),
        (SlotValue::Label(label), language) => label.get(language).to_owned(),
        (SlotValue::Date(days), language) => {
            time::date_of(*days).map_or_else(|| days.to_string(), |d| date_words(d, language))
        }
    }
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn date_words(date: jiff::civil::Date, language: Language) -> String {
    match language {
        Language::Zh => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Language::En => format!("{} {} {}", date.day(), MONTHS[(date.month() - 1) as usize], date.year()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(kind: SlotKind) -> Slot {
        Slot { name: "x".into(), kind }
    }

    #[test]
    fn a_message_reads_naturally_in_both_languages() {
        let values = BTreeMap::from([
            ("points".to_owned(), SlotValue::Number(1280)),
            ("day".to_owned(), SlotValue::Date(20_664)),
            ("left".to_owned(), SlotValue::Money(1_205)),
        ]);
        let person = Person { surname: "陈".into(), name: "陈晓".into() };
        let zh = Body::parse("尊敬的{host.surname}先生/女士:您有{points}分将于{day}到期,余额{left}").expect("a body");
        let said = render(&zh, &values, &person, Language::Zh);
        assert_eq!(said.as_deref(), Ok("尊敬的陈先生/女士:您有1280分将于2026年7月30日到期,余额12.05元"));
        let en = Body::parse("{points} points end on {day}; balance {left} {{sic}}").expect("a body");
        let said = render(&en, &values, &person, Language::En);
        assert_eq!(said.as_deref(), Ok("1280 points end on 30 July 2026; balance 12.05 yuan {sic}"));
    }

    #[test]
    fn broken_bodies_are_refused_with_the_place() {
        assert_eq!(Body::parse("您好{points"), Err(BodyError::Brace(2)));
        assert_eq!(Body::parse("a}"), Err(BodyError::Brace(1)));
        assert_eq!(Body::parse("{host.phone}"), Err(BodyError::HostSlot("host.phone".into())));
        let body = Body::parse("{a}").expect("a body");
        assert_eq!(render(&body, &BTreeMap::new(), &Person::default(), Language::Zh), Err(Unfilled("a".into())));
    }

    #[test]
    fn slots_take_only_values_of_their_type_and_bounds() {
        let labels = Labels::from([(
            "areas".into(),
            BTreeMap::from([("513221".into(), Bilingual { zh: "汶川县".into(), en: "Wenchuan".into() })]),
        )]);
        let check = |kind, value| check_slot(&slot(kind), value, &labels);
        assert_eq!(check(SlotKind::Money { min: 0, max: 100 }, "100"), Ok(SlotValue::Money(100)));
        assert!(matches!(check(SlotKind::Money { min: 0, max: 100 }, "101"), Err(SlotFault::Bounds { .. })));
        for (kind, bad) in [
            (SlotKind::Money { min: 0, max: 9 }, "1.5"),
            (SlotKind::Number { min: 0, max: 9 }, "请拨打13800000000"),
            (SlotKind::Date, "99999999999"),
            (SlotKind::Date, "2147483647"),
        ] {
            assert!(matches!(check(kind, bad), Err(SlotFault::Type { .. })), "{bad}");
        }
        assert!(check(SlotKind::Entry { table: "areas".into() }, "513221").is_ok());
        assert!(matches!(check(SlotKind::Entry { table: "areas".into() }, "1"), Err(SlotFault::NotApproved { .. })));
    }
}
