//! The login: a person shows a password and gets a token for a day's work.

use super::prelude::*;
use axum::http::header;
use axum::response::IntoResponse;
use care_domain::person::Role;
use care_engine::{EngineError, Login, NewToken};
use tokio::sync::Semaphore;

/// Logins at once: each takes 19 MiB and a tenth of a second on purpose.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(log_in))
}

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// Who.
    person: String,
    /// Their password, or the one-time one.
    password: String,
    /// The password that they choose, of 12 characters or more; needed with a one-time one.
    new_password: Option<String>,
    /// In which of their roles; needed where they have several.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// In which of that role's regions.
    region: Option<String>,
}

/// Logs a person in: a token for twelve hours, in one of their roles. After five wrong passwords nobody may try for a
/// quarter of an hour.
#[utoipa::path(post, path = "/login", tag = "access", request_body = Credentials, security(()),
    responses((status = 200, body = told::NewToken), Problem))]
async fn log_in(State(api): State<Api>, Body(given): Body<Credentials>) -> Answer<impl IntoResponse> {
    let Credentials { person, password, new_password, role, region } = given;
    let login = Login { person, password, new_password, role, region };
    let token = api.log_in(&login, now_ms()).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!(token))))
}

impl Api {
    /// Logs somebody in, when it is their turn.
    pub(crate) async fn log_in(&self, login: &Login, at: i64) -> Result<NewToken, EngineError> {
        let _turn = AT_ONCE.acquire().await.map_err(|_| EngineError::Stopped)?;
        self.engine.log_in(login, at).await
    }
}
