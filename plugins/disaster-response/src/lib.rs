//! 重大事件关怀 disaster response (S1, Wenchuan 2008): our customers who are in the area, wherever they live.
//!
//! - Phases after the onset, in half-open ranges of days: rescue 抢救 [0, 4), communications assurance 通信保障 [4, 20),
//!   relief and rebuilding 救援及灾后重建 [20, 142): of 2008-05-12, up to 05-16, 06-01 and 10-01.
//! - What is done in which phase is a table in the parameters. S1: calls to the customer and to the 5 closest contacts
//!   in the rescue, credit 9999 afterwards, fee waivers. †Credit 9999 from the first day, since who cannot be reached
//!   must not be cut off; †the waiver in the relief, told by SMS.
//! - While a customer is unreachable the calls are repeated; the host counts the rounds, at most 3.
//!   Who is safe, possibly missing or deceased is not called again. †The requests of a phase are made once in it,
//!   for the safe and the missing too; nothing is requested or said for the deceased. †What was learnt in an earlier
//!   disaster, other than a death, says nothing about this one.
//! - †The occasion is the first day of the phase.
//! - An area's code covers what lies in it: 513200 the counties 5132xx, 510000 the whole province. †Of several areas
//!   that cover a place, the smallest is named.
//! - Rescuers, and customers whom the key-account department names, are on the named lists `rescuers` and
//!   `disaster-customers`: they are cared for wherever the network saw them last. †Words to them name the area of the
//!   parameters, unless they stand in one. Without it, or once it is none of the areas any more, they are passed over,
//!   since nobody could say where the disaster is.

