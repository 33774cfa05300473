//! The server: everything in one process on one data folder. The API beside (`api`), whether it lives and could work, and,
//! where somebody's name is given for it, planning what is due and dispatching whatever becomes due.

use crate::answer::Answer;
use crate::api::{Api, Problem};
use crate::clock::{now_ms, wall_ms};
use crate::commands::plan::cores;
use crate::connections;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::telemetry::Spans;
use crate::trace;
use anyhow::Context;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use care_engine::{Collector, Engine, EngineError, HookSender};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// How long what is under way may take when the server is asked to stop: whoever stops it waits ten seconds.
const FAREWELL: Duration = Duration::from_secs(8);
/// How often it is looked whether everything came to its end.
const STEP: Duration = Duration::from_millis(50);

/// Serves until a signal asks it to stop.
pub(crate) async fn serve(folder: &Path, settings: Settings) -> anyhow::Result<Answer> {
    let engine = Engine::open(folder).await?.with_worker(crate::commands::worker()?);
    let listen = settings.listen.value;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be listened on"))?;
    let address = listener.local_addr()?;
    let api = Api::new(engine.clone(), settings.requests_per_second.value)?;
    let sender = HookSender::open().map_err(EngineError::from)?;
    let collector = settings.otlp.value.map(|endpoint| Collector::open(&endpoint)).transpose();
    let spans = collector.map_err(EngineError::from)?.map(Spans::to);
    eprintln!("care listens on http://{address}");
    tokio::spawn(tell_other_systems(engine.clone(), sender, api.clone()));
    tokio::spawn(forget_daily(engine.clone(), api.clone()));
    if let Some(planner) = settings.plan_as.value {
        crate::background::spawn(plan_what_is_due(engine.clone(), planner, api.clone()));
    }
    if let Some(dispatcher) = settings.dispatch_as.value {
        tokio::spawn(dispatch_what_is_due(engine.clone(), dispatcher, api.clone()));
    }
    let asked = api.clone();
    let serving = connections::serve(listener, router(engine, api.clone(), spans), async move {
        stopped().await;
        asked.stop();
    });
    let ended = async {
        serving.await;
        while api.is_busy() {
            tokio::time::sleep(STEP).await;
        }
    };
    let in_time = tokio::select! {
        () = ended => true,
        () = patience() => false,
    };
    if !in_time {
        tracing::warn!("what was under way was left where it is: it is resumed when it is asked for again");
    }
    Ok(Answer::new("stopped", json!({"stopped": true, "in_time": in_time})))
}

/// Ends when a signal asked to stop, and what is under way had its time.
async fn patience() {
    stopped().await;
    tokio::time::sleep(FAREWELL).await;
}

/// What health checks and watchers ask.
#[derive(Clone)]
struct Watched {
    engine: Engine,
    metrics: Arc<Metrics>,
}

fn router(engine: Engine, api: Api, spans: Option<Spans>) -> Router {
    let metrics = Arc::new(Metrics::watching(spans.clone()));
    let watched = Watched { engine, metrics: Arc::clone(&metrics) };
    Router::new()
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(watched)
        .merge(crate::api::router(api.clone()))
        .merge(crate::console::router(api))
        .layer(from_fn_with_state(trace::Watch { metrics, spans }, trace::traced))
}

async fn figures(State(watched): State<Watched>) -> Response {
    match watched.metrics.written(&watched.engine).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Plans what cron says is due, every minute. Whatever stops a plan, the next minute goes on with it.
async fn plan_what_is_due(engine: Engine, planner: String, api: Api) {
    let mut minutes = tokio::time::interval(MINUTE);
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !api.is_stopping() {
        minutes.tick().await;
        let (_busy, watching) = (api.busy(), api.clone());
        match engine.plan_due(cores(), &planner, now_ms(), Arc::new(move |_| !watching.is_stopping())).await {
            Ok(plans) => {
                for plan in plans {
                    tracing::info!(plan = %plan.plan, added = plan.added, "planned what was due");
                }
            }
            Err(EngineError::Stopped) => {}
            Err(error) => tracing::error!("what is due cannot be planned: {error}"),
        }
    }
}

/// Dispatches whatever becomes due; what ends it is tried again a minute later.
async fn dispatch_what_is_due(engine: Engine, dispatcher: String, api: Api) {
    while !api.is_stopping() {
        let _busy = api.busy();
        match engine.dispatch_on(&dispatcher, now_ms(), &|_| !api.is_stopping()).await {
            Ok(_) | Err(EngineError::Stopped) => {}
            Err(error) => tracing::error!("what is due cannot be dispatched: {error}"),
        }
        if !api.is_stopping() {
            tokio::time::sleep(MINUTE).await;
        }
    }
}

/// Deletes once a day what is older than it may be.
async fn forget_daily(engine: Engine, api: Api) {
    let mut hours = tokio::time::interval(HOUR);
    hours.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !api.is_stopping() {
        hours.tick().await;
        let _busy = api.busy();
        match engine.retain_daily(now_ms()).await {
            Ok(Some(report)) => {
                let (contacts, messages) = (report.contacts, report.messages);
                tracing::info!(contacts, messages, "deleted what is not kept any longer");
            }
            Ok(None) => {}
            Err(error) => tracing::error!("what is old cannot be deleted: {error}"),
        }
    }
}

/// Sends webhooks whenever some are due; what fails is looked at again a second later.
async fn tell_other_systems(engine: Engine, sender: HookSender, api: Api) {
    while !api.is_stopping() {
        let busy = api.busy();
        let tried = engine.deliver(&sender, wall_ms).await.unwrap_or_else(|error| {
            tracing::error!("webhooks cannot be sent: {error}");
            0
        });
        drop(busy);
        if tried == 0 {
            tokio::time::sleep(SECOND).await;
        }
    }
}

async fn ready(State(Watched { engine, .. }): State<Watched>) -> (StatusCode, Json<Value>) {
    if let Err(error) = engine.store().ping().await {
        tracing::error!("not ready: {error}");
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "the database does not answer"})));
    }
    match engine.verify_audit(None).await {
        Ok(_) => (StatusCode::OK, Json(json!({"status": "ready"}))),
        Err(error) => {
            tracing::error!("not ready: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "the audit log does not stand as it was written"})))
        }
    }
}

/// Until a signal asks to stop.
pub(crate) async fn stopped() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
