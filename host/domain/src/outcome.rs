//! Outcomes: the dictionary of what customers may do and say, in which unit, and to which contact it answers.
//! How outcomes are kept, and what follows from them, does not live here.

use crate::contact::{ContactId, ContactState};
use crate::text::{Bilingual, nearest_hint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the figure of an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// There is none.
    #[default]
    None,
    /// Money, kept in fen (1/100 yuan).
    Fen,
    /// A satisfaction score, 1 to 10.
    Score,
    /// A whole number: points, megabytes, minutes.
    Count,
}

impl Unit {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fen => "fen",
            Self::Score => "score",
            Self::Count => "count",
        }
    }
}

/// One kind of outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kind {
    /// What people call it.
    pub title: Bilingual,
    /// What its figure is.
    #[serde(default)]
    pub unit: Unit,
    /// Whether the figure may be missing; it never may where the unit is a score.
    #[serde(default)]
    pub required: bool,
    /// Whether it answers a contact, so that there must have been one: delivered, read, unreachable.
    #[serde(default)]
    pub answers: bool,
    /// Whether it brakes an activity when it follows a contact: a complaint, an enquiry (S3).
    #[serde(default)]
    pub brakes: bool,
}

/// All known kinds by name (`examples/outcomes.toml`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// By kebab-case name.
    pub kinds: BTreeMap<String, Kind>,
}

/// Why a reported outcome is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// No such kind.
    #[error("kind {0:?} is neither in outcomes.toml nor named by an activity{1}")]
    Kind(String, String),
    /// A figure where there is none.
    #[error("{0} has no figure")]
    NoFigure(String),
    /// No figure where one is needed.
    #[error("{0} needs a figure in {1}")]
    Figure(String, &'static str),
    /// A figure in another unit than the kind has.
    #[error("{kind} is told in {wanted}, and this is told in {told}")]
    Unit {
        /// The kind.
        kind: String,
        /// Its unit.
        wanted: &'static str,
        /// What was told.
        told: String,
    },
    /// A figure that is none of its unit. It is not repeated: it may be a number of somebody.
    #[error("the figure is no {0}")]
    NotOf(&'static str),
    /// An answer to nobody.
    #[error("it answers a contact, and there was none with this customer{0}")]
    NoContact(String),
    /// An answer before the question.
    #[error("it happened before the contact that it answers")]
    Before,
    /// A contact that never went out.
    #[error("the contact that it answers is {0}: it never went out")]
    NotOut(&'static str),
}

impl Wrong {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Kind(..) => "unknown-kind",
            Self::NoFigure(_) | Self::Figure(..) => "figure",
            Self::Unit { .. } => "wrong-unit",
            Self::NotOf(_) => "bad-figure",
            Self::NoContact(_) => "unknown-contact",
            Self::Before => "before-contact",
            Self::NotOut(_) => "not-sent",
        }
    }
}

impl Outcomes {
    /// The kind of a name. `named` are kinds that uploaded activities count or wait for: they need no entry, and take
    /// any whole number.
    pub fn find(&self, name: &str, named: impl Fn(&str) -> bool) -> Result<Kind, Wrong> {
        if let Some(kind) = self.kinds.get(name) {
            return Ok(kind.clone());
        }
        if named(name) {
            let title = Bilingual { zh: name.to_owned(), en: name.to_owned() };
            return Ok(Kind { title, unit: Unit::Count, required: false, answers: false, brakes: false });
        }
        Err(Wrong::Kind(name.to_owned(), nearest_hint(name, self.kinds.keys().map(String::as_str))))
    }

    /// The kinds that brake an activity.
    pub fn braking(&self) -> Vec<&str> {
        self.kinds.iter().filter(|(_, kind)| kind.brakes).map(|(name, _)| name.as_str()).collect()
    }
}

