//! The field dictionary: what may be known of a customer, in which type and unit, how sensitive it is,
//! and in which stages of an activity it may be read (`examples/fields.toml`).

use crate::text::{Bilingual, nearest_hint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The type of a field, with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Money in fen (1/100 yuan), 64 bits.
    Fen,
    /// An instant in Unix milliseconds.
    Instant,
    /// A count, 64 bits.
    Count,
    /// A small whole number, 32 bits: months of tenure, a day of the month.
    Small,
    /// A date in days since 1970-01-01.
    Date,
    /// A ratio, mean or score.
    Ratio,
    /// Yes or no.
    Boolean,
    /// One of a few values.
    Category,
    /// Any text.
    Text,
}

/// Which function of the contract's `tables` interface hands a column over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// `s64s`
    S64,
    /// `s32s`
    S32,
    /// `f64s`
    F64,
    /// `booleans`
    Boolean,
    /// `codes` and `categories`
    Codes,
    /// `texts-of`
    Texts,
}

impl FieldType {
    /// The function that hands it over.
    pub fn wire(self) -> Wire {
        match self {
            Self::Fen | Self::Instant | Self::Count => Wire::S64,
            Self::Small | Self::Date => Wire::S32,
            Self::Ratio => Wire::F64,
            Self::Boolean => Wire::Boolean,
            Self::Category => Wire::Codes,
            Self::Text => Wire::Texts,
        }
    }

    /// As written in dictionaries and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fen => "fen",
            Self::Instant => "instant",
            Self::Count => "count",
            Self::Small => "small",
            Self::Date => "date",
            Self::Ratio => "ratio",
            Self::Boolean => "boolean",
            Self::Category => "category",
            Self::Text => "text",
        }
    }
}

/// How carefully a field must be treated; later is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// Anybody may know it.
    Public,
    /// Employees may.
    Internal,
    /// About a person.
    Personal,
    /// Harmful in wrong hands.
    Sensitive,
}

/// The stages of an activity in which it reads customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Target selection.
    Select,
    /// Trigger timing.
    Schedule,
    /// Contact content.
    Compose,
    /// Effect evaluation.
    Observe,
}

impl Stage {
    /// All of them, in the order of a plan.
    pub const ALL: [Self; 4] = [Self::Select, Self::Schedule, Self::Compose, Self::Observe];

    /// As written in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Schedule => "schedule",
            Self::Compose => "compose",
            Self::Observe => "observe",
        }
    }
}

/// One entry of the dictionary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDef {
    /// Type with unit.
    #[serde(rename = "type")]
    pub ty: FieldType,
    /// How carefully to treat it.
    pub sensitivity: Sensitivity,
    /// Stages in which an activity may ask for it.
    pub stages: Vec<Stage>,
    /// A short name.
    pub title: Bilingual,
    /// What it means exactly.
    pub description: Bilingual,
    /// The values of a category; empty when any are allowed.
    #[serde(default)]
    pub values: Vec<String>,
    /// Least value of a number; an import counts a lower one as a bad cell.
    #[serde(default)]
    pub minimum: Option<f64>,
    /// Greatest value of a number.
    #[serde(default)]
    pub maximum: Option<f64>,
}

/// All known fields by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Dictionary {
    /// By kebab-case name; `own.` names are the host's view of the past.
    pub fields: BTreeMap<String, FieldDef>,
}

impl Dictionary {
    /// A field by name, or the end of a hint with the nearest names.
    pub fn find(&self, name: &str) -> Result<&FieldDef, String> {
        self.fields.get(name).ok_or_else(|| nearest_hint(name, self.fields.keys().map(String::as_str)))
    }
}

/// Fields about an activity's own past with a customer, which the host computes once per batch
/// as of the task's high-water mark; no snapshot holds them.
pub const OWN_PREFIX: &str = "own.";

/// Fields that say whether a customer is on a named list (`list.rescuers`): boolean, answered by the host.
pub const LIST_PREFIX: &str = "list.";

/// Fields that an event brings, or the call of a touchpoint: they stand beside the snapshot's for that one batch.
pub const EVENT_PREFIX: &str = "event.";

/// Whether the host supplies the field: no snapshot holds it.
pub fn is_supplied(name: &str) -> bool {
    [OWN_PREFIX, LIST_PREFIX, EVENT_PREFIX].iter().any(|prefix| name.starts_with(prefix))
}
