//! Other systems are told what happens: signed requests to a receiver that checks them with the reference library, fails
//! first, is gone for good, or is not there at all.

use crate::api_rules_story::{administrator, token};
use crate::care::{Care, OPERATOR};
use crate::http::Server;
use crate::sink::{Sink, wait_for};
use care_tests::DATE;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const REGION: &str = "350000";

/// A server, who administers it, and who works with it.
struct World {
    care: Care,
    server: Server,
    administrator: String,
    operator: String,
}

impl World {
    fn new() -> Self {
        let care = Care::with_customers(400);
        let server = Server::start(&care);
        let administrator = administrator(&care);
        let operator = token(&server, &administrator, "operator", REGION);
        Self { care, server, administrator, operator }
    }

    fn register(&self, body: &Value) -> Value {
        let made = self.server.ask("POST", "/v1/webhooks").token(&self.administrator).json(body).send().expect(201);
        assert!(made["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{made}");
        made
    }

    fn hook(&self, registered: &Value, further: &str) -> Value {
        let path = format!("/v1/webhooks/{}{further}", registered["webhook"].as_str().expect("an id"));
        self.server.ask("GET", &path).token(&self.operator).send().expect(200)
    }

    fn ask(&self, method: &str, registered: &Value, further: &str, status: u16) -> Value {
        let path = format!("/v1/webhooks/{}{further}", registered["webhook"].as_str().expect("an id"));
        self.server.ask(method, &path).token(&self.administrator).send().expect(status)
    }
}

/// The ids that came, each with the statuses they were answered with and the types they told of.
fn by_id(log: &[Value]) -> BTreeMap<&str, (Vec<u64>, BTreeSet<&str>)> {
    let mut all: BTreeMap<&str, (Vec<u64>, BTreeSet<&str>)> = BTreeMap::new();
    for line in log {
        let (statuses, types) = all.entry(line["id"].as_str().expect("an id")).or_default();
        statuses.push(line["status"].as_u64().expect("a status"));
        types.insert(line["body"]["type"].as_str().expect("a type"));
    }
    all
}

fn taken<'a>(log: &'a [Value], kind: &str) -> Option<&'a Value> {
    log.iter().find(|line| line["status"] == 200 && line["body"]["type"] == kind)
}

#[test]
fn another_system_hears_of_everything_signed_and_at_least_once_though_it_fails_at_first() {
    let w = World::new();
    let Some(mut sink) = Sink::start(w.care.path("sink.log"), &json!({"busy_first": 2})) else { return };
    let made = w.register(&json!({"url": sink.url, "note": "the CRM"}));
    sink.trust(&made);
    // What another process does is told, too.
    w.care.approve("birthday");
    let start = json!({"activity": "birthday"});
    w.server.ask("POST", "/v1/campaigns").token(&w.operator).json(&start).send().expect(201);
    let plan = w.server.ask("POST", "/v1/plans").token(&w.operator).json(&json!({"date": DATE})).send().expect(202);
    let wanted = [
        "submission.submitted",
        "submission.simulated",
        "submission.approved",
        "submission.activated",
        "campaign.started",
        "plan.opened",
        "plan.released",
    ];
    let log = sink.wait(|log| wanted.iter().all(|kind| taken(log, kind).is_some()));
    assert!(log.iter().all(|line| line["verified"] == true), "every request is signed: {log:?}");
    assert_eq!(taken(&log, "campaign.started").expect("told")["body"]["data"]["campaign"], "birthday-1");
    assert_eq!(taken(&log, "submission.approved").expect("told")["body"]["data"]["submission"], 1);
    let released = taken(&log, "plan.released").expect("told");
    assert_eq!(released["body"]["data"]["plan"], plan["plan"]);
    let ids = by_id(&log);
    assert!(ids.values().all(|(statuses, types)| types.len() == 1 && statuses.last() == Some(&200)), "{ids:?}");
    assert_eq!(ids.values().filter(|(statuses, _)| statuses[0] == 503).count(), 2, "what failed came again: {ids:?}");

    // How it stands, without the secret.
    let shown = wait_for(|| w.hook(&made, ""), |shown| shown["events"]["waiting"].is_null());
    assert_eq!((&shown["state"], &shown["note"]), (&json!("open"), &json!("the CRM")));
    assert_eq!(shown["events"]["delivered"], ids.len());
    assert_eq!((&shown["last"]["status"], &shown["last"]["answer"]), (&json!(200), &json!("HTTP 200")));
    let all = w.hook(&made, "/deliveries?limit=1000");
    let twice = all["items"].as_array().expect("items").iter().filter(|one| one["attempts"] == 2).count();
    assert_eq!(twice, 2, "{all}");
    let secret = made["secret"].as_str().expect("a secret");
    let database = std::fs::read(w.care.data().join("care.db")).expect("the database");
    for kept in [shown.to_string(), all.to_string(), String::from_utf8_lossy(&database).into_owned()] {
        assert!(!kept.contains(&secret[6..]), "a secret is shown once, and kept nowhere");
    }
    again(&w, &mut sink, &made, &all["items"][0]);
    w.care.ok("auditor", &["audit", "verify"]);
}

