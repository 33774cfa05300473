//! Processes are killed with SIGKILL at random moments and started again, until plans are released and sent. Whatever
//! the moments were: the same contacts go out as undisturbed, each once, decided by the same bytes.
//!
//! Short messages go to a recording gateway by requests, which takes each key once; the other channels to the outbox,
//! where a batch is one file under its own name. Whatever reached them is there to be counted. The moments come from a
//! seed, which is printed; what a process was doing at its moment depends on the machine.

use crate::care::{Care, OPERATOR};
use crate::recorder::Recorder;
use care_domain::time::{parse_instant, write_instant};
use care_store::Store;
use care_tests::EVENING;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What is to be done.
pub(crate) struct CrashLoop {
    /// Kills.
    pub(crate) kills: u32,
    /// From which the moments come.
    pub(crate) seed: u64,
    /// Customers; some 64,000 make a bucket.
    pub(crate) customers: u32,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Processes killed.
    pub(crate) kills: u32,
    /// Contacts that an undisturbed run sends, and this one did not.
    pub(crate) lost: u64,
    /// Contacts that the gateway got more than once.
    pub(crate) twice: u64,
    /// Contacts that an undisturbed run does not send.
    pub(crate) foreign: u64,
    /// Rounds from plan to gateway.
    pub(crate) rounds: u32,
    /// Rounds that ended with other states, decision logs or figures than an undisturbed run.
    pub(crate) differing: u32,
}

/// What a run left behind.
#[derive(Debug, PartialEq)]
struct Left {
    /// How often the gateway has each contact.
    sent: BTreeMap<String, u64>,
    states: BTreeMap<String, String>,
    /// Digest of each bucket's decision log.
    logs: BTreeMap<u32, String>,
    /// `care plan show`.
    shown: Value,
}

/// Two processes on one plan, and two that send.
const PROCESSES: usize = 2;
/// A process that is started again believes that so much time went by: what the dead one held comes free in the end.
const STEP_MS: i64 = 5_000;
/// After this, nothing of a dead dispatcher is held: leases are a minute, intents less.
const ALL_FREE_MS: i64 = 90_000;

impl CrashLoop {
    /// Runs it; `tell` is told of every round.
    pub(crate) async fn run(&self, tell: &dyn Fn(&str)) -> Outcome {
        let care = Care::with_campaigns(self.customers);
        let gateway = Recorder::start();
        configure(&care, &gateway);
        let undisturbed = care.copy("undisturbed");
        let plan_time = timed(|| ran(&undisturbed, &plan(0)));
        let send_time = timed(|| ran(&undisturbed, &dispatch(0)));
        sweep(&undisturbed, 0);
        let golden = left(&undisturbed, &gateway).await;
        tell(&format!(
            "seed {}: {} contacts of {} customers; undisturbed, the plan takes {} ms and its dispatch {} ms",
            self.seed,
            golden.sent.len(),
            self.customers,
            plan_time.as_millis(),
            send_time.as_millis()
        ));
        let mut killer = Killer { random: Random(self.seed), left: self.kills };
        let mut outcome = Outcome::default();
        while killer.left > 0 {
            outcome.rounds += 1;
            let round = care.copy(&format!("round-{}", outcome.rounds));
            let before = killer.left;
            let planning = killer.until_done(&round, &plan, plan_time);
            let sending = killer.until_done(&round, &dispatch, send_time);
            sweep(&round, sending.len());
            let ended = left(&round, &gateway).await;
            outcome.compare(&golden, &ended);
            tell(&format!(
                "round {}: killed {} times; planning after {planning:?} ms, sending after {sending:?} ms; {} contacts sent",
                outcome.rounds,
                before - killer.left,
                ended.sent.len()
            ));
            std::fs::remove_dir_all(round.data()).expect("the round's folder goes");
        }
        outcome.kills = self.kills - killer.left;
        outcome
    }
}

impl Outcome {
    fn compare(&mut self, golden: &Left, ended: &Left) {
        self.lost += golden.sent.keys().filter(|id| !ended.sent.contains_key(*id)).count() as u64;
        self.foreign += ended.sent.keys().filter(|id| !golden.sent.contains_key(*id)).count() as u64;
        self.twice += ended.sent.values().map(|times| times - 1).sum::<u64>();
        let same = (&golden.states, &golden.logs, &golden.shown) == (&ended.states, &ended.logs, &ended.shown);
        self.differing += u32::from(!same);
    }

    /// Whether it is as it must be.
    pub(crate) fn is_sound(&self) -> bool {
        (self.lost, self.twice, self.foreign, self.differing) == (0, 0, 0, 0)
    }
}

/// Kills so many more processes.
struct Killer {
    random: Random,
    left: u32,
}

