//! What is refused before a plan starts: nothing of it is half done then.

use super::due::DueCampaign;
use crate::EngineError;
use care_domain::contact::Channel;
use care_domain::key::Bucket;
use care_domain::policy::{ANYWHERE, Policy};
use care_domain::text::Finding;
use care_domain::time;
use care_population::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// Fields that say where a customer is.
const PLACES: [&str; 2] = ["visited-adcode", "home-adcode"];

/// A policy under which none of these campaigns could reach anybody within a month.
pub(super) fn leaves_room(campaigns: &[DueCampaign], policy: &Policy, now: i64) -> Result<(), EngineError> {
    let open = |campaign: &DueCampaign| {
        let class = campaign.approval.class;
        let mut channels = campaign.version.manifest.reasons.iter().flat_map(|reason| &reason.channels);
        let managed = policy.account_manager.classes.contains(&class).then_some(Channel::AccountManager);
        channels.any(|channel| policy.leaves_room(class, *channel, now))
            || managed.is_some_and(|channel| policy.leaves_room(class, channel, now))
    };
    if campaigns.is_empty() || campaigns.iter().any(open) {
        return Ok(());
    }
    let names: Vec<&str> = campaigns.iter().map(|c| c.id.as_str()).collect();
    let message = format!("policy {:?} forbids everything that {} could say", policy.name, names.join(", "));
    let hint = "Check its quiet hours, forbidden hours, days off and capacity with `care policy show`";
    Err(EngineError::refused("policy-forbids-everything", message, hint))
}

/// Campaigns for which a snapshot of this date is fresh enough, and why the others are left out.
pub(crate) fn fresh_enough(
    campaigns: Vec<DueCampaign>,
    snapshot: &Snapshot,
    date: i32,
) -> (Vec<DueCampaign>, Vec<Finding>) {
    let of = snapshot.manifest().business_date;
    let age = i64::from(date) - i64::from(of);
    let (fresh, stale): (Vec<_>, Vec<_>) =
        campaigns.into_iter().partition(|campaign| age <= i64::from(campaign.max_snapshot_days));
    let stale = stale.into_iter().map(|campaign| {
        let message = format!(
            "campaign {} runs on snapshots of at most {} days, and the snapshot of {} is {age} days old on {}",
            campaign.id,
            campaign.max_snapshot_days,
            time::write_date(of),
            time::write_date(date)
        );
        Finding::error("snapshot-too-old", message, "Import today's population with `care population import`")
    });
    (fresh, stale.collect())
}

/// Every region in which a customer is has a zone, else nobody knows when it is night there.
pub(super) fn zones_known(snapshot: &Snapshot, policy: &Policy) -> Result<(), EngineError> {
    if policy.zones.contains_key(ANYWHERE) {
        return Ok(());
    }
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for bucket in Bucket::all(snapshot.manifest().bits) {
        let data = snapshot.bucket(bucket)?;
        let [visited, home] = PLACES.map(|name| data.column(name));
        let own = data.column("time-zone");
        for row in 0..data.rows() {
            if own.as_ref().and_then(|c| c.text(row)).is_some_and(|name| time::zone(name).is_some()) {
                continue;
            }
            let place = visited.as_ref().and_then(|c| c.text(row)).or_else(|| home.as_ref()?.text(row));
            let place = place.unwrap_or_default();
            if known.contains(place) {
                continue;
            }
            if policy.zone_of(place).is_some() {
                known.insert(place.to_owned());
            } else {
                *unknown.entry(place.to_owned()).or_default() += 1;
            }
        }
    }
    let findings = unknown.into_iter().map(|(region, customers)| {
        let region = if region.is_empty() { "no known region".to_owned() } else { format!("region {region}") };
        let message = format!("{customers} customers are in {region}, to which policy {:?} gives no zone", policy.name);
        let hint = format!("Name the region under `zones` of the policy, or {ANYWHERE} for wherever none is named");
        Finding::error("region-without-zone", message, hint)
    });
    let findings: Vec<Finding> = findings.collect();
    if findings.is_empty() { Ok(()) } else { Err(EngineError::Findings { what: "the plan".into(), findings }) }
}
