//! Somebody at a browser: pages and forms of the console, without a script.

use crate::care::Care;
use crate::http::{Reply, Server};

/// Somebody at a browser.
pub(crate) struct Browser<'a> {
    pub(crate) server: &'a Server,
    /// What the browser keeps.
    pub(crate) cookies: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn stranger(server: &'a Server) -> Self {
        Self { server, cookies: "care_language=en".to_owned() }
    }

    /// With a session in a role.
    pub(crate) fn of(care: &Care, server: &'a Server, person: &str, role: &str, region: &str) -> Self {
        let made = care.ok("administrator", &["token", "new", person, "--role", role, "--region", region]);
        let secret = made["secret"].as_str().expect("a secret");
        Self { server, cookies: format!("care_language=en; care_session={secret}") }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.server.ask("GET", path).header("Cookie", &self.cookies).send()
    }

    /// A page that must be shown.
    pub(crate) fn page(&self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        sound(path, &reply);
        reply.text()
    }

    /// A page with what it has counted, which may take a moment.
    pub(crate) fn counted(&self, path: &str) -> String {
        for _ in 0..600 {
            let page = self.page(path);
            if !page.contains("Being counted") {
                return page;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{path} is never counted")
    }

    pub(crate) fn post<S: AsRef<str>>(&self, action: &str, fields: &[(S, S)]) -> Reply {
        let pair = |(name, value): &(S, S)| format!("{}={}", name.as_ref(), encoded(value.as_ref()));
        let body: Vec<String> = fields.iter().map(pair).collect();
        self.post_as(action, "application/x-www-form-urlencoded", body.join("&").as_bytes())
    }

    /// Sends a body of another kind.
    pub(crate) fn post_as(&self, action: &str, kind: &str, body: &[u8]) -> Reply {
        self.server.ask("POST", action).header("Cookie", &self.cookies).body(kind, body).send()
    }

    /// The form of a page that leads to `action`, filled in.
    pub(crate) fn fills(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let typed = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        hidden(&self.page(page), action).into_iter().chain(typed).collect()
    }

    /// Fills in the form of a page that leads to `action`, and sends it.
    pub(crate) fn sends(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        self.post(action, &self.fills(page, action, fields))
    }

    /// Fills a form in and sends it twice, as an impatient hand does: it leads to the same page both times.
    pub(crate) fn sends_twice(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
        let form = self.fills(page, action, fields);
        let (first, second) = (self.post(action, &form), self.post(action, &form));
        let to = went_to(&first, "/console").to_owned();
        assert_eq!(went_to(&second, "/console"), to, "the second time");
        to
    }

    /// Sends a form that must be refused beside one of its fields, with what was typed kept; what is said there.
    pub(crate) fn is_refused(&self, page: &str, action: &str, fields: &[(&str, &str)], field: &str) -> String {
        let reply = self.sends(page, action, fields);
        assert_eq!(reply.status, 422, "{}", reply.text());
        sound(action, &reply);
        let html = reply.text();
        let form = form(&html, action);
        for (name, value) in fields.iter().filter(|(name, value)| *name != "typed" && !value.is_empty()) {
            let shown = escaped(value);
            let kept = [
                format!("name=\"{name}\" value=\"{shown}\""),
                format!("<option value=\"{shown}\" selected>"),
                format!(">\n{shown}</textarea>"),
                format!(">{shown}</textarea>"),
            ];
            assert!(kept.iter().any(|kept| form.contains(kept)), "{name} is not kept: {form}");
        }
        let at = form.find(&format!("name=\"{field}\"")).unwrap_or_else(|| panic!("no field {field} in {form}"));
        let own = &form[at..];
        let ends = ["<div class=\"field\">", "<fieldset>", "<button"].into_iter().filter_map(|end| own.find(end));
        let own = &own[..ends.min().unwrap_or(own.len())];
        let told = own.split("<p class=\"wrong\" role=\"alert\">").nth(1).and_then(|told| told.split("</p>").next());
        told.unwrap_or_else(|| panic!("nothing is said beside {field}: {form}")).to_owned()
    }

    /// Whether the menu of a page offers another one.
    pub(crate) fn is_offered(&self, path: &str) -> bool {
        self.page("/console").contains(&format!("<li><a href=\"{path}\">"))
    }
}

/// As pages write a text.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;").replace('"', "&#34;").replace('\'', "&#39;")
}

/// What every page must be: small, from us alone, without script or style in it.
pub(crate) fn sound(path: &str, reply: &Reply) {
    let html = reply.text();
    assert!(reply.body.len() < 100_000, "{path}: {} bytes", reply.body.len());
    let policy = reply.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
    for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
        assert_eq!(reply.header(name), Some(value), "{path}");
    }
    for forbidden in [" style=\"", " onclick=", "<style", "javascript:", "http://", "https://"] {
        assert!(!html.contains(forbidden), "{path} holds {forbidden}");
    }
    assert_eq!(html.matches("<script").count(), html.matches("<script src=\"/console/script.js\" defer>").count());
    assert!(html.contains("<html lang=") && html.contains("<h1>"), "{path}");
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The form of a page that leads to `action`.
fn form<'a>(html: &'a str, action: &str) -> &'a str {
    let start = html.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no form to {action} in {html}"));
    let form = &html[start..];
    &form[..form.find("</form>").expect("its end")]
}

/// The hidden fields of the form that leads to `action`.
pub(crate) fn hidden(html: &str, action: &str) -> Vec<(String, String)> {
    let inputs = form(html, action).split("<input type=\"hidden\" name=\"").skip(1);
    let pair = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"").expect("a value");
        (name.to_owned(), rest.split('"').next().expect("its end").to_owned())
    };
    inputs.map(pair).collect()
}

pub(crate) fn went_to<'a>(reply: &'a Reply, to: &str) -> &'a str {
    assert_eq!(reply.status, 303, "{}", reply.text());
    let location = reply.header("location").expect("a location");
    assert!(location.starts_with(to), "{location}, not {to}");
    location
}
