//! The gate over the life of an activity: a city's first version, its review, a canary, a second version, a rollback, a
//! suspension, kill switches and a withdrawal while contacts wait.

use crate::support::{self, NOW, care, evening, lines, outbox, plan_of, populated, run, started};
use care_domain::approval::Conditions;
use care_domain::contact::Channel;
use care_domain::governance::Ground;
use care_domain::person::{Appointment, Role};
use care_domain::switch::Scope;
use care_engine::{Decided, Engine, EngineError, PlanSummary};
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_store::Leasing;
use care_tests::{DATE, plugin};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A built plugin with another manifest.
pub(crate) fn rewritten(name: &str, edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let component = fs::read(plugin(name)).expect("a plugin");
    let manifest = manifest_bytes(&component).expect("a component").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    edit(&mut manifest);
    with_manifest(&component, &serde_json::to_vec(&manifest).expect("JSON")).expect("a component")
}

/// The points activity as the city of Xiamen would write it, in a version.
fn of_xiamen(version: &str) -> Vec<u8> {
    rewritten("points-expiry", |manifest| {
        manifest["owner_region"] = "350200".into();
        manifest["version"] = version.into();
    })
}

pub(crate) fn code(error: &EngineError) -> String {
    error.findings().first().map_or_else(|| format!("no refusal: {error:?}"), |finding| finding.code.clone())
}

/// Uploaded by the city's author, passed by the city, granted by the province.
async fn approved(engine: &Engine, bytes: &[u8], conditions: &Conditions) -> i64 {
    let signed = support::signed(engine, "city-author", bytes);
    let id = engine.push(&signed, "city-author", NOW).await.expect("an accepted upload").submission;
    engine.pass_city(id, "fits our club", "city-reviewer", NOW).await.expect("the city passes it on");
    support::simulated(engine, id, conditions).await;
    engine.approve(id, conditions, &care(), "provincial-approver", NOW).await.expect("an approval");
    id
}

fn state_in(summary: &PlanSummary) -> Vec<(&str, &str)> {
    summary.activities.iter().map(|a| (a.campaign.as_str(), a.version.as_str())).collect()
}

async fn states(engine: &Engine) -> BTreeSet<&'static str> {
    engine.store().contact_states().await.expect("contacts").into_iter().map(|(_, state)| state.name()).collect()
}

async fn dispatched(engine: &Engine) -> care_engine::Dispatched {
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_writes_its_city_reviews_the_province_grants_each_in_turn_and_nobody_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 2_000).await;
    let bytes = of_xiamen("1.0.0");
    let stranger = engine.push(&bytes, "operator", NOW).await.expect_err("an operator writes nothing");
    assert_eq!(code(&stranger), "not-allowed");
    let of_fuzhou = rewritten("points-expiry", |manifest| manifest["owner_region"] = "350100".into());
    let other = engine.push(&of_fuzhou, "city-author", NOW).await;
    assert_eq!(code(&other.expect_err("of another city")), "other-region");
    only_a_registered_key_of_the_region_vouches(&engine, &bytes).await;
    let bytes = support::signed(&engine, "city-author", &bytes);
    let id = engine.push(&bytes, "city-author", NOW).await.expect("an accepted upload").submission;
    let early = engine.approve(id, &Conditions::default(), &care(), "provincial-approver", NOW).await;
    assert_eq!(code(&early.expect_err("before its city")), "decided-once");
    let elsewhere = engine.pass_city(id, "", "provincial-approver", NOW).await;
    assert_eq!(code(&elsewhere.expect_err("not the city's")), "not-allowed");
    // Whoever has two roles still has one pair of eyes.
    for (person, role, region) in
        [("city-author", Role::CityReviewer, "350200"), ("city-reviewer", Role::ProvincialApprover, "350000")]
    {
        let second = Appointment { person: person.into(), role, region: region.into() };
        engine.appoint(&second, "administrator", NOW).await.expect("a second role");
    }
    assert_eq!(code(&engine.pass_city(id, "", "city-author", NOW).await.expect_err("the author")), "four-eyes");
    engine.pass_city(id, "", "city-reviewer", NOW).await.expect("the city passes it on");
    let own = engine.approve(id, &Conditions::default(), &care(), "city-reviewer", NOW).await;
    assert_eq!(code(&own.expect_err("the first reviewer")), "four-eyes");
    let sale = engine.reject(id, Ground::NotCare, " ", "provincial-approver", NOW).await;
    assert_eq!(code(&sale.expect_err("without a word")), "no-reason");
    nothing_is_approved_without_fresh_evidence_of_exactly_its_terms(&engine, id).await;
    let decided =
        engine.approve(id, &Conditions::default(), &care(), "provincial-approver", NOW).await.expect("an approval");
    let Decided::Approved(granted) = decided else { panic!("one person is enough for so few") };
    let (kept, evidence) = engine.simulation(2).await.expect("the evidence");
    assert_eq!((granted.evidence, evidence.subject.activity), (kept.evidence, "points-expiry".to_owned()));
    assert_eq!(granted.regions, ["350200"], "a city's activity stays in its city");
    let lines = engine.audit_lines(Some(&format!("submission {id}"))).await.expect("lines");
    let told: Vec<(&str, &str)> = lines.iter().map(|l| (l.entry.person.as_str(), l.entry.deed.as_str())).collect();
    let wanted = [
        ("city-author", "version-submitted"),
        ("city-reviewer", "city-review-passed"),
        ("provincial-approver", "submission-simulated"),
        ("provincial-approver", "submission-simulated"),
        ("provincial-approver", "submission-approved"),
    ];
    assert_eq!(told, wanted, "what was refused changed nothing and stands nowhere");
}

