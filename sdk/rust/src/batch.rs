//! The functions of the contract over any host: a batch of columns in, an activity's answers out.
//! A component exports them; tests call them with the in-memory bench.

use crate::activity::{Activity, Choice, Moments, Run, Selected};
use crate::bindings::exports::care::activity::{content, evaluation, targeting, timing};
use crate::host::Host;
use crate::row::{Row, Tables};
use crate::say::Messages;
use crate::tally::{Outcome, Tally};
use crate::units::{Date, Instant};

pub(crate) const CUSTOMERS: &str = "customers";

/// `targeting.select`.
pub fn select<A: Activity>(host: &impl Host) -> Result<targeting::Selection, String> {
    let activity = prepare::<A>(host)?;
    let columns = A::Target::fetch(host);
    let rule = apart::<fn(&A, &A::Target) -> Option<Selected<A::Reason>>>(A::select);
    let mut chosen = targeting::Selection { rows: vec![], reasons: vec![], occasions: vec![], scores: vec![] };
    for row in 0..host.rows(CUSTOMERS) {
        let who = A::Target::read(&columns, row as usize);
        if let Some(selected) = who.and_then(|who| rule(&activity, &who)) {
            chosen.rows.push(row);
            chosen.reasons.push(selected.reason.index());
            chosen.occasions.push(selected.occasion);
            chosen.scores.push(selected.score);
        }
    }
    Ok(chosen)
}

/// `timing.schedule`.
pub fn schedule<A: Activity>(host: &impl Host, reasons: &[u16]) -> Result<timing::Moments, String> {
    let activity = prepare::<A>(host)?;
    let columns = A::Timing::fetch(host);
    let rule = apart::<fn(&A, &A::Timing, A::Reason) -> Moments>(A::schedule);
    let mut moments = timing::Moments { not_before: vec![], not_after: vec![] };
    for (row, reason) in reasons.iter().enumerate() {
        let who = A::Timing::read(&columns, row).ok_or_else(|| lacking(row))?;
        let useful = rule(&activity, &who, chosen_for::<A>(row, *reason)?);
        // A plan made after the last useful instant is too late, which is for the host to say; it is no fault.
        moments.not_before.push(useful.not_before.0.min(useful.not_after.0));
        moments.not_after.push(useful.not_after.0);
    }
    Ok(moments)
}

/// `content.compose`.
pub fn compose<A: Activity>(host: &impl Host, reasons: &[u16]) -> Result<content::Messages, String> {
    let activity = prepare::<A>(host)?;
    let columns = A::Content::fetch(host);
    let rule = apart::<fn(&A, &A::Content, A::Reason, &mut Messages<A::Template, A::Slot>)>(A::compose);
    let mut say = Messages::new();
    for (row, reason) in reasons.iter().enumerate() {
        let who = A::Content::read(&columns, row).ok_or_else(|| lacking(row))?;
        say.about(row as u32);
        rule(&activity, &who, chosen_for::<A>(row, *reason)?, &mut say);
    }
    Ok(say.finish())
}

/// `evaluation.observe`: adds the outcomes at hand to a state, which is empty at first.
pub fn observe<A: Activity>(host: &impl Host, state: &[u8]) -> Result<Vec<u8>, String> {
    let mut tally = Tally::from_state(state)?;
    let columns = Outcome::fetch(host);
    for row in 0..host.rows(Outcome::TABLE) {
        if let Some(outcome) = Outcome::read(&columns, row as usize) {
            A::measure(&outcome, &mut tally);
        }
    }
    tally.to_state()
}

/// `evaluation.merge`.
pub fn merge(left: &[u8], right: &[u8]) -> Result<Vec<u8>, String> {
    let mut tally = Tally::from_state(left)?;
    tally.merge(Tally::from_state(right)?);
    tally.to_state()
}

/// `evaluation.report`.
pub fn report(state: &[u8]) -> Result<Vec<evaluation::Metric>, String> {
    Ok(Tally::from_state(state)?.report())
}

fn prepare<A: Activity>(host: &impl Host) -> Result<A, String> {
    let params = host.params();
    let params = serde_json::from_str(&params).map_err(|e| format!("the parameters do not fit the code: {e}"))?;
    let run = Run { today: Date(host.today()), now: Instant(host.now()) };
    A::prepare(params, A::Tables::fetch(host)?, run)
}

/// A rule as it is called. For a profile the compiler must not know which one it is, or it would put the rule into the loop
/// over the rows, where nobody could tell it apart.
fn apart<F>(rule: F) -> F {
    if cfg!(feature = "apart") { std::hint::black_box(rule) } else { rule }
}

fn chosen_for<A: Activity>(row: usize, reason: u16) -> Result<A::Reason, String> {
    A::Reason::from_index(reason)
        .ok_or_else(|| format!("row {row} comes with reason {reason}, which the code does not have"))
}

fn lacking(row: usize) -> String {
    format!("row {row} was chosen but lacks a value that a later stage requires")
}
