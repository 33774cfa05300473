//! The agent's desk told as stories: three prompts at most, each said once, and an acceptance that stops the rest.

use crate::event_story::{ten, without_control};
use crate::support::{self, NOW, plan_of, run};
use care_domain::approval::Conditions;
use care_domain::key::CustomerKey;
use care_domain::verdict::Verdict;
use care_engine::{Call, Engine, FollowUp, Prompts};
use care_tests::DATE;
use serde_json::json;
use tempfile::TempDir;

const AGENT: &str = "customer-service";

async fn desk() -> (TempDir, Engine, CustomerKey) {
    let (folder, engine) = support::at_work(2_000, &["balance-reminder", "points-expiry", "green-bill"]).await;
    without_control(&engine).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let decided = support::decisions(&engine, &summary.plan).await;
    let reminded = support::with(&decided, "balance-reminder", Verdict::Cleared);
    let who = reminded.iter().map(|d| d.customer).find(|key| {
        let others = support::of(&decided, *key);
        !others.contains_key("points-expiry") && !others.contains_key("green-bill")
    });
    (folder, engine, who.expect("somebody who is only to be reminded"))
}

fn call(who: CustomerKey, topic: &str) -> Call {
    Call { customer: who.to_string(), channel: "hotline".into(), topic: topic.into() }
}

