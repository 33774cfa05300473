//! What would be said, what staff got of it, and what customers were sent: before and after a campaign.

use crate::care::{AUTHOR, Care, OPERATOR, PROVINCE, entries};
use care_tests::EVENING;
use serde_json::Value;

const ADMINISTRATOR: &str = "administrator";
const WORDS: &str = "[wording]\nsignature = { zh = \"【福建移动】\", en = \"[Fujian Mobile] \" }\n\
                     refusal_hint = { zh = \"，拒收请回复TD\", en = \" Reply TD to refuse.\" }\n";

/// Lines that were written for staff.
fn for_staff(care: &Care) -> Vec<Value> {
    let folder = care.data().join("outbox-staff");
    let files = entries(&folder).iter().flat_map(|channel| entries(channel)).collect::<Vec<_>>();
    let read = |file| serde_json::from_str(&std::fs::read_to_string(file).expect("a file")).expect("JSON");
    files.into_iter().map(read).collect()
}

fn add<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["staff", "add", "li.wei"], more].concat()
}

#[test]
fn a_submission_is_read_and_tried_on_staff_before_it_is_approved() {
    let care = Care::with_customers(2_000);
    care.ok(ADMINISTRATOR, &["gateway", "set", &care.file("gateways.toml", WORDS)]);
    let number = care.push("birthday");

    // As read, with everything that stands around it, and what it may come to.
    let shown = care.ok(AUTHOR, &["submission", "preview", &number]);
    let previews = shown["previews"].as_array().expect("previews");
    let sms: Vec<&Value> = previews.iter().filter(|p| p["channel"] == "sms").collect();
    assert!(sms.len() >= 2, "{shown}");
    for preview in &sms {
        let sign = if preview["language"] == "zh" { "【福建移动】" } else { "[Fujian Mobile] " };
        for text in ["text", "longest"] {
            let text = preview[text].as_str().expect("a text");
            assert!(text.starts_with(sign) && !text.contains(['{', '}']), "{text}");
        }
        let (usual, most) = (&preview["sms"][0]["segments"], &preview["sms"][1]["segments"]);
        assert!(usual.as_u64() >= Some(1) && most.as_u64() >= usual.as_u64(), "{preview}");
    }

    // Nobody but registered staff gets a test, and only with a number.
    let test = |who: &str, to: &str| {
        let args = ["submission", "test-send", &number, "--to", to, "--channel", "sms"];
        care.run(who, &args).stdout
    };
    assert!(test(AUTHOR, "li.wei").contains("unknown-staff"));
    assert_eq!(care.refused(ADMINISTRATOR, &add(&[]))["code"], "bad-staff");
    assert_eq!(care.refused(ADMINISTRATOR, &add(&["--msisdn", "138x"]))["code"], "bad-staff");
    assert_eq!(care.refused(OPERATOR, &add(&["--msisdn", "13800001234"]))["code"], "not-allowed");
    care.ok(ADMINISTRATOR, &add(&["--msisdn", "13800001234", "--seed"]));
    care.ok(ADMINISTRATOR, &["staff", "add", "mail.only", "--email", "m@example.com"]);
    assert!(test(AUTHOR, "mail.only").contains("bad-staff"));
    assert!(test(OPERATOR, "li.wei").contains("not-allowed"));
    let listed = care.ok(OPERATOR, &["staff", "list"]);
    assert_eq!(listed["staff"][0]["msisdn"], "138******34");

    let sent = care.ok(AUTHOR, &["submission", "test-send", &number, "--to", "li.wei", "--channel", "sms"]);
    let sent = sent["sent"].as_array().expect("messages");
    assert_eq!(sent.len(), sms.len());
    assert!(sent.iter().all(|one| one["answer"] == "accepted"), "{sent:?}");
    let mut got: Vec<String> = for_staff(&care).iter().map(|line| line["text"].to_string()).collect();
    let mut expected: Vec<String> = sms.iter().map(|p| p["text"].to_string()).collect();
    got.sort();
    expected.sort();
    assert_eq!(got, expected, "staff read what was previewed");
    assert!(for_staff(&care).iter().all(|line| line["to"] == "13800001234"));
    let tests = care.ok(PROVINCE, &["submission", "tests", &number]);
    assert_eq!(tests["messages"].as_array().map(Vec::len), Some(sms.len()));
    let audit = care.ok("auditor", &["audit", "show"]).to_string();
    assert!(audit.contains("test-sent") && !audit.contains("13800001234"), "{audit}");
    // Enough is enough.
    let again = (0..100).map(|_| test(AUTHOR, "li.wei")).find(|said| said.contains("too-many-tests"));
    assert!(again.is_some(), "a hundred tests a day");
}

