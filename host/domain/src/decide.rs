//! Decides all proposals about one customer: each is screened by policy, the rest compete (`arbitration`).
//! Looking at one customer at a time is what makes a plan independent of batches, buckets and workers.

use crate::arbitration::arbitrate;
use crate::catalogue::CategorySet;
use crate::contact::{Channel, ContactState};
use crate::control;
use crate::hours::{Closed, permitted};
use crate::key::CustomerKey;
use crate::manifest::Cap;
use crate::policy::{Class, ClassRules, ConsentRule, Policy};
use crate::region;
use crate::time;
use crate::verdict::Verdict;
use jiff::tz::TimeZone;

/// The terms on which a campaign takes part: what was granted, not what was asked for.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Campaign id.
    pub campaign: String,
    /// Activity name.
    pub activity: String,
    /// The name under which the activity was first uploaded: what control and canary hashes stand on.
    pub origin: String,
    /// Categories of the catalogue that the activity belongs to.
    pub categories: CategorySet,
    /// Granted class.
    pub class: Class,
    /// Granted weight.
    pub weight: u16,
    /// Granted cap of its own.
    pub cap: Cap,
    /// Attempts at an unreachable customer.
    pub rounds: u8,
    /// Approved regions; empty for the whole province and beyond.
    pub regions: Vec<String>,
    /// Customers whom a variant of the same activity has instead.
    pub except: Vec<Taken>,
    /// Areas in which a customer must stand, by administrative code; empty for anywhere.
    pub areas: Vec<String>,
    /// Named lists that the activity reads. Who is on one is meant wherever the network saw them last: rescuers, and
    /// customers whom the key-account department names (S1).
    pub lists: Vec<String>,
    /// Share of customers, in parts of 10,000.
    pub share: u16,
    /// Channels of each reason, in order of preference.
    pub channels: Vec<Vec<Channel>>,
}

/// Customers whom a variant takes from its base: those of a region, and of them its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Administrative code.
    pub region: String,
    /// Parts of 10,000.
    pub share: u16,
}

/// Marks of the red and black list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListMark {
    /// On neither.
    #[default]
    Ordinary,
    /// 红名单
    Red,
    /// 黑名单
    Black,
}

/// Whether the customer's own words or state forbid contacts.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Consent to commercial messages; `None` when nobody asked.
    pub commercial: Option<bool>,
    /// Refused altogether.
    pub refuses_all: bool,
    /// Refused classes.
    pub refused_classes: Vec<Class>,
    /// Refused activities, by name.
    pub refused_activities: Vec<String>,
    /// Whether a complaint is open, by events; `None` when none told of one.
    pub complaint: Option<bool>,
    /// Why everything but disaster response is suppressed: `deceased`, `possibly-missing` …
    pub suppressed: Option<String>,
}

/// An earlier contact with the customer, as of the task's high-water mark.
#[derive(Debug, Clone)]
pub struct Past {
    /// Activity name.
    pub activity: String,
    /// Its class then.
    pub class: Class,
    /// Categories of the catalogue that it belonged to then.
    pub categories: CategorySet,
    /// What it was about.
    pub occasion: i64,
    /// Attempt.
    pub round: u8,
    /// Channel.
    pub channel: Channel,
    /// When it was planned for.
    pub planned_at: i64,
    /// What became of it.
    pub state: ContactState,
    /// The last outcome that names this contact.
    pub outcome: Option<String>,
}

/// What policy must know of a customer.
#[derive(Debug, Clone)]
pub struct Customer<'a> {
    /// Who it is.
    pub key: CustomerKey,
    /// Home region; empty when unknown.
    pub region: &'a str,
    /// Where the customer is; empty when unknown.
    pub visited: &'a str,
    /// VIP tier; empty when unknown or none.
    pub tier: &'a str,
    /// Red or black list.
    pub list: ListMark,
    /// Has an open complaint.
    pub open_complaint: bool,
    /// Stands in an active disaster area.
    pub in_disaster_area: bool,
    /// Named lists that the customer is on, of those that somebody reads.
    pub lists: &'a [String],
    /// The customer's time zone.
    pub zone: &'a TimeZone,
    /// Consent and refusals.
    pub wishes: &'a Wishes,
    /// Earlier contacts, in any order.
    pub past: &'a [Past],
}

/// What a plugin proposed for the customer.
#[derive(Debug, Clone, Copy)]
pub struct Proposal {
    /// Index into the plan's terms.
    pub terms: usize,
    /// Index of the reason.
    pub reason: u16,
    /// What it is about.
    pub occasion: i64,
    /// 0 to 1.
    pub score: f32,
    /// Earliest useful instant.
    pub not_before: i64,
    /// Last useful instant.
    pub not_after: i64,
}

/// What was decided about a proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    /// The answer.
    pub verdict: Verdict,
    /// Stable code of the deciding rule.
    pub rule: &'static str,
    /// The figures it saw.
    pub figures: String,
    /// Attempt, from 1.
    pub round: u8,
    /// When, if it got that far.
    pub planned_at: Option<i64>,
    /// On which channels it may go out then, the chosen one first; empty if it did not get that far.
    pub channels: Vec<Channel>,
    /// The terms that won instead; with `lost` only.
    pub winner: Option<usize>,
}

