//! What an installation holds, as people and programs page through it: contacts, customers, wishes, and the lists of
//! everything else. A token's holder gets what is theirs to see.

use crate::{Engine, EngineError};
use care_domain::contact::ContactId;
use care_domain::decide::Wishes;
use care_domain::follow_up::FollowUp;
use care_domain::key::CustomerKey;
use care_domain::need::Need;
use care_domain::region;
use care_store::{ContactQuery, Figures, NamedList, Plan, SnapshotRow, StoredContact};
use std::collections::BTreeMap;
use tempfile::NamedTempFile;

/// What is known of a customer: the key, the snapshot, and field names with readable values.
type KnownCustomer = (CustomerKey, String, Vec<(String, String)>);

impl Engine {
    /// Contacts by campaign, plan, state and channel, in the order in which they came into the ledger.
    pub async fn contacts(&self, wanted: &ContactQuery) -> Result<Vec<StoredContact>, EngineError> {
        let own = self.principal.as_ref().map(|p| p.region.as_str()).filter(|r| !region::is_province(r));
        Ok(self.store.contacts_page(wanted, own).await?)
    }

    /// A contact with every step that it took: when, to which state, and what is noted about it.
    pub async fn contact(&self, id: ContactId) -> Result<(StoredContact, Vec<(i64, String, String)>), EngineError> {
        let found = self.store.contacts_by_id(&[id]).await?.pop();
        let found = match found {
            Some(found) if self.sees_customer(found.planned.customer).await? => found,
            _ => {
                let hint = "Contact ids stand in `care why`: 32 hexadecimal digits";
                return Err(EngineError::refused("unknown-contact", format!("there is no contact {id}"), hint));
            }
        };
        let steps = self.store.contact_steps(id).await?;
        Ok((found, steps))
    }

    /// What the newest population knows of a customer, by the operator's id or by key.
    pub async fn customer(&self, customer: &str) -> Result<KnownCustomer, EngineError> {
        let key = self.key_of(customer);
        let snapshot = self.snapshot(None, None).await?;
        let found = if self.sees_customer(key).await? { snapshot.find(key)? } else { None };
        let fields = found.ok_or_else(|| {
            let hint = "Check the id; what belongs to another region is not shown";
            EngineError::refused("unknown-customer", "the newest population has no such customer", hint)
        })?;
        Ok((key, snapshot.id().to_owned(), fields))
    }

    /// What a customer wishes, as it stands now.
    pub async fn wishes(&self, customer: &str) -> Result<Wishes, EngineError> {
        let (key, ..) = self.customer(customer).await?;
        Ok(self.store.since(&[key]).await?.remove(&key).map(|since| since.wishes).unwrap_or_default())
    }

    /// What the ledger holds, in figures without a customer.
    pub async fn figures(&self) -> Result<Figures, EngineError> {
        Ok(self.store.figures().await?)
    }

    /// All plans, the newest first.
    pub async fn plans(&self) -> Result<Vec<Plan>, EngineError> {
        Ok(self.store.plans().await?)
    }

    /// Snapshots of the population, the newest first.
    pub async fn populations(&self) -> Result<Vec<SnapshotRow>, EngineError> {
        Ok(self.store.snapshots().await?)
    }

    /// Reference tables: name and digest.
    pub async fn tables(&self) -> Result<BTreeMap<String, String>, EngineError> {
        Ok(self.store.tables().await?)
    }

    /// Named lists of customers.
    pub async fn lists(&self) -> Result<Vec<NamedList>, EngineError> {
        Ok(self.store.lists().await?)
    }

    /// Needs by number, with the activities that answer them.
    pub async fn needs(&self) -> Result<BTreeMap<i64, (Need, Vec<String>)>, EngineError> {
        Ok(self.store.needs().await?)
    }

    /// Findings by number.
    pub async fn findings(&self) -> Result<BTreeMap<i64, FollowUp>, EngineError> {
        Ok(self.store.findings().await?)
    }

    /// A file on the data folder's disk for what is being received; it goes with its handle.
    pub fn scratch(&self, suffix: &str) -> Result<NamedTempFile, EngineError> {
        let made = tempfile::Builder::new().prefix(".received-").suffix(suffix).tempfile_in(&self.folder);
        made.map_err(EngineError::file(&self.folder, "making a file in the folder"))
    }
}
