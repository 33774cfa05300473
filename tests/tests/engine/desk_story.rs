//! Work that people do from a list: calls in calling windows, requests to departments, and what did not arrive and goes
//! on along its chain.

use crate::channels::{configure, counts, planned, smpp, watching};
use crate::peers::smsc;
use crate::support::{self, approved_bytes, day, evening, plan_of, run, started};
use care_domain::approval::Conditions;
use care_domain::contact::{Channel, ContactState};
use care_domain::policy::Class;
use care_domain::time::parse_instant;
use care_engine::{Call, Engine, EngineError, Work, WorkListQuery, work_csv, work_list_csv};
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_tests::{DATE, plugin};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

const DESKS: &str = "[call-list.desk]\nhold_minutes = 30\n[action.desk]\nhold_minutes = 600\n";
const AGENT: &str = "customer-service";

fn at(time: &str) -> i64 {
    parse_instant(&format!("{DATE}T{time}:00+08:00")).expect("an instant")
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, EngineError>, code: &str) {
    match outcome {
        Err(EngineError::Refused(finding)) => assert_eq!(finding.code, code, "{finding}"),
        other => panic!("not refused: {other:?}"),
    }
}

async fn calls(engine: &Engine, count: u64, at: i64) -> Result<Vec<Work>, EngineError> {
    engine.hand_work_out(Channel::CallList, count, AGENT, at).await
}

