//! Work that people do from a list: calls in calling windows, and requests to departments. Whom to ask for, and under which
//! number, stands in the answer to whoever takes a piece of work, and on no other page.

use super::blocks::{Block, Cell, Table};
use super::form::{Done, Field, Filled, Form, Kind, Tried};
use super::lines::{Tally, csv_of};
use super::session::Visitor;
use super::show::{Look, View, answer, carried, once, part, sheet};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::Query;
use axum::response::Response;
use care_domain::contact::{Addressee, Channel, ContactId};
use care_domain::desk::{WorkResult, capacity, csv_line, standing_names, works_on};
use care_domain::outcome::score;
use care_domain::person::Act;
use care_domain::time::{parse_date, today, write_date};
use care_engine::{EngineError, ListedWork, Work, WorkFigures, WorkListQuery, WorkRecorded, work_csv};
use std::collections::BTreeMap;

/// A kind of work, and where its page is.
struct Desk {
    channel: Channel,
    path: &'static str,
    /// Chinese and English.
    title: (&'static str, &'static str),
}

const CALLS: Desk = Desk { channel: Channel::CallList, path: "/console/calls", title: ("外呼", "Calls") };
const REQUESTS: Desk =
    Desk { channel: Channel::Action, path: "/console/requests", title: ("部门工单", "Requests") };
const WINDOWS: &str = "/console/calls/windows";
const CLOSE: &str = "/console/calls/windows/close";
/// Pieces of work of a page.
const PAGE: u32 = 50;
const MINUTE_MS: i64 = 60_000;

/// Whether a page is one of work that a visitor's role has: of those who work at all, calls are not everybody's.
pub(super) fn has(visitor: &Visitor, path: &str) -> bool {
    path != CALLS.path || works_on(visitor.principal.role, CALLS.channel, Addressee::Customer)
}

pub(super) async fn calls(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = work(&visitor, &CALLS, &look, None).await;
    answer(&visitor, &look, view)
}

pub(super) async fn requests(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = work(&visitor, &REQUESTS, &look, None).await;
    answer(&visitor, &look, view)
}

/// What waits, who has what, what came of it; and the forms of whoever works it off.
async fn work(visitor: &Visitor, desk: &Desk, look: &Look, tried: Option<&Tried>) -> Result<View, Problem> {
    let query = WorkListQuery {
        standing: Some(look.q.clone()).filter(|standing| !standing.is_empty()),
        campaign: None,
        after: look.after.unwrap_or(0),
        limit: PAGE,
    };
    let listed = visitor.engine.work_list(desk.channel, &query, visitor.person(), now_ms()).await?;
    let choices = standing_names().map(|name| (name.to_owned(), words::standing(visitor.tongue, name).to_owned()));
    let filter = Block::Filter {
        label: visitor.t("状态", "Stands").to_owned(),
        value: look.q.clone(),
        choices: choices.collect(),
        submit: visitor.t("查看", "Show").to_owned(),
    };
    let mut table = queue(visitor, desk, &listed);
    table.next = listed.last().filter(|_| listed.len() == PAGE as usize).map(|last| {
        let standing = part(&look.q);
        format!("?q={standing}&after={}", last.place)
    });
    let title = visitor.t(desk.title.0, desk.title.1);
    let view = View::new(title).with(filter).with(table);
    let view =
        view.with(take_form(visitor, desk).tried(tried)).with(result_form(visitor, desk, &look.about).tried(tried));
    Ok(view.with(list_form(visitor, desk, "").tried(tried)))
}

