//! The conditions of an approval as a form asks for them. What is left empty is granted as it was asked for.

use super::form::{Field, Filled, Kind};
use super::session::Visitor;
use super::words;
use care_domain::approval::Conditions;
use care_domain::contact::Addressee;
use care_domain::manifest::Cap;
use care_domain::policy::Class;
use care_domain::standby::Standby;
use care_engine::EngineError;
use std::collections::BTreeSet;

/// What they are called.
pub(super) const NAMES: [&str; 13] = [
    "class",
    "weight",
    "contacts",
    "days",
    "regions",
    "share",
    "from",
    "until",
    "budget",
    "addressees",
    "requests",
    "standby_areas",
    "standby_days",
];

/// What may be asked.
pub(super) fn fields(visitor: &Visitor) -> Vec<Field> {
    let field = |name: &'static str, zh, en, kind| Field::new(name, visitor.t(zh, en), kind);
    let classes = Class::ALL.map(|class| (class.name().to_owned(), words::class(visitor.tongue, class).to_owned()));
    let addressees =
        Addressee::ALL.map(|one| (one.name().to_owned(), words::addressee(visitor.tongue, one).to_owned()));
    let all = visitor.t("不选则按申请。", "As it was asked for where none is chosen.");
    let requests = visitor.t("空格分隔；填 none 则一项也不批准。", "By name; none for no request at all.");
    let ahead = visitor.t(
        "预先批准：值班员可在这些区域内启用，最长若干天。",
        "Approved ahead: a duty officer activates it within these areas, for so many days at most.",
    );
    vec![
        field("class", "类别", "Class", Kind::Choice(classes.into())).hint(all),
        field("weight", "权重（0–1000）", "Weight, 0 to 1000", Kind::Number),
        field("contacts", "频次上限：次数", "Cap: contacts", Kind::Number),
        field("days", "频次上限：天数", "Cap: in days", Kind::Number),
        field("regions", "限定地区（编码，空格分隔）", "Only these regions, by code", Kind::Line),
        field("share", "灰度比例（万分之）", "Share of customers, of 10,000", Kind::Number),
        field("from", "生效日期", "From", Kind::Date),
        field("until", "截止日期", "Until", Kind::Date),
        field("budget", "预算（元）", "Budget in yuan", Kind::Number),
        field("addressees", "收件人", "Addressees", Kind::Choices(addressees.into())).hint(all),
        field("requests", "部门工单", "Requests to departments", Kind::Line).hint(requests),
        field("standby_areas", "应急预批：区域（编码）", "On standby: areas, by code", Kind::Line).hint(ahead),
        field("standby_days", "应急预批：最长天数", "On standby: days at most", Kind::Number),
    ]
}

/// What was filled in.
pub(super) fn conditions_of(filled: &Filled) -> Result<Conditions, EngineError> {
    let names = |name: &str| filled.one(name).split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    let chosen = filled.all("addressees").iter().filter_map(|name| Addressee::from_name(name));
    let requests = names("requests");
    Ok(Conditions {
        class: Class::ALL.into_iter().find(|class| class.name() == filled.one("class")),
        weight: filled.number("weight")?,
        cap: cap(filled)?,
        regions: names("regions"),
        addressees: Some(chosen.collect()).filter(|all: &BTreeSet<Addressee>| !all.is_empty()),
        share: filled.number("share")?,
        from: filled.date("from")?,
        until: filled.date("until")?,
        actions: (!requests.is_empty()).then(|| requests.into_iter().filter(|name| name != "none").collect()),
        budget_fen: filled.number::<u64>("budget")?.map(|yuan| yuan.saturating_mul(100)),
        standby: standby(filled, names("standby_areas"))?,
    })
}

/// Two figures that go together.
fn cap(filled: &Filled) -> Result<Option<Cap>, EngineError> {
    match (filled.number("contacts")?, filled.number("days")?) {
        (Some(contacts), Some(days)) => Ok(Some(Cap { contacts, days })),
        (None, None) => Ok(None),
        _ => {
            let what = "A cap is a number of contacts and a number of days.";
            Err(EngineError::refused("bad-days", what, "Fill in both, or none."))
        }
    }
}

fn standby(filled: &Filled, areas: Vec<String>) -> Result<Option<Standby>, EngineError> {
    match (filled.number("standby_days")?, areas.is_empty()) {
        (Some(days), false) => Ok(Some(Standby { areas, days })),
        (None, true) => Ok(None),
        _ => {
            let what = "Standby is areas and a number of days.";
            Err(EngineError::refused("bad-standby_days", what, "Fill in both, or none."))
        }
    }
}
