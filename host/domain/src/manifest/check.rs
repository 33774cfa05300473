//! Checks of a manifest by itself and against the field dictionary; every fault at once.

use super::{Declaration, MAX_DAYS, MAX_WEIGHT, Manifest, Slot, SlotKind};
use crate::catalogue;
use crate::contact::Channel;
use crate::field::{Dictionary, FieldType, LIST_PREFIX, Stage};
use crate::render::{Body, Part};
use crate::schedule;
use crate::text::{Bilingual, Finding, is_kebab, nearest_hint};
use std::collections::BTreeSet;

/// No body is longer, in characters.
pub const MAX_BODY_CHARS: usize = 1_000;
const MAX_ENTRIES: usize = 64;

impl Manifest {
    /// Everything wrong with it, by itself and against the dictionary.
    pub fn check(&self, dictionary: &Dictionary) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.check_names(&mut findings);
        self.check_texts(&mut findings);
        self.check_catalogue(&mut findings);
        self.check_fields(dictionary, &mut findings);
        self.check_params(&mut findings);
        self.check_reasons(&mut findings);
        self.check_templates(&mut findings);
        self.check_triggers(&mut findings);
        self.check_numbers(&mut findings);
        findings.extend(self.check_column(dictionary));
        findings
    }

    /// What its code declares otherwise than it does.
    pub fn check_declaration(&self, code: &Declaration) -> Vec<Finding> {
        let mut findings = Vec::new();
        let hint = "Build again with `care plugin build`, and keep activity.toml and the code in step";
        let mut differ = |what: &str, same: bool, manifest: String, code: String| {
            if !same {
                let message = format!("{what} of the manifest are {manifest}, those of the code are {code}");
                findings.push(Finding::error("manifest-code-mismatch", message, hint));
            }
        };
        let reasons: Vec<&str> = self.reasons.iter().map(|r| r.name.as_str()).collect();
        let templates: Vec<&str> = self.templates.iter().map(|t| t.name.as_str()).collect();
        let slots: Vec<&str> = self.slots.iter().map(|s| s.name.as_str()).collect();
        differ("reasons", reasons == code.reasons, format!("{reasons:?}"), format!("{:?}", code.reasons));
        differ("templates", templates == code.templates, format!("{templates:?}"), format!("{:?}", code.templates));
        differ("slots", slots == code.slots, format!("{slots:?}"), format!("{:?}", code.slots));
        for stage in Stage::ALL {
            let named: BTreeSet<_> = self.fields_of(stage).iter().map(|f| (&f.name, f.ty, f.optional)).collect();
            let used: BTreeSet<_> =
                code.fields.get(&stage).into_iter().flatten().map(|f| (&f.name, f.ty, f.optional)).collect();
            differ(&format!("fields of {}", stage.name()), named == used, format!("{named:?}"), format!("{used:?}"));
        }
        findings
    }

    fn check_names(&self, findings: &mut Vec<Finding>) {
        let hint = "Use lower-case letters, digits and single hyphens, at most 64, starting with a letter";
        let named = [("activity", vec![&self.name])].into_iter().chain([
            ("reason", self.reasons.iter().map(|r| &r.name).collect()),
            ("template", self.templates.iter().map(|t| &t.name).collect()),
            ("slot", self.slots.iter().map(|s| &s.name).collect()),
            ("metric", self.metrics.iter().collect()),
            ("cancel-on kind", self.cancel_on.iter().collect()),
            ("goal outcome", vec![&self.goal.outcome]),
        ]);
        for (what, names) in named {
            let mut seen = BTreeSet::new();
            if names.len() > MAX_ENTRIES {
                findings.push(Finding::error(
                    "manifest-too-many",
                    format!("{} {what}s, more than {MAX_ENTRIES}", names.len()),
                    "Split the activity",
                ));
            }
            for name in names {
                if !is_kebab(name) {
                    findings.push(Finding::error(
                        "manifest-name",
                        format!("{what} {name:?} is no kebab-case name"),
                        hint,
                    ));
                }
                if !seen.insert(name) {
                    findings.push(Finding::error(
                        "manifest-repeated-name",
                        format!("{what} {name:?} stands twice"),
                        "Give each its own name",
                    ));
                }
            }
        }
    }

    fn check_texts(&self, findings: &mut Vec<Finding>) {
        let principles = &self.principles;
        let mut texts: Vec<(String, &Bilingual)> = vec![
            ("title".into(), &self.title),
            ("summary".into(), &self.summary),
            ("principles.proactive".into(), &principles.proactive),
            ("principles.customer_oriented".into(), &principles.customer_oriented),
            ("principles.feasible".into(), &principles.feasible),
            ("principles.useful".into(), &principles.useful),
            ("principles.important".into(), &principles.important),
            ("principles.innovative".into(), &principles.innovative),
        ];
        texts.extend(self.reasons.iter().map(|r| (format!("title of reason {:?}", r.name), &r.title)));
        for template in &self.templates {
            texts.extend(
                template.bodies.iter().map(|(c, b)| (format!("body {} of template {:?}", c.name(), template.name), b)),
            );
        }
        for slot in &self.slots {
            if let SlotKind::Choice { values } = &slot.kind {
                texts.extend(values.iter().map(|(k, v)| (format!("choice {k:?} of slot {:?}", slot.name), v)));
            }
        }
        for (what, text) in texts {
            for (language, words) in [("zh", &text.zh), ("en", &text.en)] {
                if words.trim().is_empty() {
                    findings.push(Finding::error(
                        "manifest-missing-translation",
                        format!("{what} has no {language} text"),
                        "Write it in both languages",
                    ));
                }
                if words.chars().count() > MAX_BODY_CHARS {
                    findings.push(Finding::error(
                        "manifest-text-too-long",
                        format!("{what} ({language}) has more than {MAX_BODY_CHARS} characters"),
                        "Say it shorter",
                    ));
                }
            }
        }
    }

    fn check_catalogue(&self, findings: &mut Vec<Finding>) {
        if self.catalogue.is_empty() {
            findings.push(Finding::error(
                "manifest-catalogue",
                "it answers no entry of the catalogue",
                "Name at least one in `catalogue`",
            ));
        }
        for entry in &self.catalogue {
            if !catalogue::is_entry(entry) {
                let near = nearest_hint(entry, catalogue::entries().map(|e| e.name));
                let hint = format!("Use `other` for a new kind{near}");
                findings.push(Finding::error(
                    "manifest-catalogue",
                    format!("{entry:?} is no entry of the catalogue"),
                    hint,
                ));
            }
        }
        if self.owner_region.len() != 6 || !self.owner_region.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("owner_region {:?} is no administrative code", self.owner_region);
            findings.push(Finding::error("manifest-region", message, "Use six digits, such as 350000 or 350200"));
        }
    }

    fn check_fields(&self, dictionary: &Dictionary, findings: &mut Vec<Finding>) {
        for stage in [Stage::Select, Stage::Schedule, Stage::Compose] {
            let listed = |f: &&super::FieldUse| f.name.starts_with(LIST_PREFIX) && f.ty == FieldType::Boolean;
            for used in self.fields_of(stage).iter().filter(|f| !listed(f)) {
                match dictionary.find(&used.name) {
                    Err(near) => {
                        let hint = format!("Name a field of the dictionary{near}");
                        findings.push(Finding::error(
                            "manifest-unknown-field",
                            format!("field {:?} of {} is not in the dictionary", used.name, stage.name()),
                            hint,
                        ));
                    }
                    Ok(def) if def.ty != used.ty => {
                        let message =
                            format!("field {:?} of {} is asked for as {}", used.name, stage.name(), used.ty.name());
                        findings.push(Finding::error(
                            "manifest-field-type",
                            message,
                            format!("The dictionary says {}", def.ty.name()),
                        ));
                    }
                    Ok(def) if !def.stages.contains(&stage) => {
                        let message = format!("field {:?} may not be read in {}", used.name, stage.name());
                        findings.push(Finding::error(
                            "manifest-field-stage",
                            message,
                            "See the field's stages in the dictionary",
                        ));
                    }
                    Ok(_) => {}
                }
            }
        }
    }

    fn check_params(&self, findings: &mut Vec<Finding>) {
        if let Err(error) = super::defaults(&self.params, &serde_json::Map::new()) {
            let hint = "Write params as a JSON Schema of an object whose properties all have a default";
            findings.push(Finding::error("manifest-params", error.to_string(), hint));
        }
    }

    fn check_reasons(&self, findings: &mut Vec<Finding>) {
        if self.reasons.is_empty() && self.world == super::World::Activity {
            findings.push(Finding::error(
                "manifest-no-reason",
                "it has no reason to choose a customer",
                "Write at least one `[[reasons]]`",
            ));
        }
        for reason in &self.reasons {
            let name = &reason.name;
            if reason.templates.is_empty() || reason.channels.is_empty() || reason.max_messages == 0 {
                findings.push(Finding::error(
                    "manifest-reason",
                    format!("reason {name:?} can say nothing"),
                    "Name its templates, channels and max_messages",
                ));
            }
            if reason.channels.contains(&Channel::AccountManager) {
                let message =
                    format!("reason {name:?} names channel account-manager, which is the province's to choose");
                findings.push(Finding::error("manifest-reason", message, "Name the channels of everybody else"));
            }
            for wanted in &reason.templates {
                let Some(template) = self.templates.iter().find(|t| t.name == *wanted) else {
                    let near = nearest_hint(wanted, self.templates.iter().map(|t| t.name.as_str()));
                    findings.push(Finding::error(
                        "manifest-reason",
                        format!("reason {name:?} names template {wanted:?}, which does not exist"),
                        format!("Write it, or correct the name{near}"),
                    ));
                    continue;
                };
                if !reason.channels.iter().any(|c| template.bodies.contains_key(c)) {
                    let message = format!("template {wanted:?} has no body for any channel of reason {name:?}");
                    findings.push(Finding::error(
                        "manifest-reason",
                        message,
                        "Write a body for one of the reason's channels",
                    ));
                }
            }
        }
    }

    fn check_templates(&self, findings: &mut Vec<Finding>) {
        for template in &self.templates {
            let name = &template.name;
            if template.bodies.is_empty() {
                findings.push(Finding::error(
                    "manifest-template",
                    format!("template {name:?} has no body"),
                    "Write one for each channel it may use",
                ));
            }
            let is_action = template.bodies.contains_key(&Channel::Action);
            if is_action
                != (template.action.is_some() && template.addressee.is_department() && template.bodies.len() == 1)
            {
                let hint = "A request has channel action alone, an action, and a department as addressee";
                findings.push(Finding::error(
                    "manifest-action",
                    format!("template {name:?} is half a request to a department"),
                    hint,
                ));
            }
            if template.bodies.contains_key(&Channel::AccountManager) {
                let message = format!("template {name:?} has a body for account-manager");
                let hint = "An account manager is given the body of touchpoint, call-list, sms or email";
                findings.push(Finding::error("manifest-template", message, hint));
            }
            for (channel, body) in &template.bodies {
                let slots: Vec<BTreeSet<String>> = [("zh", &body.zh), ("en", &body.en)]
                    .into_iter()
                    .map(|(language, text)| {
                        self.check_body(name, &format!("{} {language}", channel.name()), text, findings)
                    })
                    .collect();
                if slots.windows(2).any(|pair| pair[0] != pair[1]) {
                    let message = format!(
                        "body {} of template {name:?} uses other slots in Chinese than in English",
                        channel.name()
                    );
                    findings.push(Finding::error(
                        "manifest-body-slots",
                        message,
                        "Use the same slots in both languages",
                    ));
                }
            }
        }
    }

    fn check_body(&self, template: &str, place: &str, text: &str, findings: &mut Vec<Finding>) -> BTreeSet<String> {
        let body = match Body::parse(text) {
            Ok(body) => body,
            Err(error) => {
                findings.push(Finding::error(
                    "manifest-body",
                    format!("body {place} of template {template:?}: {error}"),
                    "Write {slot}, {host.surname}, and {{ for a brace",
                ));
                return BTreeSet::new();
            }
        };
        let names: BTreeSet<String> = body
            .parts()
            .iter()
            .filter_map(|p| if let Part::Slot(name) = p { Some(name.clone()) } else { None })
            .collect();
        for name in &names {
            if !self.slots.iter().any(|s| s.name == *name) {
                let near = nearest_hint(name, self.slots.iter().map(|s| s.name.as_str()));
                findings.push(Finding::error(
                    "manifest-unknown-slot",
                    format!("body {place} of template {template:?} uses slot {name:?}, which does not exist"),
                    format!("Write it, or correct the name{near}"),
                ));
            }
        }
        names
    }

    fn check_triggers(&self, findings: &mut Vec<Finding>) {
        if let Some(Err(fault)) = self.triggers.cron.as_deref().map(schedule::check) {
            let hint = "Write minute, hour, day, month and weekday, such as 0 7 * * *; the province's zone is meant";
            findings.push(Finding::error("manifest-cron", fault.to_string(), hint));
        }
    }

    fn check_numbers(&self, findings: &mut Vec<Finding>) {
        let mut bound = |ok: bool, what: String, hint: &str| {
            if !ok {
                findings.push(Finding::error("manifest-bounds", what, hint));
            }
        };
        bound(
            self.version.build.is_empty(),
            format!("version {} has build metadata", self.version),
            "Write three numbers; what follows a `+` names variants",
        );
        bound(self.weight <= MAX_WEIGHT, format!("weight {} is over {MAX_WEIGHT}", self.weight), "Ask for 0 to 1000");
        bound((1..=9).contains(&self.rounds), format!("rounds {} is out of bounds", self.rounds), "Ask for 1 to 9");
        bound(self.cap.is_sound(), "the cap is out of bounds".into(), "Ask for at least 1 contact in 1 to 400 days");
        bound(
            (1..=MAX_DAYS).contains(&self.goal.window_days),
            "goal.window_days is out of bounds".into(),
            "Use 1 to 400 days",
        );
        bound(
            (1..=512).contains(&self.limits.memory_mib),
            "limits.memory_mib is out of bounds".into(),
            "Ask for 1 to 512 MiB",
        );
        for Slot { name, kind } in &self.slots {
            let ok = match kind {
                SlotKind::Money { min, max } | SlotKind::Number { min, max } => min <= max,
                SlotKind::Choice { values } => !values.is_empty(),
                SlotKind::Entry { table } => self.tables.contains_key(table),
                SlotKind::Date => true,
            };
            bound(
                ok,
                format!("slot {name:?} can hold nothing"),
                "Check min and max, the choices, or that the table is named in `tables`",
            );
        }
    }
}
