//! Which of the author's functions use the fuel of the rules. In Rust line tables name them: a call is ended at one amount of
//! fuel after the other, and where it stands then tells whose the fuel before was. The SDKs of interpreted languages tell the
//! host themselves when a function begins and ends, as far as their interpreters let them know.

use super::ask::{Asked, Crew};
use super::customers::Customers;
use super::profile::FirstBatch;
use super::simulate::Trial;
use super::workbench::Workbench;
use crate::EngineError;
use care_domain::column::Table;
use care_domain::field::Stage;
use care_domain::manifest::{FieldUse, Limits};
use care_sandbox::{Broken, FaultCode, Frame, Grants, Guest, MachineError, Place, Plugin, RunFacts, Step};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Customers of a sampled call: it is made again and again.
const SAMPLED_ROWS: usize = 512;
/// Customers of a call whose functions are told.
const TOLD_ROWS: usize = 500;
/// Stretches of a call that are looked at, and amounts of fuel in each.
const STRETCHES: u64 = 8;
const AMOUNTS: u64 = 256;
/// The parameter by which an SDK is asked to tell; no activity can have one of that name.
const ASKED_TO_TELL: &str = "care:profile";
/// What it is asked to tell: where functions begin and end, or each line that is run.
const FUNCTIONS: &str = "functions";
pub(super) const LINES: &str = "lines";
/// What an SDK's notes begin with.
const NOTE: &str = "log care-profile ";

/// How functions come to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// From line tables, of a build that keeps the rules apart from the loop over the rows.
    ByLines,
    /// The SDK inside of the component tells.
    BySdk,
}

/// The fuel of the rules of a stage by the author's functions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageFunctions {
    /// The stage.
    pub stage: Stage,
    /// Rows of the call.
    pub rows: u64,
    /// The most expensive first.
    pub functions: Vec<FunctionFuel>,
}

/// What a function used itself, without what it calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionFuel {
    /// The function and where it begins; nothing for what stands around the author's functions.
    pub of: Option<Place>,
    /// Fuel.
    pub fuel: u64,
}

/// A stage's call, to be made again.
struct Question {
    stage: Stage,
    table: Table,
    reasons: Vec<u16>,
    /// Fuel of the whole call, and what was used of it when the last column had been read.
    fuel: u64,
    read: u64,
}

impl Workbench {
    /// Which functions use the fuel of the rules, stage by stage, on the customers' first rows.
    pub fn functions(
        &self,
        customers: &Customers,
        trial: &Trial,
        telling: Telling,
    ) -> Result<Vec<StageFunctions>, EngineError> {
        match telling {
            Telling::BySdk => self.on_first_batch(customers, trial, TOLD_ROWS, &|batch| self.told_by_sdk(batch)),
            Telling::ByLines => self.on_first_batch(customers, trial, SAMPLED_ROWS, &|batch| self.sampled(batch)),
        }
    }

    fn told_by_sdk(&self, batch: &FirstBatch<'_>) -> Result<Vec<StageFunctions>, EngineError> {
        let Some(facts) = asked_to_tell(batch.facts, FUNCTIONS) else { return Ok(Vec::new()) };
        let clock = || Duration::ZERO;
        let locate = self.locate();
        let mut crew = Crew::new(&self.plugin, (&facts, batch.grants), &clock, &locate);
        crew.ask(batch.rows, batch.grants, batch.lend).map_err(|source| self.machine(source))?;
        let stages = crew.steps().into_iter().map(|(stage, rows, _, left, steps)| StageFunctions {
            stage,
            rows,
            functions: sorted(told_by(steps, left)),
        });
        Ok(stages.filter(|stage| !stage.functions.is_empty()).collect())
    }

    fn sampled(&self, batch: &FirstBatch<'_>) -> Result<Vec<StageFunctions>, EngineError> {
        let clock = || Duration::ZERO;
        let locate = self.locate();
        let mut crew = Crew::new(&self.plugin, (batch.facts, batch.grants), &clock, &locate);
        let asked = crew.ask(batch.rows, batch.grants, batch.lend).map_err(|source| self.machine(source))?;
        let mut stages = Vec::new();
        for (stage, rows, granted, left, steps) in crew.steps() {
            let read = steps.last().map_or(0, |step| granted.saturating_sub(step.fuel_left));
            let question = Question::of(stage, batch, &asked, (granted.saturating_sub(left), read));
            let functions = self.sample(batch, &question, &locate).map_err(|source| self.machine(source))?;
            stages.push(StageFunctions { stage, rows, functions: sorted(functions) });
        }
        Ok(stages)
    }

