//! Simulations that were kept: which terms, on which day, and where the evidence lies.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::audit::Entry;

/// A kept simulation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Simulation {
    /// Number.
    pub id: i64,
    /// The submission.
    pub submission: i64,
    /// Digest of the terms that were simulated.
    pub terms: String,
    /// Business date of the snapshot, in days.
    pub business_date: i32,
    /// Digest of the evidence, a blob.
    pub evidence: String,
    /// Who simulated.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
}

impl Store {
    /// Keeps a simulation under the next number; `id` of the argument is ignored.
    pub async fn add_simulation(&self, new: &Simulation, entry: &Entry) -> Result<i64, StoreError> {
        let doing = "keeping a simulation";
        let mut tx = self.write().await?;
        let id = sqlx::query_scalar(
            "INSERT INTO simulations (submission, terms, business_date, evidence, person, at) VALUES (?, ?, ?, ?, ?, ?) \
             RETURNING id",
        )
        .bind(new.submission)
        .bind(&new.terms)
        .bind(new.business_date)
        .bind(&new.evidence)
        .bind(&new.person)
        .bind(new.at)
        .fetch_one(&mut *tx)
        .await
        .during(doing)?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// All simulations of a submission, or of all, newest first.
    pub async fn simulations(&self, submission: Option<i64>) -> Result<Vec<Simulation>, StoreError> {
        let rows: Vec<(i64, i64, String, i32, String, String, i64)> = sqlx::query_as(
            "SELECT id, submission, terms, business_date, evidence, person, at FROM simulations \
             WHERE submission = coalesce(?, submission) ORDER BY id DESC",
        )
        .bind(submission)
        .fetch_all(&self.readers)
        .await
        .during("reading simulations")?;
        let one = |(id, submission, terms, business_date, evidence, person, at)| Simulation {
            id,
            submission,
            terms,
            business_date,
            evidence,
            person,
            at,
        };
        Ok(rows.into_iter().map(one).collect())
    }
}
