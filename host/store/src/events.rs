//! Events: batches as they were taken, by what an event is known again, and the commit in which a batch, its contacts
//! and whatever it ends appear together or not at all.

use crate::Store;
use crate::contacts::{
    Categories, History, NewContact, NewControl, insert_contacts, insert_controls, log_states, past, past_of,
};
use crate::error::{During, StoreError};
use crate::outcomes::{NewOutcome, record_new};
use crate::packed::{of_packed, pack, pieces};
use crate::reference::key_of;
use crate::registry::{from_json, to_json};
use crate::tasks::any_touched_after;
use care_domain::audit::Entry;
use care_domain::contact::{ContactId, ContactState};
use care_domain::displace::Waiting;
use care_domain::event::Stay;
use care_domain::key::CustomerKey;
use care_domain::plan::{Limits, Pins};
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A kept batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBatch {
    /// Its number, from 1.
    pub number: i64,
    /// When it was decided, Unix milliseconds.
    pub instant: i64,
    /// The past was read up to here.
    pub mark: i64,
    /// What decided, as pinned.
    pub world: String,
    /// On whose word its events were taken.
    pub person: String,
    /// Its events as JSON.
    pub events: Vec<u8>,
    /// Its decision log; empty when no activity was told of anything.
    pub decisions: Vec<u8>,
    /// What was left of capacity and budgets before it.
    pub limits: Limits,
}

/// What a batch wants to commit.
#[derive(Debug, Default)]
pub struct EventCommit {
    /// When it was decided.
    pub instant: i64,
    /// The past was read up to here.
    pub mark: i64,
    /// The last batch that it knows of: one that another process committed since makes it stale.
    pub after: i64,
    /// What was left of capacity and budgets.
    pub limits: Limits,
    /// How many releases that stands on: another one makes it stale, where anything is limited.
    pub releases: i64,
    /// What decided.
    pub world: String,
    /// On whose word.
    pub person: String,
    /// Its events as JSON.
    pub events: Vec<u8>,
    /// By what they are known again: sources and their ids.
    pub names: Vec<(String, String)>,
    /// Its decision log.
    pub decisions: Vec<u8>,
    /// About whom something was decided.
    pub candidates: Vec<CustomerKey>,
    /// Planned messages, free to go.
    pub contacts: Vec<NewContact>,
    /// Held-out winners.
    pub controls: Vec<NewControl>,
    /// Waiting contacts that lost their place, with to whom.
    pub displaced: Vec<(ContactId, String)>,
    /// Customers whose waiting contacts of an activity end, with the type of the event that ends them.
    pub cancels: Vec<(CustomerKey, String, String)>,
    /// Events that are outcomes too.
    pub outcomes: Vec<NewOutcome>,
    /// Stays as they are now.
    pub stays: Vec<(CustomerKey, String, Stay)>,
}

/// How a commit of events ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsCommitted {
    /// Everything is in.
    Done {
        /// Number of the batch.
        batch: i64,
        /// Contacts that were not known before.
        contacts: u64,
        /// Waiting contacts that it ended.
        cancelled: u64,
    },
    /// Somebody wrote about its customers after the mark, or claimed what it displaces; nothing was written.
    Stale,
    /// Some of its events were taken meanwhile; nothing was written.
    Repeated,
}

/// A candidate that waits, with its contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct Unclaimed {
    /// As arbitration sees it.
    pub waiting: Waiting,
    /// The contacts that go if it goes.
    pub contacts: Vec<ContactId>,
    occasion: (i64, i64),
}

/// The past of some customers, as of a mark.
#[derive(Debug, Default)]
pub struct Recent {
    /// As a plan reads it.
    pub history: History,
    /// What waits and is not claimed, by customer.
    pub unclaimed: HashMap<CustomerKey, Vec<Unclaimed>>,
}

/// By what an event is known again: its source, and the source's id.
pub type EventName<'a> = (&'a str, &'a str);

type BatchRow = (i64, i64, i64, String, String, Vec<u8>, Vec<u8>, String);

/// Customers asked for in one statement.
const CUSTOMERS: usize = 2_000;

