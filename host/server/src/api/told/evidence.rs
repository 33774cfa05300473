//! The evidence of a simulation, as answers hold it.

use super::learnt::ContactPressure;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a version would do on a day if it ran, with every rule on and nothing sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Evidence {
    /// What was simulated, and on what.
    subject: Subject,
    /// Customers of the population.
    customers: u64,
    /// Candidates by verdict.
    verdicts: BTreeMap<String, u64>,
    /// Messages of cleared candidates by channel.
    messages: BTreeMap<String, u64>,
    /// By prefecture.
    regions: BTreeMap<String, Reach>,
    /// By VIP tier.
    tiers: BTreeMap<String, Reach>,
    /// By reason.
    reasons: BTreeMap<String, Reach>,
    /// Candidates by score, in ten bins of 0.1 from 0.
    #[schema(min_items = 10, max_items = 10)]
    scores: Vec<u64>,
    /// Short messages and their cost.
    sms: SmsUse,
    /// Faults of the plugin by code.
    faults: BTreeMap<String, u64>,
    /// Contacts that customers have, before and after.
    pressure: PressureChange,
    /// The same customers in other active campaigns, by campaign.
    overlaps: BTreeMap<String, Overlap>,
    /// What is decided otherwise than by running campaigns of the same activity, by campaign.
    shadows: BTreeMap<String, Shadow>,
    /// What it takes from other active campaigns, by campaign.
    displaced: BTreeMap<String, Displaced>,
    /// Messages as they are read, by template and channel.
    samples: BTreeMap<String, BTreeMap<String, Vec<SampleMessage>>>,
}

/// What was simulated, and on what: the same gives the same evidence.
#[derive(Deserialize, ToSchema)]
#[schema(as = EvidenceSubject)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Subject {
    /// The activity.
    activity: String,
    /// Its version.
    version: String,
    /// Digest of the component.
    component: String,
    /// Digest of the approval that was simulated.
    approval: String,
    /// Parameters, as canonical JSON.
    params: String,
    /// Business date, in days since 1970.
    date: i32,
    /// What was taken for now, Unix milliseconds.
    instant: i64,
    /// The population.
    snapshot: String,
    /// Digest of the contact policy.
    policy: String,
    /// The ledger was read up to this mark.
    mark: i64,
    /// Price of a segment of a short message, in fen.
    sms_price_fen: u32,
    /// Whether its goal is a sale.
    sale: bool,
}

/// Candidates of a region, tier or reason.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Reach {
    /// Selected by the plugin.
    selected: u64,
    /// Of those, cleared by every rule.
    cleared: u64,
}

/// Short messages as they are paid for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SmsUse {
    /// Messages.
    messages: u64,
    /// Segments of them.
    segments: u64,
    /// What they cost, in fen.
    cost_fen: u64,
}

/// Contact pressure as the world is, and with the simulated version in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PressureChange {
    /// As it is.
    before: ContactPressure,
    /// With it.
    after: ContactPressure,
}

/// Customers whom another active campaign selects too.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Overlap {
    /// Its activity.
    activity: String,
    /// Entries of the catalogue that both answer.
    entries: Vec<String>,
    /// Selected by the simulated version.
    ours: u64,
    /// Selected by the other campaign.
    theirs: u64,
    /// Selected by both.
    both: u64,
    /// Whether it is a duplicate.
    duplicate: bool,
}

/// What is decided otherwise than by a running campaign of the same activity.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Shadow {
    /// The running version.
    version: String,
    /// Customers selected by both.
    both: u64,
    /// Customers by how they fare differently: only-running, only-new, reason, verdict, message.
    differ: BTreeMap<String, u64>,
    /// A few of them by pseudonymous key.
    examples: BTreeMap<String, Vec<String>>,
}

/// What becomes of another campaign's cleared candidates.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Displaced {
    /// Cleared without the simulated version.
    cleared: u64,
    /// Not cleared any more because of it.
    lost: u64,
    /// Cleared only now.
    gained: u64,
}

/// A message as it is read, addressed to a person who does not exist.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SampleMessage {
    /// Where it stands among its like.
    rank: u32,
    /// In Chinese.
    zh: String,
    /// In English.
    en: String,
}

/// In what two simulations differ.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Differences {
    /// Every figure that differs.
    differences: Vec<Difference>,
}

/// A figure that differs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Difference {
    /// Which: words from the widest to the narrowest, such as `region 350200 cleared`.
    figure: String,
    /// In the first; empty where it has none.
    before: String,
    /// In the second; empty where it has none.
    after: String,
}
