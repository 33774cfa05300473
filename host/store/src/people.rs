//! Persons with their roles, and the kill switches that some of them may throw.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::audit::Entry;
use care_domain::person::{Appointment, Role};
use care_domain::switch::Scope;

/// A thrown kill switch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Thrown {
    /// What it stops.
    #[serde(flatten)]
    pub scope: Scope,
    /// Who threw it.
    pub person: String,
    /// When, Unix milliseconds.
    pub at: i64,
    /// Why.
    pub reason: String,
}

impl Store {
    /// Gives a role; `false` when the person had it already.
    pub async fn appoint(&self, one: &Appointment, entry: &Entry) -> Result<bool, StoreError> {
        self.change_appointment(
            "INSERT INTO appointments (person, role, region) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            one,
            entry,
        )
        .await
    }

    /// Takes a role away; `false` when the person had it not.
    pub async fn dismiss(&self, one: &Appointment, entry: &Entry) -> Result<bool, StoreError> {
        self.change_appointment("DELETE FROM appointments WHERE person = ? AND role = ? AND region = ?", one, entry)
            .await
    }

    async fn change_appointment(
        &self,
        statement: &'static str,
        one: &Appointment,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let doing = "changing who has which role";
        let statement = sqlx::query(statement).bind(&one.person).bind(one.role.name()).bind(&one.region);
        self.change(statement, entry, doing).await
    }

    /// Who has which role, by person.
    pub async fn appointments(&self) -> Result<Vec<Appointment>, StoreError> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT person, role, region FROM appointments ORDER BY person, role, region")
                .fetch_all(&self.readers)
                .await
                .during("reading roles")?;
        let one = |(person, role, region): (String, String, String)| {
            let role = Role::from_name(&role).ok_or_else(|| StoreError::impossible("appointments", "role", &person))?;
            Ok(Appointment { person, role, region })
        };
        rows.into_iter().map(one).collect()
    }

    /// Throws a kill switch; `false` when it is thrown already.
    pub async fn throw_switch(&self, thrown: &Thrown, entry: &Entry) -> Result<bool, StoreError> {
        let doing = "throwing a kill switch";
        let (scope, target) = thrown.scope.parts();
        let statement = sqlx::query(
            "INSERT INTO switches (scope, target, person, at, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(scope)
        .bind(target)
        .bind(&thrown.person)
        .bind(thrown.at)
        .bind(&thrown.reason);
        self.change(statement, entry, doing).await
    }

    /// Lifts a kill switch; `false` when it is not thrown.
    pub async fn lift_switch(&self, scope: &Scope, entry: &Entry) -> Result<bool, StoreError> {
        let doing = "lifting a kill switch";
        let (scope, target) = scope.parts();
        let statement = sqlx::query("DELETE FROM switches WHERE scope = ? AND target = ?").bind(scope).bind(target);
        self.change(statement, entry, doing).await
    }

    /// All thrown switches.
    pub async fn switches(&self) -> Result<Vec<Thrown>, StoreError> {
        let rows: Vec<(String, String, String, i64, String)> =
            sqlx::query_as("SELECT scope, target, person, at, reason FROM switches ORDER BY scope, target")
                .fetch_all(&self.readers)
                .await
                .during("reading kill switches")?;
        let one = |(scope, target, person, at, reason): (String, String, String, i64, String)| {
            let parsed = Scope::parse(&scope, &target);
            let scope = parsed.map_err(|_| StoreError::impossible("switches", "scope", &scope))?;
            Ok(Thrown { scope, person, at, reason })
        };
        rows.into_iter().map(one).collect()
    }
}
