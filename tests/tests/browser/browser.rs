//! Somebody at the console: reads one language, finds fields by their labels, buttons and links by their words.

use crate::driver::{Driver, Element};
use crate::looks::Looks;
use serde_json::Value;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How often and how long a page is waited for.
const STEP: Duration = Duration::from_millis(25);
const STEPS: u32 = 2_400;

/// What somebody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tongue {
    Zh,
    En,
}

impl Tongue {
    pub(crate) fn t<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        if self == Self::Zh { zh } else { en }
    }
}

/// A browser at the console.
pub(crate) struct Browser {
    pub(crate) driver: Driver,
    looks: Looks,
    tongue: Tongue,
    /// `http://127.0.0.1:PORT`.
    origin: String,
}

impl Browser {
    /// Opens the way in, and chooses the language there.
    pub(crate) fn at(address: &str, tongue: Tongue, tools: &Path) -> Self {
        let driver = Driver::start(tongue.t("zh-CN", "en-US"));
        let looks = Looks::into(tools, tongue.t("zh", "en"));
        let browser = Self { driver, looks, tongue, origin: format!("http://{address}") };
        browser.goes("/console");
        if tongue == Tongue::En {
            browser.follows("English");
        }
        browser
    }

    pub(crate) fn t<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.tongue.t(zh, en)
    }

    /// To an address, as typed.
    pub(crate) fn goes(&self, path: &str) {
        self.driver.goes(&format!("{}{path}", self.origin));
    }

    /// Shows a one-time password, chooses one of their own, and gets in.
    pub(crate) fn enters(&self, person: &str, once: &str) {
        let (user, password, own) =
            (self.t("用户", "User"), self.t("密码", "Password"), self.t("新密码", "New password"));
        let way_in = self.form(self.t("登录", "Log in"));
        way_in.fill(user, person);
        way_in.fill(password, once);
        way_in.send();
        self.is_refused("login-one-time");
        // What was typed is there still, but for the password.
        way_in.fill(password, once);
        way_in.fill(own, "tea on the balcony");
        way_in.send();
    }

    /// With a password that was chosen.
    pub(crate) fn comes_back(&self, person: &str) {
        let way_in = self.form(self.t("登录", "Log in"));
        way_in.fill(self.t("用户", "User"), person);
        way_in.fill(self.t("密码", "Password"), "tea on the balcony");
        way_in.send();
    }

    pub(crate) fn leaves(&self) {
        self.presses(self.t("退出", "Log out"));
    }

    /// Follows the first link of these words.
    pub(crate) fn follows(&self, words: &str) {
        self.leaves_by(|| self.one(&format!("//a[normalize-space()={}]", quoted(words))).click());
    }

    /// Presses the first button of these words.
    pub(crate) fn presses(&self, words: &str) {
        self.leaves_by(|| self.one(&format!("//button[normalize-space()={}]", quoted(words))).click());
    }

    /// The form whose button has these words.
    pub(crate) fn form(&self, words: &str) -> Form<'_> {
        Form { browser: self, path: format!("//form[.//button[normalize-space()={}]]", quoted(words)) }
    }

    /// Everything that can be read below the menu.
    pub(crate) fn reads(&self) -> String {
        self.one("//main").text()
    }

    /// It must be read.
    pub(crate) fn must_read(&self, words: &str) {
        let read = self.reads();
        assert!(read.contains(words), "{words:?} is not to be read in {read}");
    }

    /// It is to be read by and by, without anybody's doing.
    pub(crate) fn comes_to_read(&self, words: &str) {
        for _ in 0..STEPS {
            let script = "return document.querySelector('main').innerText";
            // Between two pages there is none to ask.
            let read = self.driver.runs(script, &[]);
            if read.is_ok_and(|read| read.as_str().is_some_and(|read| read.contains(words))) {
                return;
            }
            sleep(STEP);
        }
        panic!("{words:?} is never to be read: {}", self.reads());
    }

    /// A form was not carried out, and the page says why; it is looked at under this name.
    pub(crate) fn is_refused(&self, page: &str) {
        let why = self.one("//*[contains(@class, 'wrong')]").text();
        assert!(!why.is_empty(), "{page} does not say why");
        self.looks.at(&self.driver, page);
    }

    /// What a page says that a form did.
    pub(crate) fn is_told(&self, words: &str) {
        let told = self.one("//*[@role='status']").text();
        assert_eq!(told, words);
    }

    /// The pages of the menu: their words with their addresses.
    pub(crate) fn menu(&self) -> Vec<(String, String)> {
        let script = "return [...document.querySelectorAll('nav a')].map(a => [a.textContent, a.getAttribute('href')])";
        serde_json::from_value(self.asks(script)).expect("words and addresses")
    }

    /// Looks at every page of the menu.
    pub(crate) fn looks_around(&self) {
        for (words, address) in self.menu() {
            let page = address.trim_start_matches("/console").trim_start_matches('/').replace('/', "-");
            let page = if page.is_empty() { "inbox" } else { &page };
            if !self.looks.knows(page) {
                self.follows(&words);
                self.looks.at(&self.driver, page);
            }
        }
    }

    /// Looks at the page that is shown, under this name.
    pub(crate) fn looks_at(&self, page: &str) {
        self.looks.at(&self.driver, page);
    }

    /// What a script answers.
    pub(crate) fn asks(&self, script: &str) -> Value {
        self.driver.runs(script, &[]).expect("an answer")
    }

    /// The first element that a path leads to.
    pub(crate) fn one(&self, path: &str) -> Element<'_> {
        self.driver
            .find(path)
            .unwrap_or_else(|error| panic!("{error} in {}", self.asks("return document.body.outerHTML")))
    }

    /// Does what leads to another page, and waits for that.
    pub(crate) fn leaves_by(&self, act: impl FnOnce()) {
        self.asks("window.isLeft = true");
        act();
        self.arrives();
    }

    /// Waits until the page that was left is another one.
    pub(crate) fn arrives(&self) {
        for _ in 0..STEPS {
            let script = "return !window.isLeft && document.readyState === 'complete'";
            // Between two pages there is none to ask.
            if self.driver.runs(script, &[]) == Ok(Value::Bool(true)) {
                return;
            }
            sleep(STEP);
        }
        panic!("no page comes");
    }
}

