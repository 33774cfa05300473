//! Needs: collected, analysed, published, and answered by activities.

use super::blocks::{Bars, Block, Cell, Table};
use super::form::{Done, Field, Filled, Form, Kind, Tried};
use super::lines::{Tally, csv_of};
use super::session::Visitor;
use super::show::{Look, View, answer, carried, part};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::catalogue::{CATEGORIES, OTHER, title};
use care_domain::governance::Deed;
use care_domain::need::{Analysis, Need, State};
use care_domain::person::Act;
use care_domain::time::day_begins;
use care_engine::{EngineError, NewNeed};
use std::collections::BTreeSet;

const NEEDS: &str = "/console/needs";
const RECORDS: &str = "/console/needs/records";

pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = all(&visitor, None).await;
    answer(&visitor, &look, view)
}

async fn all(visitor: &Visitor, tried: Option<&Tried>) -> Result<View, Problem> {
    let columns = [
        visitor.t("编号", "No."),
        visitor.t("需求", "Need"),
        visitor.t("目录", "Entry"),
        visitor.t("状态", "Stands"),
        visitor.t("提出时间", "Opened"),
        visitor.t("应对活动", "Answered by"),
    ];
    let mut table = Table::new("needs", visitor.t("需求", "Needs"), columns);
    for (id, (need, answers)) in visitor.engine.needs().await? {
        table.row([
            Cell::link(id.to_string(), of_need(id)),
            Cell::link(need.title, of_need(id)),
            entry_name(visitor, &need.entry).into(),
            words::step(visitor.tongue, need.state.name()).into(),
            moment(need.opened.at).into(),
            answers.join(", ").into(),
        ]);
    }
    let mut view = View::new(visitor.t("需求", "Needs")).with(table);
    if visitor.engine.may(Act::StudyNeed) {
        view = view.with(open_form(visitor).tried(tried)).with(records_form(visitor, "").tried(tried));
    }
    Ok(view)
}

/// The page of a need.
fn of_need(id: i64) -> String {
    format!("{NEEDS}/{id}")
}

/// What the catalogue calls an entry; its own name where it does not stand there.
fn entry_name(visitor: &Visitor, name: &str) -> String {
    let known = CATEGORIES.iter().flat_map(|category| category.entries).find(|entry| entry.name == name);
    known.map_or_else(|| name.to_owned(), |entry| visitor.t(entry.zh, &title(entry).en).to_owned())
}

fn open_form(visitor: &Visitor) -> Form {
    let entries = CATEGORIES.iter().flat_map(|category| {
        category.entries.iter().map(move |entry| {
            let label =
                format!("{} · {}", visitor.t(category.zh, category.name), visitor.t(entry.zh, &title(entry).en));
            (entry.name.to_owned(), label)
        })
    });
    let entries = entries.chain([(OTHER.to_owned(), visitor.t("其他", "Something else").to_owned())]);
    let field = |name, zh, en, kind| Field::new(name, visitor.t(zh, en), kind).required();
    let fields = vec![
        field("entry", "关怀目录条目", "Entry of the catalogue", Kind::Choice(entries.collect()))
            .refused_as(&["unknown-entry"]),
        field("title", "名称", "What people call it", Kind::Line).refused_as(&["bad-need"]),
        field("from", "记录起始日期", "Records from", Kind::Date),
        field("until", "记录截止日期（含当日）", "Records until, that day included", Kind::Date),
    ];
    Form::new(NEEDS, visitor.t("提出需求", "Open a need"), fields)
}

/// When a day begins, or the one after so many.
fn begins(filled: &Filled, name: &'static str, later: i32) -> Result<i64, EngineError> {
    let none = || EngineError::refused(&format!("bad-{name}"), "It names no date.", "Write it as 2026-07-29.");
    filled.date(name)?.and_then(|day| day.checked_add(later)).and_then(day_begins).ok_or_else(none)
}

pub(super) async fn open(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let (from, until) = (begins(filled, "from", 0)?, begins(filled, "until", 1)?);
        if from >= until {
            return Err(EngineError::refused("bad-until", "It ends before it begins.", "Name a later date."));
        }
        let new = NewNeed { entry: filled.one("entry").to_owned(), title: filled.one("title").to_owned(), from, until };
        let id = visitor.engine.open_need(&new, visitor.person(), now_ms()).await?;
        Ok(Done::at(of_need(id), "opened"))
    };
    carried(&visitor, filled, NEEDS, None, act, async |tried| all(&visitor, Some(tried)).await).await
}

