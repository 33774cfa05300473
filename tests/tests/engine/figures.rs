//! How fast events and touchpoints are, beside what bare parts can do in the same run: `make figures`. Nothing is
//! asserted about time; the figures are printed.

use crate::event_story::without_control;
use crate::support;
use axum::body::Bytes;
use axum::routing::post;
use axum::{Json, Router};
use care_domain::approval::Conditions;
use care_domain::event::EventId;
use care_domain::key::CustomerKey;
use care_domain::time;
use care_engine::{Call, Engine, EventDesk};
use care_tests::{DATE, program};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{QueryBuilder, Sqlite};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const CUSTOMERS: u64 = 200_000;
const SENDERS: usize = 8;
const BATCH: usize = 100;
const RUN: Duration = Duration::from_secs(12);
const CLOCK: &str = "2026-07-29T10:00:00+08:00";
/// Touchpoint requests a second, for so long.
const CALLS: u32 = 200;

/// Serves a router on a free port.
async fn serve(app: Router) -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (tokio::spawn(async move { axum::serve(listener, app).await.expect("served") }), address)
}

/// Events and touchpoints over HTTP as the server takes them, but for the look at the token.
fn host(engine: &Engine) -> Router {
    let at = time::parse_instant(CLOCK).expect("an instant");
    let (desk, sender, agent) = (EventDesk::new(engine.clone()), engine.clone(), engine.clone());
    let events = async move |body: Bytes| {
        let events: Value = serde_json::from_slice(&body).expect("JSON");
        Json(desk.send(&sender, &events, "event-source", at).await.expect("an answer"))
    };
    let touchpoint = async move |Json(call): Json<Call>| {
        let (prompts, shown) = agent.touchpoint(&call, "customer-service", at).await.expect("prompts");
        tokio::spawn(async move { agent.keep_call(&shown).await.expect("kept") });
        Json(prompts)
    };
    Router::new().route("/v1/events", post(events)).route("/v1/touchpoints", post(touchpoint))
}

/// A connection that is kept open; each request is one write, each answer read to its end.
struct Client {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: &str, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: ");
        Self { stream, head, buffer: vec![0; 1 << 16] }
    }

    /// How long the answer took; fails unless it is 200.
    async fn post(&mut self, body: &str) -> Duration {
        let request = format!("{}{}\r\n\r\n{body}", self.head, body.len());
        let began = now();
        self.stream.write_all(request.as_bytes()).await.expect("a request");
        let mut read = 0;
        loop {
            read += self.stream.read(&mut self.buffer[read..]).await.expect("an answer");
            let text = String::from_utf8_lossy(&self.buffer[..read]);
            let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if rest.len() >= length.unwrap_or(0) {
                assert!(head.starts_with("HTTP/1.1 200"), "{text}");
                return began.elapsed();
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is what measures")]
fn now() -> Instant {
    Instant::now()
}

fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |d| d.as_secs_f64() * 1_000.0)
}

fn told(what: &str, events: usize, took: Duration, mut each: Vec<Duration>) {
    each.sort_unstable();
    println!(
        "{what}: {:.0} a second; p50 {:.1} ms, p99 {:.1} ms, {} requests",
        events as f64 / took.as_secs_f64(),
        percentile(&each, 0.50),
        percentile(&each, 0.99),
        each.len()
    );
}

/// A tenth arrives somewhere, a tenth dials long distance, the others pay: two in ten are told to an activity.
fn bodies(
    sender: usize,
    customers: &[CustomerKey],
    size: usize,
    first: usize,
) -> impl Iterator<Item = String> + use<'_> {
    let at = time::write_instant(time::parse_instant(CLOCK).expect("an instant") - 1_000);
    (first..).map(move |request| {
        let events: Vec<Value> = (0..size)
            .map(|i| {
                let number = (request * size + i) * SENDERS + sender;
                let (kind, data) = match number % 10 {
                    0 => ("roaming-entered", json!({"visited-adcode": "110000"})),
                    1 => ("long-distance-dialled", json!({})),
                    _ => ("topped-up", json!({"amount": 5_000})),
                };
                // Spread, so that neighbours in a batch are no neighbours among customers.
                let who = customers[(number * 7_919) % customers.len()];
                json!({"specversion": "1.0", "source": "bench", "id": number.to_string(), "type": kind,
                       "subject": who.to_string(), "time": at, "data": data})
            })
            .collect();
        Value::Array(events).to_string()
    })
}

async fn load(address: &str, customers: Arc<Vec<CustomerKey>>, size: usize) -> (usize, Duration, Vec<Duration>) {
    let began = now();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (address, customers) = (address.to_owned(), Arc::clone(&customers));
        senders.push(tokio::spawn(async move {
            let mut client = Client::connect(&address, "/v1/events").await;
            let mut each = Vec::new();
            // Sizes apart, or the second run would repeat the first one's ids.
            let first = if size == BATCH { 0 } else { 1_000_000 };
            for body in bodies(sender, &customers, size, first) {
                each.push(client.post(&body).await);
                if began.elapsed() > RUN {
                    return each;
                }
            }
            each
        }));
    }
    let mut all = Vec::new();
    for sender in senders {
        all.extend(sender.await.expect("a sender"));
    }
    (all.len() * size, began.elapsed(), all)
}

