//! The loop back: complaints hold a version, findings are followed up, needs become activities, what was learnt is kept,
//! reported and handed to business analysis.

use crate::care::{AUTHOR, Care, OPERATOR, PROVINCE, entries, text};
use care_tests::{DATE, EVENING};
use serde_json::{Value, json};
use std::path::Path;

const DESK: &str = "customer-service";
const NIGHT: &str = "2026-07-29T21:00:00+08:00";

/// One activity whose evening was sent; the customers who were written to.
fn sent(activity: &str) -> (Care, Vec<String>) {
    let care = Care::with_customers(4_000);
    care.approve(activity);
    care.ok(OPERATOR, &["campaign", "start", activity]);
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let to_customers = care.outbox().into_iter().filter(|(_, line)| line["addressee"] == "customer");
    let who: Vec<String> = to_customers.map(|(_, line)| line["customer"].as_str().expect("an id").to_owned()).collect();
    assert!(who.len() >= 20, "{} messages", who.len());
    (care, who)
}

fn complaints(care: &Care, name: &str, who: &[String]) {
    let lines: String = who.iter().map(|who| format!("{who},complained,{NIGHT}\n")).collect();
    let file = care.file(name, format!("customer,kind,at\n{lines}"));
    assert_eq!(care.ok(DESK, &["outcome", "import", &file])["added"], json!(who.len()));
}

fn state(care: &Care) -> Value {
    care.ok(OPERATOR, &["brake", "show"])["versions"][0]["state"].clone()
}

#[test]
fn too_many_complaints_hold_a_version_tell_its_owner_and_are_forgiven_once() {
    let (care, who) = sent("points-expiry");
    assert_eq!(care.refused(OPERATOR, &["brake", "set", "--share", "10%"])["code"], "not-allowed");
    care.ok(PROVINCE, &["brake", "set", "--least", "20", "--share", "10%"]);
    // Somebody who got nothing complains: that is nobody's fault here.
    let mut stranger = 1;
    while who.contains(&format!("FJ{stranger:09}")) {
        stranger += 1;
    }
    complaints(&care, "stranger.csv", &[format!("FJ{stranger:09}")]);
    let allowed = who.len() / 10;
    complaints(&care, "few.csv", &who[..allowed]);
    let shown = care.ok(OPERATOR, &["brake", "show"])["versions"][0].clone();
    assert_eq!((&shown["messages"], &shown["complaints"]), (&json!(who.len()), &json!(allowed)), "{shown}");
    assert_eq!(shown["state"], "active", "the threshold itself is allowed");
    complaints(&care, "more.csv", &who[allowed..allowed + 1]);
    assert_eq!(state(&care), "suspended");
    let notices = care.ok(AUTHOR, &["notices"]);
    assert_eq!(notices["notices"][0]["subject"], "submission 1", "{notices}");
    let line = care.ok("auditor", &["audit", "show", "--subject", "submission 1"]);
    assert!(line.to_string().contains("\"person\":\"host\""), "{line}");
    assert_eq!(care.refused(OPERATOR, &["plan", "run", "--wave", "2"])["code"], "nothing-due");
    care.ok("auditor", &["audit", "verify"]);
    // The province looked at it and lets it go on: what is known by then does not hold it again.
    let resume = ["--clock", "2026-07-30T09:00:00", "submission", "resume", "1", "--reason", "the desk was told"];
    care.ok(PROVINCE, &resume);
    complaints(&care, "late.csv", &who[allowed + 1..allowed + 2]);
    assert_eq!(state(&care), "active");
}

