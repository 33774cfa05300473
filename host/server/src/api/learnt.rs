//! What was learnt: needs, findings, what is known of versions, the brake, notices, reports.

use super::prelude::*;
use care_domain::brake::Brake;
use care_domain::follow_up::FollowUp;
use care_domain::manifest::{LifeStage, Manifest};
use care_engine::{EngineError, KnowledgeQuery, NewFinding, NewNeed};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(needs, open_need))
        .routes(routes!(collect))
        .routes(routes!(need))
        .routes(routes!(analyse))
        .routes(routes!(publish))
        .routes(routes!(answer))
        .routes(routes!(findings, open_finding))
        .routes(routes!(close))
        .routes(routes!(drop_it))
        .routes(routes!(knowledge))
        .routes(routes!(experiments))
        .routes(routes!(brake, set_brake))
        .routes(routes!(notices))
        .routes(routes!(report))
        .routes(routes!(pressure))
}

/// Needs, with the activities that answer them.
#[utoipa::path(get, path = "/v1/needs", tag = "needs", params(Paging), responses((status = 200, body = PageOf<told::Need>), Problem))]
async fn needs(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all: Vec<_> = caller.engine.needs().await?.into_iter().collect();
    cut(&api, "needs", &paging, &all, |(id, _)| id.to_string(), |(id, (n, a))| views::need(*id, n, a)).map(Json)
}

/// A need.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenNeed {
    /// Entry of the catalogue.
    #[schema(example = "green-bill")]
    entry: String,
    /// What people call it.
    title: String,
    /// Records from this instant on, Unix milliseconds.
    from: i64,
    /// Records before this instant, Unix milliseconds.
    until: i64,
}

/// Opens a need about an entry of the catalogue.
#[utoipa::path(post, path = "/v1/needs", tag = "needs", request_body = OpenNeed, responses((status = 201, body = told::NeedOpened), Problem))]
async fn open_need(caller: Caller, Body(new): Body<OpenNeed>) -> Answer<Made> {
    let new = NewNeed { entry: new.entry, title: new.title, from: new.from, until: new.until };
    Ok(made(json!({"need": caller.engine.open_need(&new, &caller.person, now_ms()).await?})))
}

/// Records of needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Records {
    /// CSV: id,source,entry,region,at[,score].
    csv: String,
}

/// Collects records of needs, without person and words; the same id again adds nothing.
#[utoipa::path(post, path = "/v1/needs/records", tag = "needs", request_body = Records, responses((status = 201, body = told::RecordsCollected), Problem))]
async fn collect(caller: Caller, Body(records): Body<Records>) -> Answer<Made> {
    Ok(made(json!(caller.engine.collect_records(&records.csv, &caller.person, now_ms()).await?)))
}

/// A need with its analysis and its answers.
#[utoipa::path(get, path = "/v1/needs/{need}", tag = "needs", params(("need" = i64, Path)),
    responses((status = 200, body = told::Need), Problem))]
async fn need(caller: Caller, Part(id): Part<i64>) -> Answer<Json<Value>> {
    let (need, answers) = caller.engine.need(id).await?;
    Ok(Json(views::need(id, &need, &answers)))
}

/// Counts what was collected: volumes by source, and where it is weak.
#[utoipa::path(post, path = "/v1/needs/{need}/analyse", tag = "needs", params(("need" = i64, Path)),
    responses((status = 200, body = told::Need), Problem))]
async fn analyse(caller: Caller, Part(id): Part<i64>) -> Answer<Json<Value>> {
    let need = caller.engine.analyse_need(id, &caller.person, now_ms()).await?;
    Ok(Json(views::need(id, &need, &[])))
}

/// Publishes an analysed need, so that submissions may answer it.
#[utoipa::path(post, path = "/v1/needs/{need}/publish", tag = "needs", params(("need" = i64, Path)),
    responses((status = 200, body = told::NeedPublished), Problem))]
