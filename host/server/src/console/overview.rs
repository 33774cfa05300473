//! The overview: today's plan as it goes, what runs, which categories are covered, how often customers are contacted, and what
//! is wrong.

use super::blocks::{Bars, Block, Cell, Progress, Table, figure};
use super::counted::Counted;
use super::evidence::histogram;
use super::session::Visitor;
use super::show::{Look, View, answer};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::Query;
use axum::http::Method;
use axum::response::Response;
use care_domain::catalogue::CATEGORIES;
use care_domain::time::write_date;
use care_engine::StoredSubmission;
use std::sync::Arc;

pub(super) async fn show(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = view(&visitor).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor) -> Result<View, Problem> {
    let submissions = visitor.engine.submissions().await?;
    let mut view = View::new(visitor.t("总览", "Overview"));
    view = newest_plan(visitor, view).await?;
    view = running(visitor, view).await?;
    view = covered(visitor, view, &submissions);
    view = pressure(visitor, view).await;
    Ok(view.with(wrong(visitor, &submissions).await?))
}

/// The newest plan, live while it goes on.
async fn newest_plan(visitor: &Visitor, view: View) -> Result<View, Problem> {
    let plans = visitor.engine.plans().await?;
    let Some(plan) = plans.iter().max_by_key(|plan| plan.created_at) else {
        return Ok(view.text(visitor.t("尚无计划。", "Nothing was planned yet.")));
    };
    let status = visitor.engine.plan_status(Some(&plan.id)).await?;
    let to = format!("/console/plans/{}", plan.id);
    let title = format!("{} {} · {}", visitor.t("计划", "Plan of"), write_date(plan.pins.date), plan.pins.wave);
    let view = view.heading(title).with(Block::Facts(vec![
        visitor.fact("状态", "Stands", words::state(visitor.tongue, status.state).to_owned()),
        visitor.fact("开始时间", "Begun", moment(plan.created_at)),
        visitor.fact("已判定客户", "Customers decided", figure(status.decided)),
    ]));
    let goes_on = matches!(status.state, "running" | "releasing");
    let view = if goes_on {
        view.with(Block::Progress(Progress {
            title: visitor.t("进度", "Progress").to_owned(),
            done: status.decided,
            of: status.customers.unwrap_or(0),
            follow: format!("{to}/progress"),
        }))
    } else {
        view
    };
    Ok(view.going_on(goes_on).with(Block::Links(vec![(visitor.t("查看计划", "See the plan").to_owned(), to)])))
}

async fn running(visitor: &Visitor, view: View) -> Result<View, Problem> {
    let campaigns = visitor.engine.campaigns().await?;
    let running = campaigns.iter().filter(|campaign| campaign.active).count() as u64;
    let link = (visitor.t("营销任务", "Campaigns").to_owned(), "/console/campaigns".to_owned());
    let facts = vec![
        visitor.fact("运行中的任务", "Campaigns that run", figure(running)),
        visitor.fact("全部任务", "Campaigns in all", figure(campaigns.len() as u64)),
    ];
    let may = visitor.may(&Method::GET, "/v1/campaigns");
    let view = view.with(Block::Facts(facts));
    Ok(if may { view.with(Block::Links(vec![link])) } else { view })
}

/// Entries of the catalogue that something approved covers, by category.
fn covered(visitor: &Visitor, view: View, submissions: &[StoredSubmission]) -> View {
    let live: Vec<&StoredSubmission> = submissions.iter().filter(|found| found.submission.may_start()).collect();
    let columns = [visitor.t("大类", "Category"), visitor.t("已覆盖", "Covered"), visitor.t("条目", "Entries")];
    let mut table = Table::new("coverage", visitor.t("目录覆盖", "Coverage of the catalogue"), columns);
    let mut bars = Vec::new();
    for category in &CATEGORIES {
        let covers = |entry: &str| live.iter().any(|found| found.version.manifest.catalogue.iter().any(|e| e == entry));
        let covered = category.entries.iter().filter(|entry| covers(entry.name)).count() as u64;
        let name = words::category(visitor.tongue, category.name);
        bars.push((name.to_owned(), covered));
        table.row([name.into(), covered.into(), (category.entries.len() as u64).into()]);
    }
    view.with(Bars::of(visitor.t("各大类已覆盖的条目", "Entries covered, by category"), &bars)).with(table)
}

/// How often customers were contacted, for those who answer for all of it together.
async fn pressure(visitor: &Visitor, view: View) -> View {
    if !visitor.may(&Method::GET, "/v1/pressure") {
        return view;
    }
    let engine = visitor.engine.clone();
    let job = async move { engine.contact_pressure(now_ms()).await.map(|told| Counted::Pressure(Arc::new(told))) };
    let told = visitor.api.counted().ask(visitor, "pressure", job).await;
    let view = told.mark(visitor, view);
    let told = match told.counted {
        Some(Counted::Pressure(told)) => told,
        Some(Counted::Refused(why)) => return why.iter().fold(view, |view, finding| view.text(&finding.message)),
        _ => return view,
    };
    let bars = histogram(&told);
    let columns = [visitor.t("触达次数", "Contacts"), visitor.t("客户", "Customers")];
    let title = visitor.t("触达压力（最近30天）", "Contact pressure, last 30 days");
    let mut table = Table::new("pressure", title, columns);
    bars.iter().for_each(|(label, customers)| table.row([label.as_str().into(), (*customers).into()]));
    view.with(Bars::of(title, &bars)).with(table)
}

/// What somebody has to look at: held versions, thrown switches, messages that were given up, plans that stopped.
async fn wrong(visitor: &Visitor, submissions: &[StoredSubmission]) -> Result<Table, Problem> {
    let columns = [visitor.t("异常", "What is wrong"), visitor.t("对象", "Where"), visitor.t("说明", "Why")];
    let mut table = Table::new("wrong", visitor.t("异常与停止", "Faults and stops"), columns);
    for found in submissions.iter().filter(|found| found.submission.state() == "suspended") {
        let manifest = &found.version.manifest;
        let name = format!("{} {}", manifest.title.get(visitor.tongue.0), manifest.version);
        let to = format!("/console/submissions/{}", found.id);
        table.row([visitor.t("版本已暂停", "A version is held").into(), Cell::link(name, to), "".into()]);
    }
    for thrown in visitor.engine.switches().await? {
        let (scope, target) = thrown.scope.parts();
        let place = Cell::link(format!("{scope} {target}"), "/console/switches");
        table.row([visitor.t("停止发送", "A switch is thrown").into(), place, thrown.reason.into()]);
    }
    if visitor.may(&Method::GET, "/v1/dispatch/dead-letters") {
        for letter in visitor.engine.dead_letters().await?.into_iter().take(SHOWN) {
            let place = Cell::link(letter.campaign.as_str(), format!("/console/campaigns/{}", letter.campaign));
            table.row([visitor.t("放弃的消息", "A message was given up").into(), place, letter.why.into()]);
        }
    }
    Ok(table)
}

/// So many messages that were given up are shown; the API lists all.
const SHOWN: usize = 20;
