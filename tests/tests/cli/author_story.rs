//! An author at work without a data folder: cases in the sandbox, a trial on a whole population, and what is told when
//! something is wrong.

use crate::care::{AUTHOR, Care, json, text};
use care_domain::time::parse_date;
use care_engine::GenerateOptions;
use care_engine::author::sample_csv;
use care_tests::{DATE, plugin};
use serde_json::Value;
use std::path::PathBuf;

/// What points-expiry must decide; the second case is wrong on purpose where `WRONG` stands.
const CASES: &str = r#"
today = "2026-07-29"

[[case]]
name = "thirty days before"
row = [
    { points-expiring = 1280, points-expire-on = "2026-08-28", expect = { reason = "expiring", not_before = "2026-07-29T09:00", messages = [{ template = "expiring", points = 1280, expire-on = "2026-08-28" }] } },
    { points-expiring = 499, points-expire-on = "2026-08-28", expect = "nobody" },
    { points-expiring = 1280, expect = "nobody" },
]

[[case]]
name = "another floor"
params = { floor = 100 }
row = { points-expiring = 499, points-expire-on = "2026-08-28", expect = WRONG }
"#;

/// The program with a cache of its own and a made-up population of the day.
struct Author {
    care: Care,
    cache: String,
    sample: PathBuf,
}

impl Author {
    fn new() -> Self {
        let care = Care::bare();
        let mut csv = Vec::new();
        let business_date = parse_date(DATE).expect("a date");
        sample_csv(GenerateOptions { customers: 1_000, seed: 1, business_date }, &mut csv).expect("customers");
        let sample = PathBuf::from(care.file("customers.csv", csv));
        Self { cache: text(&care.path("cache")), care, sample }
    }

    fn simulate(&self, name: &str, more: &[&str]) -> Value {
        self.simulate_on(&text(&self.sample), name, more)
    }

    fn simulate_on(&self, sample: &str, name: &str, more: &[&str]) -> Value {
        let plugin = text(&plugin(name));
        let args = ["plugin", "simulate", &plugin, "--customers", sample, "--date", DATE, "--cache", &self.cache];
        self.care.ok(AUTHOR, &[&args[..], more].concat())
    }

    /// What the cases came to, whether they passed or not.
    fn test(&self, cases: &str) -> Value {
        let (plugin, cases) = (text(&plugin("points-expiry")), self.care.file("cases.toml", cases));
        let ended = self.care.run(AUTHOR, &["plugin", "test", &plugin, "--cases", &cases, "--cache", &self.cache]);
        let answer = json(&ended.stdout);
        assert_eq!(ended.code, Some(if answer["passed"] == true { 0 } else { 1 }), "{answer} {}", ended.stderr);
        answer
    }
}

fn codes(error: &Value) -> Vec<&str> {
    error["findings"].as_array().expect("findings").iter().filter_map(|f| f["code"].as_str()).collect()
}

#[test]
fn cases_run_in_the_sandbox_and_a_wrong_one_shows_the_row_and_what_differs() {
    let author = Author::new();
    let right = author.test(&CASES.replace("WRONG", "{ occasion = 413052, messages = [{ points = 499 }] }"));
    let rows = right["rows"].as_array().expect("rows");
    let decided: Vec<&str> = rows.iter().filter_map(|row| row["decided"].as_str()).collect();
    assert!(decided[0].contains("您有1280分积分将于2026年8月28日到期清零"), "{decided:?}");
    assert_eq!(decided[1..3], ["nobody", "nobody"]);
    let wrong = author.test(&CASES.replace("WRONG", "{ messages = [{ points = 500 }] }"));
    let failed: Vec<&Value> = wrong["rows"].as_array().expect("rows").iter().filter(|r| r["passed"] == false).collect();
    assert_eq!(failed.len(), 1, "{wrong}");
    let failed = failed[0];
    assert_eq!((&failed["case"], &failed["row"], &failed["line"]), (&"another floor".into(), &1.into(), &15.into()));
    assert!(failed["customer"].as_str().is_some_and(|who| who.contains("points-expiring = 499")), "{failed}");
    let difference = &failed["differences"][0];
    assert_eq!((&difference["expected"], &difference["decided"]), (&"500".into(), &"499".into()));
    let nobody = author.test(&CASES.replace("WRONG", "\"nobody\""));
    assert_eq!(nobody["rows"][3]["differences"][0]["what"], "selection", "{nobody}");
}

