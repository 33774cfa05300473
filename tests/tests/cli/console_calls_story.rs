//! Work from a list, by the console: a supervisor opens a window, an agent takes calls and says what came of them; numbers
//! stand in the answer to whoever takes one, and on no other page.

use crate::care::{Care, OPERATOR};
use crate::console::{Browser, sound, went_to};
use crate::http::Server;
use care_tests::{DATE, EVENING, query};

const ADMINISTRATOR: &str = "administrator";
const AGENT: &str = "customer-service";
const DEPARTMENT: &str = "information-systems";
const PROVINCIAL: &str = "350000";
const CALLS: &str = "/console/calls";
const WINDOWS: &str = "/console/calls/windows";
const REQUESTS: &str = "/console/requests";

/// An evening with calls and requests of a disaster.
fn evening() -> (Care, Server) {
    let care = Care::with_customers(6_000);
    let desks = "[call-list.desk]\nhold_minutes = 30\n[action.desk]\nhold_minutes = 600\n";
    care.ok(ADMINISTRATOR, &["gateway", "set", &care.file("gateways.toml", desks)]);
    care.approve("disaster-response");
    care.ok(OPERATOR, &["campaign", "start", "disaster-response", "--param", "onset=2026-07-28"]);
    care.ok(OPERATOR, &["plan", "run", "--date", DATE]);
    let server = Server::start_in(care.command().env("CARE_CLOCK", EVENING), &[]);
    (care, server)
}

/// Every number that somebody could be called under.
fn numbers(care: &Care) -> Vec<String> {
    let all = "SELECT group_concat(msisdn || ' ' || close_contacts, ' ') FROM identities";
    let all = query(care.data(), "identities.db", all);
    let numbers = all.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() >= 11);
    let numbers: Vec<String> = numbers.map(str::to_owned).collect();
    assert!(numbers.len() > 1_000, "{} numbers", numbers.len());
    numbers
}

fn named<'a>(numbers: &'a [String], text: &str) -> Vec<&'a String> {
    numbers.iter().filter(|number| text.contains(number.as_str())).collect()
}

/// Contacts of a page, in the order of its table.
fn contacts(html: &str, desk: &str) -> Vec<String> {
    let link = format!("<a href=\"{desk}?about=");
    let links = html.split(&link).skip(1);
    links.map(|link| link.split('"').next().expect("its end").to_owned()).collect()
}

