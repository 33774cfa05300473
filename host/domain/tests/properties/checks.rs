//! The rules of caps and hours once more, written from domain.md and not from the code.

use crate::world::{MINUTE, NOW, Told, World};
use care_domain::caps::Window;
use care_domain::catalogue::CategorySet;
use care_domain::contact::{Channel, ContactState};
use care_domain::manifest::Cap;
use care_domain::policy::{Class, Hours};
use care_domain::verdict::Verdict;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY: i64 = 24 * 60 * MINUTE;

/// A contact that disturbs or disturbed the customer.
struct Disturbance {
    activity: String,
    class: Class,
    categories: CategorySet,
    /// Those on which it went, or is chosen to go.
    channels: Vec<Channel>,
    at: i64,
    /// Whether this plan added it: caps bind what is added, whatever the past did.
    added: bool,
}

fn is_a_disturbance(channel: Channel) -> bool {
    [Channel::Sms, Channel::Email, Channel::CallList, Channel::AccountManager].contains(&channel)
}

fn disturbances(world: &World, told: &[Told]) -> Vec<Disturbance> {
    let in_vain = [
        ContactState::Failed,
        ContactState::Cancelled,
        ContactState::Withdrawn,
        ContactState::Expired,
        // An event's contact of a higher class took its place before anything was said.
        ContactState::Lost,
    ];
    // Messages of one activity about one occasion in one round are one contact.
    let mut contacts: BTreeMap<_, Disturbance> = BTreeMap::new();
    for past in &world.past {
        if is_a_disturbance(past.channel) && !in_vain.contains(&past.state) {
            let identity = (&past.activity, past.occasion, past.round);
            let contact = contacts.entry(identity).or_insert_with(|| Disturbance {
                activity: past.activity.clone(),
                class: past.class,
                categories: past.categories,
                channels: Vec::new(),
                at: past.planned_at,
                added: false,
            });
            contact.channels.push(past.channel);
        }
    }
    let cleared = told.iter().filter(|t| t.ruling.verdict == Verdict::Cleared).filter_map(|t| {
        let terms = world.terms_of(&t.campaign);
        let channel = t.ruling.channel().filter(|channel| is_a_disturbance(*channel))?;
        Some(Disturbance {
            activity: terms.activity.clone(),
            class: terms.class,
            categories: terms.categories,
            channels: vec![channel],
            at: t.ruling.planned_at?,
            added: true,
        })
    });
    contacts.into_values().chain(cleared).collect()
}

/// No rolling window that holds a contact of this plan holds more contacts than a cap allows.
pub(crate) fn caps_hold(world: &World, told: &[Told]) -> Result<(), TestCaseError> {
    let all = disturbances(world, told);
    let shared: Vec<&Disturbance> = all.iter().filter(|d| d.class >= Class::Care).collect();
    cap_holds("global", &shared, world.policy.global_cap)?;
    for rule in world.policy.caps.iter().filter(|r| r.tiers.is_empty() || r.tiers.iter().any(|t| t == world.tier)) {
        let named = |d: &&Disturbance| {
            (if rule.classes.is_empty() { d.class >= Class::Care } else { rule.classes.contains(&d.class) })
                && (rule.channels.is_empty() || d.channels.iter().any(|c| rule.channels.contains(c)))
                && (rule.categories.is_empty() || rule.categories.iter().any(|c| d.categories.holds(c)))
                && (rule.activities.is_empty() || rule.activities.contains(&d.activity))
        };
        let counted: Vec<&Disturbance> = all.iter().filter(named).collect();
        match rule.window {
            Window::RollingDays(days) => cap_holds(&rule.name, &counted, Cap { contacts: rule.contacts, days })?,
            Window::CalendarDays(days) => calendar_holds(&rule.name, &counted, rule.contacts, days, &world.zone)?,
        }
    }
    for terms in world.terms.iter().filter(|t| t.class >= Class::Service) {
        let own: Vec<&Disturbance> = all.iter().filter(|d| d.activity == terms.activity).collect();
        cap_holds(&terms.activity, &own, terms.cap)?;
    }
    Ok(())
}

fn cap_holds(name: &str, contacts: &[&Disturbance], cap: Cap) -> Result<(), TestCaseError> {
    // A fullest window can be moved until it ends with a contact.
    for last in contacts {
        let window: Vec<_> =
            contacts.iter().filter(|d| d.at <= last.at && last.at < d.at + i64::from(cap.days) * DAY).collect();
        let allowed = window.len() <= cap.contacts as usize || !window.iter().any(|d| d.added);
        prop_assert!(allowed, "{name}: {} contacts where {cap:?} holds", window.len());
    }
    Ok(())
}

/// No run of so many dates on the customer's own calendar that holds a contact of this plan holds more than allowed.
fn calendar_holds(
    name: &str,
    contacts: &[&Disturbance],
    allowed: u32,
    days: u32,
    zone: &TimeZone,
) -> Result<(), TestCaseError> {
    let date = |d: &Disturbance| Timestamp::from_millisecond(d.at).expect("an instant").to_zoned(zone.clone()).date();
    for first in contacts.iter().map(|d| date(d)) {
        let end = first.checked_add(Span::new().days(days)).expect("a date");
        let run: Vec<_> = contacts.iter().filter(|d| (first..end).contains(&date(d))).collect();
        let fits = run.len() <= allowed as usize || !run.iter().any(|d| d.added);
        prop_assert!(fits, "{name}: {} contacts in {days} days from {first}", run.len());
    }
    Ok(())
}

/// Whether nobody of the class may be reached on the channel at that time, by domain.md section 10.
fn forbidden(world: &World, class: Class, channel: Channel, at: i64) -> bool {
    let minute = minute_of_day(at, &world.zone);
    let quiet = is_a_disturbance(channel) && class >= Class::Service && within(world.policy.quiet, minute);
    let noon_or_night = !(8 * 60..22 * 60).contains(&minute) || (12 * 60..14 * 60).contains(&minute);
    quiet
        || ([Channel::CallList, Channel::AccountManager].contains(&channel)
            && class != Class::Disaster
            && noon_or_night)
}

fn minute_of_day(at: i64, zone: &TimeZone) -> i64 {
    let clock = Timestamp::from_millisecond(at).expect("an instant").to_zoned(zone.clone());
    i64::from(clock.hour()) * 60 + i64::from(clock.minute())
}

/// Counts minutes round the clock, from the window's start.
fn within(window: Hours, minute: i64) -> bool {
    let since = |minute: i64| (minute - i64::from(window.from_minute)).rem_euclid(24 * 60);
    since(minute) < since(i64::from(window.to_minute))
}

/// What is planned lies between now and its last useful instant, and no earlier minute was permitted.
pub(crate) fn moments_are_permitted(world: &World, told: &[Told]) -> Result<(), TestCaseError> {
    for told in told.iter().filter(|t| t.ruling.verdict == Verdict::Cleared) {
        let (terms, proposal) = (world.terms_of(&told.campaign), world.proposal_of(&told.campaign));
        let (Some(at), Some(channel)) = (told.ruling.planned_at, told.ruling.channel()) else {
            return Err(TestCaseError::fail("cleared without a moment or a channel"));
        };
        let start = NOW.max(proposal.not_before);
        prop_assert!((start..=proposal.not_after).contains(&at), "{}", told.campaign);
        prop_assert!(!forbidden(world, terms.class, channel, at), "{} at {}", told.campaign, at);
        let mut earlier = (start..at).step_by(MINUTE as usize);
        prop_assert!(earlier.all(|t| forbidden(world, terms.class, channel, t)), "{} waits in vain", told.campaign);
    }
    Ok(())
}
