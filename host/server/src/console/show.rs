//! Shows what pages are made of: as HTML with the frame around it, or one of its tables as CSV.

use super::blocks::Block;
use super::form::{Kind, NotDone, Tried};
use super::refusals::in_words;
use super::session::{Tongue, Visitor};
use super::{PAGES, allowed, words};
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

    /// Some of it is still being counted: it is loaded again by itself.
    pub(super) fn counting(self, visitor: &Visitor) -> Self {
        let told = visitor.t("正在统计，稍后自动刷新…", "Being counted; this page loads again by itself.");
        self.text(told).going_on(true)
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
const MENU: [(&str, &str, &str); 11] = [
    ("/console", "待办", "To do"),
    ("/console/overview", "总览", "Overview"),
    ("/console/submissions", "审批", "Submissions"),
    ("/console/activities", "活动", "Activities"),
    ("/console/campaigns", "营销任务", "Campaigns"),
    ("/console/plans", "计划", "Plans"),
    ("/console/customers", "客户", "Customers"),
    ("/console/catalogue", "关怀目录", "Catalogue"),
    ("/console/needs", "需求", "Needs"),
    ("/console/switches", "紧急停止", "Kill switches"),
    ("/console/audit", "审计", "Audit"),
];

fn menu(visitor: &Visitor) -> Vec<(&'static str, &'static str)> {
    let served =
        |path: &str| PAGES.iter().any(|page| page.path == path) && allowed(visitor, &Method::GET, path).is_ok();
    MENU.iter().filter(|(path, ..)| served(path)).map(|(path, zh, en)| (*path, visitor.tongue.t(zh, en))).collect()
}

/// A page in its frame.
pub(super) fn page(tongue: &Tongue, visitor: Option<&Visitor>, view: &View) -> Response {
    framed(*tongue, visitor, view, "")
}

fn framed(tongue: Tongue, visitor: Option<&Visitor>, view: &View, said: &str) -> Response {
    let frame = Frame { tongue, view, visitor, menu: visitor.map(menu).unwrap_or_default(), said };
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
        let name = format!("attachment; filename=\"{}.csv\"", table.id);
        let headers =
            [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
        return (headers, table.csv()).into_response();
    }
    framed(
        visitor.tongue,
        Some(visitor),
        &view,
        look.said.as_deref().map_or("", |said| words::done(visitor.tongue, said)),
    )
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
            Ok(view) => (StatusCode::UNPROCESSABLE_ENTITY, page(&visitor.tongue, Some(visitor), &view)).into_response(),
            Err(problem) => refused(&visitor.tongue, Some(visitor), &problem),
        },
        NotDone::Refused(problem) => refused(&visitor.tongue, Some(visitor), &problem),
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
