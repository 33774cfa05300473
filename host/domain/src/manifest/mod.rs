//! The manifest: everything an activity asks for and may ever say, read without running its code.
//!
//! It is a custom section of the component (`SECTION`), written by `care plugin build` from `activity.toml`
//! and from what the code declares. Checks that need other manifests or the store do not live here.

mod check;
mod model;
mod params;

pub use check::MAX_BODY_CHARS;
pub use params::{ParamsError, defaults};

use crate::contact::{Addressee, Channel};
use crate::field::{FieldType, LIST_PREFIX, Stage};
use crate::policy::Class;
use crate::text::Bilingual;
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the custom section that holds the manifest as JSON.
pub const SECTION: &str = "care-manifest";
/// Name of the custom section in which a guest built with the Rust SDK declares what its code uses.
pub const DECLARATION_SECTION: &str = "care-declaration";
/// The longest window of a cap or goal, in days.
pub const MAX_DAYS: u32 = 400;
/// The greatest weight in arbitration.
pub const MAX_WEIGHT: u16 = 1_000;
/// No manifest is longer.
pub const MAX_BYTES: usize = 256 * 1024;

/// What an activity or model asks for. Everything here is asked, nothing is granted: the approval grants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Kebab-case name, unique in the province.
    pub name: String,
    /// Semantic version.
    pub version: Version,
    /// The exact version of `care:activity` it was built for.
    pub wit: Version,
    /// Which world it implements.
    #[serde(default)]
    pub world: World,
    /// What people call it.
    pub title: Bilingual,
    /// What it does, in a sentence.
    pub summary: Bilingual,
    /// Entries of the catalogue that it answers (`catalogue`), at least one.
    pub catalogue: Vec<String>,
    /// Life-cycle stages it is for; empty for all.
    #[serde(default)]
    pub life_stages: Vec<LifeStage>,
    /// Administrative code of the region that owns it (`350000` is the province of Fujian).
    pub owner_region: String,
    /// What can start it.
    #[serde(default)]
    pub triggers: Triggers,
    /// Fields of `customers` (in `observe`: of `outcomes`) that it reads, by stage.
    #[serde(default)]
    pub fields: BTreeMap<Stage, Vec<FieldUse>>,
    /// Reference tables that it reads, with the fields it reads of each.
    #[serde(default)]
    pub tables: BTreeMap<String, BTreeMap<String, FieldType>>,
    /// Its parameters as a JSON Schema of an object; every property has a default.
    #[serde(default = "params::none")]
    pub params: serde_json::Value,
    /// The column that a model adds to a snapshot, a field of the dictionary; absent for an activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Why a customer may be chosen. The guest names a reason by its index here.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// What may be said. The guest names a template by its index here.
    #[serde(default)]
    pub templates: Vec<Template>,
    /// The typed holes of the templates, filled by the guest in this order.
    #[serde(default)]
    pub slots: Vec<Slot>,
    /// Outcome or event kinds after which a waiting contact is pointless and is cancelled.
    #[serde(default)]
    pub cancel_on: Vec<String>,
    /// The class it asks for; the province grants it.
    pub class: Class,
    /// Weight in arbitration that it asks for, 0 to 1000; more goes first within a class.
    #[serde(default = "default_weight")]
    pub weight: u16,
    /// Its own cap that it asks for.
    pub cap: Cap,
    /// How often an unreachable customer may be tried for one occasion, 1 to 9.
    #[serde(default = "one")]
    pub rounds: u8,
    /// The quantified goal (量化指标).
    pub goal: Goal,
    /// Names of the metrics that its own fold reports.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// The six principles of the gate (S1), a sentence each.
    pub principles: Principles,
    /// Resources it asks for.
    #[serde(default)]
    pub limits: Limits,
}

fn one() -> u8 {
    1
}

fn default_weight() -> u16 {
    100
}

/// The worlds of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// A care activity.
    #[default]
    Activity,
    /// A model that adds a column to a snapshot.
    Model,
}