#[test]
fn an_agent_takes_calls_in_a_window_and_says_what_came_of_them() {
    let (care, server) = evening();
    let numbers = numbers(&care);
    let agent = Browser::of(&care, &server, AGENT, AGENT, PROVINCIAL);
    assert!([CALLS, WINDOWS, REQUESTS].iter().all(|path| agent.is_offered(path)));
    let take = format!("{CALLS}/take");
    let asked = |count, way| [("count", count), ("way", way)];
    let waiting = agent.page(&format!("{CALLS}?q=waiting"));
    assert!(contacts(&waiting, CALLS).len() > 10 && named(&numbers, &waiting).is_empty());
    let early = agent.sends(CALLS, &take, &asked("3", "page"));
    assert!(early.status == 422 && early.text().contains("no calling window is open"), "{}", early.text());

    let window = |seats, minutes| [("seats", seats), ("calls_an_hour", "12"), ("minutes", minutes)];
    let none = agent.sends(WINDOWS, WINDOWS, &window("0", "60"));
    assert!(none.status == 422 && none.text().contains("Name 1 to 10000 seats"), "{}", none.text());
    assert!(none.text().contains("name=\"minutes\" value=\"60\""), "what was typed is kept");
    assert!(agent.is_refused(WINDOWS, WINDOWS, &window("many", "60"), "seats").contains("no number"));
    agent.sends_twice(WINDOWS, WINDOWS, &window("2", "60"));
    let windows = care.ok(AGENT, &["calls", "list"])["windows"].clone();
    assert_eq!((windows.as_array().map(Vec::len), &windows[0]["seats"]), (Some(1), &2.into()), "{windows}");
    let second = agent.sends(WINDOWS, WINDOWS, &window("2", "60"));
    assert!(second.status == 422 && second.text().contains("is open until"), "{}", second.text());

    // Numbers are in the answer, once; what was taken is taken once.
    assert!(agent.is_refused(CALLS, &take, &asked("0", "sheet"), "count").contains("Ask for 1 to 500"));
    assert!(agent.is_refused(CALLS, &take, &asked("60", "page"), "count").contains("50"));
    let form = agent.fills(CALLS, &take, &asked("3", "page"));
    let taken = agent.post(&take, &form);
    assert_eq!(taken.status, 200, "{}", taken.text());
    sound(&take, &taken);
    let mine = contacts(&taken.text(), CALLS);
    assert_eq!((mine.len(), named(&numbers, &taken.text()).is_empty()), (3, false), "{}", taken.text());
    let again = agent.post(&take, &form);
    assert!(again.status == 409 && named(&numbers, &again.text()).is_empty(), "{}", again.text());
    let sheet = agent.sends(CALLS, &take, &asked("4", "sheet"));
    for (name, value) in [("content-type", "text/csv; charset=utf-8"), ("cache-control", "no-store")] {
        assert_eq!(sheet.header(name), Some(value));
    }
    assert!(sheet.header("content-disposition").is_some_and(|told| told.starts_with("attachment")));
    let csv = sheet.text();
    assert!(csv.starts_with("\u{feff}contact,campaign,") && csv.lines().count() == 5, "{csv}");
    assert!(!named(&numbers, &csv).is_empty(), "{csv}");
    let held = agent.page(&format!("{CALLS}?q=handed-out"));
    assert_eq!((contacts(&held, CALLS).len(), named(&numbers, &held).len()), (7, 0), "{held}");
    for number in named(&numbers, &(taken.text() + &csv)) {
        let kept = format!("SELECT COUNT(*) FROM requests WHERE instr(coalesce(body, ''), '{number}') > 0");
        assert_eq!(query(care.data(), "care.db", &kept), "0", "an answer with a number is not kept");
    }

    one_result(&agent, &mine);
    a_sheet_of_results(&agent, &csv);
    let report = agent.page(WINDOWS);
    assert!(report.contains("disaster-response-1") && report.contains("No result yet"), "{report}");
    let figures = agent.get(&format!("{WINDOWS}?q={DATE}&csv=calls"));
    assert_eq!(figures.status, 200);
    let line = figures.text().lines().nth(1).expect("a line").to_owned();
    assert!(line.starts_with("disaster-response-1,7,"), "{line}");
    assert!(agent.page(&format!("{WINDOWS}?q=soon")).contains("That is no date"));

    let close = format!("{WINDOWS}/close");
    agent.sends_twice(WINDOWS, &close, &[]);
    assert!(!agent.page(WINDOWS).contains(&close), "nothing is left to close");
    let audit = care.ok("auditor", &["audit", "show"]).to_string();
    for deed in ["calls-opened", "work-listed", "work-recorded", "calls-closed"] {
        assert!(audit.contains(deed), "{deed}");
    }
    assert!(named(&numbers, &audit).is_empty());
}

/// An agent types one result, as the list leads there.
fn one_result(agent: &Browser, mine: &[String]) {
    let record = format!("{CALLS}/result");
    let typed =
        |contact, result, score| [("contact", contact), ("result", result), ("score", score), ("note", "said \"hm\"")];
    let page = format!("{CALLS}?about={}", mine[0]);
    assert!(agent.page(&page).contains(&format!("name=\"contact\" value=\"{}\"", mine[0])), "filled in already");
    assert!(agent.is_refused(CALLS, &record, &typed("nonsense", "safe", ""), "contact").contains("32 hexadecimal"));
    assert!(agent.is_refused(CALLS, &record, &typed(&mine[0], "safe", "11"), "score").contains("1 to 10"));
    let unknown = "00".repeat(16);
    assert!(agent.is_refused(CALLS, &record, &typed(&unknown, "safe", ""), "contact").contains("no contact"));
    let to = agent.sends_twice(CALLS, &record, &typed(&mine[0], "safe", "9"));
    assert!(agent.page(&to).contains("Results are recorded."));
    let other = agent.is_refused(CALLS, &record, &typed(&mine[0], "unreachable", ""), "result");
    assert!(other.contains("safe"), "{other}");
    let listed = agent.page(&format!("{CALLS}?q=safe"));
    assert!(contacts(&listed, CALLS) == mine[..1] && listed.contains("said &#34;hm&#34;"), "{listed}");
}

