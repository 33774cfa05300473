//! One activity in three languages: the same decisions about the same customers, and errors that name the author's line.

use crate::care::{AUTHOR, Care, entries, json, text};
use care_tests::{DATE, example, repository};
use serde_json::Value;
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 3] = ["rust", "js", "python"];

/// The program, with the machine code and builders that `make test` keeps.
struct Author {
    care: Care,
    cache: String,
}

impl Author {
    fn new() -> Self {
        let cache = example("rust").and_then(|built| Some(built.parent()?.parent()?.join("author")));
        Self { care: Care::bare(), cache: text(&cache.expect("`make test` builds the example in Rust")) }
    }

    fn run(&self, args: &[&str]) -> Value {
        self.care.ok(AUTHOR, &[args, &["--cache", &self.cache]].concat())
    }

    /// A copy of the example that may be changed.
    fn project(&self, language: &str) -> PathBuf {
        let folder = self.care.path(language);
        std::fs::create_dir(&folder).expect("a new folder");
        for file in entries(&repository().join("examples/local-festival").join(language)) {
            if file.is_file() {
                std::fs::copy(&file, folder.join(file.file_name().expect("a name"))).expect("a copy");
            }
        }
        folder
    }

    /// Changes a file of a project.
    fn change(&self, file: &Path, from: &str, to: &str) {
        let before = std::fs::read_to_string(file).expect("a file");
        assert!(before.contains(from), "{} has no {from:?}", file.display());
        std::fs::write(file, before.replace(from, to)).expect("written");
    }

    fn customers(&self, rows: &str) -> String {
        self.care.file("some.csv", format!("customer,home-adcode,tenure-months,points,stopped\n{rows}"))
    }
}

/// The built example in each language that this machine has the tools of; says loudly what is missing.
fn built() -> Vec<(&'static str, String)> {
    LANGUAGES.into_iter().filter_map(|language| Some((language, text(&example(language)?)))).collect()
}

#[test]
fn the_example_decides_the_same_in_every_language() {
    let author = Author::new();
    let into = text(&author.care.path(""));
    let made = author.care.ok(AUTHOR, &["plugin", "new", "sampled", "--into", &into])["folder"].clone();
    let sample = text(&PathBuf::from(made.as_str().expect("a folder")).join("customers.csv"));
    let cases = text(&repository().join("examples/local-festival/rust/cases.toml"));
    let mut decided: Vec<(&str, Value)> = Vec::new();
    for (language, component) in built() {
        assert_eq!(author.run(&["plugin", "test", &component, "--cases", &cases])["passed"], true, "{language}");
        let trial = ["plugin", "simulate", &component, "--customers", &sample, "--date", DATE, "--show", "1000"];
        let tried = author.run(&trial)["simulated"].clone();
        assert_eq!(tried["faults"], Value::Array(Vec::new()), "{language}");
        let evidence = &tried["evidence"];
        let all = [&tried["who"], &evidence["verdicts"], &evidence["scores"], &evidence["sms"], &evidence["samples"]];
        decided.push((language, all.into_iter().cloned().collect()));
    }
    let (_, first) = &decided[0];
    assert!(first[0].as_array().is_some_and(|who| who.len() > 50), "somebody is chosen: {first}");
    for (language, answer) in &decided[1..] {
        assert_eq!(answer, first, "{language} decides as {} does", LANGUAGES[0]);
    }
}

#[test]
fn a_whole_number_that_javascript_cannot_hold_is_told_with_its_customer_and_never_rounded() {
    let author = Author::new();
    let rows = "small,350200,24,1280,no\nlarge,350200,24,9007199254740993,no\n";
    for (language, component) in built() {
        let customers = author.customers(rows);
        let trial = ["plugin", "simulate", &component, "--customers", &customers, "--date", DATE];
        let tried = author.run(&trial)["simulated"].clone();
        let fault = &tried["faults"][0];
        match language {
            "js" => {
                assert_eq!((&fault["customer"], &fault["customers"]), (&"large".into(), &1.into()), "{tried}");
                let told = fault["message"].as_str().unwrap_or_default();
                assert!(told.contains("field points") && told.contains("beyond 2^53"), "{fault}");
            }
            // The slot's bounds refuse it there, with the exact number.
            _ => assert!(
                fault["message"].as_str().is_some_and(|m| m.contains("9007199254740993")),
                "{language}: {tried}"
            ),
        }
    }
}

