//! What answers at once stands on: the campaigns that events and touchpoints may start, with their plugins loaded and
//! the newest snapshot open. It is built again when anything that decides was changed, which the audit log tells.

use crate::event_turn::Ahead;
use crate::outcome::OutcomeChecks;
use crate::plan::{DueCampaign, Ground, Guests, Lists, World, fresh_enough};
use crate::{Engine, EngineError, PlanRequest};
use care_domain::canonical;
use care_domain::event::{EventDictionary, EventType};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::manifest::Triggers;
use care_domain::plan::{Limits, Pins};
use care_domain::time;
use care_population::{BucketData, Snapshot};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// What begins the id of such a world, so that it is never taken for a plan's.
pub(crate) const EVENTS: &str = "events-";
/// Pins under names that no reference table has.
const TYPES_PIN: &str = "events.types";
const ENDINGS_PIN: &str = "events.endings";

/// What an open engine keeps between events.
pub(crate) struct Live {
    pub(crate) types: EventDictionary,
    world: RwLock<Option<Arc<LiveWorld>>>,
    /// The last audit line that was looked at, and the last one that decides.
    seen: Mutex<(i64, i64)>,
    building: tokio::sync::Mutex<()>,
    /// Batches of events are decided one after the other,
    pub(crate) turn: Arc<tokio::sync::Mutex<Turn>>,
    /// and committed one after the other.
    pub(crate) committing: tokio::sync::Mutex<()>,
}

/// What one batch of events leaves to the next.
#[derive(Default)]
pub(crate) struct Turn {
    /// When each person's traffic was last noted in the audit log.
    pub(crate) noted: HashMap<String, i64>,
    /// What was left of capacity and budgets.
    pub(crate) left: Option<Left>,
    /// The last batch that was decided.
    pub(crate) ahead: Option<Arc<Ahead>>,
}

/// What is left of capacity and budgets, and as of when.
#[derive(Clone)]
pub(crate) struct Left {
    /// The world whose limits they are.
    pub(crate) world: String,
    /// The last batch of events by then.
    pub(crate) batch: i64,
    /// Plans released by then.
    pub(crate) releases: i64,
    pub(crate) limits: Limits,
}

/// The world of events and touchpoints on a date.
pub(crate) struct LiveWorld {
    /// The last change that decides, and the business date.
    stands_on: (i64, i32),
    /// Hash of its pins.
    pub(crate) id: String,
    pub(crate) world: World,
    pub(crate) types: EventDictionary,
    /// Types of events about which something is decided that depends on the customer's past.
    listening: BTreeSet<String>,
    /// By type of events the activities whose waiting contacts it makes pointless.
    pub(crate) endings: BTreeMap<String, BTreeSet<String>>,
    /// What outcomes are checked by.
    pub(crate) checks: OutcomeChecks,
    pub(crate) lists: Lists,
    places: Places,
    /// Indices of the campaigns that a touchpoint may ask.
    pub(crate) desk: Vec<usize>,
    /// Their guests, a set for each call at a time: starting one costs more than asking it.
    guests: Mutex<Vec<Vec<Guests>>>,
}

/// The customers of a snapshot, each bucket opened when it is first asked for.
pub(crate) struct Places {
    snapshot: Snapshot,
    buckets: Vec<OnceLock<Arc<BucketData>>>,
}

impl Live {
    /// With the types of a file; one of an installation from before events understands none.
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let text = if path.exists() {
            std::fs::read_to_string(path).map_err(EngineError::file(path, "reading"))?
        } else {
            "[types]".to_owned()
        };
        let types = toml::from_str(&text).map_err(|e| {
            let hint = "Compare it with examples/events.toml";
            EngineError::refused("bad-event-dictionary", format!("{}: {e}", path.display()), hint)
        })?;
        Ok(Self {
            types,
            world: RwLock::default(),
            seen: Mutex::default(),
            building: tokio::sync::Mutex::default(),
            turn: Arc::default(),
            committing: tokio::sync::Mutex::default(),
        })
    }

    fn current(&self, stands_on: (i64, i32)) -> Option<Arc<LiveWorld>> {
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        world.as_ref().filter(|world| world.stands_on == stands_on).cloned()
    }
}

