//! Repeatable chance: a stream of its own for each customer. Whole numbers only, so that every machine draws alike.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws for one customer.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, customer: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(customer);
        Self(rng)
    }

    /// A number between two, both included; the last when they are the wrong way round.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = u64::try_from(most - least).unwrap_or(0) + 1;
        // Scaling 32 random bits is even enough for the few values drawn here.
        let scaled = (u64::from(self.0.next_u32()) as u128 * width as u128) >> 32;
        least.min(most) + scaled as i64
    }

    /// True in so many of 1,000 cases.
    pub(crate) fn permille(&mut self, cases: i64) -> bool {
        self.between(0, 999) < cases
    }

    /// One of several by weight; the weights need not add up to anything.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, i64)]) -> Option<T> {
        let total: i64 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = self.between(0, total - 1);
        for (choice, weight) in choices {
            left -= weight;
            if left < 0 {
                return Some(*choice);
            }
        }
        None
    }

    /// One of several.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let at = self.between(0, choices.len() as i64 - 1);
        choices.get(usize::try_from(at).unwrap_or(0)).copied()
    }
}
