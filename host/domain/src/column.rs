//! Columns: how customers cross from storage to a guest. Plain slices behind a shared pointer, so that
//! whoever owns the memory (a mapped file, a vector) lends it without a copy. No file format lives here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A shared, immutable slice; its memory belongs to whatever `Arc` points to.
#[derive(Clone)]
pub struct Shared<T: 'static> {
    owner: Arc<dyn AsRef<[T]> + Send + Sync>,
    range: Range<usize>,
}

impl<T: 'static> Shared<T> {
    /// All of `owner`.
    pub fn new(owner: Arc<dyn AsRef<[T]> + Send + Sync>) -> Self {
        let range = 0..(*owner).as_ref().len();
        Self { owner, range }
    }

    /// A part of it, without a copy; clamped to what there is.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let start = (self.range.start + range.start).min(self.range.end);
        let end = (self.range.start + range.end).clamp(start, self.range.end);
        Self { owner: Arc::clone(&self.owner), range: start..end }
    }
}

impl<T: 'static> std::ops::Deref for Shared<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &(*self.owner).as_ref()[self.range.clone()]
    }
}

impl<T: Send + Sync + 'static> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Self {
        Self::new(Arc::new(values))
    }
}

impl<T: std::fmt::Debug + 'static> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The values of a column, in the type that the contract's function of that name hands over.
/// A row without a value holds 0, `false`, code 0 or an empty text; `Column::present` tells.
#[derive(Debug, Clone)]
pub enum Values {
    /// Whole numbers: counts, fen, Unix milliseconds.
    S64(Shared<i64>),
    /// Small whole numbers: months, days since 1970-01-01.
    S32(Shared<i32>),
    /// Ratios and scores.
    F64(Shared<f64>),
    /// 0 or 1.
    Boolean(Shared<u8>),
    /// Indices into `categories`.
    Codes {
        /// One a row, each less than `categories.len()` (0 where there are no categories).
        codes: Shared<u32>,
        /// The distinct values.
        categories: Arc<[String]>,
    },
    /// UTF-8: row i is `bytes[offsets[i]..offsets[i+1]]`.
    Texts {
        /// rows + 1 entries, starting at 0.
        offsets: Shared<u32>,
        /// All texts, one after the other.
        bytes: Shared<u8>,
    },
}

/// A column with its gaps.
#[derive(Debug, Clone)]
pub struct Column {
    /// One a row.
    pub values: Values,
    /// Which rows have a value, one bit a row, least significant first; `None` when all have.
    pub present: Option<Shared<u8>>,
}

impl Column {
    /// A column in which every row has a value.
    pub fn full(values: Values) -> Self {
        Self { values, present: None }
    }

    /// A column of `rows` rows in which none has a value: an optional field that a snapshot lacks.
    pub fn absent(ty: crate::field::FieldType, rows: usize) -> Self {
        use crate::field::Wire;
        let values = match ty.wire() {
            Wire::S64 => Values::S64(vec![0; rows].into()),
            Wire::S32 => Values::S32(vec![0; rows].into()),
            Wire::F64 => Values::F64(vec![0.0; rows].into()),
            Wire::Boolean => Values::Boolean(vec![0; rows].into()),
            Wire::Codes => Values::Codes { codes: vec![0; rows].into(), categories: Arc::new([]) },
            Wire::Texts => Values::Texts { offsets: vec![0; rows + 1].into(), bytes: Vec::new().into() },
        };
        Self { values, present: Some(vec![0u8; rows.div_ceil(8)].into()) }
    }

    /// Builds a column from optional values.
    pub fn s64(values: impl IntoIterator<Item = Option<i64>>) -> Self {
        let (values, present) = split(values);
        Self { values: Values::S64(values.into()), present }
    }

    /// Builds a column from optional values.
    pub fn s32(values: impl IntoIterator<Item = Option<i32>>) -> Self {
        let (values, present) = split(values);
        Self { values: Values::S32(values.into()), present }
    }

    /// Builds a column from optional values.
    pub fn f64(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let (values, present) = split(values);
        Self { values: Values::F64(values.into()), present }
    }

    /// Builds a column from optional values.
    pub fn boolean(values: impl IntoIterator<Item = Option<bool>>) -> Self {
        let (values, present) = split(values.into_iter().map(|v| v.map(u8::from)));
        Self { values: Values::Boolean(values.into()), present }
    }

