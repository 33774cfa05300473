//! 节日 festival (S1, the name only; the rules are ours†): a greeting on the day, to customers who are close to us.
//!
//! - †Lunar festivals by the host's lunar calendar (春节 1-1, 元宵 1-15, 端午 5-5, 中秋 8-15), never those of a leap
//!   month; 元旦 and 国庆 by the civil one. When the table does not know today's lunar date, only the civil ones are kept.
//! - †劳动节 on the first day off that the imported holiday calendar gives it; a year whose notice was not imported has
//!   none.
//! - †The occasion is the festival and the civil year, so that each is greeted once.
//! - †VIP tiers alone, as a parameter: a greeting to everybody is noise.

use care_sdk::{Activity, Choice, Date, Label, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

#[derive(Deserialize)]
struct Params {
    festivals: Vec<Festival>,
    tiers: Vec<String>,
    send_hour: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Festival {
    Spring,
    Lantern,
    DragonBoat,
    MidAutumn,
    NewYear,
    NationalDay,
    LabourDay,
}

#[derive(Row)]
struct Customer {
    tier: Label,
}

/// A day of the civil calendar, in the lunar one.
#[derive(Row)]
#[row(table = "lunar-days")]
struct LunarDay {
    date: Date,
    month: i32,
    day: i32,
    leap: bool,
}

/// A day off of the holiday calendar.
#[derive(Row)]
#[row(table = "holidays")]
struct DayOff {
    date: Date,
    name: String,
}

/// What the calendar calls it.
const LABOUR_DAY: &str = "劳动节";

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    OnTheDay,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    Greeting,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Festival,
    Wish,
}

struct Greetings {
    params: Params,
    today: Date,
    festival: Option<Festival>,
}

impl Activity for Greetings {
    type Params = Params;
    type Tables = (Vec<LunarDay>, Vec<DayOff>);
    type Target = Customer;
    type Timing = ();
    type Content = ();
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, (lunar_days, off): Self::Tables, run: Run) -> Result<Self, String> {
        let lunar = lunar_days.iter().find(|day| day.date == run.today);
        let festival = festival_of(run.today, lunar, &off).filter(|festival| params.festivals.contains(festival));
        Ok(Self { params, today: run.today, festival })
    }

    fn select(&self, who: &Customer) -> Option<Selected<Reason>> {
        let festival = self.festival?;
        let greeted = self.params.tiers.iter().any(|tier| tier == who.tier.as_str());
        let occasion = i64::from(self.today.year()) * 10 + festival as i64;
        greeted.then_some(Selected { reason: Reason::OnTheDay, occasion, score: 0.5 })
    }

    fn schedule(&self, (): &(), _: Reason) -> Moments {
        Moments { not_before: self.today.at(self.params.send_hour), not_after: self.today.end() }
    }

    fn compose(&self, (): &(), _: Reason, say: &mut Messages<Template, Slot>) {
        if let Some(festival) = self.festival {
            let (name, wish) = words(festival);
            say.message(Template::Greeting).key(Slot::Festival, name).key(Slot::Wish, wish);
        }
    }
}

/// The festival of a day. Where two fall together (国庆 and 中秋 in 2020), the lunar one is greeted.
fn festival_of(today: Date, lunar: Option<&LunarDay>, off: &[DayOff]) -> Option<Festival> {
    let lunar = lunar.filter(|day| !day.leap).and_then(|day| match (day.month, day.day) {
        (1, 1) => Some(Festival::Spring),
        (1, 15) => Some(Festival::Lantern),
        (5, 5) => Some(Festival::DragonBoat),
        (8, 15) => Some(Festival::MidAutumn),
        _ => None,
    });
    let (_, month, day) = today.civil();
    let labour = off.iter().filter(|day| day.name == LABOUR_DAY).map(|day| day.date).min();
    let labour = labour.filter(|first| *first == today).map(|_| Festival::LabourDay);
    lunar.or(labour).or(match (month, day) {
        (1, 1) => Some(Festival::NewYear),
        (10, 1) => Some(Festival::NationalDay),
        _ => None,
    })
}

fn words(festival: Festival) -> (&'static str, &'static str) {
    match festival {
        Festival::Spring => ("spring", "new-year"),
        Festival::Lantern => ("lantern", "reunion"),
        Festival::DragonBoat => ("dragon-boat", "health"),
        Festival::MidAutumn => ("mid-autumn", "reunion"),
        Festival::NewYear => ("new-year", "new-year"),
        Festival::NationalDay => ("national-day", "happy"),
        Festival::LabourDay => ("labour-day", "happy"),
    }
}

care_sdk::export!(Greetings);

#[cfg(test)]
mod tests;
