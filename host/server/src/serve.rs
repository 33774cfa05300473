//! The server: for now, whether it lives and whether it could work.

use crate::answer::Answer;
use crate::clock::now_ms;
use crate::commands::plan::cores;
use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use care_engine::Engine;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const MINUTE: Duration = Duration::from_secs(60);

/// Serves until a signal asks it to stop.
pub(crate) async fn serve(folder: &Path, listen: SocketAddr, plan_as: Option<String>) -> anyhow::Result<Answer> {
    let engine = Engine::open(folder).await?.with_worker(crate::commands::worker()?);
    let listener = TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be listened on"))?;
    let address = listener.local_addr()?;
    eprintln!("care listens on http://{address}");
    if let Some(planner) = plan_as {
        tokio::spawn(plan_what_is_due(engine.clone(), planner));
    }
    axum::serve(listener, router(engine)).with_graceful_shutdown(stopped()).await?;
    Ok(Answer::new("stopped", json!({"stopped": true})))
}

fn router(engine: Engine) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
        .route("/readyz", get(ready))
        .with_state(engine)
}

/// Plans what cron says is due, every minute. Whatever stops a plan, the next minute goes on with it.
async fn plan_what_is_due(engine: Engine, planner: String) {
    let mut minutes = tokio::time::interval(MINUTE);
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        match engine.plan_due(cores(), &planner, now_ms(), Arc::new(|_| true)).await {
            Ok(plans) => {
                for plan in plans {
                    tracing::info!(plan = %plan.plan, added = plan.added, "planned what was due");
                }
            }
            Err(error) => tracing::error!("what is due cannot be planned: {error}"),
        }
    }
}

async fn ready(State(engine): State<Engine>) -> (StatusCode, Json<Value>) {
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
