//! Gateways written by others, started for one test and gone with it.

use care_tests::{peers, repository};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A peer's process; it ends with this value.
pub(crate) struct Peer {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    fn start(mut command: Command, folder: TempDir, port: Option<u16>) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a peer starts");
        let port = port.unwrap_or_else(|| {
            let mut line = String::new();
            let mut out = BufReader::new(child.stdout.take().expect("its output"));
            out.read_line(&mut line).expect("its first line");
            let port = line.trim().strip_prefix("port ").and_then(|port| port.parse().ok());
            // Whoever stops reading would stop it writing.
            std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
            port.unwrap_or_else(|| panic!("the peer says {line:?}"))
        });
        Self { child, folder, port }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it noted, line by line.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Tells it to do something.
    pub(crate) fn tell(&mut self, command: &Value) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{command}").and_then(|()| input.flush()).expect("it listens");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn home() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    (folder, log)
}

/// node-smpp as a short-message centre with these faults and receipts; `None` where peers are not installed.
pub(crate) fn smsc(faults: &Value, receipts: &Value) -> Option<Peer> {
    smsc_of(json!({"faults": faults, "receipts": receipts}))
}

/// The same with any of its options.
pub(crate) fn smsc_of(mut options: Value) -> Option<Peer> {
    let peers = peers()?;
    let (folder, log) = home();
    for (name, value) in [("system_id", "care"), ("password", "secret08")] {
        options[name] = value.into();
    }
    options["log"] = log.display().to_string().into();
    let mut command = Command::new("node");
    command.arg(repository().join("tests/peers/smsc.js")).arg(options.to_string());
    command.env("NODE_PATH", peers.join("node_modules"));
    Some(Peer::start(command, folder, None))
}

/// smpp34 as a short-message centre.
pub(crate) fn smsc34() -> Option<Peer> {
    let peers = peers()?;
    let (folder, log) = home();
    let port = free_port();
    let mut command = Command::new(peers.join("venv/bin/python"));
    command.arg(repository().join("tests/peers/smsc34.py")).arg(port.to_string()).arg(log);
    Some(Peer::start(command, folder, None))
}

/// aiosmtpd as a mail server that keeps what it gets in `mail/new`.
pub(crate) fn mail_server() -> Option<Peer> {
    let peers = peers()?;
    let (folder, _) = home();
    let port = free_port();
    let mut command = Command::new(peers.join("venv/bin/python"));
    command.args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Mailbox"]);
    command.arg(folder.path().join("mail"));
    let peer = Peer::start(command, folder, Some(port));
    for _ in 0..200 {
        if std::net::TcpStream::connect(peer.address()).is_ok() {
            return Some(peer);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the mail server does not listen")
}

/// A receiver of webhooks that checks signatures with the reference library.
pub(crate) fn sink(secret: &str, faults: &Value) -> Option<Peer> {
    let peers = peers()?;
    let (folder, log) = home();
    let mut command = Command::new(peers.join("venv/bin/python"));
    command.arg(repository().join("tests/peers/sink.py")).arg(secret).arg(log).arg(faults.to_string());
    Some(Peer::start(command, folder, None))
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}
