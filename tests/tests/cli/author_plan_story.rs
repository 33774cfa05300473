//! What a plan did with an author's own activity, done again on the author's machine.

use crate::care::{AUTHOR, CARE, Care, OPERATOR, PROVINCE, activity, json, sum, text};
use crate::http::Server;
use care_tests::{example, plugin};
use serde_json::Value;
use std::path::Path;

/// An author of Xiamen, who may see customers of Xiamen alone.
const CITY: &str = "city-author";

/// Machine code that `make test` keeps.
fn cache() -> String {
    let built = example("rust").expect("`make test` builds the example in Rust");
    text(&built.parent().and_then(Path::parent).expect("a build folder").join("author"))
}

/// The festival of Xiamen and the disaster of the province in one plan; its id and the record of the festival's batch.
fn planned(care: &Care) -> (Value, Value) {
    let component = text(&example("rust").expect("`make test` builds the example in Rust"));
    let key = text(&care.data().join("keys").join(format!("{CITY}.key")));
    let number = care.ok(CITY, &["plugin", "push", &component, "--key", &key])["submission"].to_string();
    care.ok("city-reviewer", &["submission", "review", &number, "--note", "ours"]);
    care.ok(PROVINCE, &["submission", "simulate", &number]);
    care.ok(PROVINCE, &["submission", "approve", &number, "--tick", CARE]);
    care.ok(OPERATOR, &["campaign", "start", "local-festival"]);
    care.approve("disaster-response");
    care.ok(OPERATOR, &["campaign", "start", "disaster-response", "--param", "onset=2026-07-28"]);
    let plan = care.ok(OPERATOR, &["plan", "run"]);
    let id = plan["plan"].as_str().expect("an id").to_owned();
    let told = care.ok(CITY, &["plan", "record", &id, "--activity", "local-festival", "--out", "festival.json"]);
    assert_eq!(told["withheld"], Value::Array(Vec::new()), "{told}");
    let record = json(&std::fs::read_to_string(care.path("festival.json")).expect("a record"));
    assert_eq!(record["who"].as_array().map(|who| who.len() as u64), told["customers"].as_u64());
    (plan, record)
}

#[test]
fn an_author_takes_a_batch_of_a_plan_home_and_another_build_is_asked_the_same() {
    let care = Care::with_customers(8_000);
    let (plan, record) = planned(&care);
    let candidates = sum(&activity(&plan, "local-festival")["verdicts"]);
    nothing_tells_who_they_are(&record);
    let cache = cache();
    let replay = |file: &str, component: &str| {
        care.run(AUTHOR, &["plugin", "replay", &text(&care.path(file)), component, "--cache", &cache])
    };
    for language in ["rust", "js", "python"] {
        let Some(component) = example(language) else { continue };
        let ended = replay("festival.json", &text(&component));
        let same = &json(&ended.stdout)["replayed"];
        assert_eq!((ended.code, &same["changed"]), (Some(0), &Value::Array(Vec::new())), "{language}: {same}");
        assert_eq!((same["recorded"].as_u64(), same["decided"].as_u64()), (Some(candidates), Some(candidates)));
    }
    // As another build would: told with what was read, what it was, what the plan made of it, and what it is.
    let mut other = record.clone();
    let tenure = other["customers"]["fields"].as_object().and_then(|f| f.keys().position(|k| k == "tenure-months"));
    let chosen =
        record["who"].as_array().and_then(|who| who.iter().position(|one| one["answer"]["reason"] == "greeting"));
    let (row, column) = (chosen.expect("somebody is greeted"), tenure.expect("it reads the tenure"));
    other["customers"]["rows"][row][column] = 3.into();
    care.file("other.json", other.to_string());
    let ended = replay("other.json", &text(&example("rust").expect("it is built")));
    let changed = json(&ended.stdout)["replayed"]["changed"].take();
    assert_eq!((ended.code, changed.as_array().map(Vec::len)), (Some(1), Some(1)), "{changed}");
    assert_eq!((&changed[0]["read"]["tenure-months"], &changed[0]["now"]), (&3.into(), &Value::Null));
    assert_eq!(changed[0]["before"]["verdict"], record["who"][row]["verdict"], "{changed}");
    let id = plan["plan"].as_str().expect("an id");
    over_http_it_is_the_same(&care, id, &record);
    what_is_not_theirs_stays(&care, id);
}

