//! What is wrong with a plan's inputs is said before it starts: nothing of it is half done.

use crate::support::{self, NOW, adds_up, code, decisions, plan_of, run, started};
use care_domain::contact::Channel;
use care_domain::policy::{AccountManaged, Class, DaysOffRule, Hours, Policy};
use care_domain::verdict::Verdict;
use care_engine::{Engine, EngineError, NewCampaign, PlanRequest};
use care_tests::DATE;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a plan of the date is refused for; nothing was written.
async fn refused(engine: &Engine, date: &str) -> Vec<String> {
    let known = engine.store().plans().await.expect("plans");
    let Err(error) = engine.run_plan(&plan_of(date), "operator", NOW, Arc::new(|_| true)).await else {
        panic!("the plan of {date} ran")
    };
    assert_eq!(engine.store().plans().await.expect("plans"), known, "a refused plan leaves nothing");
    assert!(error.findings().iter().all(|f| !f.hint.is_empty()), "{error:?}");
    error.findings().iter().map(|f| f.code.clone()).collect()
}

fn calendar(year: i16, days: &[(&str, bool)]) -> (String, String) {
    let days: Vec<_> =
        days.iter().map(|(date, off)| json!({"name": "a holiday", "date": date, "isOffDay": off})).collect();
    (format!("{year}.json"), json!({"year": year, "days": days}).to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_asks_for_days_off_needs_the_years_calendar_and_the_plan_pins_it() {
    let (_folder, engine) = support::at_work(2_000, &["green-bill"]).await;
    let mut policy = Policy { name: "no care on days off".into(), ..Policy::default() };
    policy.classes.entry(Class::Care).and_modify(|rules| rules.days_off = DaysOffRule::Held);
    support::policy(&engine, &policy).await;
    assert_eq!(refused(&engine, DATE).await, ["no-calendar"]);
    let import = |files: Vec<(String, String)>| {
        let engine = engine.clone();
        async move { engine.import_calendars(&files, "operator", NOW).await }
    };
    let hole = calendar(2026, &[("2026-07-27", true), ("2026-07-29", true)]);
    let sound = calendar(2025, &[("2025-10-01", true)]);
    let Err(EngineError::Findings { findings, .. }) = import(vec![sound, hole, calendar(2027, &[])]).await else {
        panic!("a calendar with a hole was taken")
    };
    let codes: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["calendar-hole", "empty-calendar"]);
    assert!(engine.calendars().await.expect("calendars").is_empty(), "all of them or none");
    import(vec![calendar(2026, &[("2026-07-29", true)])]).await.expect("a calendar");
    let plan = run(&engine, &plan_of(DATE)).await;
    adds_up(&engine, &plan).await;
    let pinned = engine.plan(Some(&plan.plan)).await.expect("the plan").pins.calendar;
    assert_eq!(pinned.keys().copied().collect::<Vec<_>>(), [2026]);
    // The 29th is off: everything that still makes sense waits for the 30th.
    let thirtieth = care_domain::time::parse_instant("2026-07-30T08:00").expect("an instant");
    let decided = decisions(&engine, &plan.plan).await;
    let moved = decided.iter().filter(|d| d.channel.is_some_and(Channel::disturbs));
    assert!(moved.clone().count() > 0 && moved.clone().all(|d| d.planned_at >= Some(thirtieth)));
    let other = calendar(2026, &[("2026-07-30", true)]);
    import(vec![other]).await.expect("a later notice");
    let replay = engine.replay(&plan.plan, None, &|_| ()).await.expect("a replay");
    assert!(replay.tasks.iter().all(|t| t.same), "a plan keeps the calendar that it pinned");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_forbids_everything_and_regions_without_a_zone_are_told_before_the_plan_starts() {
    let (_folder, engine) = support::at_work(500, &["points-expiry"]).await;
    let always = Hours { from_minute: 0, to_minute: 1_440 };
    let mute = Policy {
        name: "mute".into(),
        quiet: always,
        capacity: BTreeMap::from([(Channel::Touchpoint, 0)]),
        ..Policy::default()
    };
    support::policy(&engine, &mute).await;
    assert_eq!(refused(&engine, DATE).await, ["policy-forbids-everything"]);
    let zones = BTreeMap::from([("350200".to_owned(), "Asia/Shanghai".to_owned())]);
    support::policy(&engine, &Policy { name: "one city".into(), zones, ..Policy::default() }).await;
    let codes = refused(&engine, DATE).await;
    assert!(codes.len() >= 8 && codes.iter().all(|c| c == "region-without-zone"), "{codes:?}");
    let zones = BTreeMap::from([
        ("350000".to_owned(), "Asia/Shanghai".to_owned()),
        ("510000".to_owned(), "Asia/Chongqing".to_owned()),
    ]);
    support::policy(&engine, &Policy { name: "two provinces".into(), zones, ..Policy::default() }).await;
    let left = refused_or_run(&engine).await;
    assert!(left.iter().all(|c| c == "region-without-zone"), "only regions elsewhere may be left: {left:?}");
}

async fn refused_or_run(engine: &Engine) -> Vec<String> {
    match engine.run_plan(&plan_of(DATE), "operator", NOW, Arc::new(|_| true)).await {
        Ok(_) => Vec::new(),
        Err(error) => error.findings().iter().map(|f| f.code.clone()).collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_older_than_a_campaign_allows_leaves_that_campaign_out() {
    let (_folder, engine) = support::at_work(500, &["birthday"]).await;
    assert_eq!(refused(&engine, "2026-08-06").await, ["snapshot-too-old"], "a week is the most unless told otherwise");
    support::approved(&engine, "points-expiry", &care_domain::approval::Conditions::default()).await;
    let patient = NewCampaign { max_snapshot_days: Some(30), ..support::campaign("points-expiry", None, json!({})) };
    engine.start_campaign(&patient, "operator", NOW).await.expect("a campaign");
    let plan = run(&engine, &plan_of("2026-08-06")).await;
    let blocked: Vec<&str> = plan.blocked.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(blocked, ["snapshot-too-old"]);
    let ran: Vec<&str> = plan.activities.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(ran, ["points-expiry"]);
    assert_eq!(code(engine.start_campaign(&patient, "operator", NOW).await), "same-campaign");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_campaigns_that_claim_one_occasion_are_told_and_one_of_them_has_it() {
    let (_folder, engine) = support::at_work(4_000, &["green-bill"]).await;
    started(&engine, "green-bill", json!({"bill_day_window": 2})).await;
    let plan = run(&engine, &plan_of(DATE)).await;
    adds_up(&engine, &plan).await;
    let told: Vec<&str> = plan.notices.iter().map(|f| f.message.as_str()).collect();
    assert!(
        !told.is_empty() && told.iter().all(|t| t.contains("green-bill-1") && t.contains("green-bill-2")),
        "{told:?}"
    );
    let lost = decisions(&engine, &plan.plan).await;
    let lost = lost.iter().filter(|d| d.verdict == Verdict::Lost && d.rule == "same-occasion");
    assert!(lost.clone().count() > 0 && lost.clone().all(|d| d.winner.is_some()));
    // Another wave of the date finds nothing new; the same wave with other inputs is no wave.
    assert_eq!(run(&engine, &PlanRequest { wave: 2, ..plan_of(DATE) }).await.added, 0);
    engine.stop_campaign("green-bill-2", "operator", NOW).await.expect("stopped");
    assert_eq!(refused(&engine, DATE).await, ["wave-planned"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gold_customers_hear_of_their_points_from_their_account_manager() {
    let (folder, engine) = support::at_work(4_000, &["points-expiry"]).await;
    let account_manager =
        AccountManaged { tiers: vec!["diamond".into(), "gold".into()], classes: vec![Class::Service] };
    support::policy(&engine, &Policy { name: "managed".into(), account_manager, ..Policy::default() }).await;
    let plan = run(&engine, &plan_of(DATE)).await;
    adds_up(&engine, &plan).await;
    let snapshot = engine.snapshot(None, None).await.expect("a snapshot");
    let mut managed = 0;
    for decision in decisions(&engine, &plan.plan).await.iter().filter(|d| d.verdict == Verdict::Cleared) {
        let fields = snapshot.find(decision.customer).expect("a snapshot").expect("a customer");
        let vip = fields.iter().any(|(name, value)| name == "tier" && ["diamond", "gold"].contains(&value.as_str()));
        let channel = decision.channel.expect("a channel");
        assert!(!vip || !channel.is_mass(), "{decision:?}");
        assert!(vip || channel != Channel::AccountManager, "{decision:?}");
        managed += usize::from(channel == Channel::AccountManager);
    }
    assert!(managed > 0);
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    let sent = support::lines(&support::outbox(folder.path()));
    let tasks: Vec<_> = sent.iter().filter(|line| line["channel"] == "account-manager").collect();
    assert_eq!(tasks.len(), managed);
    assert!(tasks.iter().all(|t| t["to"] == t["customer"] && t["text"].as_str().is_some_and(|text| !text.is_empty())));
}
