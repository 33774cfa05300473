//! Outcomes and wishes: what customers did and said, append-only; and the subjects of an evaluation.

use crate::contacts::log_states;
use crate::error::{During, StoreError};
use crate::reference::key_of;
use crate::registry::to_json;
use crate::{MAX_BINDS, Store, take_seq};
use care_domain::audit::Entry;
use care_domain::decide::Wishes;
use care_domain::key::CustomerKey;
use care_domain::policy::Class;
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite, Transaction};

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

/// What recording did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// New outcomes.
    pub added: u64,
    /// Known before.
    pub repeated: u64,
    /// Waiting contacts that they cancelled.
    pub cancelled: u64,
}

/// One customer and occasion of a campaign, treated or held out, with what followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who.
    pub customer: CustomerKey,
    /// Contacted (or meant to be) rather than held out.
    pub treated: bool,
    /// Whether an outcome of the asked kind followed within the window.
    pub reached: bool,
    /// Sum of its values.
    pub value: i64,
}

const OUTCOME_COLUMNS: usize = 7;

impl Store {
    /// Records outcomes together with what follows from them: wishes, and the end of waiting contacts.
    pub async fn record_outcomes(
        &self,
        outcomes: &[NewOutcome],
        now: i64,
        entry: Entry,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.write().await?;
        let recorded = record_new(&mut tx, outcomes, now).await?;
        if recorded.added > 0 {
            let detail = serde_json::json!({"added": recorded.added, "cancelled": recorded.cancelled});
            self.audit(&mut tx, &Entry { detail, ..entry }).await?;
        }
        tx.commit().await.during("recording outcomes")?;
        Ok(recorded)
    }

    /// The subjects of a campaign by customer: everybody cleared, and everybody held out; with what followed
    /// within `window_ms` after the planned instant.
    pub async fn subjects(&self, campaign: &str, kind: &str, window_ms: i64) -> Result<Vec<Subject>, StoreError> {
        let rows: Vec<(Vec<u8>, bool, bool, i64)> = sqlx::query_as(
            "WITH subject AS ( \
               SELECT customer, occasion, MIN(planned_at) AS at, 1 AS treated FROM contacts WHERE campaign = ?1 \
                 GROUP BY customer, occasion \
               UNION ALL SELECT customer, occasion, planned_at, 0 FROM controls WHERE campaign = ?1) \
             SELECT s.customer, s.treated, \
               EXISTS (SELECT 1 FROM outcomes o WHERE o.customer = s.customer AND o.kind = ?2 \
                         AND o.at >= s.at AND o.at < s.at + ?3), \
               (SELECT coalesce(SUM(o.value), 0) FROM outcomes o WHERE o.customer = s.customer AND o.kind = ?2 \
                         AND o.at >= s.at AND o.at < s.at + ?3) \
             FROM subject s ORDER BY s.customer, s.occasion",
        )
        .bind(campaign)
        .bind(kind)
        .bind(window_ms)
        .fetch_all(&self.readers)
        .await
        .during("reading subjects of an evaluation")?;
        let subject = |(bytes, treated, reached, value): (Vec<u8>, bool, bool, i64)| {
            Ok(Subject { customer: key_of("contacts", &bytes)?, treated, reached, value })
        };
        rows.into_iter().map(subject).collect()
    }
}

/// Records outcomes, their wishes, and the end of waiting contacts.
pub(crate) async fn record_new(
    tx: &mut Transaction<'static, Sqlite>,
    outcomes: &[NewOutcome],
    now: i64,
) -> Result<Recorded, StoreError> {
    let mut recorded = Recorded::default();
    for chunk in outcomes.chunks(MAX_BINDS / OUTCOME_COLUMNS) {
        let new = insert_outcomes(tx, chunk).await?;
        recorded.added += new.len() as u64;
        recorded.repeated += (chunk.len() - new.len()) as u64;
        for outcome in new {
            if let Some(wish) = &outcome.wish {
                add_wish(tx, outcome.customer, wish, outcome.at).await?;
            }
            recorded.cancelled += cancel(tx, outcome, now).await?;
        }
    }
    Ok(recorded)
}

/// Inserts outcomes; returns those that were not known before, each once.
async fn insert_outcomes<'a>(
    tx: &mut Transaction<'static, Sqlite>,
    outcomes: &'a [NewOutcome],
) -> Result<Vec<&'a NewOutcome>, StoreError> {
    let first = take_seq(tx, outcomes.len()).await?;
    let mut insert = QueryBuilder::new("INSERT INTO outcomes (seq, id, customer, kind, value, at, activity) ");
    insert.push_values(outcomes.iter().enumerate(), |mut row, (i, outcome)| {
        row.push_bind(first + i as i64)
            .push_bind(&outcome.id)
            .push_bind(outcome.customer.0.to_vec())
            .push_bind(&outcome.kind)
            .push_bind(outcome.value)
            .push_bind(outcome.at)
            .push_bind(&outcome.activity);
    });
    insert.push(" ON CONFLICT (id) DO NOTHING RETURNING seq");
    let added: Vec<i64> = insert.build_query_scalar().fetch_all(&mut **tx).await.during("recording outcomes")?;
    Ok(added.into_iter().filter_map(|seq| outcomes.get((seq - first) as usize)).collect())
}

async fn add_wish(
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
        for class in classes {
            ended.extend(
                sqlx::query_as(
                    "UPDATE contacts SET state = 'cancelled' WHERE customer = ? AND activity = coalesce(?, activity) \
                     AND class = ? AND state IN ('planned', 'released') RETURNING id, customer",
                )
                .bind(outcome.customer.0.to_vec())
                .bind(activity)
                .bind(class.name())
                .fetch_all(&mut **tx)
                .await
                .during("cancelling waiting contacts")?,
            );
        }
    }
    log_states(tx, &ended, "cancelled", now, &outcome.kind).await?;
    Ok(ended.len() as u64)
}
