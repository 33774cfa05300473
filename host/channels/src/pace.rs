//! A steady pace: no more than so many a second, and a pause where the gateway asks for one.

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Slots in time, given out one after another.
#[derive(Debug)]
pub(crate) struct Pace {
    every: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many a second; without a limit when 0.
    pub(crate) fn of(rate: u32) -> Self {
        let every = if rate == 0 { Duration::ZERO } else { Duration::from_secs(1) / rate };
        Self { every, next: Mutex::new(None) }
    }

    /// Waits for the next slot.
    pub(crate) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let at = next.filter(|at| *at > Instant::now()).unwrap_or_else(Instant::now);
            *next = Some(at + self.every);
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// Gives no slot for a while.
    pub(crate) async fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut next = self.next.lock().await;
        if next.is_none_or(|at| at < until) {
            *next = Some(until);
        }
    }
}
