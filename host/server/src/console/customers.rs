//! Why a customer was contacted, or not: every plan's verdicts with rule and figures, and what was said.

use super::blocks::{Block, Table};
use super::session::Visitor;
use super::show::{Look, View, answer};
use super::words;
use crate::api::Problem;
use axum::extract::Query;
use axum::response::Response;

pub(super) async fn show(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, &look.q).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, customer: &str) -> Result<View, Problem> {
    let view = View::new(visitor.t("客户触达说明", "Why a customer was contacted"));
    let view = view.with(Block::Search {
        label: visitor.t("客户编号", "Customer id").to_owned(),
        value: customer.to_owned(),
        submit: visitor.t("查询", "Look up").to_owned(),
    });
    if customer.is_empty() {
        return Ok(view);
    }
    // What the API checks before it explains: whose customer it is.
    visitor.engine.customer(customer).await?;
    let explained = visitor.engine.why(customer, None).await?;
    let mut view = view;
    if explained.plans.is_empty() {
        view = view.text(visitor.t("没有计划判定过该客户。", "No plan looked at this customer."));
    }
    for plan in explained.plans {
        let title = format!("{} · {} {}", plan.date, visitor.t("批次", "wave"), plan.wave);
        let columns = [
            visitor.t("任务", "Campaign"),
            visitor.t("裁决", "Verdict"),
            visitor.t("最终", "Finally"),
            visitor.t("规则", "Rule"),
            visitor.t("依据", "Figures"),
            visitor.t("胜出者", "Winner"),
        ];
        let mut table = Table::new("verdicts", title, columns);
        let mut messages = Vec::new();
        for activity in plan.activities {
            table.row([
                activity.campaign.into(),
                words::verdict(visitor.tongue, &activity.verdict).into(),
                words::state(visitor.tongue, words::verdict(visitor.tongue, &activity.finally)).into(),
                activity.rule.into(),
                activity.figures.into(),
                activity.winner.unwrap_or_default().into(),
            ]);
            messages.extend(activity.messages.into_iter().map(|message| {
                let channel = words::channel(visitor.tongue, message.channel);
                let state = words::state(visitor.tongue, message.state);
                (format!("{} · {channel} · {state}", message.planned_at), message.text)
            }));
        }
        view = view.with(table).with(Block::Messages(messages));
    }
    Ok(view)
}
