//! Models add columns to populations; experiments that were run elsewhere are kept beside campaigns.

use super::input::Upload;
use super::once::by_content;
use super::prelude::*;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use care_engine::NewModelRun;

/// The longest table of an experiment, in bytes.
pub(super) const MAX_EXPERIMENT: usize = 1 << 30;

pub(super) fn routes() -> OpenApiRouter<Api> {
    let long = OpenApiRouter::new().routes(routes!(import)).layer(DefaultBodyLimit::max(MAX_EXPERIMENT));
    OpenApiRouter::new().merge(long).routes(routes!(run))
}

/// What to run a model on.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewModelRun)]
#[serde(deny_unknown_fields)]
struct NewRun {
    /// Which versions will do; the newest approved one that fits runs.
    #[serde(default = "any")]
    #[schema(value_type = String, default = "*")]
    version: semver::VersionReq,
    /// Parameters that differ from their defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    /// The population to derive from, by the beginning of its id; the newest when absent.
    population: Option<String>,
}

fn any() -> semver::VersionReq {
    semver::VersionReq::STAR
}

/// Runs an approved model: a population with one column more, which plans take from now on.
#[utoipa::path(post, path = "/v1/models/{model}/runs", tag = "models", params(("model" = String, Path)),
    request_body = NewRun, responses((status = 201, body = told::ModelRun), Problem))]
async fn run(caller: Caller, Part(model): Part<String>, Body(new): Body<NewRun>) -> Answer<Made> {
    let new = NewModelRun { model, requirement: new.version, params: new.params, snapshot: new.population };
    Ok(made(json!(caller.engine.run_model(&new, &caller.person, now_ms()).await?)))
}

/// An experiment that was run elsewhere.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes a form, which is read part by part")]
struct ExperimentForm {
    /// The mapping (TOML), as in `examples/hillstrom.toml`: which column holds the arm, what followed.
    mapping: String,
    /// CSV, one row a customer; the last part.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Registers an experiment that was run elsewhere, from a form: `mapping`, and last `file`. It is evaluated like campaigns.
#[utoipa::path(post, path = "/v1/experiments", tag = "models",
    request_body(content = ExperimentForm, content_type = "multipart/form-data"),
    responses((status = 201, body = told::ExperimentImported), Problem))]
async fn import(State(api): State<Api>, caller: Caller, headers: HeaderMap, form: Upload) -> Answer<Response> {
    let mut received = form.received(&caller, &["mapping"]).await?;
    let missing =
        |what: &str| Problem::bad_request("bad-form", format!("the form has no {what}"), "Send mapping, and last file");
    let mapping = received.texts.remove("mapping").ok_or_else(|| missing("mapping"))?;
    let file = received.file.ok_or_else(|| missing("file"))?;
    let (as_whom, fingerprint) = (caller.clone(), received.fingerprint);
    let job = async move {
        let done = caller.engine.import_experiment(file.path(), &mapping, &caller.person, now_ms()).await?;
        Ok(made(json!(done)))
    };
    by_content(&api, &as_whom, &headers, fingerprint, job).await
}
