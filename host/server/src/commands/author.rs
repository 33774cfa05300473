//! `care plugin test` and `simulate`: what an author's activity decides, in words for its author.

use super::profile;
use super::recorded::keep;
use super::{evidence, read, read_bytes, worker};
use crate::answer::{Answer, finding_lines, table};
use crate::args::{Args, CacheArgs, CasesArgs, SimulateArgs};
use crate::plugin::{self, Project, Tools};
use care_domain::time::{write_date, write_instant};
use care_engine::EngineError;
use care_engine::author::{
    CaseRun, Contacted, CustomerSource, Customers, FaultTold, RowResult, Simulated, StageCost, TableFile, Trial,
    Workbench, Workplace,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a trial is made on unless the command line says otherwise.
const TRIAL_FILE: &str = "simulate.toml";
const CASE_FILE: &str = "cases.toml";
/// How long an activity may take to compile by the clock.
const PATIENCE: Duration = Duration::from_secs(900);

/// An activity ready to be tried, and where its project is, if it is none but a component.
pub(super) struct Subject {
    pub(super) workbench: Workbench,
    pub(super) project: Option<Project>,
}

/// `care plugin test`
pub(crate) fn test(args: &Args, test: &CasesArgs, say: &dyn Fn(&str)) -> anyhow::Result<Answer> {
    let project = project_of(&test.plugin)?;
    let cases = test.cases.clone().or_else(|| Some(project.as_ref()?.folder().join(CASE_FILE)).filter(|f| f.is_file()));
    if let Some(project) = project.as_ref().filter(|_| test.native || cases.is_none()) {
        project.native_tests(&Tools::new(&cache_folder(&test.cache)?), say)?;
    }
    let subject = open(&test.plugin, project, &test.cache, say)?;
    let Some(cases) = cases else {
        if subject.project.is_none() {
            let hint = "Name a case file with --cases";
            return Err(EngineError::refused("no-cases", "a component alone has no cases", hint).into());
        }
        say(&format!("There is no {CASE_FILE}, so nothing was tried in the sandbox"));
        return Ok(Answer::new("all tests of the project passed", json!({"passed": true, "rows": []})));
    };
    let run = run_file(&subject, &cases)?;
    let answer =
        Answer::new(case_table(&run), json!({"passed": run.passed(), "rows": run.rows, "warnings": run.warnings}));
    if run.passed() {
        return Ok(answer);
    }
    answer.print(args.json);
    std::process::exit(i32::from(crate::REFUSED));
}

/// The cases of a project, for who runs them again and again.
pub(crate) fn run_cases(test: &CasesArgs, say: &dyn Fn(&str)) -> anyhow::Result<CaseRun> {
    let project = Project::open(&test.plugin)?;
    let cases = test.cases.clone().unwrap_or_else(|| project.folder().join(CASE_FILE));
    run_file(&open(&test.plugin, Some(project), &test.cache, say)?, &cases)
}

fn run_file(subject: &Subject, cases: &Path) -> anyhow::Result<CaseRun> {
    let name = cases.file_name().map_or_else(|| cases.display().to_string(), |n| n.to_string_lossy().into_owned());
    let file = subject.workbench.cases(&read(cases)?, &name)?;
    Ok(subject.workbench.test(&file)?)
}

/// `care plugin simulate`
pub(crate) fn simulate(wanted: &SimulateArgs, say: &dyn Fn(&str)) -> anyhow::Result<Answer> {
    let project = project_of(&wanted.plugin)?;
    let defaults = TrialFile::of(project.as_ref())?;
    let (source, name) = source(wanted, project.as_ref(), &defaults)?;
    let mut params = defaults.params.clone();
    params.extend(wanted.params.iter().cloned());
    let date = wanted.date.or(defaults.date);
    let trial = Trial { date, now: wanted.now, params, show: wanted.show };
    let subject = open(&wanted.plugin, project, &wanted.cache, say)?;
    let customers = Customers::open(&source)?;
    let clock = clock();
    let done = subject.workbench.simulate(&customers, &trial, &clock)?;
    if let Some(path) = &wanted.record {
        keep(path, &subject.workbench.record(&customers, &trial)?)?;
    }
    let (bad, first) = customers.bad();
    let mut text = simulated(&done, &name);
    let profile =
        if wanted.profile { Some(profile::of(&subject, (&customers, &trial), &wanted.cache, say)?) } else { None };
    profile.iter().for_each(|profile| text += &profile.lines());
    if bad > 0 {
        text += &format!("{bad} cells or rows of {name} could not be read and have no value:\n");
        first.iter().for_each(|f| text += &format!("  line {}: {} {}\n", f.line, f.field, f.reason));
    }
    let json = json!({"customers": name, "bad_cells": bad, "simulated": done, "profile": profile});
    Ok(Answer::new(text, json))
}

/// A clock of which only differences count: what an activity costs, for its author.
#[allow(clippy::disallowed_methods, reason = "reports measure time here; nothing is decided by it")]
fn clock() -> impl Fn() -> Duration {
    let begun = Instant::now();
    move || begun.elapsed()
}

pub(super) fn project_of(plugin: &Path) -> anyhow::Result<Option<Project>> {
    Ok(if plugin.is_file() { None } else { Some(Project::open(plugin)?) })
}

/// Builds a project, or reads a component, and puts it on the workbench.
pub(super) fn open(
    plugin: &Path,
    project: Option<Project>,
    cache: &CacheArgs,
    say: &dyn Fn(&str),
) -> anyhow::Result<Subject> {
    let (path, tables) = match &project {
        Some(project) => {
            let built = plugin::build(project, None, &Tools::new(&cache_folder(cache)?), say)?;
            (built.path, tables_of(project.folder())?)
        }
        None => (plugin.to_path_buf(), Vec::new()),
    };
    let component = read_bytes(&path)?;
    Ok(Subject { workbench: Workbench::open(&component, kept(&path), &tables, &workplace(cache)?)?, project })
}

/// What a build kept beside a component.
pub(super) fn kept(component: &Path) -> Option<Vec<u8>> {
    fs::read(plugin::kept_beside(component)).ok()
}

/// Where an author works.
pub(super) fn workplace(cache: &CacheArgs) -> anyhow::Result<Workplace> {
    // An author's machine may be slow or busy, and nobody waits for it but the author: processor time is what bounds it.
    let mut worker = worker()?;
    worker.limits.wall = PATIENCE;
    Ok(Workplace { cache: cache_folder(cache)?, worker: Some(worker) })
}

/// Where an author's machine code and builders are kept.
pub(crate) fn cache_folder(cache: &CacheArgs) -> Result<PathBuf, EngineError> {
    let CacheArgs { cache, user_cache } = cache;
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let below = |folder: PathBuf| folder.join("care");
    cache.clone().or_else(|| user_cache.clone().or_else(home).map(below)).ok_or_else(|| {
        let hint = "Name a folder with --cache or CARE_CACHE";
        EngineError::refused("no-cache", "this user has no home folder to keep machine code in", hint)
    })
}

/// The reference tables of a project: `tables/NAME.csv`, each with its schema `tables/NAME.toml`.
pub(super) fn tables_of(folder: &Path) -> anyhow::Result<Vec<TableFile>> {
    let Ok(entries) = fs::read_dir(folder.join("tables")) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    files.sort();
    let table = |csv: PathBuf| {
        let name = csv.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(TableFile { name, schema: read(&csv.with_extension("toml"))?, csv })
    };
    files.into_iter().map(table).collect()
}

/// `simulate.toml` of a project.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct TrialFile {
    /// Relative to the project.
    customers: Option<PathBuf>,
    mapping: Option<PathBuf>,
    #[serde(default, with = "care_domain::time::optional_date")]
    date: Option<i32>,
    #[serde(default)]
    params: Map<String, Value>,
}