use care_sdk::{Activity, Category, Choice, Date, Instant, Label, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

/// S1: the 5 closest contacts.
const CLOSE_CONTACTS: i32 = 5;

#[derive(Deserialize)]
struct Params {
    onset: Date,
    #[serde(default)]
    area: String,
    phases: Phases,
}

#[derive(Deserialize)]
struct Phases {
    rescue: PhasePlan,
    assurance: PhasePlan,
    relief: PhasePlan,
}

/// A line of the table: days after the onset, half-open, and what is done in them.
#[derive(Deserialize)]
struct PhasePlan {
    from_day: i32,
    until_day: i32,
    actions: Vec<Action>,
}

/// What can be done; each is a template of that name.
#[derive(Debug, Clone, Copy, PartialEq, Choice, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    CallCustomer,
    MessageCustomer,
    CallCloseContacts,
    CreditRating,
    FeeWaiver,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Phase {
    Rescue,
    Assurance,
    Relief,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Area,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Outcome {
    Safe,
    PossiblyMissing,
    Deceased,
    /// And whatever else settles nothing.
    #[category(other)]
    Unreachable,
}

#[derive(Row)]
struct Customer {
    visited_adcode: Label,
    close_contacts: Option<i32>,
    #[row(name = "list.rescuers")]
    is_rescuer: Option<bool>,
    #[row(name = "list.disaster-customers")]
    is_named: Option<bool>,
    #[row(name = "own.last-outcome")]
    last_outcome: Option<Outcome>,
    #[row(name = "own.last-contact-at")]
    last_contact_at: Option<Instant>,
}

/// An area; its key is its administrative code.
#[derive(Row)]
#[row(table = "disaster-areas")]
struct Area {
    key: String,
}

struct DisasterResponse {
    areas: Vec<Area>,
    /// The area of the parameters, by its code; empty for none.
    named: String,
    now: Instant,
    current: Option<Current>,
}

/// The phase that today lies in.
struct Current {
    phase: Phase,
    onset: Date,
    first_day: Date,
    last_day: Date,
    actions: Vec<Action>,
}

impl Activity for DisasterResponse {
    type Params = Params;
    type Tables = Vec<Area>;
    type Target = Customer;
    type Timing = ();
    type Content = Customer;
    type Reason = Phase;
    type Template = Action;
    type Slot = Slot;

    fn prepare(params: Params, areas: Vec<Area>, run: Run) -> Result<Self, String> {
        let named = params.area.clone();
        Ok(Self { areas, named, now: run.now, current: params.current(run.today)? })
    }

    fn select(&self, who: &Customer) -> Option<Selected<Phase>> {
        let current = self.current.as_ref()?;
        self.area_of(who)?;
        current.due(who).next()?;
        Some(Selected { reason: current.phase, occasion: i64::from(current.first_day.0), score: 1.0 })
    }

    fn schedule(&self, (): &(), _: Phase) -> Moments {
        let last = self.current.as_ref().map_or(self.now, |current| current.last_day.end());
        Moments { not_before: self.now, not_after: last }
    }

    fn compose(&self, who: &Customer, _: Phase, say: &mut Messages<Action, Slot>) {
        let (Some(current), Some(area)) = (&self.current, self.area_of(who)) else {
            return;
        };
        for action in current.due(who) {
            let messages = match action {
                Action::CallCloseContacts => who.close_contacts.unwrap_or(0).clamp(0, CLOSE_CONTACTS),
                _ => 1,
            };
            for _ in 0..messages {
                say.message(action).key(Slot::Area, &area.key);
            }
        }
    }
}

impl Params {
    fn current(self, today: Date) -> Result<Option<Current>, String> {
        let Phases { rescue, assurance, relief } = self.phases;
        let table = [(Phase::Rescue, rescue), (Phase::Assurance, assurance), (Phase::Relief, relief)];
        if let Some((phase, plan)) = table.iter().find(|(_, plan)| plan.from_day >= plan.until_day) {
            let (name, until) = (phase.name(), plan.until_day);
            return Err(format!(
                "phase {name:?} ends before day {until} but begins no earlier: set until_day after from_day"
            ));
        }
        let day = today.days_since(self.onset);
        let now = table.into_iter().find(|(_, plan)| (plan.from_day..plan.until_day).contains(&day));
        Ok(now.map(|(phase, plan)| Current {
            phase,
            onset: self.onset,
            first_day: self.onset.plus(plan.from_day),
            last_day: self.onset.plus(plan.until_day - 1),
            actions: plan.actions,
        }))
    }
}

impl Current {
    /// What is still to be done for a customer in this phase.
    fn due(&self, who: &Customer) -> impl Iterator<Item = Action> {
        let requested = who.last_contact_at.is_some_and(|at| at >= self.first_day.at(0));
        let outcome = self.outcome(who);
        self.actions.iter().copied().filter(move |action| match action {
            Action::CallCustomer | Action::CallCloseContacts => outcome == Outcome::Unreachable,
            Action::MessageCustomer => !requested && matches!(outcome, Outcome::Safe | Outcome::Unreachable),
            Action::CreditRating | Action::FeeWaiver => !requested && outcome != Outcome::Deceased,
        })
    }

    /// What became of a customer in this disaster, as far as is known.
    fn outcome(&self, who: &Customer) -> Outcome {
        let earlier = who.last_contact_at.is_some_and(|at| at < self.onset.at(0));
        match who.last_outcome {
            Some(outcome) if !earlier || outcome == Outcome::Deceased => outcome,
            _ => Outcome::Unreachable,
        }
    }
}

impl DisasterResponse {
    /// The area in which a customer stands; for somebody on a list, else that of the parameters.
    fn area_of(&self, who: &Customer) -> Option<&Area> {
        let is_listed = who.is_rescuer == Some(true) || who.is_named == Some(true);
        let named = || self.areas.iter().find(|area| is_listed && area.key == self.named);
        self.area_around(who.visited_adcode.as_str()).or_else(named)
    }

    /// The smallest area that covers a place.
    fn area_around(&self, place: &str) -> Option<&Area> {
        let around = self.areas.iter().filter(|area| !area.covered().is_empty() && place.starts_with(area.covered()));
        around.max_by_key(|area| area.covered().len())
    }
}

impl Area {
    /// What the codes of all places in it begin with: pairs of zeros at the end stand for the whole.
    fn covered(&self) -> &str {
        let prefecture = self.key.strip_suffix("00").unwrap_or(&self.key);
        prefecture.strip_suffix("00").unwrap_or(prefecture)
    }
}

care_sdk::export!(DisasterResponse);

#[cfg(test)]
mod tests;