/// A proposal that policy lets through to arbitration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timed {
    pub(crate) round: u8,
    /// How it may go out, the preferred way first; never empty. More than one only where caps speak of channels.
    pub(crate) ways: Vec<Way>,
}

/// A permitted moment with the channels on which it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) at: i64,
    /// The chosen one first, then those to which a message without a body for it may fall back. No fallback disturbs
    /// more than the chosen one.
    pub(crate) channels: Vec<Channel>,
}

impl Way {
    /// Whether it disturbs the customer.
    pub(crate) fn disturbs(&self) -> bool {
        self.channels.first().is_some_and(|channel| channel.disturbs())
    }
}

impl Ruling {
    /// The chosen channel, if it got that far.
    pub fn channel(&self) -> Option<Channel> {
        self.channels.first().copied()
    }

    /// Ended before it got a moment and a channel.
    pub fn stop(verdict: Verdict, rule: &'static str, figures: impl Into<String>) -> Self {
        Self { verdict, rule, figures: figures.into(), round: 1, planned_at: None, channels: Vec::new(), winner: None }
    }
}

/// Decides the proposals about one customer, at the plan's instant `now`; one ruling each, in their order.
pub fn decide(
    customer: &Customer<'_>,
    proposals: &[Proposal],
    terms: &[Terms],
    policy: &Policy,
    now: i64,
) -> Vec<Ruling> {
    let screened: Vec<Result<Timed, Ruling>> =
        proposals.iter().map(|p| screen(customer, p, &terms[p.terms], policy, now)).collect();
    arbitrate(customer, proposals, screened, terms, policy)
}

fn screen(who: &Customer<'_>, proposal: &Proposal, terms: &Terms, policy: &Policy, now: i64) -> Result<Timed, Ruling> {
    let rules = policy.rules(terms.class);
    in_scope(who, terms)?;
    not_suppressed(who, terms, rules)?;
    consents(who, terms, rules.consent)?;
    not_in_trouble(who, rules)?;
    let round = next_round(who, proposal, terms)?;
    ways(who, proposal, terms, policy, now)
        .map(|ways| Timed { round, ways })
        .map_err(|refusal| Ruling { round, ..refusal })
}

fn in_scope(who: &Customer<'_>, terms: &Terms) -> Result<(), Ruling> {
    if !terms.regions.is_empty() && !terms.regions.iter().any(|r| region::covers(r, who.region)) {
        let figures = format!("home {}, approved {}", who.region, terms.regions.join(" "));
        return Err(Ruling::stop(Verdict::OutOfRegion, "region", figures));
    }
    let has = |taken: &&Taken| {
        region::covers(&taken.region, who.region) && control::is_in_share(&terms.origin, who.key, taken.share)
    };
    if let Some(taken) = terms.except.iter().find(has) {
        let figures = format!("home {}, a variant has {}", who.region, taken.region);
        return Err(Ruling::stop(Verdict::OutOfRegion, "variant", figures));
    }
    let is_named = who.lists.iter().any(|list| terms.lists.contains(list));
    if !terms.areas.is_empty() && !is_named && !terms.areas.iter().any(|area| region::covers(area, who.visited)) {
        let figures = format!("stands in {}, activated for {}", who.visited, terms.areas.join(" "));
        return Err(Ruling::stop(Verdict::OutOfRegion, "area", figures));
    }
    if !control::is_in_share(&terms.origin, who.key, terms.share) {
        return Err(Ruling::stop(Verdict::OutOfRegion, "canary", format!("share {} of 10000", terms.share)));
    }
    Ok(())
}

fn not_suppressed(who: &Customer<'_>, terms: &Terms, rules: ClassRules) -> Result<(), Ruling> {
    if let (Some(why), true) = (&who.wishes.suppressed, terms.class != Class::Disaster) {
        return Err(Ruling::stop(Verdict::Suppressed, "suppression", why.clone()));
    }
    if who.list == ListMark::Black && rules.black_list {
        return Err(Ruling::stop(Verdict::Suppressed, "black-list", terms.class.name()));
    }
    Ok(())
}

fn consents(who: &Customer<'_>, terms: &Terms, rule: ConsentRule) -> Result<(), Ruling> {
    if let Some(figures) = refusal(who.wishes, terms.class, &terms.activity, rule) {
        return Err(Ruling::stop(Verdict::NoConsent, "refusal", figures));
    }
    if rule == ConsentRule::Needed && who.wishes.commercial != Some(true) {
        return Err(Ruling::stop(
            Verdict::NoConsent,
            "consent",
            if who.wishes.commercial.is_none() { "never given" } else { "not given" },
        ));
    }
    Ok(())
}

