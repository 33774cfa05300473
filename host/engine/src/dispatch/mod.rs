//! Dispatch: what is due goes out once, by the gateway of its channel. Intents are written before anything is sent and
//! settled after; what may go out is looked at again in the very statement that writes the intent.

mod fall_back;
mod files;
mod gateways;
mod inbound;
mod letters;
mod push;

pub(crate) use files::address;
pub use gateways::GatewayState;
pub use letters::DispatchStatus;

use crate::presence::Presence;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::contact::Channel;
use care_domain::person::Act;
use care_store::Waiting;
use futures::future::try_join_all;
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// How often a dispatcher that watches looks for what became due.
const LOOK: Duration = Duration::from_millis(500);

/// What dispatch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Dispatched {
    /// Taken by their gateways.
    pub sent: u64,
    /// Could not be addressed, or were refused for good.
    pub failed: u64,
    /// Dropped because they had waited past their not-after.
    pub expired: u64,
    /// Nobody can tell whether the gateway has them; they count as sent.
    pub unknown: u64,
    /// Failed for a passing reason, and wait to go out again.
    pub again: u64,
    /// Ended because of what the customer did or wished since they were planned.
    pub cancelled: u64,
    /// Batches and intents of an earlier run that were settled.
    pub resumed: u64,
    /// Planned for later, or waiting to be tried again.
    pub later: u64,
    /// Due, and held by a suspension, a kill switch, or an approval that does not vouch for it.
    pub held: u64,
}

impl Dispatched {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.expired += other.expired;
        self.unknown += other.unknown;
        self.again += other.again;
        self.cancelled += other.cancelled;
        self.resumed += other.resumed;
    }

    fn ended(&self) -> u64 {
        self.sent + self.failed + self.unknown + self.expired + self.cancelled
    }
}

/// The time of a dispatcher: an instant that it was given, and what passed since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: i64,
    since: Instant,
}

impl Clock {
    fn at(base: i64) -> Self {
        Self { base, since: Instant::now() }
    }

    pub(crate) fn now(&self) -> i64 {
        self.base + i64::try_from(self.since.elapsed().as_millis()).unwrap_or(0)
    }
}

/// Told how many contacts were settled; answers whether to go on.
pub(crate) type GoOn<'a> = &'a (dyn Fn(u64) -> bool + Sync);

impl Engine {
    /// Sends what is due at `now`, and ends when nothing is. `progress` is told the contacts settled so far, and answers
    /// whether to go on.
    pub async fn dispatch(&self, by: &str, now: i64, progress: GoOn<'_>) -> Result<Dispatched, EngineError> {
        let actor = self.authorise(by, Act::Dispatch, None, now).await?;
        let config = self.gateways()?;
        self.store.keep_frame(&config.wording, now).await?;
        self.fall_back(&config, now).await?;
        let presence = Presence::enter(&self.folder)?;
        let mut done = self.by_files(&config, now, presence.name(), progress).await?;
        presence.leave();
        let pushed = Channel::ALL.into_iter().filter(|channel| config.is_pushed(*channel));
        let clock = Clock::at(now);
        let runs = pushed.map(|channel| self.push_channel(&config, channel, clock, progress, false, &actor));
        for one in try_join_all(runs).await? {
            done.add(one);
        }
        let Waiting { later, due } = self.store.waiting(now).await?;
        (done.later, done.held) = (later, due);
        if done.ended() > 0 {
            self.store.note(&Entry::of(&actor, "contacts-dispatched", "dispatch", told(&done))).await?;
        }
        Ok(done)
    }

    /// Sends whatever becomes due from `now` on, and hears what gateways report, until `go_on` says no. What is on its
    /// way then is waited for, and what was leased is given back.
    pub async fn dispatch_on(&self, by: &str, now: i64, go_on: GoOn<'_>) -> Result<Dispatched, EngineError> {
        let actor = self.authorise(by, Act::Dispatch, None, now).await?;
        let config = self.gateways()?;
        self.store.keep_frame(&config.wording, now).await?;
        let clock = Clock::at(now);
        let pushed = Channel::ALL.into_iter().filter(|channel| config.is_pushed(*channel));
        let runs = try_join_all(pushed.map(|channel| self.push_channel(&config, channel, clock, go_on, true, &actor)));
        let presence = Presence::enter(&self.folder)?;
        let files = async {
            let mut done = Dispatched::default();
            while go_on(done.sent) {
                self.fall_back(&config, clock.now()).await?;
                match self.by_files(&config, clock.now(), presence.name(), go_on).await {
                    Ok(more) => done.add(more),
                    Err(EngineError::Stopped) => break,
                    Err(error) => return Err(error),
                }
                tokio::time::sleep(LOOK).await;
            }
            Ok(done)
        };
        let (mut done, pushed) = tokio::try_join!(files, runs)?;
        presence.leave();
        pushed.into_iter().for_each(|one| done.add(one));
        if done.ended() > 0 {
            self.store.note(&Entry::of(&actor, "contacts-dispatched", "dispatch", told(&done))).await?;
        }
        Ok(done)
    }

    /// Components of the versions that may run, and whose approvals vouch for what would be said.
    pub(crate) async fn vouched_versions(&self) -> Result<Vec<String>, EngineError> {
        let mut vouched = Vec::new();
        for found in self.store.submissions().await?.into_iter().filter(|s| s.submission.may_run()) {
            match self.vouched(&found).await {
                Ok(_) => vouched.push(found.version.component),
                Err(EngineError::Refused(finding)) => tracing::error!("nothing of it is sent: {finding}"),
                Err(error) => return Err(error),
            }
        }
        Ok(vouched)
    }
}

fn told(done: &Dispatched) -> serde_json::Value {
    json!({"sent": done.sent, "failed": done.failed, "expired": done.expired, "unknown": done.unknown,
        "cancelled": done.cancelled})
}
