//! Outcomes: what customers did, as other systems tell it.

use super::prelude::*;
use care_domain::contact::ContactId;
use care_engine::{About, EngineError, OutcomeReport, OutcomeSource};

/// The most outcomes in one request: what is recorded in one transaction.
const MOST: usize = 5_000;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(record)).routes(routes!(distribution))
}

/// An outcome as it is told.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Told {
    /// Whom it is about: the operator's id, or a key; not needed where a contact is named.
    pub(super) customer: Option<String>,
    /// The contact that it answers.
    pub(super) contact: Option<String>,
    /// The kind, such as topped-up or satisfied.
    pub(super) kind: String,
    /// When it happened, Unix milliseconds.
    pub(super) at: Option<i64>,
    /// The figure.
    pub(super) value: Option<String>,
    /// The unit in which it is told; the kind's own when absent.
    pub(super) unit: Option<String>,
    /// The activity that it answers.
    pub(super) activity: Option<String>,
    /// The sender's id of it: a repeat adds nothing.
    pub(super) id: Option<String>,
}

/// Outcomes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Outcomes {
    /// At most 5000.
    outcomes: Vec<Told>,
}

fn report((line, told): (u64, Told)) -> Answer<OutcomeReport> {
    let bad = |what: &str| -> Problem {
        let message = format!("outcome {line}: {what}");
        EngineError::refused("bad-outcome", message, "Name kind, at, and customer or contact").into()
    };
    let contact = told.contact.as_deref().map(|id| ContactId::parse(id).ok_or_else(|| bad("contact is no id")));
    let contact = contact.transpose()?;
    let about = match (told.customer, contact) {
        (Some(customer), _) if !customer.is_empty() => About::Customer(customer),
        (_, Some(contact)) => About::Contact(contact),
        _ => return Err(bad("it is about nobody")),
    };
    let at = told.at.ok_or_else(|| bad("at is missing"))?;
    let Told { kind, value, unit, activity, id, .. } = told;
    Ok(OutcomeReport { line, about, kind, at, value, unit, activity, contact, id })
}

/// Records what was told; what cannot be is left out with its number and the reason.
pub(super) async fn kept(caller: &Caller, told: Vec<Told>) -> Answer<Made> {
    if told.is_empty() || told.len() > MOST {
        let message = format!("{} outcomes are not taken at once", told.len());
        return Err(EngineError::refused("bad-size", message, "Send 1 to 5000").into());
    }
    let reports = (1..).zip(told).map(report).collect::<Answer<Vec<_>>>()?;
    let only = reports.len() == 1;
    let done = caller.engine.record_outcomes(reports, OutcomeSource::Api, &caller.person, now_ms()).await?;
    match done.rejected.first() {
        Some(rejected) if only => {
            let hint = "See /openapi.json for what an outcome holds";
            Err(EngineError::refused(rejected.code, rejected.reason.clone(), hint).into())
        }
        _ => Ok(made(json!(done))),
    }
}

/// Records outcomes, once each: what is known adds nothing, what contradicts what is known is left out.
#[utoipa::path(post, path = "/v1/outcomes", tag = "outcomes", request_body = Outcomes, responses((status = 201, body = told::OutcomesRecorded), Problem))]
async fn record(caller: Caller, Body(told): Body<Outcomes>) -> Answer<Made> {
    kept(&caller, told.outcomes).await
}

/// Which outcomes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Split by region, tier or another field that may be observed.
    by: Option<String>,
    /// Only from this instant on, Unix milliseconds.
    from: Option<i64>,
    /// Only before this instant, Unix milliseconds.
    until: Option<i64>,
}

/// How outcomes of a kind are distributed: the last one of each customer.
#[utoipa::path(get, path = "/v1/outcomes/{kind}", tag = "outcomes", params(("kind" = String, Path), Which),
    responses((status = 200, body = told::Distribution), Problem))]
async fn distribution(caller: Caller, Part(kind): Part<String>, Asked(which): Asked<Which>) -> Answer<Json<Value>> {
    let span = (which.from.unwrap_or(i64::MIN), which.until.unwrap_or(i64::MAX));
    Ok(Json(json!(caller.engine.distribution(&kind, which.by.as_deref(), span).await?)))
}