/// What of the customer's wishes refuses a contact, in words.
pub(crate) fn refusal(wishes: &Wishes, class: Class, activity: &str, rule: ConsentRule) -> Option<String> {
    if rule != ConsentRule::NotNeeded && wishes.refused_activities.iter().any(|refused| refused == activity) {
        return Some(format!("refused activity {activity}"));
    }
    if !rule.respects_refusal_of_all() {
        return None;
    }
    if wishes.refuses_all {
        return Some("refused everything".into());
    }
    wishes.refused_classes.contains(&class).then(|| format!("refused class {}", class.name()))
}

fn not_in_trouble(who: &Customer<'_>, rules: ClassRules) -> Result<(), Ruling> {
    if !rules.held_in_trouble {
        return Ok(());
    }
    if who.open_complaint {
        return Err(Ruling::stop(Verdict::Held, "open-complaint", ""));
    }
    if who.in_disaster_area {
        return Err(Ruling::stop(Verdict::Held, "disaster-area", ""));
    }
    Ok(())
}

/// Outcome of a call that asks for another round (S1: up to three).
pub const UNREACHABLE: &str = "unreachable";

/// Rule by which an activity contacts a customer once about an occasion.
pub const SAME_OCCASION: &str = "same-occasion";
/// Rule by which the unreachable are tried no more often than was granted.
pub const ROUNDS: &str = "rounds";

/// One occasion is contacted once, but an unreachable customer again, up to the granted rounds.
fn next_round(who: &Customer<'_>, proposal: &Proposal, terms: &Terms) -> Result<u8, Ruling> {
    let same = who.past.iter().filter(|p| p.activity == terms.activity && p.occasion == proposal.occasion);
    let Some(last) = same.clone().map(|p| p.round).max() else { return Ok(1) };
    let unreachable = same.filter(|p| p.round == last).any(|p| p.outcome.as_deref() == Some(UNREACHABLE));
    if unreachable && last < terms.rounds {
        return Ok(last + 1);
    }
    let rule = if unreachable { ROUNDS } else { SAME_OCCASION };
    let mut ruling =
        Ruling::stop(Verdict::Capped, rule, format!("round {last} of {} was planned before", terms.rounds));
    ruling.round = last;
    Err(ruling)
}

/// The first channel that policy permits, the first permitted instant on it, and the channels to which a message may
/// fall back at that very instant; then, where caps speak of channels, the same for the channels after it.
fn ways(who: &Customer<'_>, proposal: &Proposal, terms: &Terms, policy: &Policy, now: i64) -> Result<Vec<Way>, Ruling> {
    let rules = policy.rules(terms.class);
    let start = proposal.not_before.max(now);
    let managed = policy.account_manager.covers(who.tier, terms.class);
    let desk_only = who.list == ListMark::Red && rules.red_list_desk_only;
    let one_will_do = policy.caps.iter().all(|cap| cap.channels.is_empty());
    let channels = chain(terms, proposal.reason, managed);
    let mut refusal = Ruling::stop(Verdict::Suppressed, "no-channel", "");
    let mut ways = Vec::new();
    for (index, channel) in channels.iter().enumerate() {
        if desk_only && channel.disturbs() {
            refusal = Ruling::stop(Verdict::Suppressed, "red-list", channel.name());
            continue;
        }
        // What the account manager does not bring up in time is not sent in the mass instead.
        if managed && channel.is_mass() {
            continue;
        }
        match permitted(start, *channel, rules, policy, who.zone) {
            Ok(at) if at <= proposal.not_after => {
                let also = channels[index + 1..].iter().filter(|other| {
                    !(desk_only && other.disturbs())
                        && (channel.disturbs() || !other.disturbs())
                        && permitted(at, **other, rules, policy, who.zone) == Ok(at)
                });
                ways.push(Way { at, channels: [channel].into_iter().chain(also).copied().collect() });
                if one_will_do {
                    break;
                }
            }
            refused if ways.is_empty() => refusal = no_moment(refused, start, proposal.not_after),
            _ => {}
        }
    }
    if ways.is_empty() { Err(refusal) } else { Ok(ways) }
}

fn no_moment(earliest: Result<i64, Closed>, start: i64, not_after: i64) -> Ruling {
    match earliest {
        Ok(at) => {
            let rule = if at == start { "expired" } else { "quiet-hours" };
            let (at, end) = (time::write_instant(at), time::write_instant(not_after));
            Ruling::stop(Verdict::TooLate, rule, format!("earliest {at}, useless after {end}"))
        }
        Err(Closed::NoHour) => Ruling::stop(Verdict::TooLate, "quiet-hours", "no permitted hour"),
        Err(Closed::NoCalendar(year)) => Ruling::stop(Verdict::Held, "no-calendar", format!("no calendar for {year}")),
    }
}

/// The channels of a reason in order of preference. Whom an account manager looks after, the manager's list comes before
/// the mass channels; those stay for messages about the customer to somebody else.
fn chain(terms: &Terms, reason: u16, managed: bool) -> Vec<Channel> {
    let mut channels = terms.channels.get(usize::from(reason)).cloned().unwrap_or_default();
    if let Some(first) = channels.iter().position(|c| c.is_mass()).filter(|_| managed) {
        channels.insert(first, Channel::AccountManager);
    }
    channels
}
