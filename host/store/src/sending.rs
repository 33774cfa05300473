//! Contacts on their way by a gateway that answers for each: leased, intended, answered. A lease keeps other dispatchers
//! away and changes nothing else; the intent is written before anything goes out.

use crate::contacts::{StoredContact, contact_of, id_of, log_states};
use crate::due::{FREE, due, lines, of_line};
use crate::error::{During, StoreError};
use crate::outcomes::Wish;
use crate::reference::key_of;
use crate::registry::from_json;
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::contact::{Channel, ContactId};
use care_domain::decide::Wishes;
use care_domain::dispatch::{Answer, Bucket, Line, Next};
use care_domain::key::CustomerKey;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whom a dispatcher asks contacts for.
#[derive(Debug, Clone, Copy)]
pub struct Leasing<'a> {
    /// Names the lease: one of this dispatcher alone.
    pub lease: &'a str,
    /// On this channel.
    pub channel: Channel,
    /// Of versions that may run.
    pub versions: &'a [String],
    /// Now.
    pub now: i64,
    /// After this instant another dispatcher may take them.
    pub until: i64,
}

/// What was leased.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leased {
    /// In the order in which they should go out.
    pub contacts: Vec<StoredContact>,
    /// How many were due, of each line no more than were asked for; also those for which a rate left no room.
    pub due: u64,
}

/// An intent to send: the contact is `sending` from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// The contact.
    pub contact: ContactId,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Attempts before that the gateway failed on, or left without an answer.
    pub failures: u32,
}

/// What came of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The contact.
    pub contact: ContactId,
    /// Number of the attempt.
    pub attempt: u32,
    /// What the gateway said.
    pub answer: Answer,
    /// What follows.
    pub next: Next,
}

/// What happened to a customer since a contact was planned.
#[derive(Debug, Clone, Default)]
pub struct Since {
    /// Everything the customer ever wished.
    pub wishes: Wishes,
    /// Kinds of outcomes, with their place in the ledger.
    pub outcomes: Vec<(i64, String)>,
}

/// A contact that was given up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeadLetter {
    /// The contact.
    pub contact: String,
    /// Its campaign.
    pub campaign: String,
    /// Its channel.
    pub channel: String,
    /// When, Unix milliseconds.
    pub at: i64,
    /// By which gateway.
    pub gateway: String,
    /// Why.
    pub why: String,
    /// After this instant it is useless.
    pub not_after: i64,
}

impl Store {
    /// Leases what is due, free to go and not in another dispatcher's hand, at most `most`. `allot` is told how much waits
    /// by class, tier and campaign, counted up to `most`, with the campaigns' token buckets, and answers how many of each
    /// and the buckets as they are then.
    pub async fn lease(
        &self,
        asked: Leasing<'_>,
        most: u64,
        allot: impl FnOnce(&[Line], &mut BTreeMap<String, Bucket>) -> Vec<u64>,
    ) -> Result<Leased, StoreError> {
        let doing = "leasing contacts";
        if asked.versions.is_empty() {
            return Ok(Leased::default());
        }
        let mut tx = self.write().await?;
        let lines = lines(&mut tx, asked, most).await?;
        if lines.is_empty() {
            return Ok(Leased::default());
        }
        let mut buckets = buckets(&mut tx).await?;
        let shares = allot(&lines, &mut buckets);
        let mut contacts = Vec::new();
        for (line, share) in lines.iter().zip(shares).filter(|(_, share)| *share > 0) {
            contacts.extend(take(&mut tx, asked, line, share).await?);
        }
        keep_buckets(&mut tx, &buckets).await?;
        tx.commit().await.during(doing)?;
        contacts.sort_by_cached_key(|c| (c.planned.class, c.planned.tier, c.planned.planned_at, c.planned.id));
        Ok(Leased { contacts, due: lines.iter().map(|line| line.waiting).sum() })
    }

