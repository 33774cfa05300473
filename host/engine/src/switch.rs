//! Kill switches: thrown at once by whoever is on duty, lifted by the province.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::person::{Act, Actor};
use care_domain::region;
use care_domain::switch::Scope;
use care_store::Thrown;
use serde_json::json;

impl Engine {
    /// Stops what `scope` names: from now on no dispatch hands it to a gateway. What waits goes on waiting until the
    /// switch is lifted or the contact expires.
    pub async fn throw_switch(&self, scope: Scope, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::Stop, region_of(&scope), at).await?;
        of_the_province(&actor, &scope)?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(EngineError::refused("no-reason", "a kill switch needs a reason", "Say why with --reason"));
        }
        let (name, target) = scope.parts();
        let entry = Entry::of(&actor, "switch-thrown", subject(&scope), json!({"scope": name, "target": target}));
        let thrown = Thrown { scope: scope.clone(), person: by.to_owned(), at, reason: reason.to_owned() };
        if self.store.throw_switch(&thrown, &entry.because(reason)).await? {
            return Ok(());
        }
        let message = format!("{} is stopped already", subject(&scope));
        Err(EngineError::refused("already-stopped", message, "See `care switch list`"))
    }

    /// Lets it go on.
    pub async fn lift_switch(&self, scope: &Scope, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::LiftStop, region_of(scope), at).await?;
        of_the_province(&actor, scope)?;
        let (name, target) = scope.parts();
        let entry = Entry::of(&actor, "switch-lifted", subject(scope), json!({"scope": name, "target": target}));
        if self.store.lift_switch(scope, &entry.because(reason.trim())).await? {
            return Ok(());
        }
        let message = format!("{} is not stopped", subject(scope));
        Err(EngineError::refused("not-stopped", message, "See `care switch list`"))
    }

    /// All thrown switches.
    pub async fn switches(&self) -> Result<Vec<Thrown>, EngineError> {
        Ok(self.store.switches().await?)
    }
}

/// What is stopped everywhere is stopped by the province; a city stops its own region.
fn of_the_province(actor: &Actor, scope: &Scope) -> Result<(), EngineError> {
    if region_of(scope).is_some() || region::is_province(&actor.region) {
        return Ok(());
    }
    let message =
        format!("{} may stop {} alone, and {} is stopped everywhere", actor.person, actor.region, subject(scope));
    Err(EngineError::refused("other-region", message, "Stop the region, or ask somebody of the province"))
}

fn region_of(scope: &Scope) -> Option<&str> {
    if let Scope::Region(code) = scope { Some(code) } else { None }
}

fn subject(scope: &Scope) -> String {
    let (name, target) = scope.parts();
    format!("switch {name} {target}").trim_end().to_owned()
}
