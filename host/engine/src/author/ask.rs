//! Asking an activity about customers, stage after stage, with what each stage cost and what broke it.

use super::functions::{LINES, asked_to_tell, told_last};
use crate::plan::halve::{Answers, halved};
use care_domain::approval::CEILING;
use care_domain::column::Table;
use care_domain::field::Stage;
use care_domain::manifest::{FieldUse, Limits};
use care_sandbox::{
    Broken, Fault, FaultCode, Frame, Grants, Guest, MachineError, Message, Place, Plugin, RunFacts, Step,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The columns of some fields, for some rows of a batch in their order or for all.
pub(super) type Lend<'a> = dyn Fn(&[FieldUse], Option<&[u32]>) -> Table + 'a;

/// The author's lines at a frame.
pub(super) type Locate<'a> = dyn Fn(&Frame) -> Vec<Place> + 'a;

/// What a stage cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageCost {
    /// The stage.
    pub stage: Stage,
    /// Rows that it was asked about.
    pub rows: u64,
    /// Calls.
    pub calls: u64,
    /// Fuel that those calls might use.
    pub granted: u64,
    /// Fuel, starting the guest included.
    pub fuel: u64,
    /// The most linear memory of its guest, in bytes.
    pub memory_bytes: u64,
    /// Time by the clock that was handed in, in nanoseconds.
    pub nanoseconds: u64,
}

/// How an activity broke on some customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultTold {
    /// In which stage.
    pub stage: Stage,
    /// The fault's code.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do, where the fault itself tells.
    pub hint: Option<String>,
    /// What the guest said to its author before it broke.
    pub log: Vec<String>,
    /// The author's lines at which it stood, innermost first, where the build kept line tables.
    pub places: Vec<Place>,
}

/// What is decided for a customer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) reason: u16,
    pub(super) occasion: i64,
    pub(super) score: f32,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) messages: Vec<Message>,
}

/// What an activity says of a batch.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) chosen: BTreeMap<u32, Chosen>,
    /// Rows that broke it. A plan would give each of them the verdict `plugin-fault`.
    pub(super) broke: Vec<(Vec<u32>, FaultTold)>,
}

/// The guests of one run, one a stage, as a task of a plan has them.
pub(super) struct Crew<'c> {
    guests: [Guest; 3],
    clock: &'c dyn Fn() -> Duration,
    locate: &'c Locate<'c>,
    /// Asked once more where something broke without a word, so that an interpreter's SDK tells where it was.
    again: (Plugin, RunFacts, Grants),
    tells: u32,
    spent: [Duration; 3],
    asked: [u64; 3],
    halvings: u32,
    limits: Limits,
}

/// Halvings that a trial may cause: many more than a plan allows, so that an author sees each customer on whom it breaks.
const MAX_HALVINGS: u32 = 4_096;
/// How often customers who broke it without a word are asked about once more.
const MAX_TELLS: u32 = 16;
const STAGES: [Stage; 3] = [Stage::Select, Stage::Schedule, Stage::Compose];

impl<'c> Crew<'c> {
    /// Guests of their own. `clock` tells how long something has been going on; only differences count. `locate` tells
    /// where what breaks stood.
    pub(super) fn new(
        plugin: &Plugin,
        (facts, grants): (&RunFacts, &Grants),
        clock: &'c dyn Fn() -> Duration,
        locate: &'c Locate<'c>,
    ) -> Self {
        let guest = |stage| plugin.guest(stage, facts.clone(), grants.clone());
        Self {
            guests: STAGES.map(guest),
            clock,
            locate,
            again: (plugin.clone(), facts.clone(), Grants { limits: CEILING, ..grants.clone() }),
            tells: if plugin.keeps_traces() { MAX_TELLS } else { 0 },
            spent: Default::default(),
            asked: [0; 3],
            halvings: MAX_HALVINGS,
            limits: grants.limits,
        }
    }

    /// Asks about a batch of so many rows.
    pub(super) fn ask(&mut self, rows: u32, grants: &Grants, lend: &Lend<'_>) -> Result<Asked, MachineError> {
        let mut asked = Asked::default();
        let all: Vec<u32> = (0..rows).collect();
        let fields = |stage| grants.manifest.fields_of(stage);
        let select = self.stage(0, &all, &mut asked, |guest, part| {
            let part = (part.len() < all.len()).then_some(part);
            guest.select(lend(fields(Stage::Select), part))
        })?;
        for (part, selection) in select.good {
            for (at, row) in selection.rows.iter().enumerate() {
                let chosen = Chosen {
                    reason: selection.reasons[at],
                    occasion: selection.occasions[at],
                    score: selection.scores[at],
                    not_before: 0,
                    not_after: 0,
                    messages: Vec::new(),
                };
                asked.chosen.insert(part[*row as usize], chosen);
            }
        }
        let reasons: BTreeMap<u32, u16> = asked.chosen.iter().map(|(row, c)| (*row, c.reason)).collect();
        let why = |part: &[u32]| -> Vec<u16> { part.iter().map(|row| reasons[row]).collect() };
        let rows: Vec<u32> = reasons.keys().copied().collect();
        let schedule = self.stage(1, &rows, &mut asked, |guest, part| {
            guest.schedule(lend(fields(Stage::Schedule), Some(part)), &why(part))
        })?;
        for (part, moments) in schedule.good {
            for (at, row) in part.iter().enumerate() {
                if let Some(chosen) = asked.chosen.get_mut(row) {
                    (chosen.not_before, chosen.not_after) = (moments.not_before[at], moments.not_after[at]);
                }
            }
        }
        let rows: Vec<u32> = asked.chosen.keys().copied().collect();
        let compose = self.stage(2, &rows, &mut asked, |guest, part| {
            guest.compose(lend(fields(Stage::Compose), Some(part)), &why(part))
        })?;
        for (part, messages) in compose.good {
            for message in messages {
                if let Some(chosen) = asked.chosen.get_mut(&part[message.row as usize]) {
                    chosen.messages.push(message);
                }
            }
        }
        Ok(asked)
    }

