//! 客户挽留 retention (S2, S3): three ways to keep a customer.
//!
//! - At the desk 被动在线: the caller wants to cancel (topic of the call).
//! - After a complaint 投诉后端: when it was closed, which an event reports.
//! - Outbound 主动外呼: in decline and below 50 yuan a month (S2: they make 87 % of churners); †of some tenure, since
//!   who came last month has no habit that could be kept.
//! - †The occasion is the quarter, whichever way: one conversation a quarter. †What is offered: a data gift to whoever
//!   surfs, a smaller package to whoever pays least, a discount to the others.

use care_sdk::{Activity, Category, Choice, Fen, Instant, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

const HOUR_MS: i64 = 3_600_000;
/// How long a call after a complaint is worth making.
const SORRY_HOURS: i64 = 72;
/// A month of this much data shows a customer who surfs.
const SURFS_MB: i64 = 500;

#[derive(Deserialize)]
struct Params {
    low_arpu: i64,
    min_tenure: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Event {
    ComplaintClosed,
    #[category(other)]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Topic {
    Cancel,
    #[category(other)]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum LifeStage {
    Decline,
    #[category(other)]
    Other,
}

#[derive(Row)]
struct Target {
    arpu: Fen,
    tenure_months: i32,
    life_stage: Option<LifeStage>,
    #[row(name = "event.type")]
    event: Option<Event>,
    #[row(name = "event.topic")]
    topic: Option<Topic>,
}

#[derive(Row)]
struct Moment {
    #[row(name = "event.time")]
    at: Option<Instant>,
}

#[derive(Row)]
struct Content {
    arpu: Fen,
    tenure_months: i32,
    data_mb_m1: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    WantsToLeave,
    AfterComplaint,
    AboutToGo,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    OfferNow,
    Lead,
    Sorry,
    Outbound,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Months,
    Offer,
}

struct Retention {
    params: Params,
    run: Run,
}

impl Activity for Retention {
    type Params = Params;
    type Tables = ();
    type Target = Target;
    type Timing = Moment;
    type Content = Content;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, (): (), run: Run) -> Result<Self, String> {
        Ok(Self { params, run })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        let (reason, score) = match (who.topic, who.event) {
            (Some(Topic::Cancel), _) => (Reason::WantsToLeave, 1.0),
            (Some(Topic::Other), _) => return None,
            (None, Some(Event::ComplaintClosed)) => (Reason::AfterComplaint, 0.8),
            (None, Some(Event::Other)) => return None,
            (None, None) => {
                let of_low_value = who.arpu.0 < self.params.low_arpu && who.tenure_months >= self.params.min_tenure;
                let about_to_go = who.life_stage == Some(LifeStage::Decline) && of_low_value;
                about_to_go.then_some((Reason::AboutToGo, 0.5))?
            }
        };
        let (year, month, _) = self.run.today.civil();
        Some(Selected { reason, occasion: i64::from(year) * 4 + i64::from((month - 1) / 3), score })
    }

    fn schedule(&self, who: &Moment, reason: Reason) -> Moments {
        let not_after = match (reason, who.at) {
            (Reason::WantsToLeave, _) => self.run.today.end(),
            (Reason::AfterComplaint, Some(at)) => Instant(at.0.saturating_add(SORRY_HOURS * HOUR_MS)),
            _ => self.run.today.plus(6).end(),
        };
        Moments { not_before: Instant(self.run.now.0.min(not_after.0)), not_after }
    }

    fn compose(&self, who: &Content, reason: Reason, say: &mut Messages<Template, Slot>) {
        let offer = self.offer(who);
        let months = who.tenure_months.max(0);
        match reason {
            Reason::WantsToLeave => {
                say.message(Template::OfferNow).number(Slot::Months, months).key(Slot::Offer, offer);
                say.message(Template::Lead).key(Slot::Offer, offer);
            }
            Reason::AfterComplaint => {
                say.message(Template::Sorry).key(Slot::Offer, offer);
            }
            Reason::AboutToGo => {
                say.message(Template::Outbound).number(Slot::Months, months).key(Slot::Offer, offer);
            }
        }
    }
}

impl Retention {
    fn offer(&self, who: &Content) -> &'static str {
        if who.data_mb_m1.is_some_and(|mb| mb >= SURFS_MB) {
            "data-gift"
        } else if who.arpu.0 < self.params.low_arpu / 2 {
            "smaller-package"
        } else {
            "fee-discount"
        }
    }
}

care_sdk::export!(Retention);

#[cfg(test)]
mod tests;
