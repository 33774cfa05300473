//! Did it help? Real experiments reproduced to the digit, surveys, receipts, and outcomes that cannot be.

use crate::care::{Care, OPERATOR, json, text};
use care_tests::{DATE, EVENING, plugins, program, repository};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// A public data set that is not part of this repository; says so where it is absent.
fn real(name: &str) -> Option<PathBuf> {
    let path = repository().join("../shared/data").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there; it is a public data set that is not part of this repository", path.display());
    None
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn example(name: &str) -> String {
    text(&repository().join("examples").join(name))
}

#[test]
fn hillstroms_experiment_is_reproduced_to_six_digits_and_its_published_test_to_nine() {
    let Some(table) = real("campaign/hillstrom.csv") else { return };
    let mut run = Command::new("bash");
    run.arg(example("hillstrom.sh")).arg(&table).env("CARE_BIN", program()).env("CARE_PLUGINS", plugins());
    let output = run.output().expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("imported 64000 customers") && said.contains("once more: 0 added"), "{said}");
    let last = json(said.lines().last().expect("a last line"));
    for (campaign, metric, difference, low, high) in [
        ("mens", "visit", 0.076590, 0.069953, 0.083226),
        ("mens", "conversion", 0.006805, 0.005000, 0.008610),
        ("mens", "spend", 0.769827, 0.485149, 1.054505),
        ("womens", "visit", 0.045233, 0.038894, 0.051573),
        ("womens", "conversion", 0.003111, 0.001499, 0.004723),
        ("womens", "spend", 0.424412, 0.168965, 0.679860),
    ] {
        let effect = &last[campaign][metric];
        let found = [&effect["difference"], &effect["ci95"][0], &effect["ci95"][1]].map(number);
        for (found, wanted) in found.into_iter().zip([difference, low, high]) {
            assert!((found - wanted).abs() < 5.1e-7, "{campaign} {metric}: {found}, not {wanted}");
        }
    }
    let (t, p) = (number(&last["mens"]["spend"]["t"]), number(&last["mens"]["spend"]["p"]));
    assert!((t - 5.300_090_294_465_472).abs() < 1e-9, "{t}");
    assert!((p / 1.163_200_872_605_869e-7 - 1.0).abs() < 1e-9, "{p}");
}

#[test]
fn a_survey_of_real_customers_is_counted_score_by_score_and_by_slice() {
    let (Some(table), Some(survey)) = (real("telecom/Telco-Customer-Churn.csv"), real("telecom/telco_ext_status.csv"))
    else {
        return;
    };
    let care = Care::new();
    let mapping = example("telco-churn.toml");
    care.ok(OPERATOR, &["population", "import", &text(&table), "--mapping", &mapping, "--date", DATE]);
    let mapping = example("telco-satisfaction.toml");
    let done = care.ok(OPERATOR, &["outcome", "import", &text(&survey), "--mapping", &mapping]);
    assert_eq!((&done["added"], &done["rejected"]), (&json!(7_043), &json!([])));
    let found = care.ok(OPERATOR, &["outcome", "show", "satisfied", "--by", "churned"]);
    assert_eq!(found["all"]["by_value"], json!({"1": 922, "2": 518, "3": 2_665, "4": 1_789, "5": 1_149}));
    // By slice, as counted from the very files.
    let mut wanted: BTreeMap<(String, String), u64> = BTreeMap::new();
    let churned: BTreeMap<String, String> = cells(&table, &["customerID", "Churn"]).into_iter().collect();
    for (id, score) in cells(&survey, &["Customer ID", "Satisfaction Score"]) {
        *wanted.entry((churned[&id].to_lowercase(), score)).or_default() += 1;
    }
    assert!(wanted.len() > 5, "{wanted:?}");
    for ((slice, score), count) in wanted {
        assert_eq!(found["slices"][&slice]["by_value"][&score], json!(count), "{slice} {score}");
    }
    let error = care.refused(OPERATOR, &["outcome", "show", "satisfied", "--by", "total-charges"]);
    assert_eq!(error["code"], "bad-slice");
}

/// Two columns of a table whose cells hold no quoted commas before them.
fn cells(table: &PathBuf, names: &[&str; 2]) -> Vec<(String, String)> {
    let content = std::fs::read_to_string(table).expect("a table");
    let mut lines = content.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let at = names.map(|name| header.iter().position(|h| h.trim_start_matches('\u{feff}') == name).expect("a column"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[at[0]].to_owned(), cells[at[1]].to_owned())
    };
    lines.map(row).collect()
}

/// One activity whose evening was sent; the ids of the messages with their customers.
fn sent() -> (Care, Vec<(String, String)>) {
    let care = Care::with_customers(4_000);
    care.approve("points-expiry");
    care.ok(OPERATOR, &["campaign", "start", "points-expiry"]);
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let lines = care.outbox();
    let sent = lines.iter().map(|(_, line)| [&line["contact"], &line["customer"]]);
    let sent = sent.map(|pair| pair.map(|v| v.as_str().expect("a text").to_owned()));
    let sent: Vec<(String, String)> = sent.map(|[contact, customer]| (contact, customer)).collect();
    assert!(sent.len() > 10, "{} messages", sent.len());
    (care, sent)
}

