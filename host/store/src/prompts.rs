//! Calls and visits, and the prompts that an agent was shown: ledger lines like every other contact's.

use crate::contacts::{
    NewContact, NewControl, StoredContact, contact_of, insert_contacts, insert_controls, log_states,
};
use crate::due::FREE;
use crate::error::{During, StoreError};
use crate::events::{cancel_waiting, release};
use crate::outcomes::{NewOutcome, record_new};
use crate::plans::spent;
use crate::registry::{from_json, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::contact::Channel;
use care_domain::key::CustomerKey;
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use std::collections::BTreeSet;

/// The name of no plan: everything that was spent counts.
const NO_PLAN: &str = "";

/// A call or visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Its id.
    pub id: String,
    /// Who called.
    pub customer: CustomerKey,
    /// When, Unix milliseconds.
    pub at: i64,
    /// Where.
    pub channel: String,
    /// About what.
    pub topic: String,
    /// Who asked on the customer's behalf.
    pub person: String,
}

/// What a prompt says, and what an acceptance may send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptDocument {
    /// What the agent says.
    pub prompt: NewContact,
    /// The message after the call.
    pub sms: Option<NewContact>,
    /// The task for a department.
    pub task: Option<NewContact>,
}

/// A prompt that was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptRecord {
    /// Its id.
    pub id: String,
    /// The call.
    pub call: String,
    /// What decided, as pinned.
    pub world: String,
    /// What it says and may send.
    pub document: PromptDocument,
    /// `shown`, `accepted` or `declined`.
    pub state: String,
}

/// What is known of a customer's earlier calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Calls since the day began.
    pub today: u64,
    /// When the last one was, on whatever day.
    pub last: Option<i64>,
    /// Prompts that the customer declined: activity and occasion.
    pub declined: BTreeSet<(String, i64)>,
}

/// An answer to a prompt.
#[derive(Debug)]
pub struct PromptAnswer<'a> {
    /// The prompt.
    pub prompt: &'a PromptRecord,
    /// Whether the customer liked it.
    pub accepted: bool,
    /// What goes out after an acceptance.
    pub follow_up: Option<&'a NewContact>,
    /// What its version may spend in all, in fen; `None` where nothing limits it.
    pub budget_fen: Option<u64>,
    /// The ledger's line.
    pub outcome: NewOutcome,
}

/// What keeping an answer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKept {
    /// It is kept, and ended so many waiting contacts.
    Kept(u64),
    /// The prompt was answered before.
    Before,
    /// What should follow costs more than is left; nothing is kept.
    BudgetSpent,
}

impl Store {
    /// What is known of a customer's earlier calls; `today` is when the day began.
    pub async fn seen(&self, customer: CustomerKey, today: i64) -> Result<Seen, StoreError> {
        let doing = "reading earlier calls";
        let (count, last): (i64, Option<i64>) =
            sqlx::query_as("SELECT coalesce(SUM(at >= ?), 0), MAX(at) FROM calls WHERE customer = ?")
                .bind(today)
                .bind(customer.0.to_vec())
                .fetch_one(&self.readers)
                .await
                .during(doing)?;
        let declined: Vec<(String, i64)> =
            sqlx::query_as("SELECT activity, occasion FROM prompts WHERE customer = ? AND state = 'declined'")
                .bind(customer.0.to_vec())
                .fetch_all(&self.readers)
                .await
                .during(doing)?;
        Ok(Seen { today: count as u64, last, declined: declined.into_iter().collect() })
    }

    /// What waits until this customer comes by: free to be said now on one of these channels, more urgent first.
    pub async fn waiting_for(
        &self,
        customer: CustomerKey,
        channels: &[Channel],
        now: i64,
    ) -> Result<Vec<StoredContact>, StoreError> {
        let doing = "reading what waits for a visit";
        let mut select: QueryBuilder<Sqlite> = QueryBuilder::new("SELECT * FROM contacts WHERE customer = ");
        select.push_bind(customer.0.to_vec()).push(" AND state = 'released' AND planned_at <= ").push_bind(now);
        select.push(" AND not_after >= ").push_bind(now).push(" AND coalesce(via, channel) IN (");
        let mut list = select.separated(", ");
        for channel in channels {
            list.push_bind(channel.name());
        }
        list.push_unseparated(")");
        select.push(FREE);
        let rows = select.build().fetch_all(&self.readers).await.during(doing)?;
        let mut waiting: Vec<StoredContact> = rows.iter().map(contact_of).collect::<Result<_, _>>()?;
        waiting.sort_by_key(|contact| (contact.planned.class, contact.planned.planned_at, contact.planned.id));
        Ok(waiting)
    }

