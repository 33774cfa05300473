//! Outcomes: what customers did. One entry point for files, the API, receipts, replies and calls (`record_outcomes`);
//! recorded once, with what follows: wishes, and the end of waiting contacts.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::contact::ContactId;
use care_domain::key::CustomerKey;
use care_domain::outcome::{Met, answered};
use care_domain::person::{Act, Actor};
use care_domain::policy::{Class, ConsentRule, Policy};
use care_domain::text::{is_kebab, nearest_hint};
use care_domain::time;
use care_population::rows;
use care_store::{Cancel, Fate, NewOutcome, Wish};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An import of outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
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
    /// Line of the file, from 1; of a list of reports, what the reporter numbered it by.
    pub line: u64,
    /// Stable, for programs.
    pub code: &'static str,
    /// Why.
    pub reason: String,
}

impl RejectedLine {
    pub(crate) fn new(line: u64, code: &'static str, reason: impl Into<String>) -> Self {
        Self { line, code, reason: reason.into() }
    }
}

/// How an outcome was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeSource {
    /// A file of another system.
    File,
    /// Another system through the API.
    Api,
    /// A gateway's delivery receipt.
    Receipt,
    /// A customer's reply.
    Reply,
    /// An agent who called, or a department that did what it was asked.
    Call,
}

impl OutcomeSource {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::File, Self::Api, Self::Receipt, Self::Reply, Self::Call];

    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
            Self::Receipt => "receipt",
            Self::Reply => "reply",
            Self::Call => "call",
        }
    }
}

/// Who an outcome is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A customer, by the operator's id or by key.
    Customer(String),
    /// Whoever this contact was about.
    Contact(ContactId),
}

/// An outcome as somebody tells it, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeReport {
    /// What a rejection names: the line of a file, or a number of the reporter's own.
    pub line: u64,
    /// Whom it is about.
    pub about: About,
    /// The kind, as `outcomes.toml` has it.
    pub kind: String,
    /// When it happened, Unix milliseconds.
    pub at: i64,
    /// The figure, as told.
    pub value: Option<String>,
    /// The unit in which it is told; the kind's own when absent.
    pub unit: Option<String>,
    /// The activity that it answers, when known.
    pub activity: Option<String>,
    /// The contact that it answers, when known; not needed where `about` is one.
    pub contact: Option<ContactId>,
    /// The reporter's id of it: a repeat adds nothing. Without one, customer, kind, instant and activity tell.
    pub id: Option<String>,
}

const COLUMNS: [&str; 8] = ["customer", "kind", "at", "value", "unit", "activity", "contact", "id"];
/// Outcomes recorded in one transaction.
const BATCH: usize = 5_000;

impl Engine {
    /// Imports outcomes from CSV: `customer,kind,at[,value][,unit][,activity][,contact][,id]`. `at` is an instant
    /// (RFC 3339), or a date and time in the province's zone. The same line again adds nothing. `now` is the wall clock.
    pub async fn import_outcomes(&self, csv: &str, by: &str, now: i64) -> Result<OutcomeImport, EngineError> {
        self.import_outcomes_from(csv, OutcomeSource::File, by, now).await
    }

    /// The same, of what came by another way than a file of another system: receipts, replies, calls.
    pub async fn import_outcomes_from(
        &self,
        csv: &str,
        source: OutcomeSource,
        by: &str,
        now: i64,
    ) -> Result<OutcomeImport, EngineError> {
        let mut lines = rows::of_text(csv);
        let header = Header::read(lines.next().map(|(_, cells)| cells).unwrap_or_default())?;
        let mut recorder = self.recorder(source, by, now).await?;
        for (line, cells) in lines {
            match header.report(line, &cells) {
                Ok(report) => recorder.take(self, report).await?,
                Err(reason) => recorder.done.rejected.push(RejectedLine::new(line, "unreadable", reason)),
            }
        }
        recorder.finish(self).await
    }

