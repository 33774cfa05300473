//! E-mail against aiosmtpd, and another system by signed requests that the reference library checks.

use crate::channels::{configure, counts, left, watching};
use crate::peers::{free_port, mail_server, sink};
use crate::support::{self, approved_bytes, evening, plan_of, run, started};
use care_domain::approval::Conditions;
use care_engine::{Engine, EngineError};
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_tests::{DATE, plugin};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Points-expiry that writes e-mails; its own words, Chinese and English.
fn by_email() -> Vec<u8> {
    let built = fs::read(plugin("points-expiry")).expect("a built plugin");
    let manifest = manifest_bytes(&built).expect("a component").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["reasons"][0]["channels"] = json!(["email"]);
    let body = json!({
        "zh": "尊敬的{host.surname}先生/女士:\n您有{points}积分<b>将于</b>{expire-on}到期，可到{redeem-at}兑换。",
        "en": "Dear {host.surname},\n{points} points <b>expire</b> on {expire-on}: {redeem-at}.",
    });
    manifest["templates"][0]["bodies"] = json!({"email": body});
    with_manifest(&built, manifest.to_string().as_bytes()).expect("a component")
}

async fn planned_mail(customers: u64) -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = support::populated(folder.path(), customers).await;
    approved_bytes(&engine, &by_email(), &Conditions::default()).await;
    started(&engine, "points-expiry", json!({})).await;
    run(&engine, &plan_of(DATE)).await;
    (folder, engine)
}

fn smtp(address: &str) -> String {
    format!(
        "[email.retry]\nattempts = 3\nbase_ms = 20\nmost_ms = 50\n[email.smtp]\naddress = \"{address}\"\n\
         security = \"none\"\nfrom = \"care@example.com\"\nfrom_name = \"福建移动客户关怀\"\nresponse_ms = 2000\n\
         unsubscribe = \"https://care.example.com/stop/{{contact}}\"\n"
    )
}

/// The mails that a server keeps, as texts.
fn mails(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder.join("mail/new")).expect("a mailbox");
    files.map(|file| fs::read_to_string(file.expect("a mail").path()).expect("a text")).collect()
}

