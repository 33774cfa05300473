//! The contact ledger: what was planned for whom, what became of it, and what a task may know of the past.

use crate::carried::Carried;
use crate::error::{During, StoreError};
use crate::outcomes::Wish;
use crate::packed::pieces;
use crate::reference::key_of;
use crate::registry::from_json;
use crate::{Store, take_seq};
use care_domain::catalogue::CategorySet;
use care_domain::contact::{Addressee, Channel, ContactId, ContactIdentity, ContactState};
use care_domain::decide::{Past, Wishes};
use care_domain::key::{Bucket, CustomerKey};
use care_domain::policy::Class;
use care_domain::text::Language;
use care_domain::verdict::FINAL_ORDER;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

/// A message that a task planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewContact {
    /// Its identity.
    pub id: ContactId,
    /// Campaign.
    pub campaign: String,
    /// Activity.
    pub activity: String,
    /// Digest of the component that composed it.
    pub component: String,
    /// Whom it is about.
    pub customer: CustomerKey,
    /// Granted class.
    pub class: Class,
    /// Granted weight.
    pub weight: u16,
    /// 0 to 1.
    pub score: f32,
    /// Name of the reason.
    pub reason: String,
    /// What it is about.
    pub occasion: i64,
    /// Attempt, from 1.
    pub round: u8,
    /// To whom it goes.
    pub addressee: Addressee,
    /// Which of several to the same addressee.
    pub ordinal: u8,
    /// Name of the template.
    pub template: String,
    /// On which channel.
    pub channel: Channel,
    /// In which language.
    pub language: Language,
    /// Canonical slot values by name.
    pub slots: BTreeMap<String, String>,
    /// When, Unix milliseconds.
    pub planned_at: i64,
    /// After this instant it is useless.
    pub not_after: i64,
    /// Home region of the customer; empty when unknown.
    pub region: String,
    /// What it costs, in fen; 0 where no budget pays for it.
    pub cost_fen: u64,
    /// Rank of the customer's tier, 0 the first: who goes first at release and on call lists.
    pub tier: u8,
}

impl NewContact {
    /// What its id is the hash of.
    pub fn identity(&self) -> ContactIdentity<'_> {
        ContactIdentity {
            activity: &self.activity,
            campaign: &self.campaign,
            customer: self.customer,
            occasion: self.occasion,
            round: self.round,
            addressee: self.addressee,
            ordinal: self.ordinal,
        }
    }
}

/// A contact with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredContact {
    /// As it was planned.
    pub planned: NewContact,
    /// The plan.
    pub plan: String,
    /// Where it stands.
    pub state: ContactState,
    /// The channel that it goes by: the planned one, or the one that a fallback chose.
    pub via: Channel,
    /// When it came into the ledger.
    pub seq: i64,
    /// When it was forgotten what was said, Unix milliseconds, if it was.
    pub forgotten_at: Option<i64>,
}

/// A candidate that won and was held out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewControl {
    /// Campaign.
    pub campaign: String,
    /// Who.
    pub customer: CustomerKey,
    /// What it would have been about.
    pub occasion: i64,
    /// When it would have been planned.
    pub planned_at: i64,
}

/// How far a message came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactProgress {
    /// Its identity.
    pub contact: ContactId,
    /// Whom it is about.
    pub customer: CustomerKey,
    /// On which channel.
    pub channel: Channel,
    /// Home region of the customer; empty when unknown.
    pub region: String,
    /// Where it stands.
    pub state: ContactState,
    /// Whether it was ever visible to dispatch.
    pub released: bool,
    /// When it came to where it stands, Unix milliseconds.
    pub settled_at: Option<i64>,
    /// After this instant it was useless.
    pub not_after: i64,
    /// Whether a receipt says that it arrived.
    pub delivered: bool,
    /// Whether a receipt says that it did not.
    pub undelivered: bool,
}

/// The past of a bucket's customers, as of a mark.
#[derive(Debug, Default)]
pub struct History {
    /// Earlier contacts by customer.
    pub contacts: HashMap<CustomerKey, Vec<Past>>,
    /// Consent, refusals and suppressions by customer.
    pub wishes: HashMap<CustomerKey, Wishes>,
    /// Candidates that lost in earlier plans and wait, by customer.
    pub carried: HashMap<CustomerKey, Vec<Carried>>,
}