impl TrialFile {
    fn of(project: Option<&Project>) -> anyhow::Result<Self> {
        let Some(path) = project.map(|p| p.folder().join(TRIAL_FILE)).filter(|path| path.is_file()) else {
            return Ok(Self::default());
        };
        let parsed: Result<Self, _> = toml::from_str(&read(&path)?);
        Ok(parsed.map_err(|error| {
            let hint = "Write customers = \"customers.csv\" and date = \"2026-07-29\"";
            EngineError::refused("bad-trial", format!("{TRIAL_FILE}: {error}"), hint)
        })?)
    }
}

/// The customers of a trial, and what people call them.
fn source(
    wanted: &SimulateArgs,
    project: Option<&Project>,
    defaults: &TrialFile,
) -> anyhow::Result<(CustomerSource, String)> {
    if let Some(snapshot) = &wanted.snapshot {
        return Ok((CustomerSource::Snapshot(snapshot.clone()), snapshot.display().to_string()));
    }
    let of_project = |path: &PathBuf| project.map_or_else(|| path.clone(), |p| p.folder().join(path));
    let (path, mapping) = match (&wanted.customers, &defaults.customers) {
        (Some(path), _) => (path.clone(), wanted.mapping.clone()),
        (None, Some(path)) => (of_project(path), defaults.mapping.as_ref().map(of_project)),
        (None, None) => {
            let hint = "Name a file with --customers or a snapshot with --snapshot";
            return Err(EngineError::refused("no-customers", "there are no customers to try it on", hint).into());
        }
    };
    let Some(date) = wanted.date.or(defaults.date) else {
        let hint = "Name it with --date: the day of which the file's values speak";
        return Err(EngineError::refused("no-date", "a trial on a file needs a business date", hint).into());
    };
    let mapping = mapping.map(|mapping| read(&mapping)).transpose()?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    Ok((CustomerSource::File { path, mapping, date }, name))
}

