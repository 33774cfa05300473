//! The console as people use it: by pages and forms, without a script; who gets in, who decides, who starts and stops.

use crate::care::{AUTHOR, CARE, Care, OPERATOR, PROVINCE};
use crate::console::{Browser, hidden, sound, went_to};
use crate::http::Server;
use care_tests::DATE;

#[test]
fn whoever_shows_their_password_gets_in_until_they_leave() {
    let care = Care::new();
    let once = care.ok("administrator", &["user", "password", PROVINCE])["one_time_password"].clone();
    let once = once.as_str().expect("a password").to_owned();
    let server = Server::start(&care);
    let mut browser = Browser::stranger(&server);
    assert_eq!(went_to(&browser.get("/console/audit"), "/console/login"), "/console/login?to=%2Fconsole%2Faudit");
    let chinese = server.ask("GET", "/console/login").send();
    assert!(chinese.text().contains("<html lang=\"zh-CN\">") && chinese.text().contains("登录"), "Chinese by default");
    let login = |fields: &[(&str, &str)]| browser.post("/console/login", fields);
    let wrong = login(&[("person", PROVINCE), ("password", "guess"), ("to", "/console")]);
    assert_eq!(wrong.status, 422);
    sound("login", &wrong);
    assert!(wrong.text().contains(&format!("value=\"{PROVINCE}\"")) && !wrong.text().contains("guess"), "typed again");
    let first = login(&[("person", PROVINCE), ("password", &once), ("to", "/console/audit")]);
    assert!(first.status == 422 && first.text().contains("name=\"new_password\""), "{}", first.text());
    let weak = login(&[("person", PROVINCE), ("password", &once), ("new_password", "short")]);
    assert!(weak.status == 422 && weak.text().contains("shorter than 12"), "{}", weak.text());
    let secret = "correct horse battery";
    let fields =
        [("person", PROVINCE), ("password", &once), ("new_password", secret), ("to", "//evil.example/console")];
    let entered = login(&fields);
    assert_eq!(went_to(&entered, "/console"), "/console", "nowhere else");
    let cookie = entered.header("set-cookie").expect("a cookie").to_owned();
    for flag in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/console"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    browser.cookies += &format!("; {}", cookie.split(';').next().expect("a pair"));
    assert!(browser.page("/console").contains("What waits for you"));

    // A form of somebody else's page does nothing.
    let foreign = browser.post("/console/switches", &[("scope", "everything"), ("reason", "evil"), ("once", "1")]);
    assert!(foreign.status == 403 && care.ok("auditor", &["switch", "list"])["switches"][0].is_null());
    let elsewhere = server.ask("POST", "/console/login").header("Sec-Fetch-Site", "cross-site");
    let elsewhere = elsewhere.body("application/x-www-form-urlencoded", b"person=a&password=b").send();
    assert_eq!(elsewhere.status, 403);

    let left = browser.sends("/console", "/console/logout", &[]);
    went_to(&left, "/console/login");
    went_to(&browser.get("/console"), "/console/login");
    let audit = care.ok("auditor", &["audit", "show"]).to_string();
    assert!(audit.contains("logged-in") && audit.contains("logged-out"), "{audit}");
}

