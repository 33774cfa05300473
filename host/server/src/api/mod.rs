//! The API under `/v1`: one file a resource, each a list of thin handlers that call one function of the engine.
//! Who asks, and whether they may, is settled before a path or a body is looked at (`admit`, by the table in `rules`).
//! No rule of the domain lives here, and no SQL.

mod access;
mod activities;
mod admit;
mod caller;
mod campaigns;
mod contacts;
mod desk;
mod docs;
mod hooks;
mod input;
mod learnt;
mod limits;
mod listing;
mod live;
mod login;
mod messages;
mod models;
mod once;
mod outcomes;
mod plans;
mod prelude;
mod problem;
mod reference;
mod retention;
mod rules;
mod submissions;
mod tag;
mod tokens;
mod told;

pub(crate) use activities::MAX_COMPONENT;
pub(crate) use limits::USUAL_RATE;
pub(crate) use plans::{followed, opened, plan_request};
pub(crate) use problem::Problem;
pub(crate) use rules::allows as may_ask;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use care_domain::person::Appointment;
use care_engine::{Engine, EngineError, EventDesk};
use problem::Document;
use rules::Secured;
use serde_json::json;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa_axum::router::OpenApiRouter;

/// What a handler answers.
type Answer<T> = Result<T, Problem>;

/// The longest body that is read, in bytes, unless a route says otherwise: ten thousand events of ordinary size.
const MAX_BODY: usize = 4 << 20;

/// Principals by the hash of their token, with when they were looked up.
type Known = HashMap<[u8; 32], (Appointment, Instant)>;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    engine: Engine,
    /// Where events of many requests come together.
    events: EventDesk,
    /// Who was found behind a token a moment ago.
    known: Arc<Mutex<Known>>,
    /// What cursors are sealed with, as long as this server runs.
    seal: [u8; 32],
    /// Whether the server is asked to stop: what runs in it comes to an end.
    stopping: Arc<AtomicBool>,
    /// How much goes on whether or not somebody waits for it.
    running: Arc<AtomicUsize>,
    /// How often each token asked.
    rates: Arc<limits::Rates>,
    /// The name of this process, for requests that it works on.
    server: Arc<str>,
    /// What the console's pages had counted.
    counted: crate::console::Desk,
}

impl Api {
    /// `a_second` is how many requests a second a token may go on with.
    pub(crate) fn new(engine: Engine, a_second: NonZeroU32) -> Result<Self, EngineError> {
        let (seal, name) = (Engine::new_secret()?, Engine::new_secret()?);
        Ok(Self {
            events: EventDesk::new(engine.clone()),
            engine,
            known: Arc::default(),
            seal,
            stopping: Arc::default(),
            running: Arc::default(),
            rates: Arc::new(limits::rates(a_second)),
            server: hex::encode(name).into(),
            counted: crate::console::Desk::default(),
        })
    }

    /// The engine as somebody may use it.
    pub(crate) fn acting_as(&self, principal: Appointment) -> Engine {
        self.engine.acting_as(principal)
    }

    /// The name of this process.
    pub(crate) fn server_name(&self) -> &str {
        &self.server
    }

    /// Where the console's pages have counted what takes long.
    pub(crate) fn counted(&self) -> &crate::console::Desk {
        &self.counted
    }

    /// What the forms of a session carry: nobody else can make it.
    pub(crate) fn form_seal(&self, secret: &str) -> String {
        listing::sealed(self, "forms", secret.as_bytes())
    }

    /// From now on what runs in the server comes to an end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it is asked to.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Something that goes on whether or not somebody waits for it, until what is returned is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.running.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.running))
    }

    /// Whether something goes on.
    pub(crate) fn is_busy(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }
}

/// Goes with what it stands for.
pub(crate) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the description begins with; paths and schemas come from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "care",
        description = "Starts campaigns of approved customer-care activities, and explains every contact afterwards. \
                       Instants are Unix milliseconds, money is in fen, dates are written 2026-07-29. Every refusal is \
                       a problem document (RFC 9457) with a code and a hint."
    ),
    components(schemas(Document)),
    modifiers(&Secured)
)]
struct Head;

/// All resources. A route is added to its resource's list, and its line to the table in `rules`.
fn resources() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Head::openapi())
        .merge(login::routes())
        .merge(access::routes())
        .merge(tokens::routes())
        .merge(activities::routes())
        .merge(submissions::routes())
        .merge(campaigns::routes())
        .merge(plans::routes())
        .merge(contacts::routes())
        .merge(outcomes::routes())
        .merge(live::routes())
        .merge(desk::routes())
        .merge(learnt::routes())
        .merge(reference::routes())
        .merge(hooks::routes())
        .merge(retention::routes())
        .merge(messages::routes())
        .merge(models::routes())
}

/// The description as it is told: operations are named by their resource, since each has a `list` and a `show` of its own.
fn described(mut api: OpenApiDocument) -> OpenApiDocument {
    for item in api.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let tag = operation.tags.as_ref().and_then(|tags| tags.first()).cloned().unwrap_or_default();
            operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
        }
    }
    api
}

/// The routes of the API with its description beside; whatever is not among them is refused like what is.
pub(crate) fn router(api: Api) -> Router {
    let (router, description) = resources().split_for_parts();
    let described = json!(described(description));
    let page: Arc<str> = docs::written(&described).into();
    let described = Arc::new(described);
    let told = Router::new()
        .route("/openapi.json", get(async move || Json(described.as_ref().clone())))
        .route("/docs", get(async move || docs::page(&page)))
        .route("/docs/style.css", get(async || docs::style()));
    router
        .fallback(problem::nowhere)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(api.clone(), once::once))
        .layer(from_fn_with_state(api.clone(), limits::timely))
        .layer(from_fn_with_state(api.clone(), admit::admit))
        .with_state(api)
        .merge(told)
}
