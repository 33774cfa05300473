//! Submissions: what was uploaded, how it was tried, and what is decided about it.

use super::prelude::*;
use care_domain::approval::Conditions;
use care_domain::contact::Addressee;
use care_domain::gate::{Principle, Ticks};
use care_domain::governance::Ground;
use care_domain::manifest::Cap;
use care_domain::policy::Class;
use care_domain::standby::Standby;
use care_engine::{Decided, SimulationRequest, StoredSubmission};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(simulations, simulate))
        .routes(routes!(simulation))
        .routes(routes!(differences))
        .routes(routes!(approve))
        .routes(routes!(confirm))
        .routes(routes!(review))
        .routes(routes!(trial))
        .routes(routes!(merge))
        .routes(routes!(reject))
        .routes(routes!(take_back))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(retire))
        .routes(routes!(withdraw))
        .routes(routes!(rules, set_rules))
}

/// Which submissions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those of this activity.
    activity: Option<String>,
    /// Only those that stand there, such as `provincial-review` or `active`.
    state: Option<String>,
    /// Submissions of a page, 1 to 1000.
    limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// What was uploaded, in order.
#[utoipa::path(get, path = "/v1/submissions", tag = "submissions", params(Which), responses((status = 200, body = PageOf<told::Submission>), Problem))]
async fn list(State(api): State<Api>, caller: Caller, Asked(which): Asked<Which>) -> Answer<Json<Page>> {
    let mut all = caller.engine.submissions().await?;
    let named = |s: &StoredSubmission| which.activity.as_ref().is_none_or(|name| s.version.manifest.name == *name);
    let stands = |s: &StoredSubmission| which.state.as_ref().is_none_or(|state| s.submission.state() == state);
    all.retain(|s| named(s) && stands(s));
    let paging = Paging { limit: which.limit, cursor: which.cursor };
    cut(&api, "submissions", &paging, &all, |s| s.id.to_string(), views::submission).map(Json)
}

/// A submission: what it asks for, what it changes, who vouches for it, and where it stands.
#[utoipa::path(get, path = "/v1/submissions/{id}", tag = "submissions", params(("id" = i64, Path)),
    responses((status = 200, body = told::SubmissionShown), Problem))]
async fn show(caller: Caller, Part(id): Part<i64>) -> Answer<Tagged> {
    let found = caller.engine.submission(id).await?;
    let changes = caller.engine.changes(&found).await?;
    let keys = caller.engine.keys().await?;
    let mut view = views::submission(&found);
    view["changes"] = json!(changes.map(|(since, all)| json!({"since": since, "changes": all})));
    view["key"] = json!(keys.iter().find(|key| key.id == found.version.key));
    Ok(Tagged(view))
}

/// On which conditions. What is absent is granted as it was asked for.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Terms {
    /// Another class: disaster, safety, service, care or commercial.
    #[schema(value_type = Option<String>)]
    class: Option<Class>,
    /// Another weight.
    weight: Option<u16>,
    /// Another cap: so many contacts in so many days.
    #[schema(value_type = Option<told::Cap>)]
    cap: Option<Cap>,
    /// Only these regions.
    regions: Vec<String>,
    /// Only these addressees.
    #[schema(value_type = Option<Vec<String>>)]
    addressees: Option<BTreeSet<Addressee>>,
    /// Only this share of customers, in parts of 10,000.
    share: Option<u16>,
    /// First business date.
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Day>,
    /// Last business date.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Day>,
    /// Only these requests to departments; an empty list grants none.
    #[schema(value_type = Option<Vec<String>>)]
    requests: Option<BTreeSet<String>>,
    /// What its contacts may cost in all, in fen.
    budget_fen: Option<u64>,
    /// Approved ahead: a duty officer activates it, within these areas and days.
    #[schema(value_type = Option<told::Standby>)]
    standby: Option<Standby>,
}

impl From<Terms> for Conditions {
    fn from(terms: Terms) -> Self {
        let Terms { class, weight, cap, regions, addressees, share, from, until, requests, budget_fen, standby } =
            terms;
        let (from, until) = (from.map(|day| day.0), until.map(|day| day.0));
        Self { class, weight, cap, regions, addressees, share, from, until, actions: requests, budget_fen, standby }
    }
}

/// What to try.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct NewSimulation {
    /// On which conditions; they are the ones that may then be approved.
    conditions: Terms,
    /// Parameters that differ from their defaults.
    #[schema(value_type = Object)]
    params: Map<String, Value>,
}

/// Tries a submission on the newest population, every rule on and nothing sent; the evidence is kept.
#[utoipa::path(post, path = "/v1/submissions/{id}/simulations", tag = "submissions", params(("id" = i64, Path)),
    request_body = NewSimulation, responses((status = 201, body = told::SimulationShown), Problem))]
