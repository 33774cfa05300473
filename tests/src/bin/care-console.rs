//! `make bench-console`: the first byte of every page of the console, and its size, beside that of `/healthz` in the same
//! run, with an activity for each of the 33 entries of the catalogue, 100 campaigns and a million contacts in the store.
//! The contacts are planned by the program itself, with a real activity under 33 names that speaks to nearly everybody.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has failed")]

#[path = "../../tests/cli/care.rs"]
#[allow(dead_code, reason = "the stories use the rest")]
mod care;

use care::{AUTHOR, CARE, Care, OPERATOR, PROVINCE, text};
use care_domain::catalogue::CATEGORIES;
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_tests::{DATE, EVENING, plugin};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// So soon the first byte must be there, at the 95th of a hundred.
const GOAL: Duration = Duration::from_millis(100);
/// So many bytes may a page have.
const MOST_BYTES: usize = 100_000;
/// Each page is asked so often.
const RUNS: usize = 40;
/// Made so many, contacts are a million and some.
const CUSTOMERS: &str = "30000";
const CONTACTS: u64 = 1_000_000;
const CAMPAIGNS: usize = 100;
/// Days before points lapse at which a campaign speaks of them: one campaign each.
const REMINDERS: [&str; 4] = ["reminders=[365]", "reminders=[200]", "reminders=[120]", "reminders=[60]"];
/// Campaigns of which outcomes are known.
const EVALUATED: usize = 5;

