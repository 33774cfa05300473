//! Forms: what they ask, what was filled in, and what was wrong with it. A form keeps what was typed, says what is wrong
//! beside it, and is carried out once however often it is sent.

use super::session::{Tongue, Visitor};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use care_domain::text::Finding;
use care_engine::{Begun, EngineError, KeptAnswer, Keyed};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The longest form, in bytes.
const LONGEST: usize = 256 << 10;

/// What a field asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Line,
    Area,
    Number,
    Date,
    Password,
    Hidden,
    /// One of these: value and label.
    Choice(Vec<(String, String)>),
    /// Some of these: value and label.
    Choices(Vec<(String, String)>),
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) values: Vec<String>,
    pub(super) hint: String,
    /// What is wrong with it.
    pub(super) wrong: Option<String>,
    pub(super) required: bool,
    pub(super) autocomplete: &'static str,
}

impl Field {
    pub(super) fn new(name: &'static str, label: impl Into<String>, kind: Kind) -> Self {
        let label = label.into();
        let (values, hint, wrong) = (Vec::new(), String::new(), None);
        Self { name, label, kind, values, hint, wrong, required: false, autocomplete: "off" }
    }

    pub(super) fn hidden(name: &'static str, value: &str) -> Self {
        Self::new(name, "", Kind::Hidden).value(value)
    }

    pub(super) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) fn value(mut self, value: impl Into<String>) -> Self {
        self.values.push(value.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(super) fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }

    /// What a template asks of a field of one value.
    pub(super) fn one(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    pub(super) fn holds(&self, value: &str) -> bool {
        self.values.iter().any(|held| held == value)
    }

    /// The type of a field that is one line.
    pub(super) fn input(&self) -> &'static str {
        match self.kind {
            Kind::Number => "number",
            Kind::Date => "date",
            Kind::Password => "password",
            Kind::Hidden => "hidden",
            _ => "text",
        }
    }
}

/// A form.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) title: String,
    pub(super) submit: String,
    pub(super) fields: Vec<Field>,
    pub(super) hint: String,
    /// What cannot be undone is confirmed by typing this.
    pub(super) typed: Option<String>,
    /// What was wrong as a whole, and what to do.
    pub(super) wrong: Option<(String, String)>,
    /// Names this filling-in: sent twice it is done once.
    pub(super) once: String,
}

impl Form {
    pub(super) fn new(action: impl Into<String>, submit: impl Into<String>, fields: Vec<Field>) -> Self {
        let submit = submit.into();
        Self {
            action: action.into(),
            title: submit.clone(),
            submit,
            fields,
            hint: String::new(),
            typed: None,
            wrong: None,
            once: nonce(),
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// It cannot be undone: whoever sends it types `word`.
    pub(super) fn typed(mut self, word: impl Into<String>) -> Self {
        self.typed = Some(word.into());
        self
    }

    /// Keeps what was typed, and says what was wrong. Passwords are typed again.
    pub(super) fn take(&mut self, filled: &Filled, wrong: &Finding) {
        for field in self.fields.iter_mut().filter(|field| field.kind != Kind::Password) {
            field.values = filled.all(field.name).to_vec();
        }
        match self.fields.iter_mut().find(|field| Some(field.name) == filled.wrong_field(&wrong.code)) {
            Some(field) => field.wrong = Some(format!("{} {}", wrong.message, wrong.hint)),
            None => self.wrong = Some((wrong.message.clone(), wrong.hint.clone())),
        }
    }

    /// The same, where this is the form that was sent.
    pub(super) fn tried(mut self, tried: Option<&Tried>) -> Self {
        if let Some(tried) = tried.filter(|tried| tried.action == self.action) {
            self.take(&tried.filled, &tried.wrong);
        }
        self
    }
}

/// A form that was sent and refused.
pub(super) struct Tried {
    pub(super) action: String,
    pub(super) filled: Filled,
    pub(super) wrong: Finding,
}

fn nonce() -> String {
    care_engine::Engine::new_secret().map(|secret| hex::encode(&secret[..16])).unwrap_or_default()
}

/// A form as it was filled in.
#[derive(Debug, Clone, Default)]
pub(super) struct Filled {
    values: BTreeMap<String, Vec<String>>,
    fingerprint: [u8; 32],
}

impl Filled {
    pub(super) fn one(&self, name: &str) -> &str {
        self.all(name).first().map_or("", |value| value.trim())
    }

    pub(super) fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// A number, where one was typed.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, EngineError> {
        match self.one(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                EngineError::refused(
                    &format!("bad-{name}"),
                    format!("{text:?} is no number that can be meant here."),
                    "",
                )
            }),
        }
    }

    /// The field that a refusal speaks of: its code is `bad-` and the field's name.
    fn wrong_field<'a>(&'a self, code: &'a str) -> Option<&'a str> {
        code.strip_prefix("bad-").filter(|name| self.values.contains_key(*name))
    }

    /// Whether the browser says that one of our own pages sent it.
    pub(super) fn is_of_this_site(&self, headers: &HeaderMap) -> bool {
        let said = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        said.is_none_or(|site| site == "same-origin" || site == "none")
    }
}