fn records_form(visitor: &Visitor, csv: &str) -> Form {
    let hint = visitor.t(
        "投诉、咨询、满意度调查的记录，不含个人信息和原话；相同id不重复登记。",
        "Complaints, enquiries and surveys, without person and words; the same id again adds nothing.",
    );
    let columns = visitor.t(
        "表头：id,source,entry,region,at,score（score可省）",
        "Header: id,source,entry,region,at,score; score may be left away",
    );
    let field = Field::new("csv", visitor.t("记录", "Records"), Kind::Sheet).required().hint(columns);
    let fields = vec![field.value(csv).refused_as(&["bad-header"])];
    Form::new(RECORDS, visitor.t("收集记录", "Collect records"), fields).hint(hint)
}

pub(super) async fn collect(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let csv = filled.one("csv");
        let done = visitor.engine.collect_records(&csv_of(csv), visitor.person(), now_ms()).await?;
        let tally = Tally { new: done.added, known: done.repeated, left_out: &done.rejected, text: csv };
        Ok(tally.answered(&visitor, NEEDS, "collected", records_form(&visitor, csv)))
    };
    carried(&visitor, filled, RECORDS, None, act, async |tried| all(&visitor, Some(tried)).await).await
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<i64>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, id, None).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, id: i64, tried: Option<&Tried>) -> Result<View, Problem> {
    let (need, answers) = visitor.engine.need(id).await?;
    let facts = vec![
        visitor.fact("状态", "Stands", words::step(visitor.tongue, need.state.name()).to_owned()),
        visitor.fact("关怀目录条目", "Entry", entry_name(visitor, &need.entry)),
        visitor.fact("记录起止", "Records of", format!("{} – {}", moment(need.from), moment(need.until))),
    ];
    let mut view = View::new(&*need.title).with(Block::Facts(facts));
    if let State::Analysed { analysis, .. } | State::Published { analysis, .. } = &need.state {
        view = volumes(visitor, view, analysis).with(regions(visitor, analysis)).with(weak(visitor, analysis));
    }
    let mut answered = Table::new("answers", visitor.t("应对活动", "Answers"), [visitor.t("活动", "Activity")]);
    for activity in answers {
        let to = format!("/console/activities?q={}", part(&activity));
        answered.row([Cell::link(activity, to)]);
    }
    view = view.with(answered).with(history(visitor, &need));
    forms(visitor, view, id, &need, tried).await
}

fn volumes(visitor: &Visitor, view: View, analysis: &Analysis) -> View {
    let mut table = Table::new(
        "volumes",
        visitor.t("记录数量", "Volumes in figures"),
        [visitor.t("来源", "Source"), visitor.t("记录", "Records")],
    );
    let volumes =
        analysis.volume.iter().map(|(source, count)| (words::source(visitor.tongue, *source).to_owned(), *count));
    let volumes: Vec<(String, u64)> = volumes.collect();
    for (source, count) in &volumes {
        table.row([source.as_str().into(), (*count).into()]);
    }
    let view = if volumes.is_empty() { view } else { view.with(Bars::of(visitor.t("记录", "Records"), &volumes)) };
    view.with(table).with(Block::Facts(vec![visitor.fact("平均满意度", "Mean score", decimal(analysis.mean_score))]))
}

/// A mean as people read it.
fn decimal(mean: Option<f64>) -> String {
    mean.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.2}"))
}

fn regions(visitor: &Visitor, analysis: &Analysis) -> Table {
    let columns = [
        visitor.t("地区", "Region"),
        visitor.t("投诉与咨询", "Complaints and enquiries"),
        visitor.t("每千客户", "In a thousand customers"),
        visitor.t("调查", "Surveyed"),
        visitor.t("平均满意度", "Mean score"),
    ];
    let mut table = Table::new("regions", visitor.t("按地区", "By region"), columns);
    for (region, figures) in &analysis.regions {
        let region: &str = if region.is_empty() { visitor.t("未知", "Unknown") } else { region };
        table.row([
            region.into(),
            figures.raised.into(),
            Cell::figure(decimal(figures.per_thousand)),
            figures.surveyed.into(),
            Cell::figure(decimal(figures.mean_score)),
        ]);
    }
    table
}

