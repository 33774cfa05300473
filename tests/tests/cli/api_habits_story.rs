//! Habits of the API: what is sent twice is done once, lists come in pages, edits name what they were written on, and
//! whatever is wrong is said with the right status, changing nothing.

use crate::api_rules_story::{administrator, token};
use crate::care::Care;
use crate::http::{Reply, Server};
use serde_json::{Value, json};

const PROVINCE: &str = "350000";

#[test]
fn a_request_that_is_sent_again_is_done_once_and_answered_as_before() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let send = |key: &str, path: &str, body: &Value| -> Reply {
        server.ask("POST", path).token(&administrator).header("Idempotency-Key", key).json(body).send()
    };
    let user = json!({"person": "lin", "role": "operator", "region": "350200"});
    let first = send("k-1", "/v1/users", &user);
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, None));
    let again = send("k-1", "/v1/users", &user);
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(again.json(), first.json());
    let lines = care.ok("auditor", &["audit", "show", "--subject", "person lin"]);
    assert_eq!(lines["lines"].as_array().map(Vec::len), Some(1), "it was done once");

    let other = json!({"person": "lin", "role": "auditor", "region": "350200"});
    assert_eq!(send("k-1", "/v1/users", &other).problem(422), "key-reused");
    assert_eq!(send("k-1", "/v1/keys", &user).problem(422), "key-reused", "another address is another request");
    // Without a key the same again says that it was done.
    let plain = server.ask("POST", "/v1/users").token(&administrator).json(&user).send();
    assert_eq!(plain.problem(409), "already-appointed");
    // What was refused changed nothing, so its key is free.
    let nobody = json!({"person": " ", "role": "operator", "region": "350200"});
    assert_eq!(send("k-2", "/v1/users", &nobody).problem(422), "bad-appointment");
    assert_eq!(send("k-2", "/v1/users", &other).status, 201);
    // A secret is shown once, also to whoever asks again.
    assert_eq!(send("k-3", "/v1/tokens", &user).status, 201);
    assert_eq!(send("k-3", "/v1/tokens", &user).problem(409), "shown-once");
    // Somebody else's key is another key.
    let second = token(&server, &administrator, "administrator", PROVINCE);
    let theirs = json!({"person": "chen", "role": "operator", "region": "350200"});
    let reply = server.ask("POST", "/v1/users").token(&second).header("Idempotency-Key", "k-1").json(&theirs).send();
    assert_eq!(reply.status, 201, "{}", reply.text());
    for bad in ["", &"k".repeat(129)] {
        assert_eq!(send(bad, "/v1/users", &user).problem(400), "bad-key");
    }
}

#[test]
fn lists_come_in_pages_and_edits_name_what_they_were_written_on() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let get = |path: &str| server.ask("GET", path).token(&administrator).send();
    let mut people = Vec::new();
    let mut path = "/v1/users?limit=5".to_owned();
    loop {
        let page = get(&path).expect(200);
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 5);
        people.extend(items.iter().map(|one| one["person"].as_str().expect("a person").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/users?limit=5&cursor={next}");
    }
    let known = care.ok("administrator", &["user", "list"]);
    let known: Vec<&str> =
        known["appointments"].as_array().expect("all").iter().filter_map(|one| one["person"].as_str()).collect();
    assert_eq!(people, known);
    let next = get("/v1/users?limit=5").expect(200)["next"].as_str().expect("more").to_owned();
    assert_eq!(get(&format!("/v1/tokens?cursor={next}")).problem(400), "bad-cursor", "a cursor is of one list");
    for forged in ["AAAA", "%F0%9F%98%80", &format!("A{}", &next[1..])] {
        assert_eq!(get(&format!("/v1/users?cursor={forged}")).problem(400), "bad-cursor");
    }
    for (query, code) in [("limit=0", "bad-limit"), ("limit=five", "bad-query"), ("sort=up", "bad-query")] {
        assert_eq!(get(&format!("/v1/users?{query}")).problem(400), code);
    }

    let gate = get("/v1/gate");
    let tag = gate.header("etag").expect("a tag").to_owned();
    let mut rules = gate.expect(200);
    rules["trial_review"] = json!(true);
    let put = |tag: Option<&str>, body: &Value| {
        let request = server.ask("PUT", "/v1/gate?reason=trial").token(&administrator).json(body);
        match tag {
            Some(tag) => request.header("If-Match", tag).send(),
            None => request.send(),
        }
    };
    assert_eq!(put(None, &rules).problem(428), "no-if-match");
    assert_eq!(put(Some("\"another\""), &rules).problem(412), "stale");
    let edited = put(Some(&tag), &rules);
    assert_eq!(edited.status, 200, "{}", edited.text());
    assert_eq!(put(Some(&tag), &rules).problem(412), "stale", "it was edited since");
    assert_eq!(get("/v1/gate").header("etag"), edited.header("etag"));
    assert_eq!(get("/v1/gate").json()["trial_review"], true);
}

