//! Work that people do from a list, and the gateways by which everything else goes out.

use super::listing::page;
use super::once::ShownOnce;
use super::prelude::*;
use axum::Extension;
use care_domain::contact::Channel;
use care_engine::{WorkListQuery, work_csv};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(windows, open))
        .routes(routes!(close))
        .routes(routes!(list_calls))
        .routes(routes!(list_requests))
        .routes(routes!(take_calls))
        .routes(routes!(record_calls))
        .routes(routes!(take_requests))
        .routes(routes!(record_requests))
        .routes(routes!(report))
        .routes(routes!(status, send))
        .routes(routes!(dead))
        .routes(routes!(replay))
        .routes(routes!(gateways, set_gateways))
        .routes(routes!(health))
}

/// Calling windows, the newest first.
#[utoipa::path(get, path = "/v1/calls/windows", tag = "desk", params(Paging), responses((status = 200, body = PageOf<told::Window>), Problem))]
async fn windows(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.calling_windows().await?;
    cut(&api, "windows", &paging, &all, |window| window.id.to_string(), |window| json!(window)).map(Json)
}

/// A calling window.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWindow {
    /// Agents.
    #[schema(minimum = 1, maximum = 10000)]
    seats: u32,
    /// Calls that each makes in an hour.
    #[schema(minimum = 1, maximum = 240)]
    calls_an_hour: u32,
    /// Until when, Unix milliseconds; at most 12 hours from now.
    until: i64,
}

/// Opens a calling window: numbers are handed out until it closes or is full.
#[utoipa::path(post, path = "/v1/calls/windows", tag = "desk", request_body = NewWindow, responses((status = 201, body = told::WindowOpened), Problem))]
async fn open(caller: Caller, Body(new): Body<NewWindow>) -> Answer<Made> {
    let by = &caller.person;
    let opened = caller.engine.open_calling_window(new.seats, new.calls_an_hour, new.until, by, now_ms()).await?;
    Ok(made(json!({"window": opened.0, "holds": opened.1})))
}

/// Closes the window that is open.
#[utoipa::path(delete, path = "/v1/calls/windows/open", tag = "desk", responses((status = 204), Problem))]
async fn close(caller: Caller) -> Answer<StatusCode> {
    caller.engine.close_calling_window(&caller.person, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which work.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhichWork {
    /// Only what stands so: `planned`, `waiting`, `handed-out`, a result, or how it ended without one.
    standing: Option<String>,
    /// Only of this campaign.
    campaign: Option<String>,
    /// Pieces of a page, 1 to 1000.
    limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

async fn list(api: &Api, caller: &Caller, channel: Channel, which: WhichWork) -> Answer<Json<Page>> {
    let paging = Paging { limit: which.limit, cursor: which.cursor };
    let size = paging.size()?;
    let after = paging.after(api, channel.name())?.and_then(|place| place.parse().ok()).unwrap_or(0);
    let query = WorkListQuery { standing: which.standing, campaign: which.campaign, after, limit: size as u32 };
    let listed = caller.engine.work_list(channel, &query, &caller.person, now_ms()).await?;
    let last = listed.last().filter(|_| listed.len() == size).map(|work| work.place.to_string());
    Ok(Json(page(api, channel.name(), listed.iter().map(|work| json!(work)).collect(), last.as_deref())))
}

/// Calls: what waits, who has what, what came of it. Names and numbers are shown to whoever takes one.
#[utoipa::path(get, path = "/v1/calls", tag = "desk", params(WhichWork), responses((status = 200, body = PageOf<told::ListedWork>), Problem))]
async fn list_calls(State(api): State<Api>, caller: Caller, Asked(which): Asked<WhichWork>) -> Answer<Json<Page>> {
    list(&api, &caller, Channel::CallList, which).await
}

/// Requests to one's own department: what waits, who has what, what was done.
#[utoipa::path(get, path = "/v1/requests", tag = "desk", params(WhichWork), responses((status = 200, body = PageOf<told::ListedWork>), Problem))]
async fn list_requests(State(api): State<Api>, caller: Caller, Asked(which): Asked<WhichWork>) -> Answer<Json<Page>> {
    list(&api, &caller, Channel::Action, which).await
}

/// How much work to take.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Take {
    /// At most so many.
    #[schema(minimum = 1, maximum = 500)]
    count: u64,
    /// As a list that spreadsheets open, rather than as JSON.
    #[serde(default)]
    csv: bool,
}

/// Whom to call stands in the answer alone: it is not kept, even where the same request may come again.
async fn take(caller: &Caller, channel: Channel, take: &Take) -> Answer<(Extension<ShownOnce>, Json<Value>)> {
    let work = caller.engine.hand_work_out(channel, take.count, &caller.person, now_ms()).await?;
    let told = if take.csv { json!({"csv": work_csv(&work), "work": work.len()}) } else { json!({"work": work}) };
    Ok((Extension(ShownOnce), Json(told)))
}

/// Takes calls to make, the most urgent first, with whom to ask for and the number: who may call sends.
#[utoipa::path(post, path = "/v1/calls/take", tag = "desk", request_body = Take, responses((status = 200, body = told::Taken), Problem))]
async fn take_calls(caller: Caller, Body(asked): Body<Take>) -> Answer<(Extension<ShownOnce>, Json<Value>)> {
    take(&caller, Channel::CallList, &asked).await
}

/// Takes requests to one's own department.
#[utoipa::path(post, path = "/v1/requests/take", tag = "desk", request_body = Take, responses((status = 200, body = told::Taken), Problem))]
async fn take_requests(caller: Caller, Body(asked): Body<Take>) -> Answer<(Extension<ShownOnce>, Json<Value>)> {
    take(&caller, Channel::Action, &asked).await
}

/// What came of work: a list as it was handed out, filled in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Results {
    /// CSV with the columns contact, result and note; others are passed over.
    csv: String,
}

/// Records what came of calls, once each.
#[utoipa::path(post, path = "/v1/calls/results", tag = "desk", request_body = Results, responses((status = 201, body = told::WorkRecorded), Problem))]
async fn record_calls(caller: Caller, Body(results): Body<Results>) -> Answer<Made> {
    let done = caller.engine.record_work(Channel::CallList, &results.csv, &caller.person, now_ms()).await?;
    Ok(made(json!(done)))
}

/// Records what was done about requests, once each.
#[utoipa::path(post, path = "/v1/requests/results", tag = "desk", request_body = Results, responses((status = 201, body = told::WorkRecorded), Problem))]
async fn record_requests(caller: Caller, Body(results): Body<Results>) -> Answer<Made> {
    let done = caller.engine.record_work(Channel::Action, &results.csv, &caller.person, now_ms()).await?;
    Ok(made(json!(done)))
}

/// Of which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Of {
    /// The day.
    #[param(value_type = String, format = Date)]
    date: Day,
}

