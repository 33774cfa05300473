//! Public halves of branch keys.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::audit::Entry;

/// A branch's key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BranchKey {
    /// The first 16 digits of the SHA-256 of the public half.
    pub id: String,
    /// Ed25519, 64 hexadecimal digits.
    pub public: String,
    /// Whose it is: four eyes count the owner as one who wrote what it signed.
    pub owner: String,
    /// Where it may vouch.
    pub region: String,
    /// When it was registered, Unix milliseconds.
    pub added_at: i64,
    /// When it was revoked, if it was.
    pub revoked_at: Option<i64>,
    /// Why.
    pub revoked_because: Option<String>,
}

impl Store {
    /// Keeps a key; `false` when it is known already.
    pub async fn add_key(&self, key: &BranchKey, entry: &Entry) -> Result<bool, StoreError> {
        let doing = "registering a branch key";
        let statement = sqlx::query(
            "INSERT INTO branch_keys (id, public, owner, region, added_at) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&key.id)
        .bind(&key.public)
        .bind(&key.owner)
        .bind(&key.region)
        .bind(key.added_at);
        self.change(statement, entry, doing).await
    }

    /// Revokes a key for the entry's reason; `false` when it was before.
    pub async fn revoke_key(&self, id: &str, entry: &Entry) -> Result<bool, StoreError> {
        let doing = "revoking a branch key";
        let statement = sqlx::query(
            "UPDATE branch_keys SET revoked_at = ?, revoked_because = ? WHERE id = ? AND revoked_at IS NULL",
        )
        .bind(entry.at)
        .bind(&entry.reason)
        .bind(id);
        self.change(statement, entry, doing).await
    }

    /// All keys, by owner.
    pub async fn keys(&self) -> Result<Vec<BranchKey>, StoreError> {
        type Row = (String, String, String, String, i64, Option<i64>, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, public, owner, region, added_at, revoked_at, revoked_because FROM branch_keys ORDER BY owner, id",
        )
        .fetch_all(&self.readers)
        .await
        .during("reading branch keys")?;
        let one = |(id, public, owner, region, added_at, revoked_at, revoked_because): Row| BranchKey {
            id,
            public,
            owner,
            region,
            added_at,
            revoked_at,
            revoked_because,
        };
        Ok(rows.into_iter().map(one).collect())
    }
}