async fn simulate(caller: Caller, Part(id): Part<i64>, Body(new): Body<NewSimulation>) -> Answer<Made> {
    caller.engine.submission(id).await?;
    let request = caller.engine.trial_request(crate::commands::plan::cores()).await?;
    let what = SimulationRequest { conditions: new.conditions.into(), params: new.params, request };
    let done = caller.engine.simulate(id, &what, (&caller.person, now_ms()), Arc::new(|_| true)).await?;
    Ok(made(json!({"simulation": done.0, "evidence": done.1})))
}

/// How a submission was tried, the newest first.
#[utoipa::path(get, path = "/v1/submissions/{id}/simulations", tag = "submissions", params(("id" = i64, Path), Paging),
    responses((status = 200, body = PageOf<told::Simulation>), Problem))]
async fn simulations(
    State(api): State<Api>,
    caller: Caller,
    Part(id): Part<i64>,
    Asked(paging): Asked<Paging>,
) -> Answer<Json<Page>> {
    caller.engine.submission(id).await?;
    let all = caller.engine.simulations(id).await?;
    cut(&api, &format!("simulations {id}"), &paging, &all, |s| s.id.to_string(), |s| json!(s)).map(Json)
}

/// The evidence of a simulation.
#[utoipa::path(get, path = "/v1/simulations/{id}", tag = "submissions", params(("id" = i64, Path)),
    responses((status = 200, body = told::SimulationShown), Problem))]
async fn simulation(caller: Caller, Part(id): Part<i64>) -> Answer<Json<Value>> {
    let (simulation, evidence) = caller.engine.simulation(id).await?;
    caller.engine.submission(simulation.submission).await?;
    Ok(Json(json!({"simulation": simulation, "evidence": evidence})))
}

/// In what two simulations differ.
#[utoipa::path(get, path = "/v1/simulations/{id}/differences/{with}", tag = "submissions",
    params(("id" = i64, Path), ("with" = i64, Path)), responses((status = 200, body = told::Differences), Problem))]
async fn differences(caller: Caller, Part((before, after)): Part<(i64, i64)>) -> Answer<Json<Value>> {
    for id in [before, after] {
        let (simulation, _) = caller.engine.simulation(id).await?;
        caller.engine.submission(simulation.submission).await?;
    }
    Ok(Json(json!({"differences": caller.engine.compare_simulations(before, after).await?})))
}

/// A grant: on which conditions, and the principles that hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Grant {
    /// On which conditions; exactly these must have been simulated.
    #[serde(default)]
    conditions: Terms,
    /// The principles that hold: proactive, customer-oriented, feasible, useful, important, innovative.
    #[schema(value_type = Vec<String>)]
    principles: BTreeSet<Principle>,
}

/// Grants a submission, or proposes to where its reach asks for a second person.
#[utoipa::path(post, path = "/v1/submissions/{id}/approve", tag = "submissions", params(("id" = i64, Path)),
    request_body = Grant, responses((status = 200, body = told::Decided), Problem))]
async fn approve(caller: Caller, Part(id): Part<i64>, Body(grant): Body<Grant>) -> Answer<Json<Value>> {
    let (conditions, ticks): (Conditions, Ticks) = (grant.conditions.into(), grant.principles);
    let decided = caller.engine.approve(id, &conditions, &ticks, &caller.person, now_ms()).await?;
    Ok(Json(match decided {
        Decided::Approved(approval) => json!({"submission": id, "approval": approval}),
        Decided::WaitsForSecond { proposed, reach } => json!({"submission": id, "proposed": proposed, "reach": reach}),
    }))
}

/// The principles that hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmed {
    /// proactive, customer-oriented, feasible, useful, important, innovative.
    #[schema(value_type = Vec<String>)]
    principles: BTreeSet<Principle>,
}

/// Confirms, as the second person, what a first one proposed.
#[utoipa::path(post, path = "/v1/submissions/{id}/confirm", tag = "submissions", params(("id" = i64, Path)),
    request_body = Confirmed, responses((status = 200, body = told::Approved), Problem))]
async fn confirm(caller: Caller, Part(id): Part<i64>, Body(said): Body<Confirmed>) -> Answer<Json<Value>> {
    let approval = caller.engine.confirm(id, &said.principles, &caller.person, now_ms()).await?;
    Ok(Json(json!({"submission": id, "approval": approval})))
}

/// What somebody says about a step.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Said {
    /// Why, or what was found.
    reason: String,
}

/// Where a submission stands now, and how many waiting contacts its end withdrew.
async fn stands(caller: &Caller, id: i64, withdrawn: u64) -> Answer<Json<Value>> {
    let state = caller.engine.submission(id).await?.submission.state();
    Ok(Json(json!({"submission": id, "state": state, "withdrawn": withdrawn})))
}

/// Passes a city's activity on to the province.
#[utoipa::path(post, path = "/v1/submissions/{id}/review", tag = "submissions", params(("id" = i64, Path)),
    request_body = Said, responses((status = 200, body = told::Stands), Problem))]
async fn review(caller: Caller, Part(id): Part<i64>, Body(said): Body<Said>) -> Answer<Json<Value>> {
    caller.engine.pass_city(id, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, 0).await
}