fn queue(visitor: &Visitor, desk: &Desk, listed: &[ListedWork]) -> Table {
    let columns = [
        visitor.t("触达编号", "Contact"),
        visitor.t("任务", "Campaign"),
        visitor.t("类别", "Class"),
        visitor.t("轮次", "Round"),
        visitor.t("客户", "Customer"),
        visitor.t("事项", "For"),
        visitor.t("状态", "Stands"),
        visitor.t("计划时间", "Planned"),
        visitor.t("截止", "Of use until"),
        visitor.t("经办人", "Who has it"),
        visitor.t("领取时间", "Handed out"),
        visitor.t("备注", "Note"),
    ];
    let mut table = Table::new("work", visitor.t("清单", "List"), columns);
    for work in listed {
        let about = match &work.action {
            Some(action) => words::action(visitor.tongue, action),
            None => words::addressee(visitor.tongue, work.addressee).to_owned(),
        };
        let contact = work.contact.as_str();
        table.row([
            Cell::link(contact, format!("{}?about={contact}", desk.path)),
            work.campaign.as_str().into(),
            words::class(visitor.tongue, work.class).into(),
            u64::from(work.round).into(),
            work.customer.as_str().into(),
            about.into(),
            words::standing(visitor.tongue, &work.standing).into(),
            work.planned_at.as_str().into(),
            work.not_after.as_str().into(),
            work.person.clone().unwrap_or_default().into(),
            work.handed_out_at.clone().unwrap_or_default().into(),
            work.note.as_str().into(),
        ]);
    }
    table
}

/// How what was taken is answered.
const SHEET: &str = "sheet";
const SHOWN: &str = "page";

fn take_form(visitor: &Visitor, desk: &Desk) -> Form {
    let ways = [
        (SHOWN, visitor.t("显示在页面上", "On a page")),
        (SHEET, visitor.t("下载表格（CSV）", "As a sheet (CSV), which downloads")),
    ];
    let ways = ways.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    let fields = vec![
        Field::new("count", visitor.t("数量", "How many at most"), Kind::Number).required().value("20"),
        Field::new("way", visitor.t("方式", "How"), Kind::Choice(ways)).required().value(SHOWN),
    ];
    let hint = visitor.t(
        "姓名与号码只在此次领取的结果中显示；到时未回报的会收回，供再次领取。下载表格后，请重新载入页面再继续。",
        "Names and numbers stand in the answer alone. What is not reported in time is taken back, and can be taken again. \
         After a download, load the page again to go on.",
    );
    Form::new(format!("{}/take", desk.path), visitor.t("领取", "Take some"), fields).hint(hint)
}

pub(super) async fn take_calls(visitor: Visitor, filled: Filled) -> Response {
    take(&visitor, &CALLS, filled).await
}

pub(super) async fn take_requests(visitor: Visitor, filled: Filled) -> Response {
    take(&visitor, &REQUESTS, filled).await
}

async fn take(visitor: &Visitor, desk: &Desk, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let missing = || EngineError::refused("bad-count", "It names no number.", "Ask for 1 to 500.");
        let count = filled.number::<u64>("count")?.ok_or_else(missing)?;
        let as_sheet = filled.one("way") == SHEET;
        if !as_sheet && count > u64::from(PAGE) {
            let message = visitor.t("页面上最多显示50条。", "A page shows 50 at most.");
            let hint = visitor.t("更多请下载表格。", "Take more as a sheet.");
            return Err(EngineError::refused("bad-count", message, hint));
        }
        let work = visitor.engine.hand_work_out(desk.channel, count, visitor.person(), now_ms()).await?;
        Ok(match (work.is_empty(), as_sheet) {
            (true, _) => Done::at(desk.path, "nothing-waits"),
            (false, true) => Done::Once(sheet(desk.channel.name(), work_csv(&work))),
            (false, false) => once(visitor, &taken(visitor, desk, &work)),
        })
    };
    let view = async |tried: &Tried| work_again(visitor, desk, tried).await;
    carried(visitor, filled, &format!("{}/take", desk.path), None, act, view).await
}

async fn work_again(visitor: &Visitor, desk: &Desk, tried: &Tried) -> Result<View, Problem> {
    work(visitor, desk, &Look::default(), Some(tried)).await
}

