//! Compiling and trying out in a process of its own, since what compiles is outside of wasmtime's security promise
//! and hostile bytes can make it slow or large: the parent's side, which bounds it by the clock, and the child's,
//! which the program has bounded by the operating system before it calls [`serve`].
//!
//! The component, or the manifest, dictionary and machine code, go in through the child's standard input; machine
//! code or findings come out. The child needs no file, no environment and no argument but its job and limits.

use crate::engine::{CompileError, Sandbox, SandboxConfig, SandboxError};
use crate::fault::MachineError;
use crate::golden::golden;
use crate::machine_code::MachineCode;
use care_domain::field::Dictionary;
use care_domain::manifest::Manifest;
use care_domain::text::Finding;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Exit code of a child that did its job.
const DONE: u8 = 0;
/// Of one that cannot, and never will; it says why instead of answering.
const NEVER: u8 = 65;
/// Of one that could not this time.
const TRY_AGAIN: u8 = 75;
/// What a Rust program ends with when it panics.
const PANICKED: i32 = 101;
/// No answer is longer, in bytes. A Python guest's machine code has some 100 MB.
const MAX_ANSWER_BYTES: u64 = 512 << 20;
/// Signals that the limits send, directly or as an abort for want of memory (the same on all Unix systems we run on).
const LIMIT_SIGNALS: [(i32, &str); 4] = [(6, "SIGABRT"), (9, "SIGKILL"), (24, "SIGXCPU"), (25, "SIGXFSZ")];

/// What a child may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// A component in, machine code out.
    Compile,
    /// Machine code with its manifest and the dictionary in, findings on the golden batch out.
    Smoke,
}

/// What a child may use. Measured: a Python guest needs 20 s and 400 MB to compile, a Rust guest 0.1 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Processor time of all its threads.
    pub cpu_seconds: u64,
    /// Memory that it may write to, in MiB.
    pub memory_mib: u64,
    /// Time by the clock.
    pub wall: Duration,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { cpu_seconds: 60, memory_mib: 2_048, wall: Duration::from_secs(120) }
    }
}

/// Runs jobs in children of this process.
#[derive(Debug, Clone)]
pub struct Worker {
    /// A program that answers `worker compile` and `worker smoke` with [`serve`]: `care` itself. It is trusted: the
    /// machine code that it answers with is loaded.
    pub program: PathBuf,
    /// Bounds of one job.
    pub limits: WorkerLimits,
}

/// A job without answer.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The plugin is to blame, or too much for the limits.
    #[error("{0}")]
    Finding(Finding),
    /// The child could not be started, or not be heard.
    #[error("{program} could not be run to compile or try a plugin")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The child says that it could not do it, or ended in a way that says nothing about the plugin.
    #[error("the process that compiles or tries plugins failed: {0}")]
    Failed(String),
}

#[derive(Serialize, Deserialize)]
struct SmokeRequest {
    manifest: Manifest,
    dictionary: Dictionary,
}

impl Job {
    /// As the program is asked for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Smoke => "smoke",
        }
    }
}

impl Worker {
    /// Runs jobs with the default limits.
    pub fn new(program: PathBuf) -> Self {
        Self { program, limits: WorkerLimits::default() }
    }

    /// Compiles a component in a child. Findings are `does-not-compile`, `compile-limit` and `compile-crash`.
    pub fn compile(&self, component: &[u8]) -> Result<MachineCode, WorkerError> {
        self.run(Job::Compile, &[component]).map(MachineCode)
    }

    /// Tries machine code on the golden batch in a child. Beside the findings of [`golden`], the child itself may
    /// come to `golden-limit` or `golden-crash`.
    pub fn smoke(
        &self,
        code: &MachineCode,
        manifest: &Manifest,
        dictionary: &Dictionary,
    ) -> Result<Vec<Finding>, WorkerError> {
        let failed = |error: serde_json::Error| WorkerError::Failed(error.to_string());
        let request = SmokeRequest { manifest: manifest.clone(), dictionary: dictionary.clone() };
        let request = serde_json::to_vec(&request).map_err(failed)?;
        let findings = self.run(Job::Smoke, &[&request, b"\n", &code.0])?;
        serde_json::from_slice(&findings).map_err(failed)
    }

