//! Random worlds: a customer with a past, a policy, and campaigns that want to make contact.

use care_domain::caps::{CapRule, Window};
use care_domain::catalogue::CategorySet;
use care_domain::contact::{Channel, ContactState};
use care_domain::decide::{Customer, ListMark, Past, Proposal, Ruling, Terms, UNREACHABLE, Wishes, decide};
use care_domain::key::CustomerKey;
use care_domain::manifest::Cap;
use care_domain::policy::{AccountManaged, Class, Hours, Policy};
use care_domain::time;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::cmp::Reverse;

pub(crate) const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// 2026-03-07T15:00:00Z: near enough to a change of clocks in New York.
pub(crate) const NOW: i64 = 1_772_895_600_000;
const ACTIVITIES: usize = 5;

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) key: CustomerKey,
    pub(crate) region: &'static str,
    pub(crate) visited: &'static str,
    pub(crate) tier: &'static str,
    pub(crate) list: ListMark,
    pub(crate) open_complaint: bool,
    pub(crate) in_disaster_area: bool,
    pub(crate) zone: TimeZone,
    pub(crate) wishes: Wishes,
    pub(crate) past: Vec<Past>,
    pub(crate) policy: Policy,
    pub(crate) terms: Vec<Terms>,
    pub(crate) proposals: Vec<Proposal>,
}

/// A ruling under the names that stay when everything is shuffled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) campaign: String,
    pub(crate) winner: Option<String>,
    pub(crate) ruling: Ruling,
}

impl World {
    /// The rulings, by campaign.
    pub(crate) fn decide(&self) -> Vec<Told> {
        let customer = Customer {
            key: self.key,
            region: self.region,
            visited: self.visited,
            tier: self.tier,
            list: self.list,
            open_complaint: self.open_complaint,
            in_disaster_area: self.in_disaster_area,
            lists: &[],
            zone: &self.zone,
            wishes: &self.wishes,
            past: &self.past,
        };
        let name = |terms: usize| self.terms[terms].campaign.clone();
        let rulings = decide(&customer, &self.proposals, &self.terms, &self.policy, NOW);
        let told = self.proposals.iter().zip(rulings).map(|(proposal, ruling)| Told {
            campaign: name(proposal.terms),
            winner: ruling.winner.map(name),
            ruling: Ruling { winner: None, ..ruling },
        });
        let mut told: Vec<Told> = told.collect();
        told.sort_by(|a, b| a.campaign.cmp(&b.campaign));
        told
    }

    pub(crate) fn proposals_by_campaign(&self) -> Vec<Proposal> {
        let mut proposals = self.proposals.clone();
        proposals.sort_by(|a, b| self.terms[a.terms].campaign.cmp(&self.terms[b.terms].campaign));
        proposals
    }

    pub(crate) fn terms_of(&self, campaign: &str) -> &Terms {
        self.terms.iter().find(|t| t.campaign == campaign).expect("a campaign of this world")
    }

    pub(crate) fn proposal_of(&self, campaign: &str) -> &Proposal {
        self.proposals.iter().find(|p| self.terms[p.terms].campaign == campaign).expect("a proposal of this world")
    }

    /// Where a campaign stands in the queue but for the hash that breaks ties; less is earlier.
    pub(crate) fn standing(&self, campaign: &str) -> (Class, Reverse<u16>, Reverse<u32>) {
        let terms = self.terms_of(campaign);
        // Scores are not negative, so their bits are in order.
        (terms.class, Reverse(terms.weight), Reverse(self.proposal_of(campaign).score.to_bits()))
    }

    /// The same world with its terms, proposals and past in another order.
    pub(crate) fn shuffled(&self, keys: [u64; 3]) -> Self {
        let order = shuffle((0..self.terms.len()).collect(), keys[0]);
        let place = |old: usize| order.iter().position(|i| *i == old).expect("a place");
        let moved = self.proposals.iter().map(|p| Proposal { terms: place(p.terms), ..*p }).collect();
        Self {
            terms: order.iter().map(|i| self.terms[*i].clone()).collect(),
            proposals: shuffle(moved, keys[1]),
            past: shuffle(self.past.clone(), keys[2]),
            ..self.clone()
        }
    }
}

