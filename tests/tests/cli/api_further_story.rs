//! Models, experiments of elsewhere, staff and disasters over HTTP alone, as another system runs them. The command line makes
//! the folder, the first token, and the branch's signature.

use crate::api_rules_story::token;
use crate::api_story::{Province, signed};
use crate::care::{Care, sum};
use crate::http::Reply;
use care_tests::{DATE, EVENING, repository};
use serde_json::{Value, json};

const PRINCIPLES: [&str; 2] = ["proactive", "customer-oriented"];

fn example(name: &str) -> String {
    std::fs::read_to_string(repository().join("examples").join(name)).expect("an example")
}

/// Makes customers up; the population.
fn populate(p: &Province, customers: u32) -> String {
    let people = json!({"customers": customers, "seed": 1, "date": DATE});
    let made = p.post(&p.operator, "/v1/populations/generated", &people, 201);
    made["snapshot"].as_str().expect("a population").to_owned()
}

fn ask(p: &Province, who: &str, path: &str, body: &Value) -> Reply {
    p.server.ask("POST", path).token(who).json(body).send()
}

#[test]
fn a_model_is_uploaded_approved_and_run_and_its_column_is_read() {
    let care = Care::new();
    let (model, activity) = (signed(&care, "package-match"), signed(&care, "balance-reminder"));
    let p = Province::new(&care);
    let base = populate(&p, 2_000);
    let table = json!({"csv": example("packages.csv"), "schema": example("packages.toml")});
    p.server.ask("PUT", "/v1/tables/packages").token(&p.operator).json(&table).send().expect(200);
    let runs = "/v1/models/package-match/runs";
    assert_eq!(ask(&p, &p.operator, runs, &json!({})).problem(404), "unknown-activity");
    let submission = p.pushed(&model);
    p.pushed(&activity);
    let grant = json!({"principles": PRINCIPLES});
    assert_eq!(ask(&p, &p.operator, runs, &json!({})).problem(422), "not-approved", "nobody granted it");
    p.post(&p.approver, &format!("{submission}/approve"), &grant, 200);
    assert_eq!(ask(&p, &p.author, runs, &json!({})).problem(403), "not-allowed");
    assert_eq!(ask(&p, &p.operator, runs, &json!({"params": {"speed": 7}})).problem(422), "bad-parameter");

    let done = p.post(&p.operator, runs, &json!({}), 201);
    assert_eq!((&done["base"], &done["column"]), (&json!(base), &json!("package-match")));
    assert_eq!((&done["customers"], sum(&done["values"]) + sum(&done["faults"])), (&json!(2_000), 2_000), "{done}");
    let derived = done["snapshot"].as_str().expect("a population").to_owned();
    assert_ne!(derived, base);
    let shown = p.get(&p.auditor, &format!("/v1/populations/{derived}"));
    assert_eq!((&shown["fields"]["package-match"], &shown["customers"]), (&json!("ratio"), &json!(2_000)), "{shown}");
    let known = p.get(&p.service, "/v1/customers/FJ000000011");
    assert_eq!(known["population"], derived, "the newest one is asked");
    // On the same base it is the same population; on that with the column there is nothing left to add.
    let again = p.post(&p.operator, runs, &json!({"population": base}), 201);
    assert_eq!(again["snapshot"], derived);
    let twice = ask(&p, &p.operator, runs, &json!({"population": derived}));
    assert_eq!(twice.problem(422), "column-exists");
    let listed = p.get(&p.auditor, "/v1/populations");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(ask(&p, &p.operator, "/v1/campaigns", &json!({"activity": "package-match"})).problem(422), "is-a-model");
}

const ARMS: &str = "who,arm,seen\nFJ000000001,A,1\nFJ000000002,B,0\nFJ000000003,A,0\nFJ000000004,B,1\nnobody,A,1\n";
const MAPPING: &str = "name = \"desk\"\ntitle = { zh = \"台席\", en = \"Desk\" }\nformat = \"csv\"\nkey = \"who\"\n\
    at = \"2026-07-01T09:00:00\"\narm = \"arm\"\ncontrol = \"B\"\n\
    goal = { outcome = \"visited\", window_days = 7, better = \"more\" }\n[campaigns]\ndesk-a = \"A\"\n";

