//! What stops or moves a contact before anybody competes for it.

use crate::support::{Person, by_call, by_sms, instant, nobody_held_out, only, person, proposal, ten, terms, zone};
use care_domain::contact::Channel;
use care_domain::control::is_in_share;
use care_domain::decide::{ListMark, Proposal, Taken, Terms, Wishes};
use care_domain::key::CustomerKey;
use care_domain::policy::Policy;
use care_domain::policy::{Class, Hours};
use care_domain::time::{self, DAY_MS, PROVINCE_ZONE};
use care_domain::verdict::Verdict::{self, Cleared, Held, NoConsent, OutOfRegion, Suppressed, TooLate};

const HOUR_MS: i64 = 3_600_000;
const NEW_YORK: &str = "America/New_York";

/// Asserts the verdict and rule that each class gets, by rank.
fn assert_by_class(person: &Person, of: impl Fn(Class) -> Terms, expected: [(Verdict, &str); 5]) {
    for (class, expected) in Class::ALL.into_iter().zip(expected) {
        let ruling = person.rule(&of(class));
        assert_eq!((ruling.verdict, ruling.rule), expected, "{}", class.name());
    }
}

const CLEAR: (Verdict, &str) = (Cleared, "cleared");

#[test]
fn only_customers_of_the_approved_regions_are_contacted() {
    let city = Terms { regions: vec!["350200".into(), "350581".into()], ..by_sms(Class::Service) };
    let everywhere = by_sms(Class::Service);
    for (region, verdict) in
        [("350203", Cleared), ("350200", Cleared), ("350581", Cleared), ("350500", OutOfRegion), ("", OutOfRegion)]
    {
        let person = Person { region, ..person() };
        let ruling = person.rule(&city);
        assert_eq!(ruling.verdict, verdict, "{region:?}");
        assert_eq!(ruling.rule == "region", verdict == OutOfRegion);
        assert_eq!(person.rule(&everywhere).verdict, Cleared);
    }
}

#[test]
fn where_a_variant_takes_its_place_an_activity_stays_away() {
    let taken = |share| Terms { except: vec![Taken { region: "350200".into(), share }], ..by_sms(Class::Care) };
    let base = taken(10_000);
    let ruling = Person { region: "350203", ..person() }.rule(&base);
    assert_eq!((ruling.verdict, ruling.rule), (OutOfRegion, "variant"));
    assert_eq!(Person { region: "350500", ..person() }.rule(&base).verdict, Cleared);
    assert_eq!(Person { region: "", ..person() }.rule(&base).verdict, Cleared);
    // A variant on trial has its share alone: the others keep what they had.
    let trial = taken(5_000);
    for i in 0..100 {
        let person = Person { key: CustomerKey([i; 16]), region: "350203", ..person() };
        let taken = is_in_share(&trial.origin, person.key, 5_000);
        assert_eq!(person.rule(&trial).verdict, if taken { OutOfRegion } else { Cleared });
    }
}

#[test]
fn what_was_activated_for_an_area_reaches_who_stands_there_wherever_they_live() {
    let activated = Terms { areas: vec!["513200".into()], ..by_sms(Class::Disaster) };
    for (visited, expected) in [("513221", CLEAR), ("510100", (OutOfRegion, "area")), ("", (OutOfRegion, "area"))] {
        let ruling = Person { region: "350203", visited, ..person() }.rule(&activated);
        assert_eq!((ruling.verdict, ruling.rule), expected, "{visited}");
    }
}

#[test]
fn a_canary_reaches_its_share_of_customers_and_stays_with_them() {
    let canary = Terms { share: 2_500, ..by_sms(Class::Care) };
    let renamed = Terms { campaign: "next".into(), activity: "renamed".into(), ..canary.clone() };
    let mut reached = 0;
    for i in 0..2_000u16 {
        let mut key = [0; 16];
        key[..2].copy_from_slice(&i.to_be_bytes());
        let person = Person { key: CustomerKey(key), ..person() };
        let ruling = person.rule(&canary);
        let inside = is_in_share(&canary.origin, person.key, 2_500);
        assert_eq!((ruling.verdict, ruling.rule), if inside { CLEAR } else { (OutOfRegion, "canary") });
        assert_eq!(person.rule(&renamed).verdict, ruling.verdict);
        reached += u16::from(inside);
    }
    assert!((400..600).contains(&reached), "{reached}");
}

#[test]
fn the_dead_and_the_missing_are_left_alone_but_for_disaster_response() {
    for why in ["deceased", "possibly-missing"] {
        let mut person = person();
        person.wishes.suppressed = Some(why.into());
        let stop = (Suppressed, "suppression");
        assert_by_class(&person, by_sms, [CLEAR, stop, stop, stop, stop]);
        assert_eq!(person.rule(&by_sms(Class::Safety)).figures, why);
    }
}

#[test]
fn the_black_list_stops_offers_and_nothing_else() {
    let person = Person { list: ListMark::Black, ..person() };
    assert_by_class(&person, by_sms, [CLEAR, CLEAR, CLEAR, CLEAR, (Suppressed, "black-list")]);
}

