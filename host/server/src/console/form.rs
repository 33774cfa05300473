//! Forms: what they ask, what was filled in, and what was wrong with it. A form keeps what was typed, says what is wrong
//! beside it, and is carried out once however often it is sent.

use super::session::{Tongue, Visitor};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::body::{Bytes, to_bytes};
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use care_domain::text::Finding;
use care_domain::time::parse_date;
use care_engine::{Begun, EngineError, KeptAnswer, Keyed};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The code of what was not confirmed by typing.
const NOT_TYPED: &str = "not-typed";
/// The longest form, in bytes: a list of five hundred calls with what to say in Chinese, of which every character takes nine.
const LONGEST: usize = 4 << 20;

/// What a field asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Line,
    Area,
    /// A list, pasted as a spreadsheet writes it.
    Sheet,
    Number,
    Date,
    Password,
    Hidden,
    /// A file, with what it may end in.
    File(&'static str),
    /// One of these: value and label.
    Choice(Vec<(String, String)>),
    /// Some of these: value and label.
    Choices(Vec<(String, String)>),
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: Cow<'static, str>,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) values: Vec<String>,
    pub(super) hint: String,
    /// What is wrong with it.
    pub(super) wrong: Option<String>,
    pub(super) required: bool,
    pub(super) autocomplete: &'static str,
    /// Codes of refusals that speak of it, beside `bad-` and its name.
    codes: &'static [&'static str],
}

impl Field {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, label: impl Into<String>, kind: Kind) -> Self {
        let (name, label) = (name.into(), label.into());
        let (values, hint, wrong) = (Vec::new(), String::new(), None);
        Self { name, label, kind, values, hint, wrong, required: false, autocomplete: "off", codes: &[] }
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

    /// Refusals of these codes speak of it.
    pub(super) fn refused_as(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }

    /// Whether a refusal speaks of it, and can be read there.
    fn is_meant(&self, code: &str) -> bool {
        let is_own = code.strip_prefix("bad-") == Some(&self.name) || self.codes.contains(&code);
        is_own && self.kind != Kind::Hidden
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
            Kind::File(_) => "file",
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
    /// What is wrong with what was typed.
    pub(super) mistyped: Option<String>,
    /// What was wrong as a whole, and what to do.
    pub(super) wrong: Vec<(String, String)>,
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
            mistyped: None,
            wrong: Vec::new(),
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

    /// Keeps what was typed, and says what was wrong. Passwords are typed and files chosen again.
    pub(super) fn take(&mut self, filled: &Filled, wrong: &[Finding]) {
        for field in self.fields.iter_mut().filter(|field| !matches!(field.kind, Kind::Password | Kind::File(_))) {
            field.values = filled.all(&field.name).to_vec();
        }
        for finding in wrong {
            if finding.code == NOT_TYPED && self.typed.is_some() {
                self.mistyped = Some(finding.message.clone());
                continue;
            }
            let told = format!("{} {}", finding.message, finding.hint);
            match self.fields.iter_mut().find(|field| field.is_meant(&finding.code)) {
                Some(Field { wrong: Some(before), .. }) => *before += &format!(" {told}"),
                Some(field) => field.wrong = Some(told),
                None => self.wrong.push((finding.message.clone(), finding.hint.clone())),
            }
        }
    }

    /// Whether a file goes with it, so that it is sent in parts.
    pub(super) fn has_file(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.kind, Kind::File(_)))
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
    pub(super) wrong: Vec<Finding>,
}

fn nonce() -> String {
    care_engine::Engine::new_secret().map(|secret| hex::encode(&secret[..16])).unwrap_or_default()
}

/// A form as it was filled in.
#[derive(Debug, Clone, Default)]
pub(super) struct Filled {
    values: BTreeMap<String, Vec<String>>,
    files: BTreeMap<String, Bytes>,
    fingerprint: [u8; 32],
}

fn unread(error: &MultipartError) -> Problem {
    Problem::new(error.status(), "bad-form", error.body_text(), "Choose a smaller file, and send the form again")
}