impl Store {
    /// What is known of these customers with a sequence number up to `mark`; none of them twice.
    pub async fn recent(&self, customers: &[CustomerKey], mark: i64) -> Result<Recent, StoreError> {
        let doing = "reading the past of customers";
        let mut recent = Recent::default();
        let keys = pack(customers.iter().map(|key| &key.0));
        let contacts = sqlx::query(of_packed!(past!(
            "c.id, c.campaign, c.weight, c.score, c.via, ",
            "FROM packed CROSS JOIN contacts c ON c.customer = packed.key WHERE true"
        )));
        let wishes = sqlx::query_as(of_packed!(
            "SELECT w.customer, w.wish FROM packed CROSS JOIN wishes w ON w.customer = packed.key WHERE w.seq <= ?2 \
             ORDER BY w.seq"
        ));
        let (contacts, wishes) = tokio::try_join!(
            contacts.bind(keys.clone()).bind(mark).fetch_all(&self.readers),
            wishes.bind(keys).bind(mark).fetch_all(&self.readers)
        )
        .during(doing)?;
        let categories = self.categories_of(&contacts).await?;
        for row in &contacts {
            recent.add(row, &categories)?;
        }
        recent.history.add_wishes(wishes)?;
        Ok(recent)
    }

    /// The past of some customers as a plan reads it, up to `mark`.
    pub async fn history_of(&self, customers: &[CustomerKey], mark: i64) -> Result<History, StoreError> {
        let mut history = self.recent(customers, mark).await?.history;
        for chunk in customers.chunks(CUSTOMERS) {
            self.read_carried_of(chunk, mark, &mut history).await?;
        }
        Ok(history)
    }

