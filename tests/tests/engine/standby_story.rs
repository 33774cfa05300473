//! Standby: a disaster response approved ahead, activated by the duty officer within bounds, reviewed within 24 hours.

use crate::gate_story::code;
use crate::support::{self, NOW, care, decisions, plan_of, populated, run};
use care_domain::approval::Conditions;
use care_domain::person::{Appointment, Role};
use care_domain::standby::{Bounds, REVIEW_WITHIN_MS, Standby};
use care_domain::verdict::Verdict;
use care_engine::{Engine, EngineError, PlanRequest, Started};
use care_tests::DATE;
use serde_json::json;
use std::sync::Arc;

/// When the duty officer acts: within a day of the plan.
const ACTIVATED: i64 = NOW + 2 * 3_600_000;

fn ahead() -> Conditions {
    let standby = Standby { areas: vec!["510000".into()], days: 30 };
    Conditions { standby: Some(standby), ..Conditions::default() }
}

fn bounds(areas: &[&str], from: &str, until: &str) -> Bounds {
    let areas = areas.iter().map(|&area| area.to_owned()).collect();
    Bounds { areas, from: support::day(from), until: support::day(until) }
}

async fn activated(engine: &Engine, bounds: &Bounds, by: &str) -> Result<Started, EngineError> {
    let new = support::campaign("disaster-response", None, json!({"onset": "2026-07-28"}));
    engine.activate_standby(&new, bounds, "earthquake at Wenchuan", by, ACTIVATED).await
}

/// An installation that is prepared.
async fn prepared() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 20_000).await;
    support::approved(&engine, "disaster-response", &ahead()).await;
    (folder, engine)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_duty_officer_activates_and_only_within_bounds() {
    let (_folder, engine) = prepared().await;
    let new = support::campaign("disaster-response", None, json!({"onset": "2026-07-28"}));
    let ordinary = engine.start_campaign(&new, "operator", NOW).await;
    assert_eq!(code(&ordinary.expect_err("it waits for an emergency")), "on-standby");
    let good = bounds(&["513200"], "2026-07-28", DATE);
    assert_eq!(code(&activated(&engine, &good, "operator").await.expect_err("an operator")), "not-allowed");
    for bad in [
        bounds(&[], "2026-07-28", DATE),
        bounds(&["620000"], "2026-07-28", DATE),
        bounds(&["513200"], "2026-07-28", "2026-08-27"),
        bounds(&["513200"], DATE, "2026-07-28"),
    ] {
        assert_eq!(code(&activated(&engine, &bad, "duty-officer").await.expect_err("out of bounds")), "out-of-bounds");
    }
    assert!(engine.store().campaigns().await.expect("campaigns").is_empty());
    activated(&engine, &good, "duty-officer").await.expect("activated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stands_in_the_area_is_reached_and_nobody_else() {
    let (_folder, engine) = prepared().await;
    let campaign =
        activated(&engine, &bounds(&["513221"], "2026-07-28", DATE), "duty-officer").await.expect("activated");
    let plan = run(&engine, &plan_of(DATE)).await;
    support::adds_up(&engine, &plan).await;
    let decided = decisions(&engine, &plan.plan).await;
    let outside = decided.iter().filter(|d| d.verdict == Verdict::OutOfRegion && d.rule == "area").count();
    let inside = decided.iter().filter(|d| d.verdict == Verdict::Cleared).count();
    assert!(outside > 0 && inside > 0, "{inside} inside, {outside} outside");
    assert_eq!(plan.activities[0].campaign, campaign.campaign);
    for task in engine.replay(&plan.plan, None, &|_| ()).await.expect("a replay").tasks {
        assert!(task.same, "{:?}", task.difference);
    }
    // The day after its last one it is over.
    let idle = engine.run_plan(&plan_of("2026-07-30"), "operator", NOW, Arc::new(|_| true)).await;
    assert_eq!(code(&idle.expect_err("over")), "nothing-due");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activation_that_nobody_reviewed_in_time_plans_no_further() {
    let (_folder, engine) = prepared().await;
    let until = bounds(&["513200"], "2026-07-28", "2026-08-05");
    let campaign = activated(&engine, &until, "duty-officer").await.expect("activated").campaign;
    let late = PlanRequest { wave: 2, instant: ACTIVATED + REVIEW_WITHIN_MS + 1, ..plan_of(DATE) };
    let overdue = engine.run_plan(&late, "operator", NOW, Arc::new(|_| true)).await;
    assert_eq!(code(&overdue.expect_err("left out")), "review-overdue");
    let second = Appointment { person: "duty-officer".into(), role: Role::ProvincialApprover, region: "350000".into() };
    engine.appoint(&second, "administrator", NOW).await.expect("a second role");
    let own = engine.review_activation(&campaign, true, "I was right", "duty-officer", NOW).await;
    assert_eq!(code(&own.expect_err("one pair of eyes")), "four-eyes");
    engine.review_activation(&campaign, true, "confirmed", "provincial-approver", NOW).await.expect("upheld");
    let again = engine.review_activation(&campaign, false, "or not", "second-approver", NOW).await;
    assert_eq!(code(&again.expect_err("once")), "decided-once");
    assert!(run(&engine, &late).await.added > 0, "reviewed, it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_alarm_is_ended_and_what_waits_goes_nowhere() {
    let (_folder, engine) = prepared().await;
    let campaign = activated(&engine, &bounds(&["513200"], "2026-07-28", DATE), "duty-officer").await;
    let campaign = campaign.expect("activated").campaign;
    let added = run(&engine, &plan_of(DATE)).await.added;
    assert!(added > 0);
    let silent = engine.review_activation(&campaign, false, " ", "provincial-approver", NOW).await;
    assert_eq!(code(&silent.expect_err("without a word")), "no-reason");
    let withdrawn = engine.review_activation(&campaign, false, "false alarm", "provincial-approver", NOW).await;
    assert_eq!(withdrawn.expect("ended"), added);
    let idle = engine.run_plan(&PlanRequest { wave: 2, ..plan_of(DATE) }, "operator", NOW, Arc::new(|_| true)).await;
    assert_eq!(code(&idle.expect_err("ended")), "nothing-due");
    let all = engine.activations().await.expect("activations");
    assert_eq!((all.len(), all[0].1.review.state(), all[0].0.active), (1, "ended", false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_disaster_response_is_approved_ahead() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 500).await;
    let bytes = std::fs::read(care_tests::plugin("birthday")).expect("a plugin");
    let signed = support::signed(&engine, "branch-author", &bytes);
    let id = engine.push(&signed, "branch-author", NOW).await.expect("an accepted upload").submission;
    let refused = engine.approve(id, &ahead(), &care(), "provincial-approver", NOW).await.expect_err("no disaster");
    assert_eq!(code(&refused), "bad-condition");
    assert!(refused.to_string().contains("standby"), "{refused}");
}
