//! What a version's templates read like before anybody gets one: with example values, and at their longest, which is
//! what a short message may come to cost. Filled for a person who does not exist.

use crate::contact::{Addressee, Channel};
use crate::evidence::made_up;
use crate::manifest::{Manifest, Slot, SlotKind};
use crate::policy::Class;
use crate::render::{Body, Labels, Person, SlotValue, read, render};
use crate::sms::{Frame, Segments, segments};
use crate::text::Language;
use crate::time::days_of;
use jiff::civil::date;
use serde::Serialize;
use std::collections::BTreeMap;

/// One template on one channel in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The template.
    pub template: String,
    /// To whom it goes.
    pub addressee: Addressee,
    /// The channel.
    pub channel: Channel,
    /// The language.
    pub language: Language,
    /// As it is read, with example values.
    pub text: String,
    /// The same with the values that read longest.
    pub longest: String,
    /// What it comes to as a short message, and at its longest; only on `sms`, with everything that stands around it.
    pub sms: Option<(Segments, Segments)>,
}

/// Why a template cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template:?} on {channel}: {what}")]
pub struct Unreadable {
    /// The template.
    pub template: String,
    /// The channel.
    pub channel: &'static str,
    /// What is wrong.
    pub what: String,
}

/// Every template of a manifest on every channel that it has words for, in both languages. `labels` holds the entries of
/// the reference tables, `today` is the date that example dates are near.
pub fn previews(
    manifest: &Manifest,
    class: Class,
    labels: &Labels,
    frame: &Frame,
    today: i32,
) -> Result<Vec<Preview>, Unreadable> {
    let mut all = Vec::new();
    for template in &manifest.templates {
        for (channel, words) in &template.bodies {
            for language in [Language::Zh, Language::En] {
                let wrong =
                    |what: String| Unreadable { template: template.name.clone(), channel: channel.name(), what };
                let body = Body::parse(words.get(language)).map_err(|e| wrong(e.to_string()))?;
                let slots = |longest| values(&manifest.slots, labels, language, today, longest);
                let framed = |text: String| match channel {
                    Channel::Sms => frame.around(&text, class, language),
                    _ => text,
                };
                let filled = |longest, person: &Person| {
                    render(&body, &slots(longest), person, language).map(framed).map_err(|e| wrong(e.to_string()))
                };
                let (text, longest) = (filled(false, &made_up(language))?, filled(true, &long_named())?);
                let sms = (*channel == Channel::Sms).then(|| (segments(&text), segments(&longest)));
                let (template, addressee) = (template.name.clone(), template.addressee);
                all.push(Preview { template, addressee, channel: *channel, language, text, longest, sms });
            }
        }
    }
    Ok(all)
}

/// Values for all slots: examples, or those that read longest.
fn values(
    slots: &[Slot],
    labels: &Labels,
    language: Language,
    today: i32,
    longest: bool,
) -> BTreeMap<String, SlotValue> {
    let value = |slot: &Slot| {
        let mut all = candidates(slot, labels, today);
        let length = |value: &SlotValue| read(value, language).encode_utf16().count();
        let at =
            if longest { all.iter().enumerate().max_by_key(|(_, v)| length(v)).map_or(0, |(at, _)| at) } else { 0 };
        (slot.name.clone(), all.swap_remove(at))
    };
    slots.iter().map(value).collect()
}

/// Values that a slot may hold, an example first; never none.
fn candidates(slot: &Slot, labels: &Labels, today: i32) -> Vec<SlotValue> {
    let of_labels = |labels: Vec<SlotValue>| {
        let named = || SlotValue::Label(crate::text::Bilingual { zh: slot.name.clone(), en: slot.name.clone() });
        if labels.is_empty() { vec![named()] } else { labels }
    };
    match &slot.kind {
        // What stands in the middle is nearer to what customers read than a bound that may be a billion.
        SlotKind::Money { min, max } => [example(*min, *max), *min, *max].map(SlotValue::Money).to_vec(),
        SlotKind::Number { min, max } => [example(*min, *max), *min, *max].map(SlotValue::Number).to_vec(),
        // Chinese counts digits, English has September.
        SlotKind::Date => {
            [today, days_of(date(2026, 12, 31)), days_of(date(2026, 9, 30))].map(SlotValue::Date).to_vec()
        }
        SlotKind::Choice { values } => of_labels(values.values().cloned().map(SlotValue::Label).collect()),
        SlotKind::Entry { table } => {
            let entries = labels.get(table).into_iter().flat_map(BTreeMap::values);
            of_labels(entries.cloned().map(SlotValue::Label).collect())
        }
    }
}