/// Whoever has no shell where the installation is asks the API.
fn over_http_it_is_the_same(care: &Care, plan: &str, record: &Value) {
    let new = ["token", "new", CITY, "--role", "initiator", "--region", "350200"];
    let secret = care.ok("administrator", &new)["secret"].as_str().expect("a secret").to_owned();
    let server = Server::start(care);
    let path = format!("/v1/plans/{plan}/batches/0/0?activity=local-festival");
    assert_eq!(&server.ask("GET", &path).token(&secret).send().expect(200), record);
    let none = format!("/v1/plans/{plan}/batches/0/9?activity=local-festival");
    assert_eq!(server.ask("GET", &none).token(&secret).send().problem(404), "unknown-batch");
}

/// Customers of Xiamen under numbers, with what the activity reads and nothing more.
fn nothing_tells_who_they_are(record: &Value) {
    let fields: Vec<&String> = record["customers"]["fields"].as_object().expect("fields").keys().collect();
    assert_eq!(fields, ["home-adcode", "points", "stopped", "tenure-months"]);
    let rows = record["customers"]["rows"].as_array().expect("rows");
    assert!(!rows.is_empty() && rows.len() < 8_000, "{} customers", rows.len());
    assert!(rows.iter().all(|row| row[0].as_str().is_some_and(|home| home.starts_with("3502"))), "of Xiamen alone");
    let names = record["who"].as_array().expect("customers").iter().filter_map(|one| one["customer"].as_str());
    for name in names {
        assert!(name.strip_prefix("0/").is_some_and(|row| row.parse::<u32>().is_ok()), "{name} is bucket and row");
    }
    assert!(record["who"].as_array().is_some_and(|who| who.iter().any(|one| one["verdict"][0] == "cleared")));
}

/// Of an activity that somebody else wrote, or of another region, nothing is handed out; nor what is sensitive.
fn what_is_not_theirs_stays(care: &Care, plan: &str) {
    let refused = |who: &str, name: &str| {
        let record = ["plan", "record", plan, "--activity", name, "--out", "stolen.json"];
        let error = care.refused(who, &record);
        assert!(!care.path("stolen.json").exists());
        error
    };
    assert_eq!(refused(AUTHOR, "local-festival")["code"], "not-yours");
    let elsewhere = refused(CITY, "disaster-response");
    assert!(elsewhere["message"].as_str().is_some_and(|told| told.contains("350200 alone")), "{elsewhere}");
    assert!(refused(OPERATOR, "local-festival")["message"].as_str().is_some_and(|m| m.contains("initiator")));
    let unknown = refused(CITY, "local-festivl");
    assert!(unknown["hint"].as_str().is_some_and(|hint| hint.contains("Nearest: local-festival")), "{unknown}");
    let told = care.ok(AUTHOR, &["plan", "record", plan, "--activity", "disaster-response", "--out", "disaster.json"]);
    assert_eq!(told["withheld"], serde_json::json!(["own.last-outcome", "visited-adcode"]), "{told}");
    let record = json(&std::fs::read_to_string(care.path("disaster.json")).expect("a record"));
    assert!(record["customers"]["fields"].get("visited-adcode").is_none());
    assert!(record["tables"][0]["name"] == "disaster-areas", "what it reads of tables comes along");
    let component = text(&plugin("disaster-response"));
    let cache = cache();
    let ended =
        care.run(AUTHOR, &["plugin", "replay", &text(&care.path("disaster.json")), &component, "--cache", &cache]);
    assert_eq!(json(&ended.stdout)["withheld"], told["withheld"]);
    let audit = care.ok("auditor", &["audit", "show"]).to_string();
    assert_eq!(audit.matches("batch-recorded").count(), 3, "who took what home is written down");
}
