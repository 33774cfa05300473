//! Events over HTTP and on the command line: who asks is known first, and both ways do the same.

use crate::care::{Care, OPERATOR, json};
use crate::serve_story::Server;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

const TIME: &str = "2026-07-29T07:59:00+08:00";

/// A request and its answer: status and body.
fn ask(address: &str, head: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let mut request = format!("{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn topped_up(id: &str, customer: &str) -> Value {
    json!({"specversion": "1.0", "source": "billing", "id": id, "type": "topped-up", "subject": customer,
           "time": TIME, "data": {"amount": 5_000}})
}

fn token(care: &Care, name: &str, role: &str) -> (String, String) {
    let args = ["token", "new", name, "--role", role, "--region", "350000", "--days", "30"];
    let made = care.ok("administrator", &args);
    (made["secret"].as_str().expect("a secret").to_owned(), made["id"].as_str().expect("an id").to_owned())
}

#[test]
fn nobody_without_a_token_learns_anything_and_a_revoked_one_opens_nothing() {
    let care = Care::with_customers(500);
    let (secret, id) = token(&care, "event-source", "event-source");
    let (auditor, _) = token(&care, "auditor", "auditor");
    let (mut server, address) = Server::start(&care);
    let json_type = ("Content-Type", "application/json");
    let bearer = |secret: &str| format!("Bearer {secret}");
    for path in ["/v1/events", "/v1/nothing", "/etc/passwd"] {
        for header in ["", "Bearer", "Bearer care_0", "Basic Y2FyZTpjYXJl"] {
            let (status, body) = ask(&address, &format!("POST {path}"), &[json_type, ("Authorization", header)], "{");
            assert_eq!((status, &body["code"]), (401, &json!("not-authenticated")), "{path} {header}");
        }
    }
    let body = topped_up("1", "FJ000000001").to_string();
    let as_auditor = [json_type, ("Authorization", &bearer(&auditor))];
    assert_eq!(ask(&address, "POST /v1/events", &as_auditor, "{ no json at all").0, 403, "before the body is read");
    let mine = [json_type, ("Authorization", &bearer(&secret))];
    assert_eq!(ask(&address, "POST /v1/nothing", &mine, "").0, 404);
    let (status, answer) = ask(&address, "POST /v1/events", &mine, &body);
    assert_eq!((status, &answer["accepted"]), (200, &json!(1)), "{answer}");
    // What the command line sends is the same event.
    let file = care.file("again.json", &body);
    assert_eq!(care.ok("event-source", &["event", "send", &file])["repeated"], 1);
    care.ok("administrator", &["token", "revoke", &id, "--reason", "published by mistake"]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(ask(&address, "POST /v1/events", &mine, &body).0, 401);
    let listed = care.ok("auditor", &["token", "list"]);
    assert!(!listed.to_string().contains(&secret), "secrets are not kept");
    server.signal("TERM");
    server.end();
}

#[test]
fn a_batch_over_http_is_answered_item_by_item_and_by_its_content_type() {
    let care = Care::with_customers(500);
    let (secret, _) = token(&care, "event-source", "event-source");
    let (mut server, address) = Server::start(&care);
    let bearer = format!("Bearer {secret}");
    let post = |kind: &str, body: &str| {
        ask(&address, "POST /v1/events", &[("Content-Type", kind), ("Authorization", &bearer)], body)
    };
    let batch = "application/cloudevents-batch+json";
    let half = json!([topped_up("1", "FJ000000001"), topped_up("2", "nobody"), topped_up("1", "FJ000000001"), 7]);
    let (status, answer) = post(batch, &half.to_string());
    assert_eq!((status, &answer["accepted"], &answer["repeated"]), (200, &json!(1), &json!(1)));
    let codes: Vec<&Value> = answer["refused"].as_array().expect("a list").iter().map(|r| &r["code"]).collect();
    assert_eq!(codes, ["unknown-customer", "event-attribute"]);
    let one = topped_up("3", "FJ000000002").to_string();
    assert_eq!(post("application/cloudevents+json; charset=utf-8", &one).0, 200);
    for (kind, body, status) in [
        ("text/plain", one.as_str(), 415),
        ("application/json", "{", 400),
        (batch, one.as_str(), 400),
        ("application/json", "[7]", 422),
        ("application/json", "[]", 200),
    ] {
        assert_eq!(post(kind, body).0, status, "{kind} {body}");
    }
    let huge = format!("[\"{}\"]", "x".repeat(5 << 20));
    assert_eq!(post("application/json", &huge).0, 413);
    server.signal("TERM");
    server.end();
    let shown = care.ok(OPERATOR, &["event", "show"]);
    assert_eq!(shown["events"][0]["kind"], "topped-up");
    assert!(!shown.to_string().contains("FJ00"), "what is kept speaks of pseudonyms");
    assert_eq!(care.ok(OPERATOR, &["replay", "event-1"])["same"], true);
    assert_eq!(care.refused(OPERATOR, &["replay", "event-99"])["code"], "unknown-batch");
    assert_eq!(care.refused(OPERATOR, &["replay", "event-x"])["code"], "unknown-batch");
}

#[test]
fn the_command_line_reads_one_event_a_line_and_says_which_line_is_no_json() {
    let care = Care::with_customers(500);
    let lines = format!("{}\n\n{}\n", topped_up("1", "FJ000000001"), topped_up("2", "FJ000000002"));
    let file = care.file("events.jsonl", &lines);
    assert_eq!(care.ok("event-source", &["event", "send", &file])["accepted"], 2);
    let broken = care.file("broken.jsonl", format!("{lines}{{"));
    let error = care.refused("event-source", &["event", "send", &broken]);
    assert!(error["message"].as_str().is_some_and(|m| m.starts_with("line 4")), "{error}");
    let unknown = care.refused("nobody", &["event", "send", &file]);
    assert_eq!(unknown["code"], "unknown-person");
    assert_eq!(json(&care.run(OPERATOR, &["token", "list"]).stdout)["tokens"], json!([]));
    let args = ["token", "new", "nobody", "--role", "operator", "--region", "350000"];
    assert_eq!(care.refused("administrator", &args)["code"], "not-appointed");
    let args = ["token", "new", "operator", "--role", "operator", "--region", "350000", "--days", "401"];
    assert_eq!(care.refused("administrator", &args)["code"], "token-expiry");
    let args = ["token", "new", "operator", "--role", "operator", "--region", "350000"];
    assert_eq!(care.refused(OPERATOR, &args)["code"], "not-allowed");
}
