//! Persons who show who they are by a password: a one-time one first, then their own. What they get is a token for a day's
//! work, in one of their roles.

use crate::people::host_entry;
use crate::{Engine, EngineError, NewToken};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use care_domain::audit::Entry;
use care_domain::person::{Act, Actor, Appointment, Role};
use serde_json::json;

/// So long a token of a login holds †.
const DAYS_WORK_MS: i64 = 12 * 3_600_000;
/// So often somebody may be wrong before nobody may try for a while †.
const MOST_FAILURES: u32 = 5;
const LOCK_MS: i64 = 15 * 60_000;
/// The shortest password that a person may choose, in characters †.
const SHORTEST: usize = 12;
const LONGEST: usize = 256;

/// Who logs in, and as what.
#[derive(Clone)]
pub struct Login {
    /// Who.
    pub person: String,
    /// Their password, or the one-time one.
    pub password: String,
    /// The password that they choose; needed with a one-time one.
    pub new_password: Option<String>,
    /// In which of their roles; needed where they have several.
    pub role: Option<Role>,
    /// In which of that role's regions.
    pub region: Option<String>,
}

impl Engine {
    /// Gives somebody a one-time password, which opens nothing but the choice of their own; shown this one time.
    pub async fn reset_password(&self, person: &str, by: &str, at: i64) -> Result<String, EngineError> {
        let theirs = self.appointments_of(person).await?;
        let region = theirs.first().map(|one| one.region.clone()).ok_or_else(|| {
            let message = format!("{person:?} is not registered here");
            EngineError::refused("unknown-person", message, "See `care user list`")
        })?;
        let actor = self.authorise(by, Act::ManagePersons, Some(&region), at).await?;
        self.one_time(person, &Entry::of(&actor, "password-reset", format!("person {person}"), json!({}))).await
    }

    /// The one-time password of the first administrator; `None` where somebody has a password.
    pub async fn found_password(&self, administrator: &str, at: i64) -> Result<Option<String>, EngineError> {
        if self.store.password(administrator).await?.is_some() || self.appointments_of(administrator).await?.is_empty()
        {
            return Ok(None);
        }
        let entry = host_entry(at, "password-reset", format!("person {administrator}"), json!({}));
        self.one_time(administrator, &entry).await.map(Some)
    }

    async fn one_time(&self, person: &str, entry: &Entry) -> Result<String, EngineError> {
        let secret = Self::new_secret()?;
        let password = hex::encode(&secret[..10]);
        let hash = hashed(password.clone()).await?;
        self.store.set_password(person, &hash, true, entry).await?;
        Ok(password)
    }

    async fn appointments_of(&self, person: &str) -> Result<Vec<Appointment>, EngineError> {
        let mut all = self.store.appointments().await?;
        all.retain(|one| one.person == person);
        Ok(all)
    }

    /// Logs somebody in. Whoever is wrong is not told about what.
    pub async fn log_in(&self, login: &Login, at: i64) -> Result<NewToken, EngineError> {
        let wrong = || {
            let hint = "After five wrong ones nobody may try for a quarter of an hour; an administrator resets it";
            EngineError::refused("wrong-password", "that is not the person's password", hint)
        };
        let known = self.store.password(&login.person).await?;
        // Somebody unknown takes as long as somebody known.
        let (hash, known) = match known {
            Some(known) => (known.hash.clone(), Some(known)),
            None => (hashed("nobody's".into()).await?, None),
        };
        if known.is_some() && !self.store.try_password(&login.person, at, MOST_FAILURES, LOCK_MS).await? {
            return Err(wrong());
        }
        let is_right = verified(login.password.clone(), hash).await?;
        let Some(known) = known.filter(|_| is_right) else { return Err(wrong()) };
        self.store.password_was_right(&login.person).await?;
        let appointment = self.chosen(login).await?;
        let actor =
            Actor { person: login.person.clone(), role: appointment.role, region: appointment.region.clone(), at };
        match &login.new_password {
            Some(new) => {
                sound(new, &login.password, &login.person)?;
                let entry = Entry::of(&actor, "password-changed", format!("person {}", login.person), json!({}));
                self.store.set_password(&login.person, &hashed(new.clone()).await?, false, &entry).await?;
            }
            None if known.once => {
                let hint = "Send new_password beside it";
                return Err(EngineError::refused("one-time-password", "a one-time password opens nothing yet", hint));
            }
            None => {}
        }
        self.token_for(&appointment, at + DAYS_WORK_MS, &actor, "logged-in").await
    }

    async fn chosen(&self, login: &Login) -> Result<Appointment, EngineError> {
        let mut all = self.appointments_of(&login.person).await?;
        all.retain(|one| login.role.is_none_or(|role| one.role == role));
        all.retain(|one| login.region.as_ref().is_none_or(|region| one.region == *region));
        match all.len() {
            1 => Ok(all.remove(0)),
            0 => Err(EngineError::refused("not-appointed", "they have no such role", "Name one of theirs")),
            _ => {
                let roles: Vec<String> =
                    all.iter().map(|one| format!("{} in {}", one.role.name(), one.region)).collect();
                let hint = format!("Name role and region: {}", roles.join(", "));
                Err(EngineError::refused("several-roles", "they have several roles", hint))
            }
        }
    }
}

fn sound(new: &str, old: &str, person: &str) -> Result<(), EngineError> {
    let length = new.chars().count();
    let what = match () {
        () if length < SHORTEST => "it is shorter than 12 characters",
        () if new.len() > LONGEST => "it is longer than 256 bytes",
        () if new == old => "it is the one before",
        () if new.to_lowercase().contains(&person.to_lowercase()) => "it holds the person's name",
        () => return Ok(()),
    };
    let hint = "Choose 12 characters or more that nobody guesses";
    Err(EngineError::refused("weak-password", format!("the new password will not do: {what}"), hint))
}

/// Takes a tenth of a second and 19 MiB on purpose, hence a thread of its own.
async fn hashed(password: String) -> Result<String, EngineError> {
    let salt = Engine::new_secret()?;
    let job = tokio::task::spawn_blocking(move || {
        let hash: Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt[..16]);
        hash.map(|hash| hash.to_string()).map_err(EngineError::internal)
    });
    job.await.map_err(EngineError::internal)?
}

async fn verified(password: String, hash: String) -> Result<bool, EngineError> {
    let job = tokio::task::spawn_blocking(move || {
        let hash = PasswordHash::new(&hash).map_err(EngineError::internal)?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    });
    job.await.map_err(EngineError::internal)?
}
