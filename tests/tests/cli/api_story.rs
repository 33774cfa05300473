//! From an empty folder to an evaluated campaign over HTTP alone: how another system starts a campaign with one call, and
//! explains every contact afterwards. The command line makes the folder, the first token, and the branch's signature.

use crate::api_rules_story::{administrator, token};
use crate::care::Care;
use crate::http::Server;
use care_tests::{DATE, EVENING, plugin, repository};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PROVINCE: &str = "350000";

/// A server with a token for every part that somebody plays.
pub(crate) struct Province {
    pub(crate) server: Server,
    pub(crate) administrator: String,
    pub(crate) author: String,
    pub(crate) approver: String,
    pub(crate) operator: String,
    pub(crate) service: String,
    pub(crate) duty: String,
    pub(crate) auditor: String,
}

/// A component as the branch signs it, with the key that it makes the first time.
pub(crate) fn signed(care: &Care, name: &str) -> Vec<u8> {
    let key = crate::care::text(&care.path("branch.key"));
    if !care.path("branch.key").exists() {
        care.ok("operator", &["key", "new", &key]);
    }
    let (file, out) = (crate::care::text(&plugin(name)), care.path(&format!("{name}.signed.wasm")));
    care.ok("operator", &["plugin", "sign", &file, "--key", &key, "--out", &crate::care::text(&out)]);
    std::fs::read(out).expect("a signed component")
}

impl Province {
    /// After the branch made its key.
    pub(crate) fn new(care: &Care) -> Self {
        let server = Server::start(care);
        let administrator = administrator(care);
        let part = |role: &str| token(&server, &administrator, role, PROVINCE);
        let (author, approver, operator) = (part("initiator"), part("provincial-approver"), part("operator"));
        let (service, duty, auditor) = (part("customer-service"), part("duty-officer"), part("auditor"));
        let public = std::fs::read_to_string(care.path("branch.key.pub")).expect("a public half");
        let key = json!({"public": public.trim(), "owner": format!("initiator-{PROVINCE}"), "region": PROVINCE});
        server.ask("POST", "/v1/keys").token(&administrator).json(&key).send().expect(201);
        Self { server, administrator, author, approver, operator, service, duty, auditor }
    }

    /// Uploads a component; the address of its submission.
    pub(crate) fn pushed(&self, component: &[u8]) -> String {
        let upload = self.server.ask("POST", "/v1/activities").token(&self.author);
        let pushed = upload.body("application/wasm", component).send().expect(201);
        format!("/v1/submissions/{}", pushed["submission"])
    }

    pub(crate) fn post(&self, who: &str, path: &str, body: &Value, status: u16) -> Value {
        self.server.ask("POST", path).token(who).json(body).send().expect(status)
    }

    pub(crate) fn get(&self, who: &str, path: &str) -> Value {
        self.server.ask("GET", path).token(who).send().expect(200)
    }

