//! `care plugin reference`: what an author may look up, as Markdown: generated from what the gate itself reads.

mod findings;

use crate::answer::Answer;
use crate::args::ReferenceTopic;
use care_domain::event::EventDictionary;
use care_domain::manifest::schema;
use care_engine::{DEFAULT_EVENTS, DEFAULT_FIELDS, DEFAULT_OUTCOMES, EngineError, parse_dictionary, parse_outcomes};
use serde_json::{Value, json};

/// The text of a topic, or of all.
pub(crate) fn run(topic: Option<ReferenceTopic>) -> anyhow::Result<Answer> {
    let topics = topic.map_or_else(|| ReferenceTopic::ALL.to_vec(), |topic| vec![topic]);
    let mut text = String::new();
    if topic.is_none() {
        text += "# Reference for authors\n\nWritten by `care plugin reference`; do not edit it by hand.\n\n";
    }
    for topic in topics {
        text += &match topic {
            ReferenceTopic::Wit => wit(),
            ReferenceTopic::Manifest => manifest(),
            ReferenceTopic::Fields => fields()?,
            ReferenceTopic::Events => events()?,
            ReferenceTopic::Findings => findings::text(),
        };
        text.push('\n');
    }
    Ok(Answer::new(text.clone(), json!({"markdown": text})))
}

fn wit() -> String {
    let Some(newest) = care_sandbox::CONTRACTS.last() else { return String::new() };
    format!("## The contract, care:activity {}\n\n```wit\n{}\n```\n", newest.version, newest.wit.trim_end())
}

/// The manifest's schema as tables: its own keys, and those of what is in it.
fn manifest() -> String {
    let schema = schema();
    let mut text = String::from(
        "## The manifest, activity.toml\n\n`fields`, `tables` and `wit` are written by `care plugin build` from the code.\n",
    );
    text += &keys("activity.toml", &schema);
    let kept = ["Manifest"];
    for (name, inner) in schema["$defs"].as_object().into_iter().flatten().filter(|(n, _)| !kept.contains(&n.as_str()))
    {
        text += &keys(name, inner);
    }
    text
}

fn keys(name: &str, schema: &Value) -> String {
    let about = first_line(&schema["description"]);
    let mut text = format!("\n### {name}\n\n{about}\n\n");
    if let Some(values) = values_of(schema) {
        return text + &format!("One of {}.\n", values.join(", "));
    }
    let Some(properties) = schema["properties"].as_object() else { return text };
    text += "| key | type | | |\n|---|---|---|---|\n";
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (key, value) in properties {
        let needed = if required.contains(&key.as_str()) { "needed" } else { "" };
        text += &format!("| `{key}` | {} | {needed} | {} |\n", type_of(value), first_line(&value["description"]));
    }
    text
}

/// The values of an enumeration.
fn values_of(schema: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| value.as_str().map(|text| format!("`{text}`"));
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(one).collect();
    }
    schema["oneOf"]
        .as_array()?
        .iter()
        .map(|variant| {
            let words = first_line(&variant["description"]);
            let name = variant["const"].as_str().or_else(|| {
                let tags = variant["properties"].as_object()?;
                tags.values().find_map(|tag| tag["const"].as_str())
            })?;
            Some(format!("`{name}` ({})", words.trim_end_matches('.')))
        })
        .collect()
}

fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    match &schema["type"] {
        Value::String(ty) if ty == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::String(ty) if ty == "object" && schema["additionalProperties"].is_object() => {
            format!("table of {}", type_of(&schema["additionalProperties"]))
        }
        Value::String(ty) => ty.clone(),
        Value::Array(types) => {
            types.iter().filter_map(Value::as_str).filter(|ty| *ty != "null").collect::<Vec<_>>().join(" or ")
        }
        _ => schema["anyOf"]
            .as_array()
            .and_then(|any| any.first())
            .or_else(|| schema["allOf"].get(0))
            .map_or_else(|| "any".to_owned(), type_of),
    }
}

fn first_line(text: &Value) -> String {
    text.as_str().unwrap_or_default().split("\n\n").next().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

fn fields() -> Result<String, EngineError> {
    let dictionary = parse_dictionary(DEFAULT_FIELDS)
        .map_err(|e| EngineError::refused("bad-dictionary", e.to_string(), "Report this"))?;
    let mut text = String::from(
        "## Fields\n\nWhat may be read of a customer, in which stages. Money is in fen, dates are days since 1970-01-01, instants\n\
         Unix milliseconds. `list.NAME` is true for customers on that named list. An installation may have fields of its own.\n\n\
         | field | type | sensitivity | stages | values | |\n|---|---|---|---|---|---|\n",
    );
    for (name, field) in &dictionary.fields {
        let stages: Vec<&str> = field.stages.iter().map(|stage| stage.name()).collect();
        let sensitivity = format!("{:?}", field.sensitivity).to_lowercase();
        let bounds = match (field.minimum, field.maximum) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("from {least}"),
            (None, Some(most)) => format!("to {most}"),
            (None, None) => field.values.join(", "),
        };
        text += &format!(
            "| `{name}` | {} | {sensitivity} | {} | {bounds} | {} {} |\n",
            field.ty.name(),
            stages.join(", "),
            field.description.zh,
            field.description.en
        );
    }
    Ok(text)
}

fn events() -> Result<String, EngineError> {
    let outcomes = parse_outcomes(DEFAULT_OUTCOMES)
        .map_err(|e| EngineError::refused("bad-dictionary", e.to_string(), "Report this"))?;
    let mut text = String::from(
        "## Events\n\nWhat `triggers.events` may name: an activity that is started by one reads what it brings as fields `event.…`, and is \
         told\nwithin the given minutes. `cancel_on` names events and outcomes after which a waiting contact is pointless.\n\n\
         | event | | brings | may bring | minutes |\n|---|---|---|---|---|\n",
    );
    let events: EventDictionary = toml::from_str(DEFAULT_EVENTS)
        .map_err(|e| EngineError::refused("bad-dictionary", e.to_string(), "Report this"))?;
    for (name, event) in &events.types {
        text += &format!(
            "| `{name}` | {} {} | {} | {} | {} |\n",
            event.description.zh,
            event.description.en,
            event.requires.join(", "),
            event.allows.join(", "),
            event.useful_minutes
        );
    }
    text += "\n## Outcomes\n\nKinds that `goal.outcome` may count; an activity may name others, which are recorded once it is uploaded.\n\n\
             | kind | | unit | answers a contact | counts against it |\n|---|---|---|---|---|\n";
    for (name, kind) in &outcomes.kinds {
        let yes = |yes: bool| if yes { "yes" } else { "" };
        let unit = serde_json::to_value(kind.unit).ok().and_then(|u| u.as_str().map(str::to_owned)).unwrap_or_default();
        text += &format!(
            "| `{name}` | {} {} | {unit} | {} | {} |\n",
            kind.title.zh,
            kind.title.en,
            yes(kind.answers),
            yes(kind.brakes)
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_manifest_is_described() {
        let text = manifest();
        for line in text.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split(" | ").collect();
            assert!(cells.last().is_some_and(|about| about.trim_end_matches(" |").len() > 3), "{line}");
        }
        assert!(text.contains("| `owner_region` | string | needed |"), "{text}");
    }

    #[test]
    fn the_published_reference_is_what_the_program_says() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/REFERENCE.md");
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let said = run(None).expect("a reference").text;
        assert!(kept.trim_end() == said.trim_end(), "write it anew: care plugin reference > sdk/REFERENCE.md");
    }
}