impl<S: Send + Sync> FromRequest<S> for Filled {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let refused = |problem: &Problem| super::show::refused(&Tongue::of(&headers), None, problem);
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(refused(&Problem::foreign_form()));
        }
        let bytes = to_bytes(request.into_body(), LONGEST).await.map_err(|_| refused(&Problem::foreign_form()))?;
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut fingerprint = Sha256::new();
        for (name, value) in form_urlencoded::parse(&bytes) {
            // Line ends as every browser sends them differ from those that were kept.
            let value = value.replace("\r\n", "\n");
            fingerprint.update(format!("{name}={value}\u{0}").as_bytes());
            values.entry(name.into_owned()).or_default().push(value);
        }
        Ok(Self { values, fingerprint: fingerprint.finalize().into() })
    }
}

/// Where a form leads when it was carried out, and what is said there: a name that `words::done` knows.
pub(super) struct Done {
    pub(super) to: String,
    pub(super) said: &'static str,
}

impl Done {
    pub(super) fn at(to: impl Into<String>, said: &'static str) -> Self {
        Self { to: to.into(), said }
    }

    fn address(&self) -> String {
        let sign = if self.to.contains('?') { '&' } else { '?' };
        format!("{}{sign}said={}", self.to, self.said)
    }
}

/// Why a form was not carried out.
pub(super) enum NotDone {
    /// It is shown again, with what was wrong.
    Again(Box<Tried>),
    /// It is nothing that filling in anew would mend.
    Refused(Problem),
}

impl From<Problem> for NotDone {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// Carries a form out, once, if it is one of this visitor's; what refuses it is told where it was filled in.
pub(super) async fn carry_out(
    visitor: &Visitor,
    filled: Filled,
    action: &str,
    typed: Option<&str>,
    act: impl AsyncFnOnce(&Filled) -> Result<Done, EngineError>,
) -> Result<Response, NotDone> {
    if filled.one("seal") != visitor.seal {
        return Err(Problem::foreign_form().into());
    }
    let tried = |wrong: Finding, filled: Filled| {
        Err(NotDone::Again(Box::new(Tried { action: action.to_owned(), filled, wrong })))
    };
    if let Some(word) = typed.filter(|word| filled.one("typed") != *word) {
        let message = visitor.t("请输入：", "Type: ").to_owned() + word;
        return tried(Finding::error("not-typed", message, ""), filled);
    }
    let who = format!("{} {} {}", visitor.principal.person, visitor.principal.role.name(), visitor.principal.region);
    let key = format!("form {action} {}", filled.one("once"));
    let server = visitor.api.server_name().to_owned();
    let fingerprint = filled.fingerprint;
    let asked = Keyed { caller: &who, key: &key, fingerprint: &fingerprint, server: &server };
    match visitor.engine.begin_request(asked, now_ms()).await {
        Ok(Begun::New) => {}
        Ok(Begun::Answered(KeptAnswer { body: Some(to), .. })) => {
            return Ok(Redirect::to(&String::from_utf8_lossy(&to)).into_response());
        }
        Ok(_) => return Err(Problem::in_work().into()),
        Err(error) => return Err(Problem::from(error).into()),
    }
    let done = act(&filled).await;
    let kept = done.as_ref().ok().map(|done| KeptAnswer {
        status: 303,
        kind: String::new(),
        body: Some(done.address().into_bytes()),
    });
    if let Err(error) = visitor.engine.end_request(asked, kept.as_ref()).await {
        return Err(Problem::from(error).into());
    }
    match done {
        Ok(done) => Ok(Redirect::to(&done.address()).into_response()),
        Err(error) if error.findings().is_empty() => Err(Problem::from(error).into()),
        Err(error) => tried(super::show::told(visitor.tongue, &error), filled),
    }
}
