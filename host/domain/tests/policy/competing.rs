//! Who gets the places that caps leave: occasions, rounds, caps, rivals and ghosts.

use crate::support::{Person, by_call, by_sms, earlier, nobody_held_out, only, person, proposal, ten, terms};
use care_domain::contact::{Channel, ContactState};
use care_domain::control::is_control;
use care_domain::decide::{Past, Proposal, Ruling, Terms, UNREACHABLE};
use care_domain::key::CustomerKey;
use care_domain::manifest::Cap;
use care_domain::policy::{Class, Policy};
use care_domain::time::DAY_MS;
use care_domain::verdict::Verdict::{self, Capped, Cleared, Control, Lost, TooLate};

fn after(past: Vec<Past>) -> Person {
    Person { past, ..person() }
}

fn verdicts(rulings: &[Ruling]) -> Vec<(Verdict, Option<usize>)> {
    rulings.iter().map(|r| (r.verdict, r.winner)).collect()
}

#[test]
fn one_occasion_is_contacted_once() {
    let reminder = by_sms(Class::Service);
    let long_ago = ten() - 300 * DAY_MS;
    for state in ContactState::ALL {
        let person = after(vec![Past { state, ..earlier(&reminder, 1, long_ago) }]);
        let ruling = person.rule(&reminder);
        assert_eq!((ruling.verdict, ruling.rule), (Capped, "same-occasion"), "{}", state.name());
        let next = Terms { campaign: "the next one".into(), ..reminder.clone() };
        assert_eq!(person.rule(&next).verdict, Capped);
    }
    assert_eq!(after(vec![earlier(&reminder, 2, long_ago)]).rule(&reminder).verdict, Cleared);
    assert_eq!(after(vec![earlier(&by_sms(Class::Safety), 1, long_ago)]).rule(&reminder).verdict, Cleared);
}

#[test]
fn the_unreachable_are_tried_again_up_to_the_granted_rounds() {
    let calls = Terms { rounds: 3, ..by_call(Class::Disaster) };
    let tried = |round, outcome: Option<&str>| Past {
        round,
        channel: Channel::CallList,
        outcome: outcome.map(Into::into),
        ..earlier(&calls, 1, ten() - DAY_MS)
    };
    let gone = Some(UNREACHABLE);
    for (past, expected) in [
        (vec![], (Cleared, "cleared", 1)),
        (vec![tried(1, gone)], (Cleared, "cleared", 2)),
        (vec![tried(2, gone), tried(1, gone)], (Cleared, "cleared", 3)),
        (vec![tried(1, gone), tried(2, gone), tried(3, gone)], (Capped, "rounds", 3)),
        (vec![tried(1, Some("safe"))], (Capped, "same-occasion", 1)),
        (vec![tried(1, gone), tried(2, Some("safe"))], (Capped, "same-occasion", 2)),
        (vec![tried(1, None)], (Capped, "same-occasion", 1)),
    ] {
        let ruling = after(past).rule(&calls);
        assert_eq!((ruling.verdict, ruling.rule, ruling.round), expected);
    }
}

#[test]
fn a_second_round_that_comes_too_late_is_logged_as_the_second() {
    let calls = Terms { rounds: 3, ..by_call(Class::Service) };
    let tried = Past { outcome: Some(UNREACHABLE.into()), ..earlier(&calls, 1, ten() - DAY_MS) };
    let ruling = after(vec![tried]).timed(&calls, "2026-07-29T12:30", "2026-07-29T13:30");
    assert_eq!((ruling.verdict, ruling.round), (TooLate, 2));
}

#[test]
fn an_activity_keeps_its_own_cap() {
    let capped = |class| Terms { cap: Cap { contacts: 2, days: 30 }, ..by_sms(class) };
    for class in Class::ALL {
        let terms = capped(class);
        let earlier_on = |days: &[i64]| {
            let contacts = days.iter().enumerate().map(|(i, d)| earlier(&terms, 50 + i as i64, ten() - d * DAY_MS));
            // The global cap has nothing to do with this story.
            let policy = Policy { global_cap: Cap { contacts: 99, days: 1 }, ..nobody_held_out() };
            let person = after(contacts.collect());
            only(person.rule_with(&policy, &[proposal(0)], std::slice::from_ref(&terms), ten()))
        };
        let full = if class < Class::Service { (Cleared, "cleared") } else { (Capped, "own-cap") };
        for (days, expected) in [
            (&[29, 5][..], full),
            (&[30, 5], (Cleared, "cleared")),
            // One window of thirty days cannot hold all three, another holds two and the new one.
            (&[15, -16], (Cleared, "cleared")),
            (&[15, -14], full),
        ] {
            let ruling = earlier_on(days);
            assert_eq!((ruling.verdict, ruling.rule), expected, "{} {days:?}", class.name());
        }
    }
}

