//! Persons: who has which role, and whether somebody may do what they are about to do.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::person::{Act, Actor, Appointment, Denied, Role, authorise};
use serde_json::json;

/// Marks a data folder in which nothing is real: the clock may be set there.
pub const REHEARSAL_MARK: &str = "rehearsal";

/// The persons of a rehearsal: one of every role, and a second approver.
const REHEARSAL: [(&str, Role, &str); 13] = [
    ("administrator", Role::Administrator, "350000"),
    ("branch-author", Role::Initiator, "350000"),
    ("city-author", Role::Initiator, "350200"),
    ("city-reviewer", Role::CityReviewer, "350200"),
    ("customer-service", Role::CustomerService, "350000"),
    ("provincial-approver", Role::ProvincialApprover, "350000"),
    ("second-approver", Role::ProvincialApprover, "350000"),
    ("information-systems", Role::InformationSystems, "350000"),
    ("key-accounts", Role::KeyAccounts, "350000"),
    ("operator", Role::Operator, "350000"),
    ("duty-officer", Role::DutyOfficer, "350000"),
    ("auditor", Role::Auditor, "350000"),
    ("event-source", Role::EventSource, "350000"),
];

impl Engine {
    /// Whether `by` may do it, to something of `region`; whom the audit log will name.
    pub(crate) async fn authorise(
        &self,
        by: &str,
        act: Act,
        region: Option<&str>,
        at: i64,
    ) -> Result<Actor, EngineError> {
        let appointments = self.counting().await?;
        authorise(&appointments, by, act, region, at).map_err(|denied| {
            let (code, hint) = match &denied {
                Denied::Unknown { .. } => (
                    "unknown-person",
                    "An administrator registers people with `care user add`; `care init` names the first one",
                ),
                Denied::Role { .. } => ("not-allowed", "Ask one of them, or an administrator for the role"),
                Denied::Region { .. } => ("other-region", "Ask somebody of that region"),
            };
            EngineError::refused(code, denied.to_string(), hint)
        })
    }

    /// Who has which role.
    pub async fn appointments(&self) -> Result<Vec<Appointment>, EngineError> {
        Ok(self.store.appointments().await?)
    }

    /// Gives a person a role in a region.
    pub async fn appoint(&self, new: &Appointment, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::ManagePersons, Some(&new.region), at).await?;
        check(new)?;
        let entry = Entry::of(&actor, "person-appointed", subject(new), detail(new));
        if self.store.appoint(new, &entry).await? {
            return Ok(());
        }
        let message = format!("{} is {} in {} already", new.person, new.role.name(), new.region);
        Err(EngineError::refused("already-appointed", message, "Nothing to do"))
    }

    /// Takes a role from a person. The last administrator stays: nobody could appoint another.
    pub async fn dismiss(&self, old: &Appointment, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::ManagePersons, Some(&old.region), at).await?;
        let all = self.store.appointments().await?;
        let administrators = all.iter().filter(|a| a.role == Role::Administrator).count();
        if old.role == Role::Administrator && administrators == 1 && all.contains(old) {
            let message = format!("{} is the last administrator", old.person);
            return Err(EngineError::refused("last-administrator", message, "Appoint another first"));
        }
        let entry = Entry::of(&actor, "person-dismissed", subject(old), detail(old));
        if self.store.dismiss(old, &entry).await? {
            return Ok(());
        }
        let message = format!("{} is not {} in {}", old.person, old.role.name(), old.region);
        Err(EngineError::refused("not-appointed", message, "See `care user list`"))
    }

    /// The first administrator of a new data folder; changes nothing where somebody is registered.
    pub async fn found(&self, administrator: &str, region: &str, at: i64) -> Result<(), EngineError> {
        if !self.store.appointments().await?.is_empty() {
            return Ok(());
        }
        let first = Appointment { person: administrator.into(), role: Role::Administrator, region: region.to_owned() };
        check(&first)?;
        let entry = host_entry(at, "person-appointed", subject(&first), detail(&first));
        self.store.appoint(&first, &entry).await?;
        Ok(())
    }

    /// Registers one person of every role, for rehearsals and training, and marks the folder as a rehearsal; changes
    /// nothing where somebody is registered.
    pub async fn found_rehearsal(&self, at: i64) -> Result<(), EngineError> {
        if !self.store.appointments().await?.is_empty() {
            return Ok(());
        }
        let mark = self.folder.join(REHEARSAL_MARK);
        std::fs::write(&mark, "").map_err(EngineError::file(&mark, "marking the folder as a rehearsal"))?;
        for (person, role, region) in REHEARSAL {
            let one = Appointment { person: person.into(), role, region: region.into() };
            let entry = host_entry(at, "person-appointed", subject(&one), detail(&one)).because("rehearsal");
            self.store.appoint(&one, &entry).await?;
            if role == Role::Initiator {
                self.found_key(person, region, at).await?;
            }
        }
        Ok(())
    }
}

impl Engine {
    /// A branch key of a rehearsal: its secret lies in `keys/<person>.key`.
    async fn found_key(&self, person: &str, region: &str, at: i64) -> Result<(), EngineError> {
        let (secret, public) = crate::new_branch_key()?;
        crate::keep_private(&self.folder.join("keys").join(format!("{person}.key")), secret.as_bytes())?;
        self.add_key(&public, person, region, "administrator", at).await.map(|_| ())
    }
}

/// What the host does by itself.
pub(crate) fn host_entry(at: i64, deed: &str, subject: impl Into<String>, detail: serde_json::Value) -> Entry {
    Entry {
        at,
        person: "host".into(),
        role: String::new(),
        region: String::new(),
        deed: deed.into(),
        subject: subject.into(),
        reason: String::new(),
        detail,
    }
}

fn check(one: &Appointment) -> Result<(), EngineError> {
    one.check().map_err(|error| EngineError::refused("bad-appointment", error.to_string(), "Nobody was registered"))
}

fn subject(one: &Appointment) -> String {
    format!("person {}", one.person)
}

fn detail(one: &Appointment) -> serde_json::Value {
    json!({"role": one.role.name(), "region": one.region})
}