impl Places {
    /// None of them opened yet.
    pub(crate) fn of(snapshot: Snapshot) -> Self {
        let buckets = snapshot.manifest().files.iter().map(|_| OnceLock::new()).collect();
        Self { snapshot, buckets }
    }

    /// Where a customer stands; `None` when the snapshot does not hold them.
    pub(crate) fn find(&self, customer: CustomerKey) -> Result<Option<(Arc<BucketData>, usize)>, EngineError> {
        let bucket = customer.bucket(self.snapshot.manifest().bits);
        let Some(slot) = self.buckets.get(bucket.index as usize) else { return Ok(None) };
        let data = match slot.get() {
            Some(data) => Arc::clone(data),
            None => {
                let opened = Arc::new(self.snapshot.bucket(bucket)?);
                Arc::clone(slot.get_or_init(|| opened))
            }
        };
        Ok(data.find(customer).map(|row| (data, row)))
    }
}

impl LiveWorld {
    /// Whether what is decided about an event of this type depends on the customer's past.
    pub(crate) fn listens(&self, kind: &str) -> bool {
        self.listening.contains(kind)
    }

    /// Where a customer stands; `None` when the snapshot does not hold them.
    pub(crate) fn find(&self, customer: CustomerKey) -> Result<Option<(Arc<BucketData>, usize)>, EngineError> {
        self.places.find(customer)
    }

    /// Guests of the desk's campaigns, in their order.
    pub(crate) fn take_guests(&self) -> Vec<Guests> {
        let kept = self.guests.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| self.desk.iter().map(|index| Guests::new(&self.world.due[*index])).collect())
    }

    /// Gives them back for the next call. A guest has no memory, which the gate tries (`state-leak`); still none works
    /// for ever.
    pub(crate) fn give_back(&self, guests: Vec<Guests>) {
        let mut kept = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < DESKS && guests.iter().all(|guests| guests.calls() < CALLS) {
            kept.push(guests);
        }
    }
}

/// Sets of guests that are kept.
const DESKS: usize = 8;
/// Calls after which a guest is started anew.
const CALLS: u32 = 1_000;

