//! Uploaded versions and what the gate decided about them.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::approval::Approval;
use care_domain::audit::Entry;
use care_domain::dsse::Envelope;
use care_domain::governance::{Deed, Submission};
use care_domain::manifest::Manifest;
use care_domain::text::Finding;
use care_domain::variant::Variant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

/// An uploaded version of an activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// SHA-256 of the component; of a variant, the digest of its code and manifest (`care_domain::variant::digest`).
    pub component: String,
    /// SHA-256 of the component that is run.
    pub code: String,
    /// What it asks for.
    pub manifest: Manifest,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When, Unix milliseconds.
    pub uploaded_at: i64,
    /// The name under which the activity was first uploaded: what its control group is drawn by.
    pub origin: String,
    /// Id of the branch key that signed it; empty for what was uploaded before keys.
    pub key: String,
    /// The key's owner.
    pub signed_by: String,
    /// What the checks found that did not refuse it.
    pub findings: Vec<Finding>,
    /// What was proposed, and the component of the version that it rests on, where this is a variant.
    pub variant: Option<(Variant, String)>,
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
    /// The host's signature over it. Whether it holds is the engine's to check.
    pub envelope: Option<Envelope>,
}

/// An approval with its signature.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// What is granted.
    pub approval: &'a Approval,
    /// The host's signature over it.
    pub envelope: &'a Envelope,
}

const ENDED: &str = "approval ended";

const SUBMISSIONS: &str = "SELECT s.id, s.document, s.approval, s.envelope, v.component, v.manifest, \
     v.uploaded_by, v.uploaded_at, v.key, v.signed_by, v.code, v.findings, v.base, v.variant, a.origin FROM submissions s \
     JOIN versions v ON v.component = s.component JOIN activities a ON a.name = v.activity ORDER BY s.id";

impl Store {
    /// Keeps a checked version and opens its submission, together; returns the submission's number.
    /// The same component again answers with the number it has, unless it was rejected or withdrawn: then it is
    /// submitted anew. `entry` gets the submission as its subject.
    pub async fn submit(&self, version: &Version, submission: &Submission, entry: Entry) -> Result<i64, StoreError> {
        let doing = "keeping an upload";
        let mut tx = self.write().await?;
        let open: Option<i64> = sqlx::query_scalar(
            "SELECT id FROM submissions WHERE component = ? AND state NOT IN ('rejected', 'withdrawn', 'merged')",
        )
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
            "INSERT INTO versions (component, activity, version, manifest, uploaded_by, uploaded_at, key, signed_by, \
             code, findings, base, variant) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (component) DO NOTHING",
        )
        .bind(&version.component)
        .bind(&manifest.name)
        .bind(manifest.version.to_string())
        .bind(to_json("versions", &version.component, manifest)?)
        .bind(&version.uploaded_by)
        .bind(version.uploaded_at)
        .bind(&version.key)
        .bind(&version.signed_by)
        .bind(&version.code)
        .bind(to_json("versions", &version.component, &version.findings)?)
        .bind(version.variant.as_ref().map(|(_, base)| base))
        .bind(version.variant.as_ref().map(|(v, _)| to_json("versions", &version.component, v)).transpose()?)
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
        self.audit(&mut tx, &Entry { subject: subject_of(id), ..entry }).await?;
        tx.commit().await.during(doing)?;
        Ok(id)
    }

    /// Moves a submission from the state `before`, with its approval where it gets one. What ends an approval stops the
    /// campaigns that run on it and withdraws what waits of them, in the same transaction; returns how many contacts
    /// that were. The database keeps four eyes and the order of states whatever was checked before.
    pub async fn transition(
        &self,
        id: i64,
        before: &str,
        after: &Submission,
        grant: Option<Grant<'_>>,
        entry: &Entry,
    ) -> Result<u64, StoreError> {
        let doing = "moving a submission on";
        let mut tx = self.write().await?;
        move_on(&mut tx, id, before, after, grant).await?;
        let withdrawn = match after.ended_approval() {
            Some(approval) => end_approval(&mut tx, approval, entry.at).await?,
            None => 0,
        };
        let mut entry = Entry { subject: subject_of(id), ..entry.clone() };
        entry.detail["state"] = after.state().into();
        self.audit(&mut tx, &entry).await?;
        tx.commit().await.during(doing)?;
        Ok(withdrawn)
    }

    /// A submission by its number.
    pub async fn submission(&self, id: i64) -> Result<Option<StoredSubmission>, StoreError> {
        let rows = sqlx::query(SUBMISSIONS).fetch_all(&self.readers).await.during("reading submissions")?;
        let row = rows.iter().find(|row| row.try_get("id").is_ok_and(|number: i64| number == id));
        row.map(submission_of).transpose()
    }

    /// All submissions by number. One that cannot be read is left out, so that it runs nothing and holds up no other.
    pub async fn submissions(&self) -> Result<Vec<StoredSubmission>, StoreError> {
        let rows = sqlx::query(SUBMISSIONS).fetch_all(&self.readers).await.during("reading submissions")?;
        let readable =
            |row| submission_of(row).inspect_err(|error| tracing::error!("a submission is left out: {error}"));
        Ok(rows.iter().filter_map(|row| readable(row).ok()).collect())
    }
}

