//! 绿色账单 green bill (S1): customers who mind their bill and have no paperless one are told, at the right moment,
//! of the way to see it that suits them.
//!
//! - Stages A and B (acquisition, growth), by the level of the bill-sensitivity model (S1), no paperless bill yet.
//! - Which level is told of which way at which moments is a table in the parameters. By default (domain.md section 9):
//!   high and medium, the paperless bill around bill day and after an abnormal change; low, the dial-up query when the
//!   balance runs low; initial, the hotline 10086 after a manual query only.
//! - †Around bill day is a day before to a day after; after a query is the same or the next day; the balance runs low
//!   at three days' spend, or when the service is stopped; a change is abnormal from 30 % up or down.
//! - †The occasion is the month of the bill: one contact a month, whatever the moment. On 31 July, the bill of
//!   1 August is August's. A contact is useful until the end of the next day.
//! - †`everyone` tells every customer without a paperless bill, for a trial on data that has neither stages nor moments;
//!   who has no level is told of the paperless bill.

use care_sdk::{Activity, Category, Choice, Date, Fen, Messages, Moments, NoSlots, Row, Run, Selected};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Params {
    by_sensitivity: BTreeMap<Sensitivity, Rule>,
    bill_day_window: i32,
    abnormal_change: f64,
    everyone: bool,
}

/// A line of the table.
#[derive(Deserialize)]
struct Rule {
    way: Way,
    moments: Vec<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Category, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sensitivity {
    Initial,
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Moment {
    BillDay,
    LowBalance,
    AfterQuery,
    AbnormalChange,
}

/// A way to see the bill: both the reason of a contact and what is said.
#[derive(Debug, Clone, Copy, PartialEq, Choice, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Paperless,
    DialUp,
    Hotline,
}

#[derive(Clone, Copy, PartialEq, Category)]
enum LifeStage {
    Acquisition,
    Growth,
    #[category(other)]
    Later,
}

#[derive(Row)]
struct Customer {
    paperless_bill: bool,
    life_stage: Option<LifeStage>,
    bill_sensitivity: Option<Sensitivity>,
    bill_day: Option<i32>,
    bill_change: Option<f64>,
    last_bill_query_on: Option<Date>,
    balance: Option<Fen>,
    spend_d1: Option<Fen>,
    spend_d2: Option<Fen>,
    spend_d3: Option<Fen>,
    stopped: Option<bool>,
}

struct GreenBill {
    params: Params,
    run: Run,
}

impl Activity for GreenBill {
    type Params = Params;
    type Tables = ();
    type Target = Customer;
    type Timing = ();
    type Content = ();
    type Reason = Way;
    type Template = Way;
    type Slot = NoSlots;

    fn prepare(params: Params, (): (), run: Run) -> Result<Self, String> {
        Ok(Self { params, run })
    }

    fn select(&self, who: &Customer) -> Option<Selected<Way>> {
        if who.paperless_bill {
            return None;
        }
        let rule = who.bill_sensitivity.and_then(|level| self.params.by_sensitivity.get(&level));
        let (way, bill) = if self.params.everyone {
            (rule.map_or(Way::Paperless, |rule| rule.way), self.run.today)
        } else {
            let rule = rule.filter(|_| matches!(who.life_stage, Some(LifeStage::Acquisition | LifeStage::Growth)))?;
            (rule.way, rule.moments.iter().find_map(|moment| self.bill_at(*moment, who))?)
        };
        let occasion = i64::from(bill.year()) * 12 + i64::from(bill.month());
        Some(Selected { reason: way, occasion, score: score(who.bill_sensitivity) })
    }

    fn schedule(&self, (): &(), _: Way) -> Moments {
        Moments { not_before: self.run.now, not_after: self.run.today.plus(1).end() }
    }

    fn compose(&self, (): &(), way: Way, say: &mut Messages<Way, NoSlots>) {
        say.message(way);
    }
}

impl GreenBill {
    /// A day in the month of the bill that the contact is about, if the moment is now.
    fn bill_at(&self, moment: Moment, who: &Customer) -> Option<Date> {
        let today = self.run.today;
        let is_now = match moment {
            Moment::BillDay => return self.bill_day_near(who.bill_day?),
            Moment::AfterQuery => (0..=1).contains(&today.days_since(who.last_bill_query_on?)),
            Moment::AbnormalChange => who.bill_change?.abs() >= self.params.abnormal_change,
            Moment::LowBalance => who.stopped == Some(true) || who.runs_low() == Some(true),
        };
        is_now.then_some(today)
    }

    /// The bill day within the window around today.
    fn bill_day_near(&self, bill_day: i32) -> Option<Date> {
        let window = self.params.bill_day_window;
        (-window..=window).map(|days| self.run.today.plus(days)).find(|date| date.day() == bill_day)
    }
}

impl Customer {
    /// Whether the balance is at or below three days' spend; unknown without three days of record.
    fn runs_low(&self) -> Option<bool> {
        let spend = self.spend_d1?.0.saturating_add(self.spend_d2?.0).saturating_add(self.spend_d3?.0);
        Some(spend > 0 && self.balance?.0 <= spend)
    }
}

/// †The more a customer minds the bill, the more it is needed.
fn score(level: Option<Sensitivity>) -> f32 {
    match level {
        Some(Sensitivity::High) => 1.0,
        Some(Sensitivity::Medium) => 0.75,
        Some(Sensitivity::Low) => 0.5,
        Some(Sensitivity::Initial) | None => 0.25,
    }
}

care_sdk::export!(GreenBill);

#[cfg(test)]
mod tests;
