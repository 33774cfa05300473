//! The loop back by the console: a need is collected, analysed, published and answered; a finding is opened, waits for its
//! owner, and is closed by nothing but a newer version, or dropped.

use crate::care::{AUTHOR, Care, OPERATOR, PROVINCE};
use crate::console::{Browser, sound, went_to};
use crate::http::Server;

const DESK: &str = "customer-service";
const PROVINCIAL: &str = "350000";
const NEEDS: &str = "/console/needs";
const FINDINGS: &str = "/console/findings";

/// Complaints in Xiamen, and one line that is none.
fn records() -> String {
    let line = |i: usize| format!("c{i},complaint,green-bill,350200,2026-07-{:02}T10:00:00,\n", i % 28 + 1);
    let surveys =
        "s1,survey,green-bill,350100,2026-07-10T10:00:00,8\ns2,survey,green-bill,350200,2026-07-10T10:00:00,4\n";
    let bad = "x1,letter,green-bill,350200,2026-07-01T10:00:00,\n";
    "id,source,entry,region,at,score\n".to_owned() + &(0..40).map(line).collect::<String>() + surveys + bad
}

#[test]
fn a_need_goes_from_its_records_to_the_activity_that_answers_it() {
    let care = Care::with_customers(2_000);
    care.push("green-bill");
    care.push("birthday");
    let server = Server::start(&care);
    let desk = Browser::of(&care, &server, DESK, DESK, PROVINCIAL);
    let province = Browser::of(&care, &server, PROVINCE, "provincial-approver", PROVINCIAL);
    let author = Browser::of(&care, &server, AUTHOR, "initiator", PROVINCIAL);

    let collect = format!("{NEEDS}/records");
    assert!(desk.is_refused(NEEDS, &collect, &[("csv", "id,what\n1,x")], "csv").contains("The header is"));
    let csv = records();
    let partly = desk.sends(NEEDS, &collect, &[("csv", &csv)]);
    sound(&collect, &partly);
    let html = partly.text();
    assert!(partly.status == 200 && html.contains("<dt>New</dt><dd>42</dd>"), "{html}");
    assert!(html.contains("<td class=\"figure\">44</td>") && html.contains("x1,letter"), "the line is shown: {html}");
    let sound_lines = csv.lines().filter(|line| !line.starts_with('x')).collect::<Vec<_>>().join("\n");
    let known = desk.sends(NEEDS, &collect, &[("csv", &sound_lines)]);
    assert!(went_to(&known, NEEDS).ends_with("said=nothing-new"));

    let new = |from, until| [("entry", "green-bill"), ("title", "话费看不懂"), ("from", from), ("until", until)];
    assert!(desk.is_refused(NEEDS, NEEDS, &new("2026-07-31", "2026-07-01"), "until").contains("before it begins"));
    assert!(desk.is_refused(NEEDS, NEEDS, &new("soon", "2026-07-31"), "from").contains("no date"));
    let to = desk.sends_twice(NEEDS, NEEDS, &new("2026-07-01", "2026-07-31"));
    let need = to.split('?').next().expect("a path").to_owned();
    assert_eq!(need, format!("{NEEDS}/1"), "opened once");
    let step = |verb: &str| format!("{need}/{verb}");
    assert!(!desk.page(&need).contains(&step("publish")) && !province.page(&need).contains(&step("publish")));

    desk.sends_twice(&need, &step("analyse"), &[]);
    let page = desk.page(&need);
    for part in
        ["Where it is weak", "350200", "Complaints", "History", "<th scope=\"col\" class=\"figure\">Records</th>"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let volumes = desk.get(&format!("{need}?csv=volumes")).text();
    assert!(volumes.contains("Complaints,40") && volumes.contains("Surveyed,2"), "{volumes}");
    assert!(!page.contains(&step("publish")), "the centre does not publish");
    assert_eq!(desk.post(&step("publish"), &[("typed", "话费看不懂")]).status, 403);
    let slip = province.sends(&need, &step("publish"), &[("typed", "bills")]);
    assert!(slip.status == 422 && slip.text().contains("Type: 话费看不懂"), "{}", slip.text());
    assert!(!author.page(&need).contains(&step("answers")), "nothing is published yet");
    province.sends_twice(&need, &step("publish"), &[("typed", "话费看不懂")]);

    let page = author.page(&need);
    assert!(page.contains("<option value=\"green-bill\">") && !page.contains("<option value=\"birthday\">"), "{page}");
    assert!(!page.contains(&step("analyse")));
    let other = author.sends(&need, &step("answers"), &[("activity", "birthday")]);
    assert!(other.status == 422 && other.text().contains("not for green-bill"), "{}", other.text());
    author.sends_twice(&need, &step("answers"), &[("activity", "green-bill")]);
    let again = author.is_refused(&need, &step("answers"), &[("activity", "green-bill")], "activity");
    assert!(again.contains("already"), "{again}");
    let shown = care.ok("auditor", &["need", "show", "1"]);
    assert_eq!(shown["answers"], serde_json::json!(["green-bill"]), "{shown}");

    // Who may not study needs reads them, and is asked for nothing.
    let operator = Browser::of(&care, &server, OPERATOR, "operator", PROVINCIAL);
    for path in [NEEDS, need.as_str()] {
        assert!(!operator.page(path).contains("<form class=\"form\""));
    }
    assert_eq!(operator.post(NEEDS, &new("2026-07-01", "2026-07-31")).status, 403);
    assert_eq!(operator.get(&format!("{NEEDS}/7")).status, 404);
}

#[test]
fn a_finding_waits_for_its_owner_and_only_a_newer_version_closes_it() {
    let care = Care::with_customers(1_000);
    care.approve("birthday");
    care.ok(OPERATOR, &["campaign", "start", "birthday"]);
    let server = Server::start(&care);
    let province = Browser::of(&care, &server, PROVINCE, "provincial-approver", PROVINCIAL);
    let what = "Customers born in February get none";
    let new = |due, owner| [("activity", "birthday"), ("version", ""), ("what", what), ("owner", owner), ("due", due)];
    let told = province.is_refused(FINDINGS, FINDINGS, &new("2026-07-01", ""), "due");
    assert!(told.contains("deadline has passed"), "{told}");
    assert!(province.is_refused(FINDINGS, FINDINGS, &new("2026-08-31", "nobody"), "owner").contains("not registered"));
    assert!(province.is_refused(FINDINGS, FINDINGS, &new("someday", ""), "due").contains("no date"));
    let to = province.sends_twice(FINDINGS, FINDINGS, &new("2026-08-31", ""));
    let finding = to.split('?').next().expect("a path").to_owned();
    assert_eq!(finding, format!("{FINDINGS}/1"), "opened once");

    // It waits for whoever answers for it, who does not decide about it.
    let author = Browser::of(&care, &server, AUTHOR, "initiator", PROVINCIAL);
    assert!(author.page("/console").contains(&format!("<a href=\"{finding}\">")), "it is in the inbox");
    let page = author.page(&finding);
    let (close, drop_it) = (format!("{finding}/close"), format!("{finding}/drop"));
    assert!(page.contains(what) && !page.contains(&close) && !page.contains(&drop_it), "{page}");
    assert_eq!(author.post(&drop_it, &[("reason", "no"), ("typed", "birthday")]).status, 403);

    let told = province.is_refused(&finding, &close, &[("version", "1.0.0")], "version");
    assert!(told.contains("not newer"), "{told}");
    assert!(province.is_refused(&finding, &close, &[("version", "9.0.0")], "version").contains("has not version"));
    assert!(province.is_refused(&finding, &close, &[("version", "new")], "version").contains("1.2.0"));
    let slip = province.sends(&finding, &drop_it, &[("reason", "counted wrongly"), ("typed", "birth")]);
    assert!(slip.status == 422 && slip.text().contains("counted wrongly</textarea>"), "{}", slip.text());
    let without = province.is_refused(&finding, &drop_it, &[("reason", ""), ("typed", "birthday")], "reason");
    assert!(without.contains("says nothing"), "{without}");
    province.sends_twice(&finding, &drop_it, &[("reason", "counted wrongly"), ("typed", "birthday")]);
    let page = province.page(&finding);
    assert!(page.contains("Dropped") && page.contains("counted wrongly") && !page.contains(&close), "{page}");
    assert!(!author.page("/console").contains(&finding), "it waits no longer");

    // What another city owns does not exist.
    let elsewhere = Browser::of(&care, &server, "city-reviewer", "city-reviewer", "350200");
    assert_eq!(elsewhere.get(&finding).status, 200, "the province's activity is everybody's to see");
    assert_eq!(province.get(&format!("{FINDINGS}/7")).status, 404);
}