    /// Writes the intents for leased contacts that are still free to go and useful, and says which they are. What was
    /// cancelled, withdrawn or held meanwhile is not among them.
    pub async fn intend(
        &self,
        asked: Leasing<'_>,
        contacts: &[ContactId],
        gateway: &str,
    ) -> Result<Vec<Intent>, StoreError> {
        let doing = "writing intents";
        let mut tx = self.write().await?;
        let mut update = QueryBuilder::new("UPDATE contacts SET state = 'sending', lease_until = ");
        update.push_bind(asked.until).push(" WHERE state = 'released' AND lease = ").push_bind(asked.lease);
        update.push(" AND not_after >= ").push_bind(asked.now).push(FREE);
        in_list(&mut update, "id", contacts.iter().map(|c| c.0.to_vec()));
        update.push(" RETURNING id, customer");
        let moved: Vec<(Vec<u8>, Vec<u8>)> = update.build_query_as().fetch_all(&mut *tx).await.during(doing)?;
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Vec<u8>> = moved.iter().map(|(id, _)| id.clone()).collect();
        let past = attempts(&mut tx, &ids).await?;
        let before = |id: &Vec<u8>| past.get(id).copied().unwrap_or((0, 0));
        let mut insert =
            QueryBuilder::new("INSERT INTO sends (contact, attempt, customer, channel, gateway, started_at) ");
        insert.push_values(&moved, |mut row, (id, customer)| {
            row.push_bind(id)
                .push_bind(before(id).0 + 1)
                .push_bind(customer)
                .push_bind(asked.channel.name())
                .push_bind(gateway.to_owned())
                .push_bind(asked.now);
        });
        insert.build().execute(&mut *tx).await.during(doing)?;
        log_states(&mut tx, &moved, "sending", asked.now, gateway).await?;
        tx.commit().await.during(doing)?;
        let intent = |(id, _): &(Vec<u8>, Vec<u8>)| {
            let (last, bad) = before(id);
            Ok(Intent { contact: id_of(id)?, attempt: last as u32 + 1, failures: bad as u32 })
        };
        moved.iter().map(intent).collect()
    }

    /// Gives leased contacts back that will not go out by this dispatcher.
    pub async fn give_back(&self, lease: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE contacts SET lease = NULL, lease_until = NULL WHERE state = 'released' AND lease = ?")
            .bind(lease)
            .execute(&mut *tx)
            .await
            .during("giving leased contacts back")?;
        tx.commit().await.during("giving leased contacts back")
    }

    /// Ends leased contacts that must not go out any more, with the reason.
    pub async fn cancel_leased(&self, contacts: &[(ContactId, String)], at: i64) -> Result<u64, StoreError> {
        let doing = "cancelling leased contacts";
        let mut alike: BTreeMap<&str, Vec<ContactId>> = BTreeMap::new();
        for (contact, why) in contacts {
            alike.entry(why).or_default().push(*contact);
        }
        let mut tx = self.write().await?;
        let mut ended = 0;
        for (why, ids) in alike {
            let mut update =
                QueryBuilder::new("UPDATE contacts SET state = 'cancelled', lease = NULL WHERE state = 'released'");
            in_list(&mut update, "id", ids.iter().map(|c| c.0.to_vec()));
            update.push(" RETURNING id, customer");
            let gone: Vec<(Vec<u8>, Vec<u8>)> = update.build_query_as().fetch_all(&mut *tx).await.during(doing)?;
            ended += gone.len() as u64;
            log_states(&mut tx, &gone, "cancelled", at, why).await?;
        }
        tx.commit().await.during(doing)?;
        Ok(ended)
    }

    /// Writes answers and what follows from them. A contact that was settled before stays as it is.
    pub async fn answered(&self, gateway: &str, answered: &[Answered], now: i64) -> Result<(), StoreError> {
        let doing = "writing answers";
        let mut tx = self.write().await?;
        let mut ends: BTreeMap<(&str, &str), Vec<&Answered>> = BTreeMap::new();
        for one in answered {
            answer_line(&mut tx, one, now).await?;
            if let Next::Settle { state, note, .. } = &one.next {
                ends.entry((state.name(), note)).or_default().push(one);
            }
        }
        keep_parts(&mut tx, gateway, answered).await?;
        for ((state, note), alike) in ends {
            // An answer that comes late still proves that the gateway has the message.
            let from = if state == "sent" { "('sending', 'unknown')" } else { "('sending')" };
            let mut update = QueryBuilder::new("UPDATE contacts SET lease = NULL, lease_until = NULL, state = ");
            update.push_bind(state.to_owned()).push(" WHERE state IN ").push(from);
            in_list(&mut update, "id", alike.iter().map(|a| a.contact.0.to_vec()));
            update.push(" RETURNING id, customer");
            let moved: Vec<(Vec<u8>, Vec<u8>)> = update.build_query_as().fetch_all(&mut *tx).await.during(doing)?;
            log_states(&mut tx, &moved, state, now, note).await?;
        }
        for one in answered {
            match &one.next {
                Next::Settle { dead: true, note, .. } => bury(&mut tx, one.contact, gateway, note, now).await?,
                Next::Settle { .. } => {}
                Next::Again { at, note } => again(&mut tx, one.contact, *at, note, now).await?,
            }
        }
        tx.commit().await.during(doing)
    }