#[test]
fn the_province_compares_simulates_and_approves_the_operator_starts_and_stops() {
    let care = Care::with_customers(3_000);
    let number = care.push("points-expiry");
    let server = Server::start(&care);
    let province = Browser::of(&care, &server, PROVINCE, "provincial-approver", "350000");
    let review = format!("/console/submissions/{number}");
    let path = |verb: &str| format!("{review}/{verb}");
    assert!(province.page("/console").contains(&review), "it waits for the province");
    let page = province.page(&review);
    assert!(page.contains("Not simulated yet") && page.contains("Six principles") && !page.contains("/withdraw\""));

    let simulated = province.sends(&review, &path("simulate"), &[("contacts", "2"), ("days", "")]);
    assert!(simulated.status == 422 && simulated.text().contains("A cap is a number of contacts"));
    assert!(simulated.text().contains("name=\"contacts\" value=\"2\""), "what was typed is kept");
    let cap = [("contacts", "1"), ("days", "30")];
    went_to(&province.sends(&review, &path("simulate"), &cap), &review);
    let page = province.page(&review);
    for part in ["Verdicts in figures", "Contact pressure", "Reach · Region", "Messages as customers read them", "<svg"]
    {
        assert!(page.contains(part), "{part}");
    }
    let csv = province.get(&format!("{review}?csv=regions"));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.text().starts_with('\u{feff}') && csv.text().lines().count() > 2, "{}", csv.text());

    let without = province.sends(&review, &path("approve"), &cap);
    assert!(without.status == 422 && without.text().contains("is not ticked"), "{}", without.text());
    let ticks = CARE.split(',').map(|tick| ("principles", tick));
    let grant: Vec<(&str, &str)> = cap.into_iter().chain(ticks).collect();
    went_to(&province.sends(&review, &path("approve"), &grant), &review);
    assert!(province.page(&format!("{review}?said=approved")).contains("<p class=\"said\" role=\"status\">Approved."));
    let shown = care.ok("auditor", &["submission", "show", &number]);
    assert_eq!((&shown["state"], &shown["approval"]["cap"]["days"]), (&"approved".into(), &30.into()), "{shown}");

    let operator = Browser::of(&care, &server, OPERATOR, "operator", "350000");
    let refused = operator.post(&path("suspend"), &[("reason", "no right")]);
    assert_eq!(refused.status, 403);
    starts(&care, &operator);
    let campaign = "/console/campaigns/points-expiry-1";
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    let plan = care.ok(OPERATOR, &["plan", "show"])["plan"].as_str().expect("an id").to_owned();
    let plans = operator.page("/console/plans");
    assert!(plans.contains(&format!("/console/plans/{plan}")), "{plans}");
    assert!(operator.counted(&format!("/console/plans/{plan}")).contains("points-expiry-1"));
    assert!(operator.counted(campaign).contains("Execution"));
    operator.page("/console/catalogue");

    let halt = [("reason", "wrong tariff")];
    went_to(&operator.sends(campaign, &format!("{campaign}/pause"), &halt), campaign);
    assert!(operator.page(campaign).contains("wrong tariff"));
    went_to(&operator.sends(campaign, &format!("{campaign}/resume"), &halt), campaign);
    let stop = format!("{campaign}/stop");
    let mistyped = operator.sends(campaign, &stop, &[("typed", "points-expiry-2")]);
    assert!(mistyped.status == 422 && mistyped.text().contains("Type: points-expiry-1"), "{}", mistyped.text());
    assert_eq!(care.ok("auditor", &["campaign", "show"])["campaigns"][0]["active"], true);
    went_to(&operator.sends(campaign, &stop, &[("typed", "points-expiry-1")]), campaign);
    assert_eq!(care.ok("auditor", &["campaign", "show"])["campaigns"][0]["active"], false);

    let auditor = Browser::of(&care, &server, "auditor", "auditor", "350000");
    let lines = auditor.page("/console/audit");
    for deed in ["submission-approved", "campaign-started", "campaign-stopped"] {
        assert!(lines.contains(deed), "{deed}");
    }
}