async fn publish(caller: Caller, Part(id): Part<i64>) -> Answer<Json<Value>> {
    caller.engine.publish_need(id, &caller.person, now_ms()).await?;
    Ok(Json(json!({"need": id, "state": "published"})))
}

/// What answers a need.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Answered {
    /// The activity.
    activity: String,
}

/// Names an activity as the answer to a published need.
#[utoipa::path(post, path = "/v1/needs/{need}/answers", tag = "needs", params(("need" = i64, Path)),
    request_body = Answered, responses((status = 201, body = told::NeedAnswered), Problem))]
async fn answer(caller: Caller, Part(id): Part<i64>, Body(new): Body<Answered>) -> Answer<Made> {
    caller.engine.answer_need(id, &new.activity, &caller.person, now_ms()).await?;
    Ok(made(json!({"need": id, "activity": new.activity})))
}

/// Findings that somebody is to follow up.
#[utoipa::path(get, path = "/v1/findings", tag = "findings", params(Paging), responses((status = 200, body = PageOf<told::FollowUp>), Problem))]
async fn findings(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let seen = caller.engine.submissions().await?;
    let mut all: Vec<_> = caller.engine.findings().await?.into_iter().collect();
    let is_of =
        |manifest: &Manifest, found: &FollowUp| manifest.name == found.activity && manifest.version == found.version;
    all.retain(|(_, found)| seen.iter().any(|s| is_of(&s.version.manifest, found)));
    let today = care_domain::time::today(now_ms());
    cut(&api, "findings", &paging, &all, |(id, _)| id.to_string(), |(id, f)| views::finding(*id, f, today)).map(Json)
}

/// A finding.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenFinding {
    /// The activity.
    activity: String,
    /// The version; the newest that ran when absent.
    #[schema(value_type = Option<String>)]
    version: Option<semver::Version>,
    /// What was found, in a sentence.
    what: String,
    /// Who answers for it; the version's author when absent.
    owner: Option<String>,
    /// Last date on which it is in time.
    #[schema(value_type = String, format = Date)]
    due: Day,
    /// The kept evaluation that shows it.
    evaluation: Option<i64>,
}

/// Opens a finding about a version.
#[utoipa::path(post, path = "/v1/findings", tag = "findings", request_body = OpenFinding, responses((status = 201, body = told::FindingOpened), Problem))]
async fn open_finding(caller: Caller, Body(new): Body<OpenFinding>) -> Answer<Made> {
    let OpenFinding { activity, version, what, owner, due, evaluation } = new;
    let new = NewFinding { activity, version, what, owner, due: due.0, evaluation };
    Ok(made(json!({"finding": caller.engine.open_finding(&new, &caller.person, now_ms()).await?})))
}

/// What mends a finding.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Mended {
    /// The newer approved version.
    #[schema(value_type = String)]
    version: semver::Version,
}

/// Closes a finding: a newer approved version mends it.
#[utoipa::path(post, path = "/v1/findings/{finding}/close", tag = "findings", params(("finding" = i64, Path)),
    request_body = Mended, responses((status = 200, body = told::FindingDecided), Problem))]
async fn close(caller: Caller, Part(id): Part<i64>, Body(by): Body<Mended>) -> Answer<Json<Value>> {
    caller.engine.close_finding(id, &by.version, &caller.person, now_ms()).await?;
    Ok(Json(json!({"finding": id, "state": "closed"})))
}

/// Drops a finding that was none.
#[utoipa::path(post, path = "/v1/findings/{finding}/drop", tag = "findings", params(("finding" = i64, Path), Because),
    responses((status = 200, body = told::FindingDecided), Problem))]
async fn drop_it(caller: Caller, Part(id): Part<i64>, Asked(because): Asked<Because>) -> Answer<Json<Value>> {
    caller.engine.drop_finding(id, &because.reason, &caller.person, now_ms()).await?;
    Ok(Json(json!({"finding": id, "state": "dropped"})))
}

/// What to look for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Number of a need.
    need: Option<i64>,
    /// A category or an entry of the catalogue.
    category: Option<String>,
    /// acquisition, growth, maturity or decline.
    #[param(value_type = Option<String>)]
    stage: Option<LifeStage>,
    /// A part of its name, title or summary.
    text: Option<String>,
}

