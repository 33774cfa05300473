//! Batches of events take turns: one is decided after the other and committed after the other. While one is committed,
//! which is waiting for the disk, the next is decided beside it, unless the two may concern each other.

use crate::event::{Fate, Keyed, Placed, Taken};
use crate::live::{Left, LiveWorld, Turn};
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::event::EventId;
use care_domain::key::CustomerKey;
use care_domain::person::Actor;
use care_domain::plan::Limits;
use care_store::{EventCommit, EventsCommitted};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::OwnedMutexGuard;

/// Events decided together at most: what a crash repeats, and how long one waits behind others, stay small.
const MAX_BATCH: usize = 1_000;
/// Attempts at a batch whose customers somebody else keeps writing about.
const MAX_REDONE: u32 = 20;
/// A person's traffic is noted in the audit log once in so long; each batch names its sender anyway.
const NOTED_EVERY_MS: i64 = 60_000;
/// No plan is called so: what all of them used is gone.
const NO_PLAN: &str = "";

/// Whoever has it decides the next batch.
pub(crate) type TurnGuard = OwnedMutexGuard<Turn>;

/// A batch that was decided and is being committed, or was.
pub(crate) struct Ahead {
    /// The number that it will have.
    batch: i64,
    ids: HashSet<EventId>,
    customers: HashSet<CustomerKey>,
    /// Whether it was committed.
    landed: AtomicBool,
}

/// A batch that waits for its commit.
struct InTurn {
    commit: EventCommit,
    entry: Option<Entry>,
    fates: Vec<Fate>,
    /// The batch beside which it was decided: if that one is not committed after all, this one is decided again.
    beside: Option<Arc<Ahead>>,
    this: Arc<Ahead>,
    /// Nothing is decided beside it.
    alone: bool,
}

impl Ahead {
    fn of(batch: i64, new: &[Placed<'_>]) -> Self {
        Self {
            batch,
            ids: new.iter().map(|placed| placed.keyed.id).collect(),
            customers: new.iter().map(|placed| placed.keyed.customer).collect(),
            landed: AtomicBool::new(false),
        }
    }

    fn has_landed(&self) -> bool {
        self.landed.load(Ordering::Acquire)
    }

    /// Whether what is decided about these events may depend on it.
    fn meets(&self, live: &LiveWorld, events: &[Keyed]) -> bool {
        let about = |event: &Keyed| self.customers.contains(&event.customer) && live.listens(&event.report.kind);
        events.iter().any(|event| self.ids.contains(&event.id) || about(event))
    }
}

impl Engine {
    /// Waits until the batch before was decided.
    pub(crate) async fn event_turn(&self) -> TurnGuard {
        Arc::clone(&self.events.turn).lock_owned().await
    }

    /// Decides and commits events that were checked, of one sender; `turn` is had already, or waited for.
    pub(crate) async fn take_events(
        &self,
        actor: &Actor,
        events: &[Keyed],
        turn: &mut Option<TurnGuard>,
    ) -> Result<Taken, EngineError> {
        let mut taken = Taken::default();
        for chunk in events.chunks(MAX_BATCH) {
            let turn = match turn.take() {
                Some(turn) => turn,
                None => self.event_turn().await,
            };
            self.take_batch(actor, chunk, turn, &mut taken).await?;
        }
        Ok(taken)
    }

    async fn take_batch(
        &self,
        actor: &Actor,
        events: &[Keyed],
        mut turn: TurnGuard,
        taken: &mut Taken,
    ) -> Result<(), EngineError> {
        for _ in 0..MAX_REDONE {
            let decided = match self.decide_in_turn(actor, events, &mut turn).await? {
                Ok(decided) => decided,
                Err(mut known) => {
                    taken.fates.append(&mut known);
                    return Ok(());
                }
            };
            let committing = self.events.committing.lock().await;
            let is_sound = decided.beside.as_ref().is_none_or(|beside| beside.has_landed());
            // From here on the next batch is decided, beside this commit.
            let kept = decided.alone.then_some(turn);
            let done = match is_sound {
                true => self.store.commit_events(&decided.commit, decided.entry.as_ref()).await?,
                false => EventsCommitted::Stale,
            };
            if let EventsCommitted::Done { batch, contacts, cancelled } = done {
                decided.this.landed.store(true, Ordering::Release);
                drop(committing);
                taken.add(decided.fates, batch, (contacts, cancelled));
                if self.brakes(&decided.commit) {
                    self.apply_brake(actor.at).await?;
                }
                return Ok(());
            }
            drop(committing);
            tracing::info!("the ledger moved on; {} events are decided again", decided.commit.names.len());
            turn = match kept {
                Some(turn) => turn,
                None => self.event_turn().await,
            };
            self.until_committed().await;
            turn.forget(&actor.person);
        }
        let message = "the customers of these events are written about faster than they can be decided";
        Err(EngineError::refused("busy-customers", message, "Send them again at a quieter time; nothing was taken"))
    }

