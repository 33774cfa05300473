//! What follows: a task that a customer at the desk agreed to, a call about a settled complaint, and whether what events
//! caused helped.

use crate::event_story::{arrives, event, may_be_told, send, ten, without_control};
use crate::support::{self, NOW, plan_of, run};
use care_domain::approval::Conditions;
use care_domain::contact::Channel;
use care_domain::key::CustomerKey;
use care_domain::verdict::Verdict;
use care_engine::{Call, Engine, EvaluationRequest, FollowUp, Prompt};
use serde_json::{Value, json};

const AGENT: &str = "customer-service";
const HOUR_MS: i64 = 3_600_000;

/// Asks for customers in turn until somebody has a prompt with a task.
async fn somebody_with_a_task(engine: &Engine) -> (CustomerKey, Prompt) {
    for who in support::customers(engine).await {
        let call = Call { customer: who.to_string(), channel: "hotline".into(), topic: "package".into() };
        let (prompts, shown) = engine.touchpoint(&call, AGENT, ten()).await.expect("an answer");
        engine.keep_call(&shown).await.expect("a kept call");
        if let Some(prompt) = prompts.prompts.into_iter().find(|prompt| prompt.task.is_some()) {
            return (who, prompt);
        }
    }
    panic!("nobody has a package that does not fit")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_for_another_department_is_opened_once_the_customer_agrees() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 2_000).await;
    without_control(&engine).await;
    let examples = care_tests::repository().join("examples");
    let schema = std::fs::read_to_string(examples.join("packages.toml")).expect("a schema");
    engine.import_table("packages", &examples.join("packages.csv"), &schema, "operator", NOW).await.expect("a table");
    support::approved(&engine, "package-recommendation", &Conditions::default()).await;
    support::started(&engine, "package-recommendation", json!({})).await;
    let (who, prompt) = somebody_with_a_task(&engine).await;
    assert!(prompt.task.as_ref().is_some_and(|task| task.contains("商机")), "{prompt:?}");
    assert_eq!(support::messages(&engine, who, "package-recommendation").await.len(), 0, "shown is not said");
    let answered = engine.answer_prompt(&prompt.id, true, Some(FollowUp::Task), AGENT, ten() + 60_000).await;
    let task = answered.expect("an answer").follow_up.expect("a task");
    let made = support::messages(&engine, who, "package-recommendation").await;
    let mut channels: Vec<(Channel, &str)> = made.iter().map(|m| (m.planned.channel, m.state.name())).collect();
    channels.sort_unstable();
    assert_eq!(channels, [(Channel::Touchpoint, "sent"), (Channel::Action, "released")]);
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    let lines = support::lines(&support::outbox(folder.path()));
    let mine: Vec<&Value> = lines.iter().filter(|line| line["contact"] == task.as_str()).collect();
    assert_eq!(mine.len(), 1, "{lines:?}");
    assert_eq!(mine[0]["channel"], "action");
    assert!(mine[0]["text"].as_str().is_some_and(|text| text.contains("商机")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settled_complaint_is_called_back_within_the_deadline_and_escalated_when_late() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 500).await;
    without_control(&engine).await;
    support::approved(&engine, "complaint-call-back", &Conditions::default()).await;
    support::started(&engine, "complaint-call-back", json!({"deadline_hours": 24})).await;
    let who = may_be_told(&engine).await;
    for (i, key) in who[..2].iter().enumerate() {
        send(&engine, &event(&format!("o{i}"), "complaint-opened", *key, ten() - HOUR_MS, json!({})), ten()).await;
        let closed = event(&format!("c{i}"), "complaint-closed", *key, ten(), json!({"complaint-kind": "bill"}));
        assert_eq!(send(&engine, &closed, ten()).await.contacts, Some(1), "each complaint is called back");
    }
    let call = &support::messages(&engine, who[0], "complaint-call-back").await[0];
    assert_eq!((call.planned.channel, call.planned.not_after), (Channel::CallList, ten() + 24 * HOUR_MS));
    // The one was reached; of the other nobody heard.
    engine.dispatch("operator", ten() + HOUR_MS, &|_| true).await.expect("dispatch");
    let line = format!("{},satisfied,2026-07-29T12:00:00+08:00,complaint-call-back,9", who[0]);
    let csv = format!("customer,kind,at,activity,value\n{line}\n");
    let told = engine.import_outcomes(&csv, AGENT, ten() + 3 * HOUR_MS).await.expect("outcomes");
    assert_eq!((told.added, told.rejected), (1, Vec::new()));
    let night = run(&engine, &plan_of("2026-07-31")).await;
    let decided = support::decisions(&engine, &night.plan).await;
    let late = support::with(&decided, "complaint-call-back", Verdict::Cleared);
    let escalated: Vec<CustomerKey> = late.iter().map(|d| d.customer).collect();
    assert_eq!(escalated, [who[1]], "{decided:?}");
    assert!(late.iter().all(|d| d.reason == "late" && d.channel == Some(Channel::Action)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_what_events_caused_helped_is_told_by_the_plugins_fold_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 4_000).await;
    support::approved(&engine, "roaming-tariff", &Conditions::default()).await;
    let campaign = support::started(&engine, "roaming-tariff", json!({})).await;
    let who = may_be_told(&engine).await;
    let events: Vec<Value> = who.iter().take(600).map(|key| arrives(&key.to_string(), *key, ten())).collect();
    let done = send(&engine, &Value::Array(events), ten()).await;
    let request = EvaluationRequest { campaign, ..EvaluationRequest::default() };
    let found = engine.evaluate(&request).await.expect("an evaluation");
    assert_eq!(found.compared.treated.count, done.contacts.expect("a count"));
    assert!(found.compared.control.count > 0, "events have a control group too");
    let goal =
        |treated: bool| found.plugin.iter().find(|m| m.name == "goal" && m.slice.is_empty() && m.treated == treated);
    let counts = [true, false].map(|arm| goal(arm).map(|m| m.count));
    assert_eq!(counts, [Some(found.compared.treated.count), Some(found.compared.control.count)]);
}
