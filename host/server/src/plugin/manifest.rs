//! `activity.toml` and the code's declaration, put together to a manifest. Whether the manifest is a good one is for
//! the gate to say.

use super::error::PluginError;
use care_domain::manifest::{Declaration, Manifest};
use care_domain::text::Finding;
use semver::Version;

/// Stands in a draft until the code is built, whose imports and exports say which `care:activity` it is for.
const NOT_BUILT: &str = "0.0.0";

/// Reads the text of an `activity.toml`. Errors name the line and the field.
pub(super) fn read(activity_toml: &str) -> Result<Manifest, PluginError> {
    // Set in front, since behind the last line it would belong to the last table.
    let text = format!("wit = \"{NOT_BUILT}\"\n{}", activity_toml.trim_start_matches('\u{feff}'));
    let draft: Manifest = toml::from_str(&text).map_err(|error| unreadable(&text, error))?;
    for (written, is_absent) in [("fields", draft.fields.is_empty()), ("tables", draft.tables.is_empty())] {
        if !is_absent {
            let message = format!("activity.toml: `{written}` is not for the author to write: the code declares it");
            let hint = format!("Remove `{written}`; `derive(Row)` in the code says it");
            return Err(PluginError::new("activity-toml", message, hint));
        }
    }
    Ok(draft)
}

fn unreadable(text: &str, error: toml::de::Error) -> PluginError {
    let hint = "Compare it with the activity.toml that `care plugin new` writes; keys are in snake_case";
    // The line set in front makes the number of line ends before a place the author's number of its line.
    let line = error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count());
    let message = match text.lines().nth(line) {
        Some(content) if line > 0 => format!("activity.toml, line {line}: {}\n  {line} | {content}", error.message()),
        _ => format!("activity.toml: {}", error.message()),
    };
    PluginError::new("activity-toml", message, hint).because(error)
}

/// Adds to a finding about the manifest where in activity.toml it stands: at the reason, template or slot that it names, or
/// at the key that its message begins with.
pub(super) fn place(activity_toml: &str, finding: &mut Finding) {
    let parts: Vec<&str> = finding.message.split('"').collect();
    let mut named = parts.chunks(2).filter_map(|pair| {
        let [before, name] = pair else { return None };
        let kind = before.trim_end().rsplit(' ').next()?;
        let table = ["reason", "template", "slot"].contains(&kind).then(|| format!("[[{kind}s]]"))?;
        find(activity_toml, &table, &format!("name = \"{name}\""))
    });
    let path = finding.message.split(' ').next().unwrap_or_default();
    let (table, key) = match path.rsplit_once('.') {
        Some((table, key)) => (format!("[{table}]"), key),
        None => (String::new(), path),
    };
    let keyed = || find(activity_toml, &table, &format!("{key} = "));
    if let Some((number, line)) = named.next_back().or_else(keyed) {
        let line: String = line.chars().take(100).collect();
        finding.message += &format!("\n    activity.toml, line {number}: {line}");
    }
}

/// The first line of a table that begins like that, with its number.
fn find<'a>(text: &'a str, table: &str, begins: &str) -> Option<(usize, &'a str)> {
    let mut within = "";
    (1..).zip(text.lines().map(str::trim)).find(|(_, line)| {
        if line.starts_with('[') && line.ends_with(']') {
            within = line;
        }
        within == table && line.starts_with(begins)
    })
}

/// The manifest of a plugin: the draft with what its code declares, names in the code's order, since the code calls
/// them by their index. `wit` is the version of the contract that the code was built for.
pub(super) fn complete(draft: Manifest, code: &Declaration, wit: Version) -> Result<Manifest, PluginError> {
    let tables = code.tables.iter().map(|(table, fields)| {
        let fields = fields.iter().map(|field| (field.name.clone(), field.ty)).collect();
        (table.clone(), fields)
    });
    Ok(Manifest {
        wit,
        fields: code.fields.clone(),
        tables: tables.collect(),
        reasons: in_order("reasons", draft.reasons, |r| &r.name, &code.reasons)?,
        templates: in_order("templates", draft.templates, |t| &t.name, &code.templates)?,
        slots: in_order("slots", draft.slots, |s| &s.name, &code.slots)?,
        ..draft
    })
}

/// `items` of activity.toml in the order of the code's names; an error names those that only one of the two has.
fn in_order<T>(
    what: &str,
    mut items: Vec<T>,
    name: impl Fn(&T) -> &str,
    code: &[String],
) -> Result<Vec<T>, PluginError> {
    let mut ordered = Vec::with_capacity(items.len());
    let mut only_code = Vec::new();
    for wanted in code {
        match items.iter().position(|item| name(item) == wanted) {
            Some(at) => ordered.push(items.remove(at)),
            None => only_code.push(wanted.as_str()),
        }
    }
    let only_toml: Vec<&str> = items.iter().map(name).collect();
    if only_code.is_empty() && only_toml.is_empty() {
        return Ok(ordered);
    }
    let message = format!(
        "the {what} of activity.toml are not those of the code: only in activity.toml [{}], only in the code [{}]",
        only_toml.join(", "),
        only_code.join(", "),
    );
    let hint = "Give each the same kebab-case name once in both; variant `DaysLeft` is \"days-left\"";
    Err(PluginError::new("manifest-code-mismatch", message, hint))
}
