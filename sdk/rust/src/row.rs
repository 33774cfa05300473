//! Rows: a table's columns seen as plain structs.

use crate::host::Host;
use crate::value::Field;

/// A struct that is one row of a table; derive it.
pub trait Row: Sized {
    /// The table: `customers`, or a reference table.
    const TABLE: &'static str;
    /// Its fields.
    const FIELDS: &'static [Field];
    /// The columns as fetched, once per call.
    type Columns;
    /// Fetches the columns.
    fn fetch<H: Host>(host: &H) -> Self::Columns;
    /// One row; `None` when it lacks a value that is not optional.
    fn read(columns: &Self::Columns, row: usize) -> Option<Self>;
}

/// Nothing needs to be known of the customer.
impl Row for () {
    const TABLE: &'static str = "customers";
    const FIELDS: &'static [Field] = &[];
    type Columns = ();

    fn fetch<H: Host>(_: &H) {}

    fn read((): &(), _: usize) -> Option<()> {
        Some(())
    }
}

/// A reference table as the manifest names it.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Name.
    pub name: &'static str,
    /// The fields that are read.
    pub fields: &'static [Field],
}

/// The reference tables of an activity: `()`, `Vec<Tariff>`, or `(Vec<Tariff>, Vec<Area>)`.
pub trait Tables: Sized {
    /// What the manifest declares.
    const DECLARED: &'static [Table];
    /// Reads them whole. An error names the table and the row that lacks a value.
    fn fetch<H: Host>(host: &H) -> Result<Self, String>;
}

impl Tables for () {
    const DECLARED: &'static [Table] = &[];

    fn fetch<H: Host>(_: &H) -> Result<Self, String> {
        Ok(())
    }
}

impl<A: Row> Tables for Vec<A> {
    const DECLARED: &'static [Table] = &[Table { name: A::TABLE, fields: A::FIELDS }];

    fn fetch<H: Host>(host: &H) -> Result<Self, String> {
        let columns = A::fetch(host);
        let row = |row: u32| {
            let lacking = || {
                format!("row {row} of reference table {:?} lacks a value; fill it and import the table again", A::TABLE)
            };
            A::read(&columns, row as usize).ok_or_else(lacking)
        };
        (0..host.rows(A::TABLE)).map(row).collect()
    }
}

impl<A: Row, B: Row> Tables for (Vec<A>, Vec<B>) {
    const DECLARED: &'static [Table] =
        &[Table { name: A::TABLE, fields: A::FIELDS }, Table { name: B::TABLE, fields: B::FIELDS }];

    fn fetch<H: Host>(host: &H) -> Result<Self, String> {
        Ok((Tables::fetch(host)?, Tables::fetch(host)?))
    }
}
