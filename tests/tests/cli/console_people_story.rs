//! Who gets in and who gets test messages, by the console: roles, one-time passwords, tokens, keys, staff; what is secret
//! is shown once, and what cannot be undone is typed.

use crate::care::{AUTHOR, Care, OPERATOR, PROVINCE, entries};
use crate::console::{Browser, sound, went_to};
use crate::http::Server;
use care_tests::query;
use serde_json::Value;

const ADMINISTRATOR: &str = "administrator";
const PROVINCIAL: &str = "350000";
const USERS: &str = "/console/users";
const TOKENS: &str = "/console/tokens";
const KEYS: &str = "/console/keys";
const STAFF: &str = "/console/staff";
/// The public half of the first test vector of RFC 8032.
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const NUMBER: &str = "13800001234";

/// What stands behind a name among the facts of a page.
fn fact<'a>(html: &'a str, name: &str) -> &'a str {
    let rest = html.split(&format!("<dt>{name}</dt><dd>")).nth(1).unwrap_or_else(|| panic!("no {name} in {html}"));
    rest.split("</dd>").next().expect("its end")
}

/// How many answers that the host keeps for forms that come again hold a text.
fn kept(care: &Care, text: &str) -> String {
    query(
        care.data(),
        "care.db",
        &format!("SELECT COUNT(*) FROM requests WHERE instr(coalesce(body, ''), '{text}') > 0"),
    )
}

#[test]
fn an_administrator_gives_a_role_and_a_one_time_password_and_takes_the_role_again() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = Browser::of(&care, &server, ADMINISTRATOR, ADMINISTRATOR, PROVINCIAL);
    let person = "李 伟";
    let page = "/console/users/%E6%9D%8E%20%E4%BC%9F";

    let nowhere = [("person", person), ("role", "city-reviewer"), ("region", PROVINCIAL)];
    let told = administrator.is_refused(USERS, USERS, &nowhere, "region");
    assert!(told.contains("350000 is none"), "{told}");
    let elsewhere = [("person", person), ("role", "operator"), ("region", "360000")];
    assert!(administrator.is_refused(USERS, USERS, &elsewhere, "region").contains("belongs to 360000"));
    let role = [("person", person), ("role", "operator"), ("region", PROVINCIAL)];
    let to = administrator.sends_twice(USERS, USERS, &role);
    assert!(to.starts_with(page), "{to}");
    assert!(administrator.page(&to).contains("The role is given."));
    let users = care.ok(ADMINISTRATOR, &["user", "list"])["appointments"].to_string();
    assert_eq!(users.matches(person).count(), 1, "{users}");

    // The password is in the answer, once, and nowhere else.
    let resets = || care.ok("auditor", &["audit", "show"]).to_string().matches("\"password-reset\"").count();
    let before = resets();
    let make = format!("{page}/password");
    let form = administrator.fills(page, &make, &[]);
    let made = administrator.post(&make, &form);
    assert_eq!(made.status, 200, "{}", made.text());
    sound(&make, &made);
    let html = made.text();
    let once = fact(&html, "One-time password").to_owned();
    assert_eq!(once.len(), 20, "{html}");
    let again = administrator.post(&make, &form);
    assert!(again.status == 409 && again.text().contains("shown once only"), "{}", again.text());
    assert!(!again.text().contains(&once));
    assert_eq!(kept(&care, &once), "0");
    assert_eq!(resets(), before + 1, "made once");

    let mut browser = Browser::stranger(&server);
    let secret = "correct horse battery";
    let choice = [("person", person), ("password", once.as_str()), ("new_password", secret), ("to", "/console")];
    let entered = browser.post("/console/login", &choice);
    went_to(&entered, "/console");
    let cookie = entered.header("set-cookie").expect("a cookie");
    browser.cookies += &format!("; {}", cookie.split(';').next().expect("a pair"));
    assert!(browser.page("/console").contains(person));

    // Nobody takes a role by a slip, or leaves the house without an administrator.
    let dismiss = format!("{page}/operator/350000/dismiss");
    let slip = administrator.sends(page, &dismiss, &[("typed", "李伟")]);
    assert!(slip.status == 422 && slip.text().contains(&format!("Type: {person}")), "{}", slip.text());
    assert!(browser.get("/console").status == 200);
    administrator.sends_twice(page, &dismiss, &[("typed", person)]);
    went_to(&browser.get("/console"), "/console/login");
    assert_eq!(administrator.get(page).status, 404);
    let own = "/console/users/administrator";
    let last = administrator.sends(own, &format!("{own}/administrator/350000/dismiss"), &[("typed", ADMINISTRATOR)]);
    assert!(last.status == 422 && last.text().contains("last administrator"), "{}", last.text());

    // Who oversees reads and changes nothing; who works does not even read.
    let auditor = Browser::of(&care, &server, "auditor", "auditor", PROVINCIAL);
    assert!(auditor.is_offered(USERS));
    for path in [USERS, own] {
        let html = auditor.page(path);
        assert!(html.contains("administrator") && !html.contains("<form class=\"form\""), "{html}");
    }
    assert_eq!(auditor.post(&format!("{own}/password"), &[("once", "1")]).status, 403);
    assert_eq!(auditor.post(USERS, &role).status, 403);
    let operator = Browser::of(&care, &server, OPERATOR, "operator", PROVINCIAL);
    assert!(operator.get(USERS).status == 403 && !operator.is_offered(USERS));
}

