//! Fallback chains at work: what did not arrive goes on to the next channel of its reason, as `domain` says.

use crate::{Engine, EngineError};
use care_channels::GatewaysConfig;
use care_domain::contact::{Channel, ContactId};
use care_domain::dispatch::next_channel;
use care_domain::manifest::Manifest;
use care_store::StoredContact;

/// Contacts that are looked at together.
const TOGETHER: u32 = 5_000;

impl Engine {
    /// Moves contacts on along their chains; returns how many moved.
    pub(super) async fn fall_back(&self, config: &GatewaysConfig, now: i64) -> Result<u64, EngineError> {
        if !config.fallback.on {
            return Ok(0);
        }
        let mut moved = 0;
        for channel in Channel::ALL {
            let patience = config.fallback.patience_ms(channel);
            let stuck = self.store.stuck(channel, patience, now, TOGETHER).await?;
            let contacts: Vec<StoredContact> = stuck.iter().map(|(contact, _)| contact.clone()).collect();
            if contacts.is_empty() {
                continue;
            }
            let renderer = self.renderer(&contacts).await?;
            let step = |(contact, standing): &(StoredContact, care_domain::dispatch::Standing)| {
                let chain = renderer.manifest(&contact.planned).map(|m| chain(m, contact))?;
                let next = next_channel(&chain, *standing, patience, now)?;
                Some((contact.planned.id, next))
            };
            let steps: Vec<(ContactId, Channel)> = stuck.iter().filter_map(step).collect();
            moved += self.store.move_on(channel, &steps, now).await?;
        }
        Ok(moved)
    }
}

/// The channels of a contact's reason for which its template has a body, in their order.
fn chain(manifest: &Manifest, contact: &StoredContact) -> Vec<Channel> {
    let reason = manifest.reasons.iter().find(|r| r.name == contact.planned.reason);
    let template = manifest.templates.iter().find(|t| t.name == contact.planned.template);
    let (Some(reason), Some(template)) = (reason, template) else { return Vec::new() };
    reason.channels.iter().copied().filter(|channel| template.body(*channel).is_some()).collect()
}
