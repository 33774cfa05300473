//! What the province grants an activity. Effective is what was asked and granted; a campaign runs on grants alone.

use crate::canonical;
use crate::catalogue::CategorySet;
use crate::contact::Addressee;
use crate::control::SHARE_WHOLE;
use crate::decide::{Taken, Terms};
use crate::gate::Ticks;
use crate::governance::Deed;
use crate::manifest::{Action, Cap, Limits, MAX_WEIGHT, Manifest, Template};
use crate::policy::Class;
use crate::region;
use crate::standby::Standby;
use crate::variant::is_variant;
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
    /// Only these requests to departments, by name.
    pub actions: Option<BTreeSet<String>>,
    /// What its contacts may cost in all, in fen.
    pub budget_fen: Option<u64>,
    /// Approved ahead: nothing of it runs until a duty officer activates it, within these bounds.
    pub standby: Option<Standby>,
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
    /// Granted requests to departments, by name. Absent in approvals of before they were granted apart: all that were
    /// asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<BTreeSet<String>>,
    /// What its contacts may cost in all, in fen; open when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_fen: Option<u64>,
    /// Bounds within which a duty officer may activate it; only then does anything of it run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<Standby>,
    /// Digest of the approval that a variant rests on: it runs no longer than that one holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The principles that its approver ticked.
    #[serde(default, skip_serializing_if = "Ticks::is_empty")]
    pub principles: Ticks,
    /// Digest of the evidence on which it was approved: a simulation of exactly these terms.
    pub evidence: String,
    /// Who approved.
    pub approved_by: String,
    /// When, Unix milliseconds.
    pub approved_at: i64,
    /// Who approved as well, where the reach asks for a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Deed>,
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
    /// A request that the manifest never asked for.
    #[error("request {name:?} was not asked for; the manifest asks for: {asked}")]
    Action {
        /// What was to be granted.
        name: String,
        /// What is asked for.
        asked: String,
    },
    /// Standby for something that is no disaster response.
    #[error("only a disaster response is approved on standby, and this would be of class {0}")]
    StandbyClass(&'static str),
    /// Standby without bounds, or with impossible ones.
    #[error("a standby approval names the areas (six digits each) and 1 to 366 days in which it may be activated")]
    StandbyBounds,
    /// A variant that would be granted more than what it rests on.
    #[error("a variant is granted no more than what it rests on: {what} goes beyond it")]
    BeyondBase {
        /// Which condition.
        what: &'static str,
    },
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
        check_bounds(conditions)?;
        let class = conditions.class.unwrap_or(asked.class);
        if let (Some(_), true) = (&conditions.standby, class != Class::Disaster) {
            return Err(ConditionError::StandbyClass(class.name()));
        }
        Ok(Self {
            component: component.to_owned(),
            manifest: canonical::digest_of(asked).map_err(|_| ConditionError::Manifest)?,
            activity: asked.name.clone(),
            version: asked.version.clone(),
            class,
            weight: conditions.weight.unwrap_or(asked.weight),
            cap: conditions.cap.unwrap_or(asked.cap),
            regions: granted_regions(asked, conditions)?,
            addressees: granted_addressees(asked, conditions)?,
            share: conditions.share.unwrap_or(SHARE_WHOLE),
            limits: Limits {
                fuel_base: asked.limits.fuel_base.min(CEILING.fuel_base),
                fuel_per_row: asked.limits.fuel_per_row.min(CEILING.fuel_per_row),
                memory_mib: asked.limits.memory_mib.min(CEILING.memory_mib),
            },
            params: asked.params.clone(),
            from: conditions.from,
            until: conditions.until,
            actions: Some(granted_actions(asked, conditions)?),
            budget_fen: conditions.budget_fen,
            standby: conditions.standby.clone(),
            base: None,
            principles: Ticks::new(),
            evidence: String::new(),
            approved_by: by.to_owned(),
            approved_at: at,
            second: None,
        })
    }

    /// Grants a variant, which rests on `base`: what no condition names is granted as the base was, and nothing beyond it.
    pub fn grant_variant(
        component: &str,
        asked: &Manifest,
        conditions: &Conditions,
        base: &Self,
        (by, at): (&str, i64),
    ) -> Result<Self, ConditionError> {
        let wished = conditions.clone();
        let conditions = Conditions {
            regions: if wished.regions.is_empty() { base.regions_for(&asked.owner_region) } else { wished.regions },
            share: wished.share.or(Some(base.share)),
            from: wished.from.or(base.from),
            until: wished.until.or(base.until),
            budget_fen: wished.budget_fen.or(base.budget_fen),
            ..wished
        };
        let granted = Self::grant(component, asked, &conditions, by, at)?;
        let digest = base.digest().map_err(|_| ConditionError::Manifest)?;
        match granted.beyond(base) {
            Some(what) => Err(ConditionError::BeyondBase { what }),
            None => Ok(Self { base: Some(digest), ..granted }),
        }
    }

    /// The regions of a variant that nobody named: its owner's, as far as the base may go.
    fn regions_for(&self, owner: &str) -> Vec<String> {
        let inside: Vec<String> = self.regions.iter().filter(|r| region::covers(owner, r)).cloned().collect();
        if inside.is_empty() { vec![owner.to_owned()] } else { inside }
    }

    /// Customers whom these other approvals of the same activity take from it: variants have their regions instead of
    /// their base, and of two variants the narrower region goes first.
    pub fn yields_to<'a>(&self, others: impl Iterator<Item = &'a Self>) -> Vec<Taken> {
        let ours = |other: &&Self| {
            other.activity == self.activity && is_variant(&other.version) && other.component != self.component
        };
        let narrower = |region: &String| {
            !is_variant(&self.version)
                || self.regions.iter().any(|own| region::covers(own, region) && !region::covers(region, own))
        };
        let taken = |other: &'a Self| {
            let regions = other.regions.iter().filter(|region| narrower(region));
            regions.map(|region| Taken { region: region.clone(), share: other.share }).collect::<Vec<_>>()
        };
        others.filter(ours).flat_map(taken).collect()
    }

    /// What of these terms goes beyond a base's.
    fn beyond(&self, base: &Self) -> Option<&'static str> {
        let inside = |r: &String| base.regions.is_empty() || base.regions.iter().any(|wide| region::covers(wide, r));
        let everywhere = self.regions.is_empty() && !base.regions.is_empty();
        let actions = |of: &Self| of.actions.clone().unwrap_or_default();
        let checks = [
            ("the class", self.class < base.class),
            ("the weight", self.weight > base.weight),
            ("the cap", self.cap.contacts > base.cap.contacts || self.cap.days < base.cap.days),
            ("a region", everywhere || !self.regions.iter().all(inside)),
            ("an addressee", !self.addressees.is_subset(&base.addressees)),
            ("a request", base.actions.is_some() && !actions(self).is_subset(&actions(base))),
            ("the share", self.share > base.share),
            ("the first day", base.from.is_some_and(|from| self.from.is_none_or(|own| own < from))),
            ("the last day", base.until.is_some_and(|until| self.until.is_none_or(|own| own > until))),
            ("the budget", base.budget_fen.is_some_and(|most| self.budget_fen.is_none_or(|own| own > most))),
            ("standby", self.standby.is_some() || base.standby.is_some()),
        ];
        checks.into_iter().find(|(_, beyond)| *beyond).map(|(what, _)| what)
    }

    /// Digest of the canonical JSON.
    pub fn digest(&self) -> Result<String, serde_json::Error> {
        canonical::digest_of(self)
    }

    /// The same terms, not yet granted by anybody and on no evidence: what is simulated.
    #[must_use]
    pub fn terms_alone(&self) -> Self {
        Self {
            principles: Ticks::new(),
            evidence: String::new(),
            approved_by: String::new(),
            approved_at: 0,
            second: None,
            ..self.clone()
        }
    }

    /// Whether it speaks of exactly this component and manifest.
    pub fn covers(&self, component: &str, manifest: &Manifest) -> bool {
        self.component == component && canonical::digest_of(manifest).is_ok_and(|digest| digest == self.manifest)
    }

    /// Whether it holds on a business date, in days.
    pub fn holds_on(&self, date: i32) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
    }

    /// Whether a template may be used: its addressee is granted, and what it asks a department for.
    fn allows(&self, template: &Template) -> bool {
        let granted = |action: &Action| self.actions.as_ref().is_none_or(|granted| granted.contains(action.name()));
        self.addressees.contains(&template.addressee) && template.action.as_ref().is_none_or(granted)
    }

    /// The manifest as granted: templates to other addressees and other requests are gone from every reason, indices stay.
    pub fn effective(&self, asked: &Manifest) -> Manifest {
        let mut granted = asked.clone();
        let allowed: BTreeMap<&str, bool> = asked.templates.iter().map(|t| (t.name.as_str(), self.allows(t))).collect();
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
            categories: CategorySet::of(manifest.catalogue.iter().map(String::as_str)),
            class: self.class,
            weight: self.weight,
            cap: self.cap,
            rounds: manifest.rounds,
            regions: self.regions.clone(),
            except: Vec::new(),
            areas: Vec::new(),
            lists: manifest.lists().map(str::to_owned).collect(),
            share: self.share,
            channels: manifest.reasons.iter().map(|r| r.channels.clone()).collect(),
        }
    }
}

