//! Campaigns: what runs, how it was carried out, whether it helped; started, paused and stopped here.

use super::blocks::{Block, Cell, Table, figure, share};
use super::form::{Done, Field, Filled, Form, Kind, Tried, carry_out};
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words;
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::person::Act;
use care_domain::time::write_instant;
use care_engine::{EngineError, EvaluationRequest, NewCampaign, StoredSubmission};
use semver::VersionReq;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = overview(&visitor, None).await;
    answer(&visitor, &look, view)
}

async fn overview(visitor: &Visitor, tried: Option<&Tried>) -> Result<View, Problem> {
    let campaigns = visitor.engine.campaigns().await?;
    let columns = [
        visitor.t("任务", "Campaign"),
        visitor.t("活动", "Activity"),
        visitor.t("状态", "Stands"),
        visitor.t("启动人", "Started by"),
        visitor.t("启动时间", "Started"),
    ];
    let mut table = Table::new("campaigns", visitor.t("营销任务", "Campaigns"), columns);
    for campaign in campaigns.iter().rev() {
        table.row([
            Cell::link(campaign.id.as_str(), format!("/console/campaigns/{}", campaign.id)),
            campaign.activity.as_str().into(),
            running(visitor, campaign.active).into(),
            campaign.started_by.as_str().into(),
            write_instant(campaign.started_at).into(),
        ]);
    }
    let mut view = View::new(visitor.t("营销任务", "Campaigns")).with(table);
    if visitor.engine.may(Act::RunCampaigns) {
        view = view.with(start_form(visitor).await?.tried(tried));
    }
    Ok(view)
}

fn running(visitor: &Visitor, active: bool) -> &str {
    if active { visitor.t("运行中", "Running") } else { visitor.t("已停止", "Stopped") }
}

/// Activities of which something is approved.
async fn startable(visitor: &Visitor) -> Result<BTreeMap<String, StoredSubmission>, Problem> {
    let all = visitor.engine.submissions().await?;
    let approved = all.into_iter().filter(|found| matches!(found.submission.state(), "approved" | "active"));
    Ok(approved.map(|found| (found.version.manifest.name.clone(), found)).collect())
}

async fn start_form(visitor: &Visitor) -> Result<Form, Problem> {
    let choices = startable(visitor).await?.into_iter().map(|(name, found)| {
        let title = found.version.manifest.title.get(visitor.tongue.0).to_owned();
        (name, title)
    });
    let hint = visitor.t(
        "每行一个，如 threshold=3；不填则用缺省值。",
        "One a line, such as threshold=3; what is left away has its default.",
    );
    let fields = vec![
        Field::new("activity", visitor.t("活动", "Activity"), Kind::Choice(choices.collect())).required(),
        Field::new("version", visitor.t("版本要求（如 ^1）", "Version, such as ^1"), Kind::Line).value("*"),
        Field::new("params", visitor.t("参数", "Parameters"), Kind::Area).hint(hint),
    ];
    Ok(Form::new("/console/campaigns", visitor.t("启动任务", "Start a campaign"), fields))
}

pub(super) async fn start(visitor: Visitor, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let wrong =
            |error: semver::Error| EngineError::refused("bad-version", format!("{error}."), "Write it as ^1 or 1.2.0.");
        let new = NewCampaign {
            activity: filled.one("activity").to_owned(),
            requirement: VersionReq::parse(filled.one("version")).map_err(wrong)?,
            variant: None,
            params: params_of(filled.one("params"))?,
            max_snapshot_days: None,
        };
        let started = who.engine.start_campaign(&new, who.person(), now_ms()).await?;
        Ok(Done::at(format!("/console/campaigns/{}", started.campaign), "started"))
    };
    match carry_out(&visitor, filled, "/console/campaigns", None, act).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| overview(&visitor, Some(tried)).await).await,
    }
}

