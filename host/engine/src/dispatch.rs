//! Dispatch to the `file` gateway: intent first, then one file a batch and channel, then settlement.
//! A batch whose settlement is missing is written again under the same name, so nothing goes out twice.

use crate::render::Renderer;
use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::contact::{Addressee, Channel, ContactState};
use care_domain::identity::Identity;
use care_domain::key::CustomerKey;
use care_domain::person::Act;
use care_store::{Batch, Settled, StoredContact, Waiting};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Contacts claimed at once: a file stays small enough to look at, and a crash repeats little.
const BATCH: u32 = 10_000;

/// What dispatch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Dispatched {
    /// Handed to the gateway.
    pub sent: u64,
    /// Could not be addressed.
    pub failed: u64,
    /// Dropped because they had waited past their not-after.
    pub expired: u64,
    /// Batches of an earlier run that were settled.
    pub resumed: u64,
    /// Planned for later.
    pub later: u64,
    /// Due, and held by a suspension, a kill switch, or an approval that does not vouch for it.
    pub held: u64,
}

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
    /// Sends what is due at `now`. `progress` is told the contacts settled so far, and answers whether to go on.
    pub async fn dispatch(
        &self,
        by: &str,
        now: i64,
        progress: &dyn Fn(u64) -> bool,
    ) -> Result<Dispatched, EngineError> {
        let actor = self.authorise(by, Act::Dispatch, None, now).await?;
        let mut done = Dispatched::default();
        let versions = self.vouched_versions().await?;
        for batch in self.store.unsettled().await? {
            let batch = self.without_held(batch, &versions, now).await?;
            self.send(&batch, now, &mut done).await?;
            done.resumed += 1;
        }
        done.expired = self.store.expire(now).await?;
        while let Some(batch) = self.store.claim(now, BATCH, &versions).await? {
            if !progress(done.sent) {
                return Err(EngineError::Stopped);
            }
            self.send(&batch, now, &mut done).await?;
        }
        let Waiting { later, due } = self.store.waiting(now).await?;
        (done.later, done.held) = (later, due);
        if done.sent + done.failed + done.expired > 0 {
            let detail = json!({"sent": done.sent, "failed": done.failed, "expired": done.expired});
            self.store.note(&Entry::of(&actor, "contacts-dispatched", "dispatch", detail)).await?;
        }
        Ok(done)
    }

    /// Components of the versions that may run, and whose approvals vouch for what would be said.
    async fn vouched_versions(&self) -> Result<Vec<String>, EngineError> {
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

    /// A batch of an earlier run without what may not go out any more. What reached its gateway before is gone; the
    /// rest is taken back.
    async fn without_held(&self, mut batch: Batch, versions: &[String], now: i64) -> Result<Batch, EngineError> {
        let held = self.store.held_in(&batch.id).await?;
        let outbox = self.outbox();
        let is_kept_back = |contact: &StoredContact| {
            let stopped = held.contains(&contact.planned.id) || !versions.contains(&contact.planned.component);
            stopped && !outbox.join(contact.planned.channel.name()).join(file_name(&batch.id)).exists()
        };
        let back: Vec<_> = batch.contacts.iter().filter(|c| is_kept_back(c)).map(|c| c.planned.id).collect();
        self.store.take_back(&back, now).await?;
        batch.contacts.retain(|contact| !back.contains(&contact.planned.id));
        Ok(batch)
    }

    fn outbox(&self) -> PathBuf {
        self.folder.join("outbox")
    }

    async fn send(&self, batch: &Batch, now: i64, done: &mut Dispatched) -> Result<(), EngineError> {
        let mut keys: Vec<CustomerKey> = batch.contacts.iter().map(|c| c.planned.customer).collect();
        keys.dedup();
        let identities = self.store.identities(&keys).await?;
        let renderer = self.renderer(&batch.contacts).await?;
        let (files, settled) = files_of(batch, &renderer, &identities)?;
        for (channel, lines) in files {
            let folder = self.outbox().join(channel.name());
            // A file that stands was handed over whole; it is not written again.
            if !folder.join(file_name(&batch.id)).exists() {
                write_once(&folder, &file_name(&batch.id), &lines)?;
            }
        }
        self.store.settle(&settled, now).await?;
        let sent = settled.iter().filter(|s| s.state == ContactState::Sent).count() as u64;
        done.sent += sent;
        done.failed += settled.len() as u64 - sent;
        Ok(())
    }
}

fn file_name(batch: &str) -> String {
    format!("{batch}.jsonl")
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
        let template = renderer.manifest(planned).and_then(|m| m.templates.iter().find(|t| t.name == planned.template));
        let line = Line {
            contact: planned.id.to_string(),
            campaign: &planned.campaign,
            channel: planned.channel,
            addressee: planned.addressee,
            to,
            customer: identity.map_or("", |i| i.external_id.as_str()),
            action: template.and_then(|t| t.action.as_ref()),
            text: renderer.text(contact, identity)?,
            not_after: planned.not_after,
        };
        let lines = files.entry(planned.channel).or_default();
        serde_json::to_writer(&mut *lines, &line).map_err(EngineError::internal)?;
        lines.push(b'\n');
        settled.push(Settled { contact: planned.id, state: ContactState::Sent, note: String::new() });
    }
    Ok((files, settled))
}

/// Where a contact goes: a number, an address, a desk or a department; `None` when there is none.
fn address<'a>(contact: &'a StoredContact, identity: Option<&'a Identity>) -> Option<&'a str> {
    let planned = &contact.planned;
    let filled = |text: &'a str| (!text.is_empty()).then_some(text);
    if planned.addressee.is_department() {
        return Some(planned.addressee.name());
    }
    let identity = identity?;
    match (planned.addressee, planned.channel) {
        (Addressee::CloseContacts, _) => filled(&identity.close_contacts.get(usize::from(planned.ordinal))?.msisdn),
        (_, Channel::Email) => filled(&identity.email),
        (_, Channel::Touchpoint | Channel::AccountManager) => filled(&identity.external_id),
        _ => filled(&identity.msisdn),
    }
}

/// Writes a file under a name that its content decides: drafted, synced, renamed, folder synced.
fn write_once(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
    fs::create_dir_all(folder).map_err(EngineError::file(folder, "creating the folder"))?;
    let (draft, path) = (folder.join(format!("{name}.tmp")), folder.join(name));
    let file = File::create(&draft).map_err(EngineError::file(&draft, "writing"))?;
    let mut out = BufWriter::new(file);
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .and_then(|()| out.get_ref().sync_all())
        .map_err(EngineError::file(&draft, "writing"))?;
    fs::rename(&draft, &path).map_err(EngineError::file(&path, "naming"))?;
    File::open(folder).and_then(|f| f.sync_all()).map_err(EngineError::file(folder, "syncing"))
}
