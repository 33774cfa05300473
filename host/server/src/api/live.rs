//! What happens now: events of other systems, the agent's desk, disasters.

use super::prelude::*;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use care_domain::disaster::{Point, Shape};
use care_engine::{Call, EngineError, FollowUp};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(events))
        .routes(routes!(batch))
        .routes(routes!(touchpoint))
        .routes(routes!(prompt))
        .routes(routes!(disasters, draft))
        .routes(routes!(alert))
        .routes(routes!(activate))
        .routes(routes!(end))
        .routes(routes!(report))
}

/// Takes CloudEvents 1.0 in JSON, one or a batch: kept once by source and id, committed before this answers. What cannot be
/// taken is left out with its place and the reason.
#[utoipa::path(post, path = "/v1/events", tag = "events",
    request_body(content((Object = "application/cloudevents+json"), (Vec<Object> = "application/cloudevents-batch+json"),
        (Object = "application/json"))),
    responses((status = 200, body = told::EventsTaken), Problem))]
async fn events(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let is_batch = match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/cloudevents-batch+json" => Some(true),
        "application/cloudevents+json" => Some(false),
        "application/json" => None,
        _ => {
            let hint = "Send application/cloudevents+json, application/cloudevents-batch+json or application/json";
            let detail = format!("content type {kind:?} is not understood here");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail, hint));
        }
    };
    let body = body.map_err(|rejection| super::input::unread(&rejection))?;
    let events: Value = super::input::read_json(&body)?;
    if is_batch.is_some_and(|is_batch| is_batch != events.is_array()) {
        let hint = "A batch is an array, a single event an object";
        return Err(Problem::bad_request("bad-json", "the body is not what its content type says", hint));
    }
    let answer = api.events.send(&caller.engine, &events, &caller.person, now_ms()).await?;
    let none = answer.accepted + answer.repeated == 0;
    if let Some(first) = answer.refused.first().filter(|_| none) {
        let finding = &first.finding;
        let detail = format!("event {}: {}", first.index, finding.message);
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &finding.code, detail, &*finding.hint));
    }
    Ok(Json(json!(answer)).into_response())
}

/// A batch of events as it was decided, by its number.
#[utoipa::path(get, path = "/v1/events/batches/{batch}", tag = "events", params(("batch" = i64, Path)),
    responses((status = 200, body = told::EventBatch), Problem))]
async fn batch(caller: Caller, Part(number): Part<i64>) -> Answer<Json<Value>> {
    Ok(Json(json!(caller.engine.event_batch(Some(number)).await?)))
}

/// Who is on the line or at the desk, and about what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCall {
    /// The operator's customer id, a key, or `tel:` and a number.
    customer: String,
    /// hotline, store or online.
    #[schema(example = "hotline")]
    channel: String,
    /// bill, balance, package, roaming, points, complaint, cancel, disaster or other.
    #[serde(default = "other")]
    topic: String,
}

fn other() -> String {
    "other".into()
}

/// What a customer at the desk or on the line needs now: at most three prompts. What was shown is kept after the answer.
#[utoipa::path(post, path = "/v1/touchpoints", tag = "events", request_body = NewCall,
    responses((status = 200, body = told::Prompts), Problem))]
async fn touchpoint(State(api): State<Api>, caller: Caller, Body(new): Body<NewCall>) -> Answer<Json<Value>> {
    let call = Call { customer: new.customer, channel: new.channel, topic: new.topic };
    let (prompts, shown) = caller.engine.touchpoint(&call, &caller.person, now_ms()).await?;
    let busy = api.busy();
    tokio::spawn(async move {
        let _busy = busy;
        if let Err(error) = caller.engine.keep_call(&shown).await {
            tracing::error!("a call was not kept: {error}");
        }
    });
    Ok(Json(json!(prompts)))
}

/// How a customer answered a prompt.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PromptAnswer {
    /// Whether they accepted.
    accepted: bool,
    /// What follows: sms or task.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    follow_up: Option<FollowUp>,
}

/// Keeps how a customer answered a prompt.
#[utoipa::path(post, path = "/v1/prompts/{prompt}", tag = "events", params(("prompt" = String, Path)),
    request_body = PromptAnswer, responses((status = 200, body = told::PromptAnswered), Problem))]
async fn prompt(caller: Caller, Part(id): Part<String>, Body(said): Body<PromptAnswer>) -> Answer<Json<Value>> {
    let done = caller.engine.answer_prompt(&id, said.accepted, said.follow_up, &caller.person, now_ms()).await?;
    Ok(Json(json!(done)))
}

/// Disasters, drafted and activated.
#[utoipa::path(get, path = "/v1/disasters", tag = "events", params(Paging), responses((status = 200, body = PageOf<told::Disaster>), Problem))]
async fn disasters(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.disasters().await?;
    cut(&api, "disasters", &paging, &all, |one| one.id.to_string(), |one| json!(one)).map(Json)
}

