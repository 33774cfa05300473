//! Outcomes and wishes: what customers did and said, append-only; and the subjects of an evaluation.

use crate::contacts::{id_of, log_states};
use crate::error::{During, StoreError};
use crate::packed::{of_packed, pack, pieces};
use crate::reference::key_of;
use crate::registry::to_json;
use crate::{MAX_BINDS, Store, take_seq};
use care_domain::audit::Entry;
use care_domain::contact::{ContactId, ContactState};
use care_domain::decide::Wishes;
use care_domain::key::CustomerKey;
use care_domain::outcome::Met;
use care_domain::policy::Class;
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite, Transaction};
use std::collections::HashMap;

/// What a customer (or a call about them) says of contacts to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "kebab-case")]
pub enum Wish {
    /// Consents to commercial messages, or takes it back.
    Commercial {
        /// Yes or no.
        yes: bool,
    },
    /// Wants nothing that may be refused.
    RefuseAll,
    /// Wants nothing of a class.
    RefuseClass {
        /// The class.
        class: Class,
    },
    /// Does not want an activity.
    RefuseActivity {
        /// Its name.
        activity: String,
    },
    /// A complaint was taken, or settled.
    Complaint {
        /// Whether one is open now.
        open: bool,
    },
    /// Nothing but disaster response goes out any more.
    Suppress {
        /// `deceased`, `possibly-missing` …
        because: String,
    },
}

impl Wish {
    pub(crate) fn apply(self, wishes: &mut Wishes) {
        match self {
            Self::Commercial { yes } => wishes.commercial = Some(yes),
            Self::RefuseAll => wishes.refuses_all = true,
            Self::RefuseClass { class } => wishes.refused_classes.push(class),
            Self::RefuseActivity { activity } => wishes.refused_activities.push(activity),
            Self::Complaint { open } => wishes.complaint = Some(open),
            Self::Suppress { because } => wishes.suppressed = Some(because),
        }
    }
}

/// An outcome to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutcome {
    /// The sender's id: a repeat adds nothing.
    pub id: String,
    /// Who.
    pub customer: CustomerKey,
    /// Kind, kebab-case.
    pub kind: String,
    /// A figure that goes with it.
    pub value: Option<i64>,
    /// When it happened, Unix milliseconds.
    pub at: i64,
    /// The activity it answers, when known.
    pub activity: Option<String>,
    /// The contact that it answers, when known.
    pub contact: Option<ContactId>,
    /// How it was told: `file`, `api`, `receipt`, `reply`, `call`.
    pub source: &'static str,
    /// Whether `id` is the sender's own. Without one, the same customer, kind, instant and activity are the same outcome.
    pub named: bool,
    /// The wish that follows from it, if any.
    pub wish: Option<Wish>,
    /// Waiting contacts with this customer that it makes pointless or unwanted.
    pub cancels: Vec<Cancel>,
}

/// Waiting contacts that end: of an activity or of all, in some classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// Only of this activity.
    pub activity: Option<String>,
    /// Only in these classes.
    pub classes: Vec<Class>,
}

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// New.
    Added,
    /// Known before.
    Repeated,
    /// Known before with another figure, kind or customer: the first stands.
    Conflict,
}

/// What recording did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// What became of each outcome, in their order.
    pub fates: Vec<Fate>,
    /// Waiting contacts that they cancelled.
    pub cancelled: u64,
}

/// An outcome as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeLine {
    /// Who.
    pub customer: CustomerKey,
    /// Kind.
    pub kind: String,
    /// The figure that goes with it.
    pub value: Option<i64>,
    /// When it happened, Unix milliseconds.
    pub at: i64,
    /// The activity it answers, when known.
    pub activity: Option<String>,
    /// How it was told.
    pub source: String,
}

/// One customer and occasion of a campaign, treated or held out, with what followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who.
    pub customer: CustomerKey,
    /// Contacted (or meant to be) rather than held out.
    pub treated: bool,
    /// How long after it the first outcome of the asked kind followed within the window, in milliseconds.
    pub reached_after: Option<i64>,
    /// Sum of their values.
    pub value: i64,
    /// The value of the last of them.
    pub last: i64,
}

const OUTCOME_COLUMNS: usize = 9;

