//! Two plans and a stream of events at once on the same customers: no cap is exceeded, no occasion is told twice.

use crate::event_story::{arrives, may_be_told, ten, without_control};
use crate::support::{self, NOW, plan_of};
use care_domain::approval::Conditions;
use care_domain::key::CustomerKey;
use care_domain::manifest::Cap;
use care_domain::policy::Class;
use care_domain::time::DAY_MS;
use care_engine::{Engine, PlanSummary, Progress, Watch};
use care_store::StoredContact;
use care_tests::DATE;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const CUSTOMERS: u64 = 4_000;

/// All of them under the global cap of one contact in seven days.
async fn crowded() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), CUSTOMERS).await;
    without_control(&engine).await;
    let care = Conditions { class: Some(Class::Care), ..Conditions::default() };
    for name in ["green-bill", "birthday", "points-expiry", "balance-reminder"] {
        support::approved(&engine, name, &care).await;
        support::started(&engine, name, json!({})).await;
    }
    let told = Conditions { cap: Some(Cap { contacts: 4, days: 30 }), ..care };
    support::approved(&engine, "roaming-tariff", &told).await;
    support::started(&engine, "roaming-tariff", json!({})).await;
    (folder, engine)
}

/// Counts how often a plan had to decide a task again.
fn counting(begun: &Arc<AtomicU32>) -> Watch {
    let begun = Arc::clone(begun);
    Arc::new(move |progress| {
        if matches!(progress, Progress::Began(_)) {
            begun.fetch_add(1, Ordering::Relaxed);
        }
        true
    })
}

async fn plan(engine: Engine, wave: u32, begun: Arc<AtomicU32>) -> PlanSummary {
    let mut request = plan_of(DATE);
    request.wave = wave;
    engine.run_plan(&request, "operator", NOW, counting(&begun)).await.expect("a plan")
}

async fn stream(engine: Engine, who: Vec<CustomerKey>) -> u64 {
    let mut contacts = 0;
    for (round, chunk) in who.chunks(20).take(40).enumerate() {
        let events = chunk.iter().map(|key| arrives(&format!("{round} {key}"), *key, ten())).collect();
        let done = engine.send_events(&Value::Array(events), "event-source", ten()).await.expect("an answer");
        contacts += done.contacts.unwrap_or_default();
        tokio::task::yield_now().await;
    }
    contacts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_plans_and_events_at_once_exceed_no_cap_and_repeat_no_occasion() {
    let (_folder, engine) = crowded().await;
    let who = may_be_told(&engine).await;
    let begun = Arc::new(AtomicU32::new(0));
    let (first, second, told) = tokio::join!(
        tokio::spawn(plan(engine.clone(), 1, Arc::clone(&begun))),
        tokio::spawn(plan(engine.clone(), 2, Arc::clone(&begun))),
        tokio::spawn(stream(engine.clone(), who.clone())),
    );
    let (first, second, told) = (first.expect("a plan"), second.expect("a plan"), told.expect("a stream"));
    assert!(told > 100, "{told} contacts by events");
    assert!(first.released && second.released);
    let mut contacts = 0;
    for key in support::customers(&engine).await {
        let mine = engine.store().contacts_of(key).await.expect("contacts");
        let counting: Vec<&StoredContact> = mine.iter().filter(|c| c.state.counts()).collect();
        contacts += counting.len();
        not_above_the_cap(key, &counting);
        let mut occasions: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for contact in &mine {
            let about = (contact.planned.activity.as_str(), contact.planned.occasion);
            occasions.entry(about).or_default().insert(contact.plan.as_str());
        }
        let twice: Vec<_> = occasions.iter().filter(|(_, plans)| plans.len() > 1).collect();
        assert!(twice.is_empty(), "customer {key}: {twice:?}");
    }
    assert!(contacts > 300, "{contacts} contacts in all");
    // Whoever was decided while the others wrote is decided the same again from the ledger up to its mark.
    for summary in [&first, &second] {
        let replayed = engine.replay(&summary.plan, None, &|_| ()).await.expect("a replay");
        assert!(replayed.tasks.iter().all(|task| task.same), "{replayed:?}");
    }
    let last = engine.event_batch(None).await.expect("a batch").number;
    for number in 1..=last {
        let replayed = engine.replay_events(number).await.expect("a replay");
        assert!(replayed.same, "{replayed:?}");
    }
    assert!(begun.load(Ordering::Relaxed) >= 2);
}

/// One occasion in any seven days, whoever planned it.
fn not_above_the_cap(key: CustomerKey, counting: &[&StoredContact]) {
    let disturbing = counting.iter().filter(|c| c.planned.channel.disturbs());
    let occasions: BTreeSet<(i64, &str, i64)> =
        disturbing.map(|c| (c.planned.planned_at, c.planned.activity.as_str(), c.planned.occasion)).collect();
    for (at, ..) in &occasions {
        let within = occasions.iter().filter(|(other, ..)| (*at..at + 7 * DAY_MS).contains(other)).count();
        assert!(within <= 1, "customer {key} is contacted {within} times: {counting:?}");
    }
}
