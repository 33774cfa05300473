//! Plans: deciding for every customer whom to contact. A plan that was asked for goes on in the server until it is
//! released; whoever asked may follow it.

use super::prelude::*;
use axum::response::sse::{Event, KeepAlive, Sse};
use care_domain::time::write_instant;
use care_engine::author::PlannedBatch;
use care_engine::{Engine, EngineError, PlanRequest, PlanStatus, PlanSummary, Progress, WantedBatch, Watch};
use futures::stream::{self, Stream};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often whoever follows a plan is told how far it is.
const STEP: Duration = Duration::from_millis(500);

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, run))
        .routes(routes!(show))
        .routes(routes!(status))
        .routes(routes!(progress))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
        .routes(routes!(batch))
}

/// Plans, the newest first.
#[utoipa::path(get, path = "/v1/plans", tag = "plans", params(Paging), responses((status = 200, body = PageOf<told::Plan>), Problem))]
async fn list(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let mut all = caller.engine.plans().await?;
    if !caller.is_provincial() {
        let seen = caller.engine.campaigns().await?;
        for plan in &mut all {
            plan.pins.campaigns.retain(|pinned| seen.iter().any(|campaign| campaign.id == pinned.campaign));
        }
    }
    cut(&api, "plans", &paging, &all, |plan| plan.id.clone(), views::plan).map(Json)
}

/// What to plan.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewPlan)]
#[serde(deny_unknown_fields, default)]
struct New {
    /// Business date; that of the newest population when absent.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Day>,
    /// Wave of that date, from 1.
    #[schema(minimum = 1, default = 1)]
    wave: Option<u32>,
    /// The plan's instant, Unix milliseconds; 09:00 of the date in the province when absent.
    at: Option<i64>,
    /// The population, by the beginning of its id; the newest of the date or before when absent.
    population: Option<String>,
}

/// Plans a wave: the same again adds nothing. Answers as soon as the plan is open; it goes on by itself, and
/// `/v1/plans/{plan}/progress` tells how far it is.
#[utoipa::path(post, path = "/v1/plans", tag = "plans", request_body = New, responses((status = 202, body = told::PlanBegun), Problem))]
async fn run(State(api): State<Api>, caller: Caller, Body(new): Body<New>) -> Answer<(StatusCode, Json<Value>)> {
    let mut request =
        plan_request(&caller.engine, new.date.map(|day| day.0), new.population, new.wave.unwrap_or(1)).await?;
    request.instant = new.at.unwrap_or(request.instant);
    begun(&api, move |watch| async move { caller.engine.run_plan(&request, &caller.person, now_ms(), watch).await })
        .await
}

/// What to plan: a wave of a date, which is that of the newest population where none is named.
pub(crate) async fn plan_request(
    engine: &Engine,
    date: Option<i32>,
    population: Option<String>,
    wave: u32,
) -> Result<PlanRequest, EngineError> {
    let date = match date {
        Some(date) => date,
        None => engine.snapshot(population.as_deref(), None).await?.manifest().business_date,
    };
    if wave == 0 {
        return Err(EngineError::refused("bad-wave", "waves are counted from 1", "Name another wave"));
    }
    let request = PlanRequest::of(date, crate::commands::plan::cores())
        .ok_or_else(|| EngineError::refused("bad-date", "the date is out of range", "Use a date near today"))?;
    Ok(PlanRequest { wave, snapshot: population, ..request })
}

/// Goes on with an interrupted or paused plan as it pinned the world.
#[utoipa::path(post, path = "/v1/plans/{plan}/resume", tag = "plans", params(("plan" = String, Path)),
    responses((status = 202, body = told::PlanBegun), Problem))]
async fn resume(State(api): State<Api>, caller: Caller, Part(id): Part<String>) -> Answer<(StatusCode, Json<Value>)> {
    let plan = caller.engine.plan(Some(&id)).await?.id;
    let workers = crate::commands::plan::cores();
    begun(&api, move |watch| async move {
        caller.engine.resume_plan(&plan, workers, (&caller.person, now_ms()), watch).await
    })
    .await
}

/// Has a plan run in the background; answers with its id once it is open, or with what was refused before.
async fn begun<F>(api: &Api, job: impl FnOnce(Watch) -> F) -> Answer<(StatusCode, Json<Value>)>
where
    F: Future<Output = Result<PlanSummary, EngineError>> + Send + 'static,
{
    let plan = opened(api, job).await.map_err(|error| error.map_or_else(Problem::failed, Problem::from))?;
    Ok((StatusCode::ACCEPTED, Json(json!({"plan": plan}))))
}

/// The same for whoever shows it otherwise; without an error where the job itself broke.
pub(crate) async fn opened<F>(api: &Api, job: impl FnOnce(Watch) -> F) -> Result<String, Option<EngineError>>
where
    F: Future<Output = Result<PlanSummary, EngineError>> + Send + 'static,
{
    let (tell, opened) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let watching = api.clone();
    let watch: Watch = Arc::new(move |progress| {
        if let Progress::Opened { plan, .. } = progress
            && let Some(tell) = tell.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            let _ = tell.send(plan.clone());
        }
        !watching.is_stopping()
    });
    let (job, busy) = (job(watch), api.busy());
    let mut running = crate::background::spawn(async move {
        let _busy = busy;
        let done = job.await;
        if let Err(error) = &done
            && error.findings().is_empty()
        {
            tracing::error!("a plan stopped: {error}");
        }
        done
    });
    tokio::select! {
        Ok(plan) = opened => Ok(plan),
        // It ended before it was open: it was refused, or was complete already.
        done = &mut running => match done {
            Ok(Ok(summary)) => Ok(summary.plan),
            Ok(Err(error)) => Err(Some(error)),
            Err(_) => Err(None),
        },
    }
}

