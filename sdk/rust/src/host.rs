//! What a guest may ask for, as a trait: the contract's imports in a component, an in-memory bench in tests.

use crate::bindings::care::activity::{run, tables};

/// The imports of the contract. Columns of a table have one entry a row; bits of `present` are explained there.
pub trait Host {
    /// The business date, days since 1970-01-01.
    fn today(&self) -> i32;
    /// The run's instant, Unix milliseconds.
    fn now(&self) -> i64;
    /// The campaign's parameters as JSON.
    fn params(&self) -> String;
    /// Number of rows of a table.
    fn rows(&self, table: &str) -> u32;
    /// Counts, money and instants.
    fn s64s(&self, table: &str, field: &str) -> Vec<i64>;
    /// Small numbers and dates.
    fn s32s(&self, table: &str, field: &str) -> Vec<i32>;
    /// Ratios.
    fn f64s(&self, table: &str, field: &str) -> Vec<f64>;
    /// 0 or 1.
    fn booleans(&self, table: &str, field: &str) -> Vec<u8>;
    /// Indices into `categories`.
    fn codes(&self, table: &str, field: &str) -> Vec<u32>;
    /// The categories of a field.
    fn categories(&self, table: &str, field: &str) -> Vec<String>;
    /// Offsets (rows + 1 of them) and bytes.
    fn texts(&self, table: &str, field: &str) -> (Vec<u32>, Vec<u8>);
    /// One bit a row, least significant first; empty when every row has a value.
    fn present(&self, table: &str, field: &str) -> Vec<u8>;
    /// For each customer, the first row of `table` whose `key` equals the customer's `field`; `u32::MAX` for none.
    #[cfg(feature = "wit-1-1")]
    fn rows_of(&self, field: &str, table: &str, key: &str) -> Vec<u32>;
}

/// The host that runs the component.
pub(crate) struct Imported;

impl Host for Imported {
    fn today(&self) -> i32 {
        run::today()
    }

    fn now(&self) -> i64 {
        run::now()
    }

    fn params(&self) -> String {
        run::params()
    }

    fn rows(&self, table: &str) -> u32 {
        tables::rows(table)
    }

    fn s64s(&self, table: &str, field: &str) -> Vec<i64> {
        tables::s64s(table, field)
    }

    fn s32s(&self, table: &str, field: &str) -> Vec<i32> {
        tables::s32s(table, field)
    }

    fn f64s(&self, table: &str, field: &str) -> Vec<f64> {
        tables::f64s(table, field)
    }

    fn booleans(&self, table: &str, field: &str) -> Vec<u8> {
        tables::booleans(table, field)
    }

    fn codes(&self, table: &str, field: &str) -> Vec<u32> {
        tables::codes(table, field)
    }

    fn categories(&self, table: &str, field: &str) -> Vec<String> {
        tables::categories(table, field)
    }

    fn texts(&self, table: &str, field: &str) -> (Vec<u32>, Vec<u8>) {
        let texts = tables::texts_of(table, field);
        (texts.offsets, texts.bytes)
    }

    fn present(&self, table: &str, field: &str) -> Vec<u8> {
        tables::present(table, field)
    }

    #[cfg(feature = "wit-1-1")]
    fn rows_of(&self, field: &str, table: &str, key: &str) -> Vec<u32> {
        tables::rows_of(field, table, key)
    }
}
