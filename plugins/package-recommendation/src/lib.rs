//! 套餐推荐 package recommendation (S1): consumption does not match the package.
//!
//! - 资费预演: the last three months are rated again on every package on sale (crate `care-packages`, as the model
//!   `package-match` does). The cheapest over the three months is recommended, if it saves enough a
//!   month against the present package, rated the same way. †Where the table does not know the present package, the
//!   bills stand for it.
//! - At night in the mature stage, at the desk for every caller who asks about packages, bills or leaving; there an
//!   acceptance may open a task 商机录入. †The occasion is the quarter, so that night and desk speak once.
//! - †Whom the model `package-match` finds to have a package that fits is left in peace at night, where it has run.
//! - †Ties go to the first by name. Never a dearer package: care is not a sale.

use care_packages::{Month, Package};
use care_sdk::{Activity, Category, Choice, Fen, Label, Messages, Moments, Row, Run, Selected};
use serde::Deserialize;

const MONTHS: i64 = 3;

#[derive(Deserialize)]
struct Params {
    stages: Vec<String>,
    min_saving: i64,
    max_match: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Topic {
    Package,
    Bill,
    Cancel,
    #[category(other)]
    Other,
}

#[derive(Row)]
struct Target {
    life_stage: Option<Label>,
    package: Label,
    voice_minutes_m1: i64,
    voice_minutes_m2: i64,
    voice_minutes_m3: i64,
    data_mb_m1: i64,
    data_mb_m2: i64,
    data_mb_m3: i64,
    bill_m1: Fen,
    bill_m2: Fen,
    bill_m3: Fen,
    package_match: Option<f64>,
    #[row(name = "event.topic")]
    topic: Option<Topic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Choice)]
enum Reason {
    Unfit,
    AtTheDesk,
}

#[derive(Clone, Copy, Choice)]
enum Template {
    Offer,
    Lead,
}

#[derive(Clone, Copy, Choice)]
enum Slot {
    Package,
    Saving,
}

struct Recommendation {
    params: Params,
    run: Run,
    packages: Vec<Package>,
}

impl Activity for Recommendation {
    type Params = Params;
    type Tables = Vec<Package>;
    type Target = Target;
    type Timing = ();
    type Content = Target;
    type Reason = Reason;
    type Template = Template;
    type Slot = Slot;

    fn prepare(params: Params, mut packages: Vec<Package>, run: Run) -> Result<Self, String> {
        packages.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { params, run, packages })
    }

    fn select(&self, who: &Target) -> Option<Selected<Reason>> {
        let reason = match who.topic {
            Some(Topic::Package | Topic::Bill | Topic::Cancel) => Reason::AtTheDesk,
            Some(Topic::Other) => return None,
            None => {
                let stage = who.life_stage.as_ref()?;
                let fits = who.package_match.is_some_and(|matches| matches > self.params.max_match);
                let is_meant = self.params.stages.iter().any(|wanted| wanted == stage.as_str());
                (is_meant && !fits).then_some(Reason::Unfit)?
            }
        };
        let (_, saving) = self.best(who)?;
        let (year, month, _) = self.run.today.civil();
        let occasion = i64::from(year) * 4 + i64::from((month - 1) / 3);
        // What is saved of ten times the least saving: more needs it no more.
        let score = (saving as f32 / (self.params.min_saving as f32 * 10.0)).clamp(0.1, 1.0);
        Some(Selected { reason, occasion, score })
    }

    fn schedule(&self, (): &(), reason: Reason) -> Moments {
        let last_day = if reason == Reason::AtTheDesk { self.run.today } else { self.run.today.plus(14) };
        Moments { not_before: self.run.now, not_after: last_day.end() }
    }

    fn compose(&self, who: &Target, reason: Reason, say: &mut Messages<Template, Slot>) {
        let Some((package, saving)) = self.best(who) else { return };
        say.message(Template::Offer).key(Slot::Package, &package.key).money(Slot::Saving, Fen(saving));
        if reason == Reason::AtTheDesk {
            say.message(Template::Lead).key(Slot::Package, &package.key).money(Slot::Saving, Fen(saving));
        }
    }
}

impl Recommendation {
    /// The cheapest package on sale and what it saves a month, if that is worth a change.
    fn best(&self, who: &Target) -> Option<(&Package, i64)> {
        let present = self.packages.iter().find(|p| p.key == who.package.as_str());
        let bills = [who.bill_m1, who.bill_m2, who.bill_m3].iter().fold(0, |sum: i64, bill| sum.saturating_add(bill.0));
        let months = who.months();
        let pays = present.map_or(bills, |package| package.cost(&months));
        let on_sale = self.packages.iter().filter(|p| p.on_sale && p.key != who.package.as_str());
        let best = on_sale.min_by_key(|package| package.cost(&months))?;
        let saving = pays.saturating_sub(best.cost(&months)) / MONTHS;
        (saving >= self.params.min_saving).then_some((best, saving))
    }
}

impl Target {
    /// The last three months, the newest first.
    fn months(&self) -> [Month; 3] {
        [
            Month { minutes: self.voice_minutes_m1, data_mb: self.data_mb_m1 },
            Month { minutes: self.voice_minutes_m2, data_mb: self.data_mb_m2 },
            Month { minutes: self.voice_minutes_m3, data_mb: self.data_mb_m3 },
        ]
    }
}

care_sdk::export!(Recommendation);

#[cfg(test)]
mod tests;
