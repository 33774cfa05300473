//! The moment itself as other systems and agents use it: events by HTTP and by file, what the desk shows, and alerts, with
//! whatever is wrong with them told item by item.

use crate::api_rules_story::{administrator, token};
use crate::care::{Care, OPERATOR};
use crate::http::Server;
use care_tests::DATE;
use serde_json::{Value, json};

const PROVINCE: &str = "350000";
const BATCH: &str = "application/cloudevents-batch+json";
const SINGLE: &str = "application/cloudevents+json";

/// The id of a made-up customer.
fn customer(number: usize) -> String {
    format!("FJ{number:09}")
}

fn event(id: &str, kind: &str, subject: &str, time: &str, data: Value) -> Value {
    json!({"specversion": "1.0", "source": "signalling", "id": id, "type": kind, "subject": subject, "time": time,
           "data": data})
}

/// On the morning of the story.
fn arrives(id: &str, number: usize) -> Value {
    let data = json!({"visited-adcode": "110000"});
    event(id, "roaming-entered", &customer(number), "2026-07-29T07:55:00+08:00", data)
}

fn at_work() -> Care {
    let care = Care::with_customers(2_000);
    for name in ["balance-reminder", "roaming-tariff"] {
        care.approve(name);
        care.ok(OPERATOR, &["campaign", "start", name]);
    }
    care
}

#[test]
fn events_come_by_http_once_and_the_bad_ones_of_a_batch_are_answered_one_by_one() {
    let care = at_work();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let sender = token(&server, &administrator, "event-source", PROVINCE);
    let send = |kind: &str, body: &Value| {
        server.ask("POST", "/v1/events").token(&sender).body(kind, body.to_string().as_bytes()).send()
    };
    let first = send(SINGLE, &arrives("1", 1)).expect(200);
    assert_eq!((&first["accepted"], &first["repeated"], &first["batches"]), (&json!(1), &json!(0), &json!([1])));

    // Half of them are bad: a type that nobody knows, a customer whom nobody knows, none at all, tomorrow, last year.
    let stale = event("5", "topped-up", &customer(5), "2025-07-29T08:00:00+08:00", json!({}));
    let early = event("6", "topped-up", &customer(6), "2026-07-30T08:00:00+08:00", json!({}));
    let mut nobody = arrives("7", 7);
    nobody.as_object_mut().expect("an object").remove("subject");
    let odd = event("2", "roaming-entred", &customer(2), "2026-07-29T08:00:00+08:00", json!({}));
    let stranger = event("3", "topped-up", "stranger-77", "2026-07-29T08:00:00+08:00", json!({"amount": 100}));
    let mixed = json!([arrives("8", 8), odd, stranger, stale, early, nobody, arrives("9", 9)]);
    let answer = send(BATCH, &mixed).expect(200);
    assert_eq!(answer["accepted"], 2);
    let refused: Vec<(u64, &str)> = answer["refused"].as_array().expect("a list").iter().map(told).collect();
    let expected = [
        (1, "unknown-event-type"),
        (2, "unknown-customer"),
        (3, "event-too-old"),
        (4, "event-from-the-future"),
        (5, "no-customer"),
    ];
    assert_eq!(refused, expected);
    let hint = answer["refused"][0]["hint"].as_str().expect("a hint");
    assert!(hint.contains("roaming-entered"), "{hint}");
    assert!(!answer.to_string().contains("stranger-77"), "an answer repeats no customer: {answer}");

    // Three thousand times what came before, in one request: known, and nothing follows.
    let again: Vec<Value> = (0..3_000).map(|n| arrives(["1", "8", "9"][n % 3], [1, 8, 9][n % 3])).collect();
    let answer = send(BATCH, &Value::Array(again)).expect(200);
    assert_eq!((&answer["accepted"], &answer["repeated"]), (&json!(0), &json!(3_000)));

    // Nothing good in it is a refusal; so is what its type does not say.
    assert_eq!(send(BATCH, &json!([7, {}])).problem(422), "event-attribute");
    assert_eq!(send(BATCH, &arrives("11", 11)).problem(400), "bad-json");
    assert_eq!(send(SINGLE, &json!([arrives("11", 11)])).problem(400), "bad-json");
    assert_eq!(send("text/plain", &arrives("11", 11)).problem(415), "content-type");
    let broken = server.ask("POST", "/v1/events").token(&sender).body(SINGLE, b"{\"specversion\"").send();
    assert_eq!(broken.problem(400), "bad-json");
    let auditor = token(&server, &administrator, "auditor", PROVINCE);
    let not_sender = server.ask("POST", "/v1/events").token(&auditor).body(SINGLE, b"{}").send();
    assert_eq!(not_sender.problem(403), "not-allowed");

    let kept = server.ask("GET", "/v1/events/batches/2").token(&auditor).send().expect(200);
    assert_eq!(kept["events"].as_array().map(Vec::len), Some(2));
    server.ask("GET", "/v1/events/batches/77").token(&auditor).send().problem(404);
}

fn told(one: &Value) -> (u64, &str) {
    (one["index"].as_u64().expect("a place"), one["code"].as_str().expect("a code"))
}

