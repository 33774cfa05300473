//! How long records are kept, and what was deleted.

use super::prelude::*;
use care_domain::retention::Retention;
use care_engine::RetentionReport;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show, set)).routes(routes!(runs, run))
}

/// How long each kind of record is kept, in days; what is absent is kept for ever.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[derive(Default)]
struct Periods {
    /// What was said in a contact or a prompt.
    messages: Option<u32>,
    /// Contacts with what became of them; at least as long as decision logs.
    contacts: Option<u32>,
    /// Calls and visits with the prompts that were shown.
    calls: Option<u32>,
    /// Events as they came; 31 or more.
    events: Option<u32>,
    /// Why somebody was contacted, or not.
    decision_logs: Option<u32>,
    /// Files of the outbox.
    outbox: Option<u32>,
    /// What other systems were told.
    webhooks: Option<u32>,
}

/// How long records are kept, in days; what is absent is kept for ever.
#[utoipa::path(get, path = "/v1/retention", tag = "operation", responses((status = 200, body = told::Periods), Problem))]
async fn show(caller: Caller) -> Answer<Tagged> {
    Ok(Tagged(json!(caller.engine.retention().await?)))
}

/// Says how long records are kept, on what stands now. The next run deletes what is older, unless a cap, an open occasion, a
/// replay or an evaluation needs it.
#[utoipa::path(put, path = "/v1/retention", tag = "operation", params(Because, ("If-Match" = String, Header)),
    request_body = Periods, responses((status = 200, body = told::Periods), Problem))]
async fn set(
    caller: Caller,
    headers: HeaderMap,
    Asked(because): Asked<Because>,
    Body(new): Body<Periods>,
) -> Answer<Tagged> {
    unchanged(&headers, &json!(caller.engine.retention().await?))?;
    let Periods { messages, contacts, calls, events, decision_logs, outbox, webhooks } = new;
    let periods = Retention { messages, contacts, calls, events, decision_logs, outbox, webhooks };
    caller.engine.set_retention(&periods, &because.reason, &caller.person, now_ms()).await?;
    Ok(Tagged(json!(periods)))
}

/// The last hundred runs with their reports, the newest first.
#[utoipa::path(get, path = "/v1/retention/runs", tag = "operation", params(Paging),
    responses((status = 200, body = PageOf<told::RetentionRun>), Problem))]
async fn runs(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.retention_runs(100).await?;
    cut(&api, "retention-runs", &paging, &all, |run| run.run.to_string(), |run| json!(run)).map(Json)
}

/// What to run.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewRetentionRun)]
#[serde(deny_unknown_fields, default)]
struct NewRun {
    /// Look only, and tell what would go.
    dry_run: bool,
}

/// Deletes what is too old now; the server does so once a day by itself.
#[utoipa::path(post, path = "/v1/retention/runs", tag = "operation", request_body = NewRun,
    responses((status = 201, body = told::RetentionReport), Problem))]
async fn run(caller: Caller, Body(new): Body<NewRun>) -> Answer<(StatusCode, Json<RetentionReport>)> {
    let report = caller.engine.retain(new.dry_run, &caller.person, now_ms()).await?;
    Ok((StatusCode::CREATED, Json(report)))
}