/// Parameters as typed, one a line: a value that is JSON is that, any other one text.
fn params_of(text: &str) -> Result<Map<String, Value>, EngineError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').ok_or_else(|| {
                EngineError::refused("bad-params", format!("{line:?} gives no value."), "Write name=value.")
            })?;
            let value = value.trim();
            Ok((name.trim().to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
        })
        .collect()
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<String>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, &id, None).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, id: &str, tried: Option<&Tried>) -> Result<View, Problem> {
    let campaign = visitor.engine.campaign(id).await?;
    let paused = visitor.engine.pause_of(&campaign.id).await?;
    let stands = if paused.is_some() { visitor.t("已暂停", "Paused") } else { running(visitor, campaign.active) };
    let facts = vec![
        visitor.fact("状态", "Stands", stands.to_owned()),
        visitor.fact("活动", "Activity", campaign.activity.clone()),
        visitor.fact("版本摘要", "Version digest", campaign.component.clone()),
        visitor.fact("参数", "Parameters", campaign.params.clone()),
        visitor.fact("启动人", "Started by", campaign.started_by.clone()),
        visitor.fact("启动时间", "Started", write_instant(campaign.started_at)),
    ];
    let mut view = View::new(campaign.id.clone()).with(Block::Facts(facts));
    if let Some(paused) = &paused {
        view = view.warning(format!("{} {}: {}", visitor.t("已被暂停，", "Paused by"), paused.person, paused.reason));
    }
    view = executed(visitor, view, &campaign.id).await?;
    view = evaluated(visitor, view, &campaign.id).await;
    if campaign.active && visitor.engine.may(Act::RunCampaigns) {
        view = forms(visitor, view, &campaign.id, paused.is_some(), tried);
    }
    Ok(view)
}

fn forms(visitor: &Visitor, view: View, id: &str, paused: bool, tried: Option<&Tried>) -> View {
    let path = |verb: &str| format!("/console/campaigns/{id}/{verb}");
    let reason = || vec![Field::new("reason", visitor.t("理由", "Reason"), Kind::Area).required()];
    let halt = if paused {
        Form::new(path("resume"), visitor.t("恢复任务", "Resume"), reason())
    } else {
        Form::new(path("pause"), visitor.t("暂停任务", "Pause"), reason())
    };
    let stop = Form::new(path("stop"), visitor.t("停止任务", "Stop for good"), Vec::new()).typed(id);
    view.with(halt.tried(tried)).with(stop.tried(tried))
}

async fn executed(visitor: &Visitor, view: View, id: &str) -> Result<View, Problem> {
    let done = visitor.engine.execution(id).await?;
    let columns = [
        visitor.t("范围", "Of"),
        visitor.t("已计划", "Planned"),
        visitor.t("已释放", "Released"),
        visitor.t("已发送", "Sent"),
        visitor.t("已送达", "Delivered"),
        visitor.t("失败", "Failed"),
        visitor.t("及时", "In time"),
    ];
    let mut table = Table::new("execution", visitor.t("执行情况", "Execution"), columns);
    let all = [(visitor.t("合计", "All").to_owned(), &done.all)];
    let channels = done.by_channel.iter().map(|(name, part)| (words::channel(visitor.tongue, name).to_owned(), part));
    let regions = done.by_region.iter().map(|(name, part)| (name.clone(), part));
    let tiers = done.by_tier.iter().map(|(name, part)| (name.clone(), part));
    for (name, part) in all.into_iter().chain(channels).chain(regions).chain(tiers) {
        table.row([
            name.into(),
            part.planned.into(),
            part.released.into(),
            part.sent.into(),
            part.delivered.into(),
            part.failed.into(),
            share(part.in_time, part.sent).into(),
        ]);
    }
    Ok(view.with(table))
}

