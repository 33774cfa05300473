//! Campaigns: what runs, how it was carried out, whether it helped; started, paused and stopped here.

use super::blocks::{Bars, Block, Cell, Table, newest_first, share};
use super::counted::Counted;
use super::evidence;
use super::form::{Done, Field, Filled, Form, Kind, NotDone, Tried, carry_out, sealed};
use super::session::Visitor;
use super::show::{self, Look, View, again, answer, refused};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use care_domain::manifest::World;
use care_domain::person::Act;
use care_domain::ramp::Ramp;
use care_domain::time;
use care_engine::{EngineError, NewCampaign, StoredSubmission};
use semver::VersionReq;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

const CAMPAIGNS: &str = "/console/campaigns";
const ESTIMATE: &str = "/console/campaigns/estimate";
/// Campaigns of a page.
const PAGE: usize = 100;

pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = overview(&visitor, &look, None).await;
    answer(&visitor, &look, view)
}

async fn overview(visitor: &Visitor, look: &Look, tried: Option<&Tried>) -> Result<View, Problem> {
    let mut campaigns = visitor.engine.campaigns().await?;
    campaigns.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
    let (page, next) = newest_first(&campaigns, look.after, PAGE);
    let columns = [
        visitor.t("任务", "Campaign"),
        visitor.t("活动", "Activity"),
        visitor.t("状态", "Stands"),
        visitor.t("启动人", "Started by"),
        visitor.t("启动时间", "Started"),
    ];
    let mut table = Table::new("campaigns", visitor.t("营销任务", "Campaigns"), columns);
    for campaign in page {
        table.row([
            Cell::link(campaign.id.as_str(), format!("{CAMPAIGNS}/{}", campaign.id)),
            campaign.activity.as_str().into(),
            running(visitor, campaign.active).into(),
            campaign.started_by.as_str().into(),
            moment(campaign.started_at).into(),
        ]);
    }
    table.next = next;
    let mut view = View::new(visitor.t("营销任务", "Campaigns")).with(table);
    if visitor.engine.may(Act::RunCampaigns) {
        view = view.with(estimate_form(visitor).await?.tried(tried));
    }
    Ok(view)
}

fn running(visitor: &Visitor, active: bool) -> &str {
    if active { visitor.t("运行中", "Running") } else { visitor.t("已停止", "Stopped") }
}

/// What may be started, by the name that a form gives it: activities of which something is approved, and their variants.
async fn startable(visitor: &Visitor) -> Result<BTreeMap<String, StoredSubmission>, Problem> {
    let all = visitor.engine.submissions().await?;
    let approved = all.into_iter().filter(|found| {
        let on_standby = found.approval.as_ref().is_some_and(|approval| approval.standby.is_some());
        let is_activity = found.version.manifest.world == World::Activity;
        found.submission.may_start() && !on_standby && is_activity
    });
    Ok(approved.map(|found| (choice_of(&found), found)).collect())
}

/// `birthday`, or `birthday+xiamen` for a variant.
fn choice_of(found: &StoredSubmission) -> String {
    let name = &found.version.manifest.name;
    found.version.variant.as_ref().map_or_else(|| name.clone(), |(variant, _)| format!("{name}+{}", variant.name))
}

