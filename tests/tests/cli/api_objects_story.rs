//! What is another region's does not exist: every address that names something is asked by every role of the wrong city
//! with the id of something that is really there, and is answered 404 as an id of nothing would be; lists do not hold it.

use crate::api_rules_story::{ROLES, administrator, token};
use crate::care::{CARE, Care, OPERATOR, PROVINCE, text};
use crate::http::{Reply, Server};
use care_tests::{DATE, EVENING, example};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OWN: &str = "350200";
const WRONG: &str = "350100";
const CITY_REVIEWER: &str = "city-reviewer";
const CITY_AUTHOR: &str = "city-author";

/// To whom something that an address names belongs.
enum Whose {
    /// To one city: nobody of another one learns that it is there.
    TheCitys,
    /// To everybody, for this reason.
    Everybodys(&'static str),
    /// A city's role may not ask the address at all, whatever it names.
    TheProvinces,
}
use Whose::{Everybodys, TheCitys, TheProvinces};

/// Xiamen's things, and the province's, by the names that addresses give them.
struct World {
    care: Care,
    server: Server,
    administrator: String,
    ids: BTreeMap<&'static str, String>,
}

/// An activity of a city at work: reviewed, approved, started, planned, sent, found wanting.
fn world() -> Option<World> {
    let plugin = example("rust")?;
    let care = Care::with_customers(3_000);
    let key = text(&care.data().join("keys").join(format!("{CITY_AUTHOR}.key")));
    let pushed = care.ok(CITY_AUTHOR, &["plugin", "push", &text(&plugin), "--key", &key]);
    let submission = pushed["submission"].to_string();
    care.ok(CITY_REVIEWER, &["submission", "review", &submission]);
    let simulation = care.ok(PROVINCE, &["submission", "simulate", &submission])["simulation"]["id"].to_string();
    care.ok(PROVINCE, &["submission", "approve", &submission, "--tick", CARE]);
    let campaign = care.ok(OPERATOR, &["campaign", "start", "local-festival"])["campaign"].clone();
    let plan = care.ok(OPERATOR, &["plan", "run", "--date", DATE])["plan"].clone();
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let due = ["--due", "2026-09-30", "--what", "few came"];
    let finding = care.ok(CITY_REVIEWER, &[&["finding", "open", "local-festival"][..], &due].concat());
    let need = ["--from", "2026-07-01T00:00:00", "--until", "2026-08-01T00:00:00"];
    let need = care.ok(CITY_REVIEWER, &[&["need", "open", "green-bill", "--title", "bills"][..], &need].concat());

    let server = Server::start_with(&care, &["--requests-per-second", "10000"]);
    let administrator = administrator(&care);
    let (auditor, operator) =
        (token(&server, &administrator, "auditor", OWN), token(&server, &administrator, "operator", OWN));
    let get = |path: &str| server.ask("GET", path).token(&auditor).send().expect(200);
    let contact = get("/v1/contacts?campaign=local-festival-1&limit=1")["items"][0].clone();
    let keys = get("/v1/keys?limit=1000");
    let key = keys["items"].as_array().expect("items").iter().find(|key| key["owner"] == CITY_AUTHOR);
    let population = get("/v1/populations")["items"][0]["population"].clone();
    let kept = server.ask("POST", "/v1/campaigns/local-festival-1/evaluations").token(&operator);
    kept.json(&json!({"host_only": true})).send().expect(201);
    let name = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let ids = BTreeMap::from([
        ("activity", "local-festival".to_owned()),
        ("version", name(&pushed["version"])),
        ("id", submission),
        ("simulation", simulation.clone()),
        ("with", simulation),
        ("campaign", name(&campaign)),
        ("plan", name(&plan)),
        ("contact", name(&contact["contact"])),
        ("customer", name(&contact["customer"])),
        ("finding", finding["finding"].to_string()),
        ("need", need["need"].to_string()),
        ("key", name(&key.expect("the author's key")["id"])),
        ("population", name(&population)),
        ("policy", "1".into()),
        ("since", "1".into()),
    ]);
    Some(World { care, server, administrator, ids })
}

/// Whose the things are that an address names. An address that is new stands here, or the test fails.
fn whose(path: &str) -> Option<Whose> {
    let under = |prefix: &str| path.starts_with(prefix);
    Some(match path {
        "/v1/plans/{plan}" | "/v1/plans/{plan}/status" | "/v1/plans/{plan}/progress" => {
            Everybodys("a plan decides for the whole province; its campaigns are shown to whom they belong")
        }
        "/v1/needs/{need}" | "/v1/needs/{need}/analyse" | "/v1/needs/{need}/answers" => {
            Everybodys("needs are collected without regions of their own, and answered by anybody's activity")
        }
        "/v1/populations/{population}" | "/v1/policies/{policy}" | "/v1/policies/{policy}/changes/{since}" => {
            Everybodys("there is one for the province, and it names no customer")
        }
        "/v1/standby/{campaign}/review" => TheProvinces,
        _ if ["/v1/activities/{", "/v1/submissions/{", "/v1/simulations/{", "/v1/campaigns/{"]
            .iter()
            .any(|prefix| under(prefix)) =>
        {
            TheCitys
        }
        "/v1/plans/{plan}/batches/{bucket}/{batch}" => TheCitys,
        _ if ["/v1/contacts/{", "/v1/customers/{", "/v1/findings/{"].iter().any(|prefix| under(prefix)) => TheCitys,
        _ if [
            "/v1/users/{",
            "/v1/tokens/{",
            "/v1/keys/{",
            "/v1/switches/{",
            "/v1/plans/{",
            "/v1/needs/{",
            "/v1/policies/{",
            "/v1/disasters/{",
            "/v1/events/",
            "/v1/prompts/{",
            "/v1/webhooks/{",
            "/v1/tables/{",
            "/v1/lists/{",
            "/v1/outcomes/{",
            "/v1/reports/{",
            "/v1/experiments/{",
            "/v1/staff/{",
            "/v1/models/{",
        ]
        .iter()
        .any(|prefix| under(prefix)) =>
        {
            TheProvinces
        }
        _ => return None,
    })
}

/// What is sent where something is needed to be sent.
fn body(method: &str, path: &str) -> Value {
    let Some(verb) = path.rsplit('/').next().filter(|_| method != "GET") else { return Value::Null };
    match verb {
        "approve" | "confirm" => json!({"principles": ["proactive", "customer-oriented"]}),
        "reject" => json!({"reason": "not mine"}),
        "merge" => json!({"into": "birthday"}),
        "version" => json!({"version": "*"}),
        "close" => json!({"version": "9.0.0"}),
        "wishes" => json!({"wish": "refused"}),
        "answers" => json!({"activity": "local-festival"}),
        "test-sends" => json!({"to": ["li.wei"]}),
        _ => json!({}),
    }
}

impl World {
    /// An address with the ids of what is really there.
    fn real(&self, path: &str) -> String {
        let simulations = path.starts_with("/v1/simulations/");
        let parts = path.split('/').map(|part| {
            let name = part.trim_start_matches('{').trim_end_matches('}');
            let name = match (name, part.starts_with('{')) {
                (_, false) => return part.to_owned(),
                ("id", _) if simulations => "simulation",
                ("id", _) if path.starts_with("/v1/keys/") => "key",
                (name, _) => name,
            };
            self.ids.get(name).cloned().unwrap_or_else(|| "987654321".to_owned())
        });
        let address = parts.collect::<Vec<_>>().join("/");
        // Of whose batch it is a part is asked beside the address.
        if path.contains("/batches/{bucket}") { address + "?activity=local-festival" } else { address }
    }