impl History {
    /// Applies wishes in the order in which they were expressed.
    pub(crate) fn add_wishes(&mut self, rows: Vec<(Vec<u8>, String)>) -> Result<(), StoreError> {
        for (bytes, wish) in rows {
            let key = key_of("wishes", &bytes)?;
            let wish: Wish = from_json("wishes", key, &wish)?;
            wish.apply(self.wishes.entry(key).or_default());
        }
        Ok(())
    }
}

/// Selects contacts up to the mark `?2` with what the log had made of them by then.
macro_rules! past {
    ($more:literal, $whose:literal) => {
        concat!(
            "SELECT ",
            $more,
            "c.customer, c.component, c.activity, c.class, c.occasion, c.round, c.planned_at, \
               CASE c.addressee WHEN 'customer' THEN c.channel ELSE 'action' END AS channel, \
               coalesce((SELECT l.state FROM contact_log l WHERE l.contact = c.id AND l.seq <= ?2 \
                         ORDER BY l.seq DESC LIMIT 1), 'planned') AS state, \
               (SELECT o.kind FROM outcomes o WHERE o.customer = c.customer AND o.activity = c.activity \
                  AND o.at >= c.planned_at AND o.seq <= ?2 AND o.kind NOT IN ('delivered', 'undelivered') \
                  ORDER BY o.seq DESC LIMIT 1) AS outcome ",
            $whose,
            " AND c.seq <= ?2 ORDER BY c.customer, c.seq"
        )
    };
}
pub(crate) use past;

/// The categories of versions, by component.
pub(crate) type Categories = HashMap<String, CategorySet>;

impl Store {
    /// What a task may know: everything about the bucket's customers with a sequence number up to `mark`.
    /// A contact's state is the one that the log gave it by then. What goes to somebody else about the customer is
    /// part of the past too, else its occasion would be planned again; its channel is told as `action`, which
    /// disturbs nobody, so that no cap counts it.
    pub async fn history(&self, bucket: Bucket, mark: i64) -> Result<History, StoreError> {
        let doing = "reading the past";
        let (low, high) = bucket.bounds();
        let mut history = History::default();
        let select = sqlx::query(past!("", "FROM contacts c WHERE c.customer BETWEEN ?1 AND ?3"));
        let select = select.bind(low.0.to_vec()).bind(mark).bind(high.0.to_vec());
        let rows = select.fetch_all(&self.readers).await.during(doing)?;
        let categories = self.categories_of(&rows).await?;
        for row in &rows {
            let key = key_of("contacts", row.try_get("customer").during(doing)?)?;
            history.contacts.entry(key).or_default().push(past_of(row, &categories)?);
        }
        let wishes: Vec<(Vec<u8>, String)> = sqlx::query_as(
            "SELECT customer, wish FROM wishes WHERE customer BETWEEN ? AND ? AND seq <= ? ORDER BY seq",
        )
        .bind(low.0.to_vec())
        .bind(high.0.to_vec())
        .bind(mark)
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        history.add_wishes(wishes)?;
        self.read_carried(bucket, mark, &mut history).await?;
        Ok(history)
    }

