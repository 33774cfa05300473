//! Wenchuan, 12 May 2008, played with the coordinates and codes of the data: an alert drafts, the duty officer
//! activates, and through three phases everybody who is there is looked after, wherever they live.

use crate::event_story::without_control;
use crate::support::{self, NOW};
use care_domain::approval::Conditions;
use care_domain::disaster::DisasterState;
use care_domain::standby::Standby;
use care_domain::time::{self, DAY_MS};
use care_domain::verdict::Verdict;
use care_engine::{Engine, PlanRequest};
use care_tests::PSEUDONYM_KEY;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const DUTY: &str = "duty-officer";
/// Customers who roam in the area, and others elsewhere.
const THERE: usize = 3_000;
const ELSEWHERE: usize = 1_000;
/// Columns of close contacts.
pub(crate) const CLOSE: usize = 5;

fn data(name: &str) -> Option<PathBuf> {
    let path = care_tests::repository().join("../shared/data/disaster").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no {}", path.display());
    None
}

pub(crate) fn at(text: &str) -> i64 {
    time::parse_instant(text).expect("an instant")
}

/// An alert as the seismological network would send it: identifier, type, references, radius around the epicentre.
fn cap(identifier: &str, kind: &str, references: &str, km: Option<f64>) -> String {
    let references = if references.is_empty() {
        String::new()
    } else {
        format!("<references>cenc@cea.gov.cn,{references},2008-05-12T14:30:00+08:00</references>")
    };
    let circle = km.map_or(String::new(), |km| format!("<circle>31.002,103.322 {km}</circle>"));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
         <identifier>{identifier}</identifier><sender>cenc@cea.gov.cn</sender><sent>2008-05-12T14:30:00+08:00</sent>\
         <status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{references}\
         <info><language>zh-CN</language><category>Geo</category><event>汶川地震</event><urgency>Immediate</urgency>\
         <severity>Extreme</severity><certainty>Observed</certainty><onset>2008-05-12T14:28:00+08:00</onset>\
         <area><areaDesc>四川汶川</areaDesc>{circle}</area></info></alert>"
    )
}

/// The epicentre as the catalogue of earthquakes has it.
fn epicentre_of(quakes: &Path) -> String {
    let text = std::fs::read_to_string(quakes).expect("the catalogue");
    let line = text.lines().find(|line| line.starts_with("05/12/2008,31.002,103.322,7.9")).expect("Wenchuan");
    line.split(',').skip(1).take(2).collect::<Vec<_>>().join(",")
}

/// Number of a customer's close contact, from 0.
pub(crate) fn close_number(i: usize, n: usize) -> String {
    format!("138{n}{i:07}")
}

