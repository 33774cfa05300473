//! Who visits: a session is a token of twelve hours in a cookie that no script reads. A form carries a seal of it, so that
//! nobody else's page can send one. The way in asks for a password, and for the own choice of one the first time.

use super::form::{Field, Filled, Form, Kind};
use super::show::{self, View};
use crate::api::{Api, Problem, may_ask};
use crate::clock::now_ms;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use care_domain::person::{Appointment, Role};
use care_domain::region;
use care_domain::text::Language;
use care_engine::{Engine, EngineError, Login};
use serde::Deserialize;

const SESSION: &str = "care_session";
const LANGUAGE: &str = "care_language";
/// Seconds in which a browser forgets the session: as long as its token holds.
const HOURS_12: u32 = 43_200;
const YEAR: u32 = 31_536_000;

/// In which language somebody reads.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tongue(pub(super) Language);

impl Tongue {
    /// As the cookie says; Chinese unless it does.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(if cookie(headers, LANGUAGE) == Some("en") { Language::En } else { Language::Zh })
    }

    /// A text in the reader's language.
    pub(super) fn t<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self.0 {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}

/// Somebody with a session.
#[derive(Clone)]
pub(super) struct Visitor {
    /// As whom the session acts.
    pub(super) principal: Appointment,
    /// The engine as they may use it.
    pub(super) engine: Engine,
    pub(super) tongue: Tongue,
    /// What their forms carry.
    pub(super) seal: String,
    pub(super) api: Api,
}

impl Visitor {
    /// Whoever the cookie names; `None` where it opens nothing.
    pub(super) async fn of(api: &Api, headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(secret) = cookie(headers, SESSION) else { return Ok(None) };
        let Some(principal) = api.principal(secret).await? else { return Ok(None) };
        Ok(Some(Self {
            engine: api.acting_as(principal.clone()),
            principal,
            tongue: Tongue::of(headers),
            seal: api.form_seal(secret),
            api: api.clone(),
        }))
    }

    pub(super) fn t<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.tongue.t(zh, en)
    }

    /// A name in their language, and its value.
    pub(super) fn fact(&self, zh: &str, en: &str, value: String) -> (String, String) {
        (self.t(zh, en).to_owned(), value)
    }

    /// Whether the API's table lets them ask this.
    pub(super) fn may(&self, method: &Method, route: &str) -> bool {
        may_ask(method, route, &self.principal).is_ok()
    }

    /// Whether a region lies in theirs.
    pub(super) fn holds(&self, region: &str) -> bool {
        region::covers(&self.principal.region, region)
    }

    /// Who they are, in whose name the engine acts.
    pub(super) fn person(&self) -> &str {
        &self.principal.person
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::failed)
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// A cookie as it is set. `Secure`: browsers keep it from plain HTTP but on the machine itself.
fn set(name: &str, value: &str, seconds: u32) -> (header::HeaderName, String) {
    let flags = if name == SESSION { "; HttpOnly; Secure" } else { "" };
    (header::SET_COOKIE, format!("{name}={value}; Path=/console; Max-Age={seconds}; SameSite=Strict{flags}"))
}

/// To the way in, and back afterwards.
pub(super) fn to_login(uri: &Uri) -> Response {
    let back = form_urlencoded::byte_serialize(uri.path().as_bytes()).collect::<String>();
    Redirect::to(&format!("/console/login?to={back}")).into_response()
}

/// Where to go after the way in: a page of the console, whatever an address says.
fn destination(to: Option<&str>) -> &str {
    to.filter(|to| to.starts_with("/console") && !to.contains(['\\', '\r', '\n'])).unwrap_or("/console")
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    to: Option<String>,
}

/// The way in.
pub(super) async fn login(headers: HeaderMap, Query(back): Query<Back>) -> Response {
    let tongue = Tongue::of(&headers);
    show::page(&tongue, None, &View::new(tongue.t("登录", "Log in")).with(form(tongue, &back, None)))
}