    /// Takes over the intents of dispatchers that are gone: their lease ended without an answer. Each goes to one taker.
    pub async fn take_lapsed(&self, asked: Leasing<'_>) -> Result<Vec<Intent>, StoreError> {
        let doing = "taking lapsed intents over";
        let mut tx = self.write().await?;
        let mut taken: Vec<Vec<u8>> = sqlx::query_scalar(
            "UPDATE contacts SET lease = ?, lease_until = ? WHERE state = 'sending' AND batch IS NULL \
             AND lease_until < ? AND coalesce(via, channel) = ? RETURNING id",
        )
        .bind(asked.lease)
        .bind(asked.until)
        .bind(asked.now)
        .bind(asked.channel.name())
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        taken.sort_unstable();
        let mut intents = Vec::with_capacity(taken.len());
        for chunk in taken.chunks(MAX_BINDS) {
            for (id, (last, bad)) in attempts(&mut tx, chunk).await? {
                intents.push(Intent { contact: id_of(&id)?, attempt: last as u32, failures: bad as u32 });
            }
        }
        tx.commit().await.during(doing)?;
        Ok(intents)
    }

    /// What happened to customers: wishes and outcomes, by customer.
    pub async fn since(&self, customers: &[CustomerKey]) -> Result<HashMap<CustomerKey, Since>, StoreError> {
        let doing = "reading what happened meanwhile";
        let customers: BTreeSet<CustomerKey> = customers.iter().copied().collect();
        let customers: Vec<CustomerKey> = customers.into_iter().collect();
        let mut found: HashMap<CustomerKey, Since> = HashMap::new();
        for chunk in customers.chunks(MAX_BINDS) {
            let mut select = QueryBuilder::new("SELECT customer, wish FROM wishes WHERE 1");
            in_list(&mut select, "customer", chunk.iter().map(|c| c.0.to_vec()));
            select.push(" ORDER BY seq");
            let wishes: Vec<(Vec<u8>, String)> =
                select.build_query_as().fetch_all(&self.readers).await.during(doing)?;
            for (bytes, wish) in wishes {
                let key = key_of("wishes", &bytes)?;
                let wish: Wish = from_json("wishes", key, &wish)?;
                wish.apply(&mut found.entry(key).or_default().wishes);
            }
            let mut select = QueryBuilder::new("SELECT customer, seq, kind FROM outcomes WHERE 1");
            in_list(&mut select, "customer", chunk.iter().map(|c| c.0.to_vec()));
            let outcomes: Vec<(Vec<u8>, i64, String)> =
                select.build_query_as().fetch_all(&self.readers).await.during(doing)?;
            for (bytes, seq, kind) in outcomes {
                found.entry(key_of("outcomes", &bytes)?).or_default().outcomes.push((seq, kind));
            }
        }
        Ok(found)
    }

