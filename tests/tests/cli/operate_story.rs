//! Operating an installation: the first login, backups while it works, upgrades and what is refused, health, forgetting a
//! person, the audit log as it leaves, the end of a server, and logs without a person in them.

use crate::api_rules_story::{administrator, token};
use crate::care::{Care, OPERATOR, entries, json as parsed, text};
use crate::http::Server;
use care_tests::DATE;
use serde_json::json;

const PROVINCE: &str = "350000";

/// A folder in earnest, with the clock on the wall.
fn earnest() -> (Care, String) {
    let care = Care::bare();
    let output = care.command().env_remove("CARE_CLOCK").args(["--json", "init", "--administrator", "lin"]).output();
    let made = parsed(&String::from_utf8_lossy(&output.expect("care runs").stdout));
    (care, made["one_time_password"].as_str().expect("a password").to_owned())
}

#[test]
fn the_first_administrator_logs_in_once_with_what_init_said_and_then_with_a_password_of_their_own() {
    let (care, once) = earnest();
    let again = care.command().env_remove("CARE_CLOCK").args(["--json", "init", "--administrator", "lin"]).output();
    let again = parsed(&String::from_utf8_lossy(&again.expect("care runs").stdout));
    assert_eq!(again["one_time_password"], json!(null), "what exists is kept");
    let server = Server::start_in(care.command().env_remove("CARE_CLOCK"), &[]);
    let login = |body: serde_json::Value| server.ask("POST", "/login").json(&body).send();
    assert_eq!(login(json!({"person": "lin", "password": once})).problem(401), "one-time-password");
    assert_eq!(login(json!({"person": "lin", "password": "guess"})).problem(401), "wrong-password");
    assert_eq!(login(json!({"person": "nobody", "password": once})).problem(401), "wrong-password");
    for weak in ["short", "my name is lin, yes", once.as_str()] {
        let chosen = json!({"person": "lin", "password": once, "new_password": weak});
        assert_eq!(login(chosen).problem(422), "weak-password", "{weak}");
    }
    let own = "green bills for everybody";
    let chosen = json!({"person": "lin", "password": once, "new_password": own});
    let token = login(chosen).expect(200)["secret"].as_str().expect("a token").to_owned();
    let me = server.ask("GET", "/v1/me").token(&token).send().expect(200);
    assert_eq!((&me["person"], &me["role"]), (&json!("lin"), &json!("administrator")));
    assert_eq!(login(json!({"person": "lin", "password": once})).problem(401), "wrong-password", "it was for once");
    assert_eq!(login(json!({"person": "lin", "password": own})).status, 200);
    // After five wrong ones not even the right one opens.
    for _ in 0..5 {
        assert_eq!(login(json!({"person": "lin", "password": "guess"})).problem(401), "wrong-password");
    }
    assert_eq!(login(json!({"person": "lin", "password": own})).problem(401), "wrong-password");
    let reset = server.ask("POST", "/v1/users/lin/password").token(&token).send().expect(201);
    let second =
        json!({"person": "lin", "password": reset["one_time_password"], "new_password": "yet another sentence"});
    assert_eq!(login(second).status, 200, "an administrator resets it");
    let kept = std::fs::read(care.data().join("care.db")).expect("the database");
    assert!(!kept.windows(own.len()).any(|bytes| bytes == own.as_bytes()), "passwords are not kept");
}

