//! Spans of requests reach a collector that listens where the setting says, and name nobody. Another collector reads them by the
//! messages of OpenTelemetry itself.

use crate::api_rules_story::{administrator, token};
use crate::care::Care;
use crate::http::Server;
use crate::sink::wait_for;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use care_tests::{otlp_python, repository};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

type Taken = Arc<Mutex<Vec<Value>>>;

/// A collector; it listens until the process ends.
fn collector() -> (String, Taken) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener");
    let (address, taken) = (listener.local_addr().expect("its port"), Taken::default());
    let take = async |State(taken): State<Taken>, Json(batch): Json<Value>| {
        let spans = batch["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned().unwrap_or_default();
        taken.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
        Json(json!({"partialSuccess": {}}))
    };
    let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&taken));
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, app).await.expect("it serves");
        });
    });
    (format!("http://{address}"), taken)
}

#[test]
fn a_collector_is_told_of_requests_and_of_nobody() {
    let care = Care::with_customers(300);
    let (endpoint, taken) = collector();
    let server = Server::start_with(&care, &["--otlp", &endpoint]);
    let administrator = administrator(&care);
    let service = token(&server, &administrator, "customer-service", "350000");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = server.ask("GET", "/v1/customers/FJ000000011").token(&service);
    let request = request.header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    request.header("X-Request-Id", "call-17").send().expect(200);
    let seen = || taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let spans = wait_for(seen, |spans| spans.iter().any(|span| span["traceId"] == trace));
    let span = spans.iter().find(|span| span["traceId"] == trace).expect("the request's");
    assert_eq!(span["name"], "GET /v1/customers/{customer}");
    assert_eq!((&span["parentSpanId"], &span["kind"]), (&json!("00f067aa0ba902b7"), &json!(2)));
    let attribute = |key: &str| {
        let all = span["attributes"].as_array().expect("attributes");
        all.iter().find(|one| one["key"] == key).map(|one| one["value"].clone())
    };
    assert_eq!(attribute("http.response.status_code"), Some(json!({"intValue": "200"})));
    assert_eq!(attribute("care.request_id"), Some(json!({"stringValue": "call-17"})));
    let told = json!(spans).to_string();
    assert!(!told.contains("FJ000000011") && !told.contains(&service), "spans name nobody");
    assert!(server.ask("GET", "/metrics").send().text().contains("care_spans_dropped_total 0"));
    // One that is not there holds nobody up, and one that is none is refused.
    drop(server);
    let server = Server::start_with(&care, &["--otlp", "http://127.0.0.1:9"]);
    assert_eq!(server.ask("GET", "/healthz").send().status, 200);
    let refused = care.run("operator", &["serve", "--listen", "127.0.0.1:0", "--otlp", "collector"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
}

/// A collector that reads by OpenTelemetry's own messages, gone with its test.
struct Strict {
    child: Child,
    log: PathBuf,
    endpoint: String,
}

impl Drop for Strict {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Strict {
    fn start(log: PathBuf) -> Option<Self> {
        let mut command = Command::new(otlp_python()?);
        command.arg(repository().join("tests/peers/collector.py")).arg(&log);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a collector starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let port = line.trim().strip_prefix("port ").expect("its port").to_owned();
        Some(Self { child, log, endpoint: format!("http://127.0.0.1:{port}") })
    }

    fn answers(&mut self, status: u16) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{}", json!({"status": status})).and_then(|()| input.flush()).expect("it listens");
    }

    /// The spans as it read them; nothing that was sent may have been refused.
    fn spans(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let spans: Vec<Value> = text.lines().map(crate::care::json).collect();
        let refused: Vec<&Value> = spans.iter().filter(|span| !span["refused"].is_null()).collect();
        assert!(refused.is_empty(), "{refused:?}");
        spans
    }
}

#[test]
fn a_collector_that_reads_by_opentelemetrys_own_messages_understands_every_span() {
    let care = Care::with_customers(300);
    let Some(mut collector) = Strict::start(care.path("spans.log")) else { return };
    let server = Server::start_with(&care, &["--otlp", &collector.endpoint]);
    let administrator = administrator(&care);
    let service = token(&server, &administrator, "customer-service", "350000");
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    for (path, status) in [("/v1/customers/FJ000000011", 200), ("/v1/customers/nobody", 404), ("/v1/gateways", 200)] {
        let request = server.ask("GET", path).token(&service).header("X-Request-Id", "call-17");
        let reply = request.header("traceparent", &format!("00-{trace}-{parent}-01")).send();
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
    }
    assert_eq!(server.ask("GET", "/v1/me").send().status, 401);
    let ours =
        |spans: &[Value]| -> Vec<Value> { spans.iter().filter(|span| span["trace"] == trace).cloned().collect() };
    let strangers = |spans: &[Value]| spans.iter().any(|span| span["attributes"]["http.response.status_code"] == 401);
    let spans = wait_for(|| collector.spans(), |spans| ours(spans).len() == 3 && strangers(spans));
    let told: BTreeSet<(&str, i64)> = spans
        .iter()
        .filter(|span| span["trace"] == trace)
        .map(|span| {
            let status = span["attributes"]["http.response.status_code"].as_i64().expect("a whole number");
            (span["name"].as_str().expect("a name"), status)
        })
        .collect();
    let customer = "GET /v1/customers/{customer}";
    assert_eq!(told, BTreeSet::from([(customer, 200), (customer, 404), ("GET /v1/gateways", 200)]));
    for span in ours(&spans) {
        assert_eq!((&span["parent"], &span["kind"]), (&json!(parent), &json!("SPAN_KIND_SERVER")), "{span}");
        assert_eq!((&span["service"], &span["attributes"]["care.request_id"]), (&json!("care"), &json!("call-17")));
        assert!(span["took_ns"].as_u64() > Some(0), "{span}");
    }
    // Whoever names no trace begins one, each their own; and no two spans are the same.
    let own: Vec<&Value> = spans.iter().filter(|span| span["trace"] != trace).collect();
    let traces: BTreeSet<&str> = own.iter().filter_map(|span| span["trace"].as_str()).collect();
    assert!(own.iter().all(|span| span["parent"] == "") && traces.len() == own.len(), "{own:?}");
    let ids: BTreeSet<&str> = spans.iter().filter_map(|span| span["span"].as_str()).collect();
    assert_eq!(ids.len(), spans.len());

    // What it does not take is counted, and holds nobody up.
    collector.answers(503);
    let dropped = || {
        server.ask("GET", "/v1/me").token(&service).send().expect(200);
        let figures = server.ask("GET", "/metrics").send().text();
        let line = figures.lines().find_map(|line| line.strip_prefix("care_spans_dropped_total "));
        line.and_then(|count| count.parse::<u64>().ok()).expect("a count")
    };
    wait_for(dropped, |dropped| *dropped > 0);
}