/// A sheet comes back filled in, first with a line that is none.
fn a_sheet_of_results(agent: &Browser, csv: &str) {
    let record = format!("{CALLS}/results");
    let told = agent.is_refused(CALLS, &record, &[("csv", "contact,outcome\nx,safe")], "csv");
    assert!(told.contains("&#34;result&#34; is missing"), "{told}");
    let of = |line: &str| line.trim_start_matches('\u{feff}').split(',').next().expect("a contact").to_owned();
    let own: Vec<String> = csv.lines().skip(1).map(of).collect();
    let filled = |result| {
        let (a, b, c) = (&own[0], &own[1], &own[2]);
        format!("contact\tresult\tnote\n{a}\treached\t\n{b}\t{result}\t\"said \"\"no\"\"\"\n{c}\t\tnot yet")
    };
    let wrong = filled("flying");
    let partly = agent.sends(CALLS, &record, &[("csv", &wrong)]);
    assert_eq!(partly.status, 200, "{}", partly.text());
    sound(&record, &partly);
    let html = partly.text();
    assert!(html.contains("Some lines were left out") && html.contains("<dt>New</dt><dd>1</dd>"), "{html}");
    assert!(html.contains("<td class=\"figure\">3</td>") && html.contains("flying"), "the line is named: {html}");
    assert!(html.contains(&format!(">\n{}", &wrong[..wrong.find("said").expect("a note") - 2])), "it is kept: {html}");
    let mended = agent.sends(CALLS, &record, &[("csv", &filled("refused"))]);
    assert!(went_to(&mended, CALLS).ends_with("said=recorded"));
    let known = agent.sends(CALLS, &record, &[("csv", &filled("refused"))]);
    assert!(went_to(&known, CALLS).ends_with("said=nothing-new"), "what is known adds nothing");
    assert_eq!(contacts(&agent.page(&format!("{CALLS}?q=refused")), CALLS), own[1..2]);
}

#[test]
fn a_department_takes_its_own_requests_and_who_has_no_part_in_calls_is_not_offered_them() {
    let (care, server) = evening();
    let department = Browser::of(&care, &server, DEPARTMENT, DEPARTMENT, PROVINCIAL);
    assert!(department.is_offered(REQUESTS) && !department.is_offered(CALLS) && !department.is_offered(WINDOWS));
    assert_eq!(department.get(CALLS).status, 422, "calls are another department's, as the API has it");
    assert_eq!(department.get(WINDOWS).status, 403);
    let listed = department.page(REQUESTS);
    let all = contacts(&listed, REQUESTS);
    assert!(all.len() > 2 && listed.contains("Credit rating"), "{listed}");
    let take = format!("{REQUESTS}/take");
    let form = department.fills(REQUESTS, &take, &[("count", "2"), ("way", "page")]);
    let taken = department.post(&take, &form);
    sound(&take, &taken);
    let mine = contacts(&taken.text(), REQUESTS);
    assert_eq!((taken.status, mine.len()), (200, 2), "{}", taken.text());
    assert_eq!(department.post(&take, &form).status, 409);

    let record = format!("{REQUESTS}/result");
    assert!(!listed.contains("name=\"score\""), "only a call has a score");
    let to = department.sends_twice(REQUESTS, &record, &[("contact", &mine[0]), ("result", "done"), ("note", "")]);
    assert!(to.ends_with("said=recorded"), "{to}");
    let csv = format!("contact,result,note\n{},declined,no such line\n{},safe,\n", mine[1], all[2]);
    let partly = department.sends(REQUESTS, &format!("{REQUESTS}/results"), &[("csv", &csv)]);
    let html = partly.text();
    assert!(partly.status == 200 && html.contains("<dt>Left out</dt><dd>1</dd>") && html.contains("safe"), "{html}");
    assert_eq!(contacts(&department.page(&format!("{REQUESTS}?q=declined")), REQUESTS), mine[1..]);

    // Others read the windows and the report, and no list.
    let operator = Browser::of(&care, &server, OPERATOR, "operator", PROVINCIAL);
    assert!(operator.is_offered(WINDOWS) && !operator.is_offered(CALLS) && !operator.is_offered(REQUESTS));
    for path in [CALLS, REQUESTS] {
        assert_eq!(operator.get(path).status, 403);
        assert_eq!(operator.post(&format!("{path}/take"), &[("count", "1"), ("way", "page")]).status, 403);
    }
    let windows = operator.page(WINDOWS);
    assert!(!windows.contains("<form class=\"form\"") && windows.contains("disaster-response-1"), "{windows}");
    assert_eq!(operator.post(WINDOWS, &[("seats", "1"), ("calls_an_hour", "1"), ("minutes", "1")]).status, 403);
    let accounts = Browser::of(&care, &server, "key-accounts", "key-accounts", PROVINCIAL);
    assert!(contacts(&accounts.page(REQUESTS), REQUESTS).is_empty(), "these are not theirs");
}
