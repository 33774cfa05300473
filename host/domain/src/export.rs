//! What leaves for the business-analysis system 经营分析系统: which tables, which columns. No name, number, address, filled
//! slot, note of a gateway or id of a sender is among them; customers are pseudonymous keys.

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Real,
    /// Unix milliseconds; readable as an instant.
    Instant,
    /// Days since 1970-01-01; readable as a date.
    Date,
}

/// A value; money in fen.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// There is none.
    None,
    /// Text.
    Text(String),
    /// A whole number, an instant or a date.
    Whole(i64),
    /// A number.
    Real(f64),
}

/// A table that leaves.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name, and that of its file.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, CellType)],
}

use CellType::{Date, Instant, Real, Text, Whole};

/// Every candidate of every plan and batch of events with its verdict; comes from the decision logs. Events are decided in
/// a world, whose id stands for the plan, as it does in their contacts.
pub const DECISIONS: Table = Table {
    name: "decisions",
    columns: &[
        ("plan", Text),
        ("customer", Text),
        ("campaign", Text),
        ("activity", Text),
        ("reason", Text),
        ("occasion", Whole),
        ("round", Whole),
        ("score", Real),
        ("not_before", Instant),
        ("not_after", Instant),
        ("planned_at", Instant),
        ("channel", Text),
        ("verdict", Text),
        ("rule", Text),
        ("winner", Text),
    ],
};

/// Every event that was taken; comes from the batches in which they were decided.
pub const EVENTS: Table = Table {
    name: "events",
    columns: &[
        ("batch", Whole),
        ("source", Text),
        ("event", Text),
        ("kind", Text),
        ("customer", Text),
        ("time", Instant),
        ("standing", Text),
    ],
};

