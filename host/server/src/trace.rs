//! What is told of every request: an id that goes back with the answer, a line in the log, and counts.
//! Addresses are told as the router knows them: an address as it was asked may hold a customer.

use crate::api::Problem;
use crate::clock::wall_ms;
use crate::metrics::Metrics;
use crate::telemetry::{Spans, Trace};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::time::Instant;

const ID: HeaderName = HeaderName::from_static("x-request-id");

/// Who is told.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) metrics: Arc<Metrics>,
    /// A collector's, where a setting names one.
    pub(crate) spans: Option<Spans>,
}

/// Wraps every request of the server.
pub(crate) async fn traced(State(watch): State<Watch>, request: Request, next: Next) -> Response {
    let id = request.headers().get(ID).filter(|id| is_sound(id)).cloned().unwrap_or_else(fresh);
    let path = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let trace = watch.spans.as_ref().map(|spans| (spans, Trace::of(request.headers())));
    let begun = Instant::now();
    // A fault of ours ends the request, not the connection with everybody else's.
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| Problem::failed().into_response());
    let took = begun.elapsed();
    let status = response.status().as_u16();
    let request = id.to_str().unwrap_or_default();
    tracing::info!(request, %method, path, status, ms = took.as_millis() as u64, "answered");
    watch.metrics.answered(method.as_str(), &path, status, took);
    if let Some((spans, trace)) = trace {
        let mut span = trace.ended(wall_ms(), took);
        (span.method, span.path, span.status) = (method.to_string(), path, status);
        request.clone_into(&mut span.request);
        spans.take(span);
    }
    response.headers_mut().insert(ID, id);
    response
}

/// An id that may stand in a log and a header.
fn is_sound(id: &HeaderValue) -> bool {
    let sound = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    (1..=64).contains(&id.len()) && id.as_bytes().iter().all(sound)
}

fn fresh() -> HeaderValue {
    let secret = care_engine::Engine::new_secret().unwrap_or_default();
    HeaderValue::from_str(&hex::encode(&secret[..8])).unwrap_or_else(|_| HeaderValue::from_static("-"))
}
