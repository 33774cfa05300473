//! Shows what pages are made of: as HTML with the frame around it, or one of its tables as CSV.

use super::blocks::Block;
use super::form::{Done, Filled, Kind, NotDone, Tried, carry_out};
use super::refusals::in_words;
use super::session::{Tongue, Visitor};
use super::{PAGES, allowed, calls, words};
use crate::api::Problem;
use askama::Template;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use care_domain::text::{Finding, Language};
use care_engine::EngineError;
use serde::Deserialize;

/// Nothing but our own files, and forms to ourselves; no script or style in a page itself.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What may stand behind the address of any page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Look {
    /// Only this table, as CSV.
    pub(super) csv: Option<String>,
    /// What was done by the form that led here.
    pub(super) said: Option<String>,
    /// What is looked for.
    pub(super) q: String,
    /// After what the table begins.
    pub(super) after: Option<i64>,
    /// By which field something is split.
    pub(super) by: Option<String>,
    /// What a form of the page is filled in with.
    pub(super) about: String,
}

impl Look {
    /// What a table leaves with as CSV beside its name, so that it is the table that is shown.
    fn kept(&self) -> String {
        let mut kept = form_urlencoded::Serializer::new(String::new());
        if !self.q.is_empty() {
            kept.append_pair("q", &self.q);
        }
        if let Some(after) = self.after {
            kept.append_pair("after", &after.to_string());
        }
        if let Some(by) = &self.by {
            kept.append_pair("by", by);
        }
        let kept = kept.finish();
        if kept.is_empty() { kept } else { kept + "&" }
    }
}

/// Rows of a table on a page.
const MOST_ROWS: usize = 100;

impl Look {
    /// The same page from a later row on.
    fn next(&self, after: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = [("q", Some(self.q.as_str())), ("by", self.by.as_deref())];
        for (name, value) in kept {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                query.append_pair(name, value);
            }
        }
        format!("?{}", query.append_pair("after", &after.to_string()).finish())
    }
}

/// A page without its frame.
pub(super) struct View {
    title: String,
    blocks: Vec<Block>,
    /// Seconds after which a page that shows something going on is loaded again.
    again: Option<u32>,
}

impl View {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), blocks: Vec::new(), again: None }
    }

    pub(super) fn with(mut self, block: impl Into<Block>) -> Self {
        self.blocks.push(block.into());
        self
    }

    pub(super) fn heading(self, text: impl Into<String>) -> Self {
        self.with(Block::Heading(text.into()))
    }

    pub(super) fn text(self, text: impl Into<String>) -> Self {
        self.with(Block::Text(text.into()))
    }

    pub(super) fn warning(self, text: impl Into<String>) -> Self {
        self.with(Block::Warning(text.into()))
    }

    /// With so many rows of each table as a page holds; where the others are is told below it. A table that leaves as CSV
    /// leaves whole.
    fn bounded(mut self, look: &Look) -> Self {
        let begin = look.after.and_then(|after| usize::try_from(after).ok()).unwrap_or(0);
        for block in &mut self.blocks {
            let Block::Table(table) = block else { continue };
            if table.next.is_some() || table.rows.len() <= MOST_ROWS {
                continue;
            }
            let end = begin.saturating_add(MOST_ROWS);
            table.next = (table.rows.len() > end).then(|| look.next(end));
            table.rows = table.rows.drain(..).skip(begin).take(MOST_ROWS).collect();
        }
        self
    }

    /// Some of it is still being counted: it is loaded again by itself.
    pub(super) fn counting(self, visitor: &Visitor) -> Self {
        let told = visitor.t("正在统计，稍后自动刷新…", "Being counted; this page loads again by itself.");
        self.text(told).going_on(true)
    }

    /// With what was wrong in front, where the form that it was told of is not asked any more.
    fn tried(mut self, tried: &Tried) -> Self {
        let is_it = |block: &Block| matches!(block, Block::Form(form) if form.action == tried.action);
        if !self.blocks.iter().any(is_it) {
            let told = tried.wrong.iter().map(|wrong| Block::Warning(format!("{} {}", wrong.message, wrong.hint)));
            self.blocks.splice(0..0, told);
        }
        self
    }

    /// Something goes on: it is loaded again by itself.
    pub(super) fn going_on(mut self, goes_on: bool) -> Self {
        self.again = self.again.or(goes_on.then_some(3));
        self
    }
}

