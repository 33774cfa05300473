//! Persons with their roles, branch keys, kill switches, and the audit log.

use super::once::ShownOnce;
use super::prelude::*;
use axum::Extension;
use care_domain::audit::Head;
use care_domain::person::{Appointment, Role};
use care_domain::switch::Scope;
use care_engine::EngineError;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(users, appoint))
        .routes(routes!(dismiss))
        .routes(routes!(password))
        .routes(routes!(keys, add_key))
        .routes(routes!(revoke_key))
        .routes(routes!(switches, throw))
        .routes(routes!(lift))
        .routes(routes!(audit))
        .routes(routes!(verify))
        .routes(routes!(me))
}

/// As whom the token acts.
#[utoipa::path(get, path = "/v1/me", tag = "access", responses((status = 200, body = told::Appointment), Problem))]
async fn me(caller: Caller) -> Json<Value> {
    Json(json!({"person": caller.person, "role": caller.role.name(), "region": caller.region}))
}

/// Who has which role.
#[utoipa::path(get, path = "/v1/users", tag = "access", params(Paging), responses((status = 200, body = PageOf<told::Appointment>), Problem))]
async fn users(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let mut all = caller.engine.appointments().await?;
    all.retain(|one| caller.holds(&one.region));
    let position = |one: &Appointment| format!("{} {} {}", one.person, one.role.name(), one.region);
    cut(&api, "users", &paging, &all, position, |one| json!(one)).map(Json)
}

/// A role for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// Who.
    person: String,
    /// As what.
    #[schema(value_type = String, example = "operator")]
    role: Role,
    /// Where: an administrative code, and everything below it.
    #[schema(example = "350200")]
    region: String,
}

/// Gives somebody a role.
#[utoipa::path(post, path = "/v1/users", tag = "access", request_body = NewUser, responses((status = 201, body = told::Appointment), Problem))]
async fn appoint(caller: Caller, Body(new): Body<NewUser>) -> Answer<Made> {
    let one = Appointment { person: new.person, role: new.role, region: new.region };
    caller.engine.appoint(&one, &caller.person, now_ms()).await?;
    Ok(made(json!(one)))
}

/// Takes a role from somebody; tokens that act in it open nothing from now on.
#[utoipa::path(delete, path = "/v1/users/{person}/{role}/{region}", tag = "access",
    params(("person" = String, Path), ("role" = String, Path), ("region" = String, Path)),
    responses((status = 204), Problem))]
async fn dismiss(
    State(api): State<Api>,
    caller: Caller,
    Part((person, role, region)): Part<(String, String, String)>,
) -> Answer<StatusCode> {
    let role = Role::from_name(&role).ok_or_else(|| Problem::missing("such role"))?;
    let all = caller.engine.appointments().await?;
    let one = Appointment { person, role, region };
    if !caller.holds(&one.region) || !all.contains(&one) {
        return Err(Problem::missing("such appointment"));
    }
    caller.engine.dismiss(&one, &caller.person, now_ms()).await?;
    api.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// Gives somebody a one-time password for `/login`; shown this one time.
#[utoipa::path(post, path = "/v1/users/{person}/password", tag = "access", params(("person" = String, Path)),
    responses((status = 201, body = told::OneTimePassword), Problem))]
async fn password(caller: Caller, Part(person): Part<String>) -> Answer<(Extension<ShownOnce>, Made)> {
    let all = caller.engine.appointments().await?;
    if !all.iter().any(|one| one.person == person && caller.holds(&one.region)) {
        return Err(Problem::missing("such person"));
    }
    let once = caller.engine.reset_password(&person, &caller.person, now_ms()).await?;
    Ok((Extension(ShownOnce), made(json!({"person": person, "one_time_password": once}))))
}

/// The branch keys: whose signature an upload needs.
#[utoipa::path(get, path = "/v1/keys", tag = "access", params(Paging), responses((status = 200, body = PageOf<told::Key>), Problem))]
async fn keys(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let mut all = caller.engine.keys().await?;
    all.retain(|key| caller.holds(&key.region));
    cut(&api, "keys", &paging, &all, |key| key.id.clone(), |key| json!(key)).map(Json)
}

/// A branch key to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// The public half: Ed25519, 64 hexadecimal digits.
    public: String,
    /// Whose it is.
    owner: String,
    /// Where it may vouch.
    region: String,
}

/// Registers the public half of a branch key.
#[utoipa::path(post, path = "/v1/keys", tag = "access", request_body = NewKey, responses((status = 201, body = told::KeyAdded), Problem))]
async fn add_key(caller: Caller, Body(new): Body<NewKey>) -> Answer<Made> {
    let id = caller.engine.add_key(&new.public, &new.owner, &new.region, &caller.person, now_ms()).await?;
    Ok(made(json!({"id": id, "owner": new.owner, "region": new.region})))
}

/// Revokes a branch key: it vouches for nothing new. Answers with what it signed.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "access", params(("id" = String, Path), Because),
    responses((status = 200, body = told::KeyRevoked), Problem))]
async fn revoke_key(caller: Caller, Part(id): Part<String>, Asked(because): Asked<Because>) -> Answer<Json<Value>> {
    let all = caller.engine.keys().await?;
    let found = all.iter().find(|key| key.id == id && caller.holds(&key.region));
    found.ok_or_else(|| Problem::missing("such key"))?;
    let signed = caller.engine.revoke_key(&id, &because.reason, &caller.person, now_ms()).await?;
    Ok(Json(json!({"id": id, "signed": signed})))
}

