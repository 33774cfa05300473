//! What the province may add to the table: further caps, days off, account managers, zones, the global control group.

use crate::support::{
    Person, by_call, by_sms, earlier, instant, nobody_held_out, only, person, proposal, ten, terms, zone,
};
use care_domain::calendar::{Calendar, CalendarYear};
use care_domain::caps::{CapRule, Window};
use care_domain::catalogue::CategorySet;
use care_domain::contact::Channel;
use care_domain::control::is_global_control;
use care_domain::decide::{ListMark, Past, Proposal, Ruling, Terms};
use care_domain::key::CustomerKey;
use care_domain::manifest::Cap;
use care_domain::policy::{AccountManaged, Class, DaysOffRule, Hours, Policy};
use care_domain::time::{DAY_MS, PROVINCE_ZONE};
use care_domain::verdict::Verdict::{Capped, Cleared, Control, Held, Lost, Suppressed, TooLate};
use serde_json::json;

const HOUR_MS: i64 = 3_600_000;

fn cap(contacts: u32, window: Window) -> CapRule {
    CapRule {
        name: "further".into(),
        contacts,
        window,
        classes: Vec::new(),
        channels: Vec::new(),
        categories: Vec::new(),
        activities: Vec::new(),
        tiers: Vec::new(),
    }
}

/// A policy with these further caps, whose global cap has nothing to do with the story.
fn capped(caps: Vec<CapRule>) -> Policy {
    Policy { global_cap: Cap { contacts: 99, days: 1 }, caps, ..nobody_held_out() }
}

fn rule(person: &Person, policy: &Policy, terms: &Terms) -> Ruling {
    only(person.rule_with(policy, &[proposal(0)], std::slice::from_ref(terms), ten()))
}

#[test]
fn a_calendar_day_ends_at_the_customers_own_midnight() {
    let policy = capped(vec![cap(1, Window::CalendarDays(1))]);
    let care = by_sms(Class::Care);
    // Ten in the morning in the province is ten in the evening of the day before in New York.
    for (place, away, expected) in [
        (PROVINCE_ZONE, -9, Capped),
        (PROVINCE_ZONE, -11, Cleared),
        (PROVINCE_ZONE, 13, Capped),
        (PROVINCE_ZONE, 14, Cleared),
        ("America/New_York", -21, Capped),
        ("America/New_York", -23, Cleared),
    ] {
        let past = vec![earlier(&by_sms(Class::Commercial), 50, ten() + away * HOUR_MS)];
        let person = Person { past, zone: zone(place), ..person() };
        let always = Policy { quiet: Hours { from_minute: 0, to_minute: 1 }, ..policy.clone() };
        let ruling = rule(&person, &always, &care);
        assert_eq!(ruling.verdict, expected, "{place} {away}: {}", ruling.figures);
        if expected == Capped {
            let told = (ruling.rule, ruling.figures.as_str());
            assert_eq!(told, ("policy-cap", "further: 1 of 1 in a calendar day"));
        }
    }
}

#[test]
fn a_cap_of_a_category_or_an_activity_counts_nothing_else() {
    let bills = Terms { categories: CategorySet::of(["green-bill"]), ..by_sms(Class::Care) };
    let points = Terms { activity: "points".into(), categories: CategorySet::of(["points-expiry"]), ..bills.clone() };
    let of_bills = CapRule { categories: vec!["bill-information".into()], ..cap(1, Window::RollingDays(30)) };
    let of_points = CapRule { activities: vec!["points".into()], ..cap(1, Window::RollingDays(30)) };
    for (before, policy, bills_verdict, points_verdict) in [
        (&bills, capped(vec![of_bills.clone()]), Capped, Cleared),
        (&points, capped(vec![of_bills]), Cleared, Cleared),
        (&points, capped(vec![of_points.clone()]), Cleared, Capped),
        (&bills, capped(vec![of_points]), Cleared, Cleared),
    ] {
        let person = Person { past: vec![earlier(before, 50, ten() - 20 * DAY_MS)], ..person() };
        assert_eq!(rule(&person, &policy, &bills).verdict, bills_verdict, "{}", before.activity);
        assert_eq!(rule(&person, &policy, &points).verdict, points_verdict, "{}", before.activity);
    }
}

