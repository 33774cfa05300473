//! The guests of `tests/hostile/*.wat`. A file is a part of a module: it defines the exports in which it does harm
//! (`$select`, `$schedule`, … and `$realloc`), and says in its head what it is asked (`;; calls:`), how that ends
//! (`;; ends:`, a fault by name, or a finding of the golden batch), and what the fault says (`;; says:`, where it matters).

use crate::good::Good;
use crate::memory::{Resident, say};
use crate::wat_guest::{self, COMPOSE, MERGE, OBSERVE, REALLOC, REPORT, SANDBOX, SCHEDULE, SELECT, Wat};
use care_domain::column::{Column, Table};
use care_domain::field::Stage;
use care_sandbox::{Broken, Fault, Guest, golden};
use care_tests::repository;
use std::path::Path;

/// What the hostile guests may add to the host at its worst: the memory granted to one of them, and compiling.
const MOST_MEGABYTES: u64 = 256;
/// How long a fold goes on that is not stopped.
const FOLDS: usize = 64;

/// Exports by the name of the function that a fragment defines, with what it is given.
const FUNCTIONS: [(&str, &str, &str); 7] = [
    ("$select", SELECT, "(call $select)"),
    ("$schedule", SCHEDULE, "(call $schedule (local.get 0) (local.get 1))"),
    ("$compose", COMPOSE, "(call $compose (local.get 0) (local.get 1))"),
    ("$observe", OBSERVE, "(call $observe (local.get 0) (local.get 1))"),
    ("$merge", MERGE, "(call $merge (local.get 0) (local.get 1) (local.get 2) (local.get 3))"),
    ("$report", REPORT, "(call $report (local.get 0) (local.get 1))"),
    ("$realloc", REALLOC, "(call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3))"),
];

/// A hostile guest.
struct Hostile {
    name: String,
    text: String,
}

impl Hostile {
    /// All of them, by name.
    fn all() -> Vec<Self> {
        let files = std::fs::read_dir(folder()).expect("the hostile guests");
        let paths = files.map(|file| file.expect("a file").path()).filter(|path| path.is_file());
        let mut guests: Vec<Self> = paths.map(|path| Self::read(&path)).collect();
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        guests
    }

    fn read(path: &Path) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Self { name, text: std::fs::read_to_string(path).expect("text") }
    }

    fn says(&self, what: &str) -> Option<&str> {
        let start = format!(";; {what}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start))
    }

    fn list(&self, what: &str) -> Vec<&str> {
        let words = self.says(what).unwrap_or_else(|| panic!("{} has no line `;; {what}:`", self.name));
        words.split_whitespace().collect()
    }

    /// The whole module in the making.
    fn module(&self) -> Wat {
        let prelude = std::fs::read_to_string(folder().join("shared/prelude.wat")).expect("the prelude");
        let mut wat = Wat::new();
        wat.fields = format!("{prelude}\n{}", self.text);
        let defined = |function: &str| self.text.contains(&format!("(func {function} "));
        let functions = FUNCTIONS.iter().filter(|(function, ..)| defined(function));
        functions.fold(wat, |wat, (_, export, body)| wat.body(export, *body))
    }

    /// What it is asked ends as it says, twice in the same words. How many calls that were.
    fn is_contained(&self) -> usize {
        let plugin = SANDBOX.compile(&self.module().component()).expect("it compiles");
        let (calls, ends) = (self.list("calls"), self.list("ends"));
        for call in &calls {
            if *call == "golden" {
                let found = golden(&plugin, &wat_guest::manifest(), &wat_guest::dictionary()).expect("a trial");
                assert!(found.iter().any(|f| ends.contains(&f.code.as_str())), "{}: {found:?}", self.name);
                continue;
            }
            let fault = || {
                let early = [Stage::Select, Stage::Schedule, Stage::Compose];
                let stage = early.into_iter().find(|stage| call.starts_with(stage.name())).unwrap_or(Stage::Observe);
                let mut guest = plugin.guest(stage, wat_guest::facts(), wat_guest::grants());
                self.fault(call, ask(&mut guest, call))
            };
            let first = fault();
            assert!(ends.contains(&first.code.name()), "{}, {call}: {first}", self.name);
            let words = self.says("says").unwrap_or_default();
            assert!(first.message.contains(words), "{}, {call}: {first}", self.name);
            assert_eq!(fault(), first, "{}, {call}: the same every time", self.name);
        }
        calls.len()
    }

    fn fault(&self, call: &str, answer: Result<(), Broken>) -> Fault {
        match answer {
            Err(Broken::Fault(fault)) => fault,
            other => panic!("{}, {call}: no fault of the guest but {other:?}", self.name),
        }
    }
}

fn folder() -> std::path::PathBuf {
    repository().join("tests/hostile")
}

fn ask(guest: &mut Guest, call: &str) -> Result<(), Broken> {
    let (customers, outcomes) = (wat_guest::customers(10), outcomes(10));
    match call {
        "select" => guest.select(customers).map(drop),
        "select-many" => guest.select(wat_guest::customers(8_192)).map(drop),
        "schedule" => guest.schedule(customers, &[0; 10]).map(drop),
        "compose" => guest.compose(customers, &[0; 10]).map(drop),
        "observe" => guest.observe(outcomes, b"state").map(drop),
        "observe-on-and-on" => {
            (0..FOLDS).try_fold(Vec::new(), |state, _| guest.observe(outcomes.clone(), &state)).map(drop)
        }
        "merge" => guest.merge(b"left", b"right").map(drop),
        "report" => guest.report(b"state").map(drop),
        other => panic!("there is no call {other:?}"),
    }
}

fn outcomes(rows: u32) -> Table {
    Table { rows, columns: [("treated".to_owned(), Column::boolean((0..rows).map(|_| Some(true))))].into() }
}

#[test]
fn every_hostile_guest_ends_in_a_named_fault_and_the_next_batch_is_served() {
    let mut good = Good::new();
    good.serves_the_next_batch();
    let before = Resident::read();
    let guests = Hostile::all();
    let mut calls = 0;
    for guest in &guests {
        calls += guest.is_contained();
        good.serves_the_next_batch();
    }
    let after = Resident::read();
    say(&format!("{} hostile guests were contained in {calls} calls", guests.len()));
    say(&format!("peak memory of the host during the hostile suite: {} MB", after.peak));
    assert!(calls >= guests.len() && guests.len() >= 25, "{} guests, {calls} calls", guests.len());
    assert!(after.peak < before.now + MOST_MEGABYTES, "{} MB at first, at most {} MB", before.now, after.peak);
    assert!(after.now < before.now + MOST_MEGABYTES / 2, "{} MB at first, {} MB at last", before.now, after.now);
}