    fn run(&self, job: Job, input: &[&[u8]]) -> Result<Vec<u8>, WorkerError> {
        let start = |source| WorkerError::Start { program: self.program.clone(), source };
        let mut command = Command::new(&self.program);
        command.args(["worker", job.name()]);
        command.arg(format!("--cpu-seconds={}", self.limits.cpu_seconds));
        command.arg(format!("--memory-mib={}", self.limits.memory_mib));
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(start)?;
        let answer = converse(&mut child, input, self.limits.wall);
        let status = ended(&mut child).map_err(start)?;
        match answer {
            None => Err(self.limit(job, "took longer than it may by the clock")),
            Some(answer) => self.judge(job, status, answer.map_err(start)?),
        }
    }

    fn judge(&self, job: Job, status: ExitStatus, answer: Vec<u8>) -> Result<Vec<u8>, WorkerError> {
        if answer.len() as u64 > MAX_ANSWER_BYTES {
            return Err(self.limit(job, &format!("answered with more than {} MiB", MAX_ANSWER_BYTES >> 20)));
        }
        let words = || String::from_utf8_lossy(&answer).chars().take(2_000).collect::<String>();
        match (status.code(), status.signal()) {
            (Some(code), _) if code == i32::from(DONE) => Ok(answer),
            (Some(code), _) if code == i32::from(NEVER) => {
                let hint = "Build it again with `care plugin build`";
                Err(WorkerError::Finding(Finding::error("does-not-compile", words(), hint)))
            }
            (Some(code), _) if code == i32::from(TRY_AGAIN) => Err(WorkerError::Failed(words())),
            (Some(code), _) if code != PANICKED => Err(WorkerError::Failed(status.to_string())),
            (_, signal) => match LIMIT_SIGNALS.iter().find(|(number, _)| Some(*number) == signal) {
                Some((_, name)) => Err(self.limit(job, &format!("was ended by {name}"))),
                None => {
                    let hint = "This is a defect of the host: report it with the component; another build may pass";
                    let code = if job == Job::Compile { "compile-crash" } else { "golden-crash" };
                    Err(WorkerError::Finding(Finding::error(
                        code,
                        format!("{} crashed: {status}", words_of(job)),
                        hint,
                    )))
                }
            },
        }
    }

    fn limit(&self, job: Job, how: &str) -> WorkerError {
        let WorkerLimits { cpu_seconds, memory_mib, wall } = self.limits;
        let message = format!(
            "{} {how}; it may use {cpu_seconds} s of processor time, {memory_mib} MiB of memory and {} s by the clock",
            words_of(job),
            wall.as_secs_f64()
        );
        WorkerError::Finding(match job {
            Job::Compile => Finding::error(
                "compile-limit",
                message,
                "Make the component smaller: fewer and shorter functions, no generated tables in code, a release build",
            ),
            Job::Smoke => Finding::error(
                "golden-limit",
                message,
                "Ask for less fuel in activity.toml, and do less for each customer",
            ),
        })
    }
}

fn words_of(job: Job) -> &'static str {
    match job {
        Job::Compile => "compiling it",
        Job::Smoke => "trying it on the golden batch",
    }
}

/// A child that has answered may take five seconds to end.
const LINGER_POLL: Duration = Duration::from_millis(2);
const LINGER_POLLS: u32 = 2_500;

/// Feeds a child and hears it out; `None` when it takes longer than `wall`.
fn converse(child: &mut Child, input: &[&[u8]], wall: Duration) -> Option<io::Result<Vec<u8>>> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Some(Err(io::Error::other("the child has no standard input or output")));
    };
    std::thread::scope(|scope| {
        let (say, heard) = mpsc::channel();
        // A child that stops reading says why in its answer or exit code.
        scope.spawn(move || input.iter().try_for_each(|part| stdin.write_all(part)));
        scope.spawn(move || {
            let mut answer = Vec::new();
            let read = stdout.take(MAX_ANSWER_BYTES + 1).read_to_end(&mut answer);
            // Nobody listens any more when it took too long.
            let _ = say.send(read.map(|_| answer));
        });
        let answer = heard.recv_timeout(wall).ok();
        if answer.is_none() {
            // Ends both threads, whose pipes close with it.
            let _ = child.kill();
        }
        answer
    })
}

/// How a child ends that has answered or was killed. Its output may close before its exit code is settled, so it gets
/// a while to go by itself; one that lingers is killed.
fn ended(child: &mut Child) -> io::Result<ExitStatus> {
    for _ in 0..LINGER_POLLS {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(LINGER_POLL);
    }
    child.kill()?;
    child.wait()
}