#[test]
fn a_city_sees_the_users_and_tokens_of_its_own_roles() {
    let care = Care::new();
    let server = Server::start(&care);
    care.ok(ADMINISTRATOR, &["user", "add", "xm.auditor", "--role", "auditor", "--region", "350200"]);
    let city = Browser::of(&care, &server, "xm.auditor", "auditor", "350200");
    let users = city.page(USERS);
    assert!(users.contains("city-reviewer") && !users.contains("provincial-approver"), "{users}");
    assert_eq!(city.get(&format!("{USERS}/{PROVINCE}")).status, 404);
    let tokens = care.ok(ADMINISTRATOR, &["token", "new", OPERATOR, "--role", "operator", "--region", PROVINCIAL]);
    let id = tokens["id"].as_str().expect("an id");
    assert!(!city.page(TOKENS).contains(id));
    assert_eq!(city.get(&format!("{TOKENS}/{id}")).status, 404);
}

#[test]
fn a_tokens_secret_is_shown_once_and_opens_nothing_once_it_is_revoked() {
    let care = Care::new();
    let server = Server::start(&care);
    let administrator = Browser::of(&care, &server, ADMINISTRATOR, ADMINISTRATOR, PROVINCIAL);
    let asked = |person, days| [("person", person), ("role", "operator"), ("region", PROVINCIAL), ("days", days)];
    let told = administrator.is_refused(TOKENS, TOKENS, &asked(OPERATOR, "500"), "days");
    assert!(told.contains("within 400 days"), "{told}");
    assert!(administrator.is_refused(TOKENS, TOKENS, &asked(OPERATOR, "many"), "days").contains("no number"));
    assert!(administrator.is_refused(TOKENS, TOKENS, &asked(AUTHOR, "30"), "person").contains("is not operator"));

    let before = care.ok("auditor", &["token", "list"])["tokens"].as_array().map_or(0, Vec::len);
    let form = administrator.fills(TOKENS, TOKENS, &asked(OPERATOR, "30"));
    let made = administrator.post(TOKENS, &form);
    assert_eq!(made.status, 200, "{}", made.text());
    sound(TOKENS, &made);
    let html = made.text();
    let (secret, id) = (fact(&html, "Secret").to_owned(), fact(&html, "Id").to_owned());
    assert!(secret.starts_with("care_") && secret.len() == 69, "{html}");
    let again = administrator.post(TOKENS, &form);
    assert!(again.status == 409 && again.text().contains("shown once only"), "{}", again.text());
    assert!(!again.text().contains(&secret) && !administrator.page(TOKENS).contains(&secret));
    assert_eq!(kept(&care, &secret), "0");
    let after = care.ok("auditor", &["token", "list"])["tokens"].as_array().map_or(0, Vec::len);
    assert_eq!(after, before + 1, "made once");
    let me = || server.ask("GET", "/v1/me").token(&secret).send();
    assert_eq!(me().expect(200)["person"], OPERATOR);

    let page = format!("{TOKENS}/{id}");
    let revoke = format!("{page}/revoke");
    let auditor = Browser::of(&care, &server, "auditor", "auditor", PROVINCIAL);
    assert!(auditor.page(&page).contains("Holds") && !auditor.page(&page).contains(&revoke));
    assert_eq!(auditor.post(&revoke, &[("typed", id.as_str())]).status, 403);
    let slip = administrator.sends(&page, &revoke, &[("reason", "lost laptop"), ("typed", "everything")]);
    assert!(slip.status == 422 && slip.text().contains("lost laptop"), "what was typed is kept: {}", slip.text());
    assert_eq!(me().status, 200);
    administrator.sends_twice(&page, &revoke, &[("reason", "lost laptop"), ("typed", &id)]);
    assert_eq!(me().status, 401);
    let shown = administrator.page(&page);
    assert!(shown.contains("Revoked") && !shown.contains(&revoke), "{shown}");
    assert!(care.ok("auditor", &["audit", "show"]).to_string().contains("lost laptop"));
}

