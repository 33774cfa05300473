//! The demonstration: five activities through the whole loop over a made-up population, by the real program.
//! It calls `care` as a user would, leaves `report.json`, and prints what came out.

mod report;

use anyhow::{Context, bail};
use clap::Parser;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The business date on which every activity has targets.
const DATE: &str = "2026-07-29";
/// When it is prepared and decided.
const MORNING: &str = "2026-07-29T08:00:00+08:00";
/// When the day's contacts go out: after the last planned instant of the day, before quiet hours.
const DISPATCH_AT: &str = "2026-07-29T20:30:00+08:00";
/// The activities, with the parameters in which the demonstration differs from their defaults.
const ACTIVITIES: [(&str, &[&str]); 5] = [
    ("birthday", &["call_vip=true"]),
    ("balance-reminder", &[]),
    ("green-bill", &[]),
    ("disaster-response", &["onset=2026-07-28"]),
    ("points-expiry", &[]),
];
/// Pseudonyms of the demonstration: the same people every time. A real installation draws its own.
const DEMO_KEY: &str = "64656d6f2d64656d6f2d64656d6f2d64656d6f2d64656d6f2d64656d6f2d6465";

#[derive(Parser)]
struct Args {
    /// The program.
    #[arg(long)]
    care: PathBuf,
    /// The folder of built plugins.
    #[arg(long)]
    plugins: PathBuf,
    /// Where to leave data and report.
    #[arg(long)]
    out: PathBuf,
    /// How many customers to make up.
    #[arg(long, default_value_t = 200_000)]
    customers: u64,
}

/// The program on one data folder.
struct Care<'a> {
    program: &'a Path,
    data: PathBuf,
}

impl Care<'_> {
    /// Runs a command as somebody; its JSON answer.
    fn run(&self, who: &str, args: &[&str]) -> anyhow::Result<Value> {
        let output = Command::new(self.program)
            .args(["--json", "--clock", MORNING, "--as", who, "--data"])
            .arg(&self.data)
            .args(args)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("{} does not run", self.program.display()))?;
        let text = String::from_utf8(output.stdout)?;
        if !output.status.success() {
            bail!("care {} was refused: {text}", args.join(" "));
        }
        serde_json::from_str(&text).with_context(|| format!("care {} answered no JSON: {text}", args.join(" ")))
    }
}

#[allow(clippy::disallowed_methods, reason = "the demonstration reports how long it took")]
fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let started = Instant::now();
    let data = args.out.join("data");
    if data.exists() {
        fs::remove_dir_all(&data).context("clearing the last demonstration")?;
    }
    fs::create_dir_all(&args.out)?;
    let key = args.out.join("pseudonym.key");
    fs::write(&key, DEMO_KEY)?;
    let care = Care { program: &args.care, data };
    prepare(&care, &key, args.customers)?;
    let campaigns = approve(&care, &args.plugins)?;
    step(&format!("deciding for {} customers, all five activities in one pass", args.customers));
    care.run("operator", &["plan", "run", "--date", DATE])?;
    step("sending what is due by the evening");
    care.run("operator", &["dispatch", "--at", DISPATCH_AT])?;
    let evaluations = measure(&care, &args.out, &campaigns)?;
    let plan = care.run("operator", &["plan", "show"])?;
    let report = report::build(args.customers, &plan, &evaluations, started.elapsed().as_secs_f64(), peak_rss_mb());
    let path = args.out.join("report.json");
    fs::write(&path, serde_json::to_vec_pretty(&report)?)?;
    println!("{}", report::told(&report));
    println!("report: {}", path.display());
    println!("ask about one customer: {} --data {} why FJ000000011", args.care.display(), care.data.display());
    Ok(())
}

fn step(what: &str) {
    eprintln!("· {what}");
}

fn prepare(care: &Care<'_>, key: &Path, customers: u64) -> anyhow::Result<()> {
    let key = key.to_string_lossy();
    care.run("administrator", &["init", "--rehearsal", "--pseudonym-key", &key])?;
    step(&format!("making up {customers} customers"));
    let customers = customers.to_string();
    care.run("operator", &["population", "generate", "--customers", &customers, "--seed", "1", "--date", DATE])?;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (csv, schema) = (examples.join("disaster-areas.csv"), examples.join("disaster-areas.toml"));
    let (csv, schema) = (csv.to_string_lossy(), schema.to_string_lossy());
    care.run("operator", &["table", "import", "disaster-areas", &csv, "--schema", &schema])?;
    Ok(())
}

/// Uploads as the branch, approves as the province, starts as the operator. Returns the campaigns.
fn approve(care: &Care<'_>, plugins: &Path) -> anyhow::Result<Vec<String>> {
    let mut campaigns = Vec::new();
    for (name, params) in ACTIVITIES {
        step(&format!("{name}: the branch uploads, the province simulates and approves, the operator starts"));
        let file = plugins.join(format!("{name}.wasm"));
        let key = care.data.join("keys/branch-author.key");
        let push = ["plugin", "push", &file.to_string_lossy(), "--key", &key.to_string_lossy()];
        let pushed = care.run("branch-author", &push)?;
        let number = pushed["submission"].to_string();
        care.run("provincial-approver", &["submission", "simulate", &number])?;
        care.run("provincial-approver", &["submission", "approve", &number, "--tick", "proactive,customer-oriented"])?;
        let mut start = vec!["campaign", "start", name];
        start.extend(params.iter().flat_map(|param| ["--param", *param]));
        let started = care.run("operator", &start)?;
        campaigns.push(started["campaign"].as_str().unwrap_or_default().to_owned());
    }
    Ok(campaigns)
}

/// Makes up outcomes, records them, evaluates.
fn measure(care: &Care<'_>, out: &Path, campaigns: &[String]) -> anyhow::Result<Vec<Value>> {
    step("making up plausible outcomes, recording them, measuring the effect");
    let mut evaluations = Vec::new();
    for campaign in campaigns {
        let csv = out.join(format!("outcomes-{campaign}.csv"));
        let csv = csv.to_string_lossy();
        care.run("operator", &["outcome", "simulate", campaign, "--from", DISPATCH_AT, "--out", &csv])?;
        care.run("operator", &["outcome", "import", &csv])?;
        evaluations.push(care.run("operator", &["evaluate", campaign])?);
    }
    Ok(evaluations)
}

/// The highest resident memory of any `care` process so far, in MiB.
#[allow(unsafe_code, reason = "getrusage has no safe wrapper here; it fills the struct it is given")]
fn peak_rss_mb() -> u64 {
    // SAFETY: an all-zero rusage is valid, and the call writes only into it.
    let kib = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage.ru_maxrss
    };
    u64::try_from(kib).unwrap_or(0) / 1024
}
