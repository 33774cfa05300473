//! 投诉客户回访 complaint call-back (S1, S4): a closed complaint is followed by a call within the deadline.
//!
//! - An event says that a complaint was closed; the call is due until the deadline after it, at most three rounds
//!   while the customer cannot be reached. The occasion is the event, so that each complaint is called back once.
//! - †Late: where no outcome was recorded until the deadline, the night after asks customer service to follow it up;
//!   again after every further deadline until somebody records what came of it. Its occasion is the planned call's
//!   instant, negative, so that it is never taken for a complaint's.
//! - †A new complaint cancels the call about the old one; while it is open, the host holds care and commercial
//!   contacts, but not this service.

use care_sdk::{Activity, Category, Choice, Instant, Label, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

const HOUR_MS: i64 = 3_600_000;
const KINDS: [&str; 6] = ["bill", "network", "service", "package", "roaming", "other"];

#[derive(Deserialize)]
struct Params {
    deadline_hours: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Event {
    ComplaintClosed,
    #[category(other)]
    Other,
}

#[derive(Row)]
struct Target {
    #[row(name = "event.type")]
    event: Option<Event>,
    #[row(name = "event.time")]
    closed_at: Option<Instant>,
    #[row(name = "own.last-contact-at")]
    planned_at: Option<Instant>,
    #[row(name = "own.last-outcome")]
    outcome: Option<Label>,
}

#[derive(Row)]
struct Moment {
    #[row(name = "event.time")]
    closed_at: Option<Instant>,
}

#[derive(Row)]
struct Content {
    #[row(name = "event.complaint-kind")]
    kind: Option<Label>,
    #[row(name = "own.last-contact-at")]
    planned_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    Closed,
    Late,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    CallBack,
    Escalation,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Kind,
    PlannedOn,
}

struct ComplaintCallBack {
    deadline_ms: i64,
    run: Run,
}

impl Activity for ComplaintCallBack {
    type Params = Params;
    type Tables = ();
    type Target = Target;
    type Timing = Moment;
    type Content = Content;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, (): (), run: Run) -> Result<Self, String> {
        Ok(Self { deadline_ms: params.deadline_hours.saturating_mul(HOUR_MS), run })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        match who.event {
            Some(Event::ComplaintClosed) => {
                Some(Selected { reason: Reason::Closed, occasion: who.closed_at?.0, score: 1.0 })
            }
            Some(Event::Other) => None,
            None => {
                let planned = who.planned_at.filter(|_| who.outcome.is_none())?;
                let late = self.run.now.0 > planned.0.saturating_add(self.deadline_ms);
                late.then_some(Selected { reason: Reason::Late, occasion: -planned.0, score: 1.0 })
            }
        }
    }

    fn schedule(&self, who: &Moment, reason: Reason) -> Moments {
        match (reason, who.closed_at) {
            (Reason::Closed, Some(closed)) => {
                let deadline = Instant(closed.0.saturating_add(self.deadline_ms));
                Moments { not_before: Instant(self.run.now.0.min(deadline.0)), not_after: deadline }
            }
            _ => Moments { not_before: self.run.now, not_after: self.run.today.plus(1).end() },
        }
    }

    fn compose(&self, who: &Content, reason: Reason, say: &mut Messages<Template, Slot>) {
        match reason {
            Reason::Closed => {
                let kind = who.kind.as_ref().map_or("other", Label::as_str);
                let kind = KINDS.into_iter().find(|known| *known == kind).unwrap_or("other");
                say.message(Template::CallBack).key(Slot::Kind, kind);
            }
            Reason::Late => {
                let planned = who.planned_at.map_or(self.run.today, Instant::date);
                say.message(Template::Escalation).date(Slot::PlannedOn, planned);
            }
        }
    }
}

care_sdk::export!(ComplaintCallBack);

#[cfg(test)]
mod tests;
