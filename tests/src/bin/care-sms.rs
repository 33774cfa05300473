//! `make bench-sms`: segments a second that dispatch hands over to a short-message centre made with node-smpp, with windows
//! of 10 and 50, beside the same gateway without a ledger: what is left is what intents, leases and settling cost.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has failed")]

#[path = "../../tests/cli/care.rs"]
#[allow(dead_code, reason = "the stories use the rest")]
mod care;
#[path = "../../tests/engine/peers.rs"]
#[allow(dead_code, reason = "the stories use the rest")]
mod peers;

use care::{Care, OPERATOR};
use care_channels::{Gateway, GatewaysConfig, Outgoing};
use care_domain::contact::{Addressee, Channel, ContactId};
use care_domain::dispatch::Answer;
use care_tests::EVENING;
use futures::StreamExt;
use peers::Peer;
use serde_json::json;
use std::process::ExitCode;
use std::time::Instant;
use tokio::sync::mpsc;

const CUSTOMERS: u32 = 100_000;
const RUNS: usize = 3;
const WINDOWS: [usize; 2] = [10, 50];
/// One segment of UCS-2, as most reminders are.
const TEXT: &str = "【福建移动】尊敬的客户，您的话费余额已不足十元，为免影响使用请及时充值。";

#[tokio::main]
async fn main() -> ExitCode {
    let care = Care::with_customers(CUSTOMERS);
    for name in ["birthday", "balance-reminder", "green-bill"] {
        care.approve(name);
        care.ok(OPERATOR, &["campaign", "start", name]);
    }
    care.ok(OPERATOR, &["plan", "run"]);
    for window in WINDOWS {
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for run in 0..RUNS {
            let Some(peer) = peers::smsc(&json!({}), &json!({"mode": "none"})) else { return ExitCode::FAILURE };
            ours.push(by_dispatch(&care.copy(&format!("w{window}-{run}")), &peer, window));
            let Some(peer) = peers::smsc(&json!({}), &json!({"mode": "none"})) else { return ExitCode::FAILURE };
            bare.push(by_gateway(&care, &peer, window).await);
        }
        let (bare, ours) = (median(bare), median(ours));
        println!(
            "window {window}: dispatch {ours:.0} segments a second, the gateway alone {bare:.0}: {:.2} of it",
            ours / bare
        );
    }
    ExitCode::SUCCESS
}

/// All that waits, by the program: from its start to its end.
fn by_dispatch(care: &Care, peer: &Peer, window: usize) -> f64 {
    std::fs::write(care.data().join("keys/smsc.password"), "secret08").expect("a password");
    care.ok("administrator", &["gateway", "set", &care.file("gateways.toml", config(peer, window))]);
    let begun = now();
    let done = care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    assert_eq!((&done["unknown"], &done["again"]), (&json!(0), &json!(0)), "{done}");
    accepted(peer) / begun.elapsed().as_secs_f64()
}

/// As many messages by the same gateway, without a ledger.
async fn by_gateway(care: &Care, peer: &Peer, window: usize) -> f64 {
    std::fs::write(care.path("smsc.password"), "secret08").expect("a password");
    let config = config(peer, window).replace("keys/smsc", "smsc");
    let config = GatewaysConfig::parse(&config).expect("a configuration").of(Channel::Sms);
    let (sender, mut reports) = mpsc::channel(64);
    tokio::spawn(async move { while reports.recv().await.is_some() {} });
    let folder = care.path("smsc.password").parent().expect("a folder").to_owned();
    let gateway = Gateway::open(&config, &folder, sender).expect("a gateway").expect("not files");
    let begun = now();
    let answers = futures::stream::iter((0..3_000_u32).map(|number| gateway_send(&gateway, number)));
    let taken = answers.buffer_unordered(window).filter(|taken| std::future::ready(*taken)).count().await;
    let seconds = begun.elapsed().as_secs_f64();
    gateway.close().await;
    assert_eq!(taken as f64, accepted(peer));
    taken as f64 / seconds
}

async fn gateway_send(gateway: &Gateway, number: u32) -> bool {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let message = Outgoing {
        contact: ContactId(id),
        attempt: 1,
        channel: Channel::Sms,
        addressee: Addressee::Customer,
        campaign: "bench".into(),
        to: format!("139{number:08}"),
        text: TEXT.into(),
        subject: String::new(),
        not_after: i64::MAX,
    };
    matches!(gateway.send(&message).await, Answer::Accepted { .. })
}

fn config(peer: &Peer, window: usize) -> String {
    format!(
        "[sms.smpp]\naddress = \"{}\"\nsystem_id = \"care\"\npassword_file = \"keys/smsc.password\"\n\
         source = \"10086\"\nwindow = {window}\nvalidity = false\n",
        peer.address()
    )
}

/// Segments that a centre took.
fn accepted(peer: &Peer) -> f64 {
    peer.log().iter().filter(|line| line["did"] == "accepted").count() as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reports time")]
fn now() -> Instant {
    Instant::now()
}
