//! What holds for every customer, policy, past and set of rivals; checked by rules written anew, not by the code's own.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod checks;
mod evidence;
mod release;
mod world;

use care_domain::control::{is_control, is_global_control};
use care_domain::decide::Ruling;
use care_domain::policy::Class;
use care_domain::verdict::{Tally, Verdict};
use proptest::prelude::*;
use world::{Told, World, world};

/// Enough to meet every verdict many times; a run takes less than a second.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 1_024, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_order_of_proposals_terms_and_past_changes_nothing(world in world(), keys in any::<[u64; 3]>()) {
        let told = world.decide();
        let shuffled = world.shuffled(keys);
        prop_assert_eq!(told, shuffled.decide());
    }

    #[test]
    fn every_proposal_gets_exactly_one_ruling_and_the_totals_add_up(world in world()) {
        let told = world.decide();
        prop_assert_eq!(told.len(), world.proposals.len());
        let (left, right) = told.split_at(told.len() / 2);
        let mut tally = tally(left);
        tally.merge(&self::tally(right));
        prop_assert_eq!(&tally, &self::tally(&told));
        prop_assert_eq!(tally.candidates(), told.len() as u64);
        prop_assert_eq!(Verdict::ALL.iter().map(|v| tally.of(*v)).sum::<u64>(), told.len() as u64);
        let cleared = tally.of(Verdict::Cleared);
        prop_assert_eq!(tally.clone().cut(cleared + 1), None);
        prop_assert_eq!(tally.cut(cleared), Some(()));
        prop_assert_eq!((tally.of(Verdict::OverCapacity), tally.candidates()), (cleared, told.len() as u64));
    }

    #[test]
    fn no_window_ever_holds_more_than_a_cap_allows(world in world()) {
        checks::caps_hold(&world, &world.decide())?;
    }

    #[test]
    fn what_is_cleared_has_the_first_permitted_moment_within_its_use(world in world()) {
        checks::moments_are_permitted(&world, &world.decide())?;
    }

    #[test]
    fn a_ghost_uses_no_cap(world in world()) {
        let told = world.decide();
        let ghost = |told: &Told| {
            let terms = world.terms_of(&told.campaign);
            let policy = &world.policy;
            let one = is_control(&policy.control_salt, &terms.origin, world.key, policy.control_share);
            let all = is_global_control(&policy.control_salt, world.key, policy.global_control_share);
            terms.class > Class::Safety && (one || all)
        };
        let living: Vec<Told> = told.iter().filter(|t| !ghost(t)).cloned().collect();
        prop_assert!(told.iter().filter(|t| t.ruling.verdict == Verdict::Control).all(&ghost));
        prop_assert!(!told.iter().any(|t| t.ruling.verdict == Verdict::Cleared && ghost(t)));
        let mut without = world.clone();
        without.proposals.retain(|p| living.iter().any(|t| t.campaign == world.terms[p.terms].campaign));
        prop_assert_eq!(living, without.decide());
    }

    #[test]
    fn disaster_and_safety_are_never_held_out_for_comparison(world in world(), edited in any::<bool>()) {
        let mut world = world;
        if edited {
            world.policy.classes.values_mut().for_each(|rules| rules.control = true);
        }
        for told in world.decide() {
            let exempt = world.terms_of(&told.campaign).class <= Class::Safety;
            prop_assert!(!(exempt && told.ruling.verdict == Verdict::Control), "{}", told.campaign);
        }
    }

    #[test]
    fn rivals_make_nobody_do_worse_than_lose(world in world()) {
        let told = world.decide();
        for (i, told) in told.iter().enumerate() {
            let alone = World { proposals: vec![world.proposals_by_campaign()[i]], ..world.clone() }.decide().remove(0);
            if told.ruling.verdict == Verdict::Lost {
                prop_assert!(matches!(alone.ruling.verdict, Verdict::Cleared | Verdict::Control | Verdict::Capped));
            } else if told.ruling.channel() == alone.ruling.channel() {
                // Rivals may use up the cap of a fallback.
                prop_assert!(told.ruling.channels.iter().all(|c| alone.ruling.channels.contains(c)));
                let channels = alone.ruling.channels.clone();
                prop_assert_eq!(&Told { ruling: Ruling { channels, ..told.ruling.clone() }, ..told.clone() }, &alone);
            } else {
                // It goes another way, where rivals used up the cap of its channel.
                prop_assert!(world.policy.caps.iter().any(|cap| !cap.channels.is_empty()), "{}", told.campaign);
                prop_assert!(told.ruling.planned_at.is_some() && alone.ruling.planned_at.is_some());
            }
        }
    }

    #[test]
    fn a_loser_learns_of_a_winner_who_came_before_it(world in world()) {
        let told = world.decide();
        for loser in &told {
            prop_assert_eq!(loser.winner.is_some(), loser.ruling.verdict == Verdict::Lost);
            let Some(winner) = &loser.winner else { continue };
            let won = told.iter().find(|t| t.campaign == *winner);
            prop_assert_eq!(won.map(|t| t.ruling.verdict), Some(Verdict::Cleared));
            prop_assert!(world.standing(winner) <= world.standing(&loser.campaign), "{winner} {}", loser.campaign);
        }
    }
}

fn tally(told: &[Told]) -> Tally {
    let mut tally = Tally::default();
    told.iter().for_each(|t| tally.add(t.ruling.verdict));
    tally
}

/// The worlds drawn above must not be trivial ones: every verdict of policy and arbitration turns up.
#[test]
fn the_worlds_drawn_meet_every_verdict() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut met = Tally::default();
    for _ in 0..2_000 {
        met.merge(&tally(&world().new_tree(&mut runner).expect("a world").current().decide()));
    }
    for verdict in Verdict::ALL {
        let elsewhere = matches!(verdict, Verdict::OverCapacity | Verdict::NothingToSay | Verdict::PluginFault);
        assert_eq!(met.of(verdict) < 50, elsewhere, "{} {met:?}", verdict.name());
    }
}
