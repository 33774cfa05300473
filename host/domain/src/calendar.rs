//! The working calendar: public holidays and make-up workdays (调休) of each year, as the State Council publishes them.
//! A year that nobody imported is no year without holidays: whoever asks about it is told that nothing is known.

use crate::text::Finding;
use crate::time::{self, date_of};
use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A year as published: the format of `holiday-cn`. Days that are not listed are as their weekday says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarYear {
    /// The year. A notice may also list days at the end of the year before.
    pub year: i16,
    /// Where it was published.
    #[serde(default)]
    pub papers: Vec<String>,
    /// The days on which a weekday is off, or a weekend day is worked.
    pub days: Vec<ListedDay>,
}

/// A day that differs from its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDay {
    /// The holiday that it belongs to.
    pub name: String,
    /// `2026-02-14`.
    pub date: String,
    /// Off, or a make-up workday.
    #[serde(rename = "isOffDay")]
    pub is_off_day: bool,
}

impl CalendarYear {
    /// Everything that cannot be meant; nothing of a year with a finding is used.
    pub fn check(&self) -> Vec<Finding> {
        let year = self.year;
        if self.days.is_empty() {
            let message = format!("the calendar of {year} lists no day: its notice was not published when it was made");
            return vec![Finding::error("empty-calendar", message, "Import it when the notice is out")];
        }
        let mut findings = Vec::new();
        let mut seen: BTreeMap<i32, bool> = BTreeMap::new();
        for day in &self.days {
            let Some(days) = time::parse_date(&day.date) else {
                let message = format!("the calendar of {year} lists {:?}, which is no date", day.date);
                findings.push(Finding::error("bad-calendar", message, "A date is written 2026-02-14"));
                continue;
            };
            // The notice of a year begins with the days around New Year's Day.
            if !matches!(year_of(days), Some(of) if of == year || of == year - 1) {
                let message = format!("the calendar of {year} lists {}", day.date);
                findings.push(Finding::error("bad-calendar", message, "Correct the date, or the file's `year`"));
            }
            if seen.insert(days, day.is_off_day).is_some_and(|before| before != day.is_off_day) {
                let message =
                    format!("the calendar of {year} says of {} that it is off and that it is worked", day.date);
                findings.push(Finding::error("bad-calendar", message, "Keep one of the two"));
            }
        }
        if findings.is_empty() {
            findings.extend(self.holes());
        }
        findings
    }

    /// A workday in the middle of one holiday is a day that was left out.
    fn holes(&self) -> Vec<Finding> {
        let mut spans: BTreeMap<&str, (i32, i32)> = BTreeMap::new();
        let mut off: BTreeMap<i32, bool> = BTreeMap::new();
        for day in &self.days {
            let Some(days) = time::parse_date(&day.date) else { continue };
            off.insert(days, day.is_off_day);
            if day.is_off_day {
                let span = spans.entry(&day.name).or_insert((days, days));
                *span = (span.0.min(days), span.1.max(days));
            }
        }
        let mut findings = Vec::new();
        for (name, (first, last)) in spans {
            for missing in (first..last).filter(|day| !off.contains_key(day) && !is_weekend(*day)) {
                let message = format!(
                    "the calendar of {} has a hole: {name} is off from {} to {}, and {} is not listed",
                    self.year,
                    time::write_date(first),
                    time::write_date(last),
                    time::write_date(missing)
                );
                findings.push(Finding::error("calendar-hole", message, "Add the day, off or worked"));
            }
        }
        findings
    }
}

/// The years that are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    years: BTreeSet<i16>,
    listed: BTreeMap<i32, bool>,
}

impl Calendar {
    /// Puts years together. Where two list a day, the later year's notice holds: it was published later.
    pub fn of(mut years: Vec<CalendarYear>) -> Self {
        years.sort_by_key(|year| year.year);
        let mut calendar = Self::default();
        for year in years {
            calendar.years.insert(year.year);
            let listed = year.days.iter().filter_map(|day| Some((time::parse_date(&day.date)?, day.is_off_day)));
            calendar.listed.extend(listed);
        }
        calendar
    }