#[test]
fn care_and_offers_share_one_contact_in_seven_days() {
    let week = 7 * DAY_MS;
    let (birthday, offer) = (by_sms(Class::Care), by_sms(Class::Commercial));
    for (away, expected) in [(-week, Cleared), (1 - week, Capped), (0, Capped), (week - 1, Capped), (week, Cleared)] {
        let person = after(vec![earlier(&offer, 50, ten() + away)]);
        let ruling = person.rule(&birthday);
        assert_eq!(ruling.verdict, expected, "{away}");
        assert_eq!(ruling.rule == "global-cap", expected == Capped);
        for exempt in [Class::Disaster, Class::Safety, Class::Service] {
            assert_eq!(person.rule(&by_sms(exempt)).verdict, Cleared, "{}", exempt.name());
        }
    }
    for exempt in [Class::Disaster, Class::Safety, Class::Service] {
        let person = after(vec![earlier(&by_sms(exempt), 50, ten())]);
        assert_eq!(person.rule(&birthday).verdict, Cleared, "{} does not count", exempt.name());
    }
}

#[test]
fn what_never_reached_the_customer_uses_no_cap() {
    use ContactState::{Planned, Released, Sending, Sent, Unknown};
    for state in ContactState::ALL {
        let person = after(vec![Past { state, ..earlier(&by_sms(Class::Commercial), 50, ten()) }]);
        let counts = matches!(state, Planned | Released | Sending | Sent | Unknown);
        assert_eq!(person.rule(&by_sms(Class::Care)).verdict == Capped, counts, "{}", state.name());
    }
}

#[test]
fn a_prompt_at_the_desk_uses_no_cap_and_needs_none() {
    let offer = by_sms(Class::Commercial);
    for (channel, expected) in [
        (Channel::Sms, Capped),
        (Channel::Email, Capped),
        (Channel::CallList, Capped),
        (Channel::Touchpoint, Cleared),
        (Channel::Action, Cleared),
    ] {
        let person = after(vec![Past { channel, ..earlier(&offer, 50, ten()) }]);
        assert_eq!(person.rule(&by_sms(Class::Care)).verdict, expected, "{}", channel.name());
    }
    let person = after(vec![earlier(&offer, 50, ten())]);
    assert_eq!(person.rule(&terms("prompt", Class::Care, &[Channel::Touchpoint])).verdict, Cleared);
}

#[test]
fn one_contact_of_many_messages_uses_one_place() {
    let policy = Policy { global_cap: Cap { contacts: 2, days: 7 }, ..nobody_held_out() };
    let offer = by_sms(Class::Commercial);
    let message = |channel| Past { channel, ..earlier(&offer, 50, ten()) };
    let mut person = after(vec![message(Channel::Sms), message(Channel::Email), message(Channel::CallList)]);
    let care = by_sms(Class::Care);
    let rule = |person: &Person| only(person.rule_with(&policy, &[proposal(0)], std::slice::from_ref(&care), ten()));
    assert_eq!(rule(&person).verdict, Cleared);
    person.past.push(Past { round: 2, ..message(Channel::CallList) });
    let ruling = rule(&person);
    assert_eq!((ruling.verdict, ruling.figures.as_str()), (Capped, "2 of 2 in 7 days"));
}

#[test]
fn the_last_place_goes_by_class_then_weight_then_score_and_losers_learn_who_won() {
    let care = by_sms(Class::Care);
    let heavy = Terms { activity: "heavy".into(), weight: 101, ..care.clone() };
    let offer = Terms { weight: 1_000, ..by_sms(Class::Commercial) };
    let rulings = person().rule_all(&[offer, care.clone(), heavy]);
    assert_eq!(verdicts(&rulings), [(Lost, Some(2)), (Lost, Some(2)), (Cleared, None)]);
    assert!(rulings.iter().take(2).all(|r| r.rule == "global-cap" && r.figures == "1 of 1 in 7 days"));
    let needier = Terms { activity: "needier".into(), campaign: "needier".into(), ..care.clone() };
    let proposals = [proposal(0), Proposal { score: 0.51, ..proposal(1) }];
    let rulings = person().rule_with(&nobody_held_out(), &proposals, &[care, needier], ten());
    assert_eq!(verdicts(&rulings), [(Lost, Some(1)), (Cleared, None)]);
}