    /// The categories of versions, those of these contacts among them. What a version is called in the catalogue never
    /// changes, so that they are read again only when a version is new here.
    pub(crate) async fn categories_of(&self, contacts: &[SqliteRow]) -> Result<Arc<Categories>, StoreError> {
        let known = Arc::clone(&self.categories.read().unwrap_or_else(PoisonError::into_inner));
        for contact in contacts {
            let component: &str = contact.try_get("component").during("reading categories")?;
            if !known.contains_key(component) {
                let read = Arc::new(self.read_categories().await?);
                *self.categories.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&read);
                return Ok(read);
            }
        }
        Ok(known)
    }

    async fn read_categories(&self) -> Result<Categories, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT component, coalesce(json_extract(manifest, '$.catalogue'), '[]') FROM versions")
                .fetch_all(&self.readers)
                .await
                .during("reading categories")?;
        let categories = |(component, entries): (String, String)| {
            let entries: Vec<String> = from_json("versions", &component, &entries)?;
            Ok((component, CategorySet::of(entries.iter().map(String::as_str))))
        };
        rows.into_iter().map(categories).collect()
    }

    /// Contacts of one customer, in the order in which they were planned.
    pub async fn contacts_of(&self, customer: CustomerKey) -> Result<Vec<StoredContact>, StoreError> {
        let rows = sqlx::query("SELECT * FROM contacts WHERE customer = ? ORDER BY seq")
            .bind(customer.0.to_vec())
            .fetch_all(&self.readers)
            .await
            .during("reading contacts")?;
        rows.iter().map(contact_of).collect()
    }

    /// How far the messages of a campaign came, by id; those after `after`, at most `limit`.
    pub async fn contact_progress(
        &self,
        campaign: &str,
        after: Option<ContactId>,
        limit: u32,
    ) -> Result<Vec<ContactProgress>, StoreError> {
        let doing = "reading how far contacts came";
        let rows = sqlx::query(
            "SELECT id, customer, channel, region, state, not_after, \
               EXISTS (SELECT 1 FROM contact_log l WHERE l.contact = c.id AND l.state = 'released') AS released, \
               (SELECT l.at FROM contact_log l WHERE l.contact = c.id ORDER BY l.seq DESC LIMIT 1) AS settled_at, \
               EXISTS (SELECT 1 FROM outcomes o WHERE o.contact = c.id AND o.kind = 'delivered') AS delivered, \
               EXISTS (SELECT 1 FROM outcomes o WHERE o.contact = c.id AND o.kind = 'undelivered') AS undelivered \
             FROM contacts c WHERE campaign = ? AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(campaign)
        .bind(after.map_or(Vec::new(), |id| id.0.to_vec()))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        let one = |row: &SqliteRow| {
            Ok(ContactProgress {
                contact: id_of(row.try_get("id").during(doing)?)?,
                customer: key_of("contacts", row.try_get("customer").during(doing)?)?,
                channel: name_of("contacts", "channel", row.try_get("channel").during(doing)?)?,
                region: row.try_get("region").during(doing)?,
                state: state_of(row.try_get("state").during(doing)?)?,
                released: row.try_get("released").during(doing)?,
                settled_at: row.try_get("settled_at").during(doing)?,
                not_after: row.try_get("not_after").during(doing)?,
                delivered: row.try_get("delivered").during(doing)?,
                undelivered: row.try_get("undelivered").during(doing)?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// Every contact's id and state, by id: what two runs are compared by.
    pub async fn contact_states(&self) -> Result<Vec<(ContactId, ContactState)>, StoreError> {
        let rows: Vec<(Vec<u8>, String)> = sqlx::query_as("SELECT id, state FROM contacts ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .during("reading contacts")?;
        rows.into_iter().map(|(id, state)| Ok((id_of(&id)?, state_of(&state)?))).collect()
    }

    /// Candidates of a plan that have contacts, by campaign.
    pub async fn plan_candidates(&self, plan: &str) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT campaign, COUNT(*) FROM (SELECT DISTINCT campaign, customer, occasion, round FROM contacts \
             WHERE plan = ?) GROUP BY campaign",
        )
        .bind(plan)
        .fetch_all(&self.readers)
        .await
        .during("counting candidates")?;
        Ok(rows.into_iter().map(|(campaign, count)| (campaign, count as u64)).collect())
    }

    /// Cleared candidates of a plan by campaign and the state that tells what became of them: of several messages the one
    /// that came furthest (`verdict::final_verdict`).
    pub async fn cleared_finals(
        &self,
        plan: &str,
    ) -> Result<BTreeMap<String, BTreeMap<ContactState, u64>>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT campaign, place, COUNT(*) FROM (SELECT campaign, MIN(CASE state WHEN 'sent' THEN 0 WHEN 'unknown' \
             THEN 1 WHEN 'sending' THEN 2 WHEN 'released' THEN 3 WHEN 'planned' THEN 4 WHEN 'failed' THEN 5 \
             WHEN 'expired' THEN 6 WHEN 'cancelled' THEN 7 WHEN 'withdrawn' THEN 8 ELSE 9 END) AS place FROM contacts WHERE plan = ? \
             GROUP BY campaign, customer, occasion, round) GROUP BY campaign, place",
        )
        .bind(plan)
        .fetch_all(&self.readers)
        .await
        .during("counting final verdicts")?;
        let mut finals: BTreeMap<String, BTreeMap<ContactState, u64>> = BTreeMap::new();
        for (campaign, place, count) in rows {
            let state = usize::try_from(place).ok().and_then(|place| FINAL_ORDER.get(place));
            let state = state.ok_or_else(|| StoreError::impossible("contacts", "state", plan))?;
            *finals.entry(campaign).or_default().entry(*state).or_default() += count as u64;
        }
        Ok(finals)
    }

    /// Contacts of a plan by campaign and state.
    pub async fn plan_states(&self, plan: &str) -> Result<BTreeMap<String, BTreeMap<String, u64>>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT campaign, state, COUNT(*) FROM contacts WHERE plan = ? GROUP BY campaign, state")
                .bind(plan)
                .fetch_all(&self.readers)
                .await
                .during("counting contacts")?;
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (campaign, state, count) in rows {
            counts.entry(campaign).or_default().insert(state, count as u64);
        }
        Ok(counts)
    }
}