/// The parts of a mail as Python's own library reads them: subject, sender, and each part with its type.
fn read(peers: &Path, folder: &Path) -> Vec<Value> {
    let script = "import email, email.policy, glob, json, sys\n\
        for name in sorted(glob.glob(sys.argv[1] + '/mail/new/*')):\n\
        \x20   m = email.message_from_binary_file(open(name, 'rb'), policy=email.policy.default)\n\
        \x20   parts = {p.get_content_type(): p.get_content() for p in m.walk() if not p.is_multipart()}\n\
        \x20   print(json.dumps({'subject': m['subject'], 'from': m['from'], 'to': m['to'], 'id': m['message-id'],\n\
        \x20       'stop': m['list-unsubscribe'], 'post': m['list-unsubscribe-post'], 'parts': parts}))\n";
    let output = std::process::Command::new(peers.join("venv/bin/python")).args(["-c", script]).arg(folder).output();
    let output = output.expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_read_in_chinese_and_html_and_says_how_to_stop() {
    let (Some(peers), Some(server)) = (care_tests::peers(), mail_server()) else { return };
    let (_folder, engine) = planned_mail(3_000).await;
    configure(&engine, &smtp(&server.address())).await;
    let all = counts(&engine, "email").await["released"];
    let done = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    assert_eq!((done.sent + done.failed, done.unknown, done.again), (all, 0, 0), "{done:?}");
    assert!(done.failed > 0 && done.sent > 20, "some customers have no address: {done:?}");
    let mails = read(&peers, server.folder());
    assert_eq!(mails.len() as u64, done.sent);
    let ids: BTreeSet<&str> = mails.iter().filter_map(|m| m["id"].as_str()).collect();
    assert_eq!(ids.len(), mails.len(), "each has its own id");
    for mail in &mails {
        let text = |name: &str| mail[name].as_str().unwrap_or_default().to_owned();
        let part = |kind: &str| mail["parts"][kind].as_str().unwrap_or_default().to_owned();
        assert!(text("from").contains("福建移动客户关怀") && text("to").ends_with("@example.com"), "{mail}");
        assert!(!text("subject").is_empty() && text("stop").starts_with("<https://care.example.com/stop/"), "{mail}");
        assert_eq!(text("post"), "List-Unsubscribe=One-Click");
        assert!(part("text/plain").contains("<b>") && !part("text/html").contains("<b>"), "escaped: {mail}");
        assert!(part("text/plain").contains("积分") || part("text/plain").contains("points"), "{mail}");
        assert!(part("text/html").contains("<p>"), "{mail}");
    }
    assert!(mails.iter().any(|m| m["parts"]["text/plain"].as_str().is_some_and(|t| t.starts_with("尊敬的"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_waits_for_a_server_that_is_not_there_and_a_wrong_configuration_is_refused() {
    let Some(server) = mail_server() else { return };
    let (_folder, engine) = planned_mail(1_500).await;
    configure(&engine, &smtp(&format!("127.0.0.1:{}", free_port()))).await;
    let before = counts(&engine, "email").await["released"];
    let done = engine.dispatch("operator", evening(), &|_| true).await.expect("dispatch");
    assert_eq!((done.sent, done.unknown), (0, 0), "{done:?}");
    assert!(done.again > 0 && counts(&engine, "email").await["released"] + done.failed == before, "{done:?}");
    for (bad, code) in [("[email.smtp]\nadress = 1", "bad-gateways"), ("[sms]\nrate = \"fast\"", "bad-gateways")] {
        let refused = engine.set_gateways(bad, "administrator", support::NOW).await;
        assert!(matches!(refused, Err(EngineError::Refused(ref f)) if f.code == code), "{refused:?}");
    }
    let stranger = engine.set_gateways("", "operator", support::NOW).await;
    assert!(matches!(stranger, Err(EngineError::Refused(_))), "{stranger:?}");
    configure(&engine, &smtp(&server.address())).await;
    watching(&engine, evening(), async |status| left(&status, "email") == 0).await;
    assert_eq!(mails(server.folder()).len() as u64, counts(&engine, "email").await["sent"]);
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_system_gets_signed_requests_and_takes_a_repeated_one_once() {
    let faults = json!({"busy_every": 9, "slow_every": 25, "slow_s": 1.0});
    let Some(sink) = sink(SECRET, &faults) else { return };
    let (folder, engine) = support::at_work(3_000, &["balance-reminder"]).await;
    fs::write(folder.path().join("keys/hook.secret"), SECRET).expect("a secret");
    let config = format!(
        "[sms.retry]\nattempts = 6\nbase_ms = 10\nmost_ms = 50\n[sms.webhook]\nurl = \"http://{}/contacts\"\n\
         secret_file = \"keys/hook.secret\"\nresponse_ms = 500\n",
        sink.address()
    );
    engine.set_gateways(&config, "administrator", support::NOW).await.expect("gateways");
    run(&engine, &plan_of(DATE)).await;
    let all = counts(&engine, "sms").await["released"];
    let done = watching(&engine, evening(), async |status| left(&status, "sms") == 0).await;
    assert_eq!((done.sent, done.failed, done.unknown), (all, 0, 0), "{done:?}");
    assert!(done.again > 0, "{done:?}");
    let log = sink.log();
    assert!(log.iter().all(|line| line["verified"] == true && line["body"]["type"] == "contact.send"));
    let mut attempts: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for line in &log {
        let body = &line["body"]["data"];
        assert_eq!(line["id"], body["contact"], "the id is the contact's");
        attempts
            .entry(line["id"].as_str().expect("an id"))
            .or_default()
            .push(body["attempt"].as_u64().expect("a number"));
    }
    assert_eq!(attempts.len() as u64, all);
    assert!(attempts.values().any(|numbers| numbers.len() > 1));
    // A wrong secret: the other side refuses, and nothing is tried for ever.
    let text = serde_json::to_string(&engine.gateways_in_force().expect("gateways")).expect("JSON");
    assert!(!text.contains("MfKQ"), "a secret stands in its file alone");
}
