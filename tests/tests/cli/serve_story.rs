//! `care serve`: lives, is ready, and stops when it is asked to.

use crate::care::Care;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How often and how long the end of the server is waited for.
const STEP: Duration = Duration::from_millis(20);
const STEPS: u32 = 250;

/// A child that does not outlive its test.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    pub(crate) fn start(care: &Care) -> (Self, String) {
        let mut command = care.command();
        command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("care runs");
        let mut said = BufReader::new(child.stderr.take().expect("its standard error"));
        let mut line = String::new();
        said.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("care listens on http://").map(str::to_owned);
        (Self(child), address.unwrap_or_else(|| panic!("it does not listen: {line}")))
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for five seconds.
    pub(crate) fn end(&mut self) -> ExitStatus {
        for _ in 0..STEPS {
            if let Some(status) = self.0.try_wait().expect("its state") {
                return status;
            }
            sleep(STEP);
        }
        panic!("it does not stop");
    }
}

fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

#[test]
fn the_server_is_healthy_and_ready_and_stops_when_it_is_asked_to() {
    let care = Care::new();
    for signal in ["TERM", "INT"] {
        let (mut server, address) = Server::start(&care);
        for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
            let (head, body) = get(&address, path);
            assert_eq!(head, "HTTP/1.1 200 OK", "{path}");
            assert_eq!(crate::care::json(&body)["status"], status);
        }
        assert_eq!(get(&address, "/no-such-page").0, "HTTP/1.1 401 Unauthorized", "not even that it is missing");
        server.signal(signal);
        assert_eq!(server.end().code(), Some(0), "stopped by {signal}");
        assert!(TcpStream::connect(&address).is_err(), "nobody listens any more");
    }
}

#[test]
fn the_command_line_works_while_the_server_runs() {
    let care = Care::new();
    let (mut server, address) = Server::start(&care);
    let made = care.ok("operator", &["population", "generate", "--customers", "500"]);
    assert_eq!(made["imported"], 500);
    assert_eq!(get(&address, "/readyz").0, "HTTP/1.1 200 OK");
    let second = care.run("operator", &["serve", "--listen", &address]);
    assert_eq!(second.code, Some(1), "two servers on one port");
    assert!(second.stdout.contains(&address), "it says where: {}", second.stdout);
    server.signal("TERM");
    assert_eq!(server.end().code(), Some(0));
}

/// Whoever changes the audit log is found, and nobody is sent to a host whose log does not stand.
#[test]
fn a_host_whose_audit_log_was_changed_is_not_ready() {
    let care = Care::new();
    care_tests::tamper(
        care.data(),
        "UPDATE audit SET entry = json_set(entry, '$.person', 'somebody else') WHERE number = 2",
    );
    let (mut server, address) = Server::start(&care);
    let (head, body) = get(&address, "/readyz");
    assert_eq!(head, "HTTP/1.1 503 Service Unavailable", "{body}");
    assert!(body.contains("audit log"), "{body}");
    assert_eq!(get(&address, "/healthz").0, "HTTP/1.1 200 OK", "it lives all the same");
    server.signal("TERM");
    assert_eq!(server.end().code(), Some(0));
}