/// The same event again, and another secret.
fn again(w: &World, sink: &mut Sink, made: &Value, event: &Value) {
    let id = event["event"].as_str().expect("an id");
    let before = sink.log().iter().filter(|line| line["id"] == id).count();
    let path = format!("/deliveries/{}/replay", event["delivery"]);
    w.ask("POST", made, &path, 202);
    sink.wait(|log| log.iter().filter(|line| line["id"] == id).count() == before + 1);
    let renewed = w.ask("POST", made, "/secret", 201);
    assert_ne!(renewed["secret"], made["secret"]);
    sink.trust(&renewed);
    w.ask("POST", made, "/ping", 202);
    let log = sink.wait(|log| taken(log, "webhook.ping").is_some());
    assert_eq!(taken(&log, "webhook.ping").expect("told")["verified"], true, "signed with the new one");
}

/// How long an event that was on its way when its server died stays that server's, and some.
const FREE_AGAIN: Duration = Duration::from_secs(45);

/// Of two events one is answered at once and the other held: the server dies after it asked, before it heard.
#[test]
fn what_was_on_its_way_when_the_server_was_killed_comes_again_under_its_id_and_nothing_is_lost() {
    let mut w = World::new();
    let faults = json!({"hold_every": 2, "hold_s": 8});
    let Some(mut sink) = Sink::start(w.care.path("sink.log"), &faults) else { return };
    let made = w.register(&json!({"url": sink.url}));
    sink.trust(&made);
    w.care.approve("birthday");
    w.care.ok(OPERATOR, &["campaign", "start", "birthday"]);
    let log = sink.wait(|log| log.iter().any(|line| line["status"].is_null()));
    w.server.signal("KILL");
    w.server.end();
    let held: Vec<Value> = log.into_iter().filter(|line| line["status"].is_null()).collect();
    sink.tell(&json!({"faults": {}}));
    // What it knew is on disk: who was asked, and that nobody answered.
    let id = made["webhook"].as_str().expect("an id");
    let before = w.care.ok(OPERATOR, &["webhook", "show", id]);
    let deliveries = before["deliveries"].as_array().expect("deliveries");
    let on_its_way = |event: &Value| deliveries.iter().find(|one| one["event"] == event["id"]).expect("it is known");
    assert!(held.iter().all(|event| on_its_way(event)["state"] == "waiting" && on_its_way(event)["attempts"] == 1));
    let wanted: BTreeSet<String> =
        deliveries.iter().filter_map(|one| Some(one["event"].as_str()?.to_owned())).collect();
    assert!(wanted.len() >= 5, "submitted, simulated, approved, activated, started: {before}");

    w.server = Server::start(&w.care);
    std::thread::sleep(FREE_AGAIN);
    let answered =
        |log: &[Value], id: &str| log.iter().filter(|line| line["id"] == id && line["status"] == 200).count();
    // The sink took what it held, too, though nobody heard it say so: it gets that twice, and knows it by its id.
    let twice = |log: &[Value]| held.iter().all(|one| answered(log, one["id"].as_str().expect("an id")) >= 2);
    let log = sink.wait(|log| twice(log) && wanted.iter().all(|id| answered(log, id) >= 1));
    for one in &held {
        let all: Vec<&Value> = log.iter().filter(|line| line["id"] == one["id"]).collect();
        assert!(all.iter().all(|line| line["body"] == one["body"] && line["verified"] == true), "{all:?}");
    }
    let told: BTreeSet<String> = log.iter().filter_map(|line| Some(line["id"].as_str()?.to_owned())).collect();
    assert_eq!(told, wanted, "nothing is lost, and nothing is made up");
    let shown = wait_for(|| w.hook(&made, ""), |shown| shown["events"]["waiting"].is_null());
    assert_eq!(shown["events"], json!({"delivered": wanted.len()}));
    w.care.ok("auditor", &["audit", "verify"]);
}

