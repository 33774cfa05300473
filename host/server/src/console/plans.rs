//! Plans: what was decided about everybody on a date, and how far one is that goes on.

use super::blocks::{Bars, Block, Cell, Progress, Table, figure, newest_first};
use super::counted::Counted;
use super::evidence::verdicts_table;
use super::form::{Done, Field, Filled, Form, Kind, Tried, carry_out};
use super::refusals::in_words;
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words::{self, moment};
use crate::api::{Problem, followed, opened, plan_request};
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use care_domain::region;
use care_domain::time::write_date;
use care_domain::verdict::Verdict;
use care_engine::{EngineError, PlanStatus, PlanSummary};
use std::sync::Arc;

const PLANS: &str = "/console/plans";
/// Plans of a page.
const PAGE: usize = 50;

pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = all(&visitor, &look, None).await;
    answer(&visitor, &look, view)
}

async fn all(visitor: &Visitor, look: &Look, tried: Option<&Tried>) -> Result<View, Problem> {
    let mut plans = visitor.engine.plans().await?;
    plans.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let (page, next) = newest_first(&plans, look.after, PAGE);
    let columns = [
        visitor.t("业务日期", "Date"),
        visitor.t("批次", "Wave"),
        visitor.t("状态", "Stands"),
        visitor.t("任务数", "Campaigns"),
        visitor.t("创建时间", "Made"),
        visitor.t("编号", "Id"),
    ];
    let mut table = Table::new("plans", visitor.t("计划", "Plans"), columns);
    for plan in page {
        table.row([
            Cell::link(write_date(plan.pins.date), format!("{PLANS}/{}", plan.id)),
            u64::from(plan.pins.wave).into(),
            words::state(visitor.tongue, plan.state.name()).into(),
            (plan.pins.campaigns.len() as u64).into(),
            moment(plan.created_at).into(),
            plan.id.chars().take(12).collect::<String>().into(),
        ]);
    }
    table.next = next;
    let mut view = View::new(visitor.t("计划", "Plans")).with(table);
    if visitor.may(&Method::POST, "/v1/plans") {
        let newest = visitor.t("不填则为最新客户快照的日期。", "That of the newest population when left empty.");
        let fields = vec![
            Field::new("date", visitor.t("业务日期", "Date"), Kind::Date).hint(newest),
            Field::new("wave", visitor.t("批次", "Wave"), Kind::Number).value("1"),
        ];
        let hint = visitor.t(
            "对所有运行中的任务统一判定；同一批次再次提交不会重复。",
            "Decides for all running campaigns at once; the same wave again adds nothing.",
        );
        view = view.with(Form::new(PLANS, visitor.t("运行计划", "Run a plan"), fields).hint(hint).tried(tried));
    }
    Ok(view)
}

pub(super) async fn run(visitor: Visitor, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let request =
            plan_request(&who.engine, filled.date("date")?, None, filled.number("wave")?.unwrap_or(1)).await?;
        let (engine, person) = (who.engine.clone(), who.person().to_owned());
        let job = move |watch| async move { engine.run_plan(&request, &person, now_ms(), watch).await };
        let plan = opened(&who.api, job).await.map_err(broken)?;
        Ok(Done::at(format!("{PLANS}/{plan}"), "planned"))
    };
    match carry_out(&visitor, filled, PLANS, None, act).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| all(&visitor, &Look::default(), Some(tried)).await).await,
    }
}

fn broken(error: Option<EngineError>) -> EngineError {
    error.unwrap_or_else(|| EngineError::refused("failed", "the plan broke off", "See the server's log"))
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<String>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, &id, None).await;
    answer(&visitor, &look, view)
}

/// How far a plan is, for the page that shows it.
pub(super) async fn progress(visitor: Visitor, Path(id): Path<String>) -> Result<impl IntoResponse, Problem> {
    let plan = visitor.engine.plan(Some(&id)).await?.id;
    Ok(followed(visitor.api, visitor.engine, plan))
}