#[test]
fn a_backup_is_made_while_others_work_and_brings_everything_back() {
    let care = Care::with_campaigns(1_500);
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let operator = token(&server, &administrator, "operator", PROVINCE);
    server.ask("POST", "/v1/plans").token(&operator).json(&json!({"date": DATE})).send().expect(202);
    // Outcomes arrive while it is copied.
    let (address, secret) = (server.address.clone(), operator.clone());
    let telling = std::thread::spawn(move || {
        let mut told = 0;
        for number in 1..200u32 {
            let outcome = json!({"customer": format!("FJ{number:09}"), "kind": "satisfied", "at": 1_785_283_200_000_i64,
                "value": "9", "id": format!("s-{number}")});
            let body = json!({"outcomes": [outcome]});
            let reply = crate::http::request(&address, "POST", "/v1/outcomes").token(&secret).json(&body).send();
            told += u64::from(reply.status == 201);
        }
        told
    });
    let copy = care.path("copy");
    let made = care.ok("administrator", &["backup", &text(&copy)]);
    assert!(made["files"].as_u64().is_some_and(|files| files > 10), "{made}");
    assert!(telling.join().expect("told") > 0, "outcomes arrive meanwhile");
    assert_eq!(care.refused("administrator", &["backup", &text(&copy)])["code"], "backup-exists");
    assert_eq!(care.refused("auditor", &["backup", &text(&care.path("other"))])["code"], "not-allowed");

    let other = care.beside("restored");
    let restored = other.ok("administrator", &["restore", &text(&copy)]);
    assert_eq!(restored["files"], made["files"]);
    // What was under way when it was copied goes on there, and decides the very same.
    other.ok(OPERATOR, &["plan", "resume", &plan(&other)]);
    let replayed = other.ok("auditor", &["replay", &plan(&other)]);
    assert!(replayed["tasks"].as_array().is_some_and(|tasks| tasks.iter().all(|task| task["same"] == true)));
    assert_eq!(other.ok(OPERATOR, &["campaign", "show"])["campaigns"].as_array().map(Vec::len), Some(5));
    let found = other.ok("administrator", &["doctor"]);
    let ill: Vec<_> = found["looked"].as_array().expect("all").iter().filter(|one| one["health"] == "ill").collect();
    assert!(ill.is_empty(), "{ill:?}");
    assert_eq!(other.refused("administrator", &["restore", &text(&copy)])["code"], "folder-in-use");
    // A copy that was changed is not brought back.
    let blob = entries(&copy.join("blobs")).remove(0);
    std::fs::write(&blob, "something else").expect("a file");
    let refused = care.beside("third").refused("administrator", &["restore", &text(&copy)]);
    assert_eq!(refused["code"], "backup-damaged");
    assert!(!care.path("third").exists(), "nothing was restored");
    std::fs::remove_file(other.data().join("blobs").join(blob.file_name().expect("a name"))).expect("removed");
    assert_eq!(other.refused("administrator", &["doctor"])["code"], "ill");
}

fn plan(care: &Care) -> String {
    care.ok(OPERATOR, &["plan", "show", "--all"])["plans"][0]["plan"].as_str().expect("a plan").to_owned()
}

#[test]
fn a_folder_of_a_newer_program_is_refused_in_words() {
    let care = Care::new();
    care_tests::tamper(
        care.data(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of tomorrow', 1, x'00', 0)",
    );
    let refused = care.refused("operator", &["campaign", "show"]);
    assert_eq!(refused["code"], "newer-database");
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("9999")), "{refused}");
    let serve = care.refused("operator", &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(serve["code"], "newer-database", "nor is it served");
}