    /// Whether a day is off; `Err` with the year when there is no calendar for it.
    pub fn is_day_off(&self, days: i32) -> Result<bool, i16> {
        let year = year_of(days).unwrap_or(i16::MAX);
        if !self.years.contains(&year) {
            return Err(year);
        }
        Ok(self.listed.get(&days).copied().unwrap_or_else(|| is_weekend(days)))
    }
}

/// The year of a day.
pub fn year_of(days: i32) -> Option<i16> {
    date_of(days).map(|date| date.year())
}

fn is_weekend(days: i32) -> bool {
    date_of(days).is_some_and(|date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i32 {
        time::parse_date(text).expect("a date")
    }

    fn year(year: i16, days: &[(&str, &str, bool)]) -> CalendarYear {
        let listed = days.iter().map(|(name, date, off)| ListedDay {
            name: (*name).into(),
            date: (*date).into(),
            is_off_day: *off,
        });
        CalendarYear { year, papers: Vec::new(), days: listed.collect() }
    }

    #[test]
    fn a_make_up_workday_is_worked_and_an_unknown_year_is_no_year_without_holidays() {
        let spring = year(2026, &[("春节", "2026-02-14", false), ("春节", "2026-02-16", true)]);
        let calendar = Calendar::of(vec![spring]);
        for (date, off) in [("2026-02-14", false), ("2026-02-16", true), ("2026-02-21", true), ("2026-02-24", false)] {
            assert_eq!(calendar.is_day_off(day(date)), Ok(off), "{date}");
        }
        assert_eq!(calendar.is_day_off(day("2027-01-01")), Err(2027));
    }

    #[test]
    fn a_calendar_with_a_hole_is_told_with_the_day() {
        let codes = |year: CalendarYear| year.check().into_iter().map(|f| f.code).collect::<Vec<_>>();
        assert_eq!(codes(year(2027, &[])), ["empty-calendar"]);
        let hole = year(2026, &[("春节", "2026-02-16", true), ("春节", "2026-02-18", true)]);
        let findings = hole.check();
        assert_eq!((findings.len(), findings[0].code.as_str()), (1, "calendar-hole"));
        assert!(findings[0].message.contains("2026-02-17"), "{}", findings[0].message);
        // 2014-04-06 was a Sunday: the published calendar does not list it.
        assert_eq!(codes(year(2014, &[("清明节", "2014-04-05", true), ("清明节", "2014-04-07", true)])), [""; 0]);
        assert_eq!(codes(year(2026, &[("元旦", "2026-13-01", true)])), ["bad-calendar"]);
        assert_eq!(codes(year(2026, &[("元旦", "2024-01-01", true)])), ["bad-calendar"]);
        assert_eq!(codes(year(2026, &[("a", "2026-01-04", true), ("b", "2026-01-04", false)])), ["bad-calendar"]);
    }

    #[test]
    fn the_published_years_are_sound_and_the_last_one_is_empty() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/calendar/holiday-cn");
        if !std::path::Path::new(folder).exists() {
            eprintln!("SKIPPED: no {folder}");
            return;
        }
        let mut listed = [0, 0];
        for number in 2007..=2027 {
            let text = std::fs::read_to_string(format!("{folder}/{number}.json")).expect("a file");
            let year: CalendarYear = serde_json::from_str(&text).expect("a year");
            let codes: Vec<String> = year.check().into_iter().map(|f| f.code).collect();
            assert_eq!(codes, if number == 2027 { vec!["empty-calendar"] } else { vec![] }, "{number}");
            year.days.iter().for_each(|day| listed[usize::from(!day.is_off_day)] += 1);
        }
        assert_eq!(listed, [545, 133]);
    }
}
