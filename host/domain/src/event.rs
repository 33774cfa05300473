//! Events: what other systems may report of a customer (`examples/events.toml`), what is wrong with a report, and
//! which reports say something new. What follows from them is decided elsewhere; nothing is stored or sent here.

use crate::field::{Dictionary, EVENT_PREFIX, FieldDef, FieldType};
use crate::key::CustomerKey;
use crate::outcome::{Outcomes, Unit};
use crate::text::{Bilingual, Finding, is_kebab, nearest_hint};
use crate::time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// An event from further ahead than this is refused: clocks differ by minutes, not more †.
pub const FUTURE_MS: i64 = 5 * 60_000;
/// An event from longer ago than this is refused: nothing follows from it any more †.
pub const ANCIENT_MS: i64 = 30 * time::DAY_MS;
/// The longest source, id or text of an event, in bytes.
const MAX_TEXT: usize = 256;
/// Of a stay whose end was never reported: after so long it is over †.
const FORGOTTEN_MS: i64 = 30 * time::DAY_MS;

/// The types of events that are understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct EventDictionary {
    /// By kebab-case name, the CloudEvents `type`.
    pub types: BTreeMap<String, EventType>,
}

/// A type of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventType {
    /// A short name.
    pub title: Bilingual,
    /// What it reports.
    pub description: Bilingual,
    /// Data that must come with it: fields of the field dictionary without their `event.`.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Data that may.
    #[serde(default)]
    pub allows: Vec<String>,
    /// For so long after its time activities are told of it; later it is recorded, and cancels what it makes pointless.
    pub useful_minutes: u32,
    /// The customer did it just now: service notices that follow need not wait for the end of the quiet hours.
    #[serde(default)]
    pub own: bool,
    /// The kind of outcome that it is too, as `outcomes.toml` has it: it counts towards goals.
    #[serde(default)]
    pub outcome: Option<String>,
    /// Which of its data is the outcome's figure.
    #[serde(default)]
    pub figure: Option<String>,
    /// It opens or closes a complaint, which holds care and commercial contacts.
    #[serde(default)]
    pub complaint: Option<Complaint>,
    /// It begins or ends a stay.
    #[serde(default)]
    pub stay: Option<StayRule>,
}

/// What an event does to the customer's complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Complaint {
    /// One is open from now on.
    Opens,
    /// None is open any more.
    Closes,
}

/// An event's part in a stay: of its family, an older event that arrives after a newer one is overtaken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StayRule {
    /// Which events belong together, such as `roaming`.
    pub family: String,
    /// Whether it begins or ends one.
    pub step: Step,
    /// A beginning within so many minutes after an end goes on with the old stay: what flaps is one stay.
    #[serde(default)]
    pub settles_minutes: u32,
}

/// Beginning or end of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The customer arrived.
    Begins,
    /// The customer left.
    Ends,
}

/// A customer's latest stay of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// When it began, Unix milliseconds.
    pub began: i64,
    /// Time of its newest event.
    pub last: i64,
    /// Whether it goes on.
    pub open: bool,
}

/// Whether an event says something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Activities are told of it.
    Offered,
    /// Too long ago to be told; it still cancels.
    Late,
    /// A newer event of its family arrived before it.
    Overtaken,
}

/// A value that an event brings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// Yes or no.
    Boolean(bool),
    /// A count, fen, days or milliseconds.
    Integer(i64),
    /// A ratio.
    Ratio(f64),
    /// A category or text.
    Text(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(yes) => yes.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Ratio(ratio) => ratio.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// A report as it came in, checked against the dictionaries; whom it is about is not looked up yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Who reports.
    pub source: String,
    /// The source's name for it: source and id make it the same event.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// The operator's customer id, a pseudonymous key, or `tel:` and a number.
    pub subject: String,
    /// When it happened, Unix milliseconds.
    pub time: i64,
    /// What came with it, by field without `event.`.
    pub data: BTreeMap<String, Cell>,
}

