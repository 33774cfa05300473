//! A database as an earlier schema kept it: what today's program wrote, row by row, in tables that the released scripts make
//! up to that schema. Tables and columns of later are left behind, since the program of then had none.

use care_domain::event::EventId;
use care_tests::repository;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::path::{Path, PathBuf};

/// The released scripts of a folder of `host/store`, by the number of the schema that each leads to.
pub(crate) fn scripts(folder: &str) -> Vec<(i64, PathBuf)> {
    let files = crate::care::entries(&repository().join("host/store").join(folder));
    let number = |file: &Path| file.file_name()?.to_str()?.split('_').next()?.parse().ok();
    files.into_iter().map(|file| (number(&file).expect("a number"), file)).collect()
}

/// Puts `care.db` of a data folder back to a schema, and `identities.db` to the one before the newest.
pub(crate) fn bring_back(data: &Path, schema: i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        back(&data.join("care.db"), "migrations", schema).await;
        let identities = scripts("identity-migrations");
        back(&data.join("identities.db"), "identity-migrations", identities[identities.len() - 2].0).await;
    });
}

async fn back(database: &Path, folder: &str, schema: i64) {
    let earlier = database.with_extension("earlier");
    let options = SqliteConnectOptions::new().filename(&earlier).create_if_missing(true).foreign_keys(false);
    let mut db = options.connect().await.expect("an empty database");
    for (_, script) in scripts(folder).into_iter().filter(|(number, _)| *number <= schema) {
        run(&mut db, &std::fs::read_to_string(script).expect("a script")).await;
    }
    run(&mut db, &format!("ATTACH DATABASE '{}' AS today", database.display())).await;
    // Triggers watch over what the program does, not over this.
    let triggers: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'")
            .fetch_all(&mut db)
            .await
            .expect("triggers");
    for (name, _) in &triggers {
        run(&mut db, &format!("DROP TRIGGER main.{name}")).await;
    }
    for table in tables(&mut db).await {
        copy(&mut db, &table).await;
    }
    numbers(&mut db).await;
    for (_, sql) in &triggers {
        run(&mut db, sql).await;
    }
    known_scripts(&mut db, schema).await;
    if schema < 14 && folder == "migrations" {
        event_ids(&mut db).await;
    }
    db.close().await.expect("closed");
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", database.display()));
        if file.exists() {
            std::fs::remove_file(file).expect("what is of today goes");
        }
    }
    std::fs::rename(earlier, database).expect("the earlier one takes its place");
}

async fn run(db: &mut SqliteConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await;
    done.unwrap_or_else(|error| panic!("{error} in {sql}"));
}

async fn tables(db: &mut SqliteConnection) -> Vec<String> {
    sqlx::query_scalar("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .fetch_all(db)
        .await
        .expect("tables")
}

async fn copy(db: &mut SqliteConnection, table: &str) {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_info(?1, 'main') \
         WHERE name IN (SELECT name FROM pragma_table_info(?1, 'today'))",
    )
    .bind(table)
    .fetch_all(&mut *db)
    .await
    .expect("columns");
    if columns.is_empty() {
        return;
    }
    let columns = columns.join(", ");
    run(
        db,
        &format!("DELETE FROM main.{table}; INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}"),
    )
    .await;
}

/// The last numbers that were given out.
async fn numbers(db: &mut SqliteConnection) {
    let numbered: Option<i64> = sqlx::query_scalar("SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'")
        .fetch_optional(&mut *db)
        .await
        .expect("an answer");
    if numbered.is_some() {
        let own = "SELECT name FROM main.sqlite_master WHERE type = 'table'";
        let sql = format!(
            "DELETE FROM main.sqlite_sequence; INSERT INTO main.sqlite_sequence \
             SELECT name, seq FROM today.sqlite_sequence WHERE name IN ({own})"
        );
        run(db, &sql).await;
    }
}

/// Which scripts were run, as sqlx notes it.
async fn known_scripts(db: &mut SqliteConnection, schema: i64) {
    let sql: String = sqlx::query_scalar("SELECT sql FROM today.sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *db)
        .await
        .expect("the table");
    run(db, &sql).await;
    let rows =
        format!("INSERT INTO main._sqlx_migrations SELECT * FROM today._sqlx_migrations WHERE version <= {schema}");
    run(db, &rows).await;
}

/// Before schema 14 an event was known again by a hash of its source and id.
async fn event_ids(db: &mut SqliteConnection) {
    let names: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT s.source, n.id, n.batch FROM today.event_names n JOIN today.event_sources s ON s.number = n.source",
    )
    .fetch_all(&mut *db)
    .await
    .expect("names");
    for (source, id, batch) in names {
        sqlx::query("INSERT INTO main.event_ids (id, batch) VALUES (?, ?)")
            .bind(EventId::of(&source, &id).0.to_vec())
            .bind(batch)
            .execute(&mut *db)
            .await
            .expect("an id");
    }
}
