//! Refusals as problem documents (RFC 9457), each with a code and a hint.

use super::admit::title;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use care_domain::text::Finding;
use care_engine::{EngineError, PopulationError};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::openapi::{Content, Ref, RefOr, Response as Described, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

/// Why a request was not carried out. Nothing was changed.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Document>);

/// A problem document.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document {
    /// Always `about:blank`: the code tells what it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the status means.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What it is, for programs.
    code: String,
    /// What is wrong, and where.
    detail: String,
    /// What to do.
    hint: String,
    /// Everything that is wrong, where it is more than one thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<super::told::Finding>)]
    findings: Vec<Finding>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(Box::new(Document {
            kind: "about:blank",
            title: title(status),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            hint: hint.into(),
            findings: Vec::new(),
            headers: Vec::new(),
        }))
    }

    pub(super) fn unauthenticated(detail: &str) -> Self {
        let hint = "Send `Authorization: Bearer` and a token made with `care token new`";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "not-authenticated", detail, hint);
        problem.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// There is no such thing, or it is another region's.
    pub(crate) fn missing(what: &str) -> Self {
        let hint = "See the list it would stand in; what belongs to another region is not shown";
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {what}"), hint)
    }

    /// A form that none of our pages sent, or one of before the session began.
    pub(crate) fn foreign_form() -> Self {
        let detail = "the form was not sent by a page of this session";
        Self::new(StatusCode::FORBIDDEN, "foreign-form", detail, "Open the page again and fill it in anew")
    }

    /// A form that is longer than anything that is asked.
    pub(crate) fn long_form() -> Self {
        let detail = "the form is too long, or was cut off";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-long", detail, "Send less at once")
    }

    /// The same form came again, and its answer was shown.
    pub(crate) fn shown_once() -> Self {
        let detail = "it is done already, and its answer is shown once only";
        let hint = "Open the page again to do it anew; what was made before stands in its list";
        Self::new(StatusCode::CONFLICT, "shown-once", detail, hint)
    }

    /// The same form is being carried out.
    pub(crate) fn in_work() -> Self {
        let detail = "the same form is being carried out, or its end is not known";
        Self::new(StatusCode::CONFLICT, "key-in-use", detail, "Look whether it was done before sending it again")
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What it is, for programs.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// What is wrong, and where.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What to do.
    pub(crate) fn hint(&self) -> &str {
        &self.0.hint
    }

    /// Something failed that is ours to mend.
    pub(crate) fn failed() -> Self {
        let hint = "The log of the server says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the request could not be carried out", hint)
    }

    pub(super) fn bad_request(code: &str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail, hint)
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    fn of(findings: &[Finding], first: &Finding) -> Self {
        let mut problem = Self::new(status_of(&first.code), &first.code, &*first.message, &*first.hint);
        if findings.len() > 1 {
            problem.0.findings = findings.to_vec();
        }
        problem
    }
}

/// A refusal with its findings; of a failure the caller learns nothing but that it is ours.
impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let findings = match &error {
            EngineError::Population(PopulationError::Refused(findings)) => findings.as_slice(),
            error => error.findings(),
        };
        if let Some(first) = findings.iter().find(|finding| finding.refuses()).or(findings.first()) {
            return Self::of(findings, first);
        }
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        tracing::error!(causes = causes.join("; "), "a request failed: {error}");
        let (status, code, hint) = match error.is_passing() {
            true => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again in a while"),
            false => (StatusCode::INTERNAL_SERVER_ERROR, "failed", "The log of the server says more"),
        };
        Self::new(status, code, "the request could not be carried out", hint)
    }
}

/// What a refusal of the engine is in HTTP: a rule that was broken, unless its code says otherwise.
fn status_of(code: &str) -> StatusCode {
    match code {
        "not-allowed" | "not-yours" | "other-region" | "unknown-person" | "four-eyes" => StatusCode::FORBIDDEN,
        "wrong-password" | "one-time-password" => StatusCode::UNAUTHORIZED,
        "busy-customers" | "store-locked" | "disk-full" => StatusCode::SERVICE_UNAVAILABLE,
        "no-such-address" | "no-snapshot" => StatusCode::NOT_FOUND,
        code if code.starts_with("unknown-") || code.starts_with("no-such-") => StatusCode::NOT_FOUND,
        code if code.starts_with("already-") || code.starts_with("decided-") => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_string(&self.0).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        response.headers_mut().extend(self.0.headers.into_iter().map(|(name, value)| (Some(name), value)));
        response
    }
}

/// Said of every route once: whatever is refused or fails is told in a problem document.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<Described>> {
        let described = |text: &str| {
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            RefOr::T(ResponseBuilder::new().description(text).content("application/problem+json", content).build())
        };
        BTreeMap::from([
            ("4XX".to_owned(), described("Refused; nothing was changed")),
            ("503".to_owned(), described("Try again in a while")),
        ])
    }
}

pub(super) async fn nowhere() -> Problem {
    let hint = "See /openapi.json for what there is";
    Problem::new(StatusCode::NOT_FOUND, "no-such-address", "there is no such address", hint)
}

pub(super) async fn wrong_method() -> Problem {
    let hint = "See /openapi.json for what there is";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "this address does not know that method", hint)
}
