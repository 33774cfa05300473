//! Activities with their versions: what is known of them all, and of one what it asks for, what it was granted, and what it
//! did over time.

use super::blocks::{Block, Cell, Intervals, Table};
use super::counted::Counted;
use super::session::Visitor;
use super::show::{Look, View, answer};
use super::words::{self, moment};
use crate::api::Problem;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::approval::Approval;
use care_domain::field::Stage;
use care_domain::manifest::Manifest;
use care_domain::time::write_date;
use care_engine::{KnowledgeQuery, Learnt, StoredSubmission};
use std::sync::Arc;

/// What is known of versions, and the page that shows it marked where it is being counted; nothing the first time.
pub(super) async fn known(visitor: &Visitor, view: View, text: &str) -> (View, Option<Arc<Vec<Learnt>>>) {
    let (engine, text) = (visitor.engine.clone(), Some(text.to_owned()).filter(|text| !text.is_empty()));
    let name = format!("knowledge {}", text.as_deref().unwrap_or_default());
    let query = KnowledgeQuery { text, ..KnowledgeQuery::default() };
    let job = async move { engine.knowledge(&query).await.map(|known| Counted::Knowledge(Arc::new(known))) };
    let told = visitor.api.counted().ask(visitor, &name, job).await;
    let view = told.mark(visitor, view);
    match told.counted {
        Some(Counted::Knowledge(known)) => (view, Some(known)),
        Some(Counted::Refused(why)) => (why.iter().fold(view, |view, finding| view.text(&finding.message)), None),
        _ => (view, None),
    }
}

/// Activities with what they did: the knowledge base.
pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = async {
        let view = View::new(visitor.t("活动", "Activities")).with(Block::Search {
            label: visitor.t("名称或说明", "Name or summary").to_owned(),
            value: look.q.clone(),
            submit: visitor.t("查询", "Look up").to_owned(),
        });
        let (view, known) = known(&visitor, view, &look.q).await;
        let Some(known) = known else { return Ok(view) };
        let columns = [
            visitor.t("活动", "Activity"),
            visitor.t("版本", "Version"),
            visitor.t("状态", "Stands"),
            visitor.t("类别", "Class"),
            visitor.t("目录分类", "Categories"),
            visitor.t("已发送", "Sent"),
            visitor.t("投诉与咨询", "Complaints and enquiries"),
            visitor.t("效果（差异与95%区间）", "Effect: difference, 95 %"),
        ];
        let mut table = Table::new("activities", visitor.t("活动版本", "Versions"), columns);
        for learnt in known.iter() {
            let title = learnt.title.get(visitor.tongue.0);
            table.row([
                Cell::link(title, format!("/console/activities/{}", learnt.activity)),
                learnt.version.as_str().into(),
                words::state(visitor.tongue, learnt.state).into(),
                words::class(visitor.tongue, learnt.class).into(),
                learnt
                    .categories
                    .keys()
                    .map(|name| words::category(visitor.tongue, name))
                    .collect::<Vec<_>>()
                    .join(", ")
                    .into(),
                learnt.reaction.messages.into(),
                (learnt.reaction.complaints + learnt.reaction.enquiries).into(),
                effect(learnt).into(),
            ]);
        }
        Ok::<_, Problem>(view.with(table))
    };
    answer(&visitor, &look, view.await)
}

fn effect(learnt: &Learnt) -> String {
    learnt
        .effect()
        .map_or("–".to_owned(), |(difference, [low, high])| format!("{difference:+.4} [{low:+.4}, {high:+.4}]"))
}

pub(super) async fn show(visitor: Visitor, Path(name): Path<String>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, &name).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, name: &str) -> Result<View, Problem> {
    let mut versions = visitor.engine.submissions().await?;
    versions.retain(|found| found.version.manifest.name == name);
    versions.sort_by_key(|found| std::cmp::Reverse(found.id));
    let Some(newest) = versions.first() else { return Err(Problem::missing("such activity")) };
    let manifest = &newest.version.manifest;
    let mut view = View::new(manifest.title.get(visitor.tongue.0)).text(manifest.summary.get(visitor.tongue.0));
    view = view.with(history(visitor, &versions)).with(campaigns(visitor, name).await?);
    view = over_time(visitor, view, name).await;
    view = view.heading(format!("{} {}", visitor.t("清单", "Manifest of"), manifest.version));
    view = view.with(Block::Facts(asked(visitor, manifest))).with(fields(visitor, manifest));
    if let Some(approval) = &newest.approval {
        view =
            view.heading(visitor.t("批准的权限", "What it was granted")).with(Block::Facts(granted(visitor, approval)));
    }
    Ok(view.heading(visitor.t("消息模板", "Templates")).with(Block::Messages(templates(visitor, manifest))))
}

fn history(visitor: &Visitor, versions: &[StoredSubmission]) -> Table {
    let columns = [
        visitor.t("版本", "Version"),
        visitor.t("状态", "Stands"),
        visitor.t("归属地区", "Owner"),
        visitor.t("提交人", "Author"),
        visitor.t("提交时间", "Uploaded"),
        visitor.t("批准人", "Approved by"),
    ];
    let mut table = Table::new("versions", visitor.t("版本历史", "Versions"), columns);
    for found in versions {
        let manifest = &found.version.manifest;
        table.row([
            Cell::link(manifest.version.to_string(), format!("/console/submissions/{}", found.id)),
            words::state(visitor.tongue, found.submission.state()).into(),
            manifest.owner_region.as_str().into(),
            found.version.uploaded_by.as_str().into(),
            moment(found.version.uploaded_at).into(),
            found.approval.as_ref().map_or("", |approval| approval.approved_by.as_str()).into(),
        ]);
    }
    table
}