fn shuffle<T>(mut items: Vec<T>, mut key: u64) -> Vec<T> {
    for last in (1..items.len()).rev() {
        key = key.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (key >> 33) as usize % (last + 1));
    }
    items
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let activities = prop::collection::vec(activity(), ACTIVITIES);
    let campaigns = prop::collection::vec((0..ACTIVITIES, wish()), 0..8);
    let past = prop::collection::vec(contact(), 0..6);
    (customer(), policy(), activities, campaigns, past).prop_map(|(customer, policy, activities, campaigns, past)| {
        let named = |(i, (activity, _)): (usize, &(usize, Proposal))| Terms {
            campaign: format!("campaign-{i}"),
            activity: format!("activity-{activity}"),
            origin: format!("origin-{activity}"),
            ..activities[*activity].clone()
        };
        let past = past.into_iter().enumerate().flat_map(|(i, (activity, occasion, messages, contact))| {
            let contact = Past {
                activity: format!("activity-{activity}"),
                class: activities[activity].class,
                categories: activities[activity].categories,
                // Some are about what is proposed again, the others differ from each other.
                occasion: if i == 0 { occasion } else { 100 + i as i64 },
                ..contact
            };
            messages.into_iter().map(move |channel| Past { channel, ..contact.clone() })
        });
        World {
            terms: campaigns.iter().enumerate().map(named).collect(),
            proposals: campaigns.iter().enumerate().map(|(terms, (_, wish))| Proposal { terms, ..*wish }).collect(),
            past: past.collect(),
            policy,
            ..customer
        }
    })
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.08)
}

fn customer() -> impl Strategy<Value = World> {
    let list = prop_oneof![8 => Just(ListMark::Ordinary), 1 => Just(ListMark::Red), 1 => Just(ListMark::Black)];
    let place = (select(vec!["350203", "350203", "350500", ""]), select(vec!["Asia/Shanghai", "America/New_York"]));
    let tier = select(vec!["gold", "silver", "none"]);
    (any::<[u8; 16]>(), place, tier, list, rarely(), rarely(), wishes()).prop_map(
        |(key, (region, zone), tier, list, open_complaint, in_disaster_area, wishes)| World {
            key: CustomerKey(key),
            region,
            visited: region,
            tier,
            list,
            open_complaint,
            in_disaster_area,
            zone: time::zone(zone).expect("a known zone"),
            wishes,
            past: Vec::new(),
            policy: Policy::default(),
            terms: Vec::new(),
            proposals: Vec::new(),
        },
    )
}

fn wishes() -> impl Strategy<Value = Wishes> {
    let consent = prop_oneof![6 => Just(Some(true)), 1 => Just(Some(false)), 1 => Just(None)];
    let classes = prop_oneof![6 => Just(vec![]), 1 => subsequence(Class::ALL.to_vec(), 1..3)];
    (
        consent,
        rarely(),
        classes,
        prop::option::weighted(0.1, 0..ACTIVITIES),
        prop::option::weighted(0.08, Just("deceased")),
    )
        .prop_map(|(commercial, refuses_all, refused_classes, activity, suppressed)| Wishes {
            complaint: None,
            commercial,
            refuses_all,
            refused_classes,
            refused_activities: activity.iter().map(|a| format!("activity-{a}")).collect(),
            suppressed: suppressed.map(Into::into),
        })
}

fn policy() -> impl Strategy<Value = Policy> {
    let quiet = select(vec![(21 * 60, 8 * 60), (21 * 60, 8 * 60), (0, 0), (12 * 60, 24 * 60), (23 * 60 + 30, 0)]);
    let rules = prop::collection::vec(cap_rule(), 0..4);
    let managed = prop_oneof![3 => Just(vec![]), 1 => Just(vec!["gold".to_owned()])];
    let control = (select(vec![0, 5_000, 5_000, 10_000]), select(vec![0, 0, 5_000]));
    (cap(), quiet, control, rules, managed).prop_map(
        |(global_cap, (from_minute, to_minute), (control_share, global_control_share), caps, tiers)| Policy {
            global_cap,
            quiet: Hours { from_minute, to_minute },
            control_share,
            global_control_share,
            caps: caps.into_iter().enumerate().map(|(i, cap)| CapRule { name: format!("cap-{i}"), ..cap }).collect(),
            account_manager: AccountManaged { tiers, classes: vec![Class::Care, Class::Commercial] },
            ..Policy::default()
        },
    )
}