    /// Records outcomes, whoever tells them: the one way in. What cannot be is left out with its reason, what is known
    /// adds nothing, and what contradicts what is known is left out: the first stands. `now` is the wall clock.
    pub async fn record_outcomes(
        &self,
        reports: Vec<OutcomeReport>,
        source: OutcomeSource,
        by: &str,
        now: i64,
    ) -> Result<OutcomeImport, EngineError> {
        let mut recorder = self.recorder(source, by, now).await?;
        for report in reports {
            recorder.take(self, report).await?;
        }
        recorder.finish(self).await
    }

    /// Begins to record.
    pub(crate) async fn recorder(&self, source: OutcomeSource, by: &str, now: i64) -> Result<Recorder, EngineError> {
        let actor = self.authorise(by, Act::RecordOutcomes, None, now).await?;
        self.recorder_of(source, actor).await
    }

    /// Records what gateways and desks tell of customers, in the name of somebody whose act (dispatch, work) that is.
    pub(crate) async fn record_told(
        &self,
        reports: Vec<OutcomeReport>,
        source: OutcomeSource,
        actor: &Actor,
        now: i64,
    ) -> Result<OutcomeImport, EngineError> {
        if reports.is_empty() {
            return Ok(OutcomeImport::default());
        }
        let mut recorder = self.recorder_of(source, Actor { at: now, ..actor.clone() }).await?;
        for report in reports {
            recorder.take(self, report).await?;
        }
        recorder.finish(self).await
    }

    async fn recorder_of(&self, source: OutcomeSource, actor: Actor) -> Result<Recorder, EngineError> {
        let checks = self.outcome_checks().await?;
        Ok(Recorder { source, actor, checks, batch: Vec::new(), brakes: false, done: OutcomeImport::default() })
    }

    /// What outcomes are checked by, and what they end, as of now.
    pub(crate) async fn outcome_checks(&self) -> Result<OutcomeChecks, EngineError> {
        let mut kinds = BTreeSet::new();
        let mut activities: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut names = BTreeSet::new();
        for found in self.store.submissions().await? {
            let manifest = found.version.manifest;
            kinds.insert(manifest.goal.outcome);
            for kind in manifest.cancel_on {
                kinds.insert(kind.clone());
                activities.entry(kind).or_default().insert(manifest.name.clone());
            }
            names.insert(manifest.name);
        }
        kinds.extend(self.store.imported_campaigns().await?.into_iter().map(|(c, _)| c.goal.outcome));
        let (_, policy) = self.policy_in_force().await?;
        Ok(OutcomeChecks { kinds, names, ends: Endings { activities, policy } })
    }

    /// Checks reports one by one, in their order; nothing is recorded yet.
    pub(crate) async fn check_outcomes(
        &self,
        checks: &OutcomeChecks,
        source: OutcomeSource,
        reports: &[OutcomeReport],
    ) -> Result<Vec<Result<NewOutcome, RejectedLine>>, EngineError> {
        let people = People::of(self, checks, reports).await?;
        Ok(reports.iter().map(|report| checks.checked(self, source, report, &people)).collect())
    }
}

/// What outcomes are checked by.
pub(crate) struct OutcomeChecks {
    /// Kinds that activities count or wait for.
    kinds: BTreeSet<String>,
    /// Names of activities.
    names: BTreeSet<String>,
    pub(crate) ends: Endings,
}

/// Takes outcomes and records them in batches.
pub(crate) struct Recorder {
    source: OutcomeSource,
    actor: Actor,
    checks: OutcomeChecks,
    batch: Vec<OutcomeReport>,
    /// Whether something came in that counts against versions.
    brakes: bool,
    pub(crate) done: OutcomeImport,
}

impl Recorder {
    pub(crate) async fn take(&mut self, engine: &Engine, report: OutcomeReport) -> Result<(), EngineError> {
        self.batch.push(report);
        if self.batch.len() >= BATCH { self.record(engine).await } else { Ok(()) }
    }

    /// Records what is left, and lets the brake act on what came in.
    pub(crate) async fn finish(mut self, engine: &Engine) -> Result<OutcomeImport, EngineError> {
        self.record(engine).await?;
        if self.brakes {
            engine.apply_brake(self.actor.at).await?;
        }
        self.done.rejected.sort_by_key(|rejected| rejected.line);
        Ok(self.done)
    }

