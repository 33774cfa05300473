//! Who asks, and whether they may: settled by header and address alone, before anything of a request is parsed.

use super::caller::Caller;
use super::problem::Problem;
use super::{Api, limits, rules};
use crate::clock::now_ms;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use care_domain::person::Appointment;
use care_engine::{EngineError, secret_hash};
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// A token that was looked up is believed for so long: one that another process revoked opens nothing a second later.
const BELIEVED: Duration = Duration::from_secs(1);
/// Tokens remembered at once.
const REMEMBERED: usize = 1_024;

/// Lets through whom the table lets through.
pub(super) async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    if !under_v1(request.uri().path()) {
        return next.run(request).await;
    }
    let secret = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(secret) = secret.and_then(bearer) else {
        return Problem::unauthenticated("the request shows no token").into_response();
    };
    let principal = match api.principal(secret).await {
        Ok(Some(principal)) => principal,
        Ok(None) => {
            return Problem::unauthenticated("the token opens nothing: it is unknown, expired or revoked")
                .into_response();
        }
        Err(error) => return Problem::from(error).into_response(),
    };
    if let Err(refusal) = limits::admits(&api.rates, &secret_hash(secret)) {
        return refusal.into_response();
    }
    if let Some(path) = matched
        && let Err(refusal) = rules::allows(request.method(), &path, &principal)
    {
        return refusal.into_response();
    }
    request.extensions_mut().insert(Caller::new(&api.engine, principal));
    next.run(request).await
}

/// Whether an address belongs to what needs a token, existing or not.
fn under_v1(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

impl Api {
    /// As whom a secret acts now, looked up at most once a second.
    pub(crate) async fn principal(&self, secret: &str) -> Result<Option<Appointment>, EngineError> {
        let hash = secret_hash(secret);
        // Real time, also in a rehearsal whose clock stands still.
        let asked = Instant::now();
        let remembered = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&hash).filter(|(_, at)| asked.duration_since(*at) < BELIEVED).map(|(who, _)| who.clone())
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
                known.insert(hash, (principal.clone(), asked));
            }
            None => drop(known.remove(&hash)),
        }
        Ok(found)
    }

    /// Looks everybody up anew: somebody was given or lost a right.
    pub(crate) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What a status means to whoever reads nothing else.
pub(super) fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Problem")
}
