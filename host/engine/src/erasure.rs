//! Forgetting a person who asks for it, with a report of what went and what stays.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::person::Act;
use care_store::Erased;
use serde::Serialize;
use serde_json::json;

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasureReport {
    /// The pseudonymous key; who it was is not known any more.
    pub customer: String,
    /// What went.
    #[serde(flatten)]
    pub erased: Erased,
    /// Contacts that stay in the ledger under the key.
    pub contacts_kept: u64,
    /// What stays, and why.
    pub stays: &'static str,
}

const STAYS: &str = "verdicts, contacts, outcomes and snapshots under the pseudonymous key, without number and name; files \
                     in outbox and backups until they are deleted; what gateways have";

impl Engine {
    /// Forgets who a customer is, by the operator's id or by key. The same again changes nothing more.
    pub async fn erase(&self, customer: &str, reason: &str, by: &str, at: i64) -> Result<ErasureReport, EngineError> {
        let actor = self.authorise(by, Act::Erase, None, at).await?;
        let key = self.key_of(customer);
        let contacts = self.store.contacts_of(key).await?.len() as u64;
        let known = !self.store.identities(&[key]).await?.is_empty() || contacts > 0;
        if !known || !self.sees_customer(key).await? {
            let hint = "Check the id; what belongs to another region is not shown";
            return Err(EngineError::refused("unknown-customer", "nobody of that id is known here", hint));
        }
        // The key alone: the log is kept for ever.
        let entry = Entry::of(&actor, "person-erased", format!("customer {key}"), json!({})).because(reason.trim());
        let erased = self.store.erase(key, &entry).await?;
        Ok(ErasureReport { customer: key.to_string(), erased, contacts_kept: contacts, stays: STAYS })
    }
}
