//! From a branch's upload to the province's stop, once in Chinese and once in English: whoever is at the console reads,
//! decides and goes; what no page does yet the program does between two of them.

use crate::browser::{Browser, Tongue};
use crate::care::{Care, OPERATOR, PROVINCE, text};
use crate::http::Server;
use care_sandbox::package::{manifest_bytes, with_manifest};
use care_tests::{DATE, EVENING, plugin};
use serde_json::Value;

const CITY_AUTHOR: &str = "city-author";
const CITY: &str = "city-reviewer";
/// The city of both.
const XIAMEN: &str = "350200";
/// The activity, and its campaign.
const NAME: &str = "points-expiry-xiamen";
const CAMPAIGN: &str = "points-expiry-xiamen-1";

#[test]
fn the_story_in_chinese() {
    told(Tongue::Zh);
}

#[test]
fn the_story_in_english() {
    told(Tongue::En);
}

fn told(tongue: Tongue) {
    let Some(tools) = care_tests::browser() else { return };
    let care = Care::with_customers(30_000);
    let server = Server::start(&care);
    let browser = Browser::at(&server.address, tongue, &tools);
    browser.looks_at("login");
    the_branch_uploads(&care, &browser);
    the_city_reviews(&care, &browser);
    the_province_compares_simulates_and_approves_with_a_cap(&care, &browser);
    the_operator_estimates_and_starts(&care, &browser);
    the_operator_watches_a_plan(&care, &browser);
    the_operator_reads_the_effect(&care, &browser);
    the_province_stops_it(&care, &browser);
    everybody_else_looks_around(&care, &browser);
}

/// A password that opens nothing but the choice of another.
pub(crate) fn once(care: &Care, person: &str) -> String {
    let made = care.ok("administrator", &["user", "password", person]);
    made["one_time_password"].as_str().expect("a password").to_owned()
}

/// The branch's file, signed: points that lapse, for Xiamen alone.
fn component(care: &Care) -> String {
    let component = std::fs::read(plugin("points-expiry")).expect("a plugin");
    let manifest = manifest_bytes(&component).expect("a component").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["name"] = NAME.into();
    manifest["owner_region"] = XIAMEN.into();
    let component = with_manifest(&component, manifest.to_string().as_bytes()).expect("a component");
    let (file, signed) = (care.file("points-expiry-xiamen.wasm", component), text(&care.path("signed.wasm")));
    let key = text(&care.data().join("keys").join(format!("{CITY_AUTHOR}.key")));
    care.ok(CITY_AUTHOR, &["plugin", "sign", &file, "--key", &key, "--out", &signed]);
    signed
}

fn the_branch_uploads(care: &Care, browser: &Browser) {
    browser.enters(CITY_AUTHOR, &once(care, CITY_AUTHOR));
    browser.follows(browser.t("审批", "Submissions"));
    let upload = browser.form(browser.t("上传并提交", "Upload and submit"));
    let file = browser.t("活动文件", "File");
    upload.attach(file, &care.file("noise.wasm", "no component at all"));
    upload.send();
    browser.is_refused("upload-refused");
    upload.attach(file, &component(care));
    upload.send();
    browser.is_told(browser.t("已上传并提交。", "Uploaded and submitted."));
    browser.must_read(browser.t("待地市审核", "City review"));
    browser.looks_at("review-author");
    browser.leaves();
}

/// What the activity is called, with its version.
fn title(browser: &Browser) -> &'static str {
    if browser.t("zh", "en") == "zh" { "积分到期提醒 1.0.0" } else { "Points expiry 1.0.0" }
}

fn the_city_reviews(care: &Care, browser: &Browser) {
    browser.enters(CITY, &once(care, CITY));
    browser.must_read(browser.t("待地市审核", "City review"));
    browser.looks_at("inbox-city");
    browser.follows(title(browser));
    browser.must_read(browser.t("发起人的回答", "The author's answer"));
    browser.looks_at("review-city");
    let review = browser.form(browser.t("地市审核通过", "Pass on to the province"));
    review.fill(browser.t("理由", "Reason"), browser.t("厦门需要", "Xiamen needs it"));
    review.send();
    browser.is_told(browser.t("已转下一环节。", "Passed on."));
    browser.leaves();
}

fn the_province_compares_simulates_and_approves_with_a_cap(care: &Care, browser: &Browser) {
    browser.enters(PROVINCE, &once(care, PROVINCE));
    browser.follows(title(browser));
    browser.must_read(browser.t("尚未试算", "Not simulated yet"));
    browser.looks_at("review-before");
    let (contacts, days) = (browser.t("频次上限：次数", "Cap: contacts"), browser.t("频次上限：天数", "Cap: in days"));
    let simulate = browser.form(browser.t("试算", "Simulate"));
    simulate.fill(contacts, "2");
    simulate.send();
    // Half a cap is none, and what was typed is there still.
    browser.is_refused("review-refused");
    assert_eq!(simulate.field(contacts).value(), "2");
    simulate.fill(days, "60");
    simulate.send();
    browser.is_told(browser.t("已完成试算。", "Simulated."));
    browser.must_read(browser.t("样例消息", "Messages as customers read them"));
    browser.looks_at("review-simulated");
    // Whoever leaves in the middle finds what was saved.
    browser.follows(browser.t("营销任务", "Campaigns"));
    browser.driver.goes_back();
    browser.must_read(browser.t("样例消息", "Messages as customers read them"));
    let approve = browser.form(browser.t("批准", "Approve"));
    approve.fill(contacts, "2");
    approve.fill(days, "60");
    approve.tick(browser.t("主动性", "Proactive"));
    approve.tick(browser.t("客户导向", "Customer-oriented"));
    approve.send();
    browser.is_told(browser.t("已批准。", "Approved."));
    browser.must_read("2 / 60");
    browser.looks_at("review-approved");
    browser.leaves();
}

