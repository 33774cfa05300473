//! Activities and their versions, uploads, variants, and activities on standby.

use super::prelude::*;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::header;
use care_domain::catalogue::CATEGORIES;
use care_domain::standby::Bounds;
use care_domain::variant::Variant;
use care_engine::{NewCampaign, StoredSubmission};
use std::collections::BTreeMap;

/// The longest component that is read, in bytes; the gate says which are too long.
pub(crate) const MAX_COMPONENT: usize = 33 << 20;

pub(super) fn routes() -> OpenApiRouter<Api> {
    let uploads = OpenApiRouter::new()
        .routes(routes!(list, upload))
        .routes(routes!(check))
        .layer(DefaultBodyLimit::max(MAX_COMPONENT));
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(show))
        .routes(routes!(version))
        .routes(routes!(propose))
        .routes(routes!(standby, activate))
        .routes(routes!(review))
        .routes(routes!(catalogue))
}

/// The catalogue of care activities: 8 categories, 33 entries.
#[utoipa::path(get, path = "/v1/catalogue", tag = "activities", responses((status = 200, body = told::Catalogue), Problem))]
async fn catalogue(_: Caller) -> Json<Value> {
    let entry = |e: &care_domain::catalogue::Entry| json!({"name": e.name, "zh": e.zh});
    let category = |c: &care_domain::catalogue::Category| json!({"name": c.name, "zh": c.zh, "entries": c.entries.iter().map(entry).collect::<Vec<_>>()});
    Json(json!({"categories": CATEGORIES.iter().map(category).collect::<Vec<_>>()}))
}

fn by_name(all: Vec<StoredSubmission>) -> BTreeMap<String, Vec<StoredSubmission>> {
    let mut named: BTreeMap<String, Vec<StoredSubmission>> = BTreeMap::new();
    for found in all {
        named.entry(found.version.manifest.name.clone()).or_default().push(found);
    }
    named
}

fn activity(name: &str, versions: &[StoredSubmission]) -> Value {
    json!({"activity": name, "versions": versions.iter().map(views::version).collect::<Vec<_>>()})
}

/// Activities with their versions.
#[utoipa::path(get, path = "/v1/activities", tag = "activities", params(Paging), responses((status = 200, body = PageOf<told::Activity>), Problem))]
async fn list(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all: Vec<_> = by_name(caller.engine.submissions().await?).into_iter().collect();
    cut(&api, "activities", &paging, &all, |(name, _)| name.clone(), |(name, v)| activity(name, v)).map(Json)
}

/// An activity with its versions.
#[utoipa::path(get, path = "/v1/activities/{activity}", tag = "activities", params(("activity" = String, Path)),
    responses((status = 200, body = told::Activity), Problem))]
async fn show(caller: Caller, Part(name): Part<String>) -> Answer<Json<Value>> {
    let mut all = by_name(caller.engine.submissions().await?);
    let versions = all.remove(&name).ok_or_else(|| Problem::missing("such activity"))?;
    Ok(Json(activity(&name, &versions)))
}

/// A version of an activity, by number or digest.
#[utoipa::path(get, path = "/v1/activities/{activity}/versions/{version}", tag = "activities",
    params(("activity" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = told::Version), Problem))]
async fn version(caller: Caller, Part((name, version)): Part<(String, String)>) -> Answer<Json<Value>> {
    let all = caller.engine.submissions().await?;
    let is_it = |s: &&StoredSubmission| {
        let own = &s.version;
        own.manifest.name == name && (own.manifest.version.to_string() == version || own.component == version)
    };
    let found = all.iter().rev().find(is_it).ok_or_else(|| Problem::missing("such version"))?;
    Ok(Json(views::version(found)))
}

/// What an upload answers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Upload {
    /// Number of the published need that the activity answers; the newest of an entry of its catalogue when absent.
    need: Option<i64>,
}

fn component(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer<Bytes> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/wasm") {
        let detail = format!("content type {kind:?} is not understood here");
        let hint = "Send Content-Type: application/wasm and the signed component";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail, hint));
    }
    body.map_err(|rejection| super::input::unread(&rejection))
}

