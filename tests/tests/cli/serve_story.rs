//! `care serve`: lives, is ready, and stops when it is asked to.

use crate::care::Care;
use crate::http::Server;
use std::net::TcpStream;

fn get(server: &Server, path: &str) -> (u16, String) {
    let reply = server.ask("GET", path).send();
    (reply.status, reply.text())
}

#[test]
fn the_server_is_healthy_and_ready_and_stops_when_it_is_asked_to() {
    let care = Care::new();
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&care);
        for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
            let (code, body) = get(&server, path);
            assert_eq!(code, 200, "{path}");
            assert_eq!(crate::care::json(&body)["status"], status);
        }
        assert_eq!(get(&server, "/no-such-page").0, 404);
        server.signal(signal);
        assert_eq!(server.end().code(), Some(0), "stopped by {signal}");
        assert!(TcpStream::connect(&server.address).is_err(), "nobody listens any more");
    }
}

#[test]
fn the_command_line_works_while_the_server_runs() {
    let care = Care::new();
    let mut server = Server::start(&care);
    let made = care.ok("operator", &["population", "generate", "--customers", "500"]);
    assert_eq!(made["imported"], 500);
    assert_eq!(get(&server, "/readyz").0, 200);
    let second = care.run("operator", &["serve", "--listen", &server.address]);
    assert_eq!(second.code, Some(1), "two servers on one port");
    assert!(second.stdout.contains(&server.address), "it says where: {}", second.stdout);
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
    let mut server = Server::start(&care);
    let (code, body) = get(&server, "/readyz");
    assert_eq!(code, 503, "{body}");
    assert!(body.contains("audit log"), "{body}");
    assert_eq!(get(&server, "/healthz").0, 200, "it lives all the same");
    server.signal("TERM");
    assert_eq!(server.end().code(), Some(0));
}
