//! Answers that both faces give, as JSON: the command line with `--json`, and the API.

use care_domain::brake::Brake;
use care_domain::follow_up::FollowUp;
use care_domain::need::Need;
use care_domain::policy_version::PolicyState;
use care_domain::time::{write_date, write_instant};
use care_engine::{
    Activation, Campaign, Imported, LiveScore, Plan, PlanStatus, PlanSummary, PolicyVersion, Pushed, Started,
    StoredSubmission,
};
use serde_json::{Value, json};

pub(crate) fn campaign(campaign: &Campaign) -> Value {
    json!({
        "campaign": campaign.id, "activity": campaign.activity, "requirement": campaign.requirement,
        "digest": campaign.component, "approval": campaign.approval, "active": campaign.active,
        "params": serde_json::from_str::<Value>(&campaign.params).unwrap_or_default(),
        "max_snapshot_days": campaign.max_snapshot_days, "ramp": campaign.ramp, "started_by": campaign.started_by,
        "started_at": campaign.started_at,
    })
}

pub(crate) fn started(started: &Started) -> Value {
    json!({"campaign": started.campaign, "version": started.version, "digest": started.digest})
}

pub(crate) fn submission(found: &StoredSubmission) -> Value {
    json!({
        "submission": found.id, "history": found.submission, "state": found.submission.state(),
        "digest": found.version.component, "findings": found.version.findings, "manifest": found.version.manifest,
        "approval": found.approval,
    })
}

pub(crate) fn pushed(pushed: &Pushed) -> Value {
    json!({
        "submission": pushed.submission, "digest": pushed.digest, "activity": pushed.activity,
        "version": pushed.version, "findings": pushed.findings, "need": pushed.need,
    })
}

/// A version in a list: what it is, and where it stands.
pub(crate) fn version(found: &StoredSubmission) -> Value {
    let version = &found.version;
    json!({"name": version.manifest.name, "version": version.manifest.version, "digest": version.component,
        "state": found.submission.state(), "submission": found.id, "manifest": version.manifest})
}

pub(crate) fn plan(plan: &Plan) -> Value {
    json!({"plan": plan.id, "date": write_date(plan.pins.date), "wave": plan.pins.wave, "state": plan.state.name(),
        "pins": plan.pins})
}

pub(crate) fn plan_summary(summary: &PlanSummary) -> Value {
    let mut value = json!(summary);
    let totals = summary.totals();
    value["date"] = write_date(summary.date).into();
    value["totals"] = json!({"candidates": totals.candidates(), "verdicts": totals});
    value
}

pub(crate) fn plan_status(status: &PlanStatus) -> Value {
    let mut value = json!(status);
    value["date"] = write_date(status.date).into();
    value
}

pub(crate) fn imported(done: &Imported) -> Value {
    let fault =
        |f: &care_engine::Fault| json!({"line": f.line, "field": f.field, "value": f.value, "reason": f.reason});
    json!({
        "snapshot": done.snapshot, "imported": done.customers, "bad_cells": done.bad_cells,
        "rejected": done.rejected, "rejects": done.rejects.as_deref().map(|path| path.display().to_string()),
        "first_faults": done.first_faults.iter().map(fault).collect::<Vec<_>>(),
    })
}

pub(crate) fn activation((campaign, activation): &(Campaign, Activation), now: i64) -> Value {
    let mut value = json!(activation);
    value["active"] = campaign.active.into();
    value["activated_by"] = campaign.started_by.as_str().into();
    value["overdue"] = activation.review.is_overdue(now).into();
    value
}

pub(crate) fn policy(version: &PolicyVersion, in_force: i64) -> Value {
    let reason = if let PolicyState::Rejected { reason, .. } = &version.state { reason.as_str() } else { "" };
    json!({
        "policy": version.number, "name": version.policy.name, "digest": version.digest, "base": version.base,
        "note": version.note, "in_force": version.number == in_force, "state": version.state.name(),
        "author": version.state.author(), "decider": version.state.decider(), "reason": reason,
    })
}

pub(crate) fn need(id: i64, need: &Need, answers: &[String]) -> Value {
    let mut value = json!(need);
    value["need"] = json!(id);
    value["answers"] = json!(answers);
    value["from"] = write_instant(need.from).into();
    value["until"] = write_instant(need.until).into();
    value
}

pub(crate) fn finding(id: i64, finding: &FollowUp, today: i32) -> Value {
    let mut value = json!(finding);
    value["finding"] = json!(id);
    value["late"] = json!(finding.is_late(today));
    value["due"] = write_date(finding.due).into();
    value
}

pub(crate) fn brake(brake: &Brake, versions: &[LiveScore]) -> Value {
    json!({"brake": brake, "versions": versions})
}