/// The first step of a start: what it would do.
async fn estimate_form(visitor: &Visitor) -> Result<Form, Problem> {
    let choices = startable(visitor).await?.into_iter().map(|(name, found)| {
        let title = found.version.manifest.title.get(visitor.tongue.0);
        let variant = name.split_once('+').map_or(String::new(), |(_, variant)| format!(" · {variant}"));
        (name, format!("{title}{variant}"))
    });
    let params = visitor.t(
        "每行一个，如 threshold=3；不填则用缺省值。",
        "One a line, such as threshold=3; what is left away has its default.",
    );
    let ramp = visitor.t(
        "如 1%, 10%, 100%：先覆盖一小部分客户，平稳后逐级放大，出现大量失败或投诉时自动暂停。不填则一次覆盖全部。",
        "Such as 1%, 10%, 100%: begins with few customers and takes more by and by; held by the host where much fails or \
         draws complaints. With everybody at once when left empty.",
    );
    let fields = vec![
        Field::new("activity", visitor.t("活动", "Activity"), Kind::Choice(choices.collect()))
            .required()
            .refused_as(&["unknown-activity"]),
        Field::new("version", visitor.t("版本要求（如 ^1）", "Version, such as ^1"), Kind::Line).value("*"),
        Field::new("params", visitor.t("参数", "Parameters"), Kind::Area).hint(params).refused_as(&["bad-parameter"]),
        Field::new("ramp", visitor.t("放量步骤", "Ramp-up"), Kind::Line).hint(ramp),
        Field::new("ramp_days", visitor.t("每步天数", "Planned dates of a step"), Kind::Number).value("1"),
    ];
    let hint = visitor.t(
        "先在最新客户快照上估算，看清触达多少客户、说什么、花多少钱，再确认启动。",
        "First see on the newest population whom it reaches, what it says and what it costs; then confirm.",
    );
    Ok(Form::new(ESTIMATE, visitor.t("估算并启动任务", "Estimate and start"), fields).hint(hint))
}

/// What a form says is to be started.
fn new_campaign(filled: &Filled) -> Result<NewCampaign, EngineError> {
    let wrong =
        |error: semver::Error| EngineError::refused("bad-version", format!("{error}."), "Write it as ^1 or 1.2.0.");
    let (activity, variant) = match filled.one("activity").split_once('+') {
        Some((activity, variant)) => (activity, Some(variant.to_owned())),
        None => (filled.one("activity"), None),
    };
    let days = filled.number("ramp_days")?.unwrap_or(1);
    let ramp = Some(filled.one("ramp")).filter(|shares| !shares.is_empty()).map(|shares| Ramp::parse(shares, days));
    Ok(NewCampaign {
        activity: activity.to_owned(),
        requirement: VersionReq::parse(filled.one("version")).map_err(wrong)?,
        variant,
        params: params_of(filled.one("params"))?,
        max_snapshot_days: None,
        ramp: ramp.transpose().map_err(EngineError::Refused)?,
    })
}

/// Shows what a start would do, and asks for its reach to be typed.
pub(super) async fn estimate(visitor: Visitor, filled: Filled) -> Response {
    if let Err(problem) = sealed(&visitor, &filled) {
        return refused(&visitor.tongue, Some(&visitor), &problem);
    }
    let done = async {
        let new = new_campaign(&filled)?;
        let who = (visitor.person(), now_ms());
        let cores = crate::commands::plan::cores();
        visitor.engine.estimate_campaign(&new, cores, who, Arc::new(|_| true)).await
    };
    let found = match done.await {
        Ok(found) => found,
        Err(error) => {
            let why = NotDone::of(&visitor, ESTIMATE, filled, error);
            return again(&visitor, why, async |tried| overview(&visitor, &Look::default(), Some(tried)).await).await;
        }
    };
    let reach = found.selected();
    let mut view = View::new(visitor.t("估算", "Estimate")).with(Block::Facts(wanted(&visitor, &filled)));
    if reach == 0 {
        view = view.warning(visitor.t("没有客户会入选。", "It would select nobody."));
    }
    view = evidence::shown(&visitor, view, &found).with(confirm_form(&visitor, &filled, &reach.to_string()));
    show::page(&visitor.tongue, Some(&visitor), &view)
}

/// What is to be started, as it was filled in.
fn wanted(visitor: &Visitor, filled: &Filled) -> Vec<(String, String)> {
    let at_once = visitor.t("一次覆盖全部", "Everybody at once");
    let ramp = Some(filled.one("ramp")).filter(|ramp| !ramp.is_empty()).unwrap_or(at_once);
    let defaults = visitor.t("缺省值", "Defaults");
    let params = Some(filled.one("params")).filter(|params| !params.is_empty()).unwrap_or(defaults);
    vec![
        visitor.fact("活动", "Activity", filled.one("activity").to_owned()),
        visitor.fact("版本要求", "Version", filled.one("version").to_owned()),
        visitor.fact("参数", "Parameters", params.to_owned()),
        visitor.fact("放量步骤", "Ramp-up", ramp.to_owned()),
    ]
}

