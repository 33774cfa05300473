//! Webhooks: other systems are told of plans, submissions and campaigns. What is told stands in an outbox with the change
//! that it tells of (`care_store`), and is sent until it is taken or was tried often enough.

use crate::{Engine, EngineError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use care_channels::{HookSender, checked_url};
use care_domain::audit::Entry;
use care_domain::hook::{self, Heard};
use care_domain::person::{Act, Actor};
use care_store::{Delivery, Hook, Tried};
use futures::future::join_all;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What secrets are made with; it is in no database.
const KEY_FILE: &str = "hooks.key";
/// The longest note, in characters.
const MAX_NOTE: usize = 200;
const GONE: &str = "it answered that it is gone (HTTP 410)";

/// An endpoint to be told.
#[derive(Debug, Clone, Default)]
pub struct NewHook {
    /// Where events go.
    pub url: String,
    /// Kinds (`campaign.started`) or families (`plan`) of events; all when empty.
    pub kinds: Vec<String>,
    /// Whose it is and what for.
    pub note: String,
}

/// An endpoint as it is shown; its secret never is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookShown {
    /// How people speak of it.
    pub webhook: String,
    /// Where events go.
    pub url: String,
    /// What is wanted; everything when empty.
    pub kinds: Vec<String>,
    /// Whose it is and what for.
    pub note: String,
    /// Who registered it.
    pub registered_by: String,
    /// When, Unix milliseconds.
    pub registered_at: i64,
    /// `open` or `closed`.
    pub state: &'static str,
    /// Why it is told nothing any more; empty while it is.
    pub closed_because: String,
    /// How many events there are by where they stand: waiting, delivered, given-up, dropped.
    pub events: BTreeMap<String, u64>,
    /// The event that was tried last.
    pub last: Option<DeliveryShown>,
}

/// An event on its way, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryShown {
    /// Number.
    pub delivery: i64,
    /// `webhook-id`: the event's own id.
    pub event: String,
    /// What happened: `campaign.started` …
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened, Unix milliseconds.
    pub happened_at: i64,
    /// waiting, delivered, given-up or dropped.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried again, Unix milliseconds; nothing when it is not.
    pub next_at: Option<i64>,
    /// The last attempt, Unix milliseconds.
    pub last_at: Option<i64>,
    /// HTTP status of the last answer; nothing when none came.
    pub status: Option<u16>,
    /// The last answer in words.
    pub answer: Option<String>,
}

/// A new endpoint, or a new secret, and the one time that it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HookSecret {
    /// How people speak of the endpoint.
    pub webhook: String,
    /// What its events are signed with: `whsec_` and base64.
    pub secret: String,
}

impl Engine {
    /// Registers somebody who is told from now on; answers with the secret that events are signed with, this one time.
    pub async fn register_hook(&self, new: &NewHook, by: &str, at: i64) -> Result<HookSecret, EngineError> {
        let actor = self.authorise(by, Act::ManageHooks, None, at).await?;
        checked_url(&new.url).map_err(|why| {
            let hint = "Give an http or https address that other systems could ask, too";
            EngineError::refused("bad-url", format!("events cannot go there: {why}"), hint)
        })?;
        if let Some(wish) = new.kinds.iter().find(|wish| !hook::is_wish(wish)) {
            let hint = format!("There are plan, submission, campaign and {}", hook::kinds().join(", "));
            return Err(EngineError::refused("bad-kind", format!("there is no event {wish:?}"), hint));
        }
        if new.note.chars().count() > MAX_NOTE {
            return Err(EngineError::refused("bad-note", "the note is too long", "Leave it at 200 characters"));
        }
        let salt = Self::new_secret()?;
        let hook = Hook {
            id: format!("wh_{}", hex::encode(&Sha256::digest(salt)[..6])),
            url: new.url.clone(),
            kinds: new.kinds.clone(),
            note: new.note.trim().to_owned(),
            salt: salt.to_vec(),
            registered_by: by.to_owned(),
            registered_at: at,
            closed: None,
        };
        let detail = json!({"url": hook.url, "kinds": hook.kinds});
        let secret = self.hook_secret(&hook.salt)?;
        self.store.add_hook(&hook, &Entry::of(&actor, "webhook-registered", subject(&hook.id), detail)).await?;
        Ok(HookSecret { webhook: hook.id, secret: written(&secret) })
    }

    /// Everybody who is or was told, the oldest first.
    pub async fn hooks(&self) -> Result<Vec<HookShown>, EngineError> {
        let mut counts = self.store.delivery_counts().await?;
        let mut all = Vec::new();
        for hook in self.store.hooks().await? {
            let last = self.store.last_delivery(&hook.id).await?;
            let events = counts.remove(&hook.id).unwrap_or_default();
            all.push(shown(hook, events, last));
        }
        Ok(all)
    }

    /// One of them.
    pub async fn hook(&self, id: &str) -> Result<HookShown, EngineError> {
        self.hooks().await?.into_iter().find(|hook| hook.webhook == id).ok_or_else(|| unknown(id))
    }

    /// Tells it nothing any more; what waits for it is dropped.
    pub async fn close_hook(&self, id: &str, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.hook_manager(id, by, at).await?;
        let entry = Entry::of(&actor, "webhook-closed", subject(id), json!({})).because(reason.trim());
        if self.store.close_hook(id, &entry).await? { Ok(()) } else { Err(closed(id)) }
    }

