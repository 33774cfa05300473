//! What pages look like, and the little that happens in the browser.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// Files change with the program alone; a browser asks again after an hour.
const AN_HOUR: &str = "max-age=3600";

/// How pages look.
pub(super) async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, AN_HOUR)];
    (headers, include_str!("style.css")).into_response()
}

/// What happens in the browser: nothing without which a page could not be used.
pub(super) async fn script() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, AN_HOUR)];
    (headers, include_str!("script.js")).into_response()
}

/// What stands beside a page's title.
pub(super) async fn icon() -> Response {
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, AN_HOUR)];
    (headers, include_str!("icon.svg")).into_response()
}