impl Engine {
    /// The world of events and touchpoints at an instant.
    pub(crate) async fn live(&self, at: i64) -> Result<Arc<LiveWorld>, EngineError> {
        let date = time::date_at(at).ok_or_else(|| {
            EngineError::refused("bad-date", "the instant is out of range", "Use an instant near today")
        })?;
        let stands_on = (self.decided_by().await?, date);
        if let Some(world) = self.events.current(stands_on) {
            return Ok(world);
        }
        let _building = self.events.building.lock().await;
        if let Some(world) = self.events.current(stands_on) {
            return Ok(world);
        }
        let world = Arc::new(self.build_live(stands_on).await?);
        let mut kept = self.events.world.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::clone(&world));
        Ok(world)
    }

    /// The last change that decides about events and touchpoints.
    async fn decided_by(&self) -> Result<i64, EngineError> {
        let before = *self.events.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, decides) = self.store.decided_after(before.0).await?;
        let now = (before.0.max(last), before.1.max(decides));
        let mut seen = self.events.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = (seen.0.max(now.0), seen.1.max(now.1));
        Ok(seen.1)
    }

    async fn build_live(&self, stands_on: (i64, i32)) -> Result<LiveWorld, EngineError> {
        let findings = self.events.types.check(&self.dictionary, &self.outcomes);
        if !findings.is_empty() {
            return Err(EngineError::Findings { what: "events.toml".into(), findings });
        }
        let date = stands_on.1;
        let request = PlanRequest {
            date,
            wave: 0,
            instant: 0,
            snapshot: None,
            batch: crate::plan::DEFAULT_BATCH,
            workers: 1,
            scheduled: None,
        };
        let ground = self.ground(&request).await?;
        let campaigns = self.told_campaigns(&ground, &request).await?;
        let mut world = self.world_with(&campaigns, &ground, &request).await?;
        self.keep_computed(&ground.tables)?;
        let endings = self.outcome_checks().await?.ends.activities;
        for (name, text) in [(TYPES_PIN, canonical::json(&self.events.types)), (ENDINGS_PIN, canonical::json(&endings))]
        {
            let digest = self.store.blobs().put(text.map_err(EngineError::internal)?.as_bytes())?;
            world.pins.tables.insert(name.to_owned(), digest);
        }
        let id = format!("{EVENTS}{}", world.pins.id().map_err(EngineError::internal)?);
        self.store.open_event_world(&id, &world.pins).await?;
        self.live_of(id, world, stands_on).await
    }

    /// The world as a batch of events pinned it.
    pub(crate) async fn live_of_pins(&self, id: &str, pins: &Pins) -> Result<LiveWorld, EngineError> {
        let world = self.world_of_pins(id, pins).await?;
        self.live_of(id.to_owned(), world, (0, pins.date)).await
    }

    async fn live_of(&self, id: String, world: World, stands_on: (i64, i32)) -> Result<LiveWorld, EngineError> {
        let pinned = |name: &str| {
            let digest = world.pins.tables.get(name);
            digest.ok_or_else(|| EngineError::internal(format!("world {id} pins no {name}")))
        };
        let types =
            serde_json::from_slice(&self.store.blobs().get(pinned(TYPES_PIN)?)?).map_err(EngineError::internal)?;
        let endings =
            serde_json::from_slice(&self.store.blobs().get(pinned(ENDINGS_PIN)?)?).map_err(EngineError::internal)?;
        let mut lists = Lists::new();
        for name in &world.lists {
            lists.insert(name.clone(), self.store.list_members(name, Bucket { bits: 0, index: 0 }).await?);
        }
        let places = Places::of(world.snapshot.clone());
        let asked = world.due.iter().enumerate().filter(|(_, due)| due.manifest.triggers.touchpoint);
        let desk = asked.map(|(index, _)| index).collect();
        let guests = Mutex::default();
        let checks = self.outcome_checks().await?;
        let listening = self.listening(&types, &world);
        Ok(LiveWorld { stands_on, id, world, types, listening, endings, checks, lists, places, desk, guests })
    }

    fn listening(&self, types: &EventDictionary, world: &World) -> BTreeSet<String> {
        let told: BTreeSet<&String> = world.due.iter().flat_map(|due| &due.manifest.triggers.events).collect();
        let answers = |outcome: &String| self.outcomes.find(outcome, |_| false).is_ok_and(|kind| kind.answers);
        let listens = |(name, kind): &(&String, &EventType)| {
            let decides = kind.stay.is_some() || kind.complaint.is_some() || kind.outcome.as_ref().is_some_and(answers);
            decides || told.contains(name)
        };
        types.types.iter().filter(listens).map(|(name, _)| name.clone()).collect()
    }

    /// The due campaigns that events or touchpoints may start. One that cannot run on today's snapshot, tables or lists
    /// is left out and logged: it does not keep events from being taken.
    async fn told_campaigns(&self, ground: &Ground, request: &PlanRequest) -> Result<Vec<DueCampaign>, EngineError> {
        let (due, _) = self.sound_campaigns(request).await?;
        let (due, stale) = fresh_enough(due, &ground.snapshot, request.date);
        for finding in stale {
            tracing::error!("not told of events: {finding}");
        }
        let is_told = |triggers: &Triggers| triggers.touchpoint || !triggers.events.is_empty();
        let mut told = Vec::new();
        for campaign in due.into_iter().filter(|c| is_told(&c.version.manifest.triggers)) {
            match self.world_with(std::slice::from_ref(&campaign), ground, request).await {
                Ok(_) => told.push(campaign),
                Err(error) if !error.findings().is_empty() => {
                    tracing::error!(campaign = %campaign.id, "not told of events: {error}: {:?}", error.findings());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }

    /// What decided: the pins of a plan, or of a world of events.
    pub(crate) async fn pins_of(&self, plan: &str) -> Result<Pins, EngineError> {
        if !plan.starts_with(EVENTS) {
            return Ok(self.plan(Some(plan)).await?.pins);
        }
        let gone = || EngineError::internal(format!("{plan} is not kept"));
        self.store.event_world(plan).await?.ok_or_else(gone)
    }
}
