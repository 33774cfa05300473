//! Variants without code: a city says the same otherwise, in its own region, and no more than the province granted.

use crate::gate_story::code;
use crate::support::{self, NOW, care, decisions, evening, lines, outbox, plan_of, populated, run, started};
use care_domain::approval::Conditions;
use care_domain::region;
use care_domain::variant::Variant;
use care_domain::verdict::Verdict;
use care_engine::{Engine, PlanRequest};
use care_tests::DATE;
use serde_json::{Value, json};
use std::sync::Arc;

const WORDS: &str = "尊敬的{host.surname}先生/女士，厦门移动祝您生日快乐，平安喜乐！";

fn of_xiamen() -> Value {
    json!({
        "activity": "birthday", "version": "1.0.0", "name": "xiamen", "owner_region": "350200",
        "params": {"desk_brands": []},
        "wording": {"wish": {"sms": {"zh": WORDS, "en": "Dear Mr/Ms {host.surname}, Xiamen Mobile wishes you a happy birthday."}}},
    })
}

async fn proposed(engine: &Engine, variant: &Value) -> Result<i64, String> {
    let variant: Variant = serde_json::from_value(variant.clone()).expect("a variant");
    match engine.propose_variant(&variant, "city-author", NOW).await {
        Ok(pushed) => Ok(pushed.submission),
        Err(error) => Err(code(&error)),
    }
}

pub(crate) async fn approved(engine: &Engine) -> i64 {
    let id = proposed(engine, &of_xiamen()).await.expect("an accepted proposal");
    engine.pass_city(id, "warmer", "city-reviewer", NOW).await.expect("the city");
    support::simulated(engine, id, &Conditions::default()).await;
    engine.approve(id, &Conditions::default(), &care(), "provincial-approver", NOW).await.expect("an approval");
    id
}