/// The second step of a start. Whoever starts it types how many customers it reaches.
fn confirm_form(visitor: &Visitor, filled: &Filled, reach: &str) -> Form {
    let kept = ["activity", "version", "params", "ramp", "ramp_days"];
    let mut fields: Vec<Field> = kept.map(|name| Field::hidden(name, filled.one(name))).into();
    fields.push(Field::hidden("reach", reach));
    let hint = visitor.t("输入上面的入选客户数，确认启动。", "To confirm, type how many customers it selects.");
    Form::new(CAMPAIGNS, visitor.t("启动任务", "Start the campaign"), fields).hint(hint).typed(reach)
}

pub(super) async fn start(visitor: Visitor, filled: Filled) -> Response {
    let reach = filled.one("reach").to_owned();
    if reach.is_empty() {
        let hint = visitor.t("请先估算，再确认触达人数。", "Estimate first, then confirm the reach.");
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no-estimate", hint, "");
        return refused(&visitor.tongue, Some(&visitor), &problem);
    }
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let started = who.engine.start_campaign(&new_campaign(filled)?, who.person(), now_ms()).await?;
        Ok(Done::at(format!("{CAMPAIGNS}/{}", started.campaign), "started"))
    };
    match carry_out(&visitor, filled, CAMPAIGNS, Some(&reach), act).await {
        Ok(response) => response,
        Err(why) => {
            let form = async |tried: &Tried| {
                let view = View::new(visitor.t("启动任务", "Start the campaign"));
                let form = confirm_form(&visitor, &tried.filled, &reach).tried(Some(tried));
                Ok(view.with(Block::Facts(wanted(&visitor, &tried.filled))).with(form))
            };
            again(&visitor, why, form).await
        }
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
    let mut facts = vec![
        visitor.fact("状态", "Stands", stands.to_owned()),
        visitor.fact("活动", "Activity", campaign.activity.clone()),
        visitor.fact("版本摘要", "Version digest", campaign.component.clone()),
        visitor.fact("参数", "Parameters", campaign.params.clone()),
        visitor.fact("启动人", "Started by", campaign.started_by.clone()),
        visitor.fact("启动时间", "Started", moment(campaign.started_at)),
    ];
    let today = time::today(now_ms());
    if let (Some(ramp), Some(share)) = (&campaign.ramp, visitor.engine.ramp_share(&campaign, today).await?) {
        let percent = |share: u16| format!("{} %", f64::from(share) / 100.0);
        let steps: Vec<String> = ramp.shares.iter().map(|share| percent(*share)).collect();
        let days = format!("{} · {} {}", steps.join(" → "), ramp.days, visitor.t("天一步", "planned dates each"));
        facts.push(visitor.fact("放量步骤", "Ramp-up", days));
        facts.push(visitor.fact("当前覆盖", "Takes now", percent(share)));
    }
    let mut view = View::new(campaign.id.clone()).with(Block::Facts(facts));
    if let Some(paused) = &paused {
        view = view.warning(format!("{} {}: {}", visitor.t("已被暂停，", "Paused by"), paused.person, paused.reason));
    }
    view = executed(visitor, view, &campaign.id).await;
    let to = format!("{CAMPAIGNS}/{}/evaluation", campaign.id);
    view = view.with(Block::Links(vec![(visitor.t("效果评估", "Effect").to_owned(), to)]));
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

/// How it was carried out, as far as it was counted.
async fn executed(visitor: &Visitor, view: View, id: &str) -> View {
    let (engine, campaign) = (visitor.engine.clone(), id.to_owned());
    let job = async move { engine.execution(&campaign).await.map(|done| Counted::Execution(Arc::new(done))) };
    let told = visitor.api.counted().ask(visitor, &format!("execution {id}"), job).await;
    let view = told.mark(visitor, view);
    let Some(Counted::Execution(done)) = told.counted else { return view };
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
    let verdicts = done.verdicts.iter().map(|(verdict, count)| {
        let name = words::verdict(visitor.tongue, verdict.name()).to_owned();
        (name, *count)
    });
    let verdicts: Vec<(String, u64)> = verdicts.collect();
    let bars = Bars::of(visitor.t("裁决", "Verdicts"), &verdicts);
    view.with(bars).with(evidence::verdicts_table(visitor, verdicts)).with(table)
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
