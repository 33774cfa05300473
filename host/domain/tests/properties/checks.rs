//! The rules of caps and hours once more, written from domain.md and not from the code.

use crate::world::{MINUTE, NOW, Told, World};
use care_domain::contact::{Channel, ContactState};
use care_domain::manifest::Cap;
use care_domain::policy::{Class, Hours};
use care_domain::verdict::Verdict;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY: i64 = 24 * 60 * MINUTE;

/// A contact that disturbs or disturbed the customer.
struct Disturbance {
    activity: String,
    class: Class,
    at: i64,
    /// Whether this plan added it: caps bind what is added, whatever the past did.
    added: bool,
}

fn is_a_disturbance(channel: Channel) -> bool {
    [Channel::Sms, Channel::Email, Channel::CallList].contains(&channel)
}

fn disturbances(world: &World, told: &[Told]) -> Vec<Disturbance> {
    let in_vain = [ContactState::Failed, ContactState::Cancelled, ContactState::Withdrawn, ContactState::Expired];
    // Messages of one activity about one occasion in one round are one contact.
    let mut contacts = BTreeMap::new();
    for past in &world.past {
        if is_a_disturbance(past.channel) && !in_vain.contains(&past.state) {
            contacts.insert((&past.activity, past.occasion, past.round), past);
        }
    }
    let past = contacts.into_values().map(|p| (p.activity.clone(), p.class, p.planned_at, false));
    let cleared = told.iter().filter(|t| t.ruling.verdict == Verdict::Cleared).filter_map(|t| {
        let terms = world.terms_of(&t.campaign);
        let at = t.ruling.planned_at.filter(|_| t.ruling.channel().is_some_and(is_a_disturbance))?;
        Some((terms.activity.clone(), terms.class, at, true))
    });
    past.chain(cleared).map(|(activity, class, at, added)| Disturbance { activity, class, at, added }).collect()
}

/// No rolling window that holds a contact of this plan holds more contacts than a cap allows.
pub(crate) fn caps_hold(world: &World, told: &[Told]) -> Result<(), TestCaseError> {
    let all = disturbances(world, told);
    let shared: Vec<&Disturbance> = all.iter().filter(|d| d.class >= Class::Care).collect();
    cap_holds("global", &shared, world.policy.global_cap)?;
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

/// Whether nobody of the class may be reached on the channel at that time, by domain.md section 10.
fn forbidden(world: &World, class: Class, channel: Channel, at: i64) -> bool {
    let minute = minute_of_day(at, &world.zone);
    let quiet = is_a_disturbance(channel) && class >= Class::Service && within(world.policy.quiet, minute);
    let noon_or_night = !(8 * 60..22 * 60).contains(&minute) || (12 * 60..14 * 60).contains(&minute);
    quiet || (channel == Channel::CallList && class != Class::Disaster && noon_or_night)
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