#[test]
fn what_stands_around_a_message_is_counted_before_it_is_approved() {
    let care = Care::with_customers(2_000);
    care.ok(ADMINISTRATOR, &["gateway", "set", &care.file("gateways.toml", WORDS)]);
    let number = care.push("birthday");
    // The evidence counts what is paid for: the signature too.
    care.ok(PROVINCE, &["submission", "simulate", &number]);
    let bare = care.copy("bare");
    bare.ok(ADMINISTRATOR, &["gateway", "set", &bare.file("bare.toml", "")]);
    bare.ok(PROVINCE, &["submission", "simulate", &number]);
    let samples =
        |care: &Care| care.ok(PROVINCE, &["submission", "evidence", &number])["evidence"]["samples"].to_string();
    assert!(samples(&care).contains("【福建移动】") && !samples(&bare).contains("【福建移动】"));
}

#[test]
fn seeds_get_what_campaigns_send_and_what_a_customer_was_sent_stays_as_it_was_read() {
    let care = Care::with_customers(2_000);
    care.ok(ADMINISTRATOR, &["gateway", "set", &care.file("gateways.toml", WORDS)]);
    care.ok(ADMINISTRATOR, &add(&["--msisdn", "13800001234", "--seed"]));
    // A live campaign: one copy of each template and language, addressed to nobody real.
    care.approve("birthday");
    care.ok(OPERATOR, &["campaign", "start", "birthday"]);
    care.ok(OPERATOR, &["plan", "run"]);
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let copies = care.ok(OPERATOR, &["staff", "copies", "birthday-1"]);
    let copies = copies["messages"].as_array().expect("copies");
    assert!(!copies.is_empty() && copies.iter().all(|c| c["kind"] == "seed" && c["staff"] == "li.wei"), "{copies:?}");
    let seeded = for_staff(&care).len();
    assert_eq!(seeded, copies.len());
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    assert_eq!(for_staff(&care).len(), seeded, "a copy once a plan");

    // What a customer was sent stays as it was read, whatever the signature is today; who asks is written down.
    let line = care.outbox().into_iter().find(|(channel, _)| channel == "sms").expect("a message").1;
    let contact = line["contact"].as_str().expect("an id").to_owned();
    let show = ["message", "show", &contact];
    assert_eq!(care.refused(OPERATOR, &show)["code"], "not-allowed");
    assert_eq!(care.refused("customer-service", &["message", "show", "nonsense"])["code"], "unknown-contact");
    let later = ["--clock", "2026-07-30T08:00:00+08:00", "gateway", "set", &care.file("later.toml", "")];
    care.ok(ADMINISTRATOR, &later);
    let shown = care.ok("customer-service", &show);
    assert_eq!(shown["text"], line["text"]);
    assert!(shown["to"].as_str().is_some_and(|to| to.contains("****")), "{shown}");
    let audit = care.ok("auditor", &["audit", "show"]).to_string();
    assert!(audit.contains("message-read") && audit.contains("staff-registered"));
    assert!(!audit.contains("13800001234"), "no number in the audit log");
}
