//! Arbitration: the proposals that policy let through compete for the places that caps leave.
//! Order: class, weight, score, hash. Control is the last rule: a ghost wins or loses like everybody,
//! gets `control` if it wins, and uses no cap.

use crate::canonical::hash64;
use crate::caps::{self, Disturbance, Full, Kind};
use crate::contact::Channel;
use crate::control;
use crate::decide::{Customer, Proposal, Ruling, SAME_OCCASION, Terms, Timed, Way};
use crate::policy::Policy;
use crate::verdict::Verdict;
use std::cmp::Ordering;

/// What the proposals about one customer compete for, and what was given out so far.
struct Arena<'a> {
    who: &'a Customer<'a>,
    terms: &'a [Terms],
    policy: &'a Policy,
    /// Contacts that use places under caps: the past's, then those won in this plan.
    used: Vec<Disturbance<'a>>,
    /// Occasions won in this plan, by terms.
    won: Vec<(usize, i64)>,
}

pub(crate) fn arbitrate(
    who: &Customer<'_>,
    proposals: &[Proposal],
    screened: Vec<Result<Timed, Ruling>>,
    terms: &[Terms],
    policy: &Policy,
) -> Vec<Ruling> {
    let mut order: Vec<(usize, Timed)> =
        screened.iter().enumerate().filter_map(|(i, s)| s.as_ref().ok().map(|timed| (i, timed.clone()))).collect();
    order.sort_by(|(a, _), (b, _)| precedence(who, &proposals[*a], &proposals[*b], terms));
    let mut rulings: Vec<Option<Ruling>> = screened.into_iter().map(Result::err).collect();
    let mut arena = Arena { who, terms, policy, used: caps::disturbances(who.past), won: Vec::new() };
    for (index, timed) in order {
        let ruling = arena.compete(&proposals[index], timed);
        if ruling.verdict == Verdict::Cleared {
            arena.give(&proposals[index], &ruling);
        }
        rulings[index] = Some(ruling);
    }
    rulings.into_iter().flatten().collect()
}

/// Who goes first: a total order, so that the order of arrival never matters.
fn precedence(who: &Customer<'_>, a: &Proposal, b: &Proposal, terms: &[Terms]) -> Ordering {
    let (ta, tb) = (&terms[a.terms], &terms[b.terms]);
    let tie = |p: &Proposal, t: &Terms| {
        hash64(&[b"care-tie-1", t.campaign.as_bytes(), &who.key.0, &p.occasion.to_be_bytes()])
    };
    ta.class
        .cmp(&tb.class)
        .then(tb.weight.cmp(&ta.weight))
        .then(b.score.total_cmp(&a.score))
        .then_with(|| tie(a, ta).cmp(&tie(b, tb)))
        .then_with(|| ta.campaign.cmp(&tb.campaign))
}

impl<'a> Arena<'a> {
    fn compete(&self, proposal: &Proposal, timed: Timed) -> Ruling {
        let mine = &self.terms[proposal.terms];
        let Timed { round, ways } = timed;
        let (way, full) = self.choose(mine, ways);
        let full = self.twin(mine, proposal).or(full).or_else(|| {
            let at = way.disturbs().then_some(way.at)?;
            self.full(mine, at)
        });
        let (rule, Full { verdict, figures, winner }) = full.unwrap_or_else(|| self.won_or_ghost(mine));
        Ruling { verdict, rule, figures, round, planned_at: Some(way.at), channels: way.channels, winner }
    }

