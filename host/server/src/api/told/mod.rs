//! What answers hold, as the description promises it to whoever writes a program against the API. Handlers answer with
//! the engine's own values; every answer that a story or schemathesis gets is compared with what stands here, in which
//! nothing else may be, so that a field is not renamed or added by accident. A new field is one line here.
#![allow(dead_code, reason = "these types describe answers; nothing is made of them")]

mod evidence;
mod gate;
mod gateways;
mod learnt;
mod live;
mod manifest;
mod messages;
mod operation;
mod policy;
mod reference;
mod work;

pub(super) use evidence::{Differences, Evidence};
pub(super) use gate::{
    Activation, ActivationReviewed, Activity, Appointment, Approved, AuditHead, AuditLine, Catalogue, Checked, Decided,
    Key, KeyAdded, KeyRevoked, NewToken, OneTimePassword, Pushed, Simulation, SimulationShown, Stands, Submission,
    SubmissionShown, SwitchThrown, Token, Version,
};
pub(super) use gateways::{DispatchStatus, GatewaysHealth, GatewaysInForce, Replayed};
pub(super) use learnt::{
    Brake, BrakeSet, BrakeShown, ContactPressure, Distribution, Evaluation, Execution, Experiments, FindingDecided,
    FindingOpened, FollowUp, KeptEvaluation, Knowledge, Need, NeedAnswered, NeedOpened, NeedPublished, Notice,
    OutcomesRecorded, RecordsCollected, Report,
};
pub(super) use live::{
    AlertTaken, DeadLetter, Disaster, DisasterEnded, DisasterReport, Dispatched, EventBatch, EventsTaken, ListedWork,
    PromptAnswered, Prompts, Taken, Window, WindowOpened, WorkRecorded, WorkReport,
};
pub(super) use manifest::{Cap, Standby, Variant};
pub(super) use messages::{Aside, ExperimentImported, ModelRun, Previews, Staff, StaffRegistered, TestsSent};
pub(super) use operation::{Delivery, Hook, HookSecret, Periods, RetentionReport, RetentionRun};
pub(super) use policy::{
    CalendarYear, GateRules, PolicyApproved, PolicyChanges, PolicyDocument, PolicyProposed, PolicyRejected,
};
pub(super) use reference::{
    Calendars, CalendarsImported, FieldDictionary, Imported, ListSet, NamedList, Policy, Population, PopulationShown,
    Table, TableSet,
};
pub(super) use work::{
    Campaign, CampaignShown, CampaignStopped, Contact, Customer, Explanation, Finding, Message, Plan, PlanBegun,
    PlanCancelled, PlanPaused, PlanStatus, PlanSummary, PlannedBatch, Ramp, Started, Thrown, Wishes,
};

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use std::collections::{BTreeMap, BTreeSet};

    /// What nobody can describe: parameters and events are what an activity and a dictionary make them, a detail of the audit
    /// log is of its deed, a place of the policy may hold anything.
    const FREE: [&str; 10] = [
        "Approval.params",
        "AuditEntry.detail",
        "BatchEvent.data.*",
        "CampaignShown.params",
        "Manifest.params",
        "PageOf_Campaign.items[].params",
        "PlannedBatch.params",
        "PolicyChange.after",
        "PolicyChange.before",
        "RecordedTable.rows[][]",
    ];
    /// Documents that are read and written as a whole, with their parts.
    const READ_AND_WRITTEN: [&str; 12] = [
        "AccountManaged",
        "Brake",
        "Cap",
        "CapRule",
        "CapWindow",
        "ClassRules",
        "GateRules",
        "Hours",
        "PolicyDocument",
        "Ramp",
        "Standby",
        "Words",
    ];

    fn description() -> Value {
        json!(crate::api::described(crate::api::resources().into_openapi()))
    }

    /// Every operation, with the tag under which it stands.
    fn operations(api: &Value) -> impl Iterator<Item = (&str, &Value)> {
        let items = api["paths"].as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object());
        let operations = items.flat_map(|item| item.values());
        operations.map(|operation| (operation["tags"][0].as_str().unwrap_or_default(), operation))
    }

    fn schemas(content: &Value) -> impl Iterator<Item = &Value> {
        content["content"].as_object().into_iter().flatten().map(|(_, content)| &content["schema"])
    }

    fn answers(operation: &Value) -> impl Iterator<Item = &Value> {
        let answers = operation["responses"].as_object().into_iter().flatten();
        answers.filter(|(status, _)| status.starts_with('2')).flat_map(|(_, answer)| schemas(answer))
    }

    fn name(schema: &Value) -> Option<&str> {
        schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
    }

    /// What is seen on the way through a schema.
    #[derive(Default)]
    struct Seen {
        names: BTreeSet<String>,
        bare: BTreeSet<String>,
    }

    impl Seen {
        fn look(&mut self, api: &Value, schema: &Value, at: &str) {
            if let Some(name) = name(schema) {
                if self.names.insert(name.to_owned()) {
                    self.look(api, &api["components"]["schemas"][name], name);
                }
                return;
            }
            let mut parts: Vec<(&Value, String)> = Vec::new();
            for of in ["allOf", "oneOf", "anyOf", "prefixItems"] {
                let all = schema[of].as_array().into_iter().flatten();
                parts.extend(all.map(|part| (part, at.to_owned())));
            }
            let properties = schema["properties"].as_object().into_iter().flatten();
            parts.extend(properties.map(|(name, part)| (part, format!("{at}.{name}"))));
            for (of, sign) in [("additionalProperties", ".*"), ("items", "[]")] {
                parts.extend(schema.get(of).filter(|part| part.is_object()).map(|part| (part, format!("{at}{sign}"))));
            }
            let kind = &schema["type"];
            let is_simple = |kind: &Value| !["object", "array"].iter().any(|whole| kind == whole) && !kind.is_null();
            let simple = kind.as_array().map_or_else(|| is_simple(kind), |all| all.iter().all(is_simple));
            if parts.is_empty() && !simple {
                self.bare.insert(at.to_owned());
            }
            for (part, at) in parts {
                self.look(api, part, &at);
            }
        }
    }

    #[test]
    fn every_answer_is_described_to_its_last_field() {
        let api = description();
        let mut seen = Seen::default();
        for (_, operation) in operations(&api) {
            for schema in answers(operation) {
                let named = operation["operationId"].as_str().unwrap_or_default();
                seen.look(&api, schema, named);
            }
        }
        assert_eq!(seen.bare, FREE.map(str::to_owned).into(), "described as just some object");
        assert!(seen.names.len() > 150, "{}", seen.names.len());
    }

    /// Two types of one name are one schema: whichever comes last describes both, and one of them wrongly.
    #[test]
    fn no_two_types_share_the_name_of_a_schema() {
        let api = description();
        let mut asked: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut answered = Seen::default();
        for (tag, operation) in operations(&api) {
            let mut body = Seen::default();
            schemas(&operation["requestBody"]).for_each(|schema| body.look(&api, schema, ""));
            for name in body.names {
                asked.entry(name).or_default().insert(tag);
            }
            answers(operation).for_each(|schema| answered.look(&api, schema, ""));
        }
        let both: BTreeSet<&str> =
            asked.keys().map(String::as_str).filter(|name| answered.names.contains(*name)).collect();
        assert_eq!(both, READ_AND_WRITTEN.into(), "what is asked and what is answered");
        let shared: Vec<_> =
            asked.iter().filter(|(name, tags)| tags.len() > 1 && !both.contains(name.as_str())).collect();
        assert!(shared.is_empty(), "asked by several resources: {shared:?}");
    }

    /// The same among answers, which no description shows once one has taken the other's place.
    #[test]
    fn no_two_answers_share_a_name() {
        let files = [
            include_str!("evidence.rs"),
            include_str!("gate.rs"),
            include_str!("gateways.rs"),
            include_str!("learnt.rs"),
            include_str!("live.rs"),
            include_str!("manifest.rs"),
            include_str!("messages.rs"),
            include_str!("operation.rs"),
            include_str!("policy.rs"),
            include_str!("reference.rs"),
            include_str!("work.rs"),
        ];
        let begins = |line: &'static str| line.strip_prefix("pub(in crate::api) struct ")?.split_whitespace().next();
        let mut names = BTreeSet::new();
        for name in files.into_iter().flat_map(str::lines).filter_map(begins) {
            assert!(names.insert(name), "{name} is the name of two");
        }
        assert!(names.len() > 200, "{}", names.len());
    }

    /// Whoever generates a client gets a function for each.
    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let api = description();
        let mut names = BTreeSet::new();
        for (_, operation) in operations(&api) {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name} is the name of two");
        }
        assert!(names.contains("campaigns_start") && names.len() > 150, "{names:?}");
    }
}
