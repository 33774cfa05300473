//! Bad input ends in a clear refusal with its code, and nothing half-written.

use crate::care::{Care, OPERATOR, PROVINCE, entries, json};
use care_tests::{DATE, plugin};
use serde_json::{Value, json};
use std::path::Path;

/// A mapping of a small table onto three fields.
const MAPPING: &str = r#"
format = "csv"
key = "id"
[fields.tenure-months]
column = "tenure"
[fields.monthly-charges]
column = "charges"
unit = "yuan"
[fields.paperless-bill]
column = "paperless"
yes = ["Yes"]
no = ["No"]
"#;
const GOOD: &str = "id,tenure,charges,paperless\na,1,10.5,Yes\nb,2,20,No\n";

/// What a data folder holds and shows.
#[derive(Debug, PartialEq)]
struct Held {
    /// Every file but the databases, whose log grows with every opening.
    files: Vec<(String, u64)>,
    shown: Vec<Value>,
}

/// What there is to compare before and after a refusal.
fn held(care: &Care) -> Held {
    let shows: [&[&str]; 8] = [
        &["population", "show"],
        &["table", "show"],
        &["list", "show"],
        &["policy", "show"],
        &["plugin", "list"],
        &["submission", "list"],
        &["campaign", "show"],
        &["plan", "show", "--all"],
    ];
    let shown = shows.iter().map(|show| care.ok(OPERATOR, show)).collect();
    let mut files = Vec::new();
    list(care.data(), &mut files);
    Held { files, shown }
}

fn list(folder: &Path, files: &mut Vec<(String, u64)>) {
    for path in entries(folder) {
        if path.is_dir() {
            list(&path, files);
        } else if !path.display().to_string().contains(".db") {
            files.push((path.display().to_string(), path.metadata().expect("a file").len()));
        }
    }
}

/// Runs what must be refused with a code, and leave everything as it was.
pub(crate) fn refused_without_a_trace(care: &Care, who: &str, args: &[&str], code: &str) {
    let before = held(care);
    let error = care.refused(who, args);
    let findings = error["findings"].as_array().expect("findings");
    let is_it = |finding: &Value| finding["code"] == code;
    assert!(error["code"] == code || findings.iter().any(is_it), "care {args:?}: not {code} but {error}");
    let after = held(care);
    assert_eq!(after.files, before.files, "care {args:?} left a file behind");
    assert!(after == before, "care {args:?} changed what is shown");
}

#[test]
fn a_population_that_cannot_be_read_is_refused_with_the_reason() {
    let care = Care::new();
    let mapping = care.file("good.toml", MAPPING);
    let missing = care.path("no-such.csv").display().to_string();
    let unknown = care.file("unknown.toml", MAPPING.replace("\"tenure\"", "\"tenur\""));
    let field = care.file("field.toml", MAPPING.replace("[fields.tenure-months]", "[fields.tenure-month]"));
    let broken = care.file("broken.toml", "format = csv");
    let good = care.file("good.csv", GOOD);
    let cases = [
        (missing, &mapping, "missing"),
        (care.file("empty.csv", ""), &mapping, "empty"),
        (care.file("header.csv", "id,tenure,charges,paperless\n"), &mapping, "empty"),
        (care.file("semicolons.csv", GOOD.replace(',', ";")), &mapping, "delimiter"),
        (care.file("no-keys.csv", "id,tenure,charges,paperless\n,1,2,Yes\n"), &mapping, "no-rows"),
        (good.clone(), &unknown, "unknown-column"),
        (good.clone(), &field, "unknown-field"),
        (good, &broken, "mapping-schema"),
    ];
    for (file, mapping, code) in &cases {
        refused_without_a_trace(&care, OPERATOR, &["population", "import", file, "--mapping", mapping], code);
    }
}

