//! Who asks: the engine as this caller may use it.

use super::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use care_domain::person::{Appointment, Role};
use care_domain::region;
use care_engine::Engine;

/// The engine as the caller may use it, and in whose name.
#[derive(Clone)]
pub(super) struct Caller {
    /// It acts with the one role of the token, whatever else the person may do.
    pub(super) engine: Engine,
    /// Who.
    pub(super) person: String,
    /// As what.
    pub(super) role: Role,
    /// Where: an administrative code, and everything below it.
    pub(super) region: String,
}

impl Caller {
    pub(super) fn new(engine: &Engine, principal: Appointment) -> Self {
        let Appointment { person, role, region } = principal.clone();
        Self { engine: engine.acting_as(principal), person, role, region }
    }

    /// Whether `region` lies in the caller's.
    pub(super) fn holds(&self, region: &str) -> bool {
        region::covers(&self.region, region)
    }

    /// Whether the caller's role holds for the whole province.
    pub(super) fn is_provincial(&self) -> bool {
        region::is_province(&self.region)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::unauthenticated("the request shows no token"))
    }
}