async fn view(visitor: &Visitor, id: &str, tried: Option<&Tried>) -> Result<View, Problem> {
    let plan = visitor.engine.plan(Some(id)).await?.id;
    let status = visitor.engine.plan_status(Some(&plan)).await?;
    let title = format!("{} {} · {}", visitor.t("计划", "Plan"), write_date(status.date), status.wave);
    let mut view = View::new(title).with(Block::Facts(facts(visitor, &status)));
    let goes_on = matches!(status.state, "running" | "releasing");
    if goes_on {
        view = view.with(Block::Progress(Progress {
            title: visitor.t("进度", "Progress").to_owned(),
            done: status.decided,
            of: status.customers.unwrap_or(0),
            follow: format!("{PLANS}/{plan}/progress"),
        }));
    }
    if let Some(halt) = &status.halt {
        view = view.warning(format!("{} {} · {}", halt.person, moment(halt.at), halt.reason));
    }
    let (view, summary) = summed_up(visitor, view, &status).await?;
    let view = match summary {
        Some(summary) => told(visitor, view, &summary),
        None => view,
    };
    Ok(halts(visitor, view.going_on(goes_on), &plan, status.state, tried))
}

/// A plan in figures, as far as the visitor may see them; nothing while they are counted for the first time.
async fn summed_up(visitor: &Visitor, view: View, status: &PlanStatus) -> Result<(View, Option<PlanSummary>), Problem> {
    let (engine, plan) = (visitor.engine.clone(), status.plan.clone());
    // What stands otherwise is counted anew.
    let name = format!("plan {plan} {} {}", status.state, status.tasks_done);
    let job = async move { engine.plan_summary(&plan).await.map(|summary| Counted::Plan(Arc::new(summary))) };
    let told = visitor.api.counted().ask(visitor, &name, job).await;
    let view = told.mark(visitor, view);
    let mut summary = match told.counted {
        Some(Counted::Plan(summary)) => PlanSummary::clone(&summary),
        _ => return Ok((view, None)),
    };
    if !region::is_province(&visitor.principal.region) {
        let seen = visitor.engine.campaigns().await?;
        summary.activities.retain(|activity| seen.iter().any(|campaign| campaign.id == activity.campaign));
        summary.blocked.clear();
        summary.notices.clear();
    }
    Ok((view, Some(summary)))
}

/// What was decided, and what became of it.
fn told(visitor: &Visitor, view: View, summary: &PlanSummary) -> View {
    let warned = summary.blocked.iter().chain(&summary.notices).map(|finding| in_words(visitor.tongue, finding));
    let view = warned.fold(view, |view, finding| view.warning(format!("{} {}", finding.message, finding.hint)));
    let carried = visitor.fact("结转候选", "Carried over", figure(summary.carried));
    let verdicts = words::verdicts(visitor.tongue, &summary.totals());
    let bars = Bars::of(visitor.t("裁决", "Verdicts"), &verdicts);
    let view = view.with(Block::Facts(vec![carried])).with(bars).with(verdicts_table(visitor, verdicts));
    view.with(by_campaign(visitor, summary)).with(messages(visitor, summary))
}

fn facts(visitor: &Visitor, status: &PlanStatus) -> Vec<(String, String)> {
    let mut facts = vec![
        visitor.fact("状态", "Stands", words::state(visitor.tongue, status.state).to_owned()),
        visitor.fact("业务日期", "Date", write_date(status.date)),
        visitor.fact("批次", "Wave", status.wave.to_string()),
        visitor.fact("已判定客户", "Customers decided", figure(status.decided)),
        visitor.fact("分桶进度", "Buckets", format!("{} / {}", status.tasks_done, status.tasks)),
    ];
    if let Some(seconds) = status.seconds_left {
        facts.push(visitor.fact("预计剩余（秒）", "Seconds left", seconds.to_string()));
    }
    facts
}