fn main() -> ExitCode {
    let care = Care::with_customers(1_000);
    let campaigns = started(&care);
    // Of another seed, so that it is another snapshot than the one that approvals stand on.
    let generate = ["population", "generate", "--customers", CUSTOMERS, "--seed", "2", "--date", DATE];
    care.ok(OPERATOR, &generate);
    let planned = care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    let contacts = planned["added"].as_u64().expect("a count");
    println!("{} campaigns, {contacts} contacts planned", campaigns.len());
    assert!(contacts >= CONTACTS, "{contacts} contacts are no million: make more customers");
    let sent = care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    println!("{} of them sent", sent["sent"]);
    for campaign in campaigns.iter().take(EVALUATED) {
        let csv = text(&care.path("outcomes.csv"));
        care.ok(OPERATOR, &["outcome", "simulate", campaign, "--from", EVENING, "--out", &csv]);
        care.ok(OPERATOR, &["outcome", "import", &csv]);
        care.ok(PROVINCE, &["evaluate", campaign, "--keep"]);
    }
    let pages = pages(&care, &campaigns[0], planned["plan"].as_str().expect("an id"));
    let server = Server::start(&care);
    let mut sound = true;
    println!("{:<40} {:>9} {:>9} {:>9} {:>9} {:>8}", "page", "p50 ms", "p95 ms", "max ms", "healthz", "bytes");
    for (role, path) in pages {
        let token = care.ok("administrator", &["token", "new", role, "--role", role, "--region", "350000"]);
        let cookie = format!("care_language=zh; care_session={}", token["secret"].as_str().expect("a secret"));
        sound &= measured(&server, &cookie, &path);
    }
    println!(
        "every first byte within {} ms, every page under {MOST_BYTES} bytes: {}",
        GOAL.as_millis(),
        if sound { "yes" } else { "NO" }
    );
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An activity for each entry of the catalogue, approved; campaigns of them.
fn started(care: &Care) -> Vec<String> {
    let entries: Vec<&str> = CATEGORIES.iter().flat_map(|category| category.entries).map(|entry| entry.name).collect();
    for entry in &entries {
        approve(care, entry);
    }
    let each = REMINDERS.into_iter().flat_map(|reminder| entries.iter().map(move |entry| (*entry, reminder)));
    each.take(CAMPAIGNS)
        .map(|(entry, reminder)| {
            let start = ["campaign", "start", entry, "--param", reminder, "--param", "floor=1"];
            care.ok(OPERATOR, &start)["campaign"].as_str().expect("an id").to_owned()
        })
        .collect()
}

/// Uploads the reminder of points under the name of an entry, and approves it.
fn approve(care: &Care, entry: &str) {
    let component = std::fs::read(plugin("points-expiry")).expect("a plugin");
    let manifest = manifest_bytes(&component).expect("a component").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["name"] = entry.into();
    manifest["catalogue"] = json!([entry]);
    let renamed = with_manifest(&component, manifest.to_string().as_bytes()).expect("a component");
    let file = care.file(&format!("{entry}.wasm"), renamed);
    let number = care.ok(AUTHOR, &["plugin", "push", &file, "--key", &care.key()])["submission"].to_string();
    care.ok(PROVINCE, &["submission", "simulate", &number]);
    care.ok(PROVINCE, &["submission", "approve", &number, "--tick", CARE]);
}

/// Every page, with a role that may open it.
fn pages(care: &Care, campaign: &str, plan: &str) -> Vec<(&'static str, String)> {
    let (_, message) = care.outbox().swap_remove(0);
    let customer = message["customer"].as_str().expect("an id").to_owned();
    let fixed = [
        (PROVINCE, "/console"),
        (PROVINCE, "/console/overview"),
        (PROVINCE, "/console/activities"),
        (PROVINCE, "/console/activities/ring-back-tone"),
        (PROVINCE, "/console/submissions"),
        (PROVINCE, "/console/submissions/1"),
        (OPERATOR, "/console/campaigns"),
        (OPERATOR, "/console/plans"),
        (PROVINCE, "/console/catalogue"),
        (PROVINCE, "/console/needs"),
        (PROVINCE, "/console/findings"),
        ("customer-service", "/console/calls/windows"),
        ("customer-service", "/console/calls"),
        ("administrator", "/console/users"),
        ("administrator", "/console/tokens"),
        ("administrator", "/console/keys"),
        (PROVINCE, "/console/switches"),
        ("auditor", "/console/audit"),
    ];
    let mut pages: Vec<(&str, String)> = fixed.into_iter().map(|(role, path)| (role, path.to_owned())).collect();
    pages.push((OPERATOR, format!("/console/campaigns/{campaign}")));
    pages.push((OPERATOR, format!("/console/campaigns/{campaign}/evaluation")));
    pages.push((OPERATOR, format!("/console/campaigns/{campaign}/evaluation?by=tier")));
    pages.push((OPERATOR, format!("/console/plans/{plan}")));
    pages.push(("customer-service", format!("/console/customers?q={customer}")));
    pages
}

/// Asks for a page again and again, and each time for `/healthz` as well; whether it is as it must be.
fn measured(server: &Server, cookie: &str, path: &str) -> bool {
    let (mut took, mut healthy, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        let (first_byte, size) = server.asked(path, cookie);
        took.push(first_byte);
        bytes = bytes.max(size);
        healthy.push(server.asked("/healthz", "").0);
    }
    took.sort();
    healthy.sort();
    let ms = |of: &[Duration], part: usize| of[(of.len() * part / 100).min(of.len() - 1)].as_secs_f64() * 1e3;
    println!(
        "{:<40} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {bytes:>8}",
        path.chars().take(40).collect::<String>(),
        ms(&took, 50),
        ms(&took, 95),
        ms(&took, 100),
        ms(&healthy, 50)
    );
    ms(&took, 95) <= GOAL.as_secs_f64() * 1e3 && bytes < MOST_BYTES
}

/// A server that ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(care: &Care) -> Self {
        let mut command = care.command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--requests-per-second", "1000000"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("care runs");
        let mut said = BufReader::new(child.stderr.take().expect("its words"));
        let mut line = String::new();
        said.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("care listens on http://").expect("its address").to_owned();
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, address }
    }

    /// How long the first byte took, and how many came.
    fn asked(&self, path: &str, cookie: &str) -> (Duration, usize) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let begun = now();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n",
            self.address
        )
        .expect("a request");
        let mut first = [0; 1];
        stream.read_exact(&mut first).expect("a first byte");
        let took = begun.elapsed();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the rest");
        let head = String::from_utf8_lossy(&rest[..rest.len().min(64)]).into_owned();
        assert!(head.starts_with("TTP/1.1 200"), "{path}: H{head}");
        (took, rest.len())
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reports time")]
fn now() -> Instant {
    Instant::now()
}
