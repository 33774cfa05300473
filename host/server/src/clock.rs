//! The clock: the one place that reads the time of day. Everywhere else time is an argument.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

static REHEARSED: OnceLock<i64> = OnceLock::new();

/// Stands still at this instant from now on: a rehearsal plays on a day of its own.
pub(crate) fn rehearse(instant: i64) {
    let _ = REHEARSED.set(instant);
}

/// Now, in Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    REHEARSED.get().copied().unwrap_or_else(wall_ms)
}

/// Now, whatever a rehearsal plays: for what waits for other machines.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
