//! Spans of requests for an OpenTelemetry collector, where a setting names one. A span knows the address as the router does,
//! the status, the request's id and how long it took: nothing of a customer. Whatever the collector does, requests never
//! wait for it: what it does not take in time is dropped and counted.

use axum::http::HeaderMap;
use care_engine::Collector;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

/// Spans that wait; further ones are dropped.
const WAITING: usize = 4_096;
/// Spans of a batch, and how long one is collected.
const BATCH: usize = 512;
const COLLECTED: Duration = Duration::from_secs(2);

/// One answered request.
pub(crate) struct Span {
    trace: [u8; 16],
    parent: Option<[u8; 8]>,
    id: [u8; 8],
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) request: String,
    /// When it ended, Unix milliseconds, and how long it took.
    pub(crate) ended_ms: i64,
    pub(crate) took: Duration,
}

/// Takes spans.
#[derive(Clone)]
pub(crate) struct Spans {
    sender: Sender<Span>,
    dropped: Arc<AtomicU64>,
}

impl Spans {
    /// From now on spans go to a collector.
    pub(crate) fn to(collector: Collector) -> Self {
        let (sender, receiver) = channel(WAITING);
        let dropped = Arc::<AtomicU64>::default();
        tokio::spawn(export(collector, receiver, Arc::clone(&dropped)));
        Self { sender, dropped }
    }

    pub(crate) fn take(&self, span: Span) {
        if self.sender.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Spans that nobody took: too many waited, or the collector refused them or was not there.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// What a request's trace is: that of its `traceparent` (W3C), or one of its own.
pub(crate) struct Trace {
    trace: [u8; 16],
    parent: Option<[u8; 8]>,
}

impl Trace {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let told = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(parse);
        told.unwrap_or_else(|| Self { trace: random(), parent: None })
    }

    /// The span of the request, ended now.
    pub(crate) fn ended(self, ended_ms: i64, took: Duration) -> Span {
        let (method, path, request) = (String::new(), String::new(), String::new());
        Span { trace: self.trace, parent: self.parent, id: random(), method, path, status: 0, request, ended_ms, took }
    }
}

/// `00-<trace>-<parent>-<flags>`; zeros are no ids.
fn parse(text: &str) -> Option<Trace> {
    let mut parts = text.split('-');
    let (version, trace, parent, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (trace, parent): ([u8; 16], [u8; 8]) = (bytes(trace)?, bytes(parent)?);
    let sound = version.len() == 2 && version != "ff" && trace != [0; 16] && parent != [0; 8];
    sound.then_some(Trace { trace, parent: Some(parent) })
}

fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut all = [0; N];
    let sound = digits.len() == N * 2 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    for (at, byte) in all.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2).filter(|_| sound)?, 16).ok()?;
    }
    Some(all)
}

fn random<const N: usize>() -> [u8; N] {
    let secret = care_engine::Engine::new_secret().unwrap_or([1; 32]);
    std::array::from_fn(|at| secret[at])
}

/// Sends batches until nobody makes spans any more.
async fn export(collector: Collector, mut spans: Receiver<Span>, dropped: Arc<AtomicU64>) {
    let mut was_well = true;
    while let Some(first) = spans.recv().await {
        let (mut batch, until) = (vec![first], Instant::now() + COLLECTED);
        while batch.len() < BATCH
            && let Ok(Some(span)) = timeout_at(until, spans.recv()).await
        {
            batch.push(span);
        }
        let sent = collector.send(written(&batch).to_string()).await;
        if sent.is_err() {
            dropped.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        // Said once, not with every batch.
        if let (Err(why), true) = (&sent, was_well) {
            tracing::warn!("the collector takes no spans: {why}");
        }
        was_well = sent.is_ok();
    }
}

fn written(batch: &[Span]) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let spans: Vec<Value> = batch.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            text("service.name", "care"), text("service.version", env!("CARGO_PKG_VERSION")),
        ]},
        "scopeSpans": [{"scope": {"name": "care"}, "spans": spans}],
    }]})
}

fn span(span: &Span) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let ended = i128::from(span.ended_ms) * 1_000_000;
    let began = ended - span.took.as_nanos() as i128;
    let mut value = json!({
        "traceId": hex::encode(span.trace), "spanId": hex::encode(span.id),
        "name": format!("{} {}", span.method, span.path),
        // A server's.
        "kind": 2,
        "startTimeUnixNano": began.to_string(), "endTimeUnixNano": ended.to_string(),
        "attributes": [
            text("http.request.method", &span.method), text("http.route", &span.path),
            {"key": "http.response.status_code", "value": {"intValue": span.status.to_string()}},
            text("care.request_id", &span.request),
        ],
        "status": {"code": if span.status >= 500 { 2 } else { 0 }},
    });
    if let Some(parent) = span.parent {
        value["parentSpanId"] = hex::encode(parent).into();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_goes_on_with_the_trace_that_it_was_told_and_with_no_other() {
        let headers = |text: &str| {
            HeaderMap::from_iter([("traceparent".parse().expect("a name"), text.parse().expect("a value"))])
        };
        let told = Trace::of(&headers("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        let mut one = told.ended(1_785_000_000_000, Duration::from_millis(20));
        (one.method, one.path, one.status) = ("GET".into(), "/v1/campaigns/{campaign}".into(), 503);
        let shown = span(&one);
        assert_eq!(shown["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(shown["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(shown["name"], "GET /v1/campaigns/{campaign}");
        assert_eq!((&shown["startTimeUnixNano"], &shown["status"]["code"]), (&json!("1784999999980000000"), &json!(2)));
        for wrong in [
            "",
            "00-0-0-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            let own = Trace::of(&headers(wrong));
            assert!(own.parent.is_none() && own.trace != [0; 16], "{wrong}");
        }
    }
}
