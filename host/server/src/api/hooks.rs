//! Webhooks: other systems that are told of plans, submissions and campaigns.

use super::listing::page;
use super::once::ShownOnce;
use super::prelude::*;
use axum::Extension;
use care_engine::{HookShown, NewHook};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(show, close))
        .routes(routes!(renew))
        .routes(routes!(ping))
        .routes(routes!(deliveries))
        .routes(routes!(replay))
}

/// Who is told, the oldest first, each with how its events stand and what it answered last.
#[utoipa::path(get, path = "/v1/webhooks", tag = "webhooks", params(Paging),
    responses((status = 200, body = PageOf<told::Hook>), Problem))]
async fn list(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.hooks().await?;
    cut(&api, "webhooks", &paging, &all, |hook| hook.webhook.clone(), |hook| json!(hook)).map(Json)
}

/// An endpoint that is to be told.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhook)]
#[serde(deny_unknown_fields)]
struct New {
    /// Where events go: an http or https address. Redirects are not followed.
    #[schema(example = "https://crm.example.com/care")]
    url: String,
    /// Kinds of events, such as `campaign.started`, or families: plan, submission, campaign. All of them when empty.
    #[serde(default)]
    kinds: Vec<String>,
    /// Whose it is and what for.
    #[serde(default)]
    note: String,
}

/// Registers an endpoint. From now on it is told of every plan, submission and campaign by signed requests (Standard
/// Webhooks 1.0), each at least once. The secret that they are signed with is in this answer, and nowhere else ever again.
#[utoipa::path(post, path = "/v1/webhooks", tag = "webhooks", request_body = New,
    responses((status = 201, body = told::HookSecret), Problem))]
async fn register(caller: Caller, Body(new): Body<New>) -> Answer<(Extension<ShownOnce>, Made)> {
    let new = NewHook { url: new.url, kinds: new.kinds, note: new.note };
    let secret = caller.engine.register_hook(&new, &caller.person, now_ms()).await?;
    Ok((Extension(ShownOnce), made(json!(secret))))
}

/// An endpoint, with how its events stand and what it answered last.
#[utoipa::path(get, path = "/v1/webhooks/{webhook}", tag = "webhooks", params(("webhook" = String, Path)),
    responses((status = 200, body = told::Hook), Problem))]
async fn show(caller: Caller, Part(id): Part<String>) -> Answer<Json<HookShown>> {
    Ok(Json(caller.engine.hook(&id).await?))
}

/// Tells an endpoint nothing any more; what waits for it is dropped.
#[utoipa::path(delete, path = "/v1/webhooks/{webhook}", tag = "webhooks", params(("webhook" = String, Path), Because),
    responses((status = 204), Problem))]
async fn close(caller: Caller, Part(id): Part<String>, Asked(because): Asked<Because>) -> Answer<StatusCode> {
    caller.engine.close_hook(&id, &because.reason, &caller.person, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs with another secret from now on, what waits included; shown this one time.
#[utoipa::path(post, path = "/v1/webhooks/{webhook}/secret", tag = "webhooks", params(("webhook" = String, Path)),
    responses((status = 201, body = told::HookSecret), Problem))]
async fn renew(caller: Caller, Part(id): Part<String>) -> Answer<(Extension<ShownOnce>, Made)> {
    let secret = caller.engine.renew_hook_secret(&id, &caller.person, now_ms()).await?;
    Ok((Extension(ShownOnce), made(json!(secret))))
}

/// Has `webhook.ping` sent to an endpoint, as events are.
#[utoipa::path(post, path = "/v1/webhooks/{webhook}/ping", tag = "webhooks", params(("webhook" = String, Path)),
    responses((status = 202), Problem))]
async fn ping(caller: Caller, Part(id): Part<String>) -> Answer<StatusCode> {
    caller.engine.ping_hook(&id, &caller.person, now_ms()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Which events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that stand there: waiting, delivered, given-up, dropped.
    state: Option<String>,
    /// Events of a page, 1 to 1000.
    limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// Events of an endpoint, the newest first, with their attempts and the last answer.
#[utoipa::path(get, path = "/v1/webhooks/{webhook}/deliveries", tag = "webhooks",
    params(("webhook" = String, Path), Which), responses((status = 200, body = PageOf<told::Delivery>), Problem))]
async fn deliveries(
    State(api): State<Api>,
    caller: Caller,
    Part(id): Part<String>,
    Asked(which): Asked<Which>,
) -> Answer<Json<Page>> {
    let paging = Paging { limit: which.limit, cursor: which.cursor };
    let (size, list) = (paging.size()?, format!("deliveries {id}"));
    let before = paging.after(&api, &list)?.and_then(|number| number.parse().ok()).unwrap_or(i64::MAX);
    let found = caller.engine.deliveries(&id, which.state.as_deref(), before, size as u32).await?;
    let last = found.last().filter(|_| found.len() == size).map(|one| one.delivery.to_string());
    Ok(Json(page(&api, &list, found.iter().map(|one| json!(one)).collect(), last.as_deref())))
}

/// Lets an event that was given up, or that got lost on the other side, go out again, under the same id.
#[utoipa::path(post, path = "/v1/webhooks/{webhook}/deliveries/{event}/replay", tag = "webhooks",
    params(("webhook" = String, Path), ("event" = i64, Path)), responses((status = 202), Problem))]
async fn replay(caller: Caller, Part((id, delivery)): Part<(String, i64)>) -> Answer<StatusCode> {
    caller.engine.replay_delivery(&id, delivery, &caller.person, now_ms()).await?;
    Ok(StatusCode::ACCEPTED)
}
