//! Answers about activities, versions and submissions, and about who gets in.

use super::evidence::Evidence;
use super::manifest::{Approval, Manifest};
use super::reference::Deed;
use super::work::Finding;
use serde::Deserialize;
use serde_json::Value;
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
    /// What it asks for.
    manifest: Manifest,
}

/// A submission.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Submission {
    /// Its number.
    submission: i64,
    /// Who did what to it.
    history: History,
    /// city-review, trial-review, provincial-review, second-review, approved, active, suspended, retired, rejected,
    /// withdrawn or merged.
    state: String,
    /// Digest of the version.
    digest: String,
    /// What the checks found that did not refuse it.
    findings: Vec<Finding>,
    /// What it asks for.
    manifest: Manifest,
    /// What was granted, once it was.
    approval: Option<Approval>,
}

/// A submission with what it changes and who vouches for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SubmissionShown {
    /// Its number.
    submission: i64,
    /// Who did what to it.
    history: History,
    /// Where it stands.
    state: String,
    /// Digest of the version.
    digest: String,
    /// What the checks found that did not refuse it.
    findings: Vec<Finding>,
    /// What it asks for.
    manifest: Manifest,
    /// What was granted, once it was.
    approval: Option<Approval>,
    /// What it changes; nothing when it is the first.
    changes: Option<Changes>,
    /// The branch key that signed it.
    key: Option<Key>,
}

/// Where a submission stands, and who led it there. What its state has no use for is absent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct History {
    /// city-review, trial-review, provincial-review, second-review, approved, active, suspended, retired, rejected,
    /// withdrawn or merged.
    state: String,
    /// Who uploaded and submitted.
    author: Option<Deed>,
    /// The city's reviewer.
    city: Option<Deed>,
    /// Who tried it out.
    trial: Option<Deed>,
    /// Who approved.
    approver: Option<Deed>,
    /// The second person who approved.
    second: Option<Deed>,
    /// Digest of what was granted.
    approval: Option<String>,
    /// What the first approver would grant.
    proposed: Option<Approval>,
    /// What had been granted to what is suspended or retired, and by whom.
    granted: Option<GrantedBefore>,
    /// Who suspended, retired, folded or withdrew it.
    by: Option<Deed>,
    /// Who refused it.
    reviewer: Option<Deed>,
    /// On which ground it was refused: not-care, or other.
    ground: Option<String>,
    /// The activity that takes its place.
    into: Option<String>,
    /// Why.
    reason: Option<String>,
}

/// What had been granted, and by whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct GrantedBefore {
    /// Who uploaded and submitted.
    author: Deed,
    /// The city's reviewer.
    city: Option<Deed>,
    /// Who tried it out.
    trial: Option<Deed>,
    /// Who approved.
    approver: Deed,
    /// The second person who approved.
    second: Option<Deed>,
    /// Digest of what was granted.
    approval: String,
}

/// What the gate says of a component.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Checked {
    /// Whether nothing refuses it.
    accepted: bool,
    /// Its digest.
    digest: String,
    /// Everything found, at once.
    findings: Vec<Finding>,
    /// Its manifest, where there is one that fits its schema.
    manifest: Option<Manifest>,
}

/// An activation of what was approved on standby.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Activation {
    /// The campaign that it started.
    campaign: String,
    /// Where and when it runs.
    bounds: ActivationBounds,
    /// Why it was activated.
    reason: String,
    /// Its review.
    review: ActivationReview,
    /// Whether it takes part in plans.
    active: bool,
    /// The duty officer.
    activated_by: String,
    /// Whether it should have been reviewed by now.
    overdue: bool,
}

/// Where and when an activation runs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ActivationBounds {
    /// Customers who stand in one of these, by administrative code.
    areas: Vec<String>,
    /// First business date, in days since 1970.
    from: i32,
    /// Last business date, in days since 1970.
    until: i32,
}

/// Whether and how an activation was reviewed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ActivationReview {
    /// due, upheld or ended.
    review: String,
    /// Until when it is due, Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<i64>,
    /// Who reviewed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewer: Option<Deed>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// An activation that was reviewed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ActivationReviewed {
    /// Its campaign.
    campaign: String,
    /// Whether it goes on.
    upheld: bool,
    /// Waiting contacts that its end withdrew.
    withdrawn: u64,
}

/// The catalogue of care activities.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Catalogue {
    /// Its categories.
    categories: Vec<CatalogueCategory>,
}

/// A category of the catalogue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CatalogueCategory {
    /// Its name.
    name: String,
    /// In Chinese.
    zh: String,
    /// Its entries.
    entries: Vec<CatalogueEntry>,
}

/// An entry of the catalogue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CatalogueEntry {
    /// Its name, as manifests have it.
    name: String,
    /// In Chinese.
    zh: String,
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
    approval: Approval,
}

/// A proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Proposed {
    /// Its number.
    submission: i64,
    /// What would be granted.
    proposed: Approval,
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
    evidence: Evidence,
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

/// A branch key that was registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KeyAdded {
    /// Its id.
    id: String,
    /// Whose it is.
    owner: String,
    /// Where it may vouch.
    region: String,
}

/// A branch key that was revoked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KeyRevoked {
    /// Its id.
    id: String,
    /// What it signed: activities with their versions.
    signed: Vec<String>,
}

/// A one-time password: shown this one time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct OneTimePassword {
    /// Whose.
    person: String,
    /// It opens nothing but the choice of another.
    one_time_password: String,
}

/// What a kill switch stops.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SwitchThrown {
    /// everything, activity, version, region, channel or campaign.
    scope: String,
    /// Which one; absent for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
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
