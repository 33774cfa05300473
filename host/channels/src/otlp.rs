//! Spans for an OpenTelemetry collector: OTLP over HTTP, in its JSON form, to `/v1/traces` of an endpoint. What stands in
//! them is the sender's business; here they go out, and are not tried again: a trace that is lost is lost.

use crate::config::ConfigError;
use reqwest::{Client, Url};
use std::time::Duration;

/// How long a collector may take: whoever waits for it keeps spans in memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where spans go.
#[derive(Debug, Clone)]
pub struct Collector {
    client: Client,
    url: Url,
}

impl Collector {
    /// Opens it; nothing is sent. `endpoint` is that of the collector, such as `http://127.0.0.1:4318`.
    pub fn open(endpoint: &str) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError::Setup { channel: "otlp", what };
        let traces = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let url = Url::parse(&traces).map_err(|error| wrong(format!("{endpoint:?} is no address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(format!("{endpoint:?} is no http address")));
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| ConfigError::no_client(&error))?;
        Ok(Self { client, url })
    }

    /// Hands a batch over; what went wrong, in a few words, if something did.
    pub async fn send(&self, batch: String) -> Result<(), String> {
        let request = self.client.post(self.url.clone()).header("content-type", "application/json").body(batch);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("it answered HTTP {}", answer.status().as_u16())),
            Err(error) if error.is_connect() => Err("it cannot be reached".into()),
            Err(error) if error.is_timeout() => Err("it did not answer in time".into()),
            Err(_) => Err("the connection broke".into()),
        }
    }
}