    /// Decides a batch whose turn it is; only what became of its events, when none of them is new.
    async fn decide_in_turn(
        &self,
        actor: &Actor,
        events: &[Keyed],
        turn: &mut Turn,
    ) -> Result<Result<InTurn, Vec<Fate>>, EngineError> {
        let live = self.live(actor.at).await?;
        let limited = live.world.is_limited();
        let mut beside = turn.ahead.clone().filter(|ahead| !ahead.has_landed());
        if beside.as_ref().is_some_and(|ahead| limited || ahead.meets(&live, events)) {
            self.until_committed().await;
            beside = None;
        }
        let after = match &turn.ahead {
            Some(ahead) if beside.is_some() || ahead.has_landed() => ahead.batch,
            _ => self.store.last_event_batch().await?,
        };
        let (fates, new) = self.sort_out(&live, events).await?;
        if new.is_empty() {
            return Ok(Err(fates));
        }
        let note = turn.noted.get(&actor.person).is_none_or(|last| actor.at - last >= NOTED_EVERY_MS);
        let entry = note.then(|| Entry::of(actor, "events-taken", "events", json!({"after_batch": after})));
        let before = if limited { self.left(&live, after, turn).await? } else { Left::unlimited(&live, after) };
        let (commit, limits) = self.decide_batch(&live, actor, &new, before.clone()).await?;
        let this = Arc::new(Ahead::of(after + 1, &new));
        let alone = limited || self.brakes(&commit);
        turn.ahead = Some(Arc::clone(&this));
        turn.left = Some(Left { batch: this.batch, limits, ..before });
        if note {
            turn.noted.insert(actor.person.clone(), actor.at);
        }
        Ok(Ok(InTurn { commit, entry, fates, beside, this, alone }))
    }

    /// Waits until no batch is being committed; none begins as long as the caller has the turn.
    async fn until_committed(&self) {
        drop(self.events.committing.lock().await);
    }

    /// Whether a batch may brake an activity, which changes what decides about the next one.
    fn brakes(&self, commit: &EventCommit) -> bool {
        let braking = self.outcomes.braking();
        commit.outcomes.iter().any(|outcome| braking.contains(&outcome.kind.as_str()))
    }

    /// What is left of capacity and budgets; counted anew where somebody else may have taken of it.
    async fn left(&self, live: &LiveWorld, after: i64, turn: &Turn) -> Result<Left, EngineError> {
        let releases = self.store.releases().await?;
        let known = turn.left.as_ref().filter(|left| (left.batch, left.releases) == (after, releases));
        match known.filter(|left| left.world == live.id) {
            Some(left) => Ok(left.clone()),
            None => {
                let limits = self.limits(&live.world, NO_PLAN).await?;
                Ok(Left { world: live.id.clone(), batch: after, releases, limits })
            }
        }
    }
}

impl Left {
    /// Where nothing is limited.
    fn unlimited(live: &LiveWorld, after: i64) -> Self {
        Self { world: live.id.clone(), batch: after, releases: 0, limits: Limits::default() }
    }
}

impl Turn {
    /// Forgets what it took for granted of a batch that was not committed.
    fn forget(&mut self, person: &str) {
        (self.ahead, self.left) = (None, None);
        self.noted.remove(person);
    }
}

impl Taken {
    /// What became of a batch.
    fn add(&mut self, mut fates: Vec<Fate>, batch: i64, (contacts, cancelled): (u64, u64)) {
        for fate in fates.iter_mut().filter(|fate| **fate == Fate::Taken(0)) {
            *fate = Fate::Taken(batch);
        }
        self.fates.append(&mut fates);
        self.contacts += contacts;
        self.cancelled += cancelled;
    }
}