/// Uploads a component that a branch signed: checked, kept and submitted, all or nothing. The same one again answers with
/// the submission that it has.
#[utoipa::path(post, path = "/v1/activities", tag = "activities", params(Upload),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 201, body = told::Pushed), Problem))]
async fn upload(
    caller: Caller,
    Asked(asked): Asked<Upload>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Made> {
    let body = component(&headers, body)?;
    let pushed = caller.engine.push_for(&body, asked.need, &caller.person, now_ms()).await?;
    Ok(made(views::pushed(&pushed)))
}

/// Checks a component as the gate would, compiling it and trying it on made-up customers. Nothing is kept.
#[utoipa::path(post, path = "/v1/checks", tag = "activities",
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 200, body = told::Checked), Problem))]
async fn check(_: Caller, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer<Json<Value>> {
    let body = component(&headers, body)?;
    let worker = crate::commands::worker().map_err(|_| Problem::failed())?;
    let checked = tokio::task::spawn_blocking(move || care_engine::check_component(&body, Some(worker)));
    let report = checked.await.map_err(|_| Problem::failed())??;
    Ok(Json(json!(report)))
}

/// Proposes other parameters, wording, dates or another region of an approved activity.
#[utoipa::path(post, path = "/v1/variants", tag = "activities", request_body = told::Variant, responses((status = 201, body = told::Pushed), Problem))]
async fn propose(caller: Caller, Body(wish): Body<Variant>) -> Answer<Made> {
    let pushed = caller.engine.propose_variant(&wish, &caller.person, now_ms()).await?;
    Ok(made(views::pushed(&pushed)))
}

/// Activations of what was approved ahead.
#[utoipa::path(get, path = "/v1/standby", tag = "activities", params(Paging), responses((status = 200, body = PageOf<told::Activation>), Problem))]
async fn standby(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let seen = caller.engine.campaigns().await?;
    let mut all = caller.engine.activations().await?;
    all.retain(|(campaign, _)| seen.iter().any(|c| c.id == campaign.id));
    let now = now_ms();
    cut(&api, "standby", &paging, &all, |(c, _)| c.id.clone(), |one| views::activation(one, now)).map(Json)
}

/// What to activate, and where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewActivation {
    /// The activity.
    activity: String,
    /// Which versions will do.
    #[serde(default = "any")]
    #[schema(value_type = String, default = "*")]
    version: semver::VersionReq,
    /// Customers who stand in one of these, by administrative code.
    areas: Vec<String>,
    /// First business date.
    #[schema(value_type = String, format = Date)]
    from: Day,
    /// Last business date.
    #[schema(value_type = String, format = Date)]
    until: Day,
    /// Parameters that differ from their defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    /// Why.
    reason: String,
}

fn any() -> semver::VersionReq {
    semver::VersionReq::STAR
}

/// Activates a disaster response that was approved ahead, within its bounds.
#[utoipa::path(post, path = "/v1/standby", tag = "activities", request_body = NewActivation, responses((status = 201, body = told::Started), Problem))]
async fn activate(caller: Caller, Body(new): Body<NewActivation>) -> Answer<Made> {
    let campaign =
        NewCampaign { activity: new.activity, requirement: new.version, params: new.params, ..NewCampaign::default() };
    let bounds = Bounds { areas: new.areas, from: new.from.0, until: new.until.0 };
    let started = caller.engine.activate_standby(&campaign, &bounds, &new.reason, &caller.person, now_ms()).await?;
    Ok(made(views::started(&started)))
}

/// What the province says of an activation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reviewed {
    /// Whether it goes on.
    uphold: bool,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Upholds or ends an activation.
#[utoipa::path(post, path = "/v1/standby/{campaign}/review", tag = "activities", params(("campaign" = String, Path)),
    request_body = Reviewed, responses((status = 200, body = told::ActivationReviewed), Problem))]
async fn review(caller: Caller, Part(id): Part<String>, Body(said): Body<Reviewed>) -> Answer<Json<Value>> {
    let by = &caller.person;
    let withdrawn = caller.engine.review_activation(&id, said.uphold, &said.reason, by, now_ms()).await?;
    Ok(Json(json!({"campaign": id, "upheld": said.uphold, "withdrawn": withdrawn})))
}
