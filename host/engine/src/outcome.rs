//! Outcomes: what customers did. Recorded once, with what follows: wishes, and the end of waiting contacts.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::person::Act;
use care_domain::policy::{Class, ConsentRule, Policy};
use care_domain::text::{is_kebab, nearest_hint};
use care_domain::time;
use care_store::{Cancel, NewOutcome, Recorded, Wish};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// An import of outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutcomeImport {
    /// New ones.
    pub added: u64,
    /// Known before.
    pub repeated: u64,
    /// Waiting contacts that they made pointless.
    pub cancelled: u64,
    /// Lines left out, with the reason.
    pub rejected: Vec<RejectedLine>,
}

/// A line that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedLine {
    /// Line of the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

const COLUMNS: [&str; 6] = ["customer", "kind", "at", "value", "activity", "id"];
/// Outcomes recorded in one transaction.
const BATCH: usize = 5_000;

impl Engine {
    /// Imports outcomes from CSV: `customer,kind,at[,value][,activity][,id]`. `at` is an instant (RFC 3339), or a
    /// date and time in the province's zone. The same line again adds nothing. `now` is the wall clock.
    pub async fn import_outcomes(&self, csv: &str, by: &str, now: i64) -> Result<OutcomeImport, EngineError> {
        let actor = self.authorise(by, Act::RecordOutcomes, None, now).await?;
        let entry = Entry::of(&actor, "outcomes-recorded", "outcomes", serde_json::json!({}));
        let mut lines = csv.trim_start_matches('\u{feff}').lines();
        let header = Header::read(lines.next().unwrap_or_default())?;
        let ends = self.endings().await?;
        let mut done = OutcomeImport { added: 0, repeated: 0, cancelled: 0, rejected: Vec::new() };
        let mut batch = Vec::new();
        for (line, text) in (2..).zip(lines) {
            if text.trim().is_empty() {
                continue;
            }
            match self.outcome(&header, text, &ends) {
                Ok(outcome) => batch.push(outcome),
                Err(reason) => done.rejected.push(RejectedLine { line, reason }),
            }
            if batch.len() == BATCH {
                done.add(self.store.record_outcomes(&batch, now, entry.clone()).await?);
                batch.clear();
            }
        }
        done.add(self.store.record_outcomes(&batch, now, entry.clone()).await?);
        Ok(done)
    }

    /// What outcomes end: by kind the activities that name it in `cancel-on`, by wish the classes that respect it.
    pub(crate) async fn endings(&self) -> Result<Endings, EngineError> {
        let mut activities: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for found in self.store.submissions().await? {
            let manifest = found.version.manifest;
            for kind in manifest.cancel_on {
                activities.entry(kind).or_default().insert(manifest.name.clone());
            }
        }
        let (_, policy) = self.policy_in_force().await?;
        Ok(Endings { activities, policy })
    }

    fn outcome(&self, header: &Header, text: &str, ends: &Endings) -> Result<NewOutcome, String> {
        let cells: Vec<&str> = text.split(',').map(|c| c.trim().trim_matches('"')).collect();
        if cells.len() != header.width {
            return Err(format!("{} cells, the header has {}", cells.len(), header.width));
        }
        let cell = |name: &str| header.at.get(name).and_then(|i| cells.get(*i)).copied().filter(|c| !c.is_empty());
        let customer = cell("customer").ok_or("no customer")?;
        let kind = cell("kind").filter(|k| is_kebab(k)).ok_or("kind is no kebab-case name, such as topped-up")?;
        let at =
            cell("at").and_then(time::parse_instant).ok_or("at is no instant, such as 2026-07-30T10:00:00+08:00")?;
        let value = cell("value").map(|v| v.parse().map_err(|_| "value is no whole number")).transpose()?;
        let activity = cell("activity").map(str::to_owned);
        let key = self.key_of(customer);
        let id = match cell("id") {
            Some(id) => id.to_owned(),
            None => canonical::digest(format!("{key} {kind} {at} {value:?} {activity:?}").as_bytes()),
        };
        let wish = wish_of(kind, activity.as_deref());
        let cancels = ends.of(kind, wish.as_ref());
        Ok(NewOutcome { id, customer: key, kind: kind.to_owned(), value, at, activity, wish, cancels })
    }
}

