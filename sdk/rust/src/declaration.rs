//! The custom section in which the code declares what it uses: JSON, written while compiling, so that it is
//! in the component without running any of its code.

use crate::activity::{Activity, Choice};
use crate::row::{Row, Table, Tables};
use crate::tally::Outcome;
use crate::value::{Field, Join};

/// No declaration is longer, in bytes; compiling a longer one fails.
const MAX_BYTES: usize = 16 * 1024;

/// JSON: `{"fields":{stage:[{"name","type","optional"}]},"tables":{name:[…]},"reasons":[…],"templates":[…],"slots":[…]}`.
pub struct Declaration {
    bytes: [u8; MAX_BYTES],
    len: usize,
}

/// What the code of an activity declares.
///
/// Compiling fails when a later stage requires a value that choosing does not (see `Activity`), when customers are
/// joined with a table that `Tables` does not name, or when the declaration is longer than 16 KiB.
pub const fn declaration<A: Activity>() -> Declaration {
    assert!(requires(A::Target::FIELDS, A::Timing::FIELDS), "Timing requires a field that Target does not require");
    assert!(requires(A::Target::FIELDS, A::Content::FIELDS), "Content requires a field that Target does not require");
    assert!(joins(A::Target::FIELDS, A::Tables::DECLARED), "Target is joined with a table that Tables does not name");
    assert!(joins(A::Timing::FIELDS, A::Tables::DECLARED), "Timing is joined with a table that Tables does not name");
    assert!(joins(A::Content::FIELDS, A::Tables::DECLARED), "Content is joined with a table that Tables does not name");
    Declaration { bytes: [0; MAX_BYTES], len: 0 }
        .raw("{\"fields\":{\"select\":")
        .fields(A::Target::FIELDS)
        .raw(",\"schedule\":")
        .fields(A::Timing::FIELDS)
        .raw(",\"compose\":")
        .fields(A::Content::FIELDS)
        .raw(",\"observe\":")
        .fields(Outcome::FIELDS)
        .raw("},\"tables\":")
        .tables(A::Tables::DECLARED)
        .raw(",\"reasons\":")
        .names(A::Reason::NAMES)
        .raw(",\"templates\":")
        .names(A::Template::NAMES)
        .raw(",\"slots\":")
        .names(A::Slot::NAMES)
        .raw("}")
}

impl Declaration {
    /// Of a model: what it reads, and nothing to say.
    pub(crate) const fn of_model(input: &[Field], tables: &[Table]) -> Self {
        assert!(joins(input, tables), "Input is joined with a table that Tables does not name");
        Self { bytes: [0; MAX_BYTES], len: 0 }
            .raw("{\"fields\":{\"select\":")
            .fields(input)
            .raw("},\"tables\":")
            .tables(tables)
            .raw(",\"reasons\":[],\"templates\":[],\"slots\":[]}")
    }

    /// Length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a declaration is never empty")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Its `N` bytes; `N` is its length.
    pub const fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        let mut at = 0;
        while at < N {
            bytes[at] = self.bytes[at];
            at += 1;
        }
        bytes
    }

    /// As text, for tests and tools that run natively.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.len]).into_owned()
    }

    const fn raw(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        assert!(self.len + text.len() <= MAX_BYTES, "the activity declares too much: over 16 KiB of names");
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn name(self, name: &str) -> Self {
        let mut at = 0;
        while at < name.len() {
            let letter = name.as_bytes()[at];
            assert!(letter != b'"' && letter != b'\\' && letter >= b' ', "a name holds a character that no name may");
            at += 1;
        }
        self.raw("\"").raw(name).raw("\"")
    }

    const fn names(mut self, names: &[&str]) -> Self {
        self = self.raw("[");
        let mut at = 0;
        while at < names.len() {
            self = if at == 0 { self } else { self.raw(",") };
            self = self.name(names[at]);
            at += 1;
        }
        self.raw("]")
    }

    const fn fields(mut self, fields: &[Field]) -> Self {
        self = self.raw("[");
        let mut at = 0;
        while at < fields.len() {
            let Field { name, ty, optional, .. } = fields[at];
            self = if at == 0 { self } else { self.raw(",") };
            self = self.raw("{\"name\":").name(name).raw(",\"type\":").name(ty);
            self = self.raw(",\"optional\":").raw(if optional { "true}" } else { "false}" });
            at += 1;
        }
        self.raw("]")
    }

    const fn tables(mut self, tables: &[Table]) -> Self {
        self = self.raw("{");
        let mut at = 0;
        while at < tables.len() {
            self = if at == 0 { self } else { self.raw(",") };
            self = self.name(tables[at].name).raw(":").fields(tables[at].fields);
            at += 1;
        }
        self.raw("}")
    }
}

/// Whether `target` requires whatever `later` requires.
const fn requires(target: &[Field], later: &[Field]) -> bool {
    let mut at = 0;
    while at < later.len() {
        if !later[at].optional && !requires_one(target, later[at].name) {
            return false;
        }
        at += 1;
    }
    true
}

const fn requires_one(fields: &[Field], name: &str) -> bool {
    let mut at = 0;
    while at < fields.len() {
        if !fields[at].optional && same(fields[at].name, name) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether all tables that these fields are joined with are `declared`.
const fn joins(fields: &[Field], declared: &[Table]) -> bool {
    let mut at = 0;
    while at < fields.len() {
        if let Join::Table(table) = fields[at].join
            && !names_table(declared, table)
        {
            return false;
        }
        at += 1;
    }
    true
}

const fn names_table(declared: &[Table], table: &str) -> bool {
    let mut at = 0;
    while at < declared.len() {
        if same(declared[at].name, table) {
            return true;
        }
        at += 1;
    }
    false
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str, optional: bool) -> Field {
        Field { name, ty: "fen", optional, join: Join::None }
    }

    #[test]
    fn what_a_later_stage_requires_choosing_must_require() {
        let target = [field("balance", false), field("bill", true)];
        assert!(requires(&target, &[]));
        assert!(requires(&target, &[field("balance", false)]));
        assert!(requires(&target, &[field("bill", true), field("spend", true)]));
        assert!(!requires(&target, &[field("bill", false)]), "choosing can do without it");
        assert!(!requires(&target, &[field("balance", false), field("spend", false)]));
    }

    #[test]
    fn customers_are_joined_with_declared_tables_alone() {
        let joined = [Field { join: Join::Table("tariffs"), ..field("tariff", false) }];
        let tariffs = Table { name: "tariffs", fields: &[] };
        assert!(joins(&joined, &[Table { name: "areas", fields: &[] }, tariffs]));
        assert!(!joins(&joined, &[]) && joins(&[field("balance", false)], &[]));
    }
}