#[test]
fn a_case_file_that_cannot_mean_anything_is_told_with_its_lines() {
    let author = Author::new();
    let (plugin, cases) = (
        text(&plugin("points-expiry")),
        author.care.file(
            "cases.toml",
            "today = \"2026-07-29\"\n[[case]]\nrow = [\n  { points-expirin = 1, expect = \"nobody\" },\n  { \
             points-expiring = \"1\", expect = \"nobody\" },\n]\n",
        ),
    );
    let error = author.care.refused(AUTHOR, &["plugin", "test", &plugin, "--cases", &cases, "--cache", &author.cache]);
    assert_eq!(codes(&error), ["unknown-field", "case-type"], "{error}");
    let told = error["findings"].to_string();
    for part in ["cases.toml, line 4", "Nearest: points-expiring", "cases.toml, line 5", "the text \\\"1\\\""] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let cases =
        author.care.file("cases.toml", CASES.replace("floor = 100", "flor = 100").replace("WRONG", "\"nobody\""));
    let error = author.care.refused(AUTHOR, &["plugin", "test", &plugin, "--cases", &cases, "--cache", &author.cache]);
    assert_eq!(codes(&error), ["bad-parameter"], "{error}");
}

#[test]
fn a_trial_tells_who_why_what_and_at_what_cost_and_agrees_with_the_evidence_of_the_gate() {
    let author = Author::new();
    let tried = author.simulate("points-expiry", &["--show", "5"])["simulated"].clone();
    let evidence = &tried["evidence"];
    assert_eq!(evidence["customers"], 1_000);
    let who = tried["who"].as_array().expect("candidates");
    assert_eq!(who.len(), 5);
    assert!(who[0]["customer"].as_str().is_some_and(|id| id.starts_with("sample-")), "{}", who[0]);
    let said = who.iter().find(|one| one["verdict"] == "cleared").expect("somebody is cleared");
    assert!(said["messages"][0]["zh"].as_str().is_some_and(|words| words.contains("积分")), "{said}");
    for cost in tried["costs"].as_array().expect("costs") {
        let number = |what: &str| cost[what].as_u64().expect("a number");
        assert!(number("rows") > 0 && number("fuel") > number("rows") && number("memory_bytes") >= 1 << 16, "{cost}");
    }
    let pressure = &evidence["pressure"]["after"];
    assert_eq!(pressure["one_to_three"], evidence["messages"]["sms"], "one message each: {pressure}");

    // The gate simulates the same customers under other pseudonyms: the same are selected, other ones are held out.
    let gate = Care::new();
    gate.ok("operator", &["population", "import", &text(&author.sample), "--mapping", &mapping(&gate), "--date", DATE]);
    let number = gate.push("points-expiry");
    let approved = gate.ok("provincial-approver", &["submission", "simulate", &number]);
    let selected = |evidence: &Value| evidence["scores"].clone();
    assert_eq!(selected(evidence), selected(&approved["evidence"]));
    let regions = |evidence: &Value| -> Vec<(String, Value)> {
        let regions = evidence["regions"].as_object().expect("regions").iter();
        regions.map(|(name, reach)| (name.clone(), reach["selected"].clone())).collect()
    };
    assert_eq!(regions(evidence), regions(&approved["evidence"]));
}

/// A mapping of the three columns that points-expiry reads, and where customers are.
fn mapping(care: &Care) -> String {
    let fields = ["points-expiring", "points-expire-on", "points-redeemed-on", "home-adcode", "visited-adcode"];
    let fields = fields.map(|f| format!("[fields.{f}]\ncolumn = \"{f}\"\nblank = \"absent\"\n")).concat();
    care.file("mapping.toml", format!("format = \"csv\"\nkey = \"customer\"\n{fields}"))
}

