//! Whether a campaign helped: the difference to those who were held out with its interval, by slice, day by day, and what
//! was found and kept before.

use super::blocks::{Block, Intervals, Table, figure};
use super::counted::Counted;
use super::form::{Done, Filled, Form, Tried, carry_out};
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words::moment;
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::person::Act;
use care_engine::{Compared, Evaluation, EvaluationRequest};
use std::sync::Arc;

fn path(campaign: &str) -> String {
    format!("/console/campaigns/{campaign}/evaluation")
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<String>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, &id, look.by.as_deref(), None).await;
    answer(&visitor, &look, view)
}

fn request(campaign: &str, by: Option<&str>) -> EvaluationRequest {
    EvaluationRequest { campaign: campaign.to_owned(), by: by.map(str::to_owned), ..EvaluationRequest::default() }
}

async fn view(visitor: &Visitor, id: &str, by: Option<&str>, tried: Option<&Tried>) -> Result<View, Problem> {
    let campaign = visitor.engine.campaign(id).await?;
    let by = by.filter(|field| !field.is_empty());
    let mut links =
        vec![(campaign.id.clone(), format!("/console/campaigns/{id}")), (visitor.t("总体", "All").into(), path(id))];
    links.extend(visitor.engine.slices().map(|(field, def)| {
        let title = def.title.get(visitor.tongue.0);
        (format!("{} {title}", visitor.t("按", "By")), format!("{}?by={field}", path(id)))
    }));
    let title = format!("{} · {id}", visitor.t("效果评估", "Effect"));
    let mut view = View::new(title).with(Block::Links(links));
    let (engine, wanted) = (visitor.engine.clone(), request(id, by));
    let job = async move { engine.evaluate(&wanted).await.map(|found| Counted::Evaluation(Arc::new(found))) };
    let name = format!("evaluation {id} {}", by.unwrap_or_default());
    let told = visitor.api.counted().ask(visitor, &name, job).await;
    view = told.mark(visitor, view);
    view = match told.counted {
        Some(Counted::Evaluation(found)) => shown(visitor, view, &found),
        Some(Counted::Refused(why)) => why.iter().fold(view, |view, finding| view.text(&finding.message)),
        _ => view,
    };
    view = kept(visitor, view, id).await?;
    if visitor.engine.may(Act::KeepEvaluation) {
        let hint = visitor.t("保存后随版本归档，供以后比较。", "Kept with its version, to be compared with later.");
        view = view.with(
            Form::new(path(id), visitor.t("保存评估", "Keep this evaluation"), Vec::new()).hint(hint).tried(tried),
        );
    }
    Ok(view)
}

fn shown(visitor: &Visitor, view: View, found: &Evaluation) -> View {
    let view = view.with(Block::Facts(facts(visitor, found))).with(arms(visitor, found));
    let mut effects = Vec::new();
    let all = (visitor.t("总体", "All").to_owned(), &found.compared);
    let slices = found.slices.iter().map(|(label, compared)| (label.clone(), compared));
    for (label, compared) in std::iter::once(all).chain(slices) {
        if let Some(effect) = &compared.effect {
            effects.push((label, effect.difference, effect.ci95));
        }
    }
    let view = if effects.is_empty() {
        view.text(
            visitor.t("对照组不足两人，不能比较。", "Fewer than two customers were held out: nothing can be compared."),
        )
    } else {
        view.with(Block::Intervals(Intervals::of(
            visitor.t("差异与95%置信区间", "Difference and 95 % interval"),
            &effects,
        )))
    };
    let view = if found.slices.is_empty() { view } else { view.with(slices_table(visitor, found)) };
    view.with(by_day(visitor, found)).with(plugin(visitor, found))
}

fn facts(visitor: &Visitor, found: &Evaluation) -> Vec<(String, String)> {
    let mut facts = vec![
        visitor.fact("指标", "Outcome", found.metric.clone()),
        visitor.fact("观察期（天）", "Window in days", found.window_days.to_string()),
    ];
    if let Some(effect) = &found.compared.effect {
        let [low, high] = effect.ci95;
        facts.push(visitor.fact("差异", "Difference", format!("{:+.4} {}", effect.difference, found.unit)));
        facts.push(visitor.fact("95%置信区间", "95 % interval", format!("{low:+.4} … {high:+.4}")));
        facts.push(visitor.fact("p值", "p-value", format!("{:.4}", effect.p)));
    }
    if let Some(watched) = &found.compared.watched {
        let [low, high] = watched.ci95;
        let name = ("边看边判的95%区间", "95 % interval while it is watched");
        facts.push(visitor.fact(name.0, name.1, format!("{low:+.4} … {high:+.4}")));
    }
    if let Some(sample) = &found.compared.sample {
        let told = format!("{} + {}", figure(sample.treated), figure(sample.control));
        facts.push(visitor.fact("所需样本（触达+对照）", "Sample that this difference takes", told));
    }
    facts
}

