//! Who gets in: persons with their roles, tokens of programs, and keys of branches. What is secret about them stands in the
//! answer to the form that made it, and nowhere else ever again.

use super::blocks::{Block, Cell, Table};
use super::form::{Done, Field, Filled, Form, Kind, Tried};
use super::session::Visitor;
use super::show::{Look, View, answer, carried, once, part, refused};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::person::{Act, Appointment, AppointmentError, Role};
use care_domain::time::DAY_MS;
use care_engine::{BranchKey, EngineError, Token};
use std::cmp::Reverse;

const USERS: &str = "/console/users";
const TOKENS: &str = "/console/tokens";
const KEYS: &str = "/console/keys";
/// Tokens of a page.
const PAGE: usize = 100;
/// Days for which a token holds unless told otherwise, as the API has it.
const USUAL_DAYS: u16 = 90;

pub(super) async fn users(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = everybody(&visitor, None).await;
    answer(&visitor, &look, view)
}

async fn everybody(visitor: &Visitor, tried: Option<&Tried>) -> Result<View, Problem> {
    let mut all = visitor.engine.appointments().await?;
    all.retain(|one| visitor.holds(&one.region));
    let columns = [visitor.t("用户", "User"), visitor.t("角色", "Role"), visitor.t("地区", "Region")];
    let mut table = Table::new("users", visitor.t("用户与角色", "Users and their roles"), columns);
    for one in all {
        let to = of_person(&one.person);
        table.row([Cell::link(one.person, to), words::role(visitor.tongue, one.role).into(), one.region.into()]);
    }
    let mut view = View::new(visitor.t("用户", "Users")).with(table);
    if visitor.engine.may(Act::ManagePersons) {
        let fields = acting(visitor, visitor.t("用户名", "Name"), &[]);
        view = view.with(Form::new(USERS, visitor.t("授予角色", "Give a role"), fields).tried(tried));
    }
    Ok(view)
}

/// Fields that say as whom somebody acts; `codes` are refusals of somebody who does not.
fn acting(visitor: &Visitor, name: &str, codes: &'static [&'static str]) -> Vec<Field> {
    let roles = Kind::Choice(words::roles(visitor.tongue));
    vec![
        Field::new("person", name, Kind::Line).required().refused_as(codes),
        Field::new("role", visitor.t("角色", "Role"), roles).required(),
        Field::new("region", visitor.t("地区编码", "Region code"), Kind::Line)
            .required()
            .value(&visitor.principal.region)
            .refused_as(&["other-region"]),
    ]
}

/// As whom somebody acts, as it was filled in.
fn acts_as(filled: &Filled) -> Result<Appointment, EngineError> {
    let role =
        Role::from_name(filled.one("role")).ok_or_else(|| EngineError::refused("bad-role", "It names no role.", ""))?;
    Ok(Appointment { person: filled.one("person").to_owned(), role, region: filled.one("region").to_owned() })
}

pub(super) async fn appoint(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let new = acts_as(filled)?;
        new.check().map_err(|error| {
            let code = if matches!(error, AppointmentError::Name(_)) { "bad-person" } else { "bad-region" };
            EngineError::refused(code, format!("{error}."), "")
        })?;
        visitor.engine.appoint(&new, visitor.person(), now_ms()).await?;
        Ok(Done::at(of_person(&new.person), "appointed"))
    };
    carried(&visitor, filled, USERS, None, act, async |tried| everybody(&visitor, Some(tried)).await).await
}

/// The page of a person.
fn of_person(person: &str) -> String {
    format!("{USERS}/{}", part(person))
}

pub(super) async fn user(visitor: Visitor, Path(person): Path<String>, Query(look): Query<Look>) -> Response {
    let view = person_view(&visitor, &person, None).await;
    answer(&visitor, &look, view)
}