impl Kind {
    /// Reads a figure: in the kind's own unit when none is told; money may be told in yuan.
    pub fn figure(&self, name: &str, told: Option<&str>, unit: Option<&str>) -> Result<Option<i64>, Wrong> {
        let Some(text) = told else {
            let needed = self.required || self.unit == Unit::Score;
            return if needed { Err(Wrong::Figure(name.to_owned(), self.unit.name())) } else { Ok(None) };
        };
        let wanted = self.unit.name();
        let value = match (self.unit, unit) {
            (Unit::None, _) => return Err(Wrong::NoFigure(name.to_owned())),
            (Unit::Fen, Some("yuan")) => decimal(text, 2).ok_or(Wrong::NotOf("amount of yuan with two decimals"))?,
            (Unit::Fen, None | Some("fen")) => decimal(text, 0).ok_or(Wrong::NotOf("whole number of fen"))?,
            (Unit::Score, None | Some("score")) => score(text).ok_or(Wrong::NotOf("score from 1 to 10"))?,
            (Unit::Count, None | Some("count")) => decimal(text, 0).ok_or(Wrong::NotOf("whole number"))?,
            (_, Some(told)) => {
                return Err(Wrong::Unit { kind: name.to_owned(), wanted, told: told.chars().take(20).collect() });
            }
        };
        Ok(Some(value))
    }
}

/// A score as a file or a reply writes it: `9`, `9分`, `９`.
pub fn score(text: &str) -> Option<i64> {
    let narrow = |c: char| match c {
        // A phone set to Chinese writes full-width digits.
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
        _ => c,
    };
    let text: String = text.trim().trim_end_matches('分').trim_end().chars().map(narrow).collect();
    decimal(&text, 0).filter(|score| (1..=10).contains(score))
}

/// A decimal number as a whole one of 10^−`places`, exactly; no more decimals than that.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    // A frame library writes whole numbers with a decimal: 29.0.
    let part = if places == 0 { part.trim_end_matches('0') } else { part };
    let sound =
        !whole.is_empty() && part.len() <= places && (whole.bytes().chain(part.bytes())).all(|b| b.is_ascii_digit());
    let value: i64 = sound.then(|| format!("{whole}{part:0<places$}").parse().ok())??;
    Some(if negative { -value } else { value })
}

/// A contact with a customer, or the moment at which a held-out one would have had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The contact; `None` for somebody held out.
    pub contact: Option<ContactId>,
    /// Its activity.
    pub activity: String,
    /// When it was planned for, Unix milliseconds.
    pub at: i64,
    /// Where it stands; `None` for somebody held out.
    pub state: Option<ContactState>,
    /// Whether it went to the customer, rather than to somebody close or to a department.
    pub to_customer: bool,
}