#[test]
fn outcomes_that_cannot_be_are_told_by_line_and_nothing_counts_twice() {
    let (care, sent) = sent();
    let [(first, who), (second, _), (third, _), ..] = &sent[..] else { panic!("messages") };
    let night = "2026-07-29T21:00:00+08:00";
    let csv = format!(
        "customer,contact,kind,at,value,unit,activity,id\n\
         ,{first},delivered,{night},,,,\n\
         ,{first},delivered,{night},,,,\n\
         ,00000000000000000000000000000000,delivered,{night},,,,\n\
         ,{second},delivered,2026-07-29T01:00:00+08:00,,,,\n\
         nobody-knows,,paid,{night},100,,,\n\
         {who},,paid,{night},29.99,fen,,\n\
         {who},,paid,{night},29.99,yuan,,r1\n\
         {who},,paid,{night},30.00,yuan,,r1\n\
         {who},,satisfied,{night},11,,,\n\
         {who},,satisfied,{night},9,minutes,,\n\
         {who},,satisfied,{night},9,,,\n\
         {who},,satisfied,{night},8,,,\n\
         {who},,delighted,{night},,,,\n\
         {who},,replied,{night},,,points-expired,\n\
         ,{third},read,{night},,,,\n"
    );
    let file = care.file("outcomes.csv", csv);
    let done = care.ok(OPERATOR, &["outcome", "import", &file]);
    let rejected: Vec<(u64, &str)> = done["rejected"].as_array().expect("lines").iter().map(code_of).collect();
    assert_eq!(
        rejected,
        [
            (4, "unknown-contact"),
            (5, "before-contact"),
            (6, "unknown-customer"),
            (7, "bad-figure"),
            (9, "told-otherwise"),
            (10, "bad-figure"),
            (11, "wrong-unit"),
            (13, "told-otherwise"),
            (14, "unknown-kind"),
            (15, "unknown-activity"),
        ]
    );
    assert_eq!((&done["added"], &done["repeated"]), (&json!(4), &json!(1)), "{done}");
    let again = care.ok(OPERATOR, &["outcome", "import", &file]);
    assert_eq!((&again["added"], &again["repeated"]), (&json!(0), &json!(5)), "{again}");
    let paid = care.ok(OPERATOR, &["evaluate", "points-expiry-1", "--outcome", "paid", "--host-only"]);
    assert_eq!(
        (&paid["treated"]["sum"], &paid["unit"], &paid["measure"]),
        (&json!(2_999), &json!("yuan"), &json!("value"))
    );
    assert!(!done.to_string().contains("nobody-knows"), "a customer's id is repeated: {done}");
}

fn code_of(line: &Value) -> (u64, &str) {
    (line["line"].as_u64().expect("a line"), line["code"].as_str().expect("a code"))
}

#[test]
fn an_execution_adds_up_by_region_tier_and_channel_and_knows_receipts() {
    let (care, sent) = sent();
    let night = "2026-07-29T21:00:00+08:00";
    let mut csv = String::from("contact,kind,at\n");
    for (place, (contact, _)) in sent.iter().enumerate() {
        let kind = if place < 7 { "delivered" } else { "undelivered" };
        csv += &format!("{contact},{kind},{night}\n");
    }
    let done = care.ok(OPERATOR, &["outcome", "import", &care.file("receipts.csv", csv)]);
    assert_eq!(done["added"], json!(sent.len()), "{done}");
    let found = care.ok(OPERATOR, &["execution", "points-expiry-1"]);
    let all = &found["all"];
    assert_eq!((&all["sent"], &all["delivered"]), (&json!(sent.len()), &json!(7)), "{found}");
    assert_eq!((&all["failed"], &all["in_time"]), (&json!(sent.len() - 7), &json!(sent.len())), "{found}");
    assert_eq!(found["cleared"], found["verdicts"]["cleared"]);
    for parts in ["by_region", "by_tier", "by_channel"] {
        let parts = found[parts].as_object().expect("parts");
        assert!(!parts.is_empty());
        for figure in ["planned", "released", "sent", "delivered", "failed", "ended", "in_time"] {
            let sum: u64 = parts.values().map(|part| part[figure].as_u64().expect("a count")).sum();
            assert_eq!(json!(sum), all[figure], "{figure}");
        }
    }
}

