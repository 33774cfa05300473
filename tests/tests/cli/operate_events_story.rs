//! Operating an installation while events arrive: a backup in the midst of them, a log that names nobody, and the examples
//! that an administrator starts from.

use crate::api_rules_story::{administrator, token};
use crate::care::{Care, OPERATOR, PROVINCE, json as parsed, text};
use crate::http::{Server, request};
use care_tests::{DATE, EVENING, repository};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

const REGION: &str = "350000";
/// The instant of these stories.
const NOW: &str = "2026-07-29T08:00:00+08:00";
const NUMBER: &str = "13800138000";

/// A roaming event about a customer.
fn roams(id: &str, customer: &str) -> Value {
    json!({"specversion": "1.0", "source": "signalling", "id": id, "type": "roaming-entered", "subject": customer,
        "time": NOW, "data": {"visited-adcode": "110000"}})
}

/// Sends them one by one; how many were accepted and how many known.
fn send(address: &str, secret: &str, ids: std::ops::Range<u32>) -> (u64, u64) {
    let (mut accepted, mut repeated) = (0, 0);
    for number in ids {
        let event = roams(&format!("e-{number}"), &format!("FJ{:09}", number % 500 + 1));
        let reply = request(address, "POST", "/v1/events").token(secret).json(&event).send();
        if reply.status == 200 {
            accepted += reply.json()["accepted"].as_u64().unwrap_or_default();
            repeated += reply.json()["repeated"].as_u64().unwrap_or_default();
        }
    }
    (accepted, repeated)
}

#[test]
fn a_backup_in_the_midst_of_events_holds_each_of_them_whole_or_not_at_all() {
    let care = Care::with_customers(1_500);
    for name in ["roaming-tariff", "birthday"] {
        care.approve(name);
        care.ok(OPERATOR, &["campaign", "start", name]);
    }
    let server = Server::start_with(&care, &["--requests-per-second", "100000"]);
    let source = token(&server, &administrator(&care), "event-source", REGION);
    let (before, _) = send(&server.address, &source, 0..60);
    assert!(before > 10, "the sample holds customers who roam");
    let (address, secret) = (server.address.clone(), source.clone());
    let sending = std::thread::spawn(move || send(&address, &secret, 60..500));
    let copy = care.path("copy");
    care.ok("administrator", &["backup", &text(&copy)]);
    let (during, _) = sending.join().expect("sent");

    let other = care.beside("restored");
    other.ok("administrator", &["restore", &text(&copy)]);
    let batches = care_tests::query(other.data(), "care.db", "SELECT COUNT(*) FROM event_batches");
    let batches: u64 = batches.parse().expect("a count");
    assert!(batches > 0);
    // Whatever batch is in it decides there what it decided here.
    let last = care_tests::query(other.data(), "care.db", "SELECT MAX(number) FROM event_batches");
    for number in ["1", last.as_str()] {
        let there = other.ok("auditor", &["replay", &format!("event-{number}")]);
        assert_eq!(there["same"], true, "{there}");
    }
    // The sender, who does not know what is in the copy, sends everything again: each is known or new, none is lost.
    drop(server);
    let restored = Server::start_with(&other, &["--requests-per-second", "100000"]);
    let source = token(&restored, &administrator(&other), "event-source", REGION);
    let (accepted, repeated) = send(&restored.address, &source, 0..500);
    assert_eq!(accepted + repeated, before + during);
    assert!(repeated >= before, "what was acknowledged before the backup is in it");
    let twice = "SELECT COUNT(*) FROM (SELECT activity, customer, occasion, round, ordinal FROM contacts \
                 GROUP BY activity, customer, occasion, round, ordinal HAVING COUNT(*) > 1)";
    assert_eq!(care_tests::query(other.data(), "care.db", twice), "0", "nobody is told twice");
    other.ok("auditor", &["audit", "verify"]);
}