fn form(tongue: Tongue, back: &Back, tried: Option<(&Filled, &EngineError)>) -> Form {
    let t = |zh, en| tongue.t(zh, en).to_owned();
    let mut fields = vec![
        Field::new("person", t("用户", "User"), Kind::Line).required().autocomplete("username"),
        Field::new("password", t("密码", "Password"), Kind::Password).required().autocomplete("current-password"),
    ];
    let code = tried.and_then(|(_, error)| error.findings().first()).map(|finding| finding.code.as_str());
    let chooses = tried.is_some_and(|(filled, _)| !filled.one("new_password").is_empty());
    if chooses || matches!(code, Some("one-time-password" | "weak-password")) {
        let hint = t(
            "一次性密码只能用来设定您自己的密码，至少12个字符。",
            "A one-time password opens nothing but the choice of your own, of 12 characters or more.",
        );
        fields.push(
            Field::new("new_password", t("新密码", "New password"), Kind::Password)
                .hint(hint)
                .autocomplete("new-password"),
        );
    }
    let role = tried.is_some_and(|(filled, _)| !filled.one("role").is_empty());
    if role || code == Some("several-roles") {
        fields.push(Field::new("role", t("角色", "Role"), Kind::Choice(super::words::roles(tongue))));
        fields.push(Field::new("region", t("地区编码（可不填）", "Region code, where there are several"), Kind::Line));
    }
    fields.push(Field::hidden("to", destination(back.to.as_deref())));
    let mut form = Form::new("/console/login", t("登录", "Log in"), fields);
    if let Some((filled, error)) = tried {
        form.take(filled, &show::told(tongue, error));
    }
    form
}

/// Checks a password, and begins a session.
pub(super) async fn enter(State(api): State<Api>, headers: HeaderMap, filled: Filled) -> Response {
    let tongue = Tongue::of(&headers);
    if !filled.is_of_this_site(&headers) {
        return show::refused(&tongue, None, &Problem::foreign_form());
    }
    let named = |name: &str| Some(filled.one(name).to_owned()).filter(|value| !value.is_empty());
    let login = Login {
        person: filled.one("person").to_owned(),
        password: filled.one("password").to_owned(),
        new_password: named("new_password"),
        role: named("role").and_then(|name| Role::from_name(&name)),
        region: named("region"),
    };
    let back = Back { to: named("to") };
    match api.log_in(&login, now_ms()).await {
        Ok(token) => {
            let to = destination(back.to.as_deref()).to_owned();
            ([set(SESSION, &token.secret, HOURS_12)], Redirect::to(&to)).into_response()
        }
        Err(error) => {
            let view = View::new(tongue.t("登录", "Log in")).with(form(tongue, &back, Some((&filled, &error))));
            (StatusCode::UNPROCESSABLE_ENTITY, show::page(&tongue, None, &view)).into_response()
        }
    }
}

/// Ends the session.
pub(super) async fn leave(State(api): State<Api>, headers: HeaderMap, filled: Filled) -> Response {
    let tongue = Tongue::of(&headers);
    match Visitor::of(&api, &headers).await {
        Ok(Some(visitor)) if filled.one("seal") == visitor.seal => {
            if let Some(secret) = cookie(&headers, SESSION)
                && let Err(error) = visitor.engine.log_out(secret, now_ms()).await
            {
                return show::refused(&tongue, Some(&visitor), &error.into());
            }
            api.forget();
            ([set(SESSION, "", 0)], Redirect::to("/console/login")).into_response()
        }
        Ok(Some(visitor)) => show::refused(&tongue, Some(&visitor), &Problem::foreign_form()),
        Ok(None) => Redirect::to("/console/login").into_response(),
        Err(problem) => show::refused(&tongue, None, &problem),
    }
}

/// Chooses the language, and goes back.
pub(super) async fn language(Path(language): Path<String>, Query(back): Query<Back>) -> Response {
    let language = if language == "en" { "en" } else { "zh" };
    ([set(LANGUAGE, language, YEAR)], Redirect::to(destination(back.to.as_deref()))).into_response()
}