fn arms(visitor: &Visitor, found: &Evaluation) -> Table {
    let columns = [visitor.t("组别", "Arm"), visitor.t("客户", "Customers"), visitor.t("均值", "Mean")];
    let mut table = Table::new("effect", visitor.t("触达组与对照组", "Contacted and held out"), columns);
    let Compared { treated, control, treated_mean, control_mean, .. } = &found.compared;
    let mean = |mean: &f64| format!("{mean:.4}");
    table.row([visitor.t("触达组", "Contacted").into(), treated.count.into(), mean(treated_mean).into()]);
    table.row([visitor.t("对照组", "Held out").into(), control.count.into(), mean(control_mean).into()]);
    table
}

fn slices_table(visitor: &Visitor, found: &Evaluation) -> Table {
    let columns = [
        visitor.t("分组", "Slice"),
        visitor.t("触达客户", "Contacted"),
        visitor.t("对照客户", "Held out"),
        visitor.t("差异", "Difference"),
        visitor.t("95%置信区间", "95 % interval"),
    ];
    let mut table = Table::new("slices", visitor.t("分组效果", "By slice"), columns);
    for (label, compared) in &found.slices {
        let (difference, interval) = compared.effect.as_ref().map_or(("–".to_owned(), "–".to_owned()), |effect| {
            let [low, high] = effect.ci95;
            (format!("{:+.4}", effect.difference), format!("{low:+.4} … {high:+.4}"))
        });
        table.row([
            label.as_str().into(),
            compared.treated.count.into(),
            compared.control.count.into(),
            difference.into(),
            interval.into(),
        ]);
    }
    table
}

fn by_day(visitor: &Visitor, found: &Evaluation) -> Table {
    let columns = [
        visitor.t("触达后天数", "Days after"),
        visitor.t("触达组达成率", "Contacted"),
        visitor.t("对照组达成率", "Held out"),
    ];
    let mut table = Table::new("days", visitor.t("随时间的变化", "Day by day"), columns);
    for (day, (treated, control)) in found.by_day.treated.iter().zip(&found.by_day.control).enumerate() {
        table.row([(day as u64 + 1).into(), format!("{treated:.4}").into(), format!("{control:.4}").into()]);
    }
    table
}

fn plugin(visitor: &Visitor, found: &Evaluation) -> Table {
    let columns = [
        visitor.t("指标", "Figure"),
        visitor.t("分组", "Slice"),
        visitor.t("组别", "Arm"),
        visitor.t("客户", "Customers"),
        visitor.t("均值", "Mean"),
    ];
    let mut table = Table::new("plugin", visitor.t("活动自报指标", "What the activity counts itself"), columns);
    for metric in &found.plugin {
        let arm = if metric.treated { visitor.t("触达组", "Contacted") } else { visitor.t("对照组", "Held out") };
        table.row([
            metric.name.as_str().into(),
            metric.slice.as_str().into(),
            arm.into(),
            metric.count.into(),
            format!("{:.4}", metric.mean).into(),
        ]);
    }
    table
}

async fn kept(visitor: &Visitor, view: View, id: &str) -> Result<View, Problem> {
    let columns = [
        visitor.t("编号", "No."),
        visitor.t("指标", "Outcome"),
        visitor.t("差异", "Difference"),
        visitor.t("保存人", "Kept by"),
        visitor.t("时间", "When"),
    ];
    let mut table = Table::new("kept", visitor.t("历次评估", "Kept before"), columns);
    for kept in visitor.engine.kept_evaluations(id).await? {
        let difference = kept.document["effect"]["difference"].as_f64();
        table.row([
            kept.id.to_string().into(),
            kept.metric.as_str().into(),
            difference.map_or("–".to_owned(), |difference| format!("{difference:+.4}")).into(),
            kept.person.as_str().into(),
            moment(kept.at).into(),
        ]);
    }
    Ok(view.with(table))
}

pub(super) async fn keep(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    let (who, campaign) = (visitor.clone(), id.clone());
    let act = async move |_: &Filled| {
        let found = who.engine.evaluate(&request(&campaign, None)).await?;
        who.engine.keep_evaluation(&found, who.person(), now_ms()).await?;
        Ok(Done::at(path(&campaign), "kept"))
    };
    match carry_out(&visitor, filled, &path(&id), None, act).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| view(&visitor, &id, None, Some(tried)).await).await,
    }
}