/// Says that an activity was tried out.
#[utoipa::path(post, path = "/v1/submissions/{id}/trial", tag = "submissions", params(("id" = i64, Path)),
    request_body = Said, responses((status = 200, body = told::Stands), Problem))]
async fn trial(caller: Caller, Part(id): Part<i64>, Body(said): Body<Said>) -> Answer<Json<Value>> {
    caller.engine.pass_trial(id, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, 0).await
}

/// Into what a duplicate is folded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Merged {
    /// The provincial activity.
    into: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Folds a duplicate into an approved provincial activity.
#[utoipa::path(post, path = "/v1/submissions/{id}/merge", tag = "submissions", params(("id" = i64, Path)),
    request_body = Merged, responses((status = 200, body = told::Stands), Problem))]
async fn merge(caller: Caller, Part(id): Part<i64>, Body(said): Body<Merged>) -> Answer<Json<Value>> {
    let withdrawn = caller.engine.merge(id, &said.into, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, withdrawn).await
}

/// Why something is refused.
#[derive(Deserialize, ToSchema)]
#[schema(as = Rejection)]
#[serde(deny_unknown_fields)]
struct Rejected {
    /// Why.
    reason: String,
    /// Whether it is no care at all.
    #[serde(default)]
    not_care: bool,
}

/// Refuses a submission.
#[utoipa::path(post, path = "/v1/submissions/{id}/reject", tag = "submissions", params(("id" = i64, Path)),
    request_body = Rejected, responses((status = 200, body = told::Stands), Problem))]
async fn reject(caller: Caller, Part(id): Part<i64>, Body(said): Body<Rejected>) -> Answer<Json<Value>> {
    let ground = if said.not_care { Ground::NotCare } else { Ground::Other };
    caller.engine.reject(id, ground, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, 0).await
}

/// Takes one's own undecided submission back.
#[utoipa::path(post, path = "/v1/submissions/{id}/take-back", tag = "submissions", params(("id" = i64, Path)),
    request_body = Said, responses((status = 200, body = told::Stands), Problem))]
async fn take_back(caller: Caller, Part(id): Part<i64>, Body(said): Body<Said>) -> Answer<Json<Value>> {
    caller.engine.take_back(id, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, 0).await
}

/// Holds a version: nothing of it is planned or sent, and what waits goes on waiting.
#[utoipa::path(post, path = "/v1/submissions/{id}/suspend", tag = "submissions", params(("id" = i64, Path)),
    request_body = Said, responses((status = 200, body = told::Stands), Problem))]
async fn suspend(caller: Caller, Part(id): Part<i64>, Body(said): Body<Said>) -> Answer<Json<Value>> {
    caller.engine.suspend(id, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, 0).await
}

/// Lets a version go on.
#[utoipa::path(post, path = "/v1/submissions/{id}/resume", tag = "submissions", params(("id" = i64, Path)),
    request_body = Said, responses((status = 200, body = told::Stands), Problem))]
async fn resume(caller: Caller, Part(id): Part<i64>, Body(said): Body<Said>) -> Answer<Json<Value>> {
    caller.engine.resume(id, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, 0).await
}

/// Ends a version for good.
#[utoipa::path(post, path = "/v1/submissions/{id}/retire", tag = "submissions", params(("id" = i64, Path)),
    request_body = Said, responses((status = 200, body = told::Stands), Problem))]
async fn retire(caller: Caller, Part(id): Part<i64>, Body(said): Body<Said>) -> Answer<Json<Value>> {
    let withdrawn = caller.engine.retire(id, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, withdrawn).await
}

/// Ends an approval; its campaigns stop, and what waits of it is withdrawn.
#[utoipa::path(post, path = "/v1/submissions/{id}/withdraw", tag = "submissions", params(("id" = i64, Path)),
    request_body = Said, responses((status = 200, body = told::Stands), Problem))]
async fn withdraw(caller: Caller, Part(id): Part<i64>, Body(said): Body<Said>) -> Answer<Json<Value>> {
    let withdrawn = caller.engine.withdraw(id, &said.reason, &caller.person, now_ms()).await?;
    stands(&caller, id, withdrawn).await
}

/// What the gate asks of every submission.
#[utoipa::path(get, path = "/v1/gate", tag = "submissions", responses((status = 200, body = told::GateRules), Problem))]
async fn rules(caller: Caller) -> Answer<Tagged> {
    Ok(Tagged(json!(caller.engine.gate_rules().await?)))
}

/// Sets what the gate asks, on what stands now.
#[utoipa::path(put, path = "/v1/gate", tag = "submissions", params(Because, ("If-Match" = String, Header)),
    request_body = told::GateRules, responses((status = 200, body = told::GateRules), Problem))]
async fn set_rules(
    caller: Caller,
    headers: HeaderMap,
    Asked(because): Asked<Because>,
    Body(rules): Body<care_domain::gate::GateRules>,
) -> Answer<Tagged> {
    unchanged(&headers, &json!(caller.engine.gate_rules().await?))?;
    caller.engine.set_gate_rules(&rules, &because.reason, &caller.person, now_ms()).await?;
    Ok(Tagged(json!(rules)))
}