    /// Which of these events were taken before, by their places.
    pub async fn known_events(&self, names: &[EventName<'_>]) -> Result<HashSet<usize>, StoreError> {
        let known: Vec<i64> = sqlx::query_scalar(
            "SELECT named.key FROM json_each(?) named CROSS JOIN event_sources s ON s.source = named.value ->> 0 \
             CROSS JOIN event_names n ON n.source = s.number AND n.id = named.value ->> 1",
        )
        .bind(to_json("event_names", names.len(), &names)?)
        .fetch_all(&self.readers)
        .await
        .during("looking for known events")?;
        Ok(known.into_iter().filter_map(|place| usize::try_from(place).ok()).collect())
    }

    /// The latest stays of customers, by customer and family.
    pub async fn stays(&self, customers: &[CustomerKey]) -> Result<HashMap<(CustomerKey, String), Stay>, StoreError> {
        let rows: Vec<(Vec<u8>, String, i64, i64, bool)> = sqlx::query_as(of_packed!(
            "SELECT s.customer, s.family, s.began, s.last, s.open FROM packed CROSS JOIN stays s ON s.customer = packed.key"
        ))
        .bind(pack(customers.iter().map(|key| &key.0)))
        .fetch_all(&self.readers)
        .await
        .during("reading stays")?;
        let stay = |(customer, family, began, last, open): (Vec<u8>, String, i64, i64, bool)| {
            Ok(((key_of("stays", &customer)?, family), Stay { began, last, open }))
        };
        rows.into_iter().map(stay).collect()
    }

    /// Commits a batch; `entry` goes into the audit log with it.
    pub async fn commit_events(
        &self,
        commit: &EventCommit,
        entry: Option<&Entry>,
    ) -> Result<EventsCommitted, StoreError> {
        let doing = "committing events";
        let mut tx = self.write().await?;
        let last: i64 = sqlx::query_scalar("SELECT coalesce(MAX(number), 0) FROM event_batches")
            .fetch_one(&mut *tx)
            .await
            .during(doing)?;
        if last != commit.after || !unlimited_or_as_known(&mut tx, commit).await? {
            return Ok(EventsCommitted::Stale);
        }
        if any_touched_after(&mut tx, &commit.candidates, commit.mark).await? {
            return Ok(EventsCommitted::Stale);
        }
        // Its outcomes bear its number.
        let batch = commit.after + 1;
        sqlx::query(
            "INSERT INTO event_batches (number, instant, mark, world, person, events, decisions, limits) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(batch)
        .bind(commit.instant)
        .bind(commit.mark)
        .bind(&commit.world)
        .bind(&commit.person)
        .bind(&commit.events)
        .bind(&commit.decisions)
        .bind(to_json("event_batches", batch, &commit.limits)?)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if !insert_names(&mut tx, &commit.names, batch).await? {
            return Ok(EventsCommitted::Repeated);
        }
        let mut cancelled = cancel_waiting(&mut tx, &commit.cancels, commit.instant).await?;
        if !displace(&mut tx, &commit.displaced, commit.instant).await? {
            return Ok(EventsCommitted::Stale);
        }
        cancelled += record_new(&mut tx, &commit.outcomes, commit.instant).await?.cancelled;
        let contacts = insert_contacts(&mut tx, &commit.world, &commit.contacts).await?;
        release(&mut tx, &commit.contacts, commit.instant).await?;
        insert_controls(&mut tx, &commit.world, &commit.controls).await?;
        keep_stays(&mut tx, &commit.stays).await?;
        keep_candidates(&mut tx, &commit.candidates, batch).await?;
        if let Some(entry) = entry {
            self.audit(&mut tx, entry).await?;
        }
        tx.commit().await.during(doing)?;
        Ok(EventsCommitted::Done { batch, contacts, cancelled })
    }

    /// Keeps what decides about events from now on.
    pub async fn open_event_world(&self, id: &str, pins: &Pins) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO event_worlds (id, pins) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(to_json("event_worlds", id, pins)?)
            .execute(&self.writer)
            .await
            .map(|_| ())
            .during("pinning what decides about events")
    }

    /// The pins of a world.
    pub async fn event_world(&self, id: &str) -> Result<Option<Pins>, StoreError> {
        let pins: Option<String> = sqlx::query_scalar("SELECT pins FROM event_worlds WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .during("reading what decided about events")?;
        pins.map(|pins| from_json("event_worlds", id, &pins)).transpose()
    }

    /// The newest world in which a campaign contacted somebody or held somebody out.
    pub async fn event_world_of(&self, campaign: &str) -> Result<Option<Pins>, StoreError> {
        let newest: Option<String> = sqlx::query_scalar(
            "SELECT plan FROM (SELECT seq, plan FROM contacts WHERE campaign = ?1 AND plan LIKE 'events-%' \
               UNION ALL SELECT seq, plan FROM controls WHERE campaign = ?1 AND plan LIKE 'events-%') \
             ORDER BY seq DESC LIMIT 1",
        )
        .bind(campaign)
        .fetch_optional(&self.readers)
        .await
        .during("reading what decided about events")?;
        match newest {
            Some(world) => self.event_world(&world).await,
            None => Ok(None),
        }
    }

    /// A batch by its number.
    pub async fn event_batch(&self, number: i64) -> Result<Option<EventBatch>, StoreError> {
        let row: Option<BatchRow> = sqlx::query_as(
            "SELECT number, instant, mark, world, person, events, decisions, limits FROM event_batches \
             WHERE number = ?",
        )
        .bind(number)
        .fetch_optional(&self.readers)
        .await
        .during("reading an event batch")?;
        let batch = |(number, instant, mark, world, person, events, decisions, limits): BatchRow| {
            let limits = from_json("event_batches", number, &limits)?;
            Ok(EventBatch { number, instant, mark, world, person, events, decisions, limits })
        };
        row.map(batch).transpose()
    }

    /// The number of the last batch; 0 when there is none.
    pub async fn last_event_batch(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT coalesce(MAX(number), 0) FROM event_batches")
            .fetch_one(&self.readers)
            .await
            .during("counting event batches")
    }

    /// Batches in which something was decided about a customer, the newest first.
    pub async fn event_batches_of(&self, customer: CustomerKey) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar("SELECT batch FROM event_candidates WHERE customer = ? ORDER BY batch DESC")
            .bind(customer.0.to_vec())
            .fetch_all(&self.readers)
            .await
            .during("reading event batches")
    }

    /// The worlds that batches were decided in, each with the instant of its first batch.
    pub async fn first_event_batches(&self) -> Result<Vec<(String, i64)>, StoreError> {
        sqlx::query_as("SELECT world, MIN(instant) FROM event_batches GROUP BY world")
            .fetch_all(&self.readers)
            .await
            .during("reading event batches")
    }

    /// The last line of the audit log after `seen`, and the last one among them that tells of anything that decides about
    /// events and touchpoints: plans, dispatch and their own traffic do not. Both are 0 when there is none.
    pub async fn decided_after(&self, seen: i64) -> Result<(i64, i64), StoreError> {
        sqlx::query_as(
            "SELECT coalesce(MAX(number), 0), coalesce(MAX(CASE WHEN subject NOT IN \
               ('events', 'touchpoint', 'dispatch', 'outcomes') AND subject NOT LIKE 'plan %' THEN number END), 0) \
             FROM audit WHERE number > ?",
        )
        .bind(seen)
        .fetch_one(&self.readers)
        .await
        .during("reading the audit log")
    }
}

impl Recent {
    fn add(&mut self, row: &sqlx::sqlite::SqliteRow, categories: &Categories) -> Result<(), StoreError> {
        let doing = "reading the past of customers";
        let key = key_of("contacts", row.try_get("customer").during(doing)?)?;
        let past = past_of(row, categories)?;
        let all = self.history.contacts.entry(key).or_default();
        let index = all.len();
        // What goes on along its chain has disturbed already: it gives no place up.
        let is_first = row.try_get::<Option<String>, _>("via").during(doing)?.is_none();
        if is_first && matches!(past.state, ContactState::Planned | ContactState::Released) {
            let campaign: String = row.try_get("campaign").during(doing)?;
            let occasion = (past.occasion, i64::from(past.round));
            let id = crate::contacts::id_of(row.try_get("id").during(doing)?)?;
            let mine = self.unclaimed.entry(key).or_default();
            let same = mine.iter_mut().find(|u| u.waiting.campaign == campaign && u.occasion == occasion);
            match same {
                Some(one) => {
                    one.waiting.past.push(index);
                    one.contacts.push(id);
                }
                None => {
                    let weight: i64 = row.try_get("weight").during(doing)?;
                    let score: f64 = row.try_get("score").during(doing)?;
                    let (weight, score) = (u16::try_from(weight).unwrap_or(u16::MAX), score as f32);
                    let waiting = Waiting { campaign, class: past.class, weight, score, past: vec![index] };
                    mine.push(Unclaimed { waiting, contacts: vec![id], occasion });
                }
            }
        }
        all.push(past);
        Ok(())
    }
}

/// Whether nothing is limited, or no plan took of it since the limits were read.
async fn unlimited_or_as_known(
    tx: &mut Transaction<'static, Sqlite>,
    commit: &EventCommit,
) -> Result<bool, StoreError> {
    if commit.limits.is_empty() {
        return Ok(true);
    }
    let releases: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM plans WHERE tallies IS NOT NULL")
        .fetch_one(&mut **tx)
        .await
        .during("counting releases")?;
    Ok(releases == commit.releases)
}

pub(crate) fn push_keys(query: &mut QueryBuilder<Sqlite>, keys: &[CustomerKey]) {
    let mut list = query.separated(", ");
    for key in keys {
        list.push_bind(key.0.to_vec());
    }
    list.push_unseparated(")");
}

/// Whether all of them are new.
async fn insert_names(
    tx: &mut Transaction<'static, Sqlite>,
    names: &[(String, String)],
    batch: i64,
) -> Result<bool, StoreError> {
    let doing = "keeping by what events are known again";
    let sources: BTreeSet<&str> = names.iter().map(|(source, _)| source.as_str()).collect();
    sqlx::query("INSERT INTO event_sources (source) SELECT value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING")
        .bind(to_json("event_sources", sources.len(), &sources)?)
        .execute(&mut **tx)
        .await
        .during(doing)?;
    let added = sqlx::query(
        "INSERT INTO event_names (source, id, batch) SELECT s.number, named.value ->> 1, ?2 FROM json_each(?1) named \
         CROSS JOIN event_sources s ON s.source = named.value ->> 0 WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(to_json("event_names", names.len(), &names)?)
    .bind(batch)
    .execute(&mut **tx)
    .await
    .during(doing)?;
    Ok(added.rows_affected() == names.len() as u64)
}

/// Ends waiting contacts that events make pointless; returns how many.
pub(crate) async fn cancel_waiting(
    tx: &mut Transaction<'static, Sqlite>,
    cancels: &[(CustomerKey, String, String)],
    at: i64,
) -> Result<u64, StoreError> {
    let mut whom: BTreeMap<(&str, &str), Vec<&[u8; 16]>> = BTreeMap::new();
    for (customer, activity, why) in cancels {
        whom.entry((why, activity)).or_default().push(&customer.0);
    }
    let mut ended = 0;
    for ((why, activity), customers) in whom {
        let gone: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(of_packed!(
            "UPDATE contacts SET state = 'cancelled' WHERE customer IN (SELECT key FROM packed) AND activity = ?2 \
             AND (state IN ('planned', 'released') OR (state = 'sending' \
               AND EXISTS (SELECT 1 FROM handouts h WHERE h.contact = contacts.id AND h.result IS NULL))) \
             RETURNING id, customer"
        ))
        .bind(pack(customers))
        .bind(activity)
        .fetch_all(&mut **tx)
        .await
        .during("cancelling waiting contacts")?;
        ended += gone.len() as u64;
        log_states(tx, &gone, "cancelled", at, why).await?;
    }
    Ok(ended)
}

/// Takes their place from waiting contacts; `false` when one of them was claimed meanwhile.
async fn displace(
    tx: &mut Transaction<'static, Sqlite>,
    displaced: &[(ContactId, String)],
    at: i64,
) -> Result<bool, StoreError> {
    for (id, winner) in displaced {
        let gone: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "UPDATE contacts SET state = 'lost' WHERE id = ? AND state IN ('planned', 'released') AND via IS NULL \
             RETURNING id, customer",
        )
        .bind(id.0.to_vec())
        .fetch_all(&mut **tx)
        .await
        .during("displacing waiting contacts")?;
        if gone.is_empty() {
            return Ok(false);
        }
        log_states(tx, &gone, "lost", at, &format!("to {winner}")).await?;
    }
    Ok(true)
}

/// What an event caused need not wait for a plan's release.
pub(crate) async fn release(
    tx: &mut Transaction<'static, Sqlite>,
    contacts: &[NewContact],
    at: i64,
) -> Result<(), StoreError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let moved: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(of_packed!(
        "UPDATE contacts SET state = 'released' WHERE id IN (SELECT key FROM packed) AND state = 'planned' \
         RETURNING id, customer"
    ))
    .bind(pack(contacts.iter().map(|contact| &contact.id.0)))
    .fetch_all(&mut **tx)
    .await
    .during("releasing contacts of events")?;
    log_states(tx, &moved, "released", at, "").await
}

