//! What an installation remembers: SQLite through sqlx, and content-addressed files beside it.
//! No sqlx type leaves this crate, and no rule of the domain lives here except those the database must enforce.

mod activations;
mod audit;
mod backup;
mod blobs;
mod campaigns;
mod carried;
mod contacts;
mod desk;
mod disasters;
mod dispatch;
mod due;
mod effect;
mod erasure;
mod error;
mod events;
mod experiments;
mod export;
mod fallback;
mod figures;
mod gate;
mod hooks;
mod identity;
mod keys;
mod ledger;
mod outcomes;
mod packed;
mod passwords;
mod people;
mod plans;
mod policies;
mod prompts;
mod receipts;
mod reference;
mod registry;
mod requests;
mod retention;
mod sending;
mod simulations;
mod staff;
mod tasks;
mod tokens;
mod work;

pub use activations::Activation;
pub use audit::HeadSigner;
pub use backup::known_schema;
pub use blobs::Blobs;
pub use campaigns::Campaign;
pub use carried::Carried;
pub use contacts::{ContactProgress, History, NewContact, NewControl, StoredContact};
pub use desk::{CallingWindow, HandingOut, NewResult, WorkFigures, Worked};
pub use disasters::Disaster;
pub use dispatch::{Batch, Settled, Waiting};
pub use effect::{KeptEvaluation, Notice, OutcomeCount, SentCount};
pub use erasure::Erased;
pub use error::StoreError;
pub use events::{EventBatch, EventCommit, EventName, EventsCommitted, Recent, Unclaimed};
pub use experiments::{Assignment, Experiment, ImportedCampaign, Registered};
pub use export::Cursor;
pub use figures::{ContactsOf, Figures};
pub use hooks::{Delivery, Hook, Tried};
pub use keys::BranchKey;
pub use ledger::ContactQuery;
pub use outcomes::{Cancel, Fate, NewOutcome, OutcomeLine, Recorded, Subject, Wish};
pub use passwords::Password;
pub use people::Thrown;
pub use plans::{CalledOff, Cut, Halt, Known, Plan, PlanState, Release};
pub use policies::{CalendarRow, PolicyVersion};
pub use prompts::{CallRecord, PromptAnswer, PromptDocument, PromptKept, PromptRecord, Seen};
pub use receipts::{Delivered, Heard, LastSent, ReceiptsNoted};
pub use reference::{NamedList, SnapshotRow};
pub use registry::{Grant, StoredSubmission, Version};
pub use requests::{Begun, KeptAnswer, Keyed};
pub use retention::{OldContacts, RetentionRun};
pub use sending::{Answered, DeadLetter, Intent, Leased, Leasing, Since};
pub use simulations::Simulation;
pub use staff::{Aside, NewAside, Staff};
pub use tasks::{Attempt, CommitStep, Committed, Held, Lease, TaskCommit, TaskRow};
pub use tokens::Token;
pub use work::{StandingCount, StandingWork, WorkQuery};

use contacts::Categories;
use error::During;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlSafeStr};
use sqlx::{Sqlite, Transaction};
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

const READERS: u32 = 4;
/// How long a database that another process writes to is waited for, unless told otherwise.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// So many writers of one process may wait behind each other, each as long as another process is waited for.
const QUEUE: u32 = 10;
/// SQLite takes 32,766 values in a statement.
const MAX_BINDS: usize = 32_766;

/// Schema changes by number, in their order; one that was ever released is never edited or renumbered. A number may be
/// missing: what was built beside each other lands in any order.
const STATE_MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../migrations/0001_start.sql")),
    (2, include_str!("../migrations/0002_gate.sql")),
    (3, include_str!("../migrations/0003_governance.sql")),
    (4, include_str!("../migrations/0004_policy.sql")),
    (5, include_str!("../migrations/0005_tasks.sql")),
    (6, include_str!("../migrations/0006_channels.sql")),
    (7, include_str!("../migrations/0007_effect.sql")),
    (8, include_str!("../migrations/0008_access.sql")),
    (9, include_str!("../migrations/0009_events.sql")),
    (10, include_str!("../migrations/0010_requests.sql")),
    (11, include_str!("../migrations/0011_passwords.sql")),
    (12, include_str!("../migrations/0012_work.sql")),
    (13, include_str!("../migrations/0013_told_and_kept.sql")),
    (14, include_str!("../migrations/0014_event_names.sql")),
    (16, include_str!("../migrations/0016_calls_forgotten.sql")),
    (17, include_str!("../migrations/0017_ramp.sql")),
];
const IDENTITY_MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../identity-migrations/0001_start.sql")),
    (2, include_str!("../identity-migrations/0002_staff.sql")),
    (3, include_str!("../identity-migrations/0003_erased.sql")),
];

