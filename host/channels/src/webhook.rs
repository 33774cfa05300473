//! Another system by HTTP requests signed after Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature` = `v1,` base64(HMAC-SHA256(secret, id.timestamp.body)). The id is the contact's, the same in
//! every attempt, so that the other side takes a message once.

use crate::config::{ConfigError, WebhookConfig};
use crate::{Health, Outgoing, secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use care_domain::dispatch::Answer;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::json;
use sha2::Sha256;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The gateway.
pub struct Webhook {
    config: WebhookConfig,
    secret: Vec<u8>,
    client: Client,
    last_error: Mutex<String>,
}

impl Webhook {
    pub(crate) fn open(config: &WebhookConfig, folder: &Path) -> Result<Self, ConfigError> {
        let text = secret::read(folder, &config.secret_file)?;
        let bare = text.strip_prefix("whsec_").unwrap_or(&text);
        let secret = STANDARD.decode(bare).ok().filter(|s| s.len() >= 24).ok_or_else(|| ConfigError::Value {
            channel: "webhook",
            what: "its secret is not whsec_ and the base64 of at least 24 octets".into(),
        })?;
        // Somebody else may have installed one before; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(Duration::from_millis(config.response_ms))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ConfigError::no_client(&error))?;
        Ok(Self { config: config.clone(), secret, client, last_error: Mutex::default() })
    }

    pub(crate) fn window(&self) -> usize {
        self.config.window
    }

    pub(crate) fn longest_ms(&self) -> i64 {
        (self.config.response_ms * 2) as i64
    }

    pub(crate) fn health(&self) -> Health {
        let last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Health { up: usize::from(last_error.is_empty()), of: 1, last_error, ..Health::default() }
    }

    pub(crate) async fn send(&self, message: &Outgoing) -> Answer {
        let id = message.contact.to_string();
        let body = json!({
            "type": "contact.send",
            "data": {
                "contact": id, "attempt": message.attempt, "channel": message.channel, "campaign": message.campaign,
                "addressee": message.addressee, "to": message.to, "subject": message.subject, "text": message.text,
                "not_after": message.not_after,
            },
        })
        .to_string();
        let request = signed(self.client.post(&self.config.url), &self.secret, &id, body);
        let Some(request) = request else { return Answer::Refused { why: "it cannot be signed".into() } };
        let answer = match request.send().await {
            Ok(response) => answer_of(response.status()),
            Err(error) if error.is_connect() => Answer::Unreached { why: "cannot connect".into() },
            Err(error) if error.is_timeout() => Answer::Lost { why: "no answer in time".into() },
            Err(error) if error.is_builder() => Answer::Refused { why: "the request cannot be made".into() },
            Err(_) => Answer::Lost { why: "the connection broke".into() },
        };
        let error = if answer.blames_gateway() { answer.why().to_owned() } else { String::new() };
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        answer
    }
}

/// A request with its body and what Standard Webhooks asks for around it.
pub(crate) fn signed(request: RequestBuilder, secret: &[u8], id: &str, body: String) -> Option<RequestBuilder> {
    // The receiver compares it with its own clock, so it is the wall's and not the rehearsal's.
    let stamp = unix_seconds().to_string();
    let signature = sign(secret, id, &stamp, &body)?;
    let request = request.header("content-type", "application/json").header("webhook-id", id);
    Some(request.header("webhook-timestamp", stamp).header("webhook-signature", signature).body(body))
}

#[allow(clippy::disallowed_methods, reason = "the signature is void unless it bears the wall's time")]
fn unix_seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn answer_of(status: StatusCode) -> Answer {
    let why = format!("HTTP {}", status.as_u16());
    match status.as_u16() {
        200..=299 => Answer::Accepted { ids: Vec::new() },
        429 => Answer::Throttled { why },
        408 | 425 | 500..=599 => Answer::Busy { why },
        _ => Answer::Refused { why },
    }
}

fn sign(secret: &[u8], id: &str, stamp: &str, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(format!("{id}.{stamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_own_example_is_signed_as_it_says() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let (id, stamp, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        let signed = sign(&secret, id, stamp, body);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn statuses_are_told_apart() {
        for (status, name) in [
            (200, "accepted"),
            (204, "accepted"),
            (429, "throttled"),
            (503, "busy"),
            (410, "refused"),
            (302, "refused"),
        ] {
            assert_eq!(answer_of(StatusCode::from_u16(status).expect("a status")).name(), name, "{status}");
        }
    }
}
