//! Dates in days and instants in Unix milliseconds, in the zones in which rules are meant.
//! The clock is not here: instants are arguments.

use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// The province's time zone, in which business dates are meant.
pub const PROVINCE_ZONE: &str = "Asia/Shanghai";

const EPOCH: Date = date(1970, 1, 1);

/// The civil date of a day number; `None` outside the years −9999 to 9999.
pub fn date_of(days: i32) -> Option<Date> {
    // Built by hand: the short form panics on a day number that a guest may well choose.
    EPOCH.checked_add(Span::new().try_days(i64::from(days)).ok()?).ok()
}

/// The day number of a civil date.
pub fn days_of(date: Date) -> i32 {
    EPOCH.until(date).map_or(0, |span| span.get_days())
}

/// Reads `2026-07-29` as a day number.
pub fn parse_date(text: &str) -> Option<i32> {
    text.parse::<Date>().ok().map(days_of)
}

/// Writes a day number as `2026-07-29`.
pub fn write_date(days: i32) -> String {
    date_of(days).map_or_else(|| format!("day {days}"), |d| d.to_string())
}

/// A date that may be absent, in documents that people write: `2026-07-29`.
pub mod optional_date {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes a day number as a date.
    pub fn serialize<S: Serializer>(days: &Option<i32>, to: S) -> Result<S::Ok, S::Error> {
        match days {
            Some(days) => to.serialize_str(&super::write_date(*days)),
            None => to.serialize_none(),
        }
    }

    /// Reads a date as a day number.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let days = super::parse_date(&text);
        days.map(Some).ok_or_else(|| D::Error::custom(format!("{text:?} is no date; write 2026-07-29")))
    }
}

/// Writes an instant as RFC 3339 in the province's zone.
pub fn write_instant(instant_ms: i64) -> String {
    let Ok(stamp) = Timestamp::from_millisecond(instant_ms) else { return format!("{instant_ms} ms") };
    match zone(PROVINCE_ZONE) {
        Some(zone) => stamp.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        None => stamp.to_string(),
    }
}

/// Reads an RFC 3339 instant (`2026-07-29T09:00:00+08:00`), or a civil date and time in the province's zone.
pub fn parse_instant(text: &str) -> Option<i64> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_millisecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = civil.to_zoned(zone(PROVINCE_ZONE)?).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// Writes an instant as SMPP 3.4 does (7.1.1): `YYMMDDhhmmsstnnp` in UTC; `None` outside the years 2000 to 2099.
pub fn smpp_instant(instant_ms: i64) -> Option<String> {
    let utc = Timestamp::from_millisecond(instant_ms).ok()?.to_zoned(TimeZone::UTC);
    let year = utc.year();
    (2000..=2099).contains(&year).then(|| format!("{:02}{}000+", year - 2000, utc.strftime("%m%d%H%M%S")))
}

/// A zone by its IANA name.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The instant of a time of day on a date in a zone; a time that a clock change skips is moved on.
pub fn instant_at(days: i32, time: Time, zone: &TimeZone) -> Option<i64> {
    let civil = date_of(days)?.to_datetime(time);
    zone.to_ambiguous_timestamp(civil).compatible().ok().map(Timestamp::as_millisecond)
}

/// The date and minute of the day of an instant in a zone.
pub fn local(instant_ms: i64, zone: &TimeZone) -> Option<(i32, u16)> {
    let stamp = Timestamp::from_millisecond(instant_ms).ok()?;
    let civil = zone.to_datetime(stamp);
    let minute = u16::try_from(i32::from(civil.hour()) * 60 + i32::from(civil.minute())).ok()?;
    Some((days_of(civil.date()), minute))
}

/// The instant of a minute of a day in a zone; minute 1440 is the next midnight.
pub fn instant_of_minute(days: i32, minute: u16, zone: &TimeZone) -> Option<i64> {
    let (days, minute) = (days + i32::from(minute / 1440), minute % 1440);
    let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?;
    instant_at(days, time, zone)
}

/// The date of an instant in the province, days since 1970-01-01; `None` when it is out of range.
pub fn date_at(instant_ms: i64) -> Option<i32> {
    local(instant_ms, &zone(PROVINCE_ZONE)?).map(|(date, _)| date)
}

/// The date in the province now; day 0 for an instant out of range, which no clock tells.
pub fn today(now_ms: i64) -> i32 {
    date_at(now_ms).unwrap_or(0)
}

/// When a day of the province begins; `None` when it is out of range.
pub fn day_begins(days: i32) -> Option<i64> {
    instant_of_minute(days, 0, &zone(PROVINCE_ZONE)?)
}

/// When the province's day of an instant began; the instant itself when it is out of range.
pub fn day_began(instant_ms: i64) -> i64 {
    date_at(instant_ms).and_then(day_begins).unwrap_or(instant_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_the_province_begins_at_its_own_midnight() {
        let instant = |text: &str| parse_instant(text).expect("an instant");
        let date = |text: &str| parse_date(text).expect("a date");
        for (at, day) in [
            ("2026-07-29T00:00:00+08:00", "2026-07-29"),
            ("2026-07-28T15:59:59.999Z", "2026-07-28"),
            ("2026-07-28T16:00:00Z", "2026-07-29"),
            ("2027-01-01T00:00:00Z", "2027-01-01"),
        ] {
            assert_eq!(date_at(instant(at)), Some(date(day)), "{at}");
            assert_eq!(day_began(instant(at)), instant(&format!("{day}T00:00:00+08:00")), "{at}");
            assert_eq!(day_begins(date(day)), Some(day_began(instant(at))));
        }
        assert_eq!((date_at(i64::MAX), today(i64::MAX), day_began(i64::MAX)), (None, 0, i64::MAX));
        assert_eq!(day_begins(i32::MAX), None);
    }

    #[test]
    fn dates_and_instants_go_there_and_back() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date("2026-02-29"), None);
        assert_eq!(parse_date("2008-05-12").map(write_date).as_deref(), Some("2008-05-12"));
        let nine = parse_instant("2026-07-29T09:00:00").expect("an instant");
        assert_eq!(write_instant(nine), "2026-07-29T09:00:00+08:00");
        let zone = zone(PROVINCE_ZONE).expect("the province's zone");
        assert_eq!(local(nine, &zone), parse_date("2026-07-29").map(|d| (d, 540)));
        assert_eq!(parse_date("2026-07-29").and_then(|d| instant_of_minute(d, 540, &zone)), Some(nine));
    }
}
