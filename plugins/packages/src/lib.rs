//! 资费预演 rating anew (S1): what past months would have cost on a package of the reference table `packages`. No plugin of
//! its own: the model `package-match` and the activity `package-recommendation` price by it alike.

use care_sdk::{Fen, Row};

/// A package: money in fen, what is over by the minute and by the megabyte.
#[derive(Debug, Clone, Row)]
#[row(table = "packages")]
pub struct Package {
    /// Its key, which customers' field `package` names.
    pub key: String,
    /// A month's fee.
    pub fee: Fen,
    /// Minutes that the fee covers.
    pub minutes: i64,
    /// Megabytes that the fee covers.
    pub data_mb: i64,
    /// A minute over.
    pub over_minute: Fen,
    /// A megabyte over.
    pub over_mb: Fen,
    /// Whether it may still be chosen.
    pub on_sale: bool,
}

/// What was used in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Minutes of calls.
    pub minutes: i64,
    /// Megabytes of data.
    pub data_mb: i64,
}

impl Package {
    /// What these months would have cost, in fen. What is left over in one month does not help another.
    pub fn cost(&self, months: &[Month]) -> i64 {
        months.iter().map(|month| self.month(*month)).fold(0, i64::saturating_add)
    }

    fn month(&self, used: Month) -> i64 {
        let over = |used: i64, held: i64, price: Fen| used.saturating_sub(held).max(0).saturating_mul(price.0);
        let voice = over(used.minutes, self.minutes, self.over_minute);
        self.fee.0.saturating_add(voice).saturating_add(over(used.data_mb, self.data_mb, self.over_mb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic() -> Package {
        let (over_minute, over_mb) = (Fen(20), Fen(5));
        Package {
            key: "basic-18".into(),
            fee: Fen(1_800),
            minutes: 60,
            data_mb: 200,
            over_minute,
            over_mb,
            on_sale: true,
        }
    }

    fn month(minutes: i64, data_mb: i64) -> Month {
        Month { minutes, data_mb }
    }

    #[test]
    fn a_month_costs_its_fee_and_what_is_over() {
        assert_eq!(basic().cost(&[month(60, 200); 3]), 3 * 1_800);
        assert_eq!(basic().cost(&[month(160, 300); 3]), 3 * (1_800 + 100 * 20 + 100 * 5));
        let uneven = [month(160, 0), month(0, 0), month(20, 0)];
        assert_eq!(basic().cost(&uneven), 3 * 1_800 + 2_000, "what is left over in one month does not help another");
        assert_eq!(basic().cost(&[]), 0);
    }

    #[test]
    fn no_figure_is_too_large() {
        assert_eq!(basic().cost(&[month(i64::MAX, i64::MAX); 3]), i64::MAX);
        assert_eq!(basic().cost(&[month(i64::MIN, -1)]), 1_800);
    }
}