async fn only_a_registered_key_of_the_region_vouches(engine: &Engine, bytes: &[u8]) {
    let pushed = async |bytes: Vec<u8>| {
        let refused = engine.push(&bytes, "city-author", NOW).await.expect_err("no upload");
        assert!(engine.store().submissions().await.expect("submissions").is_empty(), "nothing is kept");
        code(&refused)
    };
    assert_eq!(pushed(bytes.to_vec()).await, "unsigned");
    let (secret, public) = care_engine::new_branch_key().expect("a key");
    let signed = care_engine::sign_component(bytes, &secret).expect("signed");
    assert_eq!(pushed(signed.clone()).await, "unknown-key");
    let id = engine.add_key(&public, "city-author", "350100", "administrator", NOW).await.expect("registered");
    assert_eq!(pushed(signed.clone()).await, "other-region");
    // The signature of another component, moved over.
    let (_, foreign) =
        care_sandbox::package::split_signature(&support::signed(engine, "city-author", &of_xiamen("9.0.0")));
    let moved = care_sandbox::package::with_signature(bytes, &foreign.expect("a signature")).expect("a component");
    assert_eq!(pushed(moved).await, "wrong-signature");
    let garbage = care_sandbox::package::with_signature(bytes, b"{}").expect("a component");
    assert_eq!(pushed(garbage).await, "wrong-signature");
    assert_eq!(code(&engine.revoke_key(&id, " ", "administrator", NOW).await.expect_err("no reason")), "no-reason");
    let flagged = engine.revoke_key(&id, "lost laptop", "administrator", NOW).await.expect("revoked");
    assert!(flagged.is_empty());
    assert_eq!(pushed(signed).await, "revoked-key");
}

/// Whoever owns the key that signed is one who wrote it; and what a revoked key signed is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_of_the_key_cannot_decide_and_a_revocation_names_what_it_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 500).await;
    let (secret, public) = care_engine::new_branch_key().expect("a key");
    let key = engine.add_key(&public, "provincial-approver", "350000", "administrator", NOW).await.expect("registered");
    let component = fs::read(plugin("points-expiry")).expect("a plugin");
    let signed = care_engine::sign_component(&component, &secret).expect("signed");
    let id = engine.push(&signed, "branch-author", NOW).await.expect("an accepted upload").submission;
    support::simulated(&engine, id, &Conditions::default()).await;
    let own = engine.approve(id, &Conditions::default(), &care(), "provincial-approver", NOW).await;
    assert_eq!(code(&own.expect_err("the key's owner")), "four-eyes");
    engine.approve(id, &Conditions::default(), &care(), "second-approver", NOW).await.expect("somebody else");
    let flagged = engine.revoke_key(&key, "left the company", "administrator", NOW).await.expect("revoked");
    assert_eq!(flagged, ["points-expiry 1.0.0"]);
}