#[test]
fn ties_are_drawn_anew_for_every_customer() {
    let rivals = [terms("left", Class::Care, &[Channel::Sms]), terms("right", Class::Care, &[Channel::Sms])];
    let wins = (0..200u8).filter(|i| {
        let person = Person { key: CustomerKey([*i; 16]), ..person() };
        person.rule_all(&rivals)[0].verdict == Cleared
    });
    let wins = wins.count();
    assert!((70..130).contains(&wins), "{wins}");
}

#[test]
fn who_finds_the_place_taken_by_the_past_was_capped_and_did_not_lose() {
    let care = by_sms(Class::Care);
    let rulings = after(vec![earlier(&care, 50, ten() - DAY_MS)]).rule_all(&[by_sms(Class::Commercial), care]);
    assert_eq!(verdicts(&rulings), [(Capped, None), (Capped, None)]);
}

#[test]
fn contacts_of_one_plan_do_not_compete_when_they_lie_a_window_apart() {
    let (care, offer) = (by_sms(Class::Care), by_sms(Class::Commercial));
    let later = |days| Proposal { not_before: ten() + days * DAY_MS, not_after: ten() + 9 * DAY_MS, ..proposal(1) };
    for (days, expected) in [(6, (Lost, Some(0))), (7, (Cleared, None))] {
        let rivals = [care.clone(), offer.clone()];
        let rulings = person().rule_with(&nobody_held_out(), &[proposal(0), later(days)], &rivals, ten());
        assert_eq!(verdicts(&rulings), [(Cleared, None), expected], "{days}");
    }
}

#[test]
fn two_campaigns_of_one_activity_contact_an_occasion_once() {
    let first = Terms { weight: 200, ..by_sms(Class::Service) };
    let second = Terms { campaign: "second".into(), weight: 100, ..first.clone() };
    let rulings = person().rule_all(&[second, first]);
    assert_eq!(verdicts(&rulings), [(Lost, Some(1)), (Cleared, None)]);
    assert_eq!(rulings[0].rule, "same-occasion");
}

/// An origin whose control group holds the customer out, or does not.
fn origin(held_out: bool, policy: &Policy) -> String {
    let mut origins = (0..1_000).map(|i| format!("origin {i}"));
    let found = origins.find(|o| is_control(&policy.control_salt, o, person().key, policy.control_share) == held_out);
    found.expect("an origin of that kind")
}

#[test]
fn a_ghost_wins_like_everybody_and_leaves_its_place_to_the_next() {
    let policy = Policy::default();
    let ghost = Terms { origin: origin(true, &policy), ..by_sms(Class::Care) };
    let offer = Terms { origin: origin(false, &policy), ..by_sms(Class::Commercial) };
    let rule = |person: &Person, proposals: &[Proposal], terms: &[Terms]| {
        verdicts(&person.rule_with(&policy, proposals, terms, ten()))
    };
    let both = [proposal(0), proposal(1)];
    assert_eq!(rule(&person(), &both, &[ghost.clone(), offer.clone()]), [(Control, None), (Cleared, None)]);
    // A ghost that loses is no control: it would not have been contacted either.
    let winner = Terms { weight: 500, activity: "winner".into(), origin: offer.origin.clone(), ..ghost.clone() };
    assert_eq!(rule(&person(), &both, &[ghost.clone(), winner]), [(Lost, Some(1)), (Cleared, None)]);
    let full = after(vec![earlier(&offer, 50, ten())]);
    assert_eq!(rule(&full, &[proposal(0)], &[ghost]), [(Capped, None)]);
}

#[test]
fn nobody_is_held_out_of_disaster_response_or_safety_whatever_the_table_says() {
    let everybody = Policy { control_share: 10_000, ..Policy::default() };
    let mut edited = everybody.clone();
    edited.classes.values_mut().for_each(|rules| rules.control = true);
    let mut emptied = everybody.clone();
    emptied.classes.clear();
    for policy in [everybody, edited, emptied] {
        for class in Class::ALL {
            let ruling = only(person().rule_with(&policy, &[proposal(0)], &[by_sms(class)], ten()));
            let expected = if class <= Class::Safety { Cleared } else { Control };
            assert_eq!(ruling.verdict, expected, "{}", class.name());
        }
    }
}
