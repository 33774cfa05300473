//! A browser for one test: chromedriver on a port of its own, Chromium in a folder that goes away with it. What is asked of
//! them is WebDriver (W3C), of which these stories need a dozen requests.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

/// Nothing but the pages: no sandbox, since tests may run as root; nothing that asks the network by itself.
const FLAGS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];
/// How often and how long the end of the driver is waited for.
const STEP: Duration = Duration::from_millis(20);
const STEPS: u32 = 250;
/// The longest that anything may take of which a browser is asked.
const PATIENCE: Duration = Duration::from_secs(120);
/// The name under which WebDriver speaks of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A driver with one window. It takes its browser with it when it is dropped, also by a test that failed.
pub(crate) struct Driver {
    child: Child,
    port: u16,
    profile: TempDir,
    /// `/session/ID`.
    window: String,
}

impl Driver {
    /// `language` is that of the browser's own words.
    pub(crate) fn start(language: &str) -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("chromedriver runs");
        let mut said = BufReader::new(child.stdout.take().expect("its words"));
        let port = loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).expect("a line") > 0, "chromedriver does not listen");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').parse().expect("a port");
            }
        };
        // Whoever stops reading would stop it writing.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let mut driver = Self { child, port, profile: tempfile::tempdir().expect("a folder"), window: String::new() };
        let own = [format!("--user-data-dir={}", driver.profile.path().display()), format!("--lang={language}")];
        let flags: Vec<&str> = FLAGS.into_iter().chain(own.iter().map(String::as_str)).collect();
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let opened = driver.ask("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        let opened = opened.expect("a browser");
        driver.window = format!("/session/{}", opened["sessionId"].as_str().expect("a session"));
        driver
    }

    /// Asks something of the window; the answer, or why there is none.
    fn asks(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.ask(method, &format!("{}{path}", self.window), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        // The driver takes any body of a GET for an odd one.
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.sent(method, path, &body).map_err(|error| format!("{path}: {error}"))?;
        let mut answer: Value = serde_json::from_str(&answer).map_err(|error| format!("{path}: {error}: {answer}"))?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].take()),
        }
    }

    /// One request on a connection of its own; the driver keeps it open, whatever is asked.
    fn sent(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json", self.port);
        write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = BufReader::new(stream);
        let (mut length, mut line) = (0, String::new());
        while answer.read_line(&mut line)? > 0 && line != "\r\n" {
            if let Some((_, number)) = line.to_lowercase().split_once("content-length:") {
                length = number.trim().parse().map_err(std::io::Error::other)?;
            }
            line.clear();
        }
        let mut told = vec![0; length];
        answer.read_exact(&mut told)?;
        String::from_utf8(told).map_err(std::io::Error::other)
    }

    /// To an address.
    pub(crate) fn goes(&self, address: &str) {
        self.asks("POST", "/url", &json!({"url": address})).expect("a page");
    }

    /// One page back.
    pub(crate) fn goes_back(&self) {
        self.asks("POST", "/back", &json!({})).expect("the page before");
    }

    /// What a script answers; in between two pages there is nobody to ask.
    pub(crate) fn runs(&self, script: &str, with: &[Value]) -> Result<Value, String> {
        self.asks("POST", "/execute/sync", &json!({"script": script, "args": with}))
    }

    /// What a script answers by and by, by calling its last argument.
    pub(crate) fn waits_for(&self, script: &str, with: &[Value]) -> Value {
        self.asks("POST", "/execute/async", &json!({"script": script, "args": with})).expect("an answer")
    }

    /// The first element that an XPath leads to.
    pub(crate) fn find(&self, path: &str) -> Result<Element<'_>, String> {
        let found = self.asks("POST", "/element", &json!({"using": "xpath", "value": path}))?;
        let id = found[ELEMENT].as_str().ok_or_else(|| format!("{path}: {found}"))?.to_owned();
        Ok(Element { driver: self, id })
    }

    /// A key that is pressed and let go, wherever the focus is.
    pub(crate) fn presses(&self, key: char) {
        let keys = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.acts(&json!([{"type": "key", "id": "keyboard", "actions": keys}]));
    }

    fn acts(&self, actions: &Value) {
        self.asks("POST", "/actions", &json!({"actions": actions})).expect("an action");
    }

    /// A command of the Chrome DevTools Protocol.
    pub(crate) fn devtools(&self, name: &str, params: &Value) -> Value {
        self.asks("POST", "/goog/cdp/execute", &json!({"cmd": name, "params": params})).expect("an answer")
    }

    /// What the browser's console holds against us since it was asked last.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let lines = self.asks("POST", "/se/log", &json!({"type": "browser"})).expect("a log");
        let is_complaint = |line: &&Value| matches!(line["level"].as_str(), Some("SEVERE" | "WARNING"));
        lines.as_array().expect("lines").iter().filter(is_complaint).map(Value::to_string).collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked to end it ends its browser first.
        if self.sent("GET", "/shutdown", "").is_ok() {
            for _ in 0..STEPS {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    break;
                }
                sleep(STEP);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A driver that had to be killed leaves its browser.
        for process in of_profile(self.profile.path()) {
            let _ = Command::new("kill").args(["-KILL", &process]).status();
        }
    }
}

/// Numbers of the processes that work in a folder of this test.
fn of_profile(profile: &Path) -> Vec<String> {
    let profile = profile.display().to_string();
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let named = processes.flatten().filter_map(|process| process.file_name().into_string().ok());
    let works_there = |process: &String| {
        let command = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&profile)
    };
    named.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).filter(works_there).collect()
}

/// Something on a page.
pub(crate) struct Element<'a> {
    driver: &'a Driver,
    id: String,
}

impl Element<'_> {
    fn asks(&self, method: &str, what: &str, body: &Value) -> Value {
        self.driver.asks(method, &format!("/element/{}/{what}", self.id), body).expect("an answer")
    }

    pub(crate) fn click(&self) {
        self.asks("POST", "click", &json!({}));
    }

    /// Two clicks, as fast as a hand can.
    pub(crate) fn click_twice(&self) {
        let to = json!({"type": "pointerMove", "duration": 0, "origin": {ELEMENT: self.id}, "x": 0, "y": 0});
        let (down, up) = (json!({"type": "pointerDown", "button": 0}), json!({"type": "pointerUp", "button": 0}));
        let clicks = [to, down.clone(), up.clone(), down, up];
        self.driver.acts(&json!([{"type": "pointer", "id": "mouse", "actions": clicks}]));
    }

    pub(crate) fn clear(&self) {
        self.asks("POST", "clear", &json!({}));
    }

    /// Types; a file field takes the path of a file.
    pub(crate) fn types(&self, text: &str) {
        self.asks("POST", "value", &json!({"text": text}));
    }

    /// As it is to be read.
    pub(crate) fn text(&self) -> String {
        self.asks("GET", "text", &Value::Null).as_str().expect("a text").to_owned()
    }

    /// What stands in a field.
    pub(crate) fn value(&self) -> String {
        self.asks("GET", "property/value", &Value::Null).as_str().expect("a value").to_owned()
    }
}