/// What the audit log calls a submission.
pub(crate) fn subject_of(id: i64) -> String {
    format!("submission {id}")
}

pub(crate) async fn move_on(
    tx: &mut Transaction<'static, Sqlite>,
    id: i64,
    before: &str,
    after: &Submission,
    grant: Option<Grant<'_>>,
) -> Result<(), StoreError> {
    let digest = grant.map(|g| g.approval.digest()).transpose();
    let digest = digest.map_err(|_| StoreError::impossible("submissions", "approval", id))?;
    let part = Part::of(after);
    let moved = sqlx::query(
        "UPDATE submissions SET state = ?, document = ?, city_reviewer = coalesce(?, city_reviewer), \
         trial_reviewer = coalesce(?, trial_reviewer), approver = coalesce(?, approver), \
         second_approver = coalesce(?, second_approver), approval = coalesce(?, approval), \
         approval_digest = coalesce(?, approval_digest), envelope = coalesce(?, envelope) WHERE id = ? AND state = ?",
    )
    .bind(after.state())
    .bind(to_json("submissions", id, after)?)
    .bind(part.city)
    .bind(part.trial)
    .bind(part.approver)
    .bind(part.second)
    .bind(grant.map(|g| to_json("submissions", id, g.approval)).transpose()?)
    .bind(digest)
    .bind(grant.map(|g| to_json("submissions", id, g.envelope)).transpose()?)
    .bind(id)
    .bind(before)
    .execute(&mut **tx)
    .await
    .during("moving a submission on")?;
    // Somebody else moved it meanwhile.
    if moved.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Rule { rule: "decided-once" }) }
}

/// Who has which part in a submission that is to be approved: what the database compares.
#[derive(Default)]
struct Part<'a> {
    city: Option<&'a str>,
    trial: Option<&'a str>,
    approver: Option<&'a str>,
    second: Option<&'a str>,
}

impl<'a> Part<'a> {
    fn of(submission: &'a Submission) -> Self {
        let (reviewed, approver, second) = match submission {
            Submission::CityReview(r) | Submission::TrialReview(r) | Submission::ProvincialReview(r) => (r, None, None),
            Submission::SecondReview { reviewed, approver, .. } => (reviewed, Some(approver), None),
            Submission::Approved(granted) => (&granted.reviewed, Some(&granted.approver), granted.second.as_ref()),
            _ => return Self::default(),
        };
        let person = |deed: Option<&'a Deed>| deed.map(|deed| deed.person.as_str());
        Self {
            city: person(reviewed.city.as_ref()),
            trial: person(reviewed.trial.as_ref()),
            approver: person(approver),
            second: person(second),
        }
    }
}

/// Stops the campaigns that run on an approval, and on those of variants that rest on it, and withdraws what waits of them.
async fn end_approval(tx: &mut Transaction<'static, Sqlite>, approval: &str, at: i64) -> Result<u64, StoreError> {
    let doing = "ending an approval";
    sqlx::query(
        "UPDATE campaigns SET state = 'stopped' WHERE state = 'active' AND component IN \
         (SELECT v.component FROM versions v, submissions s WHERE s.approval_digest = ? \
          AND (v.component = s.component OR v.base = s.component))",
    )
    .bind(approval)
    .execute(&mut **tx)
    .await
    .during(doing)?;
    let waiting: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "UPDATE contacts SET state = 'withdrawn' WHERE state IN ('planned', 'released') AND component IN \
         (SELECT v.component FROM versions v, submissions s WHERE s.approval_digest = ? \
          AND (v.component = s.component OR v.base = s.component)) RETURNING id, customer",
    )
    .bind(approval)
    .fetch_all(&mut **tx)
    .await
    .during(doing)?;
    crate::contacts::log_states(tx, &waiting, "withdrawn", at, ENDED).await?;
    Ok(waiting.len() as u64)
}

fn submission_of(row: &SqliteRow) -> Result<StoredSubmission, StoreError> {
    let id: i64 = row.try_get("id").during("reading submissions")?;
    let text = |column: &str| row.try_get::<String, _>(column).during("reading submissions");
    // What cannot be read vouches for nothing, and the engine says so of this one; the others can still be read.
    let approval: Option<String> = row.try_get("approval").during("reading submissions")?;
    let approval = approval.and_then(|a| from_json("submissions", id, &a).ok());
    let envelope: Option<String> = row.try_get("envelope").during("reading submissions")?;
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).during("reading submissions");
    let variant = match (optional("variant")?, optional("base")?) {
        (Some(variant), Some(base)) => Some((from_json("versions", id, &variant)?, base)),
        _ => None,
    };
    Ok(StoredSubmission {
        id,
        submission: from_json("submissions", id, &text("document")?)?,
        version: Version {
            component: text("component")?,
            manifest: from_json("versions", id, &text("manifest")?)?,
            uploaded_by: text("uploaded_by")?,
            uploaded_at: row.try_get("uploaded_at").during("reading submissions")?,
            origin: text("origin")?,
            key: text("key")?,
            signed_by: text("signed_by")?,
            code: text("code")?,
            findings: from_json("versions", id, &text("findings")?)?,
            variant,
        },
        envelope: envelope.and_then(|e| from_json("submissions", id, &e).ok()),
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
