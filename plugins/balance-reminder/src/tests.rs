use super::*;
use care_domain::manifest::Manifest;
use care_domain::render::Labels;
use care_sdk::batch;
use care_sdk::testing::{Bench, said};
use serde_json::json;

#[path = "../../manifest_test.rs"]
mod manifest_test;

fn manifest() -> Manifest {
    manifest_test::manifest(include_str!("../activity.toml"), &care_sdk::declaration::<BalanceReminder>())
}

fn run() -> Run {
    let today = Date::parse("2026-07-29").expect("a date");
    Run { today, now: today.at(7) }
}

fn activity() -> BalanceReminder {
    BalanceReminder::prepare(Params {}, (), run()).expect("an activity")
}

/// Spent 10, 20 and 30 yuan: X = 20 yuan a day, Y = 60 yuan.
fn target(balance_fen: i64) -> Target {
    Target {
        balance: Fen(balance_fen),
        spend_d1: Fen(1_000),
        spend_d2: Fen(2_000),
        spend_d3: Fen(3_000),
        low_balance_since: Some(Date(20_600)),
        stopped: Some(false),
        told_balance: None,
        told_at: None,
    }
}

fn account(balance_fen: i64) -> Account {
    let Target { balance, spend_d1, spend_d2, spend_d3, .. } = target(balance_fen);
    Account { balance, spend_d1, spend_d2, spend_d3, told_balance: None }
}

fn is_reminded(who: &Target) -> bool {
    activity().select(who).is_some()
}

#[test]
fn the_threshold_is_three_days_of_mean_spend_and_belongs_to_the_reminded() {
    let mean = (1_000 + 2_000 + 3_000) / 3;
    assert_eq!(threshold([Fen(1_000), Fen(2_000), Fen(3_000)]), Fen(3 * mean));
    assert!(is_reminded(&target(6_000)));
    assert!(is_reminded(&target(5_999)));
    assert!(!is_reminded(&target(6_001)));
}

#[test]
fn who_spent_nothing_is_not_reminded() {
    let idle = Target { spend_d1: Fen(0), spend_d2: Fen(0), spend_d3: Fen(0), ..target(0) };
    assert!(!is_reminded(&idle));
    assert!(!is_reminded(&Target { balance: Fen(-100), ..idle }));
    let one_quiet_day = Target { spend_d1: Fen(0), ..target(5_000) };
    assert!(is_reminded(&one_quiet_day));
}

#[test]
fn after_the_stop_a_reminder_is_useless_and_before_it_even_debt_is_told() {
    assert!(!is_reminded(&Target { stopped: Some(true), ..target(-500) }));
    assert!(is_reminded(&Target { stopped: None, ..target(-500) }));
    assert!(is_reminded(&target(0)));
}

#[test]
fn a_crossing_is_one_occasion() {
    let occasion = |who: &Target| activity().select(who).map(|s| s.occasion);
    assert_eq!(occasion(&target(6_000)), Some(20_600));
    assert_eq!(occasion(&target(100)), occasion(&target(6_000)), "the balance sinks further: no new reminder");
    assert_eq!(occasion(&Target { low_balance_since: Some(Date(20_640)), ..target(100) }), Some(20_640));
}

#[test]
fn an_event_tells_a_newer_balance_and_its_day_is_the_crossing() {
    let told = |balance: i64| Target {
        low_balance_since: None,
        told_balance: Some(Fen(balance)),
        told_at: Some(run().now),
        ..target(90_000)
    };
    assert_eq!(activity().select(&told(6_000)).map(|s| s.occasion), Some(i64::from(run().today.0)));
    assert_eq!(activity().select(&told(6_001)), None);
    // The night after: the same crossing, which was told already.
    let night = Target { low_balance_since: Some(run().today), ..target(5_000) };
    assert_eq!(activity().select(&night).map(|s| s.occasion), Some(i64::from(run().today.0)));
    let account = Account { told_balance: Some(Fen(4_100)), ..account(90_000) };
    assert_eq!((account.balance(), account.days_left()), (Fen(4_100), 2));
}

#[test]
fn the_less_is_left_the_more_urgent() {
    let score = |balance| activity().select(&target(balance)).map(|s| s.score);
    assert_eq!([score(6_000), score(3_000), score(0), score(-9_000)], [Some(0.0), Some(0.5), Some(1.0), Some(1.0)]);
}

#[test]
fn a_reminder_is_dropped_after_the_day_of_the_probable_stop() {
    let activity = activity();
    for (balance, days) in [(6_000, 3), (5_999, 2), (4_000, 2), (2_000, 1), (1_999, 0), (0, 0), (-50, 0)] {
        let expected = Moments { not_before: run().now, not_after: run().today.plus(days).end() };
        assert_eq!(activity.schedule(&account(balance), Reason::LowBalance), expected, "{balance} fen");
    }
}

#[test]
fn the_message_tells_the_balance_and_how_long_it_lasts() {
    let manifest = manifest();
    let read = |balance| {
        let messages = said(&activity(), &account(balance), Reason::LowBalance);
        manifest_test::read(&manifest, &messages[0], &Labels::new()).remove(0)
    };
    assert!(read(4_100).zh.contains("余额为41.00元") && read(4_100).zh.contains("约可使用2天"));
    assert!(read(4_100).en.contains("41.00 yuan") && read(4_100).en.contains("about 2 more day(s)"));
    assert!(read(-120).zh.contains("-1.20元") && read(-120).zh.contains("今天"));
}

#[test]
fn fewer_than_three_days_of_record_or_no_known_crossing_means_no_reminder() {
    let spend = || [Some(1_000), Some(1_000), Some(1_000), Some(1_000)];
    let bench = Bench::new(run(), &manifest_test::params(&manifest(), &json!({})))
        .s64("customers", "balance", [Some(100), Some(100), Some(100), None])
        .s64("customers", "spend-d1", spend())
        .s64("customers", "spend-d2", spend())
        .s64("customers", "spend-d3", [Some(1_000), None, Some(1_000), Some(1_000)])
        .s32("customers", "low-balance-since", [Some(20_000), Some(20_000), None, Some(20_000)])
        .boolean("customers", "stopped", [None; 4])
        .s64("customers", "event.balance", [None; 4])
        .s64("customers", "event.time", [None; 4]);
    let chosen = batch::select::<BalanceReminder>(&bench).expect("a selection");
    assert_eq!((chosen.rows, chosen.occasions), (vec![0], vec![20_000]));
}