#[test]
fn the_red_list_is_cared_for_at_the_desk_and_on_no_mass_channel() {
    let person = Person { list: ListMark::Red, ..person() };
    let stop = (Suppressed, "red-list");
    assert_by_class(&person, by_sms, [CLEAR, CLEAR, CLEAR, stop, stop]);
    let chain = [Channel::Sms, Channel::Email, Channel::CallList, Channel::Touchpoint];
    for class in Class::ALL {
        let ruling = person.rule(&terms("chained", class, &chain));
        let expected = if class < Class::Care { Channel::Sms } else { Channel::Touchpoint };
        assert_eq!((ruling.verdict, ruling.channel()), (Cleared, Some(expected)), "{}", class.name());
    }
}

#[test]
fn a_refusal_stops_what_it_covers() {
    let no = (NoConsent, "refusal");
    let with = |wishes: Wishes| Person { wishes: Wishes { commercial: Some(true), ..wishes }, ..person() };
    let activities = Class::ALL.map(|c| format!("some-{}", c.name())).to_vec();
    let of_activities = with(Wishes { refused_activities: activities, ..Wishes::default() });
    assert_by_class(&of_activities, by_sms, [CLEAR, CLEAR, no, no, no]);
    let of_others = with(Wishes { refused_activities: vec!["another".into()], ..Wishes::default() });
    assert_by_class(&of_others, by_sms, [CLEAR; 5]);
    let of_classes = with(Wishes { refused_classes: Class::ALL.to_vec(), ..Wishes::default() });
    assert_by_class(&of_classes, by_sms, [CLEAR, CLEAR, CLEAR, no, no]);
    let of_care = with(Wishes { refused_classes: vec![Class::Care], ..Wishes::default() });
    assert_by_class(&of_care, by_sms, [CLEAR, CLEAR, CLEAR, no, CLEAR]);
    let of_everything = with(Wishes { refuses_all: true, ..Wishes::default() });
    assert_by_class(&of_everything, by_sms, [CLEAR, CLEAR, CLEAR, no, no]);
}

#[test]
fn an_offer_needs_consent_that_was_given() {
    for (commercial, figures) in [(None, "never given"), (Some(false), "not given")] {
        let person = Person { wishes: Wishes { commercial, ..Wishes::default() }, ..person() };
        assert_by_class(&person, by_sms, [CLEAR, CLEAR, CLEAR, CLEAR, (NoConsent, "consent")]);
        assert_eq!(person.rule(&by_sms(Class::Commercial)).figures, figures);
    }
}

#[test]
fn trouble_holds_care_and_offers_back() {
    let held = |rule| [CLEAR, CLEAR, CLEAR, (Held, rule), (Held, rule)];
    assert_by_class(&Person { open_complaint: true, ..person() }, by_sms, held("open-complaint"));
    assert_by_class(&Person { in_disaster_area: true, ..person() }, by_sms, held("disaster-area"));
}

#[test]
fn quiet_hours_move_a_message_to_eight_in_the_customers_own_morning() {
    for (place, from, expected) in [
        (PROVINCE_ZONE, "2026-07-29T20:59:59.999", "2026-07-29T20:59:59.999+08:00"),
        (PROVINCE_ZONE, "2026-07-29T21:00", "2026-07-30T08:00:00+08:00"),
        (PROVINCE_ZONE, "2026-07-30T07:59:30", "2026-07-30T08:00:00+08:00"),
        (PROVINCE_ZONE, "2026-12-31T23:00", "2027-01-01T08:00:00+08:00"),
        (NEW_YORK, "2026-07-29T21:00", "2026-07-30T08:00:00-04:00"),
        // The night in which New York loses an hour, and the one in which it gains one.
        (NEW_YORK, "2026-03-07T22:30", "2026-03-08T08:00:00-04:00"),
        (NEW_YORK, "2026-03-08T03:15", "2026-03-08T08:00:00-04:00"),
        (NEW_YORK, "2026-10-31T22:30", "2026-11-01T08:00:00-05:00"),
    ] {
        let person = Person { zone: zone(place), ..person() };
        for class in [Class::Service, Class::Care, Class::Commercial] {
            let ruling = person.timed(&by_sms(class), from, "2027-06-01T00:00");
            let planned = time::parse_instant(expected);
            assert_eq!((ruling.verdict, ruling.planned_at), (Cleared, planned), "{} {place} {from}", class.name());
        }
        for class in [Class::Disaster, Class::Safety] {
            let ruling = person.timed(&by_sms(class), from, "2027-06-01T00:00");
            assert_eq!(ruling.planned_at, Some(instant(from, &person.zone)), "{} {place} {from}", class.name());
        }
    }
}

#[test]
fn where_the_province_sleeps_a_roamer_may_be_awake() {
    let midnight = instant("2026-07-29T00:00", &zone(PROVINCE_ZONE));
    let proposal = Proposal { not_before: midnight, not_after: midnight + DAY_MS, ..proposal(0) };
    for (place, hours) in [(PROVINCE_ZONE, 8), (NEW_YORK, 0)] {
        let person = Person { zone: zone(place), ..person() };
        let ruling = only(person.rule_with(&nobody_held_out(), &[proposal], &[by_sms(Class::Care)], midnight));
        assert_eq!(ruling.planned_at, Some(midnight + hours * HOUR_MS), "{place}");
    }
}

