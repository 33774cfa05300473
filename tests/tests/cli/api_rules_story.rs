//! Who may ask what: every address as every role, of the province and of a city, and without a token that opens anything.
//! The table beside (`api_rules.txt`) is what a reviewer reads; the server is asked, and must say the same.

use crate::care::{Care, json};
use crate::http::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(crate) const ROLES: [(&str, &str); 11] = [
    ("administrator", "Ad"),
    ("initiator", "In"),
    ("city-reviewer", "CR"),
    ("customer-service", "CS"),
    ("provincial-approver", "PA"),
    ("information-systems", "IS"),
    ("key-accounts", "KA"),
    ("operator", "Op"),
    ("duty-officer", "DO"),
    ("auditor", "Au"),
    ("event-source", "Ev"),
];
const PROVINCE: &str = "350000";
const CITY: &str = "350200";
/// Roles that hold in a province alone, and in a city alone.
const PROVINCIAL: [&str; 2] = ["administrator", "provincial-approver"];
const CITIES: [&str; 1] = ["city-reviewer"];

/// A token for a role in a region, made over HTTP.
pub(crate) fn token(server: &Server, administrator: &str, role: &str, region: &str) -> String {
    let person = format!("{role}-{region}");
    let user = json!({"person": person, "role": role, "region": region});
    let added = server.ask("POST", "/v1/users").token(administrator).json(&user).send();
    assert!([201, 409].contains(&added.status), "{}", added.text());
    let made = server.ask("POST", "/v1/tokens").token(administrator).json(&user).send().expect(201);
    made["secret"].as_str().expect("a secret").to_owned()
}

/// The first administrator's token, which only the command line makes.
pub(crate) fn administrator(care: &Care) -> String {
    let args = ["token", "new", "administrator", "--role", "administrator", "--region", PROVINCE];
    care.ok("administrator", &args)["secret"].as_str().expect("a secret").to_owned()
}

/// Every operation that is described: method, address, and an address that is asked.
fn operations(description: &Value) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        let mut asked = path.clone();
        while let (Some(open), Some(close)) = (asked.find('{'), asked.find('}')) {
            // The id of nothing, whether it is a number or a name.
            asked.replace_range(open..=close, "987654321");
        }
        // The login is what a token is got by.
        let methods = item.as_object().expect("operations").keys().filter(|_| path != "/login");
        for method in methods {
            all.push((method.to_uppercase(), path.clone(), asked.clone()));
        }
    }
    all.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    all
}

/// Whether a role was let through, whatever the address then said about nothing.
fn is_let_in(server: &Server, secret: &str, method: &str, path: &str) -> bool {
    let reply = server.ask(method, path).token(secret).send();
    assert!(reply.status < 500, "{method} {path}: {}", reply.text());
    match reply.status {
        401 => panic!("{method} {path}: a token that holds is refused"),
        403 => {
            let code = reply.problem(403);
            assert!(["not-allowed", "other-region"].contains(&code.as_str()), "{method} {path}: {code}");
            false
        }
        _ => true,
    }
}

#[test]
fn every_address_lets_in_exactly_whom_the_table_names() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let mut tokens: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (role, _) in ROLES {
        if !CITIES.contains(&role) {
            tokens.insert((role, PROVINCE), token(&server, &administrator, role, PROVINCE));
        }
        if !PROVINCIAL.contains(&role) {
            tokens.insert((role, CITY), token(&server, &administrator, role, CITY));
        }
    }
    let new = ["token", "new", "operator", "--role", "operator", "--region", PROVINCE];
    let expired = care.ok("administrator", &[&new[..], &["--days", "1", "--clock", "2026-07-01T08:00:00"]].concat());
    let revoked = care.ok("administrator", &new);
    care.ok("administrator", &["token", "revoke", revoked["id"].as_str().expect("an id")]);
    let head = care.ok("auditor", &["audit", "verify"])["head"].clone();

    let mut table = String::from("P: of the province, c: of a city, .: nobody of that role\n");
    let names: Vec<String> = ROLES.iter().map(|(_, short)| format!("{short} ")).collect();
    let _ = writeln!(table, "{:58}{}", "", names.concat());
    for (method, path, asked) in operations(&server.ask("GET", "/openapi.json").send().expect(200)) {
        for closed in [None, expired["secret"].as_str(), revoked["secret"].as_str(), Some("care_00")] {
            let request = server.ask(&method, &asked);
            let request = match closed {
                Some(secret) => request.token(secret),
                None => request,
            };
            assert_eq!(request.send().problem(401), "not-authenticated", "{method} {path} with {closed:?}");
        }
        let mut line = format!("{method:7}{path:51}");
        for (role, _) in ROLES {
            for (region, mark) in [(PROVINCE, 'P'), (CITY, 'c')] {
                let may = tokens.get(&(role, region)).map(|secret| is_let_in(&server, secret, &method, &asked));
                line.push(if may == Some(true) { mark } else { '.' });
            }
            line.push(' ');
        }
        let _ = writeln!(table, "{}", line.trim_end());
    }
    println!("{table}");
    assert_eq!(care.ok("auditor", &["audit", "verify"])["head"], head, "asking for nothing changed something");
    let expected = include_str!("api_rules.txt");
    for (known, found) in expected.lines().zip(table.lines()) {
        assert_eq!(known, found, "somebody else is let in than the table says");
    }
    assert_eq!(expected.lines().count(), table.lines().count(), "the table misses addresses, or has too many");
}