#[test]
fn a_file_with_too_many_bad_rows_is_refused_and_with_fewer_its_bad_cells_are_listed() {
    let care = Care::new();
    let mapping = care.file("mapping.toml", MAPPING);
    let bad =
        care.file("bad.csv", "id,tenure,charges,paperless\na,one,10.5,Yes\nb,2,20,perhaps\na,3,30,No\nc,4,40,No\n");
    let import = ["population", "import", bad.as_str(), "--mapping", mapping.as_str()];
    refused_without_a_trace(&care, OPERATOR, &[&import[..], &["--max-bad", "50%"]].concat(), "too-many-bad-rows");
    let done = care.ok(OPERATOR, &[&import[..], &["--max-bad", "80%"]].concat());
    assert_eq!((&done["imported"], &done["bad_cells"], &done["rejected"]), (&json!(3), &json!(2), &json!(1)));
    let faults = done["first_faults"].as_array().expect("faults").iter();
    let mut lines: Vec<u64> = faults.map(|fault| fault["line"].as_u64().expect("a line")).collect();
    lines.sort_unstable();
    assert_eq!(lines, [2, 3, 4]);
    let rejects = std::fs::read_to_string(done["rejects"].as_str().expect("a file")).expect("the reject file");
    assert_eq!(rejects.lines().count(), 4, "a header and each fault: {rejects}");
    let customer = care.ok(OPERATOR, &["population", "show", "--customer", "b"]);
    assert_eq!(
        customer["fields"].get("paperless-bill").filter(|v| v.as_str() != Some("")),
        None,
        "a bad cell is no value"
    );
}

#[test]
fn a_plan_over_a_population_without_a_granted_field_says_which() {
    let care = Care::new();
    let (good, mapping) = (care.file("good.csv", GOOD), care.file("mapping.toml", MAPPING));
    refused_without_a_trace(&care, OPERATOR, &["plan", "run"], "no-snapshot");
    care.ok(OPERATOR, &["population", "generate", "--customers", "500", "--date", DATE]);
    refused_without_a_trace(&care, OPERATOR, &["plan", "run"], "nothing-due");
    care.approve("balance-reminder");
    care.ok(OPERATOR, &["campaign", "start", "balance-reminder"]);
    care.ok(OPERATOR, &["population", "import", &good, "--mapping", &mapping, "--date", "2026-07-30"]);
    refused_without_a_trace(&care, OPERATOR, &["plan", "run"], "field-missing");
    let error = care.refused(OPERATOR, &["plan", "run"]);
    let named = error["findings"].as_array().expect("findings").iter().map(|f| f["message"].to_string());
    assert!(named.into_iter().any(|message| message.contains("spend-d1")), "{error}");
    refused_without_a_trace(&care, OPERATOR, &["plan", "run", "--snapshot", "none"], "no-snapshot");
    care.ok(OPERATOR, &["population", "import", &good, "--mapping", &mapping, "--date", "2026-07-31"]);
    refused_without_a_trace(&care, OPERATOR, &["plan", "run", "--snapshot", ""], "no-snapshot");
    refused_without_a_trace(&care, OPERATOR, &["plan", "show"], "unknown-plan");
}

