//! What the XML schemas of CAP 1.1 and 1.2 demand of an alert, as tables: which elements, in which order, how often,
//! and what they hold. <http://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html>

use care_domain::time;
use roxmltree::Node;

/// An element that may stand in a sequence.
pub(crate) struct Rule {
    name: &'static str,
    needed: bool,
    many: bool,
    holds: Holds,
}

/// What an element holds.
enum Holds {
    Text,
    Instant,
    OneOf(&'static [&'static str]),
    Elements(&'static [Rule]),
}

const fn one(name: &'static str, holds: Holds) -> Rule {
    Rule { name, needed: true, many: false, holds }
}

const fn maybe(name: &'static str, holds: Holds) -> Rule {
    Rule { name, needed: false, many: false, holds }
}

const fn any(name: &'static str, holds: Holds) -> Rule {
    Rule { name, needed: false, many: true, holds }
}

use Holds::{Elements, Instant, OneOf, Text};

const STATUS: Holds = OneOf(&["Actual", "Exercise", "System", "Test", "Draft"]);
const KIND: Holds = OneOf(&["Alert", "Update", "Cancel", "Ack", "Error"]);
const SCOPE: Holds = OneOf(&["Public", "Restricted", "Private"]);
const CATEGORIES: &[&str] =
    &["Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"];
const RESPONSES: &[&str] =
    &["Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"];
const NAMED: &[Rule] = &[one("valueName", Text), one("value", Text)];
const AREA: &[Rule] = &[
    one("areaDesc", Text),
    any("polygon", Text),
    any("circle", Text),
    any("geocode", Elements(NAMED)),
    maybe("altitude", Text),
    maybe("ceiling", Text),
];
const RESOURCE_1_1: &[Rule] = &[
    one("resourceDesc", Text),
    maybe("mimeType", Text),
    maybe("size", Text),
    maybe("uri", Text),
    maybe("derefUri", Text),
    maybe("digest", Text),
];
const RESOURCE_1_2: &[Rule] = &[
    one("resourceDesc", Text),
    one("mimeType", Text),
    maybe("size", Text),
    maybe("uri", Text),
    maybe("derefUri", Text),
    maybe("digest", Text),
];

const fn info(resource: &'static [Rule]) -> [Rule; 21] {
    [
        maybe("language", Text),
        Rule { name: "category", needed: true, many: true, holds: OneOf(CATEGORIES) },
        one("event", Text),
        any("responseType", OneOf(RESPONSES)),
        one("urgency", OneOf(&["Immediate", "Expected", "Future", "Past", "Unknown"])),
        one("severity", OneOf(&["Extreme", "Severe", "Moderate", "Minor", "Unknown"])),
        one("certainty", OneOf(&["Observed", "Likely", "Possible", "Unlikely", "Unknown"])),
        maybe("audience", Text),
        any("eventCode", Elements(NAMED)),
        maybe("effective", Instant),
        maybe("onset", Instant),
        maybe("expires", Instant),
        maybe("senderName", Text),
        maybe("headline", Text),
        maybe("description", Text),
        maybe("instruction", Text),
        maybe("web", Text),
        maybe("contact", Text),
        any("parameter", Elements(NAMED)),
        any("resource", Elements(resource)),
        any("area", Elements(AREA)),
    ]
}

const INFO_1_1: &[Rule] = &info(RESOURCE_1_1);
const INFO_1_2: &[Rule] = &info(RESOURCE_1_2);

const fn alert(info: &'static [Rule]) -> [Rule; 14] {
    [
        one("identifier", Text),
        one("sender", Text),
        one("sent", Instant),
        one("status", STATUS),
        one("msgType", KIND),
        maybe("source", Text),
        one("scope", SCOPE),
        maybe("restriction", Text),
        maybe("addresses", Text),
        any("code", Text),
        maybe("note", Text),
        maybe("references", Text),
        maybe("incidents", Text),
        any("info", Elements(info)),
    ]
}

/// Of CAP 1.1.
pub(crate) const ALERT_1_1: &[Rule] = &alert(INFO_1_1);
/// Of CAP 1.2.
pub(crate) const ALERT_1_2: &[Rule] = &alert(INFO_1_2);

/// Whether an element's children are such a sequence; the error names the first that is not. What `foreign` allows are
/// elements of other namespaces after it, such as a signature.
pub(crate) fn check(node: Node<'_, '_>, rules: &[Rule], foreign: bool) -> Result<(), String> {
    let own = node.tag_name().namespace();
    let mut left = rules.iter().peekable();
    let mut before: Option<&Rule> = None;
    for element in node.children().filter(Node::is_element) {
        let name = element.tag_name().name();
        if element.tag_name().namespace() != own {
            if foreign && left.clone().all(|rule| !rule.needed) {
                continue;
            }
            return Err(unexpected(element));
        }
        let rule = match before.filter(|rule| rule.many && rule.name == name) {
            Some(rule) => rule,
            None => loop {
                match left.next() {
                    Some(rule) if rule.name == name => break rule,
                    Some(rule) if rule.needed => return Err(missing(node, rule)),
                    Some(_) => {}
                    None => return Err(unexpected(element)),
                }
            },
        };
        holds(element, &rule.holds)?;
        before = Some(rule);
    }
    left.find(|rule| rule.needed).map_or(Ok(()), |rule| Err(missing(node, rule)))
}

fn holds(element: Node<'_, '_>, holds: &Holds) -> Result<(), String> {
    let text = element.text().unwrap_or_default().trim();
    let name = element.tag_name().name();
    match holds {
        Text => Ok(()),
        Elements(rules) => check(element, rules, false),
        Instant if time::parse_instant(text).is_some() && text.contains('T') => Ok(()),
        Instant => Err(format!("{name} {text:?} in line {} is no instant", line(element))),
        OneOf(values) if values.contains(&text) => Ok(()),
        OneOf(values) => Err(format!("{name} {text:?} in line {} is none of {}", line(element), values.join(", "))),
    }
}

fn line(node: Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

fn missing(node: Node<'_, '_>, rule: &Rule) -> String {
    format!("{} in line {} lacks {:?}, or has it in the wrong place", node.tag_name().name(), line(node), rule.name)
}

fn unexpected(element: Node<'_, '_>) -> String {
    format!("{} in line {} stands where it may not", element.tag_name().name(), line(element))
}
