//! Turns contacts into what is said: the approved template, checked slot values, and at the last moment the name.

use crate::reference::LoadedTables;
use crate::{Engine, EngineError};
use care_domain::contact::Channel;
use care_domain::identity::Identity;
use care_domain::manifest::{Action, Manifest};
use care_domain::render::{Body, Labels, Person, check_slot, render};
use care_domain::sms::Frame;
use care_store::{NewContact, StoredContact};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What rendering needs, kept while a run of contacts is rendered.
pub(crate) struct Renderer {
    manifests: HashMap<String, Arc<Manifest>>,
    labels: HashMap<String, Labels>,
    frame: Frame,
    frames: Vec<(i64, Frame)>,
}

impl Engine {
    /// A renderer for contacts: their versions' manifests and their plans' tables.
    pub(crate) async fn renderer(&self, contacts: &[StoredContact]) -> Result<Renderer, EngineError> {
        let submissions = self.store.submissions().await?;
        let manifests: HashMap<String, Arc<Manifest>> =
            submissions.into_iter().map(|s| (s.version.component, Arc::new(s.version.manifest))).collect();
        let mut labels = HashMap::new();
        for contact in contacts {
            if !labels.contains_key(&contact.plan) {
                let pins = self.pins_of(&contact.plan).await?;
                let tables: LoadedTables = self.tables_of(&pins.tables)?;
                labels.insert(contact.plan.clone(), tables.labels());
            }
        }
        Ok(Renderer { manifests, labels, frame: self.gateways()?.wording, frames: self.store.frames().await? })
    }
}

impl Renderer {
    /// The message as it is read, were it sent now.
    pub(crate) fn text(&self, contact: &StoredContact, identity: Option<&Identity>) -> Result<String, EngineError> {
        self.framed(contact, identity, &self.frame)
    }

    /// The message as it was read by whom it reached at `sent_at`: with what stood around short messages then.
    pub(crate) fn text_as_sent(
        &self,
        contact: &StoredContact,
        identity: Option<&Identity>,
        sent_at: Option<i64>,
    ) -> Result<String, EngineError> {
        let then = sent_at.and_then(|at| self.frames.iter().rfind(|(since, _)| *since <= at));
        self.framed(contact, identity, then.map_or(&self.frame, |(_, frame)| frame))
    }

    fn framed(
        &self,
        contact: &StoredContact,
        identity: Option<&Identity>,
        frame: &Frame,
    ) -> Result<String, EngineError> {
        if let Some(at) = contact.forgotten_at {
            return Ok(crate::retention::forgotten(at));
        }
        let planned = &contact.planned;
        let impossible = |what: &str| EngineError::internal(format!("contact {}: {what}", planned.id));
        let manifest = self.manifests.get(&planned.component).ok_or_else(|| impossible("its version is gone"))?;
        let labels = self.labels.get(&contact.plan);
        text_of(planned, contact.via, manifest, labels, identity, frame).map_err(|e| impossible(&e))
    }

    /// The manifest of a contact's version.
    pub(crate) fn manifest(&self, contact: &NewContact) -> Option<&Manifest> {
        self.manifests.get(&contact.component).map(Arc::as_ref)
    }

    /// What a department is asked to do by a contact; `None` where it is a message.
    pub(crate) fn action(&self, contact: &NewContact) -> Option<&Action> {
        let templates = &self.manifest(contact)?.templates;
        templates.iter().find(|template| template.name == contact.template)?.action.as_ref()
    }
}

/// A planned message as it is read on a channel.
pub(crate) fn text_of(
    planned: &NewContact,
    via: Channel,
    manifest: &Manifest,
    labels: Option<&Labels>,
    identity: Option<&Identity>,
    frame: &Frame,
) -> Result<String, String> {
    let template = manifest.templates.iter().find(|t| t.name == planned.template);
    let body = template.and_then(|t| t.body(via));
    let body = body.ok_or("its template has no body for its channel")?;
    let values = values(planned, manifest, labels)?;
    let person = identity.map(|i| Person { surname: i.surname.clone(), name: i.name.clone() }).unwrap_or_default();
    let parsed = Body::parse(body.get(planned.language)).map_err(|e| e.to_string())?;
    let text = render(&parsed, &values, &person, planned.language).map_err(|e| e.to_string())?;
    Ok(match via {
        Channel::Sms => frame.around(&text, planned.class, planned.language),
        _ => text,
    })
}

fn values(
    contact: &NewContact,
    manifest: &Manifest,
    labels: Option<&Labels>,
) -> Result<BTreeMap<String, care_domain::render::SlotValue>, String> {
    let none = Labels::new();
    let labels = labels.unwrap_or(&none);
    let mut values = BTreeMap::new();
    for (name, value) in &contact.slots {
        let slot =
            manifest.slots.iter().find(|s| s.name == *name).ok_or_else(|| format!("slot {name:?} is unknown"))?;
        values.insert(name.clone(), check_slot(slot, value, labels).map_err(|e| e.to_string())?);
    }
    Ok(values)
}
