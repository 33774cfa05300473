//! 套餐匹配度 package match (S1: whom consumption does not match the package; the figure is ours†): what the cheapest
//! package on sale would have cost in the last three months, as a share of what the present one did, both rated by the
//! reference table `packages`.
//!
//! - 1 is a package that no other beats; 0.5 one that costs twice what was needed.
//! - †Whose package the table does not know, or who pays nothing, has no value.

use care_sdk::{Fen, Label, Model, Row, Run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Params {}

#[derive(Row)]
struct Input {
    package: Label,
    voice_minutes_m1: i64,
    voice_minutes_m2: i64,
    voice_minutes_m3: i64,
    data_mb_m1: i64,
    data_mb_m2: i64,
    data_mb_m3: i64,
}

/// A package: money in fen, what is over by the minute and by the megabyte.
#[derive(Row)]
#[row(table = "packages")]
struct Package {
    key: String,
    fee: Fen,
    minutes: i64,
    data_mb: i64,
    over_minute: Fen,
    over_mb: Fen,
    on_sale: bool,
}

struct PackageMatch {
    packages: Vec<Package>,
}

impl Model for PackageMatch {
    type Params = Params;
    type Tables = Vec<Package>;
    type Input = Input;

    fn prepare(_: Params, packages: Vec<Package>, _: Run) -> Result<Self, String> {
        Ok(Self { packages })
    }

    fn derive(&self, who: &Input) -> Option<f64> {
        let present = self.packages.iter().find(|package| package.key == who.package.as_str())?.cost(who);
        let least = self.packages.iter().filter(|package| package.on_sale).map(|package| package.cost(who)).min()?;
        (present > 0).then(|| (least as f64 / present as f64).clamp(0.0, 1.0))
    }
}

impl Package {
    /// What three months would have cost, in fen.
    fn cost(&self, who: &Input) -> i64 {
        let months = [
            (who.voice_minutes_m1, who.data_mb_m1),
            (who.voice_minutes_m2, who.data_mb_m2),
            (who.voice_minutes_m3, who.data_mb_m3),
        ];
        months.iter().fold(0, |sum: i64, (minutes, megabytes)| {
            let over = |used: i64, held: i64, price: Fen| used.saturating_sub(held).max(0).saturating_mul(price.0);
            sum.saturating_add(self.fee.0)
                .saturating_add(over(*minutes, self.minutes, self.over_minute))
                .saturating_add(over(*megabytes, self.data_mb, self.over_mb))
        })
    }
}

care_sdk::export_model!(PackageMatch);

#[cfg(test)]
mod tests;