/// An open store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    identities: SqlitePool,
    blobs: Blobs,
    signer: Option<HeadSigner>,
    categories: Arc<RwLock<Arc<Categories>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("blobs", &self.blobs).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in a data folder, creating what is missing and migrating forward.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_patiently(folder, PATIENCE).await
    }

    /// The same; a database that another process writes to is waited for so long.
    pub async fn open_patiently(folder: &Path, patience: Duration) -> Result<Self, StoreError> {
        let state = options(&folder.join("care.db"), patience);
        let writer = pool(for_writing(state.clone()), 1, patience).await?;
        migrate(&writer, STATE_MIGRATIONS).await?;
        let readers = pool(state.read_only(true), READERS, patience).await?;
        let identities = pool(for_writing(options(&folder.join("identities.db"), patience)), 1, patience).await?;
        migrate(&identities, IDENTITY_MIGRATIONS).await?;
        let blobs = Blobs::new(folder.join("blobs"));
        let store = Self { writer, readers, identities, blobs, signer: None, categories: Arc::default() };
        store.end_identities().await?;
        Ok(store)
    }

    /// The content-addressed files: components and reference tables.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await.map(|_| ()).during("asking the database")
    }

    /// The last sequence number given out: the high-water mark.
    pub async fn mark(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT last FROM sequence").fetch_one(&self.readers).await.during("reading the mark")
    }

    /// A write transaction that takes the write lock at once, so that waiting for it respects the busy timeout.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.during("starting to write")
    }
}

/// Takes `count` sequence numbers; returns the first.
async fn take_seq(tx: &mut Transaction<'static, Sqlite>, count: usize) -> Result<i64, StoreError> {
    let count = count as i64;
    let last: i64 = sqlx::query_scalar("UPDATE sequence SET last = last + ? RETURNING last")
        .bind(count)
        .fetch_one(&mut **tx)
        .await
        .during("numbering ledger lines")?;
    Ok(last - count + 1)
}