/// Life-cycle stages by tenure and revenue (S1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LifeStage {
    /// A 获取期
    Acquisition,
    /// B 提升期
    Growth,
    /// C 成熟期
    Maturity,
    /// D 衰退期
    Decline,
}

/// What can start an activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// Cron expression in the province's time zone.
    #[serde(default)]
    pub cron: Option<String>,
    /// Event types.
    #[serde(default)]
    pub events: Vec<String>,
    /// May be asked while a customer is at the desk or on the line.
    #[serde(default)]
    pub touchpoint: bool,
    /// May be started by hand or through the API.
    #[serde(default)]
    pub by_hand: bool,
}

/// A field that the code reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldUse {
    /// Name in the dictionary.
    pub name: String,
    /// The type the code expects.
    #[serde(rename = "type")]
    pub ty: FieldType,
    /// Whether a snapshot may lack it.
    #[serde(default)]
    pub optional: bool,
}

/// Why a customer is chosen, and all that may follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Kebab-case name.
    pub name: String,
    /// What people read.
    pub title: Bilingual,
    /// Templates that may follow, by name.
    pub templates: Vec<String>,
    /// Channels in order of preference: the first that policy permits carries the message.
    pub channels: Vec<Channel>,
    /// The most messages that one customer may cause.
    #[serde(default = "one")]
    pub max_messages: u8,
}

/// What may be said to whom: one body for each channel, all over the same slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Kebab-case name.
    pub name: String,
    /// To whom it goes.
    pub addressee: Addressee,
    /// What a department is asked to do; only on channel `action`.
    #[serde(default)]
    pub action: Option<Action>,
    /// A body for each channel; `{slot}` is filled by the guest's value, `{host.surname}` by the host.
    pub bodies: BTreeMap<Channel, Bilingual>,
}

impl Template {
    /// What it says on a channel. An account manager gets the words written for a conversation rather than those of a
    /// mass channel, and only what is addressed to the customer.
    pub fn body(&self, channel: Channel) -> Option<&Bilingual> {
        if channel != Channel::AccountManager {
            return self.bodies.get(&channel);
        }
        let spoken = [Channel::Touchpoint, Channel::CallList, Channel::Sms, Channel::Email];
        let own = (self.addressee == Addressee::Customer).then_some(spoken);
        own.into_iter().flatten().find_map(|channel| self.bodies.get(&channel))
    }
}

/// A request to a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Set the credit rating 信用度; 9999 means that nobody is cut off for debt.
    CreditRating {
        /// The rating.
        value: u32,
    },
    /// Waive fees 费用减免.
    FeeWaiver,
    /// Look after something that is late.
    Escalation,
    /// 商机录入: a customer who is interested; the department takes it on.
    BusinessOpportunity,
}

impl Action {
    /// As written in manifests and approvals.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreditRating { .. } => "credit-rating",
            Self::FeeWaiver => "fee-waiver",
            Self::Escalation => "escalation",
            Self::BusinessOpportunity => "business-opportunity",
        }
    }

    /// In a cell of a list: what is asked for, with its value where it has one.
    pub fn told(&self) -> String {
        match self {
            Self::CreditRating { value } => format!("{} {value}", self.name()),
            _ => self.name().to_owned(),
        }
    }
}

/// A typed hole in a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Kebab-case name, written `{name}` in bodies.
    pub name: String,
    /// What fits.
    pub kind: SlotKind,
}

/// What fits into a slot, and how it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SlotKind {
    /// Money; canonical value: fen, a decimal integer.
    Money {
        /// Least, in fen.
        min: i64,
        /// Greatest, in fen.
        max: i64,
    },
    /// A date; canonical value: days since 1970-01-01.
    Date,
    /// A whole number.
    Number {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// One of the approved values; canonical value: its key.
    Choice {
        /// Key → what is read.
        values: BTreeMap<String, Bilingual>,
    },
    /// An entry of a reference table; canonical value: the entry's key.
    Entry {
        /// The table; its fields `key`, `label-zh` and `label-en` are read by the host.
        table: String,
    },
}

