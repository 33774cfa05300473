//! Those close to the customers of Wenchuan (S1: calls to the customer and to the five closest contacts, up to three rounds
//! while the customer is unreachable), called from the lists that the customer-service centre gets.

use crate::support;
use crate::wenchuan_story::{CLOSE, DUTY, approved_then, at, close_number, installation, outcome, plan};
use care_domain::approval::Conditions;
use care_domain::standby::Standby;
use care_domain::verdict::Verdict;
use care_engine::Engine;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// The customers of S1; more than 4,000 calls were made.
const THERE: usize = 801;
const S1_CALLS: usize = 4_000;

/// What a round of calls goes to: customers, and by customer the numbers of those close to them.
#[derive(Default)]
struct Calls {
    customers: BTreeSet<usize>,
    close: BTreeMap<usize, BTreeSet<String>>,
}

impl Calls {
    fn count(&self) -> usize {
        self.customers.len() + self.close.values().map(BTreeSet::len).sum::<usize>()
    }
}

/// Plans a day, dispatches, and reads what is new on the list of calls.
async fn round(engine: &Engine, folder: &Path, day: &str, seen: &mut BTreeSet<String>) -> Calls {
    plan(engine, day).await;
    engine.dispatch("operator", at(&format!("{day}T17:00:00")), &|_| true).await.expect("dispatch");
    let mut calls = Calls::default();
    for line in support::lines(&support::outbox(folder)) {
        let text = |name: &str| line[name].as_str().expect("a text").to_owned();
        if line["channel"] != "call-list" || !seen.insert(text("contact")) {
            continue;
        }
        let customer: usize = text("customer").trim_start_matches('W').parse().expect("a customer's id");
        assert!(line["text"].as_str().is_some_and(|script| script.contains("平安")), "{line}");
        if line["addressee"] == "customer" {
            assert_eq!(text("to"), format!("1390000{customer:04}"));
            calls.customers.insert(customer);
        } else {
            assert_eq!(line["addressee"], "close-contacts");
            assert!(!text("text").contains("陈"), "whoever is called proves first that they know the customer: {line}");
            calls.close.entry(customer).or_default().insert(text("to"));
        }
    }
    calls
}

/// Everybody who is called, with everybody close to them.
fn with_those_close(who: impl Iterator<Item = usize>) -> Calls {
    let customers: BTreeSet<usize> = who.collect();
    let numbers = |i: &usize| (0..i % (CLOSE + 1)).map(|n| close_number(*i, n)).collect::<BTreeSet<_>>();
    let close = customers.iter().map(|i| (*i, numbers(i))).filter(|(_, numbers)| !numbers.is_empty()).collect();
    Calls { customers, close }
}

/// What the callers wrote down in the evening.
async fn heard(engine: &Engine, day: &str, who: impl Iterator<Item = (usize, &'static str)>) {
    let mut lines = String::new();
    for (i, kind) in who {
        let _ = writeln!(lines, "W{i:05},{kind},{day}T18:00:00+08:00,disaster-response");
    }
    outcome(engine, &lines, &format!("{day}T20:00:00")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_close_to_the_unreachable_are_called_with_them_and_nobody_elses() {
    let Some((folder, engine, _)) = installation((THERE, THERE + 40)).await else { return };
    let standby = Some(Standby { areas: vec!["510000".into()], days: 150 });
    approved_then(&engine, "disaster-response", &Conditions { standby, ..Conditions::default() }).await;
    let because = (None, "magnitude 7.9 at Wenchuan");
    let active = engine.activate_disaster(1, "disaster-response", because, DUTY, at("2008-05-12T16:00:00")).await;
    active.expect("activated");
    let upheld = engine.review_activation(
        "disaster-response-1",
        true,
        "a state emergency",
        "provincial-approver",
        at("2008-05-12T16:30:00"),
    );
    upheld.await.expect("upheld");
    let mut seen = BTreeSet::new();
    let mut made = 0;

    // The first round: everybody there, and whoever they named, each by their own number.
    let first = round(&engine, folder.path(), "2008-05-12", &mut seen).await;
    let expected = with_those_close(0..THERE);
    assert_eq!((&first.customers, &first.close), (&expected.customers, &expected.close));
    made += first.count();
    let report = engine.disaster_report(1, support::day("2008-05-12")).await.expect("a report");
    let close: u64 = report.contacts["call-close-contacts"].values().sum();
    assert_eq!(close as usize, first.count() - THERE, "the daily report counts them apart");

    // Found, missing and dead are not asked after again, nor are those close to them; the unreachable are, twice more.
    let found = |i: usize| ["safe", "unreachable", "possibly-missing", "unreachable", "deceased"][i % 5];
    heard(&engine, "2008-05-12", (0..THERE).map(|i| (i, found(i)))).await;
    let unreachable = || (0..THERE).filter(|i| found(*i) == "unreachable");
    for day in ["2008-05-13", "2008-05-14"] {
        let again = round(&engine, folder.path(), day, &mut seen).await;
        let expected = with_those_close(unreachable());
        assert_eq!((&again.customers, &again.close), (&expected.customers, &expected.close), "{day}");
        made += again.count();
        heard(&engine, day, unreachable().map(|i| (i, "unreachable"))).await;
    }
    // Three rounds were granted.
    let fourth = plan(&engine, "2008-05-15").await;
    assert!(support::with(&fourth, "disaster-response", Verdict::Cleared).is_empty());
    assert!(made > S1_CALLS, "{made} calls, as many as S1 tells of");
}
