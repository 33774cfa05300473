//! `care plugin simulate --profile`: where an activity's fuel goes, by what it was used for and by the author's functions.

use super::author::{Subject, kept, tables_of, workplace};
use super::read_bytes;
use crate::answer::table;
use crate::args::CacheArgs;
use crate::plugin::{self, Language, Project};
use care_engine::author::{Customers, FunctionFuel, StageFunctions, StageProfile, Telling, Trial, Work, Workbench};
use serde::Serialize;

/// Where the fuel of each stage goes.
#[derive(Serialize)]
pub(super) struct Profile {
    stages: Vec<StageProfile>,
    /// Of the rules, where they can be told apart.
    functions: Vec<StageFunctions>,
}

/// Profiles an activity on the first of some customers.
pub(super) fn of(
    subject: &Subject,
    (customers, trial): (&Customers, &Trial),
    cache: &CacheArgs,
    say: &dyn Fn(&str),
) -> anyhow::Result<Profile> {
    let stages = subject.workbench.profile(customers, trial)?;
    let functions = match &subject.project {
        None => {
            say("A component alone does not tell its functions apart: name the folder of its project");
            Vec::new()
        }
        Some(project) if project.language() == Language::Rust => {
            // An SDK of before cannot keep the rules apart; the rest of the profile stands without.
            let apart = open_apart(project, cache, say).map_err(|error| say(&format!("{error:#}"))).ok();
            apart.map_or(Ok(Vec::new()), |apart| apart.functions(customers, trial, Telling::ByLines))?
        }
        Some(_) => subject.workbench.functions(customers, trial, Telling::BySdk)?,
    };
    Ok(Profile { stages, functions })
}

/// Another build of a project in Rust, in which the rules are functions of their own.
fn open_apart(project: &Project, cache: &CacheArgs, say: &dyn Fn(&str)) -> anyhow::Result<Workbench> {
    say("Building it once more, with the rules kept apart");
    let built = plugin::build_apart(project, say)?;
    let tables = tables_of(project.folder())?;
    Ok(Workbench::open(&read_bytes(&built.path)?, kept(&built.path), &tables, &workplace(cache)?)?)
}

impl Profile {
    /// As tables.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for stage in &self.stages {
            text += &used_for(stage);
            let functions = self.functions.iter().find(|functions| functions.stage == stage.stage);
            functions.iter().for_each(|functions| text += &by_function(functions));
        }
        text
    }
}

fn used_for(stage: &StageProfile) -> String {
    let row = |work: &Work| line(work.what.clone(), work.fuel, (stage.rows, stage.fuel));
    let rows: Vec<Vec<String>> = stage.work.iter().map(row).collect();
    let head = format!("\nwhere the fuel of {} goes ({} rows, {} fuel):\n", stage.stage.name(), stage.rows, stage.fuel);
    head + &table(&["what for", "fuel", "a row", "share"], &rows)
}

fn by_function(stage: &StageFunctions) -> String {
    let all: u64 = stage.functions.iter().map(|function| function.fuel).sum();
    let row = |function: &FunctionFuel| {
        let name = function.of.as_ref().map_or_else(
            || "around your functions: the SDK, the library".to_owned(),
            |place| format!("{} ({}:{})", place.function, place.file, place.line),
        );
        line(name, function.fuel, (stage.rows, all))
    };
    let rows: Vec<Vec<String>> = stage.functions.iter().map(row).collect();
    let head = format!("its rules, on {} rows, by function:\n", stage.rows);
    head + &table(&["function", "fuel", "a row", "share"], &rows)
}

fn line(what: String, fuel: u64, (rows, all): (u64, u64)) -> Vec<String> {
    let share = 100.0 * fuel as f64 / all.max(1) as f64;
    vec![what, fuel.to_string(), (fuel / rows.max(1)).to_string(), format!("{share:.1}%")]
}