/// Versions beside each other with what they did.
#[utoipa::path(get, path = "/v1/knowledge", tag = "findings", params(Query), responses((status = 200, body = told::Knowledge), Problem))]
async fn knowledge(caller: Caller, Asked(query): Asked<Query>) -> Answer<Json<Value>> {
    let query = KnowledgeQuery { need: query.need, category: query.category, stage: query.stage, text: query.text };
    Ok(Json(json!({"versions": caller.engine.knowledge(&query).await?})))
}

/// Experiments that were run elsewhere, as they were kept.
#[utoipa::path(get, path = "/v1/experiments", tag = "findings", responses((status = 200, body = told::Experiments), Problem))]
async fn experiments(caller: Caller) -> Answer<Json<Value>> {
    let all = caller.engine.known_experiments().await?;
    Ok(Json(json!({"items": all.iter().map(|kept| &kept.document).collect::<Vec<_>>()})))
}

/// When complaints hold a version, and how the live versions stand.
#[utoipa::path(get, path = "/v1/brake", tag = "findings", responses((status = 200, body = told::BrakeShown), Problem))]
async fn brake(caller: Caller) -> Answer<Tagged> {
    let seen = caller.engine.submissions().await?;
    let mut scores = caller.engine.scores().await?;
    scores.retain(|score| seen.iter().any(|s| s.id == score.submission));
    let brake = caller.engine.brake().await?;
    Ok(Tagged(views::brake(&brake, &scores)))
}

/// Says when complaints hold a version, on what stands now: `If-Match` is that of the brake as it is shown.
#[utoipa::path(put, path = "/v1/brake", tag = "findings", params(("If-Match" = String, Header)), request_body = told::Brake,
    responses((status = 200, body = told::BrakeSet), Problem))]
async fn set_brake(caller: Caller, headers: HeaderMap, Body(new): Body<Brake>) -> Answer<Json<Value>> {
    let scores = caller.engine.scores().await?;
    unchanged(&headers, &views::brake(&caller.engine.brake().await?, &scores))?;
    let held = caller.engine.set_brake(&new, &caller.person, now_ms()).await?;
    Ok(Json(json!({"brake": new, "held": held})))
}

/// What the host has to tell whoever asks.
#[utoipa::path(get, path = "/v1/notices", tag = "findings", params(Paging), responses((status = 200, body = PageOf<told::Notice>), Problem))]
async fn notices(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.notices(&caller.person).await?;
    cut(&api, "notices", &paging, &all, |notice| notice.id.to_string(), |notice| json!(notice)).map(Json)
}

/// Customers by how many disturbing contacts they had in the last thirty days.
#[utoipa::path(get, path = "/v1/pressure", tag = "findings", responses((status = 200, body = told::ContactPressure), Problem))]
async fn pressure(caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(json!(caller.engine.contact_pressure(now_ms()).await?)))
}

/// Which report.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// A day of the period; the last whole one when absent.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Day>,
    /// Only this activity (daily).
    activity: Option<String>,
}

/// A report: `daily` or `monthly`.
#[utoipa::path(get, path = "/v1/reports/{report}", tag = "findings", params(("report" = String, Path), Which),
    responses((status = 200, body = told::Report), Problem))]
async fn report(caller: Caller, Part(name): Part<String>, Asked(which): Asked<Which>) -> Answer<Json<Value>> {
    let (date, now) = (which.date.map(|day| day.0), now_ms());
    let report = match name.as_str() {
        "daily" => caller.engine.daily_report(date, which.activity.as_deref(), now).await?,
        "monthly" if which.activity.is_some() => {
            let message = "the monthly report is of all activities";
            return Err(EngineError::refused("bad-query", message, "Leave activity away").into());
        }
        "monthly" => caller.engine.monthly_report(date, now).await?,
        _ => return Err(Problem::missing("such report")),
    };
    Ok(Json(json!(report)))
}