    /// Keeps a call with the prompts that were shown, and who was held out of which.
    pub async fn keep_call(
        &self,
        call: &CallRecord,
        prompts: &[PromptRecord],
        controls: &[NewControl],
        outcomes: &[NewOutcome],
    ) -> Result<(), StoreError> {
        let doing = "keeping a call";
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO calls (id, customer, at, channel, topic, person) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(&call.id)
            .bind(call.customer.0.to_vec())
            .bind(call.at)
            .bind(&call.channel)
            .bind(&call.topic)
            .bind(&call.person)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        for chunk in prompts.chunks(MAX_BINDS / 8) {
            let mut documents = Vec::with_capacity(chunk.len());
            for prompt in chunk {
                documents.push(to_json("prompts", &prompt.id, &prompt.document)?);
            }
            let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
                "INSERT INTO prompts (id, call, customer, world, activity, occasion, document, state) ",
            );
            insert.push_values(chunk.iter().zip(documents), |mut row, (prompt, document)| {
                let PromptDocument { prompt: contact, .. } = &prompt.document;
                row.push_bind(&prompt.id)
                    .push_bind(&prompt.call)
                    .push_bind(contact.customer.0.to_vec())
                    .push_bind(&prompt.world)
                    .push_bind(&contact.activity)
                    .push_bind(contact.occasion)
                    .push_bind(document)
                    .push_bind(&prompt.state);
            });
            insert.build().execute(&mut *tx).await.during(doing)?;
        }
        if let Some(world) = prompts.first().map(|p| p.world.as_str()) {
            insert_controls(&mut tx, world, controls).await?;
        }
        record_new(&mut tx, outcomes, call.at).await?;
        tx.commit().await.during(doing)
    }

    /// A prompt by its id.
    pub async fn prompt(&self, id: &str) -> Result<Option<PromptRecord>, StoreError> {
        let doing = "reading a prompt";
        let row = sqlx::query("SELECT id, call, world, document, state FROM prompts WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .during(doing)?;
        let Some(row) = row else { return Ok(None) };
        let text = |column: &str| row.try_get::<String, _>(column).during(doing);
        Ok(Some(PromptRecord {
            id: text("id")?,
            call: text("call")?,
            world: text("world")?,
            document: from_json("prompts", id, &text("document")?)?,
            state: text("state")?,
        }))
    }

    /// Keeps an answer, once. An acceptance stops what waits outbound of the activity, and sends what was chosen.
    pub async fn answer_prompt(&self, answer: &PromptAnswer<'_>, entry: &Entry) -> Result<PromptKept, StoreError> {
        let doing = "answering a prompt";
        let (prompt, contact) = (answer.prompt, &answer.prompt.document.prompt);
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE prompts SET state = ?, answered_at = ?, answered_by = ? WHERE id = ? AND state = 'shown'",
        )
        .bind(if answer.accepted { "accepted" } else { "declined" })
        .bind(entry.at)
        .bind(&entry.person)
        .bind(&prompt.id)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if moved.rows_affected() == 0 {
            return Ok(PromptKept::Before);
        }
        said(&mut tx, contact, entry.at).await?;
        let mut ended = 0;
        if let Some(follow_up) = answer.follow_up
            && let Some(budget_fen) = answer.budget_fen
            && spent(&mut *tx, &follow_up.component, NO_PLAN).await? + follow_up.cost_fen > budget_fen
        {
            return Ok(PromptKept::BudgetSpent);
        }
        if answer.accepted {
            let ends = [(contact.customer, contact.activity.clone(), answer.outcome.kind.clone())];
            ended = cancel_waiting(&mut tx, &ends, entry.at).await?;
            insert_contacts(&mut tx, &prompt.world, std::slice::from_ref(contact)).await?;
            let said: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
                "UPDATE contacts SET state = 'sent' WHERE id = ? AND state = 'planned' RETURNING id, customer",
            )
            .bind(contact.id.0.to_vec())
            .fetch_all(&mut *tx)
            .await
            .during(doing)?;
            log_states(&mut tx, &said, "sent", entry.at, "said at the desk").await?;
            if let Some(follow_up) = answer.follow_up {
                insert_contacts(&mut tx, &prompt.world, std::slice::from_ref(follow_up)).await?;
                release(&mut tx, std::slice::from_ref(follow_up), entry.at).await?;
            }
        }
        record_new(&mut tx, std::slice::from_ref(&answer.outcome), entry.at).await?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)?;
        Ok(PromptKept::Kept(ended))
    }
}

/// A contact that waited for the visit was said now, whatever the customer answered.
async fn said(tx: &mut Transaction<'static, Sqlite>, contact: &NewContact, at: i64) -> Result<(), StoreError> {
    let said: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "UPDATE contacts SET state = 'sent', lease = NULL WHERE id = ? AND state = 'released' \
         AND coalesce(via, channel) IN ('touchpoint', 'store') RETURNING id, customer",
    )
    .bind(contact.id.0.to_vec())
    .fetch_all(&mut **tx)
    .await
    .during("keeping what was said")?;
    log_states(tx, &said, "sending", at, "shown at the desk").await?;
    log_states(tx, &said, "sent", at, "said at the desk").await
}