/// Leaves to a caller of a city what is its own to see.
async fn own(caller: &Caller, mut summary: PlanSummary) -> Answer<Value> {
    if !caller.is_provincial() {
        let seen = caller.engine.campaigns().await?;
        summary.activities.retain(|a| seen.iter().any(|c| c.id == a.campaign));
        summary.blocked.clear();
        summary.notices.clear();
    }
    Ok(views::plan_summary(&summary))
}

/// A plan in figures: candidates by verdict for each of its campaigns, and the totals.
#[utoipa::path(get, path = "/v1/plans/{plan}", tag = "plans", params(("plan" = String, Path)),
    responses((status = 200, body = told::PlanSummary), Problem))]
async fn show(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    let plan = caller.engine.plan(Some(&id)).await?.id;
    own(&caller, caller.engine.plan_summary(&plan).await?).await.map(Json)
}

/// How far a plan is, at which pace, and who is at work.
#[utoipa::path(get, path = "/v1/plans/{plan}/status", tag = "plans", params(("plan" = String, Path)),
    responses((status = 200, body = told::PlanStatus), Problem))]
async fn status(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    Ok(Json(views::plan_status(&caller.engine.plan_status(Some(&id)).await?)))
}

fn is_over(status: &PlanStatus) -> bool {
    matches!(status.state, "released" | "cancelled")
}

/// The same as server-sent events, `progress` every half second and `done` at the end; the data of each is what `status`
/// answers.
#[utoipa::path(get, path = "/v1/plans/{plan}/progress", tag = "plans", params(("plan" = String, Path)),
    responses((status = 200, body = told::PlanStatus, content_type = "text/event-stream"), Problem))]
async fn progress(
    State(api): State<Api>,
    caller: Caller,
    Part(id): Part<String>,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let plan = caller.engine.plan(Some(&id)).await?.id;
    Ok(followed(api, caller.engine, plan))
}

/// How far a plan is, step by step, until it is over or the server stops.
pub(crate) fn followed(api: Api, engine: Engine, plan: String) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let steps = stream::unfold(Some(0u64), move |step| {
        let (api, engine, plan) = (api.clone(), engine.clone(), plan.clone());
        async move {
            let step = step?;
            if step > 0 {
                tokio::time::sleep(STEP).await;
            }
            let status = engine.plan_status(Some(&plan)).await.ok()?;
            let over = is_over(&status) || api.is_stopping();
            let name = if is_over(&status) { "done" } else { "progress" };
            let event = Event::default().event(name).id(step.to_string()).data(views::plan_status(&status).to_string());
            Some((Ok(event), (!over).then_some(step + 1)))
        }
    });
    Sse::new(steps).keep_alive(KeepAlive::default())
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[schema(as = PlanReason)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// Why, for the audit log.
    #[serde(default)]
    reason: String,
}

/// Holds a plan up, whoever runs it.
#[utoipa::path(post, path = "/v1/plans/{plan}/pause", tag = "plans", params(("plan" = String, Path)),
    request_body = Reason, responses((status = 200, body = told::PlanPaused), Problem))]
async fn pause(caller: Caller, Part(id): Part<String>, Body(why): Body<Reason>) -> Answer<Json<Value>> {
    let at = now_ms();
    let plan = caller.engine.pause_plan(&id, &why.reason, (&caller.person, at)).await?;
    Ok(Json(json!({"plan": plan, "state": "paused", "at": write_instant(at)})))
}

/// Calls a plan off for good before its release.
#[utoipa::path(post, path = "/v1/plans/{plan}/cancel", tag = "plans", params(("plan" = String, Path)),
    request_body = Reason, responses((status = 200, body = told::PlanCancelled), Problem))]
async fn cancel(caller: Caller, Part(id): Part<String>, Body(why): Body<Reason>) -> Answer<Json<Value>> {
    let (plan, gone) = caller.engine.cancel_plan(&id, &why.reason, (&caller.person, now_ms())).await?;
    Ok(Json(json!({"plan": plan, "state": "cancelled", "contacts": gone.contacts, "controls": gone.controls})))
}

/// Whose batch.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AsAskedAbout {
    /// The activity that was asked about it, or its campaign.
    activity: String,
}

/// A batch as one's own activity was asked about it, for `care plugin replay`: customers of one's own region, under numbers,
/// without what is sensitive. Audited.
#[utoipa::path(get, path = "/v1/plans/{plan}/batches/{bucket}/{batch}", tag = "plans",
    params(("plan" = String, Path), ("bucket" = u32, Path), ("batch" = u32, Path), AsAskedAbout),
    responses((status = 200, body = told::PlannedBatch), Problem))]
async fn batch(
    caller: Caller,
    Part((plan, bucket, batch)): Part<(String, u32, u32)>,
    Asked(of): Asked<AsAskedAbout>,
) -> Answer<Json<PlannedBatch>> {
    let wanted = WantedBatch { plan: &plan, campaign: &of.activity, bucket, batch };
    Ok(Json(caller.engine.record_batch(wanted, &caller.person, now_ms()).await?))
}
