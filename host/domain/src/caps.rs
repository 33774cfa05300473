//! Caps as data, and how places under them are counted. Who competes for the places lives in `arbitration`.

use crate::catalogue::CategorySet;
use crate::contact::Channel;
use crate::decide::Past;
use crate::manifest::{Cap, MAX_DAYS};
use crate::policy::{Class, Policy};
use crate::time::{self, DAY_MS};
use crate::verdict::Verdict;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Over what time contacts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// Any so many times 24 hours.
    RollingDays(u32),
    /// Any so many days of the customer's own calendar, from midnight to midnight.
    CalendarDays(u32),
}

impl Window {
    /// How many.
    pub fn days(self) -> u32 {
        match self {
            Self::RollingDays(days) | Self::CalendarDays(days) => days,
        }
    }
}

/// At most so many contacts with one customer, of those that it names. An empty list names all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapRule {
    /// What people call it; the decision log tells it.
    pub name: String,
    /// Contacts.
    pub contacts: u32,
    /// In what time.
    pub window: Window,
    /// Classes; when empty, those that count towards the global cap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// Channels. A message goes on its next permitted channel where the cap of one is used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// Categories of the catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Activities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<String>,
    /// Customers of these tiers only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<String>,
}

impl CapRule {
    /// Whether it allows a contact at all, in a window that means something.
    pub fn is_sound(&self) -> bool {
        self.contacts >= 1 && (1..=MAX_DAYS).contains(&self.window.days())
    }

    /// Whether it speaks of customers of a tier.
    pub fn holds_for(&self, tier: &str) -> bool {
        self.tiers.is_empty() || self.tiers.iter().any(|t| t == tier)
    }

    /// Whether it counts contacts of this kind, on whatever channel.
    pub(crate) fn counts(&self, kind: &Kind<'_>, policy: &Policy) -> bool {
        let class = match self.classes.as_slice() {
            [] => policy.rules(kind.class).global_cap,
            classes => classes.contains(&kind.class),
        };
        class
            && (self.activities.is_empty() || self.activities.iter().any(|a| a == kind.activity))
            && (self.categories.is_empty() || self.categories.iter().any(|c| kind.categories.holds(c)))
    }

    /// Whether it counts what goes out on a channel.
    pub(crate) fn counts_on(&self, channel: Channel) -> bool {
        self.channels.is_empty() || self.channels.contains(&channel)
    }
}

/// What a cap asks of a contact beside its channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind<'a> {
    pub(crate) activity: &'a str,
    pub(crate) class: Class,
    pub(crate) categories: CategorySet,
}

/// A contact that disturbs the customer: all messages of an activity about one occasion in one round.
#[derive(Debug)]
pub(crate) struct Disturbance<'a> {
    pub(crate) kind: Kind<'a>,
    /// Those that disturb. Of a winner, all on which it may go out: which of them carries it is known when it speaks.
    pub(crate) channels: Vec<Channel>,
    /// Its planned instant.
    pub(crate) at: i64,
    /// The terms under which it was won in this plan; `None` for the past.
    pub(crate) winner: Option<usize>,
}

/// The customer's past as caps see it: what never reached the customer is not in it.
pub(crate) fn disturbances(past: &[Past]) -> Vec<Disturbance<'_>> {
    let mut found: Vec<((&str, i64, u8), Disturbance<'_>)> = Vec::new();
    for message in past.iter().filter(|p| p.state.counts() && p.channel.disturbs()) {
        let identity = (message.activity.as_str(), message.occasion, message.round);
        match found.iter_mut().find(|(known, _)| *known == identity) {
            Some((_, contact)) => {
                contact.channels.push(message.channel);
                contact.at = contact.at.min(message.planned_at);
            }
            None => {
                let kind = Kind { activity: &message.activity, class: message.class, categories: message.categories };
                let channels = vec![message.channel];
                found.push((identity, Disturbance { kind, channels, at: message.planned_at, winner: None }));
            }
        }
    }
    found.into_iter().map(|(_, contact)| contact).collect()
}

/// A cap that leaves no place, with what it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Full {
    /// `capped` when the past alone fills it, `lost` to a winner.
    pub(crate) verdict: Verdict,
    pub(crate) figures: String,
    pub(crate) winner: Option<usize>,
}

/// Whether so many contacts in a window leave a place at `at`, given the contacts that count, the past's first.
pub(crate) fn full<'a>(
    contacts: u32,
    window: Window,
    at: i64,
    zone: &TimeZone,
    counting: impl Iterator<Item = &'a Disturbance<'a>>,
) -> Option<Full> {
    // A calendar day is its midnight's place on a line of whole days, whatever the clocks do.
    let place = |at: i64| match window {
        Window::RollingDays(_) => at,
        Window::CalendarDays(_) => {
            let day = time::local(at, zone).map_or_else(|| at.div_euclid(DAY_MS), |(day, _)| i64::from(day));
            day.saturating_mul(DAY_MS)
        }
    };
    let (here, days) = (place(at), window.days());
    let mut times: Vec<i64> = Vec::new();
    let mut winners: Vec<(usize, i64)> = Vec::new();
    for contact in counting {
        match contact.winner {
            None => times.push(place(contact.at)),
            Some(terms) => winners.push((terms, place(contact.at))),
        }
    }
    let figures = |used: usize| match window {
        Window::RollingDays(_) => format!("{used} of {contacts} in {days} days"),
        Window::CalendarDays(1) => format!("{used} of {contacts} in a calendar day"),
        Window::CalendarDays(_) => format!("{used} of {contacts} in {days} calendar days"),
    };
    let used = busiest(&times, here, days);
    if used >= contacts as usize {
        return Some(Full { verdict: Verdict::Capped, figures: figures(used), winner: None });
    }
    for (terms, at) in winners {
        times.push(at);
        let used = busiest(&times, here, days);
        if used >= contacts as usize {
            return Some(Full { verdict: Verdict::Lost, figures: figures(used), winner: Some(terms) });
        }
    }
    None
}

impl From<Cap> for Window {
    fn from(cap: Cap) -> Self {
        Self::RollingDays(cap.days)
    }
}

/// The most contacts that any window of `days` days holds together with `at`: contacts planned for later count too.
fn busiest(times: &[i64], at: i64, days: u32) -> usize {
    let length = i64::from(days) * DAY_MS;
    let starts = times.iter().copied().chain([at]).filter(|s| *s <= at && at - s < length);
    starts.map(|start| times.iter().filter(|t| (start..start + length).contains(*t)).count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::busiest;
    use crate::time::DAY_MS;

    #[test]
    fn a_window_counts_what_lies_before_and_after() {
        let day = |d: i64| d * DAY_MS;
        assert_eq!(busiest(&[], day(10), 7), 0);
        assert_eq!(busiest(&[day(3)], day(10), 7), 0);
        assert_eq!(busiest(&[day(3) + 1], day(10), 7), 1);
        assert_eq!(busiest(&[day(16)], day(10), 7), 1);
        assert_eq!(busiest(&[day(17)], day(10), 7), 0);
        assert_eq!(busiest(&[day(5), day(13)], day(10), 7), 1);
        assert_eq!(busiest(&[day(7), day(12)], day(10), 7), 2);
    }
}