impl Store {
    /// Records outcomes together with what follows from them: wishes, and the end of waiting contacts. One that is known
    /// adds nothing; one that contradicts what is known is left out.
    pub async fn record_outcomes(
        &self,
        outcomes: &[NewOutcome],
        now: i64,
        entry: Entry,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.write().await?;
        let recorded = record_new(&mut tx, outcomes, now).await?;
        let added = recorded.fates.iter().filter(|fate| **fate == Fate::Added).count();
        if added > 0 {
            let detail = serde_json::json!({"added": added, "cancelled": recorded.cancelled});
            self.audit(&mut tx, &Entry { detail, ..entry }).await?;
        }
        tx.commit().await.during("recording outcomes")?;
        Ok(recorded)
    }

    /// Every contact with these customers, none of them twice, and every moment at which one was held out, by customer.
    pub async fn met(&self, customers: &[CustomerKey]) -> Result<HashMap<CustomerKey, Vec<Met>>, StoreError> {
        let doing = "reading contacts";
        let mut met: HashMap<CustomerKey, Vec<Met>> = HashMap::new();
        type Row = (Vec<u8>, Option<Vec<u8>>, String, i64, Option<String>, bool);
        let rows: Vec<Row> = sqlx::query_as(of_packed!(
            "SELECT c.customer, c.id, c.activity, c.planned_at, c.state, c.addressee = 'customer' \
               FROM packed CROSS JOIN contacts c ON c.customer = packed.key \
             UNION ALL SELECT c.customer, NULL, p.activity, c.planned_at, NULL, 1 \
               FROM packed CROSS JOIN controls c ON c.customer = packed.key JOIN campaigns p ON p.id = c.campaign"
        ))
        .bind(pack(customers.iter().map(|key| &key.0)))
        .fetch_all(&self.readers)
        .await
        .during(doing)?;
        for (customer, id, activity, at, state, to_customer) in rows {
            let state = match state {
                Some(name) => Some(
                    ContactState::from_name(&name).ok_or_else(|| StoreError::impossible("contacts", "state", name))?,
                ),
                None => None,
            };
            let contact = id.map(|id| id_of(&id)).transpose()?;
            let one = Met { contact, activity, at, state, to_customer };
            met.entry(key_of("contacts", &customer)?).or_default().push(one);
        }
        Ok(met)
    }

    /// Whom contacts are about, by contact; unknown ones are left out.
    pub async fn customers_of(
        &self,
        contacts: &[ContactId],
    ) -> Result<HashMap<ContactId, (CustomerKey, String)>, StoreError> {
        let mut found = HashMap::new();
        for chunk in contacts.chunks(MAX_BINDS) {
            let mut select: QueryBuilder<Sqlite> =
                QueryBuilder::new("SELECT id, customer, activity FROM contacts WHERE id IN (");
            let mut list = select.separated(", ");
            for id in chunk {
                list.push_bind(id.0.to_vec());
            }
            list.push_unseparated(")");
            let rows: Vec<(Vec<u8>, Vec<u8>, String)> =
                select.build_query_as().fetch_all(&self.readers).await.during("reading contacts")?;
            for (id, customer, activity) in rows {
                found.insert(id_of(&id)?, (key_of("contacts", &customer)?, activity));
            }
        }
        Ok(found)
    }

    /// The subjects of a campaign by customer: everybody cleared, and everybody held out, there or in an experiment of
    /// elsewhere; with what followed within `window_ms` after the planned instant. What follows two occasions of a
    /// customer counts for the later one alone.
    pub async fn subjects(&self, campaign: &str, kind: &str, window_ms: i64) -> Result<Vec<Subject>, StoreError> {
        type Row = (Vec<u8>, bool, Option<i64>, i64, i64);
        let rows: Vec<Row> = sqlx::query_as(
            "WITH subject AS ( \
               SELECT customer, occasion, MIN(planned_at) AS at, 1 AS treated FROM contacts WHERE campaign = ?1 \
                 GROUP BY customer, occasion \
               UNION ALL SELECT customer, occasion, planned_at, 0 FROM controls WHERE campaign = ?1 \
               UNION ALL SELECT a.customer, 0, a.at, a.arm = c.treated FROM imported_campaigns c \
                 JOIN assignments a ON a.experiment = c.experiment AND a.arm IN (c.treated, c.control) WHERE c.id = ?1), \
             windowed AS (SELECT *, min(at + ?3, coalesce( \
                 LEAD(at) OVER (PARTITION BY customer ORDER BY at, occasion), at + ?3)) AS until FROM subject) \
             SELECT s.customer, s.treated, MIN(o.at) - s.at, coalesce(SUM(o.value), 0), coalesce(CASE COUNT(o.at) \
                 WHEN 0 THEN 0 WHEN 1 THEN SUM(o.value) ELSE (SELECT l.value FROM outcomes l \
                   INDEXED BY outcomes_by_customer WHERE l.customer = s.customer AND l.kind = ?2 AND l.at >= s.at \
                   AND l.at < s.until ORDER BY l.at DESC, l.seq DESC LIMIT 1) END, 0) FROM windowed s \
               LEFT JOIN outcomes o INDEXED BY outcomes_by_customer ON o.customer = s.customer AND o.kind = ?2 AND o.at >= s.at AND o.at < s.until \
             GROUP BY s.customer, s.occasion, s.treated ORDER BY s.customer, s.occasion",
        )
        .bind(campaign)
        .bind(kind)
        .bind(window_ms)
        .fetch_all(&self.readers)
        .await
        .during("reading subjects of an evaluation")?;
        let subject = |(bytes, treated, reached_after, value, last): Row| {
            Ok(Subject { customer: key_of("contacts", &bytes)?, treated, reached_after, value, last })
        };
        rows.into_iter().map(subject).collect()
    }