#[test]
fn a_kept_evaluation_opens_a_finding_that_only_a_newer_version_closes() {
    let (care, _) = sent("points-expiry");
    let made_up = text(&care.path("made-up.csv"));
    care.ok(OPERATOR, &["outcome", "simulate", "points-expiry-1", "--from", EVENING, "--out", &made_up]);
    care.ok(OPERATOR, &["outcome", "import", &made_up]);
    let kept = care.ok(OPERATOR, &["evaluate", "points-expiry-1", "--keep"]);
    assert_eq!(kept["kept"], json!(1), "{kept}");
    let what = "Customers with few points do not redeem";
    let open = ["finding", "open", "points-expiry", "--what", what, "--due", "2026-08-31", "--evaluation", "1"];
    assert_eq!(care.refused(OPERATOR, &open)["code"], "not-allowed");
    assert_eq!(care.ok(PROVINCE, &open)["finding"], json!(1));
    assert_eq!(care.ok(AUTHOR, &["notices"])["notices"][0]["subject"], "finding 1");
    let listed = care.ok("auditor", &["finding", "list"])["findings"][0].clone();
    assert_eq!((&listed["owner"], &listed["late"]), (&json!(AUTHOR), &json!(false)), "{listed}");
    for (args, code) in [
        (vec!["finding", "close", "1", "--version", "1.0.0"], "not-mended"),
        (vec!["finding", "close", "1", "--version", "9.0.0"], "unknown-version"),
        (vec!["finding", "close", "7", "--version", "1.0.0"], "unknown-finding"),
        (vec!["finding", "drop", "1"], "no-reason"),
        (vec!["finding", "open", "points-expiry", "--what", "x", "--due", "2026-07-01"], "bad-deadline"),
        (vec!["finding", "open", "points-expiry", "--what", " ", "--due", "2026-09-01"], "no-reason"),
        (
            vec!["finding", "open", "points-expiry", "--what", "x", "--due", "2026-09-01", "--owner", "nobody"],
            "unknown-person",
        ),
        (
            vec!["finding", "open", "points-expiry", "--what", "x", "--due", "2026-09-01", "--evaluation", "9"],
            "unknown-evaluation",
        ),
        (vec!["finding", "open", "points-expire", "--what", "x", "--due", "2026-09-01"], "unknown-version"),
    ] {
        assert_eq!(care.refused(PROVINCE, &args)["code"], code, "{args:?}");
    }
    // A month later it is late, and the meeting hears of it.
    let later = |args: &[&str]| {
        let mut run = care.command();
        run.args(["--json", "--clock", "2026-09-02T09:00:00", "--as", "auditor"]).args(args);
        let output = run.output().expect("care runs");
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    assert_eq!(later(&["finding", "list"])["findings"][0]["late"], json!(true));
    assert!(later(&["report", "monthly"]).to_string().contains("逾期"));
    care.ok(PROVINCE, &["finding", "drop", "1", "--reason", "counted before the window was over"]);
    let again = care.refused(PROVINCE, &["finding", "drop", "1", "--reason", "again"]);
    assert_eq!(again["code"], "decided-once");
    let known = care.ok("auditor", &["knowledge", "show", "points-expiry"])["versions"][0].clone();
    assert_eq!(known["evaluations"][0]["document"]["effect"], kept["effect"], "kept as it was told");
    assert_eq!(known["findings"]["1"]["state"]["state"], "dropped", "{known}");
}

#[test]
fn a_need_is_collected_analysed_published_and_answered() {
    let care = Care::with_customers(2_000);
    let mut csv = String::from("id,source,entry,region,at,score\n");
    for i in 0..40 {
        csv += &format!("c{i},complaint,green-bill,350200,2026-07-{:02}T10:00:00,\n", i % 28 + 1);
    }
    for i in 0..10 {
        csv += &format!("s{i},survey,green-bill,350{}00,2026-07-10T10:00:00,{}\n", i % 2 + 1, 8 - i % 2 * 4);
    }
    csv += "x1,complaint,green-bil,350200,2026-07-01T10:00:00,\nx2,letter,green-bill,350200,2026-07-01T10:00:00,\n\
            x3,survey,green-bill,350200,2026-07-01T10:00:00,11\nx4,complaint,green-bill,Xiamen,2026-07-01T10:00:00,\n\
            x5,complaint,green-bill,350200,soon,\n";
    let file = care.file("records.csv", csv);
    assert_eq!(care.refused(OPERATOR, &["need", "collect", &file])["code"], "not-allowed");
    let done = care.ok(DESK, &["need", "collect", &file]);
    assert_eq!((&done["added"], done["rejected"].as_array().map(Vec::len)), (&json!(50), Some(5)), "{done}");
    assert_eq!(care.ok(DESK, &["need", "collect", &file])["added"], json!(0));
    let span = ["--from", "2026-07-01T00:00:00", "--until", "2026-08-01T00:00:00"];
    let open = |entry: &'static str| {
        ["need", "open", entry, "--title", "话费看不懂"].into_iter().chain(span).collect::<Vec<_>>()
    };
    assert_eq!(care.refused(DESK, &open("green-bil"))["code"], "unknown-entry");
    assert_eq!(care.ok(DESK, &open("green-bill"))["need"], json!(1));
    assert_eq!(care.refused(PROVINCE, &["need", "publish", "1"])["code"], "need-state");
    let found = care.ok(DESK, &["need", "analyse", "1"]);
    let analysis = &found["state"]["analysis"];
    assert_eq!(analysis["volume"], json!({"complaint": 40, "survey": 10}), "{found}");
    assert_eq!((&analysis["mean_score"], &analysis["weak"][0]["region"]), (&json!(6.0), &json!("350200")), "{found}");
    care.push("green-bill");
    care.push("birthday");
    assert_eq!(care.refused(AUTHOR, &["need", "answer", "1", "green-bill"])["code"], "need-state");
    assert_eq!(care.refused(DESK, &["need", "publish", "1"])["code"], "not-allowed");
    care.ok(PROVINCE, &["need", "publish", "1"]);
    assert_eq!(care.refused(AUTHOR, &["need", "answer", "1", "birthday"])["code"], "other-entry");
    care.ok(AUTHOR, &["need", "answer", "1", "green-bill"]);
    assert_eq!(care.refused(AUTHOR, &["need", "answer", "1", "green-bill"])["code"], "already-answered");
    let known = |args: &[&str]| {
        let args: Vec<&str> = ["knowledge", "search"].into_iter().chain(args.iter().copied()).collect();
        let found = care.ok("auditor", &args);
        let names = found["versions"].as_array().expect("versions").iter().map(|v| v["activity"].clone());
        names.collect::<Vec<Value>>()
    };
    assert_eq!(known(&["--need", "1"]), ["green-bill"]);
    assert_eq!(known(&["--category", "human-care"]), ["birthday"]);
    assert_eq!(known(&["--category", "bill-information", "--stage", "decline"]), [] as [&str; 0]);
    assert_eq!(known(&["--text", "生日"]), ["birthday"]);
    assert_eq!(
        care.refused("auditor", &["knowledge", "search", "--category", "human-car"])["code"],
        "unknown-category"
    );
}

