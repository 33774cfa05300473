//! 套餐用量不足提醒 package under-use (S3): minutes and data that are not used up lapse at the end of the month.
//!
//! - Told when no more than three days of the month are left (S3: 286 minutes and 350 MB left on 29 July), by SMS and
//!   at the desk. The last day of the month is no day left.
//! - †Once a month: the occasion is the month. †Useless after its last day.
//! - †Too little of both is not worth a message.

use care_sdk::{Activity, Choice, Date, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

#[derive(Deserialize)]
struct Params {
    days: i32,
    minutes: i64,
    megabytes: i64,
}

#[derive(Row)]
struct Target {
    minutes_left: i64,
    data_mb_left: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    LeftOver,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    LeftOver,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Today,
    Minutes,
    Megabytes,
}

struct PackageUnderUse {
    params: Params,
    run: Run,
    last_day: Date,
}

impl Activity for PackageUnderUse {
    type Params = Params;
    type Tables = ();
    type Target = Target;
    type Timing = ();
    type Content = Target;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, (): (), run: Run) -> Result<Self, String> {
        let (year, month, _) = run.today.civil();
        let next = if month == 12 { Date::of(year + 1, 1, 1) } else { Date::of(year, month + 1, 1) };
        let last_day = next.ok_or("the calendar ends before this month does")?.plus(-1);
        Ok(Self { params, run, last_day })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        let days = self.last_day.days_since(self.run.today);
        let worth_it = who.minutes_left >= self.params.minutes || who.data_mb_left >= self.params.megabytes;
        let (year, month, _) = self.run.today.civil();
        let occasion = i64::from(year) * 12 + i64::from(month) - 1;
        let times =
            (who.minutes_left / self.params.minutes.max(1)).max(who.data_mb_left / self.params.megabytes.max(1));
        let score = (times as f32 / 10.0).clamp(0.1, 1.0);
        (days <= self.params.days && worth_it).then_some(Selected { reason: Reason::LeftOver, occasion, score })
    }

    fn schedule(&self, (): &(), _: Reason) -> Moments {
        Moments { not_before: self.run.now, not_after: self.last_day.end() }
    }

    fn compose(&self, who: &Target, _: Reason, say: &mut Messages<Template, Slot>) {
        say.message(Template::LeftOver)
            .date(Slot::Today, self.run.today)
            .number(Slot::Minutes, who.minutes_left.max(0))
            .number(Slot::Megabytes, who.data_mb_left.max(0));
    }
}

care_sdk::export!(PackageUnderUse);

#[cfg(test)]
mod tests;
