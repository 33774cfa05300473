//! An upgrade in the midst of work: a folder that an earlier schema kept, with campaigns, contacts of which half went out,
//! and events, is opened by today's program. What goes out from then on is what would have gone out without it.

use crate::care::{Care, OPERATOR, sum};
use crate::earlier::{bring_back, scripts};
use crate::http::Server;
use care_tests::{DATE, EVENING};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const EARLY: &str = "2026-07-29T08:30:00+08:00";
const NEXT_DATE: &str = "2026-07-30";
const NEXT_MORNING: &str = "2026-07-30T08:00:00+08:00";
const NEXT_EVENING: &str = "2026-07-30T20:30:00+08:00";
/// The first schema that knew events, and those around the change of how they are known again.
const FURTHER_BACK: [i64; 3] = [9, 12, 13];

/// A folder at work, half of whose contacts went out.
struct Before {
    care: Care,
    /// What was told of events so far.
    events: String,
    /// A token that was made before.
    token: String,
    plan: String,
}

fn half_sent() -> Before {
    let care = Care::with_campaigns(1_500);
    care.approve("roaming-tariff");
    care.ok(OPERATOR, &["campaign", "start", "roaming-tariff"]);
    let made = care.ok("administrator", &["token", "new", "auditor", "--role", "auditor", "--region", "350000"]);
    let plan = care.ok(OPERATOR, &["plan", "run", "--date", DATE])["plan"].as_str().expect("an id").to_owned();
    let roams = |number: u32| {
        json!({"specversion": "1.0", "source": "signalling", "id": format!("e-{number}"), "type": "roaming-entered",
            "subject": format!("FJ{number:09}"), "time": "2026-07-29T07:55:00+08:00", "data": {"visited-adcode": "110000"}})
    };
    let events = care.file("events.json", Value::from_iter((1..200).map(roams)).to_string());
    let told = care.ok("event-source", &["event", "send", &events]);
    assert!(told["accepted"].as_u64() > Some(10) && told["contacts"].as_u64() > Some(0), "{told}");
    let sent = care.ok(OPERATOR, &["dispatch", "--at", EARLY]);
    assert!(sent["sent"].as_u64() > Some(0), "{sent}");
    Before { token: made["secret"].as_str().expect("a secret").to_owned(), events, plan, care }
}

/// Goes on with whatever stands in the folder, for a day and the next. What went out in all, by contact.
fn goes_on(care: &Care, before: &Before) -> BTreeMap<String, Vec<String>> {
    // Whoever opens it first brings it forward: the server.
    let server = Server::start(care);
    let me = server.ask("GET", "/v1/me").token(&before.token).send().expect(200);
    assert_eq!(me["person"], "auditor", "a token of before opens what it opened");
    assert_eq!(server.ask("GET", "/readyz").send().status, 200);
    drop(server);
    let again = care.ok("event-source", &["event", "send", &before.events]);
    assert_eq!(again["accepted"], 0, "an event of before is known again: {again}");
    let replayed = care.ok("auditor", &["replay", &before.plan]);
    let tasks = replayed["tasks"].as_array().expect("tasks");
    assert!(!tasks.is_empty() && tasks.iter().all(|task| task["same"] == true), "{replayed}");
    assert_eq!(care.ok("auditor", &["replay", "event-1"])["same"], true);

    let rest = care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    assert!(rest["sent"].as_u64() > Some(0), "what was left for the evening: {rest}");
    let next = care.ok(OPERATOR, &["--clock", NEXT_MORNING, "plan", "run", "--date", NEXT_DATE]);
    assert!(next["added"].as_u64() > Some(0), "{next}");
    care.ok(OPERATOR, &["--clock", NEXT_MORNING, "dispatch", "--at", NEXT_EVENING]);
    for activity in next["activities"].as_array().expect("activities") {
        assert_eq!(Some(sum(&activity["verdicts"])), activity["selected"].as_u64(), "{activity}");
    }
    care.ok("auditor", &["audit", "verify"]);
    let looked = care.ok("administrator", &["doctor"])["looked"].clone();
    assert!(looked.as_array().expect("all").iter().all(|one| one["health"] != "ill"), "{looked}");

    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (channel, line) in care.outbox() {
        let contact = line["contact"].as_str().expect("an id").to_owned();
        sent.entry(contact).or_default().push(format!("{channel} {line}"));
    }
    sent
}

#[test]
fn what_an_earlier_schema_kept_goes_on_after_an_upgrade_and_nothing_is_sent_twice_or_lost() {
    let before = half_sent();
    let undisturbed = goes_on(&before.care.copy("undisturbed"), &before);
    assert!(undisturbed.values().all(|lines| lines.len() == 1));
    let known: Vec<i64> = scripts("migrations").into_iter().map(|(number, _)| number).collect();
    let previous = known[known.len() - 2];
    for schema in FURTHER_BACK.into_iter().filter(|schema| *schema < previous).chain([previous]) {
        let upgraded = before.care.copy(&format!("schema-{schema}"));
        bring_back(upgraded.data(), schema);
        let at = care_tests::query(upgraded.data(), "care.db", "SELECT MAX(version) FROM _sqlx_migrations");
        assert_eq!(at, schema.to_string(), "what is upgraded is of before");
        let sent = goes_on(&upgraded, &before);
        let at = care_tests::query(upgraded.data(), "care.db", "SELECT MAX(version) FROM _sqlx_migrations");
        assert_eq!(Some(at), known.last().map(i64::to_string), "it was brought forward");
        let twice: Vec<_> = sent.iter().filter(|(_, lines)| lines.len() > 1).collect();
        assert!(twice.is_empty(), "from schema {schema}, sent twice: {twice:?}");
        assert_eq!(sent, undisturbed, "from schema {schema}");
    }
}