fn import(p: &Province, who: &str, key: &str, mapping: &str, file: &str) -> Reply {
    let part = |name: &str, file: &str, content: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
    };
    let form = part("mapping", "", mapping) + &part("file", "; filename=\"arms.csv\"", file) + "--edge--\r\n";
    let request = p.server.ask("POST", "/v1/experiments").token(who).header("Idempotency-Key", key);
    request.body("multipart/form-data; boundary=edge", form.as_bytes()).send()
}

#[test]
fn an_experiment_of_elsewhere_is_imported_evaluated_and_listed() {
    let care = Care::new();
    signed(&care, "balance-reminder");
    let p = Province::new(&care);
    populate(&p, 500);
    let done = import(&p, &p.operator, "e-1", MAPPING, ARMS).expect(201);
    assert_eq!(
        (&done["experiment"], &done["campaigns"], &done["added"]),
        (&json!("desk"), &json!(["desk-a"]), &json!(4))
    );
    assert_eq!((&done["arms"], &done["rejected"][0]["code"]), (&json!({"A": 2, "B": 2}), &json!("unknown-customer")));
    assert!(!done.to_string().contains("nobody"), "an answer repeats no customer: {done}");
    // Once, whoever asks how often.
    let again = import(&p, &p.operator, "e-1", MAPPING, ARMS);
    assert_eq!((again.status, again.header("idempotent-replayed"), again.json()), (201, Some("true"), done));
    assert_eq!(import(&p, &p.operator, "e-2", MAPPING, ARMS).expect(201)["added"], 0, "another key, the same file");
    let other = ARMS.replace("FJ000000001,A", "FJ000000001,B");
    assert_eq!(import(&p, &p.operator, "e-1", MAPPING, &other).problem(422), "key-reused");
    assert_eq!(import(&p, &p.operator, "e-3", MAPPING, &other).problem(422), "experiment-exists");
    assert_eq!(import(&p, &p.operator, "e-4", "name = 7", ARMS).problem(422), "mapping-schema");
    assert_eq!(import(&p, &p.auditor, "e-5", MAPPING, ARMS).problem(403), "not-allowed");
    let city = token(&p.server, &p.administrator, "operator", "350200");
    assert_eq!(import(&p, &city, "e-6", MAPPING, ARMS).problem(403), "other-region");

    let seen =
        |number: u32| json!({"customer": format!("FJ{number:09}"), "kind": "visited", "at": 1_782_961_200_000_i64});
    let told = json!({"outcomes": [seen(1), seen(4)]});
    assert_eq!(p.post(&p.operator, "/v1/outcomes", &told, 201)["added"], 2);
    let found = p.get(&p.auditor, "/v1/campaigns/desk-a/evaluation");
    assert_eq!((&found["imported"], &found["activity"]), (&json!(true), &json!("desk")));
    assert_eq!((&found["treated"]["count"], &found["treated"]["sum"]), (&json!(2), &json!(1)), "{found}");
    assert_eq!(p.get(&p.auditor, "/v1/experiments")["items"], json!([]), "nobody kept what was found");
    let kept = p.post(&p.approver, "/v1/campaigns/desk-a/evaluations", &json!({}), 201);
    assert!(kept["kept"].is_i64(), "{kept}");
    let listed = p.get(&p.auditor, "/v1/experiments");
    let listed = listed["items"].as_array().expect("items");
    assert_eq!(
        (listed.len(), &listed[0]["campaign"], &listed[0]["control"]["count"]),
        (1, &json!("desk-a"), &json!(2))
    );
}

