//! What plans stand on: populations, reference tables, named lists, calendars, and the contact policy.

use super::input::Upload;
use super::once::by_content;
use super::prelude::*;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use care_domain::policy::Policy;
use care_domain::time::write_date;
use care_engine::{EngineError, GenerateOptions};
use std::io::Write;

/// The longest population, in bytes: ten million customers of the dictionary's fields.
pub(super) const MAX_POPULATION: usize = 8 << 30;
/// The longest reference table or list, in bytes.
pub(super) const MAX_TABLE: usize = 64 << 20;

pub(super) fn routes() -> OpenApiRouter<Api> {
    let long = OpenApiRouter::new().routes(routes!(populations, import)).layer(DefaultBodyLimit::max(MAX_POPULATION));
    let middling = OpenApiRouter::new()
        .routes(routes!(set_table))
        .routes(routes!(set_list))
        .layer(DefaultBodyLimit::max(MAX_TABLE));
    OpenApiRouter::new()
        .merge(long)
        .merge(middling)
        .routes(routes!(generate))
        .routes(routes!(population))
        .routes(routes!(tables))
        .routes(routes!(lists))
        .routes(routes!(calendars, import_calendars))
        .routes(routes!(policies, propose))
        .routes(routes!(policy))
        .routes(routes!(policy_changes))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(fields))
}

/// The field dictionary: type, unit, sensitivity and stages of every field.
#[utoipa::path(get, path = "/v1/fields", tag = "reference", responses((status = 200, body = told::FieldDictionary), Problem))]
async fn fields(caller: Caller) -> Json<Value> {
    Json(json!(caller.engine.dictionary()))
}

/// Snapshots of the population, the newest first.
#[utoipa::path(get, path = "/v1/populations", tag = "reference", params(Paging), responses((status = 200, body = PageOf<told::Population>), Problem))]
async fn populations(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.populations().await?;
    let view = |r: &care_engine::SnapshotRow| json!({"population": r.id, "date": write_date(r.business_date), "customers": r.customers, "by": r.imported_by});
    cut(&api, "populations", &paging, &all, |r| r.id.clone(), view).map(Json)
}

/// A population to import.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes a form, which is read part by part")]
struct PopulationForm {
    /// Business date.
    #[schema(format = Date)]
    date: String,
    /// The mapping (TOML): which column is which field.
    mapping: String,
    /// Bad cells that are put up with, such as 1%.
    max_bad: Option<String>,
    /// CSV or Parquet; the last part.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Imports a population from a form: `date`, `mapping`, `max_bad`, and last `file`. The same file again is the same
/// population; under an `Idempotency-Key` it is answered as before.
#[utoipa::path(post, path = "/v1/populations", tag = "reference",
    request_body(content = PopulationForm, content_type = "multipart/form-data"),
    responses((status = 201, body = told::Imported), Problem))]
async fn import(State(api): State<Api>, caller: Caller, headers: HeaderMap, form: Upload) -> Answer<Response> {
    let mut received = form.received(&caller, &["date", "mapping", "max_bad"]).await?;
    let missing = |what: &str| Problem::bad_request("bad-form", format!("the form has no {what}"), FORM);
    let date = received.texts.remove("date").and_then(|text| care_domain::time::parse_date(text.trim()));
    let date = date.ok_or_else(|| missing("date"))?;
    let mapping = received.texts.remove("mapping").ok_or_else(|| missing("mapping"))?;
    let max_bad = received.texts.remove("max_bad").map(|text| share(text.trim())).transpose()?;
    let file = received.file.ok_or_else(|| missing("file"))?;
    let (as_whom, fingerprint) = (caller.clone(), received.fingerprint);
    let job = async move {
        let by = (caller.person.as_str(), now_ms());
        let done = caller.engine.import_population(file.path(), &mapping, date, max_bad, by, |_| ()).await?;
        let mut view = views::imported(&done);
        // Where it lies on the server is nobody else's business.
        view["rejects"] = Value::Null;
        Ok(made(view))
    };
    by_content(&api, &as_whom, &headers, fingerprint, job).await
}

const FORM: &str = "Send date, mapping, max_bad if wanted, and last file";

fn share(text: &str) -> Answer<f64> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 0.01));
    let share = number.trim().parse::<f64>().map(|n| n * scale).ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| Problem::bad_request("bad-form", "max_bad is no share", "Write 1% or 0.01"))
}

/// Customers to make up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Generated {
    /// How many.
    #[schema(minimum = 1, maximum = 1000000)]
    customers: u64,
    /// Another seed makes up others.
    #[serde(default)]
    seed: u64,
    /// Business date.
    #[schema(value_type = String, format = Date)]
    date: Day,
}

