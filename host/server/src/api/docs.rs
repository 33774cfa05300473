//! The description for people: one page made of the same description that programs read, and of the table of who may
//! ask what. It needs no script, so its content-security policy allows none.

use super::rules::{RULES, Rule, Who};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::fmt::Write;

const STYLE: &str = include_str!("docs.css");
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub(super) fn page(page: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page.to_owned()).into_response()
}

/// What it looks like.
pub(super) fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Writes the page.
pub(super) fn written(api: &Value) -> String {
    let mut text = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>care: the API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>",
    );
    let _ = write!(
        text,
        "<h1>care: the API</h1><p>{}</p><p>For programs: <a href=\"/openapi.json\">/openapi.json</a>. A request shows a \
         token: <code>Authorization: Bearer care_…</code>, made with <code>care token new</code>. A POST may name an \
         <code>Idempotency-Key</code>: sent again within a day it is answered as before and done once.</p>",
        escaped(api["info"]["description"].as_str().unwrap_or_default())
    );
    let mut tag = "";
    for rule in by_tag(api) {
        let operation = operation(api, rule);
        let own = operation["tags"][0].as_str().unwrap_or_default();
        if own != tag {
            tag = own;
            let _ = write!(text, "<h2 id=\"{0}\">{0}</h2>", escaped(tag));
        }
        described(&mut text, api, rule, operation);
    }
    text.push_str("<h2 id=\"answers\">What answers hold</h2>");
    for (name, schema) in api["components"]["schemas"].as_object().into_iter().flatten() {
        let shown = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(text, "<h3 id=\"{0}\">{0}</h3><pre>{1}</pre>", escaped(name), escaped(&shown));
    }
    text + "</body></html>"
}

fn by_tag(api: &Value) -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> = RULES.iter().collect();
    // Stable: within a tag they stay as the table has them.
    rules.sort_by_key(|rule| operation(api, rule)["tags"][0].as_str().unwrap_or_default().to_owned());
    rules
}

fn operation<'a>(api: &'a Value, rule: &Rule) -> &'a Value {
    &api["paths"][rule.path][rule.method.to_ascii_lowercase()]
}

fn described(text: &mut String, api: &Value, rule: &Rule, operation: &Value) {
    let summary = [&operation["summary"], &operation["description"]];
    let summary: Vec<&str> = summary.iter().filter_map(|part| part.as_str()).collect();
    let _ = write!(
        text,
        "<details><summary><b class=\"{0}\">{0}</b> <code>{1}</code> {2}</summary><p>{3}</p><p class=\"who\">{4}</p>",
        rule.method,
        escaped(rule.path),
        escaped(summary.first().copied().unwrap_or_default()),
        escaped(&summary.join(" ")),
        escaped(&allowed(rule))
    );
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if !parameters.is_empty() {
        text.push_str("<table>");
        for parameter in parameters {
            let part = |name: &str| escaped(parameter[name].as_str().unwrap_or_default());
            let _ = write!(
                text,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                part("name"),
                part("in"),
                part("description")
            );
        }
        text.push_str("</table>");
    }
    for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        let schema = resolved(api, &content["schema"]);
        let shown = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(text, "<p>Body: <code>{}</code></p><pre>{}</pre>", escaped(kind), escaped(&shown));
    }
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let content = answer["content"].as_object().into_iter().flatten().next();
        let schema = content.and_then(|(_, content)| named(&content["schema"]));
        let schema = schema.map_or_else(String::new, |name| format!(": <a href=\"#{0}\">{0}</a>", escaped(name)));
        let _ = write!(text, "<p>{}{schema}</p>", escaped(status));
    }
    text.push_str("</details>");
}

fn resolved<'a>(api: &'a Value, schema: &'a Value) -> &'a Value {
    named(schema).map_or(schema, |name| &api["components"]["schemas"][name])
}

/// The name of a schema that stands elsewhere.
fn named(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn allowed(rule: &Rule) -> String {
    let roles = match rule.who {
        Who::May(act) => act.roles(),
        Who::Roles(roles) => roles,
    };
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let region = if rule.whole { "; of the whole province only" } else { "" };
    format!("Who: {}{region}", names.join(", "))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