async fn keep_stays(
    tx: &mut Transaction<'static, Sqlite>,
    stays: &[(CustomerKey, String, Stay)],
) -> Result<(), StoreError> {
    for chunk in pieces(stays) {
        let mut insert: QueryBuilder<Sqlite> =
            QueryBuilder::new("INSERT INTO stays (customer, family, began, last, open) ");
        insert.push_values(chunk, |mut row, (customer, family, stay)| {
            row.push_bind(customer.0.to_vec())
                .push_bind(family)
                .push_bind(stay.began)
                .push_bind(stay.last)
                .push_bind(stay.open);
        });
        insert.push(" ON CONFLICT DO UPDATE SET began = excluded.began, last = excluded.last, open = excluded.open");
        insert.build().execute(&mut **tx).await.during("keeping stays")?;
    }
    Ok(())
}

async fn keep_candidates(
    tx: &mut Transaction<'static, Sqlite>,
    candidates: &[CustomerKey],
    batch: i64,
) -> Result<(), StoreError> {
    if candidates.is_empty() {
        return Ok(());
    }
    sqlx::query(of_packed!(
        "INSERT INTO event_candidates (customer, batch) SELECT key, ?2 FROM packed WHERE true ON CONFLICT DO NOTHING"
    ))
    .bind(pack(candidates.iter().map(|key| &key.0)))
    .bind(batch)
    .execute(&mut **tx)
    .await
    .map(|_| ())
    .during("keeping whom events were about")
}
