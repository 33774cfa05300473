//! What the province grants an activity. Effective is what was asked and granted; a campaign runs on grants alone.

use crate::canonical;
use crate::contact::Addressee;
use crate::control::SHARE_WHOLE;
use crate::decide::Terms;
use crate::manifest::{Cap, Limits, MAX_WEIGHT, Manifest};
use crate::policy::Class;
use crate::region;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Ceiling of what a branch may be granted, whatever it asks for.
pub const CEILING: Limits = Limits { fuel_base: 1_000_000_000, fuel_per_row: 50_000, memory_mib: 256 };

/// What may be granted otherwise than asked. An empty wish grants what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Another class.
    pub class: Option<Class>,
    /// Another weight.
    pub weight: Option<u16>,
    /// Another cap.
    pub cap: Option<Cap>,
    /// Only these regions.
    pub regions: Vec<String>,
    /// Only these addressees.
    pub addressees: Option<BTreeSet<Addressee>>,
    /// Only this share of customers, in parts of 10,000.
    pub share: Option<u16>,
    /// First business date, in days.
    pub from: Option<i32>,
    /// Last business date, in days.
    pub until: Option<i32>,
}

/// An approval, bound to the digest of the component (which holds code and manifest).
/// Its own digest is pinned by every plan: another grant is another approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// SHA-256 of the component.
    pub component: String,
    /// SHA-256 of the manifest's canonical JSON: one that was edited where it is kept is another.
    pub manifest: String,
    /// Activity name.
    pub activity: String,
    /// Its version.
    pub version: semver::Version,
    /// Granted class.
    pub class: Class,
    /// Granted weight.
    pub weight: u16,
    /// Granted cap.
    pub cap: Cap,
    /// Granted regions; empty for everywhere.
    pub regions: Vec<String>,
    /// Granted addressees.
    pub addressees: BTreeSet<Addressee>,
    /// Share of customers, in parts of 10,000.
    pub share: u16,
    /// Granted resources.
    pub limits: Limits,
    /// Bounds of the parameters: the JSON Schema that was approved.
    pub params: serde_json::Value,
    /// First business date, in days; open when absent.
    pub from: Option<i32>,
    /// Last business date, in days; open when absent.
    pub until: Option<i32>,
    /// Digest of the evidence on which it was approved: a simulation of exactly these terms.
    pub evidence: String,
    /// Who approved.
    pub approved_by: String,
    /// When, Unix milliseconds.
    pub approved_at: i64,
}

/// A condition that grants more than was asked, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// An addressee that the manifest never asked for.
    #[error("addressee {0:?} was not asked for; grant only what the manifest asks")]
    Addressee(&'static str),
    /// Not a share.
    #[error("share {0} is out of bounds; grant 1 to 10000 parts of 10000")]
    Share(u16),
    /// Not an administrative code.
    #[error("region {0:?} is no administrative code; use six digits such as 350200")]
    Region(String),
    /// A weight that no manifest may ask for.
    #[error("weight {0} is out of bounds; grant 0 to 1000")]
    Weight(u16),
    /// A cap that caps nothing, or everything.
    #[error("a cap of {contacts} contacts in {days} days is out of bounds; grant at least 1 contact in 1 to 400 days")]
    Cap {
        /// Contacts granted.
        contacts: u32,
        /// Days granted.
        days: u32,
    },
    /// Outside of the region that owns the activity.
    #[error("region {region} lies outside of {owner}, which owns the activity; a city's activity stays in its city")]
    Beyond {
        /// What was to be granted.
        region: String,
        /// Whose activity it is.
        owner: String,
    },
    /// The end lies before the start.
    #[error("the approval would end before it starts; check the dates")]
    Dates,
    /// The manifest has no canonical form.
    #[error("the manifest cannot be written as JSON")]
    Manifest,
}

