//! Money, dates and instants with their units in their types. No clock: what time it is comes from the run.

use serde::{Deserialize, Deserializer};
use std::fmt;

/// Money in fen (1/100 yuan).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fen(pub i64);

/// A civil date in days since 1970-01-01. In parameters it is written `2008-05-12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// An instant in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

const DAY_MS: i64 = 86_400_000;
/// China has had one zone without summer time since 1992; the province's business dates are meant in it.
const PROVINCE_OFFSET_MS: i64 = 8 * 3_600_000;
/// Days of 400 years of the Gregorian calendar, after which it repeats.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_FROM_MARCH_0: i64 = 719_468;

impl Date {
    /// A civil date; `None` when the calendar has no such day.
    pub fn of(year: i32, month: i32, day: i32) -> Option<Self> {
        // Counted from March, so that the leap day is the last of its year.
        let shifted = i64::from(year) - i64::from(month <= 2);
        let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self(i32::try_from(era * ERA_DAYS + day_of_era - EPOCH_FROM_MARCH_0).ok()?);
        (date.civil() == (year, month, day)).then_some(date)
    }

    /// Reads `2008-05-12`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<i32>().ok());
        Self::of(parts.next()??, parts.next()??, parts.next()??)
    }

    /// Year, month 1–12, day 1–31.
    pub fn civil(self) -> (i32, i32, i32) {
        let days = i64::from(self.0) + EPOCH_FROM_MARCH_0;
        let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        (year as i32, month as i32, day as i32)
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.civil().0
    }

    /// The month, 1–12.
    pub fn month(self) -> i32 {
        self.civil().1
    }

    /// The day of the month, 1–31.
    pub fn day(self) -> i32 {
        self.civil().2
    }

    /// So many days later; earlier when negative.
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days from `earlier` to this one.
    pub fn days_since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The instant of an hour (0–24) of this day in the province.
    pub fn at(self, hour: i32) -> Instant {
        Instant(i64::from(self.0) * DAY_MS + i64::from(hour) * 3_600_000 - PROVINCE_OFFSET_MS)
    }

    /// The last millisecond of this day in the province.
    pub fn end(self) -> Instant {
        Instant(self.at(24).0 - 1)
    }
}

impl Instant {
    /// The day in the province on which it lies.
    pub fn date(self) -> Date {
        let days = self.0.saturating_add(PROVINCE_OFFSET_MS).div_euclid(DAY_MS);
        Date(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no date such as 2008-05-12")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        Date::parse(text).expect("a date")
    }

    #[test]
    fn dates_are_days_since_1970() {
        assert_eq!(date("1970-01-01"), Date(0));
        assert_eq!(date("2026-07-30"), Date(20_664));
        assert_eq!(date("2000-02-29").plus(1).to_string(), "2000-03-01");
        assert_eq!(date("2008-10-01").days_since(date("2008-05-12")), 142);
        assert_eq!(Date(-1).civil(), (1969, 12, 31));
    }

    #[test]
    fn days_that_no_calendar_has_are_refused() {
        for bad in
            ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-04-00", "2026-04", "", "x-y-z"]
        {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
        assert!(serde_json::from_str::<Date>("\"2026-02-29\"").is_err_and(|e| e.to_string().contains("2026-02-29")));
    }

    #[test]
    fn hours_are_meant_in_the_province() {
        // 2026-07-29T09:00:00+08:00
        assert_eq!(date("2026-07-29").at(9), Instant(1_785_286_800_000));
        assert_eq!(date("2026-07-29").end().0 + 1, date("2026-07-30").at(0).0);
        for instant in [date("2026-07-29").at(0), date("2026-07-29").end()] {
            assert_eq!(instant.date(), date("2026-07-29"));
        }
    }

    proptest! {
        #[test]
        fn every_day_has_one_civil_date(days in -1_000_000i32..4_000_000) {
            let (year, month, day) = Date(days).civil();
            prop_assert_eq!(Date::of(year, month, day), Some(Date(days)));
            prop_assert!(Date(days + 1).civil() > (year, month, day));
        }
    }
}