/// The roles of a person that are the visitor's to see.
async fn roles_of(visitor: &Visitor, person: &str) -> Result<Vec<Appointment>, Problem> {
    let mut all = visitor.engine.appointments().await?;
    all.retain(|one| one.person == person && visitor.holds(&one.region));
    if all.is_empty() { Err(Problem::missing("such person")) } else { Ok(all) }
}

async fn person_view(visitor: &Visitor, person: &str, tried: Option<&Tried>) -> Result<View, Problem> {
    let all = roles_of(visitor, person).await?;
    let mut table =
        Table::new("roles", visitor.t("角色", "Roles"), [visitor.t("角色", "Role"), visitor.t("地区", "Region")]);
    for one in &all {
        table.row([words::role(visitor.tongue, one.role).into(), one.region.as_str().into()]);
    }
    let mut view = View::new(person).with(table);
    if !visitor.engine.may(Act::ManagePersons) {
        return Ok(view);
    }
    let hint = visitor.t(
        "原密码立即失效；一次性密码只能用来设定本人的新密码，只显示一次。",
        "The password before opens nothing from then on; the one-time one opens the choice of another, and is shown once.",
    );
    let password = Form::new(
        format!("{}/password", of_person(person)),
        visitor.t("生成一次性密码", "Make a one-time password"),
        Vec::new(),
    );
    view = view.with(password.hint(hint).tried(tried));
    for one in &all {
        let title = format!(
            "{}{} · {}",
            visitor.t("撤销角色：", "Take the role: "),
            words::role(visitor.tongue, one.role),
            one.region
        );
        view = view.with(Form::new(dismissal(one), title, Vec::new()).typed(person).tried(tried));
    }
    Ok(view)
}

/// Where the form leads that takes a role from somebody.
fn dismissal(one: &Appointment) -> String {
    format!("{}/{}/{}/dismiss", of_person(&one.person), one.role.name(), part(&one.region))
}

pub(super) async fn dismiss(
    visitor: Visitor,
    Path((person, role, region)): Path<(String, String, String)>,
    filled: Filled,
) -> Response {
    let Some(role) = Role::from_name(&role) else {
        return refused(&visitor.tongue, Some(&visitor), &Problem::missing("such role"));
    };
    let one = Appointment { person, role, region };
    let act = async |_: &Filled| {
        visitor.engine.dismiss(&one, visitor.person(), now_ms()).await?;
        visitor.api.forget();
        Ok(Done::at(USERS, "dismissed"))
    };
    let view = async |tried: &Tried| person_view(&visitor, &one.person, Some(tried)).await;
    carried(&visitor, filled, &dismissal(&one), Some(&one.person), act, view).await
}

pub(super) async fn password(visitor: Visitor, Path(person): Path<String>, filled: Filled) -> Response {
    if let Err(problem) = roles_of(&visitor, &person).await {
        return refused(&visitor.tongue, Some(&visitor), &problem);
    }
    let act = async |_: &Filled| {
        let password = visitor.engine.reset_password(&person, visitor.person(), now_ms()).await?;
        let facts = vec![
            visitor.fact("用户", "User", person.clone()),
            visitor.fact("一次性密码", "One-time password", password),
        ];
        Ok(once(&visitor, &secret(&visitor, visitor.t("一次性密码", "One-time password"), facts)))
    };
    let action = format!("{}/password", of_person(&person));
    carried(&visitor, filled, &action, None, act, async |tried| person_view(&visitor, &person, Some(tried)).await).await
}

/// What is shown this one time.
fn secret(visitor: &Visitor, title: &str, facts: Vec<(String, String)>) -> View {
    let warning = visitor.t(
        "只显示这一次：请立即妥善转交，离开本页后无法再查看。",
        "It is shown this one time: pass it on now, since nobody can look it up again.",
    );
    View::new(title).warning(warning).with(Block::Facts(facts))
}

pub(super) async fn tokens(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = all_tokens(&visitor, &look, None).await;
    answer(&visitor, &look, view)
}