/// A disaster to be drafted by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDisaster {
    /// What happened.
    name: String,
    /// Its first day.
    #[schema(value_type = String, format = Date)]
    onset: Day,
    /// The middle of the area: degrees north, degrees east.
    #[schema(value_type = Option<[f64; 2]>)]
    around: Option<[f64; 2]>,
    /// How far the area reaches from there, in kilometres.
    #[serde(default = "hundred")]
    #[schema(default = 100)]
    km: f64,
    /// Places in the area, by administrative code.
    #[serde(default)]
    areas: Vec<String>,
}

fn hundred() -> f64 {
    100.0
}

/// Drafts a disaster by hand, where no alert did. It starts nothing.
#[utoipa::path(post, path = "/v1/disasters", tag = "events", request_body = NewDisaster,
    responses((status = 201, body = told::Disaster), Problem))]
async fn draft(caller: Caller, Body(new): Body<NewDisaster>) -> Answer<Made> {
    let mut shapes: Vec<Shape> = new.areas.into_iter().map(Shape::Code).collect();
    if let Some([lat, lon]) = new.around {
        if !(lat.abs() <= 90.0 && lon.abs() <= 180.0 && new.km > 0.0 && new.km <= 20_000.0) {
            let hint = "Give degrees north and east, and up to 20000 km";
            return Err(EngineError::refused("bad-area", "there is no such area on earth", hint).into());
        }
        shapes.push(Shape::Circle { center: Point { lat, lon }, radius_km: new.km });
    }
    if shapes.is_empty() {
        return Err(EngineError::refused("no-area", "the draft names no area", "Give around with km, or areas").into());
    }
    let drafted = caller.engine.draft_disaster(&new.name, new.onset.0, &shapes, &caller.person, now_ms()).await?;
    Ok(made(json!(drafted)))
}

/// Takes an alert (CAP 1.1 or 1.2): it drafts a disaster, draws one anew, or ends it. It never starts anything.
#[utoipa::path(post, path = "/v1/alerts", tag = "events", request_body(content = String, content_type = "application/xml"),
    responses((status = 201, body = told::AlertTaken), Problem))]
async fn alert(caller: Caller, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer<Made> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !["application/xml", "text/xml", "application/cap+xml"].contains(&kind.as_str()) {
        let detail = format!("content type {kind:?} is not understood here");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail, "Send application/xml"));
    }
    let body = body.map_err(|rejection| super::input::unread(&rejection))?;
    Ok(made(json!(caller.engine.take_alert(&body, &caller.person, now_ms()).await?)))
}

/// What is activated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Activated {
    /// The activity, approved on standby.
    #[serde(default = "response")]
    #[schema(default = "disaster-response")]
    activity: String,
    /// Last day on which its area is on.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Day>,
    /// Why; the province reviews it within 24 hours.
    reason: String,
}

fn response() -> String {
    "disaster-response".into()
}

/// Activates a drafted disaster: what was approved on standby is started, and its area is on.
#[utoipa::path(post, path = "/v1/disasters/{disaster}/activate", tag = "events", params(("disaster" = i64, Path)),
    request_body = Activated, responses((status = 200, body = told::Disaster), Problem))]
async fn activate(caller: Caller, Part(id): Part<i64>, Body(new): Body<Activated>) -> Answer<Json<Value>> {
    let until = new.until.map(|day| day.0);
    let by = &caller.person;
    let done = caller.engine.activate_disaster(id, &new.activity, (until, &new.reason), by, now_ms()).await?;
    Ok(Json(json!(done)))
}

/// Ends a disaster: its area is off, what waits is withdrawn.
#[utoipa::path(post, path = "/v1/disasters/{disaster}/end", tag = "events", params(("disaster" = i64, Path)),
    responses((status = 200, body = told::DisasterEnded), Problem))]
async fn end(caller: Caller, Part(id): Part<i64>) -> Answer<Json<Value>> {
    let withdrawn = caller.engine.end_disaster(id, &caller.person, now_ms()).await?;
    Ok(Json(json!({"disaster": id, "withdrawn": withdrawn})))
}

/// Of which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Of {
    /// The day; today when absent.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Day>,
}

/// What a day of a disaster came to.
#[utoipa::path(get, path = "/v1/disasters/{disaster}/report", tag = "events", params(("disaster" = i64, Path), Of),
    responses((status = 200, body = told::DisasterReport), Problem))]
async fn report(caller: Caller, Part(id): Part<i64>, Asked(of): Asked<Of>) -> Answer<Json<Value>> {
    let date = of.date.map_or_else(|| care_domain::time::today(now_ms()), |day| day.0);
    Ok(Json(json!(caller.engine.disaster_report(id, date).await?)))
}
