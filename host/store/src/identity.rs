//! The identity store: who a pseudonymous key is. Read only when a message is rendered or dispatched,
//! and when a person looks up a customer.

use crate::error::{During, StoreError};
use crate::packed::{of_packed, pack};
use crate::reference::key_of;
use crate::registry::{from_json, to_json};
use crate::{MAX_BINDS, Store};
use care_domain::identity::Identity;
use care_domain::key::CustomerKey;
use sqlx::{QueryBuilder, Row};
use std::collections::{HashMap, HashSet};

const COLUMNS: usize = 7;

impl Store {
    /// Before so many identities are kept: where far fewer are known yet, numbers are indexed at the end, since an index
    /// that grows in no order of its own is written again and again.
    pub async fn begin_identities(&self, coming: u64) -> Result<(), StoreError> {
        let doing = "keeping identities";
        let known: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM identities").fetch_one(&self.identities).await.during(doing)?;
        if (known as u64) < coming / 4 {
            sqlx::query("DROP INDEX IF EXISTS identities_by_msisdn").execute(&self.identities).await.during(doing)?;
        }
        Ok(())
    }

    /// After they are kept. Opening the store does it too, for whoever died in between.
    pub async fn end_identities(&self) -> Result<(), StoreError> {
        sqlx::query("CREATE INDEX IF NOT EXISTS identities_by_msisdn ON identities (msisdn)")
            .execute(&self.identities)
            .await
            .map(|_| ())
            .during("indexing numbers")
    }

    /// Which of these customers are known here.
    pub async fn known_customers(&self, keys: &[CustomerKey]) -> Result<HashSet<CustomerKey>, StoreError> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(of_packed!(
            "SELECT i.customer FROM packed CROSS JOIN identities i ON i.customer = packed.key"
        ))
        .bind(pack(keys.iter().map(|key| &key.0)))
        .fetch_all(&self.identities)
        .await
        .during("looking customers up")?;
        rows.iter().map(|row| key_of("identities", row)).collect()
    }

    /// Keeps identities; a newer one of the same customer replaces the older.
    pub async fn put_identities(&self, identities: &[Identity]) -> Result<(), StoreError> {
        let doing = "keeping identities";
        let mut tx = self.identities.begin_with("BEGIN IMMEDIATE").await.during(doing)?;
        for chunk in identities.chunks(MAX_BINDS / COLUMNS) {
            let mut close = Vec::with_capacity(chunk.len());
            for identity in chunk {
                close.push(to_json("identities", identity.key, &identity.close_contacts)?);
            }
            let mut insert = QueryBuilder::new(
                "INSERT INTO identities (customer, external_id, surname, name, msisdn, email, close_contacts) ",
            );
            insert.push_values(chunk.iter().zip(close), |mut row, (identity, close)| {
                row.push_bind(identity.key.0.to_vec())
                    .push_bind(&identity.external_id)
                    .push_bind(&identity.surname)
                    .push_bind(&identity.name)
                    .push_bind(&identity.msisdn)
                    .push_bind(&identity.email)
                    .push_bind(close);
            });
            insert.push(
                " ON CONFLICT (customer) DO UPDATE SET external_id = excluded.external_id, surname = excluded.surname, \
                 name = excluded.name, msisdn = excluded.msisdn, email = excluded.email, \
                 close_contacts = excluded.close_contacts WHERE (external_id, surname, name, msisdn, email, \
                 close_contacts) IS NOT (excluded.external_id, excluded.surname, excluded.name, excluded.msisdn, \
                 excluded.email, excluded.close_contacts)",
            );
            insert.build().execute(&mut *tx).await.during(doing)?;
        }
        tx.commit().await.during(doing)
    }

    /// The identities of some customers; erased or unknown ones are missing.
    pub async fn identities(&self, keys: &[CustomerKey]) -> Result<HashMap<CustomerKey, Identity>, StoreError> {
        let doing = "reading identities";
        let mut found = HashMap::new();
        for chunk in keys.chunks(MAX_BINDS) {
            let mut query = QueryBuilder::new("SELECT * FROM identities WHERE customer IN (");
            let mut list = query.separated(", ");
            for key in chunk {
                list.push_bind(key.0.to_vec());
            }
            list.push_unseparated(")");
            for row in query.build().fetch_all(&self.identities).await.during(doing)? {
                let key = key_of("identities", row.try_get("customer").during(doing)?)?;
                let close: String = row.try_get("close_contacts").during(doing)?;
                let identity = Identity {
                    key,
                    external_id: row.try_get("external_id").during(doing)?,
                    surname: row.try_get("surname").during(doing)?,
                    name: row.try_get("name").during(doing)?,
                    msisdn: row.try_get("msisdn").during(doing)?,
                    email: row.try_get("email").during(doing)?,
                    close_contacts: from_json("identities", key, &close)?,
                };
                found.insert(key, identity);
            }
        }
        Ok(found)
    }

    /// The customers behind numbers.
    pub async fn customers_by_number(&self, numbers: &[String]) -> Result<HashMap<String, CustomerKey>, StoreError> {
        let doing = "matching numbers";
        let mut found = HashMap::new();
        for chunk in numbers.chunks(MAX_BINDS) {
            let mut query = QueryBuilder::new("SELECT msisdn, customer FROM identities WHERE msisdn IN (");
            let mut list = query.separated(", ");
            for number in chunk {
                list.push_bind(number);
            }
            list.push_unseparated(")");
            let rows: Vec<(String, Vec<u8>)> =
                query.build_query_as().fetch_all(&self.identities).await.during(doing)?;
            for (number, bytes) in rows {
                found.insert(number, key_of("identities", &bytes)?);
            }
        }
        Ok(found)
    }
}
