//! From Rust types to field types: how each is read from its column. A new field type is one entry here.

use crate::host::Host;
use crate::units::{Date, Fen, Instant};
use std::rc::Rc;

/// A type that a column can be read as.
pub trait Value: Sized {
    /// The field type of the dictionary: `fen`, `instant`, `count`, `small`, `date`, `ratio`, `boolean`,
    /// `category` or `text`.
    const TYPE: &'static str;
    /// Whether a snapshot may lack the field, or a row its value.
    const OPTIONAL: bool = false;
    /// What the field is to a join.
    const JOIN: Join = Join::None;
    /// A column as fetched, once per call.
    type Column;
    /// Fetches the column.
    fn fetch<H: Host>(host: &H, table: &str, field: &str) -> Self::Column;
    /// The value of a row; `None` when it has none.
    fn get(column: &Self::Column, row: usize) -> Option<Self>;
}

/// A field as the manifest names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Name in the dictionary.
    pub name: &'static str,
    /// Field type.
    pub ty: &'static str,
    /// Whether a snapshot may lack it.
    pub optional: bool,
    /// What it is to a join.
    pub join: Join,
}

/// What a field is to the host's join of customers with a reference table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Nothing.
    None,
    /// The key of its reference table.
    Key,
    /// Of a customer: it is looked up among the keys of the table of that name.
    Table(&'static str),
}

impl Field {
    /// The field of that name read as `V`.
    pub const fn of<V: Value>(name: &'static str) -> Self {
        Self { name, ty: V::TYPE, optional: V::OPTIONAL, join: V::JOIN }
    }

    /// The same as the key of its table.
    #[must_use]
    pub const fn keyed(self) -> Self {
        Self { join: Join::Key, ..self }
    }
}

/// A column of plain values with its gaps.
#[derive(Debug)]
pub struct Plain<T> {
    values: Vec<T>,
    present: Vec<u8>,
}

impl<T: Copy> Plain<T> {
    #[inline]
    fn get(&self, row: usize) -> Option<T> {
        if has(&self.present, row) { self.values.get(row).copied() } else { None }
    }
}

#[inline]
fn has(present: &[u8], row: usize) -> bool {
    present.is_empty() || present.get(row / 8).is_some_and(|bits| bits >> (row % 8) & 1 == 1)
}

macro_rules! plain {
    ($value:ty, $name:literal, $wire:ty, $function:ident, $read:expr) => {
        impl Value for $value {
            const TYPE: &'static str = $name;
            type Column = Plain<$wire>;

            fn fetch<H: Host>(host: &H, table: &str, field: &str) -> Self::Column {
                Plain { values: host.$function(table, field), present: host.present(table, field) }
            }

            #[inline]
            fn get(column: &Self::Column, row: usize) -> Option<Self> {
                column.get(row).and_then($read)
            }
        }
    };
}

plain!(Fen, "fen", i64, s64s, |fen| Some(Fen(fen)));
plain!(Instant, "instant", i64, s64s, |ms| Some(Instant(ms)));
plain!(i64, "count", i64, s64s, Some);
plain!(i32, "small", i32, s32s, Some);
plain!(Date, "date", i32, s32s, |days| Some(Date(days)));
// A model's way to say "no value" is NaN.
plain!(f64, "ratio", f64, f64s, |ratio: f64| (!ratio.is_nan()).then_some(ratio));
plain!(bool, "boolean", u8, booleans, |yes| Some(yes != 0));

impl<V: Value> Value for Option<V> {
    const TYPE: &'static str = V::TYPE;
    const OPTIONAL: bool = true;
    const JOIN: Join = V::JOIN;
    type Column = V::Column;

    fn fetch<H: Host>(host: &H, table: &str, field: &str) -> Self::Column {
        V::fetch(host, table, field)
    }

    #[inline]
    fn get(column: &Self::Column, row: usize) -> Option<Self> {
        Some(V::get(column, row))
    }
}

impl Value for String {
    const TYPE: &'static str = "text";
    type Column = Texts;

    fn fetch<H: Host>(host: &H, table: &str, field: &str) -> Self::Column {
        let (offsets, bytes) = host.texts(table, field);
        Texts { offsets, bytes, present: host.present(table, field) }
    }

    fn get(column: &Self::Column, row: usize) -> Option<Self> {
        column.get(row).map(str::to_owned)
    }
}

/// A column of texts.
#[derive(Debug)]
pub struct Texts {
    offsets: Vec<u32>,
    bytes: Vec<u8>,
    present: Vec<u8>,
}

impl Texts {
    fn get(&self, row: usize) -> Option<&str> {
        if !has(&self.present, row) {
            return None;
        }
        let range = *self.offsets.get(row)? as usize..*self.offsets.get(row + 1)? as usize;
        std::str::from_utf8(self.bytes.get(range)?).ok()
    }
}

/// A closed set of categories; derive it.
pub trait Category: Copy {
    /// The one of that name.
    fn of(category: &str) -> Option<Self>;
}

/// An open category, such as a region's code or a brand that another operator names otherwise.
/// Copying one allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Rc<str>);

impl Label {
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl Value for Label {
    const TYPE: &'static str = "category";
    type Column = Codes<Self>;

    fn fetch<H: Host>(host: &H, table: &str, field: &str) -> Self::Column {
        Codes::fetch(host, table, field, |category| Some(category.into()))
    }

    #[inline]
    fn get(column: &Self::Column, row: usize) -> Option<Self> {
        column.get(row)
    }
}

/// A column of categories; each name is understood once, not once a row.
#[derive(Debug)]
pub struct Codes<C> {
    codes: Plain<u32>,
    meaning: Vec<Option<C>>,
}

impl<C: Clone> Codes<C> {
    /// Fetches the column; `of` says what a category means, `None` for nothing.
    pub fn fetch<H: Host>(host: &H, table: &str, field: &str, of: impl Fn(&str) -> Option<C>) -> Self {
        let codes = Plain { values: host.codes(table, field), present: host.present(table, field) };
        Self { codes, meaning: host.categories(table, field).iter().map(|name| of(name)).collect() }
    }

    /// What the category of a row means.
    #[inline]
    pub fn get(&self, row: usize) -> Option<C> {
        self.meaning.get(self.codes.get(row)? as usize)?.clone()
    }
}
