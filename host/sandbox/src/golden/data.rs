//! Golden data: customers, outcomes and reference tables made from what a manifest declares, the same every time.
//! Plausible in type, unit and bounds, with gaps; near the business date, where activities decide.

use care_domain::canonical::hash64;
use care_domain::column::{Column, Table};
use care_domain::field::{Dictionary, FieldType, Stage};
use care_domain::manifest::{FieldUse, Manifest, SlotKind};
use care_domain::render::Labels;
use care_domain::text::Bilingual;
use care_domain::time::{self, DAY_MS};
use std::collections::BTreeMap;

/// Customers of the golden batch.
pub(super) const ROWS: u32 = 64;
/// Entries of each golden reference table, keyed `golden-1` to `golden-4`.
const TABLE_ROWS: u32 = 4;
/// Values that a category without declared ones may have; the first are keys of reference tables.
const LABELS: u64 = 8;
/// 2026-07-29, the business date unless a parameter names one.
const DATE: i32 = 20_663;
/// 09:00 in the province, after midnight UTC.
const MORNING_MS: i64 = 3_600_000;
/// One cell in so many has no value.
const GAP: u64 = 8;

const FEN: [i64; 12] = [-500, 0, 1, 99, 800, 1_500, 3_000, 5_000, 9_900, 20_000, 58_800, 100_000];
const COUNTS: [i64; 11] = [0, 1, 2, 5, 12, 30, 100, 500, 1_000, 5_000, 20_000];
const RATIOS: [f64; 10] = [-0.5, -0.1, 0.0, 0.05, 0.3, 0.5, 0.75, 1.0, 1.5, 12.5];
const DAYS: [i32; 17] = [-400, -60, -30, -7, -3, -1, 0, 0, 1, 2, 3, 7, 14, 30, 60, 180, 365];
const HOURS_AGO: [i64; 8] = [0, 1, 24, 72, 168, 720, 2_160, 9_600];

/// The business date: an activity whose parameters name a date by default is tried on it.
pub(super) fn today(params: &serde_json::Value) -> i32 {
    let mut defaults = params.as_object().into_iter().flat_map(|all| all.values());
    defaults.find_map(|value| time::parse_date(value.as_str()?)).unwrap_or(DATE)
}

/// The instant of a run on that date, Unix milliseconds.
pub(super) fn now(today: i32) -> i64 {
    i64::from(today) * DAY_MS + MORNING_MS
}

/// What a stage reads of the golden customers, in `observe` of their outcomes.
pub(super) fn batch(manifest: &Manifest, dictionary: &Dictionary, stage: Stage, today: i32) -> Table {
    let column = |field: &FieldUse| {
        // The host always knows these three, so an activity need not do without.
        let known = stage == Stage::Observe && ["treated", "reached", "value"].contains(&field.name.as_str());
        let draws: Vec<Option<u64>> = (0..ROWS)
            .map(|row| hash64(&[field.name.as_bytes(), &row.to_be_bytes()]))
            .map(|draw| (known || draw % GAP != 0).then_some(draw / GAP))
            .collect();
        (field.name.clone(), Values { dictionary, field: &field.name, today }.column(field.ty, &draws))
    };
    Table { rows: ROWS, columns: manifest.fields_of(stage).iter().map(column).collect() }
}

/// Some rows of a table, in that order.
pub(super) fn gather(table: &Table, rows: &[u32]) -> Table {
    let columns = table.columns.iter().map(|(name, column)| (name.clone(), column.gather(rows)));
    Table { rows: rows.len() as u32, columns: columns.collect() }
}

/// The reference tables that a manifest names.
pub(super) fn tables(manifest: &Manifest, today: i32) -> BTreeMap<String, Table> {
    let table = |fields: &BTreeMap<String, FieldType>| {
        let columns = fields.iter().map(|(name, ty)| (name.clone(), table_column(*ty, today)));
        Table { rows: TABLE_ROWS, columns: columns.collect() }
    };
    manifest.tables.iter().map(|(name, fields)| (name.clone(), table(fields))).collect()
}

/// What is read for the entries of those tables that slots name.
pub(super) fn labels(manifest: &Manifest) -> Labels {
    let entry =
        |row: u32| (label(row.into()), Bilingual { zh: format!("样例{}", row + 1), en: format!("sample {}", row + 1) });
    let tables = manifest.slots.iter().filter_map(|slot| match &slot.kind {
        SlotKind::Entry { table } => Some(table.clone()),
        _ => None,
    });
    tables.map(|table| (table, (0..TABLE_ROWS).map(entry).collect())).collect()
}

