//! Reference tables: imported ones out of the blob store, and the calendars that the host computes.

use crate::{Engine, EngineError};
use care_domain::audit::Entry;
use care_domain::calendar::CalendarYear;
use care_domain::canonical;
use care_domain::column::Table;
use care_domain::field::FieldType;
use care_domain::person::Act;
use care_domain::region;
use care_domain::render::Labels;
use care_domain::text::{Bilingual, nearest_hint};
use care_domain::time;
use care_population::reference::ReferenceTable;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tyme4rs::tyme::solar::SolarDay;

/// Days before and after the business date for which the lunar calendar is supplied.
const LUNAR_DAYS: i32 = 40;
/// The lunar calendar as plugins read it.
pub(crate) const LUNAR_TABLE: &str = "lunar-days";
/// The public holidays of the year, as their notices were imported: a row for each day off.
pub(crate) const HOLIDAYS_TABLE: &str = "holidays";
/// What the host makes itself.
const COMPUTED: [&str; 2] = [LUNAR_TABLE, HOLIDAYS_TABLE];
/// Areas in which a disaster is, as plugins and policy read them.
pub(crate) const DISASTER_TABLE: &str = "disaster-areas";

/// Reference tables of one plan.
pub(crate) struct LoadedTables {
    tables: BTreeMap<String, (ReferenceTable, Table)>,
    pub(crate) digests: BTreeMap<String, String>,
}

impl Engine {
    /// Imports a reference table from CSV with a schema; plans from now on read it. Returns its rows.
    pub async fn import_table(
        &self,
        name: &str,
        csv: &Path,
        schema: &str,
        by: &str,
        at: i64,
    ) -> Result<usize, EngineError> {
        let actor = self.authorise(by, Act::ImportTable, None, at).await?;
        if COMPUTED.contains(&name) {
            let message = format!("{name} is made by the host");
            return Err(EngineError::refused("reserved-table", message, "Choose another name"));
        }
        let table = ReferenceTable::read_csv(name, csv, schema)?;
        let bytes = canonical::json(&table).map_err(EngineError::internal)?;
        let digest = self.store.blobs().put(bytes.as_bytes())?;
        let detail = serde_json::json!({"digest": digest, "rows": table.rows.len()});
        let entry = Entry::of(&actor, "table-imported", format!("table {name}"), detail);
        self.store.set_table(name, &digest, &entry).await?;
        Ok(table.rows.len())
    }

    /// All tables as a plan of `date` reads them, those that the host makes included. Nothing is kept before `keep_computed`.
    pub(crate) async fn load_tables(&self, date: i32) -> Result<LoadedTables, EngineError> {
        let mut loaded = self.tables_of(&self.store.tables().await?)?;
        for made in [lunar_days(date), self.holidays(date).await?] {
            let digest = canonical::digest_of(&made).map_err(EngineError::internal)?;
            loaded.digests.insert(made.name.clone(), digest);
            let columns = made.to_table();
            loaded.tables.insert(made.name.clone(), (made, columns));
        }
        Ok(loaded)
    }

    /// Keeps the tables that the host made like the imported ones, for replays.
    pub(crate) fn keep_computed(&self, loaded: &LoadedTables) -> Result<(), EngineError> {
        for (made, _) in COMPUTED.iter().filter_map(|name| loaded.tables.get(*name)) {
            let bytes = canonical::json(made).map_err(EngineError::internal)?;
            self.store.blobs().put(bytes.as_bytes())?;
        }
        Ok(())
    }

    /// The days off of a date's year, of those notices that were imported: a year without one has no row. The notice of
    /// the year after also speaks of the last days of this one.
    async fn holidays(&self, date: i32) -> Result<ReferenceTable, EngineError> {
        let year = time::date_of(date).map_or(i16::MAX, |civil| civil.year());
        let mut days: BTreeMap<i32, Option<String>> = BTreeMap::new();
        for (_, row) in self.store.calendars().await?.range(year..=year.saturating_add(1)) {
            let bytes = self.store.blobs().get(&row.digest)?;
            let notice: CalendarYear = serde_json::from_slice(&bytes).map_err(EngineError::internal)?;
            let listed = notice.days.into_iter().filter_map(|day| {
                let date = time::parse_date(&day.date)?;
                let is_ours = time::date_of(date).is_some_and(|civil| civil.year() == year);
                is_ours.then_some((date, day.is_off_day.then_some(day.name)))
            });
            days.extend(listed);
        }
        let off = days.into_iter().filter_map(|(day, name)| Some(vec![json!(day), json!(name?)]));
        let fields = [("date".to_owned(), FieldType::Date), ("name".to_owned(), FieldType::Text)];
        Ok(ReferenceTable { name: HOLIDAYS_TABLE.into(), fields: fields.into(), rows: off.collect() })
    }

    /// The tables that a plan pinned.
    pub(crate) fn tables_of(&self, digests: &BTreeMap<String, String>) -> Result<LoadedTables, EngineError> {
        let mut tables = BTreeMap::new();
        for (name, digest) in digests.iter().filter(|(name, _)| !name.contains('.')) {
            let bytes = self.store.blobs().get(digest)?;
            let table: ReferenceTable = serde_json::from_slice(&bytes).map_err(EngineError::internal)?;
            let columns = table.to_table();
            tables.insert(name.clone(), (table, columns));
        }
        Ok(LoadedTables { tables, digests: digests.clone() })
    }
}

/// These tables and the computed one, as a run of `date` reads them.
pub(crate) fn loaded(tables: &[ReferenceTable], date: i32) -> Result<LoadedTables, EngineError> {
    let mut loaded = LoadedTables { tables: BTreeMap::new(), digests: BTreeMap::new() };
    let computed = lunar_days(date);
    for table in tables.iter().chain([&computed]) {
        loaded.digests.insert(table.name.clone(), canonical::digest_of(table).map_err(EngineError::internal)?);
        loaded.tables.insert(table.name.clone(), (table.clone(), table.to_table()));
    }
    Ok(loaded)
}

