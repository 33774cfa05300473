//! The server: whether it lives, whether it could work, and the API beside (`api`).

use crate::answer::Answer;
use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use care_engine::Engine;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until a signal asks it to stop.
pub(crate) async fn serve(folder: &Path, listen: SocketAddr) -> anyhow::Result<Answer> {
    let engine = Engine::open(folder).await?.with_worker(crate::commands::worker()?);
    let listener = TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be listened on"))?;
    let address = listener.local_addr()?;
    eprintln!("care listens on http://{address}");
    axum::serve(listener, router(engine)).with_graceful_shutdown(stopped()).await?;
    Ok(Answer::new("stopped", json!({"stopped": true})))
}

fn router(engine: Engine) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
        .route("/readyz", get(ready))
        .with_state(engine.clone())
        .fallback_service(crate::api::routes(engine))
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

async fn stopped() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
