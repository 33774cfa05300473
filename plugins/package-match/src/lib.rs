//! 套餐匹配度 package match (S1: whom consumption does not match the package; the figure is ours†): what the cheapest
//! package on sale would have cost in the last three months, as a share of what the present one did, both rated by the
//! reference table `packages`.
//!
//! - 1 is a package that no other beats; 0.5 one that costs twice what was needed.
//! - †Whose package the table does not know, or who pays nothing, has no value.

use care_packages::{Month, Package};
use care_sdk::{Label, Model, Row, Run};
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
        let months = who.months();
        let present = self.packages.iter().find(|package| package.key == who.package.as_str())?.cost(&months);
        let least =
            self.packages.iter().filter(|package| package.on_sale).map(|package| package.cost(&months)).min()?;
        (present > 0).then(|| (least as f64 / present as f64).clamp(0.0, 1.0))
    }
}

impl Input {
    /// The last three months, the newest first.
    fn months(&self) -> [Month; 3] {
        [
            Month { minutes: self.voice_minutes_m1, data_mb: self.data_mb_m1 },
            Month { minutes: self.voice_minutes_m2, data_mb: self.data_mb_m2 },
            Month { minutes: self.voice_minutes_m3, data_mb: self.data_mb_m3 },
        ]
    }
}

care_sdk::export_model!(PackageMatch);

#[cfg(test)]
mod tests;