/// What a server logs at its most talkative, after everything that knows a person: events by number, prompts, calls, test
/// messages, an erasure, a webhook.
#[test]
fn a_log_of_events_desk_and_dispatch_holds_nobody() {
    let care = Care::with_campaigns(1_000);
    let log = care.path("server.log");
    let server = Server::start_logging(&care, &log);
    let administrator = administrator(&care);
    let part = |role: &str| token(&server, &administrator, role, REGION);
    let (operator, service, source) = (part("operator"), part("customer-service"), part("event-source"));
    let approver = part("provincial-approver");
    let post = |who: &str, path: &str, body: &Value| server.ask("POST", path).token(who).json(body).send();
    let numbers = care_tests::query(
        care.data(),
        "identities.db",
        "SELECT group_concat(msisdn, ' ') FROM (SELECT msisdn FROM identities LIMIT 40)",
    );
    for (number, msisdn) in numbers.split_whitespace().enumerate() {
        post(&source, "/v1/events", &roams(&format!("n-{number}"), &format!("tel:{msisdn}")));
    }
    post(&source, "/v1/events", &roams("nobody", &format!("tel:{NUMBER}")));
    let first = numbers.split_whitespace().next().expect("a number").to_owned();
    for customer in [format!("tel:{first}"), format!("tel:{NUMBER}"), "FJ000000012".to_owned()] {
        post(&service, "/v1/touchpoints", &json!({"customer": customer, "channel": "hotline", "topic": "bill"}));
    }
    post(&operator, "/v1/plans", &json!({"date": DATE})).expect(202);
    let evening = care_domain::time::parse_instant(EVENING).expect("an instant");
    post(
        &administrator,
        "/v1/staff",
        &json!({"name": "li.wei", "msisdn": "13900139001", "email": "li.wei@example.com"}),
    );
    post(&approver, "/v1/submissions/1/test-sends", &json!({"to": ["li.wei"]}));
    post(&operator, "/v1/dispatch", &json!({"at": evening}));
    let outcome = json!({"customer": "FJ000000013", "kind": "satisfied", "at": evening, "value": "9", "id": "o-1"});
    post(&service, "/v1/outcomes", &json!({"outcomes": [outcome]}));
    let hook = json!({"url": "http://127.0.0.1:9/secret-path-7731"});
    let secret = post(&administrator, "/v1/webhooks", &hook).expect(201)["secret"].as_str().expect("one").to_owned();
    care.ok(OPERATOR, &["campaign", "stop", "birthday-1"]);
    post(&service, "/v1/calls/take", &json!({"count": 5}));
    server.ask("GET", &format!("/v1/customers/tel:{first}/verdicts")).token(&service).send();
    server.ask("GET", &format!("/v1/no-such-thing/{NUMBER}")).token(&service).send();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let people = care_tests::query(
        care.data(),
        "identities.db",
        "SELECT group_concat(msisdn || ' ' || external_id || ' ' || email, ' ') FROM identities",
    );
    drop(server);
    let written = std::fs::read_to_string(&log).expect("a log");
    assert!(written.contains("/v1/events") && written.contains("/v1/touchpoints"), "requests are logged");
    let words: BTreeSet<&str> =
        written.split(|c: char| !(c.is_alphanumeric() || "@._+-".contains(c))).filter(|word| word.len() > 5).collect();
    let mine = ["13900139001", NUMBER, "li.wei@example.com", "secret-path-7731", &secret[6..], operator.as_str()];
    for person in people.split_whitespace().chain(mine) {
        assert!(person.len() < 6 || !words.contains(person), "the log names {person}");
    }
    for part in [NUMBER, "13900139001", &secret[6..], "secret-path-7731"] {
        assert!(!written.contains(part), "the log holds {part}");
    }
}

/// The dashboard asks for nothing that `/metrics` does not tell.
#[test]
fn every_figure_of_the_dashboard_exists() {
    let care = Care::with_customers(1_500);
    care.approve("balance-reminder");
    care.ok(OPERATOR, &["campaign", "start", "balance-reminder"]);
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let outcomes = care.file("outcomes.csv", "customer,kind,at,value\nFJ000000011,satisfied,2026-07-29T21:00:00,9\n");
    care.ok(OPERATOR, &["outcome", "import", &outcomes]);
    let server = Server::start(&care);
    server.ask("GET", "/healthz").send();
    let figures = server.ask("GET", "/metrics").send().text();
    let dashboard = std::fs::read_to_string(repository().join("examples/grafana.json")).expect("a dashboard");
    let asked: BTreeSet<String> = names(&parsed(&dashboard).to_string());
    let told = names(&figures);
    assert!(asked.len() > 5, "{asked:?}");
    let missing: Vec<&String> = asked.difference(&told).collect();
    assert!(missing.is_empty(), "the dashboard asks for {missing:?}, which /metrics does not tell");
}

/// Names of figures in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("care_") && word.len() > 5).map(str::to_owned).collect()
}

