//! Events: checked one by one, then decided and committed in batches, so that what is acknowledged is kept. A batch
//! logs its composition, its instant and its mark, and can be decided again from them.

use crate::live::{Left, LiveWorld};
use crate::plan::{EventInput, EventOutcome, decide_events};
use crate::{About, Engine, EngineError, OutcomeReport, OutcomeSource};
use care_domain::event::{Cell, Complaint, Event, EventId, Report, Standing};
use care_domain::key::CustomerKey;
use care_domain::person::{Act, Actor};
use care_domain::plan::Limits;
use care_domain::text::Finding;
use care_domain::verdict::Decision;
use care_population::BucketData;
use care_store::{EventBatch, EventCommit, NewOutcome, Recent, Wish};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What begins the number of a customer in an event's subject.
const NUMBER: &str = "tel:";

/// What became of a request's events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EventAnswer {
    /// New ones: committed.
    pub accepted: u64,
    /// Known before: nothing more follows from them.
    pub repeated: u64,
    /// Bad ones, each with what is wrong; the others were taken.
    pub refused: Vec<RefusedEvent>,
    /// Contacts that they caused; unknown where they were decided together with other requests'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<u64>,
    /// Waiting contacts that they ended; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<u64>,
    /// The batches in which they are logged.
    pub batches: Vec<i64>,
}

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedEvent {
    /// Its place in the request, from 0.
    pub index: usize,
    /// What is wrong and what to do.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A replayed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventReplay {
    /// Its number.
    pub batch: i64,
    /// Its events.
    pub events: u64,
    /// Decisions about them.
    pub decisions: u64,
    /// Whether the decisions are the very same bytes.
    pub same: bool,
}

/// A batch of events as it is logged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventBatchShown {
    /// Its number.
    pub number: i64,
    /// When it was decided, Unix milliseconds.
    pub instant: i64,
    /// Who sent its events.
    pub person: String,
    /// Its events in the order in which they happened.
    pub events: Vec<Event>,
    /// What was decided about them.
    pub decisions: Vec<Decision>,
}

/// An event about a customer, not yet ordered among others.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    pub(crate) id: EventId,
    pub(crate) report: Report,
    pub(crate) customer: CustomerKey,
}

impl Keyed {
    /// By what it is known again.
    fn name(&self) -> (String, String) {
        (self.report.source.clone(), self.report.id.clone())
    }
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In a batch.
    Taken(i64),
    /// Known before.
    Repeated,
    /// The snapshot does not hold its customer.
    Unknown,
}

/// What became of some events, in their order.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) fates: Vec<Fate>,
    pub(crate) contacts: u64,
    pub(crate) cancelled: u64,
}

impl Engine {
    /// Takes events in the JSON format of CloudEvents: one object, or an array of them. The good ones of an array are
    /// taken, the bad ones answered one by one. `at` is the wall clock.
    pub async fn send_events(&self, body: &Value, by: &str, at: i64) -> Result<EventAnswer, EngineError> {
        let actor = self.authorise(by, Act::SendEvents, None, at).await?;
        let (keyed, refused) = self.read_events(body, at).await?;
        let events: Vec<Keyed> = keyed.iter().map(|(_, keyed)| keyed.clone()).collect();
        let taken = self.take_events(&actor, &events, &mut None).await?;
        Ok(answer(&keyed, refused, &taken.fates, Some(&taken)))
    }

    /// Checks events and looks their customers' keys up; each good one with its place in the request.
    pub(crate) async fn read_events(
        &self,
        body: &Value,
        at: i64,
    ) -> Result<(Vec<(usize, Keyed)>, Vec<RefusedEvent>), EngineError> {
        let items = match body {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let (mut reports, mut refused) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match self.events.types.read(item, &self.dictionary, at) {
                Ok(report) => reports.push((index, report)),
                Err(finding) => refused.push(RefusedEvent { index, finding }),
            }
        }
        let numbers: Vec<String> =
            reports.iter().filter_map(|(_, r)| Some(r.subject.strip_prefix(NUMBER)?.trim().to_owned())).collect();
        let numbered =
            if numbers.is_empty() { HashMap::new() } else { self.store.customers_by_number(&numbers).await? };
        let mut keyed = Vec::with_capacity(reports.len());
        for (index, report) in reports {
            let customer = match report.subject.strip_prefix(NUMBER) {
                Some(number) => numbered.get(number.trim()).copied(),
                None => Some(self.key_of(&report.subject)),
            };
            match customer {
                Some(customer) => {
                    keyed.push((index, Keyed { id: EventId::of(&report.source, &report.id), report, customer }));
                }
                None => refused.push(RefusedEvent { index, finding: unknown_customer() }),
            }
        }
        Ok((keyed, refused))
    }

