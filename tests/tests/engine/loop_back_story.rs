//! The loop back: a finding about a running version is mended by its next one, and by nothing else.

use crate::gate_story::{code, rewritten};
use crate::support::{self, NOW, approved_bytes, evening, plan_of, populated, run, started};
use crate::two_contracts_story::pilot_that_counts_seven;
use care_domain::approval::Conditions;
use care_domain::time::DAY_MS;
use care_domain::verdict::Verdict;
use care_engine::{About, EvaluationRequest, KnowledgeQuery, NewFinding, OutcomeReport, OutcomeSource};
use care_tests::DATE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_is_closed_by_the_next_approved_version() {
    let (_folder, engine) = support::at_work(4_000, &["green-bill"]).await;
    run(&engine, &plan_of(DATE)).await;
    let request = EvaluationRequest { campaign: "green-bill-1".into(), ..EvaluationRequest::default() };
    let found = engine.evaluate(&request).await.expect("an evaluation");
    let kept = engine.keep_evaluation(&found, "operator", NOW).await.expect("a number");
    let new = NewFinding {
        activity: "green-bill".into(),
        version: None,
        what: "Nobody of low sensitivity opens it".into(),
        owner: None,
        due: care_domain::time::today(NOW) + 30,
        evaluation: Some(kept),
    };
    let id = engine.open_finding(&new, "provincial-approver", NOW).await.expect("a finding");
    let next = "1.1.0".parse().expect("a version");
    let close = async || engine.close_finding(id, &next, "provincial-approver", NOW + 1).await;
    assert_eq!(code(&close().await.expect_err("nobody wrote it yet")), "unknown-version");
    let bytes = rewritten("green-bill", |manifest| manifest["version"] = "1.1.0".into());
    let signed = support::signed(&engine, "branch-author", &bytes);
    engine.push(&signed, "branch-author", NOW).await.expect("an upload");
    assert_eq!(code(&close().await.expect_err("not approved")), "not-mended");
    approved_bytes(&engine, &bytes, &Conditions::default()).await;
    let own = engine.close_finding(id, &next, "branch-author", NOW + 1).await.expect_err("its owner");
    assert_eq!(code(&own), "not-allowed");
    close().await.expect("closed");
    assert_eq!(code(&close().await.expect_err("closed already")), "decided-once");
    let query = KnowledgeQuery { text: Some("green".into()), ..KnowledgeQuery::default() };
    let known = engine.knowledge(&query).await.expect("knowledge");
    let versions: Vec<&str> = known.iter().map(|k| k.version.as_str()).collect();
    assert_eq!(versions, ["1.0.0", "1.1.0"], "versions stand beside each other");
    assert_eq!(known[0].findings[&id].state.name(), "closed");
    assert!(known[1].evaluations.is_empty() && known[0].evaluations.len() == 1, "an evaluation stays with its version");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_replies_and_calls_come_in_by_the_same_door_once() {
    let (_folder, engine) = support::at_work(4_000, &["points-expiry"]).await;
    run(&engine, &plan_of(DATE)).await;
    engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    let contacts = engine.store().contact_states().await.expect("contacts");
    let report = |line: u64, kind: &str, value: Option<&str>| OutcomeReport {
        line,
        about: About::Contact(contacts[line as usize].0),
        kind: kind.into(),
        at: evening() + DAY_MS / 24,
        value: value.map(str::to_owned),
        unit: None,
        activity: None,
        contact: None,
        id: Some(format!("gateway-{line}-{kind}")),
    };
    let told = vec![report(0, "delivered", None), report(1, "undelivered", None), report(0, "satisfied", Some("9"))];
    for (source, added) in [(OutcomeSource::Receipt, 3), (OutcomeSource::Reply, 0), (OutcomeSource::Call, 0)] {
        let done = engine.record_outcomes(told.clone(), source, "operator", NOW).await.expect("outcomes");
        assert_eq!((done.added, done.repeated, done.rejected.len()), (added, 3 - added, 0));
    }
    let other = vec![report(0, "satisfied", Some("2"))];
    let done = engine.record_outcomes(other, OutcomeSource::Call, "operator", NOW).await.expect("outcomes");
    assert_eq!((done.added, done.rejected[0].code), (0, "told-otherwise"));
    let execution = engine.execution("points-expiry-1").await.expect("an execution");
    assert_eq!((execution.all.delivered, execution.all.failed), (1, 1));
    let scores = engine.distribution("satisfied", Some("tier"), (0, i64::MAX)).await.expect("scores");
    assert_eq!(scores.all.by_value.into_iter().collect::<Vec<_>>(), [(9, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fold_that_counts_otherwise_than_the_host_is_told_and_can_be_left_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = populated(folder.path(), 2_000).await;
    let csv = folder.path().join("pilot.csv");
    std::fs::write(&csv, "key\n350200\n").expect("a file");
    engine.import_table("pilot-cities", &csv, "[fields]\nkey = \"text\"\n", "operator", NOW).await.expect("a table");
    approved_bytes(&engine, &pilot_that_counts_seven(), &Conditions::default()).await;
    started(&engine, "pilot-cities", serde_json::json!({})).await;
    let summary = run(&engine, &plan_of(DATE)).await;
    let cleared = summary.totals().of(Verdict::Cleared);
    assert!(cleared > 7, "{cleared} cleared");
    let request = EvaluationRequest { campaign: "pilot-cities-1".into(), ..EvaluationRequest::default() };
    let error = engine.evaluate(&request).await.expect_err("it disagrees");
    assert_eq!(code(&error), "fold-disagrees");
    let told = &error.findings()[0].message;
    assert!(told.contains("counts 7 treated customers") && told.contains(&cleared.to_string()), "{told}");
    let alone =
        engine.evaluate(&EvaluationRequest { host_only: true, ..request }).await.expect("the host's own figures");
    assert_eq!((alone.compared.treated.count, alone.plugin.len()), (cleared, 0));
}