/// An event as it is logged: about a pseudonym.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Who reported it.
    pub source: String,
    /// The source's name for it.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// About whom.
    pub customer: CustomerKey,
    /// When it happened, Unix milliseconds.
    pub time: i64,
    /// What came with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Cell>,
    /// When the stay that it belongs to began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<i64>,
    /// Whether activities are told of it.
    pub standing: Standing,
}

/// By what an event is known again: the first 16 bytes of a hash of source and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// Of a source's id.
    pub fn of(source: &str, id: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"care-event-1");
        hash.update((source.len() as u64).to_be_bytes());
        hash.update(source.as_bytes());
        hash.update(id.as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Self(short)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl EventDictionary {
    /// Everything in it that cannot be meant.
    pub fn check(&self, fields: &Dictionary, outcomes: &Outcomes) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, kind) in &self.types {
            if !is_kebab(name) {
                let hint = "Use a name such as roaming-entered";
                findings.push(Finding::error("event-type", format!("event type {name:?} is no kebab-case name"), hint));
            }
            for field in kind.requires.iter().chain(&kind.allows) {
                if let Err(near) = fields.find(&format!("{EVENT_PREFIX}{field}")) {
                    let message = format!("event type {name:?} names field {EVENT_PREFIX}{field}, which is unknown");
                    findings.push(Finding::error("event-field", message, format!("Add it to fields.toml{near}")));
                }
            }
            findings.extend(kind.check_outcome(name, outcomes));
        }
        findings
    }

    /// Reads one event in the JSON format of CloudEvents 1.0. `now` is the wall clock.
    pub fn read(&self, event: &Value, fields: &Dictionary, now: i64) -> Result<Report, Finding> {
        let text = |name: &str| attribute(event, name);
        if let Some(version) = event.get("specversion").filter(|v| v.as_str() != Some("1.0")) {
            let message = format!("specversion is {version}, not \"1.0\"");
            return Err(Finding::error("event-version", message, "Send CloudEvents 1.0"));
        }
        let (source, id, kind) = (text("source")?, text("id")?, text("type")?);
        let known = self.types.get(&kind).ok_or_else(|| {
            let near = nearest_hint(&kind, self.types.keys().map(String::as_str));
            let hint = format!("The types are listed in events.toml{near}");
            Finding::error("unknown-event-type", format!("event type {kind:?} is not understood"), hint)
        })?;
        let subject = text("subject").map_err(|_| {
            let hint = "Write the operator's customer id, or tel: and the number";
            Finding::error("no-customer", "the event has no subject, so it is about nobody", hint)
        })?;
        let time = read_time(&text("time")?, now)?;
        let data = known.read_data(&kind, event.get("data"), fields)?;
        Ok(Report { source, id, kind, subject, time, data })
    }
}

fn attribute(event: &Value, name: &str) -> Result<String, Finding> {
    let hint = "Write it as a JSON text, as CloudEvents 1.0 says";
    match event.get(name).and_then(Value::as_str).map(str::trim) {
        Some("") | None => Err(Finding::error("event-attribute", format!("attribute {name:?} is missing"), hint)),
        Some(text) if text.len() > MAX_TEXT => {
            let message = format!("attribute {name:?} has more than {MAX_TEXT} bytes");
            Err(Finding::error("event-attribute", message, "Shorten it"))
        }
        Some(text) if text.chars().any(char::is_control) => {
            let message = format!("attribute {name:?} holds a control character");
            Err(Finding::error("event-attribute", message, hint))
        }
        Some(text) => Ok(text.to_owned()),
    }
}

