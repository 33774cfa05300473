//! 动态余额提醒 balance reminder (S1): told about three days before the probable stop, since 88 % of those who are
//! stopped pay within three days.
//!
//! - Threshold Y = spend of the three days before the statistics date (Y = 3X, X their daily mean); remind when the
//!   balance is at or below Y. Fewer than three days of record, or no spend: no reminder.
//! - †Once per crossing: the occasion is the day on which the balance fell to Y. A top-up above Y starts anew, and
//!   cancels a waiting reminder.
//! - An event of the billing system says so at once: its balance counts instead of last night's, and its day is the
//!   crossing, so that the night after says nothing again.
//! - †Useless after the stop: a stopped customer is not reminded, and a reminder is dropped after the day of the
//!   probable stop, today + balance / X. Daily figures do not tell the hour, so that whole day counts; who has
//!   nothing left may be stopped any moment, and is told today.

use care_sdk::{Activity, Choice, Date, Fen, Instant, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

const DAYS: i64 = 3;

#[derive(Deserialize)]
struct Params {}

#[derive(Row)]
struct Target {
    balance: Fen,
    spend_d1: Fen,
    spend_d2: Fen,
    spend_d3: Fen,
    low_balance_since: Option<Date>,
    stopped: Option<bool>,
    #[row(name = "event.balance")]
    told_balance: Option<Fen>,
    #[row(name = "event.time")]
    told_at: Option<Instant>,
}

#[derive(Row)]
struct Account {
    balance: Fen,
    spend_d1: Fen,
    spend_d2: Fen,
    spend_d3: Fen,
    #[row(name = "event.balance")]
    told_balance: Option<Fen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    LowBalance,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    DaysLeft,
    UsedUpToday,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Balance,
    DaysLeft,
}

struct BalanceReminder {
    run: Run,
}

impl Activity for BalanceReminder {
    type Params = Params;
    type Tables = ();
    type Target = Target;
    type Timing = Account;
    type Content = Account;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(_: Params, (): (), run: Run) -> Result<Self, String> {
        Ok(Self { run })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        let threshold = threshold([who.spend_d1, who.spend_d2, who.spend_d3]);
        let stopped = who.stopped.unwrap_or(false);
        let balance = who.told_balance.unwrap_or(who.balance);
        let crossed = who.told_balance.and(who.told_at).map(Instant::date).or(who.low_balance_since)?;
        let remind = threshold.0 > 0 && balance <= threshold && !stopped;
        // The less of the three days is left, the more urgent.
        let score = 1.0 - (balance.0 as f32 / threshold.0 as f32).clamp(0.0, 1.0);
        let occasion = i64::from(crossed.0);
        remind.then_some(Selected { reason: Reason::LowBalance, occasion, score })
    }

    fn schedule(&self, who: &Account, _: Reason) -> Moments {
        let probable_stop = self.run.today.plus(who.days_left());
        Moments { not_before: self.run.now, not_after: probable_stop.end() }
    }

    fn compose(&self, who: &Account, _: Reason, say: &mut Messages<Template, Slot>) {
        match who.days_left() {
            0 => say.message(Template::UsedUpToday).money(Slot::Balance, who.balance()),
            days => say.message(Template::DaysLeft).money(Slot::Balance, who.balance()).number(Slot::DaysLeft, days),
        };
    }
}

/// Y, the spend of three days.
fn threshold(spend: [Fen; 3]) -> Fen {
    Fen(spend.iter().fold(0, |sum: i64, day| sum.saturating_add(day.0)))
}

impl Account {
    /// What an event told, or what the snapshot holds.
    fn balance(&self) -> Fen {
        self.told_balance.unwrap_or(self.balance)
    }

    /// Whole days for which the balance lasts, balance / X; 0 to 3.
    fn days_left(&self) -> i32 {
        let threshold = threshold([self.spend_d1, self.spend_d2, self.spend_d3]).0.max(1);
        (self.balance().0.saturating_mul(DAYS) / threshold).clamp(0, DAYS) as i32
    }
}

care_sdk::export!(BalanceReminder);

#[cfg(test)]
mod tests;