/// An operator starts a campaign: first what it would do, then its reach is typed.
fn starts(care: &Care, operator: &Browser<'_>) {
    let estimate = "/console/campaigns/estimate";
    let wanted = [("activity", "points-expiry"), ("version", "*"), ("params", ""), ("ramp", "half")];
    let mistaken = operator.sends("/console/campaigns", estimate, &wanted);
    assert!(mistaken.status == 422 && mistaken.text().contains("no share"), "{}", mistaken.text());
    assert!(mistaken.text().contains("value=\"half\""), "what was typed is kept");
    let wanted = [("activity", "points-expiry"), ("version", "*"), ("params", ""), ("ramp", "50%,100%")];
    let estimated = operator.sends("/console/campaigns", estimate, &wanted);
    assert_eq!(estimated.status, 200, "{}", estimated.text());
    let form = hidden(&estimated.text(), "/console/campaigns");
    let reach = form.iter().find(|(name, _)| name == "reach").map(|(_, reach)| reach.clone()).expect("a reach");
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let other = [fields.as_slice(), &[("typed", "7")]].concat();
    let mistyped = operator.post("/console/campaigns", &other);
    assert!(mistyped.status == 422 && mistyped.text().contains(&format!("Type: {reach}")), "{}", mistyped.text());
    let without = operator.sends("/console/campaigns", "/console/campaigns/estimate", &[]);
    assert_eq!(without.status, 422, "nothing chosen");
    let start = [fields.as_slice(), &[("typed", reach.as_str())]].concat();
    let started = operator.post("/console/campaigns", &start);
    went_to(&started, "/console/campaigns/points-expiry-1");
    // A double click, or the button pressed again on a slow day: the same answer, and one campaign.
    assert_eq!(operator.post("/console/campaigns", &start).header("location"), started.header("location"));
    assert_eq!(care.ok("auditor", &["campaign", "show"])["campaigns"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_page_opens_to_exactly_those_whom_the_api_answers() {
    let care = Care::with_customers(500);
    let number = care.push("birthday");
    let server = Server::start(&care);
    let (review, submission) = (format!("/console/submissions/{number}"), format!("/v1/submissions/{number}"));
    let key = care.ok("auditor", &["key", "list"])["keys"][0]["id"].clone();
    let key = key.as_str().expect("an id");
    care.ok("administrator", &["staff", "add", "li.wei", "--msisdn", "13800001234"]);
    let span = ["--from", "2026-07-01T00:00:00", "--until", "2026-08-01T00:00:00"];
    care.ok("customer-service", &[&["need", "open", "green-bill", "--title", "bills"][..], &span].concat());
    let (key_page, keys) = (format!("/console/keys/{key}"), "/v1/keys");
    let pages = [
        ("/console/activities", "/v1/activities"),
        ("/console/submissions", "/v1/submissions"),
        (review.as_str(), submission.as_str()),
        ("/console/campaigns", "/v1/campaigns"),
        ("/console/plans", "/v1/plans"),
        ("/console/catalogue", "/v1/knowledge"),
        ("/console/needs", "/v1/needs"),
        ("/console/needs/1", "/v1/needs/1"),
        ("/console/findings", "/v1/findings"),
        ("/console/calls", "/v1/calls"),
        ("/console/calls/windows", "/v1/calls/windows"),
        ("/console/requests", "/v1/requests"),
        ("/console/staff", "/v1/staff"),
        ("/console/staff/li.wei", "/v1/staff"),
        ("/console/users", "/v1/users"),
        ("/console/users/auditor", "/v1/users"),
        ("/console/tokens", "/v1/tokens"),
        ("/console/keys", keys),
        (key_page.as_str(), keys),
        ("/console/switches", "/v1/switches"),
        ("/console/audit", "/v1/audit"),
    ];
    for (person, role) in [
        ("administrator", "administrator"),
        (AUTHOR, "initiator"),
        (PROVINCE, "provincial-approver"),
        (OPERATOR, "operator"),
        ("customer-service", "customer-service"),
        ("information-systems", "information-systems"),
        ("duty-officer", "duty-officer"),
        ("auditor", "auditor"),
        ("event-source", "event-source"),
    ] {
        let made = care.ok("administrator", &["token", "new", person, "--role", role, "--region", "350000"]);
        let secret = made["secret"].as_str().expect("a secret");
        let browser = Browser { server: &server, cookies: format!("care_language=en; care_session={secret}") };
        let menu = browser.page("/console");
        for (page, api) in pages {
            let told = server.ask("GET", api).token(secret).send().status;
            assert_eq!(browser.get(page).status, told, "{role} {page}");
            // What stands in a list is offered by the list.
            let in_list =
                [review.as_str(), "/console/needs/1", "/console/staff/li.wei", "/console/users/auditor", &key_page];
            let offered = menu.contains(&format!("<li><a href=\"{page}\">"));
            assert!(offered == (told == 200) || in_list.contains(&page), "{role} is offered {page}");
        }
    }
    let elsewhere = Browser::of(&care, &server, "operator", "operator", "350200");
    let api = server.ask("GET", &submission).token(elsewhere.cookies.rsplit('=').next().expect("a secret")).send();
    assert_eq!(elsewhere.get(&review).status, api.status, "what another region owns");
}
