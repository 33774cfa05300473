//! 本地节庆问候 local festival: a greeting for customers of the city in the days before its festival.
//!
//! - Whom: customers of the city whose service is not stopped; those with enough points are told that the market takes
//!   them, others are greeted after a year.
//! - When: from the hour of the parameters until the festival is over.
//! - The occasion is the day of the festival, so that each is greeted once.

use care_sdk::{Activity, Choice, Date, Label, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

/// The city that holds the festival, by administrative code.
const CITY: &str = "350200";

/// The campaign's parameters; `params` in activity.toml is their schema.
#[derive(Deserialize)]
struct Params {
    festival: Date,
    days_ahead: i32,
    send_hour: i32,
    market_points: i64,
}

/// What is read of a customer: `tenure_months` is the field `tenure-months` of the dictionary. An `Option` is what a
/// customer may lack; nobody is chosen who lacks one of the others.
#[derive(Row)]
struct Target {
    home_adcode: Label,
    tenure_months: i32,
    points: Option<i64>,
    stopped: Option<bool>,
}

#[derive(Row)]
struct Content {
    tenure_months: i32,
    points: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    Market,
    Greeting,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    Market,
    Greeting,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Day,
    Points,
    Years,
}

struct LocalFestival {
    params: Params,
    run: Run,
}

impl Activity for LocalFestival {
    type Params = Params;
    type Tables = ();
    type Target = Target;
    type Timing = ();
    type Content = Content;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, (): (), run: Run) -> Result<Self, String> {
        Ok(Self { params, run })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        let left = self.params.festival.days_since(self.run.today);
        if !(0..=self.params.days_ahead).contains(&left) || who.home_adcode.as_str() != CITY {
            return None;
        }
        if who.stopped == Some(true) {
            return None;
        }
        let occasion = i64::from(self.params.festival.0);
        if who.points.is_some_and(|points| points >= self.params.market_points) {
            return Some(Selected { reason: Reason::Market, occasion, score: 0.6 });
        }
        let score = who.tenure_months.min(120) as f32 / 240.0;
        (who.tenure_months >= 12).then_some(Selected { reason: Reason::Greeting, occasion, score })
    }

    fn schedule(&self, (): &(), _: Reason) -> Moments {
        Moments { not_before: self.run.today.at(self.params.send_hour), not_after: self.params.festival.end() }
    }

    fn compose(&self, who: &Content, reason: Reason, say: &mut Messages<Template, Slot>) {
        match reason {
            Reason::Market => say
                .message(Template::Market)
                .date(Slot::Day, self.params.festival)
                .number(Slot::Points, who.points.unwrap_or(0)),
            Reason::Greeting => say
                .message(Template::Greeting)
                .date(Slot::Day, self.params.festival)
                .number(Slot::Years, who.tenure_months / 12),
        };
    }
}

care_sdk::export!(LocalFestival);