fn cap_rule() -> impl Strategy<Value = CapRule> {
    let window = prop_oneof![(1u32..10).prop_map(Window::RollingDays), (1u32..4).prop_map(Window::CalendarDays)];
    let classes = prop_oneof![2 => Just(vec![]), 1 => subsequence(Class::ALL.to_vec(), 1..4)];
    let disturbing: Vec<Channel> = Channel::ALL.into_iter().filter(|c| c.disturbs()).collect();
    let channels = prop_oneof![1 => Just(vec![]), 1 => subsequence(disturbing, 1..3)];
    let categories = prop_oneof![2 => Just(vec![]), 1 => Just(vec!["human-care".to_owned()])];
    let activities = prop_oneof![3 => Just(vec![]), 1 => Just(vec!["activity-0".to_owned(), "activity-1".to_owned()])];
    let tiers = prop_oneof![3 => Just(vec![]), 1 => Just(vec!["gold".to_owned()])];
    (1u32..3, window, classes, channels, categories, activities, tiers).prop_map(
        |(contacts, window, classes, channels, categories, activities, tiers)| CapRule {
            name: String::new(),
            contacts,
            window,
            classes,
            channels,
            categories,
            activities,
            tiers,
        },
    )
}

fn cap() -> impl Strategy<Value = Cap> {
    (select(vec![1, 1, 2, 3]), 1u32..10).prop_map(|(contacts, days)| Cap { contacts, days })
}

/// Terms without a name: all campaigns of an activity run on the same grant.
fn activity() -> impl Strategy<Value = Terms> {
    let channels = subsequence(Channel::ALL.to_vec(), 1..4).prop_shuffle();
    let class = prop_oneof![select(Class::ALL.to_vec()), Just(Class::Care), Just(Class::Service)];
    let regions = prop_oneof![4 => Just(vec![]), 1 => Just(vec!["350200".to_owned()])];
    let entry = select(vec!["birthday", "green-bill"]);
    (class, entry, select(vec![50, 100]), cap(), 1u8..4, regions, select(vec![10_000, 10_000, 5_000]), channels)
        .prop_map(|(class, entry, weight, cap, rounds, regions, share, channels)| Terms {
            campaign: String::new(),
            activity: String::new(),
            origin: String::new(),
            categories: CategorySet::of([entry]),
            class,
            weight,
            cap,
            rounds,
            regions,
            except: Vec::new(),
            areas: Vec::new(),
            lists: Vec::new(),
            share,
            channels: vec![channels],
        })
}

fn wish() -> impl Strategy<Value = Proposal> {
    let score = select(vec![0.0, 0.25, 0.5, 1.0]);
    (0i64..3, score, -48i64 * 60..200 * 60, 0i64..60 * 60).prop_map(|(occasion, score, from, lasts)| Proposal {
        terms: 0,
        reason: 0,
        occasion,
        score,
        not_before: NOW + from * MINUTE,
        not_after: NOW + (from + lasts) * MINUTE,
    })
}

/// Which activity made contact about what, with which messages, and the rest.
fn contact() -> impl Strategy<Value = (usize, i64, Vec<Channel>, Past)> {
    let messages = prop_oneof![4 => Just(vec![Channel::Sms]), 1 => subsequence(Channel::ALL.to_vec(), 1..4)];
    let state = prop_oneof![4 => Just(ContactState::Sent), 1 => select(ContactState::ALL.to_vec())];
    let outcome = prop::option::of(select(vec![UNREACHABLE, "safe"]));
    (0..ACTIVITIES, 0i64..3, messages, 1u8..4, -260i64..260, state, outcome).prop_map(
        |(activity, occasion, messages, round, hours, state, outcome)| {
            let past = Past {
                activity: String::new(),
                class: Class::Care,
                categories: CategorySet::default(),
                occasion: 0,
                round,
                channel: Channel::Sms,
                planned_at: NOW + hours * HOUR,
                state,
                outcome: outcome.map(Into::into),
            };
            (activity, occasion, messages, past)
        },
    )
}