async fn nothing_is_approved_without_fresh_evidence_of_exactly_its_terms(engine: &Engine, id: i64) {
    let approve = async |conditions: &Conditions, at: i64| {
        engine.approve(id, conditions, &care(), "provincial-approver", at).await
    };
    let whole = Conditions::default();
    assert_eq!(code(&approve(&whole, NOW).await.expect_err("never simulated")), "no-evidence");
    let tenth = Conditions { share: Some(1_000), ..Conditions::default() };
    support::simulated(engine, id, &tenth).await;
    assert_eq!(code(&approve(&whole, NOW).await.expect_err("simulated on a tenth")), "no-evidence");
    let second = support::simulated(engine, id, &whole).await;
    let day = 86_400_000;
    assert_eq!(code(&approve(&whole, NOW + 9 * day).await.expect_err("nine days later")), "old-evidence");
    let differences = engine.compare_simulations(second - 1, second).await.expect("two simulations");
    assert!(differences.iter().any(|d| d.figure.contains("cleared")), "{differences:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_grows_a_second_version_runs_and_a_rollback_is_a_re_point() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    let canary = Conditions { share: Some(1_000), ..Conditions::default() };
    let first = approved(&engine, &of_xiamen("1.0.0"), &canary).await;
    let campaign = started(&engine, "points-expiry", json!({})).await;
    let small = run(&engine, &plan_of(DATE)).await;
    assert_eq!(state_in(&small), [(campaign.as_str(), "1.0.0")]);
    approved(&engine, &of_xiamen("1.1.0"), &Conditions::default()).await;
    let move_to = async |requirement: &str| {
        let requirement = requirement.parse().expect("a requirement");
        engine.repoint_campaign(&campaign, &requirement, &Map::new(), "operator", NOW).await
    };
    assert_eq!(move_to("^1").await.expect("the newest").version.to_string(), "1.1.0");
    let mut request = plan_of(DATE);
    request.wave = 2;
    let whole = run(&engine, &request).await;
    assert_eq!(state_in(&whole), [(campaign.as_str(), "1.1.0")]);
    assert!(whole.added > 5 * small.added.max(1), "the canary was a tenth: {} then {}", small.added, whole.added);
    assert_eq!(move_to("=1.0.0").await.expect("back").version.to_string(), "1.0.0");
    // What is suspended or retired is no version that a requirement finds.
    engine.suspend(first, "too many calls", "duty-officer", NOW).await.expect("suspended");
    assert_eq!(move_to("^1").await.expect("the other").version.to_string(), "1.1.0");
    assert_eq!(code(&move_to("=1.0.0").await.expect_err("suspended")), "not-approved");
    engine.retire(first, "replaced", "provincial-approver", NOW).await.expect("retired");
    assert_eq!(code(&move_to("=1.0.0").await.expect_err("retired")), "not-approved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_withdrawn_while_its_contacts_waited_never_goes_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    support::approved(&engine, "birthday", &Conditions::default()).await;
    started(&engine, "birthday", json!({})).await;
    let id = approved(&engine, &of_xiamen("1.0.0"), &Conditions::default()).await;
    let campaign = started(&engine, "points-expiry", json!({})).await;
    let plan = run(&engine, &plan_of(DATE)).await;
    let waiting = plan.activities.iter().find(|a| a.campaign == campaign).map(|a| a.contacts["released"]);
    let by_author = engine.withdraw(id, "sorry", "city-author", NOW).await;
    assert_eq!(code(&by_author.expect_err("not the author's any more")), "not-allowed");
    let withdrawn = engine.withdraw(id, "the tariff was wrong", "provincial-approver", NOW).await;
    assert_eq!(Some(withdrawn.expect("withdrawn")), waiting.filter(|n| *n > 0));
    assert!(dispatched(&engine).await.sent > 0, "the others go out");
    let sent = lines(&outbox(folder.path()));
    assert!(sent.iter().all(|line| line["campaign"] != campaign.as_str()), "nothing of it goes out afterwards");
    assert!(!engine.campaign(&campaign).await.expect("the campaign").active);
    let new = support::campaign("points-expiry", None, json!({}));
    let anew = engine.start_campaign(&new, "operator", NOW);
    assert_eq!(code(&anew.await.expect_err("not approved any more")), "not-approved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_version_neither_plans_nor_sends_until_it_is_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    let id = approved(&engine, &of_xiamen("1.0.0"), &Conditions::default()).await;
    started(&engine, "points-expiry", json!({})).await;
    let added = run(&engine, &plan_of(DATE)).await.added;
    engine.suspend(id, "too many complaints", "duty-officer", NOW).await.expect("suspended");
    let done = dispatched(&engine).await;
    assert_eq!((done.sent, done.held + done.later), (0, added));
    let mut again = plan_of(DATE);
    again.wave = 2;
    let idle = engine.run_plan(&again, "operator", NOW, Arc::new(|_| true)).await;
    assert_eq!(code(&idle.expect_err("nothing is due")), "nothing-due");
    let early = engine.resume(id, "", "duty-officer", NOW).await;
    assert_eq!(code(&early.expect_err("the province's to say")), "not-allowed");
    engine.resume(id, "mended", "provincial-approver", NOW).await.expect("resumed");
    assert_eq!(dispatched(&engine).await.sent, done.held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thrown_switch_holds_what_it_names_and_lifting_it_loses_nothing() {
    let (folder, engine) = support::at_work(20_000, &["birthday", "points-expiry"]).await;
    let added = run(&engine, &plan_of(DATE)).await.added;
    let component = engine.store().campaigns().await.expect("campaigns")[0].component.clone();
    for scope in [
        Scope::Everything,
        Scope::Activity("birthday".into()),
        Scope::Version(component),
        Scope::Region("350000".into()),
        Scope::Region("350200".into()),
        Scope::Channel(care_domain::contact::Channel::Sms),
    ] {
        let copy = support::copy_of(folder.path());
        let engine = support::open(copy.path()).await;
        engine.throw_switch(scope.clone(), "stop", "duty-officer", NOW).await.expect("thrown");
        let done = dispatched(&engine).await;
        assert!(done.held > 0, "{scope:?} holds nothing");
        let sent = sent_contacts(&engine, copy.path()).await;
        assert_eq!(sent.len() as u64, done.sent);
        for contact in &sent {
            let c = &contact.planned;
            let target = care_domain::switch::Target {
                campaign: &c.campaign,
                activity: &c.activity,
                component: &c.component,
                region: &c.region,
                channel: c.channel,
            };
            assert!(!scope.stops(&target), "{scope:?} let {c:?} through");
        }
        let early = engine.lift_switch(&scope, "", "duty-officer", NOW).await;
        assert_eq!(code(&early.expect_err("the province's to lift")), "not-allowed");
        engine.lift_switch(&scope, "mended", "provincial-approver", NOW).await.expect("lifted");
        let rest = dispatched(&engine).await;
        assert_eq!((rest.held, done.sent + rest.sent + rest.later), (0, added), "{scope:?}");
    }
}

/// The contacts that stand in the gateways' files.
async fn sent_contacts(engine: &Engine, folder: &Path) -> Vec<care_store::StoredContact> {
    let ids: BTreeSet<String> =
        lines(&outbox(folder)).iter().filter_map(|l| l["contact"].as_str().map(str::to_owned)).collect();
    let mut sent = Vec::new();
    for customer in support::customers(engine).await {
        let all = engine.store().contacts_of(customer).await.expect("contacts");
        sent.extend(all.into_iter().filter(|c| ids.contains(&c.planned.id.to_string())));
    }
    sent
}

/// A dispatcher that died between intent and file must not send, when it is run again, what was stopped meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intent_of_before_the_switch_is_taken_back() {
    let (folder, engine) = support::at_work(5_000, &["points-expiry"]).await;
    let added = run(&engine, &plan_of(DATE)).await.added;
    let versions = [engine.store().campaigns().await.expect("campaigns")[0].component.clone()];
    let now = evening();
    let asked = Channel::ALL.map(|channel| Leasing { lease: "nobody", channel, versions: &versions, now, until: now });
    let batch = engine.store().claim("nobody", &asked, 10_000, now).await.expect("a claim").expect("contacts");
    engine.throw_switch(Scope::Everything, "wrong tariff", "duty-officer", NOW).await.expect("thrown");
    let done = dispatched(&engine).await;
    assert_eq!((done.sent, done.held + done.later), (0, added), "{} were claimed", batch.contacts.len());
    assert!(lines(&outbox(folder.path())).is_empty());
    engine.lift_switch(&Scope::Everything, "", "provincial-approver", NOW).await.expect("lifted");
    assert_eq!(dispatched(&engine).await.sent, done.held);
    assert!(states(&engine).await.is_subset(&BTreeSet::from(["sent", "released"])));
}

/// Thrown while a dispatcher is at work: the batch in its hands goes, the next is not claimed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_thrown_in_the_middle_of_a_dispatch_stops_it_before_the_next_batch() {
    let (folder, engine) = support::at_work(150_000, &["balance-reminder", "points-expiry"]).await;
    let added = run(&engine, &plan_of(DATE)).await.added;
    let other = support::open(folder.path()).await;
    let batches = std::sync::atomic::AtomicUsize::new(0);
    let throw = |_| {
        if batches.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            let thrown = other.throw_switch(Scope::Everything, "wrong tariff", "duty-officer", NOW);
            let handle = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| handle.block_on(thrown)).expect("thrown");
        }
        true
    };
    let done = engine.dispatch("operator", evening(), &throw).await.expect("dispatch");
    assert_eq!(batches.into_inner(), 1, "no second batch is claimed");
    assert!(done.sent > 0 && done.held > 0, "{done:?}");
    assert_eq!(done.sent + done.held + done.later, added);
    assert_eq!(lines(&outbox(folder.path())).len() as u64, done.sent);
}