fn the_operator_estimates_and_starts(care: &Care, browser: &Browser) {
    browser.enters(OPERATOR, &once(care, OPERATOR));
    browser.follows(browser.t("营销任务", "Campaigns"));
    let estimate = browser.form(browser.t("估算并启动任务", "Estimate and start"));
    estimate.choose(browser.t("活动", "Activity"), browser.t("积分到期提醒", "Points expiry"));
    estimate.send();
    browser.must_read(browser.t("样例消息", "Messages as customers read them"));
    browser.looks_at("estimate");
    let start = browser.form(browser.t("启动任务", "Start the campaign"));
    let reach = start.word_to_type();
    start.confirm(&format!("{reach}0"));
    start.send();
    browser.is_refused("estimate-mistyped");
    assert_eq!(care.ok("auditor", &["campaign", "show"])["campaigns"], Value::Array(Vec::new()));
    start.confirm(&reach);
    start.send();
    browser.is_told(browser.t("已启动。", "Started."));
    browser.looks_at("campaign-started");
}

/// A plan whose tasks somebody else took and does not do, until the operator lets it go on.
fn the_operator_watches_a_plan(care: &Care, browser: &Browser) {
    care.ok(OPERATOR, &["plan", "hand-out", "--date", DATE, "--lease", "1"]);
    browser.follows(browser.t("计划", "Plans"));
    browser.looks_at("plans");
    browser.follows(DATE);
    browser.must_read(browser.t("计算中", "Running"));
    browser.looks_at("plan-running");
    browser.presses(browser.t("继续计划", "Go on"));
    // Nobody loads the page again but the page itself.
    browser.comes_to_read(browser.t("已释放", "Released"));
    browser.must_read(CAMPAIGN);
    browser.looks_at("plan");
}

fn the_operator_reads_the_effect(care: &Care, browser: &Browser) {
    care.ok(OPERATOR, &["dispatch", "--at", EVENING]);
    let outcomes = text(&care.path("outcomes.csv"));
    care.ok(OPERATOR, &["outcome", "simulate", CAMPAIGN, "--from", EVENING, "--out", &outcomes]);
    care.ok(OPERATOR, &["outcome", "import", &outcomes]);
    browser.follows(CAMPAIGN);
    browser.comes_to_read(browser.t("执行情况", "Execution"));
    browser.looks_at("campaign");
    browser.follows(browser.t("效果评估", "Effect"));
    browser.comes_to_read(browser.t("95%置信区间", "95 % interval"));
    browser.presses(browser.t("保存评估", "Keep this evaluation"));
    browser.comes_to_read(browser.t("历次评估", "Kept before"));
    browser.looks_at("effect");
    browser.looks_around();
    browser.leaves();
}

fn the_province_stops_it(care: &Care, browser: &Browser) {
    browser.comes_back(PROVINCE);
    browser.follows(browser.t("审批", "Submissions"));
    browser.follows(browser.t("积分到期提醒", "Points expiry"));
    let withdraw = browser.form(browser.t("撤销批准", "Withdraw the approval"));
    let reason = browser.t("理由", "Reason");
    withdraw.fill(reason, browser.t("兑换方式已变", "Points are redeemed otherwise now"));
    withdraw.confirm("points-expiry");
    withdraw.send();
    browser.is_refused("review-mistyped");
    assert_eq!(care.ok("auditor", &["campaign", "show"])["campaigns"][0]["active"], true);
    withdraw.confirm(NAME);
    withdraw.send();
    browser.is_told(browser.t("已撤销批准。", "Withdrawn."));
    browser.follows(browser.t("营销任务", "Campaigns"));
    browser.must_read(browser.t("已停止", "Stopped"));
    browser.looks_around();
    browser.leaves();
}

/// Whoever has pages of their own.
fn everybody_else_looks_around(care: &Care, browser: &Browser) {
    let sent = care.outbox();
    let (_, message) = sent.iter().find(|(_, line)| line["campaign"] == CAMPAIGN).expect("a message");
    for person in ["customer-service", "auditor", "administrator"] {
        browser.enters(person, &once(care, person));
        browser.looks_around();
        if person == "customer-service" {
            why(browser, message["customer"].as_str().expect("an id"));
        }
        browser.leaves();
    }
}

/// Why somebody was contacted.
fn why(browser: &Browser, customer: &str) {
    browser.follows(browser.t("客户", "Customers"));
    let search = browser.form(browser.t("查询", "Look up"));
    search.fill(browser.t("客户编号", "Customer id"), customer);
    search.send();
    browser.must_read(CAMPAIGN);
    browser.looks_at("customer-why");
}
