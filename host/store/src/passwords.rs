//! Passwords of persons, as hashes, and how often somebody was wrong about one.

use crate::Store;
use crate::error::{During, StoreError};
use care_domain::audit::Entry;

/// What is kept of a person's password.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    /// In the PHC string format.
    pub hash: String,
    /// Whether it opens nothing but its own change.
    pub once: bool,
    /// How often somebody was wrong since it was last right.
    pub failures: u32,
    /// Until when nobody may try, Unix milliseconds.
    pub locked_until: i64,
}

// Debug output ends in logs.
impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password").field("once", &self.once).finish_non_exhaustive()
    }
}

impl Store {
    /// A person's password.
    pub async fn password(&self, person: &str) -> Result<Option<Password>, StoreError> {
        let row: Option<(String, bool, i64, i64)> =
            sqlx::query_as("SELECT hash, once, failures, locked_until FROM passwords WHERE person = ?")
                .bind(person)
                .fetch_optional(&self.readers)
                .await
                .during("looking a password up")?;
        Ok(row.map(|(hash, once, failures, locked_until)| Password {
            hash,
            once,
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
            locked_until,
        }))
    }

    /// Sets a person's password, and forgets who was wrong about the one before.
    pub async fn set_password(&self, person: &str, hash: &str, once: bool, entry: &Entry) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO passwords (person, hash, once, changed_at) VALUES (?, ?, ?, ?) ON CONFLICT (person) DO UPDATE \
             SET hash = excluded.hash, once = excluded.once, changed_at = excluded.changed_at, failures = 0, \
             locked_until = 0",
        );
        let statement = statement.bind(person).bind(hash).bind(once).bind(entry.at);
        self.change(statement, entry, "setting a password").await.map(|_| ())
    }

    /// Counts a try before it is known whether it is right, so that a hundred at once are a hundred; `false` when nobody
    /// may try now.
    pub async fn try_password(&self, person: &str, now: i64, most: u32, lock_ms: i64) -> Result<bool, StoreError> {
        let doing = "counting a try at a password";
        let mut tx = self.write().await?;
        let counted = sqlx::query(
            "UPDATE passwords SET failures = CASE WHEN failures >= ?2 THEN 1 ELSE failures + 1 END, \
             locked_until = CASE WHEN failures + 1 = ?2 THEN ?3 + ?4 ELSE 0 END WHERE person = ?1 AND locked_until <= ?3",
        )
        .bind(person)
        .bind(i64::from(most))
        .bind(now)
        .bind(lock_ms)
        .execute(&mut *tx)
        .await
        .during(doing)?;
        tx.commit().await.during(doing)?;
        Ok(counted.rows_affected() > 0)
    }

    /// It was right: nobody was wrong about it.
    pub async fn password_was_right(&self, person: &str) -> Result<(), StoreError> {
        let doing = "counting a try at a password";
        let mut tx = self.write().await?;
        sqlx::query("UPDATE passwords SET failures = 0, locked_until = 0 WHERE person = ?")
            .bind(person)
            .execute(&mut *tx)
            .await
            .during(doing)?;
        tx.commit().await.during(doing)
    }
}