    /// Builds a category column from optional values; categories in order of first appearance.
    pub fn categories<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut known: BTreeMap<&str, u32> = BTreeMap::new();
        let mut categories: Vec<String> = Vec::new();
        let coded = values.into_iter().map(|v| {
            v.map(|v| {
                *known.entry(v).or_insert_with(|| {
                    categories.push(v.to_owned());
                    (categories.len() - 1) as u32
                })
            })
        });
        let (codes, present) = split(coded);
        Self { values: Values::Codes { codes: codes.into(), categories: categories.into() }, present }
    }

    /// Builds a text column from optional values.
    pub fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut bytes = Vec::new();
        let mut offsets = vec![0u32];
        let filled = values.into_iter().map(|v| {
            v.map(|v| {
                bytes.extend_from_slice(v.as_bytes());
            })
            .map(|()| bytes.len() as u32)
        });
        let mut ends = Vec::new();
        let mut last = 0;
        for end in filled {
            last = end.unwrap_or(last);
            offsets.push(last);
            ends.push(end);
        }
        let (_, present) = split(ends);
        Self { values: Values::Texts { offsets: offsets.into(), bytes: bytes.into() }, present }
    }

    /// Rows picked from several columns of one type, in the order given; copied. The first one tells the type.
    pub fn collect(cells: &[(Self, usize)]) -> Option<Self> {
        let (first, _) = cells.first()?;
        Some(match &first.values {
            Values::S64(_) => Self::s64(cells.iter().map(|(column, row)| column.integer(*row))),
            Values::S32(_) => Self::s32(cells.iter().map(|(column, row)| column.integer(*row).map(|v| v as i32))),
            Values::F64(_) => Self::f64(cells.iter().map(|(column, row)| column.ratio(*row))),
            Values::Boolean(_) => Self::boolean(cells.iter().map(|(column, row)| column.yes(*row))),
            Values::Codes { .. } => Self::categories(cells.iter().map(|(column, row)| column.text(*row))),
            Values::Texts { .. } => Self::texts(cells.iter().map(|(column, row)| column.text(*row))),
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match &self.values {
            Values::S64(v) => v.len(),
            Values::S32(v) => v.len(),
            Values::F64(v) => v.len(),
            Values::Boolean(v) => v.len(),
            Values::Codes { codes, .. } => codes.len(),
            Values::Texts { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether row `row` has a value.
    pub fn has(&self, row: usize) -> bool {
        row < self.rows()
            && self.present.as_ref().is_none_or(|bits| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1))
    }

    /// A whole number, of either width.
    pub fn integer(&self, row: usize) -> Option<i64> {
        match &self.values {
            Values::S64(v) if self.has(row) => v.get(row).copied(),
            Values::S32(v) if self.has(row) => v.get(row).map(|v| i64::from(*v)),
            _ => None,
        }
    }

    /// A ratio or score.
    pub fn ratio(&self, row: usize) -> Option<f64> {
        match &self.values {
            Values::F64(v) if self.has(row) => v.get(row).copied(),
            _ => None,
        }
    }

    /// Yes or no.
    pub fn yes(&self, row: usize) -> Option<bool> {
        match &self.values {
            Values::Boolean(v) if self.has(row) => v.get(row).map(|v| *v != 0),
            _ => None,
        }
    }

    /// A category or text.
    pub fn text(&self, row: usize) -> Option<&str> {
        match &self.values {
            Values::Codes { codes, categories } if self.has(row) => {
                categories.get(*codes.get(row)? as usize).map(String::as_str)
            }
            Values::Texts { offsets, bytes } if self.has(row) => {
                let range = *offsets.get(row)? as usize..*offsets.get(row + 1)? as usize;
                std::str::from_utf8(bytes.get(range)?).ok()
            }
            _ => None,
        }
    }

    /// The rows of a range, without copying values; the start must be a multiple of 8, since gaps are bits.
    pub fn slice(&self, range: Range<usize>) -> Self {
        debug_assert_eq!(range.start % 8, 0);
        let values = match &self.values {
            Values::S64(v) => Values::S64(v.slice(range.clone())),
            Values::S32(v) => Values::S32(v.slice(range.clone())),
            Values::F64(v) => Values::F64(v.slice(range.clone())),
            Values::Boolean(v) => Values::Boolean(v.slice(range.clone())),
            Values::Codes { codes, categories } => {
                Values::Codes { codes: codes.slice(range.clone()), categories: Arc::clone(categories) }
            }
            Values::Texts { offsets, bytes } => {
                let window = offsets.slice(range.start..range.end + 1);
                let first = window.first().copied().unwrap_or(0);
                let last = window.last().copied().unwrap_or(first);
                let rebased: Vec<u32> = window.iter().map(|o| o - first).collect();
                Values::Texts { offsets: rebased.into(), bytes: bytes.slice(first as usize..last as usize) }
            }
        };
        let present = self.present.as_ref().map(|bits| bits.slice(range.start / 8..range.end.div_ceil(8)));
        Self { values, present }
    }

    /// The given rows in the given order, copied. Rows out of range have no value.
    pub fn gather(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy + Default + Send + Sync + 'static>(values: &[T], rows: &[u32]) -> Shared<T> {
            rows.iter().map(|r| values.get(*r as usize).copied().unwrap_or_default()).collect::<Vec<T>>().into()
        }
        let values = match &self.values {
            Values::S64(v) => Values::S64(pick(v, rows)),
            Values::S32(v) => Values::S32(pick(v, rows)),
            Values::F64(v) => Values::F64(pick(v, rows)),
            Values::Boolean(v) => Values::Boolean(pick(v, rows)),
            Values::Codes { codes, categories } => {
                Values::Codes { codes: pick(codes, rows), categories: Arc::clone(categories) }
            }
            Values::Texts { .. } => return Self::texts(rows.iter().map(|r| self.text(*r as usize))),
        };
        let present = self.present.is_some().then(|| bits(rows.iter().map(|r| self.has(*r as usize))));
        Self { values, present }
    }
}

/// A named set of columns of one length. Columns are in a sorted map, so that walking one is repeatable.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Number of rows; every column has as many.
    pub rows: u32,
    /// By field name.
    pub columns: BTreeMap<String, Column>,
}

/// Packs yes/no into bits, least significant first.
pub fn bits(values: impl IntoIterator<Item = bool>) -> Shared<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for (i, value) in values.into_iter().enumerate() {
        if i % 8 == 0 {
            bytes.push(0);
        }
        if let (true, Some(last)) = (value, bytes.last_mut()) {
            *last |= 1 << (i % 8);
        }
    }
    bytes.into()
}

