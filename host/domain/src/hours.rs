//! When somebody may be disturbed: quiet hours, hours forbidden for calls, and days off, all in the customer's own zone.

use crate::contact::Channel;
use crate::policy::{ClassRules, DaysOffRule, Hours, Policy, QuietRule};
use crate::time::{self, DAY_MS};
use jiff::tz::TimeZone;

/// The longest time that a contact is moved on in search of a permitted moment: longer than any run of days off.
const SEARCH_DAYS: i64 = 31;
const MINUTE_MS: i64 = 60_000;

/// Why there is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The windows leave no gap.
    NoHour,
    /// A rule asks about days off in a year that has no calendar.
    NoCalendar(i16),
}

/// The first permitted instant from `start` on.
pub(crate) fn permitted(
    start: i64,
    channel: Channel,
    rules: ClassRules,
    policy: &Policy,
    zone: &TimeZone,
) -> Result<i64, Closed> {
    let asks = policy.asks_for_days_off(channel, rules);
    let mut at = start;
    // A guest may name any instant, even the last one there is.
    while at <= start.saturating_add(SEARCH_DAYS * DAY_MS) {
        let (day, minute) = time::local(at, zone).ok_or(Closed::NoHour)?;
        let day_off = asks && policy.calendar.is_day_off(day).map_err(Closed::NoCalendar)?;
        if day_off && closed_on_days_off(channel, rules) {
            at = time::instant_of_minute(day + 1, 0, zone).filter(|next| *next > at).ok_or(Closed::NoHour)?;
            continue;
        }
        let mut windows = windows(channel, rules, policy, day_off);
        let Some(window) = windows.find(|w| w.contains(minute)) else { return Ok(at) };
        let next_day = i32::from(window.to_minute <= minute);
        // The next day may have other hours than this one.
        let end_minute = if asks && next_day == 1 { 0 } else { window.to_minute };
        let end = time::instant_of_minute(day + next_day, end_minute, zone).ok_or(Closed::NoHour)?;
        // Where a clock change repeats an hour, its end may lie in the first turn while we stand in the second.
        at = if end > at { end } else { at - at.rem_euclid(MINUTE_MS) + MINUTE_MS };
    }
    Err(Closed::NoHour)
}

fn closed_on_days_off(channel: Channel, rules: ClassRules) -> bool {
    match rules.days_off {
        DaysOffRule::Open => false,
        DaysOffRule::NoCalls => channel.is_call(),
        DaysOffRule::Held => channel.disturbs(),
    }
}

/// The windows in which a channel is closed: quiet hours, and those forbidden for calls.
fn windows(channel: Channel, rules: ClassRules, policy: &Policy, day_off: bool) -> impl Iterator<Item = Hours> {
    let quiet = (channel.disturbs() && rules.quiet != QuietRule::Exempt).then(|| policy.quiet_on(day_off));
    let calls = (channel.is_call() && rules.forbidden_call_hours).then_some(policy.forbidden_call.as_slice());
    quiet.into_iter().chain(calls.unwrap_or_default().iter().copied())
}