async fn asks(engine: &Engine, who: CustomerKey, at: i64) -> Prompts {
    let (prompts, shown) = engine.touchpoint(&call(who, "balance"), AGENT, at).await.expect("an answer");
    engine.keep_call(&shown).await.expect("a kept call");
    prompts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acceptance_stops_the_outbound_contact_and_sends_the_one_approved_message() {
    let (folder, engine, who) = desk().await;
    assert_eq!(support::states(&engine, who, "balance-reminder").await, ["released"]);
    let first = asks(&engine, who, ten()).await;
    assert_eq!((first.call_today, first.hint, first.prompts.len()), (1, None, 1));
    let prompt = &first.prompts[0];
    assert_eq!(prompt.activity, "balance-reminder");
    assert!(prompt.script.contains("余额") && prompt.sms.as_ref().is_some_and(|sms| sms.contains("充值")));
    // The customer hangs up and calls again: a hint, and the prompt again, since nobody answered it.
    let second = asks(&engine, who, ten() + 600_000).await;
    assert_eq!(second.call_today, 2);
    let hint = second.hint.expect("a hint");
    assert!(hint.zh.contains("第2次") && hint.en.contains("call 2 today") && hint.en.contains("10:00"), "{hint:?}");
    let prompt = &second.prompts[0];
    let answered = engine.answer_prompt(&prompt.id, true, Some(FollowUp::Sms), AGENT, ten() + 660_000).await;
    let answered = answered.expect("an answer");
    assert_eq!(answered.stopped, 1, "what waited outbound is stopped");
    let mut states = support::states(&engine, who, "balance-reminder").await;
    states.sort_unstable();
    assert_eq!(states, ["cancelled", "released", "sent"]);
    let again = engine.answer_prompt(&prompt.id, false, None, AGENT, ten() + 670_000).await.expect_err("once");
    assert_eq!(again.findings()[0].code, "answered-before");
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    let sent = support::lines(&support::outbox(folder.path()));
    let follow_up = answered.follow_up.expect("a message");
    let mine: Vec<_> = sent.iter().filter(|line| line["contact"] == follow_up.as_str()).collect();
    assert_eq!(mine.len(), 1, "sent once");
    assert!(mine[0]["text"].as_str().is_some_and(|text| text.contains("充值")));
    // The occasion is used: neither the desk nor a plan speaks of it again.
    assert_eq!(asks(&engine, who, ten() + 900_000).await.prompts, []);
    let mut wave = plan_of(DATE);
    wave.wave = 2;
    let summary = run(&engine, &wave).await;
    let decided = support::decisions(&engine, &summary.plan).await;
    assert_eq!(support::of(&decided, who)["balance-reminder"].rule, "same-occasion");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_declined_is_not_shown_again_and_stops_nothing() {
    let (_folder, engine, who) = desk().await;
    let prompt = asks(&engine, who, ten()).await.prompts.remove(0);
    let refused = engine.answer_prompt(&prompt.id, false, Some(FollowUp::Sms), AGENT, ten()).await;
    assert_eq!(refused.expect_err("nothing follows").findings()[0].code, "no-follow-up");
    let refused = engine.answer_prompt(&prompt.id, true, Some(FollowUp::Task), AGENT, ten()).await;
    assert_eq!(refused.expect_err("no such follow-up").findings()[0].code, "no-follow-up");
    let answered = engine.answer_prompt(&prompt.id, false, None, AGENT, ten()).await.expect("an answer");
    assert_eq!((answered.stopped, answered.follow_up), (0, None));
    assert_eq!(support::states(&engine, who, "balance-reminder").await, ["released"]);
    assert_eq!(asks(&engine, who, ten() + 60_000).await.prompts, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_pays_for_the_messages_after_a_call_too_and_for_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 2_000).await;
    without_control(&engine).await;
    // One short message costs 5 fen a segment: this pays for the first customer's and not for another one.
    let conditions = Conditions { budget_fen: Some(19), ..Conditions::default() };
    support::approved(&engine, "balance-reminder", &conditions).await;
    support::started(&engine, "balance-reminder", json!({})).await;
    let (mut sent, mut refused, mut spent) = (0, 0, 0);
    for who in support::customers(&engine).await {
        let Some(prompt) = asks(&engine, who, ten()).await.prompts.pop() else { continue };
        let answered = engine.answer_prompt(&prompt.id, true, Some(FollowUp::Sms), AGENT, ten()).await;
        if let Err(error) = answered {
            assert_eq!(error.findings()[0].code, "budget-spent");
            assert_eq!(support::states(&engine, who, "balance-reminder").await, [] as [&str; 0], "nothing is kept");
            // Without a follow-up the acceptance is kept as ever.
            engine.answer_prompt(&prompt.id, true, None, AGENT, ten()).await.expect("an answer");
            refused += 1;
        } else {
            let messages = support::messages(&engine, who, "balance-reminder").await;
            spent += messages.iter().map(|message| message.planned.cost_fen).sum::<u64>();
            sent += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert!(sent >= 1 && refused == 3 && (1..=19).contains(&spent), "{sent} sent, {refused} refused, {spent} fen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_customer_gets_more_than_three_prompts_and_the_best_come_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), 2_000).await;
    without_control(&engine).await;
    for name in ["balance-reminder", "points-expiry", "green-bill", "birthday"] {
        support::approved(&engine, name, &Conditions::default()).await;
        support::started(&engine, name, json!({})).await;
    }
    let (mut most, mut shown) = (0, 0);
    for who in support::customers(&engine).await.into_iter().take(600) {
        let (prompts, _) = engine.touchpoint(&call(who, "bill"), AGENT, ten()).await.expect("an answer");
        most = most.max(prompts.prompts.len());
        shown += usize::from(!prompts.prompts.is_empty());
        let classes: Vec<bool> = prompts.prompts.iter().map(|p| p.activity == "green-bill").collect();
        assert!(classes.is_sorted(), "service before care: {:?}", prompts.prompts);
    }
    assert!((2..=3).contains(&most) && shown > 20, "{most} {shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_makes_no_sense_is_told_so() {
    let (_folder, engine, who) = desk().await;
    let refused = async |customer: &str, channel: &str, topic: &str, by: &str| {
        let call = Call { customer: customer.into(), channel: channel.into(), topic: topic.into() };
        let error = engine.touchpoint(&call, by, ten()).await.expect_err("refused");
        error.findings()[0].code.clone()
    };
    let key = who.to_string();
    assert_eq!(refused("nobody", "hotline", "bill", AGENT).await, "unknown-customer");
    assert_eq!(refused("tel:1", "hotline", "bill", AGENT).await, "unknown-customer");
    assert_eq!(refused(&key, "telepathy", "bill", AGENT).await, "unknown-value");
    assert_eq!(refused(&key, "hotline", "weather", AGENT).await, "unknown-value");
    assert_eq!(refused(&key, "hotline", "bill", "event-source").await, "not-allowed");
    let unknown = engine.answer_prompt("0", true, None, AGENT, NOW).await.expect_err("no such prompt");
    assert_eq!(unknown.findings()[0].code, "unknown-prompt");
}