#[test]
fn the_daily_report_tells_where_the_customers_of_a_disaster_stand() {
    let care = Care::with_customers(4_000);
    care.approve("disaster-response");
    care.ok(OPERATOR, &["campaign", "start", "disaster-response", "--param", "onset=2026-07-28"]);
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let mut called: Vec<String> = care
        .outbox()
        .into_iter()
        .filter(|(channel, line)| channel == "call-list" && line["addressee"] == "customer")
        .map(|(_, line)| line["customer"].as_str().expect("an id").to_owned())
        .collect();
    called.dedup();
    assert!(called.len() > 3, "{} calls", called.len());
    let mut csv = String::from("customer,kind,at,activity\n");
    for (place, who) in called.iter().enumerate() {
        let kind = if place < 2 { "unreachable" } else { "safe" };
        csv += &format!("{who},{kind},{NIGHT},disaster-response\n");
    }
    // The second was reached in the end: the last thing that was heard counts.
    csv += &format!("{},safe,2026-07-29T22:00:00+08:00,disaster-response\n", called[1]);
    care.ok(DESK, &["outcome", "import", &care.file("calls.csv", csv)]);
    let page = text(&care.path("daily.html"));
    let report = care.ok("auditor", &["report", "daily", "--date", DATE, "--page", &page]);
    let sections = report["sections"].as_array().expect("sections");
    let stands = sections.iter().find(|s| s["title"].as_str().is_some_and(|t| t.contains("stand"))).expect("a section");
    let rows = stands["rows"].as_array().expect("rows");
    let of = |state: &str| rows.iter().find(|r| r[1].as_str().is_some_and(|s| s.contains(state))).map(|r| r[2].clone());
    assert_eq!(of("unreachable"), Some(json!("1")), "{stands}");
    assert_eq!(of("safe"), Some(json!((called.len() - 1).to_string())), "{stands}");
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.starts_with("<!doctype html>") && html.contains("安全") && !html.contains("<script"), "{html}");
    let nothing = care.ok("auditor", &["report", "daily", "--date", "2026-07-01"]);
    assert_eq!(nothing["sections"][0]["rows"][0][2], "0", "{nothing}");
    let error = care.refused("auditor", &["report", "daily", "--activity", "disaster"]);
    assert_eq!(error["code"], "unknown-activity");
}

#[test]
fn everything_leaves_for_business_analysis_but_who_somebody_is() {
    let (care, who) = sent("points-expiry");
    complaints(&care, "complaints.csv", &who[..2]);
    let folder = care.path("bi");
    let done = care.ok("auditor", &["export", &text(&folder)]);
    assert_eq!(done["csv"], done["parquet"], "{done}");
    let plan = care.ok(OPERATOR, &["plan", "show"]);
    assert_eq!(done["csv"]["decisions"], plan["totals"]["candidates"], "{done}");
    assert_eq!(
        (&done["csv"]["contacts"], &done["csv"]["outcomes"]),
        (&json!(care.outbox().len()), &json!(2)),
        "{done}"
    );
    for path in entries(&folder) {
        let bytes = std::fs::read(&path).expect("a file");
        match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => csv_is_sound(&care, &path, &bytes, &done),
            Some("parquet") => assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{}", path.display()),
            other => panic!("{other:?} in {}", path.display()),
        }
    }
}

fn csv_is_sound(care: &Care, path: &Path, bytes: &[u8], done: &Value) {
    let content = std::str::from_utf8(bytes).expect("UTF-8");
    assert!(content.starts_with('\u{feff}'), "{}: Excel needs the mark", path.display());
    let name = path.file_stem().and_then(|n| n.to_str()).expect("a name");
    assert_eq!(json!(content.lines().count() - 1), done["csv"][name], "{name}");
    for (_, line) in care.outbox() {
        for told in ["to", "customer", "text"] {
            let told = line[told].as_str().expect("a text");
            assert!(told.len() < 8 || !content.contains(told), "{name} tells {told}");
        }
    }
}
