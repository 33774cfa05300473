//! With the keyboard alone; and with an unsteady hand: what is pressed twice, typed wrongly, left in the middle.

use crate::browser::{Browser, Tongue};
use crate::care::{Care, OPERATOR, PROVINCE};
use crate::http::Server;
use crate::story::once;
use std::path::Path;

/// More steps than any page has places for the keyboard.
const STEPS: u32 = 120;

/// What has the focus, and how it shows that.
const FOCUS: &str = "const at = document.activeElement; const look = getComputedStyle(at); \
    const box = at.getBoundingClientRect(); \
    const label = at.labels?.length ? at.labels[0].firstChild.textContent.trim() : ''; \
    return { name: at.localName, words: label || at.textContent.trim(), \
        isShown: look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2 \
            && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth }";

/// Keys that are no letters, as WebDriver writes them.
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const DOWN: char = '\u{e015}';

/// Somebody without a mouse.
struct Typist(Browser);

impl Typist {
    fn types(&self, text: &str) {
        text.chars().for_each(|key| self.0.driver.presses(key));
    }

    /// Presses Enter where it leads to another page.
    fn enters(&self) {
        self.0.leaves_by(|| self.0.driver.presses(ENTER));
    }

    /// Goes on with Tab to what has these words; wherever it comes by, the focus can be seen.
    fn tabs_to(&self, name: &str, words: &str) {
        let mut passed = Vec::new();
        for _ in 0..STEPS {
            self.0.driver.presses(TAB);
            let at = self.0.asks(FOCUS);
            if at["name"] == "body" {
                break;
            }
            assert_eq!(at["isShown"], true, "the focus is not to be seen: {at}");
            if at["name"] == name && at["words"] == words {
                return;
            }
            passed.push(at);
        }
        panic!("{words:?} is not reached: {passed:?}");
    }
}

fn opened(care: &Care, tongue: Tongue, tools: &Path) -> (Server, Browser) {
    let server = Server::start(care);
    let browser = Browser::at(&server.address, tongue, tools);
    (server, browser)
}

#[test]
fn a_kill_switch_is_thrown_with_the_keyboard_alone() {
    let Some(tools) = care_tests::browser() else { return };
    let care = Care::new();
    let password = once(&care, PROVINCE);
    let (_server, browser) = opened(&care, Tongue::En, &tools);
    let typist = Typist(browser);
    typist.tabs_to("input", "User");
    typist.types(PROVINCE);
    typist.tabs_to("input", "Password");
    typist.types(&password);
    typist.enters();
    // What was refused has the focus already; the password is typed again.
    typist.tabs_to("input", "Password");
    typist.types(&password);
    typist.tabs_to("input", "New password");
    typist.types("tea on the balcony");
    typist.enters();
    typist.tabs_to("a", "Kill switches");
    typist.enters();
    // Past the menu.
    typist.tabs_to("a", "Skip to the content");
    typist.0.driver.presses(ENTER);
    let at = typist.0.asks("return document.activeElement.id");
    assert_eq!(at, "main");
    typist.tabs_to("select", "Scope");
    typist.0.driver.presses(DOWN);
    typist.tabs_to("textarea", "Reason");
    typist.types("a wrong tariff is told");
    typist.tabs_to("button", "Stop sending");
    typist.enters();
    typist.0.is_told("Thrown: nothing of it goes out.");
    let thrown = care.ok("auditor", &["switch", "list"])["switches"][0].take();
    assert_eq!(
        (&thrown["person"], &thrown["reason"]),
        (&PROVINCE.into(), &"a wrong tariff is told".into()),
        "{thrown}"
    );
    assert_eq!(typist.0.driver.complaints().iter().filter(|said| !said.contains("status of 422")).count(), 0);
}

#[test]
fn an_unsteady_hand_does_nothing_twice_and_loses_nothing() {
    let Some(tools) = care_tests::browser() else { return };
    let care = Care::with_customers(2_000);
    care.approve("points-expiry");
    let password = once(&care, OPERATOR);
    let (_server, browser) = opened(&care, Tongue::Zh, &tools);
    browser.enters(OPERATOR, &password);
    browser.follows("营销任务");
    let estimate = browser.form("估算并启动任务");
    estimate.choose("活动", "积分到期提醒");
    estimate.fill("版本要求（如 ^1）", "one");
    estimate.fill("参数", "floor=800");
    estimate.send();
    // What is wrong has the focus, and says why; the rest stands as it was typed.
    let script = "const at = document.activeElement; return [at.name, at.value, at.ariaInvalid, \
                  document.getElementById(at.getAttribute('aria-describedby'))?.textContent]";
    let at = browser.asks(script);
    assert_eq!((&at[0], &at[1], &at[2]), (&"version".into(), &"one".into(), &"true".into()), "{at}");
    assert!(at[3].as_str().is_some_and(|said| said.contains("^1")), "{at}");
    assert_eq!(estimate.field("参数").value(), "floor=800");
    browser.is_refused("campaigns-refused");
    estimate.fill("版本要求（如 ^1）", "*");
    estimate.send();
    let start = browser.form("启动任务");
    start.confirm(&start.word_to_type());
    let button = browser.one("//button[normalize-space()=\"启动任务\"]");
    browser.leaves_by(|| button.click_twice());
    browser.is_told("已启动。");
    let campaigns = care.ok("auditor", &["campaign", "show"])["campaigns"].take();
    assert_eq!((campaigns.as_array().map(Vec::len), &campaigns[0]["params"]["floor"]), (Some(1), &800.into()));
    // Paused, left, forgotten, logged out: it is paused still, with the reason.
    let pause = browser.form("暂停任务");
    pause.fill("理由", "等新资费");
    pause.send();
    browser.form("恢复任务").fill("理由", "写到一半");
    browser.follows("待办");
    browser.leaves();
    browser.comes_back(OPERATOR);
    browser.follows("营销任务");
    browser.follows("points-expiry-1");
    browser.must_read("等新资费");
    assert!(!browser.reads().contains("写到一半"), "what was not sent was not done");
}
