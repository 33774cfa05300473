//! When campaigns are due by the clock: cron expressions, meant in the province's zone.

use crate::time;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;

/// A cron expression that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no cron expression: {why}")]
pub struct CronFault {
    text: String,
    why: String,
}

fn parse(text: &str) -> Result<Cron, CronFault> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| CronFault { text: text.into(), why: error.to_string() })
}

/// Whether an expression of five fields (minute, hour, day, month, weekday) can be read.
pub fn check(text: &str) -> Result<(), CronFault> {
    parse(text).map(drop)
}

/// The last instant within `after < instant ≤ until` at which an expression fires, Unix milliseconds.
pub fn last_firing(text: &str, after: i64, until: i64) -> Result<Option<i64>, CronFault> {
    let cron = parse(text)?;
    let zone = time::zone(time::PROVINCE_ZONE);
    let (Some(zone), Ok(until)) = (zone, Timestamp::from_millisecond(until)) else { return Ok(None) };
    // An expression that never fires (30 February) is none that fires in this window.
    let fired = cron.find_previous_occurrence(&until.to_zoned(zone), true).ok();
    Ok(fired.map(|fired| fired.timestamp().as_millisecond()).filter(|fired| *fired > after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        time::parse_instant(text).expect("an instant")
    }

    #[test]
    fn an_expression_fires_in_the_provinces_zone() {
        let midnight = at("2026-07-29T00:00");
        for (cron, until, expected) in [
            ("0 7 * * *", "2026-07-29T06:59:59", None),
            ("0 7 * * *", "2026-07-29T07:00", Some("2026-07-29T07:00:00+08:00")),
            ("0 7 * * *", "2026-07-29T23:00", Some("2026-07-29T07:00:00+08:00")),
            ("*/30 9-17 * * MON-FRI", "2026-07-29T12:44", Some("2026-07-29T12:30:00+08:00")),
            ("0 7 1 * *", "2026-07-29T12:00", None),
            ("0 7 30 2 *", "2026-07-29T12:00", None),
        ] {
            let fired = last_firing(cron, midnight - 1, at(until)).expect("an expression");
            assert_eq!(fired, expected.map(at), "{cron} until {until}");
        }
        // Exclusive below: what fired at the last tick does not fire again.
        let seven = at("2026-07-29T07:00");
        assert_eq!(last_firing("0 7 * * *", seven, seven + 60_000), Ok(None));
    }

    #[test]
    fn what_is_no_expression_is_told_with_its_text() {
        for bad in ["", "7 o'clock", "61 7 * * *", "0 7 * *", "0 0 7 * * *", "0 7 * * * 2026"] {
            let fault = check(bad).expect_err(bad);
            assert!(fault.to_string().contains(bad), "{fault}");
        }
    }
}
