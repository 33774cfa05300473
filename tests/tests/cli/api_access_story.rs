//! Who gets in: tokens, and the door in front of everything under `/v1`.

use crate::care::Care;
use crate::http::Server;
use serde_json::json;

#[test]
fn a_stranger_gets_in_nowhere_and_learns_nothing() {
    let care = Care::new();
    let server = Server::start(&care);
    for path in ["/v1", "/v1/", "/v1/tokens", "/v1/no-such-thing", "/v1/tokens/../../healthz"] {
        for method in ["GET", "POST", "DELETE", "PATCH"] {
            // The body is not even looked at.
            let plain = server.ask(method, path).body("text/plain", b"\xff\xfe").send();
            assert_eq!(plain.problem(401), "not-authenticated", "{method} {path}");
            assert_eq!(plain.header("www-authenticate"), Some("Bearer"));
            let made_up = format!("care_{}", "0".repeat(64));
            assert_eq!(server.ask(method, path).token(&made_up).send().problem(401), "not-authenticated");
        }
    }
    for header in ["Basic b3BlcmF0b3I6", "Bearer", "Bearer ", "care_1", "Bearer \u{fc}\u{e4}"] {
        assert_eq!(server.ask("GET", "/v1/tokens").header("Authorization", header).send().status, 401, "{header}");
    }
    assert_eq!(server.ask("GET", "/healthz").send().status, 200);
    assert_eq!(server.ask("GET", "/openapi.json").send().expect(200)["openapi"], "3.1.0");
    assert_eq!(server.ask("GET", "/no-such-page").send().problem(404), "no-such-address");
}

#[test]
fn a_token_is_shown_once_opens_what_its_role_may_and_ends() {
    let care = Care::new();
    let server = Server::start(&care);
    let new = |role: &str, region: &str| {
        let made = care.ok("administrator", &["token", "new", role, "--role", role, "--region", region]);
        (made["secret"].as_str().expect("a secret").to_owned(), made["id"].as_str().expect("an id").to_owned())
    };
    let (operator, id) = new("operator", "350000");
    let (administrator, _) = new("administrator", "350000");
    assert!(operator.len() > 64 && operator.starts_with("care_"));

    let listed = server.ask("GET", "/v1/tokens").token(&administrator).send().expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
    assert!(!listed.to_string().contains(&operator[8..]), "a secret is told once");
    // A token has the rights of its role, whatever else may be asked.
    assert_eq!(server.ask("GET", "/v1/tokens").token(&operator).send().problem(403), "not-allowed");
    assert_eq!(server.ask("PATCH", "/v1/tokens").token(&operator).send().problem(405), "wrong-method");
    assert_eq!(server.ask("GET", "/v1/nothing").token(&operator).send().problem(404), "no-such-address");

    let wanted = json!({"person": "operator", "role": "operator", "region": "350200", "days": 7});
    let made = server.ask("POST", "/v1/tokens").token(&administrator).json(&wanted).send().expect(201);
    let second = made["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(server.ask("GET", "/v1/tokens").token(&second).send().status, 403, "known, and not allowed");
    let nobody = json!({"person": "nobody", "role": "operator", "region": "350200"});
    let refused = server.ask("POST", "/v1/tokens").token(&administrator).json(&nobody).send();
    assert_eq!(refused.problem(422), "not-appointed");
    for (body, status, code) in [
        (&b"{"[..], 400, "bad-json"),
        (br#"{"person":"operator","role":"king","region":"350200"}"#, 422, "bad-body"),
        (br#"{"person":"operator","role":"operator","region":"350200","sudo":true}"#, 422, "bad-body"),
        (b"\xff\xfe", 400, "bad-json"),
    ] {
        let reply = server.ask("POST", "/v1/tokens").token(&administrator).body("application/json", body).send();
        assert_eq!(reply.problem(status), code);
    }
    let xml = server.ask("POST", "/v1/tokens").token(&administrator).body("text/xml", b"<token/>").send();
    assert_eq!(xml.problem(415), "content-type");

    // Ended over HTTP it opens nothing at once, ended elsewhere within a second.
    let path = format!("/v1/tokens/{}?reason=lost", made["id"].as_str().expect("an id"));
    assert_eq!(server.ask("DELETE", &path).token(&administrator).send().status, 204);
    assert_eq!(server.ask("GET", "/v1/tokens").token(&second).send().problem(401), "not-authenticated");
    assert_eq!(server.ask("DELETE", &path).token(&administrator).send().problem(404), "unknown-token");
    care.ok("administrator", &["token", "revoke", &id, "--reason", "left"]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(server.ask("GET", "/v1/tokens").token(&operator).send().status, 401);
    care.ok("administrator", &["audit", "verify"]);
}

#[test]
fn tokens_that_cannot_be_meant_are_refused() {
    let care = Care::new();
    let new = |args: &[&str]| {
        let all: Vec<&str> = ["token", "new"].iter().chain(args).copied().collect();
        care.refused("administrator", &all)["code"].clone()
    };
    assert_eq!(new(&["operator", "--role", "auditor", "--region", "350000"]), "not-appointed");
    assert_eq!(new(&["operator", "--role", "operator", "--region", "510000"]), "other-region");
    assert_eq!(new(&["operator", "--role", "operator", "--region", "350000", "--days", "0"]), "token-expiry");
    assert_eq!(new(&["operator", "--role", "operator", "--region", "350000", "--days", "401"]), "token-expiry");
    let by_operator =
        care.refused("operator", &["token", "new", "operator", "--role", "operator", "--region", "350000"]);
    assert_eq!(by_operator["code"], "not-allowed");
    assert_eq!(care.refused("administrator", &["token", "revoke", "00000000"])["code"], "unknown-token");
}