/// Every table of the database that leaves.
pub const TABLES: [Table; 35] = [
    Table {
        name: "contacts",
        columns: &[
            ("contact", Text),
            ("plan", Text),
            ("campaign", Text),
            ("activity", Text),
            ("component", Text),
            ("customer", Text),
            ("class", Text),
            ("weight", Whole),
            ("score", Real),
            ("reason", Text),
            ("occasion", Whole),
            ("round", Whole),
            ("addressee", Text),
            ("ordinal", Whole),
            ("template", Text),
            ("channel", Text),
            ("language", Text),
            ("region", Text),
            ("planned_at", Instant),
            ("not_after", Instant),
            ("state", Text),
        ],
    },
    Table { name: "contact-log", columns: &[("contact", Text), ("customer", Text), ("state", Text), ("at", Instant)] },
    Table {
        name: "controls",
        columns: &[
            ("plan", Text),
            ("campaign", Text),
            ("customer", Text),
            ("occasion", Whole),
            ("planned_at", Instant),
        ],
    },
    Table {
        name: "outcomes",
        columns: &[
            ("customer", Text),
            ("kind", Text),
            ("value", Whole),
            ("at", Instant),
            ("activity", Text),
            ("source", Text),
            ("contact", Text),
        ],
    },
    Table { name: "wishes", columns: &[("customer", Text), ("wish", Text), ("at", Instant)] },
    Table { name: "assignments", columns: &[("experiment", Text), ("customer", Text), ("arm", Text), ("at", Instant)] },
    Table {
        name: "versions",
        columns: &[
            ("activity", Text),
            ("version", Text),
            ("component", Text),
            ("state", Text),
            ("title_zh", Text),
            ("title_en", Text),
            ("owner_region", Text),
            ("class", Text),
            ("goal", Text),
            ("uploaded_at", Instant),
        ],
    },
    Table {
        name: "campaigns",
        columns: &[
            ("campaign", Text),
            ("activity", Text),
            ("component", Text),
            ("state", Text),
            ("params", Text),
            ("started_at", Instant),
        ],
    },
    Table {
        name: "plans",
        columns: &[("plan", Text), ("date", Date), ("wave", Whole), ("state", Text), ("created_at", Instant)],
    },
    Table {
        name: "plan-verdicts",
        columns: &[("plan", Text), ("campaign", Text), ("verdict", Text), ("candidates", Whole)],
    },
    Table {
        name: "evaluations",
        columns: &[
            ("evaluation", Whole),
            ("campaign", Text),
            ("activity", Text),
            ("component", Text),
            ("metric", Text),
            ("measure", Text),
            ("unit", Text),
            ("treated", Whole),
            ("control", Whole),
            ("treated_mean", Real),
            ("control_mean", Real),
            ("difference", Real),
            ("ci95_low", Real),
            ("ci95_high", Real),
            ("p", Real),
            ("at", Instant),
        ],
    },
    Table {
        name: "findings",
        columns: &[
            ("finding", Whole),
            ("activity", Text),
            ("version", Text),
            ("what", Text),
            ("evaluation", Whole),
            ("due", Date),
            ("state", Text),
            ("by_version", Text),
        ],
    },
    Table {
        name: "need-records",
        columns: &[("source", Text), ("entry", Text), ("region", Text), ("at", Instant), ("score", Whole)],
    },
    Table {
        name: "needs",
        columns: &[("need", Whole), ("entry", Text), ("title", Text), ("state", Text), ("activity", Text)],
    },
    Table {
        name: "activations",
        columns: &[
            ("campaign", Text),
            ("areas", Text),
            ("from", Date),
            ("until", Date),
            ("reason", Text),
            ("review", Text),
        ],
    },
    Table {
        name: "alerts",
        columns: &[("sender", Text), ("identifier", Text), ("sent", Instant), ("taken_at", Instant)],
    },
    Table {
        name: "calendars",
        columns: &[("year", Whole), ("digest", Text), ("days", Whole), ("imported_at", Instant)],
    },
    Table {
        name: "calling-windows",
        columns: &[
            ("window", Whole),
            ("opened_at", Instant),
            ("closes_at", Instant),
            ("seats", Whole),
            ("calls_an_hour", Whole),
        ],
    },
    Table {
        name: "calls",
        columns: &[("call", Text), ("customer", Text), ("at", Instant), ("channel", Text), ("topic", Text)],
    },
    Table {
        name: "carried",
        columns: &[
            ("plan", Text),
            ("date", Date),
            ("campaign", Text),
            ("customer", Text),
            ("occasion", Whole),
            ("reason", Text),
            ("score", Real),
            ("not_before", Instant),
            ("not_after", Instant),
            ("open", Whole),
        ],
    },
    Table {
        name: "copies",
        columns: &[
            ("kind", Text),
            ("subject", Text),
            ("plan", Text),
            ("template", Text),
            ("channel", Text),
            ("language", Text),
            ("at", Instant),
            ("answer", Text),
        ],
    },
    Table {
        name: "dead-letters",
        columns: &[("contact", Text), ("at", Instant), ("gateway", Text), ("replayed_at", Instant)],
    },
    Table {
        name: "deliveries",
        columns: &[("contact", Text), ("customer", Text), ("delivery", Text), ("at", Instant)],
    },
    Table {
        name: "disasters",
        columns: &[
            ("disaster", Whole),
            ("title", Text),
            ("onset", Date),
            ("until", Date),
            ("state", Text),
            ("areas", Text),
            ("campaign", Text),
        ],
    },
    Table {
        name: "event-batches",
        columns: &[("batch", Whole), ("instant", Instant), ("mark", Whole), ("world", Text), ("events", Whole)],
    },
    Table {
        name: "handouts",
        columns: &[
            ("contact", Text),
            ("attempt", Whole),
            ("customer", Text),
            ("campaign", Text),
            ("channel", Text),
            ("at", Instant),
            ("back_at", Instant),
            ("window", Whole),
            ("result", Text),
            ("result_at", Instant),
        ],
    },
    Table {
        name: "named-lists",
        columns: &[("list", Text), ("customers", Whole), ("expires_on", Date), ("imported_at", Instant)],
    },
    Table {
        name: "policies",
        columns: &[("version", Whole), ("digest", Text), ("base", Text), ("state", Text), ("document", Text)],
    },
    Table {
        name: "prompts",
        columns: &[
            ("prompt", Text),
            ("call", Text),
            ("customer", Text),
            ("world", Text),
            ("activity", Text),
            ("occasion", Whole),
            ("state", Text),
            ("answered_at", Instant),
        ],
    },
    Table { name: "reference-tables", columns: &[("table", Text), ("digest", Text), ("imported_at", Instant)] },
    Table {
        name: "release-cuts",
        columns: &[
            ("plan", Text),
            ("campaign", Text),
            ("customer", Text),
            ("occasion", Whole),
            ("round", Whole),
            ("rule", Text),
        ],
    },
    Table {
        name: "sends",
        columns: &[
            ("contact", Text),
            ("attempt", Whole),
            ("customer", Text),
            ("channel", Text),
            ("gateway", Text),
            ("started_at", Instant),
            ("answered_at", Instant),
            ("answer", Text),
        ],
    },
    Table {
        name: "simulations",
        columns: &[
            ("simulation", Whole),
            ("submission", Whole),
            ("activity", Text),
            ("version", Text),
            ("business_date", Date),
            ("evidence", Text),
            ("at", Instant),
        ],
    },
    Table {
        name: "snapshots",
        columns: &[("snapshot", Text), ("business_date", Date), ("customers", Whole), ("imported_at", Instant)],
    },
    Table { name: "switches", columns: &[("scope", Text), ("target", Text), ("at", Instant)] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_tells_who_somebody_is_leaves() {
        let forbidden =
            ["slots", "note", "id", "name", "msisdn", "surname", "email", "external_id", "person", "owner", "staff"];
        for table in TABLES.iter().chain([&DECISIONS, &EVENTS]) {
            for (column, _) in table.columns {
                assert!(!forbidden.contains(column), "{} has {column}", table.name);
            }
        }
    }
}
