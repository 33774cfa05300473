//! A customer, an activity and a morning to tell stories with.

use care_domain::catalogue::CategorySet;
use care_domain::contact::{Channel, ContactState};
use care_domain::decide::{Customer, ListMark, Past, Proposal, Ruling, Terms, Wishes, decide};
use care_domain::key::CustomerKey;
use care_domain::manifest::Cap;
use care_domain::policy::{Class, Policy};
use care_domain::time::{self, DAY_MS, PROVINCE_ZONE};
use jiff::tz::TimeZone;

/// A customer of whom nothing is known but that ten in the morning is a good time.
pub(crate) struct Person {
    pub(crate) key: CustomerKey,
    pub(crate) region: &'static str,
    pub(crate) visited: &'static str,
    pub(crate) tier: &'static str,
    pub(crate) list: ListMark,
    pub(crate) open_complaint: bool,
    pub(crate) in_disaster_area: bool,
    pub(crate) zone: TimeZone,
    pub(crate) wishes: Wishes,
    pub(crate) lists: Vec<String>,
    pub(crate) past: Vec<Past>,
}

pub(crate) fn person() -> Person {
    Person {
        key: CustomerKey([7; 16]),
        region: "350203",
        visited: "350203",
        tier: "none",
        list: ListMark::Ordinary,
        open_complaint: false,
        in_disaster_area: false,
        zone: zone(PROVINCE_ZONE),
        wishes: Wishes { commercial: Some(true), ..Wishes::default() },
        lists: Vec::new(),
        past: Vec::new(),
    }
}

impl Person {
    pub(crate) fn rule_with(&self, policy: &Policy, proposals: &[Proposal], terms: &[Terms], now: i64) -> Vec<Ruling> {
        let customer = Customer {
            key: self.key,
            region: self.region,
            visited: self.visited,
            tier: self.tier,
            list: self.list,
            open_complaint: self.open_complaint,
            in_disaster_area: self.in_disaster_area,
            lists: &self.lists,
            zone: &self.zone,
            wishes: &self.wishes,
            past: &self.past,
        };
        decide(&customer, proposals, terms, policy, now)
    }

    /// The ruling about one proposal, at ten in the morning.
    pub(crate) fn rule(&self, terms: &Terms) -> Ruling {
        only(self.rule_with(&nobody_held_out(), &[proposal(0)], std::slice::from_ref(terms), ten()))
    }

    /// The rulings about one proposal for each of the terms.
    pub(crate) fn rule_all(&self, terms: &[Terms]) -> Vec<Ruling> {
        let proposals: Vec<Proposal> = (0..terms.len()).map(proposal).collect();
        self.rule_with(&nobody_held_out(), &proposals, terms, ten())
    }

    /// What becomes of a proposal that is useful from one local time to another.
    pub(crate) fn timed(&self, terms: &Terms, from: &str, until: &str) -> Ruling {
        let (from, until) = (instant(from, &self.zone), instant(until, &self.zone));
        let proposal = Proposal { not_before: from, not_after: until, ..proposal(0) };
        only(self.rule_with(&nobody_held_out(), &[proposal], std::slice::from_ref(terms), from))
    }
}

pub(crate) fn only(mut rulings: Vec<Ruling>) -> Ruling {
    assert_eq!(rulings.len(), 1);
    rulings.remove(0)
}

pub(crate) fn nobody_held_out() -> Policy {
    Policy { control_share: 0, ..Policy::default() }
}

pub(crate) fn zone(name: &str) -> TimeZone {
    time::zone(name).expect("a known zone")
}

pub(crate) fn instant(local: &str, zone: &TimeZone) -> i64 {
    let civil: jiff::civil::DateTime = local.parse().expect("a local time");
    civil.to_zoned(zone.clone()).expect("an instant").timestamp().as_millisecond()
}

/// Ten in the morning in the province.
pub(crate) fn ten() -> i64 {
    instant("2026-07-29T10:00", &zone(PROVINCE_ZONE))
}

pub(crate) fn terms(activity: &str, class: Class, channels: &[Channel]) -> Terms {
    Terms {
        campaign: format!("{activity}-2026"),
        activity: activity.into(),
        origin: format!("origin of {activity}"),
        categories: CategorySet::default(),
        class,
        weight: 100,
        cap: Cap { contacts: 9, days: 30 },
        rounds: 1,
        regions: Vec::new(),
        except: Vec::new(),
        areas: Vec::new(),
        lists: Vec::new(),
        share: 10_000,
        channels: vec![channels.to_vec()],
    }
}

pub(crate) fn by_sms(class: Class) -> Terms {
    terms(&format!("some-{}", class.name()), class, &[Channel::Sms])
}

pub(crate) fn by_call(class: Class) -> Terms {
    terms(&format!("some-{}", class.name()), class, &[Channel::CallList])
}

pub(crate) fn proposal(terms: usize) -> Proposal {
    Proposal { terms, reason: 0, occasion: 1, score: 0.5, not_before: 0, not_after: ten() + 2 * DAY_MS }
}

pub(crate) fn earlier(terms: &Terms, occasion: i64, planned_at: i64) -> Past {
    Past {
        activity: terms.activity.clone(),
        class: terms.class,
        categories: terms.categories,
        occasion,
        round: 1,
        channel: Channel::Sms,
        planned_at,
        state: ContactState::Sent,
        outcome: None,
    }
}