/// The child's side: does one job from standard input to standard output and says how to exit. The caller has
/// limited this process; it holds nothing worth stealing.
pub fn serve(job: Job) -> u8 {
    let mut input = Vec::new();
    let (code, answer) = match io::stdin().lock().read_to_end(&mut input) {
        Err(error) => (TRY_AGAIN, error.to_string().into_bytes()),
        Ok(_) => match answer(job, input) {
            Ok(answer) => (DONE, answer),
            Err((code, words)) => (code, words.into_bytes()),
        },
    };
    let mut out = io::stdout().lock();
    if out.write_all(&answer).and_then(|()| out.flush()).is_ok() { code } else { TRY_AGAIN }
}

/// The bytes are those that this process was started with: whoever can choose them can run any program. That is why
/// machine code among them may be loaded, and why this is not public.
fn answer(job: Job, mut input: Vec<u8>) -> Result<Vec<u8>, (u8, String)> {
    let sandbox = Sandbox::new(SandboxConfig::default()).map_err(|e: SandboxError| (TRY_AGAIN, chain(&e)))?;
    let never = |e: CompileError| (NEVER, chain(&e));
    match job {
        Job::Compile => {
            let code = sandbox.precompile(&input).map_err(never)?;
            sandbox.load(&code).map_err(never)?;
            Ok(code.0)
        }
        Job::Smoke => {
            let malformed = || (TRY_AGAIN, "the request cannot be read".to_owned());
            let end = input.iter().position(|byte| *byte == b'\n').ok_or_else(malformed)?;
            let request: SmokeRequest = serde_json::from_slice(&input[..end]).map_err(|_| malformed())?;
            input.drain(..=end);
            let plugin = sandbox.load(&MachineCode(input)).map_err(never)?;
            let findings = golden(&plugin, &request.manifest, &request.dictionary);
            let findings = findings.map_err(|e: MachineError| (TRY_AGAIN, chain(&e)))?;
            serde_json::to_vec(&findings).map_err(|e| (TRY_AGAIN, e.to_string()))
        }
    }
}

/// An error with its causes, in a line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::{Mutex, PoisonError};

    /// One at a time: a script that another thread's child still has open for writing cannot be run.
    static SCRIPTS: Mutex<()> = Mutex::new(());

    /// Runs a job in a shell script in place of `care`.
    fn compile_with(script: &str, wall: Duration) -> Result<MachineCode, WorkerError> {
        let _alone = SCRIPTS.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("care");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a script");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("a program");
        Worker { program, limits: WorkerLimits { wall, ..WorkerLimits::default() } }.compile(b"some component")
    }

    fn finding(script: &str, wall: Duration) -> Finding {
        match compile_with(script, wall) {
            Err(WorkerError::Finding(finding)) => finding,
            other => panic!("no finding: {other:?}"),
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_child_reads_its_input_and_its_answer_is_what_it_wrote() {
        assert_eq!(compile_with("exec cat", MINUTE).expect("an answer").0, b"some component");
        assert_eq!(compile_with("printf '%s ' \"$@\"", MINUTE).expect("an answer").0, {
            b"worker compile --cpu-seconds=60 --memory-mib=2048 "
        });
    }

    #[test]
    fn a_child_that_is_killed_is_a_finding_that_names_the_limits() {
        for signal in ["KILL", "XCPU", "ABRT"] {
            let finding = finding(&format!("cat > /dev/null; kill -{signal} $$"), MINUTE);
            assert_eq!(finding.code, "compile-limit", "{finding}");
            assert!(finding.message.contains(&format!("SIG{signal}")), "{finding}");
            assert!(finding.message.contains("60 s") && finding.message.contains("2048 MiB"), "{finding}");
        }
    }

    #[test]
    fn a_child_that_takes_too_long_is_killed() {
        let finding = finding("exec sleep 1000", Duration::from_millis(50));
        assert_eq!(finding.code, "compile-limit", "{finding}");
        assert!(finding.message.contains("by the clock"), "{finding}");
    }

    #[test]
    fn a_child_that_says_never_is_quoted_and_a_crash_is_named() {
        let refused = finding("cat > /dev/null; printf 'no such export'; exit 65", MINUTE);
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("does-not-compile", "no such export"));
        assert_eq!(finding("cat > /dev/null; kill -SEGV $$", MINUTE).code, "compile-crash");
        assert_eq!(finding("exit 101", MINUTE).code, "compile-crash");
    }

    #[test]
    fn what_fails_for_want_of_a_worker_blames_no_plugin() {
        assert!(matches!(compile_with("exit 75", MINUTE), Err(WorkerError::Failed(_))));
        assert!(matches!(compile_with("exit 2", MINUTE), Err(WorkerError::Failed(_))));
        let nowhere = Worker::new("/nonexistent/care".into()).compile(b"");
        assert!(matches!(nowhere, Err(WorkerError::Start { .. })));
    }
}
