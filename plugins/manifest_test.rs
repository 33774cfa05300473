//! For the tests of the activities: `activity.toml` as the builder completes it from the code's declaration.

use care_domain::field::Dictionary;
use care_domain::manifest::{Declaration, Manifest, defaults};
use care_domain::render::{Body, Labels, Person, check_slot, render};
use care_domain::text::{Bilingual, Language};
use care_sdk::testing::Said;
use serde_json::Value;
use std::collections::BTreeMap;

/// The manifest; fails when it does not fit the code, the dictionary or itself.
pub(crate) fn manifest(activity_toml: &str, declaration: &care_sdk::Declaration) -> Manifest {
    let declared: Declaration = serde_json::from_str(&declaration.text()).expect("the declaration is JSON");
    let mut manifest: toml::Table = activity_toml.parse().expect("activity.toml is TOML");
    manifest.insert("wit".into(), "1.0.0".into());
    let mut manifest: Manifest = manifest.try_into().expect("activity.toml fits the manifest");
    manifest.fields = declared.fields.clone();
    let fields_of =
        |fields: &Vec<care_domain::manifest::FieldUse>| fields.iter().map(|f| (f.name.clone(), f.ty)).collect();
    manifest.tables = declared.tables.iter().map(|(name, fields)| (name.clone(), fields_of(fields))).collect();
    let dictionary = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fields.toml");
    let dictionary = std::fs::read_to_string(dictionary).expect("the field dictionary is readable");
    let dictionary: Dictionary = toml::from_str(&dictionary).expect("the field dictionary is TOML");
    let findings = [manifest.check_declaration(&declared), manifest.check(&dictionary)].concat();
    assert!(findings.is_empty(), "{findings:#?}");
    manifest
}

/// The default parameters with some given otherwise.
pub(crate) fn params(manifest: &Manifest, given: &Value) -> Value {
    defaults(&manifest.params, given.as_object().expect("parameters are an object"))
        .expect("every parameter has a default")
}

/// A message as the customer 陈 reads it in both languages, on every channel of its template, in the
/// channels' order. Fails when a slot does not hold what the manifest allows.
pub(crate) fn read(manifest: &Manifest, message: &Said, labels: &Labels) -> Vec<Bilingual> {
    let template =
        manifest.templates.iter().find(|t| t.name == message.template).expect("the template is in the manifest");
    let values: BTreeMap<_, _> = message
        .slots
        .iter()
        .map(|(name, value)| {
            let slot = manifest.slots.iter().find(|s| s.name == *name).expect("the slot is in the manifest");
            (slot.name.clone(), check_slot(slot, value, labels).expect("the value fits its slot"))
        })
        .collect();
    let person = Person { surname: "陈".into(), name: "陈晓".into() };
    let read = |text: &str, language| {
        let body = Body::parse(text).expect("the body is well formed");
        render(&body, &values, &person, language).expect("every slot is filled")
    };
    template
        .bodies
        .values()
        .map(|body| Bilingual { zh: read(&body.zh, Language::Zh), en: read(&body.en, Language::En) })
        .collect()
}