    /// One stage over some rows; those that break it are noted and no longer chosen.
    fn stage<T>(
        &mut self,
        index: usize,
        rows: &[u32],
        asked: &mut Asked,
        mut call: impl FnMut(&mut Guest, &[u32]) -> Result<T, Broken>,
    ) -> Result<Answers<T>, MachineError> {
        let guest = &mut self.guests[index];
        let mut where_broken: BTreeMap<Vec<u32>, (Vec<Frame>, Vec<String>)> = BTreeMap::new();
        let begun = (self.clock)();
        let mut answers = halved(rows, &mut self.halvings, &mut |part| {
            call(guest, part).inspect_err(|_| {
                where_broken.insert(part.to_vec(), (guest.trace().to_vec(), guest.take_log()));
            })
        })?;
        self.spent[index] += (self.clock)().saturating_sub(begun);
        self.asked[index] += rows.len() as u64;
        for (part, fault) in std::mem::take(&mut answers.bad) {
            let (trace, log) = where_broken.remove(&part).unwrap_or_default();
            part.iter().for_each(|row| drop(asked.chosen.remove(row)));
            let mut places = places(&trace, self.locate);
            let says_nothing = matches!(fault.code, FaultCode::Trap | FaultCode::FuelExhausted | FaultCode::Memory);
            if places.is_empty() && says_nothing && self.tells > 0 {
                self.tells -= 1;
                places.extend(self.told_again(index, &part, &mut call));
            }
            asked.broke.push((part, fault_told(STAGES[index], fault, log, places, self.limits)));
        }
        Ok(answers)
    }

    /// Where it was when the first of some rows broke it, by what its SDK tells.
    fn told_again<T>(
        &self,
        index: usize,
        rows: &[u32],
        call: &mut impl FnMut(&mut Guest, &[u32]) -> Result<T, Broken>,
    ) -> Option<Place> {
        let (plugin, facts, grants) = &self.again;
        let mut guest = plugin.guest(STAGES[index], asked_to_tell(facts, LINES)?, grants.clone());
        // It broke before, and breaks again or not: what counts is what it told.
        let _ = call(&mut guest, rows.get(..1)?);
        told_last(guest.steps())
    }

    /// For each stage its rows, the fuel that its last call was granted and had left, and what it asked for.
    pub(super) fn steps(&self) -> Vec<(Stage, u64, u64, u64, &[Step])> {
        let of = |index: usize| {
            let (guest, rows) = (&self.guests[index], self.asked[index]);
            let granted = self.limits.fuel_base + self.limits.fuel_per_row * rows;
            (STAGES[index], rows, granted, guest.fuel_left(), guest.steps())
        };
        // A call that was halved is several, which do not add up to one.
        (0..STAGES.len()).filter(|index| self.guests[*index].usage().calls == 1).map(of).collect()
    }

    /// What the stages cost so far.
    pub(super) fn costs(&self) -> [StageCost; 3] {
        std::array::from_fn(|index| {
            let usage = self.guests[index].usage();
            StageCost {
                stage: STAGES[index],
                rows: self.asked[index],
                calls: usage.calls,
                granted: self.limits.fuel_base * usage.calls + self.limits.fuel_per_row * usage.rows,
                fuel: usage.fuel,
                memory_bytes: usage.memory_bytes,
                nanoseconds: u64::try_from(self.spent[index].as_nanos()).unwrap_or(u64::MAX),
            }
        })
    }
}

/// The author's lines of a trace; a function that calls itself is told once.
pub(super) fn places(trace: &[Frame], locate: &Locate<'_>) -> Vec<Place> {
    let mut places: Vec<Place> = trace.iter().flat_map(locate).collect();
    places.dedup();
    places
}

/// A fault in words for its author.
pub(super) fn fault_told(
    stage: Stage,
    fault: Fault,
    log: Vec<String>,
    places: Vec<Place>,
    limits: Limits,
) -> FaultTold {
    let hint = hint(stage, &fault, limits);
    FaultTold { stage, code: fault.code.name(), message: fault.message, hint, log, places }
}

fn hint(stage: Stage, fault: &Fault, limits: Limits) -> Option<String> {
    Some(match fault.code {
        FaultCode::FieldNotGranted => {
            let named = fault.message.split('"').nth(1)?;
            let stage = stage.name();
            format!(
                "Declare it where the code declares the fields of {stage}; the manifest then says \
                 fields.{stage} = [{{ name = \"{named}\", type = \"…\" }}]"
            )
        }
        FaultCode::FuelExhausted => format!(
            "Do less for each row (`care plugin simulate --profile` tells where the fuel goes), or ask for more in activity.toml: \
             limits.fuel_per_row is {}, limits.fuel_base {}, at most {} and {}",
            limits.fuel_per_row, limits.fuel_base, CEILING.fuel_per_row, CEILING.fuel_base
        ),
        FaultCode::Memory => format!(
            "Keep less at a time, or ask for more in activity.toml: limits.memory_mib is {}, at most {}",
            limits.memory_mib, CEILING.memory_mib
        ),
        _ => return None,
    })
}
