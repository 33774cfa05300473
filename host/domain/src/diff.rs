//! What changed between two versions of an activity, and whether the version number says so.
//! A reviewer reads the changes; a campaign that asks for `^1.2` relies on the number.

use crate::manifest::{Manifest, Template};
use crate::text::Finding;
use semver::Version;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// How far a version number moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bump {
    /// The third number: other words, other code, less asked for.
    Patch,
    /// The second: it can do or asks for more; old parameters still mean the same.
    Minor,
    /// The first: old parameters, reasons or figures no longer mean the same.
    Major,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The least bump that announces it.
    pub needs: Bump,
    /// What changed, for people.
    pub what: String,
}

impl Bump {
    fn name(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// How far `new` is from `old`; below 1.0.0 the second number counts as the first, as cargo has it.
    pub fn between(old: &Version, new: &Version) -> Self {
        match (old.major == new.major, old.minor == new.minor) {
            (false, _) => Self::Major,
            (true, false) if new.major == 0 => Self::Major,
            (true, false) => Self::Minor,
            (true, true) if new.major == 0 => Self::Minor,
            (true, true) => Self::Patch,
        }
    }
}

/// Everything that differs between the manifests of two versions.
pub fn changes(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let mut found = Vec::new();
    named(&mut found, "reason", keyed(&old.reasons, |r| &r.name), keyed(&new.reasons, |r| &r.name), |_, _| Bump::Minor);
    named(&mut found, "template", keyed(&old.templates, |t| &t.name), keyed(&new.templates, |t| &t.name), template);
    wording(&mut found, old, new);
    named(&mut found, "slot", keyed(&old.slots, |s| &s.name), keyed(&new.slots, |s| &s.name), |_, _| Bump::Minor);
    parameters(&mut found, old, new);
    let read = |m: &Manifest| -> BTreeSet<String> {
        let fields = m
            .fields
            .iter()
            .flat_map(|(stage, fields)| fields.iter().map(|f| format!("field {} in {}", f.name, stage.name())));
        fields.chain(m.tables.keys().map(|t| format!("table {t}"))).collect()
    };
    set(&mut found, "reads", &read(old), &read(new), Bump::Patch);
    let kinds = |m: &Manifest| m.cancel_on.iter().cloned().collect();
    set(&mut found, "cancelled by", &kinds(old), &kinds(new), Bump::Minor);
    let entries = |m: &Manifest| m.catalogue.iter().cloned().collect();
    set(&mut found, "answers", &entries(old), &entries(new), Bump::Major);
    value(&mut found, "column", &old.column, &new.column, Bump::Major);
    value(&mut found, "class", &old.class, &new.class, Bump::Major);
    value(&mut found, "goal", &old.goal, &new.goal, Bump::Major);
    value(&mut found, "owner region", &old.owner_region, &new.owner_region, Bump::Major);
    value(&mut found, "life stages", &old.life_stages, &new.life_stages, Bump::Major);
    value(&mut found, "weight", &old.weight, &new.weight, Bump::Minor);
    value(&mut found, "cap", &old.cap, &new.cap, Bump::Minor);
    value(&mut found, "rounds", &old.rounds, &new.rounds, Bump::Minor);
    value(&mut found, "triggers", &old.triggers, &new.triggers, Bump::Minor);
    value(&mut found, "limits", &old.limits, &new.limits, Bump::Patch);
    value(&mut found, "title", &old.title, &new.title, Bump::Patch);
    value(&mut found, "summary", &old.summary, &new.summary, Bump::Patch);
    value(&mut found, "principles", &old.principles, &new.principles, Bump::Patch);
    found
}

/// Whether the new version's number announces its changes; the finding names the change that asks for most.
pub fn check_bump(old: &Manifest, new: &Manifest) -> Option<Finding> {
    let made = Bump::between(&old.version, &new.version);
    let all = changes(old, new);
    let most = all.iter().max_by_key(|change| change.needs).filter(|change| change.needs > made)?;
    let message = format!(
        "{} → {} is a {} bump, but {} needs a {} one",
        old.version,
        new.version,
        made.name(),
        most.what,
        most.needs.name()
    );
    Some(Finding::error(
        "bump-too-small",
        message,
        "Raise the first number for what breaks, the second for what is added",
    ))
}

fn keyed<'a, T>(items: &'a [T], name: impl Fn(&'a T) -> &'a String) -> BTreeMap<&'a str, &'a T> {
    items.iter().map(|item| (name(item).as_str(), item)).collect()
}

/// Things with names: removing one breaks, adding one is more, changing one as `changed` says.
fn named<T: PartialEq>(
    found: &mut Vec<Change>,
    kind: &str,
    old: BTreeMap<&str, &T>,
    new: BTreeMap<&str, &T>,
    changed: impl Fn(&T, &T) -> Bump,
) {
    for (name, before) in &old {
        match new.get(name) {
            None => found.push(Change { needs: Bump::Major, what: format!("{kind} {name} was removed") }),
            Some(after) if after != before => {
                found.push(Change { needs: changed(before, after), what: format!("{kind} {name} was changed") });
            }
            Some(_) => {}
        }
    }
    let added = new.keys().filter(|name| !old.contains_key(*name));
    found.extend(added.map(|name| Change { needs: Bump::Minor, what: format!("{kind} {name} was added") }));
}

/// To whom a template goes and what it asks of a department is what it is; its words are not.
fn template(old: &Template, new: &Template) -> Bump {
    let channels = |t: &Template| t.bodies.keys().copied().collect::<Vec<_>>();
    if old.addressee != new.addressee || old.action != new.action {
        Bump::Major
    } else if channels(old) != channels(new) {
        Bump::Minor
    } else {
        Bump::Patch
    }
}

/// What is said otherwise, word for word: a reviewer judges words, not that there are others.
fn wording(found: &mut Vec<Change>, old: &Manifest, new: &Manifest) {
    let after = keyed(&new.templates, |t| &t.name);
    for before in &old.templates {
        let Some(after) = after.get(before.name.as_str()) else { continue };
        for (channel, body) in &before.bodies {
            if let Some(now) = after.bodies.get(channel) {
                let what = format!("template {} by {}", before.name, channel.name());
                value(found, &what, body, now, Bump::Patch);
            }
        }
    }
}

fn set(found: &mut Vec<Change>, verb: &str, old: &BTreeSet<String>, new: &BTreeSet<String>, removal: Bump) {
    found.extend(old.difference(new).map(|item| Change { needs: removal, what: format!("no longer {verb} {item}") }));
    found.extend(new.difference(old).map(|item| Change { needs: Bump::Minor, what: format!("now {verb} {item}") }));
}

fn value<T: PartialEq + Debug + Serialize>(found: &mut Vec<Change>, what: &str, old: &T, new: &T, needs: Bump) {
    if old != new {
        let words = |value: &T| crate::canonical::json(value).unwrap_or_else(|_| format!("{value:?}"));
        found.push(Change { needs, what: format!("{what}: {} became {}", words(old), words(new)) });
    }
}

/// Parameters: a removed one, or other values allowed, breaks campaigns; a new one or another default is more.
fn parameters(found: &mut Vec<Change>, old: &Manifest, new: &Manifest) {
    let none = Map::new();
    let before = old.params.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let after = new.params.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for (name, schema) in before {
        match after.get(name) {
            None => found.push(Change { needs: Bump::Major, what: format!("parameter {name} was removed") }),
            Some(now) if rules(now) != rules(schema) => {
                found.push(Change { needs: Bump::Major, what: format!("parameter {name} allows other values") });
            }
            Some(now) => {
                let default = |of: &Value| of.get("default").cloned().unwrap_or_default();
                value(found, &format!("default of parameter {name}"), &default(schema), &default(now), Bump::Minor);
            }
        }
    }
    let added = after.keys().filter(|name| !before.contains_key(*name));
    found.extend(added.map(|name| Change { needs: Bump::Minor, what: format!("parameter {name} was added") }));
}

/// A parameter's schema without what does not decide which values are valid.
fn rules(schema: &Value) -> Value {
    let mut rules = schema.clone();
    if let Some(map) = rules.as_object_mut() {
        for words in ["default", "title", "description", "examples"] {
            map.remove(words);
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(version: &str) -> Manifest {
        let text = json!({"zh": "字", "en": "word"});
        let body = json!({"zh": "您好", "en": "hello"});
        serde_json::from_value(json!({
            "name": "a", "version": version, "wit": "1.0.0", "title": text, "summary": text, "catalogue": ["other"],
            "owner_region": "350000", "class": "care", "cap": {"contacts": 1, "days": 7},
            "params": {"type": "object", "properties": {"floor": {"type": "integer", "default": 500}}},
            "reasons": [{"name": "r", "title": text, "templates": ["t"], "channels": ["sms"]}],
            "templates": [{"name": "t", "addressee": "customer", "bodies": {"sms": body}}],
            "goal": {"outcome": "redeemed", "window_days": 30, "better": "more"},
            "principles": {"proactive": text, "customer_oriented": text, "feasible": text, "useful": text,
                "important": text, "innovative": text}
        }))
        .expect("a manifest")
    }

    fn needs(edit: impl Fn(&mut Manifest)) -> Option<Bump> {
        let (old, mut new) = (manifest("1.2.3"), manifest("1.2.4"));
        edit(&mut new);
        changes(&old, &new).into_iter().map(|c| c.needs).max()
    }

    #[test]
    fn what_a_change_needs_follows_from_who_relies_on_it() {
        assert_eq!(needs(|_| ()), None);
        assert_eq!(needs(|m| m.title.zh = "别".into()), Some(Bump::Patch));
        assert_eq!(needs(|m| m.templates[0].bodies.values_mut().for_each(|b| b.zh = "您".into())), Some(Bump::Patch));
        assert_eq!(needs(|m| m.weight = 200), Some(Bump::Minor));
        assert_eq!(needs(|m| m.params["properties"]["floor"]["default"] = json!(9)), Some(Bump::Minor));
        assert_eq!(needs(|m| m.params["properties"]["days"] = json!({"default": 1})), Some(Bump::Minor));
        assert_eq!(needs(|m| m.params["properties"]["floor"]["minimum"] = json!(9)), Some(Bump::Major));
        assert_eq!(needs(|m| m.params["properties"] = json!({})), Some(Bump::Major));
        assert_eq!(needs(|m| m.reasons[0].name = "s".into()), Some(Bump::Major));
        assert_eq!(needs(|m| m.goal.outcome = "used".into()), Some(Bump::Major));
        let other = crate::contact::Addressee::CloseContacts;
        assert_eq!(needs(|m| m.templates[0].addressee = other), Some(Bump::Major));
    }

    #[test]
    fn a_bump_that_is_too_small_is_refused_with_the_change_that_asks_for_more() {
        let old = manifest("1.2.3");
        for (version, fits) in [("1.2.4", false), ("1.3.0", false), ("2.0.0", true)] {
            let mut new = manifest(version);
            new.goal.outcome = "used".into();
            let finding = check_bump(&old, &new);
            assert_eq!(finding.is_none(), fits, "{version}: {finding:?}");
            assert!(finding.is_none_or(|f| f.message.contains("goal")));
        }
        assert_eq!(Bump::between(&Version::new(0, 1, 0), &Version::new(0, 2, 0)), Bump::Major);
        assert_eq!(Bump::between(&Version::new(0, 1, 0), &Version::new(0, 1, 1)), Bump::Minor);
    }
}