    /// All items of a list.
    fn all(&self, who: &str, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(who, &format!("{path}&limit=1000{cursor}"));
            items.append(page["items"].as_array_mut().expect("items"));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

const CAMPAIGN: &str = "/v1/campaigns/balance-reminder-1";

#[test]
fn from_an_empty_folder_to_an_evaluated_campaign_over_http_alone() {
    let care = Care::new();
    let component = signed(&care, "balance-reminder");
    let p = Province::new(&care);
    let version = approved(&p, &component);
    planned(&p);
    let contacts = sent(&p);
    explained(&p, &contacts[0]);
    evaluated(&p, &contacts);
    audited(&care, &p, &version, contacts.len());
}

/// Customers and a reference table; the branch checks and uploads, the province tries it and approves. The version.
fn approved(p: &Province, component: &[u8]) -> String {
    let people = json!({"customers": 3_000, "seed": 1, "date": DATE});
    let population = p.post(&p.operator, "/v1/populations/generated", &people, 201);
    assert_eq!(population["imported"], 3_000);
    let example = |name: &str| std::fs::read_to_string(repository().join("examples").join(name)).expect("an example");
    let table = json!({"csv": example("disaster-areas.csv"), "schema": example("disaster-areas.toml")});
    let set = p.server.ask("PUT", "/v1/tables/disaster-areas").token(&p.operator).json(&table).send().expect(200);
    assert!(set["rows"].as_u64().is_some_and(|rows| rows > 0), "{set}");

    let wasm = |path: &str| p.server.ask("POST", path).token(&p.author).body("application/wasm", component).send();
    assert_eq!(wasm("/v1/checks").expect(200)["accepted"], true);
    let pushed = wasm("/v1/activities").expect(201);
    let submission = format!("/v1/submissions/{}", pushed["submission"]);
    let simulated = p.post(&p.approver, &format!("{submission}/simulations"), &json!({}), 201);
    assert!(simulated["evidence"]["customers"].as_u64().is_some_and(|seen| seen == 3_000), "{simulated}");
    let grant = json!({"principles": ["proactive", "customer-oriented"]});
    let own = p.server.ask("POST", &format!("{submission}/approve")).token(&p.author).json(&grant).send();
    assert_eq!(own.problem(403), "not-allowed", "whoever wrote it does not approve it");
    p.post(&p.approver, &format!("{submission}/approve"), &grant, 200);
    pushed["version"].as_str().expect("a version").to_owned()
}

/// One call starts a campaign; a plan is asked for and followed.
fn planned(p: &Province) {
    let wish = json!({"activity": "balance-reminder"});
    let estimate = p.post(&p.operator, "/v1/campaigns/estimate", &wish, 200);
    assert!(estimate["verdicts"].as_object().is_some_and(|verdicts| !verdicts.is_empty()), "{estimate}");
    let steep = json!({"activity": "balance-reminder", "ramp": {"shares": [5_000], "days": 1}});
    let refused = p.server.ask("POST", "/v1/campaigns").token(&p.operator).json(&steep).send();
    assert_eq!(refused.problem(422), "bad-ramp");
    let started = p.post(&p.operator, "/v1/campaigns", &wish, 201);
    assert_eq!(started["campaign"], "balance-reminder-1");
    p.post(&p.operator, &format!("{CAMPAIGN}/pause"), &json!({"reason": "not yet"}), 200);
    assert_eq!(p.get(&p.operator, CAMPAIGN)["paused"]["reason"], "not yet");
    p.post(&p.operator, &format!("{CAMPAIGN}/resume"), &json!({}), 200);
    let plan = p.post(&p.operator, "/v1/plans", &json!({"date": DATE}), 202)["plan"].clone();
    let plan = plan.as_str().expect("a plan").to_owned();
    let followed = p.server.ask("GET", &format!("/v1/plans/{plan}/progress")).token(&p.auditor).send();
    assert_eq!((followed.status, followed.header("content-type")), (200, Some("text/event-stream")));
    assert!(followed.text().contains("event: done"), "{}", followed.text());
    let summary = p.get(&p.auditor, &format!("/v1/plans/{plan}"));
    assert_eq!((&summary["released"], &summary["customers"]), (&json!(true), &json!(3_000)));
    let again = p.post(&p.operator, "/v1/plans", &json!({"date": DATE}), 202);
    assert_eq!(again["plan"], plan.as_str(), "the same plan again adds nothing");
}

fn evening() -> i64 {
    care_domain::time::parse_instant(EVENING).expect("an instant")
}

/// What is due goes out; every contact is listed once.
fn sent(p: &Province) -> Vec<Value> {
    let sent = p.post(&p.operator, "/v1/dispatch", &json!({"at": evening()}), 200);
    let contacts = p.all(&p.service, "/v1/contacts?campaign=balance-reminder-1&state=sent");
    assert_eq!(sent["sent"].as_u64(), Some(contacts.len() as u64));
    assert!(contacts.len() > 20, "{} contacts", contacts.len());
    let ids: BTreeSet<&str> = contacts.iter().filter_map(|c| c["contact"].as_str()).collect();
    assert_eq!(ids.len(), contacts.len(), "every contact once");
    contacts
}

/// A contact is explained, and read by whoever may.
fn explained(p: &Province, first: &Value) {
    let (contact, customer) = (first["contact"].as_str().expect("an id"), first["customer"].as_str().expect("a key"));
    let steps = p.get(&p.service, &format!("/v1/contacts/{contact}"))["steps"].clone();
    assert_eq!(steps.as_array().and_then(|steps| steps.last()).map(|step| &step["state"]), Some(&json!("sent")));
    let why = p.get(&p.service, &format!("/v1/customers/{customer}/verdicts"));
    let verdict = &why["plans"][0]["activities"][0];
    assert_eq!((&verdict["verdict"], &verdict["finally"]), (&json!("cleared"), &json!("sent")));
    assert!(verdict["messages"][0]["text"].as_str().is_some_and(|text| !text.is_empty()), "the agent reads it");
    let seen = p.get(&p.operator, &format!("/v1/customers/{customer}/verdicts"));
    assert_eq!(seen["plans"][0]["activities"][0]["messages"][0]["text"], "", "the operator does not");
    let message = p.get(&p.service, &format!("/v1/contacts/{contact}/message"));
    assert!(message["to"].as_str().is_some_and(|to| to.contains('*')), "the number is masked: {message}");
}

/// Outcomes come back, once each; a customer refuses; did it help?
fn evaluated(p: &Province, contacts: &[Value]) {
    let told_at = evening() + 3_600_000;
    let outcome = |c: &Value| json!({"contact": c["contact"], "kind": "topped-up", "at": told_at, "value": "5000"});
    let outcomes: Vec<Value> = contacts.iter().step_by(2).map(outcome).collect();
    let told = json!({"outcomes": outcomes});
    let recorded = p.post(&p.operator, "/v1/outcomes", &told, 201);
    assert_eq!(recorded["added"].as_u64(), Some(outcomes.len() as u64), "{recorded}");
    assert_eq!(p.post(&p.operator, "/v1/outcomes", &told, 201)["repeated"].as_u64(), Some(outcomes.len() as u64));
    let wishes = format!("/v1/customers/{}/wishes", contacts[0]["customer"].as_str().expect("a key"));
    let wish = json!({"wish": "refused", "activity": "balance-reminder", "at": told_at + 3_600_000});
    p.post(&p.service, &wishes, &wish, 201);
    assert_eq!(p.get(&p.service, &wishes)["refused_activities"], json!(["balance-reminder"]));

    let execution = p.get(&p.auditor, &format!("{CAMPAIGN}/execution"));
    assert_eq!(execution["all"]["sent"].as_u64(), Some(contacts.len() as u64));
    let found = p.get(&p.auditor, &format!("{CAMPAIGN}/evaluation?by=region"));
    assert_eq!(found["treated"]["count"].as_u64(), Some(contacts.len() as u64), "{found}");
    let kept = p.post(&p.approver, &format!("{CAMPAIGN}/evaluations"), &json!({}), 201);
    assert!(kept["kept"].as_i64().is_some_and(|number| number > 0), "{kept}");
    assert_eq!(p.get(&p.auditor, &format!("{CAMPAIGN}/evaluations"))["items"].as_array().map(Vec::len), Some(1));
    let stopped = p.post(&p.operator, &format!("{CAMPAIGN}/stop"), &json!({}), 200);
    assert_eq!(stopped["campaign"], "balance-reminder-1");
}

/// All of it stands in the audit log, and in the figures.
fn audited(care: &Care, p: &Province, version: &str, sent: usize) {
    let lines = p.all(&p.auditor, "/v1/audit?subject=campaign%20balance-reminder-1");
    let deeds: Vec<&str> = lines.iter().filter_map(|line| line["entry"]["deed"].as_str()).collect();
    assert_eq!(deeds[..3], ["campaign-started", "campaign-paused", "campaign-resumed"]);
    assert_eq!(deeds.last(), Some(&"campaign-stopped"));
    let verified = p.get(&p.auditor, "/v1/audit/head");
    assert_eq!(verified["head"], care.ok("auditor", &["audit", "verify"])["head"]);
    let figures = p.server.ask("GET", "/metrics").send().text();
    let labels = format!("activity=\"balance-reminder\",version=\"{version}\",channel=\"sms\",state=\"sent\"");
    let counted = format!("care_contacts{{{labels}}} {sent}");
    assert!(figures.lines().any(|line| line == counted), "{counted} is not in\n{figures}");
}