#[test]
fn an_evaluation_says_its_sample_its_slices_and_what_it_does_not_know() {
    let (care, _) = sent();
    let csv = text(&care.path("made-up.csv"));
    care.ok(OPERATOR, &["outcome", "simulate", "points-expiry-1", "--from", EVENING, "--out", &csv]);
    care.ok(OPERATOR, &["outcome", "import", &csv]);
    let goal = ["evaluate", "points-expiry-1", "--by", "region", "--detect", "0.01", "--each", "3"];
    let found = care.ok(OPERATOR, &goal);
    assert_eq!((&found["metric"], &found["unit"]), (&json!("redeemed"), &json!("rate")));
    let slices = found["slices"].as_object().expect("slices");
    for arm in ["treated", "control"] {
        let sum: u64 = slices.values().map(|part| part[arm]["count"].as_u64().expect("a count")).sum();
        assert_eq!(json!(sum), found[arm]["count"], "{found}");
    }
    let sample = &found["sample"];
    assert_eq!((&sample["for_difference"], &sample["reached"]), (&json!(0.01), &json!(false)), "{found}");
    let days = found["by_day"]["treated"].as_array().expect("days");
    assert_eq!(days.len(), 30);
    assert!((number(&days[29]) - number(&found["treated_mean"])).abs() < 1e-12, "{found}");
    let worth = number(&found["treated"]["count"]) * number(&found["effect"]["difference"]) * 3.0;
    assert!((number(&found["worth"]) - worth).abs() < 1e-9);
    for (args, code) in [
        (["evaluate", "points-expiry-1", "--outcome", "redemed"], "unknown-outcome"),
        (["evaluate", "points-expiry-1", "--by", "balance"], "bad-slice"),
        (["evaluate", "points-expiry-1", "--window", "401"], "bad-window"),
        (["evaluate", "points-expiry-9", "--outcome", "redeemed"], "unknown-campaign"),
    ] {
        assert_eq!(care.refused(OPERATOR, &args)["code"], code);
    }
}

#[test]
fn an_experiment_of_elsewhere_is_registered_once_and_its_bad_lines_are_told() {
    let care = Care::with_customers(500);
    let csv = "who,arm,seen\nFJ000000001,A,1\nFJ000000002,B,0\nFJ000000003,A,0\nFJ000000004,B,1\nFJ000000004,A,1\n\
               nobody,A,1\nFJ000000005,C,1\n";
    let mapping = "name = \"desk\"\ntitle = { zh = \"台席\", en = \"Desk\" }\nformat = \"csv\"\nkey = \"who\"\n\
                   at = \"2026-07-01T09:00:00\"\narm = \"arm\"\ncontrol = \"B\"\n\
                   goal = { outcome = \"visited\", window_days = 7, better = \"more\" }\n[campaigns]\ndesk-a = \"A\"\n";
    let (file, mapped) = (care.file("arms.csv", csv), care.file("arms.toml", mapping));
    let import = ["experiment", "import", file.as_str(), "--mapping", mapped.as_str()];
    let done = care.ok(OPERATOR, &import);
    assert_eq!((&done["added"], &done["arms"]), (&json!(4), &json!({"A": 2, "B": 2})));
    let rejected: Vec<(u64, &str)> = done["rejected"].as_array().expect("lines").iter().map(code_of).collect();
    assert_eq!(rejected, [(6, "repeated-customer"), (7, "unknown-customer"), (8, "unknown-arm")]);
    assert_eq!(care.ok(OPERATOR, &import)["added"], json!(0));
    let told = "format = \"csv\"\nkey = \"who\"\nat = \"2026-07-02T09:00:00\"\n[[outcomes]]\nkind = \"visited\"\n\
                column = \"seen\"\nis = [\"1\"]\n";
    let told = care.file("told.toml", told);
    // Outside the window of the goal: before the contact, or a week after it.
    let late = "customer,kind,at\nFJ000000003,visited,2026-07-08T09:00:00\nFJ000000003,visited,2026-06-30T09:00:00\n";
    care.ok(OPERATOR, &["outcome", "import", &file, "--mapping", &told]);
    care.ok(OPERATOR, &["outcome", "import", &care.file("late.csv", late)]);
    let found = care.ok(OPERATOR, &["evaluate", "desk-a"]);
    assert_eq!((&found["imported"], &found["activity"]), (&json!(true), &json!("desk")));
    assert_eq!((&found["treated"]["count"], &found["treated"]["sum"]), (&json!(2), &json!(1)), "{found}");
    assert_eq!((&found["control"]["count"], &found["control"]["sum"]), (&json!(2), &json!(1)), "{found}");
    let other = care.file("other.csv", csv.replace("FJ000000001,A", "FJ000000001,B"));
    let error = care.refused(OPERATOR, &["experiment", "import", &other, "--mapping", &mapped]);
    assert_eq!(error["code"], "experiment-exists");
    for wrong in ["nmae = \"x\"\n", "at = \"soon\"\n"] {
        let mapped = care.file("wrong.toml", format!("{wrong}{mapping}"));
        let error = care.refused(OPERATOR, &["experiment", "import", &file, "--mapping", &mapped]);
        assert_eq!(error["code"], "mapping-schema");
    }
    let nobody = care.file("nobody.csv", "who,arm\nnobody,A\n");
    let renamed = care.file("renamed.toml", mapping.replace("name = \"desk\"", "name = \"other\""));
    let error = care.refused(OPERATOR, &["experiment", "import", &nobody, "--mapping", &renamed]);
    assert_eq!(error["code"], "nobody-assigned");
}
