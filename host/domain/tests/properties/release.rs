//! Release: whom a limited capacity cuts.

use care_domain::contact::Channel;
use care_domain::plan::{Ranked, release};
use care_domain::policy::Class;
use proptest::prelude::*;
use proptest::sample::select;
use std::cmp::Reverse;
use std::collections::BTreeMap;

fn candidates() -> impl Strategy<Value = Vec<Ranked>> {
    let channel = || select(vec![Channel::Sms, Channel::CallList, Channel::Action]);
    let needs = prop::collection::btree_map(channel(), 1u64..4, 1..3);
    let one = (select(Class::ALL.to_vec()), select(vec![50u16, 100]), select(vec![0.0f32, 0.5, 1.0]), needs);
    prop::collection::vec(one, 0..30).prop_map(|all| {
        let ranked =
            |(i, (class, weight, score, needs))| Ranked { class, weight, score, candidate: format!("c{i}"), needs };
        all.into_iter().enumerate().map(ranked).collect()
    })
}

fn capacity() -> impl Strategy<Value = BTreeMap<Channel, u64>> {
    prop::collection::btree_map(select(vec![Channel::Sms, Channel::CallList]), 0u64..20, 0..3)
}

fn standing(of: &Ranked) -> (Class, Reverse<u16>, Reverse<u32>) {
    (of.class, Reverse(of.weight), Reverse(of.score.to_bits()))
}

fn used<'a>(channel: Channel, candidates: impl Iterator<Item = &'a Ranked>) -> u64 {
    candidates.filter_map(|c| c.needs.get(&channel)).sum()
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn release_keeps_within_capacity_and_cuts_only_behind_better_ones(all in candidates(), capacity in capacity()) {
        let released = release(&all, &capacity);
        prop_assert_eq!(released.len(), all.len());
        let out = || all.iter().zip(&released).filter(|(_, released)| **released).map(|(c, _)| c);
        for (channel, places) in &capacity {
            prop_assert!(used(*channel, out()) <= *places, "{}", channel.name());
        }
        for (cut, _) in all.iter().zip(&released).filter(|(_, released)| !**released) {
            let no_worse = || out().filter(|c| standing(c) <= standing(cut));
            let mut full = cut.needs.iter().filter_map(|(channel, n)| Some((channel, n, capacity.get(channel)?)));
            prop_assert!(full.any(|(channel, n, places)| used(*channel, no_worse()) + n > *places), "{}", cut.candidate);
        }
    }

    #[test]
    fn the_order_in_which_buckets_report_cuts_nobody_else(all in candidates(), capacity in capacity(), turn in 0usize..30) {
        let mut turned = all.clone();
        turned.reverse();
        turned.rotate_left(turn % all.len().max(1));
        let names = |candidates: &[Ranked]| {
            let released = release(candidates, &capacity);
            let kept = candidates.iter().zip(released).filter(|(_, r)| *r).map(|(c, _)| c.candidate.clone());
            let mut kept: Vec<String> = kept.collect();
            kept.sort();
            kept
        };
        prop_assert_eq!(names(&all), names(&turned));
    }
}
