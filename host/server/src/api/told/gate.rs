//! Answers about activities, versions and submissions, and about who gets in.

use super::work::Finding;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A version that was uploaded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Pushed {
    /// Number of its submission.
    submission: i64,
    /// Its digest.
    digest: String,
    /// The activity.
    activity: String,
    /// The version.
    version: String,
    /// What the checks found that did not refuse it.
    findings: Vec<Finding>,
    /// The published need that it answers; where none asks for it, the catalogue entry of its manifest stands for one.
    need: Option<i64>,
}

/// An activity with its versions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Activity {
    /// Its name.
    activity: String,
    /// Its versions, in the order in which they were submitted.
    versions: Vec<Version>,
}

/// A version of an activity.
#[derive(Deserialize, ToSchema)]
#[schema(as = ActivityVersion)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Version {
    /// The activity.
    name: String,
    /// The version.
    version: String,
    /// Its digest.
    digest: String,
    /// Where it stands.
    state: String,
    /// Number of its submission.
    submission: i64,
    /// What it asks for: the document that `activity.toml` becomes.
    #[schema(value_type = Object)]
    manifest: Map<String, Value>,
}

/// A submission.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Submission {
    /// Its number.
    submission: i64,
    /// Who did what to it.
    #[schema(value_type = Object)]
    history: Map<String, Value>,
    /// city-review, trial-review, provincial-review, second-review, approved, active, suspended, retired, rejected,
    /// withdrawn or merged.
    state: String,
    /// Digest of the version.
    digest: String,
    /// What the checks found that did not refuse it.
    findings: Vec<Finding>,
    /// What it asks for.
    #[schema(value_type = Object)]
    manifest: Map<String, Value>,
    /// What was granted, once it was.
    #[schema(value_type = Option<Object>)]
    approval: Option<Map<String, Value>>,
}

/// A submission with what it changes and who vouches for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SubmissionShown {
    /// Its number.
    submission: i64,
    /// Who did what to it.
    #[schema(value_type = Object)]
    history: Map<String, Value>,
    /// Where it stands.
    state: String,
    /// Digest of the version.
    digest: String,
    /// What the checks found that did not refuse it.
    findings: Vec<Finding>,
    /// What it asks for.
    #[schema(value_type = Object)]
    manifest: Map<String, Value>,
    /// What was granted, once it was.
    #[schema(value_type = Option<Object>)]
    approval: Option<Map<String, Value>>,
    /// What it changes; nothing when it is the first.
    changes: Option<Changes>,
    /// The branch key that signed it.
    key: Option<Key>,
}

/// What a submission changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Changes {
    /// Against this version.
    since: String,
    /// Each change.
    changes: Vec<Change>,
}

/// A change of a manifest.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Change {
    /// patch, minor or major: what it has to be announced by.
    needs: String,
    /// What.
    what: String,
}

/// Where a submission stands after a step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Stands {
    /// Its number.
    submission: i64,
    /// Where it stands now.
    state: String,
    /// Waiting contacts that its end withdrew.
    withdrawn: u64,
}

/// A submission that was granted, or proposed for a second person to confirm.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(in crate::api) enum Decided {
    /// Granted.
    Approved(Approved),
    /// Its reach asks for a second person.
    Proposed(Proposed),
}

/// A grant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Approved {
    /// Its number.
    submission: i64,
    /// What was granted.
    #[schema(value_type = Object)]
    approval: Map<String, Value>,
}

/// A proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Proposed {
    /// Its number.
    submission: i64,
    /// What would be granted.
    #[schema(value_type = Object)]
    proposed: Map<String, Value>,
    /// Customers selected in the evidence.
    reach: u64,
}

/// A simulation in a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Simulation {
    /// Its number.
    id: i64,
    /// Of which submission.
    submission: i64,
    /// Digest of the terms.
    terms: String,
    /// Business date, in days since 1970.
    business_date: i32,
    /// Digest of the evidence.
    evidence: String,
    /// Who asked for it.
    person: String,
    /// When, Unix milliseconds.
    at: i64,
}

/// A simulation with its evidence.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SimulationShown {
    /// The simulation.
    simulation: Simulation,
    /// Whom it would reach, with what words, at what cost, and whom else that concerns.
    #[schema(value_type = Object)]
    evidence: Map<String, Value>,
}

/// As whom a token acts; who has which role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Appointment {
    /// Who.
    person: String,
    /// As what.
    role: String,
    /// Where: an administrative code, and everything below it.
    region: String,
}

/// A token, without its secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Token {
    /// How people speak of it.
    id: String,
    /// For whom it acts.
    person: String,
    /// As what.
    role: String,
    /// Where.
    region: String,
    /// Who made it.
    made_by: String,
    /// When, Unix milliseconds.
    made_at: i64,
    /// From when on it is worth nothing.
    expires_at: i64,
    /// When it was revoked, if it was.
    revoked_at: Option<i64>,
}

/// A new token, with its secret: shown this one time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewToken {
    /// How people speak of it.
    id: String,
    /// For whom it acts.
    person: String,
    /// As what.
    role: String,
    /// Where.
    region: String,
    /// Who made it.
    made_by: String,
    /// When, Unix milliseconds.
    made_at: i64,
    /// From when on it is worth nothing.
    expires_at: i64,
    /// When it was revoked, if it was.
    revoked_at: Option<i64>,
    /// What the program shows.
    secret: String,
}

/// A branch key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Key {
    /// Its id.
    id: String,
    /// The public half.
    public: String,
    /// Whose it is.
    owner: String,
    /// Where it may vouch.
    region: String,
    /// When it was registered, Unix milliseconds.
    added_at: i64,
    /// When it was revoked, if it was.
    revoked_at: Option<i64>,
    /// Why.
    revoked_because: Option<String>,
}

/// A line of the audit log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AuditLine {
    /// Its number, from 1, without gaps.
    number: i64,
    /// What was done.
    entry: AuditEntry,
    /// Hash of the line before.
    before: String,
    /// Hash of this one.
    hash: String,
}

/// What somebody did.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AuditEntry {
    /// When, Unix milliseconds.
    at: i64,
    /// Who.
    person: String,
    /// In which role; empty for the host itself.
    role: String,
    /// Where that role holds.
    region: String,
    /// What was done.
    deed: String,
    /// To what.
    subject: String,
    /// Why.
    reason: String,
    /// Figures and digests.
    #[schema(value_type = Object)]
    detail: Value,
}

/// The head of the audit log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AuditHead {
    /// Its lines.
    lines: i64,
    /// The head, to be kept elsewhere: `12-3fa9…`.
    head: String,
}
