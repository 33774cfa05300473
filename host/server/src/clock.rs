//! The clock: the one place that reads the time of day. Everywhere else time is an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in Unix milliseconds.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
