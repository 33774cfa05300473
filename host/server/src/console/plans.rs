//! Plans: what was decided about everybody on a date, and how far one is that goes on.

use super::blocks::{Bars, Block, Cell, Table, figure};
use super::session::Visitor;
use super::show::{Look, View, answer};
use super::words;
use crate::api::Problem;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::time::{write_date, write_instant};
use care_domain::verdict::Verdict;

pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = async {
        let mut plans = visitor.engine.plans().await?;
        plans.sort_by_key(|plan| std::cmp::Reverse(plan.created_at));
        let columns = [
            visitor.t("业务日期", "Date"),
            visitor.t("批次", "Wave"),
            visitor.t("状态", "Stands"),
            visitor.t("任务数", "Campaigns"),
            visitor.t("创建时间", "Made"),
            visitor.t("编号", "Id"),
        ];
        let mut table = Table::new("plans", visitor.t("计划", "Plans"), columns);
        for plan in plans {
            table.row([
                Cell::link(write_date(plan.pins.date), format!("/console/plans/{}", plan.id)),
                u64::from(plan.pins.wave).into(),
                words::state(visitor.tongue, plan.state.name()).into(),
                (plan.pins.campaigns.len() as u64).into(),
                write_instant(plan.created_at).into(),
                plan.id.chars().take(12).collect::<String>().into(),
            ]);
        }
        Ok::<_, Problem>(View::new(visitor.t("计划", "Plans")).with(table))
    };
    answer(&visitor, &look, view.await)
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<String>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, &id).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, id: &str) -> Result<View, Problem> {
    let summary = visitor.engine.plan_summary(id).await?;
    let status = visitor.engine.plan_status(Some(id)).await?;
    let goes_on = matches!(summary.state, "running" | "releasing");
    let mut facts = vec![
        visitor.fact("状态", "Stands", words::state(visitor.tongue, summary.state).to_owned()),
        visitor.fact("业务日期", "Date", write_date(summary.date)),
        visitor.fact("批次", "Wave", summary.wave.to_string()),
        visitor.fact("已判定客户", "Customers decided", figure(summary.customers)),
        visitor.fact("分桶进度", "Buckets", format!("{} / {}", summary.tasks_done, summary.tasks)),
        visitor.fact("结转候选", "Carried over", figure(summary.carried)),
    ];
    if let Some(pace) = status.pace.filter(|_| goes_on) {
        facts.push(visitor.fact("速度（客户/秒）", "Customers a second", figure(pace as u64)));
        facts.push(visitor.fact("剩余秒数", "Seconds left", status.seconds_left.map_or("–".to_owned(), figure)));
    }
    let title = format!("{} {} · {}", visitor.t("计划", "Plan"), write_date(summary.date), summary.wave);
    let mut view = View::new(title).going_on(goes_on).with(Block::Facts(facts));
    for finding in summary.blocked.iter().chain(&summary.notices) {
        view = view.warning(format!("{} {}", finding.message, finding.hint));
    }
    let totals = summary.totals();
    let verdicts = words::verdicts(visitor.tongue, &totals);
    view = view.with(Bars::of(visitor.t("裁决", "Verdicts"), &verdicts));
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
    if let Some(halt) = &status.halt {
        view = view.warning(format!("{} {} · {}", halt.person, write_instant(halt.at), halt.reason));
    }
    Ok(view.with(table).with(messages))
}