/// Our customers, all at home in Fujian: the first `there` roam in the counties of the area, in turn. The close contacts
/// that they named are none to five of them, in turn; only their number is a field of the snapshot.
async fn populate(engine: &Engine, folder: &Path, areas: &[String], date: i32, (there, all): (usize, usize)) {
    let counties: Vec<&String> = areas.iter().filter(|code| !code.ends_with("00")).collect();
    let mut csv = String::from("id,number,surname,home,visited,contacts,consent");
    let columns = (0..CLOSE).map(|n| format!("{{ name = \"name{n}\", msisdn = \"number{n}\" }}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    (0..CLOSE).for_each(|n| csv.push_str(&format!(",name{n},number{n}")));
    for i in 0..all {
        let visited = if i < there { counties[i % counties.len()].as_str() } else { "350200" };
        let _ = write!(csv, "\nW{i:05},1390000{i:04},陈,350200,{visited},{},yes", i % 6);
        for n in 0..CLOSE {
            let _ = if n < i % 6 { write!(csv, ",林{n},{}", close_number(i, n)) } else { write!(csv, ",,") };
        }
    }
    let file = folder.join(format!("customers-{date}.csv"));
    std::fs::write(&file, csv).expect("a file");
    let mapping = format!(
        "format = \"csv\"\nkey = \"id\"\n\
        [fields.home-adcode]\ncolumn = \"home\"\n[fields.visited-adcode]\ncolumn = \"visited\"\n\
        [fields.close-contacts]\ncolumn = \"contacts\"\n\
        [fields.consent-commercial]\ncolumn = \"consent\"\nyes = [\"yes\"]\nno = [\"no\"]\n\
        [fields.birth-month]\nvalue = \"5\"\n[fields.birth-day]\nvalue = \"14\"\n\
        [identity]\nsurname = \"surname\"\nmsisdn = \"number\"\nclose-contacts = [{columns}]\n\
        [fields.brand]\nvalue = \"easyown\"\n[fields.tier]\nvalue = \"none\"\n"
    );
    let imported = engine.import_population(&file, &mapping, date, None, ("operator", NOW), |_| ()).await;
    assert_eq!(imported.expect("a population").customers, all as u64);
}

/// An installation with so many customers there, and so many in all.
pub(crate) async fn installation(people: (usize, usize)) -> Option<(TempDir, Engine, Vec<String>)> {
    let (codes, quakes) = (data("china_adcodes_lonlat.csv")?, data("earthquakes-23k.csv")?);
    assert_eq!(epicentre_of(&quakes), "31.002,103.322");
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::init(folder.path(), PSEUDONYM_KEY, NOW).await.expect("a data folder");
    engine.found_rehearsal(NOW).await.expect("people");
    let schema = std::fs::read_to_string(care_tests::repository().join("examples/places.toml")).expect("a schema");
    engine.import_table("places", &codes, &schema, "operator", NOW).await.expect("places");
    let drafted = engine.take_alert(cap("1", "Alert", "", Some(100.0)).as_bytes(), "event-source", NOW).await;
    let drafted = drafted.expect("a draft");
    assert_eq!((drafted.follows, drafted.disasters.as_slice()), ("draft", &[1][..]));
    let counties = drafted.areas.iter().filter(|code| !code.ends_with("00")).count();
    assert_eq!(counties, 25, "county seats within 100 km of the epicentre");
    assert!(drafted.areas.contains(&"513221".to_owned()), "汶川");
    populate(&engine, folder.path(), &drafted.areas, support::day("2008-05-12"), people).await;
    without_control(&engine).await;
    Some((folder, engine, drafted.areas))
}

/// Approves on a day of the story, of which the evidence must be.
pub(crate) async fn approved_then(engine: &Engine, name: &str, conditions: &Conditions) {
    let bytes = std::fs::read(care_tests::plugin(name)).expect("a plugin");
    let signed = support::signed(engine, "branch-author", &bytes);
    let pushed = engine.push(&signed, "branch-author", at("2008-05-12T15:00:00")).await.expect("an upload");
    let what = care_engine::SimulationRequest {
        conditions: conditions.clone(),
        params: serde_json::Map::new(),
        request: support::plan_of("2008-05-12"),
    };
    let by = ("provincial-approver", at("2008-05-12T15:10:00"));
    engine.simulate(pushed.submission, &what, by, Arc::new(|_| true)).await.expect("a simulation");
    let granted = engine.approve(pushed.submission, conditions, &support::care(), by.0, by.1).await;
    granted.expect("an approval");
}

pub(crate) async fn plan(engine: &Engine, date: &str) -> Vec<care_domain::verdict::Decision> {
    let request = PlanRequest::of(support::day(date), 2).expect("a plan");
    let summary = support::run(engine, &request).await;
    support::decisions(engine, &summary.plan).await
}

pub(crate) async fn outcome(engine: &Engine, lines: &str, now: &str) {
    let csv = format!("customer,kind,at,activity\n{lines}");
    let done = engine.import_outcomes(&csv, "customer-service", at(now)).await.expect("outcomes");
    assert_eq!(done.rejected, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_three_phases_everybody_who_is_there_is_looked_after_and_nothing_else_disturbs_them() {
    let Some((folder, engine, areas)) = installation((THERE, THERE + ELSEWHERE)).await else { return };
    let standby = Some(Standby { areas: vec!["510000".into()], days: 150 });
    approved_then(&engine, "disaster-response", &Conditions { standby, ..Conditions::default() }).await;
    approved_then(&engine, "birthday", &Conditions::default()).await;
    support::started(&engine, "birthday", serde_json::json!({})).await;
    // The alert alone sends nothing, and an agent may not activate.
    assert_eq!(engine.disaster(1).await.expect("a draft").state, DisasterState::Draft);
    let afternoon = at("2008-05-12T16:00:00");
    let activate = async |activity: &str, by: &str| {
        engine.activate_disaster(1, activity, (None, "magnitude 7.9 at Wenchuan"), by, afternoon).await
    };
    let refused = activate("disaster-response", "operator").await.expect_err("not the operator");
    assert_eq!(refused.findings()[0].code, "not-allowed");
    let refused = activate("birthday", DUTY).await.expect_err("not on standby");
    assert_eq!(refused.findings()[0].code, "out-of-bounds");
    let active = activate("disaster-response", DUTY).await.expect("activated");
    assert_eq!((active.state, active.campaign.as_deref()), (DisasterState::Active, Some("disaster-response-1")));

    // Rescue: calls to the customer and the close contacts, credit 9999.
    let rescue = plan(&engine, "2008-05-12").await;
    let called = support::with(&rescue, "disaster-response", Verdict::Cleared);
    assert_eq!(called.len(), THERE);
    assert!(called.iter().all(|d| d.reason == "rescue"));
    engine.dispatch("operator", at("2008-05-12T23:00:00"), &|_| true).await.expect("dispatch");
    let lines = support::lines(&support::outbox(folder.path()));
    let of = |channel: &str| lines.iter().filter(|line| line["channel"] == channel).count();
    assert!(of("call-list") >= THERE && of("action") >= THERE, "{} {}", of("call-list"), of("action"));

    // Whoever is safe is left in peace, the unreachable are called again, the dead never.
    let key = |i: usize| engine.key_of(&format!("W{i:05}"));
    let mut heard = String::new();
    for (i, kind) in (0..THERE).map(|i| (i, ["safe", "unreachable", "unreachable", "possibly-missing"][i % 4])) {
        let _ = writeln!(heard, "W{i:05},{kind},2008-05-12T22:00:00+08:00,disaster-response");
    }
    let _ = writeln!(heard, "W00001,deceased,2008-05-13T10:00:00+08:00,disaster-response");
    outcome(&engine, &heard, "2008-05-13T20:00:00").await;
    let report = engine.disaster_report(1, support::day("2008-05-13")).await.expect("a report");
    assert_eq!((report.day, report.customers), (1, THERE as u64));
    assert_eq!(report.outcomes["safe"], 750);
    assert_eq!((report.outcomes["deceased"], report.outcomes["possibly-missing"]), (1, 750));
    let second = plan(&engine, "2008-05-13").await;
    let again = support::with(&second, "disaster-response", Verdict::Cleared);
    assert!(again.iter().all(|d| d.round == 2));
    assert_eq!(again.len(), 1_499, "1,500 unreachable, one of whom died");

    let upheld = engine.review_activation(
        "disaster-response-1",
        true,
        "a state emergency",
        "provincial-approver",
        at("2008-05-13T12:00:00"),
    );
    upheld.await.expect("upheld within 24 hours");

    // The birthday of everybody: held for those who are there, said to those at home; suppressed for the missing.
    let birthday = plan(&engine, "2008-05-14").await;
    let who = |i: usize| support::of(&birthday, key(i))["birthday"];
    assert_eq!((who(0).verdict, who(0).rule.as_str()), (Verdict::Held, "disaster-area"));
    assert_eq!(who(3).verdict, Verdict::Suppressed);
    assert_eq!(who(THERE + 5).verdict, Verdict::Cleared);

    later_phases(&engine, folder.path(), &areas).await;
    ended(&engine).await;
}

/// An update draws the area narrower: what waits for those outside is stopped, the others go through the later phases.
async fn later_phases(engine: &Engine, folder: &Path, areas: &[String]) {
    let narrower = cap("2", "Update", "1", Some(40.0));
    let replaced = engine.take_alert(narrower.as_bytes(), "event-source", at("2008-05-14T12:00:00")).await;
    let replaced = replaced.expect("an update");
    assert_eq!(replaced.follows, "replaced");
    assert!(replaced.areas.len() < areas.len() && replaced.stopped > 0, "{replaced:?}");
    let inside = |code: &str| replaced.areas.iter().any(|area| care_domain::region::covers(area, code));
    let there = areas.iter().filter(|code| !code.ends_with("00") && inside(code)).count();
    let assurance = plan(engine, "2008-05-16").await;
    let told = support::with(&assurance, "disaster-response", Verdict::Cleared);
    assert!(!told.is_empty() && told.iter().all(|d| d.reason == "assurance"), "16 May is the second phase");
    assert!(told.len() <= there * THERE.div_ceil(25), "{} in {there} counties", told.len());
    // Weeks later the same people are still there, as the newest snapshot says.
    populate(engine, folder, areas, support::day("2008-06-01"), (THERE, THERE + ELSEWHERE)).await;
    let relief = plan(engine, "2008-06-01").await;
    let told = support::with(&relief, "disaster-response", Verdict::Cleared);
    assert!(!told.is_empty() && told.iter().all(|d| d.reason == "relief"));
}

/// A cancel ends it: nothing of it is planned any more, and what waits is withdrawn.
async fn ended(engine: &Engine) {
    let end = engine.take_alert(cap("3", "Cancel", "2", None).as_bytes(), "event-source", NOW + DAY_MS).await;
    let end = end.expect("a cancel");
    assert_eq!((end.follows, end.disasters.as_slice()), ("ended", &[1][..]));
    assert!(end.stopped > 0);
    let refused = engine.take_alert(cap("4", "Cancel", "never was", None).as_bytes(), "event-source", NOW).await;
    assert_eq!(refused.expect_err("unknown").findings()[0].code, "unknown-alert");
    let after = plan(engine, "2008-06-02").await;
    assert!(support::with(&after, "disaster-response", Verdict::Cleared).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_makes_no_sense_is_told_so_and_one_that_came_before_changes_nothing() {
    let Some((_folder, engine, _)) = installation((10, 20)).await else { return };
    let refused = async |document: String| {
        let error = engine.take_alert(document.as_bytes(), "event-source", NOW).await.expect_err("refused");
        error.findings()[0].code.clone()
    };
    assert_eq!(refused(cap("5", "Alert", "", None)).await, "no-area");
    assert_eq!(refused(cap("6", "Alert", "", Some(0.001))).await, "no-area");
    assert_eq!(refused("<alert>".into()).await, "bad-alert");
    assert_eq!(refused(String::new()).await, "bad-alert");
    let again = engine.take_alert(cap("1", "Alert", "", Some(100.0)).as_bytes(), "event-source", NOW).await;
    assert_eq!(again.expect("known").follows, "known");
    let drill = cap("7", "Alert", "", Some(100.0)).replace("<status>Actual", "<status>Exercise");
    let drill = engine.take_alert(drill.as_bytes(), "event-source", NOW).await.expect("an exercise");
    assert_eq!(drill.follows, "nothing");
    assert_eq!(engine.disasters().await.expect("disasters").len(), 1);
    let by = engine.take_alert(cap("8", "Alert", "", Some(50.0)).as_bytes(), "auditor", NOW).await;
    assert_eq!(by.expect_err("an auditor").findings()[0].code, "not-allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rescuers_and_customers_whom_the_key_accounts_name_are_looked_after_wherever_they_were_seen_last() {
    let Some((_folder, engine, areas)) = installation((10, 20)).await else { return };
    let standby = Some(Standby { areas: vec!["510000".into()], days: 150 });
    approved_then(&engine, "disaster-response", &Conditions { standby, ..Conditions::default() }).await;
    let expires = support::day("2008-10-01");
    for (list, numbers) in [("rescuers", "number\n13900000015\n"), ("disaster-customers", "number\n13900000016\n")] {
        let kept = engine.import_list(list, numbers, "key accounts", expires, ("key-accounts", NOW)).await;
        assert_eq!(kept.expect("a list").members, 1, "{list}");
    }
    let why = (None, "magnitude 7.9 at Wenchuan");
    engine.activate_disaster(1, "disaster-response", why, DUTY, at("2008-05-12T16:00:00")).await.expect("activated");
    let rescue = plan(&engine, "2008-05-12").await;
    let meant = |i: usize| {
        let all = support::with(&rescue, "disaster-response", Verdict::Cleared);
        all.iter().any(|decision| decision.customer == engine.key_of(&format!("W{i:05}")))
    };
    let there: Vec<usize> = (0..20).filter(|i| meant(*i)).collect();
    assert_eq!(there, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16], "in {} areas, and on the lists", areas.len());
}
