//! Contact pressure: how many disturbing contacts customers have. The documents measure it so (S1: over 70 % were
//! contacted at all, 58 % had at most three contacts, 4 % more than ten).

use serde::{Deserialize, Serialize};

/// The days over which contacts are counted.
pub const PRESSURE_DAYS: u32 = 30;

/// Customers by how many disturbing contacts they have. One occasion and round is one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pressure {
    /// Customers with none.
    pub none: u64,
    /// Customers with 1 to 3.
    pub one_to_three: u64,
    /// Customers with 4 to 10.
    pub four_to_ten: u64,
    /// Customers with more than 10.
    pub over_ten: u64,
}

impl Pressure {
    /// Counts customers who have so many contacts.
    pub fn add(&mut self, contacts: u64, customers: u64) {
        let place = match contacts {
            0 => &mut self.none,
            1..=3 => &mut self.one_to_three,
            4..=10 => &mut self.four_to_ten,
            _ => &mut self.over_ten,
        };
        *place += customers;
    }

    /// Adds the customers of another part.
    pub fn merge(&mut self, other: &Self) {
        self.none += other.none;
        self.one_to_three += other.one_to_three;
        self.four_to_ten += other.four_to_ten;
        self.over_ten += other.over_ten;
    }

    /// All customers.
    pub fn customers(&self) -> u64 {
        self.none + self.one_to_three + self.four_to_ten + self.over_ten
    }

    /// Coverage: the share of all customers with at least one contact, 0 to 1.
    pub fn coverage(&self) -> f64 {
        self.share(self.customers() - self.none)
    }

    /// The share of all customers with at most three contacts, those with none included, 0 to 1.
    pub fn at_most_three(&self) -> f64 {
        self.share(self.none + self.one_to_three)
    }

    /// The share of all customers with more than ten contacts, 0 to 1.
    pub fn more_than_ten(&self) -> f64 {
        self.share(self.over_ten)
    }

    fn share(&self, part: u64) -> f64 {
        super::share(part, self.customers())
    }
}

/// Pressure with the world as it is, and with the simulated version in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PressureChange {
    /// The ledger and what the active campaigns plan in this pass.
    pub before: Pressure,
    /// The ledger and what this pass plans with the simulated version in the place of the running ones.
    pub after: Pressure,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_customers() {
        let mut pressure = Pressure::default();
        for (contacts, customers) in [(0, 30), (1, 20), (3, 20), (4, 15), (10, 11), (11, 3), (90, 1)] {
            pressure.add(contacts, customers);
        }
        assert_eq!(pressure, Pressure { none: 30, one_to_three: 40, four_to_ten: 26, over_ten: 4 });
        assert_eq!(pressure.customers(), 100);
        assert_eq!((pressure.coverage(), pressure.at_most_three(), pressure.more_than_ten()), (0.7, 0.7, 0.04));
        assert_eq!(Pressure::default().coverage(), 0.0);
    }
}