/// What somebody took.
fn taken(visitor: &Visitor, desk: &Desk, work: &[Work]) -> View {
    let columns = [
        visitor.t("登记结果", "Say what came of it"),
        visitor.t("任务", "Campaign"),
        visitor.t("轮次", "Round"),
        visitor.t("客户", "Customer"),
        visitor.t("姓名", "Name"),
        visitor.t("号码或部门", "Number or department"),
        visitor.t("内容", "What to say"),
        visitor.t("截止", "Of use until"),
    ];
    let mut table = Table::new("taken", visitor.t("已领取", "Taken"), columns).shown_once();
    for one in work {
        let say = match &one.action {
            Some(action) => format!("{} · {}", words::action(visitor.tongue, action), one.text),
            None => one.text.clone(),
        };
        table.row([
            Cell::link(one.contact.as_str(), format!("{}?about={}", desk.path, one.contact)),
            one.campaign.as_str().into(),
            u64::from(one.round).into(),
            one.customer.as_str().into(),
            one.name.as_str().into(),
            one.to.as_str().into(),
            say.into(),
            one.not_after.as_str().into(),
        ]);
    }
    let warning = visitor.t(
        "姓名与号码只显示这一次，离开本页后不能再查看。",
        "Names and numbers are shown this one time: nobody can look them up again.",
    );
    View::new(visitor.t(desk.title.0, desk.title.1)).warning(warning).with(table)
}

/// One result, typed.
fn result_form(visitor: &Visitor, desk: &Desk, contact: &str) -> Form {
    let results = words::results(visitor.tongue, desk.channel);
    let mut fields = vec![
        Field::new("contact", visitor.t("触达编号", "Contact"), Kind::Line)
            .required()
            .value(contact)
            .refused_as(&["unknown-contact", "not-handed-out"]),
        Field::new("result", visitor.t("结果", "What came of it"), Kind::Choice(results))
            .required()
            .refused_as(&["told-otherwise"]),
    ];
    if desk.channel == Channel::CallList {
        let hint = visitor
            .t("客户对服务的评分，1至10，可不填。", "What the customer said of the service, 1 to 10, if anything.");
        fields.push(Field::new("score", visitor.t("评分", "Score"), Kind::Number).hint(hint));
    }
    fields.push(Field::new("note", visitor.t("备注", "Note"), Kind::Line));
    Form::new(format!("{}/result", desk.path), visitor.t("登记一条结果", "Record one result"), fields)
}

/// Results as a list.
fn list_form(visitor: &Visitor, desk: &Desk, csv: &str) -> Form {
    let hint = visitor.t(
        "把填好结果的表格连同表头粘贴到这里：contact、result，以及可选的 score、note；其他列会被忽略。",
        "Paste the sheet with its header, filled in: contact and result, score and note where there are; other columns are \
         passed over.",
    );
    let known = words::results(visitor.tongue, desk.channel);
    let known = known.iter().map(|(name, label)| format!("{name} {label}")).collect::<Vec<_>>().join(" · ");
    let field = Field::new("csv", visitor.t("结果表格", "Results"), Kind::Sheet).required().hint(known);
    let fields = vec![field.value(csv).refused_as(&["missing-column"])];
    Form::new(format!("{}/results", desk.path), visitor.t("登记整张表", "Record a sheet of results"), fields).hint(hint)
}

pub(super) async fn record_call(visitor: Visitor, filled: Filled) -> Response {
    record_one(&visitor, &CALLS, filled).await
}

pub(super) async fn record_request(visitor: Visitor, filled: Filled) -> Response {
    record_one(&visitor, &REQUESTS, filled).await
}

async fn record_one(visitor: &Visitor, desk: &Desk, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let csv = one_line(filled, desk.channel)?;
        let done = visitor.engine.record_work(desk.channel, &csv, visitor.person(), now_ms()).await?;
        match done.rejected.first().filter(|_| done.recorded + done.repeated == 0) {
            Some(line) => Err(EngineError::refused(line.code, format!("{}.", line.reason), "")),
            None => Ok(recorded(visitor, desk, &done, &csv)),
        }
    };
    let view = async |tried: &Tried| work_again(visitor, desk, tried).await;
    carried(visitor, filled, &format!("{}/result", desk.path), None, act, view).await
}

/// What was typed, as the list of one line that the engine reads.
fn one_line(filled: &Filled, channel: Channel) -> Result<String, EngineError> {
    let (contact, result, said) = (filled.one("contact"), filled.one("result"), filled.one("score"));
    let refused = |code, what: &str, hint| Err(EngineError::refused(code, format!("{what:?} is none."), hint));
    if ContactId::parse(contact).is_none() {
        return refused("bad-contact", contact, "It is 32 hexadecimal digits, as the list shows it.");
    }
    if WorkResult::from_name(result).is_none() {
        return refused("bad-result", result, "Choose what came of it.");
    }
    if !said.is_empty() && (channel != Channel::CallList || score(said).is_none()) {
        return refused("bad-score", said, "A score is 1 to 10, and only a call has one.");
    }
    let note = filled.one("note").replace('\n', " ");
    Ok(csv_line(["contact", "result", "score", "note"]) + &csv_line([contact, result, said, &note]))
}

