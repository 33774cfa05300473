//! `care worker`: the child in which plugins are compiled and tried. It bounds itself before it reads a byte of them;
//! the job itself is `care_sandbox::worker::serve`.

use crate::args::{WorkerBounds, WorkerCommand};
use care_sandbox::worker::{Job, serve};
use std::io;

/// Runs one job and ends the process; the exit code is the answer's kind.
pub(crate) fn run(command: &WorkerCommand) -> ! {
    let (job, bounds) = match command {
        WorkerCommand::Compile(bounds) => (Job::Compile, bounds),
        WorkerCommand::Smoke(bounds) => (Job::Smoke, bounds),
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