/// The contact that an outcome at `at` answers: the named one, else the last one of the named activity (or of any,
/// where the kind answers) before it. `met` are all contacts with the customer.
pub fn answered(
    kind: &Kind,
    named: Option<ContactId>,
    activity: Option<&str>,
    at: i64,
    met: &[Met],
) -> Result<Option<ContactId>, Wrong> {
    if let Some(id) = named {
        let found = met.iter().find(|m| m.contact == Some(id)).ok_or_else(|| Wrong::NoContact(String::new()))?;
        if at < found.at {
            return Err(Wrong::Before);
        }
        return match found.state {
            Some(state @ (ContactState::Planned | ContactState::Released)) => Err(Wrong::NotOut(state.name())),
            Some(
                state
                @ (ContactState::Cancelled | ContactState::Withdrawn | ContactState::Expired | ContactState::Lost),
            ) => Err(Wrong::NotOut(state.name())),
            _ => Ok(Some(id)),
        };
    }
    let of_it: Vec<&Met> = met.iter().filter(|m| m.to_customer && activity.is_none_or(|a| m.activity == a)).collect();
    let last = of_it.iter().filter(|m| m.at <= at).max_by_key(|m| m.at);
    match last {
        Some(last) => Ok(last.contact.filter(|_| kind.answers || activity.is_some())),
        None if !kind.answers => Ok(None),
        None if of_it.is_empty() => {
            Err(Wrong::NoContact(activity.map_or(String::new(), |activity| format!(" by {activity}"))))
        }
        None => Err(Wrong::Before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(unit: Unit, answers: bool) -> Kind {
        let title = Bilingual { zh: "一".into(), en: "one".into() };
        Kind { title, unit, required: false, answers, brakes: false }
    }

    #[test]
    fn figures_are_read_in_their_unit_exactly_or_not_at_all() {
        let money = kind(Unit::Fen, false);
        for (told, unit, fen) in [
            ("29.99", "yuan", Ok(Some(2_999))),
            ("0.1", "yuan", Ok(Some(10))),
            ("-3", "yuan", Ok(Some(-300))),
            ("2999", "fen", Ok(Some(2_999))),
            ("29.0", "fen", Ok(Some(29))),
            ("29.99", "fen", Err("bad-figure")),
            ("1.005", "yuan", Err("bad-figure")),
            ("1e3", "yuan", Err("bad-figure")),
            ("99999999999999999999", "fen", Err("bad-figure")),
            ("7", "score", Err("wrong-unit")),
            ("", "fen", Err("bad-figure")),
        ] {
            assert_eq!(money.figure("paid", Some(told), Some(unit)).map_err(|w| w.code()), fen, "{told} {unit}");
        }
        let score = kind(Unit::Score, false);
        for (told, read) in [("10", 10), ("９", 9), ("8分", 8), (" 7 分 ", 7), ("１０分", 10), ("7.0", 7)] {
            assert_eq!(score.figure("satisfied", Some(told), None), Ok(Some(read)), "{told}");
        }
        for bad in [Some("0"), Some("11"), Some("7.5"), Some("good"), Some("分"), Some("９９"), None] {
            assert!(score.figure("satisfied", bad, None).is_err(), "{bad:?}");
        }
        assert_eq!(score.figure("satisfied", Some("5"), Some("yuan")).map_err(|w| w.code()), Err("wrong-unit"));
        assert_eq!(kind(Unit::None, false).figure("read", Some("1"), None).map_err(|w| w.code()), Err("figure"));
        assert_eq!(kind(Unit::Count, false).figure("used", None, None), Ok(None));
    }

    fn met(id: u8, activity: &str, at: i64, state: ContactState) -> Met {
        let contact = Some(ContactId([id; 16]));
        Met { contact, activity: activity.into(), at, state: Some(state), to_customer: id != 4 }
    }

    #[test]
    fn an_answer_finds_the_last_contact_before_it() {
        let met = [
            met(1, "birthday", 10, ContactState::Sent),
            met(2, "birthday", 20, ContactState::Sent),
            met(3, "green-bill", 30, ContactState::Released),
            met(4, "birthday", 24, ContactState::Sent),
        ];
        let (answer, free) = (kind(Unit::None, true), kind(Unit::None, false));
        let id = |n: u8| Ok(Some(ContactId([n; 16])));
        let ask = |kind: &Kind, named: Option<u8>, activity, at| {
            answered(kind, named.map(|n| ContactId([n; 16])), activity, at, &met).map_err(|w| w.code())
        };
        assert_eq!(ask(&answer, None, Some("birthday"), 25), id(2));
        assert_eq!(ask(&answer, None, None, 15), id(1));
        assert_eq!(ask(&answer, None, Some("birthday"), 9), Err("before-contact"));
        assert_eq!(ask(&answer, None, Some("points-expiry"), 40), Err("unknown-contact"));
        assert_eq!(ask(&free, None, Some("birthday"), 9), Ok(None));
        assert_eq!(ask(&free, None, None, 40), Ok(None), "a purchase answers no contact by itself");
        assert_eq!(ask(&answer, Some(4), None, 25), id(4), "what went to somebody close is answered by name alone");
        assert_eq!(ask(&free, Some(1), None, 11), id(1));
        assert_eq!(ask(&free, Some(1), None, 9), Err("before-contact"));
        assert_eq!(ask(&free, Some(3), None, 40), Err("not-sent"));
        assert_eq!(ask(&free, Some(9), None, 40), Err("unknown-contact"));
    }

    #[test]
    fn a_kind_is_in_the_dictionary_or_an_activitys_own() {
        let all = Outcomes { kinds: BTreeMap::from([("redeemed".into(), kind(Unit::Count, false))]) };
        assert!(all.find("redeemed", |_| false).is_ok());
        assert_eq!(all.find("lantern-lit", |name| name == "lantern-lit").map(|k| k.unit), Ok(Unit::Count));
        let wrong = all.find("redemed", |_| false).expect_err("misspelt").to_string();
        assert!(wrong.contains("redeemed"), "{wrong}");
    }
}
