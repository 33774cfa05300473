//! What a submission would say, test messages to our own staff, and the copies that they get of what campaigns send.

use super::prelude::*;
use care_domain::contact::Channel;
use care_domain::text::Language;
use care_engine::{Aside, EngineError, Staff, TestSend};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(staff, register))
        .routes(routes!(forget))
        .routes(routes!(preview))
        .routes(routes!(tests, test))
        .routes(routes!(copies))
}

/// Registered staff; numbers and addresses are masked.
#[utoipa::path(get, path = "/v1/staff", tag = "messages", params(Paging),
    responses((status = 200, body = PageOf<told::Staff>), Problem))]
async fn staff(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.staff().await?;
    let view = |one: &Staff| json!({"name": one.name, "msisdn": one.msisdn, "email": one.email, "seed": one.seed});
    cut(&api, "staff", &paging, &all, |one| one.name.clone(), view).map(Json)
}

/// A member of staff.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStaff {
    /// What the member is called here: one word, such as li.wei.
    name: String,
    /// Mobile number.
    #[serde(default)]
    msisdn: String,
    /// E-mail address.
    #[serde(default)]
    email: String,
    /// Whether a copy of whatever campaigns send goes to them.
    #[serde(default)]
    seed: bool,
}

/// Registers a member of staff, or changes what is known of one.
#[utoipa::path(post, path = "/v1/staff", tag = "messages", request_body = NewStaff,
    responses((status = 201, body = told::StaffRegistered), Problem))]
async fn register(caller: Caller, Body(new): Body<NewStaff>) -> Answer<Made> {
    let NewStaff { name, msisdn, email, seed } = new;
    let one = Staff { name, msisdn, email, seed };
    caller.engine.register_staff(&one, &caller.person, now_ms()).await?;
    Ok(made(json!({"name": one.name, "seed": one.seed})))
}

/// Forgets a member of staff.
#[utoipa::path(delete, path = "/v1/staff/{name}", tag = "messages", params(("name" = String, Path)),
    responses((status = 204), Problem))]
async fn forget(caller: Caller, Part(name): Part<String>) -> Answer<StatusCode> {
    caller.engine.forget_staff(&name, &caller.person, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every template of a submission on every channel in both languages, with example values and at its longest.
#[utoipa::path(get, path = "/v1/submissions/{id}/preview", tag = "messages", params(("id" = i64, Path)),
    responses((status = 200, body = told::Previews), Problem))]
async fn preview(caller: Caller, Part(id): Part<i64>) -> Answer<Json<Value>> {
    let previews = caller.engine.preview(id, care_domain::time::today(now_ms())).await?;
    Ok(Json(json!({"submission": id, "previews": previews})))
}

fn asides(api: &Api, list: &str, paging: &Paging, all: &[Aside]) -> Answer<Json<Page>> {
    let numbered: Vec<(usize, &Aside)> = all.iter().enumerate().collect();
    cut(api, list, paging, &numbered, |(number, _)| number.to_string(), |(_, one)| json!(one)).map(Json)
}

/// Test messages of a submission that were sent.
#[utoipa::path(get, path = "/v1/submissions/{id}/test-sends", tag = "messages", params(("id" = i64, Path), Paging),
    responses((status = 200, body = PageOf<told::Aside>), Problem))]
async fn tests(
    State(api): State<Api>,
    caller: Caller,
    Part(id): Part<i64>,
    Asked(paging): Asked<Paging>,
) -> Answer<Json<Page>> {
    caller.engine.submission(id).await?;
    asides(&api, &format!("tests {id}"), &paging, &caller.engine.tests_of(id).await?)
}

/// What to send to whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTest {
    /// Registered staff who get it.
    to: Vec<String>,
    /// sms or email.
    #[serde(default = "sms")]
    #[schema(value_type = String, default = "sms")]
    channel: Channel,
    /// zh or en alone; both when absent.
    #[schema(value_type = Option<String>)]
    language: Option<Language>,
}

fn sms() -> Channel {
    Channel::Sms
}

/// Sends a submission's messages to registered staff, as customers would read them.
#[utoipa::path(post, path = "/v1/submissions/{id}/test-sends", tag = "messages", params(("id" = i64, Path)),
    request_body = NewTest, responses((status = 201, body = told::TestsSent), Problem))]
async fn test(caller: Caller, Part(id): Part<i64>, Body(new): Body<NewTest>) -> Answer<Made> {
    if new.to.is_empty() {
        return Err(EngineError::refused("unknown-staff", "nobody is named", "Name registered staff in to").into());
    }
    let asked = TestSend { submission: id, to: new.to, channel: new.channel, language: new.language };
    let sent = caller.engine.send_test(&asked, &caller.person, now_ms()).await?;
    Ok(made(json!({"submission": id, "sent": sent})))
}

/// Copies that staff got of what a campaign sent.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}/copies", tag = "messages",
    params(("campaign" = String, Path), Paging), responses((status = 200, body = PageOf<told::Aside>), Problem))]
async fn copies(
    State(api): State<Api>,
    caller: Caller,
    Part(id): Part<String>,
    Asked(paging): Asked<Paging>,
) -> Answer<Json<Page>> {
    caller.engine.campaign(&id).await?;
    asides(&api, &format!("copies {id}"), &paging, &caller.engine.copies_of(&id).await?)
}