    /// Dead letters that nobody replayed, oldest first.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let rows: Vec<LetterRow> = sqlx::query_as(
            "SELECT d.contact, c.campaign, coalesce(c.via, c.channel), d.at, d.gateway, d.why, c.not_after \
             FROM dead_letters d JOIN contacts c ON c.id = d.contact WHERE d.replayed_at IS NULL ORDER BY d.at, d.contact",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading dead letters")?;
        let letter = |(id, campaign, channel, at, gateway, why, not_after): LetterRow| {
            Ok(DeadLetter { contact: id_of(&id)?.to_string(), campaign, channel, at, gateway, why, not_after })
        };
        rows.into_iter().map(letter).collect()
    }

    /// Lets dead letters wait again, all of a campaign or all there are, unless they became useless; returns how many.
    pub async fn replay_dead(&self, campaign: Option<&str>, now: i64, entry: &Entry) -> Result<u64, StoreError> {
        let doing = "replaying dead letters";
        let mut tx = self.write().await?;
        let moved: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "UPDATE contacts SET state = 'released', due_at = ?1, lease = NULL \
             WHERE state IN ('failed', 'unknown') AND not_after >= ?1 AND campaign = coalesce(?2, campaign) \
             AND id IN (SELECT contact FROM dead_letters WHERE replayed_at IS NULL) RETURNING id, customer",
        )
        .bind(now)
        .bind(campaign)
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        log_states(&mut tx, &moved, "released", now, "dead letter replayed").await?;
        for chunk in moved.chunks(MAX_BINDS - 1) {
            let mut update = QueryBuilder::new("UPDATE dead_letters SET replayed_at = ");
            update.push_bind(now).push(" WHERE replayed_at IS NULL");
            in_list(&mut update, "contact", chunk.iter().map(|(id, _)| id.clone()));
            update.build().execute(&mut *tx).await.during(doing)?;
        }
        if !moved.is_empty() {
            let detail = serde_json::json!({"contacts": moved.len(), "campaign": campaign});
            self.audit(&mut tx, &Entry { detail, ..entry.clone() }).await?;
        }
        tx.commit().await.during(doing)?;
        Ok(moved.len() as u64)
    }

    /// How many contacts stand where, by the channel that they go by.
    pub async fn states_by_channel(&self) -> Result<BTreeMap<String, BTreeMap<String, u64>>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT coalesce(via, channel), state, COUNT(*) FROM contacts GROUP BY 1, 2")
                .fetch_all(&self.readers)
                .await
                .during("counting contacts by channel")?;
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (channel, state, count) in rows {
            counts.entry(channel).or_default().insert(state, count as u64);
        }
        Ok(counts)
    }

    /// Contacts by their ids.
    pub async fn contacts_by_id(&self, ids: &[ContactId]) -> Result<Vec<StoredContact>, StoreError> {
        let mut contacts = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(MAX_BINDS) {
            let mut select = QueryBuilder::new("SELECT * FROM contacts WHERE 1");
            in_list(&mut select, "id", chunk.iter().map(|c| c.0.to_vec()));
            let rows = select.build().fetch_all(&self.readers).await.during("reading contacts")?;
            for row in &rows {
                contacts.push(contact_of(row)?);
            }
        }
        Ok(contacts)
    }
}

/// The last attempt of each contact that had one, and how many the gateway failed on or left without an answer.
async fn attempts(
    tx: &mut Transaction<'_, Sqlite>,
    contacts: &[Vec<u8>],
) -> Result<BTreeMap<Vec<u8>, (i64, i64)>, StoreError> {
    let mut past =
        QueryBuilder::new("SELECT contact, MAX(attempt), SUM(answer IN ('busy', 'lost')) FROM sends WHERE 1");
    in_list(&mut past, "contact", contacts.iter().cloned());
    past.push(" GROUP BY contact");
    let rows: Vec<(Vec<u8>, i64, i64)> = past.build_query_as().fetch_all(&mut **tx).await.during("reading attempts")?;
    Ok(rows.into_iter().map(|(id, last, bad)| (id, (last, bad))).collect())
}

/// A dead letter as it is read.
type LetterRow = (Vec<u8>, String, String, i64, String, String, i64);

/// ` AND <column> IN (…)`.
fn in_list(query: &mut QueryBuilder<Sqlite>, column: &str, values: impl Iterator<Item = Vec<u8>>) {
    query.push(format!(" AND {column} IN ("));
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    list.push_unseparated(")");
}

async fn take(
    tx: &mut Transaction<'static, Sqlite>,
    asked: Leasing<'_>,
    line: &Line,
    share: u64,
) -> Result<Vec<StoredContact>, StoreError> {
    let mut update = QueryBuilder::new("UPDATE contacts SET lease = ");
    update.push_bind(asked.lease).push(", lease_until = ").push_bind(asked.until).push(" WHERE id IN (SELECT id");
    due(&mut update, asked);
    of_line(&mut update, line);
    update.push(" ORDER BY planned_at LIMIT ");
    update.push_bind(share as i64).push(") RETURNING *");
    let rows = update.build().fetch_all(&mut **tx).await.during("leasing contacts")?;
    rows.iter().map(contact_of).collect()
}

