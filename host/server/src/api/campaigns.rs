//! Campaigns: approved activities at work, how they were carried out, and whether they helped.

use super::prelude::*;
use care_domain::ramp::Ramp;
use care_engine::{Evaluation, EvaluationRequest, Measure, NewCampaign};
use std::sync::Arc;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(estimate))
        .routes(routes!(show))
        .routes(routes!(repoint))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(stop))
        .routes(routes!(execution))
        .routes(routes!(evaluation))
        .routes(routes!(kept, keep))
}

/// Which campaigns.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those of this activity.
    activity: Option<String>,
    /// Only those that run, or only those that are stopped.
    active: Option<bool>,
    /// Campaigns of a page, 1 to 1000.
    limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// Campaigns, by id.
#[utoipa::path(get, path = "/v1/campaigns", tag = "campaigns", params(Which), responses((status = 200, body = PageOf<told::Campaign>), Problem))]
async fn list(State(api): State<Api>, caller: Caller, Asked(which): Asked<Which>) -> Answer<Json<Page>> {
    let mut all = caller.engine.campaigns().await?;
    all.retain(|c| which.activity.as_ref().is_none_or(|name| c.activity == *name));
    all.retain(|c| which.active.is_none_or(|active| c.active == active));
    let paging = Paging { limit: which.limit, cursor: which.cursor };
    cut(&api, "campaigns", &paging, &all, |c| c.id.clone(), views::campaign).map(Json)
}

/// What to start.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCampaign)]
#[serde(deny_unknown_fields)]
struct New {
    /// The activity.
    #[schema(example = "birthday")]
    activity: String,
    /// Which versions will do; the newest approved one that fits is pinned.
    #[serde(default = "any")]
    #[schema(value_type = String, default = "*")]
    version: semver::VersionReq,
    /// The variant of this name, rather than the activity as it was uploaded.
    variant: Option<String>,
    /// Parameters that differ from their defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    /// The oldest population that it may run on, in days before the business date; 7 when absent.
    #[schema(maximum = 400)]
    max_snapshot_days: Option<u16>,
    /// In which steps it takes its customers; with everybody who was granted when absent.
    #[schema(value_type = Option<told::Ramp>)]
    ramp: Option<Ramp>,
}

fn any() -> semver::VersionReq {
    semver::VersionReq::STAR
}

/// Starts a campaign with the newest approved version that fits.
#[utoipa::path(post, path = "/v1/campaigns", tag = "campaigns", request_body = New, responses((status = 201, body = told::Started), Problem))]
async fn start(caller: Caller, Body(new): Body<New>) -> Answer<Made> {
    Ok(made(views::started(&caller.engine.start_campaign(&new.read()?, &caller.person, now_ms()).await?)))
}

/// What starting a campaign would do on the day of the newest population: customers by verdict and region, messages and
/// what they cost, contact pressure, overlap with running campaigns, sample messages. Nothing is started or kept.
#[utoipa::path(post, path = "/v1/campaigns/estimate", tag = "campaigns", request_body = New, responses((status = 200, body = told::Evidence), Problem))]
async fn estimate(caller: Caller, Body(new): Body<New>) -> Answer<Json<Value>> {
    let who = (caller.person.as_str(), now_ms());
    let workers = crate::commands::plan::cores();
    let evidence = caller.engine.estimate_campaign(&new.read()?, workers, who, Arc::new(|_| true)).await?;
    Ok(Json(json!(evidence)))
}

impl New {
    fn read(self) -> Answer<NewCampaign> {
        let Self { activity, version, variant, params, max_snapshot_days, ramp } = self;
        if max_snapshot_days.is_some_and(|days| days > 400) {
            let detail = "max_snapshot_days lies between 0 and 400";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-body", detail, "Use a newer population"));
        }
        Ok(NewCampaign { activity, requirement: version, variant, params, max_snapshot_days, ramp })
    }
}

async fn whole(caller: &Caller, id: &str) -> Answer<Value> {
    let campaign = caller.engine.campaign(id).await?;
    let mut view = views::campaign(&campaign);
    view["paused"] = json!(caller.engine.pause_of(&campaign.id).await?);
    Ok(view)
}

/// A campaign.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}", tag = "campaigns", params(("campaign" = String, Path)),
    responses((status = 200, body = told::CampaignShown), Problem))]
async fn show(caller: Caller, Part(id): Part<String>) -> Answer<Tagged> {
    whole(&caller, &id).await.map(Tagged)
}

/// On what a campaign is to run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Repointed {
    /// Which versions will do: a newer one, or back to an older one.
    #[schema(value_type = String, example = "^1.2")]
    version: semver::VersionReq,
    /// Parameters that differ from the version's defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Map<String, Value>,
}

/// Points a campaign at another approved version, for plans to come.
#[utoipa::path(put, path = "/v1/campaigns/{campaign}/version", tag = "campaigns",
    params(("campaign" = String, Path), ("If-Match" = String, Header)),
    request_body = Repointed, responses((status = 200, body = told::Started), Problem))]
async fn repoint(
    caller: Caller,
    Part(id): Part<String>,
    headers: HeaderMap,
    Body(new): Body<Repointed>,
) -> Answer<Json<Value>> {
    unchanged(&headers, &whole(&caller, &id).await?)?;
    let moved = caller.engine.repoint_campaign(&id, &new.version, &new.params, &caller.person, now_ms()).await?;
    Ok(Json(views::started(&moved)))
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// Why, for the audit log.
    #[serde(default)]
    reason: String,
}

