//! 生日 birthday (S1, S3): a wish on the day, to customers whose birthday is on record.
//!
//! - 全球通 customers are wished well by the agent whom they meet that day (the documents' own way, S3);
//!   †the others by SMS; †diamond and gold ones by a call, where the province asks for it.
//! - †29 February is kept on 28 February in common years.
//! - †Where the record says lunar, the day of the lunar calendar counts, never a leap month's; the 30th of a month
//!   that has 29 days is kept on its last day. When the reference table does not know today's lunar date, nobody
//!   with a lunar birthday is chosen: the others do not wait for a calendar. No calendar on record means solar.
//! - †The occasion is the birthday's year, in the calendar in which it is kept. The civil year would not do: a day of
//!   the eleventh or twelfth lunar month can fall twice in one civil year, in January and again in December.

use care_sdk::{Activity, Category, Choice, Date, Label, Messages, Moments, NoSlots, Row, Run, Selected};
use serde::Deserialize;

#[derive(Deserialize)]
struct Params {
    desk_brands: Vec<String>,
    call_vip: bool,
    vip_tiers: Vec<String>,
    send_hour: i32,
}

#[derive(Clone, Copy, Category)]
enum Calendar {
    Solar,
    Lunar,
}

#[derive(Row)]
struct Customer {
    birth_month: i32,
    birth_day: i32,
    birth_calendar: Option<Calendar>,
    brand: Option<Label>,
    tier: Option<Label>,
}

/// A day of the civil calendar, in the lunar one.
#[derive(Row)]
#[row(table = "lunar-days")]
struct LunarDay {
    date: Date,
    month: i32,
    day: i32,
    /// Whether the month is a leap month.
    leap: bool,
    /// Whether it is the last day of its month.
    last: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    DeskPrompt,
    Sms,
    VipCall,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    DeskWish,
    Wish,
    VipWish,
}

struct Birthday {
    params: Params,
    today: Date,
    /// Today's year, month and day.
    civil: (i32, i32, i32),
    lunar_today: Option<LunarDay>,
}

impl Activity for Birthday {
    type Params = Params;
    type Tables = Vec<LunarDay>;
    type Target = Customer;
    type Timing = ();
    type Content = ();
    type Reason = Reason;
    type Template = Template;
    type Slot = NoSlots;

    fn prepare(params: Params, lunar_days: Vec<LunarDay>, run: Run) -> Result<Self, String> {
        let lunar_today = lunar_days.into_iter().find(|day| day.date == run.today);
        Ok(Self { params, today: run.today, civil: run.today.civil(), lunar_today })
    }

    fn select(&self, who: &Customer) -> Option<Selected<Reason>> {
        let year = match who.birth_calendar {
            Some(Calendar::Lunar) => self.lunar_birthday(who.birth_month, who.birth_day)?,
            Some(Calendar::Solar) | None => self.solar_birthday(who.birth_month, who.birth_day)?,
        };
        Some(Selected { reason: self.reason(who), occasion: i64::from(year), score: 1.0 })
    }

    fn schedule(&self, (): &(), reason: Reason) -> Moments {
        let from_hour = if reason == Reason::DeskPrompt { 0 } else { self.params.send_hour };
        Moments { not_before: self.today.at(from_hour), not_after: self.today.end() }
    }

    fn compose(&self, (): &(), reason: Reason, say: &mut Messages<Template, NoSlots>) {
        say.message(match reason {
            Reason::DeskPrompt => Template::DeskWish,
            Reason::Sms => Template::Wish,
            Reason::VipCall => Template::VipWish,
        });
    }
}

impl Birthday {
    fn reason(&self, who: &Customer) -> Reason {
        let among = |label: &Option<Label>, names: &[String]| {
            label.as_ref().is_some_and(|label| names.iter().any(|name| name == label.as_str()))
        };
        if self.params.call_vip && among(&who.tier, &self.params.vip_tiers) {
            Reason::VipCall
        } else if among(&who.brand, &self.params.desk_brands) {
            Reason::DeskPrompt
        } else {
            Reason::Sms
        }
    }

    /// The year of the birthday, if it is kept today.
    fn solar_birthday(&self, month: i32, day: i32) -> Option<i32> {
        let (year, this_month, this_day) = self.civil;
        let on_the_day = (month, day) == (this_month, this_day);
        let on_the_28th =
            (month, day) == (2, 29) && (this_month, this_day) == (2, 28) && Date::of(year, 2, 29).is_none();
        (on_the_day || on_the_28th).then_some(year)
    }

    /// The lunar year of the birthday, if it is kept today.
    fn lunar_birthday(&self, month: i32, day: i32) -> Option<i32> {
        let today = self.lunar_today.as_ref()?;
        let on_the_day = today.day == day || (today.last && day == 30);
        // The lunar year ends in January or February, with its eleventh and twelfth months.
        let (year, this_month, _) = self.civil;
        let not_ended = today.month >= 11 && this_month <= 2;
        (!today.leap && today.month == month && on_the_day).then_some(year - i32::from(not_ended))
    }
}

care_sdk::export!(Birthday);

#[cfg(test)]
mod tests;