impl Killer {
    /// Runs a command in two processes at once, each killed at a random moment and started again until it comes to its
    /// end. Returns the moments, in milliseconds.
    fn until_done(&mut self, care: &Care, args: &dyn Fn(usize) -> Vec<String>, usual: Duration) -> Vec<u128> {
        let mut moments = Vec::new();
        let mut running: Vec<Running> = (0..PROCESSES).map(|_| self.start(care, &args(0), usual)).collect();
        while !running.is_empty() {
            sleep(Duration::from_millis(2));
            for mut process in std::mem::take(&mut running) {
                if let Some(status) = process.child.try_wait().expect("a child's state") {
                    let log = std::fs::read_to_string(care.path("said")).unwrap_or_default();
                    assert_eq!(status.code(), Some(0), "care {:?} failed: {log}", args(moments.len()));
                } else if self.left > 0 && process.started.elapsed() >= process.dies_after {
                    process.child.kill().expect("a signal");
                    process.child.wait().expect("its end");
                    moments.push(process.started.elapsed().as_millis());
                    self.left -= 1;
                    running.push(self.start(care, &args(moments.len()), usual));
                } else {
                    running.push(process);
                }
            }
        }
        moments
    }

    fn start(&mut self, care: &Care, args: &[String], usual: Duration) -> Running {
        let said = std::fs::File::create(care.path("said")).expect("a file");
        let mut command = care.command();
        command.args(["--json", "--as", OPERATOR]).args(args);
        command.stdout(said.try_clone().expect("the same file")).stderr(said);
        // Somewhat beyond its usual end, so that some come to it.
        let dies_after = usual.mul_f64(self.random.share() * 1.3);
        Running { child: command.spawn().expect("care runs"), started: now(), dies_after }
    }
}

/// Short messages go to the recording gateway, and are tried again until it answers.
fn configure(care: &Care, gateway: &Recorder) {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    std::fs::write(care.data().join("keys/recorder.secret"), secret).expect("a secret");
    let config = format!(
        "[sms.retry]\nattempts = 100\nbase_ms = 10\nmost_ms = 50\n[sms.webhook]\nurl = \"{}\"\n\
         secret_file = \"keys/recorder.secret\"\nresponse_ms = 5000\n",
        gateway.url()
    );
    care.ok("administrator", &["gateway", "set", &care.file("gateways.toml", config)]);
}

fn plan(_: usize) -> Vec<String> {
    ["plan", "run", "--workers", "1", "--lease", "20"].map(str::to_owned).to_vec()
}

/// Dispatch as the process sees it that was started after so many had died.
fn dispatch(died: usize) -> Vec<String> {
    dispatch_at(died as i64 * STEP_MS)
}

fn dispatch_at(after_ms: i64) -> Vec<String> {
    let evening = parse_instant(EVENING).expect("an instant");
    ["dispatch".to_owned(), "--at".to_owned(), write_instant(evening + after_ms)].to_vec()
}

/// Dispatch when everything that dead ones held is free: once to take it over, once to send what waited for that.
fn sweep(care: &Care, died: usize) {
    for time in [1, 2] {
        ran(care, &dispatch_at(died as i64 * STEP_MS + time * ALL_FREE_MS));
    }
}

fn ran(care: &Care, args: &[String]) {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    care.ok(OPERATOR, &args);
}

struct Running {
    child: Child,
    started: Instant,
    dies_after: Duration,
}

/// SplitMix64: the same seed gives the same moments.
struct Random(u64);

impl Random {
    /// Evenly from 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

async fn left(care: &Care, gateway: &Recorder) -> Left {
    let (states, logs) = traces(care.data()).await;
    let mut sent = gateway.take();
    assert!(!sent.is_empty(), "short messages go by the recording gateway");
    for (_, line) in care.outbox() {
        *sent.entry(line["contact"].as_str().expect("an id").to_owned()).or_default() += 1;
    }
    care.ok("auditor", &["audit", "verify"]);
    Left { sent, states, logs, shown: care.ok(OPERATOR, &["plan", "show"]) }
}

/// Every contact with its state, and the digest of each bucket's decision log.
pub(crate) async fn traces(data: &Path) -> (BTreeMap<String, String>, BTreeMap<u32, String>) {
    let store = Store::open(data).await.expect("the store");
    let states = store.contact_states().await.expect("contacts");
    let states = states.into_iter().map(|(id, state)| (id.to_string(), state.name().to_owned())).collect();
    let plans = store.plans().await.expect("plans");
    assert_eq!(plans.len(), 1, "resuming makes no second plan");
    let tasks = store.tasks(&plans[0].id).await.expect("tasks");
    (states, tasks.into_iter().map(|(bucket, done)| (bucket, done.expect("every bucket is done").log)).collect())
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = now();
    work();
    begun.elapsed()
}

#[allow(clippy::disallowed_methods, reason = "when to kill depends on it, and nothing else")]
fn now() -> Instant {
    Instant::now()
}