/// The report of a day: calls and requests, and what came of them.
#[utoipa::path(get, path = "/v1/calls/report", tag = "desk", params(Of), responses((status = 200, body = told::WorkReport), Problem))]
async fn report(caller: Caller, Asked(of): Asked<Of>) -> Answer<Json<Value>> {
    Ok(Json(json!(caller.engine.work_report(of.date.0).await?)))
}

/// How contacts and receipts add up by channel.
#[utoipa::path(get, path = "/v1/dispatch", tag = "dispatch", responses((status = 200, body = told::DispatchStatus), Problem))]
async fn status(caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(json!(caller.engine.dispatch_status().await?)))
}

/// What to send.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Send {
    /// The instant to act at, Unix milliseconds; now when absent.
    at: Option<i64>,
}

/// Hands what is due to the gateways, and answers when nothing is.
#[utoipa::path(post, path = "/v1/dispatch", tag = "dispatch", request_body = Send, responses((status = 200, body = told::Dispatched), Problem))]
async fn send(State(api): State<Api>, caller: Caller, Body(send): Body<Send>) -> Answer<Json<Value>> {
    let at = send.at.unwrap_or_else(now_ms);
    // It goes on when whoever asked has gone away: what is on its way is settled.
    let job = tokio::spawn(async move {
        let _busy = api.busy();
        let go_on = |_| !api.is_stopping();
        caller.engine.dispatch(&caller.person, at, &go_on).await
    });
    Ok(Json(json!(job.await.map_err(|_| Problem::failed())??)))
}

/// What was given up after several attempts.
#[utoipa::path(get, path = "/v1/dispatch/dead-letters", tag = "dispatch", params(Paging), responses((status = 200, body = PageOf<told::DeadLetter>), Problem))]
async fn dead(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.dead_letters().await?;
    cut(&api, "dead-letters", &paging, &all, |letter| letter.contact.clone(), |letter| json!(letter)).map(Json)
}

/// What to try again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Again {
    /// Only of this campaign.
    campaign: Option<String>,
}

/// Lets what was given up go out again.
#[utoipa::path(post, path = "/v1/dispatch/dead-letters/replay", tag = "dispatch", request_body = Again,
    responses((status = 200, body = told::Replayed), Problem))]
async fn replay(caller: Caller, Body(again): Body<Again>) -> Answer<Json<Value>> {
    let replayed = caller.engine.replay_dead_letters(again.campaign.as_deref(), &caller.person, now_ms()).await?;
    Ok(Json(json!({"replayed": replayed})))
}

/// The gateways in force. Secrets stand in files of their own.
#[utoipa::path(get, path = "/v1/gateways", tag = "dispatch", responses((status = 200, body = told::GatewaysInForce), Problem))]
async fn gateways(caller: Caller) -> Answer<Tagged> {
    Ok(Tagged(json!(caller.engine.gateways_in_force()?)))
}

/// Gateways.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Gateways {
    /// The configuration (TOML), as in `examples/gateways.toml`.
    toml: String,
}

/// Puts gateways in force, on what stands now.
#[utoipa::path(put, path = "/v1/gateways", tag = "dispatch", params(("If-Match" = String, Header)),
    request_body = Gateways, responses((status = 200, body = told::GatewaysInForce), Problem))]
async fn set_gateways(caller: Caller, headers: HeaderMap, Body(new): Body<Gateways>) -> Answer<Tagged> {
    unchanged(&headers, &json!(caller.engine.gateways_in_force()?))?;
    caller.engine.set_gateways(&new.toml, &caller.person, now_ms()).await?;
    Ok(Tagged(json!(caller.engine.gateways_in_force()?)))
}

/// Whether each gateway is there and takes us for who we say we are. Nothing is sent.
#[utoipa::path(get, path = "/v1/gateways/health", tag = "dispatch", responses((status = 200, body = told::GatewaysHealth), Problem))]
async fn health(caller: Caller) -> Answer<Json<Value>> {
    let states = caller.engine.check_gateways().await?;
    Ok(Json(json!({"gateways": states})))
}