/// Conditions that no manifest could make good.
fn check_bounds(conditions: &Conditions) -> Result<(), ConditionError> {
    if let Some(share) = conditions.share.filter(|share| !(1..=SHARE_WHOLE).contains(share)) {
        return Err(ConditionError::Share(share));
    }
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
    if conditions.standby.as_ref().is_some_and(|standby| !standby.is_sound()) {
        return Err(ConditionError::StandbyBounds);
    }
    Ok(())
}

/// A city's activity stays in its city, unless even less is granted.
fn granted_regions(asked: &Manifest, conditions: &Conditions) -> Result<Vec<String>, ConditionError> {
    let wished = &conditions.regions;
    if let Some(bad) = wished.iter().find(|r| !region::is_code(r)) {
        return Err(ConditionError::Region(bad.clone()));
    }
    if asked.owner_region.ends_with("0000") {
        return Ok(wished.clone());
    }
    let city = &asked.owner_region;
    match wished.iter().find(|r| !region::covers(city, r)) {
        Some(beyond) => Err(ConditionError::Beyond { region: beyond.clone(), owner: city.clone() }),
        None if wished.is_empty() => Ok(vec![city.clone()]),
        None => Ok(wished.clone()),
    }
}

fn granted_addressees(asked: &Manifest, conditions: &Conditions) -> Result<BTreeSet<Addressee>, ConditionError> {
    let wanted: BTreeSet<Addressee> = asked.templates.iter().map(|t| t.addressee).collect();
    let granted = conditions.addressees.clone().unwrap_or_else(|| wanted.clone());
    match granted.difference(&wanted).next() {
        Some(extra) => Err(ConditionError::Addressee(extra.name())),
        None => Ok(granted),
    }
}