#[test]
fn whatever_is_wrong_is_said_and_changes_nothing() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let operator = token(&server, &administrator, "operator", PROVINCE);
    let author = token(&server, &administrator, "initiator", PROVINCE);
    let head = care.ok("auditor", &["audit", "verify"])["head"].clone();
    let post = |path: &str, kind: &str, body: &[u8]| server.ask("POST", path).token(&operator).body(kind, body).send();
    for (path, kind, body, status, code) in [
        ("/v1/campaigns", "application/json", &br#"{"activity": 7}"#[..], 422, "bad-body"),
        ("/v1/campaigns", "application/json", br#"{"activity": "birthday", "sudo": true}"#, 422, "bad-body"),
        ("/v1/campaigns", "application/json", br#"{"activity": "birthday""#, 400, "bad-json"),
        ("/v1/campaigns", "application/json", b"\xff\xfe\x00", 400, "bad-json"),
        ("/v1/campaigns", "application/json", br#"{"activity": "birthday", "version": "newest"}"#, 422, "bad-body"),
        ("/v1/campaigns", "application/json", br#"{"activity": "no-such"}"#, 404, "unknown-activity"),
        ("/v1/campaigns", "text/plain", br#"{"activity": "birthday"}"#, 415, "content-type"),
        ("/v1/campaigns", "application/x-www-form-urlencoded", b"activity=birthday", 415, "content-type"),
        ("/v1/plans", "application/json", br#"{"date": "29.7.2026"}"#, 422, "bad-body"),
        ("/v1/plans", "application/json", br#"{"wave": 0, "date": "2026-07-29"}"#, 422, "bad-wave"),
        ("/v1/populations", "application/json", b"{}", 415, "content-type"),
        ("/v1/populations", "multipart/form-data; boundary=x", b"--x\r\nnonsense", 400, "bad-form"),
        ("/v1/outcomes", "application/json", br#"{"outcomes": []}"#, 422, "bad-size"),
        ("/v1/customers/FJ1/wishes", "application/json", br#"{"wish": "world peace"}"#, 422, "bad-wish"),
    ] {
        let reply = post(path, kind, body);
        assert_eq!(reply.problem(status), code, "{path} {}", String::from_utf8_lossy(body));
    }
    let huge = vec![b' '; (4 << 20) + 1];
    assert_eq!(post("/v1/campaigns", "application/json", &huge).problem(413), "body-too-long");
    let upload = |kind: &str, body: &[u8]| server.ask("POST", "/v1/activities").token(&author).body(kind, body).send();
    assert_eq!(upload("application/wasm", b"no component").problem(422), "invalid-wasm");
    assert_eq!(upload("application/octet-stream", b"\0asm").problem(415), "content-type");
    // Path tricks are names of nothing.
    for path in ["..%2F..%2Fetc%2Fpasswd", "%00", "..", "a%2Fb", "%FF%FE", "'%20OR%201=1--"] {
        for place in ["/v1/campaigns/", "/v1/submissions/", "/v1/plans/", "/v1/contacts/", "/v1/populations/"] {
            let reply = server.ask("GET", &format!("{place}{path}")).token(&operator).send();
            assert!([400, 404].contains(&reply.status), "{place}{path}: {}", reply.text());
        }
    }
    // Every answer has an id by which the log tells of it: the caller's, where it may stand in a log.
    let named = server.ask("GET", "/v1/me").token(&operator).header("X-Request-Id", "order-7").send();
    assert_eq!((named.status, named.header("x-request-id")), (200, Some("order-7")));
    let unsound = server.ask("GET", "/v1/me").header("X-Request-Id", "a b\u{e9}").send();
    assert!(unsound.header("x-request-id").is_some_and(|id| id.len() == 16), "{unsound:?}");
    assert_eq!(care.ok("auditor", &["audit", "verify"])["head"], head, "nothing changed");
}

#[test]
fn a_token_that_asks_too_often_is_told_when_it_may_ask_again() {
    let care = Care::new();
    let administrator = administrator(&care);
    let server = Server::start_with(&care, &["--requests-per-second", "1"]);
    let replies: Vec<Reply> = (0..6).map(|_| server.ask("GET", "/v1/me").token(&administrator).send()).collect();
    assert_eq!(replies[0].status, 200);
    let refused = replies.iter().find(|reply| reply.status == 429).expect("six at once are too many");
    assert_eq!(refused.problem(429), "too-many-requests");
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|s| s >= 1)));
    assert_eq!(server.ask("GET", "/healthz").send().status, 200, "health is nobody's request");
}

#[test]
fn settings_come_from_flag_environment_and_file_and_the_server_is_watched() {
    let care = Care::new();
    std::fs::write(care.data().join("care.toml"), "requests-per-second = 50\nlisten = \"127.0.0.1:1\"\n")
        .expect("a file");
    let shown = care.ok("operator", &["config", "show", "--listen", "127.0.0.1:0"]);
    assert_eq!((&shown["listen"]["value"], &shown["listen"]["origin"]), (&json!("127.0.0.1:0"), &json!("flag")));
    assert_eq!(shown["requests-per-second"]["value"], 50);
    assert!(shown["requests-per-second"]["origin"].as_str().is_some_and(|from| from.ends_with("care.toml")));
    assert_eq!(shown["plan-as"]["origin"], "usual");
    let mut command = care.command();
    let output = command.env("CARE_REQUESTS_PER_SECOND", "7").args(["--json", "config", "show"]).output();
    let output = crate::care::json(&String::from_utf8_lossy(&output.expect("care runs").stdout));
    assert_eq!(output["requests-per-second"], json!({"value": 7, "origin": "environment"}));

    let server = Server::start(&care);
    let figures = server.ask("GET", "/metrics").send();
    assert_eq!(figures.status, 200);
    assert!(figures.text().contains("care_audit_lines "), "{}", figures.text());
    let page = server.ask("GET", "/docs").send();
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(
        page.text().contains("/v1/campaigns/{campaign}") && !page.text().contains("<script"),
        "a page without script"
    );
    assert_eq!(server.ask("GET", "/docs/style.css").send().status, 200);

    std::fs::write(care.data().join("care.toml"), "port = 8080\n").expect("a file");
    let refused = care.refused("operator", &["config", "show"]);
    assert_eq!(refused["code"], "bad-config");
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("port")), "{refused}");
    assert_eq!(care.refused("operator", &["serve", "--listen", "127.0.0.1:0"])["code"], "bad-config");
}