fn case_table(run: &CaseRun) -> String {
    let row = |r: &RowResult| {
        let verdict = if r.passed { "ok" } else { "FAILED" };
        vec![verdict.to_owned(), r.case.clone(), r.row.to_string(), r.decided.clone()]
    };
    table(&["", "case", "row", "decided"], &run.rows.iter().map(row).collect::<Vec<_>>()) + &failures(run)
}

/// What was decided otherwise than the cases say, and how many rows were not.
pub(crate) fn failures(run: &CaseRun) -> String {
    let mut text = String::new();
    for failed in run.rows.iter().filter(|r| !r.passed) {
        text += &format!("\n{}, row {} (line {}): {}\n", failed.case, failed.row, failed.line, failed.customer);
        for d in &failed.differences {
            text += &format!("  {}:\n    expected {}\n    decided  {}\n", d.what, d.expected, d.decided);
        }
        failed.fault.iter().for_each(|fault| text += &fault_lines(fault));
    }
    let failed = run.rows.iter().filter(|r| !r.passed).count();
    text += &finding_lines(&run.warnings);
    text + &format!("\n{} of {} rows decided as the cases say\n", run.rows.len() - failed, run.rows.len())
}

pub(super) fn fault_lines(fault: &FaultTold) -> String {
    let mut text = format!("  it broke in {}: {}: {}\n", fault.stage.name(), fault.code, fault.message);
    fault.log.iter().for_each(|line| text += &format!("    {}\n", line.trim_end().replace('\n', "\n    ")));
    for at in &fault.places {
        text += &format!("    at {}:{}, in {}\n", at.file, at.line, at.function);
    }
    fault.hint.iter().for_each(|hint| text += &format!("    hint: {hint}\n"));
    text
}

fn simulated(done: &Simulated, customers: &str) -> String {
    let Simulated { evidence, .. } = done;
    let subject = &evidence.subject;
    let mut text = format!(
        "{} {} on {}: {} customers of {customers}, default policy, nobody's past\n",
        subject.activity,
        subject.version,
        write_date(subject.date),
        evidence.customers
    );
    text += &evidence::numbers(evidence);
    text += &evidence::samples(evidence);
    if !done.who.is_empty() {
        text += &format!("\nwho (the first {}):\n", done.who.len());
        let rows: Vec<Vec<String>> = done.who.iter().map(who).collect();
        text += &table(&["customer", "verdict", "why", "occasion", "score", "when", "what"], &rows);
    }
    text += "\nwhat it costs to run:\n";
    text += &costs(done);
    for broken in &done.faults {
        text += &format!("\nit broke on {} customers, first on {}", broken.customers, broken.customer);
        let read: Vec<String> = broken.read.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        text += &format!(" {{ {} }}\n{}", read.join(", "), fault_lines(&broken.fault));
    }
    text + &finding_lines(&done.warnings)
}

pub(super) fn who(of: &Contacted) -> Vec<String> {
    let words: Vec<&str> = of.messages.iter().map(|m| m.zh.as_str()).collect();
    let when = of.planned_at.map_or_else(String::new, |at| write_instant(at)[..16].replace('T', " "));
    let verdict = if of.rule.is_empty() || of.rule == of.verdict.name() {
        of.verdict.name().to_owned()
    } else {
        format!("{} ({})", of.verdict.name(), of.rule)
    };
    let what = of
        .channel
        .filter(|_| !words.is_empty())
        .map_or_else(String::new, |c| format!("{}: {}", c.name(), words.join(" | ")));
    vec![of.customer.clone(), verdict, of.reason.clone(), of.occasion.to_string(), of.score.to_string(), when, what]
}

fn costs(done: &Simulated) -> String {
    let each = |total: u64, rows: u64| total.checked_div(rows).map_or_else(String::new, |each| each.to_string());
    let row = |cost: &StageCost| {
        let share = cost.fuel.saturating_mul(100).checked_div(cost.granted).unwrap_or(0);
        vec![
            cost.stage.name().to_owned(),
            cost.rows.to_string(),
            each(cost.fuel, cost.rows),
            format!("{share}%"),
            format!("{:.1}", cost.memory_bytes as f64 / f64::from(1 << 20)),
            each(cost.nanoseconds, cost.rows),
        ]
    };
    let rows: Vec<Vec<String>> = done.costs.iter().map(row).collect();
    table(&["stage", "rows", "fuel a row", "of limit", "MiB", "ns a row"], &rows)
}