    fn ask(&self, who: &str, method: &str, path: &str, address: &str) -> Reply {
        let request = self.server.ask(method, address).token(who).header("If-Match", "*");
        match body(method, path) {
            Value::Null => request.send(),
            body => request.json(&body).send(),
        }
    }
}

/// Which roles of a city an address lets in, as the table of rules says.
fn let_in(method: &str, path: &str) -> Vec<&'static str> {
    let table = include_str!("api_rules.txt").lines().skip(2);
    let mut rows = table.map(|row| row.split_whitespace());
    let row = rows.find(|row| {
        let mut start = row.clone();
        start.next() == Some(method) && start.next() == Some(path)
    });
    let marks = row.unwrap_or_else(|| panic!("{method} {path} is not in the table")).skip(2);
    ROLES.iter().zip(marks).filter(|(_, mark)| mark.ends_with('c')).map(|((role, _), _)| *role).collect()
}

#[test]
fn what_is_another_citys_does_not_exist_for_any_role_at_any_address() {
    let Some(w) = world() else { return };
    let tokens: BTreeMap<&str, String> = ROLES
        .iter()
        .filter(|(role, _)| !["administrator", "provincial-approver"].contains(role))
        .map(|(role, _)| (*role, token(&w.server, &w.administrator, role, WRONG)))
        .collect();
    let own = token(&w.server, &w.administrator, "auditor", OWN);
    let closed = closed_tokens(&w);
    let head = w.care.ok("auditor", &["audit", "verify"])["head"].clone();
    let description = w.server.ask("GET", "/openapi.json").send().expect(200);
    let (mut hidden, mut shared) = (0, 0);
    for (path, item) in description["paths"].as_object().expect("paths") {
        if !path.starts_with("/v1/") || !path.contains('{') {
            continue;
        }
        let whose = whose(path).unwrap_or_else(|| panic!("whose are the things that {path} names?"));
        let address = w.real(path);
        for method in item.as_object().expect("operations").keys().map(|method| method.to_uppercase()) {
            for token in &closed {
                let reply = w.ask(token, &method, path, &address);
                assert_eq!(reply.problem(401), "not-authenticated", "{method} {address}");
            }
            let allowed = let_in(&method, path);
            for (role, secret) in &tokens {
                // What is everybody's to change would be changed.
                if matches!(whose, Everybodys(_)) && method != "GET" && allowed.contains(role) {
                    continue;
                }
                let reply = w.ask(secret, &method, path, &address);
                match (&whose, allowed.contains(role)) {
                    // Whom the rules do not let in learns nothing of what the address names.
                    (_, false) => assert_eq!(reply.status, 403, "{role}: {method} {address}: {}", reply.text()),
                    (TheCitys, true) => {
                        let code = reply.problem(404);
                        assert!(code.starts_with("unknown-") || code == "not-found", "{method} {address}: {code}");
                        hidden += 1;
                    }
                    (Everybodys(why), true) => {
                        assert!(![401, 403, 500].contains(&reply.status), "{role}: {method} {address} ({why})");
                        shared += 1;
                    }
                    (TheProvinces, true) => panic!("{role} of a city is let in by {method} {path}"),
                }
            }
            // It is really there: whose it is sees it.
            if method == "GET" && matches!(whose, TheCitys) && allowed.contains(&"auditor") {
                assert_eq!(w.server.ask("GET", &address).token(&own).send().status, 200, "{address}");
            }
        }
    }
    println!("{hidden} requests for what is another city's: 404; {shared} for what is everybody's");
    assert!(hidden > 120 && shared > 40, "{hidden}, {shared}");
    assert_eq!(w.care.ok("auditor", &["audit", "verify"])["head"], head, "nothing was changed by any of them");
    bodies_name_nothing(&w, &tokens);
    lists_hold_nothing(&w, &tokens);
}