async fn campaigns(visitor: &Visitor, activity: &str) -> Result<Table, Problem> {
    let columns = [visitor.t("任务", "Campaign"), visitor.t("启动人", "Started by"), visitor.t("启动时间", "Started")];
    let mut table = Table::new("campaigns", visitor.t("营销任务", "Campaigns"), columns);
    for campaign in visitor.engine.campaigns().await?.into_iter().filter(|campaign| campaign.activity == activity) {
        table.row([
            Cell::link(campaign.id.as_str(), format!("/console/campaigns/{}", campaign.id)),
            campaign.started_by.into(),
            moment(campaign.started_at).into(),
        ]);
    }
    Ok(table)
}

/// What was measured of its versions, in the order in which it was kept.
async fn over_time(visitor: &Visitor, view: View, name: &str) -> View {
    let (view, known) = known(visitor, view, name).await;
    let Some(known) = known else { return view };
    let own = known.iter().filter(|learnt| learnt.activity == name);
    let mut kept: Vec<_> = own.flat_map(|learnt| learnt.evaluations.iter().map(move |one| (learnt, one))).collect();
    kept.sort_by_key(|(_, one)| one.id);
    let mut effects = Vec::new();
    let columns = [
        visitor.t("时间", "When"),
        visitor.t("版本", "Version"),
        visitor.t("任务", "Campaign"),
        visitor.t("指标", "Outcome"),
        visitor.t("差异", "Difference"),
    ];
    let mut table = Table::new("effects", visitor.t("历次效果", "Effect over time"), columns);
    for (learnt, one) in kept {
        let effect = &one.document["effect"];
        let bound = |at: usize| effect["ci95"][at].as_f64();
        let difference = effect["difference"].as_f64();
        if let (Some(difference), Some(low), Some(high)) = (difference, bound(0), bound(1)) {
            effects.push((format!("{} {}", learnt.version, one.metric), difference, [low, high]));
        }
        table.row([
            moment(one.at).into(),
            learnt.version.as_str().into(),
            one.campaign.as_str().into(),
            one.metric.as_str().into(),
            difference.map_or("–".to_owned(), |difference| format!("{difference:+.4}")).into(),
        ]);
    }
    let view = if effects.is_empty() {
        view
    } else {
        view.with(Block::Intervals(Intervals::of(visitor.t("历次效果", "Effect over time"), &effects)))
    };
    view.with(table)
}

fn asked(visitor: &Visitor, manifest: &Manifest) -> Vec<(String, String)> {
    let cron = manifest.triggers.cron.clone();
    let events = manifest.triggers.events.join(", ");
    vec![
        visitor.fact("类别", "Class", words::class(visitor.tongue, manifest.class).to_owned()),
        visitor.fact("目录", "Catalogue", manifest.catalogue.join(", ")),
        visitor.fact("目标", "Goal", format!("{} · {}", manifest.goal.outcome, manifest.goal.window_days)),
        visitor.fact(
            "频次上限（次/天）",
            "Cap: contacts / days",
            format!("{} / {}", manifest.cap.contacts, manifest.cap.days),
        ),
        visitor.fact("权重", "Weight", manifest.weight.to_string()),
        visitor.fact("定时", "By the clock", cron.unwrap_or_else(|| "–".to_owned())),
        visitor.fact("事件", "Events", if events.is_empty() { "–".to_owned() } else { events }),
    ]
}

/// Which fields it reads, and when.
fn fields(visitor: &Visitor, manifest: &Manifest) -> Table {
    let columns = [visitor.t("阶段", "Stage"), visitor.t("字段", "Field"), visitor.t("类型", "Type")];
    let mut table = Table::new("fields", visitor.t("申请读取的字段", "Fields that it reads"), columns);
    for stage in Stage::ALL {
        for field in manifest.fields_of(stage) {
            table.row([stage.name().into(), field.name.as_str().into(), field.ty.name().into()]);
        }
    }
    table
}

/// What the province granted.
pub(super) fn granted(visitor: &Visitor, approval: &Approval) -> Vec<(String, String)> {
    let open = || visitor.t("不限", "open").to_owned();
    let date = |date: Option<i32>| date.map_or_else(open, write_date);
    let regions = if approval.regions.is_empty() { open() } else { approval.regions.join(", ") };
    let budget = approval.budget_fen.map_or_else(open, |fen| format!("{:.2}", fen as f64 / 100.0));
    vec![
        visitor.fact("批准人", "Approved by", approval.approved_by.clone()),
        visitor.fact("批准期限", "From, until", format!("{} – {}", date(approval.from), date(approval.until))),
        visitor.fact("批准频次", "Granted cap", format!("{} / {}", approval.cap.contacts, approval.cap.days)),
        visitor.fact("批准范围", "Granted regions", regions),
        visitor.fact("灰度比例", "Granted share", format!("{} %", f64::from(approval.share) / 100.0)),
        visitor.fact("预算（元）", "Budget in yuan", budget),
    ]
}

fn templates(visitor: &Visitor, manifest: &Manifest) -> Vec<(String, String)> {
    let texts = manifest.templates.iter().flat_map(|template| {
        template.bodies.iter().map(|(channel, text)| {
            let place = format!("{} · {}", words::channel(visitor.tongue, channel.name()), template.name);
            (place, text.get(visitor.tongue.0).to_owned())
        })
    });
    texts.collect()
}
