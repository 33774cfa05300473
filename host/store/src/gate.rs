//! The gate's rules, as an administrator set them.

use crate::Store;
use crate::error::{During, StoreError};
use crate::registry::{from_json, to_json};
use care_domain::audit::Entry;
use care_domain::gate::GateRules;

impl Store {
    /// The rules in force; the defaults where nobody set any.
    pub async fn gate_rules(&self) -> Result<GateRules, StoreError> {
        let rules: Option<String> = sqlx::query_scalar("SELECT rules FROM gate_rules ORDER BY number DESC LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .during("reading the gate's rules")?;
        rules.map_or(Ok(GateRules::default()), |rules| from_json("gate_rules", "the last", &rules))
    }

    /// Puts rules in force; those of before are kept.
    pub async fn set_gate_rules(&self, rules: &GateRules, entry: &Entry) -> Result<(), StoreError> {
        let statement = sqlx::query("INSERT INTO gate_rules (rules, person, at) VALUES (?, ?, ?)")
            .bind(to_json("gate_rules", "the next", rules)?)
            .bind(&entry.person)
            .bind(entry.at);
        self.change(statement, entry, "setting the gate's rules").await.map(|_| ())
    }
}