    /// Looks at stretches of the call, amount by amount. A call is stopped where a loop turns or a function begins, once its
    /// fuel is used up: what was used before belongs to where it could have been stopped last.
    fn sample(
        &self,
        batch: &FirstBatch<'_>,
        question: &Question,
        locate: &dyn Fn(&Frame) -> Vec<Place>,
    ) -> Result<BTreeMap<Option<Place>, u64>, MachineError> {
        let rules = question.fuel.saturating_sub(question.read);
        let rows = u64::from(question.table.rows).max(1);
        let step = (2 * rules / rows).clamp(AMOUNTS, rules.max(AMOUNTS)) / AMOUNTS;
        let mut found: BTreeMap<Option<Place>, u64> = BTreeMap::new();
        for stretch in 0..STRETCHES {
            let begin = question.read + rules * stretch / STRETCHES;
            let mut here: Option<Vec<Frame>> = None;
            let mut before: Option<Option<Place>> = None;
            for amount in 0..AMOUNTS {
                let Some(trace) = question.stopped_at(&self.plugin, batch, begin + amount * step)? else { break };
                if here.as_ref().is_some_and(|here| *here != trace) {
                    before = here.as_deref().map(|trace| owner(trace, locate));
                }
                here = Some(trace);
                if let Some(before) = &before {
                    *found.entry(before.clone()).or_default() += 1;
                }
            }
        }
        let all: u64 = found.values().sum();
        Ok(found.into_iter().map(|(of, count)| (of, rules * count / all.max(1))).collect())
    }

    fn machine(&self, source: MachineError) -> EngineError {
        EngineError::Machine { activity: self.manifest.name.clone(), attempts: 1, source }
    }
}

impl Question {
    fn of(stage: Stage, batch: &FirstBatch<'_>, asked: &Asked, (fuel, read): (u64, u64)) -> Self {
        let fields: &[FieldUse] = batch.grants.manifest.fields_of(stage);
        if stage == Stage::Select {
            return Self { stage, table: (batch.lend)(fields, None), reasons: Vec::new(), fuel, read };
        }
        let rows: Vec<u32> = asked.chosen.keys().copied().collect();
        let reasons = asked.chosen.values().map(|chosen| chosen.reason).collect();
        Self { stage, table: (batch.lend)(fields, Some(&rows)), reasons, fuel, read }
    }

    /// Where the call stands when so much fuel is used up; nothing where it ends before.
    fn stopped_at(
        &self,
        plugin: &Plugin,
        batch: &FirstBatch<'_>,
        fuel: u64,
    ) -> Result<Option<Vec<Frame>>, MachineError> {
        let limits = Limits { fuel_base: fuel, fuel_per_row: 0, ..batch.grants.limits };
        let mut guest = plugin.guest(self.stage, batch.facts.clone(), Grants { limits, ..batch.grants.clone() });
        match self.put(&mut guest) {
            Err(Broken::Machine(error)) => Err(error),
            Err(Broken::Fault(fault)) if fault.code == FaultCode::FuelExhausted => Ok(Some(guest.trace().to_vec())),
            _ => Ok(None),
        }
    }

    fn put(&self, guest: &mut Guest) -> Result<(), Broken> {
        let table = self.table.clone();
        match self.stage {
            Stage::Select => guest.select(table).map(drop),
            Stage::Schedule => guest.schedule(table, &self.reasons).map(drop),
            _ => guest.compose(table, &self.reasons).map(drop),
        }
    }
}

/// The innermost of the author's functions.
fn owner(trace: &[Frame], locate: &dyn Fn(&Frame) -> Vec<Place>) -> Option<Place> {
    trace.iter().flat_map(locate).next()
}

/// Functions with the line at which each begins, as far as it was seen, the most expensive first.
fn sorted(found: BTreeMap<Option<Place>, u64>) -> Vec<FunctionFuel> {
    let mut functions: Vec<FunctionFuel> = Vec::new();
    // By line, so that the first one of a function is its first line.
    for (of, fuel) in found {
        let same = |known: &&mut FunctionFuel| match (&known.of, &of) {
            (Some(known), Some(of)) => (&known.file, &known.function) == (&of.file, &of.function),
            (None, None) => true,
            _ => false,
        };
        match functions.iter_mut().find(same) {
            Some(known) => known.fuel += fuel,
            None => functions.push(FunctionFuel { of, fuel }),
        }
    }
    functions.sort_by(|a, b| b.fuel.cmp(&a.fuel).then_with(|| a.of.cmp(&b.of)));
    functions
}