    async fn record(&mut self, engine: &Engine) -> Result<(), EngineError> {
        let batch = std::mem::take(&mut self.batch);
        let checked = engine.check_outcomes(&self.checks, self.source, &batch).await?;
        let (mut lines, mut outcomes) = (Vec::new(), Vec::new());
        let braking = engine.outcomes.braking();
        for (report, checked) in batch.iter().zip(checked) {
            match checked {
                Ok(outcome) => {
                    self.brakes |= braking.contains(&outcome.kind.as_str());
                    lines.push(report.line);
                    outcomes.push(outcome);
                }
                Err(rejected) => self.done.rejected.push(rejected),
            }
        }
        let entry = Entry::of(&self.actor, "outcomes-recorded", "outcomes", serde_json::json!({}));
        let recorded = engine.store.record_outcomes(&outcomes, self.actor.at, entry).await?;
        self.done.cancelled += recorded.cancelled;
        for (line, fate) in lines.into_iter().zip(recorded.fates) {
            match fate {
                Fate::Added => self.done.added += 1,
                Fate::Repeated => self.done.repeated += 1,
                Fate::Conflict => {
                    let reason = "the same outcome was told before with another figure; the first stands";
                    self.done.rejected.push(RejectedLine::new(line, "told-otherwise", reason));
                }
            }
        }
        Ok(())
    }
}

impl OutcomeChecks {
    /// Whether a report may be the answer to a contact, for which the customer's contacts must be known.
    fn may_answer(&self, engine: &Engine, report: &OutcomeReport) -> bool {
        let kind = engine.outcomes.find(&report.kind, |name| self.kinds.contains(name));
        report.contact.is_some() || report.activity.is_some() || kind.is_ok_and(|kind| kind.answers)
    }

    fn checked(
        &self,
        engine: &Engine,
        source: OutcomeSource,
        report: &OutcomeReport,
        people: &People,
    ) -> Result<NewOutcome, RejectedLine> {
        let reject = |code, reason: String| RejectedLine::new(report.line, code, reason);
        let wrong = |w: care_domain::outcome::Wrong| reject(w.code(), w.to_string());
        let name = report.kind.as_str();
        if !is_kebab(name) {
            return Err(reject("unreadable", "kind is no kebab-case name, such as topped-up".into()));
        }
        let kind = engine.outcomes.find(name, |name| self.kinds.contains(name)).map_err(wrong)?;
        let value = kind.figure(name, report.value.as_deref(), report.unit.as_deref()).map_err(wrong)?;
        if let Some(activity) = report.activity.as_deref().filter(|a| !self.names.contains(*a)) {
            let near = nearest_hint(activity, self.names.iter().map(String::as_str));
            return Err(reject("unknown-activity", format!("there is no activity {activity:?}{near}")));
        }
        let (key, named, activity) = match &report.about {
            About::Customer(id) => (engine.key_of(id), report.contact, report.activity.clone()),
            About::Contact(contact) => {
                let found = people.contacts.get(contact);
                let (key, activity) =
                    found.ok_or_else(|| reject("unknown-contact", "there is no such contact".into()))?;
                (*key, Some(*contact), report.activity.clone().or_else(|| Some(activity.clone())))
            }
        };
        if !people.known.contains(&key) {
            return Err(reject("unknown-customer", "no population ever held this customer".into()));
        }
        let met = people.met.get(&key).map_or(&[][..], Vec::as_slice);
        let contact = answered(&kind, named, activity.as_deref(), report.at, met).map_err(wrong)?;
        // What names a contact answers its activity.
        let of_contact = || met.iter().find(|m| named.is_some() && m.contact == named).map(|m| m.activity.clone());
        let activity = activity.or_else(of_contact);
        let id = report.id.clone().unwrap_or_else(|| {
            canonical::digest(format!("{key} {name} {} {value:?} {activity:?}", report.at).as_bytes())
        });
        let wish = wish_of(name, activity.as_deref());
        let cancels = self.ends.of(name, wish.as_ref());
        let (source, named) = (source.name(), report.id.is_some());
        let (kind, at) = (report.kind.clone(), report.at);
        Ok(NewOutcome { id, customer: key, kind, value, at, activity, contact, source, named, wish, cancels })
    }
}

