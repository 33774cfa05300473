//! A receiver of webhooks that checks signatures with the reference library, started for one test and gone with it.

use care_tests::{peers, repository};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How often and how long something is waited for.
const STEP: Duration = Duration::from_millis(100);
const STEPS: u32 = 300;
/// Signs nothing: the sink is told the right one when it is known.
const NO_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The receiver.
pub(crate) struct Sink {
    child: Child,
    log: PathBuf,
    /// Where requests go.
    pub(crate) url: String,
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sink {
    /// One that fails as it is told and notes into this file; `None`, and a loud word, where peers are not installed.
    pub(crate) fn start(log: PathBuf, faults: &Value) -> Option<Self> {
        let mut command = Command::new(peers()?.join("venv/bin/python"));
        command.arg(repository().join("tests/peers/sink.py")).arg(NO_SECRET).arg(&log).arg(faults.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a sink starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let port = line.trim().strip_prefix("port ").expect("its port");
        Some(Self { child, log, url: format!("http://127.0.0.1:{port}/hooks") })
    }

    /// Gives it a secret or faults.
    pub(crate) fn tell(&mut self, what: &Value) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{what}").and_then(|()| input.flush()).expect("it listens");
        // It reads the line in another thread than the one that answers.
        sleep(STEP);
    }

    /// With the secret that a registration answered.
    pub(crate) fn trust(&mut self, registered: &Value) {
        self.tell(&json!({"secret": registered["secret"]}));
    }

    /// What came so far: id, whether the signature holds, the status that it was answered with, the body.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(crate::care::json).collect()
    }

    /// Waits until what came is as wanted.
    pub(crate) fn wait(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..STEPS {
            let log = self.log();
            if wanted(&log) {
                return log;
            }
            sleep(STEP);
        }
        panic!("it did not come: {:?}", self.log());
    }
}

/// Waits until something is as wanted.
pub(crate) fn wait_for<T>(mut ask: impl FnMut() -> T, wanted: impl Fn(&T) -> bool) -> T {
    for _ in 0..STEPS {
        let found = ask();
        if wanted(&found) {
            return found;
        }
        sleep(STEP);
    }
    panic!("it never came about");
}
