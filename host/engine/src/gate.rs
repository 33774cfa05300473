//! The gate's rules: what an installation asks of a submission beyond its states.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::gate::GateRules;
use care_domain::person::Act;
use serde_json::json;

impl Engine {
    /// The rules in force.
    pub async fn gate_rules(&self) -> Result<GateRules, EngineError> {
        Ok(self.store.gate_rules().await?)
    }

    /// Puts rules in force. Set by an administrator, who decides about no activity: whoever approves does not also say how
    /// many have to.
    pub async fn set_gate_rules(&self, rules: &GateRules, reason: &str, by: &str, at: i64) -> Result<(), EngineError> {
        let actor = self.authorise(by, Act::SetGateRules, None, at).await?;
        let entry = Entry::of(&actor, "gate-rules-set", "gate", json!({"rules": rules})).because(reason);
        Ok(self.store.set_gate_rules(rules, &entry).await?)
    }
}
