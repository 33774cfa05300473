//! What dispatch left behind: how it adds up by channel, and the dead letters, which somebody may replay.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::person::Act;
use care_store::{DeadLetter, ReceiptsNoted};
use serde::Serialize;
use std::collections::BTreeMap;

/// How dispatch adds up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DispatchStatus {
    /// Contacts by channel and state.
    pub channels: BTreeMap<String, BTreeMap<String, u64>>,
    /// What receipts say.
    pub receipts: ReceiptsNoted,
    /// Given up, and not replayed.
    pub dead_letters: u64,
}

impl Engine {
    /// How dispatch adds up, over all campaigns.
    pub async fn dispatch_status(&self) -> Result<DispatchStatus, EngineError> {
        Ok(DispatchStatus {
            channels: self.store.states_by_channel().await?,
            receipts: self.store.receipts_noted().await?,
            dead_letters: self.store.dead_letters().await?.len() as u64,
        })
    }

    /// Contacts that were given up, oldest first.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, EngineError> {
        Ok(self.store.dead_letters().await?)
    }

    /// Lets dead letters go out again, of a campaign or all; what became useless meanwhile stays. Returns how many.
    pub async fn replay_dead_letters(&self, campaign: Option<&str>, by: &str, at: i64) -> Result<u64, EngineError> {
        let actor = self.authorise(by, Act::Dispatch, None, at).await?;
        let entry = Entry::of(&actor, "dead-letters-replayed", "dispatch", serde_json::json!({}));
        let replayed = self.store.replay_dead(campaign, at, &entry).await?;
        if replayed == 0 {
            let hint = "See `care dispatch dead`: what waited past its not-after stays where it is";
            return Err(EngineError::refused("no-dead-letters", "there is nothing to replay", hint));
        }
        Ok(replayed)
    }
}