pub(crate) async fn variant_started(engine: &Engine) -> String {
    let new = support::campaign("birthday", Some("xiamen"), json!({}));
    engine.start_campaign(&new, "operator", NOW).await.expect("a campaign").campaign
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_says_it_in_its_own_words_and_every_customer_hears_it_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    support::approved(&engine, "birthday", &Conditions::default()).await;
    let base = started(&engine, "birthday", json!({})).await;
    let id = approved(&engine).await;
    let found = engine.submission(id).await.expect("the submission");
    let (since, changes) = engine.changes(&found).await.expect("changes").expect("against its base");
    let changes: Vec<String> = changes.into_iter().map(|change| change.what).collect();
    assert_eq!(since.to_string(), "1.0.0");
    assert!(changes.iter().any(|c| c.contains("template \"wish\"") || c.contains("template wish")), "{changes:?}");
    let other = started(&engine, "birthday", json!({"call_vip": true})).await;
    engine.stop_campaign(&other, "operator", NOW).await.expect("a campaign of the base, not of the variant");
    let variant = variant_started(&engine).await;
    let plan = run(&engine, &plan_of(DATE)).await;
    support::adds_up(&engine, &plan).await;
    let mut counted = [0, 0];
    for decision in decisions(&engine, &plan.plan).await.iter().filter(|d| d.verdict == Verdict::Cleared) {
        let contacts = support::messages(&engine, decision.customer, "birthday").await;
        assert_eq!(contacts.len(), 1, "one occasion, one contact");
        let in_xiamen = region::covers("350200", &contacts[0].planned.region);
        assert_eq!(decision.campaign == variant, in_xiamen, "{decision:?}");
        counted[usize::from(in_xiamen)] += 1;
    }
    assert!(counted[0] > 0 && counted[1] > 0, "{counted:?}");
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let sent = lines(&outbox(folder.path()));
    let text = |line: &Value| line["text"].as_str().expect("a text").to_owned();
    let of = |campaign: &str| sent.iter().filter(|l| l["campaign"] == *campaign).map(text).collect::<Vec<_>>();
    assert!(of(&variant).iter().all(|text| text.contains("厦门移动") || text.contains("Xiamen Mobile")));
    assert!(!of(&variant).is_empty() && of(&base).iter().all(|text| !text.contains("厦门移动")));
    for task in engine.replay(&plan.plan, None, &|_| ()).await.expect("a replay").tasks {
        assert!(task.same, "{:?}", task.difference);
    }
    // Re-pointed, a variant stays the variant; a second wave adds nothing.
    let any = "*".parse().expect("a requirement");
    let moved = engine.repoint_campaign(&variant, &any, &serde_json::Map::new(), "operator", NOW).await.expect("moved");
    assert_eq!(moved.version.to_string(), "1.0.0+xiamen");
    assert_eq!(run(&engine, &PlanRequest { wave: 2, ..plan_of(DATE) }).await.added, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variant_ends_with_its_base() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    support::approved(&engine, "birthday", &Conditions::default()).await;
    approved(&engine).await;
    let variant = variant_started(&engine).await;
    let added = run(&engine, &plan_of(DATE)).await.added;
    assert!(added > 0);
    engine.suspend(1, "complaints", "duty-officer", NOW).await.expect("suspended");
    let done = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    assert_eq!(done.sent, 0, "its base is held");
    let idle = engine.run_plan(&PlanRequest { wave: 2, ..plan_of(DATE) }, "operator", NOW, Arc::new(|_| true)).await;
    assert_eq!(code(&idle.expect_err("held with its base")), "base-not-running");
    let withdrawn = engine.withdraw(1, "wrong", "provincial-approver", NOW).await.expect("withdrawn");
    assert_eq!(withdrawn, added);
    assert!(!engine.campaign(&variant).await.expect("the campaign").active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_variant_may_not_change_is_told_all_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 1_000).await;
    let unknown = proposed(&engine, &of_xiamen()).await;
    assert_eq!(unknown, Err("unknown-activity".into()));
    let in_fujian = Conditions { regions: vec!["350000".into()], ..Conditions::default() };
    support::approved(&engine, "birthday", &in_fujian).await;
    let refused = async |edit: fn(&mut Value)| {
        let mut variant = of_xiamen();
        edit(&mut variant);
        proposed(&engine, &variant).await.expect_err("refused")
    };
    assert_eq!(refused(|v| v["version"] = "1.0.1".into()).await, "unknown-version");
    assert_eq!(refused(|v| v["owner_region"] = "350100".into()).await, "other-region");
    assert_eq!(refused(|v| v["name"] = "Xia Men".into()).await, "variant-name");
    assert_eq!(refused(|v| v["params"] = json!({"send_houre": 9})).await, "variant-param");
    assert_eq!(refused(|v| v["params"] = json!({"send_hour": 99})).await, "manifest-params");
    assert_eq!(refused(|v| v["wording"]["wish"]["sms"]["zh"] = "您的余额为{balance}".into()).await, "variant-wording");
    assert_eq!(refused(|v| v["wording"]["wish"]["sms"]["zh"] = "{".into()).await, "manifest-body");
    assert_eq!(
        refused(|v| v["wording"] = json!({"wish": {"email": {"zh": "好", "en": "good"}}})).await,
        "variant-wording"
    );
    let mut both = of_xiamen();
    both["params"] = json!({"send_houre": 9});
    both["wording"] = json!({"wisch": {"sms": {"zh": "好", "en": "good"}}});
    let both: Variant = serde_json::from_value(both).expect("a variant");
    let told = engine.propose_variant(&both, "city-author", NOW).await.expect_err("refused");
    assert_eq!(told.findings().len(), 2, "{told}");
    assert!(told.to_string().contains("send_hour") || told.findings()[0].hint.contains("send_hour"), "{told}");
    let id = proposed(&engine, &of_xiamen()).await.expect("an accepted proposal");
    assert_eq!(proposed(&engine, &of_xiamen()).await, Ok(id), "the same again is the same submission");
    assert_eq!(refused(|v| v["params"] = json!({"send_hour": 10})).await, "variant-exists");
    engine.pass_city(id, "", "city-reviewer", NOW).await.expect("the city");
    let beyond = Conditions { weight: Some(900), ..Conditions::default() };
    let told = engine.approve(id, &beyond, &care(), "provincial-approver", NOW).await.expect_err("beyond its base");
    assert_eq!(code(&told), "bad-condition");
    assert!(told.to_string().contains("the weight"), "{told}");
}
