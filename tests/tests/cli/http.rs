//! `care serve` as another system sees it: a server of its own, and requests written out by hand.

use crate::care::Care;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How often and how long the end of the server is waited for.
const STEP: Duration = Duration::from_millis(20);
const STEPS: u32 = 500;

/// A server that does not outlive its test.
pub(crate) struct Server {
    child: Child,
    /// What it says, until somebody listens.
    said: Option<BufReader<ChildStderr>>,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn start(care: &Care) -> Self {
        Self::start_with(care, &[])
    }

    pub(crate) fn start_with(care: &Care, further: &[&str]) -> Self {
        Self::start_in(&mut care.command(), further)
    }

    /// With everything that it logs in a file.
    pub(crate) fn start_logging(care: &Care, log: &Path) -> Self {
        let mut server = Self::spawn(care.command().args(["--log", "trace"]), &[]);
        let (mut said, mut file) = (server.said.take().expect("its log"), File::create(log).expect("a file"));
        std::thread::spawn(move || std::io::copy(&mut said, &mut file));
        server
    }

    /// By a command that says where and when.
    pub(crate) fn start_in(command: &mut Command, further: &[&str]) -> Self {
        let mut server = Self::spawn(command, further);
        // What it says from now on goes nowhere, so that it never waits for a reader.
        let mut said = server.said.take().expect("its standard error");
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        server
    }

    fn spawn(command: &mut Command, further: &[&str]) -> Self {
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(further);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("care runs");
        let mut said = BufReader::new(child.stderr.take().expect("its standard error"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).expect("a line") > 0, "it does not listen");
            // A talkative one says other things before.
            if let Some(address) = line.trim().strip_prefix("care listens on http://") {
                break address.to_owned();
            }
            assert!(line.contains("TRACE") || line.contains("DEBUG") || line.contains("INFO"), "{line}");
        };
        Self { child, said: Some(said), address }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for ten seconds.
    pub(crate) fn end(&mut self) -> ExitStatus {
        for _ in 0..STEPS {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            sleep(STEP);
        }
        panic!("it does not stop");
    }

    /// A request to be sent.
    pub(crate) fn ask<'a>(&'a self, method: &'a str, path: &'a str) -> Request<'a> {
        request(&self.address, method, path)
    }
}

/// A request to a server that somebody else holds.
pub(crate) fn request<'a>(address: &'a str, method: &'a str, path: &'a str) -> Request<'a> {
    Request { address, method, path, headers: Vec::new(), body: Vec::new() }
}

/// A request as it is written.
pub(crate) struct Request<'a> {
    address: &'a str,
    method: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request<'_> {
    pub(crate) fn token(self, secret: &str) -> Self {
        self.header("Authorization", &format!("Bearer {secret}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    pub(crate) fn body(self, kind: &str, body: &[u8]) -> Self {
        let mut with = self.header("Content-Type", kind);
        with.body = body.to_vec();
        with
    }

    /// Sends it; what the server answers.
    pub(crate) fn send(self) -> Reply {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.method, self.path, self.address);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        stream.write_all(head.as_bytes()).expect("a request");
        // A server that has said no may close before it read all of a body.
        let _ = stream.write_all(&self.body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let reply = Reply::read(&answer);
        crate::described::check(self.address, self.method, self.path, &reply);
        reply
    }
}

impl Reply {
    fn read(answer: &[u8]) -> Self {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let mut body = answer[end + 4..].to_vec();
        if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
            body = whole(&body);
        }
        Self { status: status.expect("a status"), headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        crate::care::json(&self.text())
    }

    /// What must have succeeded with this status; its body.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// What must be refused: a problem document of that status; its code.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for part in ["type", "title", "code", "detail", "hint"] {
            assert!(problem[part].as_str().is_some_and(|text| !text.is_empty()), "no {part}: {problem}");
        }
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// What was sent in chunks, in one piece.
fn whole(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&chunks[..end]).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let Some(length) = length.filter(|length| *length > 0 && end + 2 + length <= chunks.len()) else { break };
        body.extend_from_slice(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[(end + 4 + length).min(chunks.len())..];
    }
    body
}