#[test]
fn staff_are_registered_listed_without_their_numbers_sent_a_test_and_forgotten() {
    let care = Care::new();
    let component = signed(&care, "birthday");
    let p = Province::new(&care);
    populate(&p, 500);
    let li = json!({"name": "li.wei", "msisdn": "13800001234", "email": "li.wei@example.com"});
    assert_eq!(ask(&p, &p.operator, "/v1/staff", &li).problem(403), "not-allowed");
    for (wrong, code) in [
        (json!({"name": "li wei", "msisdn": "13800001234"}), "bad-staff"),
        (json!({"name": "li.wei"}), "bad-staff"),
        (json!({"name": "li.wei", "msisdn": "+86138"}), "bad-staff"),
        (json!({"name": "li.wei", "email": "nowhere"}), "bad-staff"),
        (json!({"name": "li.wei", "phone": "13800001234"}), "bad-body"),
    ] {
        assert_eq!(ask(&p, &p.administrator, "/v1/staff", &wrong).problem(422), code, "{wrong}");
    }
    let made = p.post(&p.administrator, "/v1/staff", &li, 201);
    assert_eq!(made, json!({"name": "li.wei", "seed": false}));
    let seed = json!({"name": "chen.hua", "msisdn": "13900005678", "seed": true});
    p.post(&p.administrator, "/v1/staff", &seed, 201);
    let page = p.get(&p.service, "/v1/staff?limit=1");
    let next = page["next"].as_str().expect("another page");
    let rest = p.get(&p.service, &format!("/v1/staff?limit=1&cursor={next}"));
    let listed = [&page["items"][0], &rest["items"][0]];
    assert_eq!(listed.map(|one| one["name"].as_str()), [Some("chen.hua"), Some("li.wei")]);
    assert_eq!((&listed[1]["msisdn"], &listed[0]["seed"]), (&json!("138******34"), &json!(true)));
    assert!(!format!("{page}{rest}").contains("13800001234"), "numbers are masked");

    let submission = p.pushed(&component);
    let sends = format!("{submission}/test-sends");
    assert_eq!(ask(&p, &p.approver, &sends, &json!({"to": ["nobody"]})).problem(404), "unknown-staff");
    let sent = p.post(&p.approver, &sends, &json!({"to": ["li.wei"], "language": "zh"}), 201);
    assert!(sent["sent"].as_array().is_some_and(|all| !all.is_empty()), "{sent}");
    let asides = p.get(&p.auditor, &sends);
    assert_eq!(asides["items"].as_array().map(Vec::len), sent["sent"].as_array().map(Vec::len));
    let audit = p.get(&p.auditor, "/v1/audit?subject=staff").to_string();
    assert!(audit.contains("staff-registered") && !audit.contains("13800001234"), "{audit}");

    let forget = |name: &str| p.server.ask("DELETE", &format!("/v1/staff/{name}")).token(&p.administrator).send();
    assert_eq!(forget("li.wei").status, 204);
    assert_eq!(forget("li.wei").problem(404), "unknown-staff");
    assert_eq!(p.get(&p.service, "/v1/staff")["items"].as_array().map(Vec::len), Some(1));
}

/// Drafts a disaster around a point; what is wrong is told.
fn drafted(p: &Province) -> String {
    let draft = json!({"name": "汶川地震", "onset": "2026-07-28", "around": [31.0, 103.4], "km": 60});
    assert_eq!(ask(p, &p.operator, "/v1/disasters", &draft).problem(422), "no-places", "nobody knows where places are");
    let places = "adcode,name,longitude,latitude\n513221,汶川,103.58,31.48\n350200,厦门,118.08,24.47\n";
    let table = json!({"csv": places, "schema": example("places.toml")});
    p.server.ask("PUT", "/v1/tables/places").token(&p.operator).json(&table).send().expect(200);
    for (wrong, code) in [
        (json!({"name": "x", "onset": "2026-07-28"}), "no-area"),
        (json!({"name": "x", "onset": "2026-07-28", "around": [91.0, 0.0]}), "bad-area"),
        (json!({"name": "x", "onset": "2026-07-28", "around": [0.0, 0.0], "km": 10}), "no-area"),
        (json!({"name": "x", "onset": "28.7.2026", "areas": ["513221"]}), "bad-body"),
    ] {
        assert_eq!(ask(p, &p.operator, "/v1/disasters", &wrong).problem(422), code, "{wrong}");
    }
    assert_eq!(ask(p, &p.service, "/v1/disasters", &draft).problem(403), "not-allowed");
    let drafted = p.post(&p.operator, "/v1/disasters", &draft, 201);
    assert_eq!((&drafted["state"], &drafted["areas"]), (&json!("draft"), &json!(["513221"])), "{drafted}");
    format!("/v1/disasters/{}", drafted["id"])
}