/// What is known of the customers of a batch.
struct People {
    known: HashSet<CustomerKey>,
    contacts: HashMap<ContactId, (CustomerKey, String)>,
    met: HashMap<CustomerKey, Vec<Met>>,
}

impl People {
    async fn of(engine: &Engine, checks: &OutcomeChecks, batch: &[OutcomeReport]) -> Result<Self, EngineError> {
        let (mut keys, mut ids, mut answering) = (Vec::new(), Vec::new(), BTreeSet::new());
        for report in batch {
            match &report.about {
                About::Customer(id) => {
                    let key = engine.key_of(id);
                    keys.push(key);
                    if checks.may_answer(engine, report) {
                        answering.insert(key);
                    }
                }
                About::Contact(contact) => ids.push(*contact),
            }
        }
        let contacts = engine.store.customers_of(&ids).await?;
        let named = contacts.values().map(|(key, _)| *key);
        answering.extend(named.clone());
        keys.extend(named);
        keys.sort_unstable();
        keys.dedup();
        let known = engine.store.known_customers(&keys).await?;
        let answering: Vec<CustomerKey> = answering.into_iter().collect();
        let met = if answering.is_empty() { HashMap::new() } else { engine.store.met(&answering).await? };
        Ok(Self { known, contacts, met })
    }
}

/// What outcomes end: by kind the activities that name it in `cancel-on`, by wish the classes that respect it.
pub(crate) struct Endings {
    /// By kind the activities whose waiting contacts it makes pointless.
    pub(crate) activities: BTreeMap<String, BTreeSet<String>>,
    policy: Policy,
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

/// Where the columns stand.
struct Header {
    width: usize,
    at: BTreeMap<String, usize>,
}

impl Header {
    fn read(names: Vec<String>) -> Result<Self, EngineError> {
        let hint = format!("The header may name {}; kind, at, and customer or contact are needed", COLUMNS.join(", "));
        if names.iter().all(String::is_empty) {
            return Err(EngineError::refused("empty", "the file does not begin with a header line", hint));
        }
        if let Some(unknown) = names.iter().find(|n| !COLUMNS.contains(&n.as_str())) {
            let message = format!("column {unknown:?} is unknown{}", nearest_hint(unknown, COLUMNS));
            return Err(EngineError::refused("unknown-column", message, hint));
        }
        let at: BTreeMap<String, usize> = names.iter().cloned().zip(0..).collect();
        let about = if at.contains_key("contact") { "contact" } else { "customer" };
        if let Some(missing) = [about, "kind", "at"].into_iter().find(|c| !at.contains_key(*c)) {
            return Err(EngineError::refused("missing-column", format!("column {missing:?} is missing"), hint));
        }
        Ok(Self { width: names.len(), at })
    }

    fn report(&self, line: u64, cells: &[String]) -> Result<OutcomeReport, String> {
        if cells.len() != self.width {
            return Err(format!("{} cells, the header has {}", cells.len(), self.width));
        }
        let cell = |name: &str| self.at.get(name).and_then(|i| cells.get(*i)).filter(|c| !c.is_empty()).cloned();
        let contact = cell("contact").map(|id| contact_id(&id).ok_or("contact is no contact id")).transpose()?;
        let about = match (cell("customer"), contact) {
            (Some(customer), _) => About::Customer(customer),
            (None, Some(contact)) => About::Contact(contact),
            (None, None) => return Err("no customer and no contact".into()),
        };
        let at = cell("at").and_then(|at| time::parse_instant(&at));
        Ok(OutcomeReport {
            line,
            about,
            kind: cell("kind").unwrap_or_default(),
            at: at.ok_or("at is no instant, such as 2026-07-30T10:00:00+08:00")?,
            value: cell("value"),
            unit: cell("unit"),
            activity: cell("activity"),
            contact,
            id: cell("id"),
        })
    }
}

/// A contact id as written: 32 hexadecimal digits.
fn contact_id(text: &str) -> Option<ContactId> {
    let mut id = [0u8; 16];
    hex::decode_to_slice(text, &mut id).ok().map(|()| ContactId(id))
}
