//! Limits of a request: how often a token may ask, and how long an answer may take.

use super::Api;
use super::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;

/// Requests a second that a token may go on with, unless told otherwise †.
pub(crate) const USUAL_RATE: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// How long an ordinary request may take, its body included.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one may take that compiles, simulates, evaluates, sends or receives much.
const LONG_PATIENCE: Duration = Duration::from_secs(900);
/// Which those are.
const LONG: [&str; 18] = [
    "/v1/activities",
    "/v1/checks",
    "/v1/submissions/{id}/simulations",
    "/v1/populations",
    "/v1/populations/generated",
    "/v1/tables/{table}",
    "/v1/lists/{list}",
    "/v1/dispatch",
    "/v1/campaigns/{campaign}/execution",
    "/v1/campaigns/{campaign}/evaluation",
    "/v1/campaigns/{campaign}/evaluations",
    "/v1/reports/{report}",
    "/v1/outcomes",
    "/v1/audit/head",
    "/v1/retention/runs",
    "/v1/experiments",
    "/v1/models/{model}/runs",
    "/v1/submissions/{id}/test-sends",
];

/// How often each token asked, by its hash.
pub(super) type Rates = DefaultKeyedRateLimiter<[u8; 32]>;

/// Twice as many at once as a second allows.
pub(super) fn rates(a_second: NonZeroU32) -> Rates {
    RateLimiter::keyed(
        Quota::per_second(a_second).allow_burst(a_second.saturating_mul(NonZeroU32::MIN.saturating_add(1))),
    )
}

/// Whether a token may ask now.
pub(super) fn admits(rates: &Rates, token: &[u8; 32]) -> Result<(), Problem> {
    rates.check_key(token).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        let detail = "this token asks too often";
        let hint = "Wait as Retry-After says; send many things in one request where it takes them";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail, hint);
        problem.with(header::RETRY_AFTER, HeaderValue::from(wait))
    })
}

/// The longest body of an address, in bytes.
fn longest(path: &str) -> usize {
    match path {
        "/v1/activities" | "/v1/checks" => super::activities::MAX_COMPONENT,
        "/v1/populations" => super::reference::MAX_POPULATION,
        "/v1/tables/{table}" | "/v1/lists/{list}" => super::reference::MAX_TABLE,
        "/v1/experiments" => super::models::MAX_EXPERIMENT,
        _ => super::MAX_BODY,
    }
}

/// Refuses what is announced to be too long, before any of it is waited for.
fn announced(request: &Request, path: &str) -> Result<(), Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.and_then(|digits| digits.parse::<usize>().ok()) {
        Some(length) if length > longest(path) => {
            let detail = format!("the body has {length} bytes, and this address takes {}", longest(path));
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            let problem = Problem::new(status, "body-too-long", detail, "Send less at once");
            // What comes of it all the same is nobody's next request.
            Err(problem.with(header::CONNECTION, HeaderValue::from_static("close")))
        }
        _ => Ok(()),
    }
}

/// Gives up on what takes too long: its transaction, if it had one, is taken back.
pub(super) async fn timely(State(_): State<Api>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    if let Err(refusal) = announced(&request, &path) {
        return refusal.into_response();
    }
    let patience = if LONG.contains(&path.as_str()) { LONG_PATIENCE } else { PATIENCE };
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("the request took longer than {} s", patience.as_secs());
            let hint = "Send the body faster, or ask for less at once";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail, hint).into_response()
        }
    }
}
