//! What a version would say, in words, to a person who does not exist: for samples, and for what a message costs.

use crate::EngineError;
use care_domain::contact::Channel;
use care_domain::evidence::made_up;
use care_domain::manifest::{Manifest, Slot};
use care_domain::policy::Class;
use care_domain::render::{Body, Labels, SlotValue, check_slot, render};
use care_domain::sms::Frame;
use care_domain::text::{Bilingual, Language};
use care_store::NewContact;
use std::collections::{BTreeMap, HashMap};

/// The bodies of a version, read once, with what fills them.
pub(crate) struct Wording {
    slots: HashMap<String, Slot>,
    labels: Labels,
    frame: Frame,
    bodies: BTreeMap<(String, Channel), Bodies>,
}

struct Bodies {
    zh: Body,
    en: Body,
}

impl Wording {
    pub(crate) fn new(manifest: &Manifest, labels: Labels, frame: Frame) -> Result<Self, EngineError> {
        let mut bodies = BTreeMap::new();
        for template in &manifest.templates {
            for (channel, text) in Channel::ALL.iter().filter_map(|c| Some((c, template.body(*c)?))) {
                // The gate has read every body; one that cannot be read now was not what it accepted.
                let parse = |text: &str| Body::parse(text).map_err(EngineError::internal);
                let parsed = Bodies { zh: parse(&text.zh)?, en: parse(&text.en)? };
                bodies.insert((template.name.clone(), *channel), parsed);
            }
        }
        let slots = manifest.slots.iter().map(|slot| (slot.name.clone(), slot.clone())).collect();
        Ok(Self { slots, labels, frame, bodies })
    }

    /// A contact as it is read in one language.
    pub(crate) fn read(&self, contact: &NewContact, language: Language) -> Result<String, EngineError> {
        self.text((&contact.template, contact.channel, contact.class), &self.values(&contact.slots)?, language)
    }

    /// A contact as it is read in both languages.
    pub(crate) fn read_both(&self, contact: &NewContact) -> Result<Bilingual, EngineError> {
        self.words((&contact.template, contact.channel, contact.class), &contact.slots)
    }

    /// A template filled with these canonical values, as it is read on a channel in both languages; the class says which words
    /// stand around it.
    pub(crate) fn words(
        &self,
        of: (&str, Channel, Class),
        slots: &BTreeMap<String, String>,
    ) -> Result<Bilingual, EngineError> {
        let values = self.values(slots)?;
        let text = |language| self.text(of, &values, language);
        Ok(Bilingual { zh: text(Language::Zh)?, en: text(Language::En)? })
    }

    fn text(
        &self,
        (template, channel, class): (&str, Channel, Class),
        values: &BTreeMap<String, SlotValue>,
        language: Language,
    ) -> Result<String, EngineError> {
        let impossible = |what: String| EngineError::internal(format!("template {template:?}: {what}"));
        let bodies = self.bodies.get(&(template.to_owned(), channel));
        let bodies = bodies.ok_or_else(|| impossible(format!("no body for {}", channel.name())))?;
        let body = match language {
            Language::Zh => &bodies.zh,
            Language::En => &bodies.en,
        };
        let text = render(body, values, &made_up(language), language).map_err(|e| impossible(e.to_string()))?;
        Ok(match channel {
            Channel::Sms => self.frame.around(&text, class, language),
            _ => text,
        })
    }

    fn values(&self, slots: &BTreeMap<String, String>) -> Result<BTreeMap<String, SlotValue>, EngineError> {
        let value = |(name, value): (&String, &String)| {
            let slot =
                self.slots.get(name).ok_or_else(|| EngineError::internal(format!("slot {name:?} is unknown")))?;
            let value = check_slot(slot, value, &self.labels).map_err(EngineError::internal)?;
            Ok((name.clone(), value))
        };
        slots.iter().map(value).collect()
    }
}