#[test]
fn a_cap_of_a_tier_holds_for_that_tier_and_one_of_named_classes_for_those() {
    let silver = capped(vec![CapRule { tiers: vec!["silver".into()], ..cap(1, Window::RollingDays(7)) }]);
    let past = || vec![earlier(&by_sms(Class::Commercial), 50, ten() - DAY_MS)];
    for (tier, expected) in [("silver", Capped), ("gold", Cleared), ("", Cleared)] {
        let person = Person { tier, past: past(), ..person() };
        assert_eq!(rule(&person, &silver, &by_sms(Class::Care)).verdict, expected, "{tier}");
        // What the global cap exempts is exempt, unless a cap names its class.
        assert_eq!(rule(&person, &silver, &by_sms(Class::Service)).verdict, Cleared);
    }
    let service = capped(vec![CapRule { classes: vec![Class::Service], ..cap(1, Window::RollingDays(7)) }]);
    let reminded = Terms { activity: "reminder".into(), ..by_sms(Class::Service) };
    let person = Person { past: vec![earlier(&reminded, 50, ten() - DAY_MS)], ..person() };
    assert_eq!(rule(&person, &service, &by_sms(Class::Service)).verdict, Capped);
    assert_eq!(rule(&person, &service, &by_sms(Class::Care)).verdict, Cleared);
}

#[test]
fn where_the_cap_of_a_channel_is_used_up_the_next_channel_carries_the_message_at_its_own_time() {
    let calls = capped(vec![CapRule { channels: vec![Channel::CallList], ..cap(1, Window::RollingDays(7)) }]);
    let chain = terms("chained", Class::Care, &[Channel::CallList, Channel::Sms]);
    let called = Past { channel: Channel::CallList, ..earlier(&by_call(Class::Care), 50, ten() - DAY_MS) };
    let noon = instant("2026-07-29T12:30", &zone(PROVINCE_ZONE));
    let proposal = Proposal { not_before: noon, ..proposal(0) };
    let at_noon = |past: Vec<Past>, terms: &Terms| {
        let person = Person { past, ..person() };
        only(person.rule_with(&calls, &[proposal], std::slice::from_ref(terms), ten()))
    };
    let first = at_noon(Vec::new(), &chain);
    assert_eq!((first.channel(), first.planned_at), (Some(Channel::CallList), Some(noon + 90 * 60_000)));
    let next = at_noon(vec![called.clone()], &chain);
    assert_eq!((next.verdict, next.channel(), next.planned_at), (Cleared, Some(Channel::Sms), Some(noon)));
    let alone = at_noon(vec![called.clone()], &by_call(Class::Care));
    assert_eq!((alone.verdict, alone.rule), (Capped, "policy-cap"));
    let by_message = Past { channel: Channel::Sms, ..called };
    assert_eq!(at_noon(vec![by_message], &chain).channel(), Some(Channel::CallList));
}

#[test]
fn who_loses_a_place_under_a_further_cap_learns_who_won_it() {
    let policy = capped(vec![cap(1, Window::CalendarDays(1))]);
    let rivals = [by_sms(Class::Commercial), by_sms(Class::Care)];
    let rulings = person().rule_with(&policy, &[proposal(0), proposal(1)], &rivals, ten());
    assert_eq!((rulings[0].verdict, rulings[0].winner, rulings[1].verdict), (Lost, Some(1), Cleared));
}

/// The calendar of 2026 around a Spring Festival: Saturday 14 February is worked, 15 to 17 are off.
fn spring() -> Calendar {
    let day = |date: &str, off: bool| json!({"name": "春节", "date": date, "isOffDay": off});
    let days = [day("2026-02-14", false), day("2026-02-15", true), day("2026-02-16", true), day("2026-02-17", true)];
    let year: CalendarYear = serde_json::from_value(json!({"year": 2026, "days": days})).expect("a year");
    Calendar::of(vec![year])
}

fn holding(days_off: DaysOffRule) -> Policy {
    let mut policy = Policy { calendar: spring(), ..nobody_held_out() };
    policy.classes.values_mut().for_each(|rules| rules.days_off = days_off);
    policy
}

#[test]
fn days_off_move_a_contact_to_the_next_workday_and_a_make_up_workday_is_one() {
    let china = zone(PROVINCE_ZONE);
    let planned = |policy: &Policy, terms: &Terms, from: &str| {
        let from = instant(from, &china);
        let proposal = Proposal { not_before: from, not_after: from + 20 * DAY_MS, ..proposal(0) };
        only(person().rule_with(policy, &[proposal], std::slice::from_ref(terms), from)).planned_at
    };
    let (sms, call) = (by_sms(Class::Care), by_call(Class::Care));
    for (from, held) in [
        ("2026-02-13T10:00", "2026-02-13T10:00"),
        ("2026-02-14T10:00", "2026-02-14T10:00"),
        ("2026-02-14T21:30", "2026-02-18T08:00"),
        ("2026-02-15T10:00", "2026-02-18T08:00"),
        ("2026-02-21T10:00", "2026-02-23T08:00"),
    ] {
        let held = Some(instant(held, &china));
        assert_eq!(planned(&holding(DaysOffRule::Held), &sms, from), held, "{from}");
        assert_eq!(planned(&holding(DaysOffRule::NoCalls), &call, from), held, "{from}");
    }
    let holiday = instant("2026-02-15T10:00", &china);
    assert_eq!(planned(&holding(DaysOffRule::NoCalls), &sms, "2026-02-15T10:00"), Some(holiday));
    assert_eq!(planned(&holding(DaysOffRule::Open), &call, "2026-02-15T10:00"), Some(holiday));
    let later = Hours { from_minute: 20 * 60, to_minute: 10 * 60 };
    let late = Policy { quiet_on_days_off: Some(later), ..holding(DaysOffRule::Open) };
    for (from, expected) in [
        ("2026-02-15T08:30", "2026-02-15T10:00"),
        ("2026-02-15T20:30", "2026-02-16T10:00"),
        ("2026-02-14T20:30", "2026-02-14T20:30"),
        ("2026-02-14T21:30", "2026-02-15T10:00"),
        ("2026-02-17T20:30", "2026-02-18T08:00"),
    ] {
        assert_eq!(planned(&late, &sms, from), Some(instant(expected, &china)), "{from}");
    }
}