impl Filled {
    /// As somebody might have filled it in.
    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
        Self { values, ..Self::default() }
    }

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

    /// A date in days, where one was typed.
    pub(super) fn date(&self, name: &'static str) -> Result<Option<i32>, EngineError> {
        match self.one(name) {
            "" => Ok(None),
            text => parse_date(text).map(Some).ok_or_else(|| {
                EngineError::refused(&format!("bad-{name}"), format!("{text:?} is no date."), "Write it as 2026-07-29.")
            }),
        }
    }

    /// A file, where one was chosen.
    pub(super) fn file(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], Bytes::as_ref)
    }

    fn hold(&mut self, name: String, value: &str, fingerprint: &mut Sha256) {
        // Line ends as every browser sends them differ from those that were kept.
        let value = value.replace("\r\n", "\n");
        fingerprint.update(format!("{name}={value}\u{0}").as_bytes());
        self.values.entry(name).or_default().push(value);
    }

    /// Some of it as it stands in an address; what was left empty does not.
    pub(super) fn query(&self, names: &[&str]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in names {
            for value in self.all(name).iter().filter(|value| !value.is_empty()) {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// A form without a file, from its bytes.
    pub(super) fn of_pairs(bytes: &[u8]) -> Self {
        let (mut filled, mut fingerprint) = (Self::default(), Sha256::new());
        for (name, value) in form_urlencoded::parse(bytes) {
            filled.hold(name.into_owned(), &value, &mut fingerprint);
        }
        filled.fingerprint = fingerprint.finalize().into();
        filled
    }

    /// A form that is sent in parts, one of which may be a file. How long it may be its route says.
    async fn of_parts(mut parts: Multipart) -> Result<Self, Problem> {
        let (mut filled, mut fingerprint) = (Self::default(), Sha256::new());
        while let Some(part) = parts.next_field().await.map_err(|error| unread(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            let is_file = part.file_name().is_some();
            let bytes = part.bytes().await.map_err(|error| unread(&error))?;
            if is_file {
                fingerprint.update(name.as_bytes());
                fingerprint.update(Sha256::digest(&bytes));
                filled.files.insert(name, bytes);
            } else {
                filled.hold(name, &String::from_utf8_lossy(&bytes), &mut fingerprint);
            }
        }
        filled.fingerprint = fingerprint.finalize().into();
        Ok(filled)
    }

    /// Whether the browser says that one of our own pages sent it.
    pub(super) fn is_of_this_site(&self, headers: &HeaderMap) -> bool {
        let said = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        said.is_none_or(|site| site == "same-origin" || site == "none")
    }
}

impl<S: Send + Sync> FromRequest<S> for Filled {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let refused = |problem: &Problem| super::show::refused(&Tongue::of(&headers), None, problem);
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("multipart/form-data") {
            let parts = Multipart::from_request(request, state).await;
            let parts = parts.map_err(|_| refused(&Problem::foreign_form()))?;
            return Self::of_parts(parts).await.map_err(|problem| refused(&problem));
        }
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(refused(&Problem::foreign_form()));
        }
        let bytes = to_bytes(request.into_body(), LONGEST).await.map_err(|_| refused(&Problem::long_form()))?;
        Ok(Self::of_pairs(&bytes))
    }
}

/// What a form is answered with that was carried out.
pub(super) enum Done {
    /// It leads somewhere, where it is said what was done: a name that `words::done` knows.
    At {
        /// Where.
        to: String,
        /// What was done.
        said: &'static str,
    },
    /// A secret, or people's numbers: answered this one time, and kept nowhere.
    Once(Response),
}

impl Done {
    pub(super) fn at(to: impl Into<String>, said: &'static str) -> Self {
        Self::At { to: to.into(), said }
    }

    /// The answer, and what of it is kept for the same form when it comes again.
    fn answer(self) -> (Response, Option<Vec<u8>>) {
        match self {
            Self::At { to, said } => {
                let sign = if to.contains('?') { '&' } else { '?' };
                let to = format!("{to}{sign}said={said}");
                (Redirect::to(&to).into_response(), Some(to.into_bytes()))
            }
            Self::Once(answer) => (answer, None),
        }
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

impl NotDone {
    /// What a refusal of the engine amounts to, for a form with this action.
    pub(super) fn of(visitor: &Visitor, action: &str, filled: Filled, error: EngineError) -> Self {
        if error.findings().is_empty() {
            return Self::Refused(error.into());
        }
        let wrong = super::show::told(visitor.tongue, &error);
        Self::Again(Box::new(Tried { action: action.to_owned(), filled, wrong }))
    }
}

/// Whether a form is one of this visitor's.
pub(super) fn sealed(visitor: &Visitor, filled: &Filled) -> Result<(), Problem> {
    if filled.one("seal") == visitor.seal { Ok(()) } else { Err(Problem::foreign_form()) }
}

/// Carries a form out, once, if it is one of this visitor's; what refuses it is told where it was filled in.
pub(super) async fn carry_out(
    visitor: &Visitor,
    filled: Filled,
    action: &str,
    typed: Option<&str>,
    act: impl AsyncFnOnce(&Filled) -> Result<Done, EngineError>,
) -> Result<Response, NotDone> {
    sealed(visitor, &filled)?;
    let tried = |wrong: Vec<Finding>, filled: Filled| {
        Err(NotDone::Again(Box::new(Tried { action: action.to_owned(), filled, wrong })))
    };
    if let Some(word) = typed.filter(|word| filled.one("typed") != *word) {
        let message = visitor.t("请输入：", "Type: ").to_owned() + word;
        return tried(vec![Finding::error(NOT_TYPED, message, "")], filled);
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
        Ok(Begun::Answered(KeptAnswer { body: None, .. })) => return Err(Problem::shown_once().into()),
        Ok(_) => return Err(Problem::in_work().into()),
        Err(error) => return Err(Problem::from(error).into()),
    }
    let done = act(&filled).await.map(Done::answer);
    let kept = done.as_ref().ok().map(|(answer, body)| KeptAnswer {
        status: answer.status().as_u16(),
        kind: String::new(),
        body: body.clone(),
    });
    if let Err(error) = visitor.engine.end_request(asked, kept.as_ref()).await {
        return Err(Problem::from(error).into());
    }
    match done {
        Ok((answer, _)) => Ok(answer),
        Err(error) => Err(NotDone::of(visitor, action, filled, error)),
    }
}
