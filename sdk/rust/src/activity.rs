//! What an author writes: an activity, and the few words its rules answer in.

use crate::row::{Row, Tables};
use crate::say::Messages;
use crate::tally::{Outcome, Tally};
use crate::units::{Date, Instant};
use serde::de::DeserializeOwned;

/// A care activity. Every call prepares it afresh, so that nothing can be remembered between batches.
///
/// What `Timing` and `Content` cannot do without, `Target` must require too: otherwise a customer could be
/// chosen for whom nothing can be scheduled or said. This is checked when the activity is exported.
pub trait Activity: Sized {
    /// The campaign's parameters, as the manifest's schema describes them.
    type Params: DeserializeOwned;
    /// Reference tables.
    type Tables: Tables;
    /// What is known of a customer when choosing; a row that lacks a required value is never chosen.
    type Target: Row;
    /// What is known when scheduling; `()` for nothing.
    type Timing: Row;
    /// What is known when composing; `()` for nothing.
    type Content: Row;
    /// The manifest's reasons, in its order.
    type Reason: Choice;
    /// The manifest's templates, in its order.
    type Template: Choice;
    /// The manifest's slots, in its order; `NoSlots` for none.
    type Slot: Choice;

    /// Makes ready for one call. An error ends the call and is shown to the author.
    fn prepare(params: Self::Params, tables: Self::Tables, run: Run) -> Result<Self, String>;
    /// Whom: whether this customer is a target, and why.
    fn select(&self, who: &Self::Target) -> Option<Selected<Self::Reason>>;
    /// When: the moments between which the contact is useful.
    fn schedule(&self, who: &Self::Timing, reason: Self::Reason) -> Moments;
    /// What: the messages for this customer.
    fn compose(&self, who: &Self::Content, reason: Self::Reason, say: &mut Messages<Self::Template, Self::Slot>);

    /// What an outcome adds to the evaluation: by default the metric `goal`, 1 where the goal was reached.
    fn measure(outcome: &Outcome, tally: &mut Tally) {
        tally.add(outcome, "goal", i64::from(outcome.reached));
    }
}

/// Names that code and manifest share by their index; derive it for an enum without data.
pub trait Choice: Copy {
    /// Kebab-case names, in the order of the indices.
    const NAMES: &'static [&'static str];
    /// Its index.
    fn index(self) -> u16;
    /// The one with that index.
    fn from_index(index: u16) -> Option<Self>;
    /// Its name.
    fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.index())).copied().unwrap_or_default()
    }
}

/// The slots of an activity whose templates have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, care_sdk_derive::Choice)]
pub enum NoSlots {}

/// The facts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The business date.
    pub today: Date,
    /// The run's fixed instant.
    pub now: Instant,
}

/// Why and how urgently a customer is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected<R> {
    /// The reason.
    pub reason: R,
    /// What the contact is about: the same customer is contacted once for the same number.
    pub occasion: i64,
    /// How much it is needed, 0 to 1.
    pub score: f32,
}

/// Between which instants a contact is useful, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    /// Not earlier.
    pub not_before: Instant,
    /// Not later: it is dropped then.
    pub not_after: Instant,
}