#[test]
fn a_year_without_a_calendar_is_not_guessed_at() {
    let china = zone(PROVINCE_ZONE);
    let new_year = instant("2027-01-02T10:00", &china);
    let proposal = Proposal { not_before: new_year, not_after: new_year + DAY_MS, ..proposal(0) };
    let ruling = |terms: &Terms| {
        only(person().rule_with(&holding(DaysOffRule::Held), &[proposal], std::slice::from_ref(terms), ten()))
    };
    let held = ruling(&by_sms(Class::Care));
    assert_eq!((held.verdict, held.rule, held.figures.as_str()), (Held, "no-calendar", "no calendar for 2027"));
    assert_eq!(ruling(&terms("prompt", Class::Care, &[Channel::Touchpoint])).verdict, Cleared, "no rule asks");
    let policy = holding(DaysOffRule::Held);
    assert!(policy.needs_calendar([Class::Care]) && !Policy::default().needs_calendar(Class::ALL));
}

#[test]
fn what_would_go_to_a_diamond_or_gold_customer_in_the_mass_goes_to_the_account_managers_list() {
    let managed = AccountManaged { tiers: vec!["diamond".into(), "gold".into()], classes: vec![Class::Care] };
    let policy = Policy { account_manager: managed, ..nobody_held_out() };
    let chain = |class| terms("chained", class, &[Channel::Action, Channel::Sms, Channel::Touchpoint]);
    for (tier, class, expected) in [
        ("gold", Class::Care, &[Channel::Action, Channel::Touchpoint][..]),
        ("gold", Class::Commercial, &[Channel::Action, Channel::Touchpoint]),
    ] {
        let ruling = rule(&Person { tier, ..person() }, &policy, &chain(class));
        assert_eq!(ruling.channels, expected, "{tier} {}", class.name());
    }
    let birthday = terms("birthday", Class::Care, &[Channel::Sms, Channel::Touchpoint]);
    for (tier, expected) in [("diamond", Channel::AccountManager), ("silver", Channel::Sms), ("", Channel::Sms)] {
        assert_eq!(rule(&Person { tier, ..person() }, &policy, &birthday).channel(), Some(expected), "{tier}");
    }
    // The red list leaves the desk alone; an account manager who comes too late leaves nothing to the mass.
    let red = Person { tier: "gold", list: ListMark::Red, ..person() };
    assert_eq!(rule(&red, &policy, &birthday).channel(), Some(Channel::Touchpoint));
    assert_eq!(rule(&red, &policy, &by_sms(Class::Care)).verdict, Suppressed);
    let noon = instant("2026-07-29T12:30", &zone(PROVINCE_ZONE));
    let pressed = Proposal { not_before: noon, not_after: noon + 60_000, ..proposal(0) };
    let gold = Person { tier: "gold", ..person() };
    let late = only(gold.rule_with(&policy, &[pressed], &[by_sms(Class::Care)], ten()));
    assert_eq!(late.verdict, TooLate);
    // The manager's conversation is a contact like others: it uses the global cap.
    let past = vec![Past { channel: Channel::AccountManager, ..earlier(&birthday, 50, ten() - DAY_MS) }];
    assert_eq!(rule(&Person { past, ..person() }, &policy, &by_sms(Class::Commercial)).verdict, Capped);
}

#[test]
fn the_global_control_group_is_held_out_of_everything_but_disaster_and_safety() {
    let policy = Policy { global_control_share: 5_000, ..nobody_held_out() };
    let mut held_out = 0;
    for i in 0..200u8 {
        let key = CustomerKey([i; 16]);
        let ghost = is_global_control(&policy.control_salt, key, 5_000);
        held_out += u32::from(ghost);
        let person = Person { key, ..person() };
        for class in Class::ALL {
            let ruling = rule(&person, &policy, &by_sms(class));
            let expected =
                if ghost && class > Class::Safety { (Control, "global-control") } else { (Cleared, "cleared") };
            assert_eq!((ruling.verdict, ruling.rule), expected, "{} {i}", class.name());
        }
    }
    assert!((60..140).contains(&held_out), "{held_out}");
}