/// What is stopped.
#[utoipa::path(get, path = "/v1/switches", tag = "access", params(Paging), responses((status = 200, body = PageOf<told::Thrown>), Problem))]
async fn switches(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let mut all = caller.engine.switches().await?;
    let (versions, campaigns) = (caller.engine.submissions().await?, caller.engine.campaigns().await?);
    all.retain(|thrown| match &thrown.scope {
        Scope::Everything | Scope::Channel(_) => true,
        Scope::Region(code) => caller.holds(code),
        Scope::Activity(name) => versions.iter().any(|s| s.version.manifest.name == *name) || caller.is_provincial(),
        Scope::Version(digest) => versions.iter().any(|s| s.version.component == *digest) || caller.is_provincial(),
        Scope::Campaign(id) => campaigns.iter().any(|campaign| campaign.id == *id) || caller.is_provincial(),
    });
    let position = |thrown: &care_engine::Thrown| format!("{:?}", thrown.scope.parts());
    cut(&api, "switches", &paging, &all, position, |thrown| json!(thrown)).map(Json)
}

/// What to stop at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSwitch {
    /// everything, activity, version, region or channel.
    #[schema(example = "activity")]
    scope: String,
    /// Which one: a name, a digest, an administrative code, a channel; empty for everything.
    #[serde(default)]
    target: String,
    /// Why.
    reason: String,
}

fn scope(scope: &str, target: &str) -> Answer<Scope> {
    Scope::parse(scope, target).map_err(|error| {
        let hint = "Write everything; activity NAME; version DIGEST; region ADCODE; channel sms";
        EngineError::refused("bad-scope", error.to_string(), hint).into()
    })
}

/// Stops something at once; what waits goes on waiting.
#[utoipa::path(post, path = "/v1/switches", tag = "access", request_body = NewSwitch, responses((status = 201, body = told::SwitchThrown), Problem))]
async fn throw(caller: Caller, Body(new): Body<NewSwitch>) -> Answer<Made> {
    let scope = scope(&new.scope, &new.target)?;
    caller.engine.throw_switch(scope.clone(), &new.reason, &caller.person, now_ms()).await?;
    Ok(made(json!(scope)))
}

/// Lets it go on. The target of `everything` is written `-`.
#[utoipa::path(delete, path = "/v1/switches/{scope}/{target}", tag = "access",
    params(("scope" = String, Path), ("target" = String, Path), Because), responses((status = 204), Problem))]
async fn lift(
    caller: Caller,
    Part((name, target)): Part<(String, String)>,
    Asked(because): Asked<Because>,
) -> Answer<StatusCode> {
    let target = if name == "everything" && target == "-" { "" } else { &target };
    let scope = Scope::parse(&name, target).map_err(|_| Problem::missing("such switch"))?;
    let all = caller.engine.switches().await?;
    let elsewhere = matches!(&scope, Scope::Region(code) if !caller.holds(code));
    if elsewhere || all.iter().all(|thrown| thrown.scope != scope) {
        return Err(Problem::missing("such switch"));
    }
    caller.engine.lift_switch(&scope, &because.reason, &caller.person, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which lines of the audit log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Lines {
    /// Only those about this, such as `submission 7`.
    subject: Option<String>,
    /// Only those of this person.
    person: Option<String>,
    /// Lines of a page, 1 to 1000.
    limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// The audit log: who did what, in order. A role of a city sees what was done in roles of that city.
#[utoipa::path(get, path = "/v1/audit", tag = "access", params(Lines), responses((status = 200, body = PageOf<told::AuditLine>), Problem))]
async fn audit(State(api): State<Api>, caller: Caller, Asked(lines): Asked<Lines>) -> Answer<Json<Page>> {
    let mut all = caller.engine.audit_lines(lines.subject.as_deref()).await?;
    all.retain(|line| lines.person.as_ref().is_none_or(|person| line.entry.person == *person));
    all.retain(|line| caller.holds(&line.entry.region) || caller.is_provincial());
    let paging = Paging { limit: lines.limit, cursor: lines.cursor };
    cut(&api, "audit", &paging, &all, |line| line.number.to_string(), |line| json!(line)).map(Json)
}

/// A head that was kept elsewhere.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Expected {
    /// As an earlier check answered it: `12-3fa9…`.
    expect: Option<String>,
}

/// Checks every line of the audit log, its signed head, and a head that was kept elsewhere.
#[utoipa::path(get, path = "/v1/audit/head", tag = "access", params(Expected), responses((status = 200, body = told::AuditHead), Problem))]
async fn verify(caller: Caller, Asked(expected): Asked<Expected>) -> Answer<Json<Value>> {
    let head = expected.expect.as_deref().map(|text| {
        let hint = "A head is written 12-3fa9…, as this address answers it";
        Head::parse(text).ok_or_else(|| Problem::bad_request("bad-head", "that is no head", hint))
    });
    let head = caller.engine.verify_audit(head.transpose()?.as_ref()).await?;
    Ok(Json(json!({"lines": head.number, "head": head.written()})))
}
