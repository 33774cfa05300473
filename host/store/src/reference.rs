//! What plans read beside the ledger: snapshots, reference tables and named lists.

use crate::error::{During, StoreError};
use crate::{MAX_BINDS, Store};
use care_domain::audit::Entry;
use care_domain::key::{Bucket, CustomerKey};
use sqlx::QueryBuilder;
use std::collections::{BTreeMap, HashSet};

/// A snapshot as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Its id: the name of its folder.
    pub id: String,
    /// Business date in days.
    pub business_date: i32,
    /// Customers.
    pub customers: i64,
    /// Who imported it.
    pub imported_by: String,
    /// When, Unix milliseconds.
    pub imported_at: i64,
}

/// A named list of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedList {
    /// Kebab-case name; plugins read it as field `list.<name>`.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Last business date on which it may be used, in days.
    pub expires_on: i32,
    /// Digest of its members.
    pub digest: String,
}

impl Store {
    /// Keeps a snapshot; the same again changes nothing.
    pub async fn add_snapshot(&self, row: &SnapshotRow, entry: &Entry) -> Result<(), StoreError> {
        let doing = "keeping a snapshot";
        let mut tx = self.write().await?;
        let added = sqlx::query(
            "INSERT INTO snapshots (id, business_date, customers, imported_by, imported_at) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(&row.id)
        .bind(row.business_date)
        .bind(row.customers)
        .bind(&row.imported_by)
        .bind(row.imported_at)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        if added.rows_affected() == 1 {
            self.audit(&mut tx, entry).await?;
        }
        tx.commit().await.during(doing)
    }

    /// All snapshots, newest business date first, then newest import.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotRow>, StoreError> {
        let rows: Vec<(String, i32, i64, String, i64)> = sqlx::query_as(
            "SELECT id, business_date, customers, imported_by, imported_at FROM snapshots \
             ORDER BY business_date DESC, imported_at DESC, rowid DESC",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading snapshots")?;
        let row = |(id, business_date, customers, imported_by, imported_at)| SnapshotRow {
            id,
            business_date,
            customers,
            imported_by,
            imported_at,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Points a reference table's name at a blob.
    pub async fn set_table(&self, name: &str, digest: &str, entry: &Entry) -> Result<(), StoreError> {
        let doing = "keeping a reference table";
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO reference_tables (name, digest, imported_by, imported_at) VALUES (?, ?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, imported_by = excluded.imported_by, \
             imported_at = excluded.imported_at",
        )
        .bind(name)
        .bind(digest)
        .bind(&entry.person)
        .bind(entry.at)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)
    }

    /// Digests of the reference tables by name.
    pub async fn tables(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT name, digest FROM reference_tables")
            .fetch_all(&self.readers)
            .await
            .during("reading reference tables")?;
        Ok(rows.into_iter().collect())
    }

    /// Replaces a named list and its members.
    pub async fn set_list(&self, list: &NamedList, members: &[CustomerKey], entry: &Entry) -> Result<(), StoreError> {
        let doing = "keeping a named list";
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM named_lists WHERE name = ?").bind(&list.name).execute(&mut *tx).await.during(doing)?;
        sqlx::query("INSERT INTO named_lists (name, owner, expires_on, digest, imported_at) VALUES (?, ?, ?, ?, ?)")
            .bind(&list.name)
            .bind(&list.owner)
            .bind(list.expires_on)
            .bind(&list.digest)
            .bind(entry.at)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        for chunk in members.chunks(MAX_BINDS / 2) {
            let mut insert = QueryBuilder::new("INSERT INTO named_list_members (list, customer) ");
            insert.push_values(chunk, |mut row, member| {
                row.push_bind(&list.name).push_bind(member.0.to_vec());
            });
            insert.push(" ON CONFLICT DO NOTHING");
            insert.build().execute(&mut *tx).await.during(doing)?;
        }
        self.audit(&mut tx, entry).await?;
        tx.commit().await.during(doing)
    }

    /// All named lists.
    pub async fn lists(&self) -> Result<Vec<NamedList>, StoreError> {
        let rows: Vec<(String, String, i32, String)> =
            sqlx::query_as("SELECT name, owner, expires_on, digest FROM named_lists ORDER BY name")
                .fetch_all(&self.readers)
                .await
                .during("reading named lists")?;
        Ok(rows
            .into_iter()
            .map(|(name, owner, expires_on, digest)| NamedList { name, owner, expires_on, digest })
            .collect())
    }

    /// The members of a list that fall into a bucket.
    pub async fn list_members(&self, name: &str, bucket: Bucket) -> Result<HashSet<CustomerKey>, StoreError> {
        let (low, high) = bucket.bounds();
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT customer FROM named_list_members WHERE list = ? AND customer BETWEEN ? AND ?")
                .bind(name)
                .bind(low.0.to_vec())
                .bind(high.0.to_vec())
                .fetch_all(&self.readers)
                .await
                .during("reading a named list")?;
        rows.iter().map(|bytes| key_of("named_list_members", bytes)).collect()
    }
}

pub(crate) fn key_of(table: &'static str, bytes: &[u8]) -> Result<CustomerKey, StoreError> {
    let key = <[u8; 16]>::try_from(bytes).map_err(|_| StoreError::impossible(table, "customer key", bytes.len()))?;
    Ok(CustomerKey(key))
}