/// What became of results.
fn recorded(visitor: &Visitor, desk: &Desk, done: &WorkRecorded, csv: &str) -> Done {
    let tally = Tally { new: done.recorded, known: done.repeated, left_out: &done.rejected, text: csv };
    tally.answered(visitor, desk.path, "recorded", list_form(visitor, desk, csv))
}

pub(super) async fn record_calls(visitor: Visitor, filled: Filled) -> Response {
    record_list(&visitor, &CALLS, filled).await
}

pub(super) async fn record_requests(visitor: Visitor, filled: Filled) -> Response {
    record_list(&visitor, &REQUESTS, filled).await
}

async fn record_list(visitor: &Visitor, desk: &Desk, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let csv = filled.one("csv");
        let done = visitor.engine.record_work(desk.channel, &csv_of(csv), visitor.person(), now_ms()).await?;
        Ok(recorded(visitor, desk, &done, csv))
    };
    let view = async |tried: &Tried| work_again(visitor, desk, tried).await;
    carried(visitor, filled, &format!("{}/results", desk.path), None, act, view).await
}

pub(super) async fn windows(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = window_view(&visitor, &look.q, None).await;
    answer(&visitor, &look, view)
}

/// Calling windows, and what came of a day's work.
async fn window_view(visitor: &Visitor, date: &str, tried: Option<&Tried>) -> Result<View, Problem> {
    let now = now_ms();
    let all = visitor.engine.calling_windows().await?;
    let columns = [
        visitor.t("编号", "No."),
        visitor.t("开启人", "Opened by"),
        visitor.t("开始", "From"),
        visitor.t("结束", "Until"),
        visitor.t("席位", "Seats"),
        visitor.t("每席每小时", "Calls an hour each"),
        visitor.t("容量", "Holds"),
        visitor.t("已发放", "Handed out"),
    ];
    let mut table = Table::new("windows", visitor.t("外呼时段", "Calling windows"), columns);
    for window in &all {
        table.row([
            window.id.to_string().into(),
            window.opened_by.as_str().into(),
            moment(window.opened_at).into(),
            moment(window.closes_at).into(),
            u64::from(window.seats).into(),
            u64::from(window.calls_an_hour).into(),
            capacity(window.seats, window.calls_an_hour, window.opened_at, window.closes_at).into(),
            window.handed_out.into(),
        ]);
    }
    let mut view = View::new(visitor.t("外呼时段与日报", "Calling windows and the day's report")).with(table);
    if visitor.engine.may(Act::OpenCalls) {
        view = view.with(open_form(visitor).tried(tried));
        if all.iter().any(|window| window.opened_at <= now && now < window.closes_at) {
            let hint = visitor.t("此后不再发放号码。", "From then on no number is handed out.");
            view = view
                .with(Form::new(CLOSE, visitor.t("关闭时段", "Close the window"), Vec::new()).hint(hint).tried(tried));
        }
    }
    reported(visitor, view, date, now).await
}

fn open_form(visitor: &Visitor) -> Form {
    let field = |name, zh, en| Field::new(name, visitor.t(zh, en), Kind::Number).required();
    let fields = vec![
        field("seats", "席位数", "Seats"),
        field("calls_an_hour", "每席每小时外呼数", "Calls that each makes in an hour"),
        field("minutes", "时长（分钟）", "For how many minutes")
            .hint(visitor.t("150即两个半小时。", "150 are two and a half hours.")),
    ];
    Form::new(WINDOWS, visitor.t("开启时段", "Open a window"), fields)
}

