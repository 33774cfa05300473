//! Uploaded versions and what the gate decided about them.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::approval::Approval;
use care_domain::governance::Submission;
use care_domain::manifest::Manifest;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// An uploaded version of an activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// SHA-256 of the component.
    pub component: String,
    /// What it asks for.
    pub manifest: Manifest,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When, Unix milliseconds.
    pub uploaded_at: i64,
    /// The name under which the activity was first uploaded: what its control group is drawn by.
    pub origin: String,
}

/// A submission with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSubmission {
    /// Number.
    pub id: i64,
    /// Where it stands.
    pub submission: Submission,
    /// The version it is about.
    pub version: Version,
    /// What was granted, once it was.
    pub approval: Option<Approval>,
}

const SUBMISSIONS: &str = "SELECT s.id, s.document, s.approval, s.approval_digest, v.component, v.manifest, \
     v.uploaded_by, v.uploaded_at, a.origin FROM submissions s \
     JOIN versions v ON v.component = s.component JOIN activities a ON a.name = v.activity ORDER BY s.id";

impl Store {
    /// Keeps a checked version and opens its submission, together; returns the submission's number.
    /// The same component again answers with the number it has, unless it was rejected: then it is submitted anew.
    pub async fn submit(&self, version: &Version, submission: &Submission) -> Result<i64, StoreError> {
        let doing = "keeping an upload";
        let mut tx = self.write().await?;
        let open: Option<i64> =
            sqlx::query_scalar("SELECT id FROM submissions WHERE component = ? AND state <> 'rejected'")
                .bind(&version.component)
                .fetch_optional(&mut *tx)
                .await
                .during(doing)?;
        if let Some(id) = open {
            return Ok(id);
        }
        let manifest = &version.manifest;
        sqlx::query("INSERT INTO activities (name, origin) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(&manifest.name)
            .bind(&version.origin)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        sqlx::query(
            "INSERT INTO versions (component, activity, version, manifest, uploaded_by, uploaded_at) \
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (component) DO NOTHING",
        )
        .bind(&version.component)
        .bind(&manifest.name)
        .bind(manifest.version.to_string())
        .bind(to_json("versions", &version.component, manifest)?)
        .bind(&version.uploaded_by)
        .bind(version.uploaded_at)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        let id = sqlx::query_scalar(
            "INSERT INTO submissions (component, state, document, author) VALUES (?, ?, ?, ?) RETURNING id",
        )
        .bind(&version.component)
        .bind(submission.state())
        .bind(to_json("submissions", &version.component, submission)?)
        .bind(&submission.author().person)
        .fetch_one(&mut *tx)
        .await
        .during(doing)?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// Writes a decision. The database keeps four eyes and "decided once" whatever was checked before.
    pub async fn decide(
        &self,
        id: i64,
        decided: &Submission,
        decider: &str,
        approval: Option<&Approval>,
    ) -> Result<(), StoreError> {
        let digest = approval.map(Approval::digest).transpose();
        let digest = digest.map_err(|_| StoreError::impossible("submissions", "approval", id))?;
        let document = approval.map(|a| to_json("submissions", id, a)).transpose()?;
        let done = sqlx::query(
            "UPDATE submissions SET state = ?, document = ?, decider = ?, approval = ?, approval_digest = ? WHERE id = ?",
        )
        .bind(decided.state())
        .bind(to_json("submissions", id, decided)?)
        .bind(decider)
        .bind(document)
        .bind(digest)
        .bind(id)
        .execute(&self.writer)
        .await
        .during("writing a decision")?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::impossible("submissions", "number", id)) }
    }

    /// A submission by its number.
    pub async fn submission(&self, id: i64) -> Result<Option<StoredSubmission>, StoreError> {
        let mut found = self.submissions().await?;
        Ok(found.iter().position(|s| s.id == id).map(|at| found.swap_remove(at)))
    }

    /// All submissions by number.
    pub async fn submissions(&self) -> Result<Vec<StoredSubmission>, StoreError> {
        let rows = sqlx::query(SUBMISSIONS).fetch_all(&self.readers).await.during("reading submissions")?;
        rows.iter().map(submission_of).collect()
    }
}

fn submission_of(row: &SqliteRow) -> Result<StoredSubmission, StoreError> {
    let id: i64 = row.try_get("id").during("reading submissions")?;
    let text = |column: &str| row.try_get::<String, _>(column).during("reading submissions");
    let approval: Option<String> = row.try_get("approval").during("reading submissions")?;
    let approval: Option<Approval> = approval.map(|a| from_json("submissions", id, &a)).transpose()?;
    let kept: Option<String> = row.try_get("approval_digest").during("reading submissions")?;
    if let Some(approval) = &approval {
        // An approval edited in the database is none: its digest is what campaigns and plans pin.
        if approval.digest().ok() != kept {
            return Err(StoreError::impossible("submissions", "approval", id));
        }
    }
    Ok(StoredSubmission {
        id,
        submission: from_json("submissions", id, &text("document")?)?,
        version: Version {
            component: text("component")?,
            manifest: from_json("versions", id, &text("manifest")?)?,
            uploaded_by: text("uploaded_by")?,
            uploaded_at: row.try_get("uploaded_at").during("reading submissions")?,
            origin: text("origin")?,
        },
        approval,
    })
}

pub(crate) fn to_json<T: serde::Serialize>(
    table: &'static str,
    key: impl ToString,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::impossible(table, "document", key))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    table: &'static str,
    key: impl ToString,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::impossible(table, "document", key))
}