/// A list filled in: the result of each piece of work, by its place.
fn filled(work: &[Work], results: &[&str]) -> String {
    let lines = work.iter().zip(results).map(|(w, result)| format!("{},{result},\"said, \"\"hm\"\"\"\n", w.contact));
    format!("contact,result,note\n{}", lines.collect::<String>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_handed_out_in_a_window_only_the_most_urgent_first_and_results_become_outcomes() {
    let (_folder, engine) = planned(6_000, &["disaster-response", "birthday"], DESKS).await;
    refused(calls(&engine, 5, at("12:30")).await, "no-window");
    refused(engine.open_calling_window(1, 12, at("12:00"), AGENT, at("12:30")).await, "bad-window");
    let stranger = engine.open_calling_window(1, 12, at("13:30"), "operator", at("12:30")).await;
    assert!(matches!(stranger, Err(EngineError::Refused(_))), "{stranger:?}");
    let (_, holds) = engine.open_calling_window(1, 12, at("13:30"), AGENT, at("12:30")).await.expect("a window");
    assert_eq!(holds, 12);
    refused(engine.open_calling_window(1, 12, at("13:30"), AGENT, at("12:31")).await, "window-open");
    // At noon nobody is called but after a disaster.
    let first = calls(&engine, 10, at("12:31")).await.expect("calls");
    assert!(first.len() == 10 && first.iter().all(|w| w.class == Class::Disaster), "{first:?}");
    assert!(first.iter().all(|w| w.to.starts_with("10") && !w.text.is_empty() && !w.text.contains('{')));
    assert_eq!(calls(&engine, 10, at("12:32")).await.expect("calls").len(), 2, "the window holds twelve");
    refused(calls(&engine, 1, at("12:33")).await, "window-full");
    engine.close_calling_window(AGENT, at("12:34")).await.expect("closed");
    refused(calls(&engine, 1, at("12:35")).await, "no-window");

    let results = ["safe", "unreachable", "possibly-missing", "reached", "flying", "done"];
    let mut csv = filled(&first, &results);
    csv += &format!("{},safe,\nnonsense,safe,\n{},,not yet\n", "00".repeat(16), first[6].contact);
    let done = engine.record_work(Channel::CallList, &csv, AGENT, at("13:00")).await.expect("results");
    assert_eq!((done.recorded, done.repeated), (4, 0), "{done:?}");
    let lines: Vec<u64> = done.rejected.iter().map(|line| line.line).collect();
    assert_eq!(lines, [6, 7, 8, 9], "{done:?}");
    assert!(done.rejected[0].reason.contains("flying") && done.rejected[2].reason.contains("no contact"), "{done:?}");
    // One who was asked said nine of ten; the score is an outcome beside the result, once.
    let score = |said: &str| format!("contact,result,score\n{},reached,{said}\n", first[3].contact);
    let bad = engine.record_work(Channel::CallList, &score("11"), AGENT, at("13:00")).await.expect("results");
    assert!(bad.rejected.len() == 1 && bad.rejected[0].reason.contains("none of 1 to 10"), "{bad:?}");
    for _ in 0..2 {
        let said = engine.record_work(Channel::CallList, &score("9"), AGENT, at("13:00")).await.expect("results");
        assert_eq!((said.repeated, said.rejected.len()), (1, 0), "{said:?}");
    }
    let scores = engine.distribution("satisfied", None, (0, i64::MAX)).await.expect("scores");
    assert_eq!(scores.all.by_value.into_iter().collect::<Vec<_>>(), [(9, 1)]);
    let again = engine.record_work(Channel::CallList, &csv, AGENT, at("13:01")).await.expect("results");
    assert_eq!((again.recorded, again.repeated), (0, 4));
    let other = filled(&first[..1], &["unreachable"]);
    let contradiction = engine.record_work(Channel::CallList, &other, AGENT, at("13:02")).await.expect("results");
    assert!(contradiction.rejected[0].reason.contains("safe"), "{contradiction:?}");
    let report = engine.work_report(day(DATE)).await.expect("a report");
    let figures = &report.calls["disaster-response-1"];
    let expected = [("open", 8), ("possibly-missing", 1), ("reached", 1), ("safe", 1), ("unreachable", 1)];
    assert_eq!(figures.results, expected.map(|(r, n)| (r.to_owned(), n)).into_iter().collect::<BTreeMap<_, _>>());
    assert_eq!(figures.handed_out, 12);

    // What nobody reported on comes back after half an hour, and in the evening others are called too.
    engine.open_calling_window(50, 240, at("21:00"), AGENT, at("20:00")).await.expect("a window");
    let mut rest = Vec::new();
    loop {
        let more = calls(&engine, 500, evening()).await.expect("calls");
        if more.is_empty() {
            break;
        }
        rest.extend(more);
    }
    let again = first[6..].iter().filter(|w| rest.iter().any(|r| r.contact == w.contact)).count();
    assert!(again > 0, "what was handed out and came back");
    assert!(first[..4].iter().all(|w| rest.iter().all(|r| r.contact != w.contact)), "what has a result does not");
    let list = work_csv(&rest);
    assert!(list.starts_with("\u{feff}contact,campaign,") && list.ends_with("\r\n"));
    let back = engine.record_work(Channel::CallList, &list, AGENT, evening()).await.expect("an unfilled list");
    assert_eq!((back.recorded, back.rejected.len()), (0, 0));
    // Two agents never get the same number: nothing is left for another one.
    assert!(calls(&engine, 10, evening()).await.expect("calls").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_takes_its_own_requests_and_says_what_it_did() {
    let (_folder, engine) = planned(6_000, &["disaster-response"], DESKS).await;
    let take = async |who: &str| engine.hand_work_out(Channel::Action, 200, who, evening()).await;
    let list = async |who: &str, standing: Option<&str>, limit: u32| {
        let query = WorkListQuery { standing: standing.map(str::to_owned), limit, ..WorkListQuery::default() };
        engine.work_list(Channel::Action, &query, who, evening()).await
    };
    let all = list("information-systems", None, 1_000).await.expect("a list");
    assert!(all.iter().all(|work| work.standing == "waiting" && work.person.is_none() && !work.customer.is_empty()));
    assert!(list("key-accounts", None, 1_000).await.expect("a list").is_empty(), "these are not theirs");
    refused(list("operator", None, 10).await, "not-allowed");
    refused(list("information-systems", Some("wating"), 10).await, "unknown-standing");
    refused(list("information-systems", None, 0).await, "bad-limit");
    let query = WorkListQuery { after: all[2].place, limit: 2, ..WorkListQuery::default() };
    let page = engine.work_list(Channel::Action, &query, "information-systems", evening()).await.expect("a page");
    assert_eq!(page, all[3..5], "a page goes on after the last of the one before");
    let requests = take("information-systems").await.expect("requests");
    assert!(!requests.is_empty());
    let taken = list("information-systems", Some("handed-out"), 1_000).await.expect("a list");
    assert_eq!((taken.len(), requests.len() <= all.len()), (requests.len(), true));
    assert!(taken.iter().all(|work| work.person.as_deref() == Some("information-systems")));
    for request in &requests {
        let action = serde_json::to_value(&request.action).expect("JSON");
        assert!(action["request"] == "credit-rating" && action["value"] == 9999 || action["request"] == "fee-waiver");
        assert_eq!(request.to, "information-systems");
    }
    assert!(take("key-accounts").await.expect("requests").is_empty(), "these are not theirs");
    refused(take("operator").await, "not-allowed");
    let results: Vec<&str> = requests.iter().map(|_| "done").collect();
    let csv = filled(&requests, &results);
    let done = engine.record_work(Channel::Action, &csv, "information-systems", evening()).await.expect("results");
    assert_eq!(done.recorded, requests.len() as u64, "{done:?}");
    let report = engine.work_report(day(DATE)).await.expect("a report");
    assert_eq!(report.requests["disaster-response-1"].results["done"], done.recorded);
    let sent = counts(&engine, "action").await.get("sent").copied().unwrap_or(0);
    assert_eq!(sent, done.recorded);
    let finished = list("information-systems", Some("done"), 1_000).await.expect("a list");
    assert_eq!(finished.len() as u64, done.recorded);
    let csv = work_list_csv(&finished);
    assert_eq!(csv.lines().count(), finished.len() + 1);
    let line = csv.lines().nth(1).expect("a line");
    let told = ["credit-rating 9999", "fee-waiver"].iter().any(|request| line.contains(request));
    assert!(told && line.contains(",done,") && line.contains("said, \"\"hm\"\""), "{line}");
    let report = engine.daily_report(Some(day(DATE)), None, evening()).await.expect("a report");
    let section = report.sections.iter().find(|s| s.title.contains("Calls and requests")).expect("a section");
    let of = |list: &str, state: &str| -> u64 {
        let rows = section.rows.iter().filter(|row| row[1].contains(list) && row[3].contains(state));
        rows.map(|row| row[4].parse::<u64>().expect("a count")).sum()
    };
    assert_eq!((of("requests", "done"), of("requests", "handed-out")), (done.recorded, 0), "{section:?}");
    assert_eq!(of("requests", "waiting"), (all.len() - requests.len()) as u64, "{section:?}");
    assert!(of("calls", "waiting") > 0, "{section:?}");
}

/// The reminder with the whole chain of S3: SMS, the desk, a call, the store.
fn with_a_chain() -> Vec<u8> {
    let built = fs::read(plugin("balance-reminder")).expect("a built plugin");
    let manifest = manifest_bytes(&built).expect("a component").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["reasons"][0]["channels"] = json!(["sms", "touchpoint", "call-list", "store"]);
    for template in manifest["templates"].as_array_mut().expect("templates") {
        for channel in ["call-list", "store"] {
            template["bodies"][channel] = template["bodies"]["touchpoint"].clone();
        }
    }
    with_manifest(&built, manifest.to_string().as_bytes()).expect("a component")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_did_not_arrive_goes_on_to_the_desk_then_to_a_call_then_to_the_store_and_stays_one_contact() {
    let Some(peer) = smsc(&json!({}), &json!({"mode": "normal", "undelivered_every": 4})) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 3_000).await;
    approved_bytes(&engine, &with_a_chain(), &Conditions::default()).await;
    started(&engine, "balance-reminder", json!({})).await;
    let chain = "[touchpoint.desk]\n[call-list.desk]\n[store.desk]\n[fallback]\non = true\nafter_minutes = { touchpoint = 600 }\n";
    configure(&engine, &(smpp(&peer, "") + chain)).await;
    run(&engine, &plan_of(DATE)).await;
    let contacts = engine.store().contact_states().await.expect("contacts").len();
    let all = counts(&engine, "sms").await["released"];
    watching(&engine, evening(), async |status| {
        status.receipts.delivered + status.receipts.undelivered == all
            && status.channels.get("touchpoint").is_some_and(|t| t.values().sum::<u64>() == status.receipts.undelivered)
    })
    .await;
    let failed = engine.dispatch_status().await.expect("figures").receipts.undelivered;
    assert!(failed > 0 && failed < all, "{failed} of {all}");
    assert_eq!(counts(&engine, "touchpoint").await, BTreeMap::from([("released".to_owned(), failed)]));
    assert_eq!(counts(&engine, "sms").await, BTreeMap::from([("sent".to_owned(), all - failed)]));
    // Ten hours later nobody came to the desk: what is still of use is called.
    let morning = evening() + 12 * 3_600_000;
    let done = engine.dispatch("operator", morning, &|_| true).await.expect("dispatch");
    let waiting = counts(&engine, "call-list").await.get("released").copied().unwrap_or(0);
    assert!(waiting > 0 && waiting + done.expired <= failed, "{waiting} {done:?}");
    engine.open_calling_window(50, 240, morning + 3_600_000, AGENT, morning).await.expect("a window");
    let work = calls(&engine, 500, morning).await.expect("calls");
    assert_eq!(work.len() as u64, waiting.min(500));
    assert_eq!(engine.store().contact_states().await.expect("contacts").len(), contacts, "each stays one contact");
    let one = engine
        .store()
        .contacts_by_id(&[care_domain::contact::ContactId::parse(&work[0].contact).expect("an id")])
        .await;
    let one = one.expect("a contact").remove(0);
    assert_eq!((one.planned.channel, one.via), (Channel::Sms, Channel::CallList), "the ledger counts what was planned");
    // Half of those who are called are not reached: they are spoken to when they come to a store.
    let results: Vec<&str> = (0..work.len()).map(|n| if n % 2 == 0 { "unreachable" } else { "reached" }).collect();
    let noted = engine.record_work(Channel::CallList, &filled(&work, &results), AGENT, morning + 60_000).await;
    assert_eq!(noted.expect("results").recorded, work.len() as u64);
    engine.dispatch("operator", morning + 120_000, &|_| true).await.expect("dispatch");
    let at_store = counts(&engine, "store").await.get("released").copied().unwrap_or(0);
    assert_eq!(at_store, work.len().div_ceil(2) as u64);
    assert_eq!(engine.store().contact_states().await.expect("contacts").len(), contacts, "each stays one contact");
    at_the_store(&engine, morning + 180_000).await;
}

/// What waits for a visit is shown where the customer comes by, and said there once.
async fn at_the_store(engine: &Engine, at: i64) {
    let states = engine.store().contact_states().await.expect("contacts");
    let ids: Vec<_> = states.into_iter().map(|(id, _)| id).collect();
    let contacts = engine.store().contacts_by_id(&ids).await.expect("contacts");
    let waits = contacts.into_iter().find(|c| c.via == Channel::Store).expect("a contact at the store");
    let call = |channel: &str| Call {
        customer: waits.planned.customer.to_string(),
        channel: channel.into(),
        topic: "other".into(),
    };
    let (prompts, shown) = engine.touchpoint(&call("store"), AGENT, at).await.expect("prompts");
    engine.keep_call(&shown).await.expect("kept");
    // The activity itself would speak too, here as on the phone: it is said once.
    let about: Vec<_> = prompts.prompts.iter().filter(|p| p.activity == "balance-reminder").collect();
    let [prompt] = about[..] else { panic!("once: {:?}", prompts.prompts) };
    assert!(!prompt.script.is_empty() && !prompt.script.contains('{'), "{}", prompt.script);
    engine.answer_prompt(&prompt.id, false, None, AGENT, at + 60_000).await.expect("an answer");
    let said = engine.store().contacts_by_id(&[waits.planned.id]).await.expect("the contact").remove(0);
    assert_eq!((said.state, said.via), (ContactState::Sent, Channel::Store), "said, though declined");
    let (again, _) = engine.touchpoint(&call("store"), AGENT, at + 120_000).await.expect("prompts");
    assert!(again.prompts.iter().all(|p| p.id != prompt.id && p.activity != "balance-reminder"), "once");
}
