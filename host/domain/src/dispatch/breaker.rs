//! Backoff with jitter, and the circuit breaker of a gateway.

/// Failures in a row after which a gateway is left alone.
pub const TRIP_AFTER: u32 = 5;

/// How long to wait after failure number `failures`, from 1: doubled each time up to `most_ms`, of which a random half
/// is taken away, so that many who failed together do not come back together. `jitter` is any number.
pub fn backoff(base_ms: i64, most_ms: i64, failures: u32, jitter: u64) -> i64 {
    let doubled = base_ms.max(1).saturating_mul(1_i64 << failures.saturating_sub(1).min(32));
    let whole = doubled.min(most_ms.max(1));
    let half = whole / 2;
    half + (jitter % (half as u64 + 1)) as i64
}

/// Whether a gateway is used: `closed → open → trial → closed | open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Used.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// Left alone.
    Open {
        /// Until this instant.
        until: i64,
        /// How often it was opened without a success in between.
        trips: u32,
    },
    /// One message tells whether it works again.
    Trial {
        /// How often it was opened.
        trips: u32,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Where it stands at `now`, and how many messages may be on their way at once, of `window`.
    pub fn admits(self, now: i64, window: usize) -> (Self, usize) {
        match self {
            Self::Closed { .. } => (self, window),
            Self::Open { until, trips } if now >= until => (Self::Trial { trips }, 1),
            Self::Open { .. } => (self, 0),
            Self::Trial { .. } => (self, 1),
        }
    }

    /// After an answer that speaks for the gateway (`well`) or against it.
    #[must_use]
    pub fn after(self, well: bool, now: i64, (base_ms, most_ms): (i64, i64), jitter: u64) -> Self {
        let open = |trips: u32| Self::Open { until: now + backoff(base_ms, most_ms, trips, jitter), trips };
        match (self, well) {
            // An answer that was on its way when the breaker opened says nothing about the gateway since.
            (Self::Open { .. }, _) => self,
            (_, true) => Self::default(),
            (Self::Trial { trips }, false) => open(trips + 1),
            (Self::Closed { failures }, false) if failures + 1 >= TRIP_AFTER => open(1),
            (Self::Closed { failures }, false) => Self::Closed { failures: failures + 1 },
        }
    }

    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::Trial { .. } => "trial",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gateway_that_fails_is_left_alone_tried_once_and_used_again() {
        let waits = (1_000, 8_000);
        let mut breaker = Breaker::default();
        for _ in 1..TRIP_AFTER {
            breaker = breaker.after(false, 0, waits, 0);
            assert_eq!(breaker.admits(0, 10).1, 10);
        }
        breaker = breaker.after(false, 0, waits, 0);
        assert_eq!(breaker, Breaker::Open { until: 500, trips: 1 });
        assert_eq!(breaker.admits(499, 10).1, 0);
        let (trial, room) = breaker.admits(500, 10);
        assert_eq!((trial, room), (Breaker::Trial { trips: 1 }, 1));
        assert_eq!(trial.after(true, 600, waits, 0), Breaker::default());
        assert_eq!(trial.after(false, 600, waits, 0), Breaker::Open { until: 1_600, trips: 2 });
    }

    proptest! {
        #[test]
        fn a_wait_is_between_half_and_whole_and_never_longer_than_the_longest(
            base in 1_i64..100_000, most in 1_i64..10_000_000, failures in 0_u32..1_000, jitter: u64,
        ) {
            let wait = backoff(base, most, failures, jitter);
            prop_assert!(wait <= most);
            let whole = base.saturating_mul(1 << failures.saturating_sub(1).min(32)).min(most);
            prop_assert!(wait >= whole / 2 && wait <= whole);
        }
    }
}
