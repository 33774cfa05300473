//! Forgetting a person: who they are goes, what was decided about a pseudonymous key stays.

use crate::Store;
use crate::contacts::log_states;
use crate::error::{During, StoreError};
use crate::outcomes::{Wish, add_wish};
use care_domain::audit::Entry;
use care_domain::key::CustomerKey;

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Identities: 1, or 0 where nobody knew who the key is.
    pub identities: u64,
    /// Entries of named lists.
    pub list_entries: u64,
    /// Waiting contacts that are cancelled.
    pub cancelled: u64,
}

impl Store {
    /// Forgets who a customer is, takes them off every list, cancels what waits, and sees to it that nothing goes out any
    /// more and no import brings them back. Again it finds nothing.
    pub async fn erase(&self, customer: CustomerKey, entry: &Entry) -> Result<Erased, StoreError> {
        let doing = "forgetting a person";
        // First what matters most; after a crash the same call does the rest.
        let mut tx = self.identities.begin_with("BEGIN IMMEDIATE").await.during(doing)?;
        sqlx::query("INSERT OR IGNORE INTO erased (customer, at) VALUES (?, ?)")
            .bind(customer.0.to_vec())
            .bind(entry.at)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        let identities = sqlx::query("DELETE FROM identities WHERE customer = ?")
            .bind(customer.0.to_vec())
            .execute(&mut *tx)
            .await
            .during(doing)?
            .rows_affected();
        tx.commit().await.during(doing)?;
        let mut tx = self.write().await?;
        let list_entries = sqlx::query("DELETE FROM named_list_members WHERE customer = ?")
            .bind(customer.0.to_vec())
            .execute(&mut *tx)
            .await
            .during(doing)?
            .rows_affected();
        let waiting: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "UPDATE contacts SET state = 'cancelled', lease = NULL WHERE customer = ? \
             AND state IN ('planned', 'released') RETURNING id, customer",
        )
        .bind(customer.0.to_vec())
        .fetch_all(&mut *tx)
        .await
        .during(doing)?;
        log_states(&mut tx, &waiting, "cancelled", entry.at, "erased").await?;
        add_wish(&mut tx, customer, &Wish::Suppress { because: "erased".into() }, entry.at).await?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)?;
        Ok(Erased { identities, list_entries, cancelled: waiting.len() as u64 })
    }
}
