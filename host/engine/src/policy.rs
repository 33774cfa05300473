//! The contact policy: proposed by one person, put in force by another; and the calendars that its rules ask for.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::calendar::{Calendar, CalendarYear};
use care_domain::canonical;
use care_domain::contact::Channel;
use care_domain::governance::Deed;
use care_domain::person::{Act, Actor};
use care_domain::policy::{Class, Policy};
use care_domain::policy_version::{PolicyChange, PolicyForbidden, changes};
use care_domain::text::Finding;
use care_domain::time;
use care_store::{CalendarRow, PolicyVersion};
use serde_json::json;
use std::collections::BTreeMap;

/// A policy that was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Its number.
    pub number: i64,
    /// What may not be meant: nothing of it is refused.
    pub warnings: Vec<Finding>,
    /// In what it differs from the policy in force.
    pub changes: Vec<PolicyChange>,
}

const PROVINCE: &str = "policy-set";
const APPROVED: &str = "policy-approved";
const REJECTED: &str = "policy-rejected";

impl Engine {
    /// The contact policy in force, with its digest.
    pub async fn policy_in_force(&self) -> Result<(String, Policy), EngineError> {
        let found = self.version_in_force().await?;
        Ok((found.digest, found.policy))
    }

    /// The version in force, if it is the one that the audit log tells of.
    async fn version_in_force(&self) -> Result<PolicyVersion, EngineError> {
        let found = self.store.policy(None).await?;
        let found = found
            .ok_or_else(|| EngineError::refused("no-policy", "there is no contact policy", "Run `care init` again"))?;
        // Installations of before versions called all of them `policy`.
        for subject in [subject(found.number), "policy".to_owned()] {
            let lines = self.store.audit_lines(Some(&subject)).await?;
            let vouches = |entry: &Entry| {
                [PROVINCE, APPROVED].contains(&entry.deed.as_str())
                    && (entry.detail["policy"] == found.digest.as_str()
                        || (entry.detail["name"] == "default" && found.policy.name == "default"))
            };
            if lines.iter().any(|line| vouches(&line.entry)) {
                return Ok(found);
            }
        }
        let message = format!("policy {} is in force, and the audit log knows nothing of it", found.number);
        let hint = "Somebody changed the database: see `care audit verify`, and restore it from a backup";
        Err(EngineError::refused("policy-unsound", message, hint))
    }

    /// All versions of the policy, newest first.
    pub async fn policy_versions(&self) -> Result<Vec<PolicyVersion>, EngineError> {
        Ok(self.store.policy_versions().await?)
    }

    /// A version of the policy by its number; the one in force when absent.
    pub async fn policy_version(&self, number: Option<i64>) -> Result<PolicyVersion, EngineError> {
        let Some(number) = number else { return self.version_in_force().await };
        let found = self.store.policy_versions().await?.into_iter().find(|v| v.number == number);
        found.ok_or_else(|| {
            let message = format!("there is no policy {number}");
            EngineError::refused("unknown-policy", message, "List them with `care policy history`")
        })
    }

    /// In what a version differs from another.
    pub async fn policy_diff(&self, before: i64, after: i64) -> Result<Vec<PolicyChange>, EngineError> {
        let (before, after) = (self.policy_version(Some(before)).await?, self.policy_version(Some(after)).await?);
        Ok(changes(&before.document, &after.document))
    }

    /// Proposes a policy; somebody else puts it in force.
    pub async fn propose_policy(
        &self,
        policy: &Policy,
        note: &str,
        by: &str,
        at: i64,
    ) -> Result<Proposed, EngineError> {
        let actor = self.authorise(by, Act::ProposePolicy, None, at).await?;
        let findings = policy.check();
        if !findings.is_empty() {
            return Err(EngineError::Findings { what: "the policy".into(), findings });
        }
        let in_force = self.version_in_force().await?;
        let changes = changes(&in_force.document, &serde_json::to_value(policy).map_err(EngineError::internal)?);
        if changes.is_empty() {
            let message = format!("that is what policy {} says, which is in force", in_force.number);
            return Err(EngineError::refused("policy-unchanged", message, "Nothing to do"));
        }
        let warnings = self.warnings(policy, at).await?;
        let digest = canonical::digest_of(policy).map_err(EngineError::internal)?;
        let entry = Entry::of(&actor, "policy-proposed", "", json!({"policy": digest})).because(note);
        let number = self.store.propose_policy(policy, note, &deed(&actor), entry).await?;
        Ok(Proposed { number, warnings, changes })
    }

