//! A variant without code: a marketing clerk says the same otherwise, sets other parameters, another region or other dates of
//! an approved activity. What was not changed in the form stays as the base has it.

use super::form::{Done, Field, Filled, Form, Kind, Tried, carry_out};
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words;
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::contact::Channel;
use care_domain::manifest::Manifest;
use care_domain::person::Act;
use care_domain::render::{Body, Part};
use care_domain::text::{Bilingual, Language};
use care_domain::variant::Variant;
use care_engine::{EngineError, StoredSubmission};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

fn path(id: i64) -> String {
    format!("/console/submissions/{id}/variant")
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<i64>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, id, None).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, id: i64, tried: Option<&Tried>) -> Result<View, Problem> {
    let base = visitor.engine.submission(id).await?;
    let manifest = &base.version.manifest;
    let title = manifest.title.get(visitor.tongue.0);
    let view = View::new(format!("{} · {title} {}", visitor.t("新建变体", "A variant of"), manifest.version));
    if !visitor.engine.may(Act::Upload) || !base.submission.may_start() {
        let told = visitor.t(
            "变体由发起人在已批准的版本上提出。",
            "A variant is proposed by an initiator, of a version that is approved.",
        );
        return Ok(view.text(told));
    }
    Ok(view.with(form(visitor, &base).tried(tried)))
}

fn form(visitor: &Visitor, base: &StoredSubmission) -> Form {
    let manifest = &base.version.manifest;
    let line = |name, zh, en| Field::new(name, visitor.t(zh, en), Kind::Line);
    let date = |name, zh, en| Field::new(name, visitor.t(zh, en), Kind::Date);
    let mut fields = vec![
        line("name", "变体名称", "Name of the variant")
            .required()
            .refused_as(&["variant-name"])
            .hint(visitor.t("小写字母、数字和连字符，如 xiamen。", "Lower-case letters, digits, hyphens: xiamen.")),
        line("region", "归属地区（编码）", "Region, by code")
            .required()
            .refused_as(&["variant-region"])
            .value(visitor.principal.region.clone()),
        date("from", "开始日期", "From"),
        date("until", "结束日期", "Until"),
    ];
    fields.extend(params(visitor, manifest));
    fields.extend(wording(visitor, manifest));
    let hint = visitor.t(
        "只改需要变的内容；文字必须保留花括号中的变量。提交后与代码一样需要审批。",
        "Change only what differs; words keep what stands in braces. It is reviewed like code.",
    );
    Form::new(path(base.id), visitor.t("提交变体", "Propose the variant"), fields).hint(hint)
}

/// A field for each parameter, with its default.
fn params(visitor: &Visitor, manifest: &Manifest) -> Vec<Field> {
    let properties = manifest.params["properties"].as_object();
    let all = properties.into_iter().flatten().map(|(name, schema)| {
        let label = format!("{} {name}", visitor.t("参数", "Parameter"));
        let hint = schema["description"].as_str().or_else(|| schema["title"].as_str()).unwrap_or_default();
        let field = Field::new(format!("param.{name}"), label, Kind::Line).hint(hint);
        schema.get("default").map_or(field.clone(), |default| field.value(plain(default)))
    });
    all.collect()
}

/// A value as people type it: text without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A field for each text, as the base has it.
fn wording(visitor: &Visitor, manifest: &Manifest) -> Vec<Field> {
    let mut fields = Vec::new();
    for (template, channel, text) in texts(manifest) {
        let slots = slots(&text.zh);
        let hint = if slots.is_empty() {
            String::new()
        } else {
            format!("{} {}", visitor.t("须保留的变量：", "Keep:"), slots.join(" "))
        };
        for language in [Language::Zh, Language::En] {
            let label = format!(
                "{} · {template} · {}",
                words::channel(visitor.tongue, channel.name()),
                if language == Language::Zh { visitor.t("中文", "Chinese") } else { visitor.t("英文", "English") }
            );
            let field = Field::new(wording_name(template, channel, language), label, Kind::Area);
            fields.push(field.value(text.get(language)).hint(hint.clone()));
        }
    }
    fields
}

fn texts(manifest: &Manifest) -> impl Iterator<Item = (&str, Channel, &Bilingual)> {
    let templates = manifest.templates.iter();
    templates.flat_map(|template| template.bodies.iter().map(|(c, text)| (template.name.as_str(), *c, text)))
}

fn wording_name(template: &str, channel: Channel, language: Language) -> String {
    let language = if language == Language::Zh { "zh" } else { "en" };
    format!("text.{template}.{}.{language}", channel.name())
}

/// What a text has filled in, as it is written there.
fn slots(text: &str) -> Vec<String> {
    let Ok(body) = Body::parse(text) else { return Vec::new() };
    let slot = |part: &Part| if let Part::Slot(name) = part { Some(format!("{{{name}}}")) } else { None };
    let mut slots: Vec<String> = body.parts().iter().filter_map(slot).collect();
    slots.dedup();
    slots
}

/// What the form changes of its base.
fn read(filled: &Filled, base: &StoredSubmission) -> Result<Variant, EngineError> {
    let manifest = &base.version.manifest;
    let mut wording: BTreeMap<String, BTreeMap<Channel, Bilingual>> = BTreeMap::new();
    for (template, channel, text) in texts(manifest) {
        let typed = |language| filled.one(&wording_name(template, channel, language)).to_owned();
        let new = Bilingual { zh: typed(Language::Zh), en: typed(Language::En) };
        if new.zh != text.zh.trim() || new.en != text.en.trim() {
            wording.entry(template.to_owned()).or_default().insert(channel, new);
        }
    }
    Ok(Variant {
        activity: manifest.name.clone(),
        version: manifest.version.clone(),
        name: filled.one("name").to_owned(),
        owner_region: filled.one("region").to_owned(),
        title: None,
        summary: None,
        params: changed_params(filled, manifest),
        wording,
        from: filled.date("from")?,
        until: filled.date("until")?,
    })
}

/// Parameters that were typed otherwise than their defaults: a value that is JSON is that, any other one text.
fn changed_params(filled: &Filled, manifest: &Manifest) -> Map<String, Value> {
    let mut changed = Map::new();
    for (name, schema) in manifest.params["properties"].as_object().into_iter().flatten() {
        let typed = filled.one(&format!("param.{name}"));
        let default = schema.get("default").map(plain).unwrap_or_default();
        if typed != default {
            let is_text = schema["type"] == "string";
            let read = if is_text { None } else { serde_json::from_str(typed).ok() };
            changed.insert(name.clone(), read.unwrap_or_else(|| typed.into()));
        }
    }
    changed
}

pub(super) async fn propose(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let base = who.engine.submission(id).await?;
        let pushed = who.engine.propose_variant(&read(filled, &base)?, who.person(), now_ms()).await?;
        Ok(Done::at(format!("/console/submissions/{}", pushed.submission), "uploaded"))
    };
    match carry_out(&visitor, filled, &path(id), None, act).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| view(&visitor, id, Some(tried)).await).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_told_as_they_are_written() {
        assert_eq!(slots("{host.surname}: {balance} until {day}"), ["{balance}", "{day}"]);
        assert!(slots("nothing").is_empty() && slots("{").is_empty());
    }
}