    /// Signs with another secret from now on, what waits included.
    pub async fn renew_hook_secret(&self, id: &str, by: &str, at: i64) -> Result<HookSecret, EngineError> {
        let actor = self.hook_manager(id, by, at).await?;
        let salt = Self::new_secret()?;
        let secret = self.hook_secret(&salt)?;
        let entry = Entry::of(&actor, "webhook-secret-renewed", subject(id), json!({}));
        if !self.store.resalt_hook(id, &salt, &entry).await? {
            return Err(closed(id));
        }
        Ok(HookSecret { webhook: id.to_owned(), secret: written(&secret) })
    }

    /// Has `webhook.ping` sent to it.
    pub async fn ping_hook(&self, id: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.hook_manager(id, by, at).await?;
        if self.hook(id).await?.state == "closed" {
            return Err(closed(id));
        }
        Ok(self.store.ping_hook(id, &Entry::of(&actor, "webhook-pinged", subject(id), json!({}))).await?)
    }

    /// Events of an endpoint, the newest first, from before number `before`.
    pub async fn deliveries(
        &self,
        id: &str,
        state: Option<&str>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<DeliveryShown>, EngineError> {
        self.hook(id).await?;
        let found = self.store.deliveries(id, state, before, limit).await?;
        Ok(found.into_iter().map(delivery_shown).collect())
    }

    /// Lets an event that was given up, or that got lost on the other side, go out again.
    pub async fn replay_delivery(&self, id: &str, delivery: i64, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.hook_manager(id, by, at).await?;
        let entry = Entry::of(&actor, "event-replayed", subject(id), json!({"delivery": delivery}));
        if self.store.replay_delivery(id, delivery, &entry).await? {
            return Ok(());
        }
        let message = format!("webhook {id} has no event {delivery} that was sent or given up");
        Err(EngineError::refused("unknown-delivery", message, "See its deliveries; what waits is sent by itself"))
    }

    /// Sends what is due at `now`, the wall's time whatever a rehearsal plays, and answers how many events were tried:
    /// none when nothing is due.
    pub async fn deliver(&self, sender: &HookSender, now: impl Fn() -> i64) -> Result<u64, EngineError> {
        let taken = self.store.take_deliveries(now()).await?;
        if taken.is_empty() {
            return Ok(0);
        }
        let hooks: BTreeMap<String, Hook> =
            self.store.hooks().await?.into_iter().map(|hook| (hook.id.clone(), hook)).collect();
        let jobs = taken.iter().filter_map(|one| Some(self.tell(sender, hooks.get(&one.hook)?, one, &now)));
        for done in join_all(jobs).await {
            done?;
        }
        Ok(taken.len() as u64)
    }

    async fn tell(
        &self,
        sender: &HookSender,
        hook: &Hook,
        one: &Delivery,
        now: &impl Fn() -> i64,
    ) -> Result<(), EngineError> {
        let heard = match &hook.closed {
            None => sender.send(&hook.url, &self.hook_secret(&hook.salt)?, &one.event, &one.body).await,
            Some(_) => Heard { status: Some(410), why: "" },
        };
        let (at, answer) = (now(), hook::written(&heard));
        let next = hook::next(&heard, one.attempts, at);
        let tried = Tried { at, status: heard.status, answer: &answer, next };
        let closing = crate::people::host_entry(at, "webhook-closed", subject(&hook.id), json!({})).because(GONE);
        Ok(self.store.settle_delivery(one, tried, &closing).await?)
    }

    async fn hook_manager(&self, id: &str, by: &str, at: i64) -> Result<Actor, EngineError> {
        let actor = self.authorise(by, Act::ManageHooks, None, at).await?;
        self.hook(id).await.map(|_| actor)
    }

    /// The secret of an endpoint: made of its salt and a key outside of the database, hence kept nowhere.
    fn hook_secret(&self, salt: &[u8]) -> Result<[u8; 32], EngineError> {
        let path = self.folder.join("keys").join(KEY_FILE);
        if !path.exists() {
            crate::keep_private(&path, hex::encode(Self::new_secret()?).as_bytes())?;
        }
        let key = std::fs::read_to_string(&path).map_err(EngineError::file(&path, "reading"))?;
        let key = hex::decode(key.trim()).ok().filter(|key| key.len() == 32).ok_or_else(|| {
            let hint = "Restore it from a backup, or remove it and renew the secret of every webhook";
            EngineError::refused("bad-key", format!("{} holds no key", path.display()), hint)
        })?;
        // Both are random and of one length, so that one hash over both is a sound derivation.
        Ok(Sha256::new().chain_update(b"care-hook-1").chain_update(key).chain_update(salt).finalize().into())
    }
}

fn written(secret: &[u8; 32]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

fn subject(id: &str) -> String {
    format!("webhook {id}")
}

fn unknown(id: &str) -> EngineError {
    EngineError::refused("unknown-webhook", format!("there is no webhook {id:?}"), "See `care webhook list`")
}

fn closed(id: &str) -> EngineError {
    EngineError::refused("already-closed", format!("webhook {id} is closed"), "Register it anew")
}

fn shown(hook: Hook, events: BTreeMap<String, u64>, last: Option<Delivery>) -> HookShown {
    let Hook { id, url, kinds, note, registered_by, registered_at, closed, .. } = hook;
    HookShown {
        webhook: id,
        url,
        kinds,
        note,
        registered_by,
        registered_at,
        state: if closed.is_some() { "closed" } else { "open" },
        closed_because: closed.map(|(_, because)| because).unwrap_or_default(),
        events,
        last: last.map(delivery_shown),
    }
}

fn delivery_shown(one: Delivery) -> DeliveryShown {
    let next_at = (one.state == "waiting").then_some(one.next_at);
    DeliveryShown {
        delivery: one.id,
        event: one.event,
        kind: one.kind,
        happened_at: one.told_at,
        state: one.state,
        attempts: one.attempts,
        next_at,
        last_at: one.last_at,
        status: one.status,
        answer: one.answer,
    }
}