/// An ordinary amount between two bounds: 36, or the nearest bound.
fn example(min: i64, max: i64) -> i64 {
    3_600.clamp(min, max.max(min))
}

/// Somebody whose name is long, and written as registers write names: one Chinese character turns an English text into
/// one of segments less than half as long †.
fn long_named() -> Person {
    Person { surname: "欧阳".into(), name: "欧阳震华".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest() -> Manifest {
        let text = json!({"zh": "字", "en": "word"});
        let body = json!({
            "zh": "尊敬的{host.surname}先生，{day}前请充值{amount}，可选{plan}。",
            "en": "Dear {host.surname}, top up {amount} by {day} for {plan}.",
        });
        let plans = json!({"a": {"zh": "甲", "en": "A"}, "b": {"zh": "畅享套餐甲", "en": "Plan B"}});
        serde_json::from_value(json!({
            "name": "a", "version": "1.0.0", "wit": "1.0.0", "title": text, "summary": text, "catalogue": ["other"],
            "owner_region": "350000", "class": "commercial", "cap": {"contacts": 1, "days": 7},
            "reasons": [{"name": "r", "title": text, "templates": ["t"], "channels": ["sms", "call-list"]}],
            "slots": [
                {"name": "amount", "kind": {"type": "money", "min": 100, "max": 1_000_000}},
                {"name": "day", "kind": {"type": "date"}},
                {"name": "plan", "kind": {"type": "choice", "values": plans}},
            ],
            "templates": [{"name": "t", "addressee": "customer", "bodies": {"sms": body, "call-list": body}}],
            "goal": {"outcome": "redeemed", "window_days": 30, "better": "more"},
            "principles": {"proactive": text, "customer_oriented": text, "feasible": text, "useful": text,
                "important": text, "innovative": text}
        }))
        .expect("a manifest")
    }

    fn frame() -> Frame {
        let words = |zh: &str, en: &str| Some(crate::text::Bilingual { zh: zh.into(), en: en.into() });
        Frame {
            signature: words("【福建移动】", "[Fujian Mobile] "),
            refusal_hint: words("，拒收请回复TD", " TD refuses."),
        }
    }

    #[test]
    fn a_message_reads_as_the_customer_would_read_it_and_its_segments_count_everything() {
        let today = days_of(date(2026, 7, 9));
        let all = previews(&manifest(), Class::Commercial, &Labels::new(), &frame(), today).expect("previews");
        let places: Vec<_> = all.iter().map(|p| (p.channel, p.language)).collect();
        let both = |channel| [(channel, Language::Zh), (channel, Language::En)];
        assert_eq!(places, [both(Channel::Sms), both(Channel::CallList)].concat());
        let [zh, en, call, _] = &all[..] else { panic!("four of them") };
        assert_eq!(zh.text, "【福建移动】尊敬的王先生，2026年7月9日前请充值36.00元，可选甲。，拒收请回复TD");
        let longest = "【福建移动】尊敬的欧阳先生，2026年12月31日前请充值10000.00元，可选畅享套餐甲。，拒收请回复TD";
        assert_eq!(zh.longest, longest);
        assert_eq!(zh.sms, Some((segments(&zh.text), segments(longest))));
        assert_eq!(
            en.longest,
            "[Fujian Mobile] Dear 欧阳, top up 10000.00 yuan by 30 September 2026 for Plan B. TD refuses."
        );
        assert_eq!(
            en.sms.map(|(usual, most)| (usual.segments, most.segments)),
            Some((1, 2)),
            "a name decides the encoding"
        );
        assert_eq!((call.sms, call.text.starts_with("尊敬的王先生")), (None, true), "nothing stands around a call");
    }

    #[test]
    fn the_longest_is_never_cheaper_and_slots_without_entries_are_shown_by_name() {
        let mut manifest = manifest();
        manifest.slots[2].kind = SlotKind::Entry { table: "plans".into() };
        for today in [0, 20_000, 30_000] {
            let all = previews(&manifest, Class::Care, &Labels::new(), &frame(), today).expect("previews");
            let dearer = |p: &Preview| p.sms.is_none_or(|(usual, most)| most.segments >= usual.segments);
            assert!(all.iter().all(dearer), "{all:?}");
            assert!(all[0].text.contains("可选plan"), "{}", all[0].text);
            assert!(!all[0].text.contains("TD"), "care carries no refusal hint");
        }
    }
}
