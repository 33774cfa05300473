//! What a submission would say, test messages of it to our own staff, and who they are.

use super::blocks::{Block, Cell, Table};
use super::form::{Done, Field, Filled, Form, Kind, Tried};
use super::review;
use super::session::Visitor;
use super::show::{Look, View, answer, carried, part, told};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::http::Method;
use axum::response::Response;
use care_domain::contact::Channel;
use care_domain::person::Act;
use care_domain::preview::Preview;
use care_domain::text::Language;
use care_domain::time::today;
use care_engine::{Aside, EngineError, Staff, TestSend};

const STAFF: &str = "/console/staff";

/// The part of a review that tells what would be said, what staff got of it, and sends it to them.
pub(super) async fn of_submission(
    visitor: &Visitor,
    view: View,
    id: i64,
    tried: Option<&Tried>,
) -> Result<View, Problem> {
    let view = match visitor.engine.preview(id, today(now_ms())).await {
        Ok(previews) => view.with(previewed(visitor, &previews)),
        // Gateways that cannot be read hide what stands around a message; everything else of the review still holds.
        Err(error) => told(visitor.tongue, &error).into_iter().fold(view, |view, why| view.warning(why.message)),
    };
    let view = view.with(tests(visitor, &visitor.engine.tests_of(id).await?));
    if visitor.engine.may(Act::SendTest) { Ok(view.with(test_form(visitor, id).await?.tried(tried))) } else { Ok(view) }
}

fn previewed(visitor: &Visitor, previews: &[Preview]) -> Table {
    let columns = [
        visitor.t("模板", "Template"),
        visitor.t("渠道", "Channel"),
        visitor.t("语言", "Language"),
        visitor.t("对象", "To"),
        visitor.t("客户所见（示例值）", "As it is read, with example values"),
        visitor.t("最长时", "At its longest"),
        visitor.t("短信条数", "Segments"),
        visitor.t("最长时条数", "Segments at its longest"),
    ];
    let mut table = Table::new("preview", visitor.t("消息预览", "Preview of messages"), columns);
    for one in previews {
        let segments = |count: Option<u32>| count.map_or_else(Cell::default, |count| u64::from(count).into());
        table.row([
            one.template.as_str().into(),
            words::channel(visitor.tongue, one.channel.name()).into(),
            language(visitor, one.language.name()).into(),
            words::addressee(visitor.tongue, one.addressee).into(),
            one.text.as_str().into(),
            one.longest.as_str().into(),
            segments(one.sms.map(|(usual, _)| usual.segments)),
            segments(one.sms.map(|(_, longest)| longest.segments)),
        ]);
    }
    table
}

fn language<'a>(visitor: &Visitor, code: &'a str) -> &'a str {
    match code {
        "zh" => visitor.t("中文", "Chinese"),
        "en" => visitor.t("英文", "English"),
        other => other,
    }
}

/// What went to staff.
fn tests(visitor: &Visitor, all: &[Aside]) -> Table {
    let columns = [
        visitor.t("时间", "When"),
        visitor.t("收件人", "To"),
        visitor.t("模板", "Template"),
        visitor.t("渠道", "Channel"),
        visitor.t("语言", "Language"),
        visitor.t("网关应答", "The gateway's answer"),
        visitor.t("说明", "Why"),
        visitor.t("发送人", "Sent by"),
    ];
    let mut table = Table::new("tests", visitor.t("测试消息", "Test messages"), columns);
    for one in all {
        let said: &str = if one.answer.is_empty() { visitor.t("未知", "Unknown") } else { &one.answer };
        table.row([
            moment(one.at).into(),
            one.staff.as_str().into(),
            one.template.as_str().into(),
            words::channel(visitor.tongue, &one.channel).into(),
            language(visitor, &one.language).into(),
            said.into(),
            one.note.as_str().into(),
            one.person.as_str().into(),
        ]);
    }
    table
}

/// Where the form leads that sends a test.
fn sending(id: i64) -> String {
    format!("/console/submissions/{id}/test-sends")
}

async fn test_form(visitor: &Visitor, id: i64) -> Result<Form, Problem> {
    let label = visitor.t("收件人", "To");
    let to = if visitor.may(&Method::GET, "/v1/staff") {
        let staff = visitor.engine.staff().await?;
        Field::new("to", label, Kind::Choices(staff.into_iter().map(|one| (one.name.clone(), one.name)).collect()))
    } else {
        let hint = visitor.t("已登记人员的名称，空格分隔。", "Names of registered staff, with blanks between them.");
        Field::new("to", label, Kind::Line).required().hint(hint)
    };
    let channels = [Channel::Sms, Channel::Email]
        .map(|channel| (channel.name().to_owned(), words::channel(visitor.tongue, channel.name()).to_owned()));
    let languages =
        [Language::Zh, Language::En].map(|one| (one.name().to_owned(), language(visitor, one.name()).to_owned()));
    let fields = vec![
        to.refused_as(&["unknown-staff", "bad-staff", "too-many-tests"]),
        Field::new("channel", visitor.t("渠道", "Channel"), Kind::Choice(channels.to_vec()))
            .required()
            .value(Channel::Sms.name())
            .refused_as(&["nothing-to-send", "no-gateway"]),
        Field::new(
            "language",
            visitor.t("语言（不选则两种）", "Language; both where none is chosen"),
            Kind::Choice(languages.to_vec()),
        ),
    ];
    let hint = visitor.t(
        "示例值的消息只发给登记的测试人员，客户不会收到。",
        "With example values, to registered staff alone: no customer gets anything.",
    );
    Ok(Form::new(sending(id), visitor.t("发送测试消息", "Send a test"), fields).hint(hint))
}

