//! `make bench-size`: one million and ten million made-up customers, ten activities, one plan that is killed in the middle
//! and resumed, and the first minute of its dispatch, which takes batch after batch. Prints what each process of `care` took at its worst (VmHWM of /proc), and how ten
//! millions compare with one: memory must not grow with the population.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has failed")]

#[path = "../../tests/cli/care.rs"]
#[allow(dead_code, reason = "the stories use the rest")]
mod care;

use care::{AUTHOR, CARE, Care, OPERATOR, PROVINCE};
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_store::Store;
use care_tests::{ACTIVITIES, DATE, EVENING, plugin};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// So much may a process take, in kB.
const MOST_KB: u64 = 1 << 20;
/// So much more may ten millions take than one.
const MOST_GROWTH: f64 = 1.3;
/// The plan is killed when so many of its tasks are done.
const MIDDLE: f64 = 0.4;

/// What a process took.
struct Took {
    process: &'static str,
    peak_kb: u64,
    seconds: f64,
    /// The longest time without a word of progress.
    silence: f64,
    lines: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let sizes: Vec<u64> = std::env::args().skip(1).map(|n| n.parse().expect("numbers of customers")).collect();
    let sizes = if sizes.is_empty() { vec![1_000_000, 10_000_000] } else { sizes };
    let mut columns: Vec<Vec<Took>> = Vec::new();
    for customers in &sizes {
        columns.push(measured(*customers).await);
    }
    told(&sizes, &columns)
}

