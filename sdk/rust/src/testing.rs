//! Runs activities natively, for their authors' tests: an in-memory bench in the host's place.
//! Rules alone need none of this: `prepare` an activity and hand it plain structs.

use crate::activity::{Activity, Choice, Run};
use crate::host::Host;
use crate::say::Messages;
use std::collections::{BTreeMap, BTreeSet};

/// Tables in memory. A field may have gaps (`None`); asking for a field that is not here, or with the function
/// of another type, panics like the host ends the call.
pub struct Bench {
    run: Run,
    params: String,
    rows: BTreeMap<String, u32>,
    columns: BTreeMap<(String, String), Column>,
}

struct Column {
    cells: Cells,
    gaps: Vec<bool>,
}

enum Cells {
    S64(Vec<i64>),
    S32(Vec<i32>),
    F64(Vec<f64>),
    Boolean(Vec<u8>),
    Category(Vec<String>),
    Text(Vec<String>),
}

#[cfg(feature = "wit-1-1")]
impl Column {
    /// What a join compares; `None` where there is no value.
    fn cell(&self, row: usize) -> Option<Cell<'_>> {
        if self.gaps.get(row).copied().unwrap_or(true) {
            return None;
        }
        match &self.cells {
            Cells::S64(cells) => cells.get(row).copied().map(Cell::Number),
            Cells::S32(cells) => cells.get(row).map(|cell| Cell::Number((*cell).into())),
            Cells::Category(cells) | Cells::Text(cells) => cells.get(row).map(|cell| Cell::Word(cell)),
            Cells::F64(_) | Cells::Boolean(_) => None,
        }
    }
}

#[cfg(feature = "wit-1-1")]
impl Cells {
    /// Whether the host would compare them, as far as columns tell: they do not know units.
    fn is_comparable_with(&self, other: &Self) -> bool {
        let is_words = |cells: &Self| matches!(cells, Self::Category(_) | Self::Text(_));
        let is_numbers = |cells: &Self| matches!(cells, Self::S64(_) | Self::S32(_));
        is_words(self) && is_words(other) || is_numbers(self) && is_numbers(other)
    }
}

/// A value as a join compares it.
#[cfg(feature = "wit-1-1")]
#[derive(PartialEq)]
enum Cell<'a> {
    Number(i64),
    Word(&'a str),
}

