//! Who may ask what: one line a route, for every route there is. What does not stand here is refused, whoever asks.
//! What the engine's own rules say beyond it (regions, four eyes) holds besides.

use super::problem::Problem;
use axum::http::{Method, StatusCode};
use care_domain::person::{Act, Appointment, Role};
use care_domain::region;
use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

/// Who may ask.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who {
    /// Whoever may do this.
    May(Act),
    /// These roles: reading is no act, and not everybody's.
    Roles(&'static [Role]),
}

/// A route and who may ask it.
pub(super) struct Rule {
    /// GET, POST, PUT, DELETE.
    pub(super) method: &'static str,
    /// As the router knows it: `/v1/tokens/{id}`.
    pub(super) path: &'static str,
    pub(super) who: Who,
    /// Whether it concerns the installation as a whole, so that a role of a city will not do.
    pub(super) whole: bool,
}

/// Asked by roles of any region, each of which sees and changes what is its own.
const fn own(method: &'static str, path: &'static str, who: Who) -> Rule {
    Rule { method, path, who, whole: false }
}

/// Asked by roles of the province alone.
const fn all(method: &'static str, path: &'static str, who: Who) -> Rule {
    Rule { method, path, who, whole: true }
}

use Role::{
    Administrator, Auditor, CityReviewer, CustomerService, DutyOfficer, InformationSystems, Initiator, KeyAccounts,
    Operator, ProvincialApprover,
};
use Who::{May, Roles};

/// Everybody who works with activities.
const STAFF: Who = Roles(&[
    Administrator,
    Initiator,
    CityReviewer,
    CustomerService,
    ProvincialApprover,
    InformationSystems,
    KeyAccounts,
    Operator,
    DutyOfficer,
    Auditor,
]);
/// Who looks after customers one by one.
const CASES: Who = Roles(&[CustomerService, CityReviewer, ProvincialApprover, Operator, DutyOfficer, Auditor]);
/// Who watches what goes out.
const WATCH: Who = Roles(&[Administrator, CustomerService, ProvincialApprover, Operator, DutyOfficer, Auditor]);
/// Who oversees those who get in.
const ACCESS: Who = Roles(&[Administrator, Auditor]);

/// Who watches what other systems are told.
const HOOKS: Who = Roles(&[Administrator, Operator, Auditor]);

