//! What can go wrong with the store.

use sqlx::migrate::MigrateError;
use std::path::PathBuf;

/// A failure of the store. The cause is in `source()`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or broke.
    #[error("the database failed while {doing}; check the disk and that the data folder is writable")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        source: sqlx_error::Opaque,
    },
    /// Another process held the database for longer than anybody waits.
    #[error("another process held the database too long while {doing}")]
    Locked {
        /// What was being done.
        doing: &'static str,
    },
    /// The disk has no space left.
    #[error("no space was left on the disk while {doing}")]
    Full {
        /// What was being done.
        doing: &'static str,
    },
    /// A file could not be read or written.
    #[error("{path}: {doing} failed")]
    File {
        /// Which file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// A stored value that this program never writes.
    #[error("{table} holds an impossible {what} ({key}); it was changed from outside or by a newer version")]
    Impossible {
        /// Which table.
        table: &'static str,
        /// Which value.
        what: &'static str,
        /// Which row.
        key: String,
    },
    /// A file whose content is not what its name says.
    #[error("blob {digest} was changed on disk; restore it from a backup or upload it again")]
    Tampered {
        /// The digest that its name promises.
        digest: String,
    },
    /// A rule that the database itself keeps.
    #[error("the database refused it: {rule}")]
    Rule {
        /// The rule's code: `four-eyes`, `decided-once`, `append-only`.
        rule: &'static str,
    },
    /// A folder that a newer version of the program has brought forward.
    #[error("the data folder has schema {found}, and this program knows {known} at most")]
    Newer {
        /// The schema that it has.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Another process or person was first.
    #[error("{what} exists already")]
    Exists {
        /// What.
        what: String,
    },
}

/// Keeps sqlx out of the public types while its message stays readable as a cause.
mod sqlx_error {
    /// An error of the database driver.
    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    pub struct Opaque(pub(super) Box<dyn std::error::Error + Send + Sync>);
}

const RULES: [&str; 3] = ["four-eyes", "decided-once", "append-only"];

impl StoreError {
    pub(crate) fn migrating(error: MigrateError, known: i64) -> Self {
        if let MigrateError::VersionMissing(found) = error
            && found > known
        {
            return Self::Newer { found, known };
        }
        if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
            return said(error, "bringing its tables up to date");
        }
        Self::Database {
            doing: "bringing its tables up to date (a folder of a newer version cannot be opened by an older one)",
            source: sqlx_error::Opaque(Box::new(error)),
        }
    }

    pub(crate) fn impossible(table: &'static str, what: &'static str, key: impl ToString) -> Self {
        Self::Impossible { table, what, key: key.to_string() }
    }
}

pub(crate) trait During<T> {
    /// Says what was being done when the database failed.
    fn during(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| said(error, doing))
    }
}

fn said(error: sqlx::Error, doing: &'static str) -> StoreError {
    if let sqlx::Error::Database(refusal) = &error {
        if let Some(rule) = RULES.into_iter().find(|r| refusal.message().contains(r)) {
            return StoreError::Rule { rule };
        }
        match refusal.code().as_deref().map(primary) {
            Some(Ok(SQLITE_BUSY | SQLITE_LOCKED)) => return StoreError::Locked { doing },
            Some(Ok(SQLITE_FULL)) => return StoreError::Full { doing },
            _ => {}
        }
        if refusal.is_unique_violation() {
            return StoreError::Exists { what: format!("the entry ({doing})") };
        }
    }
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return StoreError::Locked { doing };
    }
    StoreError::Database { doing, source: sqlx_error::Opaque(Box::new(error)) }
}

const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_FULL: u32 = 13;

/// SQLite's primary result code out of the extended one.
fn primary(code: &str) -> Result<u32, std::num::ParseIntError> {
    code.parse::<u32>().map(|extended| extended & 0xff)
}
