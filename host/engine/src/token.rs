//! Tokens: what a program shows instead of a person at a terminal. A token acts for a registered person in one of
//! their roles and one of their regions, never beyond it, until it expires or is revoked or the role is taken away.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::person::{Act, Actor, Appointment, authorise};
use care_domain::region;
use care_domain::time;
use care_store::Token;
use serde_json::json;
use sha2::{Digest, Sha256};

/// What every token begins with, so that one that was published by mistake is found.
const PREFIX: &str = "care_";
/// No token holds longer than this, in days †.
const MAX_DAYS: i64 = 400;

/// A new token, and the one time that its secret is shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewToken {
    /// What is kept of it.
    #[serde(flatten)]
    pub token: Token,
    /// What the program shows: 256 random bits.
    pub secret: String,
}

impl Engine {
    /// Makes a token that acts as somebody who has that role there, until an instant.
    pub async fn new_token(
        &self,
        acts_as: &Appointment,
        expires_at: i64,
        by: &str,
        at: i64,
    ) -> Result<NewToken, EngineError> {
        let actor = self.authorise(by, Act::ManageTokens, Some(&acts_as.region), at).await?;
        self.token_for(acts_as, expires_at, &actor, "token-made").await
    }

    /// The token of somebody who was found to be allowed to have it.
    pub(crate) async fn token_for(
        &self,
        acts_as: &Appointment,
        expires_at: i64,
        actor: &Actor,
        deed: &str,
    ) -> Result<NewToken, EngineError> {
        let at = actor.at;
        let mut secret = [0u8; 32];
        getrandom::fill(&mut secret).map_err(EngineError::internal)?;
        let secret = format!("{PREFIX}{}", hex::encode(secret));
        let hash = secret_hash(&secret);
        let token = Token {
            id: hex::encode(&hash[..4]),
            acts_as: acts_as.clone(),
            made_by: actor.person.clone(),
            made_at: at,
            expires_at,
            revoked_at: None,
        };
        if !(at < expires_at && expires_at <= at.saturating_add(MAX_DAYS * time::DAY_MS)) {
            let message =
                format!("a token until {} holds for no time, or for too long", time::write_instant(expires_at));
            return Err(EngineError::refused("token-expiry", message, "Let it expire within 400 days from now"));
        }
        if !self.is_appointed(acts_as).await? {
            let Appointment { person, role, region } = acts_as;
            let message = format!("{person} is not {} in {region}", role.name());
            return Err(EngineError::refused("not-appointed", message, "Register them with `care user add` first"));
        }
        let detail = json!({"person": acts_as.person, "role": acts_as.role.name(), "region": acts_as.region,
                            "expires": time::write_instant(expires_at)});
        let entry = Entry::of(actor, deed, format!("token {}", token.id), detail);
        self.store.add_token(&token, &hash, &entry).await?;
        Ok(NewToken { token, secret })
    }

    /// Ends a token at once.
    pub async fn revoke_token(&self, id: &str, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::ManageTokens, None, at).await?;
        let entry = Entry::of(&actor, "token-revoked", format!("token {id}"), json!({})).because(reason);
        if self.store.revoke_token(id, &entry).await? {
            return Ok(());
        }
        let message = format!("there is no token {id} to revoke");
        Err(EngineError::refused("unknown-token", message, "See `care token list`"))
    }

    /// Ends the token that somebody shows, at their own wish: the end of a session.
    pub async fn log_out(&self, secret: &str, at: i64) -> Result<(), EngineError> {
        let Some(token) = self.store.token(&secret_hash(secret)).await? else { return Ok(()) };
        let Appointment { person, role, region } = token.acts_as;
        let actor = Actor { person, role, region, at };
        let entry = Entry::of(&actor, "logged-out", format!("token {}", token.id), json!({}));
        self.store.revoke_token(&token.id, &entry).await?;
        Ok(())
    }

    /// All tokens, without their secrets.
    pub async fn tokens(&self) -> Result<Vec<Token>, EngineError> {
        Ok(self.store.tokens().await?)
    }

    /// As whom a secret acts at `now`; `None` when it opens nothing (any more).
    pub async fn principal(&self, secret: &str, now: i64) -> Result<Option<Appointment>, EngineError> {
        if !secret.starts_with(PREFIX) {
            return Ok(None);
        }
        match self.store.token(&secret_hash(secret)).await? {
            Some(token) if token.holds_at(now) && self.is_appointed(&token.acts_as).await? => Ok(Some(token.acts_as)),
            _ => Ok(None),
        }
    }

    /// The engine as a token's holder may use it: whatever it is asked to do, with this one role alone.
    #[must_use]
    pub fn acting_as(&self, principal: Appointment) -> Self {
        Self { principal: Some(principal), ..self.clone() }
    }

    async fn is_appointed(&self, wanted: &Appointment) -> Result<bool, EngineError> {
        let has = |a: &Appointment| {
            a.person == wanted.person && a.role == wanted.role && region::covers(&a.region, &wanted.region)
        };
        Ok(self.store.appointments().await?.iter().any(has))
    }

    /// The appointments that count for `by`: all of theirs, or the one of the token that asks.
    pub(crate) async fn counting(&self) -> Result<Vec<Appointment>, EngineError> {
        match &self.principal {
            Some(principal) => Ok(vec![principal.clone()]),
            None => Ok(self.store.appointments().await?),
        }
    }

    /// Whether a token's role may do an act at all: asked before a request's body is read.
    pub fn may(&self, act: Act) -> bool {
        let allowed = |p: &Appointment| authorise(std::slice::from_ref(p), &p.person, act, None, 0).is_ok();
        self.principal.as_ref().is_none_or(allowed)
    }
}

/// What a secret is kept and found by.
///
/// A secret of 256 random bits needs no salt and no slow hash; and what is found by its hash cannot be guessed by time.
pub fn secret_hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