fn label(index: u64) -> String {
    format!("golden-{}", index + 1)
}

fn table_column(ty: FieldType, today: i32) -> Column {
    let rows = 0..TABLE_ROWS;
    let labels: Vec<String> = rows.clone().map(|row| label(row.into())).collect();
    let day = |row: u32| today + row as i32;
    match ty {
        FieldType::Fen | FieldType::Count => Column::s64(rows.map(|row| Some(1_000 * i64::from(row + 1)))),
        FieldType::Instant => Column::s64(rows.map(|row| Some(now(day(row))))),
        FieldType::Small => Column::s32(rows.map(|row| Some(row as i32 + 1))),
        FieldType::Date => Column::s32(rows.map(|row| Some(day(row)))),
        FieldType::Ratio => Column::f64(rows.map(|row| Some(f64::from(row) / 4.0))),
        FieldType::Boolean => Column::boolean(rows.map(|row| Some(row % 2 == 0))),
        FieldType::Category => Column::categories(labels.iter().map(|l| Some(l.as_str()))),
        FieldType::Text => Column::texts(labels.iter().map(|l| Some(l.as_str()))),
    }
}

/// Draws values of one field.
struct Values<'a> {
    dictionary: &'a Dictionary,
    field: &'a str,
    today: i32,
}

impl Values<'_> {
    /// A value for each draw; none where there is none.
    fn column(&self, ty: FieldType, draws: &[Option<u64>]) -> Column {
        let draws = draws.iter().copied();
        match ty {
            FieldType::Fen => Column::s64(draws.map(|d| Some(self.bounded(pick(&FEN, d?) as f64) as i64))),
            FieldType::Count => Column::s64(draws.map(|d| Some(self.bounded(pick(&COUNTS, d?) as f64) as i64))),
            FieldType::Instant => Column::s64(draws.map(|d| Some(now(self.today) - pick(&HOURS_AGO, d?) * 3_600_000))),
            FieldType::Small => Column::s32(draws.map(|d| Some(self.small(d?)))),
            FieldType::Date => Column::s32(draws.map(|d| Some(self.today + pick(&DAYS, d?)))),
            FieldType::Ratio => Column::f64(draws.map(|d| Some(self.bounded(pick(&RATIOS, d?))))),
            FieldType::Boolean => Column::boolean(draws.map(|d| Some(d? % 2 == 0))),
            FieldType::Category | FieldType::Text => {
                let texts: Vec<Option<String>> = draws.map(|d| d.map(|d| self.label(d))).collect();
                let texts = texts.iter().map(Option::as_deref);
                if ty == FieldType::Text { Column::texts(texts) } else { Column::categories(texts) }
            }
        }
    }

    fn bounds(&self) -> (Option<f64>, Option<f64>) {
        self.dictionary.fields.get(self.field).map_or((None, None), |def| (def.minimum, def.maximum))
    }

    fn bounded(&self, value: f64) -> f64 {
        let (least, greatest) = self.bounds();
        value.max(least.unwrap_or(value)).min(greatest.unwrap_or(f64::INFINITY))
    }

    /// A field bounded like a month, or like a day of the month, often holds today's: birthdays, bill days.
    fn small(&self, draw: u64) -> i32 {
        let (least, greatest) = self.bounds();
        let (least, greatest) = (least.unwrap_or(0.0) as i32, greatest.unwrap_or(120.0) as i32);
        let date = time::date_of(self.today).map_or((1, 1), |date| (i32::from(date.month()), i32::from(date.day())));
        match greatest {
            12 if draw.is_multiple_of(2) => date.0,
            28..=31 if draw.is_multiple_of(2) => date.1.min(greatest),
            _ => least + (draw % u64::from(greatest.abs_diff(least)).saturating_add(1)) as i32,
        }
    }

    fn label(&self, draw: u64) -> String {
        let known = self.dictionary.fields.get(self.field).map_or(&[][..], |def| &def.values);
        if known.is_empty() { label(draw % LABELS) } else { known[(draw % known.len() as u64) as usize].clone() }
    }
}

fn pick<T: Copy>(values: &[T], draw: u64) -> T {
    values[(draw % values.len() as u64) as usize]
}
