//! Sessions end: by time, by revocation, with the role that they stand for. Whoever still shows one is asked to log in, at the
//! API as in the console, and what they send changes nothing.

use crate::api_rules_story::administrator;
use crate::care::{Care, PROVINCE};
use crate::http::{Reply, Server};
use serde_json::{Value, json};

const OWN: &str = "green bills for everybody";
/// A session holds for twelve hours from here.
const MORNING: &str = "2026-07-29T08:00:00+08:00";
const BEFORE_ITS_END: &str = "2026-07-29T19:59:59+08:00";
const AFTER_ITS_END: &str = "2026-07-29T20:00:00+08:00";
const SWITCHES: &str = "/console/switches";

/// A server whose clock stands there.
fn at(care: &Care, instant: &str) -> Server {
    Server::start_in(care.command().env("CARE_CLOCK", instant), &[])
}

/// Somebody who logged in at the console.
struct Session {
    secret: String,
    /// The seal of a form that was opened in time.
    seal: String,
}

impl Session {
    fn begin(server: &Server, password: &str, new_password: Option<&str>) -> Self {
        let new_password = new_password.map(|new| format!("&new_password={new}")).unwrap_or_default();
        let body = format!("person={PROVINCE}&password={password}{new_password}").replace(' ', "+");
        let form = "application/x-www-form-urlencoded";
        let entered = server.ask("POST", "/console/login").body(form, body.as_bytes()).send();
        assert_eq!(entered.status, 303, "{}", entered.text());
        let cookie = entered.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
        let secret = cookie.strip_prefix("care_session=").expect("a session").to_owned();
        let mut session = Self { secret, seal: String::new() };
        let page = session.page(server);
        assert_eq!(page.status, 200, "{}", page.text());
        let html = page.text();
        let (_, rest) = html.split_once("name=\"seal\" value=\"").expect("a form");
        session.seal = rest.split('"').next().expect("its seal").to_owned();
        session
    }

    fn page(&self, server: &Server) -> Reply {
        server.ask("GET", SWITCHES).header("Cookie", &format!("care_session={}", self.secret)).send()
    }

    /// Sends the form that was opened in time.
    fn form(&self, server: &Server) -> Reply {
        let body = format!("seal={}&once=7&scope=everything&target=&reason=too+late", self.seal);
        let request = server.ask("POST", SWITCHES).header("Cookie", &format!("care_session={}", self.secret));
        request.body("application/x-www-form-urlencoded", body.as_bytes()).send()
    }

    fn opens(&self, server: &Server) {
        let me = server.ask("GET", "/v1/me").token(&self.secret).send().expect(200);
        assert_eq!(me["person"], PROVINCE);
        assert_eq!(self.page(server).status, 200);
    }

    /// What is read and what is sent is refused everywhere, and nothing of it is done.
    fn opens_nothing(&self, care: &Care, server: &Server) {
        let head = head(care);
        assert_eq!(server.ask("GET", "/v1/me").token(&self.secret).send().problem(401), "not-authenticated");
        let stop = json!({"scope": "everything", "reason": "too late"});
        let sent = server.ask("POST", "/v1/switches").token(&self.secret).json(&stop).send();
        assert_eq!(sent.problem(401), "not-authenticated");
        for reply in [self.page(server), self.form(server)] {
            let to = reply.header("location").map(str::to_owned);
            assert_eq!((reply.status, to.as_deref()), (303, Some("/console/login?to=%2Fconsole%2Fswitches")));
        }
        assert_eq!(care.ok("auditor", &["switch", "list"])["switches"], json!([]));
        assert_eq!(self::head(care), head, "nothing was changed");
    }
}

fn head(care: &Care) -> Value {
    care.ok("auditor", &["audit", "verify"])["head"].clone()
}

fn one_time_password(care: &Care) -> String {
    let made = care.ok("administrator", &["user", "password", PROVINCE]);
    made["one_time_password"].as_str().expect("a password").to_owned()
}

#[test]
fn a_session_that_expired_is_asked_to_log_in_and_what_it_still_sends_changes_nothing() {
    let care = Care::new();
    let once = one_time_password(&care);
    let server = at(&care, MORNING);
    let session = Session::begin(&server, &once, Some(OWN));
    session.opens(&server);
    drop(server);
    let server = at(&care, BEFORE_ITS_END);
    session.opens(&server);
    drop(server);
    let server = at(&care, AFTER_ITS_END);
    session.opens_nothing(&care, &server);
    let login = json!({"person": PROVINCE, "password": OWN});
    let anew = server.ask("POST", "/login").json(&login).send().expect(200)["secret"].clone();
    let stop = json!({"scope": "everything", "reason": "in time"});
    let anew = anew.as_str().expect("a secret");
    server.ask("POST", "/v1/switches").token(anew).json(&stop).send().expect(201);
    assert_eq!(server.ask("GET", "/v1/me").token(&session.secret).send().problem(401), "not-authenticated");
}

#[test]
fn a_session_that_was_revoked_or_whose_role_is_gone_opens_nothing_any_more() {
    let care = Care::new();
    let once = one_time_password(&care);
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let delete = |path: &str| assert_eq!(server.ask("DELETE", path).token(&administrator).send().status, 204, "{path}");
    let last_token = || {
        let all = server.ask("GET", "/v1/tokens?limit=1000").token(&administrator).send().expect(200);
        let is_open = |one: &&Value| one["person"] == PROVINCE && one["revoked_at"].is_null();
        all["items"].as_array().expect("items").iter().find(is_open).expect("a session")["id"].clone()
    };
    // Over HTTP at once.
    let session = Session::begin(&server, &once, Some(OWN));
    session.opens(&server);
    delete(&format!("/v1/tokens/{}?reason=lost", last_token().as_str().expect("an id")));
    session.opens_nothing(&care, &server);
    // By another process within a second.
    let session = Session::begin(&server, OWN, None);
    session.opens(&server);
    care.ok("administrator", &["token", "revoke", last_token().as_str().expect("an id"), "--reason", "lost"]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    session.opens_nothing(&care, &server);
    // With the role.
    let session = Session::begin(&server, OWN, None);
    session.opens(&server);
    delete(&format!("/v1/users/{PROVINCE}/provincial-approver/350000"));
    session.opens_nothing(&care, &server);
    let login = server.ask("POST", "/login").json(&json!({"person": PROVINCE, "password": OWN})).send();
    assert_eq!(login.problem(422), "not-appointed", "who has no role logs in nowhere");
}
