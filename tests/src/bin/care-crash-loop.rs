//! `make crash-loop N=200`: kills plans and dispatch at random moments, and compares with an undisturbed run.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../../tests/cli/care.rs"]
#[allow(dead_code, reason = "the stories use the rest")]
mod care;
#[path = "../../tests/cli/crash_loop.rs"]
#[allow(dead_code, reason = "the stories use the rest")]
mod crash_loop;
#[path = "../../tests/cli/recorder.rs"]
mod recorder;

use crash_loop::CrashLoop;
use std::process::ExitCode;

/// Enough for two buckets.
const CUSTOMERS: u32 = 100_000;

#[tokio::main]
async fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|n| n.parse::<u64>().expect("numbers: KILLS [SEED]"));
    let kills = u32::try_from(numbers.next().unwrap_or(200)).expect("fewer kills");
    // Another seed each time, unless one is asked for: the process id is as good as any, and is printed.
    let seed = numbers.next().unwrap_or_else(|| u64::from(std::process::id()));
    let outcome = CrashLoop { kills, seed, customers: CUSTOMERS }.run(&|line| println!("{line}")).await;
    println!(
        "{} rounds; {} contacts that an undisturbed run does not send; {} rounds with other states or decision logs",
        outcome.rounds, outcome.foreign, outcome.differing
    );
    println!("{} kills, {} lost, {} twice", outcome.kills, outcome.lost, outcome.twice);
    if outcome.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
