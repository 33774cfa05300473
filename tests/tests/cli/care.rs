//! The program on a data folder of its own.

use care_tests::{ACTIVITIES, DATE, PSEUDONYM_KEY, copy_tree, plugin, program, repository};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use tempfile::TempDir;

pub(crate) const AUTHOR: &str = "branch-author";
pub(crate) const PROVINCE: &str = "provincial-approver";
/// The day on which these stories play.
const MORNING: &str = "2026-07-29T08:00:00+08:00";
/// The principles without which nothing is approved.
pub(crate) const CARE: &str = "proactive,customer-oriented";
pub(crate) const OPERATOR: &str = "operator";

/// What a run of the program ended with.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program on a data folder, in a folder that goes away with the last who uses it.
pub(crate) struct Care {
    folder: Rc<TempDir>,
    data: PathBuf,
}

impl Care {
    /// Without a data folder.
    pub(crate) fn bare() -> Self {
        let folder = Rc::new(tempfile::tempdir().expect("a folder"));
        Self { data: folder.path().join("data"), folder }
    }

    /// The same with a copy of the data folder.
    pub(crate) fn copy(&self, name: &str) -> Self {
        let data = self.path(name);
        copy_tree(&self.data, &data);
        Self { folder: Rc::clone(&self.folder), data }
    }

    /// With a data folder of another name beside, which does not exist yet.
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self { data: self.path(name), folder: Rc::clone(&self.folder) }
    }

    /// With an empty data folder.
    pub(crate) fn new() -> Self {
        let care = Self::bare();
        let key = PSEUDONYM_KEY.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").expect("a string takes everything");
            digits
        });
        let key = care.file("pseudonym.key", key);
        care.ok("administrator", &["init", "--rehearsal", "--pseudonym-key", &key]);
        care
    }

    /// With a made-up population and the disaster areas of the examples.
    pub(crate) fn with_customers(customers: u32) -> Self {
        let care = Self::new();
        let customers = customers.to_string();
        care.ok(OPERATOR, &["population", "generate", "--customers", &customers, "--seed", "1", "--date", DATE]);
        let example = |name: &str| text(&repository().join("examples").join(name));
        let (csv, schema) = (example("disaster-areas.csv"), example("disaster-areas.toml"));
        care.ok(OPERATOR, &["table", "import", "disaster-areas", &csv, "--schema", &schema]);
        care
    }

    /// With customers, and all five activities uploaded, approved and started.
    pub(crate) fn with_campaigns(customers: u32) -> Self {
        let care = Self::with_customers(customers);
        for (name, params) in ACTIVITIES {
            care.approve(name);
            let params = params.iter().flat_map(|param| ["--param", *param]);
            let start: Vec<&str> = ["campaign", "start", name].into_iter().chain(params).collect();
            assert_eq!(care.ok(OPERATOR, &start)["campaign"], format!("{name}-1"));
        }
        care
    }

    /// The branch uploads, the province approves.
    pub(crate) fn approve(&self, name: &str) {
        let number = self.push(name);
        self.ok(PROVINCE, &["submission", "simulate", &number]);
        self.ok(PROVINCE, &["submission", "approve", &number, "--tick", CARE]);
    }

    /// The branch uploads; the number of the submission.
    pub(crate) fn push(&self, name: &str) -> String {
        self.ok(AUTHOR, &["plugin", "push", &text(&plugin(name)), "--key", &self.key()])["submission"].to_string()
    }

    /// The file of the author's key, which the rehearsal made.
    pub(crate) fn key(&self) -> String {
        text(&self.data.join("keys").join(format!("{AUTHOR}.key")))
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Writes a file beside the data folder; its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a written file");
        text(&path)
    }

    /// A path beside the data folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with its data folder and nothing of this process's environment that it would read.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program());
        for variable in ["CARE_DATA", "CARE_USER", "CARE_LOG", "CARE_CACHE"] {
            command.env_remove(variable);
        }
        command.env("CARE_CLOCK", MORNING).current_dir(self.folder.path()).arg("--data").arg(self.data());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, who: &str, args: &[&str]) -> Ended {
        let output = self.command().args(["--json", "--as", who]).args(args).output().expect("care runs");
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: output.status.code(), stdout: lossy(&output.stdout), stderr: lossy(&output.stderr) }
    }

    /// Runs what must succeed; its answer.
    pub(crate) fn ok(&self, who: &str, args: &[&str]) -> Value {
        let ended = self.run(who, args);
        assert_eq!(ended.code, Some(0), "care {args:?}: {}{}", ended.stdout, ended.stderr);
        json(&ended.stdout)
    }

    /// Runs what must be refused; the error that it answers: code, message, hint, findings.
    pub(crate) fn refused(&self, who: &str, args: &[&str]) -> Value {
        let ended = self.run(who, args);
        assert_eq!(ended.code, Some(1), "care {args:?}: {}{}", ended.stdout, ended.stderr);
        let error = json(&ended.stdout)["error"].take();
        for part in ["code", "message", "hint"] {
            assert!(error[part].as_str().is_some_and(|t| !t.is_empty()), "care {args:?} has no {part}: {error}");
        }
        error
    }

    /// Everything that was sent: each line of the outbox with its channel's folder.
    pub(crate) fn outbox(&self) -> Vec<(String, Value)> {
        let mut lines = Vec::new();
        for channel in entries(&self.data().join("outbox")) {
            for file in entries(&channel) {
                let content = std::fs::read_to_string(&file).expect("a file of the outbox");
                let folder = channel.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                lines.extend(content.lines().map(|line| (folder.clone(), json(line))));
            }
        }
        lines
    }
}

/// What lies in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// The numbers of an object, added up.
pub(crate) fn sum(object: &Value) -> u64 {
    let numbers = object.as_object().expect("an object").values();
    numbers.map(|n| n.as_u64().expect("a count")).sum()
}

/// The activities of a plan.
pub(crate) fn activities(plan: &Value) -> &[Value] {
    plan["activities"].as_array().expect("activities")
}

/// A plan's activity by name.
pub(crate) fn activity<'a>(plan: &'a Value, name: &str) -> &'a Value {
    activities(plan).iter().find(|a| a["name"] == name).expect("the activity takes part")
}