/// All of them.
pub(super) const RULES: &[Rule] = &[
    own("GET", "/v1/me", Roles(&Role::ALL)),
    own("GET", "/v1/users", ACCESS),
    own("POST", "/v1/users", May(Act::ManagePersons)),
    own("DELETE", "/v1/users/{person}/{role}/{region}", May(Act::ManagePersons)),
    own("POST", "/v1/users/{person}/password", May(Act::ManagePersons)),
    own("GET", "/v1/tokens", ACCESS),
    own("POST", "/v1/tokens", May(Act::ManageTokens)),
    own("DELETE", "/v1/tokens/{id}", May(Act::ManageTokens)),
    own("GET", "/v1/keys", Roles(&[Administrator, Initiator, CityReviewer, ProvincialApprover, Auditor])),
    own("POST", "/v1/keys", May(Act::ManageKeys)),
    own("DELETE", "/v1/keys/{id}", May(Act::ManageKeys)),
    own("GET", "/v1/switches", STAFF),
    own("POST", "/v1/switches", May(Act::Stop)),
    own("DELETE", "/v1/switches/{scope}/{target}", May(Act::LiftStop)),
    own("GET", "/v1/audit", Roles(&[Administrator, ProvincialApprover, Auditor])),
    all("GET", "/v1/audit/head", Roles(&[Administrator, ProvincialApprover, Auditor])),
    own("GET", "/v1/catalogue", STAFF),
    own("GET", "/v1/fields", STAFF),
    own("GET", "/v1/activities", STAFF),
    own("GET", "/v1/activities/{activity}", STAFF),
    own("GET", "/v1/activities/{activity}/versions/{version}", STAFF),
    own("POST", "/v1/activities", May(Act::Upload)),
    own("POST", "/v1/checks", May(Act::Upload)),
    own("POST", "/v1/variants", May(Act::Upload)),
    own("GET", "/v1/standby", STAFF),
    all("POST", "/v1/standby", May(Act::Activate)),
    own("POST", "/v1/standby/{campaign}/review", May(Act::ReviewActivation)),
    own("GET", "/v1/submissions", STAFF),
    own("GET", "/v1/submissions/{id}", STAFF),
    own("GET", "/v1/submissions/{id}/simulations", STAFF),
    own("POST", "/v1/submissions/{id}/simulations", May(Act::Simulate)),
    own("GET", "/v1/simulations/{id}", STAFF),
    own("GET", "/v1/simulations/{id}/differences/{with}", STAFF),
    own("POST", "/v1/submissions/{id}/approve", May(Act::Decide)),
    own("POST", "/v1/submissions/{id}/confirm", May(Act::Decide)),
    own("POST", "/v1/submissions/{id}/review", May(Act::ReviewForCity)),
    own("POST", "/v1/submissions/{id}/trial", May(Act::ReviewForTrial)),
    own("POST", "/v1/submissions/{id}/merge", May(Act::Decide)),
    own("POST", "/v1/submissions/{id}/reject", Roles(&[CityReviewer, CustomerService, ProvincialApprover])),
    own("POST", "/v1/submissions/{id}/take-back", May(Act::TakeBack)),
    own("POST", "/v1/submissions/{id}/suspend", May(Act::Suspend)),
    own("POST", "/v1/submissions/{id}/resume", May(Act::Suspend)),
    own("POST", "/v1/submissions/{id}/retire", May(Act::Retire)),
    own("POST", "/v1/submissions/{id}/withdraw", May(Act::WithdrawApproval)),
    own("GET", "/v1/gate", STAFF),
    all("PUT", "/v1/gate", May(Act::SetGateRules)),
    own("GET", "/v1/campaigns", STAFF),
    own("POST", "/v1/campaigns", May(Act::RunCampaigns)),
    own("POST", "/v1/campaigns/estimate", May(Act::RunCampaigns)),
    own("GET", "/v1/campaigns/{campaign}", STAFF),
    own("PUT", "/v1/campaigns/{campaign}/version", May(Act::RunCampaigns)),
    own("POST", "/v1/campaigns/{campaign}/pause", May(Act::RunCampaigns)),
    own("POST", "/v1/campaigns/{campaign}/resume", May(Act::RunCampaigns)),
    own("POST", "/v1/campaigns/{campaign}/stop", May(Act::RunCampaigns)),
    own("GET", "/v1/campaigns/{campaign}/execution", STAFF),
    own("GET", "/v1/campaigns/{campaign}/evaluation", STAFF),
    own("GET", "/v1/campaigns/{campaign}/evaluations", STAFF),
    own("POST", "/v1/campaigns/{campaign}/evaluations", May(Act::KeepEvaluation)),
    own("GET", "/v1/plans", STAFF),
    all("POST", "/v1/plans", May(Act::RunPlans)),
    own("GET", "/v1/plans/{plan}", STAFF),
    own("GET", "/v1/plans/{plan}/batches/{bucket}/{batch}", May(Act::RecordBatch)),
    own("GET", "/v1/plans/{plan}/status", STAFF),
    own("GET", "/v1/plans/{plan}/progress", STAFF),
    all("POST", "/v1/plans/{plan}/pause", May(Act::HaltPlans)),
    all("POST", "/v1/plans/{plan}/resume", May(Act::RunPlans)),
    all("POST", "/v1/plans/{plan}/cancel", May(Act::HaltPlans)),
    own("GET", "/v1/contacts", CASES),
    own("GET", "/v1/contacts/{contact}", CASES),
    own("GET", "/v1/contacts/{contact}/message", May(Act::ReadMessages)),
    own("GET", "/v1/customers/{customer}", CASES),
    own("GET", "/v1/customers/{customer}/verdicts", CASES),
    own("GET", "/v1/customers/{customer}/wishes", CASES),
    own("POST", "/v1/customers/{customer}/wishes", May(Act::RecordOutcomes)),
    all("POST", "/v1/events", May(Act::SendEvents)),
    all("GET", "/v1/events/batches/{batch}", WATCH),
    all("POST", "/v1/touchpoints", May(Act::UseTouchpoint)),
    all("POST", "/v1/prompts/{prompt}", May(Act::UseTouchpoint)),
    own("GET", "/v1/disasters", STAFF),
    all("POST", "/v1/alerts", May(Act::DraftDisaster)),
    all("POST", "/v1/disasters/{disaster}/activate", May(Act::Activate)),
    all("POST", "/v1/disasters/{disaster}/end", May(Act::Activate)),
    all("GET", "/v1/disasters/{disaster}/report", STAFF),
    all("GET", "/v1/calls", May(Act::Work)),
    all("GET", "/v1/calls/windows", WATCH),
    all("POST", "/v1/calls/windows", May(Act::OpenCalls)),
    all("DELETE", "/v1/calls/windows/open", May(Act::OpenCalls)),
    all("POST", "/v1/calls/take", May(Act::Work)),
    all("POST", "/v1/calls/results", May(Act::Work)),
    all("GET", "/v1/calls/report", WATCH),
    all("GET", "/v1/requests", May(Act::Work)),
    all("POST", "/v1/requests/take", May(Act::Work)),
    all("POST", "/v1/requests/results", May(Act::Work)),
    all("GET", "/v1/dispatch", WATCH),
    all("POST", "/v1/dispatch", May(Act::Dispatch)),
    all("GET", "/v1/dispatch/dead-letters", WATCH),
    all("POST", "/v1/dispatch/dead-letters/replay", May(Act::Dispatch)),
    all("GET", "/v1/gateways", WATCH),
    all("PUT", "/v1/gateways", May(Act::ManageGateways)),
    all("GET", "/v1/gateways/health", WATCH),
    all("POST", "/v1/outcomes", May(Act::RecordOutcomes)),
    all("GET", "/v1/outcomes/{kind}", STAFF),
    own("GET", "/v1/needs", STAFF),
    own("POST", "/v1/needs", May(Act::StudyNeed)),
    own("POST", "/v1/needs/records", May(Act::StudyNeed)),
    own("GET", "/v1/needs/{need}", STAFF),
    own("POST", "/v1/needs/{need}/analyse", May(Act::StudyNeed)),
    all("POST", "/v1/needs/{need}/publish", May(Act::PublishNeed)),
    own("POST", "/v1/needs/{need}/answers", May(Act::AnswerNeed)),
    own("GET", "/v1/findings", STAFF),
    own("POST", "/v1/findings", May(Act::OpenFinding)),
    own("POST", "/v1/findings/{finding}/close", May(Act::DecideFinding)),
    own("POST", "/v1/findings/{finding}/drop", May(Act::DecideFinding)),
    own("GET", "/v1/knowledge", STAFF),
    all("GET", "/v1/experiments", STAFF),
    own("GET", "/v1/brake", STAFF),
    all("PUT", "/v1/brake", May(Act::SetBrake)),
    own("GET", "/v1/notices", STAFF),
    all("GET", "/v1/reports/{report}", STAFF),
    all("GET", "/v1/pressure", STAFF),
    own("GET", "/v1/populations", STAFF),
    all("POST", "/v1/populations", May(Act::ImportPopulation)),
    all("POST", "/v1/populations/generated", May(Act::ImportPopulation)),
    own("GET", "/v1/populations/{population}", STAFF),
    own("GET", "/v1/tables", STAFF),
    all("PUT", "/v1/tables/{table}", May(Act::ImportTable)),
    own("GET", "/v1/lists", STAFF),
    all("PUT", "/v1/lists/{list}", May(Act::ImportList)),
    own("GET", "/v1/calendars", STAFF),
    all("POST", "/v1/calendars", May(Act::ImportCalendar)),
    own("GET", "/v1/policies", STAFF),
    all("POST", "/v1/policies", May(Act::ProposePolicy)),
    own("GET", "/v1/policies/{policy}", STAFF),
    own("GET", "/v1/policies/{policy}/changes/{since}", STAFF),
    all("POST", "/v1/policies/{policy}/approve", May(Act::DecidePolicy)),
    all("POST", "/v1/policies/{policy}/reject", Roles(&[ProvincialApprover, Operator])),
    all("GET", "/v1/staff", WATCH),
    all("POST", "/v1/staff", May(Act::ManageStaff)),
    all("DELETE", "/v1/staff/{name}", May(Act::ManageStaff)),
    own("GET", "/v1/submissions/{id}/preview", STAFF),
    own("GET", "/v1/submissions/{id}/test-sends", STAFF),
    own("POST", "/v1/submissions/{id}/test-sends", May(Act::SendTest)),
    own("GET", "/v1/campaigns/{campaign}/copies", STAFF),
    all("POST", "/v1/models/{model}/runs", May(Act::RunModels)),
    all("POST", "/v1/experiments", May(Act::ImportExperiment)),
    all("POST", "/v1/disasters", May(Act::DraftDisaster)),
    all("GET", "/v1/retention", ACCESS),
    all("PUT", "/v1/retention", May(Act::Retain)),
    all("GET", "/v1/retention/runs", ACCESS),
    all("POST", "/v1/retention/runs", May(Act::Retain)),
    all("GET", "/v1/webhooks", HOOKS),
    all("POST", "/v1/webhooks", May(Act::ManageHooks)),
    all("GET", "/v1/webhooks/{webhook}", HOOKS),
    all("DELETE", "/v1/webhooks/{webhook}", May(Act::ManageHooks)),
    all("POST", "/v1/webhooks/{webhook}/secret", May(Act::ManageHooks)),
    all("POST", "/v1/webhooks/{webhook}/ping", May(Act::ManageHooks)),
    all("GET", "/v1/webhooks/{webhook}/deliveries", HOOKS),
    all("POST", "/v1/webhooks/{webhook}/deliveries/{event}/replay", May(Act::ManageHooks)),
];

