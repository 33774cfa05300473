//! How values are written on a command line.

use care_domain::audit::Head;
use care_domain::manifest::{Cap, LifeStage};
use care_domain::person::Role;
use care_domain::policy::Class;
use care_engine::{Form, Measure, OutcomeSource};

/// Four eyes compare names: one that only differs by blanks is no other person.
pub(super) fn person(text: &str) -> Result<String, String> {
    let written = care_domain::text::is_person(text);
    written.then(|| text.to_owned()).ok_or_else(|| "a user has a name, without blanks around it".into())
}

pub(super) fn date(text: &str) -> Result<i32, String> {
    care_domain::time::parse_date(text).ok_or_else(|| "a date is written 2026-07-29".into())
}

pub(super) fn instant(text: &str) -> Result<i64, String> {
    let hint = "an instant is written 2026-07-29T09:00:00+08:00, or without zone for the province's";
    care_domain::time::parse_instant(text).ok_or_else(|| hint.into())
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 0.01));
    let share = number.trim().parse::<f64>().map(|n| n * scale).map_err(|_| "a share is written 1% or 0.01")?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a share lies between 0 and 100%".into()) }
}

pub(super) fn cap(text: &str) -> Result<Cap, String> {
    let numbers = text.split_once('/').and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?)));
    match numbers.map(|(contacts, days)| Cap { contacts, days }) {
        Some(cap) if cap.is_sound() => Ok(cap),
        _ => Err("a cap is written contacts/days, such as 1/7, within 1 to 400 days".into()),
    }
}

pub(super) fn batch(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(n) if (8..=65_536).contains(&n) && n % 8 == 0 => Ok(n),
        _ => Err("a batch holds 8 to 65536 customers, a multiple of 8".into()),
    }
}

pub(super) fn stage(text: &str) -> Result<LifeStage, String> {
    serde_json::from_value(text.into()).map_err(|_| "stages are acquisition, growth, maturity, decline".into())
}

pub(super) fn form(text: &str) -> Result<Form, String> {
    Form::ALL.into_iter().find(|form| form.name() == text).ok_or_else(|| "formats are parquet and csv".into())
}

pub(super) fn source(text: &str) -> Result<OutcomeSource, String> {
    let known = OutcomeSource::ALL.into_iter().find(|source| source.name() == text);
    known.ok_or_else(|| format!("sources are {}", OutcomeSource::ALL.map(OutcomeSource::name).join(", ")))
}

pub(super) fn measure(text: &str) -> Result<Measure, String> {
    let known = Measure::ALL.into_iter().find(|measure| measure.name() == text);
    known.ok_or_else(|| format!("measures are {}", Measure::ALL.map(Measure::name).join(", ")))
}

pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| format!("roles are {}", Role::ALL.map(Role::name).join(", ")))
}

pub(super) fn head(text: &str) -> Result<Head, String> {
    Head::parse(text).ok_or_else(|| "a head is written 12-3fa9…, as `care audit verify` prints it".into())
}

pub(super) fn class(text: &str) -> Result<Class, String> {
    let known = Class::ALL.into_iter().find(|c| c.name() == text);
    known.ok_or_else(|| format!("classes are {}", Class::ALL.map(Class::name).join(", ")))
}

pub(super) fn param(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is written name=value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| serde_json::Value::from(value));
    Ok((name.to_owned(), value))
}