/// Makes a population up, for rehearsals and training.
#[utoipa::path(post, path = "/v1/populations/generated", tag = "reference", request_body = Generated,
    responses((status = 201, body = told::Imported), Problem))]
async fn generate(caller: Caller, Body(new): Body<Generated>) -> Answer<Made> {
    if !(1..=1_000_000).contains(&new.customers) {
        let hint = "Make up 1 to 1000000 over HTTP, more with `care population generate`";
        return Err(EngineError::refused("bad-size", "so many customers are not made up here", hint).into());
    }
    let options = GenerateOptions { customers: new.customers, seed: new.seed, business_date: new.date.0 };
    let done = caller.engine.generate_population(options, (&caller.person, now_ms()), |_| ()).await?;
    Ok(made(views::imported(&done)))
}

/// A snapshot: its fields, its size, where it comes from.
#[utoipa::path(get, path = "/v1/populations/{population}", tag = "reference", params(("population" = String, Path)),
    responses((status = 200, body = told::PopulationShown), Problem))]
async fn population(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    let all = caller.engine.populations().await?;
    let known = all.iter().find(|row| row.id.starts_with(&id)).ok_or_else(|| Problem::missing("such population"))?;
    let snapshot = caller.engine.snapshot(Some(&known.id), None).await?;
    let manifest = snapshot.manifest();
    Ok(Json(
        json!({"population": snapshot.id(), "date": write_date(manifest.business_date), "customers": manifest.rows,
        "fields": manifest.fields, "source": manifest.source}),
    ))
}

/// Reference tables with the digests of their content.
#[utoipa::path(get, path = "/v1/tables", tag = "reference", params(Paging), responses((status = 200, body = PageOf<told::Table>), Problem))]
async fn tables(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all: Vec<(String, String)> = caller.engine.tables().await?.into_iter().collect();
    let view = |(name, digest): &(String, String)| json!({"table": name, "digest": digest});
    cut(&api, "tables", &paging, &all, |(name, _)| name.clone(), view).map(Json)
}

/// A reference table.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewTable)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Its rows as CSV.
    csv: String,
    /// Its columns (TOML), as in `examples/disaster-areas.toml`.
    schema: String,
}

/// Keeps a reference table under a name; plans from now on pin what it holds.
#[utoipa::path(put, path = "/v1/tables/{table}", tag = "reference", params(("table" = String, Path)),
    request_body = Table, responses((status = 200, body = told::TableSet), Problem))]
async fn set_table(caller: Caller, Part(name): Part<String>, Body(table): Body<Table>) -> Answer<Json<Value>> {
    let mut file = caller.engine.scratch(".csv")?;
    file.write_all(table.csv.as_bytes()).map_err(|_| Problem::failed())?;
    let rows = caller.engine.import_table(&name, file.path(), &table.schema, &caller.person, now_ms()).await?;
    Ok(Json(json!({"table": name, "rows": rows})))
}

/// Named lists of customers; who is on them is not told.
#[utoipa::path(get, path = "/v1/lists", tag = "reference", params(Paging), responses((status = 200, body = PageOf<told::NamedList>), Problem))]
async fn lists(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let all = caller.engine.lists().await?;
    let view =
        |l: &care_engine::NamedList| json!({"list": l.name, "owner": l.owner, "expires": write_date(l.expires_on)});
    cut(&api, "lists", &paging, &all, |l| l.name.clone(), view).map(Json)
}

/// A named list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct List {
    /// Telephone numbers.
    numbers: Vec<String>,
    /// Who answers for it.
    owner: String,
    /// Last business date on which it may be used.
    #[schema(value_type = String, format = Date)]
    expires: Day,
}

/// Keeps a named list; answers how many numbers match nobody, by their place.
#[utoipa::path(put, path = "/v1/lists/{list}", tag = "reference", params(("list" = String, Path)), request_body = List,
    responses((status = 200, body = told::ListSet), Problem))]
async fn set_list(caller: Caller, Part(name): Part<String>, Body(list): Body<List>) -> Answer<Json<Value>> {
    let by = (caller.person.as_str(), now_ms());
    let done = caller.engine.import_list(&name, &list.numbers.join("\n"), &list.owner, list.expires.0, by).await?;
    Ok(Json(json!({"list": name, "members": done.members, "unmatched": done.unmatched})))
}

/// Calendars: which days are off, by year.
#[utoipa::path(get, path = "/v1/calendars", tag = "reference", responses((status = 200, body = told::Calendars), Problem))]
async fn calendars(caller: Caller) -> Answer<Json<Value>> {
    let all = caller.engine.calendars().await?;
    let view = |row: &care_engine::CalendarRow| json!({"year": row.year, "digest": row.digest, "days": row.days, "by": row.imported_by, "at": row.imported_at});
    Ok(Json(json!({"items": all.values().map(view).collect::<Vec<_>>()})))
}

