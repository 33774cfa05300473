//! Copies of the databases while they are used, and whether they are sound.

use crate::error::{During, StoreError};
use crate::{IDENTITY_MIGRATIONS, STATE_MIGRATIONS, Store};
use std::path::Path;

impl Store {
    /// Writes both databases into a folder, each as it stood at one moment, while others go on writing.
    pub async fn copy_databases(&self, folder: &Path) -> Result<(), StoreError> {
        let doing = "copying a database";
        for (pool, name) in [(&self.readers, "care.db"), (&self.identities, "identities.db")] {
            let to = folder.join(name).display().to_string();
            sqlx::query("VACUUM INTO ?").bind(to).execute(pool).await.during(doing)?;
        }
        Ok(())
    }

    /// What SQLite finds wrong with both databases; nothing when they are sound.
    pub async fn unsound(&self) -> Result<Vec<String>, StoreError> {
        let doing = "checking the databases";
        let mut found = Vec::new();
        for pool in [&self.readers, &self.identities] {
            let lines: Vec<String> =
                sqlx::query_scalar("PRAGMA quick_check(20)").fetch_all(pool).await.during(doing)?;
            found.extend(lines.into_iter().filter(|line| line != "ok"));
        }
        Ok(found)
    }

    /// Digests of everything that the database says lies in `blobs/`.
    pub async fn blob_digests(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT code FROM versions UNION SELECT digest FROM reference_tables UNION SELECT digest FROM calendars \
             UNION SELECT evidence FROM simulations",
        )
        .fetch_all(&self.readers)
        .await
        .during("listing files")
    }
}

/// The newest schema that this program knows: of the state, and of the identities.
pub fn known_schema() -> (i64, i64) {
    let newest = |migrations: &[(i64, &str)]| migrations.iter().map(|(number, _)| *number).max().unwrap_or(0);
    (newest(STATE_MIGRATIONS), newest(IDENTITY_MIGRATIONS))
}
