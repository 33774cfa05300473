//! Tokens of programs: what a request must show instead of a person at a terminal. Only the hash is kept.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::audit::Entry;
use care_domain::person::{Appointment, Role};

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Token {
    /// The first 8 digits of its hash: how people speak of it.
    pub id: String,
    /// For whom it acts, as what and where.
    #[serde(flatten)]
    pub acts_as: Appointment,
    /// Who made it.
    pub made_by: String,
    /// When, Unix milliseconds.
    pub made_at: i64,
    /// From when on it is worth nothing.
    pub expires_at: i64,
    /// When it was revoked, if it was.
    pub revoked_at: Option<i64>,
}

impl Token {
    /// Whether it still opens anything.
    pub fn holds_at(&self, now: i64) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

const COLUMNS: &str = "SELECT id, person, role, region, made_by, made_at, expires_at, revoked_at FROM tokens";

type Row = (String, String, String, String, String, i64, i64, Option<i64>);

impl Store {
    /// Keeps a token under the SHA-256 of its secret.
    pub async fn add_token(&self, token: &Token, hash: &[u8; 32], entry: &Entry) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO tokens (id, hash, person, role, region, made_by, made_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&token.id)
        .bind(hash.to_vec())
        .bind(&token.acts_as.person)
        .bind(token.acts_as.role.name())
        .bind(&token.acts_as.region)
        .bind(&token.made_by)
        .bind(token.made_at)
        .bind(token.expires_at);
        self.change(statement, entry, "keeping a token").await.map(|_| ())
    }

    /// Revokes a token; `false` when there is none of that id, or it was revoked before.
    pub async fn revoke_token(&self, id: &str, entry: &Entry) -> Result<bool, StoreError> {
        let statement = sqlx::query("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
        self.change(statement.bind(entry.at).bind(id), entry, "revoking a token").await
    }

    /// The token of a hash.
    pub async fn token(&self, hash: &[u8; 32]) -> Result<Option<Token>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE hash = ?"));
        let row: Option<Row> =
            sqlx::query_as(sql).bind(hash.to_vec()).fetch_optional(&self.readers).await.during("looking a token up")?;
        row.map(token_of).transpose()
    }

    /// All tokens, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY made_at DESC, id"));
        let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(&self.readers).await.during("reading tokens")?;
        rows.into_iter().map(token_of).collect()
    }
}

fn token_of((id, person, role, region, made_by, made_at, expires_at, revoked_at): Row) -> Result<Token, StoreError> {
    let role = Role::from_name(&role).ok_or_else(|| StoreError::impossible("tokens", "role", &id))?;
    Ok(Token { id, acts_as: Appointment { person, role, region }, made_by, made_at, expires_at, revoked_at })
}
