//! `Idempotency-Key`: a POST that is sent again, because nobody knows whether it arrived, is done once.

use super::caller::Caller;
use super::prelude::Made;
use super::problem::Problem;
use super::{Answer, Api};
use crate::clock::now_ms;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use care_engine::{Begun, KeptAnswer, Keyed};
use sha2::{Digest, Sha256};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Said of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest body that is looked at for its sameness, in bytes: that of the longest component.
const MAX_BODY: usize = 65 << 20;
/// A body that is too long to be held: what was received is told apart by its content, once it was (`by_content`).
const BY_CONTENT: [&str; 2] = ["/v1/populations", "/v1/experiments"];

/// An answer that is shown once: it is not kept.
#[derive(Clone, Copy)]
pub(super) struct ShownOnce;

/// Does once what names a key.
pub(super) async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    let key = request.headers().get(KEY).filter(|_| request.method() == Method::POST).cloned();
    let caller = request.extensions().get::<Caller>().cloned();
    match (key, caller) {
        (Some(key), Some(caller)) if !BY_CONTENT.contains(&request.uri().path()) => {
            keyed(&api, &key, &caller, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

async fn keyed(api: &Api, key: &HeaderValue, caller: &Caller, request: Request, next: Next) -> Answer<Response> {
    let key = read(key)?.to_owned();
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| {
        let hint = "Send less at once";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-long", "the body is too long, or was cut off", hint)
    })?;
    let mut fingerprint = Sha256::new();
    fingerprint.update(parts.uri.to_string().as_bytes());
    for text in [parts.headers.get(header::CONTENT_TYPE), parts.headers.get(header::IF_MATCH)] {
        fingerprint.update([0]);
        fingerprint.update(text.map_or(&[][..], HeaderValue::as_bytes));
    }
    fingerprint.update([0]);
    fingerprint.update(&bytes);
    let job = async move { next.run(Request::from_parts(parts, Body::from(bytes))).await };
    done_once(api, caller, key, fingerprint.finalize().into(), job).await
}

/// Does once what was received as a file: `fingerprint` is that of everything that was received.
pub(super) async fn by_content<F>(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    fingerprint: [u8; 32],
    job: F,
) -> Answer<Response>
where
    F: Future<Output = Answer<Made>> + Send + 'static,
{
    match headers.get(KEY) {
        None => Ok(job.await?.into_response()),
        Some(key) => {
            let key = read(key)?.to_owned();
            done_once(api, caller, key, fingerprint, async move { job.await.into_response() }).await
        }
    }
}

fn read(key: &HeaderValue) -> Answer<&str> {
    let hint = "A key is 1 to 128 letters, digits and signs, such as a UUID";
    let key = key.to_str().ok().filter(|key| (1..=128).contains(&key.len()));
    key.ok_or_else(|| Problem::bad_request("bad-key", "the idempotency key is none", hint))
}

async fn done_once<F>(api: &Api, caller: &Caller, key: String, fingerprint: [u8; 32], job: F) -> Answer<Response>
where
    F: Future<Output = Response> + Send + 'static,
{
    let who = format!("{} {} {}", caller.person, caller.role.name(), caller.region);
    let asked = Keyed { caller: &who, key: &key, fingerprint: &fingerprint, server: &api.server };
    match caller.engine.begin_request(asked, now_ms()).await? {
        Begun::New => {}
        Begun::Answered(answer) => return again(answer),
        Begun::Other => {
            let detail = "something else was asked under this idempotency key";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "key-reused", detail, "Use another key for another request"));
        }
        Begun::Unanswered { here } => return Err(unanswered(here)),
    }
    // It is carried out to its end also when whoever asked goes away, so that its answer is kept.
    let (api, caller) = (api.clone(), caller.clone());
    let job = tokio::spawn(async move {
        let response = job.await;
        let asked = Keyed { caller: &who, key: &key, fingerprint: &fingerprint, server: &api.server };
        keep(&caller, asked, response).await
    });
    job.await.map_err(|_| Problem::failed())?
}

fn again(answer: KeptAnswer) -> Answer<Response> {
    let Some(body) = answer.body else {
        let detail = "it was done, and its answer was shown once";
        return Err(Problem::new(StatusCode::CONFLICT, "shown-once", detail, "Make another with another key"));
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(REPLAYED, "true")], body).into_response();
    match HeaderValue::from_str(&answer.kind) {
        Ok(kind) if !answer.kind.is_empty() => response.headers_mut().insert(header::CONTENT_TYPE, kind),
        _ => response.headers_mut().remove(header::CONTENT_TYPE),
    };
    Ok(response)
}

fn unanswered(here: bool) -> Problem {
    match here {
        true => {
            let problem = "the same request is being worked on";
            Problem::new(StatusCode::CONFLICT, "key-in-use", problem, "Send it again in a while")
        }
        false => {
            let problem = "the server stopped over the same request, and whether it was done is not known";
            let hint = "Look whether it was done, and use another key if it was not";
            Problem::new(StatusCode::CONFLICT, "key-in-doubt", problem, hint)
        }
    }
}

/// Keeps an answer to what was done; what was refused changed nothing, and may be asked again.
async fn keep(caller: &Caller, asked: Keyed<'_>, response: Response) -> Answer<Response> {
    if !response.status().is_success() {
        caller.engine.end_request(asked, None).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| Problem::failed())?;
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kept = parts.extensions.get::<ShownOnce>().is_none().then(|| body.to_vec());
    let answer = KeptAnswer { status: parts.status.as_u16(), kind: kind.to_owned(), body: kept };
    caller.engine.end_request(asked, Some(&answer)).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
