//! Messages: which approved templates a guest picked, and whether the values it put into them are approved too.

use crate::answer::same_length;
use crate::fault::Fault;
use care_domain::manifest::{Manifest, Slot, Template};
use care_domain::render::{Body, Labels, check_slot};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmtime::component::{ComponentType, Lift};

/// One message to be said, checked: its template is allowed and its slots hold approved values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The row of the batch whose customer causes it.
    pub row: u32,
    /// An index into the manifest's templates.
    pub template: u16,
    /// Canonical values by slot name: exactly the slots that the template uses.
    pub slots: BTreeMap<String, String>,
}

/// The contract's `messages`.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
pub(crate) struct RawMessages {
    pub(crate) rows: Vec<u32>,
    pub(crate) templates: Vec<u16>,
    pub(crate) slots: Vec<RawTexts>,
}

/// The contract's `texts`, from a guest.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
pub(crate) struct RawTexts {
    pub(crate) offsets: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
}

impl RawTexts {
    fn get(&self, index: usize) -> Option<&str> {
        let range: Range<usize> = *self.offsets.get(index)? as usize..*self.offsets.get(index + 1)? as usize;
        std::str::from_utf8(self.bytes.get(range)?).ok()
    }
}

impl RawMessages {
    /// Checks all of it. `reasons` has one entry for each row of the batch.
    pub(crate) fn check(&self, reasons: &[u16], manifest: &Manifest, labels: &Labels) -> Result<Vec<Message>, Fault> {
        same_length(("rows", self.rows.len()), &[("templates", self.templates.len())])?;
        same_length(("the manifest's slots", manifest.slots.len()), &[("slots", self.slots.len())])?;
        for (slot, texts) in manifest.slots.iter().zip(&self.slots) {
            let name = format!("offsets of slot {:?}", slot.name);
            same_length(("rows + 1", self.rows.len() + 1), &[(&name, texts.offsets.len())])?;
        }
        self.check_rows(reasons, manifest)?;
        let used: Vec<BTreeSet<String>> = manifest.templates.iter().map(slots_of).collect();
        let mut messages = Vec::with_capacity(self.rows.len());
        for (index, (row, template)) in self.rows.iter().zip(&self.templates).enumerate() {
            let (name, used) = allowed(*row, *template, reasons, manifest, &used)?;
            let slots = self.fill(index, name, used, manifest, labels)?;
            messages.push(Message { row: *row, template: *template, slots });
        }
        Ok(messages)
    }

    /// Rows ascend, exist, and have no more messages than their reason may cause.
    fn check_rows(&self, reasons: &[u16], manifest: &Manifest) -> Result<(), Fault> {
        if let Some(pair) = self.rows.windows(2).find(|pair| pair[0] > pair[1]) {
            return Err(Fault::invalid(format!("row {} follows row {}; rows must ascend", pair[1], pair[0])));
        }
        for run in self.rows.chunk_by(|a, b| a == b) {
            let row = run[0];
            let reason = reasons.get(row as usize);
            let Some(reason) = reason else {
                return Err(Fault::invalid(format!("row {row} has a message; the batch has {} rows", reasons.len())));
            };
            let most = manifest.reason(*reason).map_or(0, |r| usize::from(r.max_messages));
            if run.len() > most {
                return Err(Fault::invalid(format!(
                    "row {row} has {} messages; its reason may cause {most}",
                    run.len()
                )));
            }
        }
        Ok(())
    }

    /// The values of one message: every slot its template uses, and no other.
    fn fill(
        &self,
        index: usize,
        template: &str,
        used: &BTreeSet<String>,
        manifest: &Manifest,
        labels: &Labels,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let row = self.rows[index];
        let mut values = BTreeMap::new();
        for (slot, texts) in manifest.slots.iter().zip(&self.slots) {
            let Slot { name, .. } = slot;
            let Some(value) = texts.get(index) else {
                return Err(Fault::invalid(format!(
                    "row {row}: slot {name:?} of message {index} is no UTF-8 within its bytes"
                )));
            };
            match (used.contains(name), value.is_empty()) {
                (true, true) => {
                    return Err(Fault::invalid(format!(
                        "row {row}: template {template:?} needs slot {name:?}, which is empty"
                    )));
                }
                (false, false) => {
                    let message =
                        format!("row {row}: slot {name:?} is filled, but template {template:?} does not use it");
                    return Err(Fault::invalid(message));
                }
                (false, true) => {}
                (true, false) => {
                    check_slot(slot, value, labels).map_err(|fault| Fault::invalid(format!("row {row}: {fault}")))?;
                    values.insert(name.clone(), value.to_owned());
                }
            }
        }
        Ok(values)
    }
}

/// The template's name and slots, if the row's reason allows it.
fn allowed<'a>(
    row: u32,
    template: u16,
    reasons: &[u16],
    manifest: &'a Manifest,
    used: &'a [BTreeSet<String>],
) -> Result<(&'a str, &'a BTreeSet<String>), Fault> {
    let known = manifest.template(template).zip(used.get(usize::from(template)));
    let Some((Template { name, .. }, used)) = known else {
        let count = manifest.templates.len();
        return Err(Fault::invalid(format!(
            "row {row} has template {template}; the manifest has {count} templates, from 0"
        )));
    };
    let reason = reasons.get(row as usize).and_then(|r| manifest.reason(*r));
    match reason {
        Some(reason) if reason.templates.contains(name) => Ok((name, used)),
        Some(reason) => {
            let message = format!("row {row} has template {name:?}, which its reason {:?} does not allow", reason.name);
            Err(Fault::invalid(message))
        }
        None => Err(Fault::invalid(format!("row {row} has a message but no known reason"))),
    }
}

/// The guest's slots in all bodies of a template. A body that cannot be read was refused at the gate.
fn slots_of(template: &Template) -> BTreeSet<String> {
    let texts = template.bodies.values().flat_map(|body| [&body.zh, &body.en]);
    let bodies = texts.filter_map(|text| Body::parse(text).ok());
    bodies.flat_map(|body| body.slots().map(str::to_owned).collect::<Vec<_>>()).collect()
}