#[test]
fn a_file_of_events_is_taken_shown_and_decided_again_to_the_same_bytes() {
    let care = at_work();
    let lines: String = (1..=200).map(|n| format!("{}\n", arrives(&n.to_string(), n))).collect();
    let file = care.file("events.ndjson", lines);
    let sent = care.ok("event-source", &["event", "send", &file]);
    assert_eq!((&sent["accepted"], &sent["refused"]), (&json!(200), &json!([])));
    assert!(sent["contacts"].as_u64().is_some_and(|contacts| contacts > 20), "{sent}");
    let again = care.ok("event-source", &["event", "send", &file]);
    assert_eq!((&again["accepted"], &again["repeated"], &again["contacts"]), (&json!(0), &json!(200), &json!(0)));
    let shown = care.ok("auditor", &["event", "show"]);
    assert_eq!((&shown["number"], shown["events"].as_array().map(Vec::len)), (&json!(1), Some(200)));
    let replayed = care.ok("auditor", &["replay", "event-1"]);
    assert_eq!((&replayed["same"], &replayed["events"]), (&json!(true), &json!(200)));
    let bad = care.file("bad.ndjson", format!("{}\n{{\n", arrives("x", 1)));
    assert!(
        care.refused("event-source", &["event", "send", &bad])["message"]
            .as_str()
            .is_some_and(|m| m.contains("line 2"))
    );
    assert_eq!(care.refused("auditor", &["event", "send", &file])["code"], "not-allowed");
    assert_eq!(care.refused("auditor", &["event", "show", "9"])["code"], "unknown-batch");
}

#[test]
fn an_agent_is_shown_what_the_caller_needs_and_an_acceptance_stops_the_message_that_waits() {
    let care = at_work();
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    let agent = "customer-service";
    let asks = |number: usize| care.ok(agent, &["touchpoint", &customer(number), "--topic", "balance"]);
    let needs = (1..200).find(|n| asks(*n)["prompts"].as_array().is_some_and(|prompts| !prompts.is_empty()));
    let number = needs.expect("somebody who is to be reminded");
    let second = asks(number);
    assert_eq!(second["call_today"], 2);
    assert!(second["hint"]["zh"].as_str().is_some_and(|hint| hint.contains("第2次")), "{second}");
    let prompt = &second["prompts"][0];
    let id = prompt["id"].as_str().expect("an id");
    assert!(prompt["script"].as_str().is_some_and(|script| script.contains("余额")), "{prompt}");
    let accepted = care.ok(agent, &["prompt", "accept", id, "--follow-up", "sms"]);
    assert_eq!(accepted["stopped"], 1, "what waited outbound");
    assert!(accepted["follow_up"].is_string());
    assert_eq!(care.refused(agent, &["prompt", "decline", id])["code"], "answered-before");
    assert_eq!(care.refused(agent, &["touchpoint", "nobody"])["code"], "unknown-customer");
    let odd = care.refused(agent, &["touchpoint", &customer(number), "--topic", "balanse"]);
    assert_eq!(odd["code"], "unknown-value");
    assert!(odd.to_string().contains("balance"), "{odd}");
}

#[test]
fn an_alert_without_an_area_and_one_that_cancels_what_never_was_are_refused_and_change_nothing() {
    let care = Care::with_customers(500);
    let places = care.file("places.csv", "adcode,name,longitude,latitude\n513221,汶川,103.58,31.48\n");
    let schema = care_tests::repository().join("examples/places.toml");
    let imported = care.run(OPERATOR, &["table", "import", "places", &places, "--schema", &crate::care::text(&schema)]);
    assert_eq!(imported.code, Some(0), "{}{}", imported.stdout, imported.stderr);
    let alert = |kind: &str, area: &str, references: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
             <identifier>a</identifier><sender>cenc@cea.gov.cn</sender><sent>2026-07-29T07:30:00+08:00</sent>\
             <status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{references}<info>\
             <language>zh-CN</language><category>Geo</category><event>地震</event><urgency>Immediate</urgency>\
             <severity>Extreme</severity><certainty>Observed</certainty>{area}</info></alert>"
        )
    };
    let references = "<references>cenc@cea.gov.cn,never,2026-07-29T07:00:00+08:00</references>";
    for (name, document, code) in [
        ("no-area", alert("Alert", "", ""), "no-area"),
        ("words-only", alert("Alert", "<area><areaDesc>四川</areaDesc></area>", ""), "no-area"),
        ("never-was", alert("Cancel", "", references), "unknown-alert"),
        ("not-xml", "汶川 7.9".to_owned(), "bad-alert"),
    ] {
        let file = care.file(&format!("{name}.xml"), document);
        let refused = care.refused("event-source", &["disaster", "alert", &file]);
        assert_eq!(refused["code"], code, "{name}: {refused}");
    }
    assert_eq!(care.ok("auditor", &["disaster", "list"])["disasters"], json!([]));
    let file =
        care.file("a.xml", alert("Alert", "<area><areaDesc>x</areaDesc><circle>31.5,103.5 50</circle></area>", ""));
    let drafted = care.ok("event-source", &["disaster", "alert", &file]);
    assert_eq!((&drafted["follows"], &drafted["areas"]), (&json!("draft"), &json!(["513221"])));
    assert_eq!(care.outbox(), [], "an alert alone sends nothing");
}