    /// Puts a proposed policy in force for plans to come.
    pub async fn approve_policy(&self, number: i64, by: &str, at: i64) -> Result<PolicyVersion, EngineError> {
        let actor = self.authorise(by, Act::DecidePolicy, None, at).await?;
        let found = self.policy_version(Some(number)).await?;
        let after = found.state.clone().approve(deed(&actor)).map_err(|why| forbidden(number, &why))?;
        // Proposed under rules of an older program, perhaps.
        let findings = found.policy.check();
        if !findings.is_empty() {
            return Err(EngineError::Findings { what: format!("policy {number}"), findings });
        }
        let entry = Entry::of(&actor, APPROVED, subject(number), json!({"policy": found.digest}));
        if self.store.decide_policy(number, &after, &entry).await? {
            return Ok(PolicyVersion { state: after, ..found });
        }
        let message = format!("policy {number} was written as a change of a policy that is not in force any more");
        Err(EngineError::refused("policy-outdated", message, "Propose it anew, on what `care policy show` prints now"))
    }

    /// Refuses a proposed policy, or takes one's own back.
    pub async fn reject_policy(&self, number: i64, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let found = self.policy_version(Some(number)).await?;
        let own = found.state.author().person == by;
        let actor = self.authorise(by, if own { Act::ProposePolicy } else { Act::DecidePolicy }, None, at).await?;
        let after = found.state.reject(deed(&actor), reason.to_owned()).map_err(|why| forbidden(number, &why))?;
        let detail = json!({"policy": found.digest});
        let entry = Entry::of(&actor, REJECTED, subject(number), detail).because(reason);
        if self.store.decide_policy(number, &after, &entry).await? {
            return Ok(());
        }
        Err(forbidden(number, &PolicyForbidden::Decided("decided about")))
    }

    /// The first policy of an installation; changes nothing where there is one.
    pub(crate) async fn found_policy(&self, at: i64) -> Result<(), EngineError> {
        let policy = Policy::default();
        let digest = canonical::digest_of(&policy).map_err(EngineError::internal)?;
        let detail = json!({"policy": digest, "name": policy.name});
        let entry = crate::people::host_entry(at, PROVINCE, subject(1), detail);
        let host = Deed { person: entry.person.clone(), at };
        Ok(self.store.found_policy(&policy, &host, &entry).await?)
    }

    async fn warnings(&self, policy: &Policy, at: i64) -> Result<Vec<Finding>, EngineError> {
        let mut found = Vec::new();
        for class in Class::ALL {
            let reaches = Channel::ALL.into_iter().filter(|c| c.disturbs());
            if !reaches.clone().any(|channel| policy.leaves_room(class, channel, at)) {
                let message = format!("nothing of class {} can reach a customer", class.name());
                found.push(Finding::warning("policy-forbids", message, "Check quiet hours, days off and capacity"));
            }
        }
        if policy.needs_calendar(Class::ALL) {
            let known = self.store.calendars().await?;
            let years = Policy::calendar_years(time::today(at));
            found.extend(years.into_iter().filter(|year| !known.contains_key(year)).map(|year| {
                let message = format!("its rules ask for days off, and there is no calendar for {year}");
                Finding::warning("no-calendar", message, "Import it with `care calendar import`, or plans are refused")
            }));
        }
        Ok(found)
    }
}

