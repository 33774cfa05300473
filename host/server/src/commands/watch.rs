//! `care plugin watch`: the cases again whenever a file of the project is saved, with what changed since.

use super::author;
use crate::answer::{report, table};
use crate::args::CasesArgs;
use crate::plugin::Project;
use care_engine::author::{CaseRun, RowResult};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often the project is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// Folders that a build writes, or that are not the author's.
const LEFT_OUT: [&str; 5] = ["target", "build", "node_modules", "__pycache__", "care-data"];

/// What was saved when: enough to tell a change.
type Saved = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Runs until it is stopped; an activity that does not build is no reason to end.
pub(crate) fn run(test: &CasesArgs, say: &dyn Fn(&str)) -> anyhow::Result<std::convert::Infallible> {
    let project = Project::open(&test.plugin)?;
    let mut before: Option<CaseRun> = None;
    let mut seen = Saved::new();
    loop {
        let saved = saved(project.folder());
        if saved != seen {
            match author::run_cases(test, say) {
                Ok(run) => {
                    println!("{}", told(before.as_ref(), &run));
                    before = Some(run);
                }
                Err(error) => report(&error, false),
            }
            // Looked at again before it is compared: what was saved meanwhile is a change too.
            seen = saved;
        }
        std::thread::sleep(LOOK);
    }
}

fn saved(folder: &Path) -> Saved {
    let mut found = Saved::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        // What vanishes while it is looked at is a change of the next look.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(about) = entry.metadata() else { continue };
            match about.is_dir() {
                _ if name.starts_with('.') || LEFT_OUT.contains(&name.as_str()) || name == "Cargo.lock" => {}
                true => waiting.push(entry.path()),
                false => {
                    let saved = (about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len());
                    found.insert(entry.path(), saved);
                }
            }
        }
    }
    found
}

/// The cases as a table; a row that was decided otherwise before is marked with `*`, a new one with `+`.
fn told(before: Option<&CaseRun>, run: &CaseRun) -> String {
    let was = |row: &RowResult| {
        let before = before?.rows.iter().find(|b| (&b.case, b.row) == (&row.case, row.row));
        Some(before.map(|b| (b.passed, b.decided.clone())))
    };
    let line = |row: &RowResult| {
        let mark = match was(row) {
            None => "",
            Some(None) => "+",
            Some(Some(before)) if before != (row.passed, row.decided.clone()) => "*",
            Some(Some(_)) => "",
        };
        let verdict = if row.passed { "ok" } else { "FAILED" };
        vec![mark.to_owned(), verdict.to_owned(), row.case.clone(), row.row.to_string(), row.decided.clone()]
    };
    let rows: Vec<Vec<String>> = run.rows.iter().map(line).collect();
    table(&["", "", "case", "row", "decided"], &rows) + &author::failures(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rows: &[(&str, bool, &str)]) -> CaseRun {
        let row = |(case, passed, decided): &(&str, bool, &str)| RowResult {
            case: (*case).into(),
            row: 1,
            line: 1,
            customer: "{ }".into(),
            passed: *passed,
            decided: (*decided).into(),
            differences: Vec::new(),
            fault: None,
        };
        CaseRun { rows: rows.iter().map(row).collect(), warnings: Vec::new() }
    }

    #[test]
    fn what_changed_since_the_last_save_is_marked() {
        let before = run(&[("a", true, "nobody"), ("b", true, "greeting")]);
        let after = run(&[("a", true, "nobody"), ("b", false, "nobody"), ("c", true, "nobody")]);
        let marks = |text: &str| -> Vec<String> {
            text.lines().skip(1).take(3).map(|line| line.chars().take(1).collect()).collect()
        };
        assert_eq!(marks(&told(Some(&before), &after)), [" ", "*", "+"]);
        assert!(!told(None, &after).contains('*'));
    }
}
