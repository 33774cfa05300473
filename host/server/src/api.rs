//! What programs ask over HTTP, under `/v1`: who asks is known before anything else of a request is looked at.

use crate::clock::now_ms;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use care_domain::person::{Act, Appointment};
use care_engine::{Call, Engine, EngineError, EventDesk, FollowUp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest body, in bytes: ten thousand events of ordinary size.
const MAX_BODY: usize = 4 << 20;
/// A token that was looked up is believed for so long: a revoked one opens nothing a second later.
const BELIEVED: Duration = Duration::from_secs(1);
/// Tokens remembered at once.
const REMEMBERED: usize = 1_024;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    engine: Engine,
    desk: EventDesk,
    known: Arc<Mutex<HashMap<String, (Appointment, Instant)>>>,
}

/// The engine as the caller may use it, and in whose name.
#[derive(Clone)]
struct Caller {
    engine: Engine,
    person: String,
}

/// A caller who may send events.
struct Source(Caller);

/// A caller who may ask for prompts.
struct Agent(Caller);

/// How a customer answered a prompt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptBody {
    accepted: bool,
    #[serde(default)]
    follow_up: Option<FollowUp>,
}

/// The routes that need a token; whatever is not among them needs one too, before it is said to be missing.
pub(crate) fn routes(engine: Engine) -> Router {
    let api = Api { desk: EventDesk::new(engine.clone()), engine, known: Arc::default() };
    Router::new()
        .route("/v1/events", post(events))
        .route("/v1/touchpoints", post(touchpoint))
        .route("/v1/prompts/{id}", post(prompt))
        .fallback(missing)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(api.clone(), authenticate))
        .with_state(api)
}

async fn missing() -> Response {
    problem(StatusCode::NOT_FOUND, "not-found", "there is no such address", "Events are sent to /v1/events")
}

async fn authenticate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let secret = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = secret.and_then(|text| text.strip_prefix("Bearer ")).map(|text| text.trim().to_owned());
    let Some(secret) = secret else { return unknown("the request shows no token") };
    match api.principal(&secret).await {
        Ok(Some(principal)) => {
            let person = principal.person.clone();
            let caller = Caller { engine: api.engine.acting_as(principal), person };
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(None) => unknown("the token opens nothing: it is unknown, expired or revoked"),
        Err(error) => failed(&error),
    }
}

impl Api {
    async fn principal(&self, secret: &str) -> Result<Option<Appointment>, EngineError> {
        // Real time, also in a rehearsal whose clock stands still.
        let asked = Instant::now();
        let remembered = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(secret).filter(|(_, at)| asked.duration_since(*at) < BELIEVED).map(|(who, _)| who.clone())
        };
        if remembered.is_some() {
            return Ok(remembered);
        }
        let found = self.engine.principal(secret, now_ms()).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &found {
            Some(principal) => {
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(secret.to_owned(), (principal.clone(), asked));
            }
            None => drop(known.remove(secret)),
        }
        Ok(found)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        caller(parts, Act::SendEvents).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Agent {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        caller(parts, Act::UseTouchpoint).map(Self)
    }
}

/// Why a caller may not.
enum Refusal {
    NoToken,
    NotAllowed(Act),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NoToken => unknown("the request shows no token"),
            Self::NotAllowed(act) => {
                let message = format!("the token's role may not {}", act.name());
                let hint = "Ask an administrator for a token of another role";
                problem(StatusCode::FORBIDDEN, "not-allowed", &message, hint)
            }
        }
    }
}

/// The caller, if its role may do that at all; asked before the body is read.
fn caller(parts: &Parts, act: Act) -> Result<Caller, Refusal> {
    let caller = parts.extensions.get::<Caller>().ok_or(Refusal::NoToken)?;
    if caller.engine.may(act) { Ok(caller.clone()) } else { Err(Refusal::NotAllowed(act)) }
}

/// `POST /v1/events`: one CloudEvent or a batch, in JSON.
async fn events(State(api): State<Api>, Source(caller): Source, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_batch = match kind.as_str() {
        "application/cloudevents-batch+json" => Some(true),
        "application/cloudevents+json" => Some(false),
        "application/json" => None,
        _ => {
            let hint = "Send application/cloudevents+json, application/cloudevents-batch+json or application/json";
            let message = format!("content type {kind:?} is not understood");
            return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", &message, hint);
        }
    };
    let events: Value = match serde_json::from_slice(&body) {
        Ok(events) => events,
        Err(error) => {
            let message = format!("the body is no JSON: {error}");
            return problem(StatusCode::BAD_REQUEST, "bad-json", &message, "Send CloudEvents 1.0 in JSON");
        }
    };
    if is_batch.is_some_and(|is_batch| is_batch != events.is_array()) {
        let message = "the body is not what its content type says";
        return problem(StatusCode::BAD_REQUEST, "bad-json", message, "A batch is an array, a single event an object");
    }
    match api.desk.send(&caller.engine, &events, &caller.person, now_ms()).await {
        Ok(answer) if answer.accepted + answer.repeated == 0 && !answer.refused.is_empty() => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(answer)).into_response()
        }
        Ok(answer) => Json(answer).into_response(),
        Err(error) => failed(&error),
    }
}

/// `POST /v1/touchpoints`: what this caller needs now. What was shown is kept after the answer.
async fn touchpoint(Agent(caller): Agent, body: Bytes) -> Response {
    let call: Call = match parse(&body) {
        Ok(call) => call,
        Err(refusal) => return *refusal,
    };
    match caller.engine.touchpoint(&call, &caller.person, now_ms()).await {
        Ok((prompts, shown)) => {
            tokio::spawn(async move {
                if let Err(error) = caller.engine.keep_call(&shown).await {
                    tracing::error!("a call was not kept: {error}");
                }
            });
            Json(prompts).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// `POST /v1/prompts/{id}`: how the customer answered.
async fn prompt(Agent(caller): Agent, Path(id): Path<String>, body: Bytes) -> Response {
    let PromptBody { accepted, follow_up } = match parse(&body) {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    match caller.engine.answer_prompt(&id, accepted, follow_up, &caller.person, now_ms()).await {
        Ok(answered) => Json(answered).into_response(),
        Err(error) => failed(&error),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body does not fit: {error}");
        Box::new(problem(StatusCode::BAD_REQUEST, "bad-json", &message, "See `care help touchpoint` for what is asked"))
    })
}

fn unknown(message: &str) -> Response {
    let hint = "Send Authorization: Bearer and a token made with `care token new`";
    let mut response = problem(StatusCode::UNAUTHORIZED, "not-authenticated", message, hint);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

/// A refusal with its findings; of a failure the caller learns nothing but that it is ours.
fn failed(error: &EngineError) -> Response {
    let Some(finding) = error.findings().first() else {
        tracing::error!("a request failed: {error}");
        let hint = "Try again; the log of the server says more";
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the request could not be carried out", hint);
    };
    let status = match finding.code.as_str() {
        "not-allowed" | "other-region" | "unknown-person" => StatusCode::FORBIDDEN,
        "busy-customers" => StatusCode::SERVICE_UNAVAILABLE,
        code if code.starts_with("unknown-") => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    problem(status, &finding.code, &finding.message, &finding.hint)
}

/// RFC 9457.
fn problem(status: StatusCode, code: &str, message: &str, hint: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "code": code,
                      "detail": message, "hint": hint});
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, body.to_string()).into_response()
}
