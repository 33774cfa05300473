//! The audit log: a line is written in the very transaction that it tells of, and the head is signed as it moves.

use crate::Store;
use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use care_domain::audit::{Entry, Head, Line};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, Transaction};
use std::sync::Arc;

/// Signs a head; the store knows no key.
pub type HeadSigner = Arc<dyn Fn(&Head) -> String + Send + Sync>;

const DOING: &str = "writing the audit log";

impl Store {
    /// Signs the audit log's head from now on.
    #[must_use]
    pub fn signing_heads(mut self, signer: HeadSigner) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Writes a line that stands for something outside of the database.
    pub async fn note(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(DOING)
    }

    /// Runs one statement and writes its line with it; `false`, and no line, when it changed nothing.
    pub(crate) async fn change(
        &self,
        statement: Query<'_, Sqlite, SqliteArguments>,
        entry: &Entry,
        doing: &'static str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = statement.execute(&mut *tx).await.during(doing)?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)?;
        Ok(true)
    }

    /// Appends a line within the transaction of what it tells of, and with it what other systems are told of it.
    pub(crate) async fn audit(&self, tx: &mut Transaction<'static, Sqlite>, entry: &Entry) -> Result<Line, StoreError> {
        let last: Option<(i64, String)> = sqlx::query_as("SELECT number, hash FROM audit_head WHERE id = 1")
            .fetch_optional(&mut **tx)
            .await
            .during(DOING)?;
        let head = last.map_or_else(Head::genesis, |(number, hash)| Head { number, hash });
        let line = head.next(entry.clone()).map_err(|_| StoreError::impossible("audit", "entry", &entry.subject))?;
        sqlx::query("INSERT INTO audit (number, subject, entry, before, hash) VALUES (?, ?, ?, ?, ?)")
            .bind(line.number)
            .bind(&entry.subject)
            .bind(to_json("audit", line.number, entry)?)
            .bind(&line.before)
            .bind(&line.hash)
            .execute(&mut **tx)
            .await
            .during(DOING)?;
        let signature = self.signer.as_ref().map_or_else(String::new, |sign| sign(&line.head()));
        sqlx::query(
            "INSERT INTO audit_head (id, number, hash, signature) VALUES (1, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET number = excluded.number, hash = excluded.hash, \
             signature = excluded.signature",
        )
        .bind(line.number)
        .bind(&line.hash)
        .bind(signature)
        .execute(&mut **tx)
        .await
        .during(DOING)?;
        crate::hooks::tell(tx, &line).await?;
        Ok(line)
    }

    /// The lines of the log, in order; only those about a subject, when one is given.
    pub async fn audit_lines(&self, subject: Option<&str>) -> Result<Vec<Line>, StoreError> {
        let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
            "SELECT number, entry, before, hash FROM audit WHERE subject = coalesce(?, subject) ORDER BY number",
        )
        .bind(subject)
        .fetch_all(&self.readers)
        .await
        .during("reading the audit log")?;
        let line = |(number, entry, before, hash): (i64, String, String, String)| {
            Ok(Line { number, entry: from_json("audit", number, &entry)?, before, hash })
        };
        rows.into_iter().map(line).collect()
    }

    /// The log's head with its signature; the beginning, unsigned, when nothing was ever written.
    pub async fn audit_head(&self) -> Result<(Head, String), StoreError> {
        let row: Option<(i64, String, String)> =
            sqlx::query_as("SELECT number, hash, signature FROM audit_head WHERE id = 1")
                .fetch_optional(&self.readers)
                .await
                .during("reading the audit log")?;
        Ok(row.map_or_else(
            || (Head::genesis(), String::new()),
            |(number, hash, signature)| (Head { number, hash }, signature),
        ))
    }
}