/// Tokens, those that hold before those that do not, the newest first; a page begins after so many of them.
async fn all_tokens(visitor: &Visitor, look: &Look, tried: Option<&Tried>) -> Result<View, Problem> {
    let now = now_ms();
    let mut all = visitor.engine.tokens().await?;
    all.retain(|token| visitor.holds(&token.acts_as.region));
    all.sort_by_cached_key(|token| (!token.holds_at(now), Reverse(token.made_at), token.id.clone()));
    let columns = [
        visitor.t("编号", "Id"),
        visitor.t("用户", "User"),
        visitor.t("角色", "Role"),
        visitor.t("地区", "Region"),
        visitor.t("状态", "Stands"),
        visitor.t("到期", "Expires"),
        visitor.t("签发人", "Made by"),
    ];
    let mut table = Table::new("tokens", visitor.t("令牌", "Tokens"), columns);
    let begin = look.after.and_then(|after| usize::try_from(after).ok()).unwrap_or(0);
    for token in all.iter().skip(begin).take(PAGE) {
        table.row([
            Cell::link(token.id.as_str(), format!("{TOKENS}/{}", token.id)),
            token.acts_as.person.as_str().into(),
            words::role(visitor.tongue, token.acts_as.role).into(),
            token.acts_as.region.as_str().into(),
            stands(visitor, token, now).into(),
            moment(token.expires_at).into(),
            token.made_by.as_str().into(),
        ]);
    }
    let end = begin.saturating_add(PAGE);
    table.next = (all.len() > end).then(|| format!("?after={end}"));
    let mut view = View::new(visitor.t("令牌", "Tokens")).with(table);
    if visitor.engine.may(Act::ManageTokens) {
        let mut fields = acting(visitor, visitor.t("代表用户", "For whom it acts"), &["not-appointed"]);
        let days = Field::new("days", visitor.t("有效天数", "Days for which it holds"), Kind::Number);
        fields.push(days.value(USUAL_DAYS.to_string()).required().refused_as(&["token-expiry"]));
        let hint = visitor.t("密钥只显示一次。", "Its secret is shown once.");
        view = view.with(Form::new(TOKENS, visitor.t("签发令牌", "Make a token"), fields).hint(hint).tried(tried));
    }
    Ok(view)
}

/// Whether a token opens anything.
fn stands(visitor: &Visitor, token: &Token, now: i64) -> &'static str {
    match token.revoked_at {
        Some(_) => visitor.tongue.t("已吊销", "Revoked"),
        None if token.holds_at(now) => visitor.tongue.t("有效", "Holds"),
        None => visitor.tongue.t("已过期", "Expired"),
    }
}

pub(super) async fn make_token(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let (acts_as, now) = (acts_as(filled)?, now_ms());
        let days = filled.number::<u16>("days")?.unwrap_or(USUAL_DAYS);
        let until = now.saturating_add(i64::from(days) * DAY_MS);
        let made = visitor.engine.new_token(&acts_as, until, visitor.person(), now).await?;
        let mut facts = vec![visitor.fact("密钥", "Secret", made.secret)];
        facts.extend(token_facts(&visitor, &made.token, now));
        Ok(once(&visitor, &secret(&visitor, visitor.t("新令牌", "A new token"), facts)))
    };
    let view = async |tried: &Tried| all_tokens(&visitor, &Look::default(), Some(tried)).await;
    carried(&visitor, filled, TOKENS, None, act, view).await
}

fn token_facts(visitor: &Visitor, token: &Token, now: i64) -> Vec<(String, String)> {
    let role = words::role(visitor.tongue, token.acts_as.role);
    vec![
        visitor.fact("编号", "Id", token.id.clone()),
        visitor.fact("代表用户", "Acts for", token.acts_as.person.clone()),
        visitor.fact("角色", "Role", format!("{role} · {}", token.acts_as.region)),
        visitor.fact("状态", "Stands", stands(visitor, token, now).to_owned()),
        visitor.fact("到期", "Expires", moment(token.expires_at)),
        visitor.fact("签发", "Made", format!("{} · {}", token.made_by, moment(token.made_at))),
    ]
}