/// A form as somebody sees it.
pub(crate) struct Form<'a> {
    browser: &'a Browser,
    path: String,
}

impl Form<'_> {
    /// The field that a label names.
    pub(crate) fn field(&self, label: &str) -> Element<'_> {
        self.browser.one(&self.path_of(label))
    }

    fn path_of(&self, label: &str) -> String {
        format!("{0}//*[@id={0}//label[normalize-space(text()[1])={1}]/@for]", self.path, quoted(label))
    }

    /// Types into a field, in place of what stands there.
    pub(crate) fn fill(&self, label: &str, value: &str) {
        let field = self.field(label);
        field.clear();
        field.types(value);
    }

    /// Chooses a file.
    pub(crate) fn attach(&self, label: &str, file: &str) {
        self.field(label).types(file);
    }

    /// Chooses an option by its words.
    pub(crate) fn choose(&self, label: &str, option: &str) {
        let path = format!("{}/option[normalize-space()={}]", self.path_of(label), quoted(option));
        self.browser.one(&path).click();
    }

    /// Ticks a box by its words.
    pub(crate) fn tick(&self, words: &str) {
        let path = format!("{}//label[normalize-space()={}]", self.path, quoted(words));
        self.browser.one(&path).click();
    }

    /// The word that is to be typed before anything is done that cannot be undone.
    pub(crate) fn word_to_type(&self) -> String {
        self.browser.one(&format!("{}//label/code", self.path)).text()
    }

    /// Types the word without which nothing that cannot be undone is done.
    pub(crate) fn confirm(&self, word: &str) {
        let label = self.browser.t("此操作不可撤销，请输入以下内容确认：", "This cannot be undone. To confirm, type:");
        self.fill(label, word);
    }

    /// Presses its button.
    pub(crate) fn send(&self) {
        let button = self.browser.one(&format!("{}//button", self.path));
        self.browser.leaves_by(|| button.click());
    }
}

/// A text as XPath takes it.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "XPath knows no escapes: {text}");
    format!("\"{text}\"")
}
