//! Our own staff, who get test messages and copies of what campaigns send; what they got; and what stood around short
//! messages when. Numbers stand in the identity store, the rest in the ledger's database.

use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::contact::{Channel, ContactId};
use care_domain::sms::Frame;
use care_domain::text::Language;
use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::HashMap;
use std::fmt;

/// A member of staff.
#[derive(Clone, PartialEq, Eq)]
pub struct Staff {
    /// What the member is called here.
    pub name: String,
    /// Mobile number; empty when there is none.
    pub msisdn: String,
    /// E-mail address; empty when there is none.
    pub email: String,
    /// Whether the member gets a copy of what campaigns send.
    pub seed: bool,
}

// Debug output ends in logs.
impl fmt::Debug for Staff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staff({})", self.name)
    }
}

/// A message to staff before it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAside {
    /// What a gateway deduplicates by.
    pub id: ContactId,
    /// `test` or `seed`.
    pub kind: &'static str,
    /// The submission, or the campaign.
    pub subject: String,
    /// The plan, for copies.
    pub plan: String,
    /// The template.
    pub template: String,
    /// The channel.
    pub channel: Channel,
    /// The language.
    pub language: Language,
    /// To whom.
    pub staff: String,
    /// Who asked for it.
    pub person: String,
}

/// A message that staff got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aside {
    /// `test` or `seed`.
    pub kind: String,
    /// The submission, or the campaign.
    pub subject: String,
    /// The template.
    pub template: String,
    /// The channel.
    pub channel: String,
    /// The language.
    pub language: String,
    /// To whom.
    pub staff: String,
    /// Who asked for it.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
    /// What the gateway answered; empty when nobody knows.
    pub answer: String,
    /// Why.
    pub note: String,
}

impl Store {
    /// Registers a member of staff, or changes what is known of one.
    pub async fn put_staff(&self, one: &Staff, entry: &Entry) -> Result<(), StoreError> {
        self.note(entry).await?;
        sqlx::query(
            "INSERT INTO staff (name, msisdn, email, seed) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
             msisdn = excluded.msisdn, email = excluded.email, seed = excluded.seed",
        )
        .bind(&one.name)
        .bind(&one.msisdn)
        .bind(&one.email)
        .bind(one.seed)
        .execute(&self.identities)
        .await
        .map(|_| ())
        .during("registering staff")
    }

    /// Forgets a member of staff; `false` when nobody is called so.
    pub async fn drop_staff(&self, name: &str, entry: &Entry) -> Result<bool, StoreError> {
        self.note(entry).await?;
        let gone = sqlx::query("DELETE FROM staff WHERE name = ?").bind(name).execute(&self.identities).await;
        Ok(gone.during("forgetting staff")?.rows_affected() > 0)
    }

    /// All members of staff, by name.
    pub async fn staff(&self) -> Result<Vec<Staff>, StoreError> {
        let rows: Vec<(String, String, String, bool)> =
            sqlx::query_as("SELECT name, msisdn, email, seed FROM staff ORDER BY name")
                .fetch_all(&self.identities)
                .await
                .during("reading staff")?;
        Ok(rows.into_iter().map(|(name, msisdn, email, seed)| Staff { name, msisdn, email, seed }).collect())
    }

    /// Writes the intents to send to staff; returns the ids of those that were never written before.
    pub async fn intend_asides(&self, asides: &[NewAside], at: i64) -> Result<Vec<ContactId>, StoreError> {
        let doing = "writing messages to staff";
        let mut tx = self.write().await?;
        let mut new = Vec::new();
        for one in asides {
            let done = sqlx::query(
                "INSERT INTO asides (id, kind, subject, plan, template, channel, language, staff, person, at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(one.id.0.to_vec())
            .bind(one.kind)
            .bind(&one.subject)
            .bind(&one.plan)
            .bind(&one.template)
            .bind(one.channel.name())
            .bind(one.language.name())
            .bind(&one.staff)
            .bind(&one.person)
            .bind(at)
            .execute(&mut *tx)
            .await
            .during(doing)?;
            if done.rows_affected() > 0 {
                new.push(one.id);
            }
        }
        tx.commit().await.during(doing)?;
        Ok(new)
    }

    /// What a gateway answered to a message to staff.
    pub async fn answer_aside(&self, id: ContactId, answer: &str, note: &str) -> Result<(), StoreError> {
        let doing = "writing what became of a message to staff";
        let mut tx = self.write().await?;
        let update = sqlx::query("UPDATE asides SET answer = ?, note = ? WHERE id = ?");
        update.bind(answer).bind(note).bind(id.0.to_vec()).execute(&mut *tx).await.during(doing)?;
        tx.commit().await.during(doing)
    }

    /// What staff got about a submission or a campaign, newest first.
    pub async fn asides(&self, subject: &str) -> Result<Vec<Aside>, StoreError> {
        type Row = (String, String, String, String, String, String, String, i64, String, String);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT kind, subject, template, channel, language, staff, person, at, answer, note FROM asides \
             WHERE subject = ? ORDER BY at DESC, template, channel, language, staff",
        )
        .bind(subject)
        .fetch_all(&self.readers)
        .await
        .during("reading messages to staff")?;
        let aside = |(kind, subject, template, channel, language, staff, person, at, answer, note): Row| Aside {
            kind,
            subject,
            template,
            channel,
            language,
            staff,
            person,
            at,
            answer,
            note,
        };
        Ok(rows.into_iter().map(aside).collect())
    }

    /// Keeps what stands around short messages from `at` on, unless it stood there before.
    pub async fn keep_frame(&self, frame: &Frame, at: i64) -> Result<(), StoreError> {
        let doing = "keeping the words around short messages";
        if self.frames().await?.last().map_or(Frame::default(), |(_, last)| last.clone()) == *frame {
            return Ok(());
        }
        let mut tx = self.write().await?;
        let insert = sqlx::query("INSERT OR REPLACE INTO frames (at, frame) VALUES (?, ?)");
        insert.bind(at).bind(to_json("frames", at, frame)?).execute(&mut *tx).await.during(doing)?;
        tx.commit().await.during(doing)
    }

    /// What stood around short messages, since which instant, oldest first.
    pub async fn frames(&self) -> Result<Vec<(i64, Frame)>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT at, frame FROM frames ORDER BY at")
            .fetch_all(&self.readers)
            .await
            .during("reading the words around short messages")?;
        rows.into_iter().map(|(at, frame)| Ok((at, from_json("frames", at, &frame)?))).collect()
    }

    /// When contacts last went on their way, Unix milliseconds; without those that never did.
    pub async fn sent_at(&self, contacts: &[ContactId]) -> Result<HashMap<ContactId, i64>, StoreError> {
        let mut found = HashMap::new();
        for chunk in contacts.chunks(MAX_BINDS) {
            let mut select: QueryBuilder<Sqlite> =
                QueryBuilder::new("SELECT contact, MAX(at) FROM contact_log WHERE state = 'sending' AND contact IN (");
            let mut list = select.separated(", ");
            for contact in chunk {
                list.push_bind(contact.0.to_vec());
            }
            list.push_unseparated(") GROUP BY contact");
            let rows: Vec<(Vec<u8>, i64)> =
                select.build_query_as().fetch_all(&self.readers).await.during("reading when contacts went out")?;
            for (id, at) in rows {
                found.insert(crate::contacts::id_of(&id)?, at);
            }
        }
        Ok(found)
    }
}
