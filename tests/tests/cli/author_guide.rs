//! The author's guide: every command in it runs, in its order; and the projects that it begins work in every language.

use crate::care::{AUTHOR, Care, text};
use care_tests::{example, program, repository};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

fn cache() -> String {
    let built = example("rust").expect("`make test` builds the example in Rust");
    let target = built.parent().and_then(Path::parent).expect("a build folder").to_path_buf();
    text(&target.join("author"))
}

/// The commands of a document: all lines of its ```sh blocks.
fn commands(document: &str) -> String {
    let blocks = document.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.collect::<Vec<_>>().concat()
}

/// A shell with the program on its path and nothing of this process's settings.
fn shell(folder: &Path, script: &str) -> Command {
    let bin = program().parent().expect("a folder").to_path_buf();
    let mut command = Command::new("bash");
    for variable in ["CARE_DATA", "CARE_USER", "CARE_LOG", "CARE_CLOCK"] {
        command.env_remove(variable);
    }
    let script = format!("export PATH={}:$PATH\n{script}", bin.display());
    command.args(["-euo", "pipefail", "-c", &script]).current_dir(folder).env("CARE_CACHE", cache());
    command
}

#[test]
fn every_command_of_the_guide_runs_in_its_order() {
    if example("js").is_none() {
        return;
    }
    let guide = std::fs::read_to_string(repository().join("sdk/README.md")).expect("the guide");
    let script = commands(&guide);
    for command in ["new", "test", "simulate", "build", "check", "push"] {
        assert!(script.contains(&format!("plugin {command}")), "the guide leaves {command} out");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let done = shell(folder.path(), &script).output().expect("bash runs");
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(done.status.success(), "{said}");
    for part in [
        "14 of 14 rows decided as the cases say",
        "contacts in 30 days, after",
        "the gate would accept it",
        "is submission 1",
        // Where the fuel of the rules goes, as far as the interpreter tells.
        "select (activity.js:",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_new_project_in_python_tests_and_simulates_at_once() {
    if example("python").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = "care plugin new my-festival --lang python && care plugin test my-festival && care plugin simulate my-festival \
         --profile";
    let done = shell(folder.path(), script).output().expect("bash runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("14 of 14 rows") && said.contains("what it costs to run"), "{said}");
    assert!(said.contains("select (activity.py:") && said.contains("compose (activity.py:"), "{said}");
}

/// The program while it watches a project.
struct Watching {
    child: std::process::Child,
    lines: mpsc::Receiver<String>,
}

impl Watching {
    fn new(care: &Care, project: &Path) -> Self {
        let mut command = care.command();
        command.args(["plugin", "watch", &text(project), "--cache", &cache()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("care runs");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (say, lines) = mpsc::channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { child, lines }
    }

    /// The next line that holds a text.
    fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(120)).expect("it goes on telling");
            if line.contains(part) {
                return line;
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn watching_runs_the_cases_again_when_a_file_is_saved_and_marks_what_changed() {
    if example("js").is_none() {
        return;
    }
    let care = Care::bare();
    let into = text(&care.path(""));
    let made = care.ok(AUTHOR, &["plugin", "new", "watched", "--lang", "js", "--into", &into])["folder"].clone();
    let project = PathBuf::from(made.as_str().expect("a folder"));
    let watching = Watching::new(&care, &project);
    assert!(watching.line_with("rows decided").starts_with("14 of 14"));
    let source = project.join("activity.js");
    let text = std::fs::read_to_string(&source).expect("the activity");
    std::fs::write(&source, text.replace("who.tenureMonths < 12", "who.tenureMonths < 11")).expect("saved");
    let changed = watching.line_with("greeted after a year");
    assert!(changed.starts_with("   ") || changed.starts_with('*'), "{changed}");
    assert!(watching.line_with("FAILED").starts_with('*'));
    std::fs::write(&source, text).expect("saved");
    assert!(watching.line_with("14 of 14").starts_with("14 of 14"));
}

#[test]
fn shells_and_manuals_know_every_command() {
    let care = Care::bare();
    for shell in ["bash", "zsh", "fish"] {
        let script = care.ok(AUTHOR, &["completions", shell])["script"].as_str().unwrap_or_default().to_owned();
        assert!(script.contains("simulate") && script.contains("plugin"), "{shell}");
    }
    let folder = text(&care.path("man"));
    let pages = care.ok(AUTHOR, &["man", &folder])["pages"].as_array().expect("pages").len();
    assert!(pages > 60, "{pages}");
    let page = std::fs::read_to_string(care.path("man").join("care-plugin-simulate.1")).expect("a page");
    assert!(page.contains("fuel") || page.contains("cost"), "{page}");
}

#[test]
fn a_new_project_in_rust_tests_and_simulates_at_once_and_a_panic_is_told_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    // What a crate depends on was fetched for this workspace, and stays built between runs.
    let ahead = format!("export CARGO_NET_OFFLINE=true CARGO_TARGET_DIR={}/rust\n", cache());
    let run = |script: &str| {
        let done = shell(folder.path(), &format!("{ahead}{script}")).output().expect("bash runs");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        said
    };
    let begin = "care plugin new my-festival && care plugin test my-festival";
    let said = run(&format!("{begin} && care plugin simulate my-festival --profile"));
    assert!(said.contains("14 of 14 rows") && said.contains("what it costs to run"), "{said}");
    assert!(said.contains("select (src/lib.rs:") && said.contains("compose (src/lib.rs:"), "{said}");
    let source = folder.path().join("my-festival/src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("the activity");
    let broken =
        text.replace("if who.stopped == Some(true) {", "if [true, false][who.tenure_months as usize / 200] && false {");
    assert_ne!(broken, text);
    std::fs::write(&source, &broken).expect("saved");
    let line = broken.lines().position(|line| line.contains("/ 200]")).expect("it is there") + 1;
    std::fs::write(folder.path().join("old.csv"), "customer,home-adcode,tenure-months\na,350200,24\nb,350200,500\n")
        .expect("a file");
    let said = run("care plugin simulate my-festival --customers old.csv");
    assert!(said.contains("first on b { home-adcode = 350200, tenure-months = 500 }"), "{said}");
    assert!(said.contains("it broke in select: trap") && said.contains(&format!("src/lib.rs:{line}:")), "{said}");
    traps_that_say_nothing_are_told_with_their_lines(folder.path(), &text, &run);
}

/// What ends a call without a panic has no words of its own: line tables beside the component tell where it was.
fn traps_that_say_nothing_are_told_with_their_lines(folder: &Path, source: &str, run: &dyn Fn(&str) -> String) {
    let rules = "\
fn deep(n: u64) -> u64 {
    1 + std::hint::black_box(deep(std::hint::black_box(n + 1)))
}

fn endless() {
    loop {
        std::hint::black_box(());
    }
}

fn greedy() {
    let mut kept = Vec::new();
    loop {
        kept.push(Vec::<u8>::with_capacity(std::hint::black_box(1 << 20)));
    }
}

impl Activity for LocalFestival {";
    let break_it = "match who.tenure_months {
            500 => drop(deep(1)),
            501 => endless(),
            502 => greedy(),
            503 => std::process::abort(),
            _ => {}
        }
        if who.stopped == Some(true) {";
    let broken =
        source.replace("impl Activity for LocalFestival {", rules).replace("if who.stopped == Some(true) {", break_it);
    std::fs::write(folder.join("my-festival/src/lib.rs"), &broken).expect("saved");
    let customers: String = (500..504).map(|tenure| format!("c{tenure},350200,{tenure}\n")).collect();
    std::fs::write(folder.join("traps.csv"), format!("customer,home-adcode,tenure-months\n{customers}"))
        .expect("a file");
    let said =
        run("care plugin build my-festival --out built.wasm && care plugin simulate my-festival --customers traps.csv");
    let line_of = |part: &str| broken.lines().position(|line| line.contains(part)).expect("it is there") + 1;
    for (customer, function, part, code) in [
        ("c500", "deep", "black_box(deep(", "trap"),
        ("c501", "endless", "black_box(())", "fuel-exhausted"),
        ("c502", "greedy", "kept.push", "memory"),
        ("c503", "select", "process::abort()", "trap"),
    ] {
        let told = said.split("it broke on").find(|told| told.contains(&format!("first on {customer} ")));
        let told = told.unwrap_or_else(|| panic!("{customer}: {said}"));
        let lines: Vec<String> =
            [0, 1].map(|after| format!("at src/lib.rs:{}, in {function}", line_of(part) - after)).into();
        assert!(told.contains(&format!("select: {code}")), "{customer}: {told}");
        assert!(lines.iter().any(|line| told.contains(line)), "{lines:?}: {told}");
    }
    // What is uploaded has none of it.
    let uploaded = std::fs::read(folder.join("built.wasm")).expect("a component");
    assert!(!uploaded.windows(6).any(|part| part == b".debug"), "line tables stay with the author");
}