/// The frame of a page.
#[derive(Template)]
#[template(path = "page.html")]
struct Frame<'a> {
    tongue: Tongue,
    view: &'a View,
    visitor: Option<&'a Visitor>,
    /// Pages that the visitor may open: address and name.
    menu: Vec<(&'static str, &'a str)>,
    said: &'a str,
    /// What its tables leave with.
    kept: &'a str,
}

impl Frame<'_> {
    fn t<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.tongue.t(zh, en)
    }

    fn language(&self) -> &'static str {
        self.t("zh-CN", "en")
    }

    fn other(&self) -> &'static str {
        match self.tongue.0 {
            Language::Zh => "en",
            Language::En => "zh",
        }
    }

    fn role(&self) -> &str {
        self.visitor.map_or("", |visitor| words::role(self.tongue, visitor.principal.role))
    }
}

/// What stands in the menu: address, Chinese, English.
const MENU: [(&str, &str, &str); 19] = [
    ("/console", "待办", "To do"),
    ("/console/overview", "总览", "Overview"),
    ("/console/submissions", "审批", "Submissions"),
    ("/console/activities", "活动", "Activities"),
    ("/console/campaigns", "营销任务", "Campaigns"),
    ("/console/plans", "计划", "Plans"),
    ("/console/customers", "客户", "Customers"),
    ("/console/calls", "外呼", "Calls"),
    ("/console/calls/windows", "外呼时段", "Calling windows"),
    ("/console/requests", "部门工单", "Requests"),
    ("/console/catalogue", "关怀目录", "Catalogue"),
    ("/console/needs", "需求", "Needs"),
    ("/console/findings", "问题跟进", "Findings"),
    ("/console/switches", "紧急停止", "Kill switches"),
    ("/console/audit", "审计", "Audit"),
    ("/console/staff", "测试人员", "Staff"),
    ("/console/users", "用户", "Users"),
    ("/console/tokens", "令牌", "Tokens"),
    ("/console/keys", "签名密钥", "Keys"),
];

fn menu(visitor: &Visitor) -> Vec<(&'static str, &'static str)> {
    let is_open = |path: &str| allowed(visitor, &Method::GET, path).is_ok() && calls::has(visitor, path);
    let served = |path: &str| PAGES.iter().any(|page| page.path == path) && is_open(path);
    MENU.iter().filter(|(path, ..)| served(path)).map(|(path, zh, en)| (*path, visitor.tongue.t(zh, en))).collect()
}

/// A page in its frame.
pub(super) fn page(tongue: &Tongue, visitor: Option<&Visitor>, view: &View) -> Response {
    framed(*tongue, visitor, view, &Look::default())
}

fn framed(tongue: Tongue, visitor: Option<&Visitor>, view: &View, look: &Look) -> Response {
    let (said, kept) = (look.said.as_deref().map_or("", |said| words::done(tongue, said)), look.kept());
    let frame = Frame { tongue, view, visitor, menu: visitor.map(menu).unwrap_or_default(), said, kept: &kept };
    match frame.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "no-referrer"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, html).into_response()
        }
        Err(error) => {
            tracing::error!("a page cannot be written: {error}");
            Problem::failed().into_response()
        }
    }
}

/// What was asked for: a page, or a table of it.
pub(super) fn answer(visitor: &Visitor, look: &Look, view: Result<View, Problem>) -> Response {
    let view = match view {
        Ok(view) => view,
        Err(problem) => return refused(&visitor.tongue, Some(visitor), &problem),
    };
    if let Some(id) = &look.csv {
        let tables =
            view.blocks.iter().filter_map(|block| if let Block::Table(table) = block { Some(table) } else { None });
        let Some(table) = tables.into_iter().find(|table| table.id == id) else {
            return refused(&visitor.tongue, Some(visitor), &Problem::missing("such table"));
        };
        return sheet(table.id, table.csv());
    }
    framed(visitor.tongue, Some(visitor), &view.bounded(look), look)
}

