//! 积分清零 points expiry (S1 names it; the rules are ours†): before points lapse, say how many, when, and how to
//! redeem them.
//!
//! - †Reminders so many days before the expiry (60, 30 and 7). A reminder is due from its day until the next one's,
//!   so that a day without a plan skips none: with 60, 30 and 7, the 30-day reminder is due with 8 to 30 days left.
//! - †The occasion is the day of the expiry and which reminder it is, so that each is sent once.
//! - †None after a redemption on or after the day of the first reminder; one while a reminder waits cancels it.
//! - †None below a floor of points under which it is not worth a message.

use care_sdk::{Activity, Choice, Date, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

#[derive(Deserialize)]
struct Params {
    /// Days before the expiry.
    reminders: Vec<i32>,
    floor: i64,
    redeem_at: String,
}

#[derive(Row)]
struct Target {
    points_expiring: i64,
    points_expire_on: Date,
    points_redeemed_on: Option<Date>,
}

#[derive(Row)]
struct Timing {
    points_expire_on: Date,
}

#[derive(Row)]
struct Content {
    points_expiring: i64,
    points_expire_on: Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    Expiring,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    Expiring,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Points,
    ExpireOn,
    RedeemAt,
}

struct PointsExpiry {
    params: Params,
    run: Run,
    /// The first reminder, in days before the expiry.
    first: i32,
}

impl Activity for PointsExpiry {
    type Params = Params;
    type Tables = ();
    type Target = Target;
    type Timing = Timing;
    type Content = Content;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, (): (), run: Run) -> Result<Self, String> {
        let first = params.reminders.iter().copied().max().ok_or("`reminders` is empty: name at least one day")?;
        Ok(Self { params, run, first })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        let left = who.points_expire_on.days_since(self.run.today);
        let reminder = self.due(left)?;
        let redeemed = who.points_redeemed_on.is_some_and(|on| on >= who.points_expire_on.plus(-self.first));
        let worth_it = who.points_expiring >= self.params.floor;
        let occasion = i64::from(who.points_expire_on.0) * 1_000 + i64::from(reminder);
        let score = 1.0 - left as f32 / (self.first + 1) as f32;
        (worth_it && !redeemed).then_some(Selected { reason: Reason::Expiring, occasion, score })
    }

    fn schedule(&self, who: &Timing, _: Reason) -> Moments {
        let reminder = self.due(who.points_expire_on.days_since(self.run.today));
        let next =
            reminder.and_then(|reminder| self.params.reminders.iter().copied().filter(|days| *days < reminder).max());
        let last_day = who.points_expire_on.plus(next.map_or(0, |days| -days - 1));
        Moments { not_before: self.run.now, not_after: last_day.end() }
    }

    fn compose(&self, who: &Content, _: Reason, say: &mut Messages<Template, Slot>) {
        say.message(Template::Expiring)
            .number(Slot::Points, who.points_expiring)
            .date(Slot::ExpireOn, who.points_expire_on)
            .key(Slot::RedeemAt, &self.params.redeem_at);
    }
}

impl PointsExpiry {
    /// The reminder that is due with so many days left; none after the expiry, nor before the first one's day.
    fn due(&self, left: i32) -> Option<i32> {
        self.params.reminders.iter().copied().filter(|days| left >= 0 && *days >= left).min()
    }
}

care_sdk::export!(PointsExpiry);

#[cfg(test)]
mod tests;
