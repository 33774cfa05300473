//! Variants: other parameters, other words over the same slots, another region or other dates of an approved activity,
//! without code (architecture section 5). What a variant may be granted is bounded in `approval`.

use crate::approval::{Approval, Conditions};
use crate::canonical;
use crate::contact::Channel;
use crate::manifest::{Manifest, Template};
use crate::region;
use crate::render::{Body, Part};
use crate::text::{Bilingual, Finding, is_kebab, nearest_hint};
use semver::{BuildMetadata, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a branch proposes: what is not named stays as the base has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The approved activity.
    pub activity: String,
    /// Its version.
    pub version: Version,
    /// Its own name, which becomes the version's build metadata: `1.0.0+xiamen`.
    pub name: String,
    /// Whose it is, by administrative code; its customers come from there alone.
    pub owner_region: String,
    /// Another title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Bilingual>,
    /// Another summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Bilingual>,
    /// Other defaults of parameters, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
    /// Other words, by template and channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wording: BTreeMap<String, BTreeMap<Channel, Bilingual>>,
    /// First business date, in days; written as a date.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::optional_date")]
    pub from: Option<i32>,
    /// Last business date, in days; written as a date.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::optional_date")]
    pub until: Option<i32>,
}

/// Whether a version is a variant of another.
pub fn is_variant(version: &Version) -> bool {
    !version.build.is_empty()
}

/// The digest by which a variant is known: of the code that it runs and of what it asks for.
pub fn digest(code: &str, manifest: &Manifest) -> Result<String, serde_json::Error> {
    canonical::digest_of(&json!({"code": code, "manifest": canonical::digest_of(manifest)?}))
}

impl Variant {
    /// What it asks for: the base as it was granted, with its own words, defaults and region. Everything wrong at once.
    /// Whether the defaults fit the schema is the engine's to check.
    pub fn manifest(&self, base: &Manifest, granted: &Approval) -> Result<Manifest, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut asked = granted.effective(base);
        asked.version = self.named_version(base, &mut findings);
        self.place(granted, &mut asked, &mut findings);
        self.title.iter().for_each(|title| asked.title = title.clone());
        self.summary.iter().for_each(|summary| asked.summary = summary.clone());
        self.set_params(&mut asked, &mut findings);
        self.set_wording(&mut asked, &mut findings);
        if self.params.is_empty() && self.wording.is_empty() && self.owner_region == base.owner_region {
            let dates = self.from.is_some() || self.until.is_some();
            if !dates {
                let hint = "Name another region, [params], [wording] or dates; or run the activity as it is";
                findings.push(Finding::error("variant-empty", "it changes nothing", hint));
            }
        }
        if findings.is_empty() { Ok(asked) } else { Err(findings) }
    }

    /// The conditions that it proposes itself, where a reviewer names none.
    #[must_use]
    pub fn conditions(&self, wished: &Conditions) -> Conditions {
        Conditions { from: wished.from.or(self.from), until: wished.until.or(self.until), ..wished.clone() }
    }

    fn named_version(&self, base: &Manifest, findings: &mut Vec<Finding>) -> Version {
        let build = BuildMetadata::new(&self.name).ok().filter(|_| is_kebab(&self.name));
        let build = build.unwrap_or_else(|| {
            let message = format!("{:?} is no kebab-case name", self.name);
            findings.push(Finding::error("variant-name", message, "Use lower-case letters, digits and single hyphens"));
            BuildMetadata::EMPTY
        });
        Version { build, ..base.version.clone() }
    }

    fn place(&self, granted: &Approval, asked: &mut Manifest, findings: &mut Vec<Finding>) {
        let approved = &granted.regions;
        let inside = approved.is_empty() || approved.iter().any(|wide| region::covers(wide, &self.owner_region));
        if !region::is_code(&self.owner_region) || !inside {
            let message =
                format!("{} {} is not approved for region {:?}", self.activity, self.version, self.owner_region);
            let approved = if approved.is_empty() { "everywhere".to_owned() } else { approved.join(", ") };
            findings.push(Finding::error("variant-region", message, format!("It is approved for: {approved}")));
        }
        asked.owner_region.clone_from(&self.owner_region);
    }

    fn set_params(&self, asked: &mut Manifest, findings: &mut Vec<Finding>) {
        let Some(properties) = asked.params.get_mut("properties").and_then(Value::as_object_mut) else { return };
        let known: Vec<String> = properties.keys().cloned().collect();
        for (name, value) in &self.params {
            match properties.get_mut(name).and_then(Value::as_object_mut) {
                Some(property) => drop(property.insert("default".into(), value.clone())),
                None => {
                    let near = nearest_hint(name, known.iter().map(String::as_str));
                    let hint = format!("Parameters: {}{near}", known.join(", "));
                    findings.push(Finding::error("variant-param", format!("there is no parameter {name:?}"), hint));
                }
            }
        }
    }

    fn set_wording(&self, asked: &mut Manifest, findings: &mut Vec<Finding>) {
        for (name, bodies) in &self.wording {
            let known: Vec<String> = asked.templates.iter().map(|t| t.name.clone()).collect();
            let Some(template) = asked.templates.iter_mut().find(|t| t.name == *name) else {
                let near = nearest_hint(name, known.iter().map(String::as_str));
                let hint = format!("Templates: {}{near}", known.join(", "));
                findings.push(Finding::error("variant-wording", format!("there is no template {name:?}"), hint));
                continue;
            };
            for (channel, body) in bodies {
                match reworded(template, *channel, body) {
                    Ok(()) => drop(template.bodies.insert(*channel, body.clone())),
                    Err(finding) => findings.push(finding),
                }
            }
        }
    }
}