/// At most so many contacts in so many days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Contacts with one customer.
    pub contacts: u32,
    /// In a rolling window of so many days, 1 to 400.
    pub days: u32,
}

impl Cap {
    /// Whether it allows a contact at all, in a window that means something.
    pub fn is_sound(self) -> bool {
        self.contacts >= 1 && (1..=MAX_DAYS).contains(&self.days)
    }
}

/// The quantified goal of an activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// The outcome kind that is counted.
    pub outcome: String,
    /// Within so many days after the planned contact, 1 to 400.
    pub window_days: u32,
    /// Whether more or fewer of them are better.
    pub better: Better,
    /// Whether the goal is a sale; the gate flags it (S1: care is not a sale).
    #[serde(default)]
    pub sale: bool,
}

/// Which way a goal points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// More is better.
    More,
    /// Fewer is better.
    Fewer,
}

/// The principles of the gate (S1): is it care, and should it open?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Principles {
    /// 主动性
    pub proactive: Bilingual,
    /// 客户导向
    pub customer_oriented: Bilingual,
    /// 可行性
    pub feasible: Bilingual,
    /// 实用性
    pub useful: Bilingual,
    /// 重要性
    pub important: Bilingual,
    /// 创新性
    pub innovative: Bilingual,
}

/// Resources of a guest; the province grants at most its ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Fuel of a call that does not depend on its rows. A call's fuel is `fuel_base + rows × fuel_per_row`.
    pub fuel_base: u64,
    /// Fuel for each row. Measured: Rust 79, JavaScript 4,300, Python 4,900 for the balance rule.
    pub fuel_per_row: u64,
    /// Linear memory, in MiB.
    pub memory_mib: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel_base: 5_000_000, fuel_per_row: 2_000, memory_mib: 64 }
    }
}

/// What the Rust SDK's code says of itself (`DECLARATION_SECTION`), so that a manifest must fit its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Fields by stage.
    pub fields: BTreeMap<Stage, Vec<FieldUse>>,
    /// Reference tables with their fields.
    #[serde(default)]
    pub tables: BTreeMap<String, Vec<FieldUse>>,
    /// Reason names in the order of the code's indices.
    pub reasons: Vec<String>,
    /// Template names in the order of the code's indices.
    pub templates: Vec<String>,
    /// Slot names in the order of the code's columns.
    pub slots: Vec<String>,
}

/// The manifest's own JSON Schema.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Manifest).to_value()
}

impl Manifest {
    /// Reads the JSON of a custom section. An error names the line and column.
    pub fn from_json(bytes: &[u8]) -> Result<Self, crate::text::Finding> {
        use crate::text::Finding;
        let hint = "Write activity.toml by the manifest's schema and build again with `care plugin build`";
        if bytes.len() > MAX_BYTES {
            let message = format!("the manifest has {} bytes, more than {MAX_BYTES}", bytes.len());
            return Err(Finding::error("manifest-too-large", message, hint));
        }
        serde_json::from_slice(bytes)
            .map_err(|e| Finding::error("manifest-schema", format!("the manifest does not fit its schema: {e}"), hint))
    }

    /// A reason by the index that a guest gave.
    pub fn reason(&self, index: u16) -> Option<&Reason> {
        self.reasons.get(usize::from(index))
    }

    /// A template by the index that a guest gave.
    pub fn template(&self, index: u16) -> Option<&Template> {
        self.templates.get(usize::from(index))
    }

    /// The named lists that some stage reads, by name; one may be told twice.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.fields.values().flatten().filter_map(|field| field.name.strip_prefix(LIST_PREFIX))
    }

    /// The fields that a stage reads; none when it names none.
    pub fn fields_of(&self, stage: Stage) -> &[FieldUse] {
        self.fields.get(&stage).map_or(&[], Vec::as_slice)
    }
}
