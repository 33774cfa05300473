//! Kill switches, and the audit log.

use super::blocks::{Cell, Table};
use super::form::{Done, Field, Filled, Form, Kind, Tried, carry_out};
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words::moment;
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::Query;
use axum::response::Response;
use care_domain::person::Act;
use care_domain::switch::Scope;
use care_engine::EngineError;

const SWITCHES: &str = "/console/switches";
const LIFT: &str = "/console/switches/lift";
/// Lines of the audit log on a page.
const LINES: usize = 100;

pub(super) async fn switches(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = thrown(&visitor, None).await;
    answer(&visitor, &look, view)
}

async fn thrown(visitor: &Visitor, tried: Option<&Tried>) -> Result<View, Problem> {
    let all = visitor.engine.switches().await?;
    let columns = [
        visitor.t("范围", "Scope"),
        visitor.t("对象", "Target"),
        visitor.t("停止人", "By"),
        visitor.t("时间", "When"),
        visitor.t("理由", "Reason"),
    ];
    let mut table = Table::new("switches", visitor.t("当前停止", "Thrown now"), columns);
    for one in &all {
        let (scope, target) = one.scope.parts();
        table.row([
            scope.into(),
            target.into(),
            one.person.as_str().into(),
            moment(one.at).into(),
            one.reason.as_str().into(),
        ]);
    }
    let mut view = View::new(visitor.t("紧急停止", "Kill switches")).with(table);
    if visitor.engine.may(Act::Stop) {
        view = view.with(throw_form(visitor).tried(tried));
    }
    if visitor.engine.may(Act::LiftStop) && !all.is_empty() {
        let known = all.iter().map(|one| {
            let (scope, target) = one.scope.parts();
            let named = format!("{scope} {target}");
            (named.clone(), named)
        });
        let fields = vec![
            Field::new("switch", visitor.t("停止项", "Which"), Kind::Choice(known.collect())).required(),
            Field::new("reason", visitor.t("理由", "Reason"), Kind::Area).required(),
        ];
        view = view.with(Form::new(LIFT, visitor.t("解除停止", "Lift"), fields).tried(tried));
    }
    Ok(view)
}

fn throw_form(visitor: &Visitor) -> Form {
    let scopes = [
        ("everything", visitor.t("全部", "Everything")),
        ("activity", visitor.t("活动", "An activity")),
        ("campaign", visitor.t("任务", "A campaign")),
        ("version", visitor.t("版本", "A version, by digest")),
        ("region", visitor.t("地区", "A region, by code")),
        ("channel", visitor.t("渠道", "A channel")),
    ];
    let scopes = scopes.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    let fields = vec![
        Field::new("scope", visitor.t("范围", "Scope"), Kind::Choice(scopes)).required(),
        Field::new("target", visitor.t("对象（范围为全部时不填）", "Target; none for everything"), Kind::Line),
        Field::new("reason", visitor.t("理由", "Reason"), Kind::Area).required(),
    ];
    let hint = visitor
        .t("立即生效：不再发送，等待的仍然等待。", "At once: nothing of it goes out, and what waits goes on waiting.");
    Form::new(SWITCHES, visitor.t("停止发送", "Stop sending"), fields).hint(hint)
}

fn scope_of(scope: &str, target: &str) -> Result<Scope, EngineError> {
    Scope::parse(scope, target).map_err(|error| EngineError::refused("bad-target", format!("{error}."), ""))
}

async fn carried(
    visitor: Visitor,
    action: &'static str,
    filled: Filled,
    act: impl AsyncFnOnce(&Filled) -> Result<Done, EngineError>,
) -> Response {
    match carry_out(&visitor, filled, action, None, act).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| thrown(&visitor, Some(tried)).await).await,
    }
}

pub(super) async fn throw(visitor: Visitor, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let scope = scope_of(filled.one("scope"), filled.one("target"))?;
        who.engine.throw_switch(scope, filled.one("reason"), who.person(), now_ms()).await?;
        Ok(Done::at(SWITCHES, "thrown"))
    };
    carried(visitor, SWITCHES, filled, act).await
}

pub(super) async fn lift(visitor: Visitor, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let (scope, target) = filled.one("switch").split_once(' ').unwrap_or((filled.one("switch"), ""));
        let scope = scope_of(scope, target)?;
        who.engine.lift_switch(&scope, filled.one("reason"), who.person(), now_ms()).await?;
        Ok(Done::at(SWITCHES, "lifted"))
    };
    carried(visitor, LIFT, filled, act).await
}

/// The audit log, the newest line first.
pub(super) async fn audit(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = async {
        let subject = Some(look.q.as_str()).filter(|subject| !subject.is_empty());
        let mut lines = visitor.engine.audit_lines(subject).await?;
        lines.retain(|line| look.after.is_none_or(|after| line.number < after));
        lines.sort_by_key(|line| std::cmp::Reverse(line.number));
        let columns = [
            visitor.t("行号", "Line"),
            visitor.t("时间", "When"),
            visitor.t("人员", "Who"),
            visitor.t("角色", "As"),
            visitor.t("操作", "Deed"),
            visitor.t("对象", "Subject"),
            visitor.t("理由", "Reason"),
        ];
        let mut table = Table::new("audit", visitor.t("审计日志", "Audit log"), columns);
        for line in lines.iter().take(LINES) {
            let entry = &line.entry;
            table.row([
                Cell::from(line.number.to_string()),
                moment(entry.at).into(),
                entry.person.as_str().into(),
                entry.role.as_str().into(),
                entry.deed.as_str().into(),
                entry.subject.as_str().into(),
                entry.reason.as_str().into(),
            ]);
        }
        table.next = lines.get(LINES).and_then(|_| lines.get(LINES - 1)).map(|last| format!("?after={}", last.number));
        Ok::<_, Problem>(View::new(visitor.t("审计", "Audit")).with(table))
    };
    answer(&visitor, &look, view.await)
}