/// systemd reads the unit as it is meant, and finds it well confined.
#[test]
fn the_unit_of_the_examples_is_a_sound_one() {
    let care = Care::bare();
    let unit = std::fs::read_to_string(repository().join("examples/care.service")).expect("a unit");
    // Where this program is, rather than where it would be installed.
    let here = unit.replace("/usr/local/bin/care", &text(&care_tests::program()));
    let file = care.file("care.service", here);
    let Ok(checked) = Command::new("systemd-analyze").args(["verify", &file]).output() else {
        eprintln!("SKIPPED: systemd-analyze is not installed here");
        return;
    };
    let told = format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(checked.status.success() && !told.contains("care.service:"), "{told}");
}

#[test]
fn a_submission_names_a_need_and_an_installation_may_ask_for_a_published_one() {
    let care = Care::new();
    let push = |name: &str, further: &[&str]| -> Vec<String> {
        let (file, key) = (text(&care_tests::plugin(name)), care.key());
        let all = [&["plugin", "push", file.as_str(), "--key", key.as_str()][..], further].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    let ok = |args: &[String]| care.ok("branch-author", &args.iter().map(String::as_str).collect::<Vec<_>>());
    let refused = |args: &[String]| {
        care.refused("branch-author", &args.iter().map(String::as_str).collect::<Vec<_>>())["code"].clone()
    };
    // The catalogue entry of its manifest stands for a need that nobody published.
    assert_eq!(ok(&push("birthday", &[]))["need"], Value::Null);
    care.ok("administrator", &["gate", "set", "--published-need", "true", "--reason", "S1: needs first"]);
    assert_eq!(refused(&push("points-expiry", &[])), "no-need");
    let span = ["--from", "2026-07-01T00:00:00", "--until", "2026-08-01T00:00:00"];
    for (number, entry) in ["points-expiry", "green-bill"].into_iter().enumerate() {
        let number = (number + 1).to_string();
        care.ok("customer-service", &[&["need", "open", entry, "--title", entry][..], &span].concat());
        care.ok("customer-service", &["need", "analyse", &number]);
    }
    assert_eq!(refused(&push("points-expiry", &[])), "no-need", "it is not published yet");
    for number in ["1", "2"] {
        care.ok(PROVINCE, &["need", "publish", number]);
    }
    assert_eq!(refused(&push("points-expiry", &["--need", "2"])), "other-need");
    assert_eq!(refused(&push("points-expiry", &["--need", "7"])), "unknown-need");
    let pushed = ok(&push("points-expiry", &[]));
    assert_eq!(pushed["need"], 1, "the published need of its entry");
    assert_eq!(care.ok("auditor", &["need", "show", "1"])["answers"], json!(["points-expiry"]));
    assert_eq!(ok(&push("green-bill", &["--need", "2"]))["need"], 2);
    assert_eq!(ok(&push("points-expiry", &[]))["submission"], pushed["submission"], "the same again changes nothing");
}

/// A population that is sent again under its key is imported once, whatever stands between the parts of the form.
#[test]
fn an_import_that_is_sent_again_is_answered_as_before() {
    let care = Care::new();
    let server = Server::start(&care);
    let operator = token(&server, &administrator(&care), "operator", REGION);
    let mapping = "format = \"csv\"\nkey = \"id\"\n[fields]\nhome-adcode = { column = \"region\" }\n";
    let form = |boundary: &str, rows: &str| {
        let part = |name: &str, file: &str, content: &str| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
        };
        part("date", "", DATE)
            + &part("mapping", "", mapping)
            + &part("file", "; filename=\"people.csv\"", rows)
            + &format!("--{boundary}--\r\n")
    };
    let send = |key: &str, boundary: &str, rows: &str| {
        let kind = format!("multipart/form-data; boundary={boundary}");
        let request = server.ask("POST", "/v1/populations").token(&operator).header("Idempotency-Key", key);
        request.body(&kind, form(boundary, rows).as_bytes()).send()
    };
    let rows = "id,region\nA1,350200\nA2,350100\n";
    let first = send("p-1", "one", rows);
    assert_eq!(first.status, 201, "{}", first.text());
    let again = send("p-1", "two", rows);
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")), "{}", again.text());
    assert_eq!(again.json(), first.json());
    assert_eq!(send("p-1", "one", "id,region\nB1,350200\n").problem(422), "key-reused");
    let lines = care.ok("auditor", &["audit", "show"]);
    let imports = lines["lines"].as_array().expect("lines").iter();
    assert_eq!(imports.filter(|line| line["entry"]["deed"] == "population-imported").count(), 1);
}