fn read_time(text: &str, now: i64) -> Result<i64, Finding> {
    let hint = "Write it as RFC 3339, such as 2026-07-29T09:00:00+08:00";
    let time = time::parse_instant(text)
        .ok_or_else(|| Finding::error("event-time", format!("time {text:?} is no instant"), hint))?;
    if time > now.saturating_add(FUTURE_MS) {
        let message = format!("time {text} lies more than five minutes ahead of {}", time::write_instant(now));
        return Err(Finding::error("event-from-the-future", message, "Set the sender's clock"));
    }
    if time < now.saturating_sub(ANCIENT_MS) {
        let message = format!("time {text} lies more than 30 days before {}", time::write_instant(now));
        return Err(Finding::error(
            "event-too-old",
            message,
            "Nothing follows from it any more; import it as an outcome",
        ));
    }
    Ok(time)
}

impl EventType {
    /// What cannot be meant by its outcome.
    fn check_outcome(&self, name: &str, outcomes: &Outcomes) -> Option<Finding> {
        let wrong = |message: String, hint: &str| Some(Finding::error("event-outcome", message, hint));
        let Some(outcome) = &self.outcome else {
            if self.complaint.is_some() || self.figure.is_some() {
                let message = format!("event type {name:?} has a complaint or a figure, and is no outcome");
                return wrong(message, "Name the kind of outcome that records it, such as outcome = \"complained\"");
            }
            return None;
        };
        let kind = match outcomes.find(outcome, |_| false) {
            Ok(kind) => kind,
            Err(why) => return wrong(format!("event type {name:?}: {why}"), "The kinds are listed in outcomes.toml"),
        };
        let brings = |field: &String| self.requires.contains(field) || self.allows.contains(field);
        match &self.figure {
            Some(field) if !brings(field) => {
                wrong(format!("event type {name:?} counts {field:?}, which it does not bring"), "Add it to allows")
            }
            Some(field) if kind.unit == Unit::None => {
                wrong(format!("event type {name:?} counts {field:?}, and {outcome} has no figure"), "Leave figure away")
            }
            None if kind.required => wrong(
                format!("event type {name:?} tells no figure, which {outcome} needs"),
                "Say which field is figure",
            ),
            _ => None,
        }
    }

    /// What activities are told of an event of this type at `now`, and the customer's stay after it.
    pub fn standing(&self, time: i64, now: i64, latest: Option<Stay>) -> (Standing, Option<Stay>) {
        let useful = time.saturating_add(i64::from(self.useful_minutes) * 60_000) >= now;
        let standing = if useful { Standing::Offered } else { Standing::Late };
        let Some(rule) = &self.stay else { return (standing, None) };
        match latest {
            Some(stay) if time < stay.last => (Standing::Overtaken, Some(stay)),
            latest => (standing, Some(rule.after(time, latest))),
        }
    }

    fn read_data(
        &self,
        kind: &str,
        data: Option<&Value>,
        fields: &Dictionary,
    ) -> Result<BTreeMap<String, Cell>, Finding> {
        let none = serde_json::Map::new();
        let given = match data {
            None | Some(Value::Null) => &none,
            Some(Value::Object(given)) => given,
            Some(_) => {
                let message = format!("data of {kind} is no JSON object");
                return Err(Finding::error("event-data", message, "Write {\"field\": value}"));
            }
        };
        let known = || self.requires.iter().chain(&self.allows).map(String::as_str);
        if let Some(missing) = self.requires.iter().find(|name| given.get(*name).is_none_or(Value::is_null)) {
            let message = format!("{kind} needs {missing:?} in its data");
            return Err(Finding::error("event-data", message, "See events.toml for what each type brings"));
        }
        let mut read = BTreeMap::new();
        for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
            if !known().any(|known| known == name) {
                let hint = format!("Leave it out: nothing more than needed is kept{}", nearest_hint(name, known()));
                return Err(Finding::error("event-data", format!("{kind} brings no {name:?}"), hint));
            }
            let field = fields.fields.get(&format!("{EVENT_PREFIX}{name}"));
            let cell = field.and_then(|field| cell(field, value)).ok_or_else(|| {
                let ty = field.map_or("known", |f| f.ty.name());
                let message = format!("{name:?} of {kind} holds no {ty} within its bounds");
                Finding::error("event-data", message, "See fields.toml for its type, values and bounds")
            })?;
            read.insert(name.clone(), cell);
        }
        Ok(read)
    }
}