/// A handler that reads the body and answers.
async fn bare_axum(customers: Arc<Vec<CustomerKey>>) {
    let app = Router::new().route("/v1/events", post(async |body: Bytes| body.len().to_string()));
    let (server, address) = serve(app).await;
    let (events, took, each) = load(&address, customers, BATCH).await;
    told("bound: bare axum handler, events in requests of 100", events, took, each);
    server.abort();
}

/// The rows that a batch of 1,000 events cannot do without: its blob and its ids, committed durably.
async fn bare_sqlite(folder: &Path) {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a database");
    for statement in [
        "CREATE TABLE batches (number INTEGER PRIMARY KEY, events BLOB NOT NULL)",
        "CREATE TABLE ids (id BLOB PRIMARY KEY, batch INTEGER NOT NULL) WITHOUT ROWID",
    ] {
        sqlx::query(statement).execute(&pool).await.expect("a table");
    }
    let blob = vec![b'x'; 200 * 1_000];
    let (began, mut each, mut number) = (now(), Vec::new(), 0i64);
    while began.elapsed() < RUN {
        let one = now();
        number += 1;
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
        sqlx::query("INSERT INTO batches VALUES (?, ?)")
            .bind(number)
            .bind(&blob)
            .execute(&mut *tx)
            .await
            .expect("a batch");
        let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new("INSERT INTO ids (id, batch) ");
        insert.push_values(0..1_000, |mut row, i| {
            row.push_bind(EventId::of("bare", &format!("{number} {i}")).0.to_vec()).push_bind(number);
        });
        insert.build().execute(&mut *tx).await.expect("ids");
        tx.commit().await.expect("a commit");
        each.push(one.elapsed());
    }
    told("bound: bare SQLite, one blob and 1,000 ids a commit, events", number as usize * 1_000, began.elapsed(), each);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures for a minute: make figures"]
async fn figures_of_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), CUSTOMERS).await;
    without_control(&engine).await;
    for activity in ["roaming-tariff", "balance-reminder"] {
        support::approved(&engine, activity, &Conditions::default()).await;
        support::started(&engine, activity, json!({})).await;
    }
    let keys = Arc::new(support::customers_of_all(&engine).await);
    println!("{} customers, {SENDERS} senders and the server on the same cores", keys.len());
    bare_axum(Arc::clone(&keys)).await;
    bare_sqlite(folder.path()).await;
    let (server, address) = serve(host(&engine)).await;
    for (what, size) in
        [("events accepted, decided and committed, 100 a request", BATCH), ("the same, one a request", 1)]
    {
        let (events, took, each) = load(&address, Arc::clone(&keys), size).await;
        told(what, events, took, each);
    }
    server.abort();
    let last = engine.event_batch(None).await.expect("a batch");
    let replayed = engine.replay_events(last.number).await.expect("a replay");
    println!(
        "{} batches; the last one of {} events and {} decisions replays: {}",
        last.number, replayed.events, replayed.decisions, replayed.same
    );
    assert!(replayed.same);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures for a minute: make figures"]
async fn figures_of_the_touchpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), CUSTOMERS).await;
    without_control(&engine).await;
    for (activity, campaigns) in [("balance-reminder", 1), ("points-expiry", 7), ("green-bill", 7), ("birthday", 5)] {
        support::approved(&engine, activity, &Conditions::default()).await;
        for i in 0..campaigns {
            let params = match activity {
                "points-expiry" => json!({"floor": 500 + i}),
                "green-bill" => json!({"abnormal_change": 0.3 + f64::from(i) / 100.0}),
                "birthday" => json!({"send_hour": 9 + i}),
                _ => json!({}),
            };
            support::started(&engine, activity, params).await;
        }
    }
    let keys = Arc::new(support::customers_of_all(&engine).await);
    let (_server, address) = serve(host(&engine)).await;
    let mut client = Client::connect(&address, "/v1/touchpoints").await;
    let call =
        |i: usize| json!({"customer": keys[i * 7_919 % keys.len()].to_string(), "channel": "hotline", "topic": "bill"});
    for i in 0..50 {
        client.post(&call(i).to_string()).await;
    }
    let mut plan = Command::new(program());
    plan.env("CARE_CLOCK", CLOCK)
        .arg("--data")
        .arg(folder.path())
        .args(["--as", "operator", "--json", "plan", "run", "--date", DATE]);
    let mut plan = plan.stdout(Stdio::null()).spawn().expect("care runs");
    let (began, mut answers) = (now(), Vec::new());
    let (mut i, mut during) = (50usize, 0usize);
    let mut tick = tokio::time::interval(Duration::from_secs(1) / CALLS);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let idle = Arc::new(tokio::sync::Mutex::new(vec![client]));
    while began.elapsed() < RUN {
        tick.tick().await;
        i += 1;
        if plan.try_wait().expect("its state").is_none() {
            during += 1;
        }
        let (idle, body) = (Arc::clone(&idle), call(i).to_string());
        let address = address.clone();
        answers.push(tokio::spawn(async move {
            let kept = idle.lock().await.pop();
            let mut client = match kept {
                Some(client) => client,
                None => Client::connect(&address, "/v1/touchpoints").await,
            };
            let took = client.post(&body).await;
            idle.lock().await.push(client);
            took
        }));
    }
    let mut each = Vec::new();
    for answer in answers {
        each.push(answer.await.expect("an answer"));
    }
    told("touchpoint, 20 campaigns, requests", each.len(), began.elapsed(), each);
    println!("{during} of them while a plan over {CUSTOMERS} customers ran in another process");
    let _ = plan.wait();
}
