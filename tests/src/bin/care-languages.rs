//! `make bench-languages`: what an activity costs in each language, as the table of `sdk/README.md`. Each project is begun,
//! built, tried on many customers and checked as its author would, with the real program.

use care_tests::{DATE, program};
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LANGUAGES: [(&str, &str, &str); 3] =
    [("rust", "src/lib.rs", "// again\n"), ("js", "activity.js", "// again\n"), ("python", "activity.py", "# again\n")];
const STAGES: [&str; 3] = ["select", "schedule", "compose"];
/// Customers of the sample that are tried, again and again: what disturbs one run does not disturb all.
const CUSTOMERS: usize = 20_000;
const RUNS: usize = 7;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// What an activity costs in a language.
struct Costs {
    language: &'static str,
    bytes: u64,
    /// Processor seconds.
    build: f64,
    check: f64,
    /// By stage: nanoseconds and fuel of a row.
    rows: Vec<(f64, u64)>,
    memory: u64,
    chosen: u64,
}

fn main() -> Fallible<()> {
    let cache = std::env::args().nth(1).ok_or("name the folder of builders and machine code")?;
    let bench = Bench { folder: tempfile::tempdir()?.keep(), cache: PathBuf::from(cache) };
    let mut all: Vec<Costs> = Vec::new();
    for (language, source, again) in LANGUAGES {
        eprintln!("{language}: begun, built twice, checked, tried {RUNS} times");
        match bench.costs(language, source, again) {
            Ok(costs) => all.push(costs),
            Err(error) => eprintln!("{language} IS LEFT OUT: {error}"),
        }
    }
    let _ = fs::remove_dir_all(&bench.folder);
    let first = all.first().ok_or("nothing could be measured")?;
    println!(
        "{CUSTOMERS} made-up customers, {} of them chosen; the least of {RUNS} runs; × is to {}\n",
        first.chosen, first.language
    );
    println!("| | component | build | upload | select, ns a customer | schedule | compose | fuel a row | memory |");
    println!("|---|---|---|---|---|---|---|---|---|");
    all.iter().for_each(|costs| println!("{}", row(costs, first)));
    Ok(())
}

struct Bench {
    folder: PathBuf,
    cache: PathBuf,
}

impl Bench {
    fn costs(&self, language: &'static str, source: &str, again: &str) -> Fallible<Costs> {
        let name = format!("bench-{language}");
        self.care(&["plugin", "new", &name, "--lang", language])?;
        let project = self.folder.join(&name);
        let customers = self.customers(&project.join("customers.csv"))?;
        // The first build compiles the SDK or installs the builder; authors wait for the second again and again.
        self.care(&["plugin", "build", &name])?;
        let path = project.join(source);
        fs::write(&path, fs::read_to_string(&path)? + again)?;
        let (built, build) = timed(|| self.care(&["plugin", "build", &name]))?;
        let component = built["path"].as_str().ok_or("a built component")?.to_owned();
        let (_, check) = timed(|| self.care(&["plugin", "check", &component]))?;
        let tries = (0..RUNS).map(|_| self.tried(&component, &customers)).collect::<Fallible<Vec<Value>>>()?;
        let stage = |at: usize| {
            let a_row = |tried: &Value, what: &str| {
                number(&tried["costs"][at][what]) / number(&tried["costs"][at]["rows"]).max(1.0)
            };
            let least = tries.iter().map(|tried| a_row(tried, "nanoseconds")).fold(f64::INFINITY, f64::min);
            (least, a_row(&tries[0], "fuel") as u64)
        };
        let memory = (0..STAGES.len()).map(|at| number(&tries[0]["costs"][at]["memory_bytes"]) as u64).max();
        Ok(Costs {
            language,
            bytes: fs::metadata(&component)?.len(),
            build,
            check,
            rows: (0..STAGES.len()).map(stage).collect(),
            memory: memory.unwrap_or(0),
            chosen: number(&tries[0]["costs"][2]["rows"]) as u64,
        })
    }

    fn tried(&self, component: &str, customers: &Path) -> Fallible<Value> {
        let customers = customers.display().to_string();
        let args = ["plugin", "simulate", component, "--customers", &customers, "--date", DATE, "--show", "0"];
        let festival = ["--param", "festival=2026-07-31"];
        Ok(self.care(&[&args[..], &festival].concat())?["simulated"].take())
    }

    /// The sample of a new project, again and again under other names.
    fn customers(&self, sample: &Path) -> Fallible<PathBuf> {
        let text = fs::read_to_string(sample)?;
        let (head, rows) = text.split_once('\n').ok_or("a sample with a header")?;
        let rows: Vec<&str> = rows.lines().collect();
        let many: String = (0..CUSTOMERS).map(|at| format!("{at}-{}\n", rows[at % rows.len()])).collect();
        let path = self.folder.join("many.csv");
        fs::write(&path, format!("{head}\n{many}"))?;
        Ok(path)
    }

    fn care(&self, args: &[&str]) -> Fallible<Value> {
        let mut care = Command::new(program());
        let done = care.arg("--json").args(args).current_dir(&self.folder).env("CARE_CACHE", &self.cache).output()?;
        let said = String::from_utf8_lossy(&done.stdout);
        if !done.status.success() {
            return Err(format!("care {args:?}: {said}{}", String::from_utf8_lossy(&done.stderr)).into());
        }
        Ok(serde_json::from_str(&said)?)
    }
}

/// Processor seconds of what is run, its children included.
fn timed<T>(work: impl FnOnce() -> Fallible<T>) -> Fallible<(T, f64)> {
    let before = of_children()?;
    let done = work()?;
    Ok((done, of_children()? - before))
}

/// Processor seconds of all children that ended.
fn of_children() -> Fallible<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // Behind the name: cutime and cstime, in the hundredths of a second that Linux counts them in.
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).ok_or("a process's times");
    Ok((ticks(13)? + ticks(14)?) / 100.0)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(0.0)
}

fn row(of: &Costs, first: &Costs) -> String {
    let times = |is: f64, base: f64, told: String| {
        if of.language == first.language {
            told
        } else {
            format!("{told} ({:.1} ×)", is / base.max(f64::MIN_POSITIVE))
        }
    };
    let stage = |at: usize| times(of.rows[at].0, first.rows[at].0, format!("{:.0}", of.rows[at].0));
    let fuel: Vec<String> = of.rows.iter().map(|(_, fuel)| fuel.to_string()).collect();
    format!(
        "| {} | {} | {:.1} s | {:.1} s | {} | {} | {} | {} | {:.1} MiB |",
        match of.language {
            "rust" => "Rust",
            "js" => "JavaScript",
            _ => "Python",
        },
        times(of.bytes as f64, first.bytes as f64, format!("{} kB", of.bytes / 1_000)),
        of.build,
        of.check,
        stage(0),
        stage(1),
        stage(2),
        fuel.join(", "),
        of.memory as f64 / f64::from(1 << 20)
    )
}