/// What is another region's does not exist: neither in lists nor by its id.
#[test]
fn a_city_sees_its_own_and_the_provinces_activities_and_nobody_elses_customers() {
    let care = Care::with_customers(2_000);
    care.approve("birthday");
    let variant = care.file(
        "variant.toml",
        "activity = \"birthday\"\nversion = \"1.0.0\"\nname = \"xiamen\"\nowner_region = \"350200\"\n\
         [params]\ncall_vip = false\n",
    );
    let proposed = care.run("city-author", &["variant", "propose", &variant]);
    let server = Server::start(&care);
    let administrator = administrator(&care);
    let reader = |role: &str, region: &str| token(&server, &administrator, role, region);
    let (province, xiamen, fuzhou) =
        (reader("auditor", PROVINCE), reader("auditor", CITY), reader("auditor", "350100"));
    let get = |secret: &str, path: &str| server.ask("GET", path).token(secret).send();

    // The province's activity is everybody's to see; a city's is its own.
    assert_eq!(proposed.code, Some(0), "{}{}", proposed.stdout, proposed.stderr);
    let own = json(&proposed.stdout)["submission"].clone();
    for (secret, sees) in [(&province, true), (&xiamen, true), (&fuzhou, false)] {
        assert_eq!(get(secret, "/v1/submissions/1").status, 200);
        let found = get(secret, &format!("/v1/submissions/{own}"));
        let listed = get(secret, "/v1/submissions").expect(200);
        let listed = listed["items"].as_array().expect("items").len();
        match sees {
            true => assert_eq!((found.status, listed), (200, 2)),
            false => assert_eq!((found.problem(404), listed), ("unknown-submission".into(), 1)),
        }
    }
    let push = reader("provincial-approver", PROVINCE);
    let before = get(&province, &format!("/v1/submissions/{own}")).json();
    let wrong = reader("city-reviewer", "350100");
    for verb in ["review", "reject"] {
        let path = format!("/v1/submissions/{own}/{verb}");
        let body = json!({"reason": "not mine"});
        assert_eq!(server.ask("POST", &path).token(&wrong).json(&body).send().problem(404), "unknown-submission");
    }
    assert_eq!(get(&push, &format!("/v1/submissions/{own}")).json(), before, "nothing changed");

    // Customers by their home region.
    let mut found = BTreeMap::new();
    for number in 1..400 {
        let path = format!("/v1/customers/FJ{number:09}");
        let customer = get(&province, &path);
        if customer.status == 200 {
            let home = customer.json()["fields"]["home-adcode"].as_str().unwrap_or_default().to_owned();
            found.entry(home[..4.min(home.len())].to_owned()).or_insert(path);
        }
        if found.contains_key("3502") && found.contains_key("3501") {
            break;
        }
    }
    for (home, mine, others) in [("3502", &xiamen, &fuzhou), ("3501", &fuzhou, &xiamen)] {
        let path = &found[home];
        assert_eq!(get(mine, path).status, 200, "{path}");
        for further in ["", "/wishes"] {
            assert_eq!(get(others, &format!("{path}{further}")).problem(404), "unknown-customer");
        }
        assert_eq!(get(others, &format!("{path}/verdicts")).problem(404), "unknown-customer");
    }
}