    /// The first way whose channel has a place under the caps that speak of channels; the preferred one, with the cap
    /// that is used up, where none has.
    fn choose(&self, mine: &Terms, ways: Vec<Way>) -> (Way, Option<(&'static str, Full)>) {
        let mut preferred: Option<(Way, Full)> = None;
        for way in ways {
            let chosen = way.channels.first().and_then(|channel| self.channel_full(mine, *channel, way.at));
            let Some(full) = chosen else {
                let open = way.channels.iter().copied().filter(|c| self.channel_full(mine, *c, way.at).is_none());
                return (Way { at: way.at, channels: open.collect() }, None);
            };
            preferred.get_or_insert((way, full));
        }
        match preferred {
            Some((way, full)) => (way, Some((POLICY_CAP, full))),
            // Policy lets nothing through without a way.
            None => (Way { at: 0, channels: Vec::new() }, None),
        }
    }

    /// Another campaign of the activity has the occasion.
    fn twin(&self, mine: &Terms, proposal: &Proposal) -> Option<(&'static str, Full)> {
        let same = |w: &&(usize, i64)| self.terms[w.0].activity == mine.activity && w.1 == proposal.occasion;
        let (terms, _) = self.won.iter().find(same)?;
        let figures = "another campaign has this occasion".into();
        Some((SAME_OCCASION, Full { verdict: Verdict::Lost, figures, winner: Some(*terms) }))
    }

    fn channel_full(&self, mine: &Terms, channel: Channel, at: i64) -> Option<Full> {
        self.policy_caps_full(mine, at, |cap| !cap.channels.is_empty() && cap.counts_on(channel) && channel.disturbs())
    }

    /// The first cap that leaves no place: the activity's own, the global one, then the policy's further ones.
    fn full(&self, mine: &Terms, at: i64) -> Option<(&'static str, Full)> {
        let rules = self.policy.rules(mine.class);
        let zone = self.who.zone;
        let own = || {
            let counting = self.used.iter().filter(|d| d.kind.activity == mine.activity);
            caps::full(mine.cap.contacts, mine.cap.into(), at, zone, counting)
        };
        let global = || {
            let cap = self.policy.global_cap;
            let counting = self.used.iter().filter(|d| self.policy.rules(d.kind.class).global_cap);
            caps::full(cap.contacts, cap.into(), at, zone, counting)
        };
        let own = rules.own_cap.then(own).flatten().map(|full| ("own-cap", full));
        own.or_else(|| rules.global_cap.then(global).flatten().map(|full| ("global-cap", full)))
            .or_else(|| self.policy_caps_full(mine, at, |cap| cap.channels.is_empty()).map(|full| (POLICY_CAP, full)))
    }

    fn policy_caps_full(&self, mine: &Terms, at: i64, speaks: impl Fn(&caps::CapRule) -> bool) -> Option<Full> {
        let mut held = self
            .policy
            .caps
            .iter()
            .filter(|cap| speaks(cap) && cap.holds_for(self.who.tier) && cap.counts(&kind_of(mine), self.policy));
        held.find_map(|cap| {
            let counting = self.used.iter().filter(|d| {
                cap.counts(&d.kind, self.policy) && d.channels.iter().any(|channel| cap.counts_on(*channel))
            });
            let full = caps::full(cap.contacts, cap.window, at, self.who.zone, counting)?;
            Some(Full { figures: format!("{}: {}", cap.name, full.figures), ..full })
        })
    }

    /// Nothing stands in its way: it is contacted, or held out for comparison.
    fn won_or_ghost(&self, mine: &Terms) -> (&'static str, Full) {
        let control = |rule, share: u16| {
            let figures = format!("{share} of 10000");
            (rule, Full { verdict: Verdict::Control, figures, winner: None })
        };
        let policy = self.policy;
        if policy.rules(mine.class).control {
            if control::is_global_control(&policy.control_salt, self.who.key, policy.global_control_share) {
                return control("global-control", policy.global_control_share);
            }
            if control::is_control(&policy.control_salt, &mine.origin, self.who.key, policy.control_share) {
                return control("control-group", policy.control_share);
            }
        }
        ("cleared", Full { verdict: Verdict::Cleared, figures: String::new(), winner: None })
    }

    /// Gives a place to a winner.
    fn give(&mut self, proposal: &Proposal, ruling: &Ruling) {
        self.won.push((proposal.terms, proposal.occasion));
        let channels: Vec<Channel> = ruling.channels.iter().copied().filter(|c| c.disturbs()).collect();
        // A fallback may disturb only where the chosen channel does.
        if let (Some(at), true) = (ruling.planned_at, ruling.channel().is_some_and(Channel::disturbs)) {
            let kind = kind_of(&self.terms[proposal.terms]);
            self.used.push(Disturbance { kind, channels, at, winner: Some(proposal.terms) });
        }
    }
}

/// Rule of a cap that the policy lists; its name leads the figures.
const POLICY_CAP: &str = "policy-cap";

fn kind_of(terms: &Terms) -> Kind<'_> {
    Kind { activity: &terms.activity, class: terms.class, categories: terms.categories }
}