/// Whether a body may take the place of the template's: on a channel that it has, over the very slots that it has there,
/// since the code fills those and no other.
fn reworded(template: &Template, channel: Channel, body: &Bilingual) -> Result<(), Finding> {
    let place = format!("{} of template {:?}", channel.name(), template.name);
    let Some(before) = template.bodies.get(&channel) else {
        let hint = "A variant says the same otherwise; another channel needs another version of the activity";
        return Err(Finding::error("variant-wording", format!("there is no body {place} to reword"), hint));
    };
    let listed = |slots: &BTreeSet<String>| match slots.is_empty() {
        true => "none".to_owned(),
        false => slots.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    let slots = slots_of(&before.zh);
    for text in [&body.zh, &body.en] {
        // What does not parse is found by the check of the manifest, in its own words.
        let Ok(new) = Body::parse(text) else { continue };
        let new = slots_in(&new);
        if new != slots {
            let message = format!("body {place} uses the slots {}, its base {}", listed(&new), listed(&slots));
            return Err(Finding::error(
                "variant-wording",
                message,
                "Use each slot that the base uses there, and no other",
            ));
        }
    }
    Ok(())
}

fn slots_of(text: &str) -> BTreeSet<String> {
    Body::parse(text).map(|body| slots_in(&body)).unwrap_or_default()
}

fn slots_in(body: &Body) -> BTreeSet<String> {
    let name = |part: &Part| if let Part::Slot(name) = part { Some(name.clone()) } else { None };
    body.parts().iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Addressee;

    #[test]
    fn words_change_and_slots_do_not() {
        let both = |text: &str| Bilingual { zh: text.into(), en: text.into() };
        let template = Template {
            name: "remind".into(),
            addressee: Addressee::Customer,
            action: None,
            bodies: BTreeMap::from([(Channel::Sms, both("{host.surname}: {balance} until {day}"))]),
        };
        let judged = |channel, text: &str| reworded(&template, channel, &both(text)).map_err(|finding| finding.message);
        assert_eq!(judged(Channel::Sms, "{day}, {balance}"), Ok(()), "in any order, with or without the name");
        for other in ["{balance}", "{balance} {day} {points}", "no slot at all"] {
            assert!(judged(Channel::Sms, other).is_err(), "{other}");
        }
        assert!(judged(Channel::Email, "{day}, {balance}").is_err(), "a channel that the base has not");
    }

    #[test]
    fn dates_are_written_as_dates() {
        let text =
            r#"{"activity":"birthday","version":"1.0.0","name":"x","owner_region":"350200","from":"2026-07-29"}"#;
        let variant: Variant = serde_json::from_str(text).expect("a variant");
        assert_eq!(variant.from.map(crate::time::write_date).as_deref(), Some("2026-07-29"));
        assert_eq!(serde_json::to_string(&variant).expect("JSON"), text);
        assert!(serde_json::from_str::<Variant>(&text.replace("2026-07-29", "29 July")).is_err());
    }
}
