//! What engines, and the program itself, type to have work done by a child.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// Task descriptors in, one a line; their manifests of counts and digests out, one a line. Exit codes: 0 done, 75 try
    /// again, 65 never. A descriptor that was done already is answered with the same manifest.
    Task,
    /// A component in, machine code out.
    #[command(hide = true)]
    Compile(WorkerBounds),
    /// Manifest, dictionary and machine code in, findings on the golden batch out.
    #[command(hide = true)]
    Smoke(WorkerBounds),
}

/// What a worker forbids itself before it reads anything.
#[derive(Debug, Args)]
pub(crate) struct WorkerBounds {
    /// Processor time of all its threads.
    #[arg(long)]
    pub(crate) cpu_seconds: u64,
    /// Memory that it may write to, in MiB.
    #[arg(long)]
    pub(crate) memory_mib: u64,
}
