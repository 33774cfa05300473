//! Entity tags: an edit names what it was written on, so that nobody overwrites what they have not seen.

use super::Answer;
use super::problem::Problem;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A document with its tag.
pub(super) struct Tagged(pub(super) Value);

impl IntoResponse for Tagged {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&tag_of(&self.0));
        let mut response = Json(self.0).into_response();
        if let Ok(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// Whether an edit was written on what stands now: `If-Match` must name its tag, or `*`.
pub(super) fn unchanged(headers: &HeaderMap, now: &Value) -> Answer<()> {
    let Some(given) = headers.get(header::IF_MATCH) else {
        let detail = "an edit names what it was written on, and this one does not";
        let hint = "Send If-Match with the ETag of what you read";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "no-if-match", detail, hint));
    };
    let tag = tag_of(now);
    let given = given.to_str().unwrap_or_default();
    if given.split(',').map(str::trim).any(|one| one == "*" || one == tag) {
        return Ok(());
    }
    let detail = "somebody changed it since it was read";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail, "Read it again, and edit what stands now"))
}

fn tag_of(document: &Value) -> String {
    let digest = Sha256::digest(document.to_string().as_bytes());
    format!("\"{}\"", hex::encode(&digest[..12]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_edit_of_what_was_changed_meanwhile_is_refused() {
        let (before, after) = (json!({"share": 0.01}), json!({"share": 0.02}));
        let read = Tagged(before.clone()).into_response();
        let tag = read.headers().get(header::ETAG).expect("a tag").clone();
        let headers = |value: &str| HeaderMap::from_iter([(header::IF_MATCH, value.parse().expect("a value"))]);
        let named = tag.to_str().expect("text");
        assert!(unchanged(&headers(named), &before).is_ok());
        assert!(unchanged(&headers(&format!("\"other\", {named}")), &before).is_ok());
        assert!(unchanged(&headers("*"), &after).is_ok());
        assert!(unchanged(&headers(named), &after).is_err(), "stale");
        assert!(unchanged(&headers("no tag"), &before).is_err());
        assert!(unchanged(&HeaderMap::new(), &before).is_err(), "an edit says what it was written on");
    }
}