/// Imports the calendar of a year, in the format of holiday-cn.
#[utoipa::path(post, path = "/v1/calendars", tag = "reference", request_body = told::CalendarYear, responses((status = 201, body = told::CalendarsImported), Problem))]
async fn import_calendars(caller: Caller, Body(calendar): Body<Value>) -> Answer<Made> {
    let files = [("the body".to_owned(), calendar.to_string())];
    let rows = caller.engine.import_calendars(&files, &caller.person, now_ms()).await?;
    Ok(made(json!({"years": rows.iter().map(|row| row.year).collect::<Vec<_>>()})))
}

/// The versions of the contact policy, in order.
#[utoipa::path(get, path = "/v1/policies", tag = "reference", params(Paging), responses((status = 200, body = PageOf<told::Policy>), Problem))]
async fn policies(State(api): State<Api>, caller: Caller, Asked(paging): Asked<Paging>) -> Answer<Json<Page>> {
    let in_force = caller.engine.policy_version(None).await?.number;
    let all = caller.engine.policy_versions().await?;
    cut(&api, "policies", &paging, &all, |v| v.number.to_string(), |v| views::policy(v, in_force)).map(Json)
}

/// Which version is meant: a number, or `current`.
fn numbered(text: &str) -> Answer<Option<i64>> {
    match text {
        "current" => Ok(None),
        number => number.parse().map(Some).map_err(|_| Problem::missing("such policy")),
    }
}

/// A version of the contact policy, by number, or the one in force as `current`.
#[utoipa::path(get, path = "/v1/policies/{policy}", tag = "reference", params(("policy" = String, Path)),
    responses((status = 200, body = told::Policy), Problem))]
async fn policy(caller: Caller, Part(id): Part<String>) -> Answer<Tagged> {
    let in_force = caller.engine.policy_version(None).await?.number;
    let version = caller.engine.policy_version(numbered(&id)?).await?;
    let mut view = views::policy(&version, in_force);
    view["document"] = json!(version.policy);
    Ok(Tagged(view))
}

/// In what two versions of the contact policy differ.
#[utoipa::path(get, path = "/v1/policies/{policy}/changes/{since}", tag = "reference",
    params(("policy" = i64, Path), ("since" = i64, Path)), responses((status = 200, body = told::PolicyChanges), Problem))]
async fn policy_changes(caller: Caller, Part((after, before)): Part<(i64, i64)>) -> Answer<Json<Value>> {
    Ok(Json(json!({"changes": caller.engine.policy_diff(before, after).await?})))
}

/// A contact policy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPolicy {
    /// The whole document, as `/v1/policies/current` shows it.
    #[schema(value_type = told::PolicyDocument)]
    document: Policy,
    /// What is changed, and why.
    #[serde(default)]
    note: String,
}

/// Proposes a contact policy; somebody else puts it in force.
#[utoipa::path(post, path = "/v1/policies", tag = "reference", request_body = NewPolicy, responses((status = 201, body = told::PolicyProposed), Problem))]
async fn propose(caller: Caller, Body(new): Body<NewPolicy>) -> Answer<Made> {
    let done = caller.engine.propose_policy(&new.document, &new.note, &caller.person, now_ms()).await?;
    Ok(made(json!({"policy": done.number, "changes": done.changes, "warnings": done.warnings})))
}

/// Puts a proposed contact policy in force.
#[utoipa::path(post, path = "/v1/policies/{policy}/approve", tag = "reference", params(("policy" = i64, Path)),
    responses((status = 200, body = told::PolicyApproved), Problem))]
async fn approve(caller: Caller, Part(number): Part<i64>) -> Answer<Json<Value>> {
    let version = caller.engine.approve_policy(number, &caller.person, now_ms()).await?;
    Ok(Json(json!({"policy": number, "digest": version.digest})))
}

/// Refuses a proposed contact policy, or takes one's own back.
#[utoipa::path(post, path = "/v1/policies/{policy}/reject", tag = "reference", params(("policy" = i64, Path), Because),
    responses((status = 200, body = told::PolicyRejected), Problem))]
async fn reject(caller: Caller, Part(number): Part<i64>, Asked(because): Asked<Because>) -> Answer<Json<Value>> {
    caller.engine.reject_policy(number, &because.reason, &caller.person, now_ms()).await?;
    Ok(Json(json!({"policy": number, "state": "rejected"})))
}