fn by_campaign(visitor: &Visitor, summary: &PlanSummary) -> Table {
    let columns = [
        visitor.t("任务", "Campaign"),
        visitor.t("版本", "Version"),
        visitor.t("入选", "Selected"),
        visitor.t("通过", "Cleared"),
        visitor.t("对照组", "Control"),
        visitor.t("落选", "Lost"),
        visitor.t("触达已满", "Capped"),
        visitor.t("插件出错", "Faults"),
    ];
    let mut table = Table::new("activities", visitor.t("各任务", "By campaign"), columns);
    for activity in &summary.activities {
        let of = |verdict: Verdict| activity.verdicts.get(&verdict).copied().unwrap_or(0);
        table.row([
            Cell::link(activity.campaign.as_str(), format!("/console/campaigns/{}", activity.campaign)),
            activity.version.as_str().into(),
            activity.selected.into(),
            of(Verdict::Cleared).into(),
            of(Verdict::Control).into(),
            of(Verdict::Lost).into(),
            of(Verdict::Capped).into(),
            of(Verdict::PluginFault).into(),
        ]);
    }
    table
}

fn messages(visitor: &Visitor, summary: &PlanSummary) -> Table {
    let mut messages = Table::new(
        "contacts",
        visitor.t("消息", "Messages"),
        [visitor.t("任务", "Campaign"), visitor.t("状态", "State"), visitor.t("数量", "Count")],
    );
    for activity in &summary.activities {
        for (state, count) in &activity.contacts {
            let state = words::state(visitor.tongue, state);
            messages.row([activity.campaign.as_str().into(), state.into(), (*count).into()]);
        }
    }
    messages
}

/// What may be done about a plan as it stands.
fn halts(visitor: &Visitor, view: View, plan: &str, state: &str, tried: Option<&Tried>) -> View {
    let path = |verb: &str| format!("{PLANS}/{plan}/{verb}");
    let may = |verb: &str| visitor.may(&Method::POST, &format!("/v1/plans/{{plan}}/{verb}"));
    let reason = || vec![Field::new("reason", visitor.t("理由", "Reason"), Kind::Area)];
    let mut view = view;
    if state == "running" && may("pause") {
        view = view.with(Form::new(path("pause"), visitor.t("暂停计划", "Pause"), reason()).tried(tried));
    }
    if matches!(state, "running" | "paused") && may("resume") {
        view = view.with(Form::new(path("resume"), visitor.t("继续计划", "Go on"), Vec::new()).tried(tried));
    }
    if matches!(state, "running" | "paused") && may("cancel") {
        let word: String = plan.chars().take(8).collect();
        view =
            view.with(Form::new(path("cancel"), visitor.t("取消计划", "Call off"), reason()).typed(word).tried(tried));
    }
    view
}

/// Carries one of a plan's forms out.
async fn carried(
    visitor: Visitor,
    id: String,
    verb: &str,
    filled: Filled,
    act: impl AsyncFnOnce(&Filled) -> Result<&'static str, EngineError>,
) -> Response {
    let action = format!("{PLANS}/{id}/{verb}");
    let word: String = id.chars().take(8).collect();
    let typed = (verb == "cancel").then_some(word.as_str());
    let done = async |filled: &Filled| act(filled).await.map(|said| Done::at(format!("{PLANS}/{id}"), said));
    match carry_out(&visitor, filled, &action, typed, done).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| view(&visitor, &id, Some(tried)).await).await,
    }
}

pub(super) async fn pause(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    let (who, plan) = (visitor.clone(), id.clone());
    let act = async move |filled: &Filled| {
        who.engine.pause_plan(&plan, filled.one("reason"), (who.person(), now_ms())).await.map(|_| "paused")
    };
    carried(visitor, id, "pause", filled, act).await
}

pub(super) async fn resume(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    let (who, plan) = (visitor.clone(), id.clone());
    let act = async move |_: &Filled| {
        let plan = who.engine.plan(Some(&plan)).await?.id;
        let (engine, person) = (who.engine.clone(), who.person().to_owned());
        let cores = crate::commands::plan::cores();
        let job = move |watch| async move { engine.resume_plan(&plan, cores, (&person, now_ms()), watch).await };
        opened(&who.api, job).await.map(|_| "resumed").map_err(broken)
    };
    carried(visitor, id, "resume", filled, act).await
}

pub(super) async fn cancel(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    let (who, plan) = (visitor.clone(), id.clone());
    let act = async move |filled: &Filled| {
        who.engine.cancel_plan(&plan, filled.one("reason"), (who.person(), now_ms())).await.map(|_| "cancelled")
    };
    carried(visitor, id, "cancel", filled, act).await
}