/// Inserts planned contacts; one that exists already is left as it is. Returns how many were new.
pub(crate) async fn insert_contacts(
    tx: &mut Transaction<'static, Sqlite>,
    plan: &str,
    contacts: &[NewContact],
) -> Result<u64, StoreError> {
    if contacts.is_empty() {
        return Ok(0);
    }
    let (mut inserted, mut next) = (0, take_seq(tx, contacts.len()).await?);
    for chunk in pieces(contacts) {
        let first = next;
        next += chunk.len() as i64;
        let mut slots = Vec::with_capacity(chunk.len());
        for contact in chunk {
            slots.push(crate::registry::to_json("contacts", contact.id, &contact.slots)?);
        }
        let mut insert = QueryBuilder::new(
            "INSERT INTO contacts (id, seq, plan, campaign, activity, component, customer, class, weight, score, \
             reason, occasion, round, addressee, ordinal, template, channel, language, slots, planned_at, not_after, state, region, \
             cost_fen, tier) ",
        );
        insert.push_values(chunk.iter().zip(slots).enumerate(), |mut row, (i, (c, slots))| {
            row.push_bind(c.id.0.to_vec())
                .push_bind(first + i as i64)
                .push_bind(plan.to_owned())
                .push_bind(&c.campaign)
                .push_bind(&c.activity)
                .push_bind(&c.component)
                .push_bind(c.customer.0.to_vec())
                .push_bind(c.class.name())
                .push_bind(i64::from(c.weight))
                .push_bind(f64::from(c.score))
                .push_bind(&c.reason)
                .push_bind(c.occasion)
                .push_bind(i64::from(c.round))
                .push_bind(c.addressee.name())
                .push_bind(i64::from(c.ordinal))
                .push_bind(&c.template)
                .push_bind(c.channel.name())
                .push_bind(c.language.name())
                .push_bind(slots)
                .push_bind(c.planned_at)
                .push_bind(c.not_after)
                .push_bind("planned")
                .push_bind(&c.region)
                .push_bind(c.cost_fen as i64)
                .push_bind(i64::from(c.tier));
        });
        insert.push(" ON CONFLICT (id) DO NOTHING");
        inserted += insert.build().execute(&mut **tx).await.during("planning contacts")?.rows_affected();
    }
    Ok(inserted)
}

/// Inserts held-out winners; one that exists already is left as it is.
pub(crate) async fn insert_controls(
    tx: &mut Transaction<'static, Sqlite>,
    plan: &str,
    controls: &[NewControl],
) -> Result<(), StoreError> {
    if controls.is_empty() {
        return Ok(());
    }
    let mut next = take_seq(tx, controls.len()).await?;
    for chunk in pieces(controls) {
        let first = next;
        next += chunk.len() as i64;
        let mut insert =
            QueryBuilder::new("INSERT INTO controls (seq, plan, campaign, customer, occasion, planned_at) ");
        insert.push_values(chunk.iter().enumerate(), |mut row, (i, c)| {
            row.push_bind(first + i as i64)
                .push_bind(plan.to_owned())
                .push_bind(&c.campaign)
                .push_bind(c.customer.0.to_vec())
                .push_bind(c.occasion)
                .push_bind(c.planned_at);
        });
        insert.push(" ON CONFLICT DO NOTHING");
        insert.build().execute(&mut **tx).await.during("keeping the control group")?;
    }
    Ok(())
}