    /// What becomes of each event as far as is known before deciding (`Taken(0)` when it is new), and the new ones in the
    /// order in which they happened.
    pub(crate) async fn sort_out<'a>(
        &self,
        live: &LiveWorld,
        events: &'a [Keyed],
    ) -> Result<(Vec<Fate>, Vec<Placed<'a>>), EngineError> {
        let names: Vec<_> = events.iter().map(|e| (e.report.source.as_str(), e.report.id.as_str())).collect();
        let known = self.store.known_events(&names).await?;
        let (mut fates, mut new) = (Vec::with_capacity(events.len()), Vec::new());
        let mut seen = HashSet::new();
        for (index, event) in events.iter().enumerate() {
            if known.contains(&index) || seen.contains(&event.id) {
                fates.push(Fate::Repeated);
            } else if let Some(place) = live.find(event.customer)? {
                seen.insert(event.id);
                new.push(Placed { keyed: event, place });
                fates.push(Fate::Taken(0));
            } else {
                fates.push(Fate::Unknown);
            }
        }
        new.sort_by_key(|placed| (placed.keyed.report.time, placed.keyed.id));
        Ok((fates, new))
    }

    /// Decides a batch as of now.
    pub(crate) async fn decide_batch(
        &self,
        live: &Arc<LiveWorld>,
        actor: &Actor,
        new: &[Placed<'_>],
        left: Left,
    ) -> Result<(EventCommit, Limits), EngineError> {
        let (events, stays) = self.with_stays(live, new, actor.at).await?;
        let places = new.iter().map(|placed| placed.place.clone()).collect();
        let mark = self.store.mark().await?;
        let kept = serde_json::to_vec(&events).map_err(EngineError::internal)?;
        let outcomes = self.event_outcomes(live, &events, left.batch + 1).await?;
        let outcome = self.events_decided(live, events, places, (mark, actor.at, left.limits.clone())).await?;
        let mut candidates = outcome.candidates;
        candidates.sort_unstable();
        candidates.dedup();
        let commit = EventCommit {
            instant: actor.at,
            mark,
            after: left.batch,
            limits: left.limits,
            releases: left.releases,
            world: live.id.clone(),
            person: actor.person.clone(),
            events: kept,
            names: new.iter().map(|placed| placed.keyed.name()).collect(),
            decisions: log_of(&outcome.bucket.decisions)?,
            candidates,
            contacts: outcome.bucket.contacts,
            controls: outcome.bucket.controls,
            displaced: outcome.displaced,
            cancels: outcome.cancels,
            outcomes,
            stays,
        };
        Ok((commit, outcome.left))
    }

    /// The events as they are logged, and the stays that they leave.
    async fn with_stays(
        &self,
        live: &LiveWorld,
        new: &[Placed<'_>],
        now: i64,
    ) -> Result<(Vec<Event>, Vec<Stayed>), EngineError> {
        let kind = |placed: &Placed<'_>| live.types.types.get(&placed.keyed.report.kind);
        let staying: BTreeSet<CustomerKey> =
            new.iter().filter(|p| kind(p).is_some_and(|k| k.stay.is_some())).map(|p| p.keyed.customer).collect();
        let staying: Vec<CustomerKey> = staying.into_iter().collect();
        let mut stays = if staying.is_empty() { HashMap::new() } else { self.store.stays(&staying).await? };
        let mut changed = BTreeMap::new();
        let mut events = Vec::with_capacity(new.len());
        for placed in new {
            let Keyed { report, customer, .. } = placed.keyed;
            let kind = kind(placed).ok_or_else(|| EngineError::internal("an event of a type that was dropped"))?;
            let family = kind.stay.as_ref().map(|rule| (*customer, rule.family.clone()));
            let latest = family.as_ref().and_then(|family| stays.get(family).copied());
            let (standing, stay) = kind.standing(report.time, now, latest);
            if let (Some(family), Some(stay), true) = (family, stay, standing != Standing::Overtaken) {
                stays.insert(family.clone(), stay);
                changed.insert(family, stay);
            }
            events.push(Event {
                source: report.source.clone(),
                id: report.id.clone(),
                kind: report.kind.clone(),
                customer: *customer,
                time: report.time,
                data: report.data.clone(),
                stay: stay.map(|stay| stay.began),
                standing,
            });
        }
        Ok((events, changed.into_iter().map(|((customer, family), stay)| (customer, family, stay)).collect()))
    }

    /// Events that are outcomes too, checked as outcomes of every other way are, with what follows from a complaint. They
    /// are called by the batch that they will be in and their line there: a repeated event never comes so far.
    async fn event_outcomes(
        &self,
        live: &LiveWorld,
        events: &[Event],
        batch: i64,
    ) -> Result<Vec<NewOutcome>, EngineError> {
        let (mut reports, mut wishes) = (Vec::new(), Vec::new());
        for (line, event) in (0..).zip(events) {
            let Some(kind) = live.types.types.get(&event.kind) else { continue };
            let Some(outcome) = &kind.outcome else { continue };
            let figure = kind.figure.as_ref().and_then(|field| event.data.get(field));
            reports.push(OutcomeReport {
                line,
                about: About::Customer(event.customer.to_string()),
                kind: outcome.clone(),
                at: event.time,
                value: figure.map(Cell::to_string),
                unit: None,
                activity: None,
                contact: None,
                id: Some(format!("event-{batch:010}-{line:04}")),
            });
            wishes.push(kind.complaint.map(|c| Wish::Complaint { open: c == Complaint::Opens }));
        }
        if reports.is_empty() {
            return Ok(Vec::new());
        }
        let checked = self.check_outcomes(&live.checks, OutcomeSource::Api, &reports).await?;
        let mut outcomes = Vec::with_capacity(checked.len());
        for (checked, wish) in checked.into_iter().zip(wishes) {
            match checked {
                Ok(mut outcome) => {
                    outcome.wish = outcome.wish.or(wish);
                    // What its type and kind make pointless is cancelled with the batch, all in one statement.
                    outcome.cancels = live.checks.ends.of_wish(outcome.wish.as_ref()).into_iter().collect();
                    outcomes.push(outcome);
                }
                // The event itself happened and is kept; only its figure cannot be.
                Err(bad) => tracing::warn!(code = bad.code, "an event was taken, what it says as an outcome left out"),
            }
        }
        Ok(outcomes)
    }

    /// Decides events from the past up to a mark.
    async fn events_decided(
        &self,
        live: &Arc<LiveWorld>,
        events: Vec<Event>,
        places: Vec<(Arc<BucketData>, usize)>,
        (mark, instant, limits): (i64, i64, Limits),
    ) -> Result<EventOutcome, EngineError> {
        let told: HashSet<&String> = live.world.due.iter().flat_map(|due| &due.manifest.triggers.events).collect();
        let concerned: BTreeSet<CustomerKey> = events
            .iter()
            .filter(|event| event.standing == Standing::Offered && told.contains(&event.kind))
            .map(|event| event.customer)
            .collect();
        let concerned: Vec<CustomerKey> = concerned.into_iter().collect();
        let recent = if concerned.is_empty() { Recent::default() } else { self.store.recent(&concerned, mark).await? };
        let (live, fields) = (Arc::clone(live), Arc::clone(&self.dictionary));
        let decided = tokio::task::spawn_blocking(move || {
            let input = EventInput {
                events: &events,
                places: &places,
                recent,
                lists: &live.lists,
                instant,
                types: &live.types,
                fields: &fields,
                endings: &live.endings,
                limits: &limits,
                told: Vec::new(),
            };
            decide_events(&live.world, input)
        });
        decided.await.map_err(EngineError::internal)?.map_err(|fault| EngineError::Machine {
            activity: fault.activity,
            attempts: 1,
            source: fault.source,
        })
    }

    /// A batch of events, the newest when no number is given.
    pub async fn event_batch(&self, number: Option<i64>) -> Result<EventBatchShown, EngineError> {
        let number = match number {
            Some(number) => number,
            None => self.store.last_event_batch().await?,
        };
        let batch = self.kept_batch(number).await?;
        let (events, decisions) = read_batch(&batch)?;
        let EventBatch { instant, person, .. } = batch;
        Ok(EventBatchShown { number, instant, person, events, decisions })
    }

    pub(crate) async fn kept_batch(&self, number: i64) -> Result<EventBatch, EngineError> {
        let unknown =
            || EngineError::refused("unknown-batch", format!("there is no event batch {number}"), "They count from 1");
        self.store.event_batch(number).await?.ok_or_else(unknown)
    }

    /// Decides a batch again from what it pinned and the ledger up to its mark, and compares byte for byte.
    pub async fn replay_events(&self, number: i64) -> Result<EventReplay, EngineError> {
        let batch = self.kept_batch(number).await?;
        let pins = self.pins_of(&batch.world).await?;
        let live = Arc::new(self.live_of_pins(&batch.world, &pins).await?);
        let events: Vec<Event> = serde_json::from_slice(&batch.events).map_err(EngineError::internal)?;
        let mut places = Vec::with_capacity(events.len());
        for event in &events {
            let place = live.find(event.customer)?;
            places.push(place.ok_or_else(|| EngineError::internal("an event about nobody in its snapshot"))?);
        }
        let count = events.len() as u64;
        let outcome = self.events_decided(&live, events, places, (batch.mark, batch.instant, batch.limits)).await?;
        let decisions = outcome.bucket.decisions;
        let same = log_of(&decisions)? == batch.decisions;
        Ok(EventReplay { batch: number, events: count, decisions: decisions.len() as u64, same })
    }
}

/// A new event with where its customer stands.
pub(crate) struct Placed<'a> {
    pub(crate) keyed: &'a Keyed,
    place: (Arc<BucketData>, usize),
}

