//! Tokens of programs.

use super::once::ShownOnce;
use super::prelude::*;
use axum::Extension;
use care_domain::person::{Appointment, Role};
use care_domain::time::DAY_MS;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = WantedToken)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// For whom it acts: somebody registered.
    person: String,
    /// In which of their roles.
    #[schema(value_type = String, example = "operator")]
    role: Role,
    /// Where: an administrative code, and everything below it.
    #[schema(example = "350000")]
    region: String,
    /// For how many days it holds.
    #[serde(default = "usual_days")]
    #[schema(minimum = 1, maximum = 400, default = 90)]
    days: u16,
}

fn usual_days() -> u16 {
    90
}

/// All tokens, without their secrets.
#[utoipa::path(get, path = "/v1/tokens", tag = "access", params(Paging), responses((status = 200, body = PageOf<told::Token>), Problem))]
async fn list(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let mut tokens = caller.engine.tokens().await?;
    tokens.retain(|token| caller.holds(&token.acts_as.region));
    cut(&api, "tokens", &paging, &tokens, |token| token.id.clone(), |token| json!(token)).map(Json)
}

/// Makes a token. Its secret is in this answer, and nowhere else ever again.
#[utoipa::path(post, path = "/v1/tokens", tag = "access", request_body = NewToken, responses((status = 201, body = told::NewToken), Problem))]
async fn make(caller: Caller, Body(new): Body<NewToken>) -> Answer<(Extension<ShownOnce>, Made)> {
    let acts_as = Appointment { person: new.person, role: new.role, region: new.region };
    let now = now_ms();
    let until = now.saturating_add(i64::from(new.days) * DAY_MS);
    let new = caller.engine.new_token(&acts_as, until, &caller.person, now).await?;
    Ok((Extension(ShownOnce), made(json!(new))))
}

/// Ends a token at once.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "access", params(("id" = String, Path, description = "Its id"), Because), responses((status = 204), Problem))]
async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Part(id): Part<String>,
    Asked(because): Asked<Because>,
) -> Answer<StatusCode> {
    let tokens = caller.engine.tokens().await?;
    let found = tokens.iter().find(|token| token.id == id && caller.holds(&token.acts_as.region));
    found.ok_or_else(|| Problem::missing("such token"))?;
    caller.engine.revoke_token(&id, &because.reason, &caller.person, now_ms()).await?;
    api.forget();
    Ok(StatusCode::NO_CONTENT)
}