#[test]
fn a_branchs_key_is_registered_and_revoked_with_what_it_signed_beside_it() {
    let care = Care::new();
    let number = care.push("birthday");
    let server = Server::start(&care);
    let administrator = Browser::of(&care, &server, ADMINISTRATOR, ADMINISTRATOR, PROVINCIAL);
    let new = |public, owner| [("public", public), ("owner", owner), ("region", "350200")];
    assert!(administrator.is_refused(KEYS, KEYS, &new("beef", "xm.author"), "public").contains("no key"));
    assert!(administrator.is_refused(KEYS, KEYS, &new(PUBLIC, " "), "owner").contains("own a key"));
    let to = administrator.sends_twice(KEYS, KEYS, &new(PUBLIC, "xm.author"));
    assert!(administrator.page(&to).contains(PUBLIC));
    let known = administrator.is_refused(KEYS, KEYS, &new(PUBLIC, "xm.author"), "public");
    assert!(known.contains("registered already"), "{known}");

    let keys = care.ok("auditor", &["key", "list"])["keys"].clone();
    let of_author = |key: &&Value| key["owner"] == AUTHOR;
    let own = keys.as_array().expect("keys").iter().find(of_author).expect("the author's")["id"].clone();
    let page = format!("{KEYS}/{}", own.as_str().expect("an id"));
    let revoke = format!("{page}/revoke");
    let author = Browser::of(&care, &server, AUTHOR, "initiator", PROVINCIAL);
    let shown = author.page(&page);
    assert!(shown.contains(&format!("/console/submissions/{number}")) && !shown.contains(&revoke), "{shown}");
    assert_eq!(author.post(&revoke, &[("reason", "no right")]).status, 403);
    let word = own.as_str().expect("an id");
    let told = administrator.is_refused(&page, &revoke, &[("reason", ""), ("typed", word)], "reason");
    assert!(told.contains("needs a reason"), "{told}");
    administrator.sends_twice(&page, &revoke, &[("reason", "left the branch"), ("typed", word)]);
    assert!(administrator.page(&page).contains("left the branch"));
    let plugin = care_tests::plugin("green-bill").display().to_string();
    let pushed = care.refused(AUTHOR, &["plugin", "push", &plugin, "--key", &care.key()]);
    assert_eq!(pushed["code"], "revoked-key");
}

