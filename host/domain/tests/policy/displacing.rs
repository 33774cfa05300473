//! What an event's proposals do to contacts that wait.

use crate::support::{by_sms, earlier, nobody_held_out, person, proposal, ten};
use care_domain::contact::ContactState;
use care_domain::decide::{Customer, Past, Terms};
use care_domain::displace::{Displaced, Outcome, Waiting, decide_event};
use care_domain::policy::{Class, Policy};
use care_domain::time::DAY_MS;
use care_domain::verdict::Verdict;

/// A contact of that class which waits for noon, as the past's entry `index`.
fn waits(class: Class, index: usize) -> (Past, Waiting) {
    let terms = by_sms(class);
    let past = Past { state: ContactState::Released, ..earlier(&terms, 40 + index as i64, ten() + 7_200_000) };
    let waiting = Waiting { campaign: terms.campaign, class, weight: 100, score: 0.5, past: vec![index] };
    (past, waiting)
}

fn decided(waiting: &[(Past, Waiting)], more: Vec<Past>, terms: &[Terms], policy: &Policy) -> Outcome {
    let who = person();
    let past: Vec<Past> = waiting.iter().map(|(past, _)| past.clone()).chain(more).collect();
    let waiting: Vec<Waiting> = waiting.iter().map(|(_, waiting)| waiting.clone()).collect();
    let customer = Customer {
        key: who.key,
        region: who.region,
        visited: who.visited,
        tier: who.tier,
        list: who.list,
        open_complaint: false,
        in_disaster_area: false,
        lists: &[],
        zone: &who.zone,
        wishes: &who.wishes,
        past: &past,
    };
    let proposals: Vec<_> = (0..terms.len()).map(proposal).collect();
    decide_event(&customer, &waiting, &proposals, terms, policy, ten())
}

#[test]
fn a_higher_class_displaces_what_waits_and_an_equal_or_lower_one_loses() {
    let policy = nobody_held_out();
    for (event, waits_for, verdict, displaces) in [
        (Class::Care, Class::Commercial, Verdict::Cleared, true),
        (Class::Care, Class::Care, Verdict::Lost, false),
        (Class::Commercial, Class::Care, Verdict::Lost, false),
        // No cap is shared with these: nobody is in the way.
        (Class::Service, Class::Care, Verdict::Cleared, false),
        (Class::Care, Class::Service, Verdict::Cleared, false),
    ] {
        let mut terms = by_sms(event);
        terms.activity = "told-by-an-event".into();
        let outcome = decided(&[waits(waits_for, 0)], Vec::new(), &[terms], &policy);
        assert_eq!(outcome.rulings[0].verdict, verdict, "{event:?} {waits_for:?}");
        let expected = if displaces { vec![Displaced { waiting: 0, by: 0 }] } else { Vec::new() };
        assert_eq!(outcome.displaced, expected, "{event:?} {waits_for:?}");
        assert_eq!(outcome.lost_to[0].is_some(), verdict == Verdict::Lost);
    }
}

#[test]
fn what_was_sent_before_caps_it_and_nothing_that_waits_is_given_up_in_vain() {
    let sent = earlier(&by_sms(Class::Care), 7, ten() - DAY_MS);
    let mut terms = by_sms(Class::Care);
    terms.activity = "told-by-an-event".into();
    let outcome = decided(&[waits(Class::Commercial, 0)], vec![sent], &[terms], &nobody_held_out());
    assert_eq!((outcome.rulings[0].verdict, outcome.rulings[0].rule), (Verdict::Capped, "global-cap"));
    assert_eq!((outcome.displaced, outcome.lost_to), (Vec::new(), vec![None]));
}

#[test]
fn the_fewest_and_least_important_give_way() {
    let mut policy = nobody_held_out();
    policy.global_cap.contacts = 2;
    let (past, mut important) = waits(Class::Commercial, 0);
    important.weight = 900;
    let mut terms = by_sms(Class::Care);
    terms.activity = "told-by-an-event".into();
    let outcome = decided(&[(past, important), waits(Class::Commercial, 1)], Vec::new(), &[terms], &policy);
    assert_eq!(outcome.displaced, [Displaced { waiting: 1, by: 0 }]);
}

#[test]
fn a_ghost_wins_and_displaces_nobody() {
    let policy = Policy { control_share: 10_000, ..Policy::default() };
    let mut terms = by_sms(Class::Care);
    terms.activity = "told-by-an-event".into();
    let outcome = decided(&[waits(Class::Commercial, 0)], Vec::new(), &[terms], &policy);
    assert_eq!(outcome.rulings[0].verdict, Verdict::Control);
    assert_eq!(outcome.displaced, []);
}