/// Tokens that open nothing: made up, expired, revoked.
fn closed_tokens(w: &World) -> Vec<String> {
    let new = ["token", "new", "operator", "--role", "operator", "--region", "350000"];
    let expired = w.care.ok("administrator", &[&new[..], &["--days", "1", "--clock", "2026-07-01T08:00:00"]].concat());
    let revoked = w.care.ok("administrator", &new);
    w.care.ok("administrator", &["token", "revoke", revoked["id"].as_str().expect("an id")]);
    let secret = |made: &Value| made["secret"].as_str().expect("a secret").to_owned();
    vec![format!("care_{}", "0".repeat(64)), secret(&expired), secret(&revoked)]
}

/// What a body names is looked for as what an address names is.
fn bodies_name_nothing(w: &World, tokens: &BTreeMap<&str, String>) {
    let variant = json!({"activity": "local-festival", "version": "0.1.0", "name": "fuzhou", "owner_region": WRONG});
    for (role, path, body) in [
        ("operator", "/v1/campaigns", json!({"activity": "local-festival"})),
        ("city-reviewer", "/v1/findings", json!({"activity": "local-festival", "what": "few", "due": "2026-09-30"})),
        ("initiator", "/v1/variants", variant),
        ("initiator", "/v1/needs/1/answers", json!({"activity": "local-festival"})),
    ] {
        let code = w.server.ask("POST", path).token(&tokens[role]).json(&body).send().problem(404);
        assert!(code.starts_with("unknown-"), "{path}: {code}");
    }
}

/// No list that any role of the wrong city may read names any of it.
fn lists_hold_nothing(w: &World, tokens: &BTreeMap<&str, String>) {
    let description = w.server.ask("GET", "/openapi.json").send().expect(200);
    let paths = description["paths"].as_object().expect("paths");
    let lists = paths.iter().filter(|(path, item)| !path.contains('{') && !item["get"].is_null());
    let (festival, customer) = ("local-festival", w.ids["customer"].as_str());
    let mut read = 0;
    for (path, _) in lists.filter(|(path, _)| path.starts_with("/v1/")) {
        for role in let_in("GET", path) {
            let reply = w.server.ask("GET", path).token(&tokens[role]).send();
            let found = [festival, customer, w.ids["contact"].as_str(), w.ids["key"].as_str()];
            for id in found.into_iter().filter(|_| reply.status == 200) {
                assert!(!reply.text().contains(id), "{role}: GET {path} tells of {id}");
            }
            read += u32::from(reply.status == 200);
        }
    }
    for path in [format!("/v1/plans/{}", w.ids["plan"]), format!("/v1/plans/{}/status", w.ids["plan"])] {
        assert!(!w.server.ask("GET", &path).token(&tokens["auditor"]).send().text().contains(festival), "{path}");
    }
    for query in ["campaign=local-festival-1", "state=sent"] {
        let page = w.server.ask("GET", &format!("/v1/contacts?{query}")).token(&tokens["auditor"]).send().expect(200);
        let own = page["items"].as_array().expect("items").iter().all(|one| one["campaign"] != "local-festival-1");
        assert!(own, "{page}");
    }
    assert!(read > 50, "{read} lists were read");
}