impl Who {
    /// Whether a role is among them.
    pub(super) fn includes(self, role: Role) -> bool {
        match self {
            May(act) => act.roles().contains(&role),
            Roles(roles) => roles.contains(&role),
        }
    }
}

/// Whether a principal may ask a route at all.
pub(crate) fn allows(method: &Method, path: &str, principal: &Appointment) -> Result<(), Problem> {
    let asked = if method == Method::HEAD { Method::GET } else { method.clone() };
    let mut known = RULES.iter().filter(|rule| rule.path == path).peekable();
    if known.peek().is_none() {
        let hint = "This is ours to mend: please report it";
        return Err(Problem::new(StatusCode::FORBIDDEN, "no-rule", "nobody was given this address", hint));
    }
    // Of a method that the address does not know the router says so.
    let Some(rule) = known.find(|rule| asked == rule.method) else { return Ok(()) };
    if rule.who.includes(principal.role) {
        if !rule.whole || region::is_province(&principal.region) {
            return Ok(());
        }
        let detail =
            format!("{method} {path} concerns the whole province, and this token acts in {}", principal.region);
        let hint = "Ask somebody whose role holds for the province";
        return Err(Problem::new(StatusCode::FORBIDDEN, "other-region", detail, hint));
    }
    let detail = format!("a token of role {} may not ask {method} {path}", principal.role.name());
    let hint = match rule.who {
        May(act) => format!("It takes the right to {}", act.name()),
        Roles(roles) => format!("These may: {}", roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")),
    };
    Err(Problem::new(StatusCode::FORBIDDEN, "not-allowed", detail, hint))
}

/// Says in the description that everything takes a token.
pub(super) struct Secured;

impl Modify for Secured {
    fn modify(&self, api: &mut OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        api.components.get_or_insert_default().add_security_scheme("token", scheme);
        api.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    }
}

#[cfg(test)]
mod tests {
    use super::RULES;
    use crate::api::resources;
    use std::collections::BTreeSet;

    /// Deny by default: what has no line is refused, so a route that is served is described and has its line.
    #[test]
    fn every_route_is_described_and_has_exactly_one_rule() {
        let description = resources().into_openapi();
        let mut described = BTreeSet::new();
        for (path, item) in &description.paths.paths {
            let operations = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            described.extend(operations.into_iter().filter(|(_, o)| o.is_some()).map(|(m, _)| (m, path.as_str())));
        }
        // The login is what a token is got by.
        described.remove(&("POST", "/login"));
        let ruled: BTreeSet<(&str, &str)> = RULES.iter().map(|rule| (rule.method, rule.path)).collect();
        assert_eq!(ruled.len(), RULES.len(), "a route has two rules");
        assert_eq!(ruled, described, "routes with a rule, and routes in the description");
        assert!(ruled.iter().all(|(_, path)| path.starts_with("/v1/")), "the API is under /v1");
    }
}