#[test]
fn a_disaster_is_drafted_by_hand_activated_reported_and_ended() {
    let care = Care::new();
    let component = signed(&care, "disaster-response");
    let p = Province::new(&care);
    populate(&p, 3_000);
    let disaster = drafted(&p);
    let activate = format!("{disaster}/activate");
    let why = json!({"reason": "magnitude 7.9"});
    assert_eq!(ask(&p, &p.duty, &activate, &why).problem(404), "unknown-activity", "nothing is on standby");
    let submission = p.pushed(&component);
    let conditions = json!({"standby": {"areas": ["510000"], "days": 150}});
    p.post(&p.approver, &format!("{submission}/simulations"), &json!({"conditions": conditions}), 201);
    let grant = json!({"conditions": conditions, "principles": PRINCIPLES});
    p.post(&p.approver, &format!("{submission}/approve"), &grant, 200);
    assert_eq!(ask(&p, &p.operator, &activate, &why).problem(403), "not-allowed", "the duty officer's alone");
    let active = p.post(&p.duty, &activate, &why, 200);
    assert_eq!((&active["state"], &active["campaign"]), (&json!("active"), &json!("disaster-response-1")), "{active}");
    assert_eq!(ask(&p, &p.duty, &activate, &why).problem(422), "not-a-draft");

    let plan = p.post(&p.operator, "/v1/plans", &json!({"date": DATE}), 202)["plan"].clone();
    let progress = format!("/v1/plans/{}/progress", plan.as_str().expect("an id"));
    let followed = p.server.ask("GET", &progress).token(&p.auditor).send().text();
    assert!(followed.contains("event: done"), "{followed}");
    let report = p.get(&p.auditor, &format!("{disaster}/report?date={DATE}"));
    assert!(report["customers"].as_u64() >= Some(3), "every thousandth customer is there: {report}");
    assert_eq!((&report["day"], &report["disaster"]["state"]), (&json!(1), &json!("active")));
    let waiting: u64 = report["contacts"].as_object().expect("templates").values().map(sum).sum();
    assert!(waiting > 0, "{report}");

    assert_eq!(ask(&p, &p.operator, &format!("{disaster}/end"), &json!({})).problem(403), "not-allowed");
    let ended = p.post(&p.duty, &format!("{disaster}/end"), &json!({}), 200);
    assert_eq!(ended["withdrawn"].as_u64(), Some(waiting), "nothing of it had gone out");
    assert_eq!(ask(&p, &p.duty, &format!("{disaster}/end"), &json!({})).problem(422), "ended");
    let listed = p.get(&p.auditor, "/v1/disasters")["items"][0].clone();
    assert_eq!((&listed["state"], &listed["name"]), (&json!("ended"), &json!("汶川地震")));
    let evening = care_domain::time::parse_instant(EVENING).expect("an instant");
    assert_eq!(
        p.post(&p.operator, "/v1/dispatch", &json!({"at": evening}), 200)["sent"],
        0,
        "what was withdrawn stays"
    );
    let upheld = json!({"uphold": true, "reason": "a state emergency"});
    let reviewed = p.post(&p.approver, "/v1/standby/disaster-response-1/review", &upheld, 200);
    assert_eq!(reviewed["upheld"], true);
    care.ok("auditor", &["audit", "verify"]);
}