/// Writes a state change of contacts into their log.
pub(crate) async fn log_states(
    tx: &mut Transaction<'static, Sqlite>,
    contacts: &[(Vec<u8>, Vec<u8>)],
    state: &str,
    at: i64,
    note: &str,
) -> Result<(), StoreError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let mut next = take_seq(tx, contacts.len()).await?;
    for chunk in pieces(contacts) {
        let first = next;
        next += chunk.len() as i64;
        let mut insert = QueryBuilder::new("INSERT INTO contact_log (seq, contact, customer, state, at, note) ");
        insert.push_values(chunk.iter().enumerate(), |mut row, (i, (contact, customer))| {
            row.push_bind(first + i as i64)
                .push_bind(contact)
                .push_bind(customer)
                .push_bind(state.to_owned())
                .push_bind(at)
                .push_bind(note.to_owned());
        });
        insert.build().execute(&mut **tx).await.during("writing the contact log")?;
    }
    Ok(())
}

pub(crate) fn past_of(row: &SqliteRow, categories: &Categories) -> Result<Past, StoreError> {
    let doing = "reading the past";
    let component: &str = row.try_get("component").during(doing)?;
    Ok(Past {
        categories: categories.get(component).copied().unwrap_or_default(),
        activity: row.try_get("activity").during(doing)?,
        class: name_of("contacts", "class", row.try_get("class").during(doing)?)?,
        occasion: row.try_get("occasion").during(doing)?,
        round: small_of("round", row.try_get("round").during(doing)?)?,
        channel: name_of("contacts", "channel", row.try_get("channel").during(doing)?)?,
        planned_at: row.try_get("planned_at").during(doing)?,
        state: state_of(row.try_get("state").during(doing)?)?,
        outcome: row.try_get("outcome").during(doing)?,
    })
}

pub(crate) fn contact_of(row: &SqliteRow) -> Result<StoredContact, StoreError> {
    let doing = "reading contacts";
    let text = |column: &str| row.try_get::<String, _>(column).during(doing);
    let number = |column: &str| row.try_get::<i64, _>(column).during(doing);
    let id = id_of(row.try_get("id").during(doing)?)?;
    let planned = NewContact {
        id,
        campaign: text("campaign")?,
        activity: text("activity")?,
        component: text("component")?,
        customer: key_of("contacts", row.try_get("customer").during(doing)?)?,
        class: name_of("contacts", "class", &text("class")?)?,
        weight: u16::try_from(number("weight")?).map_err(|_| StoreError::impossible("contacts", "weight", id))?,
        score: row.try_get::<f64, _>("score").during(doing)? as f32,
        reason: text("reason")?,
        occasion: number("occasion")?,
        round: small_of("round", number("round")?)?,
        addressee: name_of("contacts", "addressee", &text("addressee")?)?,
        ordinal: small_of("ordinal", number("ordinal")?)?,
        template: text("template")?,
        channel: name_of("contacts", "channel", &text("channel")?)?,
        language: name_of("contacts", "language", &text("language")?)?,
        slots: from_json("contacts", id, &text("slots")?)?,
        planned_at: number("planned_at")?,
        not_after: number("not_after")?,
        region: text("region")?,
        cost_fen: number("cost_fen")? as u64,
        tier: small_of("tier", number("tier")?)?,
    };
    let via = match row.try_get::<Option<String>, _>("via").during(doing)? {
        Some(name) => name_of("contacts", "via", &name)?,
        None => planned.channel,
    };
    let forgotten_at = row.try_get("forgotten_at").during(doing)?;
    let (plan, state, seq) = (text("plan")?, state_of(&text("state")?)?, number("seq")?);
    Ok(StoredContact { planned, plan, state, via, seq, forgotten_at })
}

pub(crate) fn id_of(bytes: &[u8]) -> Result<ContactId, StoreError> {
    let id = <[u8; 16]>::try_from(bytes).map_err(|_| StoreError::impossible("contacts", "id", bytes.len()))?;
    Ok(ContactId(id))
}

fn state_of(name: &str) -> Result<ContactState, StoreError> {
    ContactState::from_name(name).ok_or_else(|| StoreError::impossible("contacts", "state", name))
}

/// Reads an enum by the name that serde gives it.
pub(crate) fn name_of<T: DeserializeOwned>(
    table: &'static str,
    what: &'static str,
    name: &str,
) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::from(name)).map_err(|_| StoreError::impossible(table, what, name))
}

pub(crate) fn small_of(what: &'static str, number: i64) -> Result<u8, StoreError> {
    u8::try_from(number).map_err(|_| StoreError::impossible("contacts", what, number))
}
