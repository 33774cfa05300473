//! Release: whom a limited capacity or budget cuts.

use care_domain::contact::Channel;
use care_domain::key::CustomerKey;
use care_domain::plan::{Cut, Limits, Needs, Ranked, release};
use care_domain::policy::Class;
use proptest::prelude::*;
use proptest::sample::select;
use std::cmp::Reverse;
use std::collections::BTreeMap;

fn candidates() -> impl Strategy<Value = Vec<Ranked>> {
    let channel = || select(vec![Channel::Sms, Channel::CallList, Channel::Action]);
    let needs = prop::collection::btree_map(channel(), 1u16..4, 1..3);
    let price = (select(vec!["paid", "free"]), 0u64..30);
    let standing = (select(Class::ALL.to_vec()), select(vec![0u8, 255]), select(vec![50u16, 100]));
    let one = (standing, select(vec![0.0f32, 0.5, 1.0]), needs, price);
    prop::collection::vec(one, 0..30).prop_map(|all| {
        let ranked =
            |(i, ((class, tier, weight), score, needs, (approval, cost_fen))): (usize, (_, _, _, (&str, _)))| {
                let mut all = Needs::default();
                BTreeMap::into_iter(needs).for_each(|(channel, messages)| all.add(channel, messages));
                let tie = Ranked::tie("c", CustomerKey([0; 16]), i as i64, 1);
                Ranked { class, tier, weight, score, tie, needs: all, approval: approval.into(), cost_fen }
            };
        all.into_iter().enumerate().map(ranked).collect()
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let capacity = prop::collection::btree_map(select(vec![Channel::Sms, Channel::CallList]), 0u64..20, 0..3);
    (capacity, prop::option::of(0u64..100)).prop_map(|(capacity, budget)| Limits {
        capacity,
        budgets: budget.map(|fen| BTreeMap::from([("paid".to_owned(), fen)])).unwrap_or_default(),
    })
}

fn standing(of: &Ranked) -> (Class, u8, Reverse<u16>, Reverse<u32>) {
    (of.class, of.tier, Reverse(of.weight), Reverse(of.score.to_bits()))
}

fn used<'a>(channel: Channel, candidates: impl Iterator<Item = &'a Ranked>) -> u64 {
    candidates.flat_map(|c| c.needs.iter()).filter(|(on, _)| *on == channel).map(|(_, n)| n).sum()
}

fn spent<'a>(approval: &str, candidates: impl Iterator<Item = &'a Ranked>) -> u64 {
    candidates.filter(|c| &*c.approval == approval).map(|c| c.cost_fen).sum()
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn release_keeps_within_limits_and_cuts_only_behind_better_ones(all in candidates(), limits in limits()) {
        let cuts = release(&all, &limits);
        prop_assert_eq!(cuts.len(), all.len());
        let out = || all.iter().zip(&cuts).filter(|(_, cut)| cut.is_none()).map(|(c, _)| c);
        for (channel, places) in &limits.capacity {
            prop_assert!(used(*channel, out()) <= *places, "{}", channel.name());
        }
        for (approval, fen) in &limits.budgets {
            prop_assert!(spent(approval, out()) <= *fen);
        }
        for (candidate, cut) in all.iter().zip(&cuts).filter_map(|(c, cut)| Some((c, (*cut)?))) {
            let no_worse = || out().filter(|c| standing(c) <= standing(candidate));
            let full = |(channel, n): (Channel, u64)| {
                limits.capacity.get(&channel).is_some_and(|places| used(channel, no_worse()) + n > *places)
            };
            let bound = match cut {
                Cut::Capacity => candidate.needs.iter().any(full),
                Cut::Budget => {
                    let left = limits.budgets.get(&*candidate.approval);
                    left.is_some_and(|fen| spent(&candidate.approval, no_worse()) + candidate.cost_fen > *fen)
                }
            };
            prop_assert!(bound, "{candidate:?}");
        }
    }

    #[test]
    fn the_order_in_which_buckets_report_cuts_nobody_else(all in candidates(), limits in limits(), turn in 0usize..30) {
        let mut turned = all.clone();
        turned.reverse();
        turned.rotate_left(turn % all.len().max(1));
        let names = |candidates: &[Ranked]| {
            let cuts = release(candidates, &limits);
            let kept = candidates.iter().zip(cuts).filter(|(_, cut)| cut.is_none()).map(|(c, _)| c.tie);
            let mut kept: Vec<u64> = kept.collect();
            kept.sort();
            kept
        };
        prop_assert_eq!(names(&all), names(&turned));
    }
}