/// Pauses a campaign: nothing of it is planned or sent, and what waits goes on waiting.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/pause", tag = "campaigns", params(("campaign" = String, Path)),
    request_body = Reason, responses((status = 200, body = told::CampaignShown), Problem))]
async fn pause(caller: Caller, Part(id): Part<String>, Body(why): Body<Reason>) -> Answer<Json<Value>> {
    caller.engine.pause_campaign(&id, &why.reason, &caller.person, now_ms()).await?;
    whole(&caller, &id).await.map(Json)
}

/// Lets a paused campaign go on.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/resume", tag = "campaigns", params(("campaign" = String, Path)),
    request_body = Reason, responses((status = 200, body = told::CampaignShown), Problem))]
async fn resume(caller: Caller, Part(id): Part<String>, Body(why): Body<Reason>) -> Answer<Json<Value>> {
    caller.engine.resume_campaign(&id, &why.reason, &caller.person, now_ms()).await?;
    whole(&caller, &id).await.map(Json)
}

/// Stops a campaign for good; what waits of it is withdrawn.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/stop", tag = "campaigns", params(("campaign" = String, Path)),
    responses((status = 200, body = told::CampaignStopped), Problem))]
async fn stop(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    let withdrawn = caller.engine.stop_campaign(&id, &caller.person, now_ms()).await?;
    Ok(Json(json!({"campaign": id, "withdrawn": withdrawn})))
}

/// How a campaign was carried out: planned, released, sent, delivered, in time; by region, tier and channel.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}/execution", tag = "campaigns", params(("campaign" = String, Path)),
    responses((status = 200, body = told::Execution), Problem))]
async fn execution(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    Ok(Json(json!(caller.engine.execution(&id).await?)))
}

/// How to evaluate.
#[derive(Clone, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct How {
    /// Another outcome kind than its goal.
    outcome: Option<String>,
    /// What is compared: reached, value or answer.
    measure: Option<String>,
    /// Another window than its goal's, in days.
    window_days: Option<u32>,
    /// Split by a field of the population that may be observed, such as region or tier.
    by: Option<String>,
    /// The difference for which a minimum sample is told.
    detect: Option<f64>,
    /// What one customer who reached the goal is worth, in yuan.
    each: Option<f64>,
    /// Leave the plugin's own count away.
    host_only: bool,
}

async fn evaluated(caller: &Caller, campaign: &str, how: How) -> Answer<Evaluation> {
    let measure = how.measure.map(|name| {
        let known = Measure::ALL.into_iter().find(|measure| measure.name() == name);
        let names = Measure::ALL.map(Measure::name).join(", ");
        known.ok_or_else(|| Problem::bad_request("bad-measure", format!("there is no measure {name:?}"), names))
    });
    let request = EvaluationRequest {
        campaign: campaign.to_owned(),
        outcome: how.outcome,
        measure: measure.transpose()?,
        window_days: how.window_days,
        by: how.by,
        detect: how.detect,
        each: how.each,
        host_only: how.host_only,
    };
    let found = caller.engine.evaluate(&request).await?;
    if found.imported && !caller.is_provincial() {
        return Err(Problem::missing("such campaign"));
    }
    Ok(found)
}

/// Did it help: what a campaign, or an imported experiment, did to its goal, against control, with intervals.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}/evaluation", tag = "campaigns",
    params(("campaign" = String, Path), How), responses((status = 200, body = told::Evaluation), Problem))]
async fn evaluation(caller: Caller, Part(id): Part<String>, Asked(how): Asked<How>) -> Answer<Json<Value>> {
    Ok(Json(json!(evaluated(&caller, &id, how).await?)))
}

/// Evaluations that were kept, as they were told.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}/evaluations", tag = "campaigns",
    params(("campaign" = String, Path), Paging), responses((status = 200, body = PageOf<told::KeptEvaluation>), Problem))]
async fn kept(
    State(api): State<Api>,
    caller: Caller,
    Part(id): Part<String>,
    Asked(paging): Asked<Paging>,
) -> Answer<Json<Page>> {
    caller.engine.campaign(&id).await?;
    let all = caller.engine.kept_evaluations(&id).await?;
    let view = |kept: &care_engine::KeptEvaluation| {
        json!({"evaluation": kept.id, "campaign": kept.campaign, "metric": kept.metric, "by": kept.person,
            "at": kept.at, "told": kept.document})
    };
    cut(&api, &format!("evaluations {id}"), &paging, &all, |kept| kept.id.to_string(), view).map(Json)
}

/// Evaluates a campaign and keeps what is found with its version.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/evaluations", tag = "campaigns",
    params(("campaign" = String, Path)), request_body = How, responses((status = 201, body = told::Evaluation), Problem))]
async fn keep(caller: Caller, Part(id): Part<String>, Body(how): Body<How>) -> Answer<Made> {
    let found = evaluated(&caller, &id, how).await?;
    let number = caller.engine.keep_evaluation(&found, &caller.person, now_ms()).await?;
    let mut view = json!(found);
    view["kept"] = number.into();
    Ok(made(view))
}