impl LoadedTables {
    /// The tables of some names.
    pub(crate) fn named<'a>(&self, names: impl Iterator<Item = &'a String>) -> BTreeMap<String, Table> {
        names.filter_map(|name| Some((name.clone(), self.tables.get(name)?.1.clone()))).collect()
    }

    /// What is read for the entries of tables that have `key`, `label-zh` and `label-en`.
    pub(crate) fn labels(&self) -> Labels {
        let labels = |(name, (_, table)): (&String, &(ReferenceTable, Table))| Some((name.clone(), labels(table)?));
        self.tables.iter().filter_map(labels).collect()
    }

    /// A table as it was imported or made.
    pub(crate) fn source(&self, name: &str) -> Option<&ReferenceTable> {
        self.tables.get(name).map(|(source, _)| source)
    }

    /// Codes of the areas in which a disaster is on at a date. `from` and `until` bound it (both inclusive);
    /// where they are absent it is open.
    pub(crate) fn active_areas(&self, date: i32) -> Vec<String> {
        let Some((_, table)) = self.tables.get(DISASTER_TABLE) else { return Vec::new() };
        let day = |name: &str, row| table.columns.get(name).and_then(|c| c.integer(row));
        let date = i64::from(date);
        let on = |row: &usize| {
            day("from", *row).is_none_or(|from| from <= date) && day("until", *row).is_none_or(|until| date <= until)
        };
        let code = |row| table.columns.get("adcode").and_then(|c| c.text(row)).map(str::to_owned);
        (0..table.rows as usize).filter(on).filter_map(code).filter(|code| region::covers(code, code)).collect()
    }
}

/// What is read for the entries of these tables.
pub(crate) fn labels_of(tables: &[ReferenceTable]) -> Labels {
    tables.iter().filter_map(|table| Some((table.name.clone(), labels(&table.to_table())?))).collect()
}

fn labels(table: &Table) -> Option<BTreeMap<String, Bilingual>> {
    let column = |name: &str| table.columns.get(name);
    let (key, zh, en) = (column("key")?, column("label-zh")?, column("label-en")?);
    let entry =
        |row| Some((key.text(row)?.to_owned(), Bilingual { zh: zh.text(row)?.into(), en: en.text(row)?.into() }));
    Some((0..table.rows as usize).filter_map(entry).collect())
}

/// Whether a table has a field in a type; the error says what is missing.
pub(crate) fn has(tables: &LoadedTables, table: &str, field: &str, ty: FieldType) -> Result<(), String> {
    let Some((found, _)) = tables.tables.get(table) else {
        let near = nearest_hint(table, tables.tables.keys().map(String::as_str));
        return Err(format!("there is no such table{near}"));
    };
    match found.fields.get(field) {
        Some(found) if *found == ty => Ok(()),
        Some(found) => Err(format!("it is {}, not {}", found.name(), ty.name())),
        None => Err("the table has no such field".into()),
    }
}

/// The lunar calendar around a date: one row a day.
fn lunar_days(date: i32) -> ReferenceTable {
    let fields = [
        ("date", FieldType::Date),
        ("day", FieldType::Small),
        ("last", FieldType::Boolean),
        ("leap", FieldType::Boolean),
        ("month", FieldType::Small),
    ];
    let row = |days: i32| -> Option<Vec<Value>> {
        let civil = time::date_of(days)?;
        let solar = SolarDay::new(isize::from(civil.year()), civil.month() as usize, civil.day() as usize).ok()?;
        let lunar = solar.get_lunar_day();
        let month = lunar.get_lunar_month();
        let day = lunar.get_day();
        let last = day == month.get_day_count();
        Some(vec![json!(days), json!(day), json!(last), json!(month.is_leap()), json!(month.get_month())])
    };
    ReferenceTable {
        name: LUNAR_TABLE.into(),
        fields: fields.into_iter().map(|(name, ty)| (name.to_owned(), ty)).collect(),
        rows: (date.saturating_sub(LUNAR_DAYS)..=date.saturating_add(LUNAR_DAYS)).filter_map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lunar_of(date: &str) -> Vec<Value> {
        let days = time::parse_date(date).expect("a date");
        let table = lunar_days(days);
        table.rows.into_iter().find(|row| row[0] == json!(days)).expect("the day itself")
    }

    #[test]
    fn the_festivals_of_the_data_fall_on_their_lunar_days() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/calendar/lunar-festivals-2007-2030.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("SKIPPED: no {path}");
            return;
        };
        let festivals: Value = serde_json::from_str(&text).expect("json");
        let mut checked = 0;
        visit(&festivals, "", &mut |name, date| {
            let expected = match name {
                n if n.contains("spring") => (1, 1),
                n if n.contains("lantern") => (1, 15),
                n if n.contains("dragon") || n.contains("duanwu") => (5, 5),
                n if n.contains("mid") => (8, 15),
                _ => return,
            };
            let row = lunar_of(date);
            assert_eq!(
                (&row[4], &row[1], &row[3]),
                (&json!(expected.0), &json!(expected.1), &json!(false)),
                "{name} {date}"
            );
            checked += 1;
        });
        assert!(checked >= 24 * 3, "{checked} festivals checked");
    }

    fn visit(value: &Value, name: &str, on: &mut dyn FnMut(&str, &str)) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| visit(value, &key.to_lowercase(), on)),
            Value::Array(items) => items.iter().for_each(|value| visit(value, name, on)),
            Value::String(text) if time::parse_date(text).is_some() => on(name, text),
            _ => {}
        }
    }
}
