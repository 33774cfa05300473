//! What both end-to-end test binaries need: the built program, the built plugins, and the facts of the demonstration.
#![allow(clippy::expect_used, clippy::panic, reason = "only tests use this; one that cannot go on has failed")]

use std::path::{Path, PathBuf};

/// The activities, with the parameters in which these tests differ from the defaults.
pub const ACTIVITIES: [(&str, &[&str]); 5] = [
    ("birthday", &["call_vip=true"]),
    ("balance-reminder", &[]),
    ("green-bill", &[]),
    ("disaster-response", &["onset=2026-07-28"]),
    ("points-expiry", &[]),
];
/// The business date on which every activity has targets.
pub const DATE: &str = "2026-07-29";
/// After the last planned instant of that date, before quiet hours.
pub const EVENING: &str = "2026-07-29T20:30:00+08:00";
/// The pseudonym key of every test: the same people in the same control groups each time.
pub const PSEUDONYM_KEY: [u8; 32] = *b"end-to-end tests: one fixed key.";

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program `care`: `CARE_BIN`, or what was built beside these tests.
pub fn program() -> PathBuf {
    built("CARE_BIN", "debug/care")
}

/// The folder of built plugins: `CARE_PLUGINS`, or the one beside these tests.
pub fn plugins() -> PathBuf {
    built("CARE_PLUGINS", "plugins")
}

/// The component file of a built plugin.
pub fn plugin(name: &str) -> PathBuf {
    let file = plugins().join(format!("{name}.wasm"));
    assert!(file.is_file(), "{} is missing: run `make test`, which builds it first", file.display());
    file
}

/// The built example of a language (`make examples`); `None`, and a loud word, where its tools are not installed.
pub fn example(language: &str) -> Option<PathBuf> {
    let file = plugins().join(format!("local-festival-{language}.wasm"));
    if file.is_file() {
        return Some(file);
    }
    eprintln!("SKIPPED: {} is missing; `make examples` builds it (needs node and npm, python3-venv)", file.display());
    None
}

/// Changes the database behind the program's back, as somebody would who drops the triggers first.
pub fn tamper(folder: &Path, statements: &str) {
    let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_master WHERE type = 'trigger'";
    let script = format!(
        "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nc.executescript(c.execute(\"{triggers}\").fetchone()[0])\n\
         c.executescript(sys.argv[2])\nc.commit()\n"
    );
    let database = folder.join("care.db");
    let done = std::process::Command::new("python3").args(["-c", &script]).arg(&database).arg(statements).output();
    let done = done.expect("python3 runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The first value of a query on a database of a data folder, behind the program's back.
pub fn query(folder: &Path, database: &str, sql: &str) -> String {
    let script = "import sqlite3,sys\nprint(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])";
    let done = std::process::Command::new("python3").args(["-c", script]).arg(folder.join(database)).arg(sql).output();
    let done = done.expect("python3 runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

/// The folder of gateways written by others (`make peers`); `None`, and a loud word, where they are not installed.
#[allow(clippy::disallowed_methods, reason = "`make test` says so where the peers are")]
pub fn peers() -> Option<PathBuf> {
    let beside = program().ancestors().nth(2).map(|target| target.join("peers"));
    let folder = std::env::var("CARE_PEERS").ok().map(PathBuf::from).or(beside)?;
    if folder.join("ready-1").is_file() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: {} holds no peers; `make peers` installs them (needs node, npm, python3-venv)",
        folder.display()
    );
    None
}

/// The folder of what checks pages in a browser (`make browser`); `None`, and a loud word, where that or the browser is
/// not installed. In CI it has to be.
#[allow(clippy::disallowed_methods, reason = "`make test` says so where it is")]
pub fn browser() -> Option<PathBuf> {
    let beside = program().ancestors().nth(2).map(|target| target.join("browser"));
    let folder = std::env::var("CARE_BROWSER").ok().map(PathBuf::from).or(beside)?;
    if folder.join("ready-1").is_file() {
        return Some(folder);
    }
    let said = format!(
        "SKIPPED: {} does not say that a browser is there; `make browser` installs one (needs Debian's packages, npm)",
        folder.display()
    );
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{said}");
    eprintln!("{said}");
    None
}

/// The folder of the checkers of the SDKs' types (`make peers`); `None`, and a loud word, where they are not installed.
pub fn type_checkers() -> Option<PathBuf> {
    let folder = peers()?;
    if folder.join("ready-types-1").is_file() {
        return Some(folder.join("types"));
    }
    eprintln!("SKIPPED: {} has no type checkers; `make peers` installs them", folder.display());
    None
}

/// The Python that has the messages of OpenTelemetry (`make peers`); `None`, and a loud word, where it is not installed.
pub fn otlp_python() -> Option<PathBuf> {
    let folder = peers()?;
    if folder.join("ready-otlp-1").is_file() {
        return Some(folder.join("otlp-venv/bin/python"));
    }
    eprintln!("SKIPPED: {} has no messages of OpenTelemetry; `make peers` installs them", folder.display());
    None
}

/// Copies a folder with everything in it and who may enter it; `to` must not exist.
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a new folder");
    let permissions = std::fs::metadata(from).expect("a folder").permissions();
    std::fs::set_permissions(to, permissions).expect("its rights");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target);
        } else {
            std::fs::copy(&source, &target).expect("a copy");
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "`make test` says so where the program and the plugins are")]
fn built(variable: &str, beside: &str) -> PathBuf {
    if let Ok(named) = std::env::var(variable) {
        return PathBuf::from(named);
    }
    let own = std::env::current_exe().expect("the path of this test");
    let found = own.ancestors().map(|folder| folder.join(beside)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{beside} is not built and {variable} is not set: run `make test`"))
}