#[test]
fn a_trial_is_the_same_every_time_and_warns_of_choosing_nobody_or_everybody() {
    let author = Author::new();
    let without_time = || {
        let mut tried = author.simulate("birthday", &[]);
        let costs = tried["simulated"]["costs"].as_array_mut().expect("costs");
        costs.iter_mut().for_each(|cost| cost["nanoseconds"] = 0.into());
        tried
    };
    assert_eq!(without_time(), without_time());
    let customers = author.care.file("few.csv", "customer,points-expiring,points-expire-on\na,900,2026-08-28\nb,,\n");
    let few = author.simulate_on(&customers, "points-expiry", &[]);
    assert_eq!(few["simulated"]["warnings"], Value::Array(Vec::new()), "{few}");
    for (rows, code) in [("b,,\n", "selects-nobody"), ("a,900,2026-08-28\n", "selects-everybody")] {
        let customers = author.care.file("few.csv", format!("customer,points-expiring,points-expire-on\n{rows}"));
        let tried = author.simulate_on(&customers, "points-expiry", &[]);
        assert_eq!(tried["simulated"]["warnings"][0]["code"], code, "{tried}");
    }
}

#[test]
fn what_a_trial_lacks_is_named_before_anything_runs() {
    let author = Author::new();
    let refused = |name: &str, customers: &str, more: &[&str]| {
        let (plugin, customers) = (text(&plugin(name)), author.care.file("customers.csv", customers));
        let args = ["plugin", "simulate", &plugin, "--customers", &customers, "--cache", &author.cache];
        author.care.refused(AUTHOR, &[&args[..], more].concat())
    };
    let date = ["--date", DATE];
    let error = refused("points-expiry", "customer,points-expirin\na,1\n", &date);
    assert_eq!(codes(&error), ["unknown-field"], "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("Nearest: points-expiring")), "{error}");
    let error = refused("points-expiry", "customer,points-expiring\na,1\n", &date);
    assert!(codes(&error).iter().all(|code| *code == "field-missing"), "{error}");
    assert_eq!(codes(&refused("points-expiry", "customer,points\na,1\n", &[])), ["no-date"]);
    let error = refused("disaster-response", "customer,visited-adcode,home-adcode\na,350200,350200\n", &date);
    assert!(codes(&error).contains(&"table-missing"), "{error}");
    let plugin = text(&plugin("points-expiry"));
    let error = author.care.refused(AUTHOR, &["plugin", "simulate", &plugin, "--cache", &author.cache]);
    assert_eq!(error["code"], "no-customers");
    let error = author.care.refused(AUTHOR, &["plugin", "test", &plugin, "--cache", &author.cache]);
    assert_eq!(error["code"], "no-cases");
}

#[test]
fn a_recorded_trial_is_replayed_and_what_is_decided_otherwise_is_told() {
    let author = Author::new();
    let record = text(&author.care.path("trial.json"));
    author.simulate("points-expiry", &["--record", &record]);
    let plugin = text(&plugin("points-expiry"));
    let replay = ["plugin", "replay", &record, &plugin, "--cache", &author.cache];
    let same = author.care.ok(AUTHOR, &replay);
    assert_eq!((&same["changed"], &same["customers"]), (&Value::Array(Vec::new()), &1_000.into()));
    assert!(same["recorded"].as_u64().is_some_and(|n| n > 0) && same["recorded"] == same["decided"], "{same}");
    let kept = std::fs::read_to_string(&record).expect("a record");
    assert!(kept.contains("expiring"), "it holds what was decided");
    let changed = kept.replace("\"params\": {}", "\"params\": {\"floor\": 100000}");
    assert_ne!(changed, kept);
    std::fs::write(&record, changed).expect("written");
    let ended = author.care.run(AUTHOR, &replay);
    let other = json(&ended.stdout);
    assert_eq!((ended.code, &other["decided"]), (Some(1), &0.into()), "{other}");
    assert_eq!(other["changed"].as_array().map(Vec::len), same["recorded"].as_u64().map(|n| n as usize));
    std::fs::write(&record, "{}").expect("written");
    assert_eq!(author.care.refused(AUTHOR, &replay)["code"], "bad-record");
}