impl StayRule {
    fn after(&self, time: i64, latest: Option<Stay>) -> Stay {
        let settles = i64::from(self.settles_minutes) * 60_000;
        let goes_on = |stay: &Stay| {
            let since = time.saturating_sub(stay.last);
            if stay.open { since < FORGOTTEN_MS } else { since < settles }
        };
        match (self.step, latest) {
            (Step::Begins, Some(stay)) if goes_on(&stay) => Stay { last: time, open: true, ..stay },
            (Step::Begins, _) => Stay { began: time, last: time, open: true },
            (Step::Ends, Some(stay)) => Stay { last: time, open: false, ..stay },
            (Step::Ends, None) => Stay { began: time, last: time, open: false },
        }
    }
}

/// A value in the type of its field; `None` when it does not fit.
fn cell(field: &FieldDef, value: &Value) -> Option<Cell> {
    let bounded = |number: f64| {
        field.minimum.is_none_or(|least| least <= number) && field.maximum.is_none_or(|most| number <= most)
    };
    match field.ty {
        FieldType::Fen | FieldType::Count => value.as_i64().filter(|v| bounded(*v as f64)).map(Cell::Integer),
        FieldType::Small => {
            let fits = |v: &i64| i32::try_from(*v).is_ok() && bounded(*v as f64);
            value.as_i64().filter(fits).map(Cell::Integer)
        }
        FieldType::Instant => time::parse_instant(value.as_str()?).map(Cell::Integer),
        FieldType::Date => time::parse_date(value.as_str()?).map(|day| Cell::Integer(day.into())),
        FieldType::Ratio => value.as_f64().filter(|v| v.is_finite() && bounded(*v)).map(Cell::Ratio),
        FieldType::Boolean => value.as_bool().map(Cell::Boolean),
        FieldType::Category | FieldType::Text => {
            let text = value.as_str().filter(|t| !t.is_empty() && t.len() <= MAX_TEXT)?;
            let known = field.values.is_empty() || field.values.iter().any(|v| v == text);
            known.then(|| Cell::Text(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_785_200_000_000;

    fn dictionaries() -> (EventDictionary, Dictionary) {
        let read = |name: &str| {
            let path = format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).expect("an example")
        };
        (toml::from_str(&read("events.toml")).expect("events"), toml::from_str(&read("fields.toml")).expect("fields"))
    }

    fn outcomes() -> Outcomes {
        let path = format!("{}/../../examples/outcomes.toml", env!("CARGO_MANIFEST_DIR"));
        toml::from_str(&std::fs::read_to_string(path).expect("an example")).expect("outcomes")
    }

    #[test]
    fn an_event_is_an_outcome_that_is_known_with_a_figure_that_it_brings() {
        let (sound, fields) = dictionaries();
        let told = |change: fn(&mut EventType)| {
            let mut events = sound.clone();
            change(events.types.get_mut("topped-up").expect("a type"));
            events.check(&fields, &outcomes()).into_iter().map(|f| f.message).collect::<String>()
        };
        assert_eq!(told(|_| ()), "");
        assert!(told(|t| t.outcome = Some("toped-up".into())).contains("topped-up"));
        assert!(told(|t| t.figure = Some("points".into())).contains("does not bring"));
        assert!(told(|t| t.outcome = Some("churned".into())).contains("has no figure"));
        assert!(told(|t| t.outcome = None).contains("is no outcome"));
        assert!(told(|t| (t.outcome, t.figure) = (Some("paid".into()), None)).contains("tells no figure"));
    }

    fn roaming() -> Value {
        let time = time::write_instant(NOW - 60_000);
        json!({"specversion": "1.0", "source": "signalling", "id": "1", "type": "roaming-entered", "subject": "FJ1",
               "time": time, "data": {"visited-adcode": "110000"}})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut event = roaming();
        event[name] = value;
        event
    }

    #[test]
    fn the_dictionary_of_the_examples_is_sound_and_reads_what_it_describes() {
        let (events, fields) = dictionaries();
        assert_eq!(events.check(&fields, &outcomes()), []);
        let report = events.read(&roaming(), &fields, NOW).expect("an event");
        assert_eq!((report.kind.as_str(), report.time), ("roaming-entered", NOW - 60_000));
        assert_eq!(report.data["visited-adcode"], Cell::Text("110000".into()));
    }

    #[test]
    fn every_bad_event_is_told_what_is_wrong_with_it() {
        let (events, fields) = dictionaries();
        let day = |days: i64| json!(time::write_instant(NOW + days * time::DAY_MS));
        for (event, code) in [
            (with("type", json!("roaming-entred")), "unknown-event-type"),
            (with("subject", Value::Null), "no-customer"),
            (with("id", json!("")), "event-attribute"),
            (with("source", json!("s".repeat(300))), "event-attribute"),
            (with("id", json!("1\u{0}2")), "event-attribute"),
            (with("specversion", json!("0.3")), "event-version"),
            (with("time", json!("yesterday")), "event-time"),
            (with("time", day(1)), "event-from-the-future"),
            (with("time", day(-31)), "event-too-old"),
            (with("time", json!("0001-01-01T00:00:00Z")), "event-too-old"),
            (with("data", json!([1])), "event-data"),
            (with("data", json!({})), "event-data"),
            (with("data", json!({"visited-adcode": 110_000})), "event-data"),
            (with("data", json!({"visited-adcode": "110000", "name": "Lin"})), "event-data"),
            (json!(7), "event-attribute"),
        ] {
            let found = events.read(&event, &fields, NOW).expect_err("refused");
            assert_eq!(found.code, code, "{event}");
            assert!(!found.hint.is_empty());
        }
        assert!(
            events
                .read(&with("type", json!("roaming-entred")), &fields, NOW)
                .is_err_and(|f| f.hint.contains("roaming-entered"))
        );
    }

    #[test]
    fn a_flapping_roamer_has_one_stay_and_an_event_out_of_order_is_overtaken() {
        let (events, _) = dictionaries();
        let (entered, left) = (&events.types["roaming-entered"], &events.types["roaming-left"]);
        let minute = |m: i64| NOW + m * 60_000;
        let (standing, stay) = entered.standing(minute(0), minute(0), None);
        assert_eq!((standing, stay), (Standing::Offered, Some(Stay { began: NOW, last: NOW, open: true })));
        let mut latest = stay;
        for m in 1..50 {
            let (event, began) = if m % 2 == 1 { (left, NOW) } else { (entered, NOW) };
            let (standing, stay) = event.standing(minute(m), minute(m), latest);
            assert_eq!((standing, stay.map(|s| s.began)), (Standing::Offered, Some(began)), "minute {m}");
            latest = stay;
        }
        assert_eq!(entered.standing(minute(20), minute(50), latest), (Standing::Overtaken, latest));
        // Home for longer than it takes to settle: another stay.
        let later = minute(49 + 24 * 60);
        let (_, another) = entered.standing(later, later, latest);
        assert_eq!(another.map(|s| s.began), Some(later));
    }

    #[test]
    fn a_late_event_is_recorded_and_not_offered() {
        let (events, _) = dictionaries();
        let (standing, _) = events.types["roaming-entered"].standing(NOW - time::DAY_MS, NOW, None);
        assert_eq!(standing, Standing::Late);
        assert_eq!(events.types["topped-up"].standing(NOW, NOW, None), (Standing::Offered, None));
    }

    #[test]
    fn source_and_id_do_not_run_into_each_other() {
        assert_ne!(EventId::of("a", "bc"), EventId::of("ab", "c"));
        assert_eq!(EventId::of("a", "b"), EventId::of("a", "b"));
    }
}
