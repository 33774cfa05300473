//! Retention: what is old goes once an administrator said how long it is kept, and stays as long as something needs it. It
//! is counted before it goes, and what is left still adds up.

use crate::support::{self, NOW, code, day, evening, plan_of, run};
use care_domain::retention::{Needed, Retention};
use care_domain::time::DAY_MS;
use care_engine::{Call, Engine, EngineError, EvaluationRequest, PlanRequest, Prompts};
use care_tests::{DATE, query};

const ADMINISTRATOR: &str = "administrator";
const YEAR: i64 = 400 * DAY_MS;

fn periods() -> Retention {
    Retention {
        messages: Some(30),
        contacts: Some(60),
        calls: Some(60),
        events: Some(31),
        decision_logs: Some(45),
        outbox: Some(30),
        webhooks: Some(30),
    }
}

async fn set(engine: &Engine, periods: &Retention) -> Result<(), EngineError> {
    engine.set_retention(periods, "", ADMINISTRATOR, NOW).await
}

fn files(engine: &Engine, folder: &str) -> usize {
    let mut folders = vec![engine.folder().join(folder)];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                count += 1;
            }
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_goes_when_nothing_needs_it_any_more() {
    let (_folder, engine) = support::at_work(2_000, &["balance-reminder"]).await;
    let plan = run(&engine, &plan_of(DATE)).await.plan;
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let contacts = engine.store().contact_states().await.expect("contacts").len() as u64;
    assert!(contacts > 0 && files(&engine, "outbox") > 0 && files(&engine, "decisions") > 0);
    let later = evening() + YEAR;

    // Nothing goes that nobody let go.
    let nothing = engine.retain(false, ADMINISTRATOR, later).await.expect("a run");
    assert_eq!((nothing.contacts, nothing.messages, nothing.plans), (0, 0, 0));
    assert_eq!(code(set(&engine, &Retention { messages: Some(3), ..periods() }).await), "bad-retention");
    assert_eq!(code(engine.set_retention(&periods(), "", "operator", NOW).await), "not-allowed");
    set(&engine, &periods()).await.expect("periods");
    let young = engine.retain(false, ADMINISTRATOR, evening() + 20 * DAY_MS).await.expect("a run");
    assert_eq!((young.contacts, young.messages, young.plans, young.outbox_files), (0, 0, 0, 0), "all of it is young");

    // A dry run tells what goes and why what stays does, and changes nothing.
    let dry = engine.retain(true, ADMINISTRATOR, later).await.expect("a dry run");
    assert_eq!((dry.messages, dry.plans, dry.dry_run), (contacts, 1, true));
    let before = engine.store().contact_states().await.expect("contacts");
    let known = engine.store().contacts_by_id(&[before[0].0]).await.expect("a contact").remove(0);
    assert!(!known.planned.slots.is_empty() && known.forgotten_at.is_none());
    let customer = known.planned.customer.to_string();
    assert!(engine.why(&customer, None).await.expect("why").plans.iter().any(|p| p.plan == plan));

    // Its campaign runs: whom it contacted must be known. What was said need not, nor why.
    let report = engine.retain(false, ADMINISTRATOR, later).await.expect("a run");
    assert_eq!((report.messages, report.plans, report.contacts), (contacts, 1, 0), "{report:?}");
    assert_eq!(
        report.kept.iter().map(|kept| (kept.contacts, kept.because)).collect::<Vec<_>>(),
        [(contacts, Needed::OpenOccasions)]
    );
    assert_eq!(engine.store().contact_states().await.expect("contacts"), before, "contacts stay");
    assert_eq!(files(&engine, "outbox"), 0);
    let told = engine.sent_message(&before[0].0.to_string(), "customer-service", later).await.expect("a message");
    assert!(told.text.contains("not kept any more"), "{}", told.text);
    assert!(engine.why(&customer, None).await.expect("why").plans.is_empty(), "nobody knows why any more");
    assert_eq!(code(engine.replay(&plan, None, &|_| ()).await), "forgotten");
    // The same occasions are still not used twice.
    let second = run(&engine, &PlanRequest { wave: 2, ..plan_of(DATE) }).await;
    assert!(second.totals().candidates() > 0 && second.added == 0, "an occasion was used twice: {second:?}");
    engine.verify_audit(None).await.expect("the audit log stands");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_go_after_their_campaign_was_stopped_and_evaluated() {
    let (_folder, engine) = support::at_work(2_000, &["balance-reminder"]).await;
    run(&engine, &plan_of(DATE)).await;
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let contacts = engine.store().contact_states().await.expect("contacts").len() as u64;
    set(&engine, &periods()).await.expect("periods");
    let later = evening() + YEAR;
    engine.stop_campaign("balance-reminder-1", "operator", later - 100 * DAY_MS).await.expect("stopped");
    let report = engine.retain(false, ADMINISTRATOR, later).await.expect("a run");
    assert_eq!((report.contacts, report.kept[0].because), (0, Needed::Evaluation), "nobody knows whether it helped");
    let request = EvaluationRequest { campaign: "balance-reminder-1".into(), host_only: true, ..Default::default() };
    let found = engine.evaluate(&request).await.expect("an evaluation");
    engine.keep_evaluation(&found, "operator", later).await.expect("kept");
    // The host does it by itself, once a day.
    let report = engine.retain_daily(later + DAY_MS).await.expect("a run").expect("a report");
    assert_eq!((report.contacts, report.kept.len()), (contacts, 0), "{report:?}");
    assert_eq!(report.held_out, found.compared.control.count, "whom it held out goes with it");
    assert!(engine.store().contact_states().await.expect("contacts").is_empty());
    assert_eq!(engine.retain_daily(later + DAY_MS).await.expect("a run"), None, "once a day");
    let runs = engine.retention_runs(10).await.expect("runs");
    assert_eq!((runs[0].by.as_str(), &runs[0].report["contacts"]), ("host", &contacts.into()));
    // Nothing else may delete from the ledger, and what it tells still adds up.
    let plan = engine.plan(None).await.expect("a plan");
    let summary = engine.plan_summary(&plan.id).await.expect("a summary");
    let activity = &summary.activities[0];
    assert_eq!(activity.finals.values().sum::<u64>(), activity.selected, "{activity:?}");
    assert!(activity.finals["forgotten"] > 0 && day(DATE) == summary.date);
    engine.verify_audit(None).await.expect("the audit log stands");
}

const AGENT: &str = "customer-service";

/// Somebody calls about their balance.
async fn calls(engine: &Engine, customer: &str) -> Prompts {
    let call = Call { customer: customer.into(), channel: "hotline".into(), topic: "balance".into() };
    let (prompts, shown) = engine.touchpoint(&call, AGENT, evening()).await.expect("an answer");
    engine.keep_call(&shown).await.expect("a kept call");
    prompts
}

/// Calls until three customers were each shown something: one accepts it, one declines, one hangs up. Whoever declined, and
/// what was left unanswered.
async fn three_calls(engine: &Engine) -> (String, String) {
    let mut shown = Vec::new();
    for number in 1..400 {
        let customer = format!("FJ{number:09}");
        if let Some(prompt) = calls(engine, &customer).await.prompts.first() {
            shown.push((customer, prompt.id.clone()));
        }
        if shown.len() == 3 {
            break;
        }
    }
    let [accepts, declines, hangs_up] = shown.try_into().expect("three who need something");
    engine.answer_prompt(&accepts.1, true, None, AGENT, evening()).await.expect("an answer");
    engine.answer_prompt(&declines.1, false, None, AGENT, evening()).await.expect("an answer");
    (declines.0, hangs_up.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_with_what_was_said_in_them_and_what_was_declined_is_not_offered_again() {
    let (folder, engine) = support::at_work(2_000, &["balance-reminder"]).await;
    let (declined_by, unanswered) = three_calls(&engine).await;
    let count = |what: &str| query(folder.path(), "care.db", &format!("SELECT COUNT(*) FROM {what}")).parse::<u64>();
    let (all_calls, prompts) = (count("calls").expect("a count"), count("prompts").expect("a count"));
    set(&engine, &periods()).await.expect("periods");

    // After a month nobody knows any more what was said; that it was declined is known.
    let month = evening() + 40 * DAY_MS;
    let dry = engine.retain(true, ADMINISTRATOR, month).await.expect("a dry run");
    let report = engine.retain(false, ADMINISTRATOR, month).await.expect("a run");
    assert_eq!((dry.prompts, report.prompts, report.calls), (prompts, prompts, 0), "{report:?}");
    let slots = "prompts WHERE state = 'declined' AND json_extract(document, '$.prompt.slots') = '{}'";
    assert_eq!((count("prompts"), count(slots)), (Ok(1), Ok(1)));
    let late = engine.answer_prompt(&unanswered, true, None, AGENT, month).await;
    assert_eq!(code(late), "unknown-prompt", "what was not answered is over");
    let declined =
        async || engine.store().seen(engine.key_of(&declined_by), evening()).await.expect("earlier calls").declined;
    assert_eq!(declined().await.len(), 1);
    assert_eq!(engine.retain(false, ADMINISTRATOR, month).await.expect("a run").prompts, 0, "once");

    // Calls go after their period, but for the one that keeps something from being offered again.
    let later = evening() + 70 * DAY_MS;
    let dry = engine.retain(true, ADMINISTRATOR, later).await.expect("a dry run");
    let report = engine.retain(false, ADMINISTRATOR, later).await.expect("a run");
    assert_eq!((dry.calls, dry.calls_kept), (report.calls, report.calls_kept));
    assert_eq!((report.calls, report.calls_kept), (all_calls - 1, 1), "{report:?}");
    assert_eq!((count("calls"), declined().await.len()), (Ok(1), 1));
    engine.stop_campaign("balance-reminder-1", "operator", later).await.expect("stopped");
    let report = engine.retain(false, ADMINISTRATOR, later + DAY_MS).await.expect("a run");
    assert_eq!((report.calls, report.calls_kept), (1, 0), "{report:?}");
    assert_eq!((count("calls"), count("prompts")), (Ok(0), Ok(0)));
    // What was accepted stands in the ledger, and what the customers answered among the outcomes.
    assert_eq!(count("contacts WHERE channel = 'touchpoint'"), Ok(1));
    assert_eq!(count("outcomes WHERE kind IN ('accepted', 'declined')"), Ok(2));
    engine.verify_audit(None).await.expect("the audit log stands");
}
