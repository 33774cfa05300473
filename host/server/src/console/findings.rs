//! Findings that somebody follows up: opened about a version, closed by a newer one that was approved, or dropped.

use super::blocks::{Block, Cell, Table};
use super::form::{Done, Field, Filled, Form, Kind, Tried};
use super::session::Visitor;
use super::show::{Look, View, answer, carried, refused};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::follow_up::{FollowUp, State};
use care_domain::person::Act;
use care_domain::time::{today, write_date};
use care_engine::{EngineError, NewFinding};
use semver::Version;
use std::collections::BTreeSet;

const FINDINGS: &str = "/console/findings";

/// The page of a finding.
pub(super) fn of(id: i64) -> String {
    format!("{FINDINGS}/{id}")
}

pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = all(&visitor, None).await;
    answer(&visitor, &look, view)
}

/// Findings about versions that the visitor sees, by number.
async fn seen(visitor: &Visitor) -> Result<Vec<(i64, FollowUp)>, Problem> {
    let submissions = visitor.engine.submissions().await?;
    let is_about = |found: &FollowUp| {
        let mut manifests = submissions.iter().map(|one| &one.version.manifest);
        manifests.any(|manifest| manifest.name == found.activity && manifest.version == found.version)
    };
    Ok(visitor.engine.findings().await?.into_iter().filter(|(_, found)| is_about(found)).collect())
}

async fn all(visitor: &Visitor, tried: Option<&Tried>) -> Result<View, Problem> {
    let day = today(now_ms());
    let columns = [
        visitor.t("编号", "No."),
        visitor.t("活动", "Activity"),
        visitor.t("版本", "Version"),
        visitor.t("问题", "What was found"),
        visitor.t("责任人", "Owner"),
        visitor.t("期限", "Due"),
        visitor.t("状态", "Stands"),
    ];
    let mut table = Table::new("findings", visitor.t("问题跟进表", "Findings to follow up"), columns);
    for (id, found) in seen(visitor).await? {
        table.row([
            Cell::link(id.to_string(), of(id)),
            found.activity.as_str().into(),
            found.version.to_string().into(),
            Cell::link(found.what.as_str(), of(id)),
            found.owner.as_str().into(),
            Cell::from(write_date(found.due)).loud(found.is_late(day)),
            words::step(visitor.tongue, found.state.name()).into(),
        ]);
    }
    let mut view = View::new(visitor.t("问题跟进", "Findings")).with(table);
    if visitor.engine.may(Act::OpenFinding) {
        view = view.with(open_form(visitor).await?.tried(tried));
    }
    Ok(view)
}

async fn open_form(visitor: &Visitor) -> Result<Form, Problem> {
    let submissions = visitor.engine.submissions().await?;
    let names: BTreeSet<&str> = submissions.iter().map(|one| one.version.manifest.name.as_str()).collect();
    let choices = names.into_iter().map(|name| (name.to_owned(), name.to_owned())).collect();
    let field = |name, zh, en, kind| Field::new(name, visitor.t(zh, en), kind);
    let fields = vec![
        field("activity", "活动", "Activity", Kind::Choice(choices)).required().refused_as(&["other-region"]),
        field("version", "版本", "Version", Kind::Line)
            .hint(visitor.t("不填则为运行过的最新版本。", "The newest that ran, where none is named."))
            .refused_as(&["unknown-version"]),
        field("what", "问题（一句话）", "What was found, in a sentence", Kind::Area)
            .required()
            .refused_as(&["no-reason"]),
        field("owner", "责任人", "Who answers for it", Kind::Line)
            .hint(visitor.t("不填则为版本的作者。", "The version's author, where nobody is named."))
            .refused_as(&["unknown-person"]),
        field("due", "期限", "Due", Kind::Date).required().refused_as(&["bad-deadline"]),
        field("evaluation", "评估编号（可不填）", "Number of the kept evaluation that shows it", Kind::Number)
            .refused_as(&["unknown-evaluation"]),
    ];
    Ok(Form::new(FINDINGS, visitor.t("提出问题", "Open a finding"), fields))
}

/// A version as it was typed.
fn version_of(text: &str) -> Result<Version, EngineError> {
    Version::parse(text).map_err(|error| EngineError::refused("bad-version", format!("{error}."), "Write it as 1.2.0."))
}