/// What outcomes end.
pub(crate) struct Endings {
    /// By kind the activities whose waiting contacts it makes pointless.
    pub(crate) activities: BTreeMap<String, BTreeSet<String>>,
    pub(crate) policy: Policy,
}

impl Endings {
    fn of(&self, kind: &str, wish: Option<&Wish>) -> Vec<Cancel> {
        let pointless = self.activities.get(kind).into_iter().flatten();
        let ends: Vec<Cancel> = pointless
            .map(|activity| Cancel { activity: Some(activity.clone()), classes: Class::ALL.to_vec() })
            .collect();
        ends.into_iter().chain(self.of_wish(wish)).collect()
    }

    /// What a wish alone ends.
    pub(crate) fn of_wish(&self, wish: Option<&Wish>) -> Option<Cancel> {
        let (activity, classes) = match wish {
            None | Some(Wish::Commercial { yes: true } | Wish::Complaint { open: false }) => return None,
            Some(Wish::Complaint { open: true }) => (None, self.held_in_trouble()),
            Some(Wish::Commercial { yes: false }) => (None, self.classes(|rule| rule == ConsentRule::Needed)),
            Some(Wish::RefuseAll) => (None, self.classes(ConsentRule::respects_refusal_of_all)),
            Some(Wish::RefuseClass { class }) => (None, vec![*class]),
            Some(Wish::RefuseActivity { activity }) => {
                (Some(activity.clone()), self.classes(|rule| rule != ConsentRule::NotNeeded))
            }
            Some(Wish::Suppress { .. }) => {
                (None, Class::ALL.into_iter().filter(|class| *class != Class::Disaster).collect())
            }
        };
        Some(Cancel { activity, classes })
    }

    /// Classes that are held while a complaint is open.
    pub(crate) fn held_in_trouble(&self) -> Vec<Class> {
        Class::ALL.into_iter().filter(|class| self.policy.rules(*class).held_in_trouble).collect()
    }

    fn classes(&self, respects: impl Fn(ConsentRule) -> bool) -> Vec<Class> {
        Class::ALL.into_iter().filter(|class| respects(self.policy.rules(*class).consent)).collect()
    }
}

/// The wish that an outcome expresses (domain.md section 10).
fn wish_of(kind: &str, activity: Option<&str>) -> Option<Wish> {
    match (kind, activity) {
        ("refused", Some(activity)) => Some(Wish::RefuseActivity { activity: activity.to_owned() }),
        ("refused", None) => Some(Wish::RefuseAll),
        ("consented", _) => Some(Wish::Commercial { yes: true }),
        ("consent-withdrawn", _) => Some(Wish::Commercial { yes: false }),
        ("deceased" | "possibly-missing", _) => Some(Wish::Suppress { because: kind.to_owned() }),
        _ => None,
    }
}

impl OutcomeImport {
    fn add(&mut self, recorded: Recorded) {
        self.added += recorded.added;
        self.repeated += recorded.repeated;
        self.cancelled += recorded.cancelled;
    }
}

/// Where the columns stand.
struct Header {
    width: usize,
    at: BTreeMap<String, usize>,
}

impl Header {
    fn read(line: &str) -> Result<Self, EngineError> {
        let names: Vec<String> = line.split(',').map(|c| c.trim().trim_matches('"').to_owned()).collect();
        let hint = format!("The header may name {}; the first three are needed", COLUMNS.join(", "));
        if line.trim().is_empty() {
            return Err(EngineError::refused("empty", "the file does not begin with a header line", hint));
        }
        if let Some(unknown) = names.iter().find(|n| !COLUMNS.contains(&n.as_str())) {
            let message = format!("column {unknown:?} is unknown{}", nearest_hint(unknown, COLUMNS));
            return Err(EngineError::refused("unknown-column", message, hint));
        }
        let at: BTreeMap<String, usize> = names.iter().cloned().zip(0..).collect();
        if let Some(missing) = COLUMNS[..3].iter().find(|c| !at.contains_key(**c)) {
            return Err(EngineError::refused("missing-column", format!("column {missing:?} is missing"), hint));
        }
        Ok(Self { width: names.len(), at })
    }
}
