//! Versions of the contact policy, and the calendars that its rules ask for.

use crate::Store;
use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use care_domain::audit::Entry;
use care_domain::canonical;
use care_domain::governance::Deed;
use care_domain::policy::Policy;
use care_domain::policy_version::PolicyState;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

/// A version of the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyVersion {
    /// Number, from 1.
    pub number: i64,
    /// Digest of the document.
    pub digest: String,
    /// The policy, without a calendar.
    pub policy: Policy,
    /// The document as it was written.
    pub document: Value,
    /// Digest of what was in force when it was proposed; empty for the first.
    pub base: String,
    /// What the author said about it.
    pub note: String,
    /// Where it stands.
    pub state: PolicyState,
}

/// The calendar of a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRow {
    /// The year.
    pub year: i16,
    /// Digest of its blob.
    pub digest: String,
    /// Days listed.
    pub days: i64,
    /// Who imported it.
    pub imported_by: String,
    /// When, Unix milliseconds.
    pub imported_at: i64,
}

impl Store {
    /// Keeps the policy of a new installation; changes nothing where there is one.
    pub async fn found_policy(&self, policy: &Policy, host: &Deed, entry: &Entry) -> Result<(), StoreError> {
        let state = PolicyState::Approved { author: host.clone(), decider: host.clone() };
        let doing = "keeping the first policy";
        let (digest, document) = written(policy)?;
        let mut tx = self.write().await?;
        let founded = sqlx::query(
            "INSERT INTO policy_versions (digest, document, base, note, state, standing, author, decider) \
             SELECT ?1, ?2, '', '', 'approved', ?3, ?4, ?4 WHERE NOT EXISTS (SELECT 1 FROM policy_versions)",
        )
        .bind(&digest)
        .bind(document)
        .bind(to_json("policy_versions", &digest, &state)?)
        .bind(&host.person)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if founded.rows_affected() == 1 {
            self.audit(&mut tx, entry).await?;
        }
        tx.commit().await.during(doing)
    }

    /// Keeps a proposed policy; returns its number. `entry` gets it as its subject.
    pub async fn propose_policy(
        &self,
        policy: &Policy,
        note: &str,
        author: &Deed,
        entry: Entry,
    ) -> Result<i64, StoreError> {
        let doing = "keeping a proposed policy";
        let (digest, document) = written(policy)?;
        let state = PolicyState::Proposed { author: author.clone() };
        let mut tx = self.write().await?;
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO policy_versions (digest, document, base, note, state, standing, author) \
             SELECT ?1, ?2, coalesce((SELECT digest FROM policy_versions WHERE state = 'approved' \
             ORDER BY number DESC LIMIT 1), ''), ?3, 'proposed', ?4, ?5 RETURNING number",
        )
        .bind(&digest)
        .bind(document)
        .bind(note)
        .bind(to_json("policy_versions", &digest, &state)?)
        .bind(&author.person)
        .fetch_one(&mut *tx)
        .await
        .during(doing)?;
        self.audit(&mut tx, &Entry { subject: subject(number), ..entry }).await?;
        tx.commit().await.during(doing)?;
        Ok(number)
    }

    /// Writes the decision about a proposed version; `false` when it was decided about before, or, for an approval, when
    /// another policy came into force since it was proposed.
    pub async fn decide_policy(&self, number: i64, after: &PolicyState, entry: &Entry) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE policy_versions SET state = ?1, standing = ?2, decider = ?3 WHERE number = ?4 AND state = 'proposed' \
             AND (?1 <> 'approved' OR base = (SELECT digest FROM policy_versions WHERE state = 'approved' \
                  ORDER BY number DESC LIMIT 1))",
        )
        .bind(after.name())
        .bind(to_json("policy_versions", number, after)?)
        .bind(after.decider().map(|deed| deed.person.clone()))
        .bind(number);
        self.change(statement, entry, "deciding about a policy").await
    }

    /// All versions of the policy, newest first.
    pub async fn policy_versions(&self) -> Result<Vec<PolicyVersion>, StoreError> {
        let rows = sqlx::query("SELECT * FROM policy_versions ORDER BY number DESC")
            .fetch_all(&self.readers)
            .await
            .during("reading policies")?;
        rows.iter().map(version_of).collect()
    }

    /// The approved policy of a digest, or the one in force. Its document must be what its digest says.
    pub async fn policy(&self, digest: Option<&str>) -> Result<Option<PolicyVersion>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM policy_versions WHERE digest = coalesce(?, digest) AND state = 'approved' \
             ORDER BY number DESC LIMIT 1",
        )
        .bind(digest)
        .fetch_optional(&self.readers)
        .await
        .during("reading the policy")?;
        row.as_ref().map(version_of).transpose()
    }

    /// Keeps the calendars of some years, all of them together, in the places of those that were there.
    pub async fn set_calendars(&self, calendars: &[(CalendarRow, Entry)]) -> Result<(), StoreError> {
        let doing = "keeping calendars";
        let mut tx = self.write().await?;
        for (row, entry) in calendars {
            sqlx::query(
                "INSERT INTO calendars (year, digest, days, imported_by, imported_at) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (year) DO UPDATE SET digest = excluded.digest, days = excluded.days, \
                 imported_by = excluded.imported_by, imported_at = excluded.imported_at",
            )
            .bind(row.year)
            .bind(&row.digest)
            .bind(row.days)
            .bind(&row.imported_by)
            .bind(row.imported_at)
            .execute(&mut *tx)
            .await
            .during(doing)?;
            self.audit(&mut tx, entry).await?;
        }
        tx.commit().await.during(doing)
    }

    /// The calendars by year.
    pub async fn calendars(&self) -> Result<BTreeMap<i16, CalendarRow>, StoreError> {
        let rows: Vec<(i16, String, i64, String, i64)> =
            sqlx::query_as("SELECT year, digest, days, imported_by, imported_at FROM calendars ORDER BY year")
                .fetch_all(&self.readers)
                .await
                .during("reading calendars")?;
        let row = |(year, digest, days, imported_by, imported_at)| {
            (year, CalendarRow { year, digest, days, imported_by, imported_at })
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

/// What the audit log calls a version.
fn subject(number: i64) -> String {
    format!("policy {number}")
}

fn written(policy: &Policy) -> Result<(String, String), StoreError> {
    let document = canonical::json(policy).map_err(|_| StoreError::impossible("policy_versions", "document", "new"))?;
    Ok((canonical::digest(document.as_bytes()), document))
}

fn version_of(row: &SqliteRow) -> Result<PolicyVersion, StoreError> {
    let doing = "reading policies";
    let text = |column: &str| row.try_get::<String, _>(column).during(doing);
    let number: i64 = row.try_get("number").during(doing)?;
    let (digest, document) = (text("digest")?, text("document")?);
    let value: Value = from_json("policy_versions", number, &document)?;
    if canonical::digest_of(&value).ok().as_deref() != Some(digest.as_str()) {
        return Err(StoreError::impossible("policy_versions", "document, which is not what its digest says", number));
    }
    Ok(PolicyVersion {
        number,
        policy: from_json("policy_versions", number, &document)?,
        document: value,
        digest,
        base: text("base")?,
        note: text("note")?,
        state: from_json("policy_versions", number, &text("standing")?)?,
    })
}
