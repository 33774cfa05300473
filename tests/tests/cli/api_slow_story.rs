//! Whoever is slow, endless or says nothing is let go, and nobody else waits for them meanwhile.

use crate::api_rules_story::{administrator, token};
use crate::care::Care;
use crate::http::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::{self, sleep};
use std::time::Duration;

const STEP: Duration = Duration::from_millis(500);
/// Steps after which the server should have let go of anybody.
const STEPS: u32 = 120;

/// Drips `piece` after `head` until the server ends it; what it answered.
fn drip(address: &str, head: &str, piece: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(head.as_bytes()).expect("a beginning");
    let mut reader = stream.try_clone().expect("the other half");
    let answer = thread::spawn(move || {
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    for _ in 0..STEPS {
        if answer.is_finished() {
            return answer.join().expect("an answer");
        }
        sleep(STEP);
        // Once the server has let go, nobody reads.
        let _ = stream.write_all(piece.as_bytes());
    }
    panic!("the server goes on listening to {head:?}")
}

#[test]
fn slow_heads_and_slow_bodies_end_and_hold_nobody_up() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let operator = token(&server, &administrator, "operator", "350000");
    let post = |length: &str, kind: &str| {
        format!(
            "POST /v1/campaigns HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {operator}\r\nContent-Type: {kind}\r\n\
             {length}\r\n\r\n"
        )
    };
    let slow = [
        ("GET /healthz HTTP/1.1\r\nHost: x\r\n".to_owned(), "X-A: b\r\n"),
        (String::new(), ""),
        ("G".to_owned(), "E"),
        (post("Content-Length: 100000", "application/json"), "{"),
        (post("Transfer-Encoding: chunked", "application/json"), "1\r\n{\r\n"),
    ];
    let (address, before) = (server.address.clone(), care.ok("auditor", &["audit", "verify"])["head"].clone());
    let dripping: Vec<_> = slow
        .into_iter()
        .map(|(head, piece)| {
            let address = address.clone();
            thread::spawn(move || drip(&address, &head, piece))
        })
        .collect();
    // A hundred more who never say anything.
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(&address).expect("a connection")).collect();
    for _ in 0..10 {
        assert_eq!(server.ask("GET", "/healthz").send().status, 200, "others are served meanwhile");
    }
    let answers: Vec<String> = dripping.into_iter().map(|one| one.join().expect("it ended")).collect();
    for head in &answers[..3] {
        assert!(head.is_empty() || head.starts_with("HTTP/1.1 4"), "a slow head is no request: {head}");
    }
    for body in &answers[3..] {
        assert!(body.starts_with("HTTP/1.1 408") && body.contains("\"timeout\""), "a slow body is told so: {body}");
    }
    for mut one in silent {
        let mut rest = Vec::new();
        let _ = one.read_to_end(&mut rest);
    }
    assert_eq!(server.ask("GET", "/v1/me").token(&operator).send().status, 200);
    assert_eq!(care.ok("auditor", &["audit", "verify"])["head"], before, "nothing was changed");
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let operator = token(&server, &administrator, "operator", "350000");
    let author = token(&server, &administrator, "initiator", "350000");
    for (who, path, kind, length) in [
        (&operator, "/v1/campaigns", "application/json", 5_usize << 20),
        (&operator, "/v1/events", "application/json", 5 << 20),
        (&author, "/v1/checks", "application/wasm", 34 << 20),
    ] {
        // What is announced is not even waited for.
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {who}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(&server.address).expect("a connection");
        stream.write_all(head.as_bytes()).expect("a head");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body-too-long"), "{path}: {answer}");
        // What is not announced ends where it becomes too long.
        let body = vec![b' '; length];
        assert_eq!(server.ask("POST", path).token(who).body(kind, &body).send().status, 413, "{path}");
    }
    let many = (0..200).fold(server.ask("GET", "/healthz"), |request, n| request.header(&format!("X-{n}"), "y"));
    assert_eq!(many.send().status, 431, "too many header lines");
    let long = server.ask("GET", "/healthz").header("X-Long", &"y".repeat(1 << 20)).send();
    assert_eq!(long.status, 431, "too long a header");
    for path in ["/v1/tables/..%2F..%2Fcare", "/v1/activities/%2e%2e", "/v1/campaigns/..%5c..%5ckeys", "/v1/lists/%00"]
    {
        let reply = server.ask("GET", path).token(&operator).send();
        assert!([404, 405].contains(&reply.status), "{path}: {}", reply.text());
    }
}