fn split<T: Copy + Default>(values: impl IntoIterator<Item = Option<T>>) -> (Vec<T>, Option<Shared<u8>>) {
    let values: Vec<Option<T>> = values.into_iter().collect();
    let present = values.iter().any(Option::is_none).then(|| bits(values.iter().map(Option::is_some)));
    (values.into_iter().map(Option::unwrap_or_default).collect(), present)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_survive_slicing_and_gathering() {
        let column = Column::s64((0..20).map(|i| (i % 3 != 0).then_some(i)));
        let tail = column.slice(8..20);
        assert_eq!(tail.rows(), 12);
        assert_eq!(
            (0..12).map(|i| tail.integer(i)).collect::<Vec<_>>(),
            (8..20).map(|i| (i % 3 != 0).then_some(i)).collect::<Vec<_>>()
        );
        let picked = column.gather(&[19, 3, 1]);
        assert_eq!([picked.integer(0), picked.integer(1), picked.integer(2)], [Some(19), None, Some(1)]);
    }

    #[test]
    fn texts_are_rebased_when_sliced() {
        let words: Vec<String> = (0..10).map(|i| "字".repeat(i)).collect();
        let column = Column::texts(words.iter().map(|w| Some(w.as_str())));
        let tail = column.slice(8..10);
        assert_eq!(
            [tail.text(0), tail.text(1), tail.text(2)],
            [Some("字字字字字字字字"), Some("字字字字字字字字字"), None]
        );
        let gappy = Column::texts([Some("a"), None, Some("c")]);
        assert_eq!([gappy.text(0), gappy.text(1), gappy.text(2)], [Some("a"), None, Some("c")]);
    }

    #[test]
    fn an_absent_column_has_no_values() {
        let column = Column::absent(crate::field::FieldType::Category, 9);
        assert_eq!(column.rows(), 9);
        assert!((0..9).all(|r| column.text(r).is_none()));
    }
}