macro_rules! columns {
    ($($(#[$doc:meta])* $function:ident, $cell:ty, $cells:ident, $keep:expr;)*) => {
        impl Bench {
            $($(#[$doc])*
            #[must_use]
            pub fn $function(self, table: &str, field: &str, values: impl IntoIterator<Item = Option<$cell>>) -> Self {
                let values: Vec<Option<$cell>> = values.into_iter().collect();
                let gaps = values.iter().map(Option::is_none).collect();
                let cells = values.into_iter().map(|value| value.map($keep).unwrap_or_default()).collect();
                self.put(table, field, Column { cells: Cells::$cells(cells), gaps })
            })*
        }
    };
}

columns! {
    /// A column of type fen, instant or count.
    s64, i64, S64, |value| value;
    /// A column of type small or date.
    s32, i32, S32, |value| value;
    /// A column of type ratio.
    f64, f64, F64, |value| value;
    /// A column of type boolean.
    boolean, bool, Boolean, u8::from;
    /// A column of type category.
    category, &'static str, Category, str::to_owned;
    /// A column of type text.
    text, &'static str, Text, str::to_owned;
}

impl Bench {
    /// A bench without tables.
    pub fn new(run: Run, params: &serde_json::Value) -> Self {
        Self { run, params: params.to_string(), rows: BTreeMap::new(), columns: BTreeMap::new() }
    }

    fn put(mut self, table: &str, field: &str, column: Column) -> Self {
        let rows = column.gaps.len() as u32;
        let known = *self.rows.entry(table.to_owned()).or_insert(rows);
        assert_eq!(known, rows, "column {field:?} of table {table:?} has another length");
        self.columns.insert((table.to_owned(), field.to_owned()), column);
        self
    }

    fn column(&self, table: &str, field: &str) -> &Column {
        self.columns
            .get(&(table.to_owned(), field.to_owned()))
            .unwrap_or_else(|| wrong(table, field, "is not on the bench"))
    }
}

#[expect(clippy::panic, reason = "only tests use the bench, and the host ends the call just so")]
fn wrong(table: &str, field: &str, what: &str) -> ! {
    panic!("field {field:?} of table {table:?} {what}")
}

macro_rules! serve {
    ($($function:ident, $cell:ty, $cells:ident;)*) => {
        $(fn $function(&self, table: &str, field: &str) -> Vec<$cell> {
            match &self.column(table, field).cells {
                Cells::$cells(cells) => cells.clone(),
                _ => wrong(table, field, "has another type"),
            }
        })*
    };
}

impl Host for Bench {
    serve! {
        s64s, i64, S64;
        s32s, i32, S32;
        f64s, f64, F64;
        booleans, u8, Boolean;
    }

    fn today(&self) -> i32 {
        self.run.today.0
    }

    fn now(&self) -> i64 {
        self.run.now.0
    }

    fn params(&self) -> String {
        self.params.clone()
    }

    fn rows(&self, table: &str) -> u32 {
        self.rows.get(table).copied().unwrap_or_default()
    }

    fn codes(&self, table: &str, field: &str) -> Vec<u32> {
        let Cells::Category(cells) = &self.column(table, field).cells else { wrong(table, field, "has another type") };
        let names = self.categories(table, field);
        cells.iter().map(|cell| names.iter().position(|name| name == cell).unwrap_or_default() as u32).collect()
    }

    fn categories(&self, table: &str, field: &str) -> Vec<String> {
        let Column { cells: Cells::Category(cells), gaps } = self.column(table, field) else {
            wrong(table, field, "has another type")
        };
        let filled = cells.iter().zip(gaps).filter(|(_, gap)| !**gap).map(|(cell, _)| cell.clone());
        filled.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn texts(&self, table: &str, field: &str) -> (Vec<u32>, Vec<u8>) {
        let Cells::Text(cells) = &self.column(table, field).cells else { wrong(table, field, "has another type") };
        let mut offsets = vec![0];
        offsets.extend(cells.iter().scan(0, |end, cell| {
            *end += cell.len() as u32;
            Some(*end)
        }));
        (offsets, cells.concat().into_bytes())
    }

    fn present(&self, table: &str, field: &str) -> Vec<u8> {
        let gaps = &self.column(table, field).gaps;
        if gaps.contains(&true) {
            gaps.chunks(8).map(|byte| byte.iter().rev().fold(0, |bits, gap| bits << 1 | u8::from(!gap))).collect()
        } else {
            Vec::new()
        }
    }

    #[cfg(feature = "wit-1-1")]
    fn rows_of(&self, field: &str, table: &str, key: &str) -> Vec<u32> {
        let keys = self.column(table, key);
        let first = |cell: &Cell<'_>| {
            let row = (0..keys.gaps.len()).find(|row| keys.cell(*row).as_ref() == Some(cell));
            row.map_or(u32::MAX, |row| row as u32)
        };
        let of = self.column("customers", field);
        if !of.cells.is_comparable_with(&keys.cells) {
            wrong(table, key, "has another type than the customers' field");
        }
        (0..of.gaps.len()).map(|row| of.cell(row).as_ref().map_or(u32::MAX, first)).collect()
    }
}

/// A message, in the names of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Template.
    pub template: &'static str,
    /// The filled slots with their canonical values.
    pub slots: Vec<(&'static str, String)>,
}

/// What an activity says to one customer.
pub fn said<A: Activity>(activity: &A, who: &A::Content, reason: A::Reason) -> Vec<Said> {
    let mut say = Messages::new();
    activity.compose(who, reason, &mut say);
    let messages = say.finish();
    let filled = |message: usize| {
        let of = |(name, texts): (&&'static str, &crate::bindings::care::activity::tables::Texts)| {
            let range = texts.offsets[message] as usize..texts.offsets[message + 1] as usize;
            (*name, String::from_utf8_lossy(&texts.bytes[range]).into_owned())
        };
        A::Slot::NAMES.iter().zip(&messages.slots).map(of).filter(|(_, value)| !value.is_empty()).collect()
    };
    let template = |index: &u16| A::Template::from_index(*index).map(Choice::name).unwrap_or_default();
    messages
        .templates
        .iter()
        .enumerate()
        .map(|(at, index)| Said { template: template(index), slots: filled(at) })
        .collect()
}
