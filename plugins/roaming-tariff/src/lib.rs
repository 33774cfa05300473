//! 12593长途漫游资费告知 roaming tariff (S1; three entries of the catalogue): tell the cheaper way to call.
//!
//! - Dynamic: at the moment of roaming or of dialling long distance, which an event reports. One contact a stay: the
//!   occasion is the stay's beginning, which the host keeps, so that whoever flaps at a border is told once. †Whoever
//!   comes back before it went out is not told any more. †When dialling, once in 90 days; the occasion is the day.
//! - Static: never used 12593 and has suppressed demand: roams, but less than 10 minutes a month (S1's one figure).
//!   †Told once a year; the occasion is the year.
//! - †Whoever uses 12593 already needs no telling. At home no event of roaming is one: what was reported within the
//!   home city is left alone.

use care_sdk::{Activity, Category, Choice, Fen, Instant, Label, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Years and journeys must not be the same occasion: years count in thousands, journeys in milliseconds since 1970.
const JOURNEYS: i64 = 1_000_000_000;

#[derive(Deserialize)]
struct Params {
    suppressed_minutes: i64,
    fee: i64,
    dialling_pause_days: i64,
    useful_hours: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Event {
    RoamingEntered,
    LongDistanceDialled,
    #[category(other)]
    Other,
}

#[derive(Row)]
struct Target {
    home_adcode: Label,
    uses_12593: Option<bool>,
    roaming_minutes: Option<i64>,
    #[row(name = "event.type")]
    event: Option<Event>,
    #[row(name = "event.time")]
    event_at: Option<Instant>,
    #[row(name = "event.stay")]
    stay: Option<Instant>,
    #[row(name = "event.visited-adcode")]
    visited: Option<Label>,
    #[row(name = "own.last-contact-at")]
    told_at: Option<Instant>,
}

#[derive(Row)]
struct Moment {
    #[row(name = "event.time")]
    event_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    OtherProvince,
    OtherCity,
    Dialled,
    Suppressed,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    Roaming,
    Dialling,
    Unused,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Fee,
}

struct RoamingTariff {
    params: Params,
    run: Run,
}

impl Activity for RoamingTariff {
    type Params = Params;
    type Tables = ();
    type Target = Target;
    type Timing = Moment;
    type Content = ();
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, (): (), run: Run) -> Result<Self, String> {
        Ok(Self { params, run })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        if who.uses_12593 == Some(true) {
            return None;
        }
        match who.event {
            Some(Event::RoamingEntered) => arrived(who),
            Some(Event::LongDistanceDialled) => self.dialled(who),
            Some(Event::Other) => None,
            None => self.suppressed(who),
        }
    }

    fn schedule(&self, who: &Moment, reason: Reason) -> Moments {
        match who.event_at.filter(|_| reason != Reason::Suppressed) {
            Some(at) => {
                Moments { not_before: at, not_after: Instant(at.0 + self.params.useful_hours.saturating_mul(HOUR_MS)) }
            }
            None => Moments { not_before: self.run.now, not_after: self.run.today.plus(7).end() },
        }
    }

    fn compose(&self, (): &(), reason: Reason, say: &mut Messages<Template, Slot>) {
        let template = match reason {
            Reason::OtherProvince | Reason::OtherCity => Template::Roaming,
            Reason::Dialled => Template::Dialling,
            Reason::Suppressed => Template::Unused,
        };
        say.message(template).money(Slot::Fee, Fen(self.params.fee));
    }
}

/// The same first digits of two administrative codes: two for a province, four for a city.
fn shares(a: &Label, b: &Label, digits: usize) -> bool {
    let head = |code: &Label| code.as_str().get(..digits).map(str::to_owned);
    head(a).is_some() && head(a) == head(b)
}

fn arrived(who: &Target) -> Option<Selected<Reason>> {
    let (visited, stay) = (who.visited.as_ref()?, who.stay?);
    let occasion = stay.0.max(JOURNEYS);
    if !shares(visited, &who.home_adcode, 2) {
        return Some(Selected { reason: Reason::OtherProvince, occasion, score: 1.0 });
    }
    let elsewhere = !shares(visited, &who.home_adcode, 4);
    elsewhere.then_some(Selected { reason: Reason::OtherCity, occasion, score: 0.8 })
}

impl RoamingTariff {
    fn dialled(&self, who: &Target) -> Option<Selected<Reason>> {
        let at = who.event_at?;
        let pause = self.params.dialling_pause_days.saturating_mul(DAY_MS);
        let lately = who.told_at.is_some_and(|told| at.0.saturating_sub(told.0) < pause);
        (!lately).then_some(Selected { reason: Reason::Dialled, occasion: i64::from(self.run.today.0), score: 0.6 })
    }

    fn suppressed(&self, who: &Target) -> Option<Selected<Reason>> {
        let minutes = who.roaming_minutes?;
        let held_back = minutes > 0 && minutes < self.params.suppressed_minutes && who.uses_12593 == Some(false);
        let occasion = i64::from(self.run.today.year());
        held_back.then_some(Selected { reason: Reason::Suppressed, occasion, score: 0.3 })
    }
}

care_sdk::export!(RoamingTariff);

#[cfg(test)]
mod tests;