async fn buckets(tx: &mut Transaction<'static, Sqlite>) -> Result<BTreeMap<String, Bucket>, StoreError> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as("SELECT scope, thousandths, at FROM rates")
        .fetch_all(&mut **tx)
        .await
        .during("reading rates")?;
    Ok(rows.into_iter().map(|(scope, thousandths, at)| (scope, Bucket { thousandths, at })).collect())
}

async fn keep_buckets(
    tx: &mut Transaction<'static, Sqlite>,
    buckets: &BTreeMap<String, Bucket>,
) -> Result<(), StoreError> {
    if buckets.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::new("INSERT INTO rates (scope, thousandths, at) ");
    insert.push_values(buckets, |mut row, (scope, bucket)| {
        row.push_bind(scope).push_bind(bucket.thousandths).push_bind(bucket.at);
    });
    insert.push(" ON CONFLICT (scope) DO UPDATE SET thousandths = excluded.thousandths, at = excluded.at");
    insert.build().execute(&mut **tx).await.map(|_| ()).during("keeping rates")
}

async fn answer_line(tx: &mut Transaction<'static, Sqlite>, one: &Answered, now: i64) -> Result<(), StoreError> {
    // The first answer stands, except that a late one replaces none at all.
    sqlx::query(
        "UPDATE sends SET answered_at = ?, answer = ?, note = ? WHERE contact = ? AND attempt = ? \
         AND answer IN ('', 'lost')",
    )
    .bind(now)
    .bind(one.answer.name())
    .bind(one.answer.why())
    .bind(one.contact.0.to_vec())
    .bind(i64::from(one.attempt))
    .execute(&mut **tx)
    .await
    .map(|_| ())
    .during("writing answers")
}

async fn keep_parts(
    tx: &mut Transaction<'static, Sqlite>,
    gateway: &str,
    answered: &[Answered],
) -> Result<(), StoreError> {
    let ids = |one: &Answered| -> Vec<(ContactId, u32, i64, String)> {
        let Answer::Accepted { ids } = &one.answer else { return Vec::new() };
        let numbered = (0..).zip(ids).map(|(part, id)| (one.contact, one.attempt, part, id.clone()));
        numbered.filter(|(.., id)| !id.is_empty()).collect()
    };
    let parts: Vec<_> = answered.iter().flat_map(ids).collect();
    for chunk in parts.chunks(MAX_BINDS / 5) {
        let mut insert = QueryBuilder::new("INSERT INTO parts (gateway, message, contact, attempt, part) ");
        insert.push_values(chunk, |mut row, (contact, attempt, part, id)| {
            row.push_bind(gateway.to_owned())
                .push_bind(id)
                .push_bind(contact.0.to_vec())
                .push_bind(i64::from(*attempt))
                .push_bind(*part);
        });
        insert.push(" ON CONFLICT DO NOTHING");
        insert.build().execute(&mut **tx).await.during("keeping the gateway's ids")?;
    }
    // A receipt may have come before the answer.
    crate::receipts::settle(tx, gateway, parts.into_iter().map(|(.., id)| id).collect()).await
}

async fn bury(
    tx: &mut Transaction<'static, Sqlite>,
    contact: ContactId,
    gateway: &str,
    why: &str,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO dead_letters (contact, at, gateway, why) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(contact.0.to_vec())
        .bind(now)
        .bind(gateway)
        .bind(why)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .during("keeping dead letters")
}

/// Lets a contact wait again, or withdraws it where its campaign has ended meanwhile.
async fn again(
    tx: &mut Transaction<'static, Sqlite>,
    contact: ContactId,
    at: i64,
    note: &str,
    now: i64,
) -> Result<(), StoreError> {
    let moved: Vec<(Vec<u8>, Vec<u8>, String)> = sqlx::query_as(
        "UPDATE contacts SET due_at = ?, lease = NULL, lease_until = NULL, state = CASE \
         WHEN campaign IN (SELECT id FROM campaigns WHERE state = 'stopped') THEN 'withdrawn' ELSE 'released' END \
         WHERE state = 'sending' AND id = ? RETURNING id, customer, state",
    )
    .bind(at)
    .bind(contact.0.to_vec())
    .fetch_all(&mut **tx)
    .await
    .during("letting a contact wait again")?;
    for (id, customer, state) in moved {
        log_states(tx, &[(id, customer)], &state, now, note).await?;
    }
    Ok(())
}