impl Approval {
    /// Grants `asked` under `conditions`: never more than asked, never more than the ceiling.
    pub fn grant(
        component: &str,
        asked: &Manifest,
        conditions: &Conditions,
        by: &str,
        at: i64,
    ) -> Result<Self, ConditionError> {
        let wanted: BTreeSet<Addressee> = asked.templates.iter().map(|t| t.addressee).collect();
        let addressees = conditions.addressees.clone().unwrap_or_else(|| wanted.clone());
        if let Some(extra) = addressees.difference(&wanted).next() {
            return Err(ConditionError::Addressee(extra.name()));
        }
        let share = conditions.share.unwrap_or(SHARE_WHOLE);
        if !(1..=SHARE_WHOLE).contains(&share) {
            return Err(ConditionError::Share(share));
        }
        if let Some(bad) = conditions.regions.iter().find(|r| r.len() != 6 || !r.bytes().all(|b| b.is_ascii_digit())) {
            return Err(ConditionError::Region(bad.clone()));
        }
        let own = (!asked.owner_region.ends_with("0000")).then_some(&asked.owner_region);
        if let Some((city, beyond)) =
            own.and_then(|city| Some((city, conditions.regions.iter().find(|r| !region::covers(city, r))?)))
        {
            return Err(ConditionError::Beyond { region: beyond.clone(), owner: city.clone() });
        }
        // A city's activity stays in its city, unless even less is granted.
        let regions = match own {
            Some(city) if conditions.regions.is_empty() => vec![city.clone()],
            _ => conditions.regions.clone(),
        };
        if let Some(weight) = conditions.weight.filter(|weight| *weight > MAX_WEIGHT) {
            return Err(ConditionError::Weight(weight));
        }
        // What a manifest may not ask for is not granted either: a cap over no days would cap nothing.
        if let Some(Cap { contacts, days }) = conditions.cap.filter(|cap| !cap.is_sound()) {
            return Err(ConditionError::Cap { contacts, days });
        }
        if matches!((conditions.from, conditions.until), (Some(from), Some(until)) if until < from) {
            return Err(ConditionError::Dates);
        }
        Ok(Self {
            component: component.to_owned(),
            manifest: canonical::digest_of(asked).map_err(|_| ConditionError::Manifest)?,
            activity: asked.name.clone(),
            version: asked.version.clone(),
            class: conditions.class.unwrap_or(asked.class),
            weight: conditions.weight.unwrap_or(asked.weight),
            cap: conditions.cap.unwrap_or(asked.cap),
            regions,
            addressees,
            share,
            limits: Limits {
                fuel_base: asked.limits.fuel_base.min(CEILING.fuel_base),
                fuel_per_row: asked.limits.fuel_per_row.min(CEILING.fuel_per_row),
                memory_mib: asked.limits.memory_mib.min(CEILING.memory_mib),
            },
            params: asked.params.clone(),
            from: conditions.from,
            until: conditions.until,
            evidence: String::new(),
            approved_by: by.to_owned(),
            approved_at: at,
        })
    }

    /// Digest of the canonical JSON.
    pub fn digest(&self) -> Result<String, serde_json::Error> {
        canonical::digest_of(self)
    }

    /// The same terms, not yet granted by anybody and on no evidence: what is simulated.
    #[must_use]
    pub fn terms_alone(&self) -> Self {
        Self { evidence: String::new(), approved_by: String::new(), approved_at: 0, ..self.clone() }
    }

    /// Whether it speaks of exactly this component and manifest.
    pub fn covers(&self, component: &str, manifest: &Manifest) -> bool {
        self.component == component && canonical::digest_of(manifest).is_ok_and(|digest| digest == self.manifest)
    }

    /// Whether it holds on a business date, in days.
    pub fn holds_on(&self, date: i32) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
    }

    /// The manifest as granted: templates to other addressees are gone from every reason, indices stay.
    pub fn effective(&self, asked: &Manifest) -> Manifest {
        let mut granted = asked.clone();
        let allowed: BTreeMap<&str, bool> =
            asked.templates.iter().map(|t| (t.name.as_str(), self.addressees.contains(&t.addressee))).collect();
        for reason in &mut granted.reasons {
            reason.templates.retain(|t| allowed.get(t.as_str()).copied().unwrap_or(false));
        }
        granted.class = self.class;
        granted.weight = self.weight;
        granted.cap = self.cap;
        granted.limits = self.limits;
        granted
    }

    /// The terms on which a campaign of it takes part in a plan.
    pub fn terms(&self, campaign: &str, origin: &str, manifest: &Manifest) -> Terms {
        Terms {
            campaign: campaign.to_owned(),
            activity: self.activity.clone(),
            origin: origin.to_owned(),
            class: self.class,
            weight: self.weight,
            cap: self.cap,
            rounds: manifest.rounds,
            regions: self.regions.clone(),
            share: self.share,
            channels: manifest.reasons.iter().map(|r| r.channels.clone()).collect(),
        }
    }
}