pub(super) async fn open(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let named = |name: &str| Some(filled.one(name)).filter(|text| !text.is_empty());
        let none = || EngineError::refused("bad-due", "It names no date.", "Write it as 2026-07-29.");
        let due = filled.date("due")?.ok_or_else(none)?;
        let new = NewFinding {
            activity: filled.one("activity").to_owned(),
            version: named("version").map(version_of).transpose()?,
            what: filled.one("what").to_owned(),
            owner: named("owner").map(str::to_owned),
            due,
            evaluation: filled.number("evaluation")?,
        };
        let id = visitor.engine.open_finding(&new, visitor.person(), now_ms()).await?;
        Ok(Done::at(of(id), "opened"))
    };
    carried(&visitor, filled, FINDINGS, None, act, async |tried| all(&visitor, Some(tried)).await).await
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<i64>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, id, None).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, id: i64, tried: Option<&Tried>) -> Result<View, Problem> {
    let found = seen(visitor).await?.into_iter().find(|(number, _)| *number == id).map(|(_, found)| found);
    let found = found.ok_or_else(|| Problem::missing("such finding"))?;
    let mut facts = vec![
        visitor.fact("状态", "Stands", words::step(visitor.tongue, found.state.name()).to_owned()),
        visitor.fact("活动", "Activity", format!("{} {}", found.activity, found.version)),
        visitor.fact("责任人", "Owner", found.owner.clone()),
        visitor.fact("期限", "Due", write_date(found.due)),
        visitor.fact("提出", "Opened", format!("{} · {}", found.opened.person, moment(found.opened.at))),
    ];
    facts.extend(found.evaluation.map(|number| visitor.fact("评估编号", "Kept evaluation", number.to_string())));
    match &found.state {
        State::Open => {}
        State::Closed { by_version, by } => {
            let told = format!("{by_version} · {} · {}", by.person, moment(by.at));
            facts.push(visitor.fact("整改版本", "Mended by", told));
        }
        State::Dropped { by, reason } => {
            let told = format!("{reason} · {} · {}", by.person, moment(by.at));
            facts.push(visitor.fact("撤销理由", "Dropped because", told));
        }
    }
    let title = format!("{} {id}", visitor.t("问题", "Finding"));
    let mut view = View::new(title).text(found.what.as_str());
    if found.is_late(today(now_ms())) {
        view = view.warning(visitor.t("已逾期。", "It is late."));
    }
    view = view.with(Block::Facts(facts));
    if found.state == State::Open && visitor.engine.may(Act::DecideFinding) {
        view = forms(visitor, view, id, &found, tried);
    }
    Ok(view)
}

fn forms(visitor: &Visitor, view: View, id: i64, found: &FollowUp, tried: Option<&Tried>) -> View {
    let hint = visitor.t(
        "须为更新且已批准的版本；责任人本人不能确认。",
        "A newer one that was approved; its owner does not close it.",
    );
    let version = Field::new("version", visitor.t("整改版本", "Version that mends it"), Kind::Line)
        .required()
        .hint(hint)
        .refused_as(&["unknown-version", "not-mended"]);
    let close = Form::new(format!("{}/close", of(id)), visitor.t("确认已整改", "Close it"), vec![version]);
    let reason = Field::new("reason", visitor.t("理由", "Reason"), Kind::Area).required().refused_as(&["no-reason"]);
    let drop_it = Form::new(format!("{}/drop", of(id)), visitor.t("撤销问题", "Drop it: it was none"), vec![reason]);
    view.with(close.tried(tried)).with(drop_it.typed(found.activity.as_str()).tried(tried))
}

pub(super) async fn close(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let version = version_of(filled.one("version"))?;
        visitor.engine.close_finding(id, &version, visitor.person(), now_ms()).await?;
        Ok(Done::at(of(id), "closed"))
    };
    let action = format!("{}/close", of(id));
    carried(&visitor, filled, &action, None, act, async |tried| view(&visitor, id, Some(tried)).await).await
}

pub(super) async fn drop_it(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let all = match visitor.engine.findings().await {
        Ok(all) => all,
        Err(error) => return refused(&visitor.tongue, Some(&visitor), &error.into()),
    };
    let act = async |filled: &Filled| {
        visitor.engine.drop_finding(id, filled.one("reason"), visitor.person(), now_ms()).await?;
        Ok(Done::at(of(id), "dropped"))
    };
    let (action, typed) = (format!("{}/drop", of(id)), all.get(&id).map(|found| found.activity.as_str()));
    carried(&visitor, filled, &action, typed, act, async |tried| view(&visitor, id, Some(tried)).await).await
}
