//! What the stories about channels share: installations whose channels go by gateways, and watching until something
//! came true.

use crate::peers::Peer;
use crate::support::{self, NOW, evening, plan_of, run};
use care_domain::contact::ContactState;
use care_engine::{DispatchStatus, Dispatched, Engine};
use care_tests::DATE;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// What an SMPP gateway at this peer is told; quick, since nothing here is slow.
pub(crate) fn smpp(peer: &Peer, more: &str) -> String {
    smpp_at(&peer.address(), more)
}

pub(crate) fn smpp_at(address: &str, more: &str) -> String {
    format!(
        "[sms.retry]\nattempts = 4\nbase_ms = 20\nmost_ms = 100\n[sms.smpp]\naddress = \"{address}\"\n\
         system_id = \"care\"\npassword_file = \"keys/smsc.password\"\nsource = \"10086\"\nresponse_ms = 20000\n\
         reconnect_ms = 20\nconnect_ms = 20000\nthrottle_ms = 20\n{more}\n"
    )
}

/// Puts gateways in force.
pub(crate) async fn configure(engine: &Engine, config: &str) {
    fs::write(engine.folder().join("keys/smsc.password"), "secret08\n").expect("a password");
    engine.set_gateways(config, "administrator", NOW).await.expect("gateways");
}

/// An installation whose plan of the day waits, and whose gateways are these.
pub(crate) async fn planned(customers: u64, activities: &[&str], config: &str) -> (TempDir, Engine) {
    let (folder, engine) = support::at_work(customers, activities).await;
    configure(&engine, config).await;
    run(&engine, &plan_of(DATE)).await;
    (folder, engine)
}

/// Dispatches from `at` on, and stops when `until` says so or after a while.
pub(crate) async fn watching<F: Future<Output = bool>>(
    engine: &Engine,
    at: i64,
    until: impl Fn(DispatchStatus) -> F,
) -> Dispatched {
    let stop = AtomicBool::new(false);
    let go_on = |_| !stop.load(Ordering::Relaxed);
    let looking = async {
        for _ in 0..2_400 {
            let status = engine.dispatch_status().await.expect("figures");
            if until(status).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (done, ()) = tokio::join!(engine.dispatch_on("operator", at, &go_on), looking);
    done.expect("dispatch")
}

/// Dispatches the evening until nothing of a channel waits or is on its way and no receipt is awaited.
pub(crate) async fn watching_to_the_end(engine: &Engine, channel: &'static str) -> Dispatched {
    watching(engine, evening(), async |status| left(&status, channel) == 0 && status.receipts.awaited == 0).await
}

/// Contacts of a channel that wait or are on their way.
pub(crate) fn left(status: &DispatchStatus, channel: &str) -> u64 {
    let count = |state| status.channels.get(channel).and_then(|states| states.get(state)).copied().unwrap_or(0);
    count("released") + count("sending")
}

/// Contacts of a channel by state.
pub(crate) async fn counts(engine: &Engine, channel: &str) -> BTreeMap<String, u64> {
    engine.dispatch_status().await.expect("figures").channels.get(channel).cloned().unwrap_or_default()
}

/// The ids of all contacts in a state.
pub(crate) async fn in_state(engine: &Engine, state: ContactState) -> u64 {
    let states = engine.store().contact_states().await.expect("contacts");
    states.iter().filter(|(_, now)| *now == state).count() as u64
}

/// Lines of a peer's log in which it did one of these things.
pub(crate) fn did<'a>(log: &'a [Value], what: &[&str]) -> Vec<&'a Value> {
    log.iter().filter(|line| line["did"].as_str().is_some_and(|did| what.contains(&did))).collect()
}

/// How often each message, by number and text, was taken.
pub(crate) fn taken<'a>(lines: &[&'a Value]) -> BTreeMap<(&'a str, &'a str), usize> {
    let mut taken = BTreeMap::new();
    for line in lines {
        let key = (line["to"].as_str().expect("a number"), line["text"].as_str().expect("a text"));
        *taken.entry(key).or_default() += 1;
    }
    taken
}

/// Nothing of an installation's files names a number, outside of the identity store and the outbox.
pub(crate) fn holds(folder: &Path, number: &str) -> bool {
    let needle = number.as_bytes();
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let own = files.filter(|path| path.is_file() && !path.to_string_lossy().contains("identities"));
    own.map(|path| fs::read(path).expect("a file")).any(|bytes| bytes.windows(needle.len()).any(|w| w == needle))
}

/// The numbers that got any of these.
pub(crate) fn numbers<'a>(lines: &[&'a Value]) -> std::collections::BTreeSet<&'a str> {
    lines.iter().filter_map(|line| line["to"].as_str()).collect()
}

/// Whether a line is the whole message, or its first segment.
pub(crate) fn begins(line: &Value) -> bool {
    line["udh"].as_str().is_none_or(|header| header.is_empty() || header.ends_with("01"))
}