#[test]
fn an_hour_that_a_clock_change_repeats_is_quiet_twice() {
    let policy = Policy { quiet: Hours { from_minute: 22 * 60, to_minute: 90 }, ..nobody_held_out() };
    let person = Person { zone: zone(NEW_YORK), ..person() };
    let second_turn = |text: &str| time::parse_instant(text).expect("an instant");
    let start = second_turn("2026-11-01T01:10:30-05:00");
    let proposal = Proposal { not_before: start, not_after: start + DAY_MS, ..proposal(0) };
    let ruling = only(person.rule_with(&policy, &[proposal], &[by_sms(Class::Care)], start));
    assert_eq!(ruling.planned_at, Some(second_turn("2026-11-01T01:30:00-05:00")));
}

#[test]
fn nobody_is_called_at_noon_or_at_night_but_in_a_disaster() {
    for (from, safety, care) in [
        ("2026-07-29T11:59", "2026-07-29T11:59", "2026-07-29T11:59"),
        ("2026-07-29T12:00", "2026-07-29T14:00", "2026-07-29T14:00"),
        ("2026-07-29T13:59", "2026-07-29T14:00", "2026-07-29T14:00"),
        ("2026-07-29T21:30", "2026-07-29T21:30", "2026-07-30T08:00"),
        ("2026-07-29T22:00", "2026-07-30T08:00", "2026-07-30T08:00"),
        ("2026-07-30T07:59", "2026-07-30T08:00", "2026-07-30T08:00"),
    ] {
        let person = person();
        for (class, expected) in
            [(Class::Disaster, from), (Class::Safety, safety), (Class::Service, care), (Class::Care, care)]
        {
            let ruling = person.timed(&by_call(class), from, "2026-07-31T00:00");
            let planned = Some(instant(expected, &person.zone));
            assert_eq!((ruling.verdict, ruling.planned_at), (Cleared, planned), "{} {from}", class.name());
        }
    }
}

#[test]
fn a_message_that_waits_past_its_use_is_dropped() {
    let (sms, night) = (by_sms(Class::Service), "2026-07-29T21:30");
    let late = person().timed(&sms, night, "2026-07-30T07:59:59");
    assert_eq!((late.verdict, late.rule, late.planned_at), (TooLate, "quiet-hours", None));
    assert_eq!(person().timed(&sms, night, "2026-07-30T08:00").verdict, Cleared);
    let over = Proposal { not_after: ten() - 1, ..proposal(0) };
    let over = only(person().rule_with(&nobody_held_out(), &[over], &[sms], ten()));
    assert_eq!((over.verdict, over.rule), (TooLate, "expired"));
}

#[test]
fn no_instant_that_a_guest_may_name_breaks_the_host() {
    let all_day = Policy { quiet: Hours { from_minute: 0, to_minute: 1_440 }, ..nobody_held_out() };
    for not_before in [i64::MIN, i64::MAX - 1, i64::MAX, 253_402_300_799_000] {
        let proposal = Proposal { not_before, not_after: i64::MAX, ..proposal(0) };
        for (policy, expected) in [(&nobody_held_out(), not_before < 0), (&all_day, false)] {
            let ruling = only(person().rule_with(policy, &[proposal], &[by_sms(Class::Care)], ten()));
            assert_eq!(ruling.verdict == Cleared, expected, "{not_before} {}", ruling.verdict.name());
        }
    }
}

#[test]
fn the_first_channel_with_a_permitted_moment_carries_the_message() {
    let chain = terms("chained", Class::Service, &[Channel::CallList, Channel::Sms]);
    let noon = "2026-07-29T12:30";
    let pressed = person().timed(&chain, noon, "2026-07-29T13:30");
    assert_eq!((pressed.channel(), pressed.planned_at), (Some(Channel::Sms), Some(instant(noon, &person().zone))));
    let patient = person().timed(&chain, noon, "2026-07-29T15:00");
    let two = instant("2026-07-29T14:00", &person().zone);
    assert_eq!((patient.channel(), patient.planned_at), (Some(Channel::CallList), Some(two)));
    let silent = person().rule(&terms("silent", Class::Service, &[]));
    assert_eq!((silent.verdict, silent.rule), (Suppressed, "no-channel"));
}

#[test]
fn whoever_is_on_a_list_that_the_activity_reads_is_meant_wherever_they_stand() {
    let lists = vec!["rescuers".to_owned()];
    let activated = Terms { areas: vec!["513200".into()], lists: lists.clone(), ..by_sms(Class::Disaster) };
    let elsewhere = Person { visited: "350200", ..person() };
    assert_eq!(elsewhere.rule(&activated).rule, "area");
    let listed = Person { lists, ..elsewhere };
    assert_eq!(listed.rule(&activated).verdict, Cleared);
    let unread = Terms { lists: vec!["others".to_owned()], ..activated };
    assert_eq!(listed.rule(&unread).rule, "area", "a list that it does not read says nothing");
}
