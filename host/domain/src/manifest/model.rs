//! What is wrong with a model: it adds one column, says nothing, and its column is no freer than what it was derived
//! from.

use super::{Manifest, World};
use crate::field::{Dictionary, FieldDef, FieldType, Stage, is_supplied};
use crate::text::Finding;

impl Manifest {
    /// What is wrong with the column that it adds, or does not.
    pub(super) fn check_column(&self, dictionary: &Dictionary) -> Vec<Finding> {
        let wrong = |message: String, hint: &str| vec![Finding::error("manifest-column", message, hint)];
        let column = match (self.world, &self.column) {
            (World::Activity, None) => return Vec::new(),
            (World::Activity, Some(column)) => {
                return wrong(format!("an activity adds no column, and names {column:?}"), "Leave `column` away");
            }
            (World::Model, None) => {
                return wrong("a model adds a column, and names none".into(), "Name a field of the dictionary");
            }
            (World::Model, Some(column)) => column,
        };
        let speaks = !(self.reasons.is_empty() && self.templates.is_empty() && self.slots.is_empty());
        let is_started = self.triggers != super::Triggers::default();
        if speaks || is_started || !self.metrics.is_empty() || !self.cancel_on.is_empty() {
            let hint = "Leave reasons, templates, slots, triggers, cancel_on and metrics to the activities that use it";
            return wrong("a model contacts nobody, and has something of an activity".into(), hint);
        }
        match dictionary.find(column) {
            Ok(def) => self.check_derived(column, def, dictionary),
            Err(near) => {
                let message = format!("column {column:?} is not in the dictionary");
                wrong(message, &format!("Have it added to fields.toml{near}"))
            }
        }
    }

    /// The column has the strictest sensitivity of what it is derived from, and may be read in no stage in which any of
    /// that may not be.
    fn check_derived(&self, column: &str, def: &FieldDef, dictionary: &Dictionary) -> Vec<Finding> {
        let mut findings = Vec::new();
        if is_supplied(column) || def.ty == FieldType::Text || def.ty == FieldType::Category && def.values.is_empty() {
            let message = format!("column {column:?} cannot hold what a model answers");
            let hint = "A model answers numbers, or the places of values that the dictionary lists";
            findings.push(Finding::error("manifest-column", message, hint));
        }
        for used in self.fields_of(Stage::Select) {
            let Ok(source) = dictionary.find(&used.name) else { continue };
            if is_supplied(&used.name) || used.name == column {
                let message = format!("a model cannot read {:?}: snapshots alone are derived from", used.name);
                findings.push(Finding::error("manifest-column", message, "Read fields of the snapshot"));
                continue;
            }
            if def.sensitivity < source.sensitivity {
                let message = format!("column {column:?} is less sensitive than {:?}, of which it is made", used.name);
                let hint = "Have the dictionary say that it is as sensitive";
                findings.push(Finding::error("manifest-column-laxer", message, hint));
            }
            for stage in def.stages.iter().filter(|stage| !source.stages.contains(stage)) {
                let message = format!(
                    "column {column:?} may be read in {}, {:?}, of which it is made, may not",
                    stage.name(),
                    used.name
                );
                let hint = "Have the dictionary name those stages alone in which all that it is made of may be read";
                findings.push(Finding::error("manifest-column-laxer", message, hint));
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Sensitivity;

    fn example(name: &str) -> String {
        let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("a file of the repository")
    }

    fn dictionary() -> Dictionary {
        toml::from_str(&example("examples/fields.toml")).expect("the field dictionary")
    }

    /// The bill-sensitivity model, reading `bill-m1`.
    fn model() -> Manifest {
        let text = format!("wit = \"1.0.0\"\n{}", example("plugins/bill-sensitivity/activity.toml"));
        let mut manifest: Manifest = toml::from_str(&text).expect("a manifest");
        let used = super::super::FieldUse { name: "bill-m1".into(), ty: FieldType::Fen, optional: false };
        manifest.fields.insert(Stage::Select, vec![used]);
        manifest
    }

    fn codes(manifest: &Manifest, dictionary: &Dictionary) -> Vec<String> {
        manifest.check_column(dictionary).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_model_adds_a_column_and_says_nothing() {
        let (model, fields) = (model(), dictionary());
        assert_eq!(codes(&model, &fields), [""; 0]);
        for wrong in [
            Manifest { column: None, ..model.clone() },
            Manifest { column: Some("bill-sensitivty".into()), ..model.clone() },
            Manifest { column: Some("bill-m1".into()), ..model.clone() },
            Manifest { column: Some("own.round".into()), ..model.clone() },
            Manifest { metrics: vec!["goal".into()], ..model.clone() },
            Manifest { cancel_on: vec!["topped-up".into()], ..model.clone() },
            Manifest { world: World::Activity, ..model.clone() },
        ] {
            assert_eq!(codes(&wrong, &fields), ["manifest-column"], "{:?}", wrong.column);
        }
    }

    #[test]
    fn a_column_is_no_freer_than_what_it_is_made_of() {
        let (model, mut fields) = (model(), dictionary());
        let column = fields.fields.get_mut("bill-sensitivity").expect("the column");
        column.sensitivity = Sensitivity::Internal;
        assert_eq!(codes(&model, &fields), ["manifest-column-laxer"]);
        let column = fields.fields.get_mut("bill-sensitivity").expect("the column");
        column.sensitivity = Sensitivity::Sensitive;
        let source = fields.fields.get_mut("bill-m1").expect("the source");
        source.stages = vec![Stage::Select];
        assert_eq!(codes(&model, &fields), ["manifest-column-laxer"; 2], "in schedule and in compose");
    }
}
