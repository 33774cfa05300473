//! Spans of requests reach a collector that listens where the setting says, and name nobody.

use crate::api_rules_story::{administrator, token};
use crate::care::Care;
use crate::http::Server;
use crate::sink::wait_for;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
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