/// A machine without certificates, such as a slim container, is told what it lacks before anything listens.
#[test]
fn a_system_that_believes_nobody_is_told_what_it_lacks() {
    let care = Care::new();
    let nothing = care.path("nothing");
    let mut command = care.command();
    command.env("SSL_CERT_FILE", &nothing).env("SSL_CERT_DIR", &nothing);
    let ended = command.args(["--json", "serve", "--listen", "127.0.0.1:0"]).output().expect("care runs");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    let error = &parsed(&String::from_utf8_lossy(&ended.stdout))["error"];
    assert_eq!((ended.status.code(), &error["code"]), (Some(1), &json!("no-https")), "{error} {said}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("ca-certificates")), "{error}");
    assert!(!said.contains("listens"), "{said}");
}

#[test]
fn a_person_is_forgotten_and_stays_so() {
    let care = Care::with_campaigns(1_500);
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    let mut customer = String::new();
    for number in 1..400 {
        let id = format!("FJ{number:09}");
        let why = care.run(OPERATOR, &["why", &id]);
        if why.stdout.contains("\"state\":\"released\"") {
            customer = id;
            break;
        }
    }
    assert!(!customer.is_empty(), "somebody waits for a message");
    assert_eq!(care.refused(OPERATOR, &["erase", &customer])["code"], "not-allowed");
    let report = care.ok("administrator", &["erase", &customer, "--reason", "request 17"]);
    assert_eq!((&report["identities"], report["cancelled"].as_u64() > Some(0)), (&json!(1), true), "{report}");
    let again = care.ok("administrator", &["erase", &customer]);
    assert_eq!((&again["identities"], &again["cancelled"]), (&json!(0), &json!(0)));
    care.ok(OPERATOR, &["dispatch", "--at", care_tests::EVENING]);
    assert!(care.outbox().iter().all(|(_, line)| line["customer"] != customer.as_str()), "nothing goes out to them");
    // The same people imported again do not bring them back.
    care.ok(OPERATOR, &["population", "generate", "--customers", "1500", "--seed", "1", "--date", DATE]);
    let identities = care_tests::query(care.data(), "identities.db", "SELECT count(*) FROM identities");
    assert_eq!(identities, "1499");
    assert_eq!(care.refused("administrator", &["erase", "FJ999999999"])["code"], "unknown-customer");
    care.ok("auditor", &["audit", "verify"]);
}

#[test]
fn the_audit_log_leaves_signed_and_a_changed_line_is_found() {
    let care = Care::new();
    let file = text(&care.path("audit.json"));
    let export = care.ok("auditor", &["audit", "export", &file]);
    let key = export["host_key"].as_str().expect("a key").to_owned();
    let checked = Care::bare().ok("auditor", &["audit", "check", &file, "--host-key", &key]);
    assert_eq!(checked["lines"], export["lines"]);
    let content = std::fs::read_to_string(&file).expect("the export");
    let forged = care.file("forged.json", content.replacen("administrator", "somebody-else", 1));
    assert_eq!(care.refused("auditor", &["audit", "check", &forged])["code"], "audit-broken");
    let mut shorter = parsed(&content);
    shorter["lines"].as_array_mut().expect("lines").pop();
    let shorter = care.file("shorter.json", shorter.to_string());
    assert_eq!(care.refused("auditor", &["audit", "check", &shorter])["code"], "audit-broken");
    let other = "0".repeat(64);
    let refused = care.refused("auditor", &["audit", "check", &file, "--host-key", &other]);
    assert_eq!(refused["code"], "audit-broken");
}

/// A server that is stopped over a plan ends in time, and the plan goes on as if nothing had been.
#[test]
fn a_server_ends_in_time_whatever_it_does_and_its_plan_is_resumed() {
    let care = Care::with_campaigns(20_000);
    let mut server = Server::start(&care);
    let administrator = administrator(&care);
    let operator = token(&server, &administrator, "operator", PROVINCE);
    let begun = server.ask("POST", "/v1/plans").token(&operator).json(&json!({"date": DATE})).send().expect(202);
    server.signal("TERM");
    assert_eq!(server.end().code(), Some(0), "it ends by itself");
    let plan = begun["plan"].as_str().expect("a plan").to_owned();
    let resumed = care.run(OPERATOR, &["plan", "resume", &plan]);
    assert_eq!(resumed.code, Some(0), "{}{}", resumed.stdout, resumed.stderr);
    assert_eq!(care.ok(OPERATOR, &["plan", "show", &plan])["released"], true);
}

/// What a server logs at its most talkative names addresses as the router knows them, and nobody.
#[test]
fn a_log_holds_no_customer_number_or_secret() {
    let care = Care::with_campaigns(1_000);
    let log = care.path("server.log");
    let server = Server::start_logging(&care, &log);
    let administrator = administrator(&care);
    let operator = token(&server, &administrator, "operator", PROVINCE);
    let service = token(&server, &administrator, "customer-service", PROVINCE);
    server.ask("POST", "/v1/plans").token(&operator).json(&json!({"date": DATE})).send().expect(202);
    let evening = care_domain::time::parse_instant(care_tests::EVENING).expect("an instant");
    for path in
        ["/v1/customers/FJ000000011", "/v1/customers/FJ000000011/verdicts", "/v1/contacts?limit=3", "/v1/nothing"]
    {
        server.ask("GET", path).token(&service).send();
    }
    let wish = json!({"wish": "refused", "at": evening});
    server.ask("POST", "/v1/customers/FJ000000011/wishes").token(&service).json(&wish).send();
    let list = json!({"numbers": ["13800138000"], "owner": "operator", "expires": "2026-12-31"});
    server.ask("PUT", "/v1/lists/vip").token(&operator).json(&list).send();
    server.ask("POST", "/login").json(&json!({"person": "operator", "password": "a wrong password"})).send();
    server.ask("POST", "/v1/dispatch").token(&operator).json(&json!({"at": evening})).send();
    let identity = care_tests::query(
        care.data(),
        "identities.db",
        "SELECT group_concat(msisdn || ' ' || external_id || ' ' || email, ' ') FROM identities",
    );
    drop(server);
    let written = std::fs::read_to_string(&log).expect("a log");
    assert!(written.contains("/v1/customers/{customer}/verdicts"), "requests are logged: {written}");
    for secret in [operator.as_str(), "13800138000", "FJ000000011", "a wrong password"] {
        assert!(!written.contains(secret), "the log holds {secret}");
    }
    let found: Vec<&str> = identity.split_whitespace().filter(|one| one.len() > 5 && written.contains(one)).collect();
    assert!(found.is_empty(), "the log holds {found:?}");
}
