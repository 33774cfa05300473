//! What every resource takes.

pub(super) use super::caller::Caller;
pub(super) use super::input::{Asked, Because, Body, Day, Part};
pub(super) use super::listing::{Page, PageOf, Paging, cut};
pub(super) use super::tag::{Tagged, unchanged};
pub(super) use super::{Answer, Api, Problem, told};
pub(super) use crate::clock::now_ms;
pub(super) use crate::views;
pub(super) use axum::Json;
pub(super) use axum::extract::State;
pub(super) use axum::http::{HeaderMap, StatusCode};
pub(super) use serde::Deserialize;
pub(super) use serde_json::{Map, Value, json};
pub(super) use utoipa::{IntoParams, ToSchema};
pub(super) use utoipa_axum::router::OpenApiRouter;
pub(super) use utoipa_axum::routes;

/// What was made: 201 with its body.
pub(super) type Made = (StatusCode, Json<Value>);

pub(super) fn made(body: Value) -> Made {
    (StatusCode::CREATED, Json(body))
}
