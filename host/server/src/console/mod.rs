//! The console: pages for people who decide, in Chinese and English. A page shows what functions of the engine answer,
//! and a form calls one: the same functions that the API calls. Who may open which page the API's table says: every page
//! names the route of the API that it stands for. No rule of the domain lives here, and no SQL.

mod access;
mod activities;
mod assets;
mod blocks;
mod calls;
mod campaigns;
mod conditions;
mod counted;
mod customers;
mod evaluation;
mod evidence;
mod findings;
mod form;
mod inbox;
mod learnt;
mod lines;
mod messages;
mod needs;
mod oversight;
mod overview;
mod plans;
mod refusals;
mod review;
mod session;
mod show;
mod submissions;
mod variant;
mod words;

use crate::api::{Api, MAX_COMPONENT, may_ask};
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
pub(crate) use counted::Desk;
use session::Visitor;

/// An address of the console: a page, the forms that lead there, or both.
struct Page {
    path: &'static str,
    route: fn() -> MethodRouter<Api>,
    /// Whoever may ask this of the API may open it; `None` where it is no page.
    shows: Option<&'static str>,
    /// Whoever may do this by the API may send forms there: method and route.
    does: Option<(Method, &'static str)>,
}

/// What is only read.
const fn page(path: &'static str, route: fn() -> MethodRouter<Api>, api: &'static str) -> Page {
    Page { path, route, shows: Some(api), does: None }
}

/// Where a form leads that stands on another page.
const fn form(path: &'static str, route: fn() -> MethodRouter<Api>, method: Method, api: &'static str) -> Page {
    Page { path, route, shows: None, does: Some((method, api)) }
}

/// A page with a form that leads back to it.
const fn both(path: &'static str, route: fn() -> MethodRouter<Api>, api: &'static str) -> Page {
    Page { path, route, shows: Some(api), does: Some((Method::POST, api)) }
}

/// All of them. What does not stand here is not served.
const PAGES: &[Page] = &[
    page("/console", || get(inbox::show), "/v1/me"),
    page("/console/overview", || get(overview::show), "/v1/plans"),
    page("/console/activities", || get(activities::list), "/v1/activities"),
    page("/console/activities/{activity}", || get(activities::show), "/v1/activities/{activity}"),
    Page {
        path: "/console/submissions",
        route: || get(submissions::list).post(submissions::upload).layer(DefaultBodyLimit::max(MAX_COMPONENT)),
        shows: Some("/v1/submissions"),
        does: Some((Method::POST, "/v1/activities")),
    },
    page("/console/submissions/{id}", || get(review::show), "/v1/submissions/{id}"),
    form(
        "/console/submissions/{id}/simulate",
        || post(review::simulate),
        Method::POST,
        "/v1/submissions/{id}/simulations",
    ),
    form("/console/submissions/{id}/approve", || post(review::approve), Method::POST, "/v1/submissions/{id}/approve"),
    form("/console/submissions/{id}/confirm", || post(review::confirm), Method::POST, "/v1/submissions/{id}/confirm"),
    form("/console/submissions/{id}/review", || post(review::pass_city), Method::POST, "/v1/submissions/{id}/review"),
    form("/console/submissions/{id}/trial", || post(review::pass_trial), Method::POST, "/v1/submissions/{id}/trial"),
    form("/console/submissions/{id}/reject", || post(review::reject), Method::POST, "/v1/submissions/{id}/reject"),
    form(
        "/console/submissions/{id}/test-sends",
        || post(messages::send_test),
        Method::POST,
        "/v1/submissions/{id}/test-sends",
    ),
    form("/console/submissions/{id}/suspend", || post(review::suspend), Method::POST, "/v1/submissions/{id}/suspend"),
    form("/console/submissions/{id}/resume", || post(review::resume), Method::POST, "/v1/submissions/{id}/resume"),
    form(
        "/console/submissions/{id}/withdraw",
        || post(review::withdraw),
        Method::POST,
        "/v1/submissions/{id}/withdraw",
    ),
    Page {
        path: "/console/submissions/{id}/variant",
        route: || get(variant::show).post(variant::propose),
        shows: Some("/v1/submissions/{id}"),
        does: Some((Method::POST, "/v1/variants")),
    },
    form("/console/submissions/{id}/merge", || post(review::merge), Method::POST, "/v1/submissions/{id}/merge"),
    form("/console/submissions/{id}/retire", || post(review::retire), Method::POST, "/v1/submissions/{id}/retire"),
    form(
        "/console/submissions/{id}/take-back",
        || post(review::take_back),
        Method::POST,
        "/v1/submissions/{id}/take-back",
    ),
    both("/console/campaigns", || get(campaigns::list).post(campaigns::start), "/v1/campaigns"),
    form("/console/campaigns/estimate", || post(campaigns::estimate), Method::POST, "/v1/campaigns/estimate"),
    Page {
        path: "/console/campaigns/{campaign}/evaluation",
        route: || get(evaluation::show).post(evaluation::keep),
        shows: Some("/v1/campaigns/{campaign}/evaluation"),
        does: Some((Method::POST, "/v1/campaigns/{campaign}/evaluations")),
    },
    page("/console/campaigns/{campaign}", || get(campaigns::show), "/v1/campaigns/{campaign}"),
    form(
        "/console/campaigns/{campaign}/pause",
        || post(campaigns::pause),
        Method::POST,
        "/v1/campaigns/{campaign}/pause",
    ),
    form(
        "/console/campaigns/{campaign}/resume",
        || post(campaigns::resume),
        Method::POST,
        "/v1/campaigns/{campaign}/resume",
    ),
    form("/console/campaigns/{campaign}/stop", || post(campaigns::stop), Method::POST, "/v1/campaigns/{campaign}/stop"),
    both("/console/plans", || get(plans::list).post(plans::run), "/v1/plans"),
    page("/console/plans/{plan}", || get(plans::show), "/v1/plans/{plan}"),
    page("/console/plans/{plan}/progress", || get(plans::progress), "/v1/plans/{plan}/progress"),
    form("/console/plans/{plan}/pause", || post(plans::pause), Method::POST, "/v1/plans/{plan}/pause"),
    form("/console/plans/{plan}/resume", || post(plans::resume), Method::POST, "/v1/plans/{plan}/resume"),
    form("/console/plans/{plan}/cancel", || post(plans::cancel), Method::POST, "/v1/plans/{plan}/cancel"),
    page("/console/customers", || get(customers::show), "/v1/customers/{customer}/verdicts"),
    page("/console/catalogue", || get(learnt::catalogue), "/v1/knowledge"),
    both("/console/needs", || get(needs::list).post(needs::open), "/v1/needs"),
    form("/console/needs/records", || post(needs::collect), Method::POST, "/v1/needs/records"),
    page("/console/needs/{need}", || get(needs::show), "/v1/needs/{need}"),
    form("/console/needs/{need}/analyse", || post(needs::analyse), Method::POST, "/v1/needs/{need}/analyse"),
    form("/console/needs/{need}/publish", || post(needs::publish), Method::POST, "/v1/needs/{need}/publish"),
    form("/console/needs/{need}/answers", || post(needs::answer_with), Method::POST, "/v1/needs/{need}/answers"),
    both("/console/findings", || get(findings::list).post(findings::open), "/v1/findings"),
    page("/console/findings/{finding}", || get(findings::show), "/v1/findings"),
    form("/console/findings/{finding}/close", || post(findings::close), Method::POST, "/v1/findings/{finding}/close"),
    form("/console/findings/{finding}/drop", || post(findings::drop_it), Method::POST, "/v1/findings/{finding}/drop"),
    page("/console/calls", || get(calls::calls), "/v1/calls"),
    form("/console/calls/take", || post(calls::take_calls), Method::POST, "/v1/calls/take"),
    form("/console/calls/result", || post(calls::record_call), Method::POST, "/v1/calls/results"),
    form("/console/calls/results", || post(calls::record_calls), Method::POST, "/v1/calls/results"),
    both("/console/calls/windows", || get(calls::windows).post(calls::open), "/v1/calls/windows"),
    form("/console/calls/windows/close", || post(calls::close), Method::DELETE, "/v1/calls/windows/open"),
    page("/console/requests", || get(calls::requests), "/v1/requests"),
    form("/console/requests/take", || post(calls::take_requests), Method::POST, "/v1/requests/take"),
    form("/console/requests/result", || post(calls::record_request), Method::POST, "/v1/requests/results"),
    form("/console/requests/results", || post(calls::record_requests), Method::POST, "/v1/requests/results"),
    both("/console/staff", || get(messages::staff).post(messages::register), "/v1/staff"),
    page("/console/staff/{name}", || get(messages::member), "/v1/staff"),
    form("/console/staff/{name}/forget", || post(messages::forget), Method::DELETE, "/v1/staff/{name}"),
    both("/console/users", || get(access::users).post(access::appoint), "/v1/users"),
    page("/console/users/{person}", || get(access::user), "/v1/users"),
    form("/console/users/{person}/password", || post(access::password), Method::POST, "/v1/users/{person}/password"),
    form(
        "/console/users/{person}/{role}/{region}/dismiss",
        || post(access::dismiss),
        Method::DELETE,
        "/v1/users/{person}/{role}/{region}",
    ),
    both("/console/tokens", || get(access::tokens).post(access::make_token), "/v1/tokens"),
    page("/console/tokens/{id}", || get(access::token), "/v1/tokens"),
    form("/console/tokens/{id}/revoke", || post(access::revoke_token), Method::DELETE, "/v1/tokens/{id}"),
    both("/console/keys", || get(access::keys).post(access::add_key), "/v1/keys"),
    page("/console/keys/{id}", || get(access::key), "/v1/keys"),
    form("/console/keys/{id}/revoke", || post(access::revoke_key), Method::DELETE, "/v1/keys/{id}"),
    both("/console/switches", || get(oversight::switches).post(oversight::throw), "/v1/switches"),
    form("/console/switches/lift", || post(oversight::lift), Method::DELETE, "/v1/switches/{scope}/{target}"),
    page("/console/audit", || get(oversight::audit), "/v1/audit"),
];

/// The pages, the way in and out, and what they look like.
pub(crate) fn router(api: Api) -> Router {
    let pages = PAGES.iter().fold(Router::new(), |router, page| router.route(page.path, (page.route)()));
    let pages = pages.layer(from_fn_with_state(api.clone(), admit));
    Router::new()
        .merge(pages)
        .route("/console/login", get(session::login).post(session::enter))
        .route("/console/logout", post(session::leave))
        .route("/console/language/{language}", get(session::language))
        .route("/console/style.css", get(assets::style))
        .route("/console/script.js", get(assets::script))
        .route("/console/icon.svg", get(assets::icon))
        .with_state(api)
}

/// Lets in whom the API would let in, before anything else of the request is looked at.
async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let visitor = match Visitor::of(&api, request.headers()).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return session::to_login(request.uri()),
        Err(problem) => return show::refused(&session::Tongue::of(request.headers()), None, &problem),
    };
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    if let Err(problem) = allowed(&visitor, request.method(), &matched) {
        return show::refused(&visitor.tongue, Some(&visitor), &problem);
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await.into_response()
}

/// Whether the table of the API lets somebody open a page, or send a form there.
fn allowed(visitor: &Visitor, method: &Method, path: &str) -> Result<(), crate::api::Problem> {
    let Some(page) = PAGES.iter().find(|page| page.path == path) else {
        // What nobody serves stands in no table: it is refused as such.
        return may_ask(method, path, &visitor.principal);
    };
    match (&page.shows, &page.does) {
        (Some(api), _) if method == Method::GET || method == Method::HEAD => {
            may_ask(&Method::GET, api, &visitor.principal)
        }
        (_, Some((does, api))) if method == Method::POST => may_ask(does, api, &visitor.principal),
        // Of another method the router says that the address does not know it.
        _ => Ok(()),
    }
}