async fn token_of(visitor: &Visitor, id: &str) -> Result<Token, Problem> {
    let all = visitor.engine.tokens().await?;
    let found = all.into_iter().find(|token| token.id == id && visitor.holds(&token.acts_as.region));
    found.ok_or_else(|| Problem::missing("such token"))
}

pub(super) async fn token(visitor: Visitor, Path(id): Path<String>, Query(look): Query<Look>) -> Response {
    let view = token_view(&visitor, &id, None).await;
    answer(&visitor, &look, view)
}

async fn token_view(visitor: &Visitor, id: &str, tried: Option<&Tried>) -> Result<View, Problem> {
    let found = token_of(visitor, id).await?;
    let title = format!("{} {id}", visitor.t("令牌", "Token"));
    let mut view = View::new(title).with(Block::Facts(token_facts(visitor, &found, now_ms())));
    if found.revoked_at.is_none() && visitor.engine.may(Act::ManageTokens) {
        let reason = vec![Field::new("reason", visitor.t("理由", "Reason"), Kind::Area)];
        let form = Form::new(format!("{TOKENS}/{id}/revoke"), visitor.t("吊销令牌", "Revoke it"), reason);
        view = view.with(form.typed(id).tried(tried));
    }
    Ok(view)
}

pub(super) async fn revoke_token(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    if let Err(problem) = token_of(&visitor, &id).await {
        return refused(&visitor.tongue, Some(&visitor), &problem);
    }
    let act = async |filled: &Filled| {
        visitor.engine.revoke_token(&id, filled.one("reason"), visitor.person(), now_ms()).await?;
        visitor.api.forget();
        Ok(Done::at(format!("{TOKENS}/{id}"), "revoked"))
    };
    let action = format!("{TOKENS}/{id}/revoke");
    carried(&visitor, filled, &action, Some(&id), act, async |tried| token_view(&visitor, &id, Some(tried)).await).await
}

pub(super) async fn keys(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = all_keys(&visitor, None).await;
    answer(&visitor, &look, view)
}

async fn all_keys(visitor: &Visitor, tried: Option<&Tried>) -> Result<View, Problem> {
    let mut all = visitor.engine.keys().await?;
    all.retain(|key| visitor.holds(&key.region));
    let columns = [
        visitor.t("编号", "Id"),
        visitor.t("所有人", "Owner"),
        visitor.t("地区", "Region"),
        visitor.t("状态", "Stands"),
        visitor.t("登记时间", "Registered"),
    ];
    let mut table = Table::new("keys", visitor.t("签名密钥", "Signing keys"), columns);
    for key in all {
        table.row([
            Cell::link(key.id.as_str(), format!("{KEYS}/{}", key.id)),
            key.owner.as_str().into(),
            key.region.as_str().into(),
            vouches(visitor, &key).into(),
            moment(key.added_at).into(),
        ]);
    }
    let mut view = View::new(visitor.t("签名密钥", "Signing keys")).with(table);
    if visitor.engine.may(Act::ManageKeys) {
        let hint = visitor.t("Ed25519公钥，64位十六进制。", "Ed25519, 64 hexadecimal digits.");
        let fields = vec![
            Field::new("public", visitor.t("公钥", "Public half"), Kind::Line)
                .required()
                .hint(hint)
                .refused_as(&["bad-key", "known-key"]),
            Field::new("owner", visitor.t("所有人", "Whose it is"), Kind::Line).required(),
            Field::new("region", visitor.t("可担保的地区编码", "Region for which it vouches, by code"), Kind::Line)
                .required()
                .refused_as(&["other-region"]),
        ];
        view = view.with(Form::new(KEYS, visitor.t("登记密钥", "Register a key"), fields).tried(tried));
    }
    Ok(view)
}