/// A customer's stay of a family.
type Stayed = (CustomerKey, String, care_domain::event::Stay);

/// The events of a kept batch, and what was decided about them.
pub(crate) fn read_batch(batch: &EventBatch) -> Result<(Vec<Event>, Vec<Decision>), EngineError> {
    let decisions = match batch.decisions.as_slice() {
        [] => Vec::new(),
        log => serde_json::from_slice(log).map_err(EngineError::internal)?,
    };
    Ok((serde_json::from_slice(&batch.events).map_err(EngineError::internal)?, decisions))
}

/// A log of decisions as bytes; empty when there are none.
fn log_of(decisions: &[Decision]) -> Result<Vec<u8>, EngineError> {
    if decisions.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::to_vec(decisions).map_err(EngineError::internal)
}

/// The answer to a request from the fates of its good events.
pub(crate) fn answer(
    keyed: &[(usize, Keyed)],
    mut refused: Vec<RefusedEvent>,
    fates: &[Fate],
    alone: Option<&Taken>,
) -> EventAnswer {
    let (contacts, cancelled) = (alone.map(|t| t.contacts), alone.map(|t| t.cancelled));
    let mut answer = EventAnswer { contacts, cancelled, ..EventAnswer::default() };
    let mut batches = BTreeSet::new();
    for ((index, _), fate) in keyed.iter().zip(fates) {
        match fate {
            Fate::Taken(batch) => {
                answer.accepted += 1;
                batches.insert(*batch);
            }
            Fate::Repeated => answer.repeated += 1,
            Fate::Unknown => refused.push(RefusedEvent { index: *index, finding: unknown_customer() }),
        }
    }
    refused.sort_by_key(|one| one.index);
    EventAnswer { refused, batches: batches.into_iter().collect(), ..answer }
}

fn unknown_customer() -> Finding {
    let hint = "Check the id or number; a new customer is known from the next snapshot on";
    Finding::error("unknown-customer", "the population does not hold the event's customer", hint)
}
