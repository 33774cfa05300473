//! The join of `rows-of`: a batch matched with a reference table by hash, so that no guest compares strings.

use care_domain::column::{Column, Values};
use care_domain::field::FieldType;
use std::collections::HashMap;
use std::hash::Hash;

/// What stands for no row: the row has no value, or the table has no such key.
pub(crate) const NO_ROW: u32 = u32::MAX;

/// Whether values of the two types mean the same when they are equal: texts and categories, or whole numbers of one
/// unit. A day is no count, however equal the numbers.
pub(crate) fn comparable(one: FieldType, other: FieldType) -> bool {
    kind(one).is_some_and(|kind_of_one| kind(other) == Some(kind_of_one))
}

/// One type for each kind of values that can be compared.
fn kind(ty: FieldType) -> Option<FieldType> {
    match ty {
        FieldType::Category | FieldType::Text => Some(FieldType::Text),
        FieldType::Count | FieldType::Small => Some(FieldType::Count),
        FieldType::Fen | FieldType::Date | FieldType::Instant => Some(ty),
        FieldType::Ratio | FieldType::Boolean => None,
    }
}

/// What reading a column for the join costs, in bytes: what handing it over would.
pub(crate) fn size(column: &Column) -> usize {
    match &column.values {
        Values::S64(values) => size_of_val::<[i64]>(values),
        Values::S32(values) => size_of_val::<[i32]>(values),
        Values::F64(values) => size_of_val::<[f64]>(values),
        Values::Boolean(values) => values.len(),
        Values::Codes { codes, categories } => {
            size_of_val::<[u32]>(codes) + categories.iter().map(|category| category.len() + 8).sum::<usize>()
        }
        Values::Texts { offsets, bytes } => size_of_val::<[u32]>(offsets) + bytes.len(),
    }
}

/// For each row of `of`, the first row of `within` with an equal value, or [`NO_ROW`].
pub(crate) fn rows_of(of: &Column, within: &Column) -> Vec<u32> {
    match &of.values {
        Values::Codes { codes, categories } => {
            // Each category is looked up once, not once a row.
            let index = index(within, Column::text);
            let rows: Vec<u32> = categories.iter().map(|c| found(&index, Some(c.as_str()))).collect();
            let row_of = |(row, code): (usize, &u32)| {
                if of.has(row) { rows.get(*code as usize).copied().unwrap_or(NO_ROW) } else { NO_ROW }
            };
            codes.iter().enumerate().map(row_of).collect()
        }
        Values::Texts { .. } => matched(of, within, Column::text),
        _ => matched(of, within, Column::integer),
    }
}

fn matched<'a, K: Hash + Eq>(
    of: &'a Column,
    within: &'a Column,
    value: impl Fn(&'a Column, usize) -> Option<K>,
) -> Vec<u32> {
    let index = index(within, &value);
    (0..of.rows()).map(|row| found(&index, value(of, row))).collect()
}

/// The first row of each value. It is only looked up in, so its order never shows.
fn index<'a, K: Hash + Eq>(within: &'a Column, value: impl Fn(&'a Column, usize) -> Option<K>) -> HashMap<K, u32> {
    let mut index = HashMap::with_capacity(within.rows());
    for row in 0..within.rows() {
        if let Some(value) = value(within, row) {
            index.entry(value).or_insert(row as u32);
        }
    }
    index
}

fn found<K: Hash + Eq>(index: &HashMap<K, u32>, value: Option<K>) -> u32 {
    value.and_then(|value| index.get(&value).copied()).unwrap_or(NO_ROW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_counts_and_absent_values_match_nothing() {
        let keys = [None, Some("basic"), Some("family"), Some("basic"), Some("")];
        let asked = [Some("family"), Some("basic"), None, Some("gone"), Some("")];
        let expected = [2, 1, NO_ROW, NO_ROW, 4];
        for of in [Column::texts(asked), Column::categories(asked)] {
            for within in [Column::texts(keys), Column::categories(keys)] {
                assert_eq!(rows_of(&of, &within), expected);
            }
        }
    }

    #[test]
    fn whole_numbers_match_whatever_their_width() {
        let keys = Column::s64([Some(7), None, Some(0), Some(-1), Some(i64::from(u32::MAX))]);
        assert_eq!(rows_of(&Column::s32([Some(-1), None, Some(0), Some(8)]), &keys), [3, NO_ROW, 2, NO_ROW]);
        assert_eq!(rows_of(&Column::s64([Some(i64::from(u32::MAX))]), &keys), [4]);
    }

    #[test]
    fn an_absent_column_and_an_empty_table_match_nothing() {
        let absent = Column::absent(FieldType::Category, 3);
        assert_eq!(rows_of(&absent, &Column::texts([Some("a")])), [NO_ROW; 3]);
        assert_eq!(rows_of(&Column::texts([Some("a"), Some("b")]), &Column::texts([])), [NO_ROW; 2]);
    }

    #[test]
    fn a_slice_is_matched_as_what_it_is() {
        let words = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(Some);
        let keys = Column::texts(words);
        for column in [Column::texts(words), Column::categories(words)] {
            assert_eq!(rows_of(&column.slice(8..10), &keys), [8, 9]);
        }
    }

    #[test]
    fn only_values_of_one_kind_are_compared() {
        use FieldType::{Boolean, Category, Count, Date, Fen, Instant, Ratio, Small, Text};
        for (one, other) in [(Category, Text), (Text, Text), (Small, Count), (Date, Date), (Fen, Fen)] {
            assert!(comparable(one, other) && comparable(other, one), "{one:?} {other:?}");
        }
        for (one, other) in
            [(Category, Count), (Date, Small), (Fen, Count), (Instant, Date), (Ratio, Ratio), (Boolean, Boolean)]
        {
            assert!(!comparable(one, other), "{one:?} {other:?}");
        }
    }
}