impl Engine {
    /// Imports the calendars of some years, each a file's name and text in the format of `holiday-cn`; plans from now on
    /// read them. All of them, or none where one of them cannot be meant.
    pub async fn import_calendars(
        &self,
        files: &[(String, String)],
        by: &str,
        at: i64,
    ) -> Result<Vec<CalendarRow>, EngineError> {
        let actor = self.authorise(by, Act::ImportCalendar, None, at).await?;
        let (mut years, mut findings) = (Vec::new(), Vec::new());
        for (name, text) in files {
            match serde_json::from_str::<CalendarYear>(text) {
                Ok(year) => {
                    findings.extend(
                        year.check().into_iter().map(|f| Finding { message: format!("{name}: {}", f.message), ..f }),
                    );
                    years.push(year);
                }
                Err(error) => {
                    let hint = "A calendar is JSON with `year` and `days`, each with `name`, `date` and `isOffDay`";
                    findings.push(Finding::error("bad-calendar", format!("{name} is no calendar: {error}"), hint));
                }
            }
        }
        if !findings.is_empty() {
            return Err(EngineError::Findings { what: "the calendar".into(), findings });
        }
        let mut kept = Vec::with_capacity(years.len());
        for year in years {
            let bytes = canonical::json(&year).map_err(EngineError::internal)?;
            let row = CalendarRow {
                year: year.year,
                digest: self.store.blobs().put(bytes.as_bytes())?,
                days: year.days.len() as i64,
                imported_by: actor.person.clone(),
                imported_at: at,
            };
            let detail = json!({"digest": row.digest, "days": row.days});
            let entry = Entry::of(&actor, "calendar-imported", format!("calendar {}", row.year), detail);
            kept.push((row, entry));
        }
        self.store.set_calendars(&kept).await?;
        Ok(kept.into_iter().map(|(row, _)| row).collect())
    }

    /// The calendars by year.
    pub async fn calendars(&self) -> Result<BTreeMap<i16, CalendarRow>, EngineError> {
        Ok(self.store.calendars().await?)
    }

    /// The digests of the calendars that decide about a plan of a date, where a rule for these classes asks for days
    /// off; refused when a year that it certainly asks about has none.
    pub(crate) async fn calendar_pins(
        &self,
        policy: &Policy,
        classes: impl IntoIterator<Item = Class>,
        date: i32,
    ) -> Result<BTreeMap<i16, String>, EngineError> {
        if !policy.needs_calendar(classes) {
            return Ok(BTreeMap::new());
        }
        let known = self.store.calendars().await?;
        let years = Policy::calendar_years(date);
        if let Some(year) = years.first().filter(|year| !known.contains_key(year)) {
            let message =
                format!("policy {:?} has rules for days off, and there is no calendar for {year}", policy.name);
            let hint = "Import it with `care calendar import`; without it nobody knows which days are off";
            return Err(EngineError::refused("no-calendar", message, hint));
        }
        // The notice of a year also speaks of the last days of the year before.
        let wanted = years.iter().copied().chain(years.last().map(|year| year + 1));
        Ok(wanted.filter_map(|year| Some((year, known.get(&year)?.digest.clone()))).collect())
    }

    /// The calendar that was pinned.
    pub(crate) fn calendar_of(&self, pins: &BTreeMap<i16, String>) -> Result<Calendar, EngineError> {
        let mut years = Vec::with_capacity(pins.len());
        for digest in pins.values() {
            let bytes = self.store.blobs().get(digest)?;
            years.push(serde_json::from_slice::<CalendarYear>(&bytes).map_err(EngineError::internal)?);
        }
        Ok(Calendar::of(years))
    }
}

fn subject(number: i64) -> String {
    format!("policy {number}")
}

fn deed(actor: &Actor) -> Deed {
    Deed { person: actor.person.clone(), at: actor.at }
}

fn forbidden(number: i64, why: &PolicyForbidden) -> EngineError {
    match why {
        PolicyForbidden::FourEyes(_) => {
            EngineError::refused("four-eyes", format!("policy {number}: {why}"), "Ask somebody else of the province")
        }
        PolicyForbidden::Decided(_) => {
            let hint = "A decision is taken once: propose it anew with `care policy propose`";
            EngineError::refused("decided-once", format!("policy {number}: {why}"), hint)
        }
    }
}