fn weak(visitor: &Visitor, analysis: &Analysis) -> Table {
    let columns = [
        visitor.t("地区", "Region"),
        visitor.t("高于平均的投诉与咨询", "Complaints and enquiries above everybody's"),
        visitor.t("低于平均的满意度", "Score below everybody's"),
    ];
    let mut table = Table::new("weak", visitor.t("薄弱地区", "Where it is weak"), columns);
    for spot in &analysis.weak {
        table.row([
            spot.region.as_str().into(),
            Cell::figure(format!("{:+.0} %", spot.raised_above * 100.0)),
            Cell::figure(format!("{:.2}", spot.score_below)),
        ]);
    }
    table
}

/// Who did what to it, from the beginning.
fn history(visitor: &Visitor, need: &Need) -> Table {
    let columns = [visitor.t("步骤", "Step"), visitor.t("人员", "Who"), visitor.t("时间", "When")];
    let mut table = Table::new("history", visitor.t("历史", "History"), columns);
    let mut step = |name: &str, deed: &Deed| {
        table.row([name.into(), deed.person.as_str().into(), moment(deed.at).into()]);
    };
    step(visitor.t("提出", "Opened"), &need.opened);
    let analysed = visitor.t("分析", "Analysed");
    match &need.state {
        State::Collected => {}
        State::Analysed { by, .. } => step(analysed, by),
        State::Published { analysed: first, by, .. } => {
            step(analysed, first);
            step(visitor.t("发布", "Published"), by);
        }
    }
    table
}

/// The forms that this visitor may send now.
async fn forms(
    visitor: &Visitor,
    mut view: View,
    id: i64,
    need: &Need,
    tried: Option<&Tried>,
) -> Result<View, Problem> {
    let may = |act| visitor.engine.may(act);
    let is_published = need.may_be_answered().is_ok();
    if !is_published && may(Act::StudyNeed) {
        let hint = visitor
            .t("按地区统计已收集的记录；可重复进行。", "Counts what was collected, by region; it may be done again.");
        let form = Form::new(format!("{}/analyse", of_need(id)), visitor.t("分析", "Analyse"), Vec::new());
        view = view.with(form.hint(hint).tried(tried));
    }
    if matches!(need.state, State::Analysed { .. }) && may(Act::PublishNeed) {
        let form = Form::new(format!("{}/publish", of_need(id)), visitor.t("发布需求", "Publish it"), Vec::new());
        view = view.with(form.typed(&*need.title).tried(tried));
    }
    if is_published && may(Act::AnswerNeed) {
        let submissions = visitor.engine.submissions().await?;
        let fits = submissions.iter().map(|one| &one.version.manifest).filter(|m| m.catalogue.contains(&need.entry));
        let names: BTreeSet<&str> = fits.map(|manifest| manifest.name.as_str()).collect();
        let choices = names.into_iter().map(|name| (name.to_owned(), name.to_owned())).collect();
        let activity = Field::new("activity", visitor.t("活动", "Activity"), Kind::Choice(choices))
            .required()
            .refused_as(&["unknown-activity", "other-entry", "already-answered", "other-region"]);
        let form =
            Form::new(format!("{}/answers", of_need(id)), visitor.t("登记应对活动", "Name an answer"), vec![activity]);
        view = view.with(form.tried(tried));
    }
    Ok(view)
}

pub(super) async fn analyse(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let act = async |_: &Filled| {
        visitor.engine.analyse_need(id, visitor.person(), now_ms()).await?;
        Ok(Done::at(of_need(id), "analysed"))
    };
    let action = format!("{}/analyse", of_need(id));
    carried(&visitor, filled, &action, None, act, async |tried| view(&visitor, id, Some(tried)).await).await
}

pub(super) async fn publish(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let title = visitor.engine.need(id).await.ok().map(|(need, _)| need.title);
    let act = async |_: &Filled| {
        visitor.engine.publish_need(id, visitor.person(), now_ms()).await?;
        Ok(Done::at(of_need(id), "published"))
    };
    let action = format!("{}/publish", of_need(id));
    carried(&visitor, filled, &action, title.as_deref(), act, async |tried| view(&visitor, id, Some(tried)).await).await
}

pub(super) async fn answer_with(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        visitor.engine.answer_need(id, filled.one("activity"), visitor.person(), now_ms()).await?;
        Ok(Done::at(of_need(id), "answered"))
    };
    let action = format!("{}/answers", of_need(id));
    carried(&visitor, filled, &action, None, act, async |tried| view(&visitor, id, Some(tried)).await).await
}
