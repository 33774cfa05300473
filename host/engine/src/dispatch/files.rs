//! The `file` gateway: intent first, then one file a batch and channel, then settlement. A batch is its dispatcher's as
//! long as that process lives; what a dead one left is written again under the same name, so nothing goes out twice.

use super::{Dispatched, GoOn};
use crate::render::Renderer;
use crate::{Engine, EngineError, presence};
use care_channels::{FileGateway, GatewaysConfig};
use care_domain::contact::{Addressee, Channel, ContactState};
use care_domain::identity::Identity;
use care_domain::key::CustomerKey;
use care_store::{Batch, Leasing, Settled, StoredContact};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Contacts claimed at once: a file stays small enough to look at, and a crash repeats little.
const BATCH: u32 = 10_000;

/// A line of a gateway's file.
#[derive(Serialize)]
struct Line<'a> {
    contact: String,
    campaign: &'a str,
    channel: Channel,
    addressee: Addressee,
    to: &'a str,
    customer: &'a str,
    action: Option<&'a care_domain::manifest::Action>,
    text: String,
    not_after: i64,
}

impl Engine {
    /// Drops what waited too long, whatever its channel, and sends what is due on the channels that are written to files.
    pub(super) async fn by_files(
        &self,
        config: &GatewaysConfig,
        now: i64,
        holder: &str,
        progress: GoOn<'_>,
    ) -> Result<Dispatched, EngineError> {
        let mut done = Dispatched { expired: self.store.expire(now).await?, ..Dispatched::default() };
        let versions = self.vouched_versions().await?;
        for (batch, from) in self.store.unsettled().await? {
            if from.as_deref().is_some_and(|name| name == holder || presence::is_at_work(&self.folder, name)) {
                continue;
            }
            let Some(batch) = self.store.adopt(&batch, from.as_deref(), holder).await? else { continue };
            let batch = self.without_held(batch, &versions, now).await?;
            self.write_batch(&batch, now, &mut done).await?;
            done.resumed += 1;
        }
        let asked = |channel| Leasing { lease: holder, channel, versions: &versions, now, until: now };
        let asked: Vec<Leasing<'_>> =
            Channel::ALL.into_iter().filter(|channel| config.is_file(*channel)).map(asked).collect();
        while !asked.is_empty()
            && let Some(batch) = self.store.claim(holder, &asked, BATCH, now).await?
        {
            if !progress(done.sent) {
                return Err(EngineError::Stopped);
            }
            self.write_batch(&batch, now, &mut done).await?;
        }
        Ok(done)
    }

    /// A batch of an earlier run without what may not go out any more. What reached its gateway before is gone; the
    /// rest is taken back.
    async fn without_held(&self, mut batch: Batch, versions: &[String], now: i64) -> Result<Batch, EngineError> {
        let held = self.store.held_in(&batch.id).await?;
        let outbox = self.outbox();
        let is_kept_back = |contact: &StoredContact| {
            let stopped = held.contains(&contact.planned.id) || !versions.contains(&contact.planned.component);
            stopped && !outbox.has(contact.via, &batch.id)
        };
        let back: Vec<_> = batch.contacts.iter().filter(|c| is_kept_back(c)).map(|c| c.planned.id).collect();
        self.store.take_back(&back, now).await?;
        batch.contacts.retain(|contact| !back.contains(&contact.planned.id));
        Ok(batch)
    }

    fn outbox(&self) -> FileGateway {
        FileGateway::new(self.folder.join("outbox"))
    }

    async fn write_batch(&self, batch: &Batch, now: i64, done: &mut Dispatched) -> Result<(), EngineError> {
        let mut keys: Vec<CustomerKey> = batch.contacts.iter().map(|c| c.planned.customer).collect();
        keys.dedup();
        let identities = self.store.identities(&keys).await?;
        let renderer = self.renderer(&batch.contacts).await?;
        let (files, settled) = files_of(batch, &renderer, &identities)?;
        let copies = self.copies(&batch.contacts, &renderer, &mut BTreeSet::new(), now).await?;
        self.send_copies(copies, None).await?;
        for (channel, lines) in files {
            self.outbox().write(channel, &batch.id, &lines)?;
        }
        self.store.settle(&settled, now).await?;
        let sent = settled.iter().filter(|s| s.state == ContactState::Sent).count() as u64;
        done.sent += sent;
        done.failed += settled.len() as u64 - sent;
        Ok(())
    }
}

/// What each channel's gateway gets.
type Files = BTreeMap<Channel, Vec<u8>>;

fn files_of(
    batch: &Batch,
    renderer: &Renderer,
    identities: &HashMap<CustomerKey, Identity>,
) -> Result<(Files, Vec<Settled>), EngineError> {
    let mut files = Files::new();
    let mut settled = Vec::with_capacity(batch.contacts.len());
    for contact in &batch.contacts {
        let planned = &contact.planned;
        let identity = identities.get(&planned.customer);
        let Some(to) = address(contact, identity) else {
            settled.push(Settled { contact: planned.id, state: ContactState::Failed, note: "no address".into() });
            continue;
        };
        let line = Line {
            contact: planned.id.to_string(),
            campaign: &planned.campaign,
            channel: contact.via,
            addressee: planned.addressee,
            to,
            customer: identity.map_or("", |i| i.external_id.as_str()),
            action: renderer.action(planned),
            text: renderer.text(contact, identity)?,
            not_after: planned.not_after,
        };
        let lines = files.entry(contact.via).or_default();
        serde_json::to_writer(&mut *lines, &line).map_err(EngineError::internal)?;
        lines.push(b'\n');
        settled.push(Settled { contact: planned.id, state: ContactState::Sent, note: String::new() });
    }
    Ok((files, settled))
}

/// Where a contact goes: a number, an address, a desk or a department; `None` when there is none.
pub(crate) fn address<'a>(contact: &'a StoredContact, identity: Option<&'a Identity>) -> Option<&'a str> {
    let planned = &contact.planned;
    let filled = |text: &'a str| (!text.is_empty()).then_some(text);
    if planned.addressee.is_department() {
        return Some(planned.addressee.name());
    }
    let identity = identity?;
    match (planned.addressee, contact.via) {
        (Addressee::CloseContacts, _) => filled(&identity.close_contacts.get(usize::from(planned.ordinal))?.msisdn),
        (_, Channel::Email) => filled(&identity.email),
        (_, Channel::Touchpoint | Channel::Store | Channel::AccountManager) => filled(&identity.external_id),
        _ => filled(&identity.msisdn),
    }
}