fn granted_actions(asked: &Manifest, conditions: &Conditions) -> Result<BTreeSet<String>, ConditionError> {
    let actions = asked.templates.iter().filter_map(|t| t.action.as_ref());
    let wanted: BTreeSet<String> = actions.map(|action| action.name().to_owned()).collect();
    let granted = conditions.actions.clone().unwrap_or_else(|| wanted.clone());
    match granted.difference(&wanted).next() {
        Some(extra) => {
            let asked: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let asked = if asked.is_empty() { "none".to_owned() } else { asked.join(", ") };
            Err(ConditionError::Action { name: extra.clone(), asked })
        }
        None => Ok(granted),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An approval of something, for tests of what carries one.
    pub(crate) fn any() -> Approval {
        Approval {
            component: "component".into(),
            manifest: "manifest".into(),
            activity: "birthday".into(),
            version: semver::Version::new(1, 0, 0),
            class: Class::Care,
            weight: 100,
            cap: Cap { contacts: 1, days: 30 },
            regions: vec!["350000".into()],
            addressees: BTreeSet::from([Addressee::Customer]),
            share: SHARE_WHOLE,
            limits: Limits::default(),
            params: serde_json::json!({"type": "object", "properties": {}}),
            from: None,
            until: None,
            actions: Some(BTreeSet::new()),
            budget_fen: None,
            standby: None,
            base: None,
            principles: Ticks::new(),
            evidence: "evidence".into(),
            approved_by: "xu".into(),
            approved_at: 1,
            second: None,
        }
    }

    #[test]
    fn an_approval_of_before_keeps_its_digest() {
        let now = any();
        let before = Approval { actions: None, ..now };
        let text = canonical::json(&before).expect("JSON");
        for later in ["actions", "budget_fen", "standby", "base", "principles", "second"] {
            assert!(!text.contains(&format!("{later:?}:")), "{later} would change what was signed");
        }
        assert_eq!(serde_json::from_str::<Approval>(&text).expect("its own JSON"), before);
    }

    #[test]
    fn a_variant_is_granted_nothing_beyond_its_base() {
        let base = Approval { until: Some(100), budget_fen: Some(5_000), share: 1_000, ..any() };
        let inside = Approval { regions: vec!["350200".into()], ..base.clone() };
        assert_eq!(inside.beyond(&base), None);
        let cap = |contacts, days| Cap { contacts, days };
        for (beyond, what) in [
            (Approval { class: Class::Service, ..inside.clone() }, "the class"),
            (Approval { weight: 101, ..inside.clone() }, "the weight"),
            (Approval { cap: cap(2, 30), ..inside.clone() }, "the cap"),
            (Approval { cap: cap(1, 29), ..inside.clone() }, "the cap"),
            (Approval { regions: vec!["360000".into()], ..inside.clone() }, "a region"),
            (Approval { regions: Vec::new(), ..inside.clone() }, "a region"),
            (Approval { addressees: BTreeSet::from([Addressee::CloseContacts]), ..inside.clone() }, "an addressee"),
            (Approval { actions: Some(BTreeSet::from(["fee-waiver".into()])), ..inside.clone() }, "a request"),
            (Approval { share: 1_001, ..inside.clone() }, "the share"),
            (Approval { until: Some(101), ..inside.clone() }, "the last day"),
            (Approval { until: None, ..inside.clone() }, "the last day"),
            (Approval { budget_fen: None, ..inside.clone() }, "the budget"),
            (Approval { budget_fen: Some(5_001), ..inside.clone() }, "the budget"),
        ] {
            assert_eq!(beyond.beyond(&base), Some(what));
        }
        let dated = Approval { from: Some(10), ..base };
        assert_eq!(Approval { from: Some(9), ..inside.clone() }.beyond(&dated), Some("the first day"));
        assert_eq!(Approval { from: Some(10), ..inside }.beyond(&dated), None);
    }
    #[test]
    fn a_base_yields_to_its_variants_and_a_wide_variant_to_a_narrow_one() {
        let variant = |name: &str, region: &str, share| Approval {
            component: name.into(),
            version: format!("1.0.0+{name}").parse().expect("a version"),
            regions: vec![region.into()],
            share,
            ..any()
        };
        let base = any();
        let (city, county) = (variant("city", "350200", 10_000), variant("county", "350203", 1_000));
        let other = Approval { activity: "festival".into(), ..variant("other", "350200", 10_000) };
        let all = [&base, &city, &county, &other];
        let taken = |region: &str, share| Taken { region: region.into(), share };
        let yields = |one: &Approval| one.yields_to(all.into_iter());
        assert_eq!(yields(&base), [taken("350200", 10_000), taken("350203", 1_000)]);
        assert_eq!(yields(&city), [taken("350203", 1_000)]);
        assert_eq!(yields(&county), []);
        assert_eq!(yields(&other), []);
    }
}