fn vouches(visitor: &Visitor, key: &BranchKey) -> &'static str {
    if key.revoked_at.is_some() {
        visitor.tongue.t("已吊销", "Revoked")
    } else {
        visitor.tongue.t("有效", "Holds")
    }
}

pub(super) async fn add_key(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let (public, owner, region) = (filled.one("public"), filled.one("owner"), filled.one("region"));
        let id = visitor.engine.add_key(public, owner, region, visitor.person(), now_ms()).await?;
        Ok(Done::at(format!("{KEYS}/{id}"), "registered"))
    };
    carried(&visitor, filled, KEYS, None, act, async |tried| all_keys(&visitor, Some(tried)).await).await
}

async fn key_of(visitor: &Visitor, id: &str) -> Result<BranchKey, Problem> {
    let all = visitor.engine.keys().await?;
    let found = all.into_iter().find(|key| key.id == id && visitor.holds(&key.region));
    found.ok_or_else(|| Problem::missing("such key"))
}

pub(super) async fn key(visitor: Visitor, Path(id): Path<String>, Query(look): Query<Look>) -> Response {
    let view = key_view(&visitor, &id, None).await;
    answer(&visitor, &look, view)
}

/// A key with what it signed: whoever revokes it looks at that next.
async fn key_view(visitor: &Visitor, id: &str, tried: Option<&Tried>) -> Result<View, Problem> {
    let found = key_of(visitor, id).await?;
    let mut facts = vec![
        visitor.fact("所有人", "Owner", found.owner.clone()),
        visitor.fact("地区", "Region", found.region.clone()),
        visitor.fact("状态", "Stands", vouches(visitor, &found).to_owned()),
        visitor.fact("公钥", "Public half", found.public.clone()),
        visitor.fact("登记时间", "Registered", moment(found.added_at)),
    ];
    if let Some(at) = found.revoked_at {
        let because = found.revoked_because.as_deref().unwrap_or_default();
        facts.push(visitor.fact("吊销", "Revoked", format!("{} · {because}", moment(at))));
    }
    let columns = [visitor.t("活动", "Activity"), visitor.t("版本", "Version"), visitor.t("状态", "Stands")];
    let mut table = Table::new("signed", visitor.t("由它签名的版本", "Versions that it signed"), columns);
    for signed in visitor.engine.submissions().await?.iter().filter(|one| one.version.key == id) {
        let manifest = &signed.version.manifest;
        table.row([
            Cell::link(manifest.title.get(visitor.tongue.0), format!("/console/submissions/{}", signed.id)),
            manifest.version.to_string().into(),
            words::state(visitor.tongue, signed.submission.state()).into(),
        ]);
    }
    let mut view = View::new(format!("{} {id}", visitor.t("签名密钥", "Key"))).with(Block::Facts(facts)).with(table);
    if found.revoked_at.is_none() && visitor.engine.may(Act::ManageKeys) {
        let reason =
            Field::new("reason", visitor.t("理由", "Reason"), Kind::Area).required().refused_as(&["no-reason"]);
        let form = Form::new(format!("{KEYS}/{id}/revoke"), visitor.t("吊销密钥", "Revoke it"), vec![reason]);
        view = view.with(form.typed(id).tried(tried));
    }
    Ok(view)
}

pub(super) async fn revoke_key(visitor: Visitor, Path(id): Path<String>, filled: Filled) -> Response {
    if let Err(problem) = key_of(&visitor, &id).await {
        return refused(&visitor.tongue, Some(&visitor), &problem);
    }
    let act = async |filled: &Filled| {
        visitor.engine.revoke_key(&id, filled.one("reason"), visitor.person(), now_ms()).await?;
        Ok(Done::at(format!("{KEYS}/{id}"), "revoked"))
    };
    let action = format!("{KEYS}/{id}/revoke");
    carried(&visitor, filled, &action, Some(&id), act, async |tried| key_view(&visitor, &id, Some(tried)).await).await
}