#[test]
fn outcomes_that_cannot_be_read_are_listed_and_the_others_kept() {
    let care = Care::with_customers(500);
    let good = "FJ000000001,topped-up,2026-07-30T10:00:00+08:00";
    let csv = format!(
        "customer,kind,at\n{good}\n,topped-up,2026-07-30\nFJ000000002,Topped Up,2026-07-30T10:00:00+08:00\nFJ000000003,topped-up,soon\nonly-one-cell\n"
    );
    let done = care.ok(OPERATOR, &["outcome", "import", &care.file("outcomes.csv", csv)]);
    assert_eq!((&done["added"], &done["repeated"]), (&json!(1), &json!(0)));
    let rejected = done["rejected"].as_array().expect("rejected lines");
    let lines: Vec<u64> = rejected.iter().map(|r| r["line"].as_u64().expect("a line")).collect();
    assert_eq!(lines, [3, 4, 5, 6]);
    assert!(rejected.iter().all(|r| r["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
    for (name, header, code) in [("a", "customer,kynd,at", "unknown-column"), ("b", "customer,kind", "missing-column")]
    {
        let file = care.file(name, format!("{header}\n{good}\n"));
        refused_without_a_trace(&care, OPERATOR, &["outcome", "import", &file], code);
    }
    refused_without_a_trace(&care, OPERATOR, &["outcome", "import", &care.file("nothing", "")], "empty");
    refused_without_a_trace(&care, OPERATOR, &["outcome", "import", &care.file("gbk", [0xd6, 0xd0])], "not-utf8");
    refused_without_a_trace(&care, OPERATOR, &["outcome", "import", "no-such-file"], "no-file");
}

#[test]
fn a_table_list_or_policy_that_is_none_is_refused() {
    let care = Care::with_customers(500);
    let schema = care.file("schema.toml", "[fields]\nkey = \"text\"\nprice = \"fen\"\n");
    let csv = care.file("table.csv", "key,cost\nbasic,100\n");
    let error = care.refused(OPERATOR, &["table", "import", "tariffs", &csv, "--schema", &schema]);
    let code = error["code"].as_str().expect("a code").to_owned();
    refused_without_a_trace(&care, OPERATOR, &["table", "import", "tariffs", &csv, "--schema", &schema], &code);
    let list = |name: &'static str, file: &str| {
        ["list", "import", name, file, "--owner", "key-account", "--expires", DATE].map(str::to_owned)
    };
    let (numbers, empty) = (care.file("numbers.csv", "13800000000\n"), care.file("empty.csv", "number\n"));
    for (args, code) in [(list("Not Kebab", &numbers), "list-name"), (list("rescuers", &empty), "list-empty")] {
        refused_without_a_trace(&care, OPERATOR, &args.each_ref().map(String::as_str), code);
    }
    refused_without_a_trace(&care, PROVINCE, &["policy", "propose", &care.file("p.json", "{\"name\":")], "bad-policy");
    refused_without_a_trace(&care, PROVINCE, &["policy", "propose", &care.file("q.json", "{}")], "bad-policy");
}

#[test]
fn without_a_data_folder_every_command_that_needs_one_says_so_and_makes_none() {
    let care = Care::bare();
    let needing: [&[&str]; 8] = [
        &["population", "generate"],
        &["population", "show"],
        &["plugin", "list"],
        &["submission", "list"],
        &["campaign", "show"],
        &["plan", "run"],
        &["dispatch"],
        &["serve", "--listen", "127.0.0.1:0"],
    ];
    for args in needing {
        let error = care.refused(OPERATOR, args);
        assert_eq!(error["code"], "no-data-folder", "care {args:?}: {error}");
        assert!(!care.data().exists(), "care {args:?} made a data folder");
    }
}

#[test]
fn checking_and_beginning_a_plugin_needs_no_data_folder_and_makes_none() {
    let care = Care::bare();
    let birthday = plugin("birthday").display().to_string();
    assert_eq!(care.ok(OPERATOR, &["plugin", "check", &birthday])["accepted"], true);
    let into = care.path("").display().to_string();
    let folder = care.ok(OPERATOR, &["plugin", "new", "local-festival", "--into", &into])["folder"].clone();
    let folder = Path::new(folder.as_str().expect("a folder"));
    assert!(folder.join("activity.toml").is_file());
    for (name, code) in [("local-festival", "plugin-exists"), ("Local Festival", "plugin-name")] {
        assert_eq!(care.refused(OPERATOR, &["plugin", "new", name, "--into", &into])["code"], code);
    }
    let made: Vec<String> = entries(&care.path("")).iter().map(|p| p.display().to_string()).collect();
    assert_eq!(made, [folder.display().to_string()], "a plugin and nothing else");
}

#[test]
fn a_command_that_does_not_exist_or_is_misspelt_ends_with_2_and_touches_nothing() {
    let care = Care::bare();
    let misused: [&[&str]; 9] = [
        &["--as", "", "plan", "run"],
        &["--as", "somebody ", "submission", "approve", "1"],
        &["no-such-command"],
        &["plan", "runn"],
        &["plan", "run", "--date", "29 July"],
        &["plan", "run", "--batch", "7"],
        &["population", "import", "file.csv"],
        &["submission", "approve", "one"],
        &["submission", "approve", "1", "--cap", "0/7"],
    ];
    for args in misused {
        let output = care.command().args(args).output().expect("care runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "care {args:?}: {said}");
        assert!(said.contains("error: ") && output.stdout.is_empty(), "care {args:?} says {said}");
        assert!(!care.data().exists());
    }
    let people = care.command().args(["plan", "run"]).output().expect("care runs");
    assert_eq!(people.status.code(), Some(1));
    let said = String::from_utf8_lossy(&people.stderr);
    assert!(said.contains("error[no-data-folder]") && said.contains("hint: "), "{said}");
    let empty = care.file("key", "no key");
    assert_eq!(json(&care.run(OPERATOR, &["init", "--pseudonym-key", &empty]).stdout)["error"]["code"], "bad-key");
    assert!(!care.data().exists(), "a wrong key makes no data folder");
}
