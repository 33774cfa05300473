//! What is made on the console: an upload by the branch, a variant without code, a plan that is run and called off, an
//! evaluation that is kept; and what is looked at: the overview, an activity with its versions.

use crate::care::{AUTHOR, CARE, Care, OPERATOR, PROVINCE, text};
use crate::console::{Browser, hidden, went_to};
use crate::http::{Reply, Server};
use care_tests::{DATE, EVENING, plugin};

const PROVINCE_CODE: &str = "350000";

/// Sends the form of a page that leads to `action` in parts, with a file in it.
fn uploads(browser: &Browser<'_>, page: &str, action: &str, file: &[u8], fields: &[(&str, &str)]) -> Reply {
    let hidden = hidden(&browser.page(page), action);
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut body = Vec::new();
    for (name, value) in hidden.chain(fields.iter().copied()) {
        let part = format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = "--part\r\nContent-Disposition: form-data; name=\"component\"; filename=\"a.wasm\"\r\n\
                Content-Type: application/wasm\r\n\r\n";
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--part--\r\n");
    browser.post_as(action, "multipart/form-data; boundary=part", &body)
}

/// The component as the branch signed it.
fn signed(care: &Care, name: &str) -> Vec<u8> {
    let out = text(&care.path("signed.wasm"));
    care.ok(AUTHOR, &["plugin", "sign", &text(&plugin(name)), "--key", &care.key(), "--out", &out]);
    std::fs::read(&out).expect("a signed component")
}

#[test]
fn a_branch_uploads_an_activity_and_a_marketing_clerk_makes_a_variant_of_it() {
    let care = Care::with_customers(2_000);
    let server = Server::start(&care);
    let author = Browser::of(&care, &server, AUTHOR, "initiator", PROVINCE_CODE);
    let list = "/console/submissions";
    let none = uploads(&author, list, list, b"", &[("need", "")]);
    assert!(none.status == 422 && none.text().contains("no file was chosen"), "{}", none.text());
    let noise = uploads(&author, list, list, b"no component at all", &[("need", "")]);
    assert!(noise.status == 422 && noise.text().contains("class=\"wrong\""), "{}", noise.text());
    let unsigned = std::fs::read(plugin("birthday")).expect("a plugin");
    let unsigned = uploads(&author, list, list, &unsigned, &[("need", "")]);
    assert!(unsigned.status == 422, "{}", unsigned.text());
    assert_eq!(care.ok("auditor", &["submission", "list"])["submissions"].as_array().map(Vec::len), Some(0));
    let taken = uploads(&author, list, list, &signed(&care, "birthday"), &[("need", "")]);
    let review = "/console/submissions/1";
    went_to(&taken, review);
    assert!(author.page(review).contains("How it came here") && author.page(list).contains(review));

    let variant = "/console/submissions/1/variant";
    assert!(author.page(variant).contains("of a version that is approved"), "nothing is approved yet");
    let province = Browser::of(&care, &server, PROVINCE, "provincial-approver", PROVINCE_CODE);
    went_to(&province.sends(review, "/console/submissions/1/simulate", &[]), review);
    let ticks: Vec<(&str, &str)> = CARE.split(',').map(|tick| ("principles", tick)).collect();
    went_to(&province.sends(review, "/console/submissions/1/approve", &ticks), review);

    let page = author.page(variant);
    assert!(page.contains("{host.surname}") && page.contains("name=\"param.send_hour\""), "{page}");
    let typed = |name: &str, region: &str, zh: &str, en: &str| {
        let fields = [
            ("name", name),
            ("region", region),
            ("param.send_hour", "10"),
            ("text.wish.sms.zh", zh),
            ("text.wish.sms.en", en),
        ];
        author.sends(variant, variant, &[fields.as_slice(), &unchanged(&page, &fields)].concat())
    };
    let (zh, en) = ("尊敬的{host.surname}先生/女士，祝您生日快乐！", "Dear Mr/Ms {host.surname}, happy birthday!");
    let badly = typed("Xia Men", "350200", zh, en);
    assert!(badly.status == 422 && badly.text().contains("no kebab-case name"), "{}", badly.text());
    assert!(badly.text().contains("value=\"Xia Men\"") && badly.text().contains("happy birthday!"), "kept as typed");
    went_to(&typed("xiamen", "350200", zh, en), "/console/submissions/2");
    let shown = care.ok("auditor", &["submission", "show", "2"]);
    assert_eq!(shown["manifest"]["version"], "1.0.0+xiamen", "{shown}");
    assert_eq!(shown["manifest"]["params"]["properties"]["send_hour"]["default"], 10, "a number stays one");
    assert!(author.counted("/console/activities/birthday").contains("1.0.0+xiamen"));
}

/// The other fields of a form, as they stand in its page.
fn unchanged(page: &str, changed: &[(&str, &str)]) -> Vec<(&'static str, &'static str)> {
    let areas = page.split("<textarea ").skip(1).filter_map(|area| {
        let (head, rest) = area.split_once('>')?;
        let name = head.split_once("name=\"")?.1.split('"').next()?;
        let value = rest.split("</textarea>").next()?;
        Some((name.to_owned(), plain(value)))
    });
    let lines = page.split("<input id=\"").skip(1).filter_map(|input| {
        let name = input.split_once("name=\"")?.1.split('"').next()?;
        let value = input.split_once("value=\"")?.1.split('"').next()?;
        Some((name.to_owned(), plain(value)))
    });
    let kept = areas.chain(lines).filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    // A test lives shortly.
    kept.map(|(name, value)| (&*name.leak(), &*value.leak())).collect()
}

/// Text as it was before it was written into a page.
fn plain(text: &str) -> String {
    let named = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    named.iter().fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[test]
fn a_plan_is_run_and_an_effect_is_read_and_kept_on_the_console() {
    let care = Care::with_customers(4_000);
    care.approve("points-expiry");
    care.ok(OPERATOR, &["campaign", "start", "points-expiry"]);
    let server = Server::start(&care);
    let operator = Browser::of(&care, &server, OPERATOR, "operator", PROVINCE_CODE);
    let plans = "/console/plans";
    let badly = operator.sends(plans, plans, &[("date", DATE), ("wave", "0")]);
    assert!(badly.status == 422 && badly.text().contains("waves are counted from 1"), "{}", badly.text());
    let begun = operator.sends(plans, plans, &[("date", DATE), ("wave", "1")]);
    let plan = went_to(&begun, "/console/plans/").split('?').next().expect("an address").to_owned();
    let released = || operator.page(&plan).contains("Released");
    let mut looks = 600;
    while !released() {
        looks -= 1;
        assert!(looks > 0, "it is never released");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let follow = operator.get(&format!("{plan}/progress"));
    assert_eq!((follow.status, follow.header("content-type")), (200, Some("text/event-stream")));
    assert!(follow.text().contains("event: done"), "{}", follow.text());
    assert!(!operator.page(&plan).contains("/cancel\""), "what is released is not called off");
    let overview = operator.counted("/console/overview");
    for part in ["Plan of 2026-07-29", "Coverage of the catalogue", "Contact pressure", "Faults and stops"] {
        assert!(overview.contains(part), "{part}");
    }

    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let made_up = text(&care.path("made-up.csv"));
    care.ok(OPERATOR, &["outcome", "simulate", "points-expiry-1", "--from", EVENING, "--out", &made_up]);
    care.ok(OPERATOR, &["outcome", "import", &made_up]);
    let evaluation = "/console/campaigns/points-expiry-1/evaluation";
    let page = operator.counted(evaluation);
    for part in ["95 % interval", "Contacted and held out", "Day by day", "<circle"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let told = care.ok(OPERATOR, &["evaluate", "points-expiry-1"]);
    let difference = format!("{:+.4}", told["effect"]["difference"].as_f64().expect("a difference"));
    assert!(page.contains(&difference), "the same figures as elsewhere: {difference}");
    assert!(operator.counted(&format!("{evaluation}?by=tier")).contains("By slice"));
    assert!(operator.counted(&format!("{evaluation}?by=birth-month")).contains("is no slice"));
    went_to(&operator.sends(evaluation, evaluation, &[]), evaluation);
    assert!(operator.counted(evaluation).contains("Kept before"));
    assert_eq!(care.ok(OPERATOR, &["evaluate", "points-expiry-1", "--keep"])["kept"], 2, "one was kept before");
    assert!(operator.counted("/console/activities/points-expiry").contains("Effect over time"));
}

#[test]
fn a_city_looks_at_plans_and_does_not_run_them() {
    let care = Care::with_customers(1_000);
    care.approve("birthday");
    care.ok(OPERATOR, &["campaign", "start", "birthday"]);
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    let plan = care.ok(OPERATOR, &["plan", "show"])["plan"].as_str().expect("an id").to_owned();
    let server = Server::start(&care);
    let city = Browser::of(&care, &server, OPERATOR, "operator", "350200");
    let page = city.counted(&format!("/console/plans/{plan}"));
    assert!(page.contains("birthday-1"), "the province contacts its customers, too: {page}");
    assert!(!page.contains("/pause\"") && !city.page("/console/plans").contains("action=\"/console/plans\""));
    let refused = city.post("/console/plans", &[("date", DATE), ("wave", "2")]);
    assert_eq!(refused.status, 403);
    assert!(!city.counted("/console/overview").contains("Contact pressure"), "that is of all customers");
}
