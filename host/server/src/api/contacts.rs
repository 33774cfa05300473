//! Contacts one by one, why a customer was contacted or not, and what customers wish.

use super::listing::page;
use super::prelude::*;
use care_domain::contact::ContactId;
use care_domain::person::Act;
use care_domain::time::write_instant;
use care_engine::{ContactQuery, EngineError, StoredContact};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(message))
        .routes(routes!(customer))
        .routes(routes!(verdicts))
        .routes(routes!(wishes, wish))
}

/// Which contacts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only of this campaign.
    campaign: Option<String>,
    /// Only of this plan.
    plan: Option<String>,
    /// Only those that stand there: planned, released, sending, sent, failed, unknown, cancelled, withdrawn, expired.
    state: Option<String>,
    /// Only on this channel.
    channel: Option<String>,
    /// Contacts of a page, 1 to 1000.
    limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// A contact without what was said, and without who somebody is: customers are pseudonymous keys.
fn view(contact: &StoredContact) -> Value {
    let planned = &contact.planned;
    json!({
        "contact": planned.id.to_string(), "campaign": planned.campaign, "activity": planned.activity,
        "digest": planned.component, "plan": contact.plan, "customer": planned.customer.to_string(),
        "region": planned.region, "class": planned.class, "reason": planned.reason, "occasion": planned.occasion,
        "round": planned.round, "addressee": planned.addressee, "template": planned.template,
        "channel": contact.via, "language": planned.language, "state": contact.state.name(),
        "planned_at": write_instant(planned.planned_at), "not_after": write_instant(planned.not_after),
    })
}

/// Contacts, in the order in which they came into the ledger.
#[utoipa::path(get, path = "/v1/contacts", tag = "contacts", params(Which), responses((status = 200, body = PageOf<told::Contact>), Problem))]
async fn list(State(api): State<Api>, caller: Caller, Asked(which): Asked<Which>) -> Answer<Json<Page>> {
    let paging = Paging { limit: which.limit, cursor: which.cursor };
    let size = paging.size()?;
    let after = paging.after(&api, "contacts")?.and_then(|seq| seq.parse().ok()).unwrap_or(0);
    let query = ContactQuery {
        campaign: which.campaign,
        plan: which.plan,
        state: which.state,
        channel: which.channel,
        after,
        limit: size as u32,
    };
    let found = caller.engine.contacts(&query).await?;
    let last = found.last().filter(|_| found.len() == size).map(|contact| contact.seq.to_string());
    Ok(Json(page(&api, "contacts", found.iter().map(view).collect(), last.as_deref())))
}

fn contact_id(text: &str) -> Answer<ContactId> {
    ContactId::parse(text).ok_or_else(|| Problem::missing("such contact"))
}

/// A contact, and every step that it took.
#[utoipa::path(get, path = "/v1/contacts/{contact}", tag = "contacts", params(("contact" = String, Path)),
    responses((status = 200, body = told::Contact), Problem))]
async fn show(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    let (contact, steps) = caller.engine.contact(contact_id(&id)?).await?;
    let mut whole = view(&contact);
    let step =
        |(at, state, note): &(i64, String, String)| json!({"at": write_instant(*at), "state": state, "note": note});
    whole["steps"] = json!(steps.iter().map(step).collect::<Vec<_>>());
    Ok(Json(whole))
}

/// A contact as its customer got it, the number masked. Who read it stands in the audit log.
#[utoipa::path(get, path = "/v1/contacts/{contact}/message", tag = "contacts", params(("contact" = String, Path)),
    responses((status = 200, body = told::Message), Problem))]
async fn message(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    caller.engine.contact(contact_id(&id)?).await?;
    Ok(Json(json!(caller.engine.sent_message(&id, &caller.person, now_ms()).await?)))
}

/// What the newest population knows of a customer, by the operator's id or by key. Numbers and names are not part of it.
#[utoipa::path(get, path = "/v1/customers/{customer}", tag = "contacts", params(("customer" = String, Path)),
    responses((status = 200, body = told::Customer), Problem))]
async fn customer(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    let (key, snapshot, fields) = caller.engine.customer(&id).await?;
    let fields: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    Ok(Json(json!({"customer": key.to_string(), "population": snapshot, "fields": fields})))
}

/// Of which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Of {
    /// Only the plans of this business date.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Day>,
}

/// Why a customer was contacted, or not: every plan's verdicts with rule and figures, and what was said, for those who
/// may read messages.
#[utoipa::path(get, path = "/v1/customers/{customer}/verdicts", tag = "contacts",
    params(("customer" = String, Path), Of), responses((status = 200, body = told::Explanation), Problem))]
async fn verdicts(caller: Caller, Part(id): Part<String>, Asked(of): Asked<Of>) -> Answer<Json<Value>> {
    let mut why = caller.engine.why(&id, of.date.map(|day| day.0)).await?;
    if !caller.engine.may(Act::ReadMessages) {
        let messages = why.plans.iter_mut().flat_map(|plan| &mut plan.activities).flat_map(|one| &mut one.messages);
        messages.for_each(|message| message.text.clear());
    }
    Ok(Json(json!(why)))
}

/// What a customer wishes: consents, refusals, suppressions, as they stand now.
#[utoipa::path(get, path = "/v1/customers/{customer}/wishes", tag = "contacts", params(("customer" = String, Path)),
    responses((status = 200, body = told::Wishes), Problem))]
async fn wishes(caller: Caller, Part(id): Part<String>) -> Answer<Json<Value>> {
    let wishes = caller.engine.wishes(&id).await?;
    Ok(Json(json!({
        "commercial": wishes.commercial, "refuses_all": wishes.refuses_all, "refused_classes": wishes.refused_classes,
        "refused_activities": wishes.refused_activities, "suppressed": wishes.suppressed,
    })))
}

/// A wish of a customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWish {
    /// refused, consented, consent-withdrawn, deceased or possibly-missing.
    wish: String,
    /// The activity that it is about, where it is about one.
    activity: Option<String>,
    /// When, Unix milliseconds; now when absent.
    at: Option<i64>,
}

const WISHES: [&str; 5] = ["refused", "consented", "consent-withdrawn", "deceased", "possibly-missing"];

/// Keeps a wish of a customer; it holds from now on, also for what waits.
#[utoipa::path(post, path = "/v1/customers/{customer}/wishes", tag = "contacts", params(("customer" = String, Path)),
    request_body = NewWish, responses((status = 201, body = told::OutcomesRecorded), Problem))]
async fn wish(caller: Caller, Part(id): Part<String>, Body(new): Body<NewWish>) -> Answer<Made> {
    if !WISHES.contains(&new.wish.as_str()) {
        let message = format!("{:?} is no wish", new.wish);
        return Err(EngineError::refused("bad-wish", message, format!("Wishes are {}", WISHES.join(", "))).into());
    }
    caller.engine.customer(&id).await?;
    let told = super::outcomes::Told {
        customer: Some(id),
        kind: new.wish,
        at: Some(new.at.unwrap_or_else(now_ms)),
        activity: new.activity,
        ..Default::default()
    };
    super::outcomes::kept(&caller, vec![told]).await
}