async fn migrate(pool: &SqlitePool, scripts: &[(i64, &'static str)]) -> Result<(), StoreError> {
    let migrations = scripts
        .iter()
        .map(|(n, sql)| Migration::new(*n, "".into(), MigrationType::Simple, (*sql).into_sql_str(), false))
        .collect();
    let known = scripts.iter().map(|(number, _)| *number).max().unwrap_or(0);
    Migrator::with_migrations(migrations).run(pool).await.map_err(|error| StoreError::migrating(error, known))
}

fn options(file: &Path, patience: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(patience)
        // A slow insert of thousands of rows would be told with all of its text.
        .disable_statement_logging()
}

/// What is written in no order (contact ids, numbers) touches many pages again and again: 64 MB of them stay in memory,
/// and the journal is folded in when it has grown as long. Both are fixed, whatever the size of the population.
fn for_writing(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("cache_size", "-65536").pragma("wal_autocheckpoint", "16384")
}

/// `patience` bounds how long another process is waited for. Whoever waits for this process's own writers waits longer:
/// they move, however slow the disk is, and each of them gives up by itself.
async fn pool(options: SqliteConnectOptions, size: u32, patience: Duration) -> Result<SqlitePool, StoreError> {
    // A connection to a file need not be renewed; and sqlx 0.9.0's task that would close old ones may run on for ever, so
    // that the process never ends (launchbadge/sqlx#3645). Without either bound there is no such task.
    let pool = SqlitePoolOptions::new().max_connections(size).idle_timeout(None).max_lifetime(None);
    let pool = pool.acquire_timeout(patience * QUEUE).acquire_slow_threshold(patience);
    pool.connect_with(options).await.during("opening the database")
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_domain::governance::Submission;

    /// What the first schema held: a version that waits, one that was approved and runs, one that was refused.
    const BEFORE: &str = r#"
        INSERT INTO activities VALUES ('birthday', 'birthday');
        INSERT INTO versions VALUES ('a', 'birthday', '1.0.0', '{"owner_region":"350000"}', 'lin', 1),
            ('b', 'birthday', '1.1.0', '{"owner_region":"350000"}', 'lin', 2),
            ('c', 'birthday', '1.2.0', '{"owner_region":"350000"}', 'lin', 3);
        INSERT INTO submissions (id, component, state, document, author) VALUES
            (1, 'a', 'submitted', '{"state":"submitted","author":{"person":"lin","at":1}}', 'lin'),
            (2, 'b', 'submitted', '{"state":"submitted","author":{"person":"lin","at":2}}', 'lin'),
            (3, 'c', 'submitted', '{"state":"submitted","author":{"person":"lin","at":3}}', 'lin');
        UPDATE submissions SET state = 'approved', decider = 'xu', approval = '{}', approval_digest = 'd',
            document = '{"state":"approved","author":{"person":"lin","at":1},"approver":{"person":"xu","at":4},"approval":"d"}'
            WHERE id = 1;
        UPDATE submissions SET state = 'rejected', decider = 'xu',
            document = '{"state":"rejected","author":{"person":"lin","at":3},"reviewer":{"person":"xu","at":5},"reason":"too long"}'
            WHERE id = 3;
        INSERT INTO campaigns VALUES ('birthday-1', 'birthday', '*', 'a', 'd', '{}', 'active', 'operator', 6);
        INSERT INTO contacts VALUES (x'00', 1, 'p', 'birthday-1', 'birthday', 'a', x'01', 'care', 1, 0.5, 'r', 1, 1,
            'customer', 0, 't', 'sms', 'zh', '{}', 7, 8, 'sent', NULL);
    "#;

    /// An upgrade may begin anywhere: every schema that ever was is brought forward, and what was in it stays.
    #[tokio::test]
    async fn every_earlier_schema_is_brought_forward_and_a_newer_one_is_refused() {
        for known in 1..STATE_MIGRATIONS.len() {
            let folder = tempfile::tempdir().expect("a folder");
            let writer =
                pool(options(&folder.path().join("care.db"), PATIENCE), 1, PATIENCE).await.expect("a database");
            migrate(&writer, &STATE_MIGRATIONS[..known]).await.expect("an earlier schema");
            sqlx::raw_sql("INSERT INTO wishes VALUES (1, x'00', '{}', 7)").execute(&writer).await.expect("a row");
            writer.close().await;
            let store = Store::open(folder.path()).await.expect("brought forward");
            let at: i64 = sqlx::query_scalar("SELECT at FROM wishes").fetch_one(&store.readers).await.expect("the row");
            assert_eq!(at, 7, "from schema {}", STATE_MIGRATIONS[known - 1].0);
        }
        let folder = tempfile::tempdir().expect("a folder");
        drop(Store::open(folder.path()).await.expect("a new one"));
        let writer = pool(options(&folder.path().join("care.db"), PATIENCE), 1, PATIENCE).await.expect("a database");
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (9999, '', 1, x'00', 0)";
        sqlx::raw_sql(newer).execute(&writer).await.expect("a row of tomorrow");
        writer.close().await;
        let refused = Store::open(folder.path()).await.map(|_| ()).expect_err("a newer one");
        assert!(matches!(refused, StoreError::Newer { found: 9999, .. }), "{refused:?}");
    }

    /// What one of before told apart by a hash, its log tells by name.
    #[tokio::test]
    async fn events_of_before_are_known_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let writer = pool(options(&folder.path().join("care.db"), PATIENCE), 1, PATIENCE).await.expect("a database");
        let before = STATE_MIGRATIONS.iter().position(|(number, _)| *number == 14).expect("the change");
        migrate(&writer, &STATE_MIGRATIONS[..before]).await.expect("an earlier schema");
        let batch = r#"
            INSERT INTO event_worlds VALUES ('w', '{}');
            INSERT INTO event_batches (instant, mark, world, person, events, decisions, limits) VALUES
                (1, 0, 'w', 'p', CAST('[{"source":"s","id":"1"},{"source":"t","id":"1"}]' AS BLOB), x'', '{}'),
                (2, 0, 'w', 'p', CAST('[{"source":"s","id":"2"}]' AS BLOB), x'', '{}');
            INSERT INTO event_ids VALUES (x'00', 1), (x'01', 1), (x'02', 2);
        "#;
        sqlx::raw_sql(batch).execute(&writer).await.expect("batches of before");
        writer.close().await;
        let store = Store::open(folder.path()).await.expect("brought forward");
        let names = [("s", "1"), ("s", "3"), ("t", "1"), ("t", "2"), ("s", "2"), ("u", "1")];
        assert_eq!(store.known_events(&names).await.expect("an answer"), [0, 2, 4].into());
        assert_eq!(store.last_event_batch().await.expect("a number"), 2);
    }

    #[tokio::test]
    async fn an_installation_of_before_the_gate_is_brought_forward_and_nothing_unsigned_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let writer = pool(options(&folder.path().join("care.db"), PATIENCE), 1, PATIENCE).await.expect("a database");
        migrate(&writer, &STATE_MIGRATIONS[..1]).await.expect("the first schema");
        sqlx::raw_sql(BEFORE).execute(&writer).await.expect("rows of before");
        writer.close().await;
        let store = Store::open(folder.path()).await.expect("the same folder, brought forward");
        let documents: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT id, state, document FROM submissions ORDER BY id")
                .fetch_all(&store.readers)
                .await
                .expect("submissions");
        let states: Vec<(i64, &str)> = documents.iter().map(|(id, state, _)| (*id, state.as_str())).collect();
        assert_eq!(states, [(1, "provincial-review"), (2, "provincial-review"), (3, "rejected")]);
        for (_, state, document) in &documents {
            let submission: Submission = serde_json::from_str(document).expect("the state machine's own value");
            assert_eq!((submission.state(), submission.author().person.as_str()), (state.as_str(), "lin"));
        }
        let campaigns = store.campaigns().await.expect("campaigns");
        assert!(!campaigns[0].active, "its approval was not signed");
        let contacts: Vec<(String, String)> =
            sqlx::query_as("SELECT state, region FROM contacts").fetch_all(&store.readers).await.expect("contacts");
        assert_eq!(contacts, [("sent".to_owned(), String::new())]);
    }
}