#[test]
fn a_submission_is_read_and_tried_on_registered_staff_from_its_review() {
    let care = Care::with_customers(1_000);
    let number = care.push("birthday");
    let server = Server::start(&care);
    let administrator = Browser::of(&care, &server, ADMINISTRATOR, ADMINISTRATOR, PROVINCIAL);
    let unreachable = administrator.sends(STAFF, STAFF, &[("name", "li.wei"), ("msisdn", "")]);
    assert!(unreachable.status == 422 && unreachable.text().contains("neither number nor address"));
    assert!(unreachable.text().contains("value=\"li.wei\""), "what was typed is kept");
    for (name, reach) in [("li.wei", ("msisdn", NUMBER)), ("mail.only", ("email", "m@example.com"))] {
        administrator.sends_twice(STAFF, STAFF, &[("name", name), reach, ("seed", "yes")]);
    }

    let review = format!("/console/submissions/{number}");
    let send = format!("{review}/test-sends");
    let author = Browser::of(&care, &server, AUTHOR, "initiator", PROVINCIAL);
    assert!(
        author.get(STAFF).status == 403 && !author.is_offered(STAFF),
        "who tests does not list who is reached where"
    );
    let page = author.page(&review);
    let previews = care.ok(AUTHOR, &["submission", "preview", &number])["previews"].clone();
    let preview = previews.as_array().expect("previews").iter().find(|one| one["channel"] == "sms").expect("a message");
    assert!(page.contains(preview["text"].as_str().expect("a text")), "{preview} in {page}");
    let whom = |name| [("to", name), ("channel", "sms"), ("language", "zh")];
    assert!(author.is_refused(&review, &send, &whom("li.wie"), "to").contains("li.wei"), "the nearest name is told");
    assert!(author.is_refused(&review, &send, &whom("mail.only"), "to").contains("cannot be reached by sms"));
    let nothing = [("to", "mail.only"), ("channel", "email"), ("language", "")];
    assert!(author.is_refused(&review, &send, &nothing, "channel").contains("says nothing"));
    author.sends_twice(&review, &send, &whom("li.wei"));
    let outbox = care.data().join("outbox-staff");
    let files: Vec<_> = entries(&outbox).iter().flat_map(|channel| entries(channel)).collect();
    let chinese =
        previews.as_array().expect("previews").iter().filter(|p| p["channel"] == "sms" && p["language"] == "zh");
    assert_eq!(files.len(), chinese.count(), "each message once");
    let tests = author.page(&review);
    assert!(tests.contains("accepted") && tests.contains("li.wei") && !tests.contains(NUMBER), "{tests}");

    // Whoever may list them chooses from the list; nobody reads a number whole.
    let province = Browser::of(&care, &server, PROVINCE, "provincial-approver", PROVINCIAL);
    assert!(province.page(&review).contains("<input type=\"checkbox\" name=\"to\" value=\"li.wei\">"));
    let listed = province.page(STAFF);
    assert!(listed.contains("138******34") && !listed.contains(NUMBER) && !listed.contains("<form class=\"form\""));
    let operator = Browser::of(&care, &server, OPERATOR, "operator", PROVINCIAL);
    assert!(!operator.page(&review).contains(&send), "who may not test is not asked to");
    assert_eq!(operator.post(&send, &whom("li.wei")).status, 403);

    let page = format!("{STAFF}/li.wei");
    let forget = format!("{page}/forget");
    assert_eq!(province.post(&forget, &[("typed", "li.wei")]).status, 403);
    assert_eq!(administrator.sends(&page, &forget, &[("typed", "li")]).status, 422);
    administrator.sends_twice(&page, &forget, &[("typed", "li.wei")]);
    assert!(!administrator.page(STAFF).contains(&page) && administrator.get(&page).status == 404);
    let audit = care.ok("auditor", &["audit", "show"]).to_string();
    assert!(audit.contains("staff-forgotten") && !audit.contains(NUMBER), "{audit}");
}