/// Whether it helped; what keeps it from being told is said instead.
async fn evaluated(visitor: &Visitor, view: View, id: &str) -> View {
    let request = EvaluationRequest { campaign: id.to_owned(), host_only: true, ..EvaluationRequest::default() };
    let found = match visitor.engine.evaluate(&request).await {
        Ok(found) => found,
        Err(error) => {
            let why = super::show::told(visitor.tongue, &error);
            return view.heading(visitor.t("效果评估", "Effect")).text(why.message);
        }
    };
    let compared = &found.compared;
    let title = format!(
        "{} · {} · {} {}",
        visitor.t("效果评估", "Effect"),
        found.metric,
        found.window_days,
        visitor.t("天", "days")
    );
    let columns = [visitor.t("组别", "Arm"), visitor.t("客户", "Customers"), visitor.t("均值", "Mean")];
    let mut table = Table::new("effect", title, columns);
    table.row([
        visitor.t("触达组", "Contacted").into(),
        compared.treated.count.into(),
        format!("{:.4}", compared.treated_mean).into(),
    ]);
    table.row([
        visitor.t("对照组", "Held out").into(),
        compared.control.count.into(),
        format!("{:.4}", compared.control_mean).into(),
    ]);
    let view = view.with(table);
    let Some(effect) = &compared.effect else {
        return view.text(
            visitor.t("对照组不足两人，不能比较。", "Fewer than two customers were held out: nothing can be compared."),
        );
    };
    let [low, high] = effect.ci95;
    let sample = compared
        .sample
        .as_ref()
        .map_or("–".to_owned(), |sample| format!("{} + {}", figure(sample.treated), figure(sample.control)));
    view.with(Block::Facts(vec![
        visitor.fact("差异", "Difference", format!("{:+.4} {}", effect.difference, found.unit)),
        visitor.fact("95%置信区间", "95 % interval", format!("{low:+.4} … {high:+.4}")),
        visitor.fact("p值", "p-value", format!("{:.4}", effect.p)),
        visitor.fact("所需样本（触达+对照）", "Sample that this difference takes", sample),
    ]))
}

/// Carries one of a campaign's forms out.
async fn carried(
    visitor: Visitor,
    id: String,
    verb: &str,
    filled: Filled,
    act: impl AsyncFnOnce(&Filled) -> Result<&'static str, EngineError>,
) -> Response {
    let action = format!("/console/campaigns/{id}/{verb}");
    let typed = (verb == "stop").then_some(id.as_str());
    let done = async |filled: &Filled| act(filled).await.map(|said| Done::at(format!("/console/campaigns/{id}"), said));
    match carry_out(&visitor, filled, &action, typed, done).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| view(&visitor, &id, Some(tried)).await).await,
    }
}

pub(super) async fn pause(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    let (who, campaign) = (visitor.clone(), id.clone());
    let act = async move |filled: &Filled| {
        who.engine.pause_campaign(&campaign, filled.one("reason"), who.person(), now_ms()).await.map(|()| "paused")
    };
    carried(visitor, id, "pause", filled, act).await
}

pub(super) async fn resume(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    let (who, campaign) = (visitor.clone(), id.clone());
    let act = async move |filled: &Filled| {
        who.engine.resume_campaign(&campaign, filled.one("reason"), who.person(), now_ms()).await.map(|()| "resumed")
    };
    carried(visitor, id, "resume", filled, act).await
}

pub(super) async fn stop(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    let (who, campaign) = (visitor.clone(), id.clone());
    let act =
        async move |_: &Filled| who.engine.stop_campaign(&campaign, who.person(), now_ms()).await.map(|_| "stopped");
    carried(visitor, id, "stop", filled, act).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_typed_one_a_line() {
        let params = params_of("days = 3\n\nlist=vip\non=true").expect("parameters");
        assert_eq!(serde_json::Value::Object(params), serde_json::json!({"days": 3, "list": "vip", "on": true}));
        let error = params_of("days 3").expect_err("no value");
        assert_eq!(error.findings()[0].code, "bad-params");
    }
}
