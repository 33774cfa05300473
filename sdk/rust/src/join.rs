//! The host's join: which row of a reference table belongs to a customer, without comparing strings in the guest.

use crate::host::Host;
use crate::row::Row;
use crate::value::{Field, Join, Label, Value};
use std::fmt;
use std::marker::PhantomData;

/// A customer's field by which the host finds the row of reference table `R`, whose struct says
/// `#[row(table = "tariffs", key = "key")]`. `V` is the type of the customer's field. A customer without a match lacks
/// the value: `Option<Joined<R>>` keeps such customers.
///
/// `tariff: Joined<Tariff>` beside `type Tables = Vec<Tariff>` gives `who.tariff.of(&self.tariffs)`.
pub struct Joined<R, V = Label> {
    row: u32,
    types: PhantomData<(R, V)>,
}

impl<R, V> Joined<R, V> {
    /// A match with that row of the table, for tests that make customers by hand.
    pub const fn with(row: u32) -> Self {
        Self { row, types: PhantomData }
    }

    /// The number of the row in the table.
    pub const fn row(self) -> u32 {
        self.row
    }

    /// The row of the table, as `prepare` was given it.
    pub fn of(self, table: &[R]) -> Option<&R> {
        table.get(self.row as usize)
    }
}

impl<R: Row, V: Value> Value for Joined<R, V> {
    const TYPE: &'static str = V::TYPE;
    const JOIN: Join = Join::Table(R::TABLE);
    /// One row a customer; `u32::MAX` for none.
    type Column = Vec<u32>;

    fn fetch<H: Host>(host: &H, _: &str, field: &str) -> Vec<u32> {
        host.rows_of(field, R::TABLE, const { key_of(R::FIELDS) })
    }

    #[inline]
    fn get(column: &Vec<u32>, row: usize) -> Option<Self> {
        column.get(row).filter(|row| **row != u32::MAX).map(|row| Self::with(*row))
    }
}

/// The name of the key among the fields of a table.
const fn key_of(fields: &'static [Field]) -> &'static str {
    let mut at = 0;
    loop {
        assert!(at < fields.len(), "a table that customers are joined with needs `#[row(table = \"…\", key = \"…\")]`");
        if matches!(fields[at].join, Join::Key) {
            return fields[at].name;
        }
        at += 1;
    }
}

// Derived, these would ask the same of the table's struct.
impl<R, V> Clone for Joined<R, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, V> Copy for Joined<R, V> {}

impl<R, V> PartialEq for Joined<R, V> {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row
    }
}

impl<R, V> Eq for Joined<R, V> {}

impl<R, V> fmt::Debug for Joined<R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Joined({})", self.row)
    }
}
