//! Requests that name an idempotency key, and what was answered to them.

use crate::Store;
use crate::error::{During, StoreError};

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content type; empty without a body.
    pub kind: String,
    /// The body; `None` where it is shown once.
    pub body: Option<Vec<u8>>,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody asked that before: it is to be carried out.
    New,
    /// It was asked, and answered.
    Answered(KeptAnswer),
    /// It was asked, and is not answered; by this process, or by one that may have died over it.
    Unanswered {
        /// Whether this process works on it.
        here: bool,
    },
    /// Something else was asked under the same key.
    Other,
}

/// Who asks what under which key.
#[derive(Debug, Clone, Copy)]
pub struct Keyed<'a> {
    /// Who.
    pub caller: &'a str,
    /// Under which key.
    pub key: &'a str,
    /// SHA-256 of what is asked.
    pub fingerprint: &'a [u8; 32],
    /// The process that will work on it.
    pub server: &'a str,
}

type Row = (Vec<u8>, String, Option<i64>, Option<String>, Option<Vec<u8>>);

impl Store {
    /// Begins a request at `at`, unless it was begun; forgets those of before `forget`.
    pub async fn begin_request(&self, asked: Keyed<'_>, at: i64, forget: i64) -> Result<Begun, StoreError> {
        let doing = "beginning a request";
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM requests WHERE begun_at < ?").bind(forget).execute(&mut *tx).await.during(doing)?;
        let row: Option<Row> =
            sqlx::query_as("SELECT fingerprint, server, status, kind, body FROM requests WHERE caller = ? AND key = ?")
                .bind(asked.caller)
                .bind(asked.key)
                .fetch_optional(&mut *tx)
                .await
                .during(doing)?;
        let known = match row {
            Some((fingerprint, ..)) if fingerprint != asked.fingerprint => Begun::Other,
            Some((_, server, None, ..)) => Begun::Unanswered { here: server == asked.server },
            Some((_, _, Some(status), kind, body)) => {
                let status =
                    u16::try_from(status).map_err(|_| StoreError::impossible("requests", "status", asked.key))?;
                Begun::Answered(KeptAnswer { status, kind: kind.unwrap_or_default(), body })
            }
            None => {
                sqlx::query("INSERT INTO requests (caller, key, fingerprint, server, begun_at) VALUES (?, ?, ?, ?, ?)")
                    .bind(asked.caller)
                    .bind(asked.key)
                    .bind(asked.fingerprint.to_vec())
                    .bind(asked.server)
                    .bind(at)
                    .execute(&mut *tx)
                    .await
                    .during(doing)?;
                Begun::New
            }
        };
        tx.commit().await.during(doing)?;
        Ok(known)
    }

    /// Keeps what was answered, or, where nothing was changed, forgets that it was asked.
    pub async fn end_request(&self, asked: Keyed<'_>, answered: Option<&KeptAnswer>) -> Result<(), StoreError> {
        let doing = "ending a request";
        let query = match answered {
            Some(KeptAnswer { status, kind, body }) => {
                sqlx::query("UPDATE requests SET status = ?, kind = ?, body = ? WHERE caller = ? AND key = ?")
                    .bind(i64::from(*status))
                    .bind(kind)
                    .bind(body)
            }
            None => sqlx::query("DELETE FROM requests WHERE caller = ? AND key = ?"),
        };
        let mut tx = self.write().await?;
        query.bind(asked.caller).bind(asked.key).execute(&mut *tx).await.during(doing)?;
        tx.commit().await.during(doing)
    }
}