    /// Outcomes of a kind that happened in `[from, until)`, by customer and instant.
    pub async fn outcomes_of(&self, kind: &str, from: i64, until: i64) -> Result<Vec<OutcomeLine>, StoreError> {
        type Row = (Vec<u8>, String, Option<i64>, i64, Option<String>, String);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT customer, kind, value, at, activity, source FROM outcomes \
             WHERE kind = ? AND at >= ? AND at < ? ORDER BY customer, at, seq",
        )
        .bind(kind)
        .bind(from)
        .bind(until)
        .fetch_all(&self.readers)
        .await
        .during("reading outcomes")?;
        let line = |(customer, kind, value, at, activity, source): Row| {
            Ok(OutcomeLine { customer: key_of("outcomes", &customer)?, kind, value, at, activity, source })
        };
        rows.into_iter().map(line).collect()
    }
}

/// Records outcomes with what follows from them, within a transaction of others.
pub(crate) async fn record_new(
    tx: &mut Transaction<'static, Sqlite>,
    outcomes: &[NewOutcome],
    now: i64,
) -> Result<Recorded, StoreError> {
    let mut recorded = Recorded::default();
    for chunk in outcomes.chunks(MAX_BINDS / OUTCOME_COLUMNS) {
        let fates = fates_of(tx, chunk).await?;
        let fresh = chunk.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Added).map(|(outcome, _)| outcome);
        let new: Vec<&NewOutcome> = fresh.collect();
        insert_outcomes(tx, &new).await?;
        recorded.fates.extend(fates);
        for outcome in new {
            if let Some(wish) = &outcome.wish {
                add_wish(tx, outcome.customer, wish, outcome.at).await?;
            }
            recorded.cancelled += cancel(tx, outcome, now).await?;
        }
    }
    Ok(recorded)
}

/// What makes two outcomes the same one when their sender gives no id.
type Natural = (CustomerKey, String, i64, Option<String>);

/// What is known of a chunk's outcomes, by id and by what they say.
#[derive(Default)]
struct KnownOutcomes {
    by_id: HashMap<String, (Natural, Option<i64>)>,
    by_nature: HashMap<Natural, Option<i64>>,
}

impl KnownOutcomes {
    fn learn(&mut self, id: &str, natural: Natural, value: Option<i64>) {
        self.by_id.insert(id.to_owned(), (natural.clone(), value));
        self.by_nature.entry(natural).or_insert(value);
    }

    fn fate(&self, outcome: &NewOutcome) -> Fate {
        let natural = natural_of(outcome);
        let same = |found: Option<i64>| if found == outcome.value { Fate::Repeated } else { Fate::Conflict };
        match (self.by_id.get(&outcome.id), self.by_nature.get(&natural)) {
            (Some((known, value)), _) => {
                if *known == natural {
                    same(*value)
                } else {
                    Fate::Conflict
                }
            }
            (None, Some(value)) if !outcome.named => same(*value),
            _ => Fate::Added,
        }
    }
}

fn natural_of(outcome: &NewOutcome) -> Natural {
    (outcome.customer, outcome.kind.clone(), outcome.at, outcome.activity.clone())
}