#[test]
fn whoever_is_gone_is_told_nothing_more_and_whoever_is_not_there_holds_nobody_up() {
    let w = World::new();
    let Some(mut sink) = Sink::start(w.care.path("sink.log"), &json!({})) else { return };
    let nowhere = w.register(&json!({"url": "http://127.0.0.1:9/hooks", "kinds": ["campaign"]}));
    let made = w.register(&json!({"url": sink.url, "kinds": ["campaign.started", "submission.submitted"]}));
    sink.trust(&made);
    w.care.approve("birthday");
    w.care.ok(OPERATOR, &["campaign", "start", "birthday"]);
    let log = sink.wait(|log| log.len() >= 2);
    let types: BTreeSet<&str> = log.iter().filter_map(|line| line["body"]["type"].as_str()).collect();
    assert_eq!(types, BTreeSet::from(["campaign.started", "submission.submitted"]), "what was asked for alone");
    let waits = wait_for(|| w.hook(&nowhere, ""), |shown| shown["last"]["attempts"].as_u64() >= Some(2));
    assert_eq!((&waits["events"]["waiting"], &waits["last"]["answer"]), (&json!(1), &json!("cannot connect")));
    assert!(waits["last"]["next_at"].is_i64() && waits["last"]["status"].is_null(), "{waits}");
    w.ask("DELETE", &nowhere, "?reason=moved", 204);
    let closed = w.hook(&nowhere, "");
    assert_eq!((&closed["state"], &closed["closed_because"]), (&json!("closed"), &json!("moved")));
    assert_eq!(closed["events"], json!({"dropped": 1}));
    let path = format!("/v1/webhooks/{}/ping", nowhere["webhook"].as_str().expect("an id"));
    let refused = w.server.ask("POST", &path).token(&w.administrator).send();
    assert_eq!(refused.problem(409), "already-closed");

    // It says that it is gone (410): that ends it, by the host's own line in the audit log.
    sink.tell(&json!({"faults": {"status": 410}}));
    w.care.ok(OPERATOR, &["campaign", "stop", "birthday-1"]);
    w.ask("POST", &made, "/ping", 202);
    let closed = wait_for(|| w.hook(&made, ""), |shown| shown["state"] == "closed");
    assert!(closed["closed_because"].as_str().is_some_and(|why| why.contains("410")), "{closed}");
    let subject = format!("webhook {}", made["webhook"].as_str().expect("an id"));
    let lines = w.care.ok("auditor", &["audit", "show", "--subject", &subject]);
    assert_eq!(
        lines["lines"].as_array().and_then(|all| all.last()).map(|line| &line["entry"]["person"]),
        Some(&json!("host"))
    );
    w.care.ok("auditor", &["audit", "verify"]);
}

#[test]
fn an_endpoint_is_registered_by_those_who_may_and_only_where_events_may_go() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let operator = token(&server, &administrator, "operator", REGION);
    let register = |who: &str, body: Value| server.ask("POST", "/v1/webhooks").token(who).json(&body).send();
    assert_eq!(register(&operator, json!({"url": "https://crm.example.com"})).problem(403), "not-allowed");
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "https://user:secret@crm.example.com",
        "http://[fe80::1]/",
        "crm.example.com",
    ] {
        assert_eq!(register(&administrator, json!({"url": url})).problem(422), "bad-url", "{url}");
    }
    let wrong = json!({"url": "https://crm.example.com", "kinds": ["contact"]});
    assert_eq!(register(&administrator, wrong).problem(422), "bad-kind");
    let missing = server.ask("GET", "/v1/webhooks/wh_000000000000").token(&operator).send();
    assert_eq!(missing.problem(404), "unknown-webhook");
    // By the command line, for whoever has no server running yet.
    let made = care.ok("administrator", &["webhook", "add", "http://127.0.0.1:9/", "--kind", "plan"]);
    let id = made["webhook"].as_str().expect("an id");
    assert_eq!(care.ok(OPERATOR, &["webhook", "list"])["webhooks"][0]["webhook"], id);
    care.ok("administrator", &["webhook", "ping", id]);
    assert_eq!(care.refused(OPERATOR, &["webhook", "close", id])["code"], "not-allowed");
    let tried = wait_for(|| care.ok(OPERATOR, &["webhook", "show", id]), |all| all["deliveries"][0]["attempts"] != 0);
    assert_eq!(tried["deliveries"][0]["type"], "webhook.ping");
}