/// A file that spreadsheets open; no cache keeps it.
pub(super) fn sheet(name: &str, csv: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, csv).into_response()
}

/// A page that answers a form this one time.
pub(super) fn once(visitor: &Visitor, view: &View) -> Done {
    Done::Once(page(&visitor.tongue, Some(visitor), view))
}

/// A name as a part of an address.
pub(super) fn part(name: &str) -> String {
    // Forms write a blank as a plus sign, addresses do not.
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Somebody may not, or something is not there.
pub(super) fn refused(tongue: &Tongue, visitor: Option<&Visitor>, problem: &Problem) -> Response {
    let told = in_words(*tongue, &Finding::error(problem.code(), problem.detail(), problem.hint()));
    let view = View::new(tongue.t("未能执行", "This cannot be done")).warning(told.message).text(told.hint);
    (problem.status(), page(tongue, visitor, &view)).into_response()
}

/// The answer to a form that was not carried out: its page again, with what was typed and what was wrong; or a refusal.
pub(super) async fn again(
    visitor: &Visitor,
    why: NotDone,
    view: impl AsyncFnOnce(&Tried) -> Result<View, Problem>,
) -> Response {
    match why {
        NotDone::Again(tried) => match view(&tried).await {
            Ok(view) => {
                let shown = page(&visitor.tongue, Some(visitor), &view.tried(&tried).bounded(&Look::default()));
                (StatusCode::UNPROCESSABLE_ENTITY, shown).into_response()
            }
            Err(problem) => refused(&visitor.tongue, Some(visitor), &problem),
        },
        NotDone::Refused(problem) => refused(&visitor.tongue, Some(visitor), &problem),
    }
}

/// Carries a form out that leads to `action`; where it is refused, the page is shown again that `view` makes.
pub(super) async fn carried(
    visitor: &Visitor,
    filled: Filled,
    action: &str,
    typed: Option<&str>,
    act: impl AsyncFnOnce(&Filled) -> Result<Done, EngineError>,
    view: impl AsyncFnOnce(&Tried) -> Result<View, Problem>,
) -> Response {
    match carry_out(visitor, filled, action, typed, act).await {
        Ok(response) => response,
        Err(why) => again(visitor, why, view).await,
    }
}

/// What a refusal of the engine says: everything that it found.
pub(super) fn told(tongue: Tongue, error: &EngineError) -> Vec<Finding> {
    let refusing = error.findings().iter().filter(|finding| finding.refuses());
    let refusing: Vec<Finding> = refusing.map(|finding| in_words(tongue, finding)).collect();
    if refusing.is_empty() {
        return vec![Finding::error("failed", tongue.t("未能执行。", "It could not be carried out."), "")];
    }
    refusing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::blocks::Table;

    #[test]
    fn a_long_table_is_read_page_by_page() {
        let view = || {
            let mut table = Table::new("t", "T", ["n"]);
            (0..250_u64).for_each(|number| table.row([number.into()]));
            View::new("").with(table)
        };
        let page = |look: &Look| match view().bounded(look).blocks.remove(0) {
            Block::Table(table) => (table.rows.len(), table.rows.first().map(|row| row[0].text.clone()), table.next),
            _ => panic!("a table"),
        };
        let first = Look { q: "a b".to_owned(), ..Look::default() };
        assert_eq!(page(&first), (100, Some("0".to_owned()), Some("?q=a+b&after=100".to_owned())));
        let last = Look { after: Some(200), ..Look::default() };
        assert_eq!(page(&last), (50, Some("200".to_owned()), None));
        assert_eq!(page(&Look { after: Some(i64::MAX), ..Look::default() }), (0, None, None));
    }
}
