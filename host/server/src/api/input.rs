//! What a request carries: bodies, paths and queries, each refused with a problem document where it does not fit.

use super::caller::Caller;
use super::problem::Problem;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use care_domain::time;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use tempfile::NamedTempFile;
use utoipa::IntoParams;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

/// Why something is done.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Because {
    /// Why, for the audit log.
    #[serde(default)]
    pub(super) reason: String,
}

/// A date, written 2026-07-29; in days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day(pub(super) i32);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&time::write_date(self.0))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let days = time::parse_date(&text);
        days.map(Self).ok_or_else(|| serde::de::Error::custom("a date is written 2026-07-29"))
    }
}

/// A part of the path.
pub(super) struct Part<T>(pub(super) T);

/// The query, in which nothing unknown may stand (`deny_unknown_fields` on what it is read into).
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" {
            let detail = format!("content type {kind:?} is not understood here");
            let hint = "Send Content-Type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail, hint));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        read_json(&bytes).map(Self)
    }
}

/// Reads JSON; what does not fit is told by line and column.
pub(super) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (code, status) = match error.is_data() {
            true => ("bad-body", StatusCode::UNPROCESSABLE_ENTITY),
            false => ("bad-json", StatusCode::BAD_REQUEST),
        };
        let hint = "See /openapi.json for what is asked";
        Problem::new(status, code, format!("the body does not fit: {error}"), hint)
    })
}

/// A body that was not read: too long, cut off, or too slow.
pub(super) fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let hint = "Send less at once; /openapi.json says how much a route takes";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-long", "the body is too long", hint);
    }
    Problem::bad_request("bad-body", "the body could not be read", "Send it whole, with its length or in chunks")
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Part<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(part)) => Ok(Self(part)),
            // Whatever is no id is the id of nothing.
            Err(_) => Err(Problem::missing("such thing")),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => {
                let hint = "See /openapi.json for what may be asked";
                Err(Problem::bad_request("bad-query", rejection.body_text(), hint))
            }
        }
    }
}

/// A form that is read part by part, so that a long file is never in memory.
pub(super) struct Upload(Multipart);

/// A part of a form.
pub(super) struct FormPart<'a> {
    pub(super) name: String,
    /// As the sender calls the file; empty where it is none.
    pub(super) file_name: String,
    field: Field<'a>,
}

/// The longest part that is no file, in bytes.
const MAX_TEXT: usize = 1 << 20;

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Multipart::from_request(request, state).await.map(Self).map_err(|rejection| {
            let hint = "Send multipart/form-data; see /openapi.json for its parts";
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", rejection.body_text(), hint)
        })
    }
}

/// Everything that a form held.
pub(super) struct Received {
    /// Parts that are text, by name.
    pub(super) texts: BTreeMap<String, String>,
    /// The part `file`, on disk; it goes with its handle.
    pub(super) file: Option<NamedTempFile>,
    /// SHA-256 of all of it, whatever stood between the parts.
    pub(super) fingerprint: [u8; 32],
}

impl Upload {
    /// Reads the whole form: these parts as text, and `file` to the disk.
    pub(super) async fn received(mut self, caller: &Caller, texts: &[&str]) -> Result<Received, Problem> {
        let (mut known, mut file, mut hash) = (BTreeMap::new(), None, Sha256::new());
        while let Some(mut part) = self.next().await? {
            let name = part.name.clone();
            hash.update(name.as_bytes());
            hash.update([0]);
            if texts.contains(&name.as_str()) {
                let text = part.text().await?;
                hash.update(text.as_bytes());
                known.insert(name, text);
            } else if name == "file" {
                let suffix = if part.file_name.ends_with(".parquet") { ".parquet" } else { ".csv" };
                let mut kept = caller.engine.scratch(suffix)?;
                while let Some(bytes) = part.chunk().await? {
                    hash.update(&bytes);
                    kept.write_all(&bytes).map_err(|_| Problem::failed())?;
                }
                file = Some(kept);
            } else {
                let hint = format!("Send {} and last file", texts.join(", "));
                return Err(Problem::bad_request("bad-form", format!("part {name:?} is unknown"), hint));
            }
            hash.update([0]);
        }
        Ok(Received { texts: known, file, fingerprint: hash.finalize().into() })
    }

    /// The next part.
    pub(super) async fn next(&mut self) -> Result<Option<FormPart<'_>>, Problem> {
        let field = self.0.next_field().await.map_err(|error| broken(&error))?;
        Ok(field.map(|field| {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().unwrap_or_default().to_owned();
            FormPart { name, file_name, field }
        }))
    }
}

impl FormPart<'_> {
    /// The next piece of it.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        self.field.chunk().await.map_err(|error| broken(&error))
    }

    /// All of it, as text.
    pub(super) async fn text(mut self) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.chunk().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MAX_TEXT {
                let detail = format!("part {:?} is too long", self.name);
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "body-too-long",
                    detail,
                    "Only the file may be",
                ));
            }
        }
        let hint = "Only the file may be anything else than UTF-8";
        String::from_utf8(bytes).map_err(|_| Problem::bad_request("bad-form", "a part is no UTF-8", hint))
    }
}

fn broken(error: &MultipartError) -> Problem {
    let hint = "Send the form whole; see /openapi.json for its parts";
    Problem::new(error.status(), "bad-form", "the form could not be read", hint)
}