async fn fates_of(tx: &mut Transaction<'static, Sqlite>, chunk: &[NewOutcome]) -> Result<Vec<Fate>, StoreError> {
    // Whatever bears its sender's id is told apart by it alone.
    let mut customers: Vec<CustomerKey> = chunk.iter().filter(|o| !o.named).map(|o| o.customer).collect();
    customers.sort_unstable();
    customers.dedup();
    type Row = (String, Vec<u8>, String, i64, Option<String>, Option<i64>);
    let doing = "recording outcomes";
    let ids: Vec<&str> = chunk.iter().map(|o| o.id.as_str()).collect();
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT o.id, o.customer, o.kind, o.at, o.activity, o.value FROM json_each(?) named \
         CROSS JOIN outcomes o ON o.id = named.value",
    )
    .bind(to_json("outcomes", ids.len(), &ids)?)
    .fetch_all(&mut **tx)
    .await
    .during(doing)?;
    if !customers.is_empty() {
        let of_them = sqlx::query_as(of_packed!(
            "SELECT o.id, o.customer, o.kind, o.at, o.activity, o.value FROM packed \
             CROSS JOIN outcomes o ON o.customer = packed.key"
        ));
        let of_them: Vec<Row> =
            of_them.bind(pack(customers.iter().map(|key| &key.0))).fetch_all(&mut **tx).await.during(doing)?;
        rows.extend(of_them);
        rows.sort_unstable();
        rows.dedup();
    }
    let mut known = KnownOutcomes::default();
    for (id, customer, kind, at, activity, value) in rows {
        known.learn(&id, (key_of("outcomes", &customer)?, kind, at, activity), value);
    }
    let mut fates = Vec::with_capacity(chunk.len());
    for outcome in chunk {
        let fate = known.fate(outcome);
        if fate == Fate::Added {
            known.learn(&outcome.id, natural_of(outcome), outcome.value);
        }
        fates.push(fate);
    }
    Ok(fates)
}

async fn insert_outcomes(tx: &mut Transaction<'static, Sqlite>, outcomes: &[&NewOutcome]) -> Result<(), StoreError> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let mut next = take_seq(tx, outcomes.len()).await?;
    for piece in pieces(outcomes) {
        let first = next;
        next += piece.len() as i64;
        let mut insert =
            QueryBuilder::new("INSERT INTO outcomes (seq, id, customer, kind, value, at, activity, source, contact) ");
        insert.push_values(piece.iter().enumerate(), |mut row, (i, outcome)| {
            row.push_bind(first + i as i64)
                .push_bind(&outcome.id)
                .push_bind(outcome.customer.0.to_vec())
                .push_bind(&outcome.kind)
                .push_bind(outcome.value)
                .push_bind(outcome.at)
                .push_bind(&outcome.activity)
                .push_bind(outcome.source)
                .push_bind(outcome.contact.map(|id| id.0.to_vec()));
        });
        insert.build().execute(&mut **tx).await.during("recording outcomes")?;
    }
    Ok(())
}

pub(crate) async fn add_wish(
    tx: &mut Transaction<'static, Sqlite>,
    customer: CustomerKey,
    wish: &Wish,
    at: i64,
) -> Result<(), StoreError> {
    let seq = take_seq(tx, 1).await?;
    sqlx::query("INSERT INTO wishes (seq, customer, wish, at) VALUES (?, ?, ?, ?)")
        .bind(seq)
        .bind(customer.0.to_vec())
        .bind(to_json("wishes", customer, wish)?)
        .bind(at)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .during("recording a wish")
}

async fn cancel(tx: &mut Transaction<'static, Sqlite>, outcome: &NewOutcome, now: i64) -> Result<u64, StoreError> {
    let mut ended: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for Cancel { activity, classes } in &outcome.cancels {
        let classes: Vec<&str> = classes.iter().map(|class| class.name()).collect();
        ended.extend(
            sqlx::query_as(
                "UPDATE contacts SET state = 'cancelled' WHERE customer = ? AND activity = coalesce(?, activity) \
                 AND class IN (SELECT value FROM json_each(?)) AND (state IN ('planned', 'released') OR \
                   (state = 'sending' AND EXISTS (SELECT 1 FROM handouts h WHERE h.contact = contacts.id \
                     AND h.result IS NULL))) RETURNING id, customer",
            )
            .bind(outcome.customer.0.to_vec())
            .bind(activity)
            .bind(to_json("contacts", outcome.customer, &classes)?)
            .fetch_all(&mut **tx)
            .await
            .during("cancelling waiting contacts")?,
        );
    }
    log_states(tx, &ended, "cancelled", now, &outcome.kind).await?;
    Ok(ended.len() as u64)
}