/// The table, and whether it is as it must be.
fn told(sizes: &[u64], columns: &[Vec<Took>]) -> ExitCode {
    let mut sound = true;
    for (customers, took) in sizes.iter().zip(columns) {
        println!("{customers} customers, ten activities:");
        for Took { process, peak_kb, seconds, silence, lines } in took {
            println!(
                "  {process:<18} {:>5} MB, {seconds:>6.1} s, {lines} lines of progress, silent for {silence:.1} s at most",
                peak_kb / 1024
            );
            sound &= *peak_kb < MOST_KB;
        }
    }
    // The first size against the last, command by command: at a million, a plan that is killed at two fifths has hardly
    // begun, and one that is resumed has little left.
    if let ([first, .., last], [from, .., to]) = (columns, sizes) {
        for command in ["generate", "plan", "dispatch"] {
            let growth = worst(last, command) / worst(first, command);
            println!("{command:<18} {to} against {from}: {growth:.2} times the memory");
            sound &= growth < MOST_GROWTH;
        }
    }
    println!(
        "every process under {} MB and within {MOST_GROWTH} times: {}",
        MOST_KB / 1024,
        if sound { "yes" } else { "NO" }
    );
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The most that any process of a command took.
fn worst(took: &[Took], command: &str) -> f64 {
    let of = took.iter().filter(|took| took.process.starts_with(command));
    of.map(|took| took.peak_kb).max().expect("a process of every command") as f64
}

async fn measured(customers: u64) -> Vec<Took> {
    let care = Care::with_customers(1_000);
    for (name, params) in ACTIVITIES {
        for copy in ["", "-again"] {
            start(&care, name, copy, params);
        }
    }
    let mut all = Vec::new();
    let count = customers.to_string();
    // Of another seed, so that it is another snapshot than the one that approvals stand on, also at the same size.
    let generate = ["population", "generate", "--customers", &count, "--seed", "2", "--date", DATE];
    all.push(watched("generate", spawned(&care, &generate), |_| false));
    let newest = care.ok(OPERATOR, &["population", "show"])["snapshots"].take();
    let snapshots = newest.as_array().expect("snapshots");
    let snapshot = snapshots.iter().find(|s| s["customers"] == customers).expect("the snapshot")["id"].clone();
    let snapshot = snapshot.as_str().expect("an id").to_owned();
    let plan = ["plan", "run", "--snapshot", &snapshot];
    let store = Store::open(care.data()).await.expect("the store");
    let handle = tokio::runtime::Handle::current();
    let half_done =
        |_: &Child| tokio::task::block_in_place(|| handle.block_on(async { done_share(&store).await >= MIDDLE }));
    all.push(watched("plan, killed", spawned(&care, &plan), half_done));
    let status = care.ok(OPERATOR, &["plan", "status"]);
    println!("killed with {} of {} tasks done", status["tasks_done"], status["tasks"]);
    all.push(watched("plan, resumed", spawned(&care, &plan), |_| false));
    let shown = care.ok(OPERATOR, &["plan", "show"]);
    assert_eq!((&shown["released"], &shown["customers"]), (&true.into(), &customers.into()), "{shown}");
    println!("{} candidates: {}", shown["totals"]["candidates"], shown["totals"]["verdicts"]);
    let begun = now();
    let minute = |_: &Child| begun.elapsed() > Duration::from_secs(60);
    all.push(watched("dispatch", spawned(&care, &["dispatch", "--at", EVENING]), minute));
    all
}

/// The share of the newest plan's tasks that are done.
async fn done_share(store: &Store) -> f64 {
    let plans = store.plans().await.expect("plans");
    let Some(plan) = plans.first() else { return 0.0 };
    let (done, _) = store.tasks_done(&plan.id).await.expect("a count");
    done as f64 / f64::from(1_u32 << plan.pins.bucket_bits)
}

/// Uploads a real activity, under another name where `copy` says so, approves and starts it.
fn start(care: &Care, name: &str, copy: &str, params: &[&str]) {
    let component = std::fs::read(plugin(name)).expect("a plugin");
    let manifest = manifest_bytes(&component).expect("a component").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let name = format!("{name}{copy}");
    manifest["name"] = name.as_str().into();
    let renamed = with_manifest(&component, manifest.to_string().as_bytes()).expect("a component");
    let file = care.file(&format!("{name}.wasm"), renamed);
    let pushed = care.ok(AUTHOR, &["plugin", "push", &file, "--key", &care.key()]);
    let number = pushed["submission"].to_string();
    care.ok(PROVINCE, &["submission", "simulate", &number]);
    care.ok(PROVINCE, &["submission", "approve", &number, "--tick", CARE]);
    let params = params.iter().flat_map(|param| ["--param", *param]);
    let start: Vec<&str> = ["campaign", "start", &name].into_iter().chain(params).collect();
    care.ok(OPERATOR, &start);
}

fn spawned(care: &Care, args: &[&str]) -> Child {
    let mut command = care.command();
    command.args(["--as", OPERATOR]).args(args).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("care runs")
}

/// Watches a process to its end, or until it is to be killed.
fn watched(process: &'static str, mut child: Child, dies: impl Fn(&Child) -> bool) -> Took {
    let stderr = BufReader::new(child.stderr.take().expect("its words"));
    let words = std::thread::spawn(move || {
        let (mut lines, mut silence, mut last) = (0, 0_f64, now());
        for line in stderr.lines() {
            silence = silence.max(last.elapsed().as_secs_f64());
            (lines, last) = (lines + 1, now());
            println!("  {}", line.expect("a line"));
        }
        (lines, silence.max(last.elapsed().as_secs_f64()))
    });
    let (begun, mut peak_kb) = (now(), 0);
    let status = format!("/proc/{}/status", child.id());
    let killed = loop {
        peak_kb = std::fs::read_to_string(&status).ok().and_then(|s| peak_of(&s)).map_or(peak_kb, |kb| kb.max(peak_kb));
        if let Some(status) = child.try_wait().expect("a child's state") {
            assert!(status.success(), "{process} failed");
            break false;
        }
        if dies(&child) {
            child.kill().expect("a signal");
            child.wait().expect("its end");
            break true;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let seconds = begun.elapsed().as_secs_f64();
    let (lines, silence) = words.join().expect("its words");
    println!("{process}: {} MB, {seconds:.1} s{}", peak_kb / 1024, if killed { ", killed" } else { "" });
    Took { process, peak_kb, seconds, silence, lines }
}

fn peak_of(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reports time")]
fn now() -> Instant {
    Instant::now()
}