#[test]
fn an_error_names_the_line_of_the_authors_file() {
    let author = Author::new();
    let customers = author.customers("a,350200,24,0,no\nb,350200,100,0,no\nc,350200,101,0,no\n");
    let boom = [
        (
            "js",
            "activity.js",
            "if (who.stopped) return undefined;",
            "if (who.tenureMonths === 100) null.boom();\n    while (who.tenureMonths === 101);",
        ),
        (
            "python",
            "activity.py",
            "if who.stopped:",
            "while who.tenure_months == 101:\n            pass\n        if who.tenure_months == 100 and None.boom:",
        ),
    ];
    for (language, file, from, to) in boom.into_iter().filter(|(language, ..)| example(language).is_some()) {
        let project = author.project(language);
        author.change(&project.join(file), from, to);
        let source = std::fs::read_to_string(project.join(file)).expect("it");
        let line = |part: &str| source.lines().position(|line| line.contains(part)).expect("it is there") + 1;
        let place = format!("({file}:{})", line("boom"));
        let tried = author.run(&["plugin", "simulate", &text(&project), "--customers", &customers, "--date", DATE]);
        let faults = tried["simulated"]["faults"].as_array().expect("faults");
        let of = |code: &str| faults.iter().find(|fault| fault["code"] == code).expect("a fault");
        let fault = of("refused");
        assert_eq!(
            (&fault["customer"], &fault["customers"], &fault["stage"]),
            (&"b".into(), &1.into(), &"select".into())
        );
        assert!(fault["message"].as_str().is_some_and(|told| told.contains(&place)), "{place}: {fault}");
        assert_eq!(fault["read"]["tenure-months"], "100");
        // A loop without end has no words: in Python its line is told, in JavaScript the rule in which it is.
        let endless = of("fuel-exhausted");
        let within =
            if language == "js" { line("select(who")..=line("select(who") } else { line("while who")..=line("pass") };
        let place = &endless["places"][0];
        assert_eq!((&endless["customer"], &place["file"]), (&"c".into(), &file.into()), "{endless}");
        assert!(place["line"].as_u64().is_some_and(|at| within.contains(&(at as usize))), "{within:?}: {endless}");
    }
}

#[test]
fn what_a_project_declares_wrongly_is_told_before_it_is_built() {
    let author = Author::new();
    if example("js").is_none() {
        return;
    }
    let build =
        |project: &Path| author.care.refused(AUTHOR, &["plugin", "build", &text(project), "--cache", &author.cache]);
    let project = author.project("js");
    author.change(&project.join("activity.js"), "homeAdcode: 'category', ", "homeAdcod: 'category', ");
    let error = build(&project);
    assert_eq!(error["code"], "plugin-refused");
    let told = error["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        told.contains("\"home-adcod\" of select is not in the dictionary") && told.contains("Nearest: home-adcode"),
        "{told}"
    );
    author.change(&project.join("activity.js"), "homeAdcod: 'category', ", "homeAdcode: 'categorie', ");
    assert!(build(&project)["message"].as_str().is_some_and(|told| told.contains("activity.target.homeAdcode is")));
    author.change(&project.join("activity.js"), "homeAdcode: 'categorie', ", "homeAdcode: 'category', ");
    author.change(&project.join("activity.toml"), "en = \"Local festival\"", "en = \"\"");
    let told = build(&project)["message"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("title has no en text") && told.contains("activity.toml, line "), "{told}");
}

#[test]
fn tools_that_are_not_installed_are_named_with_how_to_get_them() {
    let author = Author::new();
    for (language, tool, hint) in
        [("js", "node", "nodejs"), ("python", "python3", "python3-venv"), ("rust", "cargo", "rustup")]
    {
        let project = text(&author.project(language));
        let cache = text(&author.care.path("empty-cache"));
        let mut command = author.care.command();
        command.args(["--json", "plugin", "build", &project, "--cache", &cache]).env("PATH", "/nonexistent");
        let output = command.output().expect("care runs");
        let error = json(&String::from_utf8_lossy(&output.stdout))["error"].take();
        assert_eq!((output.status.code(), &error["code"]), (Some(1), &"tool-missing".into()), "{language}: {error}");
        assert!(error["message"].as_str().is_some_and(|m| m.contains(&format!("`{tool}"))), "{error}");
        assert!(error["hint"].as_str().is_some_and(|h| h.contains(hint)), "{error}");
    }
}