/// The report of a day; today's unless another was asked for.
async fn reported(visitor: &Visitor, view: View, date: &str, now: i64) -> Result<View, Problem> {
    let day = if date.is_empty() { Some(today(now)) } else { parse_date(date) };
    let mut view = view.heading(visitor.t("日报", "The day's report")).with(Block::Search {
        label: visitor.t("日期（如2026-07-29）", "Date, such as 2026-07-29").to_owned(),
        value: day.map_or_else(|| date.to_owned(), write_date),
        submit: visitor.t("查看", "Show").to_owned(),
    });
    let Some(day) = day else {
        return Ok(view.warning(visitor.t("日期请写成2026-07-29。", "That is no date: write it as 2026-07-29.")));
    };
    let report = visitor.engine.work_report(day).await?;
    for (desk, id, figures) in [(&CALLS, "calls", &report.calls), (&REQUESTS, "requests", &report.requests)] {
        view = view.with(figures_of(visitor, desk, id, figures));
    }
    Ok(view)
}

fn figures_of(visitor: &Visitor, desk: &Desk, id: &'static str, all: &BTreeMap<String, WorkFigures>) -> Table {
    let columns = [visitor.t("任务", "Campaign"), visitor.t("已发放", "Handed out"), visitor.t("客户", "Customers")];
    let mut table = Table::new(id, visitor.t(desk.title.0, desk.title.1), columns);
    let results: Vec<&str> = WorkResult::ALL
        .into_iter()
        .filter(|result| result.fits(desk.channel))
        .map(WorkResult::name)
        .chain(["open"])
        .collect();
    table.columns.extend(results.iter().map(|name| words::standing(visitor.tongue, name).to_owned()));
    for (campaign, figures) in all {
        let mut row: Vec<Cell> = vec![campaign.as_str().into(), figures.handed_out.into(), figures.customers.into()];
        row.extend(results.iter().map(|name| Cell::from(figures.results.get(*name).copied().unwrap_or(0))));
        table.rows.push(row);
    }
    table
}

pub(super) async fn open(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let number = |name: &'static str| {
            let missing = || EngineError::refused(&format!("bad-{name}"), "It names no number.", "");
            filled.number::<u32>(name)?.ok_or_else(missing)
        };
        let (seats, calls, minutes, now) = (number("seats")?, number("calls_an_hour")?, number("minutes")?, now_ms());
        let until = now.saturating_add(i64::from(minutes) * MINUTE_MS);
        visitor.engine.open_calling_window(seats, calls, until, visitor.person(), now).await?;
        Ok(Done::at(WINDOWS, "opened"))
    };
    carried(&visitor, filled, WINDOWS, None, act, async |tried| window_view(&visitor, "", Some(tried)).await).await
}

pub(super) async fn close(visitor: Visitor, filled: Filled) -> Response {
    let act = async |_: &Filled| {
        visitor.engine.close_calling_window(visitor.person(), now_ms()).await?;
        Ok(Done::at(WINDOWS, "closed"))
    };
    carried(&visitor, filled, CLOSE, None, act, async |tried| window_view(&visitor, "", Some(tried)).await).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_domain::desk::csv_cells;

    #[test]
    fn one_result_is_a_list_of_one_line_and_what_cannot_be_meant_is_told_by_its_field() {
        let contact = "00".repeat(16);
        let typed = |result, score, note| {
            Filled::of(&[("contact", contact.as_str()), ("result", result), ("score", score), ("note", note)])
        };
        let csv = one_line(&typed("reached", "9", "said, \"hm\"\nand more"), Channel::CallList).expect("a line");
        let lines: Vec<Vec<String>> = csv.lines().map(|line| csv_cells(line).expect("cells")).collect();
        assert_eq!(lines[1], [contact.as_str(), "reached", "9", "said, \"hm\" and more"]);
        assert_eq!(lines.len(), 2);
        for (typed, channel, code) in [
            (typed("reached", "11", ""), Channel::CallList, "bad-score"),
            (typed("done", "9", ""), Channel::Action, "bad-score"),
            (typed("flying", "", ""), Channel::CallList, "bad-result"),
            (Filled::of(&[("contact", "nonsense"), ("result", "safe")]), Channel::CallList, "bad-contact"),
        ] {
            assert_eq!(one_line(&typed, channel).expect_err("refused").findings()[0].code, code);
        }
    }
}