/// What an SDK told. `(` is where its own work begins, `>` and `<` where a function begins or ends behind it, `=` where nothing
/// does, so that what telling costs is known and left out.
fn told_by(steps: &[Step], left: u64) -> BTreeMap<Option<Place>, u64> {
    let mut found: BTreeMap<Option<Place>, u64> = BTreeMap::new();
    let mut stack: Vec<Place> = Vec::new();
    // The first times cost more than those that follow.
    let (mut since, mut overhead, mut measured) = (None, u64::MAX, false);
    for step in steps {
        let Some(note) = step.asked.strip_prefix(NOTE) else { continue };
        let used = since.map_or(0, |since: u64| since.saturating_sub(step.fuel_left));
        match note.split_at_checked(1) {
            Some(("(", _)) if measured => overhead = overhead.min(used),
            Some(("(", _)) if since.is_some() => {
                *found.entry(stack.last().cloned()).or_default() += used.saturating_sub(overhead);
            }
            Some((">", place)) => stack.extend(parsed(place)),
            Some(("<", _)) => drop(stack.pop()),
            _ => {}
        }
        measured = note.starts_with('=');
        since = (!note.starts_with('(')).then_some(step.fuel_left);
    }
    if let Some(since) = since.filter(|_| !found.is_empty()) {
        *found.entry(None).or_default() += since.saturating_sub(left);
    }
    found
}

/// The facts of a run in which an SDK that can is asked to tell `what`.
pub(super) fn asked_to_tell(facts: &RunFacts, what: &str) -> Option<RunFacts> {
    let mut params: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&facts.params).ok()?;
    params.insert(ASKED_TO_TELL.into(), what.into());
    Some(RunFacts { params: serde_json::Value::from(params).to_string().into(), ..facts.clone() })
}

/// Where a guest stood when it broke, by what its SDK told last: `@` is a line, else the function that had not ended.
pub(super) fn told_last(steps: &[Step]) -> Option<Place> {
    let (mut line, mut stack) = (None, Vec::new());
    for step in steps {
        match step.asked.strip_prefix(NOTE).and_then(|note| note.split_at_checked(1)) {
            Some(("@", place)) => line = parsed(place),
            Some((">", place)) => stack.extend(parsed(place)),
            Some(("<", _)) => drop(stack.pop()),
            _ => {}
        }
    }
    line.or(stack.pop())
}

/// `activity.py:45 greeting`
fn parsed(place: &str) -> Option<Place> {
    let (at, function) = place.trim().split_once(' ')?;
    let (file, line) = at.rsplit_once(':')?;
    Some(Place { file: file.to_owned(), line: line.parse().ok()?, function: function.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_sdk_tells_is_added_up_without_what_telling_costs() {
        let step = |asked: &str, fuel_left| Step { asked: format!("log care-profile {asked}"), fuel_left };
        let steps = [
            step("(", 1_000),
            step("=", 990),
            step("(", 980),
            step("=", 970),
            step("(", 960),
            step("> activity.py:3 select", 900),
            step("(", 790),
            step("> activity.py:9 best", 750),
            step("(", 540),
            step("<", 500),
            step("(", 450),
            step("<", 400),
        ];
        let told = sorted(told_by(&steps, 100));
        let fuel = |name: &str| told.iter().find(|f| f.of.as_ref().is_some_and(|p| p.function == name)).map(|f| f.fuel);
        // Telling costs 10: 100 and 40 of its own for select, 200 for best.
        assert_eq!((fuel("select"), fuel("best")), (Some(140), Some(200)), "{told:?}");
        assert_eq!(told[0], FunctionFuel { of: None, fuel: 300 }, "what follows the last note is nobody's");
        assert!(told_by(&[Step { asked: "rows customers".into(), fuel_left: 5 }], 0).is_empty());
        assert_eq!(told_last(&steps), None, "every function had ended");
        assert_eq!(told_last(&steps[..9]).map(|place| place.function).as_deref(), Some("best"));
        let lines = [step("@ activity.py:3 select", 9), step("@ activity.py:4 select", 8)];
        assert_eq!(told_last(&lines).map(|place| place.line), Some(4));
    }
}