pub(super) async fn send_test(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let to: Vec<String> =
            filled.all("to").iter().flat_map(|names| names.split_whitespace()).map(str::to_owned).collect();
        if to.is_empty() {
            return Err(EngineError::refused("unknown-staff", "Nobody is named.", "Name registered staff."));
        }
        let channel = Channel::ALL.into_iter().find(|channel| channel.name() == filled.one("channel"));
        let channel = channel.ok_or_else(|| EngineError::refused("bad-channel", "It names no channel.", ""))?;
        let language = [Language::Zh, Language::En].into_iter().find(|one| one.name() == filled.one("language"));
        let asked = TestSend { submission: id, to, channel, language };
        visitor.engine.send_test(&asked, visitor.person(), now_ms()).await?;
        Ok(Done::at(format!("/console/submissions/{id}"), "test-sent"))
    };
    carried(&visitor, filled, &sending(id), None, act, async |tried| review::view(&visitor, id, Some(tried)).await)
        .await
}

pub(super) async fn staff(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = all_staff(&visitor, None).await;
    answer(&visitor, &look, view)
}

/// Registered staff, with numbers and addresses as the engine masks them.
async fn all_staff(visitor: &Visitor, tried: Option<&Tried>) -> Result<View, Problem> {
    let columns = [
        visitor.t("名称", "Name"),
        visitor.t("手机号码", "Mobile number"),
        visitor.t("电子邮箱", "E-mail address"),
        visitor.t("接收正式副本", "Gets copies"),
    ];
    let mut table = Table::new("staff", visitor.t("测试人员", "Staff who get test messages"), columns);
    for one in visitor.engine.staff().await? {
        let copies = if one.seed { visitor.t("是", "Yes") } else { visitor.t("否", "No") };
        table.row([
            Cell::link(one.name.as_str(), of_staff(&one.name)),
            one.msisdn.into(),
            one.email.into(),
            copies.into(),
        ]);
    }
    let mut view = View::new(visitor.t("测试人员", "Staff")).with(table);
    if visitor.engine.may(Act::ManageStaff) {
        view = view.with(register_form(visitor).tried(tried));
    }
    Ok(view)
}

/// The page of a member of staff.
fn of_staff(name: &str) -> String {
    format!("{STAFF}/{}", part(name))
}

fn register_form(visitor: &Visitor) -> Form {
    let copies = visitor.t("接收各任务正式消息的副本", "Gets a copy of whatever campaigns send");
    let fields = vec![
        Field::new("name", visitor.t("名称", "Name"), Kind::Line)
            .required()
            .hint(visitor.t("一个词，如li.wei。", "One word, such as li.wei.")),
        Field::new("msisdn", visitor.t("手机号码", "Mobile number"), Kind::Line),
        Field::new("email", visitor.t("电子邮箱", "E-mail address"), Kind::Line),
        Field::new("seed", visitor.t("副本", "Copies"), Kind::Choices(vec![("yes".to_owned(), copies.to_owned())])),
    ];
    let hint = visitor
        .t("号码与邮箱至少填一项；同名者被更新。", "A number, an address, or both. Who is known already is changed.");
    Form::new(STAFF, visitor.t("登记测试人员", "Register a member of staff"), fields).hint(hint)
}

pub(super) async fn register(visitor: Visitor, filled: Filled) -> Response {
    let act = async |filled: &Filled| {
        let one = Staff {
            name: filled.one("name").to_owned(),
            msisdn: filled.one("msisdn").to_owned(),
            email: filled.one("email").to_owned(),
            seed: filled.one("seed") == "yes",
        };
        visitor.engine.register_staff(&one, visitor.person(), now_ms()).await?;
        Ok(Done::at(STAFF, "registered"))
    };
    carried(&visitor, filled, STAFF, None, act, async |tried| all_staff(&visitor, Some(tried)).await).await
}

pub(super) async fn member(visitor: Visitor, Path(name): Path<String>, Query(look): Query<Look>) -> Response {
    let view = member_view(&visitor, &name, None).await;
    answer(&visitor, &look, view)
}

async fn member_view(visitor: &Visitor, name: &str, tried: Option<&Tried>) -> Result<View, Problem> {
    let all = visitor.engine.staff().await?;
    let found = all.into_iter().find(|one| one.name == name).ok_or_else(|| Problem::missing("such member of staff"))?;
    let copies = if found.seed { visitor.t("是", "Yes") } else { visitor.t("否", "No") };
    let facts = vec![
        visitor.fact("手机号码", "Mobile number", found.msisdn),
        visitor.fact("电子邮箱", "E-mail address", found.email),
        visitor.fact("接收正式副本", "Gets copies", copies.to_owned()),
    ];
    let mut view = View::new(name).with(Block::Facts(facts));
    if visitor.engine.may(Act::ManageStaff) {
        let form = Form::new(forgetting(name), visitor.t("移除", "Remove"), Vec::new());
        view = view.with(form.typed(name).tried(tried));
    }
    Ok(view)
}

/// Where the form leads that forgets somebody.
fn forgetting(name: &str) -> String {
    format!("{}/forget", of_staff(name))
}

pub(super) async fn forget(visitor: Visitor, Path(name): Path<String>, filled: Filled) -> Response {
    let act = async |_: &Filled| {
        visitor.engine.forget_staff(&name, visitor.person(), now_ms()).await?;
        Ok(Done::at(STAFF, "removed"))
    };
    let view = async |tried: &Tried| member_view(&visitor, &name, Some(tried)).await;
    carried(&visitor, filled, &forgetting(&name), Some(&name), act, view).await
}
