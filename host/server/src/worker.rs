//! `care worker`: work from standard input. The child in which plugins are compiled and tried bounds itself before it
//! reads a byte of them; the job itself is `care_sandbox::worker::serve`. Tasks of plans are the engine's.

use crate::answer::report;
use crate::args::{Args, WorkerBounds, WorkerCommand};
use crate::clock::now_ms;
use crate::commands;
use care_domain::task::Descriptor;
use care_engine::EngineError;
use care_sandbox::worker::{Job, serve};
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

/// The same again may succeed (`EX_TEMPFAIL` of sysexits).
const TRY_AGAIN: i32 = 75;
/// The same again never succeeds (`EX_DATAERR`).
const NEVER: i32 = 65;
/// A descriptor is far shorter.
const LONGEST_LINE: u64 = 65_536;

/// Does what standard input asks for and ends the process; the exit code is the answer's kind.
pub(crate) async fn run(args: &Args, command: &WorkerCommand) -> ! {
    let (job, bounds) = match command {
        WorkerCommand::Compile(bounds) => (Job::Compile, bounds),
        WorkerCommand::Smoke(bounds) => (Job::Smoke, bounds),
        WorkerCommand::Task => std::process::exit(match tasks(args).await {
            Ok(()) => 0,
            Err(error) => {
                report(&error, true);
                let passing = error.downcast_ref::<EngineError>().is_none_or(EngineError::is_passing);
                if passing { TRY_AGAIN } else { NEVER }
            }
        }),
    };
    let code = match bound(bounds) {
        Ok(()) => serve(job),
        Err(error) => {
            eprintln!("error: this process could not be bounded: {error}");
            crate::REFUSED
        }
    };
    std::process::exit(code.into())
}

/// One manifest out for each descriptor in, as soon as it is done; the first that fails ends it.
async fn tasks(args: &Args) -> anyhow::Result<()> {
    let engine = commands::open(args).await?;
    let mut input = io::stdin().lock();
    loop {
        let mut line = String::new();
        let read = input.by_ref().take(LONGEST_LINE).read_line(&mut line).map_err(|error| bad(&error.to_string()))?;
        if read == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            continue;
        }
        let task = Descriptor::parse(&line).map_err(|error| bad(&error.to_string()))?;
        let manifest = engine.run_task(&task, (&args.user, now_ms()), Arc::new(|_| true)).await?;
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &manifest)?;
        writeln!(out)?;
        out.flush()?;
    }
}

fn bad(why: &str) -> EngineError {
    let hint = "Give one descriptor a line, as `care plan hand-out` prints them";
    EngineError::refused("bad-descriptor", why, hint)
}

fn bound(bounds: &WorkerBounds) -> io::Result<()> {
    let memory = bounds.memory_mib.saturating_mul(1 << 20);
    limit(libc::RLIMIT_CPU, bounds.cpu_seconds)?;
    // Not the address space: a guest's memory is reserved in gigabytes and used in megabytes.
    limit(libc::RLIMIT_DATA, memory)?;
    // The images of guest memories are files without a name.
    limit(libc::RLIMIT_FSIZE, memory)?;
    limit(libc::RLIMIT_CORE, 0)
}

/// The type of a resource differs between C libraries.
#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

#[allow(unsafe_code, reason = "the standard library has no call for it")]
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let bounds = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the call reads a structure that outlives it, and changes nothing but this process's own limits.
    match unsafe { libc::setrlimit(resource, &bounds) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
