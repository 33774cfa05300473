//! Every answer that a story gets over HTTP is what the API's description promises: no field more, none less.

use crate::http::{Reply, request};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The description: one program, one description, whichever server is asked.
static DESCRIPTION: OnceLock<Value> = OnceLock::new();
/// Compiled schemas by operation and status.
static SCHEMAS: OnceLock<Mutex<HashMap<String, Option<Arc<Validator>>>>> = OnceLock::new();

/// Compares an answer with its description; what is not under `/v1`, and what is no JSON, is passed over.
pub(crate) fn check(address: &str, method: &str, path: &str, reply: &Reply) {
    let is_json = reply.header("content-type").is_some_and(|kind| kind == "application/json");
    if !path.starts_with("/v1/") || !is_json || !(200..300).contains(&reply.status) {
        return;
    }
    let description = DESCRIPTION.get_or_init(|| request(address, "GET", "/openapi.json").send().json());
    let path = path.split('?').next().unwrap_or_default();
    let Some(template) = template(description, path) else { panic!("{path} is answered and not described") };
    let name = format!("{method} {template} {}", reply.status);
    let known = SCHEMAS.get_or_init(Mutex::default);
    let schema = {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.clone()).or_insert_with(|| compiled(description, method, template, reply.status)).clone()
    };
    let schema = schema.unwrap_or_else(|| panic!("{name} is not described"));
    let body = reply.json();
    let wrong: Vec<String> = schema.iter_errors(&body).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{name} is not answered as it is described: {}\n{body}", wrong.join("; "));
}

/// The described path that an address is one of; a literal part goes before a named one.
fn template<'a>(description: &'a Value, path: &str) -> Option<&'a str> {
    let asked: Vec<&str> = path.split('/').collect();
    let fits = |template: &&String| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == asked.len() && parts.iter().zip(&asked).all(|(part, own)| part.starts_with('{') || part == own)
    };
    let all = description["paths"].as_object()?.keys();
    all.filter(fits).min_by_key(|template| template.matches('{').count()).map(String::as_str)
}

fn compiled(description: &Value, method: &str, template: &str, status: u16) -> Option<Arc<Validator>> {
    let operation = &description["paths"][template][method.to_lowercase()];
    let content = &operation["responses"][status.to_string()]["content"]["application/json"];
    let schema = content.get("schema")?;
    let whole = json!({"allOf": [schema], "components": description["components"]});
    let compiled = jsonschema::draft202012::new(&whole);
    Some(Arc::new(compiled.unwrap_or_else(|error| panic!("{method} {template}: {error}"))))
}
