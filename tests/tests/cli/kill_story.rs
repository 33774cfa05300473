//! Nothing is sent twice and nothing is lost: `kill -9` of the real program, then the same command again.

use crate::care::{Care, OPERATOR};
use care_store::Store;
use care_tests::EVENING;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

/// Enough for several buckets.
const CUSTOMERS: u32 = 100_000;
/// Each attempt is given so much more time than the one before, until one gets to its end.
const STEP: Duration = Duration::from_millis(70);

/// What a plan left: its contacts with their states, and the digest of each bucket's decision log.
#[derive(Debug, PartialEq)]
struct Left {
    contacts: BTreeMap<String, String>,
    logs: BTreeMap<u32, String>,
}

async fn left(data: &Path) -> Left {
    let store = Store::open(data).await.expect("the store");
    let states = store.contact_states().await.expect("contacts");
    let contacts = states.into_iter().map(|(id, state)| (id.to_string(), state.name().to_owned())).collect();
    let plans = store.plans().await.expect("plans");
    assert_eq!(plans.len(), 1, "resuming makes no second plan");
    let tasks = store.tasks(&plans[0].id).await.expect("tasks");
    let logs = tasks.into_iter().map(|(bucket, done)| (bucket, done.expect("every bucket is done").log)).collect();
    Left { contacts, logs }
}

/// Starts a command, kills it after a while, and starts it again with a little more time. Returns how often it was
/// killed before it came to its end.
fn kill_until_done(care: &Care, args: &[&str]) -> u32 {
    for attempt in 0.. {
        let mut command = care.command();
        command.args(["--json", "--as", OPERATOR]).args(args).stdout(Stdio::null());
        let mut child = command.spawn().expect("care runs");
        sleep(STEP * (attempt + 1));
        child.kill().expect("a signal");
        let status = child.wait().expect("its end");
        if let Some(code) = status.code() {
            assert_eq!(code, 0, "care {args:?} failed after {attempt} kills");
            return attempt;
        }
    }
    unreachable!("every attempt has more time than the one before")
}

#[tokio::test]
async fn a_plan_and_its_dispatch_killed_again_and_again_end_as_if_undisturbed() {
    let care = Care::with_campaigns(CUSTOMERS);
    let undisturbed = care.copy("undisturbed");
    let plan = ["plan", "run", "--workers", "1"];
    let golden = undisturbed.ok(OPERATOR, &plan);
    assert!(golden["tasks"].as_u64() >= Some(2), "several buckets: {golden}");
    let released = left(undisturbed.data()).await;
    let dispatch = ["dispatch", "--at", EVENING];
    undisturbed.ok(OPERATOR, &dispatch);

    let kills = kill_until_done(&care, &plan);
    assert!(kills > 0, "the plan was never killed: lower STEP");
    assert_eq!(left(care.data()).await, released);
    let mut shown = care.ok(OPERATOR, &["plan", "show"]);
    shown["added"] = golden["added"].clone();
    assert_eq!(shown, golden);

    let kills = kill_until_done(&care, &dispatch);
    assert!(kills > 0, "the dispatch was never killed: lower STEP");
    assert_eq!(left(care.data()).await, left(undisturbed.data()).await);
    each_contact_is_in_the_outbox_once(&care, &released);
}

fn each_contact_is_in_the_outbox_once(care: &Care, released: &Left) {
    let lines = care.outbox();
    let sent: BTreeSet<&str> = lines.iter().filter_map(|(_, line)| line["contact"].as_str()).collect();
    assert_eq!(sent.len(), lines.len(), "a contact stands twice");
    let planned: BTreeSet<&str> = released.contacts.keys().map(String::as_str).collect();
    assert!(sent == planned, "{} were planned, {} sent", planned.len(), sent.len());
}
